//! Encryption at rest: in a store that has recipients, every pack and every manifest becomes an age
//! file, with `.age` behind its name. Whoever uses the store through this sees contents, and names
//! without the suffix.
//!
//! May use: `model`, `error`, `backend`, `recipients`, `cipher`. Invariants: who the recipients are is
//! read anew for each object that is written, so that no writer goes by what was; what was encrypted
//! once never has a plain neighbour by mistake; bytes that are not what was encrypted are an error,
//! never an answer; what can't be opened for want of an identity is told from what is damaged.

use super::super::error::{Result, SnapshotError};
use super::backend::{Backend, Held, Object, Upload};
use super::cipher::{self, Identity, Refused};
use super::recipients::{STORE_FILE, StoreLine};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Behind the name of an object that is an age file.
const SUFFIX: &str = ".age";
/// What age files begin with.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// A header is not longer: the most recipients need half of it.
const MAX_HEADER_BYTES: usize = 16 << 10;
/// The last line of a header.
const MAC: &[u8] = b"\n--- ";
const MAC_DIGITS: usize = 43;
/// What stands between the header and the encrypted pieces.
const NONCE_BYTES: u64 = 16;
/// What is encrypted at once, and by how much it grows.
const PIECE_BYTES: u64 = 64 << 10;
const TAG_BYTES: u64 = 16;
/// The most identities.
const MAX_IDENTITIES: usize = 64;

/// What reads an encrypted store; or why nothing is at hand that does.
pub struct Identities {
    all: Vec<Identity>,
    why: String,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} identities", self.all.len())
    }
}

impl Identities {
    /// None, and why: `no identity is given`.
    pub fn none(why: &str) -> Self {
        Self { all: Vec::new(), why: crate::model::clean_line(why, 300) }
    }

    /// The identities in a text as `age-keygen` writes it: one on a line, and comments.
    ///
    /// # Errors
    /// Why they can't be used; of the text itself only the number of a line.
    pub fn read(text: &SecretString) -> std::result::Result<Self, String> {
        if !cipher::IS_KNOWN {
            return Err("this program was built without encryption".into());
        }
        let mut all = Vec::new();
        for (index, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if all.len() == MAX_IDENTITIES {
                return Err(format!("it holds more than {MAX_IDENTITIES} identities"));
            }
            let bad = || format!("its line {} is no identity of age (AGE-SECRET-KEY-1 and 58 characters)", index + 1);
            all.push(Identity::parse(line).ok_or_else(bad)?);
        }
        match all.is_empty() {
            true => Err("it holds no identity".into()),
            false => Ok(Self { all, why: "none of the identities given is one of theirs".into() }),
        }
    }

    fn reads(&self, recipients: &[String]) -> bool {
        self.all.iter().any(|identity| recipients.iter().any(|one| one == identity.public()))
    }
}

/// Objects in a backend, some of them encrypted.
pub(super) struct Sealed {
    inner: Box<dyn Backend>,
    identities: Identities,
    /// Encrypted packs by name: their sizes, and those of their contents.
    lengths: Mutex<HashMap<String, (u64, u64)>>,
    /// Whether an encrypted object was seen.
    seen: AtomicBool,
}

/// What is encrypted in a store that has recipients.
fn is_sealable(name: &str) -> bool {
    name.ends_with(".tar.zst") || name.ends_with(super::MANIFEST_SUFFIX)
}

fn sealed_name(name: &str) -> String {
    format!("{name}{SUFFIX}")
}

/// Where the header ends, in the beginning of an age file.
fn header_length(head: &[u8]) -> Option<u64> {
    let mac = head.starts_with(MAGIC).then(|| memchr::memmem::find(head, MAC))??;
    let end = mac + MAC.len() + MAC_DIGITS;
    (head.get(end) == Some(&b'\n')).then_some(end as u64 + 1)
}

/// The length of what is encrypted in a file of this size. Only an empty content has an empty piece.
fn content_length(size: u64, header: u64) -> Option<u64> {
    let payload = size.checked_sub(header + NONCE_BYTES)?;
    let pieces = payload.div_ceil(PIECE_BYTES + TAG_BYTES);
    let last = payload.checked_sub(pieces.checked_sub(1)? * (PIECE_BYTES + TAG_BYTES))?;
    (last > TAG_BYTES || (pieces == 1 && last == TAG_BYTES)).then(|| payload - pieces * TAG_BYTES)
}

/// An encrypted object, before it is decrypted.
type File = BufReader<Box<dyn Object>>;

/// An age file, and how long its content is by its size; none where it is not built like one.
fn measure(mut file: Box<dyn Object>) -> io::Result<Option<(File, u64)>> {
    let size = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut file = BufReader::with_capacity(MAX_HEADER_BYTES, file);
    let length = header_length(file.fill_buf()?).and_then(|header| content_length(size, header));
    Ok(length.map(|length| (file, length)))
}

impl Sealed {
    pub(super) fn new(inner: Box<dyn Backend>, identities: Identities) -> Self {
        Self { inner, identities, lengths: Mutex::default(), seen: AtomicBool::new(false) }
    }

    /// What the store's own file says now.
    pub(super) fn line(&self) -> Result<StoreLine> {
        StoreLine::read(&*self.inner)
    }

    /// Writes the store's own file.
    pub(super) fn set_line(&self, line: &StoreLine) -> Result<()> {
        let failed = SnapshotError::store(self.inner.shown(STORE_FILE), "writing the recipients");
        line.write(&*self.inner).map_err(failed)
    }

    /// Whether what is written now is encrypted.
    pub(super) fn is_sealing(&self) -> Result<bool> {
        Ok(!self.line()?.recipients.is_empty())
    }

    /// Whether an object is there unencrypted.
    pub(super) fn is_plain(&self, name: &str) -> Result<bool> {
        match self.inner.open(name).map_err(SnapshotError::store(self.inner.shown(name), "opening an object")) {
            Err(error) if error.is_unanswered() => Err(error),
            other => Ok(other.is_ok()),
        }
    }

    /// Removes what is there unencrypted of an object that is there encrypted, too.
    pub(super) fn remove_plain(&self, name: &str) -> Result<()> {
        let failed = SnapshotError::store(self.inner.shown(name), "removing what is encrypted now");
        self.inner.remove(&[name.to_owned()]).map_err(failed)
    }

    /// Whether an encrypted object was seen.
    pub(super) fn has_sealed(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    /// Whether everything that was ever encrypted can be read. A store without recipients can.
    ///
    /// # Errors
    /// [`SnapshotError::Locked`] says to whom it is encrypted.
    pub(super) fn readable(&self) -> Result<()> {
        self.readable_in(usize::MAX)
    }

    /// The same for what is encrypted to the present recipients.
    pub(super) fn readable_now(&self) -> Result<()> {
        self.readable_in(1)
    }

    /// For the first so many sets of recipients.
    fn readable_in(&self, sets: usize) -> Result<()> {
        let line = self.line()?;
        let store = self.inner.shown("");
        let store = store.trim_end_matches('/');
        let what = |at: usize| match at {
            0 => format!("the snapshot store {store}"),
            _ => format!("what is older in the snapshot store {store}"),
        };
        match line.sets().take(sets).enumerate().find(|(_, set)| !self.identities.reads(set)) {
            None => Ok(()),
            Some((at, set)) => Err(self.locked(what(at), set)),
        }
    }

    fn locked(&self, what: String, recipients: &[String]) -> SnapshotError {
        let recipients = match recipients {
            [] => "recipients that it does not name".to_owned(),
            some => some.join(" or "),
        };
        SnapshotError::Locked { what, recipients, why: self.identities.why.clone() }
    }

    fn damaged(&self, name: &str) -> io::Error {
        let detail = "it can't be decrypted: its bytes are not what they were, or it is cut off";
        io::Error::other(SnapshotError::damaged(self.inner.shown(&sealed_name(name)), detail))
    }

    /// The content of an encrypted object, and its length.
    fn unseal(&self, name: &str) -> io::Result<(Box<dyn Object>, u64)> {
        let file = self.inner.open(&sealed_name(name))?;
        let (file, length) = measure(file)?.ok_or_else(|| self.damaged(name))?;
        match cipher::open(file, &self.identities.all) {
            Ok(object) => Ok((object, length)),
            Err(Refused::Io(error)) => Err(error),
            Err(Refused::Damaged) => Err(self.damaged(name)),
            Err(Refused::NoMatch) => {
                let line = self.line().map_err(io::Error::other)?;
                let sets: Vec<_> = line.sets().collect();
                // Whoever reads all that was ever written reads this: then its header is wrong.
                if !sets.is_empty() && sets.iter().all(|set| self.identities.reads(set)) {
                    return Err(self.damaged(name));
                }
                let missing = sets.into_iter().find(|set| !self.identities.reads(set));
                let shown = self.inner.shown(&sealed_name(name));
                Err(io::Error::other(self.locked(shown, missing.map_or(&[][..], Vec::as_slice))))
            }
        }
    }

    /// The length of a pack's content by its size, which needs no identity; 0 where it is no age file.
    fn length(&self, name: &str, size: u64) -> io::Result<u64> {
        let mut lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, length)) = lengths.get(name)
            && *of == size
        {
            return Ok(*length);
        }
        let length = match self.inner.open(&sealed_name(name)) {
            // It was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            other => measure(other?)?.map_or(0, |(_, length)| length),
        };
        lengths.insert(name.to_owned(), (size, length));
        Ok(length)
    }

    /// Lets the beginnings of packs be fetched together whose lengths are not known.
    fn fetch_lengths(&self, folder: &str, all: &[(String, u64)]) {
        let lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |(name, size): &&(String, u64)| {
            let content = name.strip_suffix(SUFFIX).filter(|name| name.ends_with(".tar.zst"));
            content.is_some_and(|name| lengths.get(&format!("{folder}/{name}")).is_none_or(|(of, _)| of != size))
        };
        let new: Vec<String> = all.iter().filter(is_new).map(|(name, _)| format!("{folder}/{name}")).collect();
        drop(lengths);
        self.inner.soon(&new);
    }

    /// Reads a file from elsewhere, which may be encrypted.
    pub(super) fn open_other(&self, shown: &str, mut file: Box<dyn Object>) -> io::Result<Box<dyn Object>> {
        let mut start = Vec::new();
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start)?;
        file.rewind()?;
        if start != MAGIC {
            return Ok(file);
        }
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its encryption is damaged, or it is cut off");
        let (file, _) = measure(file)?.ok_or_else(damaged)?;
        cipher::open(file, &self.identities.all).map_err(|refused| match refused {
            Refused::NoMatch => io::Error::other(self.locked(shown.to_owned(), &[])),
            Refused::Damaged => damaged(),
            Refused::Io(error) => error,
        })
    }
}

impl Backend for Sealed {
    fn create(&self, name: &str) -> io::Result<Box<dyn Upload>> {
        if !is_sealable(name) {
            return self.inner.create(name);
        }
        let line = self.line().map_err(io::Error::other)?;
        match line.recipients.as_slice() {
            [] if self.seen.load(Ordering::Relaxed) => {
                let path = self.inner.shown(STORE_FILE);
                Err(io::Error::other(SnapshotError::RecipientsGone { path }))
            }
            [] => self.inner.create(name),
            recipients => cipher::seal(recipients, self.inner.create(&sealed_name(name))?),
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Object>> {
        match self.inner.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_sealable(name) => Ok(self.unseal(name)?.0),
            other => other,
        }
    }

    fn range(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        match self.inner.range(name, offset, length) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_sealable(name) => {}
            other => return other,
        }
        let (mut object, whole) = self.unseal(name)?;
        if offset.checked_add(length as u64).is_none_or(|end| end > whole) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; length];
        if length == 0 {
            return Ok(bytes);
        }
        let read = object.seek(SeekFrom::Start(offset)).and_then(|_| object.read_exact(&mut bytes));
        match read {
            Ok(()) => Ok(bytes),
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
                Err(self.damaged(name))
            }
            Err(error) => Err(error),
        }
    }

    /// Encrypted packs have the lengths of their contents; manifests the sizes of their files.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let all = self.inner.list(folder)?;
        if !all.iter().any(|(name, _)| name.ends_with(SUFFIX)) {
            return Ok(all);
        }
        self.fetch_lengths(folder, &all);
        let mut names = BTreeMap::new();
        for (name, size) in all {
            let Some(content) = name.strip_suffix(SUFFIX).filter(|name| is_sealable(name)) else {
                names.insert(name, size);
                continue;
            };
            self.seen.store(true, Ordering::Relaxed);
            let size = match content.ends_with(super::MANIFEST_SUFFIX) {
                true => size,
                false => self.length(&format!("{folder}/{content}"), size)?,
            };
            // Where both are there, the one that is not encrypted is read.
            names.entry(content.to_owned()).or_insert(size);
        }
        Ok(names.into_iter().collect())
    }

    fn lock(&self, name: &str, shared: bool) -> io::Result<Option<Box<dyn Held>>> {
        self.inner.lock(name, shared)
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        if !self.seen.load(Ordering::Relaxed) {
            return self.inner.remove(names);
        }
        let both = |name: &String| [Some(name.clone()), is_sealable(name).then(|| sealed_name(name))];
        let all: Vec<String> = names.iter().flat_map(both).flatten().collect();
        self.inner.remove(&all)
    }

    fn soon(&self, names: &[String]) {
        self.inner.soon(names);
    }

    fn afresh(&self) {
        self.lengths.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.inner.afresh();
    }

    fn clean(&self) -> io::Result<()> {
        self.inner.clean()
    }

    fn tried(&self) -> io::Result<Option<String>> {
        self.inner.tried()
    }

    fn shown(&self, name: &str) -> String {
        let is_sealed =
            self.seen.load(Ordering::Relaxed) && is_sealable(name) && !matches!(self.is_plain(name), Ok(true));
        match is_sealed {
            true => self.inner.shown(&sealed_name(name)),
            false => self.inner.shown(name),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "encryption")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    const NAME: &str = "packs/p.tar.zst";

    fn sealed(folder: &std::path::Path) -> Sealed {
        let identities = Identities::read(&SECRET.into()).unwrap();
        let sealed = Sealed::new(Box::new(super::super::folder::Folder::new(folder)), identities);
        sealed.set_line(&StoreLine::plain().with(vec![PUBLIC.into()]).unwrap()).unwrap();
        sealed
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn put(sealed: &Sealed, bytes: &[u8]) {
        let mut upload = sealed.create(NAME).unwrap();
        // Written in pieces that fit nothing.
        bytes.chunks(50_001).for_each(|piece| io::Write::write_all(&mut upload, piece).unwrap());
        upload.commit().unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Around the limits of the encrypted pieces, and anywhere.
        #[test]
        fn any_part_is_read_as_it_was_written(
            pieces in 0usize..4,
            more in prop_oneof![Just(0usize), Just(1), Just(65_535), 0usize..65_536],
            parts in proptest::collection::vec((0f64..1.0, 0f64..1.0), 1..12),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let sealed = sealed(folder.path());
            let bytes = noise(pieces * PIECE_BYTES as usize + more);
            put(&sealed, &bytes);
            prop_assert_eq!(sealed.list("packs").unwrap(), [("p.tar.zst".to_owned(), bytes.len() as u64)]);
            let mut all = Vec::new();
            sealed.open(NAME).unwrap().read_to_end(&mut all).unwrap();
            prop_assert_eq!(&all, &bytes);
            for (from, part) in parts {
                let mut from = (bytes.len() as f64 * from) as usize;
                // Half of them begin where a piece does.
                if part < 0.5 {
                    from -= from % PIECE_BYTES as usize;
                }
                let length = ((bytes.len() - from) as f64 * part) as usize;
                prop_assert_eq!(&sealed.range(NAME, from as u64, length).unwrap(), &bytes[from..from + length]);
                let rest = bytes.len() - from;
                prop_assert_eq!(&sealed.range(NAME, from as u64, rest).unwrap(), &bytes[from..]);
                prop_assert!(sealed.range(NAME, from as u64, rest + 1).is_err());
            }
            prop_assert!(sealed.range(NAME, u64::MAX, 1).is_err());
        }
    }

    /// Each length, and each byte of header and pieces: an error, and of a part that is not hurt its bytes.
    #[test]
    fn nothing_wrong_is_ever_read() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = sealed(folder.path());
        let bytes = noise(2 * PIECE_BYTES as usize + 100);
        put(&sealed, &bytes);
        let file = folder.path().join(sealed_name(NAME));
        let good = std::fs::read(&file).unwrap();
        let places = (0..600).chain((600..good.len()).step_by(997)).chain(good.len() - 40..good.len());
        let (from, length) = (PIECE_BYTES, PIECE_BYTES as usize);
        let mut unhurt = 0;
        for at in places {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&file, bad).unwrap();
            let mut all = Vec::new();
            let read = sealed.open(NAME).and_then(|mut object| object.read_to_end(&mut all));
            assert!(read.is_err(), "byte {at}");
            assert!(bytes.starts_with(&all), "byte {at}");
            match sealed.range(NAME, from, length) {
                Ok(part) => {
                    assert_eq!(part, bytes[from as usize..from as usize + length], "byte {at}");
                    unhurt += 1;
                }
                Err(error) => assert!(SnapshotError::is_damage(&error), "byte {at}: {error}"),
            }
            if at % 7 == 0 {
                std::fs::write(&file, &good[..at]).unwrap();
                let read = sealed.open(NAME).and_then(|mut object| object.read_to_end(&mut Vec::new()));
                assert!(read.is_err(), "cut at {at}");
            }
        }
        assert!(unhurt > 100, "{unhurt}");
    }

    #[test]
    fn identities_are_never_shown() {
        let read = |text: &str| Identities::read(&text.to_owned().into());
        let three = read(&format!("# created: today\n\n{SECRET}\r\n  {SECRET}\n{SECRET}")).unwrap();
        assert_eq!(format!("{three:?}"), "3 identities");
        let broken = SECRET.replace('Q', "P");
        for text in ["", "# nothing", "secret", &broken, &format!("{SECRET}\n{broken}"), PUBLIC] {
            let error = read(text).unwrap_err();
            assert!(!error.contains("1GP977") && !error.contains("secret") && !error.contains(PUBLIC), "{error}");
        }
        assert!(read(&format!("{SECRET}\nnonsense")).unwrap_err().contains("line 2"));
    }
}
