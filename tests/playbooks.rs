//! Facts of playbooks: what a command printed, and the document that it becomes.
//!
//! Each case is a file `playbooks/<cms>/cases/<fact>/<case>.yaml` with `command`, `exit`, `stdout`, `stderr`, and
//! either `becomes` (a JSON document) or `fails` (the whole error).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::inventory::{DocumentKind, flaws};
use intendant::playbook::{Cases, Library, NO_SOURCES, RawOutput, Transform, Verdict, oddities, parse_beside};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// What of WordPress the script for licences asks.
const WORDPRESS: &str = r#"<?php
define( 'ABSPATH', $argv[1] . '/' );
$args = array_slice( $argv, 3 );
function get_option( $name, $else = false ) { return 'cache_key' === $name ? 'KEY-1' : $else; }
function wp_json_encode( $value ) { return json_encode( $value ); }
function wp_clean_plugins_cache( $updates ) {}
function wp_update_plugins() {}
function get_site_transient( $name ) { return json_decode( getenv( 'OFFERS' ) ); }
require $argv[2];
"#;

/// A site with a configuration, and PHP to run the script there; none where there is no PHP.
struct Configured {
    folder: tempfile::TempDir,
}

impl Configured {
    const CONFIG: &str = "<?php\ndefine( 'DB_NAME', 'x' );\nrequire_once ABSPATH . 'wp-settings.php';\n";

    fn begin() -> Option<Self> {
        if Command::new("php").arg("-v").output().is_err() {
            eprintln!("skipped: there is no php on this machine");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("wp-admin/includes")).unwrap();
        fs::write(folder.path().join("wp-admin/includes/admin.php"), "<?php\n").unwrap();
        fs::write(folder.path().join("run.php"), WORDPRESS).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/wordpress/licence.php");
        fs::copy(script, folder.path().join("licence.php")).unwrap();
        fs::write(folder.path().join("wp-config.php"), Self::CONFIG).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Some(Self { folder })
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("wp-config.php")
    }

    /// Runs the script, by another program where that is said, and gives its status and all that it printed.
    fn licence(&self, by: &[&str], arguments: &[&str], offers: &str) -> (Option<i32>, String) {
        let program = [by, &["php"]].concat();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg("run.php").arg(self.folder.path()).arg("licence.php").args(arguments);
        command.current_dir(self.folder.path()).env("OFFERS", offers);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"KEY-1\n").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

#[test]
fn a_constant_takes_the_configuration_from_nobody() {
    const ENTER: [&str; 5] = ["enter", "constant", "CACHE_KEY", "plugin", "cache"];
    let Some(site) = Configured::begin() else { return };
    let root = fs::metadata(site.folder.path()).unwrap().uid() == 0;
    let (user, group) = (65_533, 65_532);
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o640)).unwrap();
    if root {
        // The account's own file, which the web server reads by its group.
        std::os::unix::fs::chown(site.config(), Some(user), Some(group)).unwrap();
        let account = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"];
        let (code, said) = site.licence(&account, &ENTER, "null");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("same owner, group and mode: enter the constant by hand"), "{said}");
        assert_eq!(fs::read_to_string(site.config()).unwrap(), Configured::CONFIG);
        let drafts = fs::read_dir(site.folder.path())
            .unwrap()
            .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("wp-config-"));
        assert_eq!(drafts.count(), 0, "nothing with a key is left");
        let member = ["setpriv", "--reuid=65533", "--regid=65533", "--groups=65532"];
        let listed = Command::new("setfacl").args(["-m", "u:65531:r"]).arg(site.config()).status();
        if listed.is_ok_and(|status| status.success()) {
            let (code, said) = site.licence(&member, &ENTER, "null");
            assert!(code == Some(1) && said.contains("has an access list"), "{said}");
            let removed = Command::new("setfacl").arg("-b").arg(site.config()).status();
            assert!(removed.unwrap().success());
        }
        let (code, said) = site.licence(&member, &ENTER, "null");
        assert_eq!(code, Some(0), "{said}");
    } else {
        let (code, said) = site.licence(&[], &ENTER, "null");
        assert_eq!(code, Some(0), "{said}");
    }
    let now = fs::metadata(site.config()).unwrap();
    assert_eq!(now.mode() & 0o7777, 0o640);
    assert!(!root || (now.uid(), now.gid()) == (user, group), "{}:{}", now.uid(), now.gid());
    let text = fs::read_to_string(site.config()).unwrap();
    assert!(text.contains("define( 'CACHE_KEY', 'KEY-1' );\nrequire_once"), "{text}");
}

#[test]
fn a_vendor_that_does_not_answer_says_nothing_of_a_key() {
    let Some(site) = Configured::begin() else { return };
    let look = |offers: &str| {
        let (code, said) = site.licence(&[], &["look", "option", "cache_key", "plugin", "cache"], offers);
        assert_eq!(code, Some(0), "{said}");
        apply(r#"{ marker: "@intendant-licence@", jq: "." }"#, said.as_bytes()).unwrap()
    };
    let seen = |offered: bool, package| json!({ "entered": true, "offered": offered, "package": package });
    let offer = |package: &str| format!(r#"{{"response": {{"cache/cache.php": {{"package": {package}}}}}}}"#);
    assert_eq!(look("null"), seen(false, Value::Null));
    assert_eq!(look(r#"{"response": {"other/other.php": {"package": "x"}}}"#), seen(false, Value::Null));
    assert_eq!(look(&offer("\"\"")), seen(true, json!(false)));
    assert_eq!(look(&offer("\"https://v.example/a.zip\"")), seen(true, json!(true)));
    let (_, said) = site.licence(&[], &["look", "option", "another", "plugin", "cache"], "null");
    assert!(said.contains(r#"{"entered":false,"offered":null,"package":null}"#), "{said}");
}
