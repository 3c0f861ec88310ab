//! A host whose programs are BusyBox's: as in containers with Alpine Linux.

use crate::support::{Environment, Testbed, same};

/// The picture without parts of seconds, which BusyBox can't set.
fn to_the_second(picture: &str) -> String {
    let time = regex::Regex::new(r"^([a-z] \d+ \d+ \d+ (?:-|\d+) \d+)\.\d+ ").unwrap();
    let mut lines: Vec<_> = picture.lines().map(|line| time.replace(line, "$1 ").into_owned()).collect();
    lines.sort();
    lines.join("\n")
}

#[test]
#[ignore = "takes a minute; tests/snapshots restores with BusyBox alone: run by hand"]
fn a_broken_update_is_put_back_with_busybox() {
    let bed = Testbed::up(&["--broken"]);
    let shop = Environment::new(&bed, "");
    let before = to_the_second(&bed.fingerprint());
    let folder = "/usr/local/bin";
    bed.root(&["sh", "-c", &format!("for a in $(busybox --list); do ln -s /usr/bin/busybox {folder}/$a; done")]);
    shop.intendant(&["doctor", "shop"]).ended(0, "doctor").said("snapshots use BusyBox v");
    let run = shop.intendant(&["run", "shop", "--json"]).ended(10, "run with a plugin that answers 500");
    assert_eq!(run.outcome(), "restored");
    assert_eq!(bed.visit("").0, "200", "the restored front page");
    bed.root(&["/usr/bin/find", folder, "-lname", "/usr/bin/busybox", "-delete"]);
    same(&before, &to_the_second(&bed.fingerprint()), "restored with BusyBox");
    bed.nothing_is_left("after the restore");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    assert!(report.to_string().contains("mtime"), "the report does not say which times could not be set");
}
