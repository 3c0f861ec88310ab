//! The dead man's switch on a site of this machine: the host puts itself back when its runner is gone for good, and does
//! not while it lives.

use super::alone;
use super::leases::{
    begin_with_update, killed_in_the_update, leases, nothing_is_left, page, said, signal, start, wait_for, with_state,
};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long the host waits in these tests.
const AFTER: u64 = 10;

/// A maintenance switch with a file where no snapshot looks, one in the place of the site's own, and one of its own; a tool
/// that tells which page is there, and whether it is open, when caches are emptied and processes restarted.
const OPERATIONS: &str = r#"  maintenance:
    on: { run: [sh, "{{scripts}}/door.sh", "on"] }
    off: { run: [sh, "{{scripts}}/door.sh", "off"] }
    files: [.maintenance, doors/own.php]
  flush: [{ run: [teller, flush] }]
  restart: [{ run: [teller, restart] }]
tools:
  teller: { find: [sh], run: ["{{program}}", "{{scripts}}/tell.sh"] }
"#;
const DOOR: &str = r#"if [ "$1" = on ]; then echo shut >.maintenance; echo shut >doors/own.php; echo shut >../read-only
else rm -f .maintenance ../read-only; fi
"#;
const TELL: &str = r#"if [ -e .maintenance ]; then d=shut; else d=open; fi; echo "$1 $d: $(cat page.html)" >>../told
"#;

/// A site with an update that takes as long as the test likes, and with files that are not easy to put back.
fn begin(folder: &Path) {
    begin_with_update(folder);
    let plan = folder.join("plans/nano.yaml");
    let text = std::fs::read_to_string(&plan).unwrap();
    let more = format!("heal-after: {AFTER}s\nsnapshots: {{ exclude: [cache, \"*.log\"] }}\n");
    std::fs::write(&plan, text + &more).unwrap();
    let playbook = folder.join("playbooks/nanocms/playbook.yaml");
    let text = std::fs::read_to_string(&playbook).unwrap() + OPERATIONS;
    std::fs::write(&playbook, text.replace("[update.sh]", "[update.sh, door.sh, tell.sh]")).unwrap();
    for (name, script) in [("door.sh", DOOR), ("tell.sh", TELL)] {
        std::fs::write(folder.join("playbooks/nanocms").join(name), script).unwrap();
    }
    shell(
        folder,
        "mkdir -p a/b cache 'odd name' shut/sub empty tofile doors && echo mine >doors/own.php && echo one >a/one && ln -s a/one link && echo two >a/b/two && \
        echo x >'odd name/new\nline' && echo r >shut/sub/f && echo q >tofile/q && echo was >todir && echo c >cache/c && \
        chmod 640 a/one && touch -d '2001-02-03 04:05:06' a/one empty a && chmod 555 shut/sub shut",
    );
}

/// What an update of the worst sort leaves, while the update itself hangs.
fn wreck(folder: &Path) {
    shell(
        folder,
        "chmod 755 shut shut/sub && echo more >shut/sub/g && rm a/one && echo other >a/b/two && rm -r 'odd name' empty tofile todir && \
        echo f >tofile && mkdir -p todir/e new/deep && echo n >new/deep/n && chmod 000 new/deep && rm link && mkdir link && echo d >cache/d && \
        mkdir -p made/logs && echo l >made/logs/x.log && echo m >made/m",
    );
}

fn shell(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder.join("site")).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
}

/// Everything of the site but what is left out of snapshots, by programs that share no code with ours.
fn fingerprint(folder: &Path) -> String {
    const LIST: &str = r"LC_ALL=C; export LC_ALL
find . \( -path ./cache -o -path ./made \) -prune -o \( -type d -printf '%y %m %U %G - %T@ %p\0' -o -printf '%y %m %U %G %s %T@ %l %p\0' \) | sort -z | tr '\0' '\n'
find . \( -path ./cache -o -path ./made \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum";
    let output = Command::new("sh").args(["-c", LIST]).current_dir(folder.join("site")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A folder that the update made stays, for a log lies in it; all else that it made goes.
fn left_out_is_left_alone(folder: &Path) {
    let read = |path: &str| std::fs::read_to_string(folder.join("site").join(path)).unwrap_or_default();
    assert_eq!((read("cache/d"), read("made/logs/x.log")), ("d\n".to_owned(), "l\n".to_owned()), "what is left out");
    assert!(!folder.join("site/made/m").exists());
}

/// The switch's folder on this host.
fn switch(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder.join(".intendant/switches")).ok()?;
    entries.map(|entry| entry.unwrap().path()).next()
}

/// Waits until the host has put itself back; returns how long that took.
#[track_caller]
fn healed(folder: &Path) -> Duration {
    let began = Instant::now();
    let switch = switch(folder).expect("it is armed");
    wait_for("the host never put itself back", || switch.join("ended").exists());
    assert!(!switch.join("failed").exists(), "{}", std::fs::read_to_string(switch.join("failed")).unwrap_or_default());
    began.elapsed()
}

#[test]
fn with_a_busybox_shell_too() {
    let but = ["find", "tar", "sed", "sort", "uniq"];
    alone::again_but(&but, &["switches::the_host_puts_itself_back_when_its_runner_is_gone"], &[], "0");
}

#[test]
fn the_host_puts_itself_back_when_its_runner_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let (_, text) = with_state(folder, "two", &["doctor", "nano"]);
    assert!(text.contains("the host can put itself back 10s after a run was cut off"), "{text}");
    let before = fingerprint(folder);
    killed_in_the_update(folder);
    let killed = Instant::now();
    wreck(folder);
    let full = switch(folder).unwrap().join("begins");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    std::thread::sleep(Duration::from_secs(AFTER + 3));
    assert!(page(folder) == "half\n" && !switch(folder).unwrap().join("began").exists(), "what can't be kept stays");
    assert_eq!(std::fs::read_dir(leases(folder)[0].parent().unwrap()).unwrap().count(), 1, "the lease is the runner's");
    std::fs::remove_file(&full).unwrap();
    healed(folder);
    let took = killed.elapsed();
    assert_eq!(fingerprint(folder), before, "the host put itself back");
    println!("safe {:.1} s after the runner was killed, of which {AFTER} s are the deadline", took.as_secs_f64());
    assert!(took < Duration::from_secs(AFTER + 20), "it took {took:?}");
    assert!(!folder.join("site/.maintenance").exists());
    let told = "flush shut: as it was\nrestart shut: as it was\n";
    assert_eq!(std::fs::read_to_string(folder.join("told")).unwrap(), told, "before visitors came in");
    assert!(!folder.join("read-only").exists(), "what the switch left where no snapshot looks");
    left_out_is_left_alone(folder);
    // The update that hung is ended.
    std::fs::write(folder.join("go"), "").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(page(folder), "as it was");

    for arguments in [&["run", "nano"][..], &["doctor", "nano"]] {
        let (_, text) = with_state(folder, "two", arguments);
        assert!(text.contains("the host began to put the site back by itself at"), "{arguments:?}: {text}");
        assert!(text.contains("intendant recover"), "{arguments:?}: {text}");
    }
    // The guide tells whoever has lost the journal to remove the lease.
    std::fs::remove_dir_all(folder.join(".intendant/locks")).unwrap();
    let (code, text) = with_state(folder, "two", &["run", "nano"]);
    assert_eq!(code, Some(11), "{text}");
    assert!(text.contains("take what you need, remove that folder"), "{text}");
    assert!(switch(folder).unwrap().join("present.tar").exists(), "what the host kept: {text}");
    assert!(!folder.join(".intendant/locks").exists(), "the lease is given back: {text}");

    std::fs::remove_file(folder.join("told")).unwrap();
    let (code, text) = with_state(folder, "one", &["recover", "nano"]);
    assert_eq!(code, Some(10), "{text}");
    assert!(text.contains("put the site back by itself"), "{text}");
    assert_eq!(fingerprint(folder), before, "recovered: {text}");
    let told = "flush open: as it was\nrestart open: as it was\n";
    assert_eq!(std::fs::read_to_string(folder.join("told")).unwrap(), told, "{text}");
    assert!(!folder.join("read-only").exists(), "what the switch left where no snapshot looks: {text}");
    left_out_is_left_alone(folder);
    nothing_is_left(folder, "after recovery");
    let unpack = "tar -xOf one/evidence/*/files-of-the-host.tar ./page.html ./new/deep/n";
    let kept = Command::new("sh").args(["-c", unpack]).current_dir(folder).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "n\nhalf\n", "what was overwritten is kept: {kept:?}");
    std::fs::remove_dir(folder.join("busy")).unwrap();
    let (code, text) = with_state(folder, "one", &["run", "nano"]);
    assert_eq!((code, page(folder).as_str()), (Some(0), "new\n"), "{text}");
    nothing_is_left(folder, "after the next run");
}

#[test]
fn a_runner_that_sleeps_beyond_the_deadline_does_no_harm_and_one_that_lives_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let before = fingerprint(folder);
    let mut sleeper = start(folder, "one", &["run", "nano"]);
    wait_for("the update never began", || folder.join("began").exists());
    // It is busy for longer than the host waits for one that is silent.
    std::thread::sleep(Duration::from_secs(AFTER + 4));
    assert!(
        page(folder) == "half\n" && !switch(folder).unwrap().join("began").exists(),
        "a living runner is left alone"
    );

    signal(&sleeper, "-STOP");
    healed(folder);
    assert_eq!(fingerprint(folder), before, "the host put itself back");
    signal(&sleeper, "-CONT");
    let code = sleeper.wait().unwrap().code();
    assert_eq!(code, Some(4), "{}", said(folder, "one"));
    assert!(said(folder, "one").contains("lease lost"), "{}", said(folder, "one"));
    assert_eq!(fingerprint(folder), before, "the sleeper touched it: {}", said(folder, "one"));
    let (code, text) = with_state(folder, "one", &["recover", "nano"]);
    assert_eq!(code, Some(10), "{text}");
    assert_eq!(fingerprint(folder), before, "recovered: {text}");
    nothing_is_left(folder, "after recovery");
}

#[test]
fn a_recovery_that_dies_too_is_watched_over_although_the_host_rebooted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let before = fingerprint(folder);
    killed_in_the_update(folder);
    let pid = || std::fs::read_to_string(switch(folder).unwrap().join("pid")).unwrap_or_default();
    let first = pid();
    let number = first.split(' ').next().unwrap().to_owned();
    // A reboot ends the process that watches.
    assert!(Command::new("kill").args(["-9", &number]).status().unwrap().success());
    let (stored, away) = (folder.join("store/sites/nano"), folder.join("away"));
    std::fs::rename(&stored, &away).unwrap();
    let mut recovery = start(folder, "one", &["recover", "nano"]);
    wait_for("recovery never tries to restore", || said(folder, "one").contains("restoring failed"));
    assert_ne!(pid(), first, "recovery has the host watch again: {}", said(folder, "one"));
    recovery.kill().unwrap();
    recovery.wait().unwrap();
    std::fs::remove_dir_all(&stored).ok();
    std::fs::rename(&away, &stored).unwrap();
    healed(folder);
    assert_eq!(fingerprint(folder), before, "the host put itself back");
    let (code, text) = with_state(folder, "one", &["recover", "nano"]);
    assert_eq!(code, Some(10), "{text}");
    assert_eq!(fingerprint(folder), before, "recovered: {text}");
    nothing_is_left(folder, "after recovery");
}
