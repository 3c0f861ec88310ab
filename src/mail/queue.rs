//! The queue: two files for each message, its bytes and a record of what became of it.
//!
//! May use: `model`, `message`, `server`. Invariants: every change of a record is synced before what it announces is done;
//! only the holder of the lock changes a record, and sends; a message is given away only from `sending`, which is written first, so
//! whoever finds it there knows that its sender died in between. A new message waits for nobody.

use super::error::QueueError;
use super::message::{Letter, Mailbox};
use super::server::{Handed, MailServer};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The version of a record.
pub const MAIL_FORMAT: u32 = 1;
/// The largest record and the largest message that are read, in bytes.
const MAX_BYTES: u64 = 32 << 20;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// It waits to be sent, for the first time or again.
    Waiting,
    /// It is being given to the server at this moment.
    Sending,
    /// The server accepted it.
    Sent {
        /// When.
        at: Timestamp,
        /// What the server said.
        said: String,
    },
    /// The server refuses it; it is not tried again.
    Refused {
        /// When.
        at: Timestamp,
        /// What the server said.
        said: String,
    },
    /// It was given away, and whether the server accepted it is not known: it is sent again only when a person says so.
    InDoubt {
        /// When that was found.
        at: Timestamp,
        /// Why it is not known.
        why: String,
    },
}

impl State {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent { .. } => "sent",
            Self::Refused { .. } => "refused",
            Self::InDoubt { .. } => "in-doubt",
        }
    }
}

/// What is known of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// The version of this format: 1.
    pub mail: u32,
    /// The message's name.
    pub id: String,
    /// Its Message-ID, which never changes.
    pub message_id: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// When it was written.
    pub written: Timestamp,
    /// How often a server was asked to take it.
    pub tries: u32,
    /// What was said when it was tried last and has to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub state: State,
}

/// What putting a letter into the queue came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queued {
    /// It is new.
    New(Record),
    /// The same letter was put there before.
    Known(Record),
}

/// What sending came to, or what the queue has.
#[derive(Debug, Default)]
pub struct Listing {
    /// The records of all messages that were looked at, as they are now.
    pub records: Vec<Record>,
    /// Messages that can't be read; the others are not kept waiting by them.
    pub unreadable: Vec<QueueError>,
}

/// A folder of messages.
#[derive(Debug, Clone)]
pub struct Queue {
    folder: PathBuf,
}

/// Only one process sends at a time; the system lets go of it when the process dies.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Queue {
    /// The queue in a folder, which is made when it is needed.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Writes a letter down. One that is there already, in whatever state, stays as it is, but one that waits is written anew when the
    /// settings have another sender by now.
    ///
    /// # Errors
    /// [`QueueError`] when it can't be written; it is not sent then.
    pub fn put(&self, letter: &Letter<'_>, bytes: &[u8], now: Timestamp) -> Result<Queued, QueueError> {
        std::fs::create_dir_all(&self.folder).map_err(failed(&self.folder, "made"))?;
        let id = letter.id();
        if let Some(record) = self.record(&id)? {
            return self.put_again(record, letter, bytes);
        }
        let record = Record {
            mail: MAIL_FORMAT,
            message_id: letter.message_id(),
            from: letter.from.address(),
            to: letter.to.address(),
            subject: crate::model::clean_line(letter.subject, 200),
            written: now,
            tries: 0,
            last: None,
            state: State::Waiting,
            id,
        };
        self.write(&self.bytes_of(&record.id), bytes)?;
        let path = self.record_of(&record.id);
        match self.fresh(&path, &encode(&path, &record)?)?.persist_noclobber(&path) {
            Ok(_) => self.sync()?,
            // Somebody else wrote the same letter at this moment.
            Err(lost) if lost.error.kind() == std::io::ErrorKind::AlreadyExists => {
                return read_record(&path).map(Queued::Known);
            }
            Err(lost) => return Err(failed(&path, "written")(lost.error)),
        }
        Ok(Queued::New(record))
    }

    fn put_again(&self, record: Record, letter: &Letter<'_>, bytes: &[u8]) -> Result<Queued, QueueError> {
        let from = letter.from.address();
        if record.state != State::Waiting || record.from == from {
            return Ok(Queued::Known(record));
        }
        let _lock = self.lock()?;
        // As it is now that nobody else changes it.
        match self.record(&record.id)? {
            Some(record) if record.state == State::Waiting => {
                self.write(&self.bytes_of(&record.id), bytes)?;
                let record = Record { from, message_id: letter.message_id(), ..record };
                self.note(&record)?;
                Ok(Queued::Known(record))
            }
            now => Ok(Queued::Known(now.unwrap_or(record))),
        }
    }

    /// All messages, in the order in which they were written.
    ///
    /// # Errors
    /// [`QueueError`] when the folder can't be read.
    pub fn list(&self) -> Result<Listing, QueueError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Listing::default()),
            Err(source) => return Err(failed(&self.folder, "read")(source)),
        };
        let mut listing = Listing::default();
        for entry in entries {
            let path = entry.map_err(failed(&self.folder, "read"))?.path();
            if path.extension().is_some_and(|end| end == "json") {
                match read_record(&path) {
                    Ok(record) => listing.records.push(record),
                    Err(error) => listing.unreadable.push(error),
                }
            }
        }
        listing.records.sort_by(|a, b| (a.written, &a.id).cmp(&(b.written, &b.id)));
        Ok(listing)
    }

    /// Sends what waits, until the server can't be reached. What a dead process left half sent is noted as in doubt, and not
    /// sent.
    ///
    /// # Errors
    /// [`QueueError`] when something can't be written down; nothing more is sent then.
    pub fn send(&self, server: &MailServer) -> Result<Listing, QueueError> {
        let _lock = self.lock()?;
        let Listing { records, unreadable } = self.list()?;
        let mut sent = Listing { records: Vec::new(), unreadable };
        let mut reached = true;
        for record in records {
            match record.state {
                State::Waiting if reached => match self.hand(record, server) {
                    Ok((record, still)) => {
                        reached = still;
                        sent.records.push(record);
                    }
                    Err(error) if error.is_of_one_message() => sent.unreadable.push(error),
                    Err(error) => return Err(error),
                },
                State::Waiting => sent.records.push(record),
                State::Sending => sent.records.push(self.doubt(record)?),
                _ => {}
            }
        }
        Ok(sent)
    }

    /// Sends one message because a person says so, also one that is in doubt or was refused.
    ///
    /// # Errors
    /// [`QueueError::Sent`] when the server has it, [`QueueError::Unknown`] when there is none.
    pub fn send_again(&self, id: &str, server: &MailServer) -> Result<Record, QueueError> {
        let _lock = self.lock()?;
        let unknown = || QueueError::Unknown { id: crate::model::clean_line(id, 80) };
        let plain = !id.is_empty() && id.len() < 80 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let record = if plain { self.record(id)? } else { None }.ok_or_else(unknown)?;
        if let State::Sent { .. } = record.state {
            return Err(QueueError::Sent { id: record.id });
        }
        Ok(self.hand(record, server)?.0)
    }

    /// One try, and whether there is a server to try with. The caller holds the lock.
    fn hand(&self, mut record: Record, server: &MailServer) -> Result<(Record, bool), QueueError> {
        let path = self.bytes_of(&record.id);
        let bytes = read_bytes(&path)
            .map_err(|error| QueueError::Record { path: path.clone(), why: crate::model::in_words(&error) })?;
        let mailbox = |text: &str| {
            Mailbox::parse(text).map_err(|error| QueueError::Record { path: path.clone(), why: error.to_string() })
        };
        let (from, to) = (mailbox(&record.from)?, mailbox(&record.to)?);
        record.tries = record.tries.saturating_add(1);
        record.state = State::Waiting;
        let sending = Record { state: State::Sending, ..record.clone() };
        let handed = server.hand((&from, &to), &bytes, || self.note(&sending))?;
        let at = Timestamp::now();
        record.last = None;
        let reached = !matches!(handed, Handed::Down(_));
        record.state = match handed {
            Handed::Accepted(said) => State::Sent { at, said },
            Handed::Refused(said) => State::Refused { at, said },
            Handed::Unknown(why) => State::InDoubt { at, why },
            Handed::Later(why) | Handed::Down(why) => {
                record.last = Some(why);
                State::Waiting
            }
        };
        self.note(&record)?;
        Ok((record, reached))
    }

    fn doubt(&self, mut record: Record) -> Result<Record, QueueError> {
        let why = "the process that sent it ended before it could note what the server said".to_owned();
        record.state = State::InDoubt { at: Timestamp::now(), why };
        self.note(&record)?;
        Ok(record)
    }

    fn lock(&self) -> Result<Lock, QueueError> {
        std::fs::create_dir_all(&self.folder).map_err(failed(&self.folder, "made"))?;
        let path = self.folder.join("lock");
        let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open.map_err(failed(&path, "opened"))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(QueueError::Busy),
            Err(std::fs::TryLockError::Error(source)) => Err(failed(&path, "locked")(source)),
        }
    }

    fn record(&self, id: &str) -> Result<Option<Record>, QueueError> {
        let path = self.record_of(id);
        match path.exists() {
            true => read_record(&path).map(Some),
            false => Ok(None),
        }
    }

    fn record_of(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn bytes_of(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.eml"))
    }

    fn note(&self, record: &Record) -> Result<(), QueueError> {
        let path = self.record_of(&record.id);
        self.write(&path, &encode(&path, record)?)
    }

    /// Whole or not at all, and on the disk when it returns.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), QueueError> {
        let fresh = self.fresh(path, bytes)?;
        fresh.persist(path).map_err(|lost| failed(path, "written")(lost.error))?;
        self.sync()
    }

    /// A file that only its owner reads, on the disk, without its name yet.
    fn fresh(&self, path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile, QueueError> {
        let made = tempfile::Builder::new().suffix(".new").tempfile_in(&self.folder);
        let written = made.and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all().map(|()| file)
        });
        written.map_err(failed(path, "written"))
    }

    fn sync(&self) -> Result<(), QueueError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed(&self.folder, "written"))
    }
}

fn encode(path: &Path, record: &Record) -> Result<Vec<u8>, QueueError> {
    serde_json::to_vec_pretty(record)
        .map_err(|error| QueueError::Record { path: path.to_owned(), why: error.to_string() })
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> QueueError {
    let path = path.to_owned();
    move |source| QueueError::File { path, doing, source }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, QueueError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    read.map_err(failed(path, "read"))?;
    Ok(bytes)
}

fn read_record(path: &Path) -> Result<Record, QueueError> {
    let bytes = read_bytes(path)?;
    let record: Record = serde_json::from_slice(&bytes)
        .map_err(|error| QueueError::Record { path: path.to_owned(), why: error.to_string() })?;
    match record.mail {
        MAIL_FORMAT => Ok(record),
        other => Err(QueueError::Record { path: path.to_owned(), why: format!("its format is {other}") }),
    }
}
