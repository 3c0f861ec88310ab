//! Hostile hosts and hostile stores: refused with a reason, in bounded memory.

use super::children::{peak_kib, say_peak};
use super::*;
use intendant::snapshot::SnapshotName;
use std::io::Write;

/// The most memory that anything hostile may make this program use.
const MOST_KIB: u64 = 400 << 10;

/// A host whose program `name` does `body`; it claims to be GNU.
fn lying(place: &Place, name: &str, body: &str) -> (Place, Source) {
    let fake = Place::new();
    fake.write(name, format!("#!/bin/sh\n[ \"$1\" != --version ] || exec /usr/bin/{name} --version\n{body}\n"));
    std::fs::set_permissions(fake.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
    (fake, source)
}

async fn refused(place: &Place, source: &Source, why: &str) {
    let error = capture(source, &place.store(), &request(), &quiet()).await.unwrap_err().to_string();
    assert!(error.contains(why), "{why}: {error}");
    assert!(place.store().list(&source.site).unwrap().is_empty());
    assert_eq!(std::fs::read_dir(place.store.join("unfinished")).unwrap().count(), 0);
}

#[tokio::test]
async fn lists_that_lie_are_refused() {
    let place = Place::new();
    let entry = |kind: char, path: &str, target: &str| format!("{kind} 755 0 0 5 1.0 1.0 7 1\\0{path}\\0{target}\\0");
    let root = entry('d', "", "");
    for (list, why) in [
        (root.clone() + &entry('f', "/etc/passwd", ""), "absolute"),
        (root.clone() + &entry('d', "a", "") + &entry('f', "a/../../x", ""), "'..'"),
        (root.clone() + &entry('f', "a", "") + &entry('f', "a", ""), "twice"),
        (root.clone() + &entry('l', "a", "/etc") + &entry('f', "a/b", ""), "below something that is no folder"),
        (root.clone() + &entry('f', "a/b", ""), "below something that is no folder"),
        (entry('f', "", ""), "the root is no folder"),
        (String::new(), "the root is no folder"),
        (root.clone() + "f 755 0 0 5 1.0 1.0 7 1\\0a\\0", "cut off"),
        (root.clone() + "f 755 0 0 -5 1.0 1.0 7 1\\0a\\0\\0", "can't be read"),
        (root.clone() + "f 99999999999 0 0 5 1.0 1.0 7 1\\0a\\0\\0", "can't be read"),
        (root.clone() + &entry('f', &"x".repeat(20_000), ""), "longer than 16384 bytes"),
    ] {
        let (_fake, source) = lying(&place, "find", &format!("printf '{list}'"));
        refused(&place, &source, why).await;
    }
}

fn header(kind: tar::EntryType, name: &[u8], size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    header
}

/// A host that sends these bytes for files, and then the same block for ever.
fn sending(place: &Place, first: &[u8], endless: &[u8]) -> (Place, Source) {
    place.write("wanted", "12345");
    let body =
        r#"here=$(dirname "$0"); cat "$here/first"; [ ! -s "$here/endless" ] || while cat "$here/endless"; do :; done"#;
    let (fake, source) = lying(place, "tar", body);
    fake.write("first", first);
    fake.write("endless", endless);
    (fake, source)
}

#[tokio::test]
async fn archives_that_lie_are_refused() {
    let file = |name: &str, size: u64| {
        let mut bytes = header(tar::EntryType::Regular, name.as_bytes(), size).as_bytes().to_vec();
        bytes.extend_from_slice(b"12345");
        bytes.resize(1024, 0);
        bytes
    };
    let end = vec![0; 1024];
    for (first, why) in [
        ([file("../wanted", 5), end.clone()].concat(), "'..'"),
        ([file("/etc/passwd", 5), end.clone()].concat(), "absolute"),
        ([file("other", 5), end.clone()].concat(), "was not asked for"),
        ([file("./wanted", 5), file("./wanted", 5), end.clone()].concat(), "was not asked for"),
        (file("./wanted", 5)[..600].to_vec(), "EOF"),
        ([file("./wanted", 1 << 40), end.clone()].concat(), "larger than 64.0 GiB"),
        (vec![b'x'; 2048], "numeric field"),
        ([file("./wanted", 5), end.clone(), vec![1; 2 << 20]].concat(), "something follows its end"),
    ] {
        let place = Place::new();
        let (_fake, source) = sending(&place, &first, b"");
        refused(&place, &source, why).await;
    }
    // Nor a hole of 8 EiB.
    let place = Place::new();
    let mut huge = header(tar::EntryType::GNUSparse, b"./wanted", 0);
    let gnu = huge.as_gnu_mut().unwrap();
    gnu.realsize = *b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
    gnu.sparse[0].offset = gnu.realsize;
    gnu.sparse[0].numbytes = *b"00000000000\0";
    huge.set_cksum();
    let (_fake, source) = sending(&place, huge.as_bytes(), b"");
    refused(&place, &source, "larger than 64.0 GiB").await;
}

#[test]
fn what_never_ends_is_refused_in_bounded_memory() {
    for test in ["endless_names", "endless_extensions", "endless_holes", "endless_entries", "bombs"] {
        let peak = peak_kib(&format!("hostile::{test}"));
        assert!(peak < MOST_KIB, "{test}: {peak} KiB");
    }
}

#[tokio::test]
#[ignore = "run by what_never_ends_is_refused_in_bounded_memory"]
async fn endless_names() {
    let place = Place::new();
    let long = header(tar::EntryType::GNULongName, b"././@LongLink", 1 << 50);
    let (_fake, source) = sending(&place, long.as_bytes(), &vec![b'a'; 1 << 20]);
    refused(&place, &source, "longer than the limit").await;
    say_peak();
}

#[tokio::test]
#[ignore = "run by what_never_ends_is_refused_in_bounded_memory"]
async fn endless_extensions() {
    let place = Place::new();
    let (_fake, source) = sending(&place, b"", header(tar::EntryType::XHeader, b"x", 0).as_bytes());
    refused(&place, &source, "two pax extensions").await;
    let (_fake, source) =
        sending(&place, header(tar::EntryType::XHeader, b"x", 1 << 50).as_bytes(), &vec![b'1'; 1 << 20]);
    refused(&place, &source, "longer than the limit").await;
    say_peak();
}

#[tokio::test]
#[ignore = "run by what_never_ends_is_refused_in_bounded_memory"]
async fn endless_holes() {
    let place = Place::new();
    let mut sparse = header(tar::EntryType::GNUSparse, b"./wanted", 0);
    sparse.as_gnu_mut().unwrap().isextended = [1];
    sparse.set_cksum();
    let mut more = tar::GnuExtSparseHeader::new();
    more.isextended = [1];
    for piece in &mut more.sparse {
        (piece.offset, piece.numbytes) = (*b"00000000000\0", *b"00000000000\0");
    }
    let (_fake, source) = sending(&place, sparse.as_bytes(), &more.as_bytes().repeat(2048));
    refused(&place, &source, "longer than the limit").await;
    say_peak();
}

#[tokio::test]
#[ignore = "run by what_never_ends_is_refused_in_bounded_memory"]
async fn endless_entries() {
    let place = Place::new();
    let list = r#"printf 'd 755 0 0 5 1.0 1.0 7 1\0\0\0'
        exec awk 'BEGIN { name = sprintf("%04000d", 0); for (i = 0; ; i++) printf "f 644 0 0 5 1.0 1.0 7 1%c%s-%d%c%c", 0, name, i, 0, 0 }'"#;
    let (_fake, source) = lying(&place, "find", list);
    refused(&place, &source, "which is the limit").await;
    say_peak();
}

#[tokio::test]
#[ignore = "run by what_never_ends_is_refused_in_bounded_memory"]
async fn bombs() {
    let place = Place::new();
    place.write("a", "a");
    let first = place.capture().await.unwrap();
    let site = first.manifest.header.site.clone();
    let file = place.store.join(format!("sites/here/{}.manifest", first.name));
    let header = br#"{"intendant_manifest":1,"site":"here","taken":"2026-01-14T02:00:00Z","walked":1,"tool":"0","root":"/r","chunker":"fixed-4m","#;
    let nested =
        [&header[..], br#""previous":"#, "[".repeat(100_000).as_bytes(), "]".repeat(100_000).as_bytes(), b"}"].concat();
    for (start, filler, why) in [
        (&header[..], &b"          "[..], "too long"),
        (&nested[..], &b"\n"[..], "recursion limit"),
        (&header[..], &br#""x":[],"#[..], "too long"),
        (&b""[..], &b"{"[..], "too long"),
    ] {
        let mut bomb = zstd::Encoder::new(std::fs::File::create(&file).unwrap(), 1).unwrap();
        bomb.write_all(start).unwrap();
        let filler = filler.repeat((1 << 20) / filler.len());
        (0..64).for_each(|_| bomb.write_all(&filler).unwrap());
        bomb.finish().unwrap();
        let error = place.store().load(&site, &first.name).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
    // A frame that wants a window of 2 GiB.
    let mut wide = zstd::Encoder::new(std::fs::File::create(&file).unwrap(), 1).unwrap();
    wide.set_parameter(zstd::zstd_safe::CParameter::WindowLog(31)).unwrap();
    wide.write_all(header).unwrap();
    wide.finish().unwrap();
    let error = place.store().load(&site, &first.name).unwrap_err().to_string();
    assert!(error.contains("memory"), "{error}");
    say_peak();
}

#[test]
fn a_snapshots_name_is_no_path() {
    for bad in ["../../x", "", "20260114T020000.123Z-0123456789ab/..", "20260114T020000.123Z-0123456789AB"] {
        assert!(bad.parse::<SnapshotName>().is_err(), "{bad}");
    }
}
