//! Visitors write while an update goes wrong: what was accepted is there afterwards.

use crate::support::visitors::{Visitor, all_are_there, forget, shop_with_orders};
use crate::support::{Environment, Testbed, same};
use std::time::Duration;

/// Between two orders of a visitor.
const PAUSE: Duration = Duration::from_millis(150);

#[test]
fn what_visitors_write_during_a_broken_update_is_kept() {
    let bed = Testbed::up(&["--broken", "--fresh-opcodes"]);
    shop_with_orders(&bed);
    let shop = Environment::new(&bed, "protect: [wp_tb_orders]");
    forget(&bed);
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("put back in: wp_tb_orders, …comments");
    let before = bed.fingerprint();
    let visitors: Vec<Visitor> = ["ann", "bob"].map(|name| Visitor::begins(&bed.url, name, PAUSE)).into();
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
    let bed = &Testbed::up(&["--fresh-opcodes"]);
    shop_with_orders(bed);
    let shop = Environment::new(bed, "protect: [wp_tb_orders]");
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
        all_are_there(bed, &["one".into(), "two".into()], &format!("killed {after} ms after the rows were found"));
        bed.nothing_is_left("after a restore that was killed and recovered");
    }
    order("three");
    // Orders that take their time were let in before the maintenance page came, and end after it.
    let (mut restore, _, began) = shop.until(&["restore", "shop", "--yes"], "restoring ");
    assert!(began);
    std::thread::scope(|scope| {
        let slow = [1500, 3000, 4500, 6000].map(|wait| {
            scope.spawn(move || (format!("slow{wait}"), bed.visit(&format!("order.php?token=slow{wait}&wait={wait}"))))
        });
        for (token, (_, said)) in slow.map(|order| order.join().unwrap()) {
            if said.contains("accepted") {
                accepted.push(token);
            }
        }
    });
    assert!(restore.wait().unwrap().success(), "a restore while slow orders came in");
    assert!(accepted.len() > 3, "no slow order was let in: {accepted:?}");
    all_are_there(bed, &accepted, "after a restore by hand");
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
