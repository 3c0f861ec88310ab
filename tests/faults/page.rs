//! The table of `docs/reliability.md`: its rows are what a run of the tests saw.

use crate::support::{Environment, Testbed};
use std::fmt;
use std::path::Path;
use std::time::Duration;

const BEGINS: &str = "<!-- the table is written by tests/faults.rs -->\n";
const ENDS: &str = "<!-- end of the table -->\n";
/// The most characters of a message that are shown.
const MOST_CHARS: usize = 300;

/// What was seen of one fault.
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    pub(crate) outcome: String,
    /// From the fault to the end of the run.
    pub(crate) took: Duration,
    /// What a person did then, and how long that took.
    pub(crate) by_hand: Option<(&'static str, Duration)>,
    pub(crate) said: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs();
        let (by_hand, safe) = match &self.by_hand {
            None => ("nothing".to_owned(), format!("{seconds} s")),
            Some((what, took)) => (format!("{what} ({} s)", took.as_secs()), format!("{seconds} s + by hand")),
        };
        write!(f, "| {} | {} | {safe} | {by_hand} | {} |", self.fault, self.outcome, self.said)
    }
}

/// A message without what is another one each time, and fit for a table.
pub(crate) fn plain(text: &str, bed: &Testbed, shop: &Environment) -> String {
    let own = shop.path("").display().to_string();
    let text = text
        .replace(own.trim_end_matches('/'), "…")
        .replace(&bed.docroot, "…")
        .replace(&bed.dir, "…")
        .replace(&bed.url, "https://site/");
    let names = regex::Regex::new(
        r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{12}|/tmp/intendant\.\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    )
    .unwrap();
    let text = names.replace_all(&text, "…").replace('|', "\\|");
    let text = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ");
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Writes a row into the page's table, where that is asked for; the others stay as they are.
pub(crate) fn written(row: &Row, order: impl Iterator<Item = &'static str>) {
    if std::env::var_os("INTENDANT_BLESS").is_none() {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = page.split_once(BEGINS).expect("the page has a place for the table");
    let (table, tail) = rest.split_once(ENDS).expect("the place has an end");
    let line = |name: &str| {
        let new = (row.fault == name).then(|| row.to_string());
        let old = || table.lines().find(|line| line.starts_with(&format!("| {name} |"))).map(str::to_owned);
        new.or_else(old).map(|line| format!("{line}\n"))
    };
    let rows: String = order.filter_map(line).collect();
    let header = "| fault | outcome | safe after | what a person did | what was said |\n|---|---|---|---|---|\n";
    std::fs::write(&file, format!("{head}{BEGINS}{header}{rows}{ENDS}{tail}")).unwrap();
}
