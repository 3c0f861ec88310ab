//! Words and tables for people.

use crate::drift::Found;
use crate::intake::{Assessment, Severity};
use crate::inventory::{ChecksumState, Inventory};
use crate::journal::{Rehearsal, RehearsalResult};
use crate::model::{Hold, HoldReason, LicenceProblem, Room, Tiers, clean_line, harmless, human_bytes};
use crate::procedure::{Action, Procedure, Step};
use crate::report::AuditReport;
use crate::run::{Pending, Preview};
use crate::snapshot::Proof;
use crate::update::{Because, Update};
use comfy_table::{Cell, Table, presets};
use std::io::Write as _;

/// Whether colours are wanted on a stream that is, or is not, a terminal.
pub(super) fn colours(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints a line of data; nothing in it moves a cursor, whoever wrote it. Whoever closes the pipe has read enough: that is no failure.
pub(super) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{}", harmless(&text.to_string()));
}

/// Prints a line that is not data.
pub(super) fn remark(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(&text.to_string()));
}

/// Prints a value as JSON.
pub(super) fn json<T: serde::Serialize>(value: &T) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(escaped(&text)),
        Err(error) => remark(format!("error: the answer can't be written as JSON: {error}")),
    }
}

/// JSON in which characters that a terminal acts upon are written as escapes: the same value.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match harmless(c.encode_utf8(&mut [0; 4])) {
            std::borrow::Cow::Borrowed(_) => out.push(c),
            std::borrow::Cow::Owned(_) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
        out
    })
}

/// A plain table with a header.
pub(super) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.map(|text| Cell::new(text.to_uppercase())));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Why an update waits, in words.
pub(super) fn reason(reason: &HoldReason) -> String {
    match reason {
        HoldReason::Policy { key, allows } => format!("the plan allows {allows} ({key})"),
        HoldReason::Approval => "needs a recorded approval: intendant notices".into(),
        HoldReason::Declined { notice } => format!("declined (notice {notice})"),
        HoldReason::Manual { what, .. } => format!("has to be done by hand: {what}"),
        HoldReason::Special => "no ordinary release; the plan takes those only by name (updates.builds)".into(),
        HoldReason::Immune { since } => {
            format!("broke a site like this one on {}: intendant immunity", since.strftime("%Y-%m-%d"))
        }
        HoldReason::Reported { anomaly, until } => {
            format!("held until {until} because of anomaly {anomaly}: intendant anomaly show {anomaly}")
        }
        HoldReason::NextWindow => "closes no known vulnerability, and no window is open".into(),
        HoldReason::Lapsed { until } => format!("the contract ended on {until}"),
        HoldReason::Postponed => "its turn in the search for what breaks the site did not come".into(),
        HoldReason::Planned { why, until: Some(until) } => format!("held by the plan until {until}: {why}"),
        HoldReason::Planned { why, until: None } => format!("held by the plan: {why}"),
        HoldReason::Platform { part, needs, has: Some(has) } => format!("needs {part} {needs}, the site has {has}"),
        HoldReason::Platform { part, needs, has: None } => {
            format!("needs {part} {needs}, and the site does not say which {part} it has")
        }
        HoldReason::Core { needs, has } => format!("needs core {needs}, which will be {has}"),
        HoldReason::Dependency { on } => format!("needs {on}, which is missing or not active"),
        HoldReason::With { other } => format!("moves together with {other}, which is held"),
        HoldReason::Licence => "there is no package: a licence is missing or has ended".into(),
        HoldReason::LicencePool { pool, problem } => licence(pool, problem),
        HoldReason::Modified { files } => format!("its files were modified: {}", files.join(", ")),
        HoldReason::OutsidePlan { tier } => {
            format!("outside the plan; the tier {tier} would cover it")
        }
        HoldReason::TooYoung { from } => format!("too young; from {from}"),
        HoldReason::Unusable { why } => format!("can't be used safely: {why}"),
        HoldReason::NotWritable { path } => format!("the account can't write {path}"),
        HoldReason::Failed { why } => {
            format!("broke the site in this run: {}", clean_line(why, 160))
        }
    }
}

/// Why a pool gives no licence, in words.
fn licence(pool: &str, problem: &LicenceProblem) -> String {
    match problem {
        LicenceProblem::Unknown => {
            format!("needs a licence, and there is no pool {pool}: intendant licence add {pool}")
        }
        LicenceProblem::Ended { until } => format!("needs a licence, and those of {pool} ended on {until}"),
        LicenceProblem::OverUsed { used, seats } => {
            format!(
                "needs a licence, and {pool} is over-used ({used} sites, {seats} licences): buy more, or intendant licence release"
            )
        }
        LicenceProblem::Full { seats } => {
            format!("needs a licence, and none of {pool} is free (all {seats} are with other sites): buy more")
        }
        LicenceProblem::NoSeat => {
            format!("needs a licence, and {pool} has one free: intendant licence assign {pool} SITE")
        }
        LicenceProblem::ByHand => format!("its licence of {pool} is entered by hand, in the site's administration"),
        LicenceProblem::Key { why } => format!("needs a licence, and the key of {pool} can't be read: {why}"),
        LicenceProblem::Refused { since } => format!(
            "its vendor did not take the key of {pool} on {}; put the key right, then: intendant licence assign {pool} SITE",
            since.strftime("%Y-%m-%d")
        ),
    }
}

fn because(update: &Update) -> String {
    let words = update.because.iter().map(|because| match because {
        Because::Needs { other } => format!("needs {other}"),
        Because::NeedsCore { version } => format!("needs core {version}"),
        Because::Together { other } => format!("goes together with {other}"),
        Because::BeforeCore => "fits the present core".into(),
    });
    let closed = update.fixes.iter().map(|closed| closed.name.as_str()).collect::<Vec<_>>().join(", ");
    let fixes = (!closed.is_empty()).then(|| format!("closes {closed}"));
    let words: Vec<String> = words.chain(fixes).collect();
    let special = if update.special { " (a special build)" } else { "" };
    if words.is_empty() { special.to_owned() } else { format!("because it {}{special}", words.join(", ")) }
}

/// Holds as a table.
pub(super) fn holds(holds: &[Hold]) -> String {
    table(
        ["held", "installed", "offered", "why", "who"],
        holds.iter().map(|hold| {
            [
                hold_name(hold),
                hold.installed.to_string(),
                hold.offered.as_ref().map_or("?".into(), ToString::to_string),
                reason(&hold.reason),
                hold.reason.lifter().as_str().to_owned(),
            ]
        }),
    )
}

fn hold_name(hold: &Hold) -> String {
    match hold.reason {
        HoldReason::Unusable { .. } => hold.title.clone(),
        _ => hold.component.to_string(),
    }
}

/// Prints what a run would do.
pub(super) fn preview(site: &str, cap: (Option<u32>, &Tiers), preview: &Preview, protected: &[String]) {
    preview_lines(site, cap, preview, protected).iter().for_each(line);
}

pub(super) fn preview_lines(
    site: &str,
    cap: (Option<u32>, &Tiers),
    preview: &Preview,
    protected: &[String],
) -> Vec<String> {
    let procedure = &preview.procedure;
    let mut lines = vec![format!("{site}: procedure {}", preview.digest)];
    lines.extend(procedure.steps.iter().map(|step| step_line(procedure, step)));
    let counted = preview.inventory.counted();
    if cap.0.is_some_and(|cap| Room::of(counted, cap) != Room::Enough) {
        lines.push(format!("\n{}", coverage(cap, counted)));
    }
    if !procedure.holds.is_empty() {
        lines.push(format!("\n{}", holds(&procedure.holds)));
    }
    if let Some(found) = preview.drift.as_ref().filter(|found| found.count > 0 || !found.unknown.is_empty()) {
        lines.push(String::new());
        lines.extend(drift_lines(site, Some(found)));
    }
    lines.extend(preview.pending.iter().map(pending));
    if procedure.changes_site() && !protected.is_empty() {
        lines.push(format!("\nIf it is undone, rows that came in meanwhile are put back in: {}", protected.join(", ")));
    }
    lines.extend(preview.refusals.iter().map(|refusal| format!("\nA run would be refused now: {refusal}")));
    lines
}

/// What an update waits for that a person has to decide or to do.
fn pending(Pending { about, notice }: &Pending) -> String {
    let how = match (about.is_task(), notice) {
        (false, Some(notice)) => format!("waits for an answer to notice {notice}: intendant notices approve {notice}"),
        (false, None) => "needs an approval: a run asks for it (intendant notices)".into(),
        (true, Some(notice)) => format!("waits for a person, who then says: intendant notices done {notice}"),
        (true, None) => "needs a person: a run writes a notice (intendant notices)".into(),
    };
    let (_, to) = about.step();
    format!("\n{} {to} {how}", about.component())
}

/// Prints what somebody else changed.
pub(super) fn drift(site: &str, found: Option<&Found>) {
    drift_lines(site, found).iter().for_each(line);
}

fn drift_lines(site: &str, found: Option<&Found>) -> Vec<String> {
    let Some(found) = found else {
        return vec![format!("{site}: no run has left the site yet, so there is nothing to compare it with")];
    };
    let mut lines = Vec::new();
    let since = match (&found.reference, found.since) {
        (Some(reference), Some(since)) => format!("since {since} (snapshot {reference})"),
        _ => "since the last run".to_owned(),
    };
    match found.count {
        0 if found.reference.is_none() => {}
        0 => lines.push(format!("{site}: nobody else changed anything {since}")),
        count => lines.push(format!("{site}: {count} changes that no run made {since}:")),
    }
    for one in &found.drifts {
        let accepted = found.accepted.get(&one.mark);
        let accepted = accepted.map_or_else(String::new, |who| format!("  · accepted by {}, {}", who.by, who.at));
        lines.push(format!("  {:14} {one}{accepted}", one.part.as_str()));
    }
    let more = found.count.saturating_sub(found.drifts.len() as u64);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    for (id, modification) in &found.modified {
        lines.push(format!("  not original: {id} {}: {}", modification.version, modification.files.join(", ")));
    }
    for unknown in &found.unknown {
        lines.push(format!("{site}: not compared: {unknown}"));
    }
    lines
}

/// Prints an assessment.
pub(super) fn assessment(assessment: &Assessment) {
    let (site, scanned) = (&assessment.site, &assessment.scanned);
    line(format!("{site}: {} (record {})", assessment.verdict.as_str(), assessment.id));
    line(format!(
        "{} files and {} parts of the database looked at with {} rules, {}; snapshot {}",
        scanned.files,
        scanned.objects,
        scanned.rules,
        human_bytes(scanned.bytes),
        assessment.snapshot
    ));
    if assessment.estimate_min > 0 {
        line(format!("major versions behind: about {} minutes of work", assessment.estimate_min));
    }
    for finding in &assessment.findings {
        let at = finding.line.map_or_else(String::new, |line| format!(":{line}"));
        line(format!("\n{:8} {}{at} [{}]", finding.severity.as_str(), finding.place, finding.rule));
        line(format!("         {}", finding.why.en));
        if let Some(excerpt) = &finding.excerpt {
            line(format!("         > {excerpt}"));
        }
        line(format!("         {}", finding.todo.en));
    }
    let more = assessment.count.saturating_sub(assessment.findings.len() as u64);
    if more > 0 {
        line(format!("\nand {more} more"));
    }
    for unknown in &assessment.unknown {
        line(format!("\nnot looked at: {unknown}"));
    }
}

/// A document that has its own final line break.
pub(super) fn document(text: &str) {
    line(text.trim_end().replace("\r\n", "\n"));
}

/// The findings of an audit as a table, and what they come to.
pub(super) fn audit(report: &AuditReport) -> String {
    let mut parts = Vec::new();
    if !report.findings.is_empty() {
        let rows = report.findings.iter().map(|finding| {
            let waived = finding.waived.as_ref();
            let until = waived.map(|waived| format!(" (answered for by {} until {})", waived.owner, waived.until));
            [
                if waived.is_some() { "waived" } else { finding.severity.as_str() }.to_owned(),
                finding.site.as_ref().map_or_else(|| "-".into(), ToString::to_string),
                finding.rule.clone(),
                finding.subject.clone().unwrap_or_default(),
                clean_line(&finding.evidence.join("; "), 200) + &until.unwrap_or_default(),
            ]
        });
        parts.push(table(["severity", "site", "rule", "of", "evidence"], rows) + "\n");
    }
    let counts = &report.counts;
    let words = Severity::ALL.map(|severity| format!("{} {}", counts.get(severity), severity.as_str()));
    parts.push(format!(
        "{} sites, score {} of 100: {}, {} waived",
        report.sites,
        report.score,
        words.join(", "),
        counts.waived
    ));
    parts.extend(report.unknown.iter().map(|why| format!("not known: {why}")));
    parts.join("\n")
}

fn step_line(procedure: &Procedure, step: &Step) -> String {
    let why = match &step.action {
        Action::Update { component, .. } => {
            procedure.updates.iter().find(|update| update.component == *component).map(because).unwrap_or_default()
        }
        Action::Baseline { .. } => format!("{} checks", procedure.checks.len()),
        _ => String::new(),
    };
    format!("  {}{}{why}", step.name, if why.is_empty() { "" } else { "  · " })
}

/// How many extensions count, and how many are covered.
fn coverage((cap, tiers): (Option<u32>, &Tiers), counted: u32) -> String {
    let covered = match cap.map(|cap| (cap, Room::of(counted, cap))) {
        None => "no limit".to_owned(),
        Some((cap, Room::Enough)) => format!("{cap} covered"),
        Some((cap, Room::Near)) => format!("{cap} covered: the limit is near"),
        Some((cap, Room::Over)) => {
            format!("{cap} covered: OVER THE CAP, the tier {} would cover them", tiers.covering(counted))
        }
    };
    format!("extensions that count: {counted} ({covered})")
}

/// What is offered of the core. A service that was not reached could offer something else.
fn offered(inventory: &Inventory) -> String {
    let offers = inventory.core.offers.iter().map(|offer| offer.version.to_string()).collect::<Vec<_>>().join(", ");
    let mut silent = inventory.sources.iter().filter(|source| !source.reachable).map(|source| source.name.as_str());
    match (offers.is_empty(), silent.next()) {
        (true, _) if inventory.sources.is_empty() => "no update service is asked".into(),
        (true, None) => "nothing newer offered".into(),
        (true, Some(name)) => format!("not known whether something newer is offered: {name} was not reached"),
        (false, None) => format!("offered: {offers}"),
        (false, Some(name)) => format!("offered: {offers}, and perhaps more: {name} was not reached"),
    }
}

/// Prints an inventory.
pub(super) fn inventory(site: &str, cap: (Option<u32>, &Tiers), inventory: &Inventory) {
    let core = &inventory.core;
    line(format!("{site}: {} {} ({})", core.title, core.version, offered(inventory)));
    if let Some(end) = &core.end_of_life {
        let date = end.date.map_or_else(String::new, |date| format!(" {date}"));
        line(format!("end of life{date}: {}", end.why));
    }
    if let Some(why) = &inventory.unsupported {
        line(format!("not updated: {why}"));
    }
    let platform = inventory.platform.iter().map(|(part, version)| format!("{part} {version}"));
    line(format!("platform: {}", platform.collect::<Vec<_>>().join(", ")));
    line(format!("{}\n", coverage(cap, inventory.counted())));
    let rows = inventory.extensions.iter().map(|extension| {
        let checksum = inventory.checksums.get(&extension.id).map(|checksum| match checksum.state {
            ChecksumState::Verified => "original",
            ChecksumState::Modified => "MODIFIED",
            ChecksumState::Unknown => "",
            ChecksumState::Accepted => "modified, accepted",
        });
        [
            extension.id.to_string(),
            extension.version.as_ref().map_or("-".into(), ToString::to_string),
            extension.offer.as_ref().map_or(String::new(), |offer| {
                format!("{}{}", offer.version, if offer.package { "" } else { " (no package)" })
            }),
            if extension.active { "active" } else { "" }.to_owned(),
            checksum.unwrap_or_default().to_owned(),
            extension.title.clone(),
        ]
    });
    line(table(["extension", "installed", "offered", "state", "files", "title"], rows));
    for source in inventory.sources.iter().filter(|source| !source.reachable) {
        line(format!("\nnot reached: {} ({})", source.name, source.why.as_deref().unwrap_or("no usable answer")));
    }
    for trace in inventory.busy.iter().chain(&inventory.leftovers) {
        line(format!("\nfound: {}", trace.what));
    }
    for unusable in &inventory.unusable {
        line(format!("\ncan't be used: {} ({})", unusable.shown, unusable.why));
    }
}

/// A day and a length of time: `2026-11-20, 3 min 12 s`.
fn when(rehearsal: &Rehearsal) -> String {
    let seconds = rehearsal.took_ms / 1000;
    let took = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    };
    format!("{}, {took}", rehearsal.began.strftime("%Y-%m-%d"))
}

/// A rehearsal in a few words, for a table.
pub(super) fn rehearsal_result(rehearsal: &Rehearsal) -> String {
    let result = match rehearsal.result {
        RehearsalResult::Proven => "proven",
        RehearsalResult::Partial if rehearsal.database.is_good() => "proven, does not start",
        RehearsalResult::Partial => "files proven",
        RehearsalResult::NotProven => "NOT proven",
    };
    format!("{result} {}", when(rehearsal))
}

/// A site's last proven restore, in one line.
pub(super) fn last_proven(rehearsal: &Rehearsal) -> String {
    let only = match rehearsal.result {
        RehearsalResult::Proven => "",
        _ if rehearsal.database.is_good() => "; the copy did not start",
        _ => "; files only",
    };
    format!("{}: last proven restore: {} (snapshot {}{only})", rehearsal.site, when(rehearsal), rehearsal.snapshot)
}

/// Prints a rehearsal with all that it showed.
pub(super) fn rehearsal(rehearsal: &Rehearsal) {
    rehearsal_lines(rehearsal).iter().for_each(line);
}

fn rehearsal_lines(rehearsal: &Rehearsal) -> Vec<String> {
    let head = match rehearsal.result {
        RehearsalResult::Proven => "the restore is proven",
        RehearsalResult::Partial => "the restore is proven in part",
        RehearsalResult::NotProven => "the restore is NOT proven",
    };
    let (site, snapshot) = (&rehearsal.site, &rehearsal.snapshot);
    let mut lines = vec![format!("{site}: snapshot {snapshot}: {head} ({})", when(rehearsal))];
    let version = rehearsal.version.as_deref().map_or_else(String::new, |version| format!(", version {version}"));
    for (part, proof, good) in [
        ("files", &rehearsal.files, "restored, read back, equal".to_owned()),
        ("database", &rehearsal.database, "restored, read back, equal".to_owned()),
        ("start", &rehearsal.boot, format!("the copy's own command line answers{version}")),
    ] {
        match proof {
            Proof::Proven => lines.push(format!("  {part}: {good}")),
            Proof::Nothing if part == "database" => lines.push("  database: the snapshot holds none".into()),
            Proof::Nothing => {}
            Proof::Unproven { why } => lines.push(format!("  {part} not proven, because {why}")),
            Proof::Differs { count, items } => {
                lines.push(format!("  {part}: {count} items are not as they should be:"));
                lines.extend(items.iter().map(|item| format!("    {item}")));
            }
        }
    }
    lines.extend(rehearsal.left.iter().map(|left| format!("  not set, or not made: {left}")));
    lines.extend(rehearsal.stays.iter().map(|stays| format!("  NOT removed from the host: {stays}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, RunId, SiteName};
    use serde_json::json;

    fn told(files: Proof, database: Proof, boot: Proof, took_ms: u64) -> String {
        let began = "2026-11-20T03:04:05Z".parse().unwrap();
        let one = Rehearsal {
            rehearsal: Rehearsal::FORMAT,
            id: RunId::new(began),
            site: SiteName::new("shop").unwrap(),
            snapshot: "20261119T020000.123Z-0123456789ab".into(),
            content: Digest::of(b"x"),
            began,
            took_ms,
            by: "somebody".into(),
            program: "1".into(),
            result: RehearsalResult::of(&files, &database, &boot),
            version: (boot == Proof::Proven).then(|| "6.1.9".into()),
            files,
            database,
            boot,
            left: Vec::new(),
            stays: Vec::new(),
            bytes_sent: 0,
        };
        format!("{}\n{}\n{}", rehearsal_result(&one), last_proven(&one), rehearsal_lines(&one).join("\n"))
    }

    #[test]
    fn a_service_that_was_not_reached_is_not_one_that_offers_nothing() {
        let told = |offers: &[&str], sources: &[bool]| {
            let offers: Vec<_> = offers.iter().map(|version| json!({"version": version, "package": true})).collect();
            let source = |reachable: &bool| json!({"name": "updates.nano.example", "reachable": reachable});
            let sources: Vec<_> = sources.iter().map(source).collect();
            let document = json!({"core": {"version": "1.4", "offers": offers}, "sources": sources});
            offered(&Inventory::from_document(&SiteName::new("shop").unwrap(), document).unwrap())
        };
        assert_eq!(told(&[], &[]), "no update service is asked");
        assert_eq!(told(&[], &[true]), "nothing newer offered");
        let unknown = "not known whether something newer is offered: updates.nano.example was not reached";
        assert_eq!(told(&[], &[true, false]), unknown);
        assert_eq!(told(&["1.5", "2.0"], &[true]), "offered: 1.5, 2.0");
        let perhaps = "offered: 1.5, and perhaps more: updates.nano.example was not reached";
        assert_eq!(told(&["1.5"], &[false]), perhaps);
    }

    #[test]
    fn a_rehearsal_is_told_as_it_was() {
        assert_eq!(
            told(Proof::Proven, Proof::Proven, Proof::Proven, 192_400),
            "proven 2026-11-20, 3 min 12 s\n\
             shop: last proven restore: 2026-11-20, 3 min 12 s (snapshot 20261119T020000.123Z-0123456789ab)\n\
             shop: snapshot 20261119T020000.123Z-0123456789ab: the restore is proven (2026-11-20, 3 min 12 s)\n  \
             files: restored, read back, equal\n  database: restored, read back, equal\n  \
             start: the copy's own command line answers, version 6.1.9"
        );
        assert_eq!(
            told(Proof::Proven, Proof::unproven("nobody may"), Proof::Nothing, 900),
            "files proven 2026-11-20, 0 s\n\
             shop: last proven restore: 2026-11-20, 0 s (snapshot 20261119T020000.123Z-0123456789ab; files only)\n\
             shop: snapshot 20261119T020000.123Z-0123456789ab: the restore is proven in part (2026-11-20, 0 s)\n  \
             files: restored, read back, equal\n  database not proven, because nobody may"
        );
        let differs = Proof::differs(vec!["~ a.php (content)".into()], 3);
        let told = told(differs, Proof::Nothing, Proof::Nothing, 7_261_000);
        assert!(told.starts_with("NOT proven 2026-11-20, 2 h 01 min\n"), "{told}");
        assert!(
            told.ends_with(
                "files: 3 items are not as they should be:\n    ~ a.php (content)\n  database: the snapshot holds none"
            ),
            "{told}"
        );
    }
}
