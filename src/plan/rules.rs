//! What can't hold at once in a plan, each found at its place.

use super::updates::Level;
use super::{OverCap, Plan};
use crate::model::document::{Node, NodeValue, Place, Seg, Violation};
use crate::model::{Check, CheckedText, ComponentName, Period, PlainArgument, Tier, Tiers, nearest};
use std::collections::BTreeMap;

/// How long a host may wait for its runner, in seconds: it has to be longer than a line is silent now and then.
const HEAL_AFTER_S: std::ops::RangeInclusive<u64> = 10..=86_400;

/// The names in a document that its schema can't check: its playbook, and keys that are names.
pub(super) fn names(node: &Node, known_cms: &[&str], tiers: &Tiers) -> Vec<Violation> {
    let mut found = Vec::new();
    found.extend(tier(node, tiers));
    if let Some(cms) = node.get(&["cms".into()])
        && let NodeValue::Text(name) = &cms.value
        && super::CmsName::check(name).is_ok()
        && !known_cms.contains(&name.as_str())
    {
        let hint = match (nearest(name, known_cms.iter().copied()), known_cms) {
            (Some(near), _) => format!("did you mean {near}?"),
            (None, []) => "there is no playbook at all".to_owned(),
            (None, known) => format!("there are playbooks for: {}", known.join(", ")),
        };
        found.push(Violation::new(cms.place, format!("there is no playbook for {name:?}")).hint(hint));
    }
    if let Some(Node { value: NodeValue::Map(entries), .. }) = node.get(&["updates".into(), "after".into()]) {
        for (place, name, _) in entries {
            if let Err(error) = ComponentName::check(name) {
                found.push(Violation { place: *place, problem: error.problem, hint: error.hint });
            }
        }
    }
    found
}

/// A tier that nobody defined.
fn tier(node: &Node, tiers: &Tiers) -> Option<Violation> {
    let tier = node.get(&["tier".into()])?;
    let NodeValue::Text(name) = &tier.value else { return None };
    let unknown = Tier::try_from(name.clone()).ok().filter(|tier| !tiers.has(tier))?;
    let known = tiers.names();
    let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean {near}? "));
    let hint = format!(
        "{}One of: {}; the fleet's settings may have more: rules.tiers",
        near.unwrap_or_default(),
        known.join(", ")
    );
    Some(Violation::new(tier.place, format!("there is no tier {unknown}")).hint(hint))
}

/// Everything that can't hold at once.
pub(super) fn validate(plan: &Plan, node: &Node) -> Vec<Violation> {
    let mut rules = Rules { plan, node, found: Vec::new() };
    rules.tier();
    rules.coverage();
    rules.people();
    rules.dates();
    rules.windows();
    rules.policy();
    rules.together();
    rules.holds();
    rules.approvals();
    rules.licences();
    rules.snapshots();
    rules.drift();
    rules.checks();
    rules.heal_after();
    rules.found.extend(super::order::cycles(plan, node));
    rules.found
}

struct Rules<'a> {
    plan: &'a Plan,
    node: &'a Node,
    found: Vec<Violation>,
}

impl Rules<'_> {
    fn say(&mut self, path: &[Seg<'_>], problem: impl Into<String>, hint: impl Into<String>) {
        let place = self.node.place_of(path);
        self.say_at(place, problem, hint);
    }

    fn say_at(&mut self, place: Place, problem: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Violation::new(place, problem).hint(hint));
    }

    /// Says it of the second of two equal things.
    fn repeated<K: Ord>(&mut self, list: &str, keys: Vec<Option<K>>, what: &str) {
        let mut first: BTreeMap<K, usize> = BTreeMap::new();
        for (index, key) in keys.into_iter().enumerate() {
            let Some(key) = key else { continue };
            match first.get(&key) {
                Some(earlier) => {
                    let line = self.node.place_of(&[list.into(), (*earlier).into()]).line;
                    let hint = format!("the first one is in line {line}; keep one of them");
                    self.say(&[list.into(), index.into()], what, hint);
                }
                None => drop(first.insert(key, index)),
            }
        }
    }

    fn tier(&mut self) {
        let (Some(_), Some(own)) = (self.plan.cap, self.plan.tiers.cap(&self.plan.tier)) else {
            return;
        };
        let (tier, base, advanced) = (&self.plan.tier, Tier::Base, Tier::Advanced);
        self.say(
            &["cap".into()],
            format!("the tier {tier} covers {own} extensions; its plans have no cap of their own"),
            format!("leave out cap, or write tier: {} ({base} covers 10, {advanced} 25)", Tier::Custom),
        );
    }

    /// Covering what can't be named, and rules for a cap that is none.
    fn coverage(&mut self) {
        let covers = &self.plan.covers;
        if let Some(index) = covers.iter().position(ComponentName::is_core) {
            let hint = "the core is always covered; name extensions, the most important ones first";
            self.say(&["covers".into(), index.into()], "the core needs no place in covers", hint);
        }
        self.repeated("covers", covers.iter().map(Some).collect(), "this extension is named twice");
        if self.plan.extension_cap().is_some() {
            return;
        }
        for (key, is_there) in [("covers", !covers.is_empty()), ("over-cap", self.plan.over_cap != OverCap::Report)] {
            if is_there {
                let hint = "add the cap: the number of extensions that the plan covers";
                self.say(&[key.into()], format!("{key} has no effect: this plan has no cap"), hint);
            }
        }
    }

    fn people(&mut self) {
        let contacts = &self.plan.client.contacts;
        let mut seen: Vec<(String, usize)> = Vec::new();
        let mut found = Vec::new();
        for (index, contact) in contacts.iter().enumerate() {
            let path = ["client".into(), "contacts".into(), Seg::Item(index)];
            let place = self.node.place_of(&path);
            if contact.name.is_none() && contact.email.is_none() {
                found.push((
                    place,
                    "this contact has neither a name nor an e-mail address".to_owned(),
                    "email: name@shop.example, or name: for letters".to_owned(),
                ));
            }
            if contact.name.is_none() && contact.email.is_some() && !contact.address.is_empty() {
                found.push((
                    place,
                    "this contact has a postal address and no name".to_owned(),
                    "name: the first line of a letter".to_owned(),
                ));
            }
            let key = match (&contact.email, &contact.name) {
                (Some(email), _) => email.as_str().to_lowercase(),
                (None, Some(name)) => format!("{:?} {name}", contact.role),
                (None, None) => continue,
            };
            match seen.iter().find(|(other, _)| *other == key) {
                Some((_, line)) => found.push((
                    place,
                    "this contact stands here twice".to_owned(),
                    format!("the first one is in line {line}; keep one of them"),
                )),
                None => seen.push((key, place.line)),
            }
        }
        for (place, problem, hint) in found {
            self.say_at(place, problem, hint);
        }
    }

    fn dates(&mut self) {
        let plan = self.plan;
        if let Some((from, until)) = plan.contract.as_ref().and_then(|c| Some((c.from, c.until?)))
            && until < from
        {
            self.say(
                &["contract".into(), "until".into()],
                "this contract ends before it begins",
                format!("a day from {from} on"),
            );
        }
        for (index, blackout) in plan.blackouts.iter().enumerate() {
            if blackout.until < blackout.from {
                let path = ["blackouts".into(), index.into(), "until".into()];
                self.say(&path, "this blackout ends before it begins", format!("a day from {} on", blackout.from));
            }
        }
        let tags = plan.tags.iter().map(Some).collect();
        self.repeated("tags", tags, "this tag stands here twice");
    }

    fn windows(&mut self) {
        let day = Period::from_secs(24 * 3600);
        for (index, window) in self.plan.windows.iter().enumerate() {
            let length = ["windows".into(), index.into(), "for".into()];
            if window.length.is_zero() {
                self.say(&length, "this window is never open", "a length of time such as 2h");
            } else if window.length > day {
                self.say(
                    &length,
                    format!("a window of {} is longer than a day", window.length),
                    "at most 24h; write one window for each day",
                );
            }
            for (at, name) in window.on.iter().enumerate() {
                if window.on[..at].contains(name) {
                    let path = ["windows".into(), index.into(), "on".into(), at.into()];
                    self.say(&path, "this day stands here twice", "each day once");
                }
            }
        }
    }

    fn policy(&mut self) {
        if let Some(security) = &self.plan.updates.security
            && security.within.is_zero()
        {
            let path = ["updates".into(), "security".into(), "within".into()];
            self.say(&path, "no update is applied in no time", "a length of time such as 24h");
        }
    }

    fn together(&mut self) {
        let updates = &self.plan.updates;
        let mut group_of: BTreeMap<&ComponentName, usize> = BTreeMap::new();
        for (index, group) in updates.together.iter().enumerate() {
            let path = |member| ["updates".into(), "together".into(), index.into(), Seg::Item(member)];
            if group.len() < 2 {
                let place = self.node.place_of(&["updates".into(), "together".into(), index.into()]);
                self.say_at(
                    place,
                    "a group of what moves together has at least two members",
                    "[woocommerce, woocommerce-payments]",
                );
            }
            for (at, member) in group.iter().enumerate() {
                match group_of.get(member) {
                    Some(other) if *other == index => {
                        self.say(&path(at), format!("{member} stands in this group twice"), "each member once")
                    }
                    Some(other) => {
                        let line = self.node.place_of(&["updates".into(), "together".into(), (*other).into()]).line;
                        self.say(
                            &path(at),
                            format!("{member} stands in two groups"),
                            format!("the other group is in line {line}; make them one group"),
                        );
                    }
                    None => drop(group_of.insert(member, index)),
                }
                if member.is_core() && updates.core == Level::None {
                    self.say(
                        &path(at),
                        "this group would never move, because the core does not",
                        "updates.core is none: write minor or major, or take core out of the group",
                    );
                }
            }
        }
    }

    fn holds(&mut self) {
        let mut for_good: BTreeMap<&ComponentName, usize> = BTreeMap::new();
        for (index, hold) in self.plan.updates.hold.iter().enumerate() {
            let path = |key| ["updates".into(), "hold".into(), index.into(), Seg::Key(key)];
            if let (Some(from), Some(until)) = (hold.from, hold.until)
                && until < from
            {
                self.say(&path("until"), "this hold ends before it begins", format!("a day from {from} on"));
            }
            if hold.from.is_some() || hold.until.is_some() {
                continue;
            }
            match for_good.get(&hold.extension) {
                Some(first) => {
                    let line = self.node.place_of(&["updates".into(), "hold".into(), (*first).into()]).line;
                    self.say(
                        &path("extension"),
                        format!("{} is already held for good", hold.extension),
                        format!("the first hold is in line {line}; keep one of them"),
                    );
                }
                None => drop(for_good.insert(&hold.extension, index)),
            }
        }
    }

    fn approvals(&mut self) {
        let updates = &self.plan.updates;
        for (index, approval) in self.plan.approvals.iter().enumerate() {
            let path = ["approvals".into(), index.into(), "component".into()];
            let (key, level) = match approval.component.is_core() {
                true => ("core", updates.core),
                false => ("extensions", updates.extensions),
            };
            // A plan may ask for the approval of minor steps as well.
            if level < Level::Major && !(level == Level::Minor && updates.approval.asks_for_minor(&approval.component))
            {
                let problem = format!("this approval has no effect: updates.{key} is {}", level.as_str());
                self.say(&path, problem, format!("write updates: {{ {key}: major }}, which still needs an approval for each, or take the approval out"));
            }
        }
        let keys = self.plan.approvals.iter().map(|a| Some((&a.component, a.version.as_str()))).collect();
        self.repeated("approvals", keys, "this approval is recorded twice");
    }

    fn licences(&mut self) {
        for (index, licence) in self.plan.licences.iter().enumerate() {
            if licence.extension.is_core() {
                self.say(
                    &["licences".into(), index.into(), "extension".into()],
                    "the core needs no licence",
                    "the name of a commercial extension",
                );
            }
        }
        let keys = self.plan.licences.iter().map(|licence| Some(&licence.extension)).collect();
        self.repeated("licences", keys, "this extension already has a licence");
    }

    fn snapshots(&mut self) {
        let keep = &self.plan.snapshots.keep;
        if [keep.last, keep.daily, keep.weekly, keep.monthly, keep.yearly] == [0; 5] {
            let place = self.node.place_of_key(&["snapshots".into(), "keep".into()]);
            self.say_at(
                place,
                "no snapshot would be kept, so nothing could be restored",
                "keep: { last: 4, daily: 7, weekly: 4, monthly: 12 }",
            );
        }
    }

    fn drift(&mut self) {
        let breaking = &self.plan.drift.breaking;
        for (index, part) in breaking.iter().enumerate() {
            if breaking[..index].contains(part) {
                let path = ["drift".into(), "breaking".into(), index.into()];
                self.say(&path, format!("{} stands here twice", part.as_str()), "each part once");
            }
        }
    }

    fn heal_after(&mut self) {
        let seconds = self.plan.heal_after.as_secs();
        if !self.plan.heal_after.is_zero() && !(HEAL_AFTER_S).contains(&seconds) {
            self.say(
                &["heal-after".into()],
                "the host can't wait so long, or so short, before it puts the site back",
                "from 10s to 1d; 30m is usual, and 0s is never",
            );
        }
    }

    fn checks(&mut self) {
        for (index, check) in self.plan.checks.iter().enumerate() {
            for (key, problem, hint) in check.problems() {
                self.say(&["checks".into(), index.into(), key.into()], problem, hint);
            }
            if let Check::Command(check) = check {
                self.plain(&["checks".into(), index.into(), "command".into()], &check.command);
            }
        }
        for (index, _) in self.plan.restart.iter().enumerate().filter(|(_, argument)| argument.as_str().contains("{{"))
        {
            let hint = "the value itself; the command begins in the site's folder";
            self.say(&["restart".into(), index.into()], "nothing is inserted into the plan's restart", hint);
        }
    }

    /// What is a value in a playbook's command is nothing in a plan's, and `{{…}}` of other programs is theirs.
    fn plain(&mut self, path: &[Seg<'_>], command: &[PlainArgument]) {
        const VALUES: [&str; 4] = ["{{root}}", "{{url}}", "{{scripts}}", "{{scratch}}"];
        for (index, argument) in command.iter().enumerate() {
            if let Some(value) = VALUES.iter().find(|value| argument.as_str().contains(**value)) {
                let problem = format!("{value} stands for nothing in a plan, whose commands are taken as they are");
                let hint = "the path or address itself; a command begins in the site's folder";
                self.say(&[path, &[index.into()]].concat(), problem, hint);
            }
        }
    }
}
