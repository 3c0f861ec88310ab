//! A major version waits for an answer: the run writes a notice, somebody approves it, the next run takes it.

use crate::support::{Environment, Testbed};

#[test]
#[ignore = "takes minutes; the decisions are tested in src/update, the journal in src/journal: run by hand"]
fn a_major_core_is_taken_once_its_notice_is_approved() {
    let bed = Testbed::up(&["--plain"]);
    let shop = Environment::new(&bed, "checks: [{ http: / }]");
    let file = shop.path("plans/shop.yaml");
    let plan = std::fs::read_to_string(&file).unwrap();
    let without = |line: &&str| !line.contains("approvals:") && !line.contains("component: core");
    let plan: Vec<&str> = plan.lines().filter(without).collect();
    std::fs::write(&file, plan.join("\n")).unwrap();

    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("a run asks for it");
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "without an approval");
    assert_eq!(run.outcome(), "completed-with-holds");
    assert_eq!(bed.core(), "6.1.9");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    let notice = report["holds"][0]["notice"].as_u64().unwrap_or_else(|| panic!("no notice: {}", report["holds"]));
    let notice = notice.to_string();
    shop.intendant(&["notices"]).ended(0, "notices").said("6.1.9 → 7.1.1").said("waits until");
    shop.intendant(&["run", "shop", "--json"]).ended(0, "the same again");
    let listed = shop.intendant(&["notices", "--json"]).ended(0, "notices").json();
    assert_eq!(listed["list"].as_array().map(Vec::len), Some(1), "it is asked for once: {listed}");

    shop.intendant(&["notices", "decline", &notice, "--why", "not before the sale"]).ended(0, "declined");
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("declined (notice");
    shop.intendant(&["notices", "approve", &notice, "--by", "Anne Laval"]).ended(0, "approved").said("the next run");
    shop.intendant(&["notices", "approve", "99"]).ended(5, "there is none").said("no notice 99");
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "with an approval");
    assert_eq!(run.outcome(), "completed");
    bed.core_is_whole("7.1.1");
    shop.intendant(&["notices", "--all"]).ended(0, "notices").said("approved by Anne Laval");
}
