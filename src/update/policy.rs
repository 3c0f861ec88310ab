//! What the plan and the site allow, component by component.

use super::Inputs;
use super::coverage::Coverage;
use super::graph::Update;
use crate::inventory::{ChecksumState, Extension, Offer, Requirements};
use crate::model::{ComponentId, Hold, HoldReason, Kind, Slug, Version, VersionStep};
use crate::plan::Level;
use std::cmp::Ordering;
use std::collections::BTreeMap;

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

pub(super) fn decide(inputs: &Inputs<'_>) -> Decision {
    let mut decision = Decision { updates: BTreeMap::new(), holds: Vec::new(), languages: false };
    core(inputs, &mut decision);
    let coverage = Coverage::of(inputs);
    for extension in &inputs.inventory.extensions {
        let Some(offer) = &extension.offer else {
            continue;
        };
        if !inputs.updatable.contains(&extension.id.kind) {
            decision.languages |= extension.id.kind.as_str() == "language" && inputs.plan.updates.languages;
            continue;
        }
        consider(inputs, &coverage, extension, offer, &mut decision);
    }
    for unusable in &inputs.inventory.unusable {
        if let Some(hold) = unusable_hold(&unusable.shown, &unusable.why) {
            decision.holds.push(hold);
        }
    }
    after_core(inputs, &mut decision);
    missing(inputs, &mut decision);
    spread(inputs, &mut decision);
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

/// The core's id.
pub(super) fn core_id() -> Option<ComponentId> {
    ComponentId::new(Kind::CORE, Kind::CORE).ok()
}

/// The highest offer that is allowed moves; a higher one that is not allowed is held.
fn core(inputs: &Inputs<'_>, decision: &mut Decision) {
    let Some(id) = core_id() else { return };
    let core = &inputs.inventory.core;
    let scheme = inputs.versions.scheme;
    let mut offers: Vec<&Offer> = core.offers.iter().collect();
    offers.sort_by(|a, b| scheme.compare(&b.version, &a.version));
    offers.dedup_by(|a, b| a.version == b.version);
    let newer = |offer: &&&Offer| scheme.compare(&core.version, &offer.version) == Ordering::Less;
    for offer in offers.iter().filter(newer) {
        let step = scheme.step(&core.version, &offer.version, inputs.versions.train_parts(&id.kind));
        let reason = policy_reason(inputs, &id, "updates.core", inputs.plan.updates.core, step)
            .or_else(|| approval(inputs, &id, offer, step))
            .or_else(|| package_reason(offer))
            .or_else(|| platform_reason(inputs, &offer.requires))
            .or_else(|| modified(inputs, &id))
            .or_else(|| core.unwritable.clone().map(|path| HoldReason::NotWritable { path }));
        let Some(reason) = reason else {
            let update = Update {
                component: id.clone(),
                title: core.title.clone(),
                from: core.version.clone(),
                to: offer.version.clone(),
                source: offer.source.clone(),
                step,
                because: Vec::new(),
            };
            decision.updates.insert(id, update);
            return;
        };
        // Of the versions that wait, only the highest is worth a line.
        if decision.holds.is_empty() {
            decision.holds.push(Hold {
                component: id.clone(),
                title: core.title.clone(),
                installed: core.version.clone(),
                offered: Some(offer.version.clone()),
                reason,
            });
        }
    }
}

fn consider(inputs: &Inputs<'_>, coverage: &Coverage, extension: &Extension, offer: &Offer, decision: &mut Decision) {
    let id = &extension.id;
    let scheme = inputs.versions.scheme;
    let Some(installed) = &extension.version else {
        decision.holds.extend(Version::new("0").ok().map(|zero| Hold {
            component: id.clone(),
            title: extension.title.clone(),
            installed: zero,
            offered: Some(offer.version.clone()),
            reason: HoldReason::Unusable { why: "the installed version can't be read".into() },
        }));
        return;
    };
    let step = scheme.step(installed, &offer.version, inputs.versions.train_parts(&id.kind));
    if step == VersionStep::None {
        return;
    }
    let reason = policy_reason(inputs, id, "updates.extensions", inputs.plan.updates.extensions, step)
        .or_else(|| coverage.lacking(id).map(|tier| HoldReason::OutsidePlan { tier }))
        .or_else(|| package_reason(offer))
        .or_else(|| platform_reason(inputs, &offer.requires))
        .or_else(|| modified(inputs, id))
        .or_else(|| extension.unwritable.clone().map(|path| HoldReason::NotWritable { path }));
    match reason {
        Some(reason) => decision.holds.push(Hold {
            component: id.clone(),
            title: extension.title.clone(),
            installed: installed.clone(),
            offered: Some(offer.version.clone()),
            reason,
        }),
        None => {
            let update = Update {
                component: id.clone(),
                title: extension.title.clone(),
                from: installed.clone(),
                to: offer.version.clone(),
                source: offer.source.clone(),
                step,
                because: Vec::new(),
            };
            decision.updates.insert(id.clone(), update);
        }
    }
}

fn policy_reason(
    inputs: &Inputs<'_>,
    id: &ComponentId,
    key: &str,
    level: Level,
    step: VersionStep,
) -> Option<HoldReason> {
    if let Some(why) = inputs.failed.get(id) {
        return Some(HoldReason::Failed { why: why.clone() });
    }
    if let Some(hold) = inputs.plan.hold_on(id, inputs.today) {
        return Some(HoldReason::Planned { why: hold.why.clone(), until: hold.until });
    }
    let allowed = match level {
        Level::None => false,
        Level::Minor => step != VersionStep::Major,
        Level::Major => true,
    };
    (!allowed).then(|| HoldReason::Policy { key: key.to_owned(), allows: level.as_str().to_owned() })
}

/// A major version of the core needs a recorded approval of just that version.
fn approval(inputs: &Inputs<'_>, id: &ComponentId, offer: &Offer, step: VersionStep) -> Option<HoldReason> {
    let approved = inputs.plan.approval_of(id, &offer.version).is_some_and(|approval| approval.on <= inputs.today);
    (step == VersionStep::Major && !approved).then_some(HoldReason::Approval)
}

fn package_reason(offer: &Offer) -> Option<HoldReason> {
    (!offer.package).then_some(HoldReason::Licence)
}

fn platform_reason(inputs: &Inputs<'_>, requires: &Requirements) -> Option<HoldReason> {
    requires.platform.iter().find_map(|(part, needs)| {
        let has = inputs.inventory.platform.get(part);
        // A part that the site does not tell of can't be judged, and is not a reason to wait.
        let has = has?;
        (inputs.versions.scheme.compare(has, needs) == Ordering::Less).then(|| HoldReason::Platform {
            part: part.clone(),
            needs: needs.clone(),
            has: Some(has.clone()),
        })
    })
}

fn modified(inputs: &Inputs<'_>, id: &ComponentId) -> Option<HoldReason> {
    let checksum = inputs.inventory.checksums.get(id)?;
    (checksum.state == ChecksumState::Modified)
        .then(|| HoldReason::Modified { files: checksum.files.iter().take(10).cloned().collect() })
}

/// Holds what needs a newer core than this run will reach.
fn after_core(inputs: &Inputs<'_>, decision: &mut Decision) {
    let reached = core_id().and_then(|id| decision.updates.get(&id)).map(|update| update.to.clone());
    let reached = reached.unwrap_or_else(|| inputs.inventory.core.version.clone());
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
    loop {
        let held: Vec<(ComponentId, bool)> = decision
            .holds
            .iter()
            .map(|hold| (hold.component.clone(), inputs.failed.contains_key(&hold.component)))
            .collect();
        let next = decision.updates.keys().find_map(|id| {
            held.iter().find_map(|(other, failed)| {
                let together =
                    inputs.plan.updates.together.iter().any(|group| {
                        group.iter().any(|name| name.names(id)) && group.iter().any(|name| name.names(other))
                    });
                let depends = *failed && needs_of(inputs, id).contains(other);
                (together || depends).then(|| (id.clone(), other.clone()))
            })
        });
        let Some((id, other)) = next else { return };
        decision.hold(&id, HoldReason::With { other });
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
            let known = inputs.inventory.extensions.iter().map(|e| e.id.clone()).chain(core_id());
            needs.extend(known.filter(|other| before.iter().any(|name| name.names(other))));
        }
    }
    needs.sort();
    needs.dedup();
    needs.retain(|other| other != id);
    needs
}
