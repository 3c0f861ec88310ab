//! What `preview` says of one real site under each rule of a plan, beside what it said when somebody approved it. One file for
//! each rule: `tests/wordpress/previews/*.yaml`. `INTENDANT_BLESS=1` rewrites what is expected; look at the difference.

use crate::support::{Environment, Testbed, same};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Case {
    /// What it is there for.
    shows: String,
    #[serde(default = "advanced")]
    tier: String,
    /// Further lines of the plan.
    #[serde(default)]
    plan: String,
    /// Files beside the plans, such as the settings: their texts by their names.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// What is changed on the site before, as its account.
    change: Option<String>,
    /// What takes that away again.
    undo: Option<String>,
    /// The exit code.
    #[serde(default)]
    ends: i32,
}

fn advanced() -> String {
    "advanced".into()
}

/// What is printed, without what differs from site to site.
fn shown(bed: &Testbed, case: &Case) -> String {
    let shop = Environment::new(bed, "");
    let config = bed.described["ssh_config"].as_str().unwrap();
    let plan = format!(
        "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: {}\ncms: wordpress\nurl: {}\n\
         host: {{ ssh: site, ssh-config: {config}, path: {} }}\n{}",
        case.tier, bed.url, bed.docroot, case.plan
    );
    std::fs::write(shop.path("plans/shop.yaml"), plan).unwrap();
    for (name, text) in &case.files {
        std::fs::write(shop.path(name), text).unwrap();
    }
    let run = |script: &Option<String>| script.iter().for_each(|script| drop(bed.exec(&["sh", "-ec", script])));
    run(&case.change);
    let preview = shop.intendant(&["preview", "shop"]);
    run(&case.undo);
    let preview = preview.ended(case.ends, &case.shows);
    let lines = preview.out.lines().map(|line| {
        let line = line.replace(&bed.docroot, "DOCROOT").replace(&bed.url, "URL");
        let after = [("procedure ", "DIGEST"), ("too young; from ", "DAY"), ("the site has ", "VERSION")];
        after.iter().fold(line, |line, (words, name)| named(&line, words, name))
    });
    let lines: Vec<_> = lines.collect();
    format!("# {}\n{}\n", case.shows, lines.join("\n"))
}

/// A line with a name in place of the word that follows `words`, and of what fills it up to the next column.
fn named(line: &str, words: &str, name: &str) -> String {
    let Some((before, after)) = line.split_once(words) else { return line.to_owned() };
    let rest = after.find(' ').map_or("", |at| after[at..].trim_start());
    let gap = if rest.is_empty() { "" } else { "  " };
    format!("{before}{words}{name}{gap}{rest}")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wordpress/previews");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    cases.sort();
    cases
}

#[test]
fn each_rule_shows_on_a_real_site() {
    let bed = Testbed::up(&[]);
    let before = bed.fingerprint();
    let (cases, mut wrong) = (cases(), Vec::new());
    assert!(cases.len() >= 20, "{} cases", cases.len());
    for file in cases {
        let text = std::fs::read_to_string(&file).unwrap();
        let case: Case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (actual, golden) = (shown(&bed, &case), file.with_extension("txt"));
        if std::env::var_os("INTENDANT_BLESS").is_some() {
            std::fs::write(&golden, &actual).unwrap();
        }
        if std::fs::read_to_string(&golden).unwrap_or_default() != actual {
            wrong.push(format!("{} is not what is printed now:\n{actual}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nINTENDANT_BLESS=1 rewrites them", wrong.join("\n"));
    same(&before, &bed.fingerprint(), "previews change nothing");
    bed.nothing_is_left("after previews");
}
