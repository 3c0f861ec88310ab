//! Real processes that are killed while they write and prune.

use super::*;
use crate::snapshot::Phase;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// Kills in each of the three parts of the work, besides the effects that fail one by one.
const KILLS: usize = 20;
/// The most processes that are started for that.
const MOST: u64 = 1_000;
const VARIABLE: &str = "INTENDANT_TEST_STORE";

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@ {text}").unwrap();
    out.flush().unwrap();
}

/// Says when another part of the work begins.
#[derive(Default)]
struct Say(Mutex<Option<Phase>>);

impl Progress for Say {
    fn at(&self, phase: Phase, _: u64, _: u64, _: u64) {
        let mut last = self.0.lock().unwrap();
        if last.replace(phase) != Some(phase) {
            match phase {
                Phase::Writing => say("repack"),
                Phase::Verifying => say("prune"),
                _ => {}
            }
        }
    }
}

/// Captures and prunes until it is killed.
#[test]
#[ignore = "the process that the test of kills starts and kills"]
fn works_until_it_is_killed() {
    let folder = std::env::var_os(VARIABLE).expect("started by the test of kills");
    let store = open(Path::new(&folder));
    let next = |name: &str| store.list(&site(name)).unwrap().len() as u64;
    let mut generation =
        store.list(&site("a")).unwrap().last().map_or(0, |one| (one.taken.as_second() - 1_780_000_000) as u64 / 3600);
    say("go");
    loop {
        for _ in 0..3 {
            generation += 1;
            for name in ["a", "b"] {
                say("capture");
                let taken = capture(&store, name, generation).unwrap();
                say(&format!("committed {name} {taken}"));
            }
        }
        assert!(next("a") > 0);
        say("prune");
        let going: Vec<_> = ["a", "b"].into_iter().flat_map(|name| all_but(&store, name, 2)).collect();
        going.iter().for_each(|(site, name)| say(&format!("drop {site} {name}")));
        block_on(prune(&store, going, false, &(Arc::new(Say::default()) as _))).unwrap();
    }
}

/// What a killed process said: what must be there, and what it was doing.
fn follow(said: &str, promised: &mut BTreeSet<(SiteName, SnapshotName)>) -> String {
    let mut doing = String::new();
    for line in said.lines().filter_map(|line| line.strip_prefix("@ ")) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["committed", name, taken] => drop(promised.insert((site(name), taken.parse().unwrap()))),
            ["drop", name, taken] => drop(promised.remove(&(site(name), taken.parse().unwrap()))),
            ["capture" | "prune" | "repack"] => doing = words[0].to_owned(),
            _ => {}
        }
    }
    doing
}

/// A process works for so long, then it is killed; returns all that it said.
fn killed_after(folder: &Path, moment: Duration) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "snapshot::store::tests::kills::works_until_it_is_killed"])
        .env(VARIABLE, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("@ go\n") {
        assert!(out.read_line(&mut said).unwrap() > 0, "it did not begin: {said}");
    }
    std::thread::sleep(moment);
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself: {said}");
    child.kill().unwrap();
    child.wait().unwrap();
    out.read_to_string(&mut said).unwrap();
    // A line that was cut off says nothing.
    said.truncate(said.rfind('\n').map_or(0, |at| at + 1));
    said
}

#[test]
fn a_kill_at_any_moment_costs_no_committed_snapshot() {
    let folder = scratch();
    let (mut promised, mut kills) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    let mut moments = blake3::Hasher::new().update(b"moments").finalize_xof();
    let enough = |kills: &BTreeMap<String, usize>| {
        ["capture", "prune", "repack"].iter().all(|part| kills.get(*part).is_some_and(|count| *count >= KILLS))
    };
    for round in 0..MOST {
        if enough(&kills) {
            break;
        }
        let mut random = [0; 2];
        moments.fill(&mut random);
        let moment = Duration::from_micros(u64::from(u16::from_le_bytes(random)));
        let said = killed_after(folder.path(), moment);
        let doing = follow(&said, &mut promised);
        let when = format!("kill {round} after {moment:?} in {doing}");
        let all: Vec<_> = promised.iter().cloned().collect();
        assert_whole(folder.path(), &all, &when);
        *kills.entry(doing).or_default() += 1;
    }
    println!("{kills:?}");
    assert!(enough(&kills), "{kills:?}");
    // What the dead left behind is cleaned up by those who come after them.
    let store = open(folder.path());
    capture(&store, "a", 1_000_000).unwrap();
    drop_all(&store, &[]).unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("unfinished")).unwrap().count(), 0);
    let packs = std::fs::read_dir(folder.path().join("packs")).unwrap().count();
    assert!(packs.is_multiple_of(2), "each pack has its index, and each index its pack: {packs}");
}
