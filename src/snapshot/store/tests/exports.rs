//! Exports that become snapshots again, and archives that must not.

use super::super::super::item::{ObjectKind, ObjectName};
use super::*;
use crate::snapshot::{Imported, SnapshotError, export, import};
use std::io::Read;
use std::path::PathBuf;

/// The bytes of a file that is more than one chunk.
const LARGE: usize = (4 << 20) + 100;
const VIEW: &str = "\n--\n-- Temporary table structure for view `v`\n--\n\nSET @a = 1;\n\
    --\n-- Final view structure for view `v`\n--\n\n/*!50001 VIEW `v` AS select 1 */;\n";

/// A snapshot with long and odd names, a link, a large file and a database.
fn begin(store: &Arc<Store>) -> (SiteName, SnapshotName) {
    let mut writer = store.writer(&site("a")).unwrap();
    let mut manifest = fill(&mut writer, "a", 5).unwrap();
    let facts = Facts {
        mode: 0o4755,
        uid: 3_000_000,
        gid: 12,
        mtime: -1_500_000_000,
        ctime: 9,
        inode: 9,
        nlink: 1,
        attributes: Attributes::Unknown,
    };
    let store_content = |writer: &mut Writer, bytes: &[u8]| {
        let cut =
            bytes.chunks(4 << 20).map(|part| Chunk { digest: writer.put(part).unwrap(), size: part.len() as u32 });
        Content { digest: Digest::of(bytes), size: bytes.len() as u64, chunks: cut.collect() }
    };
    let mut add = |path: &[u8], entry: Entry| {
        manifest.entries.insert(Item::Path(ItemPath::new(path).unwrap()), Arc::new(entry));
    };
    let content = store_content(&mut writer, &vec![b'x'; LARGE]);
    add(b"large", Entry::File { facts: facts.clone(), content });
    let content = store_content(&mut writer, b"far");
    add(&[b'n'; 200], Entry::File { facts: facts.clone(), content: content.clone() });
    add(b"new\nline \xff", Entry::File { facts: facts.clone(), content });
    add(b"link", Entry::Link { facts: facts.clone(), target: b"../".repeat(60) });
    add(b"pipe", Entry::Other { facts: facts.clone(), kind: 'p' });
    for (kind, name, sql) in [
        (ObjectKind::Table, "t", "CREATE TABLE t (a int);\n"),
        (ObjectKind::View, "v", VIEW),
        (ObjectKind::Event, "e", "CREATE EVENT e;\n"),
    ] {
        let content = store_content(&mut writer, sql.as_bytes());
        manifest
            .entries
            .insert(Item::Object(ObjectName::new(kind, name).unwrap()), Arc::new(Entry::Object { content }));
    }
    (site("a"), writer.commit(&manifest).unwrap().name)
}

fn bring(store: &Arc<Store>, from: &Path) -> Result<Imported, SnapshotError> {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    block_on(import(store, from, now, &quiet()))
}

/// The archive without its compression.
fn exported(folder: &Path) -> (PathBuf, Vec<u8>, Manifest) {
    let store = open(&folder.join("store"));
    let (site, name) = begin(&store);
    let to = folder.join("export.tar.zst");
    block_on(export(&store, &site, &name, &to, &quiet())).unwrap();
    let tar = zstd::decode_all(std::fs::File::open(&to).unwrap()).unwrap();
    (to, tar, store.load(&site, &name).unwrap())
}

#[test]
fn an_export_becomes_the_same_snapshot_again() {
    let folder = scratch();
    let (file, _, manifest) = exported(folder.path());
    let other = folder.path().join("other");
    let store = open(&other);
    let imported = bring(&store, &file).unwrap();
    assert!(!imported.known && imported.bytes_stored > 0);
    assert_whole(&other, &[(imported.site.clone(), imported.name.clone())], "after the import");
    let read = store.load(&imported.site, &imported.name).unwrap();
    assert_eq!((read.id(), &read.entries), (manifest.id(), &manifest.entries));
    assert_eq!(read.header.walked, 0, "the next capture believes nothing of it");
    assert!(bring(&store, &file).unwrap().known);
    // What is exported from there is the same again, but for the header.
    let again = folder.path().join("again.tar.zst");
    block_on(export(&store, &imported.site, &imported.name, &again, &quiet())).unwrap();
    let third = open(&folder.path().join("third"));
    assert_eq!(bring(&third, &again).unwrap().name, imported.name);
}

/// Tries an archive; what is committed must be what the good one holds.
fn attempt(folder: &Path, tar: &[u8], good: &Manifest, what: &str) -> Result<(), SnapshotError> {
    let place = tempfile::tempdir_in(folder).unwrap();
    let file = place.path().join("archive");
    std::fs::write(&file, zstd::encode_all(tar, 1).unwrap()).unwrap();
    let store = open(&place.path().join("store"));
    let result = bring(&store, &file);
    match result {
        Ok(imported) => {
            let read = store.load(&imported.site, &imported.name).unwrap();
            assert_eq!(read.entries, good.entries, "{what}");
            assert!(look(&store, Depth::EveryByte).ok(), "{what}");
            Ok(())
        }
        Err(error) => {
            assert!(store.sites().unwrap().iter().all(|site| store.list(site).unwrap().is_empty()), "{what}");
            Err(error)
        }
    }
}

/// Where each member's own header begins, by what is in its name.
fn header(tar: &[u8], name: &str) -> usize {
    tar.windows(name.len()).position(|window| window == name.as_bytes()).unwrap()
}

#[test]
fn hostile_archives_are_refused() {
    let folder = scratch();
    let (file, tar, good) = exported(folder.path());
    let refused = |tar: &[u8], what: &str| {
        let error = attempt(folder.path(), tar, &good, what).expect_err(what).to_string();
        assert!(error.contains("not an export") || error.contains("damaged"), "{what}: {error}");
    };
    attempt(folder.path(), &tar, &good, "the good one").unwrap();
    // Names that lead elsewhere, links that point elsewhere: with right checksums.
    let replaced = |from: &str, to: &str| {
        let mut bad = tar.clone();
        let at = header(&bad, from) / 512 * 512;
        bad[at..at + to.len()].copy_from_slice(to.as_bytes());
        let sum: u64 = bad[at..at + 512]
            .iter()
            .enumerate()
            .map(|(i, b)| if (148..156).contains(&i) { 32 } else { u64::from(*b) })
            .sum();
        bad[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bad
    };
    refused(&replaced("files/file-0", "files/../e-0"), "upwards");
    refused(&replaced("files/file-0", "/etc/passwd0"), "absolute");
    refused(&replaced("files/file-0", "files/file-1"), "twice");
    refused(&replaced("snapshot.manifest", "snapshot.banifest"), "no manifest");
    // More, less, and something behind.
    let end = tar.len() - 1024;
    refused(&[&tar[..end], &tar[..512], &tar[end..]].concat(), "one more member");
    refused(&[&tar[..], &vec![0; 2 << 20]].concat(), "much behind");
    for cut in [0, 511, 512, tar.len() / 3, tar.len() / 2, end - 512] {
        refused(&tar[..cut], "cut off");
    }
    // A name of ten gigabytes costs no memory.
    let mut huge = tar::Header::new_gnu();
    huge.set_entry_type(tar::EntryType::GNULongName);
    huge.set_size(10 << 30);
    huge.set_cksum();
    refused(&[&huge.as_bytes()[..], &vec![b'a'; 1 << 20]].concat(), "a huge name");
    refused(b"", "nothing");
    // The file itself cut off, or no zstd at all.
    let packed = std::fs::read(&file).unwrap();
    let broken = folder.path().join("broken");
    for bytes in [&packed[..packed.len() - 1], &packed[..packed.len() / 2], b"hello"] {
        std::fs::write(&broken, bytes).unwrap();
        bring(&open(&folder.path().join("never")), &broken).unwrap_err();
    }
}

#[test]
fn a_flipped_byte_of_an_archive_is_refused_or_changes_nothing() {
    let folder = scratch();
    let (_, mut tar, good) = exported(folder.path());
    // All but the inside of the large file, of which a sample.
    let large = header(&tar, "files/large");
    let places = (0..tar.len())
        .filter(|at| if (large..large + LARGE).contains(at) { at % 1_000_003 == 0 } else { at % 211 == 0 });
    let (mut all, mut refused) = (0, 0);
    for at in places.collect::<Vec<_>>() {
        tar[at] ^= 1 << (at % 8);
        all += 1;
        refused += usize::from(attempt(folder.path(), &tar, &good, &format!("byte {at}")).is_err());
        tar[at] ^= 1 << (at % 8);
    }
    println!("{refused} of {all} refused");
    assert!(all > 100 && refused * 2 > all, "{refused} of {all}");
}

#[test]
fn other_programs_read_an_export() {
    let folder = scratch();
    let (file, _, _) = exported(folder.path());
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let status = std::process::Command::new("tar")
        .args(["--zstd", "--no-same-owner", "-xf"])
        .args([&file, Path::new("-C"), &out])
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(std::fs::read(out.join("files/file-0")).unwrap(), bytes("a", 0, 5));
    let mut sql = String::new();
    std::fs::File::open(out.join("database.sql")).unwrap().read_to_string(&mut sql).unwrap();
    let order = ["CREATE TABLE t", "Temporary table structure", "Final view structure", "CREATE EVENT e"];
    let found: Vec<_> = order.iter().map(|part| sql.find(part).unwrap()).collect();
    assert!(found.is_sorted(), "{sql}");
}
