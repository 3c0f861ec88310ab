//! Stores in buckets: answers that are not what they look like, or don't come.

use super::super::backend::Backend;
use super::buckets::{noise, requests, write};
use super::home::Remote;
use super::service::{Fate, Request};
use super::*;
use crate::snapshot::SnapshotError;
use std::io::Write;

const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

fn said(text: String) -> Fate {
    Fate::Said(text.leak())
}

/// What Amazon sends where it finds out late, after much white space.
fn late(code: &str) -> Fate {
    let space = " ".repeat(500);
    said(format!(
        "{space}<?xml version=\"1.0\" encoding=\"UTF-8\"?>{space}<Error><Code>{code}</Code><Message>x</Message></Error>"
    ))
}

#[test]
fn an_upload_is_complete_when_the_service_says_so() {
    let mut remote = Remote::alone();
    remote.patience.part = 64 << 10;
    let backend = remote.backend();
    let bytes = noise(200_000);
    let is_end = |request: &Request| request.method == "POST" && request.has("uploadId");
    let (mut left, trouble) = (2, late("InternalError"));
    remote.service.fates(move |request| match is_end(request) && left > 0 {
        true => {
            left -= 1;
            trouble
        }
        false => Fate::Good,
    });
    write(&backend, "packs/x", &bytes).unwrap();
    assert!(remote.service.bytes(&remote.name, "some/place/packs/x") == bytes);
    // Another object has that name, and not that length.
    remote.service.put(&remote.name, "some/place/packs/y", vec![1; 1_000]);
    let cases = [
        (late("InternalError"), "InternalError"),
        (late("AccessDenied"), "AccessDenied"),
        (late("NoSuchUpload"), "NoSuchUpload"),
        (said("  ".into()), "does not say that the upload is complete"),
        (said(format!("<ListBucketResult {NS}></ListBucketResult>")), "does not say that the upload is complete"),
    ];
    for (fate, told) in cases {
        remote.service.fates(move |request| if is_end(request) { fate } else { Fate::Good });
        let error = write(&backend, "packs/y", &bytes).unwrap_err();
        let text = SnapshotError::store("x", "x")(error).to_string();
        assert!(text.contains(told), "{text}");
        assert_eq!(remote.service.bytes(&remote.name, "some/place/packs/y").len(), 1_000);
        assert_eq!(remote.service.unfinished(), 0, "{told}");
    }
    // It was completed by an earlier try.
    remote.service.put(&remote.name, "some/place/packs/y", bytes.clone());
    write(&backend, "packs/y", &bytes).unwrap_err();
    remote.service.fates(move |request| if is_end(request) { late("NoSuchUpload") } else { Fate::Good });
    write(&backend, "packs/y", &bytes).unwrap();
}

#[test]
fn a_lock_that_is_held_alone_is_given_back_once() {
    let remote = Remote::alone();
    let backend = remote.backend();
    for lock in ["locks/sites/a", "locks/store"] {
        let held = backend.lock(lock, false).unwrap().unwrap();
        remote.service.fates(|request| if request.method == "DELETE" { Fate::Mute } else { Fate::Good });
        let sent = requests(&remote, || drop(held));
        assert_eq!(sent.len(), 1, "{sent:?}");
        remote.service.all_good();
        assert!(remote.backend().lock(lock, false).unwrap().is_some(), "it was the answer that got lost");
    }
}

#[test]
fn a_lock_of_unknown_age_is_told() {
    let remote = Remote::alone();
    let listing = said(format!(
        "<ListBucketResult {NS}><IsTruncated>false</IsTruncated><Contents><Key>some/place/locks/store/shared-0-120000</Key><ETag>x</ETag><Size>9</Size></Contents></ListBucketResult>"
    ));
    remote.service.fates(move |request| {
        let is_asked = request.query.iter().any(|(key, value)| key == "prefix" && value.ends_with("locks/store/"));
        if is_asked { listing } else { Fate::Good }
    });
    let error = remote.backend().lock("locks/store", false).err().unwrap();
    let text = SnapshotError::store("x", "x")(error).to_string();
    assert!(text.contains("does not say when") && text.contains("locks/store/shared-0-120000"), "{text}");
    assert_eq!(remote.service.keys(&remote.name), [""; 0], "nothing stays");
}

#[test]
fn copies_are_believed_only_as_they_were_made() {
    let (remote, cache) = (Remote::alone(), scratch());
    let usage = super::super::BucketUse { cache: Some(cache.path().to_owned()), ..remote.usage() };
    let open = || remote.open_as(&usage, identity()).unwrap();
    for generation in 0..3 {
        capture(&open(), "a", generation).unwrap();
    }
    let indexes = |depth| {
        let sent = requests(&remote, || {
            let found = look(&open(), depth);
            assert!(found.ok(), "{found:?}");
        });
        sent.iter().filter(|line| line.starts_with("GET") && line.contains(".index")).count()
    };
    indexes(Depth::Metadata);
    assert_eq!(indexes(Depth::Metadata), 0);
    let count = remote.names().iter().filter(|name| name.ends_with(".index")).count();
    assert_eq!(indexes(Depth::EveryByte), count, "the copies are passed by");
    for entry in std::fs::read_dir(cache.path()).unwrap() {
        let file = entry.unwrap().path();
        let good = std::fs::read(&file).unwrap();
        for at in [0, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            assert_eq!((indexes(Depth::Metadata), indexes(Depth::Metadata)), (1, 0));
            assert!(std::fs::read(&file).unwrap() == good);
        }
    }
}

/// What is not told is not damaged.
#[test]
fn a_bucket_that_does_not_answer_is_no_damage() {
    let remote = Remote::alone();
    for generation in 0..4 {
        capture(&remote.open().unwrap(), "a", generation).unwrap();
    }
    let silent = |end: &'static str, work: &dyn Fn(&Arc<Store>) -> SnapshotError| {
        let store = remote.open().unwrap();
        remote.service.fates(move |request| {
            let is_asked = request.method == "GET" && request.path.ends_with(end);
            if is_asked { Fate::Status(503) } else { Fate::Good }
        });
        let error = work(&store);
        assert!(matches!(error, SnapshotError::Bucket { .. }), "{end}: {error}");
        remote.service.all_good();
    };
    let verified = |store: &Arc<Store>| block_on(verify(store, None, Depth::Metadata, &quiet())).unwrap_err();
    let pruned = |store: &Arc<Store>| drop_all(store, &all_but(store, "a", 1)).unwrap_err();
    silent(".manifest", &verified);
    silent(".index", &pruned);
    #[cfg(feature = "encryption")]
    {
        let store = remote.open().unwrap();
        block_on(super::super::encrypt(&store, &[PUBLIC.into()], true, &quiet())).unwrap();
        silent(".needs", &verified);
    }
    assert!(look(&remote.open().unwrap(), Depth::EveryByte).ok());
}

#[test]
fn a_store_that_another_program_begins_stays() {
    let remote = Remote::alone();
    let (service, name) = (Arc::downgrade(&remote.service), remote.name.clone());
    let other = b"{ \"intendant_store\": 1 }\n\n";
    remote.service.fates(move |request| {
        if request.method == "PUT" && request.path.ends_with("/intendant-store.json") {
            service.upgrade().unwrap().put(&name, "some/place/intendant-store.json", other.to_vec());
        }
        Fate::Good
    });
    remote.open().unwrap();
    assert_eq!(remote.service.bytes(&remote.name, "some/place/intendant-store.json"), other);
}

#[test]
fn uploads_of_others_are_left_alone() {
    let mut remote = Remote::alone();
    remote.patience.part = 64 << 10;
    let backend = remote.backend();
    for name in ["packs/x", "sites/a/x", "holiday/x", "packs-of-wolves/x"] {
        let mut upload = backend.create(name).unwrap();
        upload.write_all(&noise(100_000)).unwrap();
        std::mem::forget(upload);
    }
    assert_eq!(remote.service.unfinished(), 4);
    remote.service.pass(remote.patience.unfinished + 1_000);
    backend.clean().unwrap();
    assert_eq!(remote.service.unfinished(), 2);
}
