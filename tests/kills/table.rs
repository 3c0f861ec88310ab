//! What was seen: one line for each case in a file, and the table of them.

use crate::case::Case;
use crate::kill::{Moment, Whom};
use crate::site::Site;
use crate::support::Environment;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// What was seen of one case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) seed: u64,
    /// When the run was to be killed, in millionths of its length.
    share: usize,
    pub(crate) moment: Moment,
    whom: Whom,
    heals: bool,
    /// Whether the run was killed; else it had ended before.
    pub(crate) killed: bool,
    /// The last thing that the journal says to have begun at the kill.
    pub(crate) phase: String,
    /// The same of each kill of a recovery.
    pub(crate) again: Vec<String>,
    /// How many recoveries could not reach the host.
    #[serde(default)]
    pub(crate) unreachable: usize,
    pub(crate) outcome: String,
    /// How many orders the visitor was told were accepted.
    pub(crate) accepted: usize,
    pub(crate) seconds: u64,
    /// What was not as it has to be.
    pub(crate) exception: Option<String>,
}

impl Row {
    pub(crate) fn new(case: &Case, moment: Moment) -> Self {
        Self {
            seed: case.seed,
            share: case.share,
            moment,
            whom: case.whom,
            heals: case.heals,
            killed: false,
            phase: String::new(),
            again: Vec::new(),
            unreachable: 0,
            outcome: String::new(),
            accepted: 0,
            seconds: 0,
            exception: None,
        }
    }

    /// As it stands in the file.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).unwrap()
    }
}

/// The file.
pub(crate) struct Results {
    path: PathBuf,
    rows: Mutex<Vec<Row>>,
}

impl Results {
    pub(crate) fn open(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let rows = text.lines().map(|line| serde_json::from_str(line).expect("a line of the file")).collect();
        Self { path: path.to_owned(), rows: Mutex::new(rows) }
    }

    pub(crate) fn add(&self, row: Row) {
        let mut rows = self.rows.lock().unwrap();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.path).unwrap();
        writeln!(file, "{}", row.line()).unwrap();
        rows.push(row);
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.rows.lock().unwrap().clone()
    }

    /// How many cases count: those in which the run was killed.
    pub(crate) fn killed(&self) -> usize {
        self.rows.lock().unwrap().iter().filter(|row| row.killed).count()
    }

    pub(crate) fn has(&self, seed: u64) -> bool {
        self.rows.lock().unwrap().iter().any(|row| row.seed == seed)
    }

    pub(crate) fn moment(&self, seed: u64) -> Option<Moment> {
        self.rows.lock().unwrap().iter().find(|row| row.seed == seed).map(|row| row.moment)
    }
}

/// One column of the first entry of each row that a question to the journal gives. A copy is asked: what a killed program
/// left is for the next one to mend.
fn asked(shop: &Environment, sql: &str) -> Vec<String> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        let _ = std::fs::copy(shop.path("state").join(name), copy.path().join(name));
    }
    let journal = copy.path().join("journal.db");
    if !journal.exists() {
        return Vec::new();
    }
    let output = Command::new("sqlite3").arg(&journal).arg(sql).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What the journal says to have begun last.
pub(crate) fn phase(shop: &Environment) -> String {
    let events = asked(shop, "SELECT event FROM entries ORDER BY run, sequence");
    let (mut steps, mut phase) = (Vec::new(), "before the journal".to_owned());
    for event in events {
        let event: Value = serde_json::from_str(&event).expect("an event is JSON");
        let name = event["event"].as_str().unwrap_or_default();
        phase = match name {
            "opened" => "looking at the site".into(),
            "planned" => {
                let all = event["procedure"]["steps"].as_array().cloned().unwrap_or_default();
                steps = all.iter().map(|step| step["name"].as_str().unwrap_or_default().to_owned()).collect();
                "planned".into()
            }
            "step-begun" => kind(&steps[usize::try_from(event["step"].as_u64().unwrap()).unwrap()]),
            "step-done" | "noted" => continue,
            "recovered" => "taking over".into(),
            "unwind-begun" | "restore-begun" => "restore: keeping the present".into(),
            "restore-prepared" => "restore: writing".into(),
            "restore-done" => "checks of the restored site".into(),
            other => other.to_owned(),
        };
    }
    phase
}

/// A step's name without its number and what is particular to it.
fn kind(step: &str) -> String {
    let name = step.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let cut = name.find([':', '(']).unwrap_or(name.len());
    name[..cut].trim().to_owned()
}

/// The outcome of the place's run; a run that never came to its journal was not begun.
pub(crate) fn outcome(shop: &Environment) -> String {
    match asked(shop, "SELECT IFNULL(outcome, 'open') FROM runs").as_slice() {
        [] => "not begun".into(),
        [one] => one.clone(),
        many => format!("{} runs", many.len()),
    }
}

/// Keeps what explains a case that went wrong; returns where.
pub(crate) fn kept(shop: &Environment, site: &Site, seed: u64, said: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kills-{seed}"));
    let _ = std::fs::create_dir_all(&folder);
    let _ = Command::new("cp").arg("-r").args([shop.path("state"), shop.path("plans"), folder.clone()]).status();
    let _ = std::fs::write(folder.join("said"), said);
    let _ = std::fs::write(folder.join("before"), &site.before);
    let _ = std::fs::write(folder.join("found"), site.bed.fingerprint());
    folder.display().to_string()
}

/// The table: where the kills fell, and what became of the runs.
pub(crate) fn shown(rows: &[Row]) -> String {
    let mut phases: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.killed) {
        phases.entry(&row.phase).or_default().push(row);
    }
    let mut phases: Vec<_> = phases.into_iter().collect();
    phases.sort_by_key(|(_, rows)| rows.iter().map(|row| row.share).sum::<usize>() / rows.len());
    let all: Vec<&Row> = phases.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    phases.push(("**all**", all));
    let mut table = String::from(
        "| the kill fell in | cases | updated | restored | nothing begun, or refused | recoveries killed too | orders accepted | exceptions |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (phase, rows) in phases {
        let count = |of: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| of(row)).count();
        table.push_str(&format!(
            "| {phase} | {} | {} | {} | {} | {} | {} | {} |\n",
            rows.len(),
            count(&|row| row.outcome.starts_with("completed")),
            count(&|row| row.outcome == "restored"),
            count(&|row| matches!(row.outcome.as_str(), "refused" | "not begun")),
            rows.iter().map(|row| row.again.len()).sum::<usize>(),
            rows.iter().map(|row| row.accepted).sum::<usize>(),
            count(&|row| row.exception.is_some()),
        ));
    }
    table
}
