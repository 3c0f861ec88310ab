//! Evidence of a run as a stranger looks at it, and what is noticed when it was changed.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Who signs, as the guide's commands call them.
const SIGNER: &str = "ops@studio.example";

/// The program, run to its end in a folder: its exit code and all that it said.
pub type Program<'a> = &'a dyn Fn(&[&str]) -> (Option<i32>, String);

/// Makes a key in the folder, and says who may sign with it.
fn desk(folder: &Path) {
    if folder.join("signer").exists() {
        return;
    }
    for name in ["signer", "stranger"] {
        let mut made = Command::new("ssh-keygen");
        made.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(folder.join(name));
        assert!(made.status().unwrap().success());
    }
    let public = std::fs::read_to_string(folder.join("signer.pub")).unwrap();
    std::fs::write(folder.join("allowed_signers"), format!("{SIGNER} {public}")).unwrap();
}

/// The commands that the guide gives to a stranger.
fn strangers_commands() -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/evidence.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let block = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(block.contains("ssh-keygen -Y verify") && block.contains(SIGNER), "{block}");
    block.to_owned()
}

/// What a stranger says of a file, with OpenSSH alone and in an empty folder.
fn stranger(folder: &Path, file: &str) -> Result<(), String> {
    let place = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join(file), place.path().join("evidence.tar")).unwrap();
    std::fs::copy(folder.join("allowed_signers"), place.path().join("allowed_signers")).unwrap();
    let script = format!("set -e\n{}", strangers_commands());
    let output = Command::new("sh").args(["-c", &script]).current_dir(place.path()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let good = output.status.success() && said.contains("Good \"intendant-evidence\" signature");
    if good { Ok(()) } else { Err(said) }
}

fn judged(program: Program<'_>, file: &str) -> (Option<i32>, String) {
    program(&["verify-evidence", file, "--signers", "allowed_signers"])
}

/// Writes the evidence of a run, and asserts that program and stranger believe it, and nothing that was changed in it.
#[track_caller]
pub fn proven(program: Program<'_>, folder: &Path, of: &str, outcome: &str, file: &str) {
    desk(folder);
    let (code, said) = program(&["evidence", of, "--key", "signer", "--to", file]);
    assert_eq!(code, Some(0), "evidence of {of}: {said}");
    let (code, said) = judged(program, file);
    assert!(code == Some(0) && said.contains(&format!(", {outcome} at ")), "{file} {code:?}: {said}");
    assert_eq!(stranger(folder, file), Ok(()), "a stranger, of {file}");
    // The same run gives the same files: only the signature could differ.
    let (_, said) = program(&["evidence", of, "--key", "signer", "--to", "again.tar"]);
    let sums = |file: &str| unpacked(folder, file).1;
    assert_eq!(sums(file), sums("again.tar"), "{said}");
    for part in ["journal.jsonl", "report.json", "chain.jsonl", "snapshots.json", "run.json"] {
        changed(program, folder, file, part);
    }
    let (code, said) = program(&["evidence", of, "--key", "stranger", "--to", "theirs.tar"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(judged(program, "theirs.tar").0, Some(6), "signed by somebody else");
    assert!(stranger(folder, "theirs.tar").is_err());
}

/// The files of a bundle in a folder, and its sums.
fn unpacked(folder: &Path, file: &str) -> (tempfile::TempDir, String) {
    let place = tempfile::tempdir().unwrap();
    let tar = Command::new("tar").arg("-xf").arg(folder.join(file)).arg("-C").arg(place.path()).status().unwrap();
    assert!(tar.success(), "{file} is a tar archive");
    let sums = std::fs::read_to_string(place.path().join("SHA256SUMS")).unwrap();
    (place, sums)
}

/// Changes one file of a bundle: as it is, and with sums made anew, for which there is no signature.
#[track_caller]
fn changed(program: Program<'_>, folder: &Path, file: &str, part: &str) {
    let (place, _) = unpacked(folder, file);
    let path: PathBuf = place.path().join(part);
    let mut bytes = std::fs::read(&path).unwrap();
    match bytes.iter().rposition(u8::is_ascii_digit) {
        Some(digit) => bytes[digit] = if bytes[digit] == b'1' { b'2' } else { b'1' },
        // A run that was refused has no snapshots.
        None => bytes.push(b' '),
    }
    std::fs::write(&path, &bytes).unwrap();
    for script in ["true", "sha256sum -- *.json *.jsonl *.txt >SHA256SUMS"] {
        let pack = format!("{script} && tar -cf \"$1\" *");
        let mut packed = Command::new("sh");
        packed.args(["-c", &pack, "sh"]).arg(folder.join("changed.tar")).current_dir(place.path());
        assert!(packed.status().unwrap().success());
        let (code, said) = judged(program, "changed.tar");
        assert!(code == Some(6) && said.contains("BAD"), "{part} was changed ({script}): {code:?} {said}");
        assert!(stranger(folder, "changed.tar").is_err(), "{part} was changed ({script}), and a stranger believes it");
    }
}

/// Asserts that files of one site tell one past.
#[track_caller]
pub fn one_past(program: Program<'_>, files: &[&str]) {
    let (code, said) = program(&[&["verify-evidence"], files, &["--signers", "allowed_signers"]].concat());
    assert_eq!(code, Some(0), "{said}");
}
