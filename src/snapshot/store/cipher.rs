//! The ciphers of age files: the only file that knows the crate `age`.
//!
//! May use: `backend`. Invariants: an identity is never shown, and forgotten when it is dropped; who
//! opens a file has checked the length of its header and the place he reads from; of the crate's
//! errors only the kind is used, because their texts come in the languages of its own files.

use super::backend::{Object, Upload};
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, x25519};
use std::io::{self, BufRead, Seek, Write};

/// Whether this program can encrypt and decrypt.
pub(super) const IS_KNOWN: bool = true;

/// What reads what is encrypted to its public half.
pub(super) struct Identity {
    secret: x25519::Identity,
    public: String,
}

impl Identity {
    /// The identity that a line of a file holds.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let secret: x25519::Identity = line.parse().ok()?;
        let public = secret.to_public().to_string();
        Some(Self { secret, public })
    }

    /// Its recipient.
    pub(super) fn public(&self) -> &str {
        &self.public
    }
}

/// A recipient as it is written down, or why it is none.
pub(super) fn recipient(text: &str) -> Result<String, String> {
    text.parse::<x25519::Recipient>().map(|recipient| recipient.to_string()).map_err(str::to_owned)
}

/// Why a file could not be opened.
pub(super) enum Refused {
    /// No identity is one of its recipients', as far as its header says.
    NoMatch,
    /// Its header is not what it was.
    Damaged,
    /// It could not be read.
    Io(io::Error),
}

struct Sealing(StreamWriter<Box<dyn Upload>>);

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Upload for Sealing {
    fn commit(self: Box<Self>) -> io::Result<()> {
        self.0.finish()?.commit()
    }
}

/// Encrypts what is written to `out`.
pub(super) fn seal(recipients: &[String], out: Box<dyn Upload>) -> io::Result<Box<dyn Upload>> {
    let recipients: Result<Vec<x25519::Recipient>, _> = recipients.iter().map(|text| text.parse()).collect();
    let recipients = recipients.map_err(|_| io::Error::other("a recipient can't be understood"))?;
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(|_| io::Error::other("there are no recipients"))?;
    Ok(Box::new(Sealing(encryptor.wrap_output(out)?)))
}

/// Decrypts what is read from `input`.
pub(super) fn open(
    input: impl BufRead + Seek + Send + 'static,
    identities: &[Identity],
) -> Result<Box<dyn Object>, Refused> {
    let refused = |error| match error {
        DecryptError::NoMatchingKeys => Refused::NoMatch,
        DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Refused::Io(error),
        _ => Refused::Damaged,
    };
    let decryptor = Decryptor::new_buffered(input).map_err(refused)?;
    let identities = identities.iter().map(|identity| &identity.secret as &dyn age::Identity);
    let reader: StreamReader<_> = decryptor.decrypt(identities).map_err(refused)?;
    Ok(Box::new(reader))
}
