//! Visitors write while an update goes wrong: what was accepted is there afterwards.

use crate::support::{Environment, Testbed, same};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A page of the site's own that takes an order and a comment, as shops do: `accepted` is a promise.
const PAGE: &str = r#"<?php
require __DIR__ . '/wp-load.php';
global $wpdb;
$token   = preg_replace( '/[^a-z0-9]/', '', $_GET['token'] );
$comment = wp_insert_comment( wp_slash( array( 'comment_post_ID' => 1, 'comment_author' => "Élodie \u{1F4C5}", 'comment_approved' => 0, 'comment_content' => "it's $token \\ \"quoted\"\n" ) ) );
$meta    = add_comment_meta( $comment, 'tb_token', $token );
$order   = $wpdb->insert( 'wp_tb_orders', array( 'token' => $token, 'payload' => pack( 'N*', 0, 0x0a0d1a27, crc32( $token ) ) ) );
if ( $comment && $meta && $order ) {
	header( 'Cache-Control: no-store' );
	echo "accepted $token";
}
"#;

/// A site where visitors order.
fn shop_with_orders(bed: &Testbed) {
    bed.exec(&["sh", "-c", "printf '%s' \"$1\" >order.php", "sh", PAGE]);
    bed.sql(
        "CREATE TABLE wp_tb_orders (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, token varchar(40) NOT NULL UNIQUE, \
         payload longblob, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP) DEFAULT CHARSET utf8mb4",
    );
}

/// A visitor who orders until the shop is told to close; returns the orders that were accepted.
struct Visitor {
    closed: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Visitor {
    fn begins(url: &str, name: &str) -> Self {
        let closed = Arc::new(AtomicBool::new(false));
        let (seen, url, name) = (closed.clone(), url.to_owned(), name.to_owned());
        let thread = std::thread::spawn(move || {
            let mut accepted = Vec::new();
            for number in 0.. {
                if seen.load(Ordering::Relaxed) {
                    break;
                }
                let token = format!("{name}{number}");
                let page = format!("{url}order.php?token={token}");
                let said = std::process::Command::new("curl").args(["-s", "--max-time", "30", &page]).output().unwrap();
                if String::from_utf8_lossy(&said.stdout).contains(&format!("accepted {token}")) {
                    accepted.push(token);
                }
                std::thread::sleep(Duration::from_millis(150));
            }
            accepted
        });
        Self { closed, thread }
    }

    fn ends(self) -> Vec<String> {
        self.closed.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Every order that was accepted is there, with its comment; then they are taken off.
fn all_are_there(bed: &Testbed, accepted: &[String], when: &str) {
    for (what, sql) in [
        ("order", "SELECT token FROM wp_tb_orders"),
        (
            "comment",
            "SELECT meta_value FROM wp_commentmeta m JOIN wp_comments c USING (comment_ID) WHERE meta_key = 'tb_token' \
                     AND comment_content = CONCAT('it''s ', meta_value, ' \\\\ \"quoted\"\\n')",
        ),
    ] {
        let there = bed.sql(sql);
        let there: std::collections::BTreeSet<&str> = there.lines().collect();
        let lost: Vec<&String> = accepted.iter().filter(|token| !there.contains(token.as_str())).collect();
        assert!(lost.is_empty(), "{when}: of {} accepted, these have no {what}: {lost:?}", accepted.len());
    }
    let payload = "SELECT COUNT(*) FROM wp_tb_orders WHERE payload <> UNHEX(CONCAT('000000000A0D1A27', LPAD(HEX(CRC32(token)), 8, '0')))";
    assert_eq!(bed.sql(payload), "0", "{when}: an order has another content");
}

/// Takes visitors' rows off, so that the rest can be compared.
fn forget(bed: &Testbed) {
    bed.sql(
        "DELETE FROM wp_tb_orders; ALTER TABLE wp_tb_orders AUTO_INCREMENT = 1; \
         DELETE c, m FROM wp_comments c JOIN wp_commentmeta m USING (comment_ID) WHERE meta_key = 'tb_token'; \
         ALTER TABLE wp_comments AUTO_INCREMENT = 1; ALTER TABLE wp_commentmeta AUTO_INCREMENT = 1",
    );
}

#[test]
fn what_visitors_write_during_a_broken_update_is_kept() {
    let bed = Testbed::up(&["--broken", "--fresh-opcodes"]);
    shop_with_orders(&bed);
    let shop = Environment::new(&bed, "protect: [wp_tb_orders]");
    forget(&bed);
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("put back in: wp_tb_orders, …comments");
    let before = bed.fingerprint();
    let visitors: Vec<Visitor> = ["ann", "bob"].map(|name| Visitor::begins(&bed.url, name)).into();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(10, "a broken update while visitors order");
    assert_eq!(run.outcome(), "restored");
    let accepted: Vec<String> = visitors.into_iter().flat_map(Visitor::ends).collect();
    assert!(accepted.len() > 3, "too few orders to show anything: {accepted:?}");
    all_are_there(&bed, &accepted, "after the broken update");
    let summary = run.json()["runs"][0]["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains("put back into") && summary.contains("state/evidence/"), "{summary}");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    let rows = &report["restores"][0]["rows"];
    let tables: Vec<&str> =
        rows["tables"].as_array().unwrap().iter().filter_map(|table| table["table"].as_str()).collect();
    assert!(tables.contains(&"wp_tb_orders") && tables.contains(&"wp_comments"), "{rows}");
    shop.intendant(&["report", "shop", "--language", "fr"]).ended(0, "report").said("remises en place");
    forget(&bed);
    same(&before, &bed.fingerprint(), "all but what visitors wrote is as before");
    bed.nothing_is_left("after the broken update");
}

#[test]
fn what_visitors_wrote_outlasts_a_kill_and_a_restore_by_hand() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    shop_with_orders(&bed);
    let shop = Environment::new(&bed, "protect: [wp_tb_orders]");
    let before = bed.fingerprint();
    shop.intendant(&["run", "shop"]).ended(0, "run");
    let mut accepted = Vec::new();
    let mut order = |name: &str| {
        let (status, said) = bed.visit(&format!("order.php?token={name}"));
        assert!(said.contains("accepted"), "{status} {said}");
        accepted.push(name.to_owned());
    };
    order("one");
    order("two");
    for after in [500, 2000, 4000] {
        shop.killed_at(&["restore", "shop", "--yes"], "came in since", Duration::from_millis(after));
        let ran = shop.intendant(&["recover"]);
        assert!(matches!(ran.code, Some(0 | 10)), "recover of a restore: {:?}\n{}{}", ran.code, ran.out, ran.err);
        all_are_there(&bed, &["one".into(), "two".into()], &format!("killed {after} ms after the rows were found"));
        bed.nothing_is_left("after a restore that was killed and recovered");
    }
    order("three");
    shop.intendant(&["restore", "shop", "--yes"]).ended(0, "restore").said("put back into 3 tables");
    all_are_there(&bed, &accepted, "after a restore by hand");
    shop.intendant(&["restore", "shop", "--yes", "--exact"]).ended(0, "restore --exact");
    same(&before, &bed.fingerprint(), "exactly as it was");
}

#[test]
#[ignore = "takes minutes; run by hand"]
fn what_visitors_wrote_outlasts_a_run_that_got_stuck() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    shop_with_orders(&bed);
    let shop = Environment::new(&bed, "protect: [wp_tb_orders]");
    shop.intendant(&["run", "shop"]).ended(0, "run");
    let (status, said) = bed.visit("order.php?token=one");
    assert!(said.contains("accepted"), "{status} {said}");
    // The database client ends in the middle of every import.
    let wrapper = "#!/bin/sh\ncase \"$*\" in *--comments*) head -c 30000 | /usr/bin/mariadb \"$@\"; exit 1;; esac\nexec /usr/bin/mariadb \"$@\"\n";
    bed.root(&[
        "sh",
        "-c",
        "printf '%s' \"$1\" >/usr/local/bin/mariadb && chmod 755 /usr/local/bin/mariadb",
        "sh",
        wrapper,
    ]);
    let stuck = shop.intendant(&["restore", "shop", "--yes"]).ended(12, "a restore whose imports break off");
    assert!(format!("{}{}", stuck.out, stuck.err).contains("state/evidence/"), "{}{}", stuck.out, stuck.err);
    let comments = "SELECT COUNT(*) FROM wp_commentmeta WHERE meta_key = 'tb_token'";
    assert_eq!(bed.sql(comments), "0", "the half restored site has lost the comment");
    bed.root(&["rm", "/usr/local/bin/mariadb"]);
    shop.intendant(&["restore", "shop", "--yes"]).ended(0, "restore by hand").said("put back into 3 tables");
    all_are_there(&bed, &["one".into()], "after a run that got stuck");
    bed.nothing_is_left("after a run that got stuck");
}
