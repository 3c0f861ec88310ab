//! Signatures, by OpenSSH's own program.

use super::{EvidenceError, NAMESPACE};
use crate::model::{clean_block, clean_line};
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The most bytes of a signature.
const MAX_SIGNATURE: usize = 64 << 10;

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
    let (signers, signed) = (signers.as_os_str(), file.as_os_str());
    let find: [&OsStr; 6] = ["-Y".as_ref(), "find-principals".as_ref(), "-s".as_ref(), signed, "-f".as_ref(), signers];
    let found = keygen(&find, &[])?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    let signer = text.lines().next().unwrap_or_default().trim().to_owned();
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
    keygen(&check, bytes)?;
    Ok(Verified { signer: clean_line(&signer, 200) })
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
