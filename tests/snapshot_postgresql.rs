//! Snapshots of a real PostgreSQL that each test starts for itself, compared by a dump of the test's own.
//! Without a PostgreSQL server on the machine there is nothing to test against: then they say so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::model::SiteName;
use intendant::remote::{LocalShell, Process, RemoteError, Shell};
use intendant::snapshot::{
    CaptureRequest, Captured, DatabaseAccess, Engine, NoProgress, Only, Progress, RestoreRequest, Restored,
    SelectTables, SnapshotError, Source, Store, capture, export, import, prepare,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The password of the site's account, another in each test. It has what is awkward in such files.
fn password() -> String {
    format!("ge heim#'\"=\\x{}", std::process::id())
}

const SCHEMA: &str = include_str!("snapshot-postgresql.sql");

/// A server of our own; ends with the test.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once, and with all of its processes.
        let _ = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The server refuses to run as root.
fn unprivileged(command: &mut Command) -> &mut Command {
    match std::fs::metadata("/proc/self").unwrap().uid() {
        0 => command.uid(65534).gid(65534),
        _ => command,
    }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.map(|version| version.unwrap().path().join("bin")).filter(|bin| bin.join("postgres").is_file()).max()
}

impl Server {
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: there is no PostgreSQL server on this machine");
            return None;
        };
        let base = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
        let folder = tempfile::Builder::new().prefix("spg").tempdir_in(base).unwrap();
        let path = folder.path().to_owned();
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
        }
        std::fs::write(path.join("boss"), "bosspw\n").unwrap();
        std::fs::set_permissions(path.join("boss"), PermissionsExt::from_mode(0o644)).unwrap();
        let installed = unprivileged(&mut Command::new(programs.join("initdb")))
            .args(["--username=boss", "--auth=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8"])
            .arg(format!("--pwfile={}", path.join("boss").display()))
            .arg(format!("--pgdata={}", path.join("data").display()))
            .output()
            .unwrap();
        assert!(installed.status.success(), "{installed:?}");
        let child = unprivileged(&mut Command::new(programs.join("postgres")))
            .arg("-D")
            .arg(path.join("data"))
            .arg("-k")
            .arg(&path)
            .args(["-h", "", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "autovacuum=off", "-c", "jit=off"])
            .stderr(std::fs::File::create(path.join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { folder, child };
        for _ in 0..200 {
            if server.try_sql("boss", "postgres", "select 1").is_ok() {
                let password = password().replace('\'', "''");
                server.boss("postgres", &format!("create role shop login password '{password}'"));
                server.boss("postgres", "create database shop owner shop");
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not start: {}", std::fs::read_to_string(server.path("log")).unwrap_or_default());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, program: &str, user: &str, database: &str) -> Command {
        // Debian's own programs look for the version first, which takes longer than what is asked.
        let mut command = Command::new(programs().unwrap().join(program));
        let file = self.path("passwords");
        if !file.exists() {
            let password = password().replace('\\', "\\\\");
            std::fs::write(&file, format!("*:*:*:boss:bosspw\n*:*:*:shop:{password}\n")).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        }
        command.env("PGPASSFILE", file).env("LC_ALL", "C");
        command.args(["-w", "-U", user, "-d", database, "-h"]).arg(self.folder.path());
        command
    }

    fn try_sql(&self, user: &str, database: &str, sql: &str) -> Result<String, String> {
        let mut child = self
            .program("psql", user, database)
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A client that finds no server yet ends without reading: its status tells.
        let _ = child.stdin.take().unwrap().write_all(sql.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn boss(&self, database: &str, sql: &str) -> String {
        self.try_sql("boss", database, sql).unwrap()
    }

    fn sql(&self, sql: &str) -> String {
        self.try_sql("shop", "shop", sql).unwrap()
    }

    /// An independent dump: rows as statements, sorted within each table.
    fn picture(&self, database: &str) -> String {
        let output = self.program("pg_dump", "shop", database).arg("--column-inserts").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.contains("restrict ")).collect();
        for group in lines.chunk_by_mut(|a, b| a.starts_with("INSERT INTO ") && b.starts_with("INSERT INTO ")) {
            group.sort_unstable();
        }
        // Once read back, the server itself spells such lists otherwise.
        lines.join("\n").replace(
            "(ARRAY['new'::character varying, 'old'::character varying])::text[]",
            "ARRAY[('new'::character varying)::text, ('old'::character varying)::text]",
        )
    }

    fn source(&self) -> Source {
        let root = self.path("site");
        std::fs::create_dir_all(&root).unwrap();
        let service =
            format!("noise\n[client]\nhost={}\nuser=shop\npassword={}\n", self.folder.path().display(), password());
        std::fs::write(self.path("service"), service).unwrap();
        Source {
            shell: Arc::new(OtherPrograms(programs().unwrap().display().to_string())),
            site: SiteName::new("shop").unwrap(),
            root: root.display().to_string(),
            exclude: Vec::new(),
            database: Some(DatabaseAccess {
                engine: Engine::Postgresql,
                credentials: ["cat".to_owned(), self.path("service").display().to_string()].into(),
                name: "shop".into(),
                select: None,
                protect: None,
            }),
        }
    }

    /// The same, with other programs before the host's own.
    fn source_with(&self, program: &str, text: &str) -> Source {
        let folder = self.path("programs");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(program);
        std::fs::write(&file, format!("#!/bin/sh\nPATH=${{PATH#*:}}\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
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

/// This machine, with a folder of other programs.
struct OtherPrograms(String);

#[async_trait::async_trait]
impl Shell for OtherPrograms {
    fn host(&self) -> &str {
        LocalShell.host()
    }

    async fn start(&self, command: &intendant::remote::Command) -> Result<Process, RemoteError> {
        let mut command = command.clone();
        let path = format!("PATH={}:{}", self.0, std::env::var("PATH").unwrap());
        command.argv.splice(0..0, ["env".to_owned(), path]);
        LocalShell.start(&command).await
    }

    async fn close(&self) {}
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

fn differing(captured: &Captured) -> Vec<String> {
    captured.since_previous.as_ref().unwrap().changes.iter().map(|(item, _)| item.to_string()).collect()
}

#[tokio::test]
async fn everything_comes_back() {
    let Some(server) = Server::start() else {
        return;
    };
    server.sql(SCHEMA);
    let source = server.source();
    let before = server.picture("shop");
    let first = server.capture(&source).await.unwrap();
    assert!(server.capture(&source).await.unwrap().since_previous.unwrap().is_empty());
    // The order in which the server keeps rows is part of a dump; nothing else of an update that is taken back.
    server.sql("insert into base values (3, 'c'); update people set name = name || '?' where id = 1");

    // Rows alone: the definitions are not touched.
    server.sql(
        "update people set name = 'x' where id = 2; delete from refs; delete from parted where id > 5; insert into parted values (99, '2031-01-01', 'z');
         truncate kinds; insert into pets (owner, kind) values (2, 'dog'); update \"other one\".t set id = 5; refresh materialized view mv;
         insert into \"Odd \"\"name; Type: VIEW\" values ('y', 2); select nextval('sq'), nextval('sq'), setval('sq2', 77)",
    );
    let tables = "select string_agg(oid::text, ',' order by oid) from pg_class where relkind in ('r', 'p', 'i', 'v')";
    let oids = server.sql(tables);
    let restored = server.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(server.picture("shop"), before);
    assert_eq!(server.sql(tables), oids);
    assert_eq!(
        server.sql("select n from mv; select tgenabled from pg_trigger where tgname ~ '^t[12]$' order by tgname"),
        "5\nO\nD\n"
    );
    assert!(restored.left.is_empty(), "{}", restored.left);
    assert!(server.sql("insert into pets (owner, kind) values (1, 'trigger') returning kind").starts_with("trigger+"));
    assert!(server.try_sql("shop", "shop", "insert into pets (owner) values (12345)").is_err());

    // One table alone.
    server.sql("delete from refs; delete from base");
    let only = Only::Object("table:public.refs".parse().unwrap());
    server.restore(&source, &first, vec![only]).await.unwrap();
    assert_eq!(server.sql("select (select count(*) from refs), (select count(*) from only base)"), "3|0\n");

    // Definitions too: what is changed, what is gone, what was added.
    server.sql(
        "alter table people add more int, drop column full_name cascade; drop table refs, parted; drop function g(int); drop sequence sq;
         create table added (id serial primary key, m mood, p int references people); create schema added; create table added.t (id int);
         create type added.x as enum ('a'); create function added.f(added.x) returns int language sql return 1; create domain dom as added.x;
         create materialized view mv2 as select * from added; create extension pgcrypto; drop extension citext cascade;
         alter type mood add value 'great'; drop schema \"other one\" cascade; drop trigger t1 on pets; create view v3 as select 1;
         create operator ==== (leftarg=int, rightarg=int, function=int4eq); create aggregate agg2(int) (sfunc = int4pl, stype = int)",
    );
    let damaged = server.picture("shop");
    server.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(server.picture("shop"), before);
    // And that can be taken back as well.
    let second = server.capture(&source).await.unwrap();
    let states = server.store().list(&source.site).unwrap();
    let taken = states.iter().rev().nth(1).unwrap();
    let back = Captured { name: taken.name.clone(), ..second };
    server.restore(&source, &back, Vec::new()).await.unwrap();
    assert_eq!(server.picture("shop"), damaged);
    // Another version of the programs spells definitions otherwise: that is told, and is no failure.
    let other = "case $1 in --version) echo 'pg_dump (PostgreSQL) 99';; *) pg_dump \"$@\" | sed 's/^    id integer/    id  integer/';; esac";
    let respelled = server.restore(&server.source_with("pg_dump", other), &first, Vec::new()).await.unwrap();
    assert_eq!(server.picture("shop"), before);
    assert!(respelled.left.to_string().contains("(~ definitions:before (content))"), "{}", respelled.left);

    // An export is read by the plain client, and imported by another store.
    let file = server.path("export.tar.zst");
    export(&server.store(), &source.site, &first.name, &file, &quiet()).await.unwrap();
    server.boss("postgres", "create database copy owner shop");
    let unpacked = Command::new("tar").args(["--zstd", "-xf"]).arg(&file).arg("-C").arg(server.folder.path()).status();
    assert!(unpacked.unwrap().success());
    let sql = std::fs::read_to_string(server.path("database.sql")).unwrap();
    // A comment on what is not one's own is the one thing that an account may not read back.
    let sql: String =
        sql.lines().filter(|line| !line.starts_with("COMMENT ON EXTENSION")).flat_map(|line| [line, "\n"]).collect();
    server.try_sql("shop", "copy", &sql).unwrap();
    assert_eq!(server.picture("copy"), before);
    let other = Arc::new(Store::open(&server.path("other")).unwrap());
    assert_eq!(import(&other, &file, jiff::Timestamp::now(), &quiet()).await.unwrap().name, first.name);
}

#[tokio::test]
async fn a_restore_is_all_or_nothing() {
    let Some(server) = Server::start() else {
        return;
    };
    server.sql(SCHEMA);
    let source = server.source();
    let first = server.capture(&source).await.unwrap();
    let before = server.picture("shop");
    // The connection breaks off, before and within what is sent, and right before the last word.
    let early = "if [ -e \"$0.go\" ]; then head -c 3000 | psql \"$@\"; else psql \"$@\"; fi";
    let within = "if [ -e \"$0.go\" ]; then head -c 2000000 | psql \"$@\"; else psql \"$@\"; fi";
    let late = "if [ -e \"$0.go\" ]; then sed '/^COMMIT;$/,$d' | psql \"$@\"; else psql \"$@\"; fi";
    let killed =
        "if [ -e \"$0.go\" ]; then (head -c 3000; sleep 1) | timeout -s KILL 0.5 psql \"$@\"; else psql \"$@\"; fi";
    for (change, programs) in [
        ("update people set name = 'later'; truncate kinds; select setval('sq', 510)", vec![within, late]),
        (
            "alter table people add more int; update people set name = 'later'; drop view v2; select setval('sq', 510)",
            vec![early, late, killed],
        ),
    ] {
        server.sql(change);
        let changed = server.picture("shop");
        for program in programs {
            let broken = server.source_with("psql", program);
            let request = RestoreRequest {
                now: jiff::Timestamp::now(),
                target: first.name.clone(),
                only: Vec::new(),
                last: Vec::new(),
                rows: None,
            };
            let prepared = prepare(&broken, &server.store(), request, &quiet()).await.unwrap();
            std::fs::write(server.path("programs/psql.go"), "").unwrap();
            let failed = prepared.apply(&quiet()).await.map(|_| ()).unwrap_err();
            assert_eq!(server.picture("shop"), changed, "{program}: {failed}");
        }
        server.restore(&source, &first, Vec::new()).await.unwrap();
        assert_eq!(server.picture("shop"), before);
    }
}

#[tokio::test]
async fn failures_say_what_to_do_and_secrets_stay() {
    let Some(server) = Server::start() else {
        return;
    };
    server.sql("create table t (id int primary key, v text); insert into t select i, repeat('x', 3000) from generate_series(1, 3000) i");
    let source = Source { shell: Arc::new(LocalShell), ..server.source() };
    let done = Arc::new(AtomicBool::new(false));
    let watching = {
        let done = done.clone();
        std::thread::spawn(move || watch(&done))
    };
    let first = server.capture(&source).await.unwrap();
    server.sql("delete from t where id < 9");
    server.restore(&source, &first, Vec::new()).await.unwrap();
    done.store(true, Ordering::Relaxed);
    let (looks, found) = watching.join().unwrap();
    assert!(looks > 50 && found.is_empty(), "{looks} looks: {found:?}");

    let count = server.store().list(&source.site).unwrap().len();
    let fails = async |source: &Source, texts: &[&str]| {
        let error = server.capture(source).await.unwrap_err().to_string();
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
        assert_eq!(server.store().list(&source.site).unwrap().len(), count);
    };
    for (program, texts) in [
        ("case $1 in --version) pg_dump \"$@\";; *) pg_dump \"$@\" | head -c 100000;; esac", "ended early"),
        ("pg_dump \"$@\"; case $1 in --version) ;; *) exit 3;; esac", "status 3"),
        ("pg_dump \"$@\"; case $1 in --version) ;; *) echo 'pg_dump: error: out of luck' >&2;; esac", "out of luck"),
        (
            "case $1 in --version) pg_dump \"$@\";; *) pg_dump \"$@\" | sed 's/^CREATE TABLE/\\\\! id\\nCREATE TABLE/';; esac",
            "backslash",
        ),
        ("case $1 in --version) pg_dump \"$@\";; *) yes 'CREATE TABLE x ()' | head -c 100000000;; esac", "not known"),
    ] {
        fails(&server.source_with("pg_dump", program), &["dumping database \"shop\"", texts]).await;
    }
    let wrong = |access: DatabaseAccess| Source { database: Some(access), ..source.clone() };
    let access = source.database.clone().unwrap();
    let no_service = ["printf", "no service"].map(String::from).into();
    fails(&wrong(DatabaseAccess { credentials: no_service, ..access.clone() }), &["credentials failed"]).await;
    fails(&wrong(DatabaseAccess { name: "nowhere".into(), ..access.clone() }), &["\"nowhere\" does not exist"]).await;
    let select: SelectTables =
        Arc::new(|all: &[String]| all.iter().filter(|name| name.starts_with("site_")).cloned().collect());
    fails(
        &wrong(DatabaseAccess { select: Some(select), ..access.clone() }),
        &["the table t and 0 more", "database of its own"],
    )
    .await;
    server.sql("create table \"a\nb\" (id int)");
    fails(&source, &["rename the table"]).await;
    server.sql("drop table \"a\nb\"; do $$ begin perform lo_create(0); end $$");
    fails(&source, &["1 large objects", "bytea"]).await;
    // A restore is not stopped by what came meanwhile, and leaves it alone.
    server.sql("delete from t where id < 9");
    let restored = server.restore(&source, &first, Vec::new()).await.unwrap();
    let looked = server.store().load(&source.site, &restored.before).unwrap();
    assert!(looked.header.database.unwrap().skipped[0].contains("large objects: 1 "));
    assert_eq!(
        server.sql("select count(*) from t; select count(*) from pg_largeobject_metadata; select lo_unlink(oid) from pg_largeobject_metadata"),
        "3000\n1\n1\n"
    );

    // What nothing drops is not made twice.
    server.boss("shop", "create foreign data wrapper w; grant usage on foreign data wrapper w to shop");
    server.sql("create server far foreign data wrapper w; create user mapping for shop server far; create foreign table f (id int) server far");
    let far = server.capture(&source).await.unwrap();
    let before = server.picture("shop");
    server.sql("drop foreign table f; alter table t add column extra int");
    server.restore(&source, &far, Vec::new()).await.unwrap();
    assert_eq!(server.picture("shop"), before);

    // Another sort of database takes nothing of it.
    let mysql = wrong(DatabaseAccess { engine: Engine::Mysql, ..access });
    let refused = server.restore(&mysql, &first, Vec::new()).await.unwrap_err().to_string();
    assert!(refused.contains("of the sort postgresql, and the site now has one of the sort mysql"), "{refused}");
    // What is not the account's own can't be replaced, and then nothing is.
    server.boss("shop", "create schema theirs; create table theirs.t (id int); grant usage on schema theirs to shop; grant select on theirs.t to shop");
    let refused = server.restore(&source, &first, Vec::new()).await.unwrap_err().to_string();
    assert!(refused.contains("must be owner of table t") && refused.contains("lacks a privilege"), "{refused}");
    assert_eq!(server.sql("select count(*) from t"), "3000\n");
}

/// Looks at all processes until it is told to end; returns where the password was seen.
fn watch(done: &AtomicBool) -> (u32, Vec<String>) {
    let (mut looks, mut found) = (0, Vec::new());
    let (me, password) = (std::process::id().to_string(), password());
    while !done.load(Ordering::Relaxed) {
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let name = process.file_name().to_string_lossy().into_owned();
            if name == me || !name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            for part in ["cmdline", "environ"] {
                let bytes = std::fs::read(process.path().join(part)).unwrap_or_default();
                if bytes.windows(password.len()).any(|window| window == password.as_bytes()) {
                    found.push(format!(
                        "{part} of {}",
                        std::fs::read_to_string(process.path().join("comm")).unwrap_or_default()
                    ));
                }
            }
        }
        looks += 1;
    }
    (looks, found)
}

/// What sites do to their databases.
const CHANGES: [&str; 16] = [
    "insert into people (name) values ('new')",
    "update people set state = 'old'",
    "delete from people where id not in (select boss from people where boss is not null)",
    "update pets set kind = null",
    "delete from kinds",
    "update kinds set m = 'happy', n = 0.1, b = '\\x5c2e0a'",
    "insert into parted select i, date '2020-01-01' + i, E'\\\\.' from generate_series(100, 130) i",
    "delete from parted where id between 10 and 20",
    "alter table base add column if not exists extra text default 'x'",
    "create table if not exists fresh (id int primary key, v varchar(9) check (v in ('a', 'b')))",
    "drop view if exists v2",
    "create or replace view v2 as select 1 as id",
    "select nextval('sq2')",
    "drop index if exists e",
    "alter table pets disable trigger all",
    "grant insert on people to public",
];

#[tokio::test]
async fn whatever_was_changed_comes_back() {
    let Some(server) = Server::start() else {
        return;
    };
    server.sql(SCHEMA);
    let source = server.source();
    let first = server.capture(&source).await.unwrap();
    let before = server.picture("shop");
    let mut runner = TestRunner::deterministic();
    let changes = proptest::collection::vec(0..CHANGES.len(), 1..5);
    for _ in 0..3 {
        let chosen = changes.new_tree(&mut runner).unwrap().current();
        for change in &chosen {
            // One may make the next impossible.
            let _ = server.try_sql("shop", "shop", CHANGES[*change]);
        }
        server.restore(&source, &first, Vec::new()).await.unwrap_or_else(|error| panic!("{chosen:?}: {error}"));
        assert_eq!(server.picture("shop"), before, "{chosen:?}");
    }
    // Rows that are as they were are no difference, whatever happened to others meanwhile.
    server.sql("update \"other one\".t set id = 2");
    assert_eq!(
        differing(&server.capture(&source).await.unwrap()).iter().filter(|item| item.contains("other one")).count(),
        1
    );
}
