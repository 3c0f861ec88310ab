//! Snapshots of real trees on this machine, compared by other programs than ours.

#[path = "snapshots/alone.rs"]
mod alone;
#[path = "snapshots/attributes.rs"]
mod attributes;
#[path = "snapshots/buckets.rs"]
mod buckets;
#[path = "snapshots/busybox.rs"]
mod busybox;
#[path = "snapshots/children.rs"]
mod children;
#[cfg(feature = "encryption")]
#[path = "snapshots/encrypted.rs"]
mod encrypted;
#[path = "snapshots/full.rs"]
mod full;
#[path = "snapshots/hostile.rs"]
mod hostile;
#[path = "snapshots/killed.rs"]
mod killed;
#[path = "snapshots/large.rs"]
mod large;
#[path = "snapshots/odd.rs"]
mod odd;
#[path = "snapshots/ordinary.rs"]
mod ordinary;
#[path = "snapshots/random.rs"]
mod random;
#[allow(dead_code, reason = "the store's own tests use all of it")]
#[path = "../src/snapshot/store/tests/service.rs"]
mod service;

use alone::only_busybox;
use intendant::model::SiteName;
use intendant::remote::LocalShell;
use intendant::snapshot::{
    Aspect, CaptureRequest, Captured, Change, Depth, Diff, ItemPath, NoProgress, Only, Progress, RestoreRequest,
    Restored, SnapshotError, Source, Store, capture, prepare, verify,
};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Where the tests themselves find programs, also in a process that has BusyBox only.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is left of a restore, without the parts of seconds that BusyBox can't set.
fn left(restored: &Restored) -> Diff {
    let part = |change: &Change| only_busybox() && *change == Change::Changed(vec![Aspect::Mtime]);
    Diff { changes: restored.left.changes.iter().filter(|(_, change)| !part(change)).cloned().collect() }
}

struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
    store: PathBuf,
}

impl Place {
    fn new() -> Self {
        let base = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
        let folder = tempfile::Builder::new().prefix("snap").tempdir_in(base).unwrap();
        let (root, store) = (folder.path().join("site"), folder.path().join("store"));
        std::fs::create_dir(&root).unwrap();
        Self { _folder: folder, root, store }
    }

    fn store(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.store).unwrap())
    }

    fn source(&self) -> Source {
        Source {
            shell: Arc::new(LocalShell),
            site: SiteName::new("here").unwrap(),
            root: self.root.to_str().unwrap().to_owned(),
            exclude: vec!["cache".into(), "*.skip".into()],
            database: None,
        }
    }

    fn path(&self, name: impl AsRef<[u8]>) -> PathBuf {
        self.root.join(OsStr::from_bytes(name.as_ref()))
    }

    fn write(&self, name: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    async fn capture(&self) -> Result<Captured, SnapshotError> {
        capture(&self.source(), &self.store(), &request(), &quiet()).await
    }

    async fn restore(&self, to: &Captured, only: Vec<Only>, last: &[&str]) -> Result<Restored, SnapshotError> {
        let request = RestoreRequest {
            now: now(),
            target: to.name.clone(),
            only,
            last: last.iter().map(|path| ItemPath::new(*path).unwrap()).collect(),
            rows: None,
        };
        let prepared = prepare(&self.source(), &self.store(), request, &quiet()).await?;
        prepared.apply(&quiet()).await
    }

    /// What other programs say of the tree: kinds, modes, owners, times, links, contents.
    fn picture(&self) -> String {
        let script = r#"find . -path ./cache -prune -o -path '*.skip' -prune -o -printf '%y %m %U %G %T@ %l %P\0' | sed -zE "$0" | sort -z
            find . -path ./cache -prune -o -path '*.skip' -prune -o -type f -print0 | sort -z | xargs -0 -r sha256sum -z"#;
        let times = if only_busybox() { r"s/^(([^ ]+ ){4}-?[0-9]+)\.[0-9]+/\1/" } else { "" };
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, times]).current_dir(&self.root).env("LC_ALL", "C").env("PATH", USUAL_PATH);
        let output = command.output().unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).replace('\0', "\n")
    }
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn request() -> CaptureRequest {
    CaptureRequest { now: now(), tolerate_unreadable: false }
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

fn sh(folder: &Path, script: &str) {
    let mut command = Command::new("/bin/bash");
    let status = command.args(["-ec", script]).current_dir(folder).env("PATH", USUAL_PATH).status().unwrap();
    assert!(status.success(), "{script}");
}

const ODD_TREE: &str = r#"
mkdir -p 'a b/c' empty deep/1/2/3/4/5 ro cache
printf one > 'a b/c/file with spaces'
printf two > $'a b/new\nline'
printf three > $'a b/\xff\xfe'
printf four > "$(printf 'n%.0s' $(seq 250))"
printf dash > ./-rf
printf quote > "it's \"q\" \$x"
head -c 10000000 /dev/zero > big
head -c 5000000 /dev/urandom > noise
: > nothing
ln -s /etc/passwd absolute
ln -s ../../../nowhere dangling
ln -s . 'a b/self'
ln -s "$(printf 'd/%.0s' $(seq 100))" long-link
ln nothing deep/hard
printf ro > ro/file; chmod 0444 ro/file; chmod 0555 ro
printf exec > run; chmod 0751 run
printf x > cache/x; printf y > y.skip
mkfifo pipe
mkdir sticky; chmod 3777 sticky
touch -d '2001-02-03 04:05:06.123456789' run 'a b/c'
touch -h -d '2003-01-01 00:00:00.5' dangling
touch -d '1969-12-31 23:59:58.25 UTC' big
long=deep; for i in 1 2 3 4 5 6 7 8; do long=$long/$(printf 'p%.0s' $(seq 120)); mkdir "$long"; done
printf far > "$long/file"
"#;

#[tokio::test]
async fn odd_trees_come_back_exactly() {
    let place = Place::new();
    sh(&place.root, ODD_TREE);
    let before = place.picture();
    let first = place.capture().await.unwrap();
    assert_eq!(place.picture(), before);
    assert!(first.stats.files_read > 10);
    assert!(place.store().load(&first.manifest.header.site, &first.name).unwrap() == *first.manifest);

    // Nothing changed: the same id, nothing new.
    let second = place.capture().await.unwrap();
    assert_eq!(second.manifest.id(), first.manifest.id());
    assert_eq!(second.stats.bytes_new, 0);
    assert!(second.since_previous.unwrap().is_empty());

    sh(
        &place.root,
        r#"
        chmod 0755 ro; printf changed > ro/file2; chmod 0600 ro/file; rm ro/file
        rm 'a b/c/file with spaces'; mkdir 'a b/c/file with spaces'; printf in > 'a b/c/file with spaces/in'
        rm -r empty; printf x > empty
        rm absolute; mkdir absolute; rm dangling; ln -s elsewhere dangling
        rm -r deep; ln -s /tmp deep
        printf more >> big; chmod 700 run; touch noise
        printf new > added; mkdir -p added-dir/x/y; printf z > added-dir/x/y/z; chmod 0500 added-dir/x/y
        printf left > cache/left; printf 1 > .maintenance; chmod 700 .
        "#,
    );
    let restored = place.restore(&first, Vec::new(), &[".maintenance"]).await.unwrap();
    assert_eq!(place.picture(), before);
    assert!(place.path("cache/left").exists(), "what is excluded is left alone");
    assert!(left(&restored).is_empty(), "{}", restored.left);
    assert!(restored.undone.to_string().contains("added"), "{}", restored.undone);

    // What was overwritten is kept.
    let store = place.store();
    let overwritten = store.load(&first.manifest.header.site, &restored.before).unwrap();
    assert!(overwritten.path(&ItemPath::new("added").unwrap()).is_some());
    assert!(verify(&store, None, Depth::EveryByte, &quiet()).await.unwrap().ok());
}

#[tokio::test]
async fn a_folder_that_was_added_stays_where_something_lies_in_it_that_is_left_out() {
    let place = Place::new();
    sh(&place.root, "mkdir a; printf 1 > a/x; touch -d '2001-02-03 04:05:06' a");
    let before = place.picture();
    let first = place.capture().await.unwrap();
    sh(
        &place.root,
        "mkdir -p a/logs/deep a/plain/deep; printf 2 > a/logs/deep/x.skip; printf 3 > a/logs/y; printf 4 > a/plain/z",
    );
    let restored = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(
        std::fs::read_to_string(place.path("a/logs/deep/x.skip")).unwrap(),
        "2",
        "what is left out is left alone"
    );
    assert!(!place.path("a/logs/y").exists() && !place.path("a/plain").exists(), "all else goes");
    assert_eq!(left(&restored).lines(10), ["- a/logs", "- a/logs/deep"], "and that is said");
    // Again, as after an interruption.
    let again = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(left(&again).lines(10), ["- a/logs", "- a/logs/deep"]);
    std::fs::remove_dir_all(place.path("a/logs")).unwrap();
    sh(&place.root, "touch -d '2001-02-03 04:05:06' a");
    assert_eq!(place.picture(), before);
}

#[tokio::test]
async fn a_part_can_be_restored_alone() {
    let place = Place::new();
    sh(&place.root, "mkdir -p a/b c; printf 1 > a/b/x; printf 2 > c/y");
    let first = place.capture().await.unwrap();
    sh(&place.root, "rm -r a; printf 3 > c/y; printf 4 > c/z");
    let only = vec![Only::Path(ItemPath::new("a/b").unwrap())];
    place.restore(&first, only, &[]).await.unwrap();
    assert_eq!(std::fs::read(place.path("a/b/x")).unwrap(), b"1");
    assert_eq!(std::fs::read(place.path("c/y")).unwrap(), b"3");
    assert!(place.path("c/z").exists());
}

#[tokio::test]
async fn a_link_is_never_written_through() {
    let place = Place::new();
    let outside = Place::new();
    outside.write("victim", "untouched");
    sh(&place.root, "mkdir d; printf mine > d/victim; printf f > f");
    let first = place.capture().await.unwrap();
    std::fs::remove_dir_all(place.path("d")).unwrap();
    symlink(&outside.root, place.path("d")).unwrap();
    std::fs::remove_file(place.path("f")).unwrap();
    std::fs::hard_link(outside.path("victim"), place.path("f")).unwrap();
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(std::fs::read(outside.path("victim")).unwrap(), b"untouched");
    assert_eq!(std::fs::read(place.path("d/victim")).unwrap(), b"mine");
    assert_eq!(std::fs::read(place.path("f")).unwrap(), b"f");
}

#[tokio::test]
async fn a_flipped_byte_is_found_and_named() {
    let place = Place::new();
    place.write("good", "good ".repeat(100_000));
    std::fs::create_dir(place.path("d")).unwrap();
    let first = place.capture().await.unwrap();
    let mut packs = std::fs::read_dir(place.store.join("packs")).unwrap().map(|entry| entry.unwrap().path());
    let pack = packs.find(|path| path.to_str().unwrap().ends_with(".tar.zst")).unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&pack, &bytes).unwrap();
    let verified = verify(&place.store(), None, Depth::EveryByte, &quiet()).await.unwrap();
    assert_eq!(verified.hurt.len(), 1);
    assert_eq!((&verified.hurt[0].name, &verified.hurt[0].items), (&first.name, &vec!["good".to_owned()]));
    place.write("good", "bad");
    let error = place.restore(&first, Vec::new(), &[]).await.unwrap_err().to_string();
    assert!(error.contains(first.name.as_str()) && error.contains("among them good;"), "{error}");
    assert!(error.contains("nothing was changed"), "{error}");
    assert_eq!(std::fs::read(place.path("good")).unwrap(), b"bad");
    // Nor is what the store has only with damage overwritten.
    let second = place.capture().await.unwrap();
    place.write("good", "good ".repeat(100_000));
    let error = place.restore(&second, Vec::new(), &[]).await.unwrap_err().to_string();
    assert!(error.contains("would overwrite") && error.contains("among them good;"), "{error}");
    assert_eq!(std::fs::read(place.path("good")).unwrap(), "good ".repeat(100_000).as_bytes());
    // A pack that has gone is seen without reading bytes.
    std::fs::remove_file(&pack).unwrap();
    let verified = verify(&place.store(), None, Depth::Metadata, &quiet()).await.unwrap();
    assert_eq!((verified.hurt.len(), verified.damaged.len()), (2, 1), "{verified:?}");
}

#[tokio::test]
async fn packs_open_with_tar_and_zstd() {
    let place = Place::new();
    place.write("hello", "hello");
    place.capture().await.unwrap();
    // Two members: the content, and the entries of the manifest, which say what it is.
    let script = r#"mkdir out; for pack in packs/*.tar.zst; do tar --zstd -xf "$pack" -C out; done
        entries=$(zstd -dc sites/here/*.manifest | sed -n 2p | sed 's/.*"blake3":"\([0-9a-f]*\)".*/\1/')
        content=$(sed -n 's/.*"path":"hello".*"blake3":"\([0-9a-f]*\)".*/\1/p' "out/$entries"); cat "out/$content"; ls out | wc -l"#;
    let output = Command::new("bash").args(["-ec", script]).current_dir(&place.store).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello2\n", "{output:?}");
}

#[tokio::test]
async fn a_change_in_a_large_file_costs_its_neighbourhood() {
    const LARGEST_CHUNK: u64 = 4 << 20;
    let place = Place::new();
    sh(&place.root, "head -c 40000000 /dev/urandom > log");
    let first = place.capture().await.unwrap();
    assert_eq!(first.stats.bytes_new, 40_000_000);
    sh(&place.root, "echo one line more >> log");
    let appended = place.capture().await.unwrap();
    assert!(appended.stats.bytes_new <= LARGEST_CHUNK, "{}", appended.stats.bytes_new);
    sh(&place.root, "{ head -c 20000001 log; echo in the middle; tail -c +20000002 log; } > new; mv new log");
    let inserted = place.capture().await.unwrap();
    assert!(inserted.stats.bytes_new <= 2 * LARGEST_CHUNK, "{}", inserted.stats.bytes_new);
    let now = place.picture();
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    place.restore(&inserted, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), now);
}

#[tokio::test]
async fn one_writer_per_site() {
    let place = Place::new();
    place.write("a", "a");
    place.capture().await.unwrap();
    let lock = std::fs::File::open(place.store.join("locks/sites/here")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(place.capture().await, Err(SnapshotError::Busy { .. })));
}

/// A shell whose `tar` is another.
struct Fake(PathBuf);

#[async_trait::async_trait]
impl intendant::remote::Shell for Fake {
    fn host(&self) -> &str {
        "fake"
    }
    async fn start(
        &self,
        command: &intendant::remote::Command,
    ) -> Result<intendant::remote::Process, intendant::remote::RemoteError> {
        let mut command = command.clone();
        let path = format!("PATH={}:{}", self.0.display(), std::env::var("PATH").unwrap());
        command.argv.splice(0..0, ["env".into(), path]);
        LocalShell.start(&command).await
    }
    async fn close(&self) {}
}

#[tokio::test]
async fn a_truncated_stream_is_no_snapshot() {
    let place = Place::new();
    place.write("a", "a".repeat(100_000));
    place.write("b", "b".repeat(100_000));
    let fake = Place::new();
    for (how, body) in [
        ("cut in the middle", "/usr/bin/tar \"$@\" | head -c 150000"),
        ("killed", "/usr/bin/tar \"$@\" | head -c 150000; kill -9 $$"),
        ("empty", "cat >/dev/null"),
    ] {
        let script = format!("#!/bin/sh\n[ \"$1\" != --version ] || exec /usr/bin/tar --version\n{body}\n");
        fake.write("tar", script);
        std::fs::set_permissions(fake.path("tar"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
        let result = capture(&source, &place.store(), &request(), &quiet()).await;
        assert!(result.is_err(), "{how}");
        assert!(place.store().list(&source.site).unwrap().is_empty(), "{how}");
    }
    assert_eq!(std::fs::read_dir(place.store.join("unfinished")).unwrap().count(), 0);
    place.capture().await.unwrap();
}

#[tokio::test]
async fn a_slow_line_gets_compressed_archives() {
    let place = Place::new();
    sh(&place.root, "for n in 1 2 3 4 5 6 7 8; do yes \"line $n\" | head -c 5000000 > $n; done");
    let before = place.picture();
    let fake = Place::new();
    let at = fake.root.display();
    for (name, body) in [
        ("tar", "[ \"$1\" = --version ] || sleep 1; exec /usr/bin/tar \"$@\"".to_owned()),
        ("zstd", format!("/usr/bin/zstd \"$@\" | {{ [ -e {at}/cut ] && head -c 1000 || cat; }}; echo >> {at}/used")),
    ] {
        fake.write(name, format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(fake.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
    fake.write("cut", "");
    assert!(capture(&source, &place.store(), &request(), &quiet()).await.is_err(), "a compressed archive was cut off");
    std::fs::remove_file(fake.path("cut")).unwrap();
    let first = capture(&source, &place.store(), &request(), &quiet()).await.unwrap();
    assert_eq!(std::fs::read(fake.path("used")).unwrap(), b"\n\n");
    assert_eq!(first.stats.files_read, 8);
    sh(&place.root, "rm *");
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);
}

#[tokio::test]
async fn a_restore_that_was_cut_off_is_repeated_to_the_same_end() {
    let place = Place::new();
    sh(&place.root, ODD_TREE);
    let before = place.picture();
    let first = place.capture().await.unwrap();
    sh(&place.root, "rm -r 'a b' deep; printf x >> big; printf x > noise; chmod 0777 ro; ln -sf /tmp absolute");
    let fake = Place::new();
    for bytes in [0, 700, 5_000, 3_000_000, 9_999_999] {
        let script = format!(
            "#!/bin/sh\n[ \"$1\" != --version ] || exec /usr/bin/tar --version\ncase \"$*\" in *-xpPf*) head -c {bytes} | /usr/bin/tar \"$@\"; kill -9 $$;; esac\nexec /usr/bin/tar \"$@\"\n"
        );
        fake.write("tar", script);
        std::fs::set_permissions(fake.path("tar"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
        let request =
            RestoreRequest { now: now(), target: first.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
        let prepared = prepare(&source, &place.store(), request, &quiet()).await.unwrap();
        assert!(prepared.apply(&quiet()).await.is_err(), "cut after {bytes}");
    }
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);
}
