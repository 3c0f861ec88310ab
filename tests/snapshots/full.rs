//! Full disks, on the runner and on the host, at the start and midway.

use super::children::in_private_mounts;
use super::*;

/// A filesystem over a folder, which could not be removed while it is there.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn new(folder: &'a Path, size: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        sh(folder, &format!("mount -t tmpfs -o size={size},mode=755 small \"$PWD\""));
        Self(folder)
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn larger(small: &Small<'_>) {
    sh(small.0, "mount -o remount,size=300M \"$PWD\"");
}

fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(source) = at {
        text = format!("{text}: {source}");
        at = source.source();
    }
    text
}

#[test]
fn a_full_disk_is_a_clear_error_and_nothing_is_lost() {
    for test in ["runner", "host"] {
        in_private_mounts(&format!("full::{test}"));
    }
}

#[tokio::test]
#[ignore = "run by a_full_disk_is_a_clear_error_and_nothing_is_lost"]
async fn runner() {
    let place = Place::new();
    sh(&place.root, "mkdir d; printf 1 > d/a; printf 2 > b");
    let small = Small::new(&place.store, "12M");
    let first = place.capture().await.unwrap();
    sh(&place.root, "for i in 1 2 3 4 5 6; do head -c 5000000 /dev/urandom > d/noise$i; done; rm b");
    let before = place.picture();
    // Midway, in a capture and in what a restore captures before it writes.
    let error = in_full(&place.capture().await.unwrap_err());
    assert!(error.contains("in the snapshot store failed") && error.contains("No space left"), "{error}");
    let error = in_full(&place.restore(&first, Vec::new(), &[]).await.unwrap_err());
    assert!(error.contains("No space left"), "{error}");
    // At the start.
    sh(&place.store, "cat /dev/zero > full 2>/dev/null || true");
    let error = in_full(&place.restore(&first, Vec::new(), &[]).await.unwrap_err());
    assert!(error.contains("No space left"), "{error}");
    assert_eq!(place.picture(), before);
    std::fs::remove_file(place.store.join("full")).unwrap();
    let store = place.store();
    assert_eq!(store.list(&first.manifest.header.site).unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(place.store.join("unfinished")).unwrap().count(), 0);
    assert!(verify(&store, None, Depth::EveryByte, &quiet()).await.unwrap().ok());
    larger(&small);
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(std::fs::read(place.path("b")).unwrap(), b"2");
    assert!(!place.path("d/noise1").exists());
    assert!(verify(&place.store(), None, Depth::EveryByte, &quiet()).await.unwrap().ok());
}

#[tokio::test]
#[ignore = "run by a_full_disk_is_a_clear_error_and_nothing_is_lost"]
async fn host() {
    let place = Place::new();
    let small = Small::new(&place.root, "60M");
    sh(&place.root, "for i in 1 2 3 4 5 6; do head -c 5000000 /dev/urandom > noise$i; done; printf x > small");
    let wanted = place.picture();
    let first = place.capture().await.unwrap();
    sh(&place.root, "rm noise*; printf y > small; mkdir cache; head -c 40000000 /dev/zero > cache/full");
    let before = place.picture();
    // At the start: nothing is changed.
    let error = place.restore(&first, Vec::new(), &[]).await.unwrap_err();
    assert!(matches!(error, SnapshotError::NoRoom { .. }), "{error}");
    assert_eq!(place.picture(), before);
    // Midway: something else fills it while the restore writes.
    let fake = Place::new();
    fake.write("df", "#!/bin/sh\necho 'x 1 1 99999999 1% /'\n");
    std::fs::set_permissions(fake.path("df"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
    let request =
        RestoreRequest { now: now(), target: first.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
    let prepared = prepare(&source, &place.store(), request, &quiet()).await.unwrap();
    let error = in_full(&prepared.apply(&quiet()).await.unwrap_err());
    assert!(error.contains("No space left") && error.contains("repeat the restore"), "{error}");
    // With room, the same restore ends where it should.
    larger(&small);
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    std::fs::remove_dir_all(place.path("cache")).unwrap();
    assert_eq!(without_root(&place.picture()), without_root(&wanted));
    assert!(verify(&place.store(), None, Depth::EveryByte, &quiet()).await.unwrap().ok());
}

/// The first line is the root itself, whose time the test has changed.
fn without_root(picture: &str) -> String {
    picture.lines().skip(1).collect::<Vec<_>>().join("\n")
}
