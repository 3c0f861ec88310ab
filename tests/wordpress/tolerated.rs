//! What is not as it should be and still ends well: left-overs, noise, hostile answers, cut packages.

use crate::support::{Environment, Testbed, same};
use std::path::{Path, PathBuf};

#[test]
fn stale_locks_are_no_locks() {
    let bed = Testbed::up(&["--fresh-opcodes", "--block-loopback", "--noise"]);
    let shop = Environment::new(&bed, "");
    bed.exec(&["sh", "-c", "echo '<?php $upgrading = 1700000000; ?>' >.maintenance; touch -d 2023-11-14 .maintenance"]);
    bed.sql(
        "INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('core_updater.lock', '1700000000', 'no')",
    );
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "old left-overs, no loopback, noise before the JSON");
    assert_eq!(run.outcome(), "completed-with-holds");
    // Noise stands before what wp prints here as well.
    let last = |text: String| text.lines().last().unwrap_or_default().to_owned();
    assert_eq!(last(bed.core()), "7.1.1", "the version of the core");
    let code = last(bed.exec(&["wp", "eval", "global $wp_db_version; echo $wp_db_version;"]));
    let data = bed.sql("SELECT option_value FROM wp_options WHERE option_name = 'db_version'");
    assert_eq!(code, data, "the database is migrated without a loopback request");
}

#[test]
#[ignore = "takes minutes; run by hand"]
fn foreign_files_and_cut_packages() {
    let bed = Testbed::up(&["--fresh-opcodes", "--foreign-owner"]);
    let shop = Environment::new(&bed, "");
    let before = bed.fingerprint();
    for package in ["tb-table.2.0", "wordpress-7.1.1"] {
        bed.fault(&["truncated", package, "full"]);
        let run = shop.intendant(&["run", "shop", "--json"]).ended(10, &format!("half of {package}"));
        assert_eq!(run.outcome(), "restored", "half of {package}");
        same(&before, &bed.fingerprint(), &format!("restored after half of {package}"));
    }
    bed.fault(&["none"]);
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "files of another account");
    assert_eq!(run.outcome(), "completed-with-holds");
    assert_eq!(bed.plugin("akismet"), "5.0.2", "akismet can't be written");
    assert_eq!(bed.plugin("tb-addon"), "1.0", "tb-addon can't be written");
    assert_eq!(bed.plugin("tb-table"), "2.0", "the rest is updated");
    bed.core_is_whole("7.1.1");
    let preview = shop.intendant(&["preview", "shop"]).ended(0, "preview");
    preview.said("can't write wp-content/plugins/akismet").said("can't write wp-content/plugins/tb-addon");
}

#[test]
fn hostile_answers_are_only_shown() {
    let bed = Testbed::up(&["--fresh-opcodes", "--no-wp-cli"]);
    let shop = Environment::new(&bed, "");
    std::fs::create_dir_all(shop.path("cache/intendant/tools")).unwrap();
    let kept = shop.path("cache/intendant/tools/2.12.0-wp-cli.phar");
    std::fs::write(&kept, "<?php // half of it").unwrap();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(11, "a wp that is not the pinned one is not brought");
    assert_eq!(run.outcome(), "refused");
    run.said("its SHA-512 is").said("install it on the host, or place the file as");
    std::fs::copy(phar(), &kept).unwrap();
    let home = bed.described["users"]["site"]["home"].as_str().unwrap().to_owned();
    let around = || bed.exec(&["find", &home, "/tmp", "-not", "-path", "*/www/*", "-printf", "%p\n"]);
    let (before, files) = (bed.fingerprint(), around());
    bed.fault(&["hostile"]);
    for arguments in [&["inventory", "shop"][..], &["preview", "shop"], &["run", "shop"], &["report", "shop"]] {
        let ran = shop.intendant(arguments);
        let all = format!("{}{}", ran.out, ran.err);
        let raw = |sign: char| sign == '\u{1b}' || sign == '\u{7}' || sign == '\u{202e}';
        assert!(!all.contains(raw), "{arguments:?} prints raw signs of control: {all:?}");
        assert!(!all.contains("<script>alert"), "{arguments:?} hands a script through: {all}");
        match (arguments[0], ran.code) {
            ("run", Some(10 | 11)) | ("inventory" | "report", Some(0)) | ("preview", Some(0 | 6)) => {}
            (_, code) => panic!("{arguments:?} of hostile offers ended with {code:?}:\n{all}"),
        }
        if arguments[0] == "preview" {
            assert!(all.contains("can't be used"), "preview does not say that offers can't be used: {all}");
        }
        if arguments[0] == "run" {
            same(&before, &bed.fingerprint(), "a run of hostile offers");
        }
    }
    assert_eq!(around(), files, "files around the site: nothing was executed");
    bed.fault(&["none"]);
    shop.intendant(&["run", "shop"]).ended(0, "a run with a wp that was brought along");
    assert!(
        bed.docroot_file("wp-includes/version.php").contains("7.1.1"),
        "the core is updated without wp on the host"
    );
    assert_eq!(around(), files, "files around the site: nothing stays of the wp that was brought");
}

#[test]
fn a_host_that_cleans_its_temporary_folder_midway() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    let before = bed.fingerprint();
    let (mut run, said, found) = shop.until(&["run", "shop"], "update plugin:tb-addon");
    assert!(found, "the run came to its updates: {said:?}");
    bed.exec(&["sh", "-c", "rm -r /tmp/intendant.*"]);
    assert_eq!(run.wait().unwrap().code(), Some(10), "a run whose scripts are gone puts the site back");
    same(&before, &bed.fingerprint(), "restored after the scripts were gone");
    bed.nothing_is_left("after the scripts were gone");
}

/// The pinned phar in the testbed's cache.
fn phar() -> PathBuf {
    let home = || Path::new(&std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = || std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("intendant-testbed");
    std::env::var_os("INTENDANT_TESTBED_CACHE").map_or_else(cache, PathBuf::from).join("sources/wp-cli.phar")
}
