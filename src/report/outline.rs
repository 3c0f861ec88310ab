//! A report without its looks: titles, sentences, lists and tables in the page's order. Forms that have no page of
//! their own, Markdown and e-mail, are written from it.
//!
//! May use: `view`, `sections`, `anomalies`, `drifts`, `words`. Invariant: as in `view`.

use super::anomalies;
use super::provider::Provider;
use super::sections::{Happened, Hold, Problem, SeenCell, UpdateRow};
use super::view::{OutcomeView, Pair, View};
use super::words::Words;
use serde::Serialize;

/// How a page shows who made it.
#[derive(Debug, Serialize)]
pub(super) struct Brand {
    /// The logo, as an address that holds it.
    pub(super) logo: Option<String>,
    /// Colours, as a style sheet has them.
    pub(super) accent: Option<String>,
    pub(super) accent_dark: Option<String>,
}

impl Brand {
    pub(super) fn of(provider: &Provider) -> Self {
        Self {
            logo: provider.logo.as_ref().map(|logo| logo.address()),
            accent: provider.accent.map(|colour| colour.to_string()),
            accent_dark: provider.accent_dark.map(|colour| colour.to_string()),
        }
    }
}

/// What the template of an e-mail is given: readers of mail know no style sheets.
#[derive(Debug, Serialize)]
pub(super) struct Mail {
    #[serde(flatten)]
    pub(super) outline: Outline,
    /// The logo, which is a part of the message.
    logo: Option<&'static str>,
    accent: String,
    /// The colours of the outcome.
    ink: &'static str,
    back: &'static str,
}

impl Mail {
    pub(super) fn of(outline: Outline, provider: &Provider) -> Self {
        let (ink, back) = match outline.outcome.tone {
            "good" => ("#1b6b3f", "#e9f4ed"),
            "held" => ("#7a4f00", "#fdf3df"),
            "back" => ("#1a5596", "#e8f0f9"),
            "act" => ("#a3211a", "#fcebe9"),
            _ => ("#4a545c", "#eceff1"),
        };
        let logo = provider.logo.as_ref().map(|_| crate::mail::Logo::SOURCE);
        let accent = provider.accent.map_or_else(|| "#17568f".to_owned(), |colour| colour.to_string());
        Self { outline, logo, accent, ink, back }
    }
}

/// A whole report.
#[derive(Debug, Serialize)]
pub(super) struct Outline {
    pub(super) lang: String,
    pub(super) page_title: String,
    pub(super) provider: Option<String>,
    pub(super) heading: String,
    pub(super) title: String,
    pub(super) facts: Vec<Pair>,
    pub(super) outcome: OutcomeView,
    pub(super) tiles: Vec<Pair>,
    pub(super) parts: Vec<Part>,
    pub(super) contact: Option<String>,
    pub(super) contact_link: Option<String>,
    pub(super) foot: Vec<String>,
}

/// A part with a title.
#[derive(Debug, Default, Serialize)]
pub(super) struct Part {
    pub(super) title: String,
    /// Whether it belongs to the part before it.
    pub(super) below: bool,
    pub(super) sentences: Vec<String>,
    pub(super) items: Vec<Item>,
    pub(super) table: Option<Table>,
    /// Texts in the program's own words, line by line.
    pub(super) details: Vec<Vec<String>>,
}

/// A point of a list, with points of its own.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) points: Vec<String>,
}

/// A table: every row has as many cells as the head.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Whether its first column has times, which stay in one line.
    pub(super) timed: bool,
}

impl Table {
    pub(super) fn new(head: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        Self { head, rows, timed: false }
    }
}

impl Part {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub(super) fn of_items(title: impl Into<String>, items: Vec<Item>) -> Self {
        Self { title: title.into(), items, ..Self::default() }
    }

    pub(super) fn below(self) -> Self {
        Self { below: true, ..self }
    }
}

impl Outline {
    /// A run's report.
    pub(super) fn of(view: View, words: &Words) -> Self {
        let mut parts = Vec::new();
        parts.extend(view.problem.map(|problem| self::problem(problem, words)));
        parts.extend(anomalies::part(view.anomalies, words));
        if let Some(updates) = view.updates {
            let head = [words.say("column-component"), words.say("column-before"), updates.last];
            let table = Some(self::updates(head, updates.rows));
            parts.push(Part { sentences: vec![updates.caption], table, ..Part::new(updates.title) });
        }
        parts.extend(holds(view.holds, words));
        parts.extend(view.drifts.map(|drifts| {
            let item = |row: super::drifts::DriftRow| Item { text: row.what, points: row.detail.into_iter().collect() };
            let more = drifts.more.into_iter().map(|text| Item { text, points: Vec::new() });
            let items = drifts.rows.into_iter().map(item).chain(more).collect();
            Part { sentences: vec![drifts.intro], ..Part::of_items(words.say("drift-title"), items) }
        }));
        parts.extend(view.checks.map(|checks| self::checks(checks, words)));
        if !view.backups.is_empty() {
            let head = ["column-backup", "column-content", "column-verified"].map(|key| words.say(key)).to_vec();
            let row = |backup: super::sections::Backup| {
                let content = joined(backup.content, backup.changed);
                vec![joined(backup.title, Some(backup.name)), content, backup.verified]
            };
            let rows = view.backups.into_iter().map(row).collect();
            let table = Some(Table::new(head, rows));
            parts.push(Part {
                sentences: vec![words.say("backups-caption")],
                table,
                ..Part::new(words.say("backups-title"))
            });
        }
        if !view.proven.is_empty() {
            parts.push(Part { sentences: view.proven, ..Part::new(words.say("proven-title")) });
        }
        parts.push(help(words));
        if !view.steps.is_empty() {
            let head = ["column-start", "column-step", "column-duration"].map(|key| words.say(key)).to_vec();
            let rows = view.steps.into_iter().map(|step| vec![step.start, step.what, step.took]).collect();
            let table = Some(Table { timed: true, ..Table::new(head, rows) });
            parts.push(Part { sentences: vec![view.steps_caption], table, ..Part::new(words.say("steps-title")) });
        }
        Self {
            lang: view.lang,
            page_title: view.page_title,
            provider: view.provider,
            heading: view.heading,
            title: view.site_title,
            facts: view.facts,
            outcome: view.outcome,
            tiles: view.tiles,
            parts,
            contact: view.contact,
            contact_link: view.contact_link,
            foot: view.foot,
        }
    }
}

/// Two texts of one cell.
fn joined(text: String, more: Option<String>) -> String {
    match more {
        Some(more) => format!("{text} · {more}"),
        None => text,
    }
}

fn problem(problem: Problem, words: &Words) -> Part {
    let item = |happened: Happened| Item {
        text: match happened.time {
            Some(time) => format!("{time} – {}", happened.text),
            None => happened.text,
        },
        points: happened.points,
    };
    let lines = |text: &String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let todo = problem.todo.iter().map(|text| {
        let mut told = vec![words.say("problem-todo")];
        told.extend(lines(text));
        told
    });
    let details = todo.chain(problem.detail.iter().map(lines)).collect();
    Part { details, ..Part::of_items(problem.title, problem.events.into_iter().map(item).collect()) }
}

pub(super) fn updates(head: [String; 3], rows: Vec<UpdateRow>) -> Table {
    let row = |row: UpdateRow| {
        let mut what = joined(row.title, Some(row.kind));
        for note in row.notes {
            what = joined(what, Some(note));
        }
        vec![what, row.before, row.after]
    };
    Table::new(head.to_vec(), rows.into_iter().map(row).collect())
}

/// What waits; none where nothing does.
pub(super) fn holds(holds: Vec<Hold>, words: &Words) -> Option<Part> {
    let item = |hold: Hold| Item {
        text: format!("{} · {} · {}", hold.title, hold.kind, hold.step),
        points: vec![hold.why, format!("{} {}", words.say("hold-who"), hold.who)],
    };
    let items: Vec<Item> = holds.into_iter().map(item).collect();
    let intro = vec![words.say("holds-intro")];
    (!items.is_empty()).then(|| Part { sentences: intro, ..Part::of_items(words.say("holds-title"), items) })
}

fn checks(checks: super::sections::Checks, words: &Words) -> Part {
    let mut head = vec![words.say("column-check"), words.say("column-before")];
    head.extend(checks.after.then(|| words.say("column-after")));
    let seen = |cell: SeenCell| joined(cell.verdict, cell.detail);
    let row = |row: super::sections::CheckRow| {
        let what = row.reasons.into_iter().fold(row.what, |what, reason| joined(what, Some(reason)));
        let mut cells = vec![what, seen(row.before)];
        cells.extend(checks.after.then(|| seen(row.after)));
        cells
    };
    let table = Some(Table::new(head, checks.rows.into_iter().map(row).collect()));
    Part { sentences: vec![checks.caption], table, ..Part::new(checks.title) }
}

/// What to do when something looks wrong.
pub(super) fn help(words: &Words) -> Part {
    let item = |key| Item { text: words.say(key), points: Vec::new() };
    Part {
        sentences: vec![words.say("help-hands-off"), words.say("help-intro")],
        ..Part::of_items(
            words.say("help-title"),
            ["help-when", "help-page", "help-what", "help-device"].map(item).into(),
        )
    }
}
