//! `kill -9` of the program at every kind of step, then `recover`: the site is updated and checked,
//! or what it was before.

use crate::support::{Environment, Testbed, same};
use std::time::Duration;

/// Kills runs at these moments, one after the other, and recovers each. Those that are like others are
/// left out unless `INTENDANT_KILLS` asks for many.
fn killed_at(moments: &[(&str, u64)], alike: &[(&str, u64)]) {
    let many = std::env::var_os("INTENDANT_KILLS").is_some();
    let moments: Vec<_> = moments.iter().chain(alike.iter().filter(|_| many)).collect();
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    let before = bed.fingerprint();
    for (sign, after) in moments {
        let when = format!("killed {after} ms after {sign:?}");
        shop.killed_at(&["run", "shop"], sign, Duration::from_millis(*after));
        let ran = shop.intendant(&["recover"]);
        assert!(!ran.err.lines().any(|line| line == "shop: "), "{when}: a step without its name\n{}", ran.err);
        match ran.code {
            Some(0) => {
                bed.core_is_whole("7.1.1");
                for (slug, version) in
                    [("tb-base", "1.1.0"), ("tb-addon", "2.0"), ("tb-table", "2.0"), ("akismet", "5.7.2")]
                {
                    assert_eq!(bed.plugin(slug), version, "{when}, recovered: the version of {slug}");
                }
                bed.nothing_is_left(&when);
                shop.intendant(&["restore", "shop", "--yes"]).ended(0, &format!("{when}, recovered, restored"));
            }
            Some(10 | 11) => {}
            _ => drop(ran.ended(10, &format!("{when}: recover"))),
        }
        same(&before, &bed.fingerprint(), &when);
        bed.nothing_is_left(&when);
        assert_eq!(bed.visit("").0, "200", "{when}: the front page");
        shop.intendant(&["recover"]).ended(0, "a second recover").said("nothing to recover");
    }
}

#[test]
#[ignore = "takes minutes; tests/kills.rs kills there too, and anywhere else: run by hand"]
fn killed_before_the_core() {
    killed_at(&[(" lock", 0), ("update plugin:tb-", 900)], &[("snapshot before", 700), ("maintenance on", 0)]);
}

#[test]
#[ignore = "takes minutes; tests/kills.rs kills there too, and anywhere else: run by hand"]
fn killed_while_the_core_moves() {
    killed_at(&[("update core", 0), ("update core", 2500), ("migrate the database", 300)], &[]);
}

#[test]
#[ignore = "takes minutes; tests/kills.rs kills there too, and anywhere else: run by hand"]
fn killed_at_the_end() {
    killed_at(&[("snapshot after", 300), ("maintenance off", 100)], &[("full checks", 500)]);
}

#[test]
fn killed_while_restoring() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    let before = bed.fingerprint();
    shop.intendant(&["run", "shop"]).ended(0, "run");
    for after in [1500, 4000] {
        shop.killed_at(&["restore", "shop", "--yes"], "restoring ", Duration::from_millis(after));
        let ran = shop.intendant(&["recover"]);
        assert!(matches!(ran.code, Some(0 | 10)), "recover of a restore: {:?}\n{}{}", ran.code, ran.out, ran.err);
        same(&before, &bed.fingerprint(), "a restore that was killed and recovered");
        bed.nothing_is_left("after a restore that was killed and recovered");
    }
}
