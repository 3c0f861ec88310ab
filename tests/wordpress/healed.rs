//! The runner is killed in the middle of an update and never comes back: the host puts itself back.

use crate::support::{Environment, Testbed, same};
use std::time::{Duration, Instant};

/// How long the host waits.
const AFTER: u64 = 15;
const COMMENT: &str = "INSERT INTO wp_comments (comment_post_ID, comment_author, comment_author_email, comment_content, comment_date, \
     comment_date_gmt, comment_approved) VALUES (1, 'Élodie 📅', 'elodie@example.org', 'it''s \\\\ \"quoted\"\\n', NOW(), NOW(), '0')";
const FIND: &str = "SELECT COUNT(*) FROM wp_comments WHERE comment_content = 'it''s \\\\ \"quoted\"\\n' AND comment_author = 'Élodie 📅'";
const FORGET: &str =
    "DELETE FROM wp_comments WHERE comment_author = 'Élodie 📅'; ALTER TABLE wp_comments AUTO_INCREMENT = 1";

#[test]
fn the_host_puts_itself_back_with_its_database() {
    heals(false);
}

#[test]
#[ignore = "takes a minute; run by hand"]
fn the_host_puts_itself_back_with_its_part_of_a_shared_database() {
    heals(true);
}

fn heals(shared: bool) {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    if shared {
        bed.sql("CREATE TABLE other_software (a int)");
    }
    bed.sql(COMMENT);
    bed.sql(FORGET);
    let shop = Environment::new(&bed, &format!("heal-after: {AFTER}s"));
    shop.intendant(&["doctor", "shop"]).ended(0, "doctor").said("the host can put itself back 15s after");
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("arm the dead man's switch (15 s)");
    let before = bed.fingerprint();
    shop.killed_at(&["run", "shop"], "migrate the database", Duration::from_millis(300));
    let killed = Instant::now();
    assert_ne!(before, bed.fingerprint(), "the update was in the middle");
    // What a visitor writes meanwhile, past every maintenance page.
    bed.sql(COMMENT);
    if shared {
        bed.sql("INSERT INTO other_software VALUES (7)");
    } else {
        bed.sql("CREATE TABLE wp_added (a int)");
    }

    let ended = r#"cat "$HOME"/.intendant/switches/*/ended "$HOME"/.intendant/switches/*/failed 2>/dev/null; true"#;
    let said = loop {
        let said = bed.exec(&["sh", "-c", ended]);
        if !said.is_empty() || killed.elapsed() > Duration::from_secs(120) {
            break said;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let took = killed.elapsed();
    assert!(said.trim().parse::<u64>().is_ok(), "the host says: {said:?}");
    if shared {
        let others = bed.sql("SELECT a FROM other_software; DELETE FROM other_software");
        assert_eq!(others, "7", "what is not the site's is left alone");
        // Nobody on the host knows whose a new table is: recovery takes it off.
        bed.sql("DROP TABLE wp_tb_amounts");
    }
    same(&before, &bed.fingerprint(), "the host put itself back");
    println!("safe {:.1} s after the runner was killed, of which {AFTER} s are the deadline", took.as_secs_f64());
    assert!(took < Duration::from_secs(AFTER + 90), "it took {took:?}");
    assert_eq!(bed.visit("").0, "200", "the front page without any runner");
    assert_eq!(
        bed.exec(&["sh", "-c", r#"ls "$HOME"/.intendant/switches/*/client.cnf 2>/dev/null; true"#]),
        "",
        "credentials"
    );

    shop.intendant(&["run", "shop"]).ended(11, "a run before recovery").said("never finished");
    let recovered = shop.intendant(&["recover", "shop"]).ended(10, "recover").said("put the site back by itself");
    assert_eq!(bed.sql(FIND), "1", "the comment is put back\n{}{}", recovered.out, recovered.err);
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    assert_eq!(report["outcome"], "restored");
    assert!(report["notes"].to_string().contains("by itself"), "{}", report["notes"]);
    bed.sql(FORGET);
    same(&before, &bed.fingerprint(), "all but what the visitor wrote is as before");
    bed.nothing_is_left("after recovery");
}
