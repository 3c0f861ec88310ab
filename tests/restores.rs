//! The program on a site of this machine whose CMS is two files: what becomes of the lock when a
//! restore gets stuck, and of what a killed runner left running; what a client says is wrong; and how each run is proven.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "snapshots/alone.rs"]
mod alone;
#[path = "restores/anomalies.rs"]
mod anomalies;
#[path = "support/evidence.rs"]
mod evidence;
#[path = "restores/leases.rs"]
mod leases;
#[path = "restores/switches.rs"]
mod switches;

use std::path::Path;
use std::process::Command;

const PLAYBOOK: &str = r#"
playbook: 1
cms: nanocms
title: NanoCMS
detect: [status.json]
versions: { scheme: php, train: 1 }
facts:
  site: { run: [cat, "{{root}}/status.json"], parse: { json: first } }
read: { run: [cat, "{{root}}/status.json"], parse: { json: first, jq: "{versions: {}}" } }
operations:
  update:
    core: { run: ["true"] }
"#;

/// The program, at home in `folder`, where the host's temporary folder is, too.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
    command.args(arguments).current_dir(folder).env("HOME", folder).env("INTENDANT_PLAYBOOKS", "playbooks");
    command.env("TMPDIR", folder.join("temporary")).stdin(std::process::Stdio::null());
    for (name, below) in [("PLANS", "plans"), ("STATE", "state"), ("STORE", "store"), ("REPORTS", "reports")] {
        command.env(format!("INTENDANT_{name}"), below);
    }
    command
}

/// The exit code and all that was said.
fn intendant(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(folder, arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn write_plan(folder: &Path, check: &str) {
    let site = folder.join("site");
    let text = format!(
        "plan: 1\nsite: nano\nclient: {{ name: Nano, language: en }}\ntier: base\ncms: nanocms\n\
         url: http://127.0.0.1:9/\nhost: {{ local: {} }}\nchecks: [{{ command: [{check}] }}]\n",
        site.display()
    );
    std::fs::write(folder.join("plans/nano.yaml"), text).unwrap();
}

/// A site, its plan, and the folders that the program works in.
fn begin(folder: &Path) {
    for below in ["plans", "playbooks/nanocms", "site", "temporary"] {
        std::fs::create_dir_all(folder.join(below)).unwrap();
    }
    std::fs::write(folder.join("playbooks/nanocms/playbook.yaml"), PLAYBOOK).unwrap();
    std::fs::write(folder.join("site/status.json"), r#"{"core": {"title": "Nano", "version": "1.0"}}"#).unwrap();
    std::fs::write(folder.join("site/page.html"), "as it was").unwrap();
    write_plan(folder, "\"true\"");
}

#[test]
fn all_of_it_works_with_busybox_alone() {
    let tests = [
        "a_stuck_restore_keeps_the_lock_and_the_next_one_takes_it_over",
        "doctor_says_which_programs_snapshots_use",
        "pruning_follows_the_plan_and_keeps_what_runs_need",
        "what_a_killed_runner_left_running_is_ended",
    ];
    alone::again(&tests, &[], "0");
}

#[test]
fn doctor_says_which_programs_snapshots_use() {
    let folder = tempfile::tempdir().unwrap();
    begin(folder.path());
    let (_, said) = intendant(folder.path(), &["doctor", "nano"]);
    let wanted = if alone::only_busybox() { "snapshots use BusyBox v" } else { "snapshots use find (GNU findutils)" };
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn pruning_follows_the_plan_and_keeps_what_runs_need() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let plan = folder.join("plans/nano.yaml");
    let text = std::fs::read_to_string(&plan).unwrap() + "snapshots: { keep: { last: 1 } }\n";
    std::fs::write(&plan, text).unwrap();
    let done = |arguments: &[&str]| {
        let (code, said) = intendant(folder, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    };
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(folder.join("store/sites/nano")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.into_iter().map(|name| name.trim_end_matches(".manifest").to_owned()).collect()
    };
    for text in ["first", "the second", "and the third"] {
        std::fs::write(folder.join("site/page.html"), text).unwrap();
        done(&["snapshot", "create", "nano"]);
    }
    let first = names().remove(0);
    done(&["restore", "nano", &first, "--yes"]);
    let overwritten = names().remove(3);
    std::fs::write(folder.join("site/page.html"), "something else at last").unwrap();
    done(&["snapshot", "create", "nano"]);
    let newest = names().pop().unwrap();

    let before = names();
    let said = done(&["snapshot", "prune", "--all", "--dry-run"]);
    assert_eq!(said.matches("goes: ").count(), before.len() - 3, "{said}");
    assert_eq!(said.matches("a run needs it").count(), 2, "{said}");
    assert_eq!(names(), before, "a dry run changes nothing");
    done(&["snapshot", "prune", "nano"]);
    assert_eq!(names(), [first.clone(), overwritten, newest]);
    done(&["snapshot", "verify"]);
    done(&["restore", "nano", &first, "--yes"]);
    assert_eq!(std::fs::read_to_string(folder.join("site/page.html")).unwrap(), "first");
}

#[test]
fn a_stuck_restore_keeps_the_lock_and_the_next_one_takes_it_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let (code, said) = intendant(folder, &["snapshot", "create", "nano"]);
    assert_eq!(code, Some(0), "{said}");

    std::fs::write(folder.join("site/page.html"), "damaged, and longer").unwrap();
    write_plan(folder, "\"false\"");
    let (code, said) = intendant(folder, &["restore", "nano", "--yes"]);
    assert_eq!(code, Some(12), "{said}");
    assert!(folder.join(".intendant/locks").exists(), "a stuck run keeps its lock\n{said}");
    assert_eq!(std::fs::read_to_string(folder.join("site/page.html")).unwrap(), "as it was");

    let newest = std::fs::read_dir(folder.join("store/sites/nano")).unwrap().count();
    assert!(newest >= 2, "what was overwritten is a snapshot: {newest}");
    write_plan(folder, "\"true\"");
    let (code, said) = intendant(folder, &["restore", "nano", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.join(".intendant").exists(), "nothing stays on the host\n{said}");
}

/// What a killed runner had asked for goes on, and keeps making its folder anew: it is ended before
/// that folder is removed, although it asks to be left alone.
#[test]
fn what_a_killed_runner_left_running_is_ended() {
    const GOES_ON: &str = "cd \"$TMPDIR/..\"; [ -e hang ] || exit 0; trap '' TERM; rm hang; echo $$ >group; \
                           while :; do mkdir -p \"$TMPDIR\"/intendant.*/.scratch; sleep 0.02; done";
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    write_plan(folder, &format!("sh, -c, {}", serde_json::to_string(GOES_ON).unwrap()));
    let (code, said) = intendant(folder, &["snapshot", "create", "nano"]);
    assert_eq!(code, Some(0), "{said}");
    std::fs::write(folder.join("site/page.html"), "damaged, and longer").unwrap();
    std::fs::write(folder.join("hang"), "").unwrap();

    let silent = || std::process::Stdio::null();
    let mut runner = command(folder, &["restore", "nano", "--yes"]).stdout(silent()).stderr(silent()).spawn().unwrap();
    let group = folder.join("group");
    let started = std::time::Instant::now();
    while std::fs::read_to_string(&group).unwrap_or_default().is_empty() {
        assert!(started.elapsed().as_secs() < 60, "the check never began");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let process = std::fs::read_to_string(&group).unwrap().trim().to_owned();
    for arguments in [&["recover"][..], &["run", "nano"], &["restore", "nano", "--yes"]] {
        let (code, said) = intendant(folder, arguments);
        assert_eq!(code, Some(11), "{arguments:?} beside a living runner: {said}");
        assert!(said.contains("nano is being worked on by ") && said.contains("(pid "), "{said}");
    }
    std::fs::remove_file(&group).unwrap();
    runner.kill().unwrap();
    runner.wait().unwrap();
    // Another command of the runner had an id that was given out again since.
    let mut other = Command::new("setsid").args(["sleep", "1000"]).spawn().unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let private = std::fs::read_dir(folder.join("temporary")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(private.join(".records/1"), format!("{} {} 5\n", other.id(), boot.trim())).unwrap();

    let (code, said) = intendant(folder, &["recover"]);
    assert!(other.try_wait().unwrap().is_none(), "what is not the runner's was ended");
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(matches!(code, Some(0 | 10)), "{code:?} {said}");
    assert_eq!(std::fs::read_to_string(folder.join("site/page.html")).unwrap(), "as it was", "{said}");
    let alive = Path::new("/proc").join(&process).exists();
    assert!(!alive, "process {process} of the killed runner still runs");
    assert_eq!(std::fs::read_dir(folder.join("temporary")).unwrap().count(), 0, "nothing stays there");
    assert!(!folder.join(".intendant").exists(), "nothing stays on the host\n{said}");
}

#[test]
fn a_playbook_brings_a_database_of_its_own_sort() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let Ok(made) = Command::new("sqlite3").arg("--version").output().map(|output| output.status.success()) else {
        eprintln!("skipped: there is no sqlite3 on this machine");
        return;
    };
    assert!(made);
    begin(folder);
    let database =
        "database:\n  engine: sqlite\n  describe: { run: [cat, \"{{root}}/database.json\"], parse: { json: first } }\n";
    std::fs::write(folder.join("playbooks/nanocms/playbook.yaml"), format!("{PLAYBOOK}{database}")).unwrap();
    std::fs::write(folder.join("site/database.json"), r#"{"name": "current/app.db"}"#).unwrap();
    std::fs::create_dir(folder.join("site/data")).unwrap();
    std::os::unix::fs::symlink("data", folder.join("site/current")).unwrap();
    let sql = |sql: &str| {
        let output = Command::new("sqlite3").arg(folder.join("site/data/app.db")).arg(sql).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    sql("CREATE TABLE pages (t); INSERT INTO pages VALUES ('as it was')");
    let done = |arguments: &[&str], code: i32| {
        let (found, said) = intendant(folder, arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {said}");
        said
    };
    let (_, said) = intendant(folder, &["doctor", "nano"]);
    assert!(said.contains("sqlite3: /"), "{said}");
    done(&["snapshot", "create", "nano"], 0);
    sql("UPDATE pages SET t = 'damaged'; CREATE TABLE added (a)");
    done(&["restore", "nano", "--yes"], 0);
    assert_eq!(sql("SELECT t FROM pages; SELECT name FROM sqlite_schema"), "as it was\npages\n");

    // What it can't do is said before anything is done.
    sql("UPDATE pages SET t = 'later'");
    let plan = folder.join("plans/nano.yaml");
    let text = std::fs::read_to_string(&plan).unwrap() + "protect: [pages]\n";
    std::fs::write(&plan, text).unwrap();
    let (code, said) = intendant(folder, &["restore", "nano", "--yes"]);
    assert!(code != Some(0) && said.contains("can't be kept over a restore of a SQLite database"), "{said}");
    assert_eq!(sql("SELECT t FROM pages"), "later\n");
}
