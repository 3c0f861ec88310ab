//! Snapshots of a real MariaDB that each test starts for itself, compared by its own dump.
//! Without a MariaDB server on the machine there is nothing to test against: then they say so.

use intendant::model::SiteName;
use intendant::remote::LocalShell;
use intendant::snapshot::{
    CaptureRequest, Captured, DatabaseAccess, NoProgress, Only, Progress, RestoreRequest, Restored,
    SnapshotError, Source, Store, TableRule, capture, export, prepare,
};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

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
        let base = if Path::new("/dev/shm").is_dir() {
            "/dev/shm"
        } else {
            "/tmp"
        };
        let folder = tempfile::Builder::new()
            .prefix("sdb")
            .tempdir_in(base)
            .unwrap();
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
        panic!(
            "the server does not start: {}",
            std::fs::read_to_string(server.path("log")).unwrap_or_default()
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn client(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut child = Command::new("mariadb")
            .args([
                "--no-defaults",
                "-uroot",
                "--comments",
                "--default-character-set=utf8mb4",
                "--batch",
            ])
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
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
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
            ])
            .arg(format!("--socket={}", self.path("s").display()))
            .arg("shop")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
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
                credentials: ["printf", "%s", &options].map(String::from).into(),
                name: "shop".into(),
                select: rule.map(Into::into),
            }),
        }
    }

    fn store(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.path("store")).unwrap())
    }

    async fn capture(&self, source: &Source) -> Result<Captured, SnapshotError> {
        let request = CaptureRequest {
            now: jiff::Timestamp::now(),
            tolerate_unreadable: false,
        };
        capture(source, &self.store(), &request, &quiet()).await
    }

    async fn restore(
        &self,
        source: &Source,
        to: &Captured,
        only: Vec<Only>,
    ) -> Result<Restored, SnapshotError> {
        let request = RestoreRequest {
            now: jiff::Timestamp::now(),
            target: to.name.clone(),
            only,
            last: Vec::new(),
        };
        prepare(source, &self.store(), request, &quiet())
            .await?
            .apply(&quiet())
            .await
    }
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
    server
        .client("", "create database shop character set utf8mb4")
        .unwrap();
    server.sql(SCHEMA);
    let source = server.source(None);
    let before = server.picture();
    let first = server.capture(&source).await.unwrap();
    let names: Vec<String> = first
        .manifest
        .objects()
        .map(|(name, _)| name.to_string())
        .collect();
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
    export(&server.store(), &source.site, &first.name, &file, &quiet())
        .await
        .unwrap();
    let script = "tar --zstd -xf export.tar.zst && mariadb --no-defaults -uroot -S s -e 'drop database shop; create database shop character set utf8mb4' && mariadb --no-defaults -uroot -S s --binary-mode --comments --default-character-set=utf8mb4 shop <database.sql".to_string();
    let output = Command::new("bash")
        .args(["-ec", &script])
        .current_dir(server.folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.picture(), before);
}

#[tokio::test]
async fn only_what_differs_is_imported_and_other_software_is_left_alone() {
    let Some(server) = Server::start() else {
        return;
    };
    server
        .client("", "create database shop character set utf8mb4")
        .unwrap();
    server.sql(
        "create table wp_options (id int primary key, v longblob); create table wp_posts (id int primary key);
         create table wp_users (id int); create table other_x (id int);
         insert into wp_options values (1, repeat('x', 9000000)), (2, unhex('00ff0d0a1a')); insert into other_x values (1);",
    );
    let rule = TableRule {
        prefix: "wp_".into(),
        installation: vec!["options".into()],
        ours: None,
    };
    let source = server.source(Some(rule));
    let first = server.capture(&source).await.unwrap();
    assert_eq!(first.manifest.objects().count(), 3);
    assert_eq!(
        first
            .manifest
            .header
            .database
            .as_ref()
            .unwrap()
            .skipped
            .len(),
        1
    );
    server.sql("insert into wp_posts values (7); insert into other_x values (2); create table wp_added (id int)");
    let restored = server.restore(&source, &first, Vec::new()).await.unwrap();
    assert_eq!(server.sql("select count(*) from wp_posts; select count(*) from other_x; show tables like 'wp_added'"), "count(*)\n0\ncount(*)\n2\n");
    assert!(restored.bytes_sent < 10_000, "{}", restored.bytes_sent);
    server.sql("delete from wp_options; insert into wp_posts values (8)");
    let only = vec![Only::Object("table:wp_options".parse().unwrap())];
    server.restore(&source, &first, only).await.unwrap();
    let rows = server.sql("select length(v), md5(v) = md5(repeat('x', 9000000)), hex(right(v, 5)) from wp_options order by id");
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        ["9000000\t1\t7878787878", "5\t0\t00FF0D0A1A"]
    );
    assert_eq!(server.sql("select * from wp_posts"), "id\n8\n");
}

#[tokio::test]
async fn a_dump_that_is_not_complete_is_no_snapshot() {
    let Some(server) = Server::start() else {
        return;
    };
    server
        .client("", "create database shop character set utf8mb4")
        .unwrap();
    server.sql(
        "create table t (id int); create view dead as select * from t; create table t2 (id int)",
    );
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
