//! Sites that are made otherwise: networks, folders elsewhere, projects of Composer.

use crate::support::{Environment, Testbed, same};

/// Nothing is offered but these.
fn offer_only(bed: &Testbed, plugins: &[&str], core: &str) {
    for slug in ["akismet", "tb-addon", "tb-base", "tb-newcore", "tb-newphp", "tb-table"] {
        if !plugins.contains(&slug) {
            bed.offer(&["plugin", slug, "none"]);
        }
    }
    for slug in ["tb-child", "tb-parent", "twentytwentythree"] {
        bed.offer(&["theme", slug, "none"]);
    }
    bed.offer(&["core", core]);
}

fn database_versions(bed: &Testbed) -> Vec<String> {
    let one = |site: &str| format!("SELECT option_value FROM wp_{site}options WHERE option_name = 'db_version'");
    ["", "2_", "3_"].map(|site| bed.sql(&one(site))).to_vec()
}

#[test]
fn a_network_is_updated_and_put_back_with_all_its_sites() {
    let bed = Testbed::up(&["--fresh-opcodes", "--network"]);
    let shop = Environment::new(&bed, "");
    offer_only(&bed, &["tb-table"], "7.1.1");
    let inventory = shop.intendant(&["inventory", "shop", "--json"]).ended(0, "inventory").json();
    let inventory = &inventory["sites"][0]["inventory"];
    let active = |id: &str| {
        let mut all = inventory["extensions"].as_array().unwrap().iter();
        all.find(|one| one["id"] == id).unwrap()["active"].as_bool().unwrap()
    };
    assert!(active("plugin:tb-table"), "a plugin of one site");
    assert!(active("plugin:tb-base"), "a plugin of the network");
    assert!(active("theme:twentytwentythree"), "a theme of two sites");
    assert!(!active("plugin:akismet"), "a plugin that runs nowhere");
    assert_eq!(inventory["pages"], serde_json::json!(["/nord/", "/sud/"]));
    shop.intendant(&["preview", "shop", "--json"]).ended(0, "preview").said("http /nord/").said("http /sud/");

    let before = bed.fingerprint();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "a run of a network");
    assert_eq!(run.outcome(), "completed-with-holds");
    let versions = database_versions(&bed);
    assert!(versions.iter().all(|version| version == "61833"), "every site is migrated: {versions:?}");
    assert_eq!(bed.sql("SHOW TABLES LIKE 'wp\\_2\\_tb\\_amounts'"), "wp_2_tb_amounts", "the plugin's new table");

    // A comment on one of its sites outlasts the restore.
    bed.sql(
        "INSERT INTO wp_2_comments (comment_post_ID, comment_author, comment_author_email, comment_content, \
         comment_date, comment_date_gmt) VALUES (1, 'Visiteur', 'v@shop.example', 'Encore !', NOW(), NOW())",
    );
    let listed = shop.intendant(&["snapshot", "list", "shop", "--json"]).ended(0, "list").json();
    let first = listed["snapshots"].as_array().unwrap().iter().filter_map(|one| one["snapshot"].as_str()).min();
    shop.intendant(&["restore", "shop", first.unwrap(), "--yes"]).ended(0, "restored by hand");
    let kept = "comment_author = 'Visiteur'";
    assert_eq!(bed.sql(&format!("SELECT COUNT(*) FROM wp_2_comments WHERE {kept}")), "1", "the visitor's comment");
    bed.sql(&format!("DELETE FROM wp_2_comments WHERE {kept}; ALTER TABLE wp_2_comments AUTO_INCREMENT = 1"));
    same(&before, &bed.fingerprint(), "a network, put back");
    bed.nothing_is_left("after a network was put back");
}

#[test]
#[ignore = "takes minutes; by hand: cargo nextest run --test wordpress --run-ignored only -E 'test(of_a_network)'"]
fn a_page_and_a_database_of_a_network_that_break_undo_the_run() {
    let bed = Testbed::up(&["--fresh-opcodes", "--network"]);
    let shop = Environment::new(&bed, "");
    offer_only(&bed, &[], "7.1.1");
    // The new core breaks the page of one site.
    let breaks = "<?php add_action( 'template_redirect', function () { if ( version_compare( $GLOBALS['wp_version'], '7', '>' ) \
                  && 0 === strpos( $_SERVER['REQUEST_URI'], '/sud' ) ) { throw new Error( 'not here' ); } } );";
    bed.exec(&["sh", "-c", "printf %s \"$1\" >wp-content/mu-plugins/breaks.php", "sh", breaks]);
    let before = bed.fingerprint();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(10, "the page of one site breaks");
    assert_eq!(run.outcome(), "restored");
    run.said("/sud/");
    same(&before, &bed.fingerprint(), "restored after the page of one site broke");
    // Its database can't be migrated, and WP-CLI ends well.
    let fails = "<?php if ( defined( 'WP_CLI' ) && '61833' === (string) $GLOBALS['wp_db_version'] \
                 && 0 === strpos( (string) $_SERVER['REQUEST_URI'], '/sud' ) ) { exit( 1 ); }";
    bed.exec(&["sh", "-c", "printf %s \"$1\" >wp-content/mu-plugins/breaks.php", "sh", fails]);
    let before = bed.fingerprint();
    for held in shop.intendant(&["immunity", "--json"]).json()["list"].as_array().into_iter().flatten() {
        let text = |key: &str| held[key].as_str().unwrap_or_default().to_owned();
        shop.intendant(&["immunity", "lift", &text("component"), &text("version"), "--why", "tests"])
            .ended(0, "lifted");
    }
    let run = shop.intendant(&["run", "shop", "--json"]).ended(10, "the database of one site stays old");
    assert_eq!(run.outcome(), "restored");
    run.said("older database");
    same(&before, &bed.fingerprint(), "restored after the database of one site stayed old");
}

/// Gives `wp-content` another name, uploads another place, and puts the configuration one level above.
fn move_folders(bed: &Testbed) {
    bed.exec(&["sh", "-c", "mv wp-content contenu; mv contenu/uploads medias; mv wp-config.php .."]);
    let defines = format!(
        "define( 'WP_CONTENT_DIR', __DIR__ . '/www/contenu' ); define( 'WP_CONTENT_URL', '{}contenu' ); define( 'UPLOADS', 'medias' );",
        bed.url
    );
    bed.exec(&["sed", "-i", &format!("/^\\$table_prefix/i {defines}"), "../wp-config.php"]);
    bed.exec(&["sed", "-i", "s#__DIR__ . '/' #__DIR__ . '/www/' #", "../wp-config.php"]);
    bed.visit("");
    bed.visit("wp-login.php");
    bed.sql(
        "UPDATE wp_options SET option_value = UNIX_TIMESTAMP() + 86400 \
         WHERE option_name LIKE '\\_transient\\_timeout\\_%'",
    );
}

#[test]
fn folders_elsewhere_are_known_and_folders_outside_refused() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    offer_only(&bed, &["tb-table", "tb-base"], "none");
    move_folders(&bed);
    let before = bed.fingerprint();
    shop.intendant(&["run", "shop", "--json"]).ended(0, "a run with folders elsewhere");
    assert_eq!(bed.plugin("tb-table"), "2.0");
    // Content is content there too, and a program of a plugin is the plugin's.
    bed.exec(&["sh", "-c", "echo picture >medias/new.jpg; echo '<?php // more' >contenu/plugins/tb-base/more.php"]);
    let drift = shop.intendant(&["preview", "shop"]).ended(0, "drift").said("plugin:tb-base");
    assert!(!drift.out.contains("medias/new.jpg"), "an upload is no drift:\n{}", drift.out);
    let listed = shop.intendant(&["snapshot", "list", "shop", "--json"]).ended(0, "list").json();
    let first = listed["snapshots"].as_array().unwrap().iter().filter_map(|one| one["snapshot"].as_str()).min();
    shop.intendant(&["restore", "shop", first.unwrap(), "--yes"]).ended(0, "restored by hand");
    same(&before, &bed.fingerprint(), "folders elsewhere, put back");

    // One plugin that is a link out of the site's folder is left alone.
    bed.exec(&["sh", "-c", "mv contenu/plugins/tb-base ../tb-base; ln -s ../../../tb-base contenu/plugins/tb-base"]);
    shop.intendant(&["preview", "shop"])
        .ended(0, "a link")
        .said("contenu/plugins/tb-base leads out of the site's folder");
    bed.exec(&["sh", "-c", "mv contenu ../outside; ln -s ../outside contenu"]);
    let run = shop.intendant(&["run", "shop", "--json"]).ended(11, "wp-content is outside");
    assert_eq!(run.outcome(), "refused");
    run.said("WP_CONTENT_DIR is ").said("no snapshot would have");
    bed.exec(&["sh", "-c", "rm contenu; mv ../outside contenu"]);
    composer_owns_it(&bed, &shop);
}

/// Where Composer built the site, this playbook refuses, wherever the plan's path points.
fn composer_owns_it(bed: &Testbed, shop: &Environment) {
    let require = r#"{"require": {"roots/wordpress": "^6.1"}}"#;
    bed.exec(&["sh", "-c", "printf %s \"$1\" >../composer.json; mkdir -p ../config", "sh", require]);
    shop.intendant(&["run", "shop", "--json"]).ended(11, "Composer owns the files").said("Composer owns these files");
    bed.exec(&["sh", "-c", "echo '<?php' >../config/application.php"]);
    shop.intendant(&["run", "shop", "--json"]).ended(11, "a project of Bedrock").said("let the plan say cms: bedrock");
    bed.exec(&["sh", "-c", "mkdir ../web; echo '<?php' >../web/wp-config.php"]);
    let config = bed.described["ssh_config"].as_str().unwrap();
    let home = bed.described["users"]["site"]["home"].as_str().unwrap();
    shop.plan_at(bed, &format!("{{ ssh: site, ssh-config: {config}, path: {home} }}"), "");
    shop.intendant(&["run", "shop", "--json"])
        .ended(11, "the folder of the project")
        .said("let the plan say `cms: bedrock`");
}
