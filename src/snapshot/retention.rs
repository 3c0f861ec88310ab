//! Retention: which snapshots of a site are kept, and by which rule.
//!
//! May use: `plan` (what is to be kept). Invariants: pure; the newest snapshot is always kept;
//! what is kept once is kept again when only time has not gone on; more is never kept by asking
//! for less.

use crate::plan::Keep;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt;

/// Why a snapshot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is the newest one.
    Newest,
    /// Its time has not come yet: one of the clocks was wrong, so nothing is concluded from it.
    Future,
    /// A run that is open, was undone or got stuck needs it, or keeps it as its evidence.
    Run,
    /// It is one of the last.
    Last,
    /// It is the newest of its day.
    Daily,
    /// It is the newest of its week.
    Weekly,
    /// It is the newest of its month.
    Monthly,
    /// It is the newest of its year.
    Yearly,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Newest => "newest",
            Self::Future => "dated in the future",
            Self::Run => "a run needs it",
            Self::Last => "last",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

/// For each of these times the reasons to keep the snapshot that was taken then; none: it goes.
/// Days, weeks (from Monday), months and years are those of `zone`. A period in which no snapshot
/// was taken counts for nothing: a site that rested keeps what it has.
pub fn retain(taken: &[Timestamp], keep: &Keep, zone: &TimeZone, now: Timestamp) -> Vec<BTreeSet<Reason>> {
    let mut reasons = vec![BTreeSet::new(); taken.len()];
    let mut newest_first: Vec<usize> = (0..taken.len()).collect();
    newest_first.sort_by_key(|index| std::cmp::Reverse((taken[*index], *index)));
    if let Some(newest) = newest_first.first() {
        reasons[*newest].insert(Reason::Newest);
    }
    newest_first.retain(|index| {
        let future = taken[*index] > now;
        if future {
            reasons[*index].insert(Reason::Future);
        }
        !future
    });
    for index in newest_first.iter().take(keep.last as usize) {
        reasons[*index].insert(Reason::Last);
    }
    type Period = fn(Date) -> (i16, i16);
    let rules: [(Reason, u32, Period); 4] = [
        (Reason::Daily, keep.daily, |day| (day.year(), day.day_of_year())),
        (Reason::Weekly, keep.weekly, |day| {
            let week = day.iso_week_date();
            (week.year(), week.week().into())
        }),
        (Reason::Monthly, keep.monthly, |day| (day.year(), day.month().into())),
        (Reason::Yearly, keep.yearly, |day| (day.year(), 0)),
    ];
    for (reason, count, period) in rules {
        let (mut left, mut last) = (count, None);
        for index in &newest_first {
            let now = Some(period(taken[*index].to_zoned(zone.clone()).date()));
            if left > 0 && now != last {
                reasons[*index].insert(reason);
                (left, last) = (left - 1, now);
            }
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(texts: &[&str]) -> Vec<Timestamp> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn kept(taken: &[Timestamp], keep: &Keep, zone: &TimeZone, now: Timestamp) -> Vec<Timestamp> {
        let reasons = retain(taken, keep, zone, now);
        taken.iter().zip(reasons).filter(|(_, reasons)| !reasons.is_empty()).map(|(time, _)| *time).collect()
    }

    #[test]
    fn days_are_those_of_the_zone() {
        // 03:30 UTC is still the evening before in Montréal.
        let taken = times(&["2026-03-01T22:00:00Z", "2026-03-02T03:30:00Z", "2026-03-02T12:00:00Z"]);
        let keep = Keep { last: 0, daily: 5, weekly: 0, monthly: 0, yearly: 0 };
        let now = "2026-03-03T00:00:00Z".parse().unwrap();
        assert_eq!(kept(&taken, &keep, &TimeZone::UTC, now), times(&["2026-03-01T22:00:00Z", "2026-03-02T12:00:00Z"]));
        let zone = TimeZone::get("America/Toronto").unwrap();
        assert_eq!(kept(&taken, &keep, &zone, now), times(&["2026-03-02T03:30:00Z", "2026-03-02T12:00:00Z"]));
    }

    #[test]
    fn a_clock_that_ran_ahead_costs_no_snapshot() {
        let taken = times(&["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2036-01-01T00:00:00Z"]);
        let keep = Keep { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
        let reasons = retain(&taken, &keep, &TimeZone::UTC, "2026-03-02T01:00:00Z".parse().unwrap());
        assert_eq!(reasons[0], BTreeSet::new());
        assert_eq!(reasons[1], BTreeSet::from([Reason::Last]));
        assert_eq!(reasons[2], BTreeSet::from([Reason::Newest, Reason::Future]));
    }

    /// Hours before now, over some four years.
    fn taken() -> impl Strategy<Value = Vec<Timestamp>> {
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let time =
            (0i64..35_000).prop_map(move |hours| Timestamp::from_second(now.as_second() - hours * 3600).unwrap());
        proptest::collection::vec(time, 0..120)
    }

    fn keep() -> impl Strategy<Value = Keep> {
        (0u32..6, 0u32..10, 0u32..6, 0u32..14, 0u32..4).prop_map(|(last, daily, weekly, monthly, yearly)| Keep {
            last,
            daily,
            weekly,
            monthly,
            yearly,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
        #[test]
        fn retention_keeps_its_promises(taken in taken(), keep in keep(), more in keep(), later in 0i64..5_000) {
            let zone = TimeZone::get("America/Toronto").unwrap();
            let now = Timestamp::from_second(1_780_000_000).unwrap();
            let reasons = retain(&taken, &keep, &zone, now);
            // The newest stays, and each rule keeps as many as it may and as there are.
            if let Some(newest) = taken.iter().max() {
                prop_assert!(kept(&taken, &keep, &zone, now).contains(newest));
            }
            let count = |wanted: Reason| reasons.iter().filter(|one| one.contains(&wanted)).count();
            prop_assert_eq!(count(Reason::Last), taken.len().min(keep.last as usize));
            let days: BTreeSet<_> = taken.iter().map(|time| time.to_zoned(zone.clone()).date()).collect();
            prop_assert_eq!(count(Reason::Daily), days.len().min(keep.daily as usize));
            // What a rule keeps is the newest of its day.
            for (index, why) in reasons.iter().enumerate().filter(|(_, why)| why.contains(&Reason::Daily)) {
                let day = |time: &Timestamp| time.to_zoned(zone.clone()).date();
                let newer = taken.iter().any(|other| day(other) == day(&taken[index]) && *other > taken[index]);
                prop_assert!(!newer, "{:?}", why);
            }
            // A second time, nothing more goes, however much later; and asking for more keeps no less.
            let once = kept(&taken, &keep, &zone, now);
            let later = Timestamp::from_second(now.as_second() + later * 3600).unwrap();
            prop_assert_eq!(&kept(&once, &keep, &zone, later), &once);
            let most = Keep {
                last: keep.last + more.last, daily: keep.daily + more.daily, weekly: keep.weekly + more.weekly,
                monthly: keep.monthly + more.monthly, yearly: keep.yearly + more.yearly,
            };
            let wider: BTreeSet<_> = kept(&taken, &most, &zone, now).into_iter().collect();
            prop_assert!(once.iter().all(|time| wider.contains(time)));
            // The order in which they are named does not matter.
            let mut turned = taken.clone();
            turned.reverse();
            let same: BTreeSet<_> = kept(&turned, &keep, &zone, now).into_iter().collect();
            prop_assert_eq!(same, once.into_iter().collect::<BTreeSet<_>>());
        }
    }
}
