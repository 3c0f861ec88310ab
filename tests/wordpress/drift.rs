//! What somebody else changes on a real site is found and named; what its editors write is not.

use crate::support::{Environment, Testbed};
use serde_json::Value;

/// What was found, one line each.
fn found(shop: &Environment, when: &str) -> Vec<String> {
    let drift = shop.intendant(&["drift", "shop", "--json"]).ended(0, when).json()["sites"][0]["drift"].clone();
    assert_eq!(drift["unknown"], Value::Null, "{when}: what was not compared");
    let lines = drift["drifts"].as_array().unwrap_or_else(|| panic!("{when}: {drift}")).iter();
    let lines: Vec<String> = lines
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default();
            format!("{} {} {}", text("part"), text("kind"), text("subject"))
        })
        .collect();
    assert_eq!(drift["count"], lines.len(), "{when}");
    lines
}

/// What editors, visitors and WordPress itself write from day to day.
const CONTENT: &str = r#"set -e
wp post create --post_title=News --post_content=Hello --post_status=publish --porcelain >/dev/null
wp comment create --comment_post_ID=1 --comment_content=Nice --comment_author=Ann >/dev/null
wp user create ann ann@example.com --role=editor --porcelain >/dev/null
wp option update blogdescription 'Another one' >/dev/null
mkdir -p wp-content/uploads/2026/11 wp-content/cache
printf '\377\330\377\340picture' >wp-content/uploads/2026/11/a.jpg
echo page >wp-content/cache/page.html
touch wp-config.php wp-content/plugins/tb-base/tb-base.php"#;

/// One of each kind of change by hand.
const BY_HAND: &str = r#"set -e
echo '// hello' >>wp-includes/version.php
rm readme.html
echo '<?php // mine' >own.php
mkdir tools
ln -s /etc/passwd tools/link
chmod 640 xmlrpc.php
echo '<?php // in the pictures' >wp-content/uploads/2026/11/a.php
echo 'Options +Indexes' >wp-content/uploads/.htaccess
echo '// hello' >>wp-content/plugins/tb-base/tb-base.php
echo '/* hello */' >>wp-content/themes/tb-child/style.css
sed -i 's/^\( \* Version: \).*/\19.9/' wp-content/plugins/tb-addon/tb-addon.php
mkdir wp-content/plugins/mine
printf '<?php\n/*\n * Plugin Name: Mine\n * Version: 1.0\n */\n' >wp-content/plugins/mine/mine.php
rm -r wp-content/plugins/akismet
wp plugin deactivate tb-newphp >/dev/null
wp user create evil evil@example.com --role=administrator --porcelain >/dev/null"#;

const BY_HAND_SQL: &str = "ALTER TABLE wp_posts ADD COLUMN spy INT; CREATE TABLE wp_mine (a INT PRIMARY KEY); \
    DROP TABLE wp_links; CREATE TRIGGER spy BEFORE INSERT ON wp_comments FOR EACH ROW SET @a = 1; \
    UPDATE wp_users SET user_email = 'other@example.com' WHERE user_login = 'admin'";

#[test]
fn what_somebody_else_changes_is_found_and_what_editors_write_is_not() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    shop.intendant(&["drift", "shop"]).ended(0, "before any run").said("no run has left the site yet");
    assessed_clean(&bed, &shop);
    assert_eq!(found(&shop, "right after the intake"), Vec::<String>::new());
    shop.intendant(&["run", "shop"]).ended(0, "the first run");
    assert_eq!(found(&shop, "right after a run"), Vec::<String>::new());
    bed.exec(&["sh", "-c", CONTENT]);
    assert_eq!(found(&shop, "after editors"), Vec::<String>::new());
    let before = bed.fingerprint();
    shop.intendant(&["drift", "shop"]).ended(0, "in words").said("nobody else changed anything");
    crate::support::same(&before, &bed.fingerprint(), "a look changes nothing");
    bed.nothing_is_left("after a look");

    let administrator = bed.sql("SELECT user_login FROM wp_users ORDER BY ID LIMIT 1");
    bed.exec(&["sh", "-c", BY_HAND]);
    bed.sql(&BY_HAND_SQL.replace("'admin'", &format!("'{administrator}'")));
    let mut expected = [
        "core file-changed wp-includes/version.php",
        "core file-removed readme.html",
        "core file-rights xmlrpc.php",
        "extensions extension-added plugin:mine",
        "extensions extension-deactivated plugin:tb-newphp",
        "extensions extension-removed plugin:akismet",
        "extensions extension-version plugin:tb-addon",
        "extensions file-changed wp-content/plugins/tb-base/tb-base.php",
        "extensions file-changed wp-content/themes/tb-child/style.css",
        "administrators administrator-added evil",
        "administrators administrator-contact ADMIN",
        "tables table-added table:wp_mine",
        "tables table-changed table:wp_comments",
        "tables table-changed table:wp_posts",
        "tables table-removed table:wp_links",
        "files file-added own.php",
        "files file-added tools/link",
        "files file-added wp-content/uploads/.htaccess",
        "files file-added wp-content/uploads/2026/11/a.php",
    ]
    .map(|line| line.replace("ADMIN", &administrator))
    .to_vec();
    let mut lines = found(&shop, "after changes by hand");
    expected.sort();
    lines.sort();
    assert_eq!(lines, expected);
    shop.intendant(&["preview", "shop"]).ended(0, "a preview tells of it").said("administrator-added: evil");

    refused_until_accepted(&bed, &shop);
    modified_until_accepted(&bed, &shop);
    refused_with_backdoors(&bed, &shop);
}

/// What an intake found, by rule.
fn assessed(shop: &Environment, verdict: &str) -> Vec<String> {
    let intake = shop.intendant(&["intake", "shop", "--json", "--html", "intake.html", "--language", "fr"]);
    let intake = intake.ended(6, verdict).json();
    assert_eq!(intake["verdict"], verdict, "{}", intake["findings"]);
    let page = std::fs::read_to_string(shop.path("intake.html")).unwrap();
    assert!(page.contains("lang=\"fr\"") && page.contains("Examen avant le plan"), "{page:.500}");
    let findings = intake["findings"].as_array().unwrap().iter();
    findings.map(|one| format!("{} {}", one["rule"].as_str().unwrap(), one["place"].as_str().unwrap())).collect()
}

/// A real site that is merely behind: no false alarm.
fn assessed_clean(bed: &Testbed, shop: &Environment) {
    let before = bed.fingerprint();
    let mut found = assessed(shop, "accept-with-conditions");
    found.sort();
    let expected = [
        "administrators administrators",
        "licence-missing plugin:tb-licensed",
        "major-versions-behind updates",
        "updates-pending updates",
    ];
    assert_eq!(found, expected);
    crate::support::same(&before, &bed.fingerprint(), "an intake changes nothing");
    bed.nothing_is_left("after an intake");
}

/// Harmless ones: the words alone.
const BACKDOORS: &str = r#"set -e
o='<?''php'; r='$_''POST'; e='ev''al'
echo "$o /* $e($r['x']); */" >wp-content/plugins/tb-base/helper.php
echo "$o echo 1;" >wp-content/uploads/2026/11/b.php
printf '\377\330\377\340 %s echo 1;\n' "$o" >wp-content/uploads/2026/11/b.jpg
echo "$o /* $e(base64_decode('aGk=')); */" >wp-includes/class-helper.php
echo 'AddType application/x-httpd-php .jpg' >wp-content/uploads/2026/.htaccess"#;

fn refused_with_backdoors(bed: &Testbed, shop: &Environment) {
    bed.exec(&["sh", "-c", BACKDOORS]);
    bed.sql(
        "INSERT INTO wp_options (option_name, option_value) VALUES ('tb_x', CONCAT('ev', 'al(base64', '_decode(1))'))",
    );
    let found = assessed(shop, "refuse");
    for expected in [
        "eval_of_request wp-content/plugins/tb-base/helper.php",
        "program-among-content wp-content/uploads/2026/11/b.php",
        "picture_with_program wp-content/uploads/2026/11/b.jpg",
        "eval_of_hidden wp-includes/class-helper.php",
        "server_runs_pictures wp-content/uploads/2026/.htaccess",
        "table_with_hidden_program table:wp_options",
        "modified-files core:core",
        "unknown-program own.php",
        "link-outside tools/link",
    ] {
        assert!(found.iter().any(|one| one == expected), "{expected} in {found:#?}");
    }
}

/// What the plan calls breaking refuses the run, until somebody accepts just that.
fn refused_until_accepted(bed: &Testbed, shop: &Environment) {
    shop.plan(bed, "drift: { breaking: [administrators], ignore: [own.php] }");
    assert!(!found_lines_of(shop, 6).iter().any(|line| line.contains("own.php")), "the plan ignores it");
    shop.intendant(&["run", "shop"]).ended(11, "a run with drift that breaks").said("administrator-added: evil");
    let accept = ["drift", "shop", "--accept", "--why", "it is the agency's"];
    shop.intendant(&accept).ended(0, "accepting it").said("accepted by");
    let preview = shop.intendant(&["preview", "shop"]).ended(0, "a preview after that");
    assert!(!preview.out.contains("would be refused"), "{}", preview.out);
    bed.exec(&["wp", "user", "create", "worse", "worse@example.com", "--role=administrator", "--porcelain"]);
    shop.intendant(&["run", "shop"]).ended(11, "a change that nobody accepted").said("administrator-added: worse");
    bed.exec(&["wp", "user", "delete", "worse", "--yes"]);
}

fn found_lines_of(shop: &Environment, code: i32) -> Vec<String> {
    let drift = shop.intendant(&["drift", "shop", "--json"]).ended(code, "drift that breaks").json();
    let drifts = drift["sites"][0]["drift"]["drifts"].as_array().unwrap().clone();
    drifts.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
}

/// An extension without published checksums that somebody modified is held, run after run, until somebody accepts that.
fn modified_until_accepted(bed: &Testbed, shop: &Environment) {
    bed.exec(&["wp", "option", "update", "tb_licensed_key", "TB-VALID"]);
    bed.exec(&["sh", "-c", "echo '// mine' >>wp-content/plugins/tb-licensed/tb-licensed.php"]);
    // The core is not original any more either: that has checksums.
    for when in ["the first run after it", "the run after that"] {
        let held = shop.intendant(&["run", "shop", "--json"]).ended(0, when);
        assert_eq!(held.outcome(), "completed-with-holds");
        let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, when).json();
        let holds = report["holds"].as_array().unwrap();
        let hold =
            holds.iter().find(|hold| hold["component"] == "plugin:tb-licensed").unwrap_or_else(|| panic!("{report}"));
        assert_eq!(hold["reason"]["kind"], "modified", "{when}: {hold}");
        assert!(hold["reason"]["files"][0].as_str().unwrap().ends_with("tb-licensed.php"), "{when}: {hold}");
        if when == "the first run after it" {
            let told = report["drift"]["changes"].to_string();
            assert!(told.contains("administrator-added") && told.contains("accepted-by"), "{told}");
            shop.intendant(&["report", "shop", "--language", "fr"]).ended(0, when).said("Le compte evil");
        }
    }
    assert_eq!(bed.plugin("tb-licensed"), "1.0", "a modified one is left alone");
    shop.intendant(&["run", "shop", "--accept-modified", "tb-licensed"]).ended(0, "the run that may overwrite it");
    assert_eq!(bed.plugin("tb-licensed"), "2.0", "it was accepted");
    assert_eq!(found(shop, "after the last run"), Vec::<String>::new());
    bed.nothing_is_left("at the end");
}
