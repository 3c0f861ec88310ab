//! Good evidence is good, and whatever is changed about it is noticed; by a stranger, too.

use super::*;
use crate::journal::Entry;
use crate::model::RunId;
use jiff::Timestamp;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

fn run(number: i64) -> RunId {
    format!("0199c82c-c000-774a-90d0-{number:012x}").parse().unwrap()
}

/// A run that was refused: the bytes of its journal, and its entries.
fn journal(number: i64, why: &str) -> (Vec<u8>, Vec<Entry>) {
    let plan = json!({
        "digest": "0".repeat(64), "client": "Lucie", "language": "fr", "tier": "base", "cap": 10,
        "url": "https://shop.example/", "zone": "UTC",
    });
    let opened = json!({
        "event": "opened", "site": "shop", "purpose": { "kind": "update" }, "by": "ops", "program": "0", "plan": plan,
    });
    let refused = json!({ "event": "refused", "reasons": [{ "kind": "failed", "why": why }] });
    let closed = json!({ "event": "closed", "outcome": "refused", "summary": why, "versions": {} });
    let lines = [opened, refused, closed].into_iter().enumerate().map(|(index, event)| {
        let at = Timestamp::from_second(1_760_000_000 + number * 86_400 + index as i64).unwrap();
        format!("{}\n", json!({ "sequence": index + 1, "at": at, "event": event }))
    });
    let bytes = lines.collect::<String>().into_bytes();
    let entries = String::from_utf8_lossy(&bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (bytes, entries)
}

/// What a report of such a run says of it.
fn report(number: i64) -> String {
    let ended = Timestamp::from_second(1_760_000_000 + number * 86_400 + 2).unwrap();
    json!({ "report": 1, "run": run(number), "site": "shop", "outcome": "refused", "ended": ended }).to_string()
}

/// A folder with a key, and who may sign with it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["key", "other"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
                .arg(desk.file(name))
                .status()
                .unwrap();
            assert!(made.success());
        }
        let public = std::fs::read_to_string(desk.file("key.pub")).unwrap();
        std::fs::write(desk.file("allowed"), format!("ops@studio.example {public}")).unwrap();
        desk
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The evidence of the last of these runs, in a file.
    fn bundle(&self, name: &str, journals: &[(Vec<u8>, Vec<Entry>)], key: &str) -> PathBuf {
        let runs: Vec<RunId> = (0..journals.len()).map(|number| run(number as i64)).collect();
        let links = chain(runs.iter().copied().zip(journals.iter().map(|(bytes, _)| bytes.as_slice())));
        let (bytes, entries) = journals.last().unwrap();
        let bundle =
            Bundle::of(*runs.last().unwrap(), entries, bytes, &report(journals.len() as i64 - 1), &links).unwrap();
        let signature = sign(&self.file(key), bundle.sums()).unwrap();
        let file = self.file(name);
        std::fs::write(&file, bundle.archive(&signature).unwrap()).unwrap();
        file
    }

    fn judge(&self, file: &Path) -> Result<Verified, String> {
        let seen = open(file).map_err(|error| error.to_string())?;
        verify(&self.file("allowed"), &seen.sums, &seen.signature).map_err(|error| error.to_string())
    }
}

fn past(count: i64) -> Vec<(Vec<u8>, Vec<Entry>)> {
    (0..count).map(|number| journal(number, "the host did not answer")).collect()
}

#[test]
fn what_was_signed_is_good_and_what_somebody_else_signed_is_not() {
    let desk = Desk::new();
    let good = desk.bundle("good.tar", &past(3), "key");
    assert_eq!(desk.judge(&good).unwrap().signer, "ops@studio.example");
    let seen = open(&good).unwrap();
    assert_eq!((seen.chain.len(), seen.content.run), (3, run(2)));
    let strange = desk.bundle("strange.tar", &past(3), "other");
    assert!(desk.judge(&strange).unwrap_err().contains("find-principals"), "{:?}", desk.judge(&strange));
}

/// Every byte of every file of it counts, and so does each file's presence.
#[test]
fn whatever_is_changed_is_noticed() {
    let desk = Desk::new();
    let good = desk.bundle("good.tar", &past(2), "key");
    let bytes = std::fs::read(&good).unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let places: Vec<(String, u64, u64)> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.path().unwrap().display().to_string(), entry.raw_file_position(), entry.size()))
        .collect();
    assert_eq!(places.len(), 8, "{places:?}");
    let changed = desk.file("changed.tar");
    for (name, from, size) in &places {
        for at in [*from, from + size / 2, from + size - 2] {
            let mut bytes = bytes.clone();
            bytes[usize::try_from(at).unwrap()] ^= 1;
            std::fs::write(&changed, &bytes).unwrap();
            assert!(desk.judge(&changed).is_err(), "{name}: the byte at {at} was changed, and nobody noticed");
        }
        let mut kept = tar::Builder::new(Vec::new());
        let mut archive = tar::Archive::new(bytes.as_slice());
        for entry in archive.entries().unwrap().map(|entry| entry.unwrap()) {
            if entry.path().unwrap().to_string_lossy() != *name {
                kept.append(&entry.header().clone(), entry).unwrap();
            }
        }
        std::fs::write(&changed, kept.into_inner().unwrap()).unwrap();
        assert!(desk.judge(&changed).is_err(), "{name} was taken out, and nobody noticed");
    }
    std::fs::write(&changed, &bytes[..bytes.len() / 2]).unwrap();
    assert!(desk.judge(&changed).is_err());
    std::fs::write(&changed, b"not a bundle").unwrap();
    assert!(desk.judge(&changed).unwrap_err().contains("no evidence of a run"));
}

/// Whoever has the key can sign a past that never was, but not without contradicting what was signed before.
#[test]
fn a_rewritten_past_contradicts_what_was_signed_before() {
    let desk = Desk::new();
    let early = desk.bundle("early.tar", &past(2), "key");
    let late = desk.bundle("late.tar", &past(4), "key");
    compare(&[open(&early).unwrap(), open(&late).unwrap()]).unwrap();
    let mut rewritten = past(4);
    rewritten[0] = journal(0, "nothing of that kind ever happened");
    let rewritten = desk.bundle("rewritten.tar", &rewritten, "key");
    assert!(desk.judge(&rewritten).is_ok());
    let error = compare(&[open(&early).unwrap(), open(&rewritten).unwrap()]).unwrap_err().to_string();
    assert!(error.contains("different pasts of shop") && error.contains(&run(0).to_string()), "{error}");
}

#[test]
fn what_does_not_agree_with_the_journal_is_noticed_even_when_it_is_signed() {
    let desk = Desk::new();
    let (bytes, entries) = journal(0, "down");
    let links = chain([(run(0), bytes.as_slice())]);
    let signed = |name: &str, bundle: &Bundle| {
        let signature = sign(&desk.file("key"), bundle.sums()).unwrap();
        std::fs::write(desk.file(name), bundle.clone().archive(&signature).unwrap()).unwrap();
        open(&desk.file(name)).map(drop).map_err(|error| error.to_string())
    };
    let good = Bundle::of(run(0), &entries, &bytes, &report(0), &links).unwrap();
    assert_eq!(signed("good.tar", &good), Ok(()));
    let (other, _) = journal(0, "something else");
    let lies = Bundle::of(run(0), &entries, &other, &report(0), &links).unwrap();
    assert!(signed("lies.tar", &lies).unwrap_err().contains("does not end with its own journal"));
    let mut broken = links.clone();
    broken[0].link = "0".repeat(64);
    let broken = Bundle::of(run(0), &entries, &bytes, &report(0), &broken).unwrap();
    assert!(signed("broken.tar", &broken).unwrap_err().contains("chain is broken"));
    for (name, other) in [
        ("run", json!(run(7))),
        ("site", json!("cafe")),
        ("outcome", json!("completed")),
        ("ended", json!("2026-01-01T00:00:00Z")),
    ] {
        let mut told: serde_json::Value = serde_json::from_str(&report(0)).unwrap();
        told[name] = other;
        let lies = Bundle::of(run(0), &entries, &bytes, &told.to_string(), &links).unwrap();
        assert!(signed("told.tar", &lies).unwrap_err().contains("report.json does not say"), "{name}");
    }
    let mut moved = good.clone();
    moved.change("run.json", &|content: &mut serde_json::Value| content["closed"] = json!("2026-01-01T00:00:00Z"));
    assert!(signed("moved.tar", &moved).unwrap_err().contains("run.json does not say what the journal says"));
    let error = Bundle::of(run(0), &entries[..2], &bytes, &report(0), &links).unwrap_err();
    assert!(error.to_string().contains("is not over"), "{error}");
}

/// A key may stand there several times, for other things first.
#[test]
fn every_line_that_names_the_key_counts() {
    let desk = Desk::new();
    let good = desk.bundle("good.tar", &past(1), "key");
    let key = std::fs::read_to_string(desk.file("key.pub")).unwrap();
    let key = key.trim();
    let judged = |lines: &str| {
        std::fs::write(desk.file("allowed"), lines).unwrap();
        desk.judge(&good).map(|verified| verified.signer)
    };
    let git = format!("anne@studio.example namespaces=\"git\" {key}");
    let ours = format!("ops@studio.example namespaces=\"intendant-evidence\" {key}");
    assert_eq!(judged(&format!("{git}\n# ours\n{ours}\n")), Ok("ops@studio.example".into()));
    assert_eq!(judged(&format!("a@studio.example,b@studio.example {key}\n")), Ok("a@studio.example".into()));
    assert!(judged(&format!("{git}\n{git}\n")).unwrap_err().contains("not permitted"));
}

/// With nothing of ours: the two commands of the bundle's own README.
#[test]
fn a_stranger_verifies_it_with_openssh_alone() {
    let desk = Desk::new();
    let file = desk.bundle("evidence.tar", &past(2), "key");
    let script = "tar xf evidence.tar && sha256sum --check SHA256SUMS && \
                  ssh-keygen -Y verify -f allowed -I ops@studio.example -n intendant-evidence -s SHA256SUMS.sig < SHA256SUMS";
    let ran = || Command::new("sh").args(["-c", script]).current_dir(file.parent().unwrap()).output().unwrap();
    let output = ran();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("Good \"intendant-evidence\" signature"), "{output:?}");
    let bytes = std::fs::read(&file).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let place = text.find("the host did not answer").unwrap();
    let mut changed = bytes.clone();
    changed[place] ^= 1;
    std::fs::write(&file, changed).unwrap();
    assert!(!ran().status.success());
}
