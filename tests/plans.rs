//! Plans and playbooks as people write them: what is read, and what is said when it can't be.
//!
//! `INTENDANT_BLESS=1` rewrites the expected texts and the JSON Schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::{plan, playbook};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const KNOWN: [&str; 3] = ["drupal", "joomla", "wordpress"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn bless() -> bool {
    std::env::var_os("INTENDANT_BLESS").is_some()
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    found.sort();
    found
}

/// Compares with the file, or writes it.
fn golden(file: &Path, actual: &str) -> Result<(), String> {
    if bless() {
        fs::write(file, actual).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    match expected == actual {
        true => Ok(()),
        false => Err(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", file.display())),
    }
}

/// Every case of a folder is refused with exactly the text beside it.
fn refused(folder: &str, parse: impl Fn(&Path, &str) -> Result<(), String>) -> usize {
    let cases = files(folder, "yaml");
    let mut wrong = Vec::new();
    for case in &cases {
        let text = fs::read_to_string(case).unwrap();
        let name = Path::new(case.file_name().unwrap());
        let said = match parse(name, &text) {
            Ok(()) => {
                wrong.push(format!("{} was taken", case.display()));
                continue;
            }
            Err(said) => said,
        };
        let place = format!("{}:", name.display());
        let first = said.strip_prefix(&place).and_then(|rest| rest.split_once(": ")).map(|(p, _)| p);
        let has_place = first.is_some_and(|p| p.split(':').filter(|n| n.parse::<u32>().is_ok()).count() == 2);
        if !has_place {
            wrong.push(format!("{} names no line and column:\n{said}", case.display()));
        }
        if let Err(difference) = golden(&case.with_extension("txt"), &said) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    cases.len()
}

#[test]
fn bad_plans_are_refused_with_their_place_and_a_hint() {
    let count = refused("tests/plans/errors", |file, text| {
        plan::parse(file, text, &KNOWN).map(drop).map_err(|error| error.to_string())
    });
    assert!(count >= 36, "{count} cases");
}

#[test]
fn bad_playbooks_are_refused_with_their_place_and_a_hint() {
    let count = refused("tests/playbooks/errors", |file, text| {
        playbook::parse(file, text).map(drop).map_err(|error| error.to_string())
    });
    assert!(count >= 8, "{count} cases");
}

#[test]
fn good_plans_are_read_and_survive_being_written() {
    let cases = [files("tests/plans/good", "yaml"), files("plans/examples", "yaml")].concat();
    assert!(cases.len() >= 5);
    for case in cases {
        let plan = plan::load_file(&case, &KNOWN).unwrap_or_else(|error| panic!("{error}"));
        let written = serde_yaml::to_string(&plan).unwrap();
        let again = plan::parse(Path::new("written.yaml"), &written, &KNOWN)
            .unwrap_or_else(|error| panic!("{}:\n{error}", case.display()));
        assert_eq!(plan, again, "{}", case.display());
    }
}

#[test]
fn each_tier_has_a_shipped_plan() {
    for (name, cap) in [("base", Some(10)), ("advanced", Some(25)), ("custom", Some(60))] {
        let file = root().join("plans/examples").join(format!("{name}.yaml"));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("# yaml-language-server: $schema=../plan.schema.json"), "{name}");
        let plan = plan::parse(&file, &text, &KNOWN).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.tier.to_string(), name);
        assert_eq!(plan.extension_cap(), cap);
    }
}

#[test]
fn no_case_is_forgotten() {
    for folder in ["tests/plans/errors", "tests/playbooks/errors"] {
        let stems = |extension| -> BTreeSet<PathBuf> {
            files(folder, extension).into_iter().map(|path| path.with_extension("")).collect()
        };
        assert_eq!(stems("yaml"), stems("txt"), "{folder}: each case has both files");
        let all = fs::read_dir(root().join(folder)).unwrap().count();
        assert_eq!(all, 2 * stems("yaml").len(), "{folder} has other files");
    }
    let known = ["errors", "good"];
    for entry in fs::read_dir(root().join("tests/plans")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(known.iter().any(|k| name == *k), "tests/plans/{name:?} is read by no test");
    }
}

#[test]
fn the_schemas_for_editors_are_those_of_the_types() {
    for (file, text) in [
        ("plans/plan.schema.json", plan::json_schema()),
        ("plans/licences.schema.json", plan::LicencePools::json_schema()),
        ("playbooks/playbook.schema.json", playbook::json_schema()),
    ] {
        golden(&root().join(file), &text)
            .unwrap_or_else(|_| panic!("{file} is not that of the types; INTENDANT_BLESS=1 rewrites it"));
    }
}

#[test]
fn shipped_playbooks_load_with_their_scripts() {
    let shipped = playbook::Library::shipped();
    assert!(shipped.names().contains(&"wordpress"));
    for name in shipped.names() {
        let (playbook, scripts) = shipped.load(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(playbook.cms.as_str(), name);
        assert_eq!(scripts.len(), playbook.scripts.len());
    }
    assert!(shipped.load("../wordpress").is_err());
}

#[test]
fn a_folder_takes_the_place_of_what_is_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("wordpress");
    fs::create_dir(&own).unwrap();
    let text = fs::read_to_string(root().join("playbooks/wordpress/playbook.yaml")).unwrap();
    fs::write(own.join("playbook.yaml"), text.replace("title: WordPress", "title: Ours")).unwrap();
    let library = playbook::Library::open(folder.path()).unwrap();
    let missing = library.load("wordpress").unwrap_err();
    assert!(matches!(missing, playbook::PlaybookError::Invalid(_)), "{missing}");
    assert!(missing.to_string().contains("inventory.php is not beside the playbook"), "{missing}");
    for script in [
        "inventory.php",
        "network.php",
        "layout.php",
        "versions.php",
        "migrate.php",
        "database.php",
        "maintenance.php",
        "boot.php",
        "licence.php",
    ] {
        fs::write(own.join(script), "<?php").unwrap();
    }
    let (playbook, scripts) = library.load("wordpress").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((playbook.title.as_str(), scripts.len()), ("Ours", 9));
    fs::rename(&own, folder.path().join("other")).unwrap();
    let library = playbook::Library::open(folder.path()).unwrap();
    assert!(matches!(library.load("other"), Err(playbook::PlaybookError::Name { .. })));
}

#[test]
fn a_folder_of_plans_names_each_site_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join("plans/examples/base.yaml")).unwrap();
    for (name, text) in [("a.yaml", text.as_str()), ("b.yml", &text), ("c.yaml", "plan: 2"), ("notes.txt", "x")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("d.yaml"), b"plan: 1\nsite: \xff\n").unwrap();
    let plans = plan::load_folder(folder.path(), &KNOWN).unwrap();
    let results: Vec<&Result<plan::Plan, plan::PlanError>> = plans.iter().map(|(_, r)| r).collect();
    assert!(matches!(
        results.as_slice(),
        [
            Ok(_),
            Err(plan::PlanError::Twice { .. }),
            Err(plan::PlanError::Invalid(_)),
            Err(plan::PlanError::Encoding { line: 2, .. })
        ]
    ));
}

#[test]
fn bombs_are_refused_quickly() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        aliases += &format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
    }
    let long = format!("plan: 1\nsite: {}\n", "x".repeat(5_000_000));
    for text in [aliases, "[".repeat(100_000), "{a: ".repeat(5_000), long, "- ".repeat(100_000)] {
        let begun = std::time::Instant::now();
        assert!(plan::parse(Path::new("x.yaml"), &text, &KNOWN).is_err());
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}

fn mutated() -> impl Strategy<Value = String> {
    let bases: Vec<String> = [files("plans/examples", "yaml"), files("tests/plans/errors", "yaml")]
        .concat()
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, "[\\x00-\\x7fé→]{0,4}"), 1..6);
    (prop::sample::select(bases), edits).prop_map(|(base, edits)| {
        let mut chars: Vec<char> = base.chars().collect();
        for (at, kind, text) in edits {
            let at = at.index(chars.len().max(1)).min(chars.len());
            let until = (at + usize::from(kind) * 3).min(chars.len());
            chars.splice(at..until, text.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,200}|[-:{}\\[\\]&*!|>'\"%@ \\n\\ta-z0-9]{0,200}") {
        let _ = plan::parse(Path::new("x.yaml"), &text, &KNOWN).map_err(|error| error.to_string());
        let _ = playbook::parse(Path::new("x.yaml"), &text).map_err(|error| error.to_string());
    }

    #[test]
    fn no_edit_of_a_plan_makes_reading_panic(text in mutated()) {
        let _ = plan::parse(Path::new("x.yaml"), &text, &KNOWN).map_err(|error| error.to_string());
    }
}

#[test]
fn a_tier_of_the_settings_is_known_to_plans_and_any_other_is_not() {
    let text = std::fs::read_to_string(root().join("tests/plans/errors/tier-unknown.yaml")).unwrap();
    let own = [("large-shop".to_owned(), 60)];
    let tiers = intendant::model::Tiers::with(own.into()).unwrap();
    let parse = |text: &str| plan::parse(Path::new("p.yaml"), text, plan::Terms { cms: &KNOWN, tiers: Some(&tiers) });
    let plan = parse(&text.replace("advanse", "large-shop")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.extension_cap(), Some(60));
    let error = parse(&text.replace("advanse", "large-shops")).unwrap_err().to_string();
    assert!(error.starts_with("p.yaml:4:7: there is no tier large-shops"), "{error}");
    assert!(error.contains("did you mean large-shop?"), "{error}");
}
