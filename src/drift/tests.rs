//! Two states of a site that differ in one respect, and what is said of it.

use super::*;
use crate::inventory::{ChecksumState, Inventory};
use crate::model::SiteName;
use crate::playbook::{Files, Library};
use crate::snapshot::{Content, DatabaseFacts, Entry, Header, Item, ItemPath, Manifest, ObjectKind, ObjectName};
use serde_json::json;
use std::sync::Arc;

/// Read once: checking a playbook takes longer than everything else here.
fn files() -> Files {
    static FILES: std::sync::OnceLock<Files> = std::sync::OnceLock::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    FILES.get_or_init(|| Library::open(&folder).unwrap().load("wordpress").unwrap().0.files).clone()
}

/// What a file is: its content, or a folder, or a link.
enum Is<'a> {
    File(&'a str, u32),
    Dir,
    Link(&'a str),
}

fn entry(is: &Is<'_>) -> Entry {
    let mode = if let Is::File(_, mode) = is { *mode } else { 0o755 };
    let facts: crate::snapshot::Facts = crate::snapshot::Facts {
        mode,
        uid: 1000,
        gid: 1000,
        mtime: 1,
        ctime: 1,
        inode: 1,
        nlink: 1,
        attributes: Default::default(),
    };
    match is {
        Is::File(text, _) => Entry::File {
            facts,
            content: Content { digest: Digest::of(text.as_bytes()), size: text.len() as u64, chunks: Vec::new() },
        },
        Is::Dir => Entry::Dir { facts },
        Is::Link(target) => Entry::Link { facts, target: target.as_bytes().to_vec() },
    }
}

/// A site that can be changed by hand.
#[derive(Clone)]
struct Site {
    manifest: Manifest,
    document: serde_json::Value,
}

impl Site {
    fn new() -> Self {
        let structure = [("wp_posts", "posts"), ("wp_users", "users")];
        let structure = structure
            .map(|(name, made)| (ObjectName::new(ObjectKind::Table, name).unwrap(), Digest::of(made.as_bytes())));
        let header = Header {
            site: SiteName::new("shop").unwrap(),
            taken: jiff::Timestamp::UNIX_EPOCH,
            walked: 0,
            tool: String::new(),
            root: "/srv/shop".into(),
            exclude: Vec::new(),
            chunker: String::new(),
            database: Some(DatabaseFacts {
                engine: "mysql".into(),
                name: "shop".into(),
                server: "10.11".into(),
                dumped_by: "10.19".into(),
                skipped: Vec::new(),
                fingerprints: BTreeMap::new(),
                structure: structure.into_iter().collect(),
            }),
            previous: None,
            problems: Vec::new(),
            attributes: false,
        };
        let extension = |kind: &str, slug: &str| json!({"kind": kind, "slug": slug, "version": "1.0", "active": true});
        let document = json!({
            "core": {"title": "WordPress", "version": "6.8", "offers": []},
            "platform": {"php": "8.2.1"},
            "extensions": [extension("plugin", "fast"), extension("plugin", "fast-pro"), extension("theme", "blue")],
            "checksums": [{"component": "plugin:fast", "state": "verified"}],
            "administrators": [{"name": "lucie", "contact": "aa"}, {"name": "marc", "contact": "bb"}],
            "address": "https://shop.example/",
        });
        let mut site = Self { manifest: Manifest { header, entries: BTreeMap::new() }, document };
        for (path, text) in [
            ("index.php", "core"),
            ("wp-config.php", "secret"),
            ("wp-includes/version.php", "6.8"),
            ("wp-content/plugins/fast/fast.php", "fast"),
            ("wp-content/plugins/fast-pro/pro.php", "pro"),
            ("wp-content/themes/blue/style.css", "blue"),
            ("wp-content/uploads/2026/a.jpg", "a picture"),
        ] {
            site.put(path, &Is::File(text, 0o644));
        }
        site
    }

    fn put(&mut self, path: &str, is: &Is<'_>) {
        let path = ItemPath::new(path).unwrap();
        let mut above = path.parent();
        while let Some(folder) = above {
            above = folder.parent();
            self.manifest.entries.entry(Item::Path(folder)).or_insert_with(|| Arc::new(entry(&Is::Dir)));
        }
        self.manifest.entries.insert(Item::Path(path), Arc::new(entry(is)));
    }

    fn remove(&mut self, path: &str) {
        let root = ItemPath::new(path).unwrap();
        self.manifest.entries.retain(|item, _| !matches!(item, Item::Path(path) if path.is_within(&root)));
    }

    fn structure(&mut self) -> &mut BTreeMap<ObjectName, Digest> {
        &mut self.manifest.header.database.as_mut().unwrap().structure
    }

    fn inventory(&self) -> Inventory {
        Inventory::from_document(&SiteName::new("shop").unwrap(), self.document.clone()).unwrap()
    }
}

fn compared(then: &Site, now: &Site, ignore: &[&str]) -> (Vec<Drift>, Vec<String>, Originals) {
    compared_with(then, now, ignore, &Originals::new())
}

fn compared_with(then: &Site, now: &Site, ignore: &[&str], known: &Originals) -> (Vec<Drift>, Vec<String>, Originals) {
    let (files, ignore) = (files(), ignore.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let rules = Rules { files: &files, ignore: &ignore };
    let (before, after) = (then.inventory(), now.inventory());
    let then = State { manifest: &then.manifest, inventory: Some(&before), versions: None };
    let now = State { manifest: &now.manifest, inventory: Some(&after), versions: None };
    let Compared { drifts, unknown, .. } = compare(then, now, rules);
    let originals = originals(then, now, &drifts, known, rules);
    (drifts, unknown, originals)
}

fn told(drifts: &[Drift]) -> Vec<String> {
    drifts.iter().map(|drift| format!("{} | {drift}", drift.part.as_str())).collect()
}

/// Changes a site by hand, and says what is found.
fn after(change: impl FnOnce(&mut Site)) -> Vec<String> {
    let then = Site::new();
    let mut now = then.clone();
    change(&mut now);
    let (drifts, unknown, _) = compared(&then, &now, &["wp-content/languages"]);
    assert_eq!(unknown, Vec::<String>::new());
    let (again, ..) = compared(&then, &now, &["wp-content/languages"]);
    assert_eq!(drifts, again, "the same states give the same drifts");
    told(&drifts)
}

#[test]
fn each_change_by_hand_is_found_and_named() {
    type Change = fn(&mut Site);
    let cases: [(Change, &[&str]); 19] = [
        (|site| site.put("wp-config.php", &Is::File("other", 0o644)), &["files | file-changed: wp-config.php"]),
        (|site| site.put("shell.php", &Is::File("x", 0o644)), &["files | file-added: shell.php"]),
        (|site| site.remove("wp-config.php"), &["files | file-removed: wp-config.php"]),
        (
            |site| site.put("wp-config.php", &Is::File("secret", 0o666)),
            &["files | file-rights: wp-config.php (644 1000:1000 → 666 1000:1000)"],
        ),
        (|site| site.put("index.php", &Is::Link("/etc/passwd")), &["core | file-changed: index.php, of core:core"]),
        (
            |site| site.put("wp-includes/evil.php", &Is::File("x", 0o644)),
            &["core | file-added: wp-includes/evil.php, of core:core"],
        ),
        (
            |site| site.put("wp-content/plugins/fast-pro/pro.php", &Is::File("x", 0o644)),
            &["extensions | file-changed: wp-content/plugins/fast-pro/pro.php, of plugin:fast-pro"],
        ),
        (
            |site| site.put("wp-content/uploads/2026/A.PHP", &Is::File("x", 0o644)),
            &["files | file-added: wp-content/uploads/2026/A.PHP"],
        ),
        (
            |site| site.put("wp-content/uploads/.htaccess", &Is::File("x", 0o644)),
            &["files | file-added: wp-content/uploads/.htaccess"],
        ),
        (|site| site.put("new/empty", &Is::Dir), &["files | file-added: new/empty"]),
        (
            |site| {
                site.document["core"]["version"] = json!("6.9");
                site.put("wp-includes/version.php", &Is::File("6.9", 0o644));
                site.put("index.php", &Is::File("6.9", 0o644));
            },
            &["core | version: core:core (6.8 → 6.9), with 2 files"],
        ),
        (
            |site| {
                site.document["extensions"][1]["version"] = json!("2.0");
                site.put("wp-content/plugins/fast-pro/pro.php", &Is::File("2", 0o644));
            },
            &["extensions | extension-version: plugin:fast-pro (1.0 → 2.0), with 1 file"],
        ),
        (
            |site| {
                site.document["extensions"][2] = json!({"kind": "plugin", "slug": "mine", "version": "3"});
                site.remove("wp-content/themes/blue");
                site.put("wp-content/plugins/mine/a.php", &Is::File("a", 0o644));
                site.put("wp-content/plugins/mine/b/c.php", &Is::File("c", 0o644));
            },
            &[
                "extensions | extension-added: plugin:mine (3), with 2 files",
                "extensions | extension-removed: theme:blue (1.0), with 1 file",
            ],
        ),
        (
            |site| site.document["extensions"][0]["active"] = json!(false),
            &["extensions | extension-deactivated: plugin:fast"],
        ),
        (
            |site| {
                site.document["administrators"] =
                    json!([{"name": "lucie", "contact": "cc"}, {"name": "evil", "contact": "x"}]);
            },
            &[
                "administrators | administrator-added: evil",
                "administrators | administrator-contact: lucie",
                "administrators | administrator-removed: marc",
            ],
        ),
        (
            |site| {
                let structure = site.structure();
                structure.insert(ObjectName::new(ObjectKind::Table, "wp_posts").unwrap(), Digest::of(b"altered"));
                structure.remove(&ObjectName::new(ObjectKind::Table, "wp_users").unwrap());
                structure.insert(ObjectName::new(ObjectKind::View, "wp_spy").unwrap(), Digest::of(b"spy"));
            },
            &[
                "tables | table-changed: table:wp_posts",
                "tables | table-removed: table:wp_users",
                "tables | table-added: view:wp_spy",
            ],
        ),
        (|site| site.document["platform"]["php"] = json!("8.3.0"), &["platform | version: php (8.2.1 → 8.3.0)"]),
        (
            |site| site.document["address"] = json!("https://evil.example/"),
            &["address | address: address (https://shop.example/ → https://evil.example/)"],
        ),
        // A new folder is told by what is in it.
        (
            |site| {
                site.put("tools/a/x.txt", &Is::File("x", 0o644));
                site.put("tools/y.txt", &Is::File("y", 0o644));
            },
            &["files | file-added: tools/a/x.txt", "files | file-added: tools/y.txt"],
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(after(change), expected);
    }
}

#[test]
fn content_is_no_drift_and_neither_is_what_was_only_touched() {
    let nothing: Vec<String> = Vec::new();
    assert_eq!(after(|_| {}), nothing);
    let found = after(|site| {
        site.put("wp-content/uploads/2026/b.jpg", &Is::File("b", 0o644));
        site.put("wp-content/uploads/2026/a.jpg", &Is::File("cut", 0o600));
        site.put("wp-content/cache/page.html", &Is::File("c", 0o644));
        site.put("wp-content/languages/fr.mo", &Is::File("ignored by the plan", 0o644));
        for entry in site.manifest.entries.values_mut() {
            let mut touched = (**entry).clone();
            if let Entry::File { facts, .. } | Entry::Dir { facts } = &mut touched {
                facts.mtime += 1;
                facts.inode += 7;
            }
            *entry = Arc::new(touched);
        }
    });
    assert_eq!(found, nothing);
    // A core update of ours brought a theme that the site was not asked for again.
    let mut then = Site::new();
    let mut now = then.clone();
    for site in [&mut then, &mut now] {
        site.put("wp-content/themes/green/style.css", &Is::File("green", 0o644));
    }
    now.document["extensions"][2] = json!({"kind": "theme", "slug": "green", "version": "1"});
    assert_eq!(told(&compared(&then, &now, &[]).0), nothing);
}

#[test]
fn what_can_t_be_compared_is_said() {
    let (then, mut now) = (Site::new(), Site::new());
    now.manifest.header.database.as_mut().unwrap().server = "11.4".into();
    now.document.as_object_mut().unwrap().remove("administrators");
    let (drifts, unknown, _) = compared(&then, &now, &[]);
    assert_eq!(drifts, []);
    assert_eq!(unknown.len(), 2, "{unknown:?}");
    // A plan may rely on just these.
    let (files, before, after) = (files(), then.inventory(), now.inventory());
    let state = |site, inventory| State { manifest: site, inventory: Some(inventory), versions: None };
    let rules = Rules { files: &files, ignore: &[] };
    let parts = compare(state(&then.manifest, &before), state(&now.manifest, &after), rules).parts;
    assert_eq!(parts.into_iter().collect::<Vec<_>>(), [DriftPart::Administrators, DriftPart::Tables]);
    assert_eq!(told(&[not_compared(DriftPart::Tables)]), ["tables | not-compared: tables"]);
}

#[test]
fn a_core_whose_version_was_not_read_back_has_not_changed_without_its_files() {
    let then = Site::new();
    let mut now = then.clone();
    now.document["core"]["version"] = json!("99.0");
    assert_eq!(told(&compared(&then, &now, &[]).0), Vec::<String>::new());
    now.put("wp-includes/version.php", &Is::File("99.0", 0o644));
    let found = told(&compared(&then, &now, &[]).0);
    assert!(matches!(&found[..], [one] if one.contains("core | version: core:core")), "{found:?}");
}

#[test]
fn another_change_of_the_same_thing_is_another_drift() {
    let then = Site::new();
    let marks: Vec<Digest> = ["one", "two"]
        .map(|text| {
            let mut now = then.clone();
            now.put("wp-config.php", &Is::File(text, 0o644));
            compared(&then, &now, &[]).0[0].mark
        })
        .into();
    assert_ne!(marks[0], marks[1]);
    let mut found = Found { drifts: compared(&then, &then, &[]).0, ..Found::default() };
    let mut now = then.clone();
    now.put("wp-config.php", &Is::File("one", 0o644));
    found.drifts = compared(&then, &now, &[]).0;
    assert_eq!(found.breaking(&[DriftPart::Files]).count(), 1);
    assert_eq!(found.breaking(&[DriftPart::Core]).count(), 0);
    let acceptance = Acceptance { by: "lucie".into(), at: jiff::Timestamp::UNIX_EPOCH };
    found.accepted.insert(marks[1], acceptance.clone());
    assert_eq!(found.breaking(&[DriftPart::Files]).count(), 1, "the acceptance was of another change");
    found.accepted.insert(marks[0], acceptance);
    assert_eq!(found.breaking(&[DriftPart::Files]).count(), 0);
}

#[test]
fn an_extension_stays_modified_until_it_is_original_again_or_accepted() {
    let id = |text: &str| ComponentId::new("plugin", text).unwrap();
    let then = Site::new();
    let mut changed = then.clone();
    changed.put("wp-content/plugins/fast-pro/pro.php", &Is::File("hacked", 0o644));
    // This one has published checksums, which say more.
    changed.put("wp-content/plugins/fast/fast.php", &Is::File("hacked", 0o644));
    let (.., first) = compared(&then, &changed, &[]);
    assert_eq!(first.keys().collect::<Vec<_>>(), [&id("fast-pro")]);
    assert_eq!(first[&id("fast-pro")].files, ["wp-content/plugins/fast-pro/pro.php"]);

    // The next run begins where this one ended: nothing changed since, and it is still not original.
    let (drifts, _, second) = compared_with(&changed, &changed, &[], &first);
    assert_eq!((drifts.len(), &second), (0, &first));
    let mut more = changed.clone();
    more.put("wp-content/plugins/fast-pro/b.php", &Is::File("too", 0o644));
    let (.., third) = compared_with(&changed, &more, &[], &second);
    assert_eq!(third[&id("fast-pro")].files.len(), 2);
    assert!(compared_with(&more, &then, &[], &third).2.is_empty(), "put back as it was");
    let mut updated = more.clone();
    updated.document["extensions"][1]["version"] = json!("2.0");
    assert!(compared_with(&more, &updated, &[], &third).2.is_empty(), "another version");
    // Only its rights.
    let mut rights = then.clone();
    rights.put("wp-content/plugins/fast-pro/pro.php", &Is::File("pro", 0o600));
    assert!(compared(&then, &rights, &[]).2.is_empty());

    let mut inventory = changed.inventory();
    mark(&mut inventory, &first, |_| false);
    assert_eq!(inventory.checksums[&id("fast-pro")].state, ChecksumState::Modified);
    mark(&mut inventory, &first, |other| *other == id("fast-pro"));
    assert_eq!(inventory.checksums[&id("fast-pro")].state, ChecksumState::Accepted);
    assert_eq!(inventory.checksums[&id("fast")].state, ChecksumState::Verified);
}
