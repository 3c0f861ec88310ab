//! Visitors who order and comment, and what has to be there of it afterwards.

use super::Testbed;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A page of the site's own that takes an order and a comment, as shops do: `accepted` is a promise.
const PAGE: &str = r#"<?php
require __DIR__ . '/wp-load.php';
global $wpdb;
usleep( 1000 * (int) ( $_GET['wait'] ?? 0 ) );
$token   = preg_replace( '/[^a-z0-9]/', '', $_GET['token'] );
$comment = wp_insert_comment( wp_slash( array( 'comment_post_ID' => 1, 'comment_author' => "Élodie \u{1F4C5}", 'comment_approved' => 0, 'comment_content' => "it's $token \\ \"quoted\"\n" ) ) );
$meta    = add_comment_meta( $comment, 'tb_token', $token );
$order   = $wpdb->insert( 'wp_tb_orders', array( 'token' => $token, 'payload' => pack( 'N*', 0, 0x0a0d1a27, crc32( $token ) ) ) );
if ( $comment && $meta && $order ) {
	header( 'Cache-Control: no-store' );
	echo "accepted $token";
}
"#;

/// The table of orders, which the plan has to protect.
pub const ORDERS: &str = "wp_tb_orders";

/// Makes of a site one where visitors order.
pub fn shop_with_orders(bed: &Testbed) {
    bed.exec(&["sh", "-c", "printf '%s' \"$1\" >order.php", "sh", PAGE]);
    bed.sql(
        "CREATE TABLE wp_tb_orders (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, token varchar(40) NOT NULL UNIQUE, \
         payload longblob, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP) DEFAULT CHARSET utf8mb4",
    );
}

/// A visitor who orders until the shop is told to close.
pub struct Visitor {
    closed: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Visitor {
    /// Orders again and again, with a pause between two.
    pub fn begins(url: &str, name: &str, pause: Duration) -> Self {
        let closed = Arc::new(AtomicBool::new(false));
        let (seen, url, name) = (closed.clone(), url.to_owned(), name.to_owned());
        let thread = std::thread::spawn(move || {
            let mut accepted = Vec::new();
            for number in 0.. {
                if seen.load(Ordering::Relaxed) {
                    break;
                }
                let token = format!("{name}{number}");
                let said = answer(&url, &format!("order.php?token={token}")).unwrap_or_default();
                if said.contains(&format!("accepted {token}")) {
                    accepted.push(token);
                }
                std::thread::sleep(pause);
            }
            accepted
        });
        Self { closed, thread }
    }

    /// Returns the orders that were accepted.
    pub fn ends(self) -> Vec<String> {
        self.closed.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// What the web server answers, as it comes over the wire: a program for each order would be more work than the order.
fn answer(url: &str, page: &str) -> std::io::Result<String> {
    let place = url.trim_start_matches("http://").trim_end_matches('/');
    let mut server = TcpStream::connect(place)?;
    server.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(server, "GET /{page} HTTP/1.0\r\nHost: {place}\r\n\r\n")?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Asserts that every order that was accepted is there, with its comment.
pub fn all_are_there(bed: &Testbed, accepted: &[String], when: &str) {
    for (what, sql) in [
        ("order", "SELECT token FROM wp_tb_orders"),
        (
            "comment",
            "SELECT meta_value FROM wp_commentmeta m JOIN wp_comments c USING (comment_ID) WHERE meta_key = 'tb_token' \
                     AND comment_content = CONCAT('it''s ', meta_value, ' \\\\ \"quoted\"\\n')",
        ),
    ] {
        let there = bed.sql(sql);
        let there: BTreeSet<&str> = there.lines().collect();
        let lost: Vec<&String> = accepted.iter().filter(|token| !there.contains(token.as_str())).collect();
        assert!(lost.is_empty(), "{when}: of {} accepted, these have no {what}: {lost:?}", accepted.len());
    }
    let payload = "SELECT COUNT(*) FROM wp_tb_orders WHERE payload <> UNHEX(CONCAT('000000000A0D1A27', LPAD(HEX(CRC32(token)), 8, '0')))";
    assert_eq!(bed.sql(payload), "0", "{when}: an order has another content");
}

/// Takes visitors' rows off, so that the rest can be compared.
pub fn forget(bed: &Testbed) {
    bed.sql(
        "DELETE FROM wp_tb_orders; ALTER TABLE wp_tb_orders AUTO_INCREMENT = 1; \
         DELETE c, m FROM wp_comments c JOIN wp_commentmeta m USING (comment_ID) WHERE meta_key = 'tb_token'; \
         ALTER TABLE wp_comments AUTO_INCREMENT = 1; ALTER TABLE wp_commentmeta AUTO_INCREMENT = 1",
    );
}
