//! What the page's template is given: finished texts in the page's order, and nothing to decide.
//!
//! May use: `document`, `sections`, `anomalies`, `drifts`, `words`, `reasons`, `snapshot` for its values. Invariant: a text that came from outside
//! has been cleaned and bounded when it stands here; escaping it is the template's part.

use super::anomalies::{self, Told};
use super::document::{Job, Report};
use super::drifts;
use super::outline::Brand;
use super::provider::Provider;
use super::reasons;
use super::sections;
use super::words::{Words, outside, own};
use crate::model::{Outcome, Room, SiteName, clean_line};
use crate::snapshot::Rows;
use serde::Serialize;

/// How many characters a cell holds.
const CELL_CHARS: usize = 160;

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct View {
    /// The language's tag.
    pub(super) lang: String,
    pub(super) page_title: String,
    pub(super) heading: String,
    pub(super) brand: Brand,
    pub(super) provider: Option<String>,
    pub(super) contact: Option<String>,
    /// A link for the contact, when it is an e-mail address.
    pub(super) contact_link: Option<String>,
    pub(super) site_title: String,
    /// A link to the site, when its address is one.
    pub(super) site_link: Option<String>,
    pub(super) facts: Vec<Pair>,
    pub(super) outcome: OutcomeView,
    pub(super) tiles: Vec<Pair>,
    pub(super) problem: Option<sections::Problem>,
    pub(super) anomalies: Vec<Told>,
    pub(super) updates: Option<sections::Updates>,
    pub(super) holds: Vec<sections::Hold>,
    pub(super) drifts: Option<drifts::Drifts>,
    pub(super) checks: Option<sections::Checks>,
    pub(super) backups: Vec<sections::Backup>,
    /// The last proven restore, in sentences.
    pub(super) proven: Vec<String>,
    /// Whether it says what to do when something looks wrong.
    pub(super) help: bool,
    pub(super) steps_caption: String,
    pub(super) steps: Vec<sections::Step>,
    pub(super) foot: Vec<String>,
}

/// A label and its value.
#[derive(Debug, Serialize)]
pub(super) struct Pair {
    pub(super) label: String,
    pub(super) value: String,
}

/// The outcome in plain words.
#[derive(Debug, Serialize)]
pub(super) struct OutcomeView {
    /// The name of a colour scheme of the style sheet; no text for a reader.
    pub(super) tone: &'static str,
    /// A sign beside the title, hidden from screen readers.
    pub(super) sign: &'static str,
    pub(super) title: String,
    pub(super) sentences: Vec<String>,
}

/// One line of a table's or a fact's text.
pub(super) fn cell(text: &str) -> String {
    clean_line(text, CELL_CHARS)
}

impl View {
    /// The page of a report.
    pub(super) fn of(report: &Report, words: &Words, provider: &Provider) -> Self {
        let site_title = site_title(&report.url, &report.site);
        let restore = matches!(report.job, Job::Restore { .. });
        let title_args = [("site", outside(&site_title)), ("date", own(words.date(report.began)))];
        let key = |plain: &'static str, restoring: &'static str| if restore { restoring } else { plain };
        let contact = provider.contact.as_deref().map(cell);
        let zone = ("zone", own(words.zone(report.began)));
        Self {
            lang: words.tag(),
            page_title: words.tell(key("page-title", "page-title-restore"), &title_args),
            heading: words.say(key("heading", "heading-restore")),
            brand: Brand::of(provider),
            provider: provider.name.as_deref().map(cell),
            contact_link: contact.as_deref().and_then(mail_link),
            contact,
            site_link: site_link(&report.url),
            site_title,
            facts: facts(report, words),
            outcome: outcome(report, words),
            tiles: tiles(report, words),
            problem: sections::problem(report, words),
            anomalies: anomalies::anomalies(&report.anomalies, words),
            updates: sections::updates(report, words),
            holds: sections::holds(&report.holds, words),
            drifts: drifts::drifts(report, words),
            checks: sections::checks(report, words),
            backups: sections::backups(report, words),
            proven: sections::proven(report.proven_restore.as_ref(), words),
            help: true,
            steps_caption: words.tell("steps-caption", &[zone]),
            steps: sections::steps(report, words),
            foot: foot(report, words),
        }
    }
}

/// The site's address without its scheme, as people say it.
pub(super) fn site_title(url: &str, site: &SiteName) -> String {
    let address = url.trim_start_matches("https://").trim_start_matches("http://");
    match address.trim_end_matches('/') {
        "" => site.to_string(),
        address => cell(address),
    }
}

/// Only an address of the web becomes a link.
pub(super) fn site_link(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web.then(|| clean_line(url, 2000))
}

pub(super) fn mail_link(contact: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
    let mail = contact.matches('@').count() == 1 && contact.chars().all(plain);
    mail.then(|| format!("mailto:{contact}"))
}

fn facts(report: &Report, words: &Words) -> Vec<Pair> {
    let mut facts = vec![
        ("label-client", cell(&report.client)),
        ("label-plan", plan(&report.tier, report.extensions, report.cap, words)),
        ("label-date", words.moment(report.began)),
    ];
    if let Some(ended) = report.ended {
        let millis = ended.as_millisecond().saturating_sub(report.began.as_millisecond());
        facts.push(("label-duration", words.duration(u64::try_from(millis).unwrap_or(0))));
    }
    facts.into_iter().map(|(key, value)| Pair { label: words.say(key), value }).collect()
}

/// The plan's tier, and how much of it is used.
pub(super) fn plan(tier: &str, extensions: Option<u32>, cap: Option<u32>, words: &Words) -> String {
    let plan = reasons::tier(words, tier);
    let (Some(extensions), Some(cap)) = (extensions, cap) else { return plan };
    let key = match Room::of(extensions, cap) {
        Room::Over => "plan-over",
        Room::Near => "plan-near",
        Room::Enough => "plan-covered",
    };
    let number = |number: u32| own(words.number(u64::from(number)));
    words.tell(key, &[("plan", own(plan)), ("extensions", number(extensions)), ("cap", number(cap))])
}

fn outcome(report: &Report, words: &Words) -> OutcomeView {
    let asked = matches!(report.job, Job::Restore { .. });
    let installed = sections::installed(report);
    let (tone, sign, key) = match report.outcome {
        Some(Outcome::Completed) if installed == 0 => ("good", "✓", "outcome-nothing"),
        Some(Outcome::Completed) => ("good", "✓", "outcome-completed"),
        Some(Outcome::CompletedWithHolds) if installed == 0 => ("held", "✓", "outcome-only-holds"),
        Some(Outcome::CompletedWithHolds) => ("held", "✓", "outcome-completed-with-holds"),
        Some(Outcome::Restored) if asked => ("good", "✓", "outcome-restored-asked"),
        Some(Outcome::Restored) if report.restores.last().is_some_and(sections::has_left) => {
            ("back", "↺", "outcome-restored-left")
        }
        Some(Outcome::Restored) => ("back", "↺", "outcome-restored"),
        Some(Outcome::Refused) => ("none", "–", "outcome-refused"),
        Some(Outcome::Stuck) => ("act", "!", "outcome-stuck"),
        None => ("none", "…", "outcome-open"),
    };
    let mut sentences = sentences(report, words, installed);
    if report.interruptions > 0 {
        sentences.push(words.count("say-interrupted", u64::from(report.interruptions)));
    }
    sentences.extend(visitors(report, words));
    OutcomeView { tone, sign, title: words.say(key), sentences }
}

/// What became of what visitors wrote meanwhile.
fn visitors(report: &Report, words: &Words) -> Vec<String> {
    let rows = || report.restores.iter().filter(|restore| restore.done).filter_map(|restore| restore.rows.as_ref());
    let (back, left) = (rows().map(Rows::put_back).sum::<u64>(), rows().map(Rows::left).sum::<u64>());
    let mut said = Vec::new();
    said.extend((back > 0).then(|| words.count("say-rows", back)));
    said.extend((left > 0).then(|| words.count("say-rows-left", left)));
    said.extend(rows().any(|rows| !rows.unread.is_empty()).then(|| words.say("say-rows-unread")));
    said
}

fn sentences(report: &Report, words: &Words, installed: u64) -> Vec<String> {
    match report.outcome {
        Some(Outcome::Completed | Outcome::CompletedWithHolds) => done(report, words, installed),
        Some(Outcome::Restored) => put_back(report, words),
        Some(Outcome::Refused) => refused(report, words),
        Some(Outcome::Stuck) => stuck(report, words),
        None => vec![words.say("say-open")],
    }
}

fn refused(report: &Report, words: &Words) -> Vec<String> {
    if matches!(report.job, Job::Restore { .. }) {
        return vec![words.say("say-refused-restore")];
    }
    let later = !report.refusals.is_empty() && report.refusals.iter().all(reasons::passes_by_itself);
    let again = later.then(|| words.say("say-refused-again"));
    std::iter::once(words.say("say-refused")).chain(again).collect()
}

fn stuck(report: &Report, words: &Words) -> Vec<String> {
    let restored = sections::was_put_back(report);
    let key = match (&report.job, restored) {
        (Job::Restore { .. }, true) => "say-stuck-restore-checks",
        (Job::Restore { .. }, false) => "say-stuck-restore",
        (Job::Update, true) => "say-stuck-checks",
        (Job::Update, false) if sections::broke_later(report) => "say-stuck-later",
        (Job::Update, false) => "say-stuck",
    };
    let update = report.job == Job::Update;
    let backup = update && !restored && report.snapshots.iter().any(|snapshot| !snapshot.after);
    let backup = backup.then(|| words.say("say-stuck-backup"));
    std::iter::once(words.say(key)).chain(backup).collect()
}

fn done(report: &Report, words: &Words, installed: u64) -> Vec<String> {
    let mut said = match installed {
        0 if report.holds.is_empty() => vec![words.say("say-nothing")],
        0 => Vec::new(),
        installed => vec![words.count("say-installed", installed)],
    };
    let (passed, total) = sections::passed(report);
    if passed == total && total > 0 && installed > 0 {
        said.push(words.count("say-checks", total));
    }
    let unknown = sections::unknown(report);
    said.extend((unknown > 0).then(|| words.count("say-checks-unknown", unknown)));
    let backups = report.snapshots.len() as u64;
    said.extend((backups > 0 && installed > 0).then(|| words.count("say-backups", backups)));
    let holds = report.holds.len() as u64;
    said.extend((holds > 0).then(|| words.count("say-held", holds)));
    said
}

fn put_back(report: &Report, words: &Words) -> Vec<String> {
    let mut said = match &report.job {
        Job::Restore { only, .. } if only.is_empty() => vec![words.say("say-restored-asked")],
        Job::Restore { .. } => vec![words.say("say-restored-asked"), words.say("say-restored-part")],
        Job::Update => vec![words.say("say-restored")],
    };
    if let Some(restore) = report.restores.last().filter(|restore| restore.done) {
        let part = matches!(&report.job, Job::Restore { only, .. } if !only.is_empty());
        match restore.left.len() as u64 {
            0 if part => {}
            0 if sections::has_rows(restore) => said.push(words.say("say-identical-rows")),
            0 => said.push(words.say("say-identical")),
            left => said.push(words.count("say-left", left)),
        }
        // A restore that was asked for has nothing to compare with: nobody checked the site before it.
        let key = if report.job == Job::Update { "say-works" } else { "say-works-now" };
        said.extend((restore.good == Some(true)).then(|| words.say(key)));
    }
    said
}

fn tiles(report: &Report, words: &Words) -> Vec<Pair> {
    let ran = matches!(report.outcome, Some(Outcome::Completed | Outcome::CompletedWithHolds));
    let mut tiles = Vec::new();
    let number = |key: &str, number: u64| Pair { label: words.count(key, number), value: words.number(number) };
    if ran {
        tiles.push(number("tile-updated", sections::installed(report)));
    }
    if ran && !report.holds.is_empty() {
        tiles.push(number("tile-held", report.holds.len() as u64));
    }
    let (passed, total) = sections::passed(report);
    // What was seen before says nothing about a site that was changed since.
    if total > 0 && !sections::unchecked(report) {
        let args = [("part", own(words.number(passed))), ("total", own(words.number(total)))];
        tiles.push(Pair { label: words.count("tile-checks", total), value: words.tell("of-total", &args) });
    }
    if !report.snapshots.is_empty() {
        tiles.push(number("tile-backups", report.snapshots.len() as u64));
    }
    tiles
}

fn foot(report: &Report, words: &Words) -> Vec<String> {
    let mut foot = vec![
        words.tell("foot-run", &[("run", own(report.run.to_string()))]),
        words.tell("foot-program", &[("version", outside(&report.program))]),
        words.tell("foot-plan", &[("digest", own(report.plan.short()))]),
    ];
    let procedure = report.procedure.as_ref();
    foot.extend(procedure.map(|digest| words.tell("foot-procedure", &[("digest", own(digest.short()))])));
    foot
}
