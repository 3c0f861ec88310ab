//! Reasons not to begin a run at all.

use crate::inventory::Inventory;
use crate::model::Tier;
use crate::plan::{OverCap, Plan};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// The time of a decision, and whether a person insists on it.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// When.
    pub now: Timestamp,
    /// Whether windows and blackouts are set aside by an explicit flag.
    pub any_time: bool,
}

/// A reason not to begin a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Refusal {
    /// No window is open.
    NoWindow {
        /// When the next one opens.
        #[schemars(with = "Option<String>")]
        next: Option<Timestamp>,
    },
    /// A blackout covers the day.
    Blackout {
        /// The last day.
        #[schemars(with = "String")]
        until: jiff::civil::Date,
        /// The plan's words.
        why: String,
    },
    /// The contract is not current.
    Contract {
        /// Its number.
        number: String,
        /// The last day, if it is over.
        #[schemars(with = "Option<String>")]
        until: Option<jiff::civil::Date>,
    },
    /// The site has more extensions than its plan covers, and the plan says to stop then.
    OverCap {
        /// How many count.
        extensions: u32,
        /// How many are covered.
        cap: u32,
        /// The lowest tier that would cover them.
        tier: Tier,
    },
    /// An update service gave no usable answer.
    SourceDown {
        /// Which.
        source: String,
        /// What it said.
        why: String,
    },
    /// Somebody else updates the site right now.
    Busy {
        /// What shows it.
        what: String,
        /// Since when.
        #[schemars(with = "Option<String>")]
        since: Option<Timestamp>,
        /// What lifts it, if it is a left-over.
        lift: Option<String>,
    },
    /// Anything that made it impossible to begin; in words.
    Failed {
        /// What was tried, what came back, what to do.
        why: String,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoWindow { next: Some(next) } => write!(
                f,
                "no maintenance window of the plan is open; the next one opens at {next} (--any-time begins now)"
            ),
            Self::NoWindow { next: None } => f.write_str("no maintenance window of the plan will open"),
            Self::Blackout { until, why } => {
                write!(f, "the plan allows nothing until {until}: {why} (--any-time begins now)")
            }
            Self::Contract { number, until: Some(until) } => {
                write!(f, "the contract {number} ended on {until}; updates are due again when it is renewed")
            }
            Self::Contract { number, until: None } => write!(f, "the contract {number} has not begun"),
            Self::OverCap { extensions, cap, tier } => write!(
                f,
                "the site has {extensions} extensions, and its plan covers {cap}: over-cap says to stop then; the tier {tier} would cover them"
            ),
            Self::SourceDown { source, why } => write!(
                f,
                "the update service was not reached ({source}: {why}), so nobody knows what is pending; try again later"
            ),
            Self::Busy { what, since, lift } => {
                write!(f, "another update is under way: {what}")?;
                if let Some(since) = since {
                    write!(f, " since {since}")?;
                }
                match lift {
                    Some(lift) => write!(f, "; wait, or if it is dead lift it with: {lift}"),
                    None => f.write_str("; wait until it is over"),
                }
            }
            Self::Failed { why } => f.write_str(why),
        }
    }
}

/// The reasons not to begin now; none means go on.
pub fn refusals(plan: &Plan, inventory: &Inventory, moment: Moment) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    let zone = plan.windows.first().map_or(TimeZone::UTC, |window| window.zone.time_zone());
    let today = moment.now.to_zoned(zone).date();
    if let Some(contract) = plan.contract.as_ref().filter(|contract| !contract.covers(today)) {
        let until = contract.until.filter(|until| *until < today);
        reasons.push(Refusal::Contract { number: contract.number.clone(), until });
    }
    if !moment.any_time {
        if let Some(blackout) = plan.blackout_on(today) {
            let why = blackout.why.clone().unwrap_or_else(|| "a blackout".into());
            reasons.push(Refusal::Blackout { until: blackout.until, why });
        } else if !plan.windows.is_empty() && !window_is_open(plan, moment.now) {
            reasons.push(Refusal::NoWindow { next: next_window(plan, moment.now) });
        }
    }
    let extensions = inventory.counted();
    if let Some(cap) = plan.extension_cap().filter(|cap| plan.over_cap == OverCap::Refuse && extensions > *cap) {
        reasons.push(Refusal::OverCap { extensions, cap, tier: Tier::covering(extensions) });
    }
    for source in inventory.sources.iter().filter(|source| !source.reachable) {
        let why = source.why.clone().unwrap_or_else(|| "no usable answer".into());
        reasons.push(Refusal::SourceDown { source: source.name.clone(), why });
    }
    for trace in &inventory.busy {
        reasons.push(Refusal::Busy {
            what: trace.what.clone(),
            since: trace.since.and_then(|since| Timestamp::from_second(since).ok()),
            lift: trace.lift.clone(),
        });
    }
    reasons
}

/// Whether one of the plan's windows is open, and no blackout covers the day.
pub fn is_due(plan: &Plan, now: Timestamp) -> bool {
    let zone = plan.windows.first().map_or(TimeZone::UTC, |window| window.zone.time_zone());
    plan.blackout_on(now.to_zoned(zone).date()).is_none() && window_is_open(plan, now)
}

/// The openings of every window from `days_before` days before `now` on, soonest first.
fn openings(plan: &Plan, now: Timestamp, days: std::ops::Range<i64>) -> Vec<(Timestamp, Timestamp)> {
    let mut found = Vec::new();
    for window in &plan.windows {
        let zone = window.zone.time_zone();
        let today = now.to_zoned(zone.clone()).date();
        for offset in days.clone() {
            let Ok(day) = today.checked_add(Span::new().days(offset)) else {
                continue;
            };
            let on = window.on.iter().any(|weekday| jiff::civil::Weekday::from(*weekday) == day.weekday());
            if !on || plan.blackout_on(day).is_some() {
                continue;
            }
            // A start that the clocks skip is moved forward; one that comes twice counts once.
            let opens: Option<Zoned> = day.to_datetime(window.at).to_zoned(zone.clone()).ok();
            let ends = opens.as_ref().and_then(|opens| opens.timestamp().checked_add(window.length.as_duration()).ok());
            if let (Some(opens), Some(ends)) = (opens, ends) {
                found.push((opens.timestamp(), ends));
            }
        }
    }
    found.sort();
    found
}

fn window_is_open(plan: &Plan, now: Timestamp) -> bool {
    openings(plan, now, -2..1).iter().any(|(opens, ends)| *opens <= now && now < *ends)
}

fn next_window(plan: &Plan, now: Timestamp) -> Option<Timestamp> {
    openings(plan, now, 0..400).into_iter().map(|(opens, _)| opens).find(|opens| *opens > now)
}
