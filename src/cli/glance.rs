//! The fleet at a glance, as a terminal shows it: a table where there is room, else a few lines for each site.

use super::show;
use crate::audit::{Counts, LastRun, Status, StatusRow};
use crate::intake::Severity;
use crate::model::{Outcome, clean_line};
use jiff::Timestamp;

/// A terminal that is narrower gets no table.
const TABLE_WIDTH: usize = 100;
/// The longest name of a client, in characters.
const CLIENT_CHARS: usize = 24;

/// How wide the terminal is; where there is none, as wide as need be.
pub(super) fn width() -> usize {
    let width = comfy_table::Table::new().width();
    width.map_or(usize::MAX, usize::from)
}

/// The lines.
pub(super) fn lines(status: &Status, width: usize) -> Vec<String> {
    let mut lines = match (status.sites.is_empty(), width >= TABLE_WIDTH) {
        (true, _) => vec!["there are no sites: no plan, and nothing in the journal".to_owned()],
        (false, true) => vec![table(status)],
        (false, false) => status.sites.iter().flat_map(|row| block(row, status.at)).collect(),
    };
    lines.push(String::new());
    lines.push(sum(status));
    lines.extend(status.unknown.iter().map(|why| format!("not known: {why}")));
    lines
}

fn table(status: &Status) -> String {
    show::table(
        ["site", "client", "last run", "outcome", "next window", "holds", "backup", "findings"],
        status.sites.iter().map(|row| {
            [
                row.site.to_string(),
                client(row),
                row.last_run.as_ref().map_or_else(|| "never".into(), |run| ago(run.opened, status.at)),
                outcome(row),
                window(row),
                holds(row),
                row.newest_backup.map_or_else(|| "?".into(), |at| ago(at, status.at)),
                findings(&row.findings),
            ]
        }),
    )
}

/// A site in a narrow terminal.
fn block(row: &StatusRow, now: Timestamp) -> Vec<String> {
    let run = match &row.last_run {
        Some(run) => format!("{} {}", outcome(row), ago(run.opened, now)),
        None => "never run".to_owned(),
    };
    let backup = row.newest_backup.map_or_else(|| "?".into(), |at| ago(at, now));
    vec![
        row.site.to_string(),
        format!("  run       {run}"),
        format!("  window    {}", window(row)),
        format!("  holds     {}   backup {backup}", holds(row)),
        format!("  findings  {}", findings(&row.findings)),
    ]
}

fn client(row: &StatusRow) -> String {
    row.client.as_ref().map_or_else(|| "NO PLAN".into(), |client| clean_line(client, CLIENT_CHARS))
}

fn outcome(row: &StatusRow) -> String {
    let Some(LastRun { outcome, .. }) = &row.last_run else { return String::new() };
    match outcome {
        Some(Outcome::CompletedWithHolds) => "completed, holds".into(),
        Some(Outcome::Stuck) => "STUCK".into(),
        Some(other) => other.as_str().into(),
        None => "not finished".into(),
    }
}

fn window(row: &StatusRow) -> String {
    match (row.window_open, row.next_window) {
        (true, _) => "open now".into(),
        (false, Some(next)) => next.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        (false, None) if row.client.is_none() => "-".into(),
        (false, None) => "none".into(),
    }
}

fn holds(row: &StatusRow) -> String {
    let holds = row.holds.map_or_else(|| "?".to_owned(), |holds| holds.to_string());
    match row.notices {
        0 => holds,
        1 => format!("{holds}, 1 notice"),
        notices => format!("{holds}, {notices} notices"),
    }
}

/// How long ago, in the largest unit that says enough.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    match seconds {
        i64::MIN..0 => at.strftime("%Y-%m-%d").to_string(),
        0..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn findings(counts: &Counts) -> String {
    let some = Severity::ALL.into_iter().filter(|severity| counts.get(*severity) > 0);
    let mut words: Vec<String> =
        some.map(|severity| format!("{} {}", counts.get(severity), severity.as_str())).collect();
    if counts.waived > 0 {
        words.push(format!("{} waived", counts.waived));
    }
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

fn sum(status: &Status) -> String {
    let rows = &status.sites;
    let ended = |row: &StatusRow| row.last_run.as_ref().and_then(|run| run.outcome);
    let of = |outcome| rows.iter().filter(|row| ended(row) == Some(outcome)).count();
    let never = rows.iter().filter(|row| row.last_run.is_none()).count();
    let good = of(Outcome::Completed) + of(Outcome::CompletedWithHolds);
    format!(
        "{} sites: {good} last run well, {} restored, {} refused, {} stuck, {never} never run; intendant audit says what to do",
        rows.len(),
        of(Outcome::Restored),
        of(Outcome::Refused),
        of(Outcome::Stuck)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::AuditReport;
    use serde_json::json;

    fn fleet() -> Status {
        let row = |site: &str, more: serde_json::Value| {
            let mut row = json!({
                "site": site, "client": "Boutique Laval inc.", "last-run": null, "looked": null, "window-open": false,
                "next-window": null, "holds": null, "newest-backup": null, "notices": 0,
                "findings": { "critical": 0, "high": 0, "medium": 0, "low": 0, "waived": 0 },
            });
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let ran = |at: &str, outcome: serde_json::Value| json!({ "run": "019a7e2c-5f00-7000-8000-0000000000a1", "opened": at, "outcome": outcome });
        let status = json!({ "status": 1, "at": "2026-11-24T12:00:00Z", "unknown": ["the snapshot store: no key"], "sites": [
            row("boutique-laval", json!({
                "last-run": ran("2026-11-24T07:00:00Z", json!("completed-with-holds")), "next-window": "2026-11-26T07:00:00Z",
                "holds": 2, "notices": 1, "newest-backup": "2026-11-24T07:10:00Z",
                "findings": { "critical": 1, "high": 0, "medium": 2, "low": 1, "waived": 1 } })),
            row("cafe-du-coin", json!({
                "client": "Café du Coin, a name that is far too long for a table", "window-open": true, "holds": 0, "notices": 3,
                "last-run": ran("2026-11-24T11:20:00Z", json!(null)), "newest-backup": "2026-10-01T00:00:00Z" })),
            row("gone", json!({ "client": null, "last-run": ran("2026-11-20T00:00:00Z", json!("stuck")), "holds": 1,
                "findings": { "critical": 0, "high": 1, "medium": 0, "low": 0, "waived": 0 } })),
            row("new", json!({})),
            row("portail", json!({ "last-run": ran("2026-11-01T00:00:00Z", json!("restored")), "holds": 0 })),
            row("vitrine", json!({ "last-run": ran("2026-11-23T12:00:00Z", json!("refused")), "holds": 0 })),
        ]});
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn a_wide_terminal_gets_a_table_and_a_narrow_one_some_lines() {
        insta::assert_snapshot!("wide", lines(&fleet(), 200).join("\n"));
        let narrow = lines(&fleet(), 60);
        insta::assert_snapshot!("narrow", narrow.join("\n"));
        let rows = narrow.iter().take_while(|line| !line.is_empty());
        assert!(rows.into_iter().all(|line| line.chars().count() <= 60));
        let nothing = Status { sites: Vec::new(), unknown: Vec::new(), ..fleet() };
        insta::assert_snapshot!("nothing", lines(&nothing, 60).join("\n"));
    }

    #[test]
    fn an_audit_is_told_as_a_table() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/tests/golden/audit/en-all.json");
        let report: AuditReport = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
        insta::assert_snapshot!("audit", show::audit(&report));
    }
}
