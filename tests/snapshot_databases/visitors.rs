//! Rows that came in since a snapshot outlast its restore, whatever they are made of and wherever it was broken off.

use super::{OtherPrograms, Server, quiet};
use intendant::snapshot::{
    Captured, KeepRows, LeftReason, RestoreRequest, Restored, SelectTables, SnapshotError, SnapshotName, Source,
    TableRows, prepare,
};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// The site, with these tables protected.
fn protecting(server: &Server, tables: &[&str]) -> Source {
    let wanted: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
    let select: SelectTables =
        Arc::new(move |all: &[String]| all.iter().filter(|name| wanted.contains(name)).cloned().collect());
    let mut source = server.source(None);
    source.database.as_mut().unwrap().protect = Some(select);
    source
}

/// A restore, and the snapshot of what it overwrote, if it came so far.
struct Ran {
    overwrote: Option<SnapshotName>,
    restored: Result<Restored, SnapshotError>,
}

async fn restore(server: &Server, source: &Source, to: &Captured, earlier: &[SnapshotName], put_back: bool) -> Ran {
    let rows = KeepRows { folder: server.path("state/evidence/run/1.1"), earlier: earlier.to_vec(), put_back };
    let request = RestoreRequest {
        now: jiff::Timestamp::now(),
        target: to.name.clone(),
        only: Vec::new(),
        last: Vec::new(),
        rows: Some(rows),
    };
    match prepare(source, &server.store(), request, &quiet()).await {
        Err(error) => Ran { overwrote: None, restored: Err(error) },
        Ok(prepared) => {
            let overwrote = Some(prepared.before().name.clone());
            Ran { overwrote, restored: prepared.apply(&quiet()).await }
        }
    }
}

fn tables(restored: &Restored) -> BTreeMap<String, TableRows> {
    let rows = restored.rows.clone().unwrap();
    rows.tables.into_iter().map(|table| (table.table.clone(), table)).collect()
}

fn counts(table: &TableRows) -> (u64, u64, u64, u64, u64) {
    (table.found, table.put_back, table.changed, table.deleted, table.left())
}

/// The rows of the table with all types, once more.
fn all_types() -> &'static str {
    const TYPES: &str = include_str!("../snapshot-types.sql");
    let from = TYPES.find("insert into `all types`").unwrap();
    &TYPES[from..from + TYPES[from..].find(";\n\ncreate").unwrap()]
}

#[tokio::test]
async fn values_of_every_type_are_put_back_exactly() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(include_str!("../snapshot-types.sql"));
    let names = ["all types", "order", "mi", "nokey", "ar", "parts", "back`tick", "empty_one", "right"];
    let source = protecting(&server, &names);
    let first = server.capture(&source).await.unwrap();
    server.sql(&format!(
        "set sql_mode=''; {};
         insert into `order` (id, parent, next, w, at) values (5000, 1, 9, 'more; words', point(9,9)), (5001, 5000, null, null, point(0,0));
         insert into mi (w) values ('it''s\\n'), ('😀'); insert into nokey values (2,'x'), (null,null), (9,''), (2,'x');
         insert into ar values (1, 0x00), (7, 0x0d0a00ff1a27); insert into parts values (17, null), (4, 4);
         insert into `back``tick` values (0, '-- Dump completed'), (7, ''); insert into empty_one values (0), (-3);
         insert into `right` values (9, 1)",
        all_types()
    ));
    let with_rows = server.picture();
    // What an update does, here and elsewhere.
    server.sql(
        "alter table `all types` add column extra int not null default 7, modify i bigint; alter table parts drop column v;
         update `left` set r = null; drop view z1; drop trigger second_of; create table added (id int); drop function twice;
         alter table nokey add column c int first",
    );
    let restored = restore(&server, &source, &first, &[], true).await.restored.unwrap();
    let found = tables(&restored);
    assert_eq!(counts(&found["all types"]), (2, 2, 0, 0, 0));
    assert_eq!(counts(&found["order"]), (2, 2, 0, 0, 0));
    assert_eq!(counts(&found["mi"]), (2, 2, 0, 0, 0));
    assert_eq!(counts(&found["nokey"]), (4, 4, 0, 0, 0));
    assert_eq!(counts(&found["ar"]), (2, 2, 0, 0, 0));
    assert_eq!(counts(&found["empty_one"]), (2, 2, 0, 0, 0));
    assert_eq!(counts(&found["right"]), (1, 1, 0, 0, 0));
    assert_eq!(server.sql("select id, v from parts where id in (4, 17) order by id"), "id\tv\n4\tNULL\n17\tNULL\n");
    server.sql("update parts set v = 4 where id = 4");
    assert!(server.picture() == with_rows, "the restored database is not the snapshot with the rows");

    // No number is handed out twice; everything is in the evidence, and nobody else may read it.
    let next = server.sql("insert into `order` (at) values (point(1,1)); select last_insert_id()");
    assert_eq!(next.lines().last(), Some("5002"));
    let folder = PathBuf::from(restored.rows.unwrap().evidence.unwrap());
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2 * 9 + 1, "{files:?}");
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        if file.extension().is_some_and(|end| end == "json") {
            let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            assert!(json["rows"].is_array() || json["rows"]["tables"].is_array(), "{json}");
        }
    }
    let types =
        std::fs::read_to_string(files.iter().find(|file| file.ends_with("001-all_types.json")).unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&types).unwrap();
    let row = &json["rows"][0]["row"];
    assert_eq!((row["vu"].as_str(), row["bn"]["hex"].as_str()), (Some("😀"), Some("00FF000000")), "{row}");
    assert_eq!(row["dc"], "12345678901234567890123456789012345.123456789012345678901234567890");
}

#[tokio::test]
async fn what_does_not_fit_is_kept_and_told() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table parent (id int primary key); insert into parent values (1);
         create table child (id int primary key auto_increment, p int, u varchar(20) unique, t varchar(5), n int not null,
           constraint c foreign key (p) references parent (id), check (n < 100));
         insert into child (p, u, t, n) values (1, 'a', 'x', 1), (null, 'gone', 'x', 1), (null, 'paid', 'no', 1);
         create table tree (id int primary key, up int, constraint up foreign key (up) references tree (id));
         create table two (a int, b varchar(9), v int, primary key (a, b)) collate utf8mb4_general_ci;
         insert into two values (1, 'x', 1), (1, 'y', 1);
         create table bare (id int primary key, must int not null); insert into bare values (1, 1)",
    );
    let source = protecting(&server, &["child", "tree", "two", "bare", "later"]);
    let first = server.capture(&source).await.unwrap();
    server.sql(
        "alter table child modify t varchar(50), drop constraint `CONSTRAINT_1`; insert into parent values (9);
         update child set u = 'b' where u = 'a'; delete from child where u = 'gone'; update child set t = 'yes' where u = 'paid';
         insert into child (p, u, t, n) values (1, 'good', 'ok', 2), (9, 'orphan', 'ok', 2), (null, 'a', 'ok', 2),
           (null, 'long', 'too long for it', 2), (null, 'many', 'ok', 100), (null, null, null, 3);
         set foreign_key_checks=0; insert into tree values (1, 3), (2, null), (3, 2), (4, 1); set foreign_key_checks=1;
         insert into two values (1, 'z', 5), (2, 'x', 5); alter table two modify b varchar(9) collate utf8mb4_bin;
         insert into two values (1, 'X', 6);
         alter table bare drop column must; insert into bare values (2);
         create table later (id int primary key, w text); insert into later values (1, 'x'), (2, 'y')",
    );
    let restored = restore(&server, &source, &first, &[], true).await.restored.unwrap();
    let found = tables(&restored);
    // The one with `u` set to `b` and the one that was paid are as in the snapshot.
    assert_eq!(counts(&found["child"]), (6, 2, 2, 1, 4));
    let reasons = BTreeMap::from([(LeftReason::Taken, 1), (LeftReason::NoParent, 1), (LeftReason::DoesNotFit, 2)]);
    assert_eq!(found["child"].left, reasons);
    assert_eq!(
        server.sql("select id, p, u, t, n from child order by id"),
        "id\tp\tu\tt\tn\n1\t1\ta\tx\t1\n2\tNULL\tgone\tx\t1\n3\tNULL\tpaid\tno\t1\n4\t1\tgood\tok\t2\n9\tNULL\tNULL\tNULL\t3\n"
    );
    // A row may come before the one that it belongs to.
    assert_eq!(counts(&found["tree"]), (4, 4, 0, 0, 0));
    assert_eq!(counts(&found["two"]), (3, 2, 0, 0, 1));
    assert_eq!(found["bare"].left, BTreeMap::from([(LeftReason::NoValue, 1)]));
    assert_eq!(found["later"].left, BTreeMap::from([(LeftReason::NoTable, 2)]));
    assert_eq!(server.sql("show tables like 'later'"), "");
    // Keys of rows that could not be put back are not handed out again.
    let next = server.sql("insert into child (n) values (1); select last_insert_id()");
    assert_eq!(next.lines().last(), Some("10"));

    let rows = restored.rows.unwrap();
    let told = rows.told().unwrap();
    assert!(told.contains("could NOT be put back") && told.contains("4 child") && told.contains("2 later"), "{told}");
    let folder = PathBuf::from(rows.evidence.unwrap());
    let result = std::fs::read_to_string(folder.join("result.json")).unwrap();
    assert!(result.contains("Duplicate entry") && result.contains("1452"), "{result}");
    let all: String = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for kept in ["too long for it", "orphan", "'yes'", "'y'"] {
        assert!(all.contains(kept), "{kept} is not in the evidence");
    }
    // The file is good for a client as it is: once the cause is gone, what was refused goes in.
    server.sql("insert into parent values (9)");
    let sql = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let sql = sql.into_iter().find(|path| path.to_string_lossy().ends_with("-child.sql")).unwrap();
    let text = std::fs::read_to_string(sql).unwrap();
    let orphan: String = text
        .lines()
        .filter(|line| !line.starts_with("INSERT") || line.contains("orphan"))
        .collect::<Vec<_>>()
        .join("\n");
    server.sql(&orphan);
    assert_eq!(server.sql("select p from child where u = 'orphan'"), "p\n9\n");
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_rows_may_be_left_in_the_evidence() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table old (id int) engine=MyISAM; insert into old values (1);
         create table t (id int primary key); insert into t values (1); flush tables",
    );
    let source = protecting(&server, &["old", "t"]);
    let first = server.capture(&source).await.unwrap();
    let before = server.picture();
    server.sql("insert into t values (2); insert into old values (2); flush tables");
    std::fs::write(server.path("data/shop/old.MYI"), "no index").unwrap();
    server.sql("flush tables");
    let restored = restore(&server, &source, &first, &[], false).await.restored.unwrap();
    assert!(server.picture() == before, "without putting back, the tables are exactly as they were");
    let rows = restored.rows.clone().unwrap();
    assert!(rows.unread.len() == 1 && rows.unread[0].starts_with("table:old: "), "{:?}", rows.unread);
    assert_eq!(tables(&restored)["t"].left, BTreeMap::from([(LeftReason::GivenUp, 1)]));
    // Nothing is protected: nothing is looked for.
    server.sql("insert into t values (3)");
    let mut plain = source.clone();
    plain.database.as_mut().unwrap().protect = None;
    let restored = restore(&server, &plain, &first, &[], true).await.restored.unwrap();
    assert!(restored.rows.is_none() && server.picture() == before);
    // A snapshot that is gone is said; the restore goes on.
    server.sql("insert into t values (4)");
    let gone: SnapshotName = "29991231T235959.999Z-0123456789ab".parse().unwrap();
    let restored = restore(&server, &source, &first, &[gone], true).await.restored.unwrap();
    assert!(restored.rows.as_ref().unwrap().unread[0].contains("29991231T235959"), "{:?}", restored.rows);
    assert_eq!(tables(&restored)["t"].put_back, 1);
}

/// A host whose database client fails as this shell script says, before it runs the real one.
fn failing(server: &Server, name: &str, script: &str) -> Arc<OtherPrograms> {
    let folder = server.path(name);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("mariadb");
    std::fs::write(&file, format!("#!/bin/sh\nPATH=${{PATH#*:}}\n{script}\nexec mariadb \"$@\"\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    Arc::new(OtherPrograms(folder.display().to_string()))
}

#[tokio::test]
async fn wherever_a_restore_breaks_off_the_next_one_puts_the_rows_back() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql(
        "create table orders (id int primary key auto_increment, w varchar(200)); create table notes (w text);
         create table plain (id int primary key, v int);
         insert into orders (w) select concat('order ', seq, repeat('.', 100)) from seq_1_to_200;
         insert into notes select concat('note ', seq) from seq_1_to_20; insert into plain values (1, 1);
         create trigger tr before insert on orders for each row set new.w = concat('new ', new.w)",
    );
    let source = protecting(&server, &["orders", "notes"]);
    let first = server.capture(&source).await.unwrap();
    server.sql("insert into orders (w) values ('from a visitor'), ('from another'); insert into notes values ('note 3'), ('hello')");
    let wanted = server.picture();
    let cut = |bytes: u32| format!("case \"$*\" in *--comments*) head -c {bytes} | mariadb \"$@\"; exit 1;; esac");
    let mut scripts: Vec<String> = [0, 600, 1100, 5000, 20000].map(cut).into();
    // Before the first row, in the middle of the rows without and with their end, and before the triggers.
    scripts.push("case \"$*\" in *--force*) exit 1;; esac".into());
    scripts.push("case \"$*\" in *--force*) head -c 450 | mariadb \"$@\"; exit 1;; esac".into());
    scripts.push("case \"$*\" in *--force*) mariadb \"$@\" >/dev/null; exit 1;; esac".into());
    scripts.push(
        "case \"$*\" in *--comments*) if [ -e \"$0.once\" ]; then rm \"$0.once\"; exit 1; fi; : >\"$0.once\";; esac"
            .into(),
    );
    for (number, script) in scripts.iter().enumerate() {
        server.sql("update plain set v = v + 1; alter table orders add column extra int default 3");
        let broken = Source { shell: failing(&server, &format!("programs{number}"), script), ..source.clone() };
        let mut earlier = Vec::new();
        for _ in 0..2 {
            let ran = restore(&server, &broken, &first, &earlier, true).await;
            assert!(ran.restored.is_err(), "{script}");
            earlier.extend(ran.overwrote);
        }
        assert_eq!(earlier.len(), 2, "{script}");
        let restored = restore(&server, &source, &first, &earlier, true).await.restored.unwrap();
        assert!(server.picture() == wanted, "after: {script}");
        let found = tables(&restored);
        assert_eq!((found["orders"].put_back, found["notes"].put_back), (2, 2), "{script}: {found:?}");
        assert_eq!(restored.rows.unwrap().left(), 0, "{script}");
        // Once more over a site that is in order, with all that was overwritten before: it ends the same.
        let again = restore(&server, &source, &first, &earlier, true).await.restored.unwrap();
        assert!(server.picture() == wanted, "again after: {script}");
        assert_eq!(again.rows.unwrap().put_back(), 4, "{script}");
    }
}

#[tokio::test]
async fn a_number_that_was_handed_out_twice_costs_no_row() {
    let Some(server) = Server::start() else {
        return;
    };
    server.client("", "create database shop character set utf8mb4").unwrap();
    server.sql("create table orders (id int primary key auto_increment, w text); insert into orders (w) values ('a')");
    let source = protecting(&server, &["orders"]);
    let first = server.capture(&source).await.unwrap();
    server.sql("insert into orders (w) values ('first'), ('second')");
    let broken = failing(&server, "programs", "case \"$*\" in *--force*) exit 1;; esac");
    let ran = restore(&server, &Source { shell: broken, ..source.clone() }, &first, &[], true).await;
    assert!(ran.restored.is_err());
    // The tables are as they were, and somebody writes: the number of the first row is handed out again.
    server.sql("insert into orders (w) values ('third')");
    let earlier: Vec<SnapshotName> = ran.overwrote.into_iter().collect();
    let restored = restore(&server, &source, &first, &earlier, true).await.restored.unwrap();
    assert_eq!(server.sql("select id, w from orders order by id"), "id\tw\n1\ta\n2\tthird\n3\tsecond\n");
    let found = tables(&restored);
    assert_eq!(found["orders"].left, BTreeMap::from([(LeftReason::Older, 1)]));
    let folder = PathBuf::from(restored.rows.unwrap().evidence.unwrap());
    let kept = std::fs::read_to_string(folder.join("001-orders.not-put-back.sql")).unwrap();
    assert!(kept.contains("'first'"), "{kept}");
    let next = server.sql("insert into orders (w) values ('x'); select last_insert_id()");
    assert_eq!(next.lines().last(), Some("4"));
}
