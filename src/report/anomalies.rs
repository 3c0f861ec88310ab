//! What a client told us is wrong, and what came of it: taken from the ledger, and the section about it.
//!
//! May use: `document`, `words`, `ledger`. Invariants: as in `view`; a report that is made again says what was known at its
//! end; an answer stands in one report of runs, the next one, and in that of its month.

use super::document::{AnomalyHold, AnomalyLine, Report};
use super::outline::{Item, Part};
use super::view::cell;
use super::words::{Words, own};
use crate::ledger::{Anomaly, MAX_ANSWER, MAX_DESCRIPTION, MAX_LINES};
use crate::model::{clean_line, clean_text};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

/// How many anomalies a section has.
const SHOWN: usize = 20;
/// How many characters of a name or an address are kept.
const LINE_CHARS: usize = 300;

impl Report {
    /// The report with what the client of its site told, of which these are `known`: what is open at its end, and what was
    /// answered `since` the report before.
    #[must_use]
    pub fn with_anomalies(mut self, known: &[Anomaly], since: Option<Timestamp>) -> Self {
        let before_end = |at: Timestamp| self.ended.is_none_or(|ended| at <= ended);
        let mine = known.iter().filter(|one| one.site == self.site);
        let then = mine.filter_map(|one| one.when(before_end, Some(self.run)));
        let news = |answered: Timestamp| since.is_none_or(|since| answered > since);
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let day = self.ended.unwrap_or(self.began).to_zoned(zone).date();
        let told = then.filter(|one| one.answer().is_none_or(|(done, _)| news(done.at)));
        self.anomalies = told.map(|one| line(one, day)).collect();
        self
    }
}

/// An anomaly as a report of a day has it: a hold that is over by then is no news.
pub(super) fn line(anomaly: Anomaly, day: Date) -> AnomalyLine {
    let short = |text: &str| clean_line(text, LINE_CHARS);
    let held =
        |(extension, until): (&crate::model::ComponentName, Date)| AnomalyHold { extension: extension.clone(), until };
    AnomalyLine {
        anomaly: anomaly.number,
        seen: anomaly.sighting.seen,
        told: anomaly.told,
        url: short(&anomaly.sighting.url),
        description: clean_text(&anomaly.sighting.description, MAX_LINES, MAX_DESCRIPTION),
        reported_by: anomaly.sighting.reported_by.as_deref().map(short),
        screenshots: anomaly.sighting.screenshots.len() as u64,
        run: anomaly.run,
        put_back: anomaly.put_back(),
        holds: anomaly.held().into_iter().filter(|(_, until)| *until >= day).map(held).collect(),
        answered: anomaly.answer().map(|(done, _)| done.at),
        answer: anomaly.answer().map(|(_, answer)| clean_text(answer, MAX_LINES, MAX_ANSWER)),
    }
}

/// One anomaly in words.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// When we were told, of which page.
    pub(super) head: String,
    /// The client's own words.
    pub(super) quote: String,
    /// What came of it.
    pub(super) said: Vec<String>,
}

/// The section: the first ones; empty where nothing was told.
pub(super) fn anomalies(lines: &[AnomalyLine], words: &Words) -> Vec<Told> {
    lines.iter().take(SHOWN).map(|line| told(line, words)).collect()
}

fn told(line: &AnomalyLine, words: &Words) -> Told {
    let head =
        [("told", own(words.date(line.told))), ("page", own(page(&line.url))), ("seen", own(words.moment(line.seen)))];
    let text = |text: &str| own(clean_line(text, MAX_DESCRIPTION));
    let mut said = Vec::new();
    said.extend((line.screenshots > 0).then(|| words.count("anomaly-screenshots", line.screenshots)));
    said.extend(line.put_back.map(|at| words.tell("anomaly-put-back", &[("date", own(words.date(at)))])));
    said.extend(line.holds.iter().map(|hold| {
        let name = hold.extension.as_str().split_once(':').map_or(hold.extension.as_str(), |(_, slug)| slug);
        words.tell("anomaly-held", &[("extension", own(words.of_name(name))), ("until", own(words.day(hold.until)))])
    }));
    said.push(match &line.answer {
        Some(answer) => words.tell("anomaly-answer", &[("answer", text(answer))]),
        None => words.say("anomaly-open"),
    });
    Told {
        head: words.tell("anomaly-told", &head),
        quote: words.tell("anomaly-quote", &[("text", text(&line.description))]),
        said,
    }
}

/// An address without its scheme, as people say it.
fn page(url: &str) -> String {
    let address = url.trim_start_matches("https://").trim_start_matches("http://");
    cell(address.trim_end_matches('/'))
}

/// The same without its looks; none where nothing was told.
pub(super) fn part(told: Vec<Told>, words: &Words) -> Option<Part> {
    let item = |told: Told| Item { text: told.head, points: std::iter::once(told.quote).chain(told.said).collect() };
    let items: Vec<Item> = told.into_iter().map(item).collect();
    (!items.is_empty()).then(|| Part::of_items(words.say("anomalies-title"), items))
}
