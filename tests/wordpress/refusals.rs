//! What is refused: exit code 11, the reason is said, and the site is not touched.

use crate::support::{Environment, Ran, Testbed, same};

/// Runs, and asserts a refusal that says why and changes nothing.
fn refused(bed: &Testbed, shop: &Environment, what: &str, why: &str) -> Ran {
    let before = bed.fingerprint();
    let ran = shop.intendant(&["run", "shop"]).ended(11, what).said(why);
    same(&before, &bed.fingerprint(), what);
    ran
}

#[test]
fn what_is_not_well_is_left_alone() {
    let bed = Testbed::up(&["--fresh-opcodes"]);
    let shop = Environment::new(&bed, "");
    for fault in ["down", "refused", "garbage", "empty"] {
        bed.fault(&[fault]);
        let ran = refused(&bed, &shop, &format!("an update service that is {fault}"), "update service");
        assert!(!ran.out.contains("completed"), "{fault}: {}", ran.out);
    }
    bed.fault(&["none"]);

    bed.exec(&["sh", "-c", "echo '<?php $upgrading = '$(date +%s)'; ?>' >.maintenance"]);
    refused(&bed, &shop, "a fresh .maintenance", ".maintenance");
    bed.exec(&["rm", ".maintenance"]);

    bed.sql("INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('core_updater.lock', UNIX_TIMESTAMP(), 'no')");
    refused(&bed, &shop, "a fresh core_updater.lock", "core_updater.lock");
    bed.sql("DELETE FROM wp_options WHERE option_name = 'core_updater.lock'");

    shop.plan(&bed, "checks:\n  - { http: /, forbid: tb-addon 1.0 }");
    refused(&bed, &shop, "a site that fails its own checks before", "tb-addon 1.0");

    let day = jiff::Zoned::now().in_tz("UTC").unwrap().date() + jiff::Span::new().days(3);
    let day = format!("{:?}", day.weekday()).to_lowercase();
    shop.plan(&bed, &format!("windows:\n  - {{ on: [{}], at: \"03:00\", for: 1h, zone: UTC }}", &day[..3]));
    refused(&bed, &shop, "a closed window", "no maintenance window of the plan is open");

    shop.plan(&bed, "contract: { number: K-2020-1, from: 2020-01-01, until: 2020-12-31 }");
    refused(&bed, &shop, "a lapsed contract", "K-2020-1 ended on 2020-12-31");
    bed.nothing_is_left("after refusals");

    shop.plan(&bed, "");
    let other = Environment::new(&bed, "");
    let (mut first, said, found) = other.until(&["run", "shop"], "snapshot before");
    assert!(found, "the first run came to its snapshot: {said:?}");
    shop.intendant(&["run", "shop"]).ended(11, "a second run, from elsewhere").said("works on it");
    other.intendant(&["run", "shop"]).ended(11, "a second run, from the same place").said("is being worked on by");
    let ended = first.wait().unwrap();
    assert_eq!(ended.code(), Some(0), "the first run is not disturbed by the second");
    bed.core_is_whole("7.1.1");
    bed.nothing_is_left("after both runs");
}

#[test]
fn a_full_disk_is_seen_before_it_hurts() {
    let bed = Testbed::up(&["--fresh-opcodes", "--docroot-size", "100m"]);
    let shop = Environment::new(&bed, "");
    refused(&bed, &shop, "a disk that is nearly full", "room");
    bed.nothing_is_left("after a full disk");
}
