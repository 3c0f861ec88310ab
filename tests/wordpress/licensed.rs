//! A commercial plugin that is offered without a package until its key is entered: it waits with its reason, gets its key out
//! of a pool of licences, and is updated. The key shows nowhere.

use crate::support::{Environment, Testbed};
use serde_json::Value;

const KEY: &str = "TB-VALID";

#[test]
#[ignore = "takes minutes; the decisions are tested in src/update and tests/previews: run by hand"]
fn a_licence_out_of_a_pool_is_entered_and_opens_the_update() {
    let bed = Testbed::up(&[]);
    let shop = Environment::new(&bed, "licences: [{ extension: tb-licensed, from: tb-pool }]");
    std::fs::write(shop.path("intendant.yaml"), "settings: 1\n").unwrap();

    assert_eq!(held(&shop), "unknown", "there is no pool yet");
    let asked = shop.intendant(&["notices"]).ended(0, "notices").said("a task of TB Licensed");
    assert!(asked.out.contains("there is no pool tb-pool"), "{}", asked.out);

    not_offered(&bed, &shop);
    refused_key(&bed, &shop);
    bed.exec(&["wp", "option", "delete", "tb_licensed_key"]);

    std::fs::write(shop.path("key"), format!("{KEY}\n")).unwrap();
    shop.intendant(&["licence", "assign", "tb-pool", "shop"]).ended(0, "once more").said("tries its key again");
    let preview = shop.intendant(&["preview", "shop"]).ended(0, "preview");
    let preview = preview.said("enter the licence of plugin:tb-licensed (pool tb-pool)");
    assert!(!preview.out.contains(KEY), "{}", preview.out);
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "with a licence");
    assert_eq!(bed.plugin("tb-licensed"), "2.0", "{}", run.out);
    bed.nothing_is_left("after the run");
    let list = shop.intendant(&["licence", "--json"]).ended(0, "the pools").json();
    assert_eq!(
        (&list["list"][0]["used"], &list["list"][0]["entered"][0]["taken"]),
        (&1.into(), &true.into()),
        "{list}"
    );
    shop.intendant(&["licence"]).ended(0, "the pools").said("shop (entered)");
    let open = shop.intendant(&["notices", "--json"]).ended(0, "notices").json();
    let about = |notice: &&Value| notice["component"] == "plugin:tb-licensed";
    assert_eq!(open["list"].as_array().unwrap().iter().filter(about).count(), 0, "the task is out of the way: {open}");
    shows_nowhere(&shop);
}

/// The same with a command of the pool instead of a way of the playbook.
#[test]
#[ignore = "takes minutes; the decisions are tested in src/update and tests/previews: run by hand"]
fn a_command_of_the_pool_enters_the_key() {
    let bed = Testbed::up(&[]);
    let shop = Environment::new(&bed, "licences: [{ extension: tb-licensed, from: tb-pool }]");
    std::fs::write(shop.path("intendant.yaml"), "settings: 1\n").unwrap();
    std::fs::write(shop.path("key"), format!("{KEY}\n")).unwrap();
    let pools = "licences: 1\npools:\n  tb-pool:\n    vendor: Testbed\n    product: TB Licensed\n    key: file:key\n    sites: [shop]\n    \
                 activate:\n      by: command\n      run: [wp, option, update, tb_licensed_key]\n      \
                 probe: [sh, -c, 'test \"$(cat)\" = \"$(wp option get tb_licensed_key)\"']\n";
    std::fs::write(shop.path("licences.yaml"), pools).unwrap();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "with a command");
    assert_eq!(bed.plugin("tb-licensed"), "2.0", "{}", run.out);
    shows_nowhere(&shop);
}

/// The reason for which the plugin waits after a run.
fn held(shop: &Environment) -> String {
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "a run");
    assert_eq!(run.outcome(), "completed-with-holds");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    let holds = report["holds"].as_array().unwrap();
    let hold = holds.iter().find(|hold| hold["component"] == "plugin:tb-licensed");
    let hold = hold.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(hold["reason"]["kind"], "licence-pool", "{hold}");
    assert!(hold["notice"].is_u64(), "somebody is asked: {hold}");
    hold["reason"]["problem"]["is"].as_str().unwrap().to_owned()
}

/// What is over, used up or not given to the site is not offered, and the site is not touched for it.
fn not_offered(bed: &Testbed, shop: &Environment) {
    let pool = ["licence", "add", "tb-pool", "--vendor", "Testbed", "--product", "TB Licensed", "--key", "file:key"];
    let way = ["--by", "option", "--name", "tb_licensed_key"];
    let add = |more: &[&str]| shop.intendant(&[&pool[..], &way, more].concat());
    add(&["--seats", "1", "--until", "2020-12-31"]).ended(0, "a pool that is over");
    shop.intendant(&["licence", "assign", "tb-pool", "shop"]).ended(1, "it is over").said("ended on 2020-12-31");
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("those of tb-pool ended on 2020-12-31");
    add(&["--seats", "1", "--replace"]).ended(0, "a pool with a seat");
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("tb-pool has one free");
    let file = shop.path("licences.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("key: file:key") && !text.contains(KEY), "{text}");
    std::fs::write(&file, text.trim_end().to_owned() + "\n    sites: [another]\n").unwrap();
    shop.intendant(&["licence", "assign", "tb-pool", "shop"])
        .ended(1, "all are taken")
        .said("no licence of tb-pool is free");
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("none of tb-pool is free");
    let over = std::fs::read_to_string(&file).unwrap().replace("[another]", "[another, shop]");
    std::fs::write(&file, over).unwrap();
    shop.intendant(&["preview", "shop"]).ended(0, "preview").said("tb-pool is over-used (2 sites, 1 licences)");
    shop.intendant(&["licence"]).ended(0, "the pools").said("over-used: not offered");
    shop.intendant(&["licence", "release", "tb-pool", "another"]).ended(0, "released");
    assert_eq!(held(shop), "key", "there is no key in its file yet");
    assert_eq!(bed.plugin("tb-licensed"), "1.0");
}

/// A key that the vendor does not take: the site is put back, and the next run leaves it alone.
fn refused_key(bed: &Testbed, shop: &Environment) {
    std::fs::write(shop.path("key"), "TB-WRONG-0000\n").unwrap();
    let run = shop.intendant(&["run", "shop", "--json"]).ended(10, "a key that is not taken");
    assert_eq!(run.outcome(), "restored");
    assert!(run.out.contains("still offers no package") && !run.out.contains("TB-WRONG"), "{}", run.out);
    let option = bed.exec(&["sh", "-c", "wp option get tb_licensed_key 2>/dev/null || echo none"]);
    assert!(option.contains("none"), "the key went with what was put back: {option}");
    assert_eq!(held(shop), "refused");
    shop.intendant(&["licence"]).ended(0, "the pools").said("shop (refused)");
}

/// No file of the operator has the key but its own.
fn shows_nowhere(shop: &Environment) {
    for folder in ["state", "reports", "plans", "licences.yaml", "xdg-state"] {
        let found = std::process::Command::new("grep").args(["-rlaF", KEY]).arg(shop.path(folder)).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "the key stands in {folder}");
    }
}
