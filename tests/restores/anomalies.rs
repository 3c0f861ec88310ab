//! What a client says is wrong, from the first word to the answer; and the evidence of runs that end in each way.

use super::{evidence, intendant};
use serde_json::Value;
use std::path::Path;

const PLAYBOOK: &str = r#"
playbook: 1
cms: nanocms
title: NanoCMS
detect: [status.json]
versions: { scheme: php, train: 1 }
scripts: [update.sh]
files: { of: { plugin: ["plugins/{{slug}}/"] } }
facts:
  site: { run: [cat, "{{root}}/status.json"], parse: { json: first } }
read:
  run: [cat, "{{root}}/status.json"]
  parse: { json: first, jq: "{versions: (([.extensions[] | {key: (\"plugin:\" + .slug), value: .version}] | from_entries) + {\"core:core\": .core.version})}" }
operations:
  update:
    plugin: { run: [sh, "{{scripts}}/update.sh", "{{root}}", "{{slug}}"] }
"#;
const UPDATE: &str = r#"cd "$1" || exit 1
echo "new $2" >"plugins/$2/code.txt"
sed -e "/\"slug\":\"$2\"/s/\"version\":\"1.0\"/\"version\":\"1.1\"/" -e "/\"slug\":\"$2\"/s/,\"offer\":{[^}]*}//" status.json >../status.new &&
cat ../status.new >status.json
"#;

/// A site with two plugins, each of which has an update.
fn begin(folder: &Path) {
    super::begin(folder);
    std::fs::write(folder.join("playbooks/nanocms/playbook.yaml"), PLAYBOOK).unwrap();
    std::fs::write(folder.join("playbooks/nanocms/update.sh"), UPDATE).unwrap();
    let mut lines = Vec::new();
    for slug in ["cart", "menu"] {
        std::fs::create_dir_all(folder.join("site/plugins").join(slug)).unwrap();
        std::fs::write(folder.join("site/plugins").join(slug).join("code.txt"), "old").unwrap();
        lines.push(format!(
            r#"{{"kind":"plugin","slug":"{slug}","title":"The {slug}","version":"1.0","active":true,"offer":{{"version":"1.1","package":true}}}}"#
        ));
    }
    let status =
        format!("{{\"core\":{{\"title\":\"Nano\",\"version\":\"1.0\"}},\"extensions\":[\n{}\n]}}\n", lines.join(",\n"));
    std::fs::write(folder.join("site/status.json"), status).unwrap();
    plan(folder, "checks: [{ command: [\"true\"] }]\n");
}

fn plan(folder: &Path, more: &str) {
    let updates = if more.contains("updates:") { "" } else { "updates: { extensions: major }\n" };
    let text = format!(
        "plan: 1\nsite: nano\nclient: {{ name: Nano, language: en }}\ntier: base\ncms: nanocms\n\
         url: http://127.0.0.1:9/\nhost: {{ local: {} }}\n{updates}{more}",
        folder.join("site").display()
    );
    std::fs::write(folder.join("plans/nano.yaml"), text).unwrap();
}

fn code(folder: &Path, slug: &str) -> String {
    std::fs::read_to_string(folder.join("site/plugins").join(slug).join("code.txt")).unwrap().trim().to_owned()
}

/// Runs the program, asserts its exit code, and returns what it said.
#[track_caller]
fn ended(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let (found, said) = intendant(folder, arguments);
    assert_eq!(found, Some(code), "{arguments:?}: {said}");
    said
}

/// The last report, as JSON.
fn report(folder: &Path) -> Value {
    serde_json::from_str(&ended(folder, 0, &["report", "nano", "--format", "json"])).unwrap()
}

const PAGE: &str = "http://127.0.0.1:9/cart?page=1";

fn add(folder: &Path, code: i32, at: &str, more: &[&str]) -> String {
    ended(folder, code, &[&["anomaly", "add", "nano", "--at", at, "--url", PAGE], more].concat())
}

#[test]
fn an_anomaly_is_told_looked_into_undone_held_and_answered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let hostile = format!("<script>alert(1)</script> {{{{lang}}}} \u{202e}evil\u{1b}[2J {}", "x".repeat(10_000));
    let said = add(folder, 0, "2020-01-01T00:00Z", &["--description", &hostile]);
    assert!(said.contains("anomaly 1 of nano; no run had changed the site before"), "{said}");
    assert!(said.contains("is cut after 2000 characters"), "{said}");
    ended(folder, 5, &["anomaly", "restore", "1", "--yes"]);

    ended(folder, 0, &["run", "nano"]);
    assert_eq!((code(folder, "cart"), code(folder, "menu")), ("new cart".into(), "new menu".into()));
    wrong_words(folder);
    let now = jiff::Timestamp::now().to_string();
    std::fs::write(folder.join("cart.png"), b"\x89PNG\r\n\x1a\npixels").unwrap();
    let told = [
        "--description",
        "The cart is empty",
        "--screenshot",
        "cart.png",
        "--browser",
        "Firefox 140",
        "--reported-by",
        "Marie",
    ];
    let said = add(folder, 0, &now, &told);
    assert!(said.contains("anomaly 2 of nano; before it came run "), "{said}");
    let listed = ended(folder, 0, &["anomaly", "list", "nano"]);
    assert!(listed.contains("waits") && listed.contains(PAGE), "{listed}");

    let shown = ended(folder, 0, &["anomaly", "show", "2"]);
    for text in [
        "named there: plugin:cart",
        "* plugin:cart: 1.0 → 1.1 (applied)",
        "  plugin:menu: 1.0 → 1.1 (applied)",
        "~ plugins/cart/code.txt (content",
        "plugin:menu: 1 files, 0 tables",
        "> The cart is empty",
        "browser: Firefox 140",
        "screenshot cart.png: state/anomalies/",
    ] {
        assert!(shown.contains(text), "{text:?} is not in\n{shown}");
    }
    assert!(!shown.contains("~ plugins/menu/code.txt"), "that is not near: {shown}");
    let json: Value = serde_json::from_str(&ended(folder, 0, &["anomaly", "show", "2", "--json"])).unwrap();
    assert_eq!(json["before"]["near"]["count"], 1, "{json}");
    assert_eq!(json["told"]["reported-by"], "Marie", "{json}");

    ended(folder, 2, &["anomaly", "restore", "2"]);
    let said = ended(folder, 0, &["anomaly", "restore", "2", "--yes"]);
    assert!(said.contains("intendant anomaly hold 2 EXTENSION"), "{said}");
    assert_eq!((code(folder, "cart"), code(folder, "menu")), ("old".into(), "old".into()));
    let restored = report(folder);
    assert!(restored["anomalies"][1]["put-back"].is_string(), "the restore's own report knows: {restored}");

    held_and_answered(folder);
}

/// Nothing is overwritten that nobody agreed to; and whoever brings a restore to its end tells the anomaly of it, once.
#[test]
fn an_anomaly_knows_of_a_restore_that_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    ended(folder, 0, &["run", "nano"]);
    add(folder, 0, &jiff::Timestamp::now().to_string(), &["--description", "The cart is empty"]);
    for asked in [&["restore", "nano", "--json"][..], &["anomaly", "restore", "1", "--json"]] {
        let said = ended(folder, 2, asked);
        assert!(said.contains("--json asks nobody: add --yes"), "{said}");
    }
    assert_eq!(code(folder, "cart"), "new cart");

    let hangs = format!("cd {}; [ -e hang ] || exit 0; rm hang; touch began; exec sleep 1000", folder.display());
    plan(folder, &format!("checks: [{{ command: [sh, -c, {hangs:?}] }}]\n"));
    std::fs::write(folder.join("hang"), "").unwrap();
    let silent = || std::process::Stdio::null();
    let mut runner = super::command(folder, &["anomaly", "restore", "1", "--yes", "--json"]);
    let mut runner = runner.stdout(silent()).stderr(silent()).spawn().unwrap();
    let started = std::time::Instant::now();
    while !folder.join("began").exists() {
        assert!(started.elapsed().as_secs() < 120, "the check never began");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    runner.kill().unwrap();
    runner.wait().unwrap();
    // What is wrong with the pools of licences keeps nobody from putting a site in order.
    std::fs::write(folder.join("licences.yaml"), "licences: 99\n").unwrap();
    let (status, said) = intendant(folder, &["run", "nano"]);
    assert!(status != Some(0) && said.contains("licences.yaml"), "{said}");
    let (status, said) = intendant(folder, &["recover"]);
    assert!(matches!(status, Some(0 | 10)), "{status:?} {said}");
    assert!(said.contains("goes on without pools of licences"), "{said}");
    std::fs::remove_file(folder.join("licences.yaml")).unwrap();
    assert_eq!(code(folder, "cart"), "old", "{said}");
    let listed: Value = serde_json::from_str(&ended(folder, 0, &["anomaly", "list", "--json"])).unwrap();
    let done = &listed["list"][0]["done"];
    assert_eq!((done.as_array().unwrap().len(), &done[0]["outcome"]), (1, &"restored".into()), "{listed}");
}

/// What is refused, and leaves nothing.
fn wrong_words(folder: &Path) {
    let described = ["--description", "x"];
    for wrong in ["yesterday", "2999-01-01T00:00"] {
        add(folder, 2, wrong, &described);
    }
    let at = "2020-01-01T00:00Z";
    add(folder, 2, at, &["--description", " \n "]);
    std::fs::write(folder.join("page.png"), "<html>").unwrap();
    let said = add(folder, 2, at, &["--description", "x", "--screenshot", "page.png"]);
    assert!(said.contains("does not begin as a PNG or a JPEG does"), "{said}");
    add(folder, 1, at, &["--description", "x", "--screenshot", "gone.png"]);
    for url in ["javascript:alert(1)", "shop/cart", "https://"] {
        ended(folder, 2, &["anomaly", "add", "nano", "--at", at, "--url", url, "--description", "x"]);
    }
    ended(folder, 5, &["anomaly", "add", "other", "--at", at, "--url", PAGE, "--description", "x"]);
    for arguments in [&["show", "99"][..], &["close", "99", "--answer", "x"], &["hold", "99", "cart", "--lift"]] {
        ended(folder, 5, &[&["anomaly"], arguments].concat());
    }
    assert!(!folder.join("state/anomalies").exists(), "no screenshot was kept");
    let listed: Value = serde_json::from_str(&ended(folder, 0, &["anomaly", "list", "--json"])).unwrap();
    assert_eq!(listed["list"].as_array().unwrap().len(), 1, "{listed}");
}

fn held_and_answered(folder: &Path) {
    let day = |days: i64| {
        let now = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        now.strftime("%Y-%m-%d").to_string()
    };
    let said = ended(folder, 5, &["anomaly", "hold", "2", "carts", "--until", &day(5)]);
    assert!(said.contains("did you mean cart?"), "{said}");
    ended(folder, 2, &["anomaly", "hold", "2", "cart", "--until", &day(-2)]);
    ended(folder, 2, &["anomaly", "hold", "2", "cart"]);
    ended(folder, 5, &["anomaly", "hold", "2", "cart", "--lift"]);
    ended(folder, 0, &["anomaly", "hold", "2", "cart", "--until", &day(5)]);
    let preview = ended(folder, 0, &["preview", "nano"]);
    assert!(preview.contains(&format!("held until {} because of anomaly 2", day(5))), "{preview}");
    ended(folder, 0, &["anomaly", "close", "1", "--answer", "It was <b>the browser's</b> cache"]);
    ended(folder, 0, &["run", "nano"]);
    assert_eq!((code(folder, "cart"), code(folder, "menu")), ("old".into(), "new menu".into()));
    let told = report(folder);
    assert_eq!(
        (&told["outcome"], &told["holds"][0]["reason"]["kind"]),
        (&"completed-with-holds".into(), &"reported".into())
    );
    assert_eq!(told["anomalies"][0]["answer"], "It was <b>the browser's</b> cache");
    assert_eq!(told["anomalies"][1]["holds"][0]["extension"], "plugin:cart");
    let page = ended(folder, 0, &["report", "nano"]);
    assert!(page.contains("What you told us") && page.contains("Updates of cart wait until"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>") && !page.contains("<b>the"), "{page}");
    assert!(!page.contains(['\u{202e}', '\u{1b}']), "nothing in it moves a cursor or turns a text");

    ended(folder, 0, &["anomaly", "close", "2", "--answer", "The author mends it"]);
    let listed = ended(folder, 0, &["anomaly", "list"]);
    assert!(listed.contains("no anomaly waits"), "{listed}");
    ended(folder, 0, &["anomaly", "hold", "2", "plugin:cart", "--lift"]);
    ended(folder, 0, &["run", "nano"]);
    assert_eq!(code(folder, "cart"), "new cart", "it waits no longer");
    let told = report(folder);
    let numbers: Vec<&Value> = told["anomalies"].as_array().unwrap().iter().map(|one| &one["anomaly"]).collect();
    assert_eq!(numbers, [&Value::from(2)], "the first was answered in the report before");
    let month = jiff::Timestamp::now().strftime("%Y-%m").to_string();
    let month = ended(folder, 0, &["report", "--month", &month, "--site", "nano", "--format", "markdown"]);
    assert!(month.contains("The author mends it") && month.contains("The cart is empty"), "{month}");
}

#[test]
fn runs_that_end_in_each_way_are_proven_without_their_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let program = |arguments: &[&str]| intendant(folder, arguments);
    let proven = |outcome: &str| {
        let file = format!("{outcome}.tar");
        // Who proves a run need not have its snapshots.
        std::fs::rename(folder.join("store"), folder.join("elsewhere")).unwrap();
        evidence::proven(&program, folder, "nano", outcome, &file);
        assert!(!folder.join("store").exists(), "nothing asks for snapshots");
        std::fs::rename(folder.join("elsewhere"), folder.join("store")).unwrap();
        file
    };
    let check = |command: &str| format!("checks: [{{ command: [sh, -c, {command:?}] }}]\n");
    std::fs::create_dir_all(folder.join("store")).unwrap();

    plan(folder, "contract: { number: K-1, from: 2020-01-01, until: 2020-12-31 }\n");
    ended(folder, 11, &["run", "nano"]);
    let mut files = vec![proven("refused")];
    let site = folder.join("site/plugins/cart/code.txt");
    plan(folder, &check(&format!("! grep -q new {}", site.display())));
    ended(folder, 10, &["run", "nano"]);
    files.push(proven("restored"));
    plan(folder, "updates: { extensions: major, hold: [{ extension: cart, why: its author mends it }] }\n");
    ended(folder, 0, &["run", "nano"]);
    files.push(proven("completed-with-holds"));
    plan(folder, "");
    ended(folder, 0, &["run", "nano"]);
    files.push(proven("completed"));
    plan(folder, &check("false"));
    ended(folder, 12, &["restore", "nano", "--yes"]);
    files.push(proven("stuck"));

    let all: Vec<&str> = files.iter().map(String::as_str).collect();
    evidence::one_past(&program, &all);
    // Somebody rewrites the journal: what was given away before contradicts it.
    let forge = "import sqlite3; base = sqlite3.connect('state/journal.db'); \
                 base.execute(\"UPDATE entries SET event = replace(event, 'K-1', 'K-2')\"); base.commit()";
    let forged = std::process::Command::new("/usr/bin/python3").args(["-c", forge]).current_dir(folder).status();
    assert!(forged.unwrap().success());
    ended(folder, 0, &["evidence", "nano", "--key", "signer", "--to", "forged.tar"]);
    ended(folder, 0, &["verify-evidence", "forged.tar", "--signers", "allowed_signers"]);
    let said = ended(folder, 6, &["verify-evidence", "forged.tar", "completed.tar", "--signers", "allowed_signers"]);
    assert!(said.contains("different pasts of nano"), "{said}");
}

#[cfg(feature = "encryption")]
#[test]
fn who_cannot_read_encrypted_snapshots_can_prove_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let made = std::process::Command::new("age-keygen").arg("-o").arg(folder.join("key.txt")).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let text = std::fs::read_to_string(folder.join("key.txt")).unwrap();
    let recipient = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    ended(folder, 0, &["snapshot", "encrypt", "--to", recipient]);
    ended(folder, 0, &["run", "nano", "--identity", "file:key.txt"]);
    let program = |arguments: &[&str]| intendant(folder, arguments);
    evidence::proven(&program, folder, "nano", "completed", "completed.tar");
    // What it changed can't be looked at; the rest of the anomaly is told.
    let now = jiff::Timestamp::now().to_string();
    add(folder, 0, &now, &["--description", "The cart is empty"]);
    let shown = ended(folder, 0, &["anomaly", "show", "1"]);
    assert!(shown.contains("* plugin:cart: 1.0 → 1.1") && shown.contains("what it changed is not known"), "{shown}");
    let shown = ended(folder, 0, &["anomaly", "show", "1", "--identity", "file:key.txt"]);
    assert!(shown.contains("~ plugins/cart/code.txt"), "{shown}");
    ended(folder, 11, &["run", "nano"]);
    evidence::proven(&program, folder, "nano", "refused", "refused.tar");
}
