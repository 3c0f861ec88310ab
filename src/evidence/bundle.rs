//! The file that proves a run: written, opened, compared.

use super::EvidenceError;
use super::chain::{self, Link, sha256};
use crate::journal::{AttemptState, Entry, RunState, SnapshotRecord};
use crate::model::{Outcome, RunId, SiteName, clean_line};
use crate::procedure::SnapshotMoment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The most bytes of one file of a bundle.
const MAX_FILE: u64 = 256 << 20;
/// The most files of a bundle.
const MAX_FILES: usize = 20;
/// The file that is signed, and its signature.
pub(super) const SUMS: &str = "SHA256SUMS";
pub(super) const SIGNATURE: &str = "SHA256SUMS.sig";

const README: &str = "\
This is the evidence of one run of Intendant. To look at it with nothing of Intendant:

  sha256sum --check SHA256SUMS
  ssh-keygen -Y verify -f allowed_signers -I SIGNER -n intendant-evidence -s SHA256SUMS.sig < SHA256SUMS

allowed_signers has a line for each key that you trust: SIGNER, a space, and the public key, which you have from whoever
signs, on another way than this file. What the files hold:

  run.json        the site, the run, how it ended
  journal.jsonl   what happened, a line an entry, as it was written before each act
  snapshots.json  the snapshots of the run, each with the hash that names all of its content
  report.json     the report, made anew from the journal by the program that made this file; a page that the client got
                  earlier may have been made by an older one
  chain.jsonl     all runs of the site up to this one: of each the SHA-256 of its journal, and the SHA-256 of a line
                  with the link before, the run and that hash
";

/// A run, as its bundle says it in `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Content {
    /// The version of this format.
    pub evidence: u32,
    /// The site.
    pub site: SiteName,
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// When, by the runner's clock.
    pub closed: jiff::Timestamp,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct SnapshotLine {
    attempt: usize,
    name: String,
    manifest: String,
}

/// What a report says of its run; the rest of it is for people.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Reported {
    run: RunId,
    site: SiteName,
    outcome: Outcome,
    ended: jiff::Timestamp,
}

/// The files of a bundle, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    files: BTreeMap<&'static str, Vec<u8>>,
    closed: jiff::Timestamp,
}

impl Bundle {
    /// The evidence of a run: its entries and their bytes, the report, and the chain that ends with it.
    ///
    /// # Errors
    /// [`EvidenceError::Open`] when the run is not over; an entry that can't follow the one before it.
    pub fn of(
        run: RunId,
        entries: &[Entry],
        journal: &[u8],
        report: &str,
        links: &[Link],
    ) -> Result<Self, EvidenceError> {
        let bad = |what: String| EvidenceError::Bundle { file: format!("the journal of run {run}"), what };
        let state = RunState::fold(entries).map_err(|error| bad(error.to_string()))?;
        let (Some((outcome, _)), Some(opened)) = (&state.closed, &state.opened) else {
            return Err(EvidenceError::Open { run });
        };
        let content = Content { evidence: 1, site: opened.site.clone(), run, outcome: *outcome, closed: state.at };
        let json = |value: Result<Vec<u8>, serde_json::Error>| value.map_err(|error| bad(error.to_string()));
        let mut chained = Vec::new();
        for link in links {
            chained.extend(json(serde_json::to_vec(link))?);
            chained.push(b'\n');
        }
        let mut files = BTreeMap::from([
            ("README.txt", README.as_bytes().to_vec()),
            ("run.json", json(serde_json::to_vec_pretty(&content))?),
            ("journal.jsonl", journal.to_vec()),
            ("snapshots.json", json(serde_json::to_vec_pretty(&snapshots(&state)))?),
            ("report.json", report.as_bytes().to_vec()),
            ("chain.jsonl", chained),
        ]);
        let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect();
        files.insert(SUMS, sums.into_bytes());
        Ok(Self { files, closed: state.at })
    }

    /// Another file in place of one of its own, with the sums that it has then.
    #[cfg(test)]
    pub(super) fn change(&mut self, name: &'static str, how: &dyn Fn(&mut serde_json::Value)) {
        let mut value = serde_json::from_slice(&self.files[name]).unwrap_or_default();
        how(&mut value);
        self.files.insert(name, value.to_string().into_bytes());
        self.files.remove(SUMS);
        let sums: String = self.files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect();
        self.files.insert(SUMS, sums.into_bytes());
    }

    /// What has to be signed.
    pub fn sums(&self) -> &[u8] {
        self.files.get(SUMS).map_or(&[], Vec::as_slice)
    }

    /// The whole file, with the signature of [`Bundle::sums`]: a tar archive.
    ///
    /// # Errors
    /// None that memory does not give.
    pub fn archive(mut self, signature: &[u8]) -> std::io::Result<Vec<u8>> {
        self.files.insert(SIGNATURE, signature.to_vec());
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in &self.files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(u64::try_from(self.closed.as_second()).unwrap_or(0));
            header.set_cksum();
            archive.append_data(&mut header, name, bytes.as_slice())?;
        }
        archive.into_inner()
    }
}

fn snapshots(state: &RunState) -> Vec<SnapshotLine> {
    let of = |(attempt, state): (usize, &AttemptState)| {
        let line = move |record: &SnapshotRecord| SnapshotLine {
            attempt: attempt + 1,
            name: record.name.clone(),
            manifest: record.id.to_string(),
        };
        let both = [SnapshotMoment::Before, SnapshotMoment::After];
        both.into_iter().filter_map(|moment| state.snapshot(moment)).map(line).collect::<Vec<_>>()
    };
    state.attempts.iter().enumerate().flat_map(of).collect()
}

/// A bundle that was opened: its files agree with its sums, its chain with its journal. Who signed it is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The file, as it is named to people.
    pub file: String,
    /// The run.
    pub content: Content,
    /// The chain.
    pub chain: Vec<Link>,
    /// What was signed, and the signature.
    pub sums: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Opens a bundle, and says what does not agree in it.
///
/// # Errors
/// [`EvidenceError::File`], [`EvidenceError::Bundle`].
pub fn open(file: &Path) -> Result<Seen, EvidenceError> {
    let shown = file.display().to_string();
    let unreadable = |source| EvidenceError::File { file: file.to_owned(), source };
    let bad = |what: String| EvidenceError::Bundle { file: shown.clone(), what: clean_line(&what, 300) };
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let files = unpack(opened).map_err(bad)?;
    let part = |name: &str| files.get(name).ok_or_else(|| bad(format!("{name} is missing")));
    let (sums, signature) = (part(SUMS)?, part(SIGNATURE)?);
    agrees(sums, &files).map_err(bad)?;
    let content: Content = serde_json::from_slice(part("run.json")?).map_err(|error| bad(error.to_string()))?;
    let journal = part("journal.jsonl")?;
    let lines = std::str::from_utf8(part("chain.jsonl")?).map_err(|error| bad(error.to_string()))?;
    let chain: Result<Vec<Link>, _> = lines.lines().map(serde_json::from_str).collect();
    let chain = chain.map_err(|error| bad(format!("chain.jsonl: {error}")))?;
    if let Some(link) = chain::broken(&chain) {
        return Err(bad(format!("its chain is broken at run {}", link.run)));
    }
    match chain.last() {
        Some(last) if last.run == content.run && last.journal == sha256(journal) => {}
        _ => return Err(bad("its chain does not end with its own journal".into())),
    }
    told_by(journal, &content, part("snapshots.json")?).map_err(bad)?;
    reports(part("report.json")?, &content).map_err(bad)?;
    Ok(Seen { file: shown, content, chain, sums: sums.clone(), signature: signature.clone() })
}

fn unpack(file: std::fs::File) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(file);
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let plain = entry.header().entry_type().is_file() && !name.contains('/');
        if !plain || files.len() >= MAX_FILES || entry.size() > MAX_FILE || files.contains_key(&name) {
            return Err(format!("{name:?} has no place in it"));
        }
        let mut bytes = Vec::new();
        entry.by_ref().take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// Whether the sums name each file, and nothing else, with its hash.
fn agrees(sums: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let text = std::str::from_utf8(sums).map_err(|error| error.to_string())?;
    let told: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once("  ").map(|(a, b)| (b, a))).collect();
    for (name, bytes) in files.iter().filter(|(name, _)| !matches!(name.as_str(), SUMS | SIGNATURE)) {
        match told.get(name.as_str()) {
            Some(sum) if *sum == sha256(bytes) => {}
            Some(_) => return Err(format!("{name} was changed: its hash is not the one in {SUMS}")),
            None => return Err(format!("{SUMS} does not name {name}")),
        }
    }
    match told.keys().find(|name| !files.contains_key(**name)) {
        Some(name) => Err(format!("{name} is missing")),
        None => Ok(()),
    }
}

/// Whether the journal tells of this run, its end and these snapshots.
fn told_by(journal: &[u8], content: &Content, told: &[u8]) -> Result<(), String> {
    let lines = std::str::from_utf8(journal).map_err(|error| error.to_string())?;
    let entries: Result<Vec<Entry>, _> = lines.lines().map(serde_json::from_str).collect();
    let entries = entries.map_err(|error| format!("journal.jsonl: {error}"))?;
    let state = RunState::fold(&entries).map_err(|error| format!("journal.jsonl: {error}"))?;
    let snapshots = snapshots(&state);
    let outcome = state.closed.as_ref().map(|(outcome, _)| *outcome);
    let ended = outcome == Some(content.outcome) && state.at == content.closed;
    if !ended || state.opened.is_none_or(|opened| opened.site != content.site) {
        return Err("run.json does not say what the journal says".into());
    }
    let told: Vec<SnapshotLine> = serde_json::from_slice(told).map_err(|error| format!("snapshots.json: {error}"))?;
    match told == snapshots {
        true => Ok(()),
        false => Err("snapshots.json does not say what the journal says".into()),
    }
}

/// Whether the report is one of this run and its end.
fn reports(report: &[u8], content: &Content) -> Result<(), String> {
    let told: Reported = serde_json::from_slice(report).map_err(|error| format!("report.json: {error}"))?;
    let Content { site, run, outcome, closed, .. } = content;
    let right = told.run == *run && told.site == *site && told.outcome == *outcome && told.ended == *closed;
    right.then_some(()).ok_or_else(|| "report.json does not say what run.json says".into())
}

/// Whether bundles of one site tell one past: of two chains the shorter one begins the longer one.
///
/// # Errors
/// [`EvidenceError::Pasts`].
pub fn compare(all: &[Seen]) -> Result<(), EvidenceError> {
    for (index, first) in all.iter().enumerate() {
        for second in all[index + 1..].iter().filter(|second| second.content.site == first.content.site) {
            let differs = first.chain.iter().zip(&second.chain).find(|(one, other)| one != other);
            if let Some((one, _)) = differs {
                return Err(EvidenceError::Pasts {
                    first: first.file.clone(),
                    second: second.file.clone(),
                    site: first.content.site.to_string(),
                    run: one.run.to_string(),
                });
            }
        }
    }
    Ok(())
}
