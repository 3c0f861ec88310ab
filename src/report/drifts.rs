//! The section about what somebody else changed.
//!
//! May use: `document`, `reasons`, `words`, `drift` for its values. Invariant: as in `view`.

use super::document::{DriftLine, Report};
use super::reasons::part_name;
use super::view::cell;
use super::words::{Words, outside, own};
use crate::drift::DriftKind;
use serde::Serialize;

/// How many changes the page lists.
const SHOWN: usize = 60;

/// What somebody else changed.
#[derive(Debug, Serialize)]
pub(super) struct Drifts {
    pub(super) intro: String,
    pub(super) rows: Vec<DriftRow>,
    /// How many more there are.
    pub(super) more: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct DriftRow {
    pub(super) what: String,
    /// Whose it is, how many files came with it, who took note of it.
    pub(super) detail: Option<String>,
}

/// The section; none where nothing was changed.
pub(super) fn drifts(report: &Report, words: &Words) -> Option<Drifts> {
    let drift = report.drift.as_ref().filter(|drift| drift.count > 0)?;
    let intro = match drift.since {
        Some(since) => words.tell("drift-intro", &[("since", own(words.moment(since)))]),
        None => words.say("drift-intro-unknown"),
    };
    let rows: Vec<DriftRow> = drift.changes.iter().take(SHOWN).map(|line| row(line, words)).collect();
    let more = drift.count.saturating_sub(rows.len() as u64);
    Some(Drifts { intro, rows, more: (more > 0).then(|| words.count("drift-more", more)) })
}

fn row(line: &DriftLine, words: &Words) -> DriftRow {
    let version = |text: &Option<String>| own(text.as_deref().map_or_else(|| words.say("drift-unknown-version"), cell));
    let (from, to) = (("from", version(&line.from)), ("to", version(&line.to)));
    let subject = ("subject", own(cell(&line.subject)));
    let component = || ("what", own(component("the-component", &line.subject, words)));
    let object = || ("what", own(object(&line.subject, words)));
    let what = match line.kind {
        DriftKind::Version => words.tell("drift-version", &[("what", own(versioned(&line.subject, words))), from, to]),
        DriftKind::ExtensionAdded => words.tell("drift-extension-added", &[component(), to]),
        DriftKind::ExtensionRemoved => words.tell("drift-extension-removed", &[component(), from]),
        DriftKind::ExtensionVersion => words.tell("drift-extension-version", &[component(), from, to]),
        DriftKind::ExtensionActivated => words.tell("drift-extension-activated", &[component()]),
        DriftKind::ExtensionDeactivated => words.tell("drift-extension-deactivated", &[component()]),
        DriftKind::AdministratorAdded => words.tell("drift-administrator-added", &[subject]),
        DriftKind::AdministratorRemoved => words.tell("drift-administrator-removed", &[subject]),
        DriftKind::AdministratorContact => words.tell("drift-administrator-contact", &[subject]),
        DriftKind::TableAdded => words.tell("drift-table-added", &[object()]),
        DriftKind::TableRemoved => words.tell("drift-table-removed", &[object()]),
        DriftKind::TableChanged => words.tell("drift-table-changed", &[object()]),
        DriftKind::FileAdded => words.tell("drift-file-added", &[subject]),
        DriftKind::FileRemoved => words.tell("drift-file-removed", &[subject]),
        DriftKind::FileChanged => words.tell("drift-file-changed", &[subject]),
        DriftKind::FileRights => {
            let (from, to) = rights(line);
            words.tell("drift-file-rights", &[subject, ("from", own(from)), ("to", own(to))])
        }
        DriftKind::Address => words.tell("drift-address", &[from, to]),
        DriftKind::NotCompared => words.tell("drift-not-compared", &[subject]),
    };
    let owner = line.component.as_ref().map(ToString::to_string).filter(|owner| *owner != line.subject);
    let details = [
        owner.map(|owner| self::component("of-component", &owner, words)),
        (line.files > 0).then(|| words.count("drift-files", line.files)),
        line.accepted_by.as_ref().map(|by| words.tell("drift-accepted", &[("by", own(cell(by)))])),
    ];
    let details: Vec<String> = details.into_iter().flatten().collect();
    DriftRow { what, detail: (!details.is_empty()).then(|| details.join(" · ")) }
}

/// The rights before and after, `644 33:33`; without the owners where they are the same.
fn rights(line: &DriftLine) -> (String, String) {
    let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
    let (from, to) = (text(&line.from), text(&line.to));
    let split = from.split_once(' ').zip(to.split_once(' '));
    match split.filter(|(from, to)| from.1 == to.1 && from.0 != to.0) {
        Some(((from, _), (to, _))) => (from.to_owned(), to.to_owned()),
        None => (from, to),
    }
}

/// A component by its id, in a sentence: `plugin:akismet` is the extension akismet.
fn component(key: &str, id: &str, words: &Words) -> String {
    let (kind, name) = id.split_once(':').unwrap_or(("", id));
    words.tell(key, &[("kind", own(kind)), ("name", own(cell(name)))])
}

/// A thing of the database: `table:wp_posts` is the table wp_posts.
fn object(id: &str, words: &Words) -> String {
    let (kind, name) = id.split_once(':').unwrap_or(("", id));
    words.tell("the-object", &[("kind", own(kind)), ("name", own(cell(name)))])
}

/// What has a version: the core, or a part of the platform.
fn versioned(subject: &str, words: &Words) -> String {
    match subject.split_once(':') {
        Some((kind, _)) => words.tell("kind-line", &[("kind", outside(kind))]),
        None if subject == "database" => words.say("database-title"),
        None => part_name(subject),
    }
}
