//! Rehearsed restores: proven beside a site that is not touched, honest where they are not, and nothing
//! stays on the host.

use crate::support::{Environment, Testbed, same};
use serde_json::Value;
use std::time::{Duration, Instant};

/// All databases that the server has.
fn databases(bed: &Testbed) -> String {
    bed.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY 1")
}

/// Rehearses, and asserts the exit code, that the site is as it was, and that nothing is left.
#[track_caller]
fn rehearsed(bed: &Testbed, shop: &Environment, code: i32, what: &str) -> Value {
    let (before, had) = (bed.fingerprint(), databases(bed));
    let ran = shop.intendant(&["snapshot", "rehearse", "shop", "--json"]).ended(code, what);
    same(&before, &bed.fingerprint(), what);
    assert_eq!(had, databases(bed), "{what}: databases");
    bed.nothing_is_left(what);
    ran.json()
}

/// Lets the site's account make databases beside its own, and nothing else.
fn grant(bed: &Testbed) {
    bed.sql("GRANT ALL PRIVILEGES ON `wpdb\\_rehearsal\\_%`.* TO 'wpuser'@'localhost'");
}

/// A view, a trigger, a function and a procedure.
fn extras(bed: &Testbed) {
    let account = "DEFINER='wpuser'@'localhost'";
    bed.sql(&format!(
        "USE wpdb; CREATE {account} VIEW wp_published AS SELECT ID FROM wp_posts WHERE post_status = 'publish'; \
         CREATE TABLE wp_log (what varchar(200)); \
         CREATE {account} TRIGGER wp_on_insert\nAFTER INSERT ON wp_comments\nFOR EACH ROW INSERT INTO wp_log VALUES ('x'); \
         CREATE {account} FUNCTION wp_double(n int) RETURNS int DETERMINISTIC RETURN 2 * n; \
         CREATE {account} PROCEDURE wp_count() SELECT COUNT(*) FROM wp_posts"
    ));
}

#[test]
fn a_restore_is_proven_beside_the_site() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    extras(&bed);
    let shop = Environment::new(&bed, "");
    shop.intendant(&["snapshot", "rehearse", "shop"]).ended(5, "no snapshot").said("no snapshot");
    shop.intendant(&["snapshot", "create", "shop"]).ended(0, "a snapshot");

    let partial = rehearsed(&bed, &shop, 6, "an account that can't make databases");
    assert_eq!((&partial["result"], &partial["files"]["state"]), (&"partial".into(), &"proven".into()), "{partial:#}");
    assert_eq!(partial["database"]["state"], "unproven", "{partial:#}");
    let why = partial["database"]["why"].as_str().unwrap();
    assert!(why.contains("ERROR 1044") && why.contains("snapshots.rehearsal.database"), "{why}");
    shop.intendant(&["snapshot", "list", "shop"]).ended(0, "list").said("files proven").said("; files only)");

    grant(&bed);
    let proven = rehearsed(&bed, &shop, 0, "an account that can");
    for (key, state) in [("files", "proven"), ("database", "proven"), ("boot", "proven")] {
        assert_eq!(proven[key]["state"], state, "{proven:#}");
    }
    assert_eq!((&proven["result"], &proven["version"]), (&"proven".into(), &"6.1.9".into()), "{proven:#}");
    let listed = shop.intendant(&["snapshot", "list", "shop", "--json"]).ended(0, "list").json();
    assert_eq!(listed["snapshots"][0]["rehearsed"]["id"], proven["id"], "{listed:#}");
    assert_eq!(listed["proven"][0]["id"], proven["id"], "{listed:#}");
    let shown = shop.intendant(&["snapshot", "show", "shop"]).ended(0, "show");
    shown.said("the restore is proven").said("the copy's own command line answers, version 6.1.9");

    // A byte of the largest pack is another one.
    let packs = std::fs::read_dir(shop.path("store/packs")).unwrap().map(|entry| entry.unwrap().path());
    let packs = packs.filter(|path| path.extension().is_some_and(|end| end == "zst"));
    let pack = packs.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let whole = std::fs::read(&pack).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 0x55;
    std::fs::write(&pack, bytes).unwrap();
    let verified = shop.intendant(&["snapshot", "verify", "shop", "--json"]).ended(6, "verify").json();
    let known = verified["hurt"].to_string();
    let hurt = rehearsed(&bed, &shop, 6, "a damaged pack");
    assert_eq!(hurt["result"], "not-proven", "{hurt:#}");
    let items: Vec<&str> = ["files", "database"].iter().filter_map(|part| hurt[part]["items"][0].as_str()).collect();
    assert!(!items.is_empty(), "{hurt:#}");
    for item in items {
        let name = item.strip_suffix(" (its bytes can't be read from the store)").unwrap();
        assert!(known.contains(name), "{name} is not what is hurt: {verified:#}");
    }
    std::fs::write(&pack, whole).unwrap();

    shop.intendant(&["run", "shop"]).ended(0, "a run");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "its report").json();
    assert_eq!(report["proven-restore"]["began"], proven["began"], "{report:#}");
    shop.intendant(&["report", "shop", "--language", "fr"]).ended(0, "in French").said("Dernière restauration prouvée");
    assert_eq!(report["proven-restore"]["failed-since"], hurt["began"], "{report:#}");
}

#[test]
#[ignore = "takes a minute; run by hand"]
fn only_an_empty_database_that_the_plan_names_is_used_and_it_is_empty_again() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    extras(&bed);
    let shop = Environment::new(&bed, "snapshots: { rehearsal: { database: spare } }");
    bed.sql("CREATE DATABASE spare CHARACTER SET latin1; GRANT ALL PRIVILEGES ON spare.* TO 'wpuser'@'localhost'");
    shop.intendant(&["snapshot", "create", "shop"]).ended(0, "a snapshot");
    let tables = || {
        bed.sql(
            "SELECT CONCAT(TABLE_NAME, ' ', TABLE_ROWS) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'spare'",
        )
    };
    let proven = rehearsed(&bed, &shop, 0, "an empty database");
    assert_eq!(proven["database"]["state"], "proven", "{proven:#}");
    assert_eq!(tables(), "");

    bed.sql("CREATE TABLE spare.others (id int) ENGINE=Aria; INSERT INTO spare.others VALUES (1), (2)");
    let partial = rehearsed(&bed, &shop, 6, "a database that others use");
    assert!(partial["database"]["why"].as_str().unwrap().contains("it is not empty"), "{partial:#}");
    assert_eq!(tables(), "others 2", "what others have is still there");

    // A trigger is dumped as its author wrote it: this one would be made on the site's own table.
    bed.sql("DROP TABLE spare.others; CREATE DEFINER='wpuser'@'localhost' TRIGGER wpdb.wp_named AFTER DELETE ON wpdb.wp_comments FOR EACH ROW INSERT INTO wpdb.wp_log VALUES ('y')");
    shop.intendant(&["snapshot", "create", "shop"]).ended(0, "another snapshot");
    bed.sql("DROP TRIGGER wpdb.wp_named");
    let partial = rehearsed(&bed, &shop, 6, "a trigger that names the site's own database");
    let why = partial["database"]["why"].as_str().unwrap();
    assert!(why.contains("table:wp_comments (") && why.contains("all else came back"), "{partial:#}");
    assert_eq!(
        bed.sql("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'wpdb'"),
        "wp_on_insert"
    );

    shop.plan(&bed, "snapshots: { rehearsal: { database: WPDB } }");
    let live = rehearsed(&bed, &shop, 6, "the site's own database");
    assert!(live["database"]["why"].as_str().unwrap().contains("the site's own database"), "{live:#}");

    shop.plan(&bed, &format!("snapshots: {{ rehearsal: {{ folder: {}/wp-content }} }}", bed.docroot));
    let before = bed.fingerprint();
    let refused = shop.intendant(&["snapshot", "rehearse", "shop"]).ended(4, "a folder that visitors can reach");
    refused.said("visitors could reach it");
    same(&before, &bed.fingerprint(), "a folder that visitors can reach");
    bed.nothing_is_left("after a folder that visitors can reach");
}

#[test]
fn what_a_killed_rehearsal_left_is_removed_by_the_next() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    grant(&bed);
    shop.intendant(&["snapshot", "create", "shop"]).ended(0, "a snapshot");
    let (before, had) = (bed.fingerprint(), databases(&bed));
    // While files are written, and while the database is.
    let signs = [
        "[ -e \"$HOME\"/.intendant/rehearsals/*/files/wp-includes ]",
        "[ -e \"$HOME\"/.intendant/rehearsals/*/files/wp-config.php ]",
    ];
    for sign in signs {
        let (mut child, ..) = shop.until(&["snapshot", "rehearse", "shop"], "restoring ");
        let began = Instant::now();
        while !bed.try_exec(&["sh", "-c", sign]).0 {
            assert!(began.elapsed() < Duration::from_secs(60), "{sign} never came");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        same(&before, &bed.fingerprint(), "killed");
        assert_ne!(had, databases(&bed), "a database is left, or the kill came too late");
        let left = bed.exec(&["sh", "-c", "ls -d \"$HOME\"/.intendant/rehearsals/*"]);
        assert_eq!(left.lines().count(), 1, "{left}");
        let mode = bed.exec(&["stat", "-c", "%a", &left]);
        assert_eq!(mode, "700", "{left}");
    }
    let proven = shop.intendant(&["snapshot", "rehearse", "shop", "--json"]).ended(0, "the next").json();
    assert_eq!(proven["result"], "proven", "{proven:#}");
    same(&before, &bed.fingerprint(), "after the next");
    assert_eq!(had, databases(&bed), "after the next: databases");
    bed.nothing_is_left("after the next");
}
