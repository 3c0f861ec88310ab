//! Real processes that are killed while they write and prune. `INTENDANT_KILLS` says how often.

use super::*;
use crate::snapshot::Phase;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// The parts of the work, as the process says them.
const PARTS: [&str; 3] = ["capture", "prune", "repack"];
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
            [part] if PARTS.contains(&part) => doing = part.to_owned(),
            _ => {}
        }
    }
    doing
}

/// A process works until it begins a part, and so long in it, then it is killed; returns all that it said.
fn killed_in(folder: &Path, part: &str, moment: Duration) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "snapshot::store::tests::kills::works_until_it_is_killed"])
        .env(VARIABLE, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    let sign = format!("\n@ {part}\n");
    while !said.contains(&sign) {
        assert!(out.read_line(&mut said).unwrap() > 0, "it did not come to {part}: {said}");
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
    let kills: usize = std::env::var("INTENDANT_KILLS").map_or(90, |text| text.parse().unwrap());
    let (mut promised, mut hit) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    let mut moments = blake3::Hasher::new().update(b"moments").finalize_xof();
    for (round, part) in PARTS.into_iter().cycle().take(kills).enumerate() {
        let mut random = [0; 3];
        moments.fill(&mut random);
        // Up to 65 milliseconds, short ones more often: the parts differ in length.
        let moment = Duration::from_micros(u64::from(u16::from_le_bytes([random[0], random[1]])) >> (random[2] % 8));
        let said = killed_in(folder.path(), part, moment);
        let doing = follow(&said, &mut promised);
        let when = format!("kill {round}, {moment:?} after the beginning of {part}, in {doing}");
        let all: Vec<_> = promised.iter().cloned().collect();
        assert_whole(folder.path(), &all, &when);
        *hit.entry(doing).or_default() += 1;
    }
    println!("{hit:?}");
    // What the dead left behind is cleaned up by those who come after them.
    let store = open(folder.path());
    capture(&store, "a", 1_000_000).unwrap();
    drop_all(&store, &[]).unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("unfinished")).unwrap().count(), 0);
    let packs = std::fs::read_dir(folder.path().join("packs")).unwrap().count();
    assert!(packs.is_multiple_of(2), "each pack has its index, and each index its pack: {packs}");
}
