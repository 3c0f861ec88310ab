//! The fuzzer's targets with its seeds, and with damage to them that is always the same. The fuzzer
//! itself is run by hand: `tests/fuzz/README.md`.

#[path = "fuzz/targets.rs"]
mod targets;

use async_trait::async_trait;
use intendant::model::SiteName;
use intendant::remote::{Command, LocalShell, Process, RemoteError, Shell};
use intendant::snapshot::{
    CaptureRequest, DatabaseAccess, Engine, NoProgress, Progress, Source, Store, capture, export,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How many kinds of damage each seed gets.
const DAMAGES: u32 = 40;

/// The folders whose files a target begins with.
fn folders(target: &str) -> Vec<PathBuf> {
    let folders: &[&str] = match target {
        "plan" => &["plans/examples", "tests/plans/good"],
        "playbook" => &["playbooks/wordpress"],
        _ => &[],
    };
    let own = format!("tests/fuzz/seeds/{target}");
    let own = folders.is_empty().then_some(own.as_str());
    folders.iter().copied().chain(own).map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).collect()
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let listed = folders(target)
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())));
    // Beside the playbook lie its scripts.
    let of_a_kind = |path: &PathBuf| path.is_file() && path.extension().is_none_or(|end| end == "yaml");
    let files = listed.map(|file| file.unwrap().path()).filter(of_a_kind);
    let mut seeds: Vec<_> = files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// A piece is taken out, or put in, or put somewhere else; or a byte is another.
fn damaged() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, Option<u8>)>> {
    prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index, Option<u8>)>(), 1..5)
}

fn replay(target: &str) {
    for (path, seed) in seeds(target) {
        // A manifest alone has no entries.
        let whole = target != "manifest";
        assert_eq!(targets::run(target, &seed), whole, "{}", path.display());
        let mut runner = TestRunner::new_with_rng(
            Config { cases: DAMAGES, failure_persistence: None, ..Config::default() },
            TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
        );
        let outcome = runner.run(&damaged(), |damages| {
            let mut bytes = seed.clone();
            for (at, other, byte) in damages {
                if bytes.is_empty() {
                    break;
                }
                let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
                match byte {
                    Some(byte) => bytes[at] = byte,
                    None if at <= other => drop(bytes.drain(at..other)),
                    None => {
                        let piece = bytes[other..at].to_vec();
                        bytes.splice(other..other, piece);
                    }
                }
            }
            targets::run(target, &bytes);
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", path.display()));
    }
}

macro_rules! replayed {
    ($($target:ident)*) => {
        mod target {
            $(#[test]
            fn $target() {
                super::replay(stringify!($target));
            })*
        }

        #[test]
        fn every_target_is_replayed_and_has_its_program() {
            assert_eq!(targets::TARGETS, [$(stringify!($target)),*]);
            let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/bin");
            assert_eq!(std::fs::read_dir(&programs).unwrap().count(), targets::TARGETS.len());
            for target in targets::TARGETS {
                let program = std::fs::read_to_string(programs.join(format!("{target}.rs"))).unwrap();
                assert!(program.contains(&format!("targets::run(\"{target}\", data)")), "{target}");
            }
        }
    };
}

replayed!(plan playbook facts files files_busybox database postgresql manifest store export vulnerabilities);

/// This machine; keeps what its commands print.
#[derive(Default)]
struct Recording(Arc<Mutex<Vec<Vec<u8>>>>);

#[async_trait]
impl Shell for Recording {
    fn host(&self) -> &str {
        "this machine"
    }

    async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
        let mut process = LocalShell.start(command).await?;
        let (printed, number) = (self.0.clone(), self.0.lock().unwrap().len());
        printed.lock().unwrap().push(Vec::new());
        let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
        let keep = move |bytes: &[u8]| printed.lock().unwrap()[number].extend_from_slice(bytes);
        process.stdout = Box::pin(tokio_util::io::InspectReader::new(stdout, keep));
        Ok(process)
    }

    async fn close(&self) {}
}

/// Makes the seeds of readers of hosts and stores anew, from a small site on this machine; with
/// `SEED_CREDENTIALS` (an option file for the database `shop`) those of its database, too.
#[tokio::test]
#[ignore = "run by hand, when what is printed or stored has changed"]
async fn seeds_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    let tree = r#"mkdir -p "$1/a b" && cd "$1" && printf one >'a b/two' && ln 'a b/two' three && ln -s three $'four\nfive' &&
        truncate -s 20000 hole && printf x >>hole && mkfifo pipe && seq 2000 >lines && sleep 3"#;
    assert!(std::process::Command::new("bash").args(["-ec", tree, "bash"]).arg(&root).status().unwrap().success());
    let credentials = std::env::var("SEED_CREDENTIALS").ok();
    let access = |file: &String| DatabaseAccess {
        engine: Engine::Mysql,
        credentials: ["cat".into(), file.clone()].into(),
        name: "shop".into(),
        select: None,
        protect: None,
    };
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
    let taken = |shell: Arc<Recording>, database: Option<DatabaseAccess>| {
        let root = root.to_str().unwrap().to_owned();
        let source = Source { shell, site: SiteName::new("s").unwrap(), root, exclude: Vec::new(), database };
        let request = CaptureRequest { now: jiff::Timestamp::now(), tolerate_unreadable: false };
        let (store, progress) = (store.clone(), progress.clone());
        async move { capture(&source, &store, &request, &progress).await.unwrap() }
    };
    let written = |target: &str, parts: &[Vec<u8>]| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("recorded"), parts.join(targets::BETWEEN)).unwrap();
    };
    let shell = Arc::new(Recording::default());
    let captured = taken(shell.clone(), None).await;
    written("files", &shell.0.lock().unwrap());
    let read = |path: PathBuf| zstd::decode_all(std::fs::read(path).unwrap().as_slice()).unwrap();
    let at = folder.path().join("store");
    let manifest = read(at.join(format!("sites/s/{}.manifest", captured.name)));
    written("manifest", std::slice::from_ref(&manifest));
    let packs = std::fs::read_dir(at.join("packs")).unwrap().map(|file| file.unwrap().path());
    let mut packs: Vec<PathBuf> = packs.collect();
    // The index comes first, and the name of the one pack is the one that the target gives it.
    packs.sort();
    assert_eq!(packs.len(), 2, "one pack and its index");
    let (index, pack) = (read(packs[0].clone()), std::fs::read(&packs[1]).unwrap());
    let name = packs[0].file_stem().unwrap().to_str().unwrap();
    let index = String::from_utf8(index).unwrap().replace(name, targets::PACK);
    written("store", &[manifest, index.into_bytes(), pack]);
    let to = folder.path().join("export.tar.zst");
    export(&store, &SiteName::new("s").unwrap(), &captured.name, &to, &progress).await.unwrap();
    written("export", &[read(to)]);
    if let Some(file) = &credentials {
        let shell = Arc::new(Recording::default());
        taken(shell.clone(), Some(access(file))).await;
        // The first is the list of files.
        written("database", &shell.0.lock().unwrap()[1..]);
    }
}
