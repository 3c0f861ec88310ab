//! Facts of playbooks: what a command printed, and the document that it becomes.
//!
//! Each case is a file `playbooks/<cms>/cases/<fact>/<case>.yaml` with `command`, `exit`, `stdout`, `stderr`, and
//! either `becomes` (a JSON document) or `fails` (the whole error).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::playbook::{Cases, Library, RawOutput, Transform, Verdict};
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
                Verdict::Held => count += 1,
                other => wrong.push(format!("{}: {other:#?}", file.display())),
            }
        }
        for fact in playbook.facts.keys() {
            let cases = cases.all.iter().filter(|(name, _, _)| name == fact.as_str()).count();
            if cases < LEAST_CASES {
                wrong.push(format!("{}: the fact {fact} has {cases} cases, fewer than {LEAST_CASES}", playbook.cms));
            }
        }
    }
    assert!(wrong.is_empty(), "{} hold, these don't:\n{}", count, wrong.join("\n\n"));
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

/// What a script of a playbook prints, run by PHP.
fn php(cms: &str, script: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks").join(cms).join(script);
    let output = std::process::Command::new("php").arg(&script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", script.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_database_client_reads_any_user_and_password_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let odd = r#"a"b#c\d;e"#;
    let config = format!(
        "<?php define('DB_NAME', 'shop'); define('DB_USER', '{odd}'); define('DB_PASSWORD', '{odd}'); define('DB_HOST', 'localhost');"
    );
    fs::write(folder.path().join("wp-config.php"), config).unwrap();
    fs::write(folder.path().join(".env"), format!("DB_NAME=shop\nDB_USER='{odd}'\nDB_PASSWORD='{odd}'\n")).unwrap();
    for cms in ["wordpress", "bedrock"] {
        let options = folder.path().join("client.cnf");
        fs::write(&options, php(cms, "database.php", &[root, "credentials"])).unwrap();
        let options = format!("--defaults-file={}", options.display());
        let read = std::process::Command::new("mariadb").args([options.as_str(), "--print-defaults"]).output().unwrap();
        let read = String::from_utf8_lossy(&read.stdout).into_owned();
        assert!(read.contains(&format!("--user={odd} --password=")), "{cms}: {read}");
    }
}

#[test]
fn a_redirection_of_mediawikis_services_leads_to_https_or_nowhere() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/mediawiki/service.php");
    let code = format!("require '{}'; echo intendant_leads_away($argv[1]) ? 'away' : 'stays';", script.display());
    for (line, wanted) in [
        ("Location: https://releases.wikimedia.org/x", "stays"),
        ("location:https://releases.wikimedia.org/x", "stays"),
        ("Location: /x", "stays"),
        ("Location: http://releases.wikimedia.org/x", "away"),
        ("Location:  ftp://releases.wikimedia.org/x", "away"),
        ("Content-Type: text/html", "stays"),
    ] {
        let output = std::process::Command::new("php").args(["-r", &code, "--", line]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{line}: {output:?}");
    }
}

#[test]
fn mediawikis_switch_leaves_that_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (root, lock) = (folder.path().join("wiki"), folder.path().join("read-only"));
    fs::create_dir_all(root.join("images")).unwrap();
    fs::write(root.join("LocalSettings.php"), format!("<?php $wgReadOnlyFile = '{}';", lock.display())).unwrap();
    let switch = |way: &str| php("mediawiki", "maintenance.php", &[root.to_str().unwrap(), way]);
    assert_eq!(switch("on"), "on\n");
    assert!(fs::read_to_string(&lock).unwrap().contains("en cours de mise à jour"));
    assert_eq!(switch("off"), "off\n");
    assert!(!lock.exists(), "ours goes, wherever it is");
    fs::write(&lock, "Closed for the summer.").unwrap();
    assert_eq!((switch("on"), switch("off")), ("on\n".to_owned(), "off\n".to_owned()));
    assert_eq!(fs::read_to_string(&lock).unwrap(), "Closed for the summer.");
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
