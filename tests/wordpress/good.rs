//! A good run, what can be seen of it, and the way back.

use crate::support::{Environment, Smtp, Testbed, evidence, same};
use std::process::Command;

#[test]
fn everything_is_updated_shown_and_taken_back() {
    let bed = Testbed::up(&["--db-extras"]);
    let shop = Environment::new(&bed, "");
    let smtp = mailed(&shop);
    let before = bed.fingerprint();

    shop.intendant(&["doctor", "shop"]).ended(0, "doctor of a good site").said("ok ");
    shop.intendant(&["inventory", "shop"]).ended(0, "inventory").said("tb-newphp").said("6.1.9");
    let preview = shop.intendant(&["preview", "shop", "--json"]).ended(0, "preview");
    let promised = preview.json()["sites"][0]["digest"].clone();
    let config = bed.described["ssh_config"].as_str().unwrap();
    let place = format!("site:{}", bed.docroot);
    let init = shop.intendant(&["init", &place, "--ssh-config", config, "--site", "fresh", "--print"]);
    let init = init.ended(0, "init --print");
    std::fs::write(shop.path("fresh.yaml"), &init.out).unwrap();
    shop.intendant(&["validate", "fresh.yaml"]).ended(0, "the plan that init wrote");
    same(&before, &bed.fingerprint(), "doctor, inventory, preview and init change nothing");
    bed.nothing_is_left("after looking");

    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "run");
    assert_eq!(run.outcome(), "completed-with-holds");
    assert_eq!(run.json()["runs"][0]["digest"], promised, "run did what preview showed");
    bed.core_is_whole("7.1.1");
    for (slug, version) in [
        ("tb-base", "1.1.0"),
        ("tb-addon", "2.0"),
        ("tb-table", "2.0"),
        ("tb-newcore", "2.0"),
        ("akismet", "5.7.2"),
        ("tb-newphp", "1.0"),
        ("tb-licensed", "1.0"),
        ("tb-broken", "1.0"),
    ] {
        assert_eq!(bed.plugin(slug), version, "the version of {slug} after the run");
    }
    for theme in ["tb-parent", "tb-child"] {
        assert_eq!(bed.theme(theme), "1.1", "the version of {theme} after the run");
    }
    assert_eq!(bed.sql("SELECT COUNT(*) FROM wp_tb_amounts"), "20", "tb-table has migrated its rows");
    bed.nothing_is_left("after the run");
    reports(&shop, &run.json());
    snapshots(&shop);
    received(&shop, &smtp);
    let program = |arguments: &[&str]| shop.ran(arguments);
    evidence::proven(&program, shop.folder(), "shop", "completed-with-holds", "run.tar");

    shop.intendant(&["restore", "shop", "--yes", "--only", "wp-content/plugins/akismet"]).ended(0, "restore --only");
    assert_eq!(bed.plugin("akismet"), "5.0.2", "akismet alone is put back");
    assert_eq!(bed.plugin("tb-addon"), "2.0", "the others stay");
    bed.core_is_whole("7.1.1");
    shop.intendant(&["restore", "shop"]).ended(2, "a restore without --yes and without a terminal").said("--yes");
    shop.intendant(&["restore", "shop", "--yes"]).ended(0, "restore");
    same(&before, &bed.fingerprint(), "restored to before the run");
    bed.nothing_is_left("after the restore");
    evidence::proven(&program, shop.folder(), "shop", "restored", "restore.tar");
    evidence::one_past(&program, &["run.tar", "restore.tar"]);
}

/// Has the report of each run sent to an owner and to a technician, one of whom the server does not know.
fn mailed(shop: &Environment) -> Smtp {
    let smtp = Smtp::start(&shop.path("mailed"));
    let settings = format!(
        "settings: 1\nmail: {{ from: \"Studio <ops@studio.example>\", server: 127.0.0.1, port: {}, tls: none, after-runs: true }}\n",
        smtp.port
    );
    std::fs::write(shop.path("intendant.yaml"), settings).unwrap();
    let plan = std::fs::read_to_string(shop.path("plans/shop.yaml")).unwrap();
    let client = "client:\n  name: Shop\n  language: en\n  contacts:\n    \
                  - { name: Lucie, email: lucie@shop.example, role: owner }\n    \
                  - { name: Marc, email: nobody@agency.example, role: technical }\n";
    let plan = plan.replace("client: { name: Shop, language: en }\n", client);
    std::fs::write(shop.path("plans/shop.yaml"), plan).unwrap();
    smtp
}

/// The run's report came to whom the server knows, once; who was refused is told, and the run is what it was.
fn received(shop: &Environment, smtp: &Smtp) {
    let [message] = smtp.received().try_into().expect("one message");
    assert!(message.starts_with("lucie@shop.example\nUpdate report"), "{message:.300}");
    assert!(message.contains("7.1.1") && message.contains("5.7.2"), "the report is in it: {message:.3000}");
    let listed = shop.intendant(&["mail", "--json"]).ended(0, "mail").json();
    let state = |to: &str| {
        let found = listed["list"].as_array().unwrap().iter().find(|one| one["to"].as_str().unwrap().contains(to));
        found.map(|one| one["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state("lucie@").as_deref(), Some("sent"), "{listed}");
    assert_eq!(state("nobody@").as_deref(), Some("refused"), "{listed}");
    let again = shop.intendant(&["report", "shop", "--send"]);
    assert_eq!(smtp.received().len(), 1, "the same report is not sent twice: {}{}", again.out, again.err);
}

fn reports(shop: &Environment, run: &serde_json::Value) {
    let files = run["runs"][0]["reports"].as_array().expect("reports are named");
    for end in ["html", "json"] {
        let file = files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(end));
        let file = shop.path(file.unwrap_or_else(|| panic!("no {end} report in {files:?}")));
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.to_lowercase();
        for words in [["6.1.9", "7.1.1"], ["5.0.2", "5.7.2"], ["licensed", "akismet"]] {
            assert!(words.iter().all(|word| text.contains(word)), "the {end} report does not say {words:?}");
        }
    }
    let json = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    let all = json.to_string();
    assert!(all.contains("licence"), "the report does not say that tb-licensed waits for a licence");
    assert!(all.contains("platform"), "the report does not say that tb-newphp waits for PHP");
    shop.intendant(&["report", "shop", "--language", "fr"]).ended(0, "the French report").said("lang=\"fr\"");
}

fn snapshots(shop: &Environment) {
    shop.intendant(&["snapshot", "verify", "shop"]).ended(0, "snapshot verify").said("all good");
    let list = shop.intendant(&["snapshot", "list", "shop", "--json"]).ended(0, "snapshot list").json();
    let mut names: Vec<&str> =
        list["snapshots"].as_array().unwrap().iter().map(|one| one["snapshot"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names.len(), 2, "a snapshot before and one after: {names:?}");
    let shown = shop.intendant(&["snapshot", "show", "shop", names[1], "--against", names[0], "--json"]);
    let shown = shown.ended(0, "snapshot show --against").json();
    let differences = shown["differences"].to_string();
    assert!(differences.contains("wp-includes/version.php"), "the difference lacks the core: {differences:.500}");
    shop.intendant(&["snapshot", "export", "shop", names[0], "--to", "site.tar.zst"]).ended(0, "snapshot export");
    let listed = Command::new("tar").arg("--zstd").arg("-tf").arg(shop.path("site.tar.zst")).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("wp-config.php") && listed.contains(".sql"), "what the export holds: {listed:.1000}");
}
