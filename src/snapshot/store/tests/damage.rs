//! Bytes that are flipped, files that are cut off, lost or exchanged: what is hurt is named, and
//! nothing wrong is ever handed out.

use super::super::{Repaired, repair};
use super::*;
use std::path::PathBuf;

pub(super) type Snapshots = BTreeMap<(SiteName, SnapshotName), Manifest>;

/// A small store, with the digests of what its snapshots hold.
pub(super) fn begin(folder: &Path, sites: &[&str]) -> Snapshots {
    let store = open(folder);
    let mut all = BTreeMap::new();
    for generation in 0..2 {
        for name in sites {
            let taken = capture(&store, name, generation).unwrap();
            all.insert((site(name), taken.clone()), store.load(&site(name), &taken).unwrap());
        }
    }
    all
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let below =
        |name: &str| std::fs::read_dir(folder.join(name)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = ["packs", "sites/a", "sites/b"].into_iter().flat_map(below).collect();
    files.sort();
    files
}

/// Reads everything, and holds what `verify` says against it. Returns whether anything is hurt.
pub(super) fn examine(folder: &Path, truth: &Snapshots, what: &str) -> bool {
    let store = open(folder);
    let verified = look(&store, Depth::EveryByte);
    let mut hurt_any = false;
    for ((site, name), manifest) in truth {
        let said = verified.hurt.iter().find(|hurt| hurt.site == *site && hurt.name == *name);
        match store.load(site, name) {
            Err(error) => {
                hurt_any = true;
                assert!(said.is_some(), "{what}: {name} can't be read ({error}), and verify does not say so");
                continue;
            }
            Ok(read) => assert_eq!(read, *manifest, "{what}: {name} is another one"),
        }
        let mut blobs = store.blobs().unwrap();
        for (item, entry) in &manifest.entries {
            let Some(content) = entry.content() else { continue };
            let mut hasher = blake3::Hasher::new();
            let read = blobs.each(content, |bytes| {
                hasher.update(&bytes);
                Ok(())
            });
            match read {
                Ok(()) => {
                    assert_eq!(Digest::from(hasher.finalize()), content.digest, "{what}: {item} of {name} is wrong")
                }
                Err(_) => {
                    hurt_any = true;
                    let named = said.is_some_and(|hurt| hurt.items.contains(&item.to_string()));
                    assert!(named, "{what}: {item} of {name} is hurt, and verify says {verified:?}");
                }
            }
        }
    }
    assert!(!hurt_any || !verified.ok(), "{what}");
    !verified.ok()
}

/// Where bytes are flipped: everywhere, but in packs at their beginnings and ends, and a sample between.
pub(super) fn places(file: &Path, length: usize) -> Vec<usize> {
    match file.to_str().unwrap().contains(".tar.zst") {
        false => (0..length).collect(),
        true => (0..length).filter(|at| *at < 600 || *at + 100 > length || at % 101 == 0).collect(),
    }
}

#[test]
fn any_flipped_byte_is_found() {
    let folder = scratch();
    let truth = begin(folder.path(), &["a"]);
    assert!(!examine(folder.path(), &truth, "the untouched store"));
    let (mut flipped, mut harmless) = (0, 0);
    for file in files(folder.path()) {
        let good = std::fs::read(&file).unwrap();
        for at in places(&file, good.len()) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&file, bad).unwrap();
            let what = format!("byte {at} of {} in {}", good.len(), file.display());
            flipped += 1;
            harmless += usize::from(!examine(folder.path(), &truth, &what));
        }
        std::fs::write(&file, good).unwrap();
    }
    println!("{flipped} bytes flipped, {harmless} of them without any effect");
    // zstd has bits that mean nothing: then what is read is right to the last byte.
    assert!(flipped > 2_000 && harmless * 100 < flipped, "{harmless} of {flipped}");
}

#[test]
fn any_truncated_or_lost_file_is_found() {
    let folder = scratch();
    let truth = begin(folder.path(), &["a", "b"]);
    for file in files(folder.path()) {
        let good = std::fs::read(&file).unwrap();
        let shown = file.display();
        let length = good.len();
        for left in [0, 1, 4, length / 3, length / 2, length - 20, length - 1] {
            std::fs::write(&file, &good[..left]).unwrap();
            assert!(examine(folder.path(), &truth, &format!("{shown} cut off after {left}")), "{shown} after {left}");
        }
        std::fs::remove_file(&file).unwrap();
        // A manifest that has gone leaves no trace, and its snapshot is not listed any more.
        if file.extension().is_some_and(|end| end == "manifest") {
            let shown: Vec<_> = open(folder.path()).list(&site("a")).unwrap();
            assert!(!shown.iter().any(|one| file.to_str().unwrap().contains(one.name.as_str())));
        } else {
            assert!(examine(folder.path(), &truth, &format!("{shown} lost")), "{shown}");
        }
        std::fs::write(&file, good).unwrap();
    }
    assert!(!examine(folder.path(), &truth, "the repaired store"));
}

#[test]
fn any_two_exchanged_files_are_found() {
    let folder = scratch();
    let truth = begin(folder.path(), &["a", "b"]);
    let files = files(folder.path());
    for first in &files {
        for second in files.iter().filter(|second| *second > first && second.extension() == first.extension()) {
            let (one, other) = (std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
            std::fs::write(first, &other).unwrap();
            std::fs::write(second, &one).unwrap();
            let what = format!("{} exchanged with {}", first.display(), second.display());
            assert!(examine(folder.path(), &truth, &what), "{what}");
            std::fs::write(first, one).unwrap();
            std::fs::write(second, other).unwrap();
        }
    }
}

/// Whatever is hurt of a pack: repair leaves no damage that counts, and the next capture of what a
/// site still has makes its old snapshots whole again.
#[test]
fn what_is_hurt_is_set_aside_and_stored_anew() {
    let (mut cases, mut kept) = (0, 0);
    for (which, end) in [(0, "zst"), (1, "zst"), (0, "index"), (1, "index")] {
        for hurt in ["flipped", "flipped at its end", "cut off", "lost"] {
            let folder = scratch();
            let truth = begin(folder.path(), &["a", "b"]);
            let store = open(folder.path());
            assert_eq!(block_on(repair(&store, &quiet())).unwrap(), Repaired::default());
            let of_kind = files(folder.path()).into_iter().filter(|file| file.extension().is_some_and(|is| is == end));
            let file = of_kind.into_iter().nth(which).unwrap();
            let what = format!("{} {hurt}", file.display());
            let mut bytes = std::fs::read(&file).unwrap();
            let length = bytes.len();
            match hurt {
                "flipped" => bytes[length / 2] ^= 0x10,
                "flipped at its end" => bytes[length - 3] ^= 0x10,
                _ => bytes.truncate(length * 2 / 3),
            }
            match hurt {
                "lost" => std::fs::remove_file(&file).unwrap(),
                _ => std::fs::write(&file, &bytes).unwrap(),
            }
            let repaired = block_on(repair(&store, &quiet())).unwrap();
            kept += repaired.blobs_kept;
            // A pack whose index is lost counts for nothing already.
            let counted = usize::from((end, hurt) != ("index", "lost"));
            assert_eq!(repaired.set_aside.len(), counted, "{what}: {repaired:?}");
            assert_eq!(look(&store, Depth::EveryByte).damaged, [""; 0], "{what}");
            for (name, generation) in [("a", 0), ("a", 1), ("b", 0), ("b", 1)] {
                capture(&store, name, generation).unwrap();
            }
            assert!(!examine(folder.path(), &truth, &what), "{what}");
            cases += 1;
        }
    }
    assert!(cases == 16 && kept > 16, "{cases} cases, {kept} blobs kept");
}

/// A snapshot that is taken after the store was hurt can be read, whatever it has in common with those before.
#[test]
fn what_a_new_snapshot_holds_is_known_whatever_is_hurt_of_the_old_ones() {
    let (mut cases, mut lost) = (0, 0);
    for at in 0..100 {
        let folder = scratch();
        begin(folder.path(), &["a"]);
        let pack = files(folder.path()).into_iter().find(|file| file.extension().is_some_and(|end| end == "zst"));
        let pack = pack.unwrap();
        let mut bytes = std::fs::read(&pack).unwrap();
        let place = bytes.len() * at / 100;
        bytes[place] ^= 0x10;
        std::fs::write(&pack, bytes).unwrap();
        let store = open(folder.path());
        lost += store.list(&site("a")).unwrap().iter().filter(|one| store.load(&one.site, &one.name).is_err()).count();
        // Nothing changed since the second one: all its entries are in the store already.
        let mut writer = store.writer(&site("a")).unwrap();
        let mut manifest = fill(&mut writer, "a", 1).unwrap();
        manifest.header.taken = Timestamp::from_second(1_790_000_000).unwrap();
        let name = writer.commit(&manifest).unwrap().name;
        assert_eq!(open(folder.path()).load(&site("a"), &name).unwrap(), manifest, "after byte {place}");
        cases += 1;
    }
    assert!(cases == 100 && lost > 0, "{cases} cases, {lost} old snapshots lost");
}
