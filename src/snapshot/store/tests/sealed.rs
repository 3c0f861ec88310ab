//! Encrypted stores: whatever is hurt of them is found, whoever has no identity reads nothing and loses
//! nothing, and what was plain becomes encrypted without a moment in which it is lost.

use super::super::{Repaired, encrypt, repair};
use super::damage::{begin, examine, files};
use super::*;
use crate::snapshot::{SnapshotError, export, export_encrypted, import};
use age::secrecy::ExposeSecret as _;
use std::path::PathBuf;

/// Encrypts what is stored from now on.
fn seal(folder: &Path, recipients: &[&str]) {
    let recipients: Vec<String> = recipients.iter().map(|one| (*one).to_owned()).collect();
    block_on(encrypt(&open(folder), &recipients, false, &quiet())).unwrap();
}

/// The store as somebody sees it who has no identity.
fn keyless(folder: &Path) -> Arc<Store> {
    Arc::new(Store::open(folder).unwrap())
}

/// Another pair: the secret, and its public half.
fn another() -> (String, String) {
    let identity = age::x25519::Identity::generate();
    (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
}

fn with(folder: &Path, secrets: &[&str]) -> Arc<Store> {
    let identities = Identities::read(&secrets.join("\n").into()).unwrap();
    Arc::new(Store::open_with(folder, identities).unwrap())
}

#[track_caller]
fn assert_locked<T>(result: super::super::Result<T>, what: &str) {
    assert!(matches!(result, Err(SnapshotError::Locked { .. })), "{what}");
}

fn is_sealed(file: &Path) -> bool {
    std::fs::read(file).unwrap().starts_with(b"age-encryption.org/v1\n")
}

/// Files of packs and manifests that are not encrypted.
fn plain_files(folder: &Path) -> Vec<PathBuf> {
    let in_clear = |file: &Path| file.extension().is_some_and(|end| end == "index" || end == "needs");
    files(folder).into_iter().filter(|file| !in_clear(file) && !is_sealed(file)).collect()
}

#[test]
fn any_flipped_byte_of_an_encrypted_store_is_found() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    let truth = begin(folder.path(), &["a"]);
    assert!(!examine(folder.path(), &truth, "the untouched store"));
    assert_eq!(plain_files(folder.path()), [""; 0].map(PathBuf::from));
    let (mut flipped, mut harmless) = (0, 0);
    let mut header = 0;
    for file in files(folder.path()) {
        let good = std::fs::read(&file).unwrap();
        let sealed = is_sealed(&file);
        // All of the header of a pack, with what stands behind it, and a sample of the rest.
        if sealed && header == 0 {
            header = memchr::memmem::find(&good, b"\n--- ").unwrap() + 5 + 43 + 1 + 16;
            assert!(header > 200 && file.to_str().unwrap().contains(".tar.zst"));
        } else if sealed {
            header = 1;
        }
        let places = (0..good.len()).filter(|at| (sealed && *at < header) || at % 499 == 0 || at + 10 > good.len());
        for at in places {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&file, bad).unwrap();
            let what = format!("byte {at} of {} in {}", good.len(), file.display());
            let found = examine(folder.path(), &truth, &what);
            assert!(found || !sealed, "{what}");
            flipped += 1;
            harmless += usize::from(!found);
        }
        std::fs::write(&file, good).unwrap();
    }
    println!("{flipped} bytes flipped, {harmless} of them without any effect");
    assert!(flipped > 300 && harmless * 20 < flipped, "{harmless} of {flipped}");
}

#[test]
fn any_truncated_or_lost_file_of_an_encrypted_store_is_found() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    let truth = begin(folder.path(), &["a", "b"]);
    for file in files(folder.path()) {
        let good = std::fs::read(&file).unwrap();
        let (shown, length) = (file.display(), good.len());
        for left in [0, 1, 22, 200, length / 2, length - 17, length - 16, length - 1] {
            std::fs::write(&file, &good[..left]).unwrap();
            assert!(examine(folder.path(), &truth, &format!("{shown} cut off after {left}")), "{shown} after {left}");
        }
        std::fs::remove_file(&file).unwrap();
        // A manifest that has gone leaves no trace but the list of what it needed, which harms nobody.
        if !file.to_str().unwrap().contains(".manifest") {
            assert!(examine(folder.path(), &truth, &format!("{shown} lost")), "{shown}");
        }
        std::fs::write(&file, good).unwrap();
    }
    assert!(!examine(folder.path(), &truth, "the repaired store"));
}

#[test]
fn a_cut_is_seen_by_who_reads_nothing() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    begin(folder.path(), &["a"]);
    assert!(look(&keyless(folder.path()), Depth::Metadata).ok());
    let pack = files(folder.path()).into_iter().find(|file| file.to_str().unwrap().contains(".tar.zst")).unwrap();
    let good = std::fs::read(&pack).unwrap();
    std::fs::write(&pack, &good[..good.len() - 100]).unwrap();
    let verified = look(&keyless(folder.path()), Depth::Metadata);
    assert!(verified.damaged.len() == 1 && !verified.hurt.is_empty(), "{verified:?}");
    assert!(verified.hurt[0].items[0].starts_with("blob "), "{verified:?}");
}

#[test]
fn what_is_hurt_of_an_encrypted_pack_is_set_aside_and_stored_anew() {
    for place in ["header", "middle", "end", "cut"] {
        let folder = scratch();
        seal(folder.path(), &[PUBLIC]);
        let truth = begin(folder.path(), &["a", "b"]);
        let pack = files(folder.path()).into_iter().find(|file| file.to_str().unwrap().contains(".tar.zst")).unwrap();
        let mut bytes = std::fs::read(&pack).unwrap();
        let length = bytes.len();
        match place {
            "header" => bytes[60] ^= 1,
            "middle" => bytes[length / 2] ^= 1,
            "end" => bytes[length - 3] ^= 1,
            _ => bytes.truncate(length * 2 / 3),
        }
        std::fs::write(&pack, bytes).unwrap();
        // Nobody without an identity calls anything hurt, nor removes it.
        assert_locked(block_on(repair(&keyless(folder.path()), &quiet())), place);
        let wrong = with(folder.path(), &[&another().0]);
        assert_locked(block_on(repair(&wrong, &quiet())), place);
        let store = open(folder.path());
        let repaired: Repaired = block_on(repair(&store, &quiet())).unwrap();
        assert_eq!(repaired.set_aside.len(), 1, "{place}: {repaired:?}");
        assert!(repaired.set_aside[0].ends_with(".tar.zst.age"), "{place}: {repaired:?}");
        for (name, generation) in [("a", 0), ("a", 1), ("b", 0), ("b", 1)] {
            capture(&store, name, generation).unwrap();
        }
        assert!(!examine(folder.path(), &truth, place), "{place}");
        assert_eq!(plain_files(folder.path()), [""; 0].map(PathBuf::from), "{place}");
    }
}

#[test]
fn who_has_no_identity_writes_and_prunes_and_reads_nothing() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    let store = keyless(folder.path());
    let first = capture(&store, "a", 1).unwrap();
    let packs = |folder: &Path| room(&folder.join("packs"));
    let before = packs(folder.path());
    // The same state an hour later: nothing of it is stored again, its entries neither.
    let mut writer = store.writer(&site("a")).unwrap();
    let mut manifest = fill(&mut writer, "a", 1).unwrap();
    manifest.header.taken = Timestamp::from_second(1_780_007_000).unwrap();
    writer.commit(&manifest).unwrap();
    assert_eq!(packs(folder.path()), before);
    for generation in 10..16 {
        capture(&store, "a", generation).unwrap();
        capture(&store, "b", generation * 40).unwrap();
    }
    assert_eq!(plain_files(folder.path()), [""; 0].map(PathBuf::from));

    for who in [keyless(folder.path()), with(folder.path(), &[&another().0])] {
        assert_locked(who.load(&site("a"), &first), "load");
        assert_locked(who.readable(), "readable");
        assert_locked(block_on(verify(&who, None, Depth::EveryByte, &quiet())), "verify");
        let to = folder.path().join("export");
        assert_locked(block_on(export(&who, &site("a"), &first, &to, &quiet())), "export");
        let verified = look(&who, Depth::Metadata);
        assert!(verified.ok() && verified.snapshots == 14, "{verified:?}");
    }
    let going: Vec<_> = ["a", "b"].into_iter().flat_map(|name| all_but(&store, name, 2)).collect();
    let before = room(folder.path());
    let foreseen = block_on(prune(&store, going.clone(), true, &quiet())).unwrap();
    assert!(foreseen.packs_removed > 0 && foreseen.packs_repacked == 0, "{foreseen:?}");
    let pruned = drop_all(&store, &going).unwrap();
    assert_eq!((pruned.snapshots, pruned.packs_removed, pruned.packs_repacked), (10, foreseen.packs_removed, 0));
    assert!(pruned.left.is_empty() && room(folder.path()) < before, "{pruned:?}");
    let lists = files(folder.path()).iter().filter(|file| file.extension().is_some_and(|end| end == "needs")).count();
    assert_eq!(lists, 4, "one list beside each manifest");
    let left: Vec<_> = ["a", "b"].iter().flat_map(|name| store.list(&site(name)).unwrap()).collect();
    let left: Vec<_> = left.into_iter().map(|one| (one.site, one.name)).collect();
    assert_whole(folder.path(), &left, "pruned by who reads nothing");
    // Who reads it frees the rest.
    drop_all(&open(folder.path()), &[]).unwrap();
    assert_whole(folder.path(), &left, "pruned by who reads it");
}

#[test]
fn a_store_that_lost_its_recipients_is_not_written_to() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    let taken = capture(&open(folder.path()), "a", 1).unwrap();
    let file = folder.path().join("intendant-store.json");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, "{\"intendant_store\":1}\n").unwrap();
    let before = files(folder.path());
    let store = open(folder.path());
    let error = capture(&store, "a", 2).unwrap_err();
    assert!(matches!(error, SnapshotError::RecipientsGone { .. }), "{error}");
    assert_eq!(files(folder.path()), before);
    // What is there can still be read.
    assert_whole(folder.path(), &[(site("a"), taken)], "without recipients");
    for (wrong, says) in [
        (r#"{"intendant_store":2}"#, "names no recipients"),
        (r#"{"intendant_store":2,"recipients":["age1x"]}"#, "can't be understood"),
        (r#"{"intendant_store":1,"recipients":["age1x"]}"#, "the version of stores that have none"),
        (r#"{"intendant_store":3}"#, "format version 3"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let error = Store::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
        // A writer that had opened the store before is stopped, too.
        assert!(capture(&store, "a", 3).is_err());
    }
    std::fs::write(&file, good).unwrap();
    capture(&store, "a", 2).unwrap();
    assert_eq!(plain_files(folder.path()), [""; 0].map(PathBuf::from));
}

#[test]
fn a_plain_store_becomes_an_encrypted_one() {
    let folder = scratch();
    let store = open(folder.path());
    let mut all: Vec<(SiteName, SnapshotName)> = Vec::new();
    for generation in 0..5 {
        all.push((site("a"), capture(&store, "a", generation).unwrap()));
    }
    // A writer that is at work keeps its way to the end; then the recipients are there.
    let mut writer = store.writer(&site("b")).unwrap();
    let manifest = fill(&mut writer, "b", 0).unwrap();
    let waiting = {
        let folder = folder.path().to_owned();
        std::thread::spawn(move || seal(&folder, &[PUBLIC]))
    };
    std::thread::sleep(std::time::Duration::from_millis(100));
    all.push((site("b"), writer.commit(&manifest).unwrap().name));
    waiting.join().unwrap();
    all.push((site("a"), capture(&store, "a", 5).unwrap()));
    let now = store.encryption().unwrap();
    assert_eq!((now.recipients, now.plain_packs, now.plain_manifests), (vec![PUBLIC.to_owned()], 6, 6));
    assert_whole(folder.path(), &all, "half encrypted");
    // Who has no identity can't tell what is in the encrypted half; the plain one is as it was.
    let reader = keyless(folder.path());
    assert!(reader.load(&site("a"), &all[0].1).is_ok());
    assert_locked(reader.load(&site("a"), &all[6].1), "the new one");
    assert_locked(block_on(encrypt(&reader, &[], true, &quiet())), "rewriting");

    let done = block_on(encrypt(&store, &[], true, &quiet())).unwrap();
    assert!(done.rewritten.unwrap().left.is_empty());
    assert_eq!((done.now.plain_packs, done.now.plain_manifests), (0, 0));
    assert_eq!(plain_files(folder.path()), [""; 0].map(PathBuf::from));
    assert_whole(folder.path(), &all, "encrypted");
    let quick = look(&keyless(folder.path()), Depth::Metadata);
    assert!(quick.ok() && quick.snapshots == 7, "{quick:?}");
}

#[test]
fn recipients_change_and_nothing_stays_with_those_of_before() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    let first = capture(&open(folder.path()), "a", 1).unwrap();
    let (secret, public) = another();
    seal(folder.path(), &[&public]);
    let second = capture(&keyless(folder.path()), "a", 2).unwrap();
    let all = [(site("a"), first.clone()), (site("a"), second.clone())];
    let new = with(folder.path(), &[&secret]);
    let error = new.readable().unwrap_err().to_string();
    assert!(error.starts_with("what is older in the snapshot store") && error.contains(PUBLIC), "{error}");
    assert!(open(folder.path()).load(&site("a"), &first).is_ok());
    assert_locked(open(folder.path()).load(&site("a"), &second), "who was a recipient before");
    assert_locked(block_on(encrypt(&new, &[], true, &quiet())), "the new one alone can't write the old again");

    let both = with(folder.path(), &[&secret, SECRET]);
    both.readable().unwrap();
    let done = block_on(encrypt(&both, &[], true, &quiet())).unwrap();
    assert_eq!((done.now.recipients, done.now.former), (vec![public.clone()], Vec::<Vec<String>>::new()));
    let new = with(folder.path(), &[&secret]);
    for (site, name) in &all {
        new.load(site, name).unwrap();
        assert_locked(open(folder.path()).load(site, name), "who was a recipient before");
    }
    assert!(look(&new, Depth::EveryByte).ok());
    // Two recipients: either reads all.
    block_on(encrypt(&new, &[public, PUBLIC.to_owned()], true, &quiet())).unwrap();
    assert_whole(folder.path(), &all, "one of two");
    assert!(look(&with(folder.path(), &[&secret]), Depth::EveryByte).ok());
}

#[test]
fn a_recipient_that_was_a_mistake_is_mended() {
    let folder = scratch();
    let (_, mistaken) = another();
    // Before anything was written, nobody has to remember it.
    seal(folder.path(), &[&mistaken]);
    seal(folder.path(), &[PUBLIC]);
    open(folder.path()).readable().unwrap();
    let taken = capture(&open(folder.path()), "a", 1).unwrap();
    // Later, rewriting shows that nothing is encrypted to it.
    seal(folder.path(), &[&mistaken]);
    seal(folder.path(), &[PUBLIC]);
    let store = open(folder.path());
    assert_locked(store.readable(), "a set of which nothing may be left");
    store.load(&site("a"), &taken).unwrap();
    let done = block_on(encrypt(&store, &[], true, &quiet())).unwrap();
    assert_eq!((done.now.former.len(), done.rewritten.unwrap().left.len()), (0, 0));
    store.readable().unwrap();
    assert_whole(folder.path(), &[(site("a"), taken)], "mended");
}

#[test]
fn recipients_that_cannot_be_used_are_refused_and_secrets_not_repeated() {
    let folder = scratch();
    let store = open(folder.path());
    let refused = |text: &str| {
        let error = block_on(encrypt(&store, &[PUBLIC.to_owned(), text.to_owned()], false, &quiet())).unwrap_err();
        assert!(matches!(error, SnapshotError::BadRecipient { .. }), "{error}");
        error.to_string()
    };
    for text in ["", "age1", "age1x", "ssh-ed25519 AAAA", &PUBLIC.replace('t', "s"), "age1yubikey1qwt50d05nh"] {
        assert!(refused(text).contains("begins with age1"), "{text}");
    }
    for secret in [SECRET.to_owned(), SECRET.to_lowercase()] {
        let said = refused(&secret);
        assert!(said.contains("a secret") && !said.to_uppercase().contains("1GQ977"), "{said}");
    }
    let error = block_on(encrypt(&store, &[], true, &quiet())).unwrap_err();
    assert!(matches!(error, SnapshotError::NoRecipients { .. }), "{error}");
    assert_eq!(std::fs::read(folder.path().join("intendant-store.json")).unwrap(), b"{\"intendant_store\":1}\n");
}

#[test]
fn an_encrypted_export_comes_back() {
    let folder = scratch();
    let (store, file) = (folder.path().join("store"), folder.path().join("export.tar.zst.age"));
    let plain = open(&store);
    let name = capture(&plain, "a", 3).unwrap();
    let error = block_on(export_encrypted(&plain, &site("a"), &name, &file, &quiet())).unwrap_err();
    assert!(matches!(error, SnapshotError::NoRecipients { .. }) && !file.exists(), "{error}");
    seal(&store, &[PUBLIC]);
    block_on(export_encrypted(&plain, &site("a"), &name, &file, &quiet())).unwrap();
    assert!(is_sealed(&file));
    let bring =
        |store: &Arc<Store>| block_on(import(store, &file, Timestamp::from_second(1_790_000_000).unwrap(), &quiet()));
    let other = folder.path().join("other");
    assert_locked(bring(&keyless(&other)), "without an identity");
    let good = std::fs::read(&file).unwrap();
    for at in [30, 100, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&file, bad).unwrap();
        assert!(bring(&open(&other)).is_err(), "byte {at}");
        assert!(open(&other).list(&site("a")).unwrap().is_empty(), "byte {at}");
    }
    std::fs::write(&file, good).unwrap();
    assert_eq!(bring(&open(&other)).unwrap().name, name);
    assert_whole(&other, &[(site("a"), name)], "imported");
}

#[test]
fn a_rewriting_that_is_stopped_at_any_effect_loses_nothing() {
    let template = scratch();
    super::faults::begin(template.path(), 7);
    seal(template.path(), &[PUBLIC]);
    let mut stopped = 0;
    for half in [false, true] {
        stopped += super::faults::stop_everywhere(template.path(), half, 29, &|store| {
            let done = block_on(encrypt(store, &[], true, &quiet()));
            done.is_ok_and(|done| done.now.plain_packs + done.now.plain_manifests == 0)
        });
    }
    println!("stopped {stopped} times");
    assert!(stopped > 12, "{stopped}");
}

/// No file of an encrypted store but its indexes and lists says anything that was not encrypted.
#[test]
fn nothing_of_a_site_lies_in_the_clear() {
    let folder = scratch();
    seal(folder.path(), &[PUBLIC]);
    let truth = begin(folder.path(), &["a"]);
    for file in files(folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let bytes = zstd::decode_all(bytes.as_slice()).unwrap_or(bytes);
        for text in ["file-0", "\"path\"", "fastcdc"] {
            let found = memchr::memmem::find(&bytes, text.as_bytes());
            assert!(found.is_none(), "{text} in {}", file.display());
        }
    }
    assert_eq!(truth.len(), 2);
}
