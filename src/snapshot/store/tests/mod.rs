//! The life of a store: written, pruned, interrupted anywhere, damaged anywhere.

mod answers;
mod buckets;
mod damage;
mod exports;
mod faults;
mod home;
mod kills;
#[cfg(feature = "encryption")]
mod sealed;
mod service;

use super::super::attributes::Attributes;
use super::super::item::{Item, ItemPath};
use super::super::manifest::{CHUNKER, Chunk, Content, Entry, Facts, Header, Manifest};
use super::super::verify::{Depth, Verified, verify};
use super::super::{NoProgress, Progress};
use super::folder::Folder;
use super::{Identities, SnapshotName, Store, Writer, prune};
use crate::model::{Digest, SiteName};
use home::Home;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Files of a site.
const FILES: u64 = 6;

fn scratch() -> tempfile::TempDir {
    let base = if Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("store").tempdir_in(base).unwrap()
}

/// A pair out of the examples of age.
#[cfg(feature = "encryption")]
const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
#[cfg(feature = "encryption")]
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// What reads the encrypted stores of these tests.
#[cfg(feature = "encryption")]
fn identity() -> Identities {
    Identities::read(&SECRET.into()).unwrap()
}

#[cfg(not(feature = "encryption"))]
fn identity() -> Identities {
    Identities::none("this program was built without encryption")
}

fn open(folder: &Path) -> Arc<Store> {
    Arc::new(Store::open_with(folder, identity()).unwrap())
}

fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

/// The content of a file in one of its versions: noise or text, of up to 12 kB.
fn bytes(site: &str, file: u64, version: u64) -> Vec<u8> {
    let mut reader = blake3::Hasher::new().update(format!("{site} {file} {version}").as_bytes()).finalize_xof();
    let mut seed = [0; 2];
    reader.fill(&mut seed);
    let length = usize::from(u16::from_le_bytes(seed)) % 12_000;
    let mut bytes = vec![0; length];
    reader.fill(&mut bytes);
    if file.is_multiple_of(2) {
        bytes.iter_mut().for_each(|byte| *byte = b'a' + *byte % 4);
    }
    bytes
}

/// Takes the snapshot of one generation: file 0 is new in every one, file 1 in every second …
/// The last file is the same at all sites.
fn capture(store: &Arc<Store>, name: &str, generation: u64) -> super::Result<SnapshotName> {
    let mut writer = store.writer(&site(name))?;
    let manifest = fill(&mut writer, name, generation)?;
    Ok(writer.commit(&manifest)?.name)
}

fn fill(writer: &mut Writer, name: &str, generation: u64) -> super::Result<Manifest> {
    let facts =
        Facts { mode: 0o644, uid: 0, gid: 0, mtime: 1, ctime: 1, inode: 1, nlink: 1, attributes: Attributes::Unknown };
    let mut entries = BTreeMap::from([(Item::Path(ItemPath::root()), Entry::Dir { facts: facts.clone() })]);
    for file in 0..FILES {
        let owner = if file + 1 == FILES { "all" } else { name };
        let bytes = bytes(owner, file, generation / (file + 1));
        let digest = Digest::of(&bytes);
        let chunks = match bytes.is_empty() {
            true => Vec::new(),
            false => vec![Chunk { digest: writer.put(&bytes)?, size: bytes.len() as u32 }],
        };
        let content = Content { digest, size: bytes.len() as u64, chunks };
        let path = ItemPath::new(format!("file-{file}").as_bytes()).unwrap();
        entries.insert(Item::Path(path), Entry::File { facts: facts.clone(), content });
    }
    let header = Header {
        site: site(name),
        taken: Timestamp::from_second(1_780_000_000 + generation as i64 * 3600).unwrap(),
        walked: 0,
        tool: "test".into(),
        root: "/".into(),
        exclude: Vec::new(),
        chunker: CHUNKER.into(),
        database: None,
        previous: None,
        problems: Vec::new(),
        attributes: false,
    };
    let entries = entries.into_iter().map(|(item, entry)| (item, Arc::new(entry))).collect();
    Ok(Manifest { header, entries })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn look(store: &Arc<Store>, depth: Depth) -> Verified {
    block_on(verify(store, None, depth, &quiet())).unwrap()
}

fn drop_all(store: &Arc<Store>, names: &[(SiteName, SnapshotName)]) -> super::Result<super::Pruned> {
    block_on(prune(store, names.to_vec(), false, &quiet()))
}

/// All but the newest `left` snapshots of a site.
fn all_but(store: &Store, name: &str, left: usize) -> Vec<(SiteName, SnapshotName)> {
    let all = store.list(&site(name)).unwrap();
    let count = all.len().saturating_sub(left);
    all.into_iter().take(count).map(|one| (one.site, one.name)).collect()
}

/// The bytes of all files of a folder of the store.
fn room(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| if entry.path().is_dir() { room(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

/// Everything verifies, and what was promised is there with its right content.
fn assert_whole(folder: &Path, promised: &[(SiteName, SnapshotName)], when: &str) {
    assert_store_whole(&open(folder), promised, when);
}

fn assert_store_whole(store: &Arc<Store>, promised: &[(SiteName, SnapshotName)], when: &str) {
    let verified = look(store, Depth::EveryByte);
    assert!(verified.ok(), "{when}: {verified:?}");
    for (site, name) in promised {
        store.load(site, name).unwrap_or_else(|error| panic!("{when}: {site} {name}: {error}"));
    }
}

#[test]
fn pruning_frees_the_room_of_what_was_dropped_and_nothing_else() {
    Home::both().iter().for_each(pruning_frees_the_room);
}

fn pruning_frees_the_room(home: &Home) {
    let store = home.open();
    for generation in 0..30 {
        capture(&store, "a", generation).unwrap();
        capture(&store, "b", generation).unwrap();
    }
    let going = all_but(&store, "a", 2);
    let before = home.room();
    let foreseen = block_on(prune(&store, going.clone(), true, &quiet())).unwrap();
    assert_eq!((foreseen.snapshots, home.room()), (28, before), "a dry run changes nothing");
    assert!(foreseen.packs_removed > 0 && foreseen.bytes_freed > 0, "{foreseen:?}");

    let pruned = drop_all(&store, &going).unwrap();
    assert_eq!((pruned.snapshots, pruned.left.len()), (28, 0), "{pruned:?}");
    assert!(home.room() < before * 3 / 4, "{before} bytes became {}", home.room());
    let (left_a, left_b) = (store.list(&site("a")).unwrap(), store.list(&site("b")).unwrap());
    assert_eq!((left_a.len(), left_b.len()), (2, 30));
    let left: Vec<_> = left_a.into_iter().chain(left_b).map(|one| (one.site, one.name)).collect();
    home.assert_whole(&left, "after pruning");

    // What stays is not packed again and again.
    let again = drop_all(&store, &[]).unwrap();
    assert_eq!((again.packs_removed, again.bytes_freed), (0, 0), "{again:?}");
    // A catalog that was read before the prune is not believed after it.
    capture(&store, "a", 31).unwrap();
    assert!(look(&store, Depth::EveryByte).ok());
}

#[test]
fn the_newest_snapshot_is_never_dropped() {
    Home::both().iter().for_each(the_newest_stays);
}

fn the_newest_stays(home: &Home) {
    let store = home.open();
    let old = capture(&store, "a", 1).unwrap();
    let new = capture(&store, "a", 2).unwrap();
    let both = [old, new.clone()].map(|name| (site("a"), name));
    assert_eq!(drop_all(&store, &both).unwrap().snapshots, 1);
    home.assert_whole(&[(site("a"), new)], "after dropping all");
}

#[test]
fn what_a_capture_uses_meanwhile_stays() {
    Home::both().iter().for_each(what_is_used_stays);
}

fn what_is_used_stays(home: &Home) {
    let store = home.open();
    let first = capture(&store, "a", 1).unwrap();
    capture(&store, "a", 2).unwrap();
    // A capture of another site finds a blob of the snapshot that is being dropped.
    let only_there = bytes("a", 0, 1);
    let mut writer = store.writer(&site("b")).unwrap();
    writer.put(&only_there).unwrap();
    let pruner = {
        let (store, going) = (store.clone(), vec![(site("a"), first)]);
        std::thread::spawn(move || drop_all(&store, &going).unwrap())
    };
    // The snapshot goes at once, its bytes don't.
    while store.list(&site("a")).unwrap().len() > 1 {
        std::thread::yield_now();
    }
    let facts =
        Facts { mode: 0o644, uid: 0, gid: 0, mtime: 1, ctime: 1, inode: 1, nlink: 1, attributes: Attributes::Unknown };
    let chunk = Chunk { digest: Digest::of(&only_there), size: only_there.len() as u32 };
    let content = Content { digest: chunk.digest, size: u64::from(chunk.size), chunks: vec![chunk] };
    let mut manifest = store.load(&site("a"), &store.latest(&site("a")).unwrap().unwrap()).unwrap();
    manifest.header.site = site("b");
    let path = Item::Path(ItemPath::new("found").unwrap());
    manifest.entries.insert(path, Arc::new(Entry::File { facts, content }));
    let name = writer.commit(&manifest).unwrap().name;
    pruner.join().unwrap();
    home.assert_whole(&[(site("b"), name)], "after both");
}

#[test]
fn a_manifest_that_cannot_be_read_stops_everything() {
    Home::both().iter().for_each(an_unreadable_manifest_stops);
}

fn an_unreadable_manifest_stops(home: &Home) {
    let store = home.open();
    for generation in 0..4 {
        capture(&store, "a", generation).unwrap();
    }
    let going = all_but(&store, "a", 2);
    let other = store.list(&site("a")).unwrap().pop().unwrap();
    home.change(&super::manifest_file(&other.site, &other.name), |bytes| bytes[20] ^= 1);
    let before = home.room();
    let error = drop_all(&store, &going).unwrap_err().to_string();
    assert!(error.contains(other.name.as_str()), "{error}");
    assert_eq!(home.room(), before);
}

#[test]
fn the_only_good_copy_is_never_removed() {
    Home::both().iter().for_each(the_only_copy_stays);
}

fn the_only_copy_stays(home: &Home) {
    let store = home.open();
    // Two captures at once store the file that both sites have twice.
    let mut writers = ["a", "b"].map(|name| (name, store.writer(&site(name)).unwrap()));
    let manifests = writers.each_mut().map(|(name, writer)| fill(writer, name, 0).unwrap());
    for ((_, writer), manifest) in writers.into_iter().zip(&manifests) {
        writer.commit(manifest).unwrap();
    }
    let shared = manifests[0].path(&ItemPath::new("file-5").unwrap()).unwrap().content().unwrap().chunks[0];
    // All else of a's pack dies; b's copy of that file, which is next to nothing but live ones, is damaged.
    for generation in [20, 40] {
        capture(&store, "a", generation).unwrap();
    }
    let b_only = manifests[1].path(&ItemPath::new("file-0").unwrap()).unwrap().content().unwrap().chunks[0];
    let blobs = store.blobs().unwrap();
    let (of_b, copies) = (blobs.place(&b_only.digest).unwrap(), blobs.all());
    let mut copies = copies.into_iter().filter(|(_, digest)| *digest == shared.digest);
    let copy = copies.find(|(place, _)| blobs.pack(place) == blobs.pack(&of_b)).unwrap().0;
    let pack = blobs.pack(&copy);
    drop((blobs, copies));
    home.change(&pack, |bytes| bytes[copy.frame_at() as usize + 30] ^= 1);
    let pruned = drop_all(&store, &all_but(&store, "a", 1)).unwrap();
    assert_eq!(pruned.left.len(), 1, "{pruned:?}");
    // a's snapshot needs the file, and still has it.
    let latest = store.latest(&site("a")).unwrap().unwrap();
    let verified = look(&store, Depth::EveryByte);
    assert!(verified.hurt.iter().all(|hurt| hurt.name != latest), "{verified:?}");
}
