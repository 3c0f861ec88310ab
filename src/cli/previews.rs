//! Previews of written sites, one file for each: what is there, what the plan says, what is known. Beside each
//! stands what `preview` prints. `INTENDANT_BLESS=1` rewrites that; look at the difference.

use super::show::preview_lines;
use crate::inventory::Inventory;
use crate::ledger::{Ledger, LedgerEntry};
use crate::model::{ComponentId, Digest, SiteName, Version};
use crate::plan::{FleetRules, LicencePools, Tag, Terms};
use crate::playbook::Library;
use crate::run::{Job, Search, decide, protected};
use crate::update::{Closed, Fix, Known};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The least number of written sites.
const LEAST: usize = 40;

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
    #[serde(default)]
    rules: FleetRules,
    /// The licences that there are.
    #[serde(default)]
    licences: LicencePools,
    /// Why keys can't be read, by their pools.
    #[serde(default)]
    unreadable_keys: BTreeMap<Tag, String>,
    /// What broke the site earlier in the run, and how.
    #[serde(default)]
    failed: BTreeMap<ComponentId, String>,
    #[serde(default)]
    ledger: Vec<LedgerEntry>,
    #[serde(default)]
    fixes: Vec<Fixed>,
    #[serde(default)]
    first_seen: Vec<Seen>,
    /// The facts, as a site gives them.
    site: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixed {
    component: ComponentId,
    version: Version,
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    component: ComponentId,
    version: Version,
    at: Timestamp,
}

fn advanced() -> String {
    "advanced".into()
}

fn job(case: &Case) -> Job {
    let text = format!(
        "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: {}\ncms: wordpress\n\
         url: https://shop.example/\nhost: {{ ssh: shop, path: /srv/shop }}\n{}",
        case.tier, case.plan
    );
    let plan = {
        let terms = Terms { cms: &["wordpress"], tiers: Some(&case.rules.tiers) };
        crate::plan::parse(Path::new("shop.yaml"), &text, terms).unwrap()
    };
    let (playbook, _) = Library::shipped().load("wordpress").unwrap();
    Job {
        plan: Arc::new(plan),
        plan_digest: Digest::of(text.as_bytes()),
        folder: "plans".into(),
        playbook: Arc::new(playbook),
        // Their bytes are in the digest, and say nothing here.
        scripts: Arc::default(),
        any_time: false,
        accept_modified: Vec::new(),
    }
}

fn shown(case: Case) -> String {
    let job = job(&case);
    let inventory = Inventory::from_document(&SiteName::new("shop").unwrap(), case.site.clone()).unwrap();
    let ledger = Ledger::new(case.ledger);
    let known = Known {
        notices: ledger.notices(case.rules.notices_expire_after),
        immunities: ledger.immunities(),
        holds: ledger.site_holds(),
        fixes: case
            .fixes
            .into_iter()
            .map(|fix| {
                let closes = fix.names.into_iter().map(|name| Closed { name, published: None }).collect();
                Fix { component: fix.component, version: fix.version, closes }
            })
            .collect(),
        first_seen: case.first_seen.into_iter().map(|seen| ((seen.component, seen.version), seen.at)).collect(),
        refused_licences: ledger.entered_licences().into_iter().filter(|entered| !entered.taken).collect(),
        unreadable_keys: case.unreadable_keys,
    };
    let rules = FleetRules { pools: case.licences, ..case.rules };
    let now = "2026-11-22T07:30:00Z".parse().unwrap();
    let search = Search::blaming(case.failed);
    let preview = decide(&job, &rules, &known, now, &search, inventory).unwrap();
    let lines =
        preview_lines("shop", (job.plan.extension_cap(), &job.plan.tiers), &preview, &protected(&job)).join("\n");
    // The digest changes with the playbook, and is another test's affair.
    let shown = lines.replace(&preview.digest.to_string(), "DIGEST");
    format!("# {}\n{shown}\n", case.shows)
}

#[test]
fn previews_of_written_sites_are_as_approved() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/previews");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    cases.sort();
    assert!(cases.len() >= LEAST, "{} written sites", cases.len());
    let mut wrong = Vec::new();
    for file in &cases {
        let text = std::fs::read_to_string(file).unwrap();
        let case: Case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (actual, golden) = (shown(case), file.with_extension("txt"));
        if std::env::var_os("INTENDANT_BLESS").is_some() {
            std::fs::write(&golden, &actual).unwrap();
        }
        if std::fs::read_to_string(&golden).unwrap_or_default() != actual {
            wrong.push(format!("{} is not what is printed now:\n{actual}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nINTENDANT_BLESS=1 rewrites them", wrong.join("\n"));
}
