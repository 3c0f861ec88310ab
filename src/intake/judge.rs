//! What the inventory, the plan and the checks say, and the verdict.
//!
//! May use: `model`, `plan`, `playbook`, `inventory`. Invariant: pure.

use super::{Behind, Finding, MAX_FINDINGS, Severity, Texts, Verdict};
use crate::inventory::{ChecksumState, Inventory, Offer};
use crate::model::{ComponentId, Tier, Version, VersionStep, clean_line};
use crate::plan::Plan;
use crate::playbook::Versions;
use std::cmp::Ordering;

/// The work of bringing the core into another release train: the trial, the look at every page, the way back.
const CORE_MIN: u32 = 120;
/// The same for each extension that has to move along or be looked at again with it.
const WITH_CORE_MIN: u32 = 10;
/// The work of bringing one extension into another release train.
const EXTENSION_MIN: u32 = 30;

/// What was seen.
pub struct Seen<'a> {
    /// The contract.
    pub plan: &'a Plan,
    /// How versions compare.
    pub versions: &'a Versions,
    /// What the site said of itself.
    pub inventory: &'a Inventory,
    /// Checks that failed, in words.
    pub failing: Option<String>,
    /// What was found in files and tables.
    pub found: Vec<Finding>,
}

/// What comes of it.
pub struct Judged {
    /// Findings, the worst first.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub count: u64,
    /// Updates that are behind.
    pub behind: Vec<Behind>,
    /// The work that the major ones take, in minutes.
    pub estimate_min: u32,
    /// The verdict.
    pub verdict: Verdict,
}

/// Judges a site.
pub fn judge(seen: Seen<'_>) -> Judged {
    let behind = behind(seen.versions, seen.inventory);
    let estimate_min = estimate(&behind, seen.inventory);
    let mut findings = seen.found.clone();
    modified(&seen, &mut findings);
    pending(&behind, estimate_min, &mut findings);
    around(&seen, &mut findings);
    findings.sort_by(|a, b| (a.severity, &a.place, &a.rule, a.line).cmp(&(b.severity, &b.place, &b.rule, b.line)));
    // A rule that finds something twice in a file found one thing; two vulnerabilities of an extension are two.
    let what = |one: &Finding| (one.rule == "known-vulnerability").then(|| one.excerpt.clone());
    findings.dedup_by(|a, b| (&a.place, &a.rule) == (&b.place, &b.rule) && what(a) == what(b));
    let (count, verdict) = (findings.len() as u64, Verdict::of(&findings));
    findings.truncate(MAX_FINDINGS);
    Judged { findings, count, behind, estimate_min, verdict }
}

fn finding(rule: &str, severity: Severity, place: &str, why: [String; 2], todo: [&str; 2]) -> Finding {
    let [en, fr] = why;
    Finding::new(rule, severity, place, Texts { en, fr }, Texts::new(todo[0], todo[1]))
}

/// What nobody looked at may hold anything, so a site of which some was not looked at is not simply accepted.
pub fn missed(count: u64) -> Option<Finding> {
    let why = match count {
        0 => return None,
        1 => both("one file or table could not be looked at", "un fichier ou une table n’a pas pu être examiné"),
        _ => [
            format!("{count} files or tables could not be looked at"),
            format!("{count} fichiers ou tables n’ont pas pu être examinés"),
        ],
    };
    let todo = [
        "Look at them on the host, or make them readable and run the intake again.",
        "Les examiner sur l’hôte, ou les rendre lisibles et refaire l’examen.",
    ];
    Some(finding("not-looked-at", Severity::Medium, "files", why, todo))
}

fn same(text: &str) -> [String; 2] {
    [text.to_owned(), text.to_owned()]
}

fn counted(number: usize, one: &str, many: &str, rest: &str) -> String {
    format!("{number} {} {rest}", if number == 1 { one } else { many })
}

fn both(en: &str, fr: &str) -> [String; 2] {
    [en.to_owned(), fr.to_owned()]
}

/// The highest offer of everything that has one.
fn behind(versions: &Versions, inventory: &Inventory) -> Vec<Behind> {
    let mut all = Vec::new();
    let mut add = |id: &ComponentId, title: &str, from: Option<&Version>, offer: &Offer| {
        let step = from.map(|from| versions.scheme.step(from, &offer.version, versions.train_parts(&id.kind)));
        if step == Some(VersionStep::None) {
            return;
        }
        let major = step == Some(VersionStep::Major);
        let (component, title, from, to) = (id.clone(), title.to_owned(), from.cloned(), offer.version.clone());
        all.push(Behind { component, title, from, to, major });
    };
    let newest = inventory.core.offers.iter().max_by(|a, b| versions.scheme.compare(&a.version, &b.version));
    if let (Some(id), Some(offer)) = (ComponentId::core(), newest)
        && versions.scheme.compare(&inventory.core.version, &offer.version) == Ordering::Less
    {
        add(&id, &inventory.core.title, Some(&inventory.core.version), offer);
    }
    for extension in inventory.extensions.iter().filter(|extension| extension.id.kind.as_str() != "language") {
        if let Some(offer) = &extension.offer {
            add(&extension.id, &extension.title, extension.version.as_ref(), offer);
        }
    }
    all
}

fn estimate(behind: &[Behind], inventory: &Inventory) -> u32 {
    let major =
        |core: bool| behind.iter().filter(|one| one.major && one.component.kind.is_core() == core).count() as u32;
    let core = if major(true) > 0 { CORE_MIN + WITH_CORE_MIN.saturating_mul(inventory.counted()) } else { 0 };
    core.saturating_add(EXTENSION_MIN.saturating_mul(major(false)))
}

fn modified(seen: &Seen<'_>, findings: &mut Vec<Finding>) {
    for (id, checksum) in &seen.inventory.checksums {
        if !matches!(checksum.state, ChecksumState::Modified | ChecksumState::Accepted) {
            continue;
        }
        let todo = [
            "Put the original files back, or agree with the client that they are not updated.",
            "Remettre les fichiers d’origine, ou convenir avec le client qu’ils ne sont pas mis à jour.",
        ];
        let why =
            both("its files are not those that were published", "ses fichiers ne sont pas ceux qui ont été publiés");
        let shown: Vec<&str> = checksum.files.iter().take(10).map(String::as_str).collect();
        let excerpt = (!shown.is_empty()).then(|| clean_line(&shown.join(", "), 400));
        findings.push(Finding { excerpt, ..finding("modified-files", Severity::High, &id.to_string(), why, todo) });
    }
    let core = ComponentId::core();
    let known = core.and_then(|id| seen.inventory.checksums.get(&id)).map(|checksum| checksum.state);
    if matches!(known, None | Some(ChecksumState::Unknown)) {
        let why = both(
            "nobody can say whether its files are those that were published",
            "personne ne peut dire si ses fichiers sont ceux qui ont été publiés",
        );
        let todo = [
            "Try again when the published checksums can be had.",
            "Réessayer quand les sommes publiées seront disponibles.",
        ];
        findings.push(finding("core-unproven", Severity::Medium, "core:core", why, todo));
    }
}

fn pending(behind: &[Behind], estimate_min: u32, findings: &mut Vec<Finding>) {
    for (major, rule) in [(true, "major-versions-behind"), (false, "updates-pending")] {
        let some: Vec<&Behind> = behind.iter().filter(|one| one.major == major).collect();
        if some.is_empty() {
            continue;
        }
        let lines = some.iter().take(20).map(|one| {
            let from = one.from.as_ref().map_or("?", Version::as_str);
            format!("{} {from} → {}", one.title, one.to)
        });
        let excerpt = Some(clean_line(&lines.collect::<Vec<_>>().join(", "), 600));
        let why = match major {
            true => [
                counted(
                    some.len(),
                    "component is",
                    "components are",
                    &format!("a major version behind; about {estimate_min} minutes of work"),
                ),
                counted(
                    some.len(),
                    "composant a",
                    "composants ont",
                    &format!("une version majeure de retard; environ {estimate_min} minutes de travail"),
                ),
            ],
            false => [
                counted(some.len(), "update is", "updates are", "pending"),
                counted(some.len(), "mise à jour est", "mises à jour sont", "à faire"),
            ],
        };
        let todo = match major {
            true => [
                "Agree on this work with the client before the plan begins.",
                "Convenir de ce travail avec le client avant le début du plan.",
            ],
            false => ["The first run takes them.", "La première intervention les prend."],
        };
        findings.push(Finding { excerpt, ..finding(rule, Severity::Medium, "updates", why, todo) });
    }
}

/// What clients call a tier.
fn name_of(tier: &Tier) -> [String; 2] {
    match tier {
        Tier::Base => same("Base"),
        Tier::Advanced => both("Advanced", "Avancé"),
        Tier::Custom => both("Custom", "Sur mesure"),
        Tier::Own(name) => same(name),
    }
}

/// The cap, the services, the address, the people, and whether it works at all.
fn around(seen: &Seen<'_>, findings: &mut Vec<Finding>) {
    let (inventory, plan) = (seen.inventory, seen.plan);
    if let Some(failing) = &seen.failing {
        let why = both(
            "the site does not pass its checks as it is",
            "le site ne réussit pas ses vérifications tel qu’il est",
        );
        let todo = [
            "Mend it first: nobody could tell later what an update broke.",
            "Le réparer d’abord : plus tard, personne ne saurait dire ce qu’une mise à jour a brisé.",
        ];
        let excerpt = Some(clean_line(failing, 600));
        findings.push(Finding { excerpt, ..finding("checks-fail", Severity::Critical, "checks", why, todo) });
    }
    let extensions = inventory.counted();
    if let Some(cap) = plan.extension_cap().filter(|cap| extensions > *cap) {
        let [en, fr] = name_of(&plan.tiers.covering(extensions));
        let why = [
            format!(
                "the site has {extensions} extensions, and its plan covers {cap}; the plan “{en}” would cover them"
            ),
            format!(
                "le site a {extensions} extensions, et son plan en couvre {cap}; le plan «\u{a0}{fr}\u{a0}» les couvrirait"
            ),
        ];
        let todo = [
            "Take extensions out that nobody needs, or choose that plan.",
            "Retirer les extensions inutiles, ou choisir ce plan.",
        ];
        findings.push(finding("over-cap", Severity::High, "extensions", why, todo));
    }
    for source in inventory.sources.iter().filter(|source| !source.reachable) {
        let why = both(
            "it was not reached, so nobody knows what is pending",
            "il n’a pas été joint : personne ne sait ce qui est à faire",
        );
        let todo = [
            "Let the host mend it, and run the intake again.",
            "Le faire réparer par l’hébergeur, et refaire l’examen.",
        ];
        findings.push(finding("source-down", Severity::Medium, &source.name, why, todo));
    }
    for extension in &inventory.extensions {
        if extension.offer.as_ref().is_some_and(|offer| !offer.package && offer.manual.is_none()) {
            let why = both(
                "there is no package of its update: a licence is missing or has ended",
                "sa mise à jour n’a pas de paquet : une licence manque ou a pris fin",
            );
            let todo = ["Ask the client for the licence.", "Demander la licence au client."];
            findings.push(finding("licence-missing", Severity::Low, &extension.id.to_string(), why, todo));
        }
    }
    for unusable in &inventory.unusable {
        let todo = ["Look at it on the host.", "L’examiner sur l’hôte."];
        findings.push(finding("unusable-name", Severity::Medium, &unusable.shown, same(&unusable.why), todo));
    }
    let host = |address: &str| url::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_lowercase));
    if let Some(address) = &inventory.address
        && let (Some(theirs), Some(ours)) = (host(address), host(plan.url.as_str()))
        && theirs != ours
    {
        let why = [
            format!("the site says that its address is {theirs}, and the plan says {ours}"),
            format!("le site dit que son adresse est {theirs}, et le plan dit {ours}"),
        ];
        let todo = ["Find out which is right, and who changed it.", "Chercher laquelle est juste, et qui l’a changée."];
        findings.push(finding("another-address", Severity::High, "address", why, todo));
    }
    if let Some(people) = inventory.administrators.as_ref().filter(|people| !people.is_empty()) {
        let why = both("they may do everything on the site", "ces comptes peuvent tout faire sur le site");
        let todo = ["Let the client confirm each of them.", "Faire confirmer chacun par le client."];
        let names: Vec<&str> = people.iter().take(50).map(|one| one.name.as_str()).collect();
        let excerpt = Some(clean_line(&names.join(", "), 600));
        findings.push(Finding { excerpt, ..finding("administrators", Severity::Low, "administrators", why, todo) });
    }
}
