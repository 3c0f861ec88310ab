//! What runs are about: sites of many forms, and the procedures that the program makes for them.

use super::seed::Seed;
use intendant::check::Depth;
use intendant::inventory::Inventory;
use intendant::journal::{Planned, Purpose};
use intendant::model::{ComponentId, Digest, SiteName};
use intendant::plan::{LicencePools, Plan};
use intendant::playbook::{Library, Playbook};
use intendant::procedure::{self, Procedure};
use intendant::run::Search;
use intendant::update::{self, Inputs, Known, Lane};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{LazyLock, Mutex};

/// Plugins by number; each second one needs the one before it.
pub(crate) const PLUGINS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// The snapshot that a person asks to have back.
pub(crate) const ASKED: &str = "asked";

/// The parts of a site by name, and what they are.
pub(crate) type Parts = BTreeMap<String, String>;

fn clone_both((name, part): (&String, &String)) -> (String, String) {
    (name.clone(), part.clone())
}

/// What the run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    Update,
    /// A person asks for a snapshot, with all rows that came since.
    Restore,
    /// The same, without them.
    RestoreExactly,
    /// The same, one file only.
    RestorePart,
}

/// A site with what is offered for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) wanted: Wanted,
    pub(crate) plugins: usize,
    pub(crate) core: bool,
    pub(crate) languages: bool,
    /// The plan holds the first plugin.
    pub(crate) held: bool,
    /// The plan moves the last two plugins together.
    pub(crate) together: bool,
}

impl Shape {
    pub(crate) const FULL: Self =
        Self { wanted: Wanted::Update, plugins: 4, core: true, languages: true, held: false, together: true };

    /// Those that are tried with everything.
    pub(crate) fn chosen() -> Vec<Self> {
        let small = Self { plugins: 1, core: false, languages: false, together: false, ..Self::FULL };
        vec![
            Self::FULL,
            small,
            Self { plugins: 2, core: true, ..small },
            Self { plugins: 3, held: true, ..small },
            Self { plugins: 0, core: true, ..small },
            Self { plugins: 0, languages: true, ..small },
            Self { plugins: 0, ..small },
            Self { wanted: Wanted::Restore, ..small },
            Self { wanted: Wanted::RestoreExactly, ..small },
            Self { wanted: Wanted::RestorePart, ..small },
        ]
    }

    pub(crate) fn random(seed: &mut Seed) -> Self {
        let wanted = match seed.below(8) {
            0 => Wanted::Restore,
            1 => *seed.one_of(&[Wanted::RestoreExactly, Wanted::RestorePart]),
            _ => Wanted::Update,
        };
        Self {
            wanted,
            plugins: seed.below(PLUGINS.len() + 1),
            core: seed.one_in(2),
            languages: seed.one_in(3),
            held: seed.one_in(4),
            together: seed.one_in(3),
        }
    }

    pub(crate) fn purpose(self) -> Purpose {
        let restore = |only: &[&str], exact| Purpose::Restore {
            snapshot: ASKED.into(),
            only: only.iter().map(|path| (*path).into()).collect(),
            exact,
            anomaly: None,
        };
        match self.wanted {
            Wanted::Update => Purpose::Update,
            Wanted::Restore => restore(&[], false),
            Wanted::RestoreExactly => restore(&[], true),
            Wanted::RestorePart => restore(&["plugin:a"], false),
        }
    }

    /// What the site consists of before the run, by name: versions, the database, language files.
    pub(crate) fn before(self) -> BTreeMap<String, String> {
        let mut parts: BTreeMap<String, String> =
            [("core:core", "6.1.9"), ("database", "6.1.9"), ("languages", "old"), ("cache", "old")]
                .map(|(name, state)| (name.to_owned(), state.to_owned()))
                .into();
        parts.extend(PLUGINS[..self.plugins].iter().map(|slug| (format!("plugin:{slug}"), "1.0".to_owned())));
        parts
    }

    /// The site as it is: what moved in an earlier attempt stays.
    fn inventory(self, parts: &Parts) -> Inventory {
        let plugin = |number: usize| {
            let needs: Vec<String> =
                (number % 2 == 1).then(|| format!("plugin:{}", PLUGINS[number - 1])).into_iter().collect();
            let version = &parts[&format!("plugin:{}", PLUGINS[number])];
            let offer = (version == "1.0")
                .then(|| json!({"version": "2.0", "package": true, "requires": {"extensions": needs}}));
            json!({"kind": "plugin", "slug": PLUGINS[number], "version": version, "active": true, "offer": offer})
        };
        let mut extensions: Vec<_> = (0..self.plugins).map(plugin).collect();
        if self.languages {
            extensions.push(json!({"kind": "language", "slug": "fr", "version": "1", "active": true,
                "offer": {"version": "2", "package": true}}));
        }
        let core = &parts["core:core"];
        let offered = self.core && core == "6.1.9";
        let offers = if offered { json!([{"version": "7.1.1", "package": true}]) } else { json!([]) };
        let document = json!({
            "core": {"title": "WordPress", "version": core, "offers": offers},
            "extensions": extensions,
        });
        Inventory::from_document(&SiteName::new("shop").unwrap(), document).unwrap()
    }

    fn plan(self) -> Plan {
        let mut text = "plan: 1\nsite: shop\nclient: { name: Shop, language: en }\ntier: advanced\ncms: wordpress\n\
            url: https://shop.example/\nhost: { ssh: shop, path: /srv/shop }\n\
            approvals: [{ component: core, version: 7.1.1, by: Ops, on: 2026-11-20 }]\nupdates:\n  core: major\n"
            .to_owned();
        if self.held {
            text.push_str("  hold: [{ extension: a, why: ours }]\n");
        }
        if self.together && self.plugins >= 2 {
            let [first, second] = [PLUGINS[self.plugins - 2], PLUGINS[self.plugins - 1]];
            text.push_str(&format!("  together: [[{first}, {second}]]\n"));
        }
        intendant::plan::parse(Path::new("shop.yaml"), &text, &["wordpress"]).unwrap()
    }

    /// The procedure of a first attempt.
    pub(crate) fn procedure(self) -> Procedure {
        self.planned(&Search::default(), &self.before()).procedure
    }

    /// The plan of an attempt on a site that is like this, after such a search. Made once.
    pub(crate) fn planned(self, search: &Search, parts: &Parts) -> Planned {
        type Key = (Shape, Vec<ComponentId>, Option<BTreeSet<ComponentId>>, bool, Parts);
        static MADE: LazyLock<Mutex<HashMap<Key, Planned>>> = LazyLock::new(Mutex::default);
        let versions: Parts = parts.iter().filter(|(name, _)| name.contains(':')).map(clone_both).collect();
        let blamed = search.blamed().keys().cloned().collect::<Vec<_>>();
        let key = (self, blamed, search.trial(), search.is_attentive(), versions.clone());
        MADE.lock().unwrap().entry(key).or_insert_with(|| self.make(search, &versions)).clone()
    }

    fn make(self, search: &Search, parts: &Parts) -> Planned {
        let procedure = self.build(search, parts);
        let inventory = (self.wanted == Wanted::Update).then(|| self.inventory(parts));
        Planned { attempt: 1, inventory, drift: None, digest: procedure.digest(), procedure }
    }

    fn build(self, search: &Search, parts: &Parts) -> Procedure {
        static PLAYBOOK: LazyLock<Playbook> = LazyLock::new(|| Library::shipped().load("wordpress").unwrap().0);
        let plan = self.plan();
        let digest = Digest::of(b"playbook");
        if self.wanted != Wanted::Update {
            return procedure::build_restore(&plan, &PLAYBOOK, digest);
        }
        let inventory = self.inventory(parts);
        let updatable: BTreeSet<_> = PLAYBOOK.operations.update.keys().cloned().collect();
        let graph = update::decide(&Inputs {
            plan: &plan,
            versions: &PLAYBOOK.versions,
            updatable: &updatable,
            inventory: &inventory,
            now: "2026-11-22T02:00:00Z".parse().unwrap(),
            failed: search.blamed(),
            known: &Known::default(),
            pools: &LicencePools::default(),
            ways: &BTreeSet::new(),
            lane: Lane::All,
            trial: search.trial().as_ref(),
        });
        let depth = if search.is_attentive() { Depth::Full } else { Depth::Quick };
        procedure::build(&plan, &PLAYBOOK, digest, &inventory, &graph, depth).unwrap()
    }
}
