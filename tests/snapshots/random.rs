//! Random trees and random mutations: capture, mutate, restore; a comparison of its own finds no
//! difference. `INTENDANT_CASES` says how many.

use super::ordinary::{GROUP, UID};
use super::*;
use intendant::snapshot::{Manifest, diff};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, lchown};

#[derive(Debug, Clone)]
enum Act {
    File(u8, u16),
    Dir(u8),
    Link(u8, u8),
    Remove(u8),
    Mode(u8, u16),
    Touch(u8, u32),
    Into(u8, u8, u16),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0..12u8, any::<u16>()).prop_map(|(a, b)| Act::File(a, b)),
        (0..12u8).prop_map(Act::Dir),
        (0..12u8, any::<u8>()).prop_map(|(a, b)| Act::Link(a, b)),
        (0..12u8).prop_map(Act::Remove),
        (0..12u8, 0..0o7777u16).prop_map(|(a, b)| Act::Mode(a, b)),
        (0..12u8, any::<u32>()).prop_map(|(a, b)| Act::Touch(a, b)),
        (0..12u8, 0..12u8, any::<u16>()).prop_map(|(a, b, c)| Act::Into(a, b, c)),
    ];
    proptest::collection::vec(act, 1..25)
}

fn act(place: &Place, act: &Act) {
    const NAMES: [&[u8]; 4] = [b"plain", b"with space", b"\xffraw", b"new\nline"];
    let name = |n: u8| place.path([NAMES[usize::from(n) % 4], format!("-{n}").as_bytes()].concat());
    // Many acts make no sense on the tree as it is: then nothing happens.
    match act {
        Act::File(n, seed) => drop(std::fs::write(name(*n), seed.to_string().repeat(usize::from(*seed) % 500))),
        Act::Dir(n) => drop(std::fs::create_dir(name(*n))),
        Act::Link(n, to) => drop(symlink(format!("../to-{to}"), name(*n))),
        Act::Remove(n) => drop(std::fs::remove_file(name(*n)).or_else(|_| std::fs::remove_dir_all(name(*n)))),
        Act::Mode(n, mode) => {
            if !name(*n).is_symlink() {
                drop(std::fs::set_permissions(name(*n), std::fs::Permissions::from_mode(u32::from(*mode))));
            }
        }
        Act::Touch(n, ns) => {
            if let Ok(file) = std::fs::File::open(name(*n)) {
                let seconds = u64::from(*ns) * 2;
                let time = std::time::UNIX_EPOCH + std::time::Duration::new(seconds, *ns % 1_000_000_000);
                drop(file.set_modified(time));
            }
        }
        Act::Into(n, file, seed) => drop(std::fs::write(name(*n).join(file.to_string()), seed.to_string())),
    }
}

/// Kind, mode, owner, group, time, and the bytes or the target.
type Facts = (u32, u32, u32, i64, i64, Vec<u8>);

/// The tree as the standard library sees it: nothing of it is shared with what is tested.
fn tree(folder: &Path, found: &mut BTreeMap<PathBuf, Facts>) {
    let meta = std::fs::symlink_metadata(folder).unwrap();
    let bytes = match meta.file_type() {
        kind if kind.is_symlink() => std::fs::read_link(folder).unwrap().as_os_str().as_bytes().to_vec(),
        kind if kind.is_file() => std::fs::read(folder).unwrap(),
        _ => Vec::new(),
    };
    let fraction = if only_busybox() { 0 } else { meta.mtime_nsec() };
    let facts = (meta.mode(), meta.uid(), meta.gid(), meta.mtime(), fraction, bytes);
    found.insert(folder.to_owned(), facts);
    if meta.is_dir() {
        std::fs::read_dir(folder).unwrap().for_each(|entry| tree(&entry.unwrap().path(), found));
    }
}

fn seen(place: &Place) -> BTreeMap<PathBuf, Facts> {
    let mut found = BTreeMap::new();
    tree(&place.root, &mut found);
    found
}

/// Gives everything to the ordinary account and one of its groups, readable for it; a folder's
/// time stays as it was.
fn give_away(folder: &Path) {
    let meta = std::fs::symlink_metadata(folder).unwrap();
    if meta.is_dir() {
        std::fs::read_dir(folder).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
    let group = if folder.as_os_str().len().is_multiple_of(2) { UID } else { GROUP };
    lchown(folder, Some(UID), Some(group)).unwrap();
    if !meta.is_symlink() {
        let readable = if meta.is_dir() { 0o500 } else { 0o400 };
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(meta.mode() & 0o7777 | readable)).unwrap();
    }
}

fn mirrored(a: &Manifest, b: &Manifest) -> bool {
    let turned = diff(b, a).changes.into_iter().map(|(item, change)| {
        let change = match change {
            Change::Added => Change::Removed,
            Change::Removed => Change::Added,
            changed => changed,
        };
        (item, change)
    });
    turned.eq(diff(a, b).changes)
}

async fn there_and_back(build: &[Act], mutate: &[Act], ordinary: bool) -> Result<(), TestCaseError> {
    let place = Place::new();
    let (store, source) = (place.store(), if ordinary { place.ordinary() } else { place.source() });
    let finish = || {
        if ordinary {
            give_away(&place.root)
        }
    };
    build.iter().for_each(|one| act(&place, one));
    finish();
    let before = seen(&place);
    let first = capture(&source, &store, &request(), &quiet()).await.unwrap();
    let again = capture(&source, &store, &request(), &quiet()).await.unwrap();
    prop_assert_eq!(first.manifest.id(), again.manifest.id());
    prop_assert_eq!(again.stats.bytes_new, 0);
    prop_assert!(again.since_previous.unwrap().is_empty());
    prop_assert_eq!(&seen(&place), &before, "a capture changes nothing");

    mutate.iter().for_each(|one| act(&place, one));
    finish();
    let mutated = seen(&place);
    let wanted =
        RestoreRequest { now: now(), target: first.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
    let prepared = prepare(&source, &store, wanted, &quiet()).await.unwrap();
    prop_assert!(mirrored(&first.manifest, &prepared.before().manifest));
    prop_assert_eq!(prepared.diff().is_empty(), mutated == before);
    let restored = prepared.apply(&quiet()).await.unwrap();
    prop_assert_eq!(&seen(&place), &before);
    prop_assert!(left(&restored).is_empty());
    Ok(())
}

#[test]
fn any_tree_comes_back_after_any_mutation() {
    let cases: u32 = std::env::var("INTENDANT_CASES").map_or(100, |text| text.parse().unwrap());
    let threads = 4;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let config =
                    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases / threads) };
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                let strategy = (acts(), acts(), any::<bool>());
                let ran = TestRunner::new(config).run(&strategy, |(build, mutate, ordinary)| {
                    runtime.block_on(there_and_back(&build, &mutate, ordinary))
                });
                ran.unwrap_or_else(|failed| panic!("{failed}"));
            });
        }
    });
}
