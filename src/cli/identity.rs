//! Where secrets of a snapshot store are, the identity that reads it and the keys to its bucket: references,
//! never the secrets themselves.
//!
//! May use: `snapshot`. Invariants: the secret is read only here, and never repeated, whatever is wrong;
//! that it can't be read is said where it is needed, so that what needs none goes on without.

use super::{ExitCode, Failure};
use crate::snapshot::{BucketKeys, Identities};
use secrecy::{ExposeSecret as _, SecretString};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What variables of ours begin with: programs that run on this machine for a site don't get them.
const OURS: &str = "INTENDANT_";
/// Where other programs that use buckets find their keys. They are withheld like ours.
const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";
/// The most bytes of a file of identities or keys.
const MAX_BYTES: u64 = 1 << 20;

/// A reference to an identity, or to keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A file, as `age-keygen` writes identities, and other programs keys.
    File(PathBuf),
    /// A variable of the environment that holds the same.
    Variable(String),
}

impl Reference {
    /// Reads a reference; a relative path counts from `folder`. `at` is where it stands.
    pub(super) fn parse(text: &str, folder: &Path, at: &str) -> Result<Self, Failure> {
        let invalid = |why: &str| Failure { code: ExitCode::INVALID, text: format!("{at}: {why}") };
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(folder.join(path))),
            Some(("env", name)) if name.starts_with(OURS) && !is_secret(name) => Ok(Self::Variable(name.to_owned())),
            Some(("env", _)) => Err(invalid(
                "the name of the variable has to begin with INTENDANT_: only these are withheld from what runs for a site",
            )),
            _ if is_secret(text) => Err(invalid(
                "this is an identity itself, a secret; put it into a file that only you can read, and name that: file:PATH",
            )),
            _ => Err(invalid(
                "write file:PATH, or env:NAME for a variable of the environment that begins with INTENDANT_",
            )),
        }
    }

    /// The identities; where there are none, the reason is in them.
    pub(super) fn read(&self) -> Identities {
        let read = self.text().and_then(|text| Identities::read(&text));
        read.unwrap_or_else(|why| Identities::none(&format!("the identity {self}: {why}")))
    }

    /// The keys to a bucket.
    pub(super) fn keys(&self) -> Result<BucketKeys, String> {
        let read = self.text().and_then(|text| BucketKeys::read(&text));
        read.map_err(|why| format!("the credentials {self}: {why}"))
    }

    /// A secret in one line, such as the key to a feed.
    pub(super) fn secret(&self) -> Result<SecretString, String> {
        let read = self.text().map(|text| SecretString::from(text.expose_secret().trim().to_owned()));
        read.map_err(|why| format!("the key {self}: {why}"))
    }

    fn text(&self) -> Result<SecretString, String> {
        match self {
            Self::File(path) => read_file(path),
            Self::Variable(name) => std::env::var(name).map(SecretString::from).map_err(|_| "it is not set".into()),
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "in the variable {name}"),
        }
    }
}

/// The keys to a bucket out of the variables that other programs read, too.
pub(super) fn common_keys() -> Result<BucketKeys, String> {
    let read = |name: &str| std::env::var(name).ok();
    let (Some(id), Some(secret)) = (read(ID), read(SECRET)) else {
        return Err(format!("no credentials are given: set {ID} and {SECRET}, or write credentials=file:PATH"));
    };
    let keys = BucketKeys::new(&id, secret.into(), read(TOKEN).map(SecretString::from));
    keys.map_err(|why| format!("the variables {ID} and {SECRET}: {why}"))
}

fn is_secret(text: &str) -> bool {
    text.to_ascii_uppercase().contains("SECRET-KEY")
}

fn read_file(path: &Path) -> Result<SecretString, String> {
    let mut text = String::new();
    let mut open_to_others = false;
    let read = std::fs::File::open(path).and_then(|file| {
        open_to_others = file.metadata()?.permissions().mode() & 0o077 != 0;
        file.take(MAX_BYTES).read_to_string(&mut text)
    });
    let text = SecretString::from(text);
    read.map_err(|error| error.to_string())?;
    if open_to_others {
        tracing::warn!(file = %path.display(), "others than its owner can read this secret; chmod 600");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_secrets_are_never_repeated() {
        let parse = |text: &str| Reference::parse(text, Path::new("/fleet"), "identity");
        assert_eq!(parse("file:key.txt").unwrap(), Reference::File("/fleet/key.txt".into()));
        assert_eq!(parse("file:/media/key.txt").unwrap(), Reference::File("/media/key.txt".into()));
        assert_eq!(parse("env:INTENDANT_KEY").unwrap(), Reference::Variable("INTENDANT_KEY".into()));
        let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        let wrong =
            [secret.to_owned(), format!("env:{secret}"), format!("env:INTENDANT_{secret}"), secret.to_lowercase()];
        for text in wrong.iter().map(String::as_str).chain(["", "file:", "env:", "env:HOME", "key.txt"]) {
            let failure = parse(text).unwrap_err();
            assert_eq!(failure.code, ExitCode::INVALID, "{text}");
            assert!(!failure.text.to_ascii_uppercase().contains("1GQ977"), "{}", failure.text);
        }
    }
}
