//! Facts of playbooks: what a command printed, and the document that it becomes.
//!
//! Each case is a file `playbooks/<cms>/cases/<fact>/<case>.yaml` with `command`, `exit`, `stdout`, `stderr`, and
//! either `becomes` (a JSON document) or `fails` (the whole error).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::inventory::{DocumentKind, flaws};
use intendant::playbook::{Cases, Library, NO_SOURCES, RawOutput, Transform, Verdict, oddities, parse_beside};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// With noise, with nothing, with errors, and twice as it should be.
const LEAST_CASES: usize = 5;

fn folder(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

#[test]
fn facts_become_what_their_cases_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    let (mut count, mut wrong) = (0, Vec::new());
    for folder in folder(&root).into_iter().filter(|path| path.is_dir()) {
        let playbook = Library::read_folder(&folder).unwrap_or_else(|error| panic!("{error}"));
        let cases = Cases::read(&folder, &playbook).unwrap_or_else(|error| panic!("{}", chain(&error)));
        let facts = playbook.observations();
        for (name, file, case) in &cases.all {
            match case.judge(&facts[name.as_str()]) {
                Verdict::Held => {
                    count += 1;
                    let found = case.becomes.as_ref().map(|document| flaws(DocumentKind::of(name), document));
                    wrong.extend(found.into_iter().flatten().map(|flaw| format!("{}: {flaw}", file.display())));
                }
                other => wrong.push(format!("{}: {other:#?}", file.display())),
            }
        }
        wrong.extend(oddities(&folder, &playbook).into_iter().map(|why| format!("{}: {why}", playbook.cms)));
        for fact in playbook.facts.keys() {
            let cases = cases.all.iter().filter(|(name, _, _)| name == fact.as_str()).count();
            if cases < LEAST_CASES {
                wrong.push(format!("{}: the fact {fact} has {cases} cases, fewer than {LEAST_CASES}", playbook.cms));
            }
        }
    }
    assert!(wrong.is_empty(), "{} hold, these don't:\n{}", count, wrong.join("\n\n"));
}

const LEAST: &str = "playbook: 1
cms: nanocms
title: NanoCMS
detect: [nano.php]
versions: { scheme: semver }
scripts: [inventory.js]
tools: { node: { find: [node] } }
facts:
  site: { run: [node, \"{{scripts}}/inventory.js\"], parse: { json: first, jq: . } }
read: { run: [node, --version], parse: { text: true } }
operations:
  update:
    core: { run: [node, update.js, \"{{version}}\"] }
";

#[test]
fn scripts_stand_beside_their_playbook_and_name_the_services_that_they_ask() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("playbook.yaml");
    fs::write(folder.path().join("inventoru.js"), "").unwrap();
    let refused = parse_beside(&file, LEAST).unwrap_err().to_string();
    assert!(refused.contains(":6:11: inventory.js is not beside the playbook"), "{refused}");
    assert!(refused.contains("= did you mean inventoru.js?"), "{refused}");

    fs::write(folder.path().join("inventory.js"), "console.log('{\"core\": {}}')").unwrap();
    let playbook = parse_beside(&file, LEAST).unwrap();
    assert_eq!(oddities(folder.path(), &playbook), [NO_SOURCES]);
    fs::write(folder.path().join("inventory.js"), "console.log('{\"sources\": []}')").unwrap();
    assert_eq!(oddities(folder.path(), &playbook), [""; 0]);
    let only_looked_at =
        LEAST.replace("  update:\n    core: { run: [node, update.js, \"{{version}}\"] }", "  update: {}");
    fs::write(folder.path().join("inventory.js"), "").unwrap();
    assert_eq!(oddities(folder.path(), &parse_beside(&file, &only_looked_at).unwrap()), [""; 0]);
}

/// What two playbooks share is the same in both.
#[test]
fn scripts_of_bedrock_that_are_those_of_wordpress_are_equal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    for name in ["inventory", "network", "layout", "versions", "migrate", "maintenance"] {
        let text = |cms: &str| std::fs::read_to_string(root.join(cms).join(format!("{name}.php"))).unwrap();
        assert!(
            text("bedrock") == text("wordpress"),
            "{name}.php: cp playbooks/wordpress/{name}.php playbooks/bedrock/"
        );
    }
}

fn transform(yaml: &str) -> Transform {
    serde_yaml::from_str(yaml).unwrap()
}

fn apply(yaml: &str, stdout: &[u8]) -> Result<Value, String> {
    let output = RawOutput { exit: 0, stdout, stderr: b"" };
    transform(yaml).apply(&output).map_err(|error| chain(&error))
}

#[test]
fn markers_are_found_among_noise() {
    let form = r#"{ marker: "@@", jq: ".a" }"#;
    assert_eq!(apply(form, b"noise @@ {\"a\": 0}\n@@{\"a\": 1}\n@@\n  {\"a\": 2} more\nend"), Ok(json!(2)));
    assert_eq!(
        apply(form, b"<html>\x1b[31mbroken\n").unwrap_err(),
        "no line begins with \"@@\"; the output ends with: <html>·[31mbroken"
    );
    assert!(apply(form, b"@@{\"a\": [1, 2").unwrap_err().contains("is cut"));
    assert!(apply(form, b"@@").unwrap_err().contains("no JSON"));
    let deep = format!("@@{}", "[".repeat(1_000_000));
    assert!(apply(form, deep.as_bytes()).unwrap_err().contains("deeper than 64"));
}

#[test]
fn texts_and_lines_are_read() {
    assert_eq!(apply("{ text: true }", b"  6.1.9\n"), Ok(json!("6.1.9")));
    assert_eq!(
        apply("{ text: true, jq: '{core: {version: .}}' }", b"6.1.9\r\n"),
        Ok(json!({"core": {"version": "6.1.9"}}))
    );
    let lines = r#"{ lines: [{ match: "(?m)^(?<k>[a-z]+)=(?<v>.*)$", jq: "{(.k): .v, all: [.v]}" }] }"#;
    assert_eq!(apply(lines, b"a=1\r\nb=2\n-\n"), Ok(json!({"a": "1", "b": "2", "all": ["1", "2"]})));
    assert!(apply(lines, b"a=1\na=2\n").unwrap_err().contains("contradict"));
    assert_eq!(apply(lines, b""), Ok(json!({})));
}

#[test]
fn json_is_whole_or_first_or_empty() {
    assert_eq!(apply("{ json: whole }", b" [1] \n"), Ok(json!([1])));
    assert!(apply("{ json: whole }", b"[1] x").is_err());
    assert_eq!(apply("{ json: first }", b"[22-Nov-2026 UTC] PHP Deprecated\n[1]\nSuccess: x"), Ok(json!([1])));
    assert!(apply("{ json: first }", b" \n").unwrap_err().contains("printed nothing"));
    assert_eq!(apply("{ json: first, empty: '[]', jq: length }", b" \n"), Ok(json!(0)));
    assert!(apply("{ json: first, empty: '[]' }", b"Fatal error").is_err());
    assert_eq!(apply("{ json: first, empty: '[]', empty-if: ^Success }", b"Success: x"), Ok(json!([])));
}

#[test]
fn a_value_stays_one_argument() {
    use intendant::playbook::{Argument, ArgumentError, Values};
    let values = |value: &str| Values::from([("slug".to_owned(), value.to_owned())]);
    let whole = Argument::new("{{slug}}").unwrap();
    assert_eq!(whole.render(&values("a b; $(id) 'x' \"<&>\"")).unwrap(), "a b; $(id) 'x' \"<&>\"");
    assert!(matches!(whole.render(&values("-rf")), Err(ArgumentError::Option { .. })));
    for bad in ["a\0b", "a\nb", "a\rb"] {
        assert!(matches!(whole.render(&values(bad)), Err(ArgumentError::Control { .. })));
    }
    assert!(matches!(whole.render(&Values::new()), Err(ArgumentError::Missing { .. })));
    let inside = Argument::new("--slug={{slug}}").unwrap();
    assert_eq!(inside.render(&values("-x {{slug}}")).unwrap(), "--slug=-x {{slug}}");
    assert_eq!(Argument::new("plain } { text").unwrap().render(&Values::new()).unwrap(), "plain } { text");
}
