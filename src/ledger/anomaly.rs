//! Anomalies: what a client says is wrong with a page, what was done about it, and the answer.
//!
//! May use: `model`. Invariants: the words of a client are cleaned and bounded before they are written; an anomaly is open
//! until it is answered; of an extension's holds on a site the last one that was decided counts.

use super::{Decision, Ledger, LedgerEntry};
use crate::model::{ComponentId, ComponentName, Outcome, RunId, SiteName, clean_line, clean_text};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2000;
/// The longest address of a page, in characters.
pub const MAX_PAGE: usize = 1000;
/// The longest answer, in characters.
pub const MAX_ANSWER: usize = 1000;
/// The most screenshots of one anomaly.
pub const MAX_SCREENSHOTS: usize = 10;
/// The most lines of a description or an answer.
pub const MAX_LINES: usize = 50;
/// The longest name of a browser, a system, a device or a person, in characters.
pub const MAX_NAME: usize = 120;

/// What somebody saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sighting {
    /// When it was seen.
    pub seen: Timestamp,
    /// The address of the page.
    pub url: String,
    /// What is wrong with it, in the words of who saw it.
    pub description: String,
    /// The browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Who saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<String>,
    /// What was kept of their screenshots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screenshots: Vec<Screenshot>,
}

/// A screenshot that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Screenshot {
    /// The file in the folder of screenshots: the digest of its content, and what it is.
    pub file: String,
    /// What it was called.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
}

impl Sighting {
    /// The same, fit to be kept and shown: nothing in it moves a cursor, and everything has a limit.
    #[must_use]
    pub fn cleaned(self) -> Self {
        let name = |text: Option<String>| text.map(|text| clean_line(&text, MAX_NAME)).filter(|text| !text.is_empty());
        Self {
            seen: self.seen,
            url: clean_line(&self.url, MAX_PAGE),
            description: clean_text(&self.description, MAX_LINES, MAX_DESCRIPTION),
            browser: name(self.browser),
            system: name(self.system),
            device: name(self.device),
            reported_by: name(self.reported_by),
            screenshots: self.screenshots.into_iter().take(MAX_SCREENSHOTS).collect(),
        }
    }

    /// Which of its words don't fit, and are cut when they are cleaned.
    pub fn cut(&self) -> Vec<&'static str> {
        let names = [
            ("browser", &self.browser),
            ("system", &self.system),
            ("device", &self.device),
            ("name of who saw it", &self.reported_by),
        ];
        let long = |text: &str| clean_line(text, MAX_NAME) != clean_line(text, text.len());
        let description = is_cut(&self.description, MAX_DESCRIPTION).then_some("description");
        let names = names.into_iter().filter(|(_, text)| text.as_deref().is_some_and(long));
        description.into_iter().chain(names.map(|(what, _)| what)).collect()
    }
}

/// Whether somebody's own words don't fit into `most` characters, or the lines that are kept.
pub fn is_cut(text: &str, most: usize) -> bool {
    clean_text(text, MAX_LINES, most) != clean_text(text, usize::MAX, text.len())
}

/// An anomaly, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Anomaly {
    /// Its number.
    pub number: u64,
    /// The site.
    pub site: SiteName,
    /// What was seen.
    #[serde(flatten)]
    pub sighting: Sighting,
    /// The run before that moment, if one had changed the site.
    pub run: Option<RunId>,
    /// When it was written down.
    pub told: Timestamp,
    /// Who wrote it down.
    pub by: String,
    /// What was done about it, in order.
    pub done: Vec<Done>,
}

/// One thing that was done about an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub what: Remedy,
}

/// What can be done about an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "did")]
pub enum Remedy {
    /// The site was to be put back to before the run.
    PutBack {
        /// The run that did it.
        run: RunId,
        /// How that ended.
        outcome: Outcome,
    },
    /// Updates of an extension wait.
    Held {
        /// Of which.
        extension: ComponentName,
        /// The last day.
        until: Date,
    },
    /// They do not wait any more.
    Released {
        /// Those of which.
        extension: ComponentName,
    },
    /// The same waits because of another anomaly now, until whatever that says.
    Replaced {
        /// The extension.
        extension: ComponentName,
        /// The other anomaly.
        by: u64,
    },
    /// It was answered.
    Answered {
        /// How.
        answer: String,
    },
}

impl Anomaly {
    /// The last answer, if there is one.
    pub fn answer(&self) -> Option<(&Done, &str)> {
        self.done.iter().rev().find_map(|done| match &done.what {
            Remedy::Answered { answer } => Some((done, answer.as_str())),
            _ => None,
        })
    }

    /// Whether it has no answer.
    pub fn is_open(&self) -> bool {
        self.answer().is_none()
    }

    /// When the site was put back for it the last time, where that succeeded.
    pub fn put_back(&self) -> Option<Timestamp> {
        let back = |done: &&Done| matches!(done.what, Remedy::PutBack { outcome: Outcome::Restored, .. });
        self.done.iter().rev().find(back).map(|done| done.at)
    }

    /// The extensions whose updates wait because of it, each with the last day, which may be over.
    pub fn held(&self) -> Vec<(&ComponentName, Date)> {
        let mut held: Vec<(&ComponentName, Date)> = Vec::new();
        for done in &self.done {
            match &done.what {
                Remedy::Held { extension, until } => {
                    held.retain(|(known, _)| *known != extension);
                    held.push((extension, *until));
                }
                Remedy::Released { extension } | Remedy::Replaced { extension, .. } => {
                    held.retain(|(known, _)| *known != extension);
                }
                Remedy::PutBack { .. } | Remedy::Answered { .. } => {}
            }
        }
        held
    }

    /// It with what had been done when only this was `known`; none where it was not written down then. What a run did is
    /// known to that run's own report, `of`.
    #[must_use]
    pub fn when(&self, known: impl Fn(Timestamp) -> bool, of: Option<RunId>) -> Option<Self> {
        let own = |done: &Done| matches!(done.what, Remedy::PutBack { run, .. } if Some(run) == of);
        let mut then = self.clone();
        then.done.retain(|done| known(done.at) || own(done));
        known(self.told).then_some(then)
    }
}

/// Updates of an extension of one site that wait because of an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SiteHold {
    /// The site.
    pub site: SiteName,
    /// The extension, or `core`.
    pub extension: ComponentName,
    /// The last day.
    pub until: Date,
    /// The anomaly.
    pub anomaly: u64,
}

impl SiteHold {
    /// Whether it holds a component of a site on `day`.
    pub fn covers(&self, site: &SiteName, component: &ComponentId, day: Date) -> bool {
        self.site == *site && day <= self.until && self.extension.names(component)
    }
}

impl Decision {
    /// An anomaly as a client tells of it.
    pub fn reported(site: SiteName, sighting: Sighting, run: Option<RunId>) -> Self {
        Self::AnomalyReported { site, sighting: Box::new(sighting.cleaned()), run }
    }

    /// The answer to an anomaly.
    pub fn answered(anomaly: u64, answer: &str) -> Self {
        Self::AnomalyAnswered { anomaly, answer: clean_text(answer, MAX_LINES, MAX_ANSWER) }
    }
}

impl Ledger {
    /// All anomalies, oldest first.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        let mut all: Vec<Anomaly> = Vec::new();
        for entry in self.entries() {
            let (anomaly, what) = match &entry.decision {
                Decision::AnomalyReported { site, sighting, run } => {
                    all.push(Anomaly {
                        number: entry.number,
                        site: site.clone(),
                        sighting: sighting.as_ref().clone(),
                        run: *run,
                        told: entry.at,
                        by: entry.by.clone(),
                        done: Vec::new(),
                    });
                    continue;
                }
                Decision::AnomalyPutBack { anomaly, run, outcome } => {
                    (anomaly, Remedy::PutBack { run: *run, outcome: *outcome })
                }
                Decision::AnomalyHeld { anomaly, extension, until, .. } => {
                    (anomaly, Remedy::Held { extension: extension.clone(), until: *until })
                }
                Decision::AnomalyReleased { anomaly, extension, .. } => {
                    (anomaly, Remedy::Released { extension: extension.clone() })
                }
                Decision::AnomalyAnswered { anomaly, answer } => (anomaly, Remedy::Answered { answer: answer.clone() }),
                _ => continue,
            };
            let Ok(place) = all.binary_search_by_key(anomaly, |one| one.number) else { continue };
            end_others(&mut all, place, &what, entry);
            all[place].done.push(Done { at: entry.at, by: entry.by.clone(), what });
        }
        all
    }

    /// Whether it is written down what came of a restore for an anomaly.
    pub fn knows_of_restore(&self, of: RunId) -> bool {
        let tells = |decision: &Decision| matches!(decision, Decision::AnomalyPutBack { run, .. } if *run == of);
        self.entries().iter().any(|entry| tells(&entry.decision))
    }

    /// The holds of single sites that stand, those that are over included.
    pub fn site_holds(&self) -> Vec<SiteHold> {
        let mut all: Vec<SiteHold> = Vec::new();
        for entry in self.entries() {
            match &entry.decision {
                Decision::AnomalyHeld { anomaly, site, extension, until } => {
                    all.retain(|one| one.site != *site || one.extension != *extension);
                    let (site, extension) = (site.clone(), extension.clone());
                    all.push(SiteHold { site, extension, until: *until, anomaly: *anomaly });
                }
                Decision::AnomalyReleased { site, extension, .. } => {
                    all.retain(|one| one.site != *site || one.extension != *extension);
                }
                _ => {}
            }
        }
        all
    }
}

/// Of an extension's holds on a site the last word counts, so it ends those because of other anomalies.
fn end_others(all: &mut [Anomaly], place: usize, what: &Remedy, entry: &LedgerEntry) {
    let (extension, by) = match what {
        Remedy::Held { extension, .. } => (extension, Some(all[place].number)),
        Remedy::Released { extension } => (extension, None),
        _ => return,
    };
    let (number, site) = (all[place].number, all[place].site.clone());
    let holds = |one: &Anomaly| one.held().iter().any(|(held, _)| *held == extension);
    for other in all.iter_mut().filter(|one| one.number != number && one.site == site) {
        if !holds(other) {
            continue;
        }
        let extension = extension.clone();
        let what = match by {
            Some(by) => Remedy::Replaced { extension, by },
            None => Remedy::Released { extension },
        };
        other.done.push(Done { at: entry.at, by: entry.by.clone(), what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn site() -> SiteName {
        SiteName::new("shop").unwrap()
    }

    fn sighting(description: &str) -> Sighting {
        Sighting {
            seen: at(5),
            url: "https://shop.example/cart".into(),
            description: description.into(),
            browser: None,
            system: None,
            device: None,
            reported_by: Some("Marie".into()),
            screenshots: Vec::new(),
        }
    }

    fn ledger(decisions: Vec<Decision>) -> Ledger {
        let entry = |(place, decision)| LedgerEntry {
            number: place as u64 + 1,
            at: at(10 * (place as i64 + 1)),
            by: "ops".into(),
            decision,
        };
        Ledger::new(decisions.into_iter().enumerate().map(entry).collect())
    }

    fn name(text: &str) -> ComponentName {
        ComponentName::new(text).unwrap()
    }

    fn told() -> Vec<Decision> {
        let run = RunId::new(at(1));
        let day = |text: &str| text.parse().unwrap();
        vec![
            Decision::reported(site(), sighting("the cart is empty"), Some(run)),
            Decision::AnomalyPutBack { anomaly: 1, run, outcome: Outcome::Restored },
            Decision::AnomalyHeld { anomaly: 1, site: site(), extension: name("plugin:a"), until: day("2026-12-01") },
            Decision::AnomalyHeld { anomaly: 1, site: site(), extension: name("plugin:a"), until: day("2026-12-05") },
            Decision::AnomalyHeld { anomaly: 1, site: site(), extension: name("theme:b"), until: day("2026-12-05") },
            Decision::AnomalyReleased { anomaly: 1, site: site(), extension: name("theme:b") },
            Decision::answered(1, "the vendor mends it"),
            Decision::answered(99, "to nothing"),
        ]
    }

    #[test]
    fn what_was_done_about_an_anomaly_is_told_in_order_and_the_last_word_counts() {
        let ledger = ledger(told());
        let [anomaly] = ledger.anomalies().try_into().unwrap();
        assert_eq!((anomaly.number, anomaly.told, anomaly.done.len()), (1, at(10), 6));
        assert_eq!(anomaly.held(), [(&name("plugin:a"), "2026-12-05".parse().unwrap())]);
        assert_eq!(anomaly.put_back(), Some(at(20)));
        assert_eq!(anomaly.answer().map(|(done, answer)| (done.at, answer)), Some((at(70), "the vendor mends it")));
        let [hold] = ledger.site_holds().try_into().unwrap();
        let (a, b) = (ComponentId::new("plugin", "a").unwrap(), ComponentId::new("theme", "b").unwrap());
        let day = |text: &str| -> Date { text.parse().unwrap() };
        assert!(hold.covers(&site(), &a, day("2026-12-05")) && !hold.covers(&site(), &a, day("2026-12-06")));
        assert!(!hold.covers(&site(), &b, day("2026-12-05")));
        assert!(!hold.covers(&SiteName::new("other").unwrap(), &a, day("2026-12-05")), "another site's");
    }

    #[test]
    fn a_report_that_is_made_again_says_what_was_known_then() {
        let [anomaly] = ledger(told()).anomalies().try_into().unwrap();
        assert_eq!(anomaly.when(|known| known <= at(9), None), None);
        let then = anomaly.when(|known| known <= at(10), None).unwrap();
        assert!(then.is_open() && then.done.is_empty());
        let own = anomaly.when(|known| known <= at(10), Some(RunId::new(at(1))));
        assert_eq!(own.unwrap().done.len(), 0, "another run, although of the same time");
        let own = anomaly.when(|known| known <= at(10), anomaly.run).unwrap();
        assert_eq!(own.put_back(), Some(at(20)), "that run's own report knows what it did");
        assert!(!anomaly.when(|known| known <= at(70), None).unwrap().is_open());
    }

    #[test]
    fn words_of_a_client_are_bounded_and_move_no_cursor() {
        let hostile = format!("a\u{1b}[2J\u{202e}b\n{}\n{}", "x".repeat(10_000), "line\n".repeat(100));
        let Decision::AnomalyReported { sighting, .. } = Decision::reported(site(), sighting(&hostile), None) else {
            panic!("it is one");
        };
        assert!(sighting.description.starts_with("a·[2J·b\nxxx"), "{}", sighting.description);
        assert!(sighting.description.chars().count() <= MAX_DESCRIPTION + 1);
        assert!(sighting.description.lines().count() <= MAX_LINES + 1);
        let long = format!("{}\nlast", "word ".repeat(300));
        let Decision::AnomalyReported { sighting: whole, .. } = Decision::reported(site(), self::sighting(&long), None)
        else {
            panic!("it is one");
        };
        assert!(whole.description.ends_with("word\nlast"), "a line of 1500 characters is kept whole");
        let Decision::AnomalyAnswered { answer, .. } = Decision::answered(1, &"y".repeat(MAX_ANSWER)) else {
            panic!("it is one");
        };
        assert_eq!(answer, "y".repeat(MAX_ANSWER));
        let json = serde_json::to_string(&Decision::reported(site(), *sighting, None)).unwrap();
        assert!(matches!(serde_json::from_str(&json).unwrap(), Decision::AnomalyReported { .. }));
    }

    #[test]
    fn what_is_cut_is_known() {
        let told = |description: &str| sighting(description);
        assert_eq!(told(&"x".repeat(MAX_DESCRIPTION)).cut(), [""; 0]);
        assert_eq!(told("a  b\n\n c\u{1b}").cut(), [""; 0], "what is cleaned is not cut");
        assert_eq!(told(&"x".repeat(MAX_DESCRIPTION + 1)).cut(), ["description"]);
        assert_eq!(told(&"x\n".repeat(MAX_LINES + 1)).cut(), ["description"]);
        let browser = Some("x".repeat(MAX_NAME + 1));
        assert_eq!(Sighting { browser, ..told("x") }.cut(), ["browser"]);
        assert!(is_cut(&"é".repeat(11), 10) && !is_cut(&"é".repeat(10), 10));
    }

    #[test]
    fn of_several_anomalies_only_the_last_one_holds() {
        let day = |text: &str| text.parse().unwrap();
        let hold = |anomaly, until| Decision::AnomalyHeld { anomaly, site: site(), extension: name("plugin:a"), until };
        let mut decisions = vec![
            Decision::reported(site(), sighting("one"), None),
            Decision::reported(site(), sighting("two"), None),
            hold(1, day("2026-12-24")),
            hold(2, day("2026-12-01")),
        ];
        let held = |decisions: &[Decision]| -> Vec<usize> {
            ledger(decisions.to_vec()).anomalies().iter().map(|one| one.held().len()).collect()
        };
        assert_eq!(held(&decisions), [0, 1], "the second took its place");
        let [first, _] = ledger(decisions.clone()).anomalies().try_into().unwrap();
        assert_eq!(first.when(|known| known < at(40), None).unwrap().held().len(), 1, "it stood until then");
        assert!(matches!(first.done.last().unwrap().what, Remedy::Replaced { by: 2, .. }));
        decisions.push(Decision::AnomalyReleased { anomaly: 1, site: site(), extension: name("plugin:a") });
        assert_eq!(held(&decisions), [0, 0], "lifted, whichever anomaly was named");
        assert!(ledger(decisions).site_holds().is_empty());
    }
}
