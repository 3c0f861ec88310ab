//! Sites of this machine, without any host: a hosted product, and a CMS of a few lines of shell whose updates break it. They need
//! no root and no site of a real CMS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use support::Environment;

/// What the pages are served with: that of a shop at Shopify.
const PAGE: &str = "<html><script src=\"https://cdn.shopify.com/s/files/theme.js\"></script><h1>Chez Lucie</h1></html>";

/// Serves the same page at every address, for as long as the test runs; returns the site's own address.
fn served() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    url
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let asked = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let body = if asked.starts_with("HEAD") { "" } else { PAGE };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nX-ShopId: 1\r\nContent-Length";
    // Whoever asked may have gone.
    let _ = write!(stream, "{head}: {}\r\n\r\n{body}", PAGE.len());
}

/// A plan `shop` for a folder of this machine.
fn planned(shop: &Environment, cms: &str, folder: &Path, more: &str) {
    let text = format!(
        "plan: 1\nsite: shop\nclient: {{ name: Shop, language: fr }}\ntier: base\ncms: {cms}\nurl: {}\n\
         host: {{ local: {} }}\n{more}",
        served(),
        folder.display()
    );
    fs::write(shop.path("plans/shop.yaml"), text).unwrap();
}

#[test]
fn a_product_that_updates_itself_is_recorded_and_checked() {
    let shop = Environment::empty();
    let exports = shop.path("hosted/hosted-exports");
    fs::create_dir_all(&exports).unwrap();
    fs::write(exports.join("products.csv"), "id;name\n1;Pain\n").unwrap();
    planned(&shop, "saas", &shop.path("hosted"), "");

    shop.intendant(&["validate", "plans/shop.yaml"]).ended(0, "validate").said("shop");
    let preview = shop.intendant(&["preview", "shop", "--json"]).ended(0, "preview").json();
    let site = &preview["sites"][0];
    assert_eq!((&site["refusals"], &site["protected"]), (&Value::Array(vec![]), &Value::Array(vec![])), "{preview}");
    let run = shop.intendant(&["run", "shop", "--json"]).ended(0, "run");
    assert_eq!(run.outcome(), "completed");
    let taken = shop.intendant(&["inventory", "shop", "--json"]).ended(0, "inventory").json();
    let core = &taken["sites"][0]["inventory"]["core"];
    assert_eq!((&core["title"], &core["version"]), (&"Shopify".into(), &"hosted".into()), "{taken}");
    let report = shop.intendant(&["report", "shop", "--format", "json"]).ended(0, "report").json();
    assert_eq!(report["updates"], Value::Array(vec![]), "{report}");
    // What was taken out of the product is in the snapshot, and comes back.
    fs::write(exports.join("products.csv"), "").unwrap();
    shop.intendant(&["restore", "shop", "--yes"]).ended(0, "restore");
    assert_eq!(fs::read_to_string(exports.join("products.csv")).unwrap(), "id;name\n1;Pain\n");
    let audit = shop.intendant(&["audit", "--json"]).json();
    let about = audit["findings"].as_array().into_iter().flatten().filter(|one| one["site"] == "shop");
    let rules: Vec<&str> = about.filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(rules, ["no-intake", "restore-unproven"], "{audit}");
}

/// Versions are files; an update writes another number, and the check of the site finds the second one bad.
const NANO: &str = r#"
playbook: 1
cms: nanocms
title: NanoCMS
detect: [core.txt]
versions: { scheme: php, train: 1 }
tools:
  cat: { find: [cat] }
  cp: { find: [cp] }
facts:
  site:
    run: [cat, core.txt, a.txt, b.txt, c.txt]
    parse:
      lines: [{ match: "(?m)^(?<slug>[a-z]+) (?<version>[0-9.]+)$", jq: "{all: [.]}" }]
      jq: >-
        {core: {version: (.all[] | select(.slug == "core") | .version), offers: []}, extensions: [.all[] | select(.slug != "core")
        | {kind: "part", slug: .slug, version: .version, active: true, shipped: false, offer: (if .version == "1.0"
        then {version: "1.1", package: true} else null end)}], sources: [{name: "nano", reachable: true}]}
read:
  run: [cat, core.txt, a.txt, b.txt, c.txt]
  parse:
    lines: [{ match: "(?m)^(?<slug>[a-z]+) (?<version>[0-9.]+)$", jq: "{all: [.]}" }]
    jq: '{versions: ([.all[] | {((if .slug == "core" then "core:" else "part:" end) + .slug): .version}] | add)}'
operations:
  update:
    part: { run: [cp, "new/{{slug}}.txt", "{{slug}}.txt"] }
checks:
  - { command: [cat, b.txt], equals: "b 1.0" }
"#;

/// What was read before a restore says nothing of the site after it: the second attempt updates the same ones again.
#[test]
fn a_search_begins_anew_after_each_undo() {
    let shop = Environment::empty();
    let folder = shop.path("site");
    fs::create_dir_all(folder.join("new")).unwrap();
    fs::write(folder.join("core.txt"), "core 1.0\n").unwrap();
    for slug in ["a", "b", "c"] {
        fs::write(folder.join(format!("{slug}.txt")), format!("{slug} 1.0\n")).unwrap();
        fs::write(folder.join(format!("new/{slug}.txt")), format!("{slug} 1.1\n")).unwrap();
    }
    fs::create_dir_all(shop.path("playbooks/nanocms")).unwrap();
    fs::write(shop.path("playbooks/nanocms/playbook.yaml"), NANO).unwrap();
    planned(&shop, "nanocms", &folder, "on-failure: isolate\n");
    let run = shop.intendant(&["run", "shop", "--playbooks", "playbooks", "--json"]).ended(0, "a search");
    assert_eq!(run.outcome(), "completed-with-holds", "{}", run.out);
    let has = |slug: &str| fs::read_to_string(folder.join(format!("{slug}.txt"))).unwrap();
    assert_eq!([has("a"), has("b"), has("c")], ["a 1.1\n", "b 1.0\n", "c 1.1\n"]);
}
