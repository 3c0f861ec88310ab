//! Odd kinds of files, and what an ordinary account may and may not set.

use super::children::in_private_mounts;
use super::ordinary::{FOREIGN, GROUP, UID};
use super::*;
use intendant::snapshot::{Entry, Item, export, import};

async fn take(source: &Source, place: &Place) -> Result<Captured, SnapshotError> {
    capture(source, &place.store(), &request(), &quiet()).await
}

fn tolerant() -> CaptureRequest {
    CaptureRequest { now: now(), tolerate_unreadable: true }
}

fn facts_of(place: &Place, name: &str) -> (u32, u32, u32) {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::symlink_metadata(place.path(name)).unwrap();
    (meta.uid(), meta.gid(), meta.mode() & 0o7777)
}

#[tokio::test]
async fn times_before_1970_and_after_2038_come_back_to_the_nanosecond() {
    let place = Place::new();
    sh(
        &place.root,
        "touch -d '1901-01-01 00:00:00.000000001 UTC' a; touch -d '2199-12-31 23:59:59.999999999 UTC' b
         mkdir c; touch -d '1969-12-31 23:59:59.999999999 UTC' c; ln -s a d; touch -h -d '2040-01-01 00:00:00.7 UTC' d",
    );
    let before = place.picture();
    let first = place.capture().await.unwrap();
    sh(&place.root, "touch a b c; touch -h d");
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);
}

#[tokio::test]
async fn setuid_setgid_and_sticky_bits_and_foreign_owners_come_back() {
    let place = Place::new();
    sh(
        &place.root,
        "printf 1 > s; printf 2 > o; mkdir d; ln -s o l; chown 7:8 s; chmod 6755 s; chown 9:10 o d; chown -h 11:12 l
         chmod 3775 d; chmod 0000 o",
    );
    let before = place.picture();
    let first = place.capture().await.unwrap();
    sh(&place.root, "chmod 755 s d; rm o l; chown 0:0 d s; printf 3 >> s");
    let restored = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);
    assert!(left(&restored).is_empty());
}

#[tokio::test]
async fn an_ordinary_account_restores_its_own_groups_and_reports_what_it_may_not_set() {
    let place = Place::new();
    sh(
        &place.root,
        &format!(
            "mkdir own ro; printf 1 > own/mine; printf 2 > own/shared; printf 3 > own/foreign; printf 4 > own/regrouped
             printf 5 > ro/in; chmod 2775 own; chown -R {UID}:{UID} .; chown {UID}:{GROUP} own own/shared own/regrouped
             chgrp {FOREIGN} own/foreign; chmod 0640 own/shared; chmod 2755 own/foreign; chmod 2775 own; chmod 0555 ro"
        ),
    );
    let source = place.ordinary();
    let first = take(&source, &place).await.unwrap();
    sh(
        &place.root,
        &format!("rm -r own ro; mkdir own; printf 6 > own/regrouped; chown -R {UID}:{UID} own; chmod 700 own"),
    );
    let restored = place.restore_as(&source, &first).await.unwrap();
    assert_eq!(facts_of(&place, "own"), (UID, GROUP, 0o2775));
    assert_eq!(facts_of(&place, "own/mine"), (UID, UID, 0o644));
    assert_eq!(facts_of(&place, "own/shared"), (UID, GROUP, 0o640));
    assert_eq!(facts_of(&place, "own/regrouped"), (UID, GROUP, 0o644));
    assert_eq!(facts_of(&place, "own/foreign").1, UID);
    assert_eq!(facts_of(&place, "ro"), (UID, UID, 0o555));
    assert_eq!(std::fs::read(place.path("ro/in")).unwrap(), b"5");
    assert_eq!(left(&restored).lines(9), ["~ own/foreign (owner)"], "only what the account may not set");
}

#[tokio::test]
async fn what_an_account_cant_read_is_named_or_left_alone() {
    let place = Place::new();
    sh(
        &place.root,
        &format!(
            "mkdir -p 'shut\n in' open; printf 1 > 'shut\n in/x'; printf 2 > open/y; printf 3 > open/secret
                  chown -R {UID}:{UID} .; chmod 000 'shut\n in' open/secret"
        ),
    );
    let source = place.ordinary();
    let error = take(&source, &place).await.unwrap_err().to_string();
    assert!(error.contains("2 files or folders"), "{error}");
    assert!(error.contains("open/secret") && error.contains("shut"), "{error}");
    let first = capture(&source, &place.store(), &tolerant(), &quiet()).await.unwrap();
    assert_eq!(first.manifest.header.problems.len(), 2);
    sh(&place.root, "printf 4 > open/y");
    place.restore_as(&source, &first).await.unwrap();
    assert_eq!(std::fs::read(place.path("open/y")).unwrap(), b"2");
    assert_eq!(std::fs::read(place.path("open/secret")).unwrap(), b"3");
    assert_eq!(std::fs::read(place.path("shut\n in/x")).unwrap(), b"1");
}

#[tokio::test]
async fn folders_of_others_refuse_before_anything_is_changed() {
    let place = Place::new();
    sh(&place.root, &format!("mkdir theirs; printf 1 > theirs/x; printf 1 > mine; chown {UID} . mine"));
    let source = place.ordinary();
    let first = take(&source, &place).await.unwrap();
    sh(&place.root, "printf 2 > theirs/x; printf 2 > mine");
    let error = place.restore_as(&source, &first).await.unwrap_err();
    assert!(matches!(error, SnapshotError::NotWritable { .. }), "{error}");
    assert_eq!(std::fs::read(place.path("mine")).unwrap(), b"2");
}

#[tokio::test]
async fn pipes_sockets_and_devices_are_recorded_removed_and_never_made() {
    let place = Place::new();
    sh(&place.root, "mkfifo gone stays; mknod device c 1 3; mknod block b 7 0; printf f > file");
    drop(std::os::unix::net::UnixListener::bind(place.path("socket")).unwrap());
    let first = place.capture().await.unwrap();
    let kinds: Vec<char> = first.manifest.paths().skip(1).map(|(_, entry)| entry.letter()).collect();
    assert_eq!(kinds, ['b', 'c', 'f', 'p', 's', 'p']);
    sh(&place.root, "rm gone socket file; mkfifo added file; printf now > socket");
    let restored = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert!(!place.path("added").exists());
    assert_eq!(std::fs::read(place.path("file")).unwrap(), b"f");
    // What took the place of a socket was not there before.
    assert!(!place.path("socket").exists());
    assert_eq!(left(&restored).lines(9), ["+ gone", "+ socket"]);
}

#[tokio::test]
async fn every_name_of_a_hard_link_comes_back_with_its_content() {
    let place = Place::new();
    sh(&place.root, "printf same > a; ln a b; mkdir d; ln a d/c");
    let first = place.capture().await.unwrap();
    sh(&place.root, "rm b d/c; printf other > a; ln a b");
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    for name in ["a", "b", "d/c"] {
        assert_eq!(std::fs::read(place.path(name)).unwrap(), b"same", "{name}");
    }
}

fn blocks(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).unwrap().blocks()
}

#[tokio::test]
async fn sparse_files_stay_sparse_and_exact() {
    let place = Place::new();
    // Data at the beginning, in many separate places, and a hole up to the end.
    let script = r#"truncate -s 100M many; for i in $(seq 0 3 20); do
            printf "here $i" | dd of=many bs=1M seek=$((i * 4)) conv=notrunc status=none; done
        truncate -s 64M hole; truncate -s 40000001 odd; printf end >> odd; printf x > 'many more'; truncate -s 9000000 'many more'"#;
    sh(&place.root, script);
    sh(&place.root, &format!("cp --sparse=always many {n}; rm many; mv {n} {n}x", n = "n".repeat(150)));
    let before = place.picture();
    let first = place.capture().await.unwrap();
    assert!(first.stats.bytes_stored < 1 << 20, "{:?}", first.stats);
    sh(&place.root, "rm *");
    let restored = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);
    assert!(restored.bytes_sent < 60 << 20, "holes are not sent: {}", restored.bytes_sent);
    assert!(blocks(&place.path("hole")) < 64, "{}", blocks(&place.path("hole")));
    assert!(blocks(&place.path("odd")) < 30_000, "{}", blocks(&place.path("odd")));
    // An export has no holes: it needs no room for them, and it is imported as the same snapshot.
    let to = place.store.parent().unwrap().join("export.tar.zst");
    let site = first.manifest.header.site.clone();
    let size = export(&place.store(), &site, &first.name, &to, &quiet()).await.unwrap();
    assert!(size < 1 << 20, "{size}");
    sh(to.parent().unwrap(), "tar --zstd -xf export.tar.zst && diff -r files site");
    let other = Arc::new(Store::open(&to.with_file_name("other")).unwrap());
    let imported = import(&other, &to, now(), &quiet()).await.unwrap();
    assert_eq!((imported.name.clone(), imported.known), (first.name, false));
    assert_eq!(other.load(&site, &imported.name).unwrap().entries, first.manifest.entries);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_named() {
    let place = Place::new();
    place.write("small", "s");
    sh(&place.root, "truncate -s 65G large");
    let error = place.capture().await.unwrap_err().to_string();
    assert!(error.contains("large (it is larger than 64.0 GiB"), "{error}");
}

#[tokio::test]
async fn names_of_255_bytes_and_the_longest_paths_come_back_and_longer_ones_are_named() {
    let place = Place::new();
    let deep = "cd deep; for i in $(seq 15); do mkdir -p $n; cd $n; done";
    let name = "n=$(printf 'p%.0s' $(seq 255))";
    sh(&place.root, &format!("{name}; mkdir deep; {deep}; printf x > $(printf 'e%.0s' $(seq 240))"));
    let before = place.picture();
    let first = place.capture().await.unwrap();
    sh(&place.root, "rm -r deep");
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);

    sh(&place.root, &format!("{name}; {deep}; mkdir $n; cd $n; printf y > far; mkdir $n; printf z > $n/farther"));
    let error = place.capture().await.unwrap_err().to_string();
    assert!(error.contains("paths of more than 4093 bytes"), "{error}");
    let tolerated = capture(&place.source(), &place.store(), &tolerant(), &quiet()).await.unwrap();
    assert_eq!(tolerated.manifest.header.problems.len(), 1);
    // What is too deep is left alone by a restore.
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    sh(&place.root, &format!("{name}; {}; test -e $n/far", deep));
    sh(&place.root, "rm -r deep");
}

/// A `tar` that does something to the site first.
fn meddling(place: &Place, first: &str) -> (Place, Source) {
    let fake = Place::new();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" != --version ] || exec /usr/bin/tar --version\n{first}\n/usr/bin/tar \"$@\"; s=$?\n{{ [ ! -e ../again ] || {first}; }} 2>/dev/null\nexit $s\n"
    );
    fake.write("tar", script);
    std::fs::set_permissions(fake.path("tar"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
    (fake, source)
}

#[tokio::test]
async fn files_that_change_grow_vanish_or_turn_into_something_else_are_seen() {
    let place = Place::new();
    let start = "rm -rf x; printf first > x";
    let once = |act: &str| format!("if [ ! -e ../done ]; then : > ../done; {act}; fi");
    for (act, expected) in [
        ("printf other > x", Some("other")),
        ("printf grown >> x", Some("firstgrown")),
        (": > x", Some("")),
        ("rm x", None),
    ] {
        sh(&place.root, &format!("rm -f ../done; {start}"));
        let (_fake, source) = meddling(&place, &once(act));
        let captured = take(&source, &place).await.unwrap();
        let path = ItemPath::new("x").unwrap();
        assert_eq!(captured.manifest.path(&path).map(Entry::size), expected.map(|text| text.len() as u64), "{act}");
        assert_eq!(std::fs::read_to_string(place.path("x")).ok().as_deref(), expected, "{act}");
    }
    for act in ["rm x; mkdir x; printf in > x/in", "rm x; mkfifo x", "rm x; ln -s /etc/passwd x"] {
        sh(&place.root, &format!("rm -f ../done; {start}"));
        let (_fake, source) = meddling(&place, &once(act));
        let error = take(&source, &place).await.unwrap_err().to_string();
        assert!(error.contains("x (it became something else while it was read)"), "{act}: {error}");
    }
    sh(&place.root, start);
    let (_fake, source) = meddling(&place, "printf more >> x");
    let error = take(&source, &place).await.unwrap_err().to_string();
    assert!(error.contains("x (it changed each time while it was read)"), "{error}");
}

#[test]
fn a_file_that_cant_be_removed_stops_the_restore_which_can_be_repeated() {
    in_private_mounts("odd::immutable");
}

#[tokio::test]
#[ignore = "run by a_file_that_cant_be_removed_stops_the_restore_which_can_be_repeated"]
async fn immutable() {
    // Not every filesystem has the immutable flag; a file that is mounted can't be removed either.
    let place = Place::new();
    place.write("a", "1");
    place.write("b", "1");
    let first = place.capture().await.unwrap();
    place.write("a", "22");
    place.write("b", "22");
    sh(&place.root, "mount --bind a a");
    let error = place.restore(&first, Vec::new(), &[]).await.unwrap_err().to_string();
    sh(&place.root, "umount a");
    assert!(error.contains("./a: ") && error.contains("repeat the restore"), "{error}");
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(std::fs::read(place.path("a")).unwrap(), b"1");
}

#[tokio::test]
async fn owners_are_compared() {
    let place = Place::new();
    place.write("a", "1");
    place.capture().await.unwrap();
    sh(&place.root, "chown 5 a");
    let second = place.capture().await.unwrap();
    let changed = Change::Changed(vec![Aspect::Owner]);
    assert_eq!(second.since_previous.unwrap().changes, [(Item::Path(ItemPath::new("a").unwrap()), changed)]);
}
