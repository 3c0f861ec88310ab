//! The section about what somebody else changed.
//!
//! May use: `document`, `words`, `drift` for its values. Invariant: as in `view`.

use super::document::{DriftLine, Report};
use super::view::cell;
use super::words::{Words, own};
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
    let value = |text: &Option<String>| own(text.as_deref().map_or_else(|| words.say("not-read"), cell));
    let args = [("subject", own(cell(&line.subject))), ("from", value(&line.from)), ("to", value(&line.to))];
    let key = match line.kind {
        DriftKind::Version => "drift-version",
        DriftKind::ExtensionAdded => "drift-extension-added",
        DriftKind::ExtensionRemoved => "drift-extension-removed",
        DriftKind::ExtensionVersion => "drift-extension-version",
        DriftKind::ExtensionActivated => "drift-extension-activated",
        DriftKind::ExtensionDeactivated => "drift-extension-deactivated",
        DriftKind::AdministratorAdded => "drift-administrator-added",
        DriftKind::AdministratorRemoved => "drift-administrator-removed",
        DriftKind::AdministratorContact => "drift-administrator-contact",
        DriftKind::TableAdded => "drift-table-added",
        DriftKind::TableRemoved => "drift-table-removed",
        DriftKind::TableChanged => "drift-table-changed",
        DriftKind::FileAdded => "drift-file-added",
        DriftKind::FileRemoved => "drift-file-removed",
        DriftKind::FileChanged => "drift-file-changed",
        DriftKind::FileRights => "drift-file-rights",
        DriftKind::Address => "drift-address",
        DriftKind::NotCompared => "drift-not-compared",
    };
    let owner = line.component.as_ref().map(ToString::to_string).filter(|owner| *owner != line.subject);
    let details = [
        owner.map(|owner| words.tell("drift-of", &[("component", own(cell(&owner)))])),
        (line.files > 0).then(|| words.count("drift-files", line.files)),
        line.accepted_by.as_ref().map(|by| words.tell("drift-accepted", &[("by", own(cell(by)))])),
    ];
    let details: Vec<String> = details.into_iter().flatten().collect();
    DriftRow { what: words.tell(key, &args), detail: (!details.is_empty()).then(|| details.join(" · ")) }
}
