//! What is known besides a site and its plan: the fleet's decisions, and what became public.
//!
//! May use: `model`, `plan`, `ledger`. Invariant: values only; nothing known holds nothing.

use crate::ledger::{Entered, Immunity, Notice, SiteHold};
use crate::model::{ComponentId, SiteName, Version};
use crate::plan::Tag;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Notices, oldest first.
    pub notices: Vec<Notice>,
    /// Versions that broke a site.
    pub immunities: Vec<Immunity>,
    /// What waits on single sites, because a client told of an anomaly.
    pub holds: Vec<SiteHold>,
    /// Offers that close known vulnerabilities.
    pub fixes: Vec<Fix>,
    /// When an offer was seen first, on any site of its CMS.
    pub first_seen: HashMap<(ComponentId, Version), Timestamp>,
    /// Licences that vendors did not take.
    pub refused_licences: Vec<Entered>,
    /// Why keys can't be read, by their pools, as far as the site needs them.
    pub unreadable_keys: BTreeMap<Tag, String>,
}

/// An offer that closes known vulnerabilities of what is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Of what.
    pub component: ComponentId,
    /// The version on offer.
    pub version: Version,
    /// What it closes.
    pub closes: Vec<Closed>,
}

/// A known vulnerability that an update closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Its name: a CVE's, else that of the feed.
    pub name: String,
    /// When it was published, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

impl Known {
    /// The hold on a component of a site, on `day`.
    pub(super) fn hold_on(&self, site: &SiteName, component: &ComponentId, day: Date) -> Option<&SiteHold> {
        self.holds.iter().find(|hold| hold.covers(site, component, day))
    }

    /// The vulnerabilities that this version closes.
    pub(super) fn fixed_by(&self, component: &ComponentId, version: &Version) -> &[Closed] {
        let mut fixes = self.fixes.iter();
        fixes.find(|fix| fix.component == *component && fix.version == *version).map_or(&[], |fix| &fix.closes)
    }
}
