//! Signatures, by OpenSSH's own program.

use super::{EvidenceError, NAMESPACE};
use crate::model::{clean_block, clean_line};
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The most bytes of a signature.
const MAX_SIGNATURE: usize = 64 << 10;
/// The most lines with one key that are tried, and the most names of one of them.
const MAX_LINES: usize = 50;
const MAX_NAMES: usize = 50;

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// As the file of allowed signers calls them.
    pub signer: String,
}

/// Signs `bytes` with the private key in a file, or with the one in the agent whose public key is in it.
///
/// # Errors
/// [`EvidenceError::OpenSsh`], [`EvidenceError::File`].
pub fn sign(key: &Path, bytes: &[u8]) -> Result<Vec<u8>, EvidenceError> {
    let place = scratch()?;
    let file = place.path().join("signed");
    let unwritable = |source| EvidenceError::File { file: file.clone(), source };
    std::fs::write(&file, bytes).map_err(unwritable)?;
    let arguments = ["-Y".as_ref(), "sign".as_ref(), "-n".as_ref(), NAMESPACE.as_ref(), "-f".as_ref(), key.as_os_str()];
    keygen(&[&arguments[..], &[file.as_os_str()]].concat(), &[])?;
    std::fs::read(file.with_extension("sig")).map_err(unwritable)
}

/// Who signed `bytes`, of those whom the file of allowed signers names.
///
/// # Errors
/// [`EvidenceError::OpenSsh`] when nobody of them did, or the bytes are others; [`EvidenceError::File`].
pub fn verify(signers: &Path, bytes: &[u8], signature: &[u8]) -> Result<Verified, EvidenceError> {
    let place = scratch()?;
    let file = place.path().join("signature");
    let signature = &signature[..signature.len().min(MAX_SIGNATURE)];
    std::fs::write(&file, signature).map_err(|source| EvidenceError::File { file: file.clone(), source })?;
    let text = std::fs::read(signers).map_err(|source| EvidenceError::File { file: signers.to_owned(), source })?;
    let text = String::from_utf8_lossy(&text);
    let listed: Vec<&str> = text.lines().collect();
    // OpenSSH names those of the first line with the key, whatever that line allows it to sign: a later one may be ours.
    let (mut rest, mut last) = (listed.as_slice(), None);
    for _ in 0..MAX_LINES {
        let part = place.path().join("signers");
        let unwritable = |source| EvidenceError::File { file: part.clone(), source };
        std::fs::write(&part, rest.join("\n") + "\n").map_err(unwritable)?;
        let named = match principals(part.as_os_str(), file.as_os_str()) {
            Ok(named) => named,
            Err(error) => return Err(last.unwrap_or(error)),
        };
        for signer in &named {
            match check(part.as_os_str(), signer, file.as_os_str(), bytes) {
                Ok(()) => return Ok(Verified { signer: clean_line(signer, 200) }),
                Err(error) => last = Some(error),
            }
        }
        let of_line =
            |line: &&str| line.split_whitespace().next().unwrap_or_default().trim_matches('"') == named.join(",");
        let Some(place) = rest.iter().position(of_line) else { break };
        rest = rest.get(place + 1..).unwrap_or_default();
    }
    let said = "no line that names the key lets it sign evidence".to_owned();
    Err(last.unwrap_or_else(|| EvidenceError::OpenSsh { command: "ssh-keygen -Y verify".into(), said }))
}

/// The names of the first line with the key that signed.
fn principals(signers: &OsStr, signed: &OsStr) -> Result<Vec<String>, EvidenceError> {
    let find: [&OsStr; 6] = ["-Y".as_ref(), "find-principals".as_ref(), "-s".as_ref(), signed, "-f".as_ref(), signers];
    let found = keygen(&find, &[])?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).take(MAX_NAMES).collect())
}

/// Whether this signer made the signature in a file of just these bytes, for what we sign.
fn check(signers: &OsStr, signer: &str, signed: &OsStr, bytes: &[u8]) -> Result<(), EvidenceError> {
    let check: [&OsStr; 10] = [
        "-Y".as_ref(),
        "verify".as_ref(),
        "-f".as_ref(),
        signers,
        "-I".as_ref(),
        signer.as_ref(),
        "-n".as_ref(),
        NAMESPACE.as_ref(),
        "-s".as_ref(),
        signed,
    ];
    keygen(&check, bytes).map(drop)
}

fn scratch() -> Result<tempfile::TempDir, EvidenceError> {
    tempfile::tempdir().map_err(|source| EvidenceError::File { file: std::env::temp_dir(), source })
}

/// Runs `ssh-keygen`. A key with a passphrase is asked for on the terminal, as ever.
fn keygen(arguments: &[&OsStr], input: &[u8]) -> Result<Output, EvidenceError> {
    let shown = arguments.iter().take(2).map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let command = format!("ssh-keygen {shown}");
    let failed = |said: String| EvidenceError::OpenSsh { command: command.clone(), said: clean_block(&said, 6) };
    let mut child = Command::new("ssh-keygen")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("it can't be started ({error}); install OpenSSH's client")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who ends before reading says why on its own.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(output),
        false => {
            let said = [output.stderr.as_slice(), output.stdout.as_slice()].concat();
            Err(failed(String::from_utf8_lossy(&said).into_owned()))
        }
    }
}
