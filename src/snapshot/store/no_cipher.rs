//! In place of the ciphers, in a program that is built without them: nothing is encrypted, and
//! what is encrypted is refused.
//!
//! May use: `backend`. Invariant: the same functions as `cipher`.

use super::backend::{Object, Upload};
use std::io::{self, BufRead, Seek};

/// Whether this program can encrypt and decrypt.
pub(super) const IS_KNOWN: bool = false;

/// There is none.
pub(super) enum Identity {}

impl Identity {
    pub(super) fn parse(_: &str) -> Option<Self> {
        None
    }

    pub(super) fn public(&self) -> &str {
        match *self {}
    }
}

/// Why a file could not be opened.
pub(super) enum Refused {
    #[expect(dead_code, reason = "nothing is tried")]
    NoMatch,
    #[expect(dead_code, reason = "nothing is tried")]
    Damaged,
    Io(io::Error),
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this program was built without encryption")
}

pub(super) fn recipient(_: &str) -> Result<String, String> {
    Err(unknown().to_string())
}

pub(super) fn seal(_: &[String], _: Box<dyn Upload>) -> io::Result<Box<dyn Upload>> {
    Err(unknown())
}

pub(super) fn open(_: impl BufRead + Seek + Send + 'static, _: &[Identity]) -> Result<Box<dyn Object>, Refused> {
    Err(Refused::Io(unknown()))
}
