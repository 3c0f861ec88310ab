//! Stores in buckets: what a service and the way to it can do to them.

use super::super::backend::Backend;
use super::super::bucket::{BucketKeys, BucketPlace};
use super::home::Remote;
use super::service::{Fate, ID, Request};
use super::*;
use crate::snapshot::SnapshotError;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

pub(super) fn write(backend: &dyn Backend, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut upload = backend.create(name)?;
    // In pieces that fit nothing.
    bytes.chunks(70_001).try_for_each(|piece| upload.write_all(piece))?;
    upload.commit()
}

/// What the trait promises, of a folder and of a bucket.
#[test]
fn objects_are_whole_and_read_as_they_were_written() {
    for mut home in Home::both() {
        if let Home::Bucket(remote) = &mut home {
            remote.patience.part = 256 << 10;
        }
        let backend = home.backend();
        for length in [0, 1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 700_000, 5_000_000] {
            let (name, bytes) = (format!("packs/{length}"), noise(length));
            write(&*backend, &name, &bytes).unwrap();
            let mut read = Vec::new();
            backend.open(&name).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{name}");
            let mut object = backend.open(&name).unwrap();
            assert_eq!(object.seek(SeekFrom::End(0)).unwrap(), length as u64);
            for (at, part) in [(0, 10), (length / 2, length / 3), (length.saturating_sub(5), 5), (length, 0)] {
                let part = part.min(length - at);
                assert!(backend.range(&name, at as u64, part).unwrap() == bytes[at..at + part], "{name} {at} {part}");
                let mut read = vec![0; part];
                object.seek(SeekFrom::Start(at as u64)).unwrap();
                object.read_exact(&mut read).unwrap();
                assert!(read == bytes[at..at + part], "{name} {at} {part}");
            }
            let error = backend.range(&name, length as u64 / 2, length - length / 2 + 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{name}");
        }
        drop(backend.create("packs/given-up").unwrap().write_all(&noise(900_000)));
        let named: Vec<_> =
            backend.list("packs").unwrap().into_iter().map(|(name, size)| (name, size as usize)).collect();
        assert_eq!(named.len(), 7);
        assert!(named.iter().all(|(name, size)| *name == size.to_string()) && named.is_sorted(), "{named:?}");
        assert_eq!(backend.list("").unwrap().iter().filter(|(name, _)| name == "packs").count(), 1);
        assert_eq!(backend.list("nothing").unwrap(), []);
        assert_eq!(backend.open("packs/2").err().unwrap().kind(), ErrorKind::NotFound);
        assert_eq!(backend.range("packs/2", 0, 1).unwrap_err().kind(), ErrorKind::NotFound);
        backend.remove(&["packs/0".into(), "packs/2".into(), "packs/1".into()]).unwrap();
        backend.remove(&["packs/700000".into()]).unwrap();
        backend.remove(&["packs/700000".into()]).unwrap();
        assert_eq!(backend.list("packs").unwrap().len(), 4);
        if let Home::Bucket(remote) = &home {
            assert_eq!(remote.service.unfinished(), 0);
        }
    }
}

#[test]
fn folders_of_many_objects_are_listed_and_removed() {
    let remote = Remote::alone();
    let backend = remote.backend();
    for number in 0..2_345 {
        remote.service.put(&remote.name, &format!("some/place/packs/{number:05}"), vec![b'x'; number % 7]);
    }
    for folder in ["packs-not", "packs/below"] {
        remote.service.put(&remote.name, &format!("some/place/{folder}/y"), Vec::new());
    }
    for page in [1000, 7] {
        remote.service.page.store(page, Ordering::SeqCst);
        let all = backend.list("packs").unwrap();
        assert_eq!((all.len(), all.is_sorted()), (2_346, true));
        assert_eq!((all[8].1, all.last().unwrap().0.as_str()), (1, "below"));
    }
    let names: Vec<String> = (0..2_345).map(|number| format!("packs/{number:05}")).collect();
    backend.remove(&names).unwrap();
    assert_eq!(remote.names(), ["packs-not/y", "packs/below/y"]);
}

pub(super) fn requests(remote: &Remote, work: impl FnOnce()) -> Vec<String> {
    remote.service.log.lock().unwrap().clear();
    work();
    std::mem::take(&mut remote.service.log.lock().unwrap())
}

/// However many packs there are. Whatever is more than this has to be paid for, each night.
#[test]
fn an_unchanged_site_costs_a_handful_of_requests() {
    let (remote, cache) = (Remote::alone(), scratch());
    let usage = super::super::BucketUse { cache: Some(cache.path().join("copies")), ..remote.usage() };
    for generation in 0..20 {
        capture(&remote.open().unwrap(), "a", generation).unwrap();
    }
    let night = |generation: i64| {
        let store = remote.open_as(&usage, identity()).unwrap();
        let mut writer = store.writer(&site("a")).unwrap();
        let before = store.latest(&site("a")).unwrap().unwrap();
        let mut manifest = (*writer.load(&site("a"), &before).unwrap()).clone();
        manifest.header.taken = Timestamp::from_second(1_790_000_000 + generation).unwrap();
        writer.commit(&manifest).unwrap();
    };
    let first = requests(&remote, || night(0));
    let second = requests(&remote, || night(1));
    let indexes = |all: &[String]| all.iter().filter(|line| line.contains(".index")).count();
    assert_eq!((indexes(&first), indexes(&second)), (20, 0));
    assert!(second.len() <= 16, "{} requests:\n{}", second.len(), second.join("\n"));
    // A copy is believed only for the object of which it is one.
    let index = remote.names().into_iter().find(|name| name.ends_with(".index")).unwrap();
    let mut bytes = remote.service.bytes(&remote.name, &format!("some/place/{index}"));
    bytes[30] ^= 1;
    remote.service.put(&remote.name, &format!("some/place/{index}"), bytes);
    let store = remote.open_as(&usage, identity()).unwrap();
    assert_eq!(look(&store, Depth::Metadata).damaged.len(), 1);
    assert_eq!(std::fs::read_dir(cache.path().join("copies")).unwrap().count(), 20);
}

/// An encrypted one, too: the lengths of its packs are known from one night to the next.
#[cfg(feature = "encryption")]
#[test]
fn an_encrypted_store_in_a_bucket_is_as_good() {
    let (remote, cache) = (Remote::alone(), scratch());
    let usage = super::super::BucketUse { cache: Some(cache.path().to_owned()), ..remote.usage() };
    let open = || remote.open_as(&usage, identity()).unwrap();
    capture(&open(), "a", 0).unwrap();
    block_on(super::super::encrypt(&open(), &[PUBLIC.into()], true, &quiet())).unwrap();
    for generation in 1..8 {
        capture(&open(), "a", generation).unwrap();
    }
    let packs = |all: Vec<String>| all.into_iter().filter(|line| line.contains(".tar.zst.age")).count();
    open().blobs().unwrap();
    assert_eq!(packs(requests(&remote, || drop(open().blobs().unwrap()))), 0);
    let names = remote.names();
    let plain = |name: &&String| name.ends_with(".zst") || name.ends_with(".manifest");
    assert!(names.len() > 20 && names.iter().find(plain).is_none(), "{names:?}");
    let blind = remote.open_as(&usage, Identities::none("none is given")).unwrap();
    assert!(matches!(blind.readable(), Err(SnapshotError::Locked { .. })));
    capture(&blind, "a", 8).unwrap();
    let pruned = drop_all(&open(), &all_but(&open(), "a", 2)).unwrap();
    assert_eq!((pruned.snapshots, pruned.left.len()), (7, 0));
    let left: Vec<_> = open().list(&site("a")).unwrap().into_iter().map(|one| (one.site, one.name)).collect();
    assert_store_whole(&open(), &left, "an encrypted store");
}

/// Every third request fails in some way, and the work is done as if none had.
#[test]
fn trouble_that_passes_is_not_noticed() {
    let remote = Remote::alone();
    let count = Arc::new(AtomicUsize::new(0));
    let fates = [Fate::Status(503), Fate::Cut, Fate::Mute, Fate::Status(500), Fate::Half, Fate::Status(429)];
    let counted = count.clone();
    // Who gives back a lock that is held alone tries it once.
    let is_spared = |request: &Request| request.method == "DELETE" && request.path.ends_with("/alone");
    remote.service.fates(move |request| match counted.fetch_add(1, Ordering::SeqCst) {
        _ if is_spared(request) => Fate::Good,
        number if number % 3 == 0 => fates[number / 3 % fates.len()],
        _ => Fate::Good,
    });
    let store = remote.open().unwrap();
    for generation in 0..8 {
        capture(&store, "a", generation).unwrap();
        capture(&store, "b", generation).unwrap();
    }
    let pruned = drop_all(&store, &all_but(&store, "a", 2)).unwrap();
    assert_eq!((pruned.snapshots, pruned.left.len()), (6, 0));
    let big = noise(20_000_000);
    write(&remote.backend(), "big", &big).unwrap();
    let mut read = Vec::new();
    remote.backend().open("big").unwrap().read_to_end(&mut read).unwrap();
    assert!(read == big);
    assert_eq!(remote.service.unfinished(), 0);
    assert!(count.load(Ordering::SeqCst) > 300);
    remote.service.all_good();
    let left: Vec<_> = ["a", "b"].into_iter().flat_map(|name| all_but(&store, name, 0)).collect();
    assert_eq!(left.len(), 10);
    assert_store_whole(&remote.open().unwrap(), &left, "after all that trouble");
}

#[test]
fn trouble_that_stays_is_told_and_has_an_end() {
    let mut remote = Remote::alone();
    let store = remote.open().unwrap();
    capture(&store, "a", 0).unwrap();
    let cases = [
        (Fate::Status(503), "503 SlowDown", "try again later"),
        (Fate::Cut, "the connection failed", "can be reached"),
        (Fate::Half, "the connection failed", "can be reached"),
        (Fate::Slow(700), "it took too long", "can be reached"),
    ];
    remote.patience.timeout = Duration::from_millis(200);
    for (fate, what, advice) in cases {
        let backend = remote.backend();
        remote.service.fates(move |_| fate);
        let sent = requests(&remote, || {
            let error = SnapshotError::store("x", "x")(backend.range("intendant-store.json", 0, 10).unwrap_err());
            let text = error.to_string();
            let is_told = text.contains(what) && text.contains(advice) && text.contains("tried 4 times");
            assert!(is_told && text.contains("s3://"), "{fate:?}: {text}");
            assert!(!text.contains("X-Amz") && !text.contains(ID), "{text}");
        });
        assert_eq!(sent.len(), 4, "{fate:?}");
        remote.service.all_good();
    }
    // What can't be asked for is not taken for damage.
    remote.service.fates(|request| if request.path.contains("/packs/") { Fate::Status(503) } else { Fate::Good });
    let error = block_on(verify(&store, None, Depth::EveryByte, &quiet())).unwrap_err();
    assert!(matches!(error, SnapshotError::Bucket { .. }), "{error}");
    let error = remote.open().unwrap().writer(&site("a")).err().unwrap();
    assert!(matches!(error, SnapshotError::Bucket { .. }), "{error}");
}

#[test]
fn errors_say_what_to_do() {
    let remote = Remote::alone();
    let usage = remote.usage();
    let place = |text: &str| BucketPlace::parse(&text.replace("ADDRESS", &remote.service.address)).unwrap();
    let keys = |id: &str, secret: &str| BucketKeys::new(id, secret.into(), None).unwrap();
    let told = |usage: super::super::BucketUse, what: &str, advice: &str| {
        let text = remote.open_as(&usage, identity()).err().unwrap().to_string();
        assert!(text.contains(what) && text.contains(advice), "{text}");
        assert!(!text.contains("hunter") && !text.contains("X-Amz"), "{text}");
    };
    let with_keys = |keys| super::super::BucketUse { keys, ..usage.clone() };
    let at = |text: &str| super::super::BucketUse { place: place(text), ..usage.clone() };
    told(with_keys(keys(ID, "hunter3")), "SignatureDoesNotMatch", "the secret key, the region");
    told(with_keys(keys("AKIAOTHER", "hunter3")), "InvalidAccessKeyId", "renew them");
    told(at("s3://not-there?endpoint=ADDRESS&region=ca-test-1"), "NoSuchBucket", "there is no bucket not-there");
    let name = &remote.name;
    told(at(&format!("s3://{name}?endpoint=ADDRESS&region=ca-test-2")), "Malformed", "write region=ca-test-1");
    told(at(&format!("s3://{name}?endpoint=http://127.0.0.1:1")), "the connection failed", "http://127.0.0.1:1/");
    assert_eq!(remote.names(), [""; 0]);
    remote.service.put(name, "some/place/holiday.jpg", vec![1]);
    told(usage.clone(), "is not a snapshot store", "");
    assert_eq!(remote.names(), ["holiday.jpg"]);
    // Without it, nobody could keep out of another one's way.
    let remote = Remote::alone();
    remote.service.keeps_conditions.store(false, Ordering::SeqCst);
    let text = remote.open().err().unwrap().to_string();
    assert!(text.contains("If-None-Match") && text.contains("another service"), "{text}");
    assert_eq!(remote.names(), [""; 0], "nothing was begun");
}

/// The clock of the service counts, whatever this machine believes.
#[test]
fn clocks_may_differ() {
    for hours in [-30, -1, 1, 30] {
        let remote = Remote::alone();
        remote.service.pass(hours * 3_600_000);
        let store = remote.open().unwrap();
        let taken = capture(&store, "a", 1).unwrap();
        assert!(store.writer(&site("a")).is_ok());
        // And when it jumps.
        remote.service.pass(7_200_000);
        assert!(store.load(&site("a"), &taken).is_ok(), "{hours}");
    }
}

#[test]
fn of_two_writers_one_works() {
    let remote = Remote::alone();
    let stores = [remote.open().unwrap(), remote.open().unwrap()];
    for round in 0..100 {
        let start = std::sync::Barrier::new(2);
        let both = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for store in &stores {
                scope.spawn(|| {
                    start.wait();
                    both.lock().unwrap().push(store.writer(&site("a")));
                });
            }
        });
        let both = both.into_inner().unwrap();
        assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "round {round}");
        let busy = both.iter().find_map(|one| one.as_ref().err()).unwrap();
        assert!(matches!(busy, SnapshotError::Busy { .. }), "{busy}");
    }
    assert_eq!(remote.service.keys(&remote.name), ["some/place/intendant-store.json", "some/place/locks/probe"]);
}

/// What a program that was killed leaves: its locks, as they were.
fn killed(remote: &Remote, lock: &str, shared: bool) -> Vec<String> {
    let backend = remote.backend();
    backend.list("").unwrap();
    let held = backend.lock(lock, shared).unwrap().unwrap();
    let below = format!("some/place/{lock}/");
    let left: Vec<_> = remote.service.keys(&remote.name).into_iter().filter(|key| key.starts_with(&below)).collect();
    let bytes: Vec<_> = left.iter().map(|key| remote.service.bytes(&remote.name, key)).collect();
    drop(held);
    left.iter().zip(bytes).for_each(|(key, bytes)| remote.service.put(&remote.name, key, bytes));
    left
}

#[test]
fn locks_of_the_dead_run_out_and_one_takes_them_over() {
    let remote = Remote::alone();
    let stores = [remote.open().unwrap(), remote.open().unwrap()];
    let site_lock = "locks/sites/a";
    for round in 0..30 {
        let left = killed(&remote, site_lock, false);
        assert!(stores.iter().all(|store| matches!(store.writer(&site("a")), Err(SnapshotError::Busy { .. }))));
        if round % 3 > 0 {
            // One died while it replaced the lock, and another one while it did that.
            let text = String::from_utf8(remote.service.bytes(&remote.name, &left[0])).unwrap();
            let nonce = text.split_once("\"nonce\":\"").unwrap().1.split_once('"').unwrap().0.to_owned();
            let next = text.replace(&nonce, "second");
            remote.service.put(&remote.name, &format!("some/place/{site_lock}/after-{nonce}"), next.into_bytes());
            if round % 3 == 2 {
                let third = text.replace(&nonce, &format!("third{round}"));
                remote.service.put(&remote.name, &format!("some/place/{site_lock}/after-second"), third.into_bytes());
            }
        }
        remote.wait_for_locks();
        let start = std::sync::Barrier::new(2);
        let both = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for store in &stores {
                scope.spawn(|| {
                    start.wait();
                    both.lock().unwrap().push(store.writer(&site("a")));
                });
            }
        });
        let both = both.into_inner().unwrap();
        let won = both.iter().filter(|one| one.is_ok()).count();
        let told: Vec<_> = both.iter().filter_map(|one| one.as_ref().err().map(ToString::to_string)).collect();
        assert_eq!(won, 1, "round {round}: {told:?}");
    }
    // The same of the store's lock: who reads does not care, who removes packs does.
    for shared in [true, false] {
        killed(&remote, "locks/store", shared);
        let is_free = |shared: bool| remote.backend().lock("locks/store", shared).unwrap().is_some();
        assert_eq!((is_free(true), is_free(false)), (shared, false));
        remote.wait_for_locks();
        assert_eq!((is_free(true), is_free(false), is_free(false)), (true, true, true));
    }
    let left: Vec<_> = remote.service.keys(&remote.name).into_iter().filter(|key| key.contains("/locks/")).collect();
    assert_eq!(left, ["some/place/locks/probe"]);
}

/// As when a run is recovered right after its program was killed.
#[test]
fn who_waits_gets_the_lock_of_the_dead() {
    let mut remote = Remote::alone();
    (remote.patience.lease, remote.patience.margin) = (2_000, 1_000);
    remote.open().unwrap();
    killed(&remote, "locks/sites/a", false);
    assert!(matches!(remote.open().unwrap().writer(&site("a")), Err(SnapshotError::Busy { .. })));
    remote.patience.outlast = Duration::from_secs(30);
    remote.open().unwrap().writer(&site("a")).unwrap();
}

/// A machine slept while it wrote, and packs were removed meanwhile.
#[test]
fn a_writer_that_wakes_up_late_commits_nothing() {
    for moment in ["before", "on the way", "while it reads"] {
        let remote = Remote::alone();
        let store = remote.open().unwrap();
        for generation in 0..4 {
            capture(&store, "a", generation).unwrap();
        }
        let mut writer = store.writer(&site("b")).unwrap();
        // Some of its blobs are in packs that only old snapshots of another site need.
        writer.put(&bytes("a", 0, 0)).unwrap();
        let manifest = fill(&mut writer, "b", 0).unwrap();
        let other = remote.open().unwrap();
        let going = all_but(&other, "a", 1);
        match moment {
            "on the way" => {
                let (service, patience) = (Arc::downgrade(&remote.service), remote.patience);
                let mut is_late = false;
                remote.service.fates(move |request| {
                    if !is_late && request.method == "PUT" && request.path.ends_with(".manifest") {
                        is_late = true;
                        service.upgrade().unwrap().pass(patience.lease + 2_000);
                    }
                    Fate::Good
                });
            }
            _ => {
                remote.wait_for_locks();
                assert_eq!(drop_all(&other, &going).unwrap().left, [""; 0]);
            }
        }
        let error = writer.commit(&manifest).err().unwrap().to_string();
        assert!(error.contains("longer than its lock"), "{moment}: {error}");
        remote.service.all_good();
        remote.wait_for_locks();
        assert_eq!(remote.open().unwrap().list(&site("b")).unwrap(), [], "{moment}");
        drop_all(&other, &[]).unwrap();
        let taken = capture(&remote.open().unwrap(), "b", 0).unwrap();
        assert_store_whole(&other, &[(site("b"), taken)], moment);
    }
}

/// Who was to remove packs slept, and others wrote meanwhile.
#[test]
fn who_removes_packs_and_wakes_up_late_removes_nothing() {
    let remote = Remote::alone();
    let store = remote.open().unwrap();
    for generation in 0..6 {
        capture(&store, "a", generation).unwrap();
    }
    let (service, patience) = (Arc::downgrade(&remote.service), remote.patience);
    let mut is_late = false;
    remote.service.fates(move |request| {
        if !is_late && request.has("delete") && String::from_utf8_lossy(&request.body).contains(".index") {
            is_late = true;
            service.upgrade().unwrap().pass(patience.lease + 2_000);
        }
        Fate::Good
    });
    let packs = |remote: &Remote| remote.names().into_iter().filter(|name| name.contains("packs/")).count();
    let error = drop_all(&store, &all_but(&store, "a", 1)).unwrap_err().to_string();
    assert!(error.contains("longer than its lock"), "{error}");
    let before = packs(&remote);
    remote.service.all_good();
    remote.wait_for_locks();
    let left = all_but(&store, "a", 0);
    let store = remote.open().unwrap();
    assert_store_whole(&store, &left, "after the late prune");
    drop_all(&store, &[]).unwrap();
    assert!(packs(&remote) < before);
    assert_store_whole(&store, &left, "after the next one");
}

#[test]
fn a_lock_that_is_held_is_renewed() {
    let mut remote = Remote::alone();
    (remote.patience.lease, remote.patience.margin) = (4_000, 1_000);
    let backend = remote.backend();
    let held = [("locks/sites/a", false), ("locks/store", true)].map(|(lock, shared)| {
        let held = backend.lock(lock, shared).unwrap();
        held.unwrap()
    });
    std::thread::sleep(Duration::from_millis(7_500));
    for lock in ["locks/sites/a", "locks/store"] {
        assert!(remote.backend().lock(lock, false).unwrap().is_none(), "{lock}");
    }
    // Who waits sees that its holder lives.
    remote.patience.outlast = Duration::from_secs(30);
    let begun = std::time::Instant::now();
    assert!(remote.backend().lock("locks/sites/a", false).unwrap().is_none());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(held);
    for lock in ["locks/sites/a", "locks/store"] {
        assert!(remote.backend().lock(lock, false).unwrap().is_some(), "{lock}");
    }
}

#[test]
fn uploads_of_the_dead_are_given_up_after_a_day() {
    let mut remote = Remote::alone();
    remote.patience.part = 64 << 10;
    let backend = remote.backend();
    let mut upload = backend.create("packs/x").unwrap();
    upload.write_all(&noise(200_000)).unwrap();
    assert_eq!(remote.service.unfinished(), 1);
    // The service dies in the middle: what was sent stays there.
    remote.service.fates(|_| Fate::Cut);
    let error = upload.write_all(&noise(200_000)).and_then(|()| upload.commit()).unwrap_err();
    assert!(SnapshotError::store("x", "x")(error).to_string().contains("the connection failed"));
    remote.service.all_good();
    backend.clean().unwrap();
    assert_eq!(remote.service.unfinished(), 1, "it might be written still");
    remote.service.pass(remote.patience.unfinished + 1_000);
    backend.clean().unwrap();
    assert_eq!((remote.service.unfinished(), remote.names().len()), (0, 0));
}

#[test]
fn captures_and_prunes_go_on_beside_each_other() {
    let remote = Remote::alone();
    remote.open().unwrap();
    let ended = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let (remote, ended) = (&remote, &ended);
            scope.spawn(move || {
                let store = remote.open().unwrap();
                for generation in 0..12 {
                    capture(&store, name, generation).unwrap();
                }
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        let store = remote.open().unwrap();
        while ended.load(Ordering::SeqCst) < 3 {
            let going: Vec<_> = ["a", "b", "c"].into_iter().flat_map(|name| all_but(&store, name, 2)).collect();
            drop_all(&store, &going).unwrap();
        }
    });
    let store = remote.open().unwrap();
    let left: Vec<_> = ["a", "b", "c"].into_iter().flat_map(|name| all_but(&store, name, 0)).collect();
    assert!(left.len() >= 6);
    assert_store_whole(&store, &left, "after all");
}

/// Lets so many changes through, then none; the one at which it ends is done or not.
fn dies_after(remote: &Remote, changes: i64, half: bool) {
    let left = AtomicI64::new(changes);
    remote.service.fates(move |request| match request.is_change() {
        false if left.load(Ordering::SeqCst) >= 0 => Fate::Good,
        false => Fate::Cut,
        true => match left.fetch_sub(1, Ordering::SeqCst) {
            1.. => Fate::Good,
            0 if half => Fate::Mute,
            _ => Fate::Cut,
        },
    });
}

/// Stops the work at every request that changes something, and looks what is left.
fn stop_everywhere(half: bool, step: usize, work: &dyn Fn(&Arc<Store>) -> bool) -> usize {
    let mut template = Remote::alone();
    template.patience.tries = 2;
    let store = template.open().unwrap();
    for generation in 0..3 {
        capture(&store, "a", generation).unwrap();
        capture(&store, "b", generation * 3).unwrap();
    }
    let promised: Vec<_> = ["a", "b"].iter().flat_map(|name| all_but(&store, name, 0).split_off(1)).collect();
    drop(store);
    for changes in (0..).step_by(step) {
        let remote = template.copy();
        let store = remote.open().unwrap();
        dies_after(&remote, changes, half);
        let ended = work(&store);
        drop(store);
        remote.service.all_good();
        let when = format!("stopped at change {changes}, half done: {half}");
        // Its locks are still there.
        remote.wait_for_locks();
        assert_store_whole(&remote.open().unwrap(), &promised, &when);
        let store = remote.open().unwrap();
        let next = capture(&store, "a", 1_000).unwrap();
        let pruned = drop_all(&store, &all_but(&store, "b", 2)).unwrap();
        assert!(pruned.left.is_empty(), "{when}: {pruned:?}");
        assert_store_whole(&store, &[(site("a"), next)], &when);
        drop(store);
        let packs: BTreeSet<String> = remote.names().into_iter().filter(|name| name.starts_with("packs/")).collect();
        let is_paired = |name: &&String| name.ends_with(".zst") && packs.contains(&name.replace(".tar.zst", ".index"));
        assert_eq!(packs.iter().filter(is_paired).count() * 2, packs.len(), "{when}: {packs:?}");
        if ended {
            return changes as usize / step;
        }
    }
    0
}

#[test]
fn work_that_is_stopped_at_any_request_hurts_nothing() {
    let captured = |store: &Arc<Store>| capture(store, "b", 77_777).is_ok();
    let pruned = |store: &Arc<Store>| {
        let going: Vec<_> = ["a", "b"].into_iter().flat_map(|name| all_but(store, name, 2)).collect();
        drop_all(store, &going).is_ok()
    };
    let stopped: Vec<usize> = [(false, true, 1), (true, true, 1), (false, false, 1), (true, false, 2)]
        .map(|(half, captures, step)| stop_everywhere(half, step, if captures { &captured } else { &pruned }))
        .into();
    println!("stopped {stopped:?} times");
    assert!(stopped.iter().all(|times| *times >= 5), "{stopped:?}");
}

/// Against any service that is named, such as `s3://bucket/folder?endpoint=http://127.0.0.1:5000`; its keys are
/// where other programs look for them. What it writes, it removes.
#[test]
#[ignore = "needs a service: INTENDANT_TEST_BUCKET says where, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are its keys"]
fn another_service_does_what_the_one_of_these_tests_does() {
    let read = |name: &str| std::env::var(name).expect(name);
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let place = read("INTENDANT_TEST_BUCKET").replacen('?', &format!("/{unique}?"), 1);
    let keys = BucketKeys::new(&read("AWS_ACCESS_KEY_ID"), read("AWS_SECRET_ACCESS_KEY").into(), None).unwrap();
    let usage = super::super::BucketUse {
        place: BucketPlace::parse(&place).unwrap(),
        keys,
        holder: "a test".into(),
        cache: None,
    };
    let patience = super::super::bucket::Patience { part: 5 << 20, lease: 20_000, ..Default::default() };
    let backend = super::super::bucket::Bucket::new(&usage, patience).unwrap();
    assert_eq!(backend.open("packs/1").err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(backend.range("packs/1", 0, 1).unwrap_err().kind(), ErrorKind::NotFound);
    for length in [1, 300_000, (5 << 20) - 1, 5 << 20, 12_000_001] {
        let (name, bytes) = (format!("packs/{length}"), noise(length));
        write(&backend, &name, &bytes).unwrap();
        let mut read = Vec::new();
        backend.open(&name).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == bytes, "{name}");
        assert!(backend.range(&name, length as u64 / 2, length / 3).unwrap() == bytes[length / 2..][..length / 3]);
        let error = backend.range(&name, length as u64 / 2, length - length / 2 + 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{name}");
        assert_eq!(backend.range(&name, length as u64, 1).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{name}");
    }
    drop(backend.create("packs/given-up").unwrap().write_all(&noise(6_000_000)));
    let all = backend.list("packs").unwrap();
    assert!(all.len() == 5 && all.iter().all(|(name, size)| *name == size.to_string()), "{all:?}");
    let mut names: Vec<String> = all.into_iter().map(|(name, _)| format!("packs/{name}")).collect();
    names.push("packs/not-there".into());
    backend.remove(&names).unwrap();
    backend.remove(&names[..1]).unwrap();
    assert_eq!(backend.list("").unwrap(), []);
    // Many, listed page by page.
    let many: Vec<String> = (0..1_003).map(|number| format!("many/{number:04}")).collect();
    many.iter().for_each(|name| write(&backend, name, b"x").unwrap());
    assert_eq!(backend.list("many").unwrap().len(), 1_003);
    backend.remove(&many).unwrap();
    assert_eq!(backend.list("many").unwrap(), []);
    // A part of an upload that is left, and given up later.
    let mut upload = backend.create("packs/left").unwrap();
    upload.write_all(&noise(6_000_000)).unwrap();
    std::mem::forget(upload);
    let patience = super::super::bucket::Patience { unfinished: -10_000, ..patience };
    let another = super::super::bucket::Bucket::new(&usage, patience).unwrap();
    another.clean().unwrap();
    // Locks: alone, shared, renewed, run out, taken over.
    backend.probe().unwrap();
    assert!(backend.tried().unwrap().is_some());
    let mut held = backend.lock("locks/store", true).unwrap();
    assert!(another.lock("locks/store", true).unwrap().is_some());
    std::thread::sleep(Duration::from_secs(27));
    assert!(another.lock("locks/store", false).unwrap().is_none());
    held.take();
    held = backend.lock("locks/store", false).unwrap();
    assert!(held.is_some());
    assert!(
        another.lock("locks/store", false).unwrap().is_none() && another.lock("locks/store", true).unwrap().is_none()
    );
    drop((held, backend));
    // And the life of a store.
    let open = || {
        let backend = super::super::bucket::Bucket::new(&usage, patience).unwrap();
        Arc::new(Store::begin(Box::new(backend), identity()).unwrap())
    };
    let store = open();
    for generation in 0..8 {
        capture(&store, "a", generation).unwrap();
        capture(&open(), "b", generation).unwrap();
    }
    let pruned = drop_all(&store, &all_but(&store, "a", 2)).unwrap();
    assert_eq!((pruned.snapshots, pruned.left.len()), (6, 0));
    let left: Vec<_> = ["a", "b"].into_iter().flat_map(|name| all_but(&store, name, 0)).collect();
    assert_store_whole(&open(), &left, "in another service");
    drop(store);
    for folder in ["packs", "sites/a", "sites/b", "locks", "locks/store", "locks/sites/a", "locks/sites/b", ""] {
        let all = another.list(folder).unwrap().into_iter().map(|(name, _)| format!("{folder}/{name}"));
        let all: Vec<String> = all.map(|name| name.trim_start_matches('/').to_owned()).collect();
        another.remove(&all).unwrap();
    }
    assert_eq!(another.list("").unwrap(), []);
}
