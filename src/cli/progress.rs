//! Live progress: one line per site on a terminal, plain lines elsewhere.

use super::show;
use crate::journal::{Entry, Event, StepResult};
use crate::model::{RunId, SiteName, clean_line, harmless, human_bytes};
use crate::procedure::Procedure;
use crate::run::Listener;
use crate::snapshot::Phase;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Shows runs while they go on, on standard error.
pub(super) struct Show {
    bars: Option<MultiProgress>,
    sites: Mutex<BTreeMap<SiteName, Line>>,
}

#[derive(Default)]
struct Line {
    bar: Option<ProgressBar>,
    steps: Vec<String>,
    step: String,
}

impl Show {
    /// Bars where standard error is a terminal.
    pub(super) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { bars: terminal.then(MultiProgress::new), sites: Mutex::default() }
    }

    /// The site's work is over: its line goes.
    pub(super) fn done(&self, site: &SiteName) {
        let bar = self.sites.lock().unwrap_or_else(PoisonError::into_inner).remove(site).and_then(|line| line.bar);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    fn with_line(&self, site: &SiteName, change: impl FnOnce(&mut Line)) {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let line = sites.entry(site.clone()).or_default();
        if line.bar.is_none() {
            line.bar = self.bars.as_ref().map(|bars| {
                let bar = bars.add(ProgressBar::new_spinner());
                let style = ProgressStyle::with_template("{spinner} {prefix:.bold} {wide_msg} {elapsed}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar.set_prefix(site.to_string());
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            });
        }
        change(line);
    }

    fn say(&self, site: &SiteName, line: &Line, text: &str) {
        match &line.bar {
            Some(bar) => bar.set_message(harmless(text).into_owned()),
            None => show::remark(format!("{site}: {text}")),
        }
    }
}

/// What an entry says to somebody who watches; none when it is not worth a line.
fn words(line: &mut Line, entry: &Entry) -> Option<String> {
    let name = |line: &Line, step: &usize| line.steps.get(*step).cloned().unwrap_or_default();
    Some(match &entry.event {
        Event::Opened(_) => "looking at the site".into(),
        Event::Planned(planned) => {
            line.steps = names(&planned.procedure);
            let (updates, holds) = (planned.procedure.updates.len(), planned.procedure.holds.len());
            format!("procedure {}: {updates} updates, {holds} held", planned.digest.short())
        }
        Event::Refused { reasons } => {
            format!("refused: {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        Event::StepBegun { step } => {
            line.step = name(line, step);
            line.step.clone()
        }
        Event::StepDone { result, .. } => match result.as_ref() {
            StepResult::Armed { armed: false, said } => clean_line(said, 300),
            _ => return None,
        },
        Event::StepFailed { step, failure } => {
            format!("{} failed: {}", name(line, step), clean_line(&failure.why, 300))
        }
        Event::Noticed { notice, component } => {
            format!("{component} waits for an answer to notice {notice}: intendant notices")
        }
        Event::Recovered { .. } => "taking over an interrupted run".into(),
        Event::UnwindBegun { why } => format!("undoing everything: {}", clean_line(why, 300)),
        Event::RestoreBegun { snapshot, attempt } => {
            line.step = format!("restoring {snapshot}{}", if *attempt > 1 { " again" } else { "" });
            line.step.clone()
        }
        Event::RestorePrepared { rows, .. } => match rows.as_ref().map_or(0, |rows| rows.found()) {
            0 => return None,
            found => format!("{found} rows came in since that snapshot in protected tables; they are kept"),
        },
        Event::RestoreDone { undone_count, rows, .. } => {
            let rows = rows.as_ref().and_then(|rows| rows.told()).map_or_else(String::new, |told| format!("; {told}"));
            format!("restored: {undone_count} items put back, compared and equal{rows}")
        }
        Event::RestoreFailed { why } => format!("restoring failed: {}", clean_line(why, 300)),
        Event::UnwindChecked { good: true, .. } => "the restored site passes its checks".into(),
        Event::UnwindChecked { good: false, .. } => "the restored site does not pass its checks".into(),
        Event::Healed { .. } => clean_line(&entry.event.healed().unwrap_or_default(), 500),
        Event::Noted { what } => clean_line(what, 300),
        Event::Closed { outcome, .. } => outcome.to_string(),
    })
}

/// What the steps of a procedure are called.
fn names(procedure: &Procedure) -> Vec<String> {
    procedure.steps.iter().map(|step| step.name.clone()).collect()
}

impl Listener for Show {
    fn taken_up(&self, site: &SiteName, procedure: &Procedure) {
        self.with_line(site, |line| line.steps = names(procedure));
    }

    fn entry(&self, site: &SiteName, _run: RunId, entry: &Entry) {
        self.with_line(site, |line| {
            let closed = matches!(entry.event, Event::Closed { .. });
            if let Some(text) = words(line, entry) {
                self.say(site, line, &text);
            }
            if let (true, Some(bar)) = (closed, line.bar.take()) {
                bar.finish_and_clear();
            }
        });
    }

    fn progress(&self, site: &SiteName, phase: Phase, items: u64, of: u64, bytes: u64) {
        // Plain lines would be too many.
        if self.bars.is_none() {
            return;
        }
        let doing = match phase {
            Phase::Walking => "walking",
            Phase::Reading => "reading",
            Phase::Dumping => "dumping the database",
            Phase::Committing => "committing",
            Phase::Writing => "writing",
            Phase::Importing => "importing the database",
            Phase::Comparing => "comparing",
            Phase::Verifying => "verifying",
        };
        let count = if of > 0 { format!("{items}/{of}") } else { items.to_string() };
        self.with_line(site, |line| {
            if let Some(bar) = &line.bar {
                bar.set_message(format!("{} · {doing} {count} {}", line.step, human_bytes(bytes)));
            }
        });
    }
}
