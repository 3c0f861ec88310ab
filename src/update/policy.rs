//! What the plan and the site allow, component by component.

use super::coverage::Coverage;
use super::graph::Update;
use super::licence::licence;
use super::{Fix, Inputs, Lane};
use crate::inventory::{ChecksumState, Extension, Offer, Requirements};
use crate::ledger::{Verdict, covering, covers};
use crate::model::{
    ComponentId, ComponentName, Hold, HoldReason, Kind, Lifter, Slug, Tier, Version, VersionScheme, VersionStep,
};
use crate::plan::Level;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What moves and what waits, before any order.
pub(super) struct Decision {
    /// What moves.
    pub(super) updates: BTreeMap<ComponentId, Update>,
    /// What waits.
    pub(super) holds: Vec<Hold>,
    /// Whether language files have something to take.
    pub(super) languages: bool,
}

impl Decision {
    /// Takes an update out and holds it.
    pub(super) fn hold(&mut self, id: &ComponentId, reason: HoldReason) {
        if let Some(update) = self.updates.remove(id) {
            self.holds.push(Hold {
                component: update.component,
                title: update.title,
                installed: update.from,
                offered: Some(update.to),
                reason,
            });
        }
    }
}

/// Decides. An update is urgent when it closes a vulnerability, or when one that does needs it or moves together with
/// it; so what can't move after all is no reason for others to, and it is decided again without it.
pub(super) fn decide(inputs: &Inputs<'_>) -> Decision {
    let mut fixes: Vec<&Fix> = inputs.known.fixes.iter().collect();
    loop {
        let decision = decide_with(inputs, &Urgent::new(inputs, &fixes));
        let count = fixes.len();
        let moves = |fix: &Fix| decision.updates.get(&fix.component).is_some_and(|update| update.to == fix.version);
        // What only this attempt leaves out is as urgent as before, and so is what it needs.
        let put_off = |fix: &Fix| {
            let of_it = |hold: &&Hold| hold.component == fix.component && hold.offered.as_ref() == Some(&fix.version);
            decision.holds.iter().filter(of_it).any(|hold| hold.reason == HoldReason::Postponed)
        };
        fixes.retain(|fix| moves(fix) || put_off(fix));
        if fixes.len() == count {
            return decision;
        }
    }
}

fn decide_with(inputs: &Inputs<'_>, urgent: &Urgent<'_>) -> Decision {
    let mut decision = Decision { updates: BTreeMap::new(), holds: Vec::new(), languages: false };
    core(inputs, urgent, &mut decision);
    let coverage = Coverage::of(inputs);
    for extension in &inputs.inventory.extensions {
        let Some(offer) = &extension.offer else {
            continue;
        };
        if !inputs.updatable.contains(&extension.id.kind) {
            let wanted = inputs.plan.updates.languages && inputs.lane == Lane::All && inputs.trial.is_none();
            decision.languages |= extension.id.kind.as_str() == "language" && wanted;
            continue;
        }
        consider(inputs, &coverage, urgent, extension, offer, &mut decision);
    }
    for unusable in &inputs.inventory.unusable {
        if let Some(hold) = unusable_hold(&unusable.shown, &unusable.why) {
            decision.holds.push(hold);
        }
    }
    // What spreads may take the core out, and then what needed it stays as well.
    loop {
        let before = decision.holds.len();
        after_core(inputs, &mut decision);
        missing(inputs, &mut decision);
        spread(inputs, &mut decision);
        if decision.holds.len() == before {
            break;
        }
    }
    decision.holds.sort_by(|a, b| {
        (&a.component, &a.offered.as_ref().map(Version::as_str))
            .cmp(&(&b.component, &b.offered.as_ref().map(Version::as_str)))
    });
    decision
}

/// A name that can't be used is shown as a hold under a stand-in name, so that it is not
/// forgotten.
fn unusable_hold(shown: &str, why: &str) -> Option<Hold> {
    let kind = Kind::new("unusable").ok()?;
    let slug: String = shown.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let slug = Slug::new(format!("x{}", slug.chars().take(60).collect::<String>())).ok()?;
    Some(Hold {
        component: ComponentId { kind, slug },
        title: shown.to_owned(),
        installed: Version::new("0").ok()?,
        offered: None,
        reason: HoldReason::Unusable { why: why.to_owned() },
    })
}

/// One offer under consideration.
struct Candidate<'a> {
    id: &'a ComponentId,
    title: &'a str,
    installed: &'a Version,
    offer: &'a Offer,
    step: VersionStep,
    unwritable: Option<&'a String>,
    /// The core beside which it will run.
    core: &'a Version,
}

impl Candidate<'_> {
    fn hold(&self, reason: HoldReason) -> Hold {
        Hold {
            component: self.id.clone(),
            title: self.title.to_owned(),
            installed: self.installed.clone(),
            offered: Some(self.offer.version.clone()),
            reason,
        }
    }

    fn update(&self, inputs: &Inputs<'_>) -> Update {
        Update {
            component: self.id.clone(),
            title: self.title.to_owned(),
            from: self.installed.clone(),
            to: self.offer.version.clone(),
            source: self.offer.source.clone(),
            step: self.step,
            because: Vec::new(),
            fixes: inputs.known.fixed_by(self.id, &self.offer.version).to_vec(),
            special: inputs.versions.scheme.is_special(&self.offer.version),
            licence: (!self.offer.package).then(|| licence(inputs, self.id).ok()).flatten(),
        }
    }

    fn versions(&self, inputs: &Inputs<'_>) -> (VersionScheme, usize) {
        (inputs.versions.scheme, inputs.versions.train_parts(&self.id.kind))
    }
}

/// The highest offer that is allowed moves; a higher one that is not allowed is held.
fn core(inputs: &Inputs<'_>, urgent: &Urgent<'_>, decision: &mut Decision) {
    let Some(id) = ComponentId::core() else { return };
    let core = &inputs.inventory.core;
    let scheme = inputs.versions.scheme;
    let mut offers: Vec<&Offer> = core.offers.iter().collect();
    offers.sort_by(|a, b| scheme.compare(&b.version, &a.version));
    let newer = |offer: &&&Offer| scheme.compare(&offer.version, &core.version) == Ordering::Greater;
    for offer in offers.iter().filter(newer) {
        let step = scheme.step(&core.version, &offer.version, inputs.versions.train_parts(&id.kind));
        let (title, unwritable) = (core.title.as_str(), core.unwritable.as_ref());
        let candidate =
            Candidate { id: &id, title, installed: &core.version, offer, step, unwritable, core: &offer.version };
        match reason(inputs, None, urgent, &candidate) {
            None => {
                decision.updates.insert(id.clone(), candidate.update(inputs));
                return;
            }
            // Of the versions that wait, only the highest is worth a line, and what this run itself put off.
            Some(reason) if decision.holds.is_empty() || is_of_this_run(&reason) => {
                decision.holds.retain(|hold| !is_of_this_run(&hold.reason));
                decision.holds.push(candidate.hold(reason));
            }
            Some(_) => {}
        }
    }
}

fn is_of_this_run(reason: &HoldReason) -> bool {
    matches!(reason, HoldReason::Postponed | HoldReason::Failed { .. })
}

fn consider(
    inputs: &Inputs<'_>,
    coverage: &Coverage,
    urgent: &Urgent<'_>,
    extension: &Extension,
    offer: &Offer,
    decision: &mut Decision,
) {
    let (id, title) = (&extension.id, extension.title.as_str());
    let Some(installed) = &extension.version else {
        decision.holds.extend(Version::new("0").ok().map(|zero| Hold {
            component: id.clone(),
            title: title.to_owned(),
            installed: zero,
            offered: Some(offer.version.clone()),
            reason: HoldReason::Unusable { why: "the installed version can't be read".into() },
        }));
        return;
    };
    let step = inputs.versions.scheme.step(installed, &offer.version, inputs.versions.train_parts(&id.kind));
    if step == VersionStep::None {
        return;
    }
    let unwritable = extension.unwritable.as_ref();
    let candidate = Candidate { id, title, installed, offer, step, unwritable, core: &core_reached(inputs, decision) };
    match reason(inputs, coverage.lacking(id), urgent, &candidate) {
        Some(reason) => decision.holds.push(candidate.hold(reason)),
        None => drop(decision.updates.insert(id.clone(), candidate.update(inputs))),
    }
}

/// Why an offer waits, if it does: what people decided first, then what the site lacks, then what only takes time.
fn reason(
    inputs: &Inputs<'_>,
    lacking: Option<Tier>,
    urgent: &Urgent<'_>,
    candidate: &Candidate<'_>,
) -> Option<HoldReason> {
    let urgent = urgent.holds(inputs, candidate);
    said_by_plan(inputs, candidate)
        .or_else(|| approval(inputs, candidate))
        .or_else(|| lacking.filter(|_| !urgent).map(|tier| HoldReason::OutsidePlan { tier }))
        .or_else(|| match &inputs.lane {
            Lane::Security(reason) if !urgent => Some(reason.clone()),
            Lane::Nothing(reason) => Some(reason.clone()),
            Lane::Security(_) | Lane::All => None,
        })
        .or_else(|| immune(inputs, candidate))
        .or_else(|| package_reason(inputs, candidate))
        .or_else(|| platform_reason(inputs, &candidate.offer.requires))
        .or_else(|| modified(inputs, candidate.id))
        .or_else(|| candidate.unwritable.map(|path| HoldReason::NotWritable { path: path.clone() }))
        .or_else(|| too_young(inputs, candidate).filter(|_| !urgent))
        .or_else(|| inputs.trial.is_some_and(|trial| !trial.contains(candidate.id)).then_some(HoldReason::Postponed))
}

fn said_by_plan(inputs: &Inputs<'_>, candidate: &Candidate<'_>) -> Option<HoldReason> {
    let (plan, id) = (&inputs.plan.updates, candidate.id);
    if let Some(why) = inputs.failed.get(id) {
        return Some(HoldReason::Failed { why: why.clone() });
    }
    if let Some(hold) = inputs.plan.hold_on(id, inputs.today()) {
        return Some(HoldReason::Planned { why: hold.why.clone(), until: hold.until });
    }
    if let Some(hold) = inputs.known.hold_on(&inputs.plan.site, id, inputs.today()) {
        return Some(HoldReason::Reported { anomaly: hold.anomaly, until: hold.until });
    }
    if let Some(manual) = plan.manual.iter().find(|manual| manual.extension.names(id)) {
        return Some(HoldReason::Manual { what: manual.what.clone(), who: manual.who });
    }
    let (key, level) = match id.kind.is_core() {
        true => ("updates.core", plan.core),
        false => ("updates.extensions", plan.extensions),
    };
    let allowed = match level {
        Level::None => false,
        Level::Minor => candidate.step != VersionStep::Major,
        Level::Major => true,
    };
    if !allowed {
        return Some(HoldReason::Policy { key: key.to_owned(), allows: level.as_str().to_owned() });
    }
    let version = &candidate.offer.version;
    let named = || plan.builds.iter().any(|build| build.extension.names(id) && build.version == *version);
    let special = inputs.versions.scheme.is_special(version);
    (special && plan.channel.is_stable() && !named()).then_some(HoldReason::Special)
}

/// A major version of the core, and whatever the plan marks, needs a recorded approval.
fn approval(inputs: &Inputs<'_>, candidate: &Candidate<'_>) -> Option<HoldReason> {
    let (id, to, versions) = (candidate.id, &candidate.offer.version, candidate.versions(inputs));
    let major = candidate.step == VersionStep::Major;
    let marked = inputs.plan.updates.approval.asks(id, major);
    if !(marked || major && id.kind.is_core()) {
        return None;
    }
    let today = inputs.today();
    let mut approvals = inputs.plan.approvals.iter();
    if approvals.any(|one| one.component.names(id) && one.on <= today && covers(&one.version, to, versions)) {
        return None;
    }
    let notice = covering(&inputs.known.notices, &inputs.plan.site, id, to, versions, inputs.now);
    match notice.map(|notice| (notice.number, notice.answer.as_ref().map(|answer| answer.verdict))) {
        Some((_, Some(Verdict::Approved))) => None,
        Some((notice, Some(Verdict::Declined))) => Some(HoldReason::Declined { notice }),
        _ => Some(HoldReason::Approval),
    }
}

/// What broke a site like this one.
fn immune(inputs: &Inputs<'_>, candidate: &Candidate<'_>) -> Option<HoldReason> {
    let stack = super::stack(inputs.plan, inputs.versions, inputs.inventory, candidate.core);
    let mut all = inputs.known.immunities.iter();
    let broke = all.find(|one| {
        one.component == *candidate.id && one.version == candidate.offer.version && stack.is_like(&one.stack)
    })?;
    Some(HoldReason::Immune { since: broke.since })
}

fn package_reason(inputs: &Inputs<'_>, candidate: &Candidate<'_>) -> Option<HoldReason> {
    match &candidate.offer.manual {
        Some(what) => Some(HoldReason::Manual { what: what.clone(), who: Lifter::Operator }),
        None if candidate.offer.package => None,
        None => licence(inputs, candidate.id).err(),
    }
}

fn platform_reason(inputs: &Inputs<'_>, requires: &Requirements) -> Option<HoldReason> {
    requires.platform.iter().find_map(|(part, needs)| {
        let has = inputs.inventory.platform.get(part);
        // A part that the site does not tell of may be too old.
        let enough = has.is_some_and(|has| inputs.versions.scheme.compare(has, needs) != Ordering::Less);
        (!enough).then(|| HoldReason::Platform { part: part.clone(), needs: needs.clone(), has: has.cloned() })
    })
}

fn modified(inputs: &Inputs<'_>, id: &ComponentId) -> Option<HoldReason> {
    let checksum = inputs.inventory.checksums.get(id)?;
    (checksum.state == ChecksumState::Modified)
        .then(|| HoldReason::Modified { files: checksum.files.iter().take(10).cloned().collect() })
}

/// A release is as old as its publisher says, else as long as it is known to us.
fn too_young(inputs: &Inputs<'_>, candidate: &Candidate<'_>) -> Option<HoldReason> {
    let delay = inputs.plan.updates.delay;
    if delay.is_zero() {
        return None;
    }
    let seen = || inputs.known.first_seen.get(&(candidate.id.clone(), candidate.offer.version.clone())).copied();
    let published = candidate.offer.published.or_else(seen).unwrap_or(inputs.now);
    let due = published.checked_add(delay.as_duration()).ok()?;
    (inputs.now < due).then(|| HoldReason::TooYoung { from: inputs.plan.day(due) })
}

/// What can't wait: what closes a known vulnerability, and whatever has to move along with it.
struct Urgent<'a> {
    fixes: &'a [&'a Fix],
    along: BTreeSet<ComponentId>,
    /// The least core that is needed, if a newer one is.
    core: Option<Version>,
}

impl<'a> Urgent<'a> {
    fn new(inputs: &Inputs<'_>, fixes: &'a [&'a Fix]) -> Self {
        let mut urgent = Self { fixes, along: fixes.iter().map(|fix| fix.component.clone()).collect(), core: None };
        let together = &inputs.plan.updates.together;
        loop {
            let before = urgent.along.len();
            let mut more: Vec<ComponentId> = urgent.along.iter().flat_map(|id| needs_of(inputs, id)).collect();
            let coupled =
                |names: &&Vec<ComponentName>| urgent.along.iter().any(|id| names.iter().any(|name| name.names(id)));
            for names in together.iter().filter(coupled) {
                let known =
                    inputs.inventory.extensions.iter().map(|extension| extension.id.clone()).chain(ComponentId::core());
                more.extend(known.filter(|id| names.iter().any(|name| name.names(id))));
            }
            urgent.along.extend(more);
            if urgent.along.len() == before {
                break;
            }
        }
        let scheme = inputs.versions.scheme;
        let needs = urgent.along.iter().filter_map(|id| offer_of(inputs, id)?.requires.core.as_ref());
        let newer = needs.filter(|needs| scheme.compare(&inputs.inventory.core.version, needs).is_lt());
        urgent.core = newer.max_by(|a, b| scheme.compare(a, b)).cloned();
        urgent
    }

    fn holds(&self, inputs: &Inputs<'_>, candidate: &Candidate<'_>) -> bool {
        let (id, version) = (candidate.id, &candidate.offer.version);
        let mut of_it = self.fixes.iter().filter(|fix| fix.component == *id).peekable();
        if of_it.peek().is_some() {
            return of_it.any(|fix| fix.version == *version);
        }
        let enough = |needs: &Version| inputs.versions.scheme.compare(version, needs).is_ge();
        self.along.contains(id) || id.kind.is_core() && self.core.as_ref().is_some_and(enough)
    }
}

/// The core after this run.
fn core_reached(inputs: &Inputs<'_>, decision: &Decision) -> Version {
    let update = ComponentId::core().and_then(|id| decision.updates.get(&id));
    update.map_or_else(|| inputs.inventory.core.version.clone(), |update| update.to.clone())
}

/// Holds what needs a newer core than this run will reach.
fn after_core(inputs: &Inputs<'_>, decision: &mut Decision) {
    let reached = core_reached(inputs, decision);
    let short: Vec<(ComponentId, Version)> = decision
        .updates
        .keys()
        .filter_map(|id| {
            let needs = offer_of(inputs, id)?.requires.core.clone()?;
            (inputs.versions.scheme.compare(&reached, &needs) == Ordering::Less).then(|| (id.clone(), needs))
        })
        .collect();
    for (id, needs) in short {
        decision.hold(&id, HoldReason::Core { needs, has: reached.clone() });
    }
}

/// Holds what needs an extension that is not there, or not active while it is itself active.
fn missing(inputs: &Inputs<'_>, decision: &mut Decision) {
    let lacking: Vec<(ComponentId, String)> = decision
        .updates
        .keys()
        .filter_map(|id| {
            let offer = offer_of(inputs, id)?;
            let active = inputs.inventory.extension(id).is_some_and(|extension| extension.active);
            let on = offer
                .requires
                .extensions
                .iter()
                .find(|on| inputs.inventory.extension(on).is_none_or(|extension| active && !extension.active))?;
            Some((id.clone(), on.to_string()))
        })
        .collect();
    for (id, on) in lacking {
        decision.hold(&id, HoldReason::Dependency { on });
    }
}

/// Holds spread: to the other members of a `together` group that has an offer on hold, and from
/// what broke the site to whatever depends on it.
fn spread(inputs: &Inputs<'_>, decision: &mut Decision) {
    let mut needed_by: BTreeMap<ComponentId, Vec<ComponentId>> = BTreeMap::new();
    for id in decision.updates.keys().filter(|_| !inputs.failed.is_empty()) {
        for needed in needs_of(inputs, id).into_iter().filter(|needed| inputs.failed.contains_key(needed)) {
            needed_by.entry(needed).or_default().push(id.clone());
        }
    }
    let together = &inputs.plan.updates.together;
    // A component of which a lower version moves is not held.
    let stays = |hold: &&Hold| !decision.updates.contains_key(&hold.component);
    let mut held: VecDeque<ComponentId> =
        decision.holds.iter().filter(stays).map(|hold| hold.component.clone()).collect();
    while let Some(other) = held.pop_front() {
        let mut along = needed_by.remove(&other).unwrap_or_default();
        for group in together.iter().filter(|group| group.iter().any(|name| name.names(&other))) {
            let members = decision.updates.keys().filter(|id| group.iter().any(|name| name.names(id)));
            along.extend(members.cloned());
        }
        along.sort();
        for id in along.into_iter().filter(|id| *id != other) {
            // What is held already is not held again.
            if decision.updates.contains_key(&id) {
                decision.hold(&id, HoldReason::With { other: other.clone() });
                held.push_back(id);
            }
        }
    }
}

/// The offer that is under consideration for an extension.
pub(super) fn offer_of<'a>(inputs: &'a Inputs<'_>, id: &ComponentId) -> Option<&'a Offer> {
    inputs.inventory.extension(id)?.offer.as_ref()
}

/// The other components that this one needs: declared by the installed or the offered version,
/// its parent, and the plan's `after`.
pub(super) fn needs_of(inputs: &Inputs<'_>, id: &ComponentId) -> Vec<ComponentId> {
    let extension = inputs.inventory.extension(id);
    let declared = extension.into_iter().flat_map(|extension| {
        let offered = extension.offer.iter().flat_map(|offer| &offer.requires.extensions);
        extension.requires.extensions.iter().chain(offered).chain(&extension.parent)
    });
    let mut needs: Vec<ComponentId> = declared.cloned().collect();
    for (name, before) in &inputs.plan.updates.after {
        if name.names(id) {
            let known = inputs.inventory.extensions.iter().map(|e| e.id.clone()).chain(ComponentId::core());
            needs.extend(known.filter(|other| before.iter().any(|name| name.names(other))));
        }
    }
    needs.sort();
    needs.dedup();
    needs.retain(|other| other != id);
    needs
}
