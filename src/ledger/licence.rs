//! Licences: what was done to the pools, and which sites were given a key.
//!
//! May use: `model`. Invariants: what a vendor refused counts until somebody changes the pool, or the site's seat in
//! it; no key has a place here.

use super::{Decision, Ledger};
use crate::model::{ComponentId, RunId, SiteName};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What was done to a pool, or with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum LicenceChange {
    /// It was added, or written anew.
    Added {
        /// Who sells the licences.
        vendor: String,
        /// What they are for.
        product: String,
        /// How many there are; none: as many as like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seats: Option<u32>,
        /// Their last day; none: for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Date>,
    },
    /// It was removed.
    Removed,
    /// A site was given a seat.
    Assigned {
        /// Which.
        site: SiteName,
    },
    /// A site gave its seat back.
    Released {
        /// Which.
        site: SiteName,
    },
    /// A run entered the key into a site, and updates are offered with it.
    Activated {
        /// Which site.
        site: SiteName,
        /// For what.
        component: ComponentId,
        /// Which run.
        run: RunId,
    },
    /// A run entered the key into a site, and its vendor did not take it.
    Refused {
        /// Which site.
        site: SiteName,
        /// For what.
        component: ComponentId,
        /// Which run.
        run: RunId,
        /// How that showed.
        why: String,
    },
}

/// A key that was entered into a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entered {
    /// The pool.
    pub pool: String,
    /// The site.
    pub site: SiteName,
    /// For what.
    pub component: ComponentId,
    /// When that was written down.
    pub since: Timestamp,
    /// Whether the vendor took it.
    pub taken: bool,
}

impl LicenceChange {
    /// The site that it is about, if it is about one.
    pub fn site(&self) -> Option<&SiteName> {
        match self {
            Self::Added { .. } | Self::Removed => None,
            Self::Assigned { site } | Self::Released { site } => Some(site),
            Self::Activated { site, .. } | Self::Refused { site, .. } => Some(site),
        }
    }
}

impl Ledger {
    /// The pools that ever had to do with a site, whatever came after.
    pub fn pools_of(&self, site: &SiteName) -> BTreeSet<&str> {
        let pools = self.entries().iter().filter_map(|entry| match &entry.decision {
            Decision::Licence { pool, change } if change.site() == Some(site) => Some(pool.as_str()),
            _ => None,
        });
        pools.collect()
    }

    /// The keys that were entered into sites and count still, oldest first.
    pub fn entered_licences(&self) -> Vec<Entered> {
        let mut all: Vec<Entered> = Vec::new();
        for entry in self.entries() {
            let Decision::Licence { pool, change } = &entry.decision else { continue };
            let mut enter = |site: &SiteName, component: &ComponentId, taken| {
                all.retain(|one| one.pool != *pool || one.site != *site || one.component != *component);
                let (pool, site, component) = (pool.clone(), site.clone(), component.clone());
                all.push(Entered { pool, site, component, since: entry.at, taken });
            };
            match change {
                LicenceChange::Activated { site, component, .. } => enter(site, component, true),
                LicenceChange::Refused { site, component, .. } => enter(site, component, false),
                LicenceChange::Added { .. } => all.retain(|one| one.taken || one.pool != *pool),
                LicenceChange::Removed => all.retain(|one| one.pool != *pool),
                LicenceChange::Assigned { site } => {
                    all.retain(|one| one.taken || one.pool != *pool || one.site != *site);
                }
                LicenceChange::Released { site } => all.retain(|one| one.pool != *pool || one.site != *site),
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::LedgerEntry;

    #[test]
    fn a_refusal_counts_until_the_pool_or_the_seat_changes() {
        let (site, component) = (SiteName::new("shop").unwrap(), ComponentId::new("plugin", "cache").unwrap());
        let run = RunId::new(Timestamp::UNIX_EPOCH);
        let refused =
            || LicenceChange::Refused { site: site.clone(), component: component.clone(), run, why: "no".into() };
        let activated = || LicenceChange::Activated { site: site.clone(), component: component.clone(), run };
        let added = LicenceChange::Added { vendor: "V".into(), product: "P".into(), seats: None, until: None };
        let ledger = |changes: Vec<LicenceChange>| {
            let entry = |(number, change)| LedgerEntry {
                number,
                at: Timestamp::UNIX_EPOCH,
                by: "ops".into(),
                decision: Decision::Licence { pool: "pool".into(), change },
            };
            Ledger::new((1..).zip(changes).map(entry).collect())
        };
        let after = |changes: Vec<LicenceChange>| {
            ledger(changes).entered_licences().iter().map(|one| one.taken).collect::<Vec<_>>()
        };
        assert_eq!(after(vec![refused()]), [false]);
        assert_eq!(after(vec![refused(), activated()]), [true]);
        assert_eq!(after(vec![activated(), refused()]), [false]);
        assert_eq!(after(vec![refused(), LicenceChange::Assigned { site: site.clone() }]), [false; 0]);
        assert_eq!(after(vec![refused(), added.clone()]), [false; 0]);
        assert_eq!(after(vec![activated(), added]), [true]);
        assert_eq!(after(vec![activated(), LicenceChange::Released { site: site.clone() }]), [false; 0]);
        assert_eq!(after(vec![activated(), LicenceChange::Removed]), [false; 0]);
        let gone = ledger(vec![activated(), LicenceChange::Released { site: site.clone() }, LicenceChange::Removed]);
        assert!(gone.pools_of(&site).contains("pool"), "its key may be on the site still");
        assert!(gone.pools_of(&SiteName::new("other").unwrap()).is_empty());
    }
}
