//! Snapshots of real SQLite files, with the real programs, while others read and write them.
//! Without `sqlite3` on the machine there is nothing to test with: then they say so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::model::SiteName;
use intendant::remote::{LocalShell, Process, RemoteError, Shell};
use intendant::snapshot::{
    CaptureRequest, Captured, DatabaseAccess, Engine, NoProgress, Only, Progress, RestoreRequest, Restored,
    SnapshotError, Source, Store, capture, export, import, prepare,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// All sorts of tables and what else a file holds.
const SCHEMA: &str = "PRAGMA page_size=1024; PRAGMA application_id=4711; PRAGMA user_version=7;
    CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, body BLOB, n REAL, up TEXT AS (upper(title)) STORED);
    CREATE TABLE tags (k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE loose (a, b);
    CREATE TABLE refs (post INTEGER REFERENCES posts(id) ON DELETE CASCADE, tag TEXT REFERENCES tags(k));
    CREATE INDEX by_title ON posts (title) WHERE n > 1; CREATE VIEW titles AS SELECT title FROM posts;
    CREATE TRIGGER t AFTER INSERT ON posts BEGIN INSERT OR IGNORE INTO tags VALUES (new.title, 1); END;
    CREATE VIRTUAL TABLE search USING fts5(title, body); CREATE TABLE \"odd \"\"name; --\" (\"a b\" TEXT);
    INSERT INTO posts (title, body, n) VALUES ('a', x'00ff0a', 1.5), ('é🎉', zeroblob(70000), 9e99), ('it''s', NULL, -0.0);
    INSERT INTO loose (rowid, a, b) VALUES (5, 1, 'x'), (900, NULL, x''), (-3, 'y', 2); DELETE FROM posts WHERE id = 3;
    INSERT INTO search VALUES ('hello', 'world'), ('foo', 'bar'); INSERT INTO refs VALUES (1, 'a'); INSERT INTO \"odd \"\"name; --\" VALUES ('z');
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000) INSERT INTO tags SELECT 'k' || i, hex(zeroblob(i % 90)) FROM c;";

struct Place {
    folder: tempfile::TempDir,
    mode: &'static str,
}

impl Place {
    /// A site with a file of this journal mode.
    fn new(mode: &'static str) -> Option<Self> {
        if Command::new("sqlite3").arg("--version").output().is_err() {
            eprintln!("skipped: there is no sqlite3 on this machine");
            return None;
        }
        let place = Self { folder: tempfile::tempdir().unwrap(), mode };
        std::fs::create_dir_all(place.path("site/[data]")).unwrap();
        std::fs::write(place.path("site/index.html"), "x").unwrap();
        place.sql(&format!("{SCHEMA} PRAGMA journal_mode={mode};"));
        std::fs::set_permissions(place.file(), PermissionsExt::from_mode(0o640)).unwrap();
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("site/[data]/app's *.db")
    }

    fn try_sql(&self, file: &PathBuf, sql: &str) -> Result<String, String> {
        let output = Command::new("sqlite3")
            .args(["-batch", "-bail", "-cmd", ".timeout 20000"])
            .arg(file)
            .arg(sql)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn sql(&self, sql: &str) -> String {
        self.try_sql(&self.file(), sql).unwrap()
    }

    /// All that SQLite itself says of a file.
    fn picture_of(&self, file: &PathBuf) -> String {
        let dump = Command::new("sqlite3").arg(file).arg(".dump").output().unwrap();
        let pragmas = self.try_sql(
            file,
            "PRAGMA user_version; PRAGMA application_id; PRAGMA page_size; PRAGMA encoding; PRAGMA integrity_check;
             SELECT * FROM sqlite_sequence; SELECT rowid, * FROM loose; SELECT rowid, * FROM search WHERE search MATCH 'hello OR foo';",
        );
        pragmas.unwrap() + &String::from_utf8(dump.stdout).unwrap()
    }

    fn picture(&self) -> String {
        self.picture_of(&self.file())
    }

    fn source(&self) -> Source {
        let root = self.path("site").display().to_string();
        let access = DatabaseAccess {
            engine: Engine::Sqlite,
            credentials: Vec::new(),
            name: self.file().display().to_string(),
            select: None,
            protect: None,
        };
        let exclude = access.files_below(&root);
        Source {
            shell: Arc::new(LocalShell),
            site: SiteName::new("wiki").unwrap(),
            root,
            exclude,
            database: Some(access),
        }
    }

    /// The same, on a host whose programs are these, and all others but `sqlite3`.
    fn source_with(&self, programs: &[(&str, &str)]) -> Source {
        let folder = self.path("programs");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for program in std::fs::read_dir("/usr/bin").unwrap().flatten() {
            if program.file_name() != "sqlite3" {
                symlink(program.path(), folder.join(program.file_name())).unwrap();
            }
        }
        for (name, text) in programs {
            let file = folder.join(name);
            let _ = std::fs::remove_file(&file);
            std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Source { shell: Arc::new(OtherPrograms(folder.display().to_string())), ..self.source() }
    }

    fn store(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.path("store")).unwrap())
    }

    async fn capture(&self, source: &Source) -> Result<Captured, SnapshotError> {
        let request = CaptureRequest { now: jiff::Timestamp::now(), tolerate_unreadable: false };
        capture(source, &self.store(), &request, &quiet()).await
    }

    async fn restore(&self, source: &Source, to: &Captured, only: Vec<Only>) -> Result<Restored, SnapshotError> {
        let request =
            RestoreRequest { now: jiff::Timestamp::now(), target: to.name.clone(), only, last: Vec::new(), rows: None };
        prepare(source, &self.store(), request, &quiet()).await?.apply(&quiet()).await
    }
}

/// This machine, with these programs alone.
struct OtherPrograms(String);

#[async_trait::async_trait]
impl Shell for OtherPrograms {
    fn host(&self) -> &str {
        LocalShell.host()
    }

    async fn start(&self, command: &intendant::remote::Command) -> Result<Process, RemoteError> {
        let mut command = command.clone();
        command.argv.splice(0..0, ["env".to_owned(), format!("PATH={}", self.0)]);
        LocalShell.start(&command).await
    }

    async fn close(&self) {}
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

fn differing(captured: &Captured) -> Vec<String> {
    captured.since_previous.as_ref().unwrap().substance().changes.iter().map(|(item, _)| item.to_string()).collect()
}

#[tokio::test]
async fn a_file_comes_back_exactly() {
    for mode in ["wal", "delete"] {
        let Some(place) = Place::new(mode) else { return };
        let source = place.source();
        let before = place.picture();
        std::thread::sleep(Duration::from_millis(3100));
        let first = place.capture(&source).await.unwrap();
        let names: Vec<String> = first.manifest.entries.keys().map(ToString::to_string).collect();
        assert_eq!(names[..3], [".", "[data]", "index.html"], "{names:?}");
        assert!(
            names.contains(&"database-file:main".to_owned()) && names.contains(&"table:odd \"name; --".to_owned()),
            "{names:?}"
        );
        // Nothing changed, nothing is copied.
        let again = place.capture(&source).await.unwrap();
        assert_eq!((again.stats.sql_bytes, differing(&again).is_empty()), (0, true), "{mode}");

        // What changed is told table by table, and only its surroundings are stored anew.
        place.sql("UPDATE loose SET b = 'changed' WHERE rowid = 5");
        let second = place.capture(&source).await.unwrap();
        assert_eq!(differing(&second), ["table:loose", "database-file:main"]);
        place.sql(
            "DELETE FROM posts; DROP TABLE refs; DROP VIEW titles; CREATE TABLE added (a); PRAGMA user_version=8; INSERT INTO search VALUES ('n', 'm');
             UPDATE tags SET v = hex(zeroblob(400)); DROP TRIGGER t; INSERT INTO loose VALUES (1, 2)",
        );
        let owner = std::fs::metadata(place.file()).unwrap();
        let refused = place.restore(&source, &first, vec![Only::Object("table:loose".parse().unwrap())]).await;
        assert!(refused.unwrap_err().to_string().contains("only put back whole"));
        let restored = place.restore(&source, &first, Vec::new()).await.unwrap();
        assert_eq!(place.picture(), before, "{mode}");
        assert!(restored.left.is_empty(), "{}", restored.left);
        let now = std::fs::metadata(place.file()).unwrap();
        assert_eq!((now.ino(), now.mode(), now.uid()), (owner.ino(), owner.mode(), owner.uid()));
        assert_eq!(place.sql("PRAGMA journal_mode").trim(), place.mode);

        // A file that is gone is made again.
        std::fs::remove_file(place.file()).unwrap();
        let restored = place.restore(&source, &first, Vec::new()).await.unwrap();
        assert_eq!(place.picture(), before, "{mode}");
        // It is as its folder is, which need not be what it was.
        let folder = std::fs::metadata(place.path("site/[data]")).unwrap();
        let now = std::fs::metadata(place.file()).unwrap();
        assert_eq!((now.mode() & 0o777, now.gid()), (folder.mode() & 0o664, folder.gid()));
        assert!(restored.left.to_string().contains("database-file:main"), "{}", restored.left);

        let file = place.path("export.tar.zst");
        export(&place.store(), &source.site, &first.name, &file, &quiet()).await.unwrap();
        let unpacked =
            Command::new("tar").args(["--zstd", "-xf"]).arg(&file).arg("-C").arg(place.folder.path()).status();
        assert!(unpacked.unwrap().success());
        assert_eq!(place.picture_of(&place.path("database.sqlite3")), before);
        let other = Arc::new(Store::open(&place.path("other")).unwrap());
        assert_eq!(import(&other, &file, jiff::Timestamp::now(), &quiet()).await.unwrap().name, first.name);
    }
}

/// A process that works with the file until it is dropped.
struct Busy(Child);

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn others_go_on_reading_and_writing() {
    for mode in ["wal", "delete"] {
        let Some(place) = Place::new(mode) else { return };
        let source = place.source();
        place.sql("CREATE TABLE pairs (a INTEGER, b INTEGER, pad); INSERT INTO pairs SELECT 0, 0, hex(zeroblob(300)) FROM tags");
        let first = place.capture(&source).await.unwrap();
        let work = |program: &str| {
            let child = Command::new("python3")
                .args(["-c", program])
                .arg(place.file())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn();
            Busy(child.unwrap())
        };
        {
            // Whoever writes changes both columns of all rows at once.
            let _writer = work(
                "import sqlite3, sys\nd = sqlite3.connect(sys.argv[1], 60)\nwhile True:\n d.execute('UPDATE pairs SET a = a + 1, b = b + 1'); d.commit()",
            );
            std::thread::sleep(Duration::from_millis(300));
            for _ in 0..3 {
                let taken = place.capture(&source).await.unwrap();
                let file = place.path("torn.tar.zst");
                export(&place.store(), &source.site, &taken.name, &file, &quiet()).await.unwrap();
                let unpacked =
                    Command::new("tar").args(["--zstd", "-xf"]).arg(&file).arg("-C").arg(place.folder.path()).status();
                assert!(unpacked.unwrap().success());
                let copy = place.path("database.sqlite3");
                let states = place
                    .try_sql(&copy, "PRAGMA integrity_check; SELECT count(DISTINCT a), min(a) = max(b) FROM pairs")
                    .unwrap();
                assert_eq!(states, "ok\n1|1\n", "{mode}");
            }
        }
        place.sql("UPDATE pairs SET a = 7, b = 7");
        // Whoever reads meanwhile sees one state or the other.
        let mut reader = work(
            "import sqlite3, sys, time\nd = sqlite3.connect(sys.argv[1], 60)\nseen, end = set(), time.time() + 20\nwhile time.time() < end:\n \
             row = d.execute('SELECT count(DISTINCT a), min(a), max(b), count(*) FROM pairs').fetchone(); seen.add(row)\n if row[1] == 0: break\nprint(sorted(seen))",
        );
        std::thread::sleep(Duration::from_millis(300));
        place.restore(&source, &first, Vec::new()).await.unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(reader.0.stdout.as_mut().unwrap(), &mut said).unwrap();
        let rows = place.sql("SELECT count(*) FROM pairs");
        assert_eq!(said.trim(), format!("[(1, 0, 0, {0}), (1, 7, 7, {0})]", rows.trim()), "{mode}");
    }
}

#[tokio::test]
async fn failures_change_nothing_and_say_what_to_do() {
    let Some(place) = Place::new("delete") else { return };
    let source = place.source();
    let before = place.picture();
    let first = place.capture(&source).await.unwrap();
    place.sql("DELETE FROM posts; UPDATE tags SET v = 'changed' || v");
    let changed = place.picture();

    // Python does the same, to the byte.
    let python = place.source_with(&[]);
    let second = place.capture(&python).await.unwrap();
    assert!(differing(&place.capture(&source).await.unwrap()).is_empty());
    assert!(second.manifest.header.database.as_ref().unwrap().dumped_by.starts_with("python3 "));
    place.restore(&python, &first, Vec::new()).await.unwrap();
    assert_eq!(place.picture(), before);
    place.restore(&source, &second, Vec::new()).await.unwrap();
    assert_eq!(place.picture(), changed);

    // What is sent is cut off, or what writes is killed.
    let lite = "/usr/bin/sqlite3";
    let killed = format!(
        "case \"$*\" in *.restore*) (timeout -s KILL 0.01 {lite} \"$@\"); exit 137;; *) exec {lite} \"$@\";; esac"
    );
    let cut = "case $# in 0) head -c 100000;; *) exec /usr/bin/cat \"$@\";; esac";
    let plain = format!("exec {lite} \"$@\"");
    for (programs, text) in
        [(vec![("sqlite3", killed.as_str())], "status 1"), (vec![("sqlite3", plain.as_str()), ("cat", cut)], "cut off")]
    {
        let broken = place.source_with(&programs);
        let error = place.restore(&broken, &first, Vec::new()).await.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert_eq!(place.picture(), changed);
    }
    let fails = async |source: &Source, text: &str| {
        let error = place.capture(source).await.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    fails(&place.source_with(&[("python3", "exit 1")]), "neither sqlite3 nor a python3").await;
    place.sql("INSERT INTO loose VALUES (1, 1)");
    let early = "case $# in 1) head -c 50000 \"$1\";; *) exec /usr/bin/cat \"$@\";; esac";
    fails(&place.source_with(&[("sqlite3", plain.as_str()), ("cat", early)]), "cut off").await;

    // A damaged file is no snapshot, and a good one is put back over it.
    let mut bytes = std::fs::read(place.file()).unwrap();
    let at = bytes.len() / 2 / 1024 * 1024;
    bytes[at..at + 600].fill(0x5a);
    std::fs::write(place.file(), &bytes).unwrap();
    fails(&source, "the database is damaged").await;
    // What is no fault of the file stops the restore.
    let full = format!(
        "case \"$*\" in *.backup*) echo 'Error: database or disk is full' >&2; exit 1;; *) exec {lite} \"$@\";; esac"
    );
    let refused = place.restore(&place.source_with(&[("sqlite3", full.as_str())]), &first, Vec::new()).await;
    assert!(refused.unwrap_err().to_string().contains("disk is full"));
    assert_eq!(std::fs::read(place.file()).unwrap(), bytes);
    let restored = place.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(place.picture(), before);
    let file = place.path("damaged.tar.zst");
    export(&place.store(), &source.site, &restored.before, &file, &quiet()).await.unwrap();
    let unpacked = Command::new("tar").args(["--zstd", "-xf"]).arg(&file).arg("-C").arg(place.folder.path()).status();
    assert!(unpacked.unwrap().success());
    assert_eq!(std::fs::read(place.path("database.sqlite3")).unwrap(), bytes);
    std::fs::remove_file(place.file()).unwrap();
    fails(&source, "there is no such file").await;
}

/// Runs Python with the place's file.
fn python(place: &Place, program: &str) -> Busy {
    let child = Command::new("python3").args(["-c", program]).arg(place.file()).stdout(Stdio::piped()).spawn();
    Busy(child.unwrap())
}

#[tokio::test]
async fn collations_of_the_sites_program_are_no_damage() {
    let Some(place) = Place::new("delete") else { return };
    let made = "import sqlite3, sys\nd = sqlite3.connect(sys.argv[1])\nd.create_collation('NOCASE_UTF8', lambda a, b: (a > b) - (a < b))\n\
        d.executescript('CREATE TABLE own (a TEXT COLLATE NOCASE_UTF8 PRIMARY KEY, b); INSERT INTO own VALUES (\"a\", 1), (\"B\", 2)')";
    assert!(python(&place, made).0.wait().unwrap().success());
    let (lite, other) = (place.source(), place.source_with(&[]));
    let first = place.capture(&lite).await.unwrap();
    assert!(differing(&place.capture(&other).await.unwrap()).is_empty());
    let looked = "SELECT b FROM own; SELECT count(*) FROM tags";
    let before = place.sql(looked);
    for source in [&lite, &other] {
        place.sql("DELETE FROM tags WHERE k LIKE 'k1%'");
        place.restore(source, &first, Vec::new()).await.unwrap();
        assert_eq!(place.sql(looked), before);
    }
    // What can be checked is.
    let mut bytes = std::fs::read(place.file()).unwrap();
    let at = bytes.len() / 2 / 1024 * 1024;
    bytes[at..at + 600].fill(0x5a);
    std::fs::write(place.file(), &bytes).unwrap();
    for source in [&lite, &other] {
        let error = place.capture(source).await.unwrap_err().to_string();
        assert!(error.contains("the database is damaged"), "{error}");
    }
    // A program that says nothing has not said that all is well.
    let mute = "case \"$*\" in *integrity_check*) ;; *) exec /usr/bin/sqlite3 \"$@\";; esac";
    let error = place.capture(&place.source_with(&[("sqlite3", mute)])).await.unwrap_err().to_string();
    assert!(error.contains("said nothing"), "{error}");
}

#[tokio::test]
async fn a_file_that_stays_locked_is_given_up() {
    let Some(place) = Place::new("delete") else { return };
    let locks = "import sqlite3, sys, time\nd = sqlite3.connect(sys.argv[1], isolation_level=None)\nd.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\ntime.sleep(100)";
    let mut busy = python(&place, locks);
    std::io::Read::read_exact(busy.0.stdout.as_mut().unwrap(), &mut [0; 6]).unwrap();
    // The same with a second for each minute.
    let hurries = "exec /usr/bin/python3 -c \"$(printf '%s\\n' \"$2\" | sed 's/\\b60\\b/1/g')\" \"$3\" \"$4\"";
    let source = place.source_with(&[("python3", hurries)]);
    let captured = tokio::time::timeout(Duration::from_secs(40), place.capture(&source)).await;
    let error = captured.expect("it ends").unwrap_err().to_string();
    assert!(error.contains("locked") && error.contains("let it end"), "{error}");
}

#[tokio::test]
async fn a_live_file_is_never_written_as_a_file() {
    let Some(place) = Place::new("delete") else { return };
    let source = place.source();
    // Before the plan knew of the database.
    let files = Source { database: None, exclude: Vec::new(), ..source.clone() };
    let first = place.capture(&files).await.unwrap();
    place.sql("DELETE FROM posts; CREATE TABLE since (a)");
    std::fs::write(place.path("site/index.html"), "changed").unwrap();
    let now = place.picture();
    let restored = place.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!((place.picture(), std::fs::read(place.path("site/index.html")).unwrap()), (now, b"x".to_vec()));
    assert!(restored.left.to_string().contains("app's *.db"), "{}", restored.left);

    // The site has another file now, in a folder that was not there.
    std::fs::create_dir(place.path("site/new")).unwrap();
    let live = place.path("site/new/live.db");
    place.try_sql(&live, "CREATE TABLE kept (a); INSERT INTO kept VALUES (5)").unwrap();
    let access = DatabaseAccess { name: live.display().to_string(), ..source.database.clone().unwrap() };
    let moved = Source { database: Some(access), ..source };
    place.restore(&moved, &first, Vec::new()).await.unwrap();
    assert_eq!(place.try_sql(&live, "SELECT a FROM kept").unwrap(), "5\n");
}

/// What sites do to their databases.
const CHANGES: [&str; 9] = [
    "INSERT INTO posts (title) VALUES ('new')",
    "DELETE FROM tags WHERE k LIKE 'k1%'",
    "UPDATE tags SET v = k",
    "DROP TABLE refs",
    "CREATE TABLE fresh (a UNIQUE, b)",
    "VACUUM",
    "ALTER TABLE loose ADD COLUMN c DEFAULT 5",
    "INSERT INTO search SELECT k, v FROM tags LIMIT 500",
    "PRAGMA user_version=99",
];

#[tokio::test]
async fn whatever_was_changed_comes_back() {
    let Some(place) = Place::new("wal") else { return };
    let source = place.source();
    let first = place.capture(&source).await.unwrap();
    let before = place.picture();
    let mut runner = TestRunner::deterministic();
    let changes = proptest::collection::vec(0..CHANGES.len(), 1..5);
    for _ in 0..6 {
        let chosen = changes.new_tree(&mut runner).unwrap().current();
        for change in &chosen {
            let _ = place.try_sql(&place.file(), CHANGES[*change]);
        }
        place.restore(&source, &first, Vec::new()).await.unwrap_or_else(|error| panic!("{chosen:?}: {error}"));
        assert_eq!(place.picture(), before, "{chosen:?}");
    }
}
