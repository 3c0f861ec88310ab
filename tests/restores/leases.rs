//! One run per site, on the host as well: two runners that know nothing of each other, a lease that ran out, and
//! a runner that sleeps while another one takes its run over.

use super::{begin, command};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const UPDATED: &str = r#"{"core": {"title": "Nano", "version": "1.0.1"}}"#;
const PENDING: &str =
    r#"{"core": {"title": "Nano", "version": "1.0.0", "offers": [{"version": "1.0.1", "package": true}]}}"#;
/// The update: writes half, waits for `go` beside the site, writes the rest. Two at once are seen.
const UPDATE: &str = r#"cd "$1/.." || exit 1
mkdir busy || { echo both >both; exit 1; }
echo half >site/page.html; echo $$ >began
while [ ! -e go ]; do sleep 0.05; done
echo new >site/page.html; printf '%s' "$2" >site/status.json
rmdir busy; rm -f began; echo done >>log
"#;

/// A site for which an update is offered that takes as long as the test likes.
pub(super) fn begin_with_update(folder: &Path) {
    begin(folder);
    let playbook = super::PLAYBOOK.replace(
        r#"core: { run: ["true"] }"#,
        &format!(
            "core: {{ run: [sh, \"{{{{scripts}}}}/update.sh\", \"{{{{root}}}}\", {}], timeout: 2m }}",
            serde_json::to_string(UPDATED).unwrap()
        ),
    );
    let playbook = playbook.replace("{versions: {}}", r#"{versions: {\"core:core\": .core.version}}"#);
    let playbook = playbook.replace("title: NanoCMS\n", "title: NanoCMS\nscripts: [update.sh]\n");
    std::fs::write(folder.join("playbooks/nanocms/playbook.yaml"), playbook).unwrap();
    std::fs::write(folder.join("playbooks/nanocms/update.sh"), UPDATE).unwrap();
    offer(folder);
}

fn offer(folder: &Path) {
    std::fs::write(folder.join("site/status.json"), PENDING).unwrap();
    std::fs::write(folder.join("site/page.html"), "as it was").unwrap();
}

/// Starts the program with a state of its own; what it says goes to a file of that name.
pub(super) fn start(folder: &Path, state: &str, arguments: &[&str]) -> Child {
    let said =
        || std::fs::File::options().create(true).append(true).open(folder.join(format!("{state}.said"))).unwrap();
    let mut command = command(folder, arguments);
    command.env("INTENDANT_STATE", state).stdout(said()).stderr(said()).stdin(Stdio::null()).spawn().unwrap()
}

pub(super) fn said(folder: &Path, state: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{state}.said"))).unwrap_or_default()
}

/// The same, to its end.
pub(super) fn with_state(folder: &Path, state: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let _ = std::fs::remove_file(folder.join(format!("{state}.said")));
    let code = start(folder, state, arguments).wait().unwrap().code();
    (code, said(folder, state))
}

#[track_caller]
pub(super) fn wait_for(what: &str, mut until: impl FnMut() -> bool) {
    let began = Instant::now();
    while !until() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(super) fn page(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("site/page.html")).unwrap()
}

/// All leases of this host.
pub(super) fn leases(folder: &Path) -> Vec<std::path::PathBuf> {
    let list = |path: &Path| {
        std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    list(&folder.join(".intendant/locks")).iter().flat_map(|site| list(site)).collect()
}

pub(super) fn nothing_is_left(folder: &Path, when: &str) {
    assert!(!folder.join(".intendant").exists(), "{when}: nothing stays on the host: {:?}", leases(folder));
    assert_eq!(std::fs::read_dir(folder.join("temporary")).unwrap().count(), 0, "{when}: private folders");
    assert!(!folder.join("both").exists(), "{when}: two worked at once");
}

pub(super) fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// A few times, or as often as `INTENDANT_TWINS` says.
#[test]
fn of_two_runners_at_once_one_works() {
    let times = std::env::var("INTENDANT_TWINS").ok().and_then(|times| times.parse().ok()).unwrap_or(2);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin_with_update(folder);
    for time in 1..=times {
        for state in ["one", "two"] {
            let _ = std::fs::remove_file(folder.join(format!("{state}.said")));
        }
        let mut runners = ["one", "two"].map(|state| (state, start(folder, state, &["run", "nano"])));
        // Whoever works waits; so the one that ends first does not.
        let mut ended = None;
        wait_for("neither of two runners ends", || {
            ended = runners.iter_mut().position(|(_, runner)| runner.try_wait().unwrap().is_some());
            ended.is_some()
        });
        let (loser, winner) = (ended.unwrap(), 1 - ended.unwrap());
        wait_for("nobody works", || folder.join("began").exists());
        std::fs::write(folder.join("go"), "").unwrap();
        let codes = [loser, winner].map(|one| runners[one].1.wait().unwrap().code());
        let words = [loser, winner].map(|one| said(folder, runners[one].0));
        assert_eq!(codes, [Some(11), Some(0)], "time {time}: {words:?}");
        assert!(
            words[0].contains("works on it since") && words[0].contains("by the host's clock; wait"),
            "{}",
            words[0]
        );
        assert_eq!(page(folder), "new\n", "time {time}");
        nothing_is_left(folder, &format!("time {time}"));
        std::fs::remove_file(folder.join("go")).unwrap();
        offer(folder);
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert_eq!(log.lines().count(), times, "each time one worked: {log}");
    println!("two runners at once: {times} times, each time one worked and one was refused");
}

/// A runner that is killed in the update.
pub(super) fn killed_in_the_update(folder: &Path) {
    let mut runner = start(folder, "one", &["run", "nano"]);
    wait_for("the update never began", || folder.join("began").exists());
    runner.kill().unwrap();
    runner.wait().unwrap();
}

#[test]
fn a_lease_that_ran_out_is_taken_over_by_recovery_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin_with_update(folder);
    killed_in_the_update(folder);
    let [lease] = &leases(folder)[..] else { panic!("one lease: {:?}", leases(folder)) };

    // It runs out a while after its runner died, by the host's clock.
    let (code, text) = with_state(folder, "two", &["run", "nano"]);
    assert_eq!(code, Some(11), "{text}");
    assert!(text.contains("works on it since") && !text.contains("ran out"), "{text}");
    let until: i64 = std::fs::read_to_string(lease.join("until")).unwrap().trim().parse().unwrap();
    let since: i64 = std::fs::read_to_string(lease.join("since")).unwrap().trim().parse().unwrap();
    assert!((until - since - 300).abs() < 100, "from {since} until {until}");
    std::fs::write(lease.join("until"), format!("{}\n", since - 7)).unwrap();
    let (code, text) = with_state(folder, "two", &["run", "nano"]);
    assert_eq!(code, Some(11), "{text}");
    assert!(text.contains("ran out") && text.contains("intendant recover nano"), "{text}");
    let (_, text) = with_state(folder, "two", &["doctor", "nano"]);
    assert!(text.contains("has not renewed its lease") && text.contains("intendant recover nano"), "{text}");
    assert_eq!(page(folder), "half\n", "who does not hold the lease changes nothing");

    let (code, text) = with_state(folder, "one", &["recover", "nano"]);
    assert_eq!(code, Some(10), "{text}");
    assert_eq!(page(folder), "as it was", "{text}");
    nothing_is_left(folder, "after recovery");
}

/// Its state was copied to another machine, from which the run was recovered while it slept.
#[test]
fn a_runner_that_wakes_up_late_does_no_harm() {
    for over in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        begin_with_update(folder);
        let mut sleeper = start(folder, "one", &["run", "nano"]);
        wait_for("the update never began", || folder.join("began").exists());
        signal(&sleeper, "-STOP");
        assert!(Command::new("cp").args(["-a", "one", "two"]).current_dir(folder).status().unwrap().success());

        let (code, text) = with_state(folder, "two", &["recover", "nano"]);
        assert_eq!(code, Some(10), "{text}");
        assert_eq!(page(folder), "as it was", "{text}");
        nothing_is_left(folder, "after recovery from a copy");
        std::fs::write(folder.join("site/page.html"), "what visitors wrote since").unwrap();
        let _ = std::fs::remove_dir(folder.join("busy"));
        let _ = std::fs::remove_file(folder.join("began"));

        // It wakes up when all is over, or when its successor is in the middle of another update.
        let successor = (!over).then(|| {
            let runner = start(folder, "two", &["run", "nano"]);
            wait_for("the second update never began", || folder.join("began").exists());
            runner
        });
        signal(&sleeper, "-CONT");
        let code = sleeper.wait().unwrap().code();
        let text = said(folder, "one");
        assert_eq!(code, Some(4), "{text}");
        assert!(text.contains("lease lost"), "{text}");
        match successor {
            None => assert_eq!(page(folder), "what visitors wrote since", "the sleeper touched it: {text}"),
            Some(mut runner) => {
                assert_eq!(page(folder), "half\n", "the sleeper touched it: {text}");
                std::fs::write(folder.join("go"), "").unwrap();
                assert_eq!(runner.wait().unwrap().code(), Some(0), "{}", said(folder, "two"));
                assert_eq!(page(folder), "new\n");
            }
        }
        nothing_is_left(folder, "after the sleeper woke up");
        // Its journal stays open: what it did not do was not done.
        let (code, text) = with_state(folder, "one", &["run", "nano"]);
        assert!(code == Some(11) && text.contains("was never finished"), "{text}");
    }
}
