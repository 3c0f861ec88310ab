//! Reasons not to begin a run at all.

use super::Lane;
use crate::inventory::Inventory;
use crate::model::{HoldReason, Tier};
use crate::plan::{FleetRules, LapsedSecurity, OverCap, Plan};
use jiff::civil::Date;
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
    /// Somebody changed the site since the last run, and the plan says to stop then.
    Drift {
        /// The first changes, in words.
        drifts: Vec<String>,
        /// How many there are.
        count: u64,
        /// Why nobody knows whether there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown: Option<String>,
    },
    /// The playbook looks at sites of this making and does not update them.
    Unsupported {
        /// Its words.
        why: String,
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
            Self::Drift { unknown: Some(why), .. } => {
                write!(
                    f,
                    "nobody knows what was changed since the last run, and the plan says to stop where something was: {why}"
                )
            }
            Self::Drift { drifts, count, .. } => write!(
                f,
                "somebody changed the site since the last run, and the plan says to stop then ({count}: {}); look, then: intendant drift SITE --accept",
                drifts.join("; ")
            ),
            Self::Unsupported { why } => write!(f, "sites like this one are not updated: {why}"),
            Self::Failed { why } => f.write_str(why),
        }
    }
}

/// What may move at `moment`: less where the contract is over, or no window is open and the plan lets security
/// updates go ahead.
pub fn lane(plan: &Plan, rules: &FleetRules, moment: Moment) -> Lane {
    if let Some(until) = lapsed(plan, rules, plan.day(moment.now)) {
        let reason = HoldReason::Lapsed { until };
        return match rules.lapsed.security {
            LapsedSecurity::Apply => Lane::Security(reason),
            LapsedSecurity::Hold => Lane::Nothing(reason),
        };
    }
    let outside = plan.updates.security.as_ref().is_some_and(|security| security.outside_windows);
    match outside && is_outside_windows(plan, moment) {
        true => Lane::Security(HoldReason::NextWindow),
        false => Lane::All,
    }
}

/// The last day of the contract, where it is over and its grace too.
fn lapsed(plan: &Plan, rules: &FleetRules, today: Date) -> Option<Date> {
    let until = plan.contract.as_ref()?.until?;
    let grace = Span::new().days(i64::try_from(rules.lapsed.grace.as_secs() / 86_400).unwrap_or(0));
    let last = until.checked_add(grace).unwrap_or(Date::MAX);
    (last < today).then_some(until)
}

/// No window is open, though the plan has some and no blackout covers the day.
fn is_outside_windows(plan: &Plan, moment: Moment) -> bool {
    let free = plan.blackout_on(plan.day(moment.now)).is_none() && !plan.windows.is_empty();
    free && !moment.any_time && !window_is_open(plan, moment.now)
}

/// The reasons not to begin now; none means go on. `lane`: what may move; a lane that is narrower than all, with
/// something in it, is a reason to begin where there would be none.
pub fn refusals(plan: &Plan, inventory: &Inventory, rules: &FleetRules, moment: Moment, lane: &Lane) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    let today = plan.day(moment.now);
    let narrow = matches!(lane, Lane::Security(_));
    let contract = plan.contract.as_ref();
    if let Some(contract) = contract.filter(|contract| today < contract.from) {
        reasons.push(Refusal::Contract { number: contract.number.clone(), until: None });
    } else if let (Some(until), Some(contract)) = (lapsed(plan, rules, today).filter(|_| !narrow), contract) {
        reasons.push(Refusal::Contract { number: contract.number.clone(), until: Some(until) });
    }
    if let Some(blackout) = plan.blackout_on(today).filter(|_| !moment.any_time) {
        let why = blackout.why.clone().unwrap_or_else(|| "a blackout".into());
        reasons.push(Refusal::Blackout { until: blackout.until, why });
    } else if is_outside_windows(plan, moment) && *lane != Lane::Security(HoldReason::NextWindow) {
        reasons.push(Refusal::NoWindow { next: next_window(plan, moment.now) });
    }
    let extensions = inventory.counted();
    if let Some(cap) = plan.extension_cap().filter(|cap| plan.over_cap == OverCap::Refuse && extensions > *cap) {
        reasons.push(Refusal::OverCap { extensions, cap, tier: plan.tiers.covering(extensions) });
    }
    reasons.extend(inventory.unsupported.clone().map(|why| Refusal::Unsupported { why }));
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
    plan.blackout_on(plan.day(now)).is_none() && window_is_open(plan, now)
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
    window_end(plan, now).is_some()
}

/// When the last of the windows ends that are open at `now`; none where none is.
pub fn window_end(plan: &Plan, now: Timestamp) -> Option<Timestamp> {
    let open = openings(plan, now, -2..1).into_iter().filter(|(opens, ends)| *opens <= now && now < *ends);
    open.map(|(_, ends)| ends).max()
}

/// When the next window opens after `now`.
pub fn next_window(plan: &Plan, now: Timestamp) -> Option<Timestamp> {
    let next = |days| openings(plan, now, days).into_iter().map(|(opens, _)| opens).find(|opens| *opens > now);
    // Nearly always within a week; a blackout may be long.
    next(0..9).or_else(|| next(9..400))
}

/// The windows that are over at `now`, from the last `days` days, oldest first: when each opened and when it ended.
pub fn past_windows(plan: &Plan, now: Timestamp, days: u16) -> Vec<(Timestamp, Timestamp)> {
    let past = openings(plan, now, -i64::from(days)..1).into_iter();
    past.filter(|(_, ends)| *ends <= now).collect()
}
