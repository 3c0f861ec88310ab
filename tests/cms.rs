//! The same for every CMS but WordPress, which has a suite of its own: a site is looked at, updated, and put back
//! exactly when an update breaks it, lies or fails. A CMS is a line of the table, a playbook and a test site
//! (`tests/testbed/cms`); no CMS has code of its own here. Needs root, see `tests/testbed/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::Value;
use support::{Environment, Testbed, same};

/// One CMS.
struct Row {
    cms: &'static str,
    /// What the core's version is before and after a good run.
    core: [&'static str; 2],
    /// What an extension's is.
    extension: (&'static str, [&'static str; 2]),
    /// What a visitor reads on the front page, before and after.
    page: &'static str,
}

const MEDIAWIKI: Row = Row {
    cms: "mediawiki",
    core: ["1.39.90", "1.43.90"],
    extension: ("extension:TbNote", ["1.39.20240102.0304", "1.43.20250810.1112"]),
    page: "Lucie",
};

macro_rules! table {
    ($($name:ident => $row:expr;)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn is_updated_or_put_back() {
                updated_or_put_back(&$row, &[]);
            }

            #[test]
            #[ignore = "takes minutes; by hand: cargo nextest run --test cms --run-ignored only"]
            fn is_put_back_when_tools_lie_or_fail() {
                put_back_when_tools_lie_or_fail(&$row, &[]);
            }
        })*

        /// No test site is forgotten.
        #[test]
        fn every_site_has_its_line() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/cms");
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            let mut sites: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
            sites.sort();
            assert_eq!(sites, [$($row.cms),*]);
        }
    };
}

table! {
    bedrock => Row {
        cms: "bedrock",
        core: ["6.1.9", "7.1.1"],
        extension: ("plugin:tb-base", ["1.0.0", "1.1.0"]),
        page: "Lucie",
    };
    drupal => Row {
        cms: "drupal",
        core: ["10.5.9", "10.6.12"],
        extension: ("module:token", ["1.14.0", "1.15.0"]),
        page: "Welcome",
    };
    joomla => Row {
        cms: "joomla",
        core: ["5.1.1", "5.1.2"],
        extension: ("plugin:system/tbdemo", ["1.0.0", "1.1.0"]),
        page: "Lucie",
    };
    mediawiki => MEDIAWIKI;
    wagtail => Row {
        cms: "wagtail",
        core: ["7.0.10", "7.4.4"],
        extension: ("package:wagtailmedia", ["0.17.2", "0.19.1"]),
        page: "Lucie",
    };
}

macro_rules! databases {
    ($($name:ident: $row:expr, $database:expr;)*) => {
        $(/// The same site on a database of another engine.
        mod $name {
            use super::*;

            #[test]
            #[ignore = "takes minutes; by hand: cargo nextest run --test cms --run-ignored only"]
            fn is_updated_or_put_back() {
                updated_or_put_back(&$row, &["--database", $database]);
            }

            #[test]
            #[ignore = "takes minutes; by hand: cargo nextest run --test cms --run-ignored only"]
            fn is_put_back_when_tools_lie_or_fail() {
                put_back_when_tools_lie_or_fail(&$row, &["--database", $database]);
            }
        })*
    };
}

databases! {
    mediawiki_on_postgresql: MEDIAWIKI, "postgresql";
    mediawiki_on_sqlite: MEDIAWIKI, "sqlite";
}

fn has(bed: &Testbed, component: &str, version: &str) {
    let versions = bed.versions();
    let wanted = format!("{component} {version}");
    assert!(versions.contains(&wanted), "{wanted} is not among:\n{}", versions.join("\n"));
}

fn is_as_before(bed: &Testbed, row: &Row, before: &str, when: &str) {
    same(before, &bed.fingerprint(), when);
    bed.nothing_is_left(when);
    shows(bed, row, when);
}

fn shows(bed: &Testbed, row: &Row, when: &str) {
    let (status, body) = bed.visit("");
    assert!(status == "200" && body.contains(row.page), "{when}: the front page answers {status}:\n{body}");
}

fn updated_or_put_back(row: &Row, more: &[&str]) {
    let bed = Testbed::up(&[&["--cms", row.cms], more].concat());
    let shop = Environment::of_any(&bed, row.core[1]);
    let (extension, [old, new]) = row.extension;
    shows(&bed, row, "at first");
    has(&bed, "core", row.core[0]);
    has(&bed, extension, old);
    let before = bed.fingerprint();

    // Nobody knows what is pending: that is never the same as nothing.
    bed.fault(&["down"]);
    let run = shop.intendant(&["run", "shop", "--json"]).ended(11, "a run while the update service is down");
    assert_eq!(run.outcome(), "refused");
    bed.fault(&["none"]);
    is_as_before(&bed, row, &before, "refused");

    bed.offer(&["broken"]);
    let run = shop.intendant(&["run", "shop", "--json"]).ended(10, "a run whose update breaks the page");
    assert_eq!(run.outcome(), "restored");
    is_as_before(&bed, row, &before, "restored after a broken update");

    bed.offer(&["good"]);
    // What broke the site is held until somebody lifts it.
    for held in shop.intendant(&["immunity", "--json"]).json()["list"].as_array().into_iter().flatten() {
        let text = |key: &str| held[key].as_str().unwrap_or_default().to_owned();
        shop.intendant(&["immunity", "lift", &text("component"), &text("version"), "--why", "tests"])
            .ended(0, "lifted");
    }
    let taken = shop.intendant(&["inventory", "shop", "--json"]).ended(0, "inventory").json();
    assert_eq!(taken["sites"][0]["inventory"]["core"]["version"], row.core[0], "{taken}");
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said(row.core[1]).said(new);
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "a good run");
    assert!(matches!(run.outcome().as_str(), "completed" | "completed-with-holds"), "{}", run.out);
    has(&bed, "core", row.core[1]);
    has(&bed, extension, new);
    shows(&bed, row, "updated");
    bed.nothing_is_left("after a good run");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    let told = |value: &Value| value.to_string().contains(row.core[1]) && value.to_string().contains(new);
    assert!(told(&report), "the report tells of both updates: {report}");
}

fn put_back_when_tools_lie_or_fail(row: &Row, more: &[&str]) {
    let bed = Testbed::up(&[&["--cms", row.cms], more].concat());
    let shop = Environment::of_any(&bed, row.core[1]);
    let before = bed.fingerprint();
    for way in ["lying", "failing"] {
        bed.offer(&[way]);
        let run = shop.intendant(&["run", "shop", "--json"]).ended(10, way);
        assert_eq!(run.outcome(), "restored", "{way}");
        is_as_before(&bed, row, &before, way);
    }
    // A whole run is undone as well, days later.
    bed.offer(&["good"]);
    shop.intendant(&["run", "shop", "--json"]).ended(0, "a good run");
    has(&bed, "core", row.core[1]);
    let listed = shop.intendant(&["snapshot", "list", "shop", "--json"]).ended(0, "list").json();
    let names = listed["snapshots"].as_array().into_iter().flatten().filter_map(|one| one["snapshot"].as_str());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let last_before = names[names.len() - 2];
    shop.intendant(&["restore", "shop", last_before, "--yes"]).ended(0, "restored by hand");
    is_as_before(&bed, row, &before, "restored by hand");
}
