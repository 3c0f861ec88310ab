//! The search for what breaks a site: what was blamed so far, and what the next attempt is limited to.
//!
//! May use: `journal`, `procedure`, `model`. Invariants: pure, and told by the attempts alone, so that whoever
//! recovers a run goes on with its search; what was kept is never undone for the search's sake; nobody is blamed
//! who was not seen to fail; what a connection or the store did wrong is nobody's fault here.
//!
//! A check after a group blames that group. Where the failure shows only at the end, the next attempt looks closely
//! after each group. Where that shows nothing, groups are halved: a half that works is kept, one that does not is
//! undone and halved again, until one group fails alone on top of what was kept.

use crate::journal::{AttemptState, StepFailure};
use crate::model::{ComponentId, HoldReason};
use crate::procedure::{Action, Procedure};
use std::collections::{BTreeMap, BTreeSet};

/// Where the search stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    blamed: BTreeMap<ComponentId, String>,
    /// Groups, in order, that break the site together on top of what is kept.
    suspects: Vec<Vec<ComponentId>>,
    attentive: bool,
    /// Whether language files were part of what was undone, and were not tried since.
    languages: bool,
    goes_on: bool,
}

/// How an attempt ended, as far as it says who broke the site.
enum End<'a> {
    /// What it did stays.
    Kept,
    /// It was undone, because this one broke the site.
    Blamed(&'a ComponentId, &'a str),
    /// It was undone, and somebody broke the site.
    Broken(&'a str),
    /// Nothing to learn.
    Nothing,
}

impl Search {
    /// The search after these attempts.
    pub fn of(attempts: &[AttemptState]) -> Self {
        attempts.iter().fold(Self::default(), Self::after)
    }

    /// A search that has found these so far.
    pub fn blaming(blamed: BTreeMap<ComponentId, String>) -> Self {
        Self { blamed, ..Self::default() }
    }

    /// What broke the site, and how.
    pub fn blamed(&self) -> &BTreeMap<ComponentId, String> {
        &self.blamed
    }

    /// Whether the next attempt looks closely after each group.
    pub fn is_attentive(&self) -> bool {
        self.attentive
    }

    /// What the next attempt is limited to, where it is: the first half of those under suspicion.
    pub fn trial(&self) -> Option<BTreeSet<ComponentId>> {
        let half = self.suspects.len().div_ceil(2);
        (half > 0).then(|| self.suspects[..half].iter().flatten().cloned().collect())
    }

    /// Whether another attempt may update more than the last one did.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    fn after(mut self, attempt: &AttemptState) -> Self {
        let procedure = &attempt.planned.procedure;
        self.goes_on = false;
        match end(attempt) {
            End::Kept => {
                let searched = !self.suspects.is_empty();
                self.suspects.drain(..self.suspects.len().div_ceil(2));
                let postponed = procedure.holds.iter().any(|hold| hold.reason == HoldReason::Postponed);
                // Where all updates work by themselves, language files are what is left to try.
                let languages = searched && self.suspects.is_empty() && std::mem::take(&mut self.languages);
                self.goes_on = postponed || !self.suspects.is_empty() || languages;
            }
            End::Blamed(id, why) => self.blame([id.clone()], why),
            End::Broken(why) => self.at_end(procedure, why),
            End::Nothing => {}
        }
        self
    }

    fn blame(&mut self, ids: impl IntoIterator<Item = ComponentId>, why: &str) {
        self.blamed.extend(ids.into_iter().map(|id| (id, why.to_owned())));
        self.suspects.clear();
        self.goes_on = true;
    }

    fn at_end(&mut self, procedure: &Procedure, why: &str) {
        let groups = procedure.groups();
        let languages = procedure.has_languages();
        self.languages |= languages;
        match groups.len() {
            0 => {}
            1 if !languages => self.blame(groups.into_iter().flatten(), why),
            _ => {
                self.suspects = if self.attentive { groups } else { Vec::new() };
                self.attentive = true;
                self.goes_on = true;
            }
        }
    }
}

fn end(attempt: &AttemptState) -> End<'_> {
    if attempt.kept() {
        return End::Kept;
    }
    let Some((step, failure)) = attempt.failure().filter(|_| attempt.undone()) else { return End::Nothing };
    match (&failure.blamed, &attempt.planned.procedure.steps[step].action) {
        (Some(id), _) if is_of_the_site(failure) => End::Blamed(id, &failure.why),
        (None, Action::Check { .. } | Action::Migrate { .. } | Action::Flush { .. } | Action::Restart { .. })
            if is_of_the_site(failure) =>
        {
            End::Broken(&failure.why)
        }
        _ => End::Nothing,
    }
}

/// Whether it is the site that failed, not the way to it.
fn is_of_the_site(failure: &StepFailure) -> bool {
    failure.claim.is_some() || failure.results.iter().any(crate::check::CheckResult::failed)
}
