//! Snapshots of a real MariaDB that each test starts for itself, compared by its own dump.
//! Without a MariaDB server on the machine there is nothing to test against: then they say so.

use intendant::model::{RunId, SiteName};
use intendant::remote::{LocalShell, Process, RemoteError, Shell};
use intendant::snapshot::{
    CaptureRequest, Captured, DatabaseAccess, Engine, NoProgress, Only, Progress, Proof, RehearseRequest,
    RestoreRequest, Restored, ScratchDatabase, SnapshotError, Source, Store, TableRule, capture, export, prepare,
    rehearse,
};
use proptest::test_runner::{Config, TestRunner};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

#[path = "snapshot_databases/visitors.rs"]
mod visitors;

/// A server of our own; ends with the test.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start() -> Option<Self> {
        if Command::new("mariadbd").arg("--version").output().is_err() {
            eprintln!("skipped: there is no mariadbd on this machine");
            return None;
        }
        let base = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
        let folder = tempfile::Builder::new().prefix("sdb").tempdir_in(base).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let installed = Command::new("mariadb-install-db")
            .args([
                "--no-defaults",
                "--user=root",
                "--skip-test-db",
                "--innodb-use-native-aio=0",
                "--auth-root-authentication-method=normal",
            ])
            .arg(format!("--datadir={}", at("data")))
            // A server that starts removes the temporary tables of others from a shared folder.
            .arg(format!("--tmpdir={}", folder.path().display()))
            .output()
            .unwrap();
        assert!(installed.status.success(), "{installed:?}");
        let child = Command::new("mariadbd")
            .args([
                "--no-defaults",
                "--user=root",
                "--skip-networking",
                "--innodb-use-native-aio=0",
                "--innodb-buffer-pool-size=32M",
                "--max-allowed-packet=256M",
            ])
            .arg(format!("--datadir={}", at("data")))
            // A server that starts removes the temporary tables of others from a shared folder.
            .arg(format!("--tmpdir={}", folder.path().display()))
            .arg(format!("--socket={}", at("s")))
            .arg(format!("--pid-file={}", at("pid")))
            .arg(format!("--log-error={}", at("log")))
            .spawn()
            .unwrap();
        let server = Self { folder, child };
        for _ in 0..200 {
            if server.client("", "select 1").is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not start: {}", std::fs::read_to_string(server.path("log")).unwrap_or_default());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn client(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut child = Command::new("mariadb")
            .args(["--no-defaults", "-uroot", "--comments", "--default-character-set=utf8mb4", "--batch"])
            .arg(format!("--socket={}", self.path("s").display()))
            .arg(database)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        use std::io::Write;
        // A client that finds no server yet ends without reading: its status tells.
        let _ = child.stdin.take().unwrap().write_all(sql.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn sql(&self, sql: &str) -> String {
        self.client("shop", sql).unwrap()
    }

    /// An independent dump, with options of its own.
    fn picture(&self) -> String {
        let output = Command::new("mariadb-dump")
            .args([
                "--no-defaults",
                "-uroot",
                "--routines",
                "--events",
                "--triggers",
                "--hex-blob",
                "--skip-dump-date",
                "--skip-extended-insert",
                "--order-by-primary",
                "--max-allowed-packet=1G",
            ])
            .arg(format!("--socket={}", self.path("s").display()))
            .arg("shop")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn source(&self, rule: Option<TableRule>) -> Source {
        let root = self.path("site");
        std::fs::create_dir_all(&root).unwrap();
        let options = format!("[client]\nuser=root\nsocket={}\n", self.path("s").display());
        Source {
            shell: Arc::new(LocalShell),
            site: SiteName::new("shop").unwrap(),
            root: root.display().to_string(),
            exclude: Vec::new(),
            database: Some(DatabaseAccess {
                engine: Engine::Mysql,
                credentials: ["printf", "%s", &options].map(String::from).into(),
                name: "shop".into(),
                select: rule.map(Into::into),
                protect: None,
            }),
        }
    }

    fn store(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.path("store")).unwrap())
    }

    async fn capture(&self, source: &Source) -> Result<Captured, SnapshotError> {
        capture(source, &self.store(), &now(), &quiet()).await
    }

    /// A capture that can lean on nothing that was captured before.
    async fn capture_anew(&self, source: &Source) -> Captured {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        capture(source, &Arc::new(Store::open(&folder.path().join("new")).unwrap()), &now(), &quiet()).await.unwrap()
    }

    async fn restore(&self, source: &Source, to: &Captured, only: Vec<Only>) -> Result<Restored, SnapshotError> {
        let request =
            RestoreRequest { now: jiff::Timestamp::now(), target: to.name.clone(), only, last: Vec::new(), rows: None };
        prepare(source, &self.store(), request, &quiet()).await?.apply(&quiet()).await
    }
}

fn now() -> CaptureRequest {
    CaptureRequest { now: jiff::Timestamp::now(), tolerate_unreadable: false }
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

const SCHEMA: &str = include_str!("snapshot-schema.sql");

#[tokio::test]
async fn every_kind_of_object_comes_back() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(SCHEMA);
    let source = server.source(None);
    let before = server.picture();
    let first = server.capture(&source).await.unwrap();
    let names: Vec<String> = first.manifest.objects().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names.len(), 11, "{names:?}");
    let again = server.capture(&source).await.unwrap();
    assert!(again.since_previous.unwrap().is_empty());

    server.sql(
        "insert into `a t`(t) values ('new'); drop table fk; drop view v1; create or replace view v2 as select 1 as one;
         create table added (id int); create view added_view as select * from added;
         drop procedure p1; drop function f2; drop event ev1; alter event ev2 disable; create function f9() returns int return 1;
         drop trigger tr; drop sequence sq; create table `v1` (id int);",
    );
    assert_ne!(server.picture(), before);
    let restored = server.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(server.picture(), before);
    assert!(restored.left.is_empty(), "{}", restored.left);

    // An export is imported by the plain client.
    let file = server.path("export.tar.zst");
    export(&server.store(), &source.site, &first.name, &file, &quiet()).await.unwrap();
    let script = "tar --zstd -xf export.tar.zst && mariadb --no-defaults -uroot -S s -e 'drop database shop; create database shop character set utf8mb4' && mariadb --no-defaults -uroot -S s --binary-mode --comments --default-character-set=utf8mb4 shop <database.sql".to_string();
    let output = Command::new("bash").args(["-ec", &script]).current_dir(server.folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.picture(), before);
}

#[tokio::test]
async fn only_what_differs_is_imported_and_other_software_is_left_alone() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table wp_options (id int primary key, v longblob); create table wp_posts (id int primary key);
         create table wp_users (id int); create table other_x (id int);
         insert into wp_options values (1, repeat('x', 9000000)), (2, unhex('00ff0d0a1a')); insert into other_x values (1);",
    );
    let rule = TableRule { prefix: "wp_".into(), installation: vec!["options".into()], ours: None };
    let source = server.source(Some(rule));
    let first = server.capture(&source).await.unwrap();
    assert_eq!(first.manifest.objects().count(), 3);
    assert_eq!(first.manifest.header.database.as_ref().unwrap().skipped.len(), 1);
    server.sql("insert into wp_posts values (7); insert into other_x values (2); create table wp_added (id int)");
    let restored = server.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(
        server.sql("select count(*) from wp_posts; select count(*) from other_x; show tables like 'wp_added'"),
        "count(*)\n0\ncount(*)\n2\n"
    );
    assert!(restored.bytes_sent < 10_000, "{}", restored.bytes_sent);
    server.sql("delete from wp_options; insert into wp_posts values (8)");
    let only = vec![Only::Object("table:wp_options".parse().unwrap())];
    server.restore(&source, &first, only).await.unwrap();
    let rows = server
        .sql("select length(v), md5(v) = md5(repeat('x', 9000000)), hex(right(v, 5)) from wp_options order by id");
    assert_eq!(rows.lines().skip(1).collect::<Vec<_>>(), ["9000000\t1\t7878787878", "5\t0\t00FF0D0A1A"]);
    assert_eq!(server.sql("select * from wp_posts"), "id\n8\n");
}

#[tokio::test]
async fn a_dump_that_is_not_complete_is_no_snapshot() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql("create table t (id int); create view dead as select * from t; create table t2 (id int)");
    server.sql("drop table t");
    let source = server.source(None);
    let error = server.capture(&source).await.unwrap_err().to_string();
    assert!(error.contains("dead"), "{error}");
    assert!(server.store().list(&source.site).unwrap().is_empty());
    server.sql("drop view dead");
    let mut wrong = source.clone();
    wrong.database.as_mut().unwrap().credentials = vec!["false".into()];
    let error = server.capture(&wrong).await.unwrap_err().to_string();
    assert!(error.contains("credentials"), "{error}");
    server.capture(&source).await.unwrap();
}

/// What may happen to a database: each alone and in any order, some fail after others.
const MUTATIONS: [&str; 20] = [
    "update `all types` set tx = concat(ifnull(tx, ''), 'x'), gs = default",
    "delete from `all types` where id > 1",
    "insert into `all types` (i, vc) values (3, 'ü')",
    "alter table `all types` drop column comp",
    "insert into `order` (w, at) values ('more', point(3,3))",
    "drop table `left`",
    "drop table `right`; create table `right` (x text)",
    "insert into mi (w) values ('c')",
    "insert into ar values (3, 'c')",
    "update nokey set b = 'z' where a = 2",
    "drop table `back``tick`; drop view `v ``odd`",
    "insert into empty_one values (1)",
    "delete from parts where id = 2",
    "select nextval(numbers)",
    "drop view z1; create table z1 (id int)",
    "drop view m2; drop view a3",
    "drop trigger first_of; create trigger third_of after delete on nokey for each row set @a = 1",
    "drop function twice; drop procedure `do it`; create procedure twice() select 1",
    "alter event nightly enable",
    "alter table parts add partition partitions 1; create table `more` (a int) engine=Aria",
];

#[test]
fn whatever_happens_to_a_database_is_undone() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(include_str!("snapshot-types.sql"));
    let source = server.source(None);
    let before = server.picture();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let first = runtime.block_on(server.capture(&source)).unwrap();
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    let picks = proptest::collection::vec(0..MUTATIONS.len(), 1..7);
    let ran = runner.run(&picks, |picks| {
        for pick in picks {
            let _ = server.client("shop", MUTATIONS[pick]);
        }
        let restored = runtime.block_on(server.restore(&source, &first, Vec::new())).unwrap();
        assert!(restored.left.is_empty(), "{}", restored.left);
        assert!(server.picture() == before, "the restored database differs");
        Ok(())
    });
    ran.unwrap();
}

#[tokio::test]
async fn a_large_value_comes_back() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table big (id int primary key, b longblob); insert into big values (1, repeat('xyz\\0', 16777216))",
    );
    let source = server.source(None);
    let first = server.capture(&source).await.unwrap();
    server.sql("update big set b = 'gone'");
    server.restore(&source, &first, Vec::new()).await.unwrap();
    let value = server.sql("select length(b), md5(b) = md5(repeat('xyz\\0', 16777216)) from big");
    assert_eq!(value.lines().nth(1), Some("67108864\t1"));
}

#[tokio::test]
async fn tables_that_did_not_change_are_not_dumped_again_and_every_change_is_seen() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table t1 (id int primary key, v longblob); create table t2 like t1; create table t3 (v longtext) engine=MyISAM;
         insert into t1 values (1, repeat('a', 3000000)), (2, null); insert into t2 select * from t1; insert into t3 select v from t1;
         create view w as select id from t1",
    );
    let source = server.source(None);
    // What was changed a moment ago is looked at otherwise than what rests.
    std::thread::sleep(Duration::from_secs(3));
    let first = server.capture(&source).await.unwrap();
    assert!(first.stats.sql_bytes > 9_000_000, "{:?}", first.stats);
    let again = server.capture(&source).await.unwrap();
    assert!(again.stats.sql_bytes < 10_000, "{:?}", again.stats);
    assert_eq!(again.manifest.id(), first.manifest.id());
    // Whether the server has forgotten when tables were changed, or it has just happened, or long ago.
    for (pause, changes) in [(3, 3), (0, 11)] {
        for change in [
            "update t1 set v = repeat(char(97 + rand() * 26), 3000000) where id = 1",
            "update t1 set v = '' where id = 2",
            "update t1 set v = null where id = 2",
            "delete from t2 where id = 1; replace into t2 values (3, rand())",
            "update t3 set v = reverse(v) where v is null; insert into t3 values ('N,')",
            "create trigger tr before insert on t2 for each row set new.v = 'y'",
            "drop trigger tr",
            "alter table t2 auto_increment=77, comment='x'",
            "alter table t2 comment=''",
            "create table t4 (id int); drop view w; create view w as select 1 as x",
            "drop table t4",
        ]
        .into_iter()
        .take(changes)
        {
            std::thread::sleep(Duration::from_secs(pause));
            server.sql(change);
            let seen = server.capture(&source).await.unwrap();
            assert!(seen.manifest.id() == server.capture_anew(&source).await.manifest.id(), "after: {change}");
        }
    }
}

/// This machine with other programs in front of its own.
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

#[tokio::test]
async fn failures_say_which_object_and_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql("create table t (id int primary key, v longblob); insert into t values (1, repeat('x', 5000000))");
    server.sql("create table crashed (id int) engine=MyISAM; insert into crashed values (1); flush tables");
    let source = server.source(None);
    let first = server.capture(&source).await.unwrap();
    let fails = async |source: &Source, texts: &[&str]| {
        let error = server.capture(source).await.unwrap_err().to_string();
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
        assert_eq!(server.store().list(&source.site).unwrap().len(), 1);
    };

    for (program, text) in [
        ("mariadb-dump \"$@\" 2>&- | head -n 25", "ended early"),
        ("mariadb-dump \"$@\"; echo 'mariadb-dump: Got error: 2013: Lost connection' >&2; exit 0", "Lost connection"),
        ("mariadb-dump \"$@\"; exit 3", "status 3"),
    ] {
        let folder = server.path("programs");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("mariadb-dump");
        std::fs::write(&file, format!("#!/bin/sh\nPATH=${{PATH#*:}}\n{program}\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        let shell = Arc::new(OtherPrograms(folder.display().to_string()));
        server.sql("update t set v = concat(v, 'y')");
        fails(&Source { shell, ..source.clone() }, &[text]).await;
    }

    server.sql("create table gone (id int); create view dead as select id from gone; drop table gone");
    fails(&source, &["dead", "definer", "repair or drop that view"]).await;
    server.sql("drop view dead");

    std::fs::write(server.path("data/shop/crashed.MYI"), "no index").unwrap();
    server.sql("flush tables");
    fails(&source, &["crashed", "REPAIR TABLE"]).await;
    server.sql("drop table crashed");

    server.sql("set global max_allowed_packet=8388608");
    fails(&source, &["table:t ", "max_allowed_packet"]).await;
    let error = server.restore(&source, &first, Vec::new()).await.unwrap_err().to_string();
    assert!(error.contains("max_allowed_packet"), "{error}");
    server.sql("set global max_allowed_packet=268435456");

    // Between the look at the table and its import the server's limit sinks.
    let request = RestoreRequest {
        now: jiff::Timestamp::now(),
        target: first.name.clone(),
        only: Vec::new(),
        last: Vec::new(),
        rows: None,
    };
    let prepared = prepare(&source, &server.store(), request, &quiet()).await.unwrap();
    server.sql("set global max_allowed_packet=8388608");
    let error = prepared.apply(&quiet()).await.unwrap_err().to_string();
    assert!(error.contains("table:t: "), "{error}");
    server.sql("set global max_allowed_packet=268435456");
    server.restore(&source, &first, Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_locked_table_is_named() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql("create table a (id int); create table held (id int)");
    let mut holder = Command::new("mariadb")
        .args(["--no-defaults", "-uroot", "shop", "-e", "lock tables held write; select sleep(600)"])
        .arg(format!("--socket={}", server.path("s").display()))
        .spawn()
        .unwrap();
    while !server.sql("show open tables where in_use > 0").contains("held") {
        std::thread::sleep(Duration::from_millis(50));
    }
    let error = server.capture(&server.source(None)).await.unwrap_err().to_string();
    assert!(error.contains("table:held: ") && error.contains("let it end"), "{error}");
    holder.kill().unwrap();
    holder.wait().unwrap();
}

#[tokio::test]
async fn a_present_that_cannot_be_dumped_is_put_back_all_the_same() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table t (id int primary key); insert into t values (1); create view v as select id from t;
         create table old (id int) engine=MyISAM; insert into old values (1); flush tables",
    );
    let source = server.source(None);
    let first = server.capture(&source).await.unwrap();
    let before = server.picture();
    server.sql("create table gone (id int); create view added as select id from gone; drop table gone; drop table t");
    std::fs::write(server.path("data/shop/old.MYI"), "no index").unwrap();
    server.sql("flush tables");
    assert!(server.capture(&source).await.is_err(), "a snapshot that is asked for has no gaps");
    let restored = server.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(server.picture(), before);
    let broken: Vec<String> = restored.undone.lines(10);
    for name in ["view:v", "view:added", "table:old", "table:t"] {
        assert!(broken.iter().any(|line| line.contains(name)), "{name} is not told: {broken:?}");
    }
}

#[tokio::test]
async fn every_kind_of_object_is_rehearsed_beside_the_site() {
    let Some(server) = Server::start() else {
        return;
    };
    server
        .client("", "create database shop character set utf8mb4; create database spare character set latin1")
        .unwrap();
    server.sql(SCHEMA);
    let source = server.source(None);
    std::fs::write(server.path("site/a.txt"), "a").unwrap();
    let access = source.database.clone().unwrap();
    let first = server.capture(&source).await.unwrap();
    let (before, had) = (server.picture(), server.client("", "show databases").unwrap());
    let run = RunId::new(jiff::Timestamp::now());
    for scratch in [ScratchDatabase::new("shop", run), ScratchDatabase::named("shop", "spare", run).unwrap()] {
        scratch.make(&source, &access).await.unwrap().unwrap();
        let folder = tempfile::tempdir_in(server.folder.path()).unwrap();
        let request = RehearseRequest {
            now: jiff::Timestamp::now(),
            target: first.name.clone(),
            folder: folder.path().display().to_string(),
            database: Ok(scratch.clone()),
        };
        let found = rehearse(&source, &server.store(), &request, &quiet()).await.unwrap();
        assert_eq!((&found.files, &found.database), (&Proof::Proven, &Proof::Proven), "{found:?}");
        let events = found.left.iter().filter(|left| left.contains("the server would run it")).count();
        assert_eq!(events, 2, "{:?}", found.left);
        assert_eq!(std::fs::read_to_string(folder.path().join("a.txt")).unwrap(), "a");
        let again = rehearse(&source, &server.store(), &request, &quiet()).await.unwrap_err().to_string();
        assert!(again.contains("is not empty"), "{again}");
        scratch.clear(&source, &access).await.unwrap();
        scratch.clear(&source, &access).await.unwrap();
        let left = "select table_name from information_schema.tables where table_schema = 'spare' \
                    union select routine_name from information_schema.routines where routine_schema = 'spare'";
        assert_eq!(server.client("", left).unwrap(), "");
        assert_eq!(server.client("", "show databases").unwrap(), had);
        assert!(server.picture() == before, "the site's own database is not what it was");
        assert_eq!(server.store().list(&source.site).unwrap().len(), 1, "a rehearsal makes no snapshot");
    }

    // Not marked by this rehearsal: not ours to empty.
    server.client("spare", "create table theirs (id int)").unwrap();
    ScratchDatabase::named("shop", "spare", run).unwrap().clear(&source, &access).await.unwrap();
    assert_eq!(server.client("spare", "show tables").unwrap(), "Tables_in_spare\ntheirs\n");
}

#[tokio::test]
async fn sql_that_names_the_sites_own_database_is_not_rehearsed() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set latin1 collate latin1_swedish_ci").unwrap();
    server.sql(
        "create table t (id int); create trigger old before insert on t for each row set new.id = 1;
         create table named (id int); create table good (id int); create view v as select * from named",
    );
    server.client("", "alter database shop character set utf8mb4 collate utf8mb4_unicode_ci").unwrap();
    // As its author wrote it: it would be made on the site's own table.
    server.sql("create trigger shop.written before insert on shop.named for each row set new.id = 1");
    let source = server.source(None);
    let first = server.capture(&source).await.unwrap();
    server.sql("drop trigger written");
    let before = server.picture();
    assert!(before.contains("ALTER DATABASE `shop`"), "the dump program names the database");
    let scratch = ScratchDatabase::new("shop", RunId::new(jiff::Timestamp::now()));
    let access = source.database.clone().unwrap();
    scratch.make(&source, &access).await.unwrap().unwrap();
    let folder = tempfile::tempdir_in(server.folder.path()).unwrap();
    let request = RehearseRequest {
        now: jiff::Timestamp::now(),
        target: first.name,
        folder: folder.path().display().to_string(),
        database: Ok(scratch.clone()),
    };
    let found = rehearse(&source, &server.store(), &request, &quiet()).await.unwrap();
    let Proof::Unproven { why } = &found.database else { panic!("{found:?}") };
    for part in
        ["table:t (", "ALTER DATABASE `shop`", "table:named (", "shop.written", "the views", "all else came back"]
    {
        assert!(why.contains(part), "{why}");
    }
    assert!(!why.contains("good"), "{why}");
    let made = "select table_name from information_schema.tables where table_schema like 'shop\\_rehearsal\\_%'";
    assert_eq!(server.client("", made).unwrap(), "table_name\ngood\n");
    assert_eq!(found.files, Proof::Proven);
    scratch.clear(&source, &access).await.unwrap();
    assert!(server.picture() == before, "the site's own database is not what it was");
}
