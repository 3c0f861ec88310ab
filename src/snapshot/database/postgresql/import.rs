//! Import: one session of `psql`, one transaction. Rows alone where the definitions are the same, else all.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: nothing of it is there before the last statement, which
//! is the commit, was read, so whatever ends early leaves the database as it was; the account is an ordinary owner;
//! foreign keys and triggers are as they were afterwards; extensions, and what belongs to them, are never dropped by a
//! name that the snapshot has; what is sent as rows is rows of that table and nothing else.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{ObjectKind, ObjectName};
use super::super::super::manifest::Content;
use super::super::super::store::BlobReader;
use super::super::super::{Phase, Progress, Source};
use super::super::{DatabaseAccess, Import};
use super::definitions::{extensions, refreshes, statements};
use super::split::{EndOfRows, MAX_DEFINITIONS_BYTES, copied_table, sequence_value};
use super::{AFTER, BEFORE, failure, script, values};
use crate::model::clean_line;
use crate::remote::{Command, RawInput, Writer as Pipe};
use std::io::{self, BufWriter, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::SyncIoBridge;

/// Reads SQL on its standard input, and stops at the first error.
const IMPORT: &str =
    script!(r#"{ service | { exec 4<&0; exec psql -XAtqw -v ON_ERROR_STOP=1 <&3 >/dev/null; }; } 3<&0"#);
const DOING: &str = "importing into";
const IMPORT_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
const BUFFER_BYTES: usize = 256 << 10;
/// The longest line before the rows of a table: as many columns as there may be, with the longest names.
const MAX_COPY_BYTES: usize = 512 << 10;

/// How dumps are read back.
const PRELUDE: &str = "SET statement_timeout = 0;\nSET idle_in_transaction_session_timeout = 0;\n\
     SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\
     SELECT pg_catalog.set_config('search_path', '', false);\nSET check_function_bodies = false;\n\
     SET xmloption = content;\nSET client_min_messages = warning;\nSET row_security = off;\nSET datestyle = 'ISO';\n\
     SET intervalstyle = 'postgres';\nSET default_tablespace = '';\nSET default_table_access_method = heap;\n";
/// Whoever waits for a locked table for longer than this gives up.
const BEGIN: &str = "SET lock_timeout = '2min';\nBEGIN;\n";
/// Of the tables in `intendant.tables`: writes down how their foreign keys, in both directions, and their triggers
/// are made again, then takes the keys away and lets the triggers rest.
const OPEN: &str = r#"SELECT set_config('intendant.keys', coalesce(string_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s;',
  conrelid::regclass, conname, pg_get_constraintdef(k.oid)) || coalesce(format('COMMENT ON CONSTRAINT %I ON %s IS %L;',
  conname, conrelid::regclass, obj_description(k.oid, 'pg_constraint')), ''), '' ORDER BY k.oid), ''), true),
 set_config('intendant.free', coalesce(string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I;',
  conrelid::regclass, conname), '' ORDER BY k.oid), ''), true)
FROM pg_constraint k WHERE contype = 'f' AND conparentid = 0 AND ARRAY[conrelid, confrelid] && ARRAY(
 SELECT t::oid FROM unnest(current_setting('intendant.tables')::regclass[]) t UNION
 SELECT a.relid::oid FROM unnest(current_setting('intendant.tables')::regclass[]) t, pg_partition_ancestors(t) a);
SELECT set_config('intendant.triggers', coalesce(string_agg(format('ALTER TABLE ONLY %s %s TRIGGER %I;', tgrelid::regclass,
 CASE tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'DISABLE' END,
 tgname), '' ORDER BY oid), ''), true) FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid = ANY (current_setting('intendant.tables')::regclass[]);
DO $$ DECLARE one regclass; BEGIN
 FOREACH one IN ARRAY current_setting('intendant.tables')::regclass[] LOOP
  IF EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = one AND deptype = 'e') THEN
   RAISE EXCEPTION 'the table % belongs to an extension, and its rows differ; make them by hand as they shall be', one;
  END IF;
  EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', one);
 END LOOP;
 EXECUTE 'SELECT 1;' || current_setting('intendant.free');
 FOREACH one IN ARRAY current_setting('intendant.tables')::regclass[] LOOP
  EXECUTE format('ALTER TABLE ONLY %s DISABLE TRIGGER USER', one);
 END LOOP;
 EXECUTE 'TRUNCATE ONLY ' || (SELECT string_agg(t::text, ', ONLY ') FROM
  unnest(current_setting('intendant.tables')::regclass[]) t);
END $$;
"#;
/// The counterpart. Adding a foreign key checks all rows.
const CLOSE: &str = "DO $$ BEGIN EXECUTE 'SELECT 1;' || current_setting('intendant.triggers') || current_setting('intendant.keys'); \
     END $$;\n";
/// Takes default privileges back, which would go to what is made; drops all that is no part of an extension, and the
/// extensions that are not in `intendant.extensions`; privileges and extensions as far as the account may. The schema `public`, and those with an extension in them, stay.
const EMPTY: &str = r#"DO $$ DECLARE one text; BEGIN
 FOR one IN SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s %s', r, place) || t.change FROM
  (SELECT d.oid, defaclnamespace AS global, defaclacl, quote_ident(rolname) AS r, coalesce('IN SCHEMA ' || quote_ident(nspname), '') AS place,
   CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS kind
   FROM pg_default_acl d JOIN pg_roles o ON o.oid = defaclrole LEFT JOIN pg_namespace n ON n.oid = defaclnamespace) d,
  LATERAL (SELECT 1 AS rank, format(' REVOKE ALL ON %s FROM %s', kind, coalesce((SELECT quote_ident(rolname) FROM pg_roles
    WHERE pg_roles.oid = grantee), 'PUBLIC')) AS change FROM (SELECT DISTINCT grantee FROM aclexplode(defaclacl)) a
   UNION ALL SELECT 2, format(' GRANT ALL ON %s TO %s', kind, r) WHERE global = 0
   UNION ALL SELECT 3, format(' GRANT ALL ON %s TO PUBLIC', kind) WHERE global = 0 AND kind IN ('FUNCTIONS', 'TYPES')) t
  ORDER BY d.oid, t.rank LOOP
  BEGIN EXECUTE one; EXCEPTION WHEN insufficient_privilege THEN NULL; END;
 END LOOP;
 FOR one IN SELECT extname FROM pg_extension
  WHERE extname <> 'plpgsql' AND extname <> ALL (current_setting('intendant.extensions')::text[]) LOOP
  BEGIN EXECUTE format('DROP EXTENSION %I CASCADE', one); EXCEPTION WHEN insufficient_privilege THEN NULL; END;
 END LOOP;
 FOR one IN SELECT pubname FROM pg_publication LOOP EXECUTE format('DROP PUBLICATION %I', one); END LOOP;
 FOREACH one IN ARRAY coalesce((SELECT array_agg(format('DROP %s IF EXISTS %s CASCADE', i.type, i.identity) ORDER BY o.rank, o.objid)
  FROM (SELECT CASE relkind WHEN 'S' THEN 2 ELSE 1 END AS rank, 'pg_class'::regclass AS classid, oid AS objid, relnamespace AS place
    FROM pg_class WHERE relkind IN ('v', 'm', 'r', 'p', 'f', 'S')
   UNION ALL SELECT 3, 'pg_operator', oid, oprnamespace FROM pg_operator
   UNION ALL SELECT 3, 'pg_opfamily', oid, opfnamespace FROM pg_opfamily
   UNION ALL SELECT 4, 'pg_proc', oid, pronamespace FROM pg_proc
   UNION ALL SELECT 5, 'pg_ts_config', oid, cfgnamespace FROM pg_ts_config
   UNION ALL SELECT 6, 'pg_ts_dict', oid, dictnamespace FROM pg_ts_dict
   UNION ALL SELECT 7, 'pg_type', t.oid, typnamespace FROM pg_type t
    WHERE typtype IN ('b', 'c', 'd', 'e', 'r') AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    AND (typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid AND c.relkind = 'c'))
   UNION ALL SELECT 8, 'pg_collation', oid, collnamespace FROM pg_collation
   UNION ALL SELECT 8, 'pg_conversion', oid, connamespace FROM pg_conversion) o,
  LATERAL pg_identify_object(o.classid, o.objid, 0) i
  WHERE o.place IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid
   AND (d.deptype = 'e' OR d.deptype = 'i' AND d.refobjid <> o.objid))), '{}') LOOP
  EXECUTE one;
 END LOOP;
 FOR one IN SELECT nspname FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
  AND NOT EXISTS (SELECT FROM pg_extension WHERE extnamespace = n.oid)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e') LOOP
  EXECUTE format('DROP SCHEMA %I CASCADE', one);
 END LOOP;
END $$;
"#;

type Object = (ObjectName, Content);

/// Imports; returns the bytes that were sent.
pub(in super::super) async fn import(
    source: &Source,
    access: &DatabaseAccess,
    work: Import,
    blobs: BlobReader,
    progress: &Arc<dyn Progress>,
) -> Result<u64> {
    let host = source.shell.host();
    let command = Command::script(IMPORT, values(access, [])).reading(RawInput::Pipe).within(IMPORT_TIMEOUT);
    let started = source.shell.start(&command).await;
    let mut process = started.map_err(SnapshotError::remote(host, DOING))?;
    let stdin: Pipe = process.stdin.take().unwrap_or_else(|| Box::pin(tokio::io::sink()));
    let listener = progress.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let out = BufWriter::with_capacity(BUFFER_BYTES, SyncIoBridge::new(stdin));
        let mut sender = Sender { out, blobs, sent: 0, now: None };
        let sent = sender.send(&work, &*listener).map(|()| sender.sent);
        // Closing the pipe ends the client; without the commit it did nothing.
        if let Ok(mut bridge) = sender.out.into_inner() {
            let _ = bridge.shutdown();
        }
        (sent, sender.now)
    });
    let sent = sending.await;
    let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
    let worker = || (Err(Failed::Store(SnapshotError::Worker { doing: "importing" })), None);
    let (sent, now) = sent.unwrap_or_else(|_| worker());
    match sent {
        Err(Failed::Store(error)) => Err(error),
        _ if !output.ok() => Err(failure(host, access, DOING, &output).about(now)),
        Err(Failed::Pipe(detail)) => {
            Err(SnapshotError::Database { host: host.to_owned(), name: access.name.clone(), doing: DOING, detail })
        }
        Ok(sent) => Ok(sent),
    }
}

/// Writes the SQL that makes these objects in an empty database.
pub(in super::super) fn write_sql(out: impl Write, objects: &[Object], blobs: &mut BlobReader) -> Result<()> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let mut sender = Sender { out, blobs: blobs.another(), sent: 0, now: None };
    sender.plain(objects).map_err(|failed| match failed {
        Failed::Store(error) => error,
        Failed::Pipe(detail) => SnapshotError::Export { path: "database.sql".into(), source: io::Error::other(detail) },
    })
}

/// Reads what [`write_sql`] wrote. Returns what is wrong where it is not what these objects make.
pub(in super::super) fn read_sql(
    input: &mut dyn Read,
    objects: &[Object],
    take: &mut dyn FnMut(&ObjectName, &Content, &mut dyn Read) -> Result<()>,
) -> Result<Option<String>> {
    let mut prelude = vec![0; PRELUDE.len()];
    if input.read_exact(&mut prelude).is_err() || prelude != PRELUDE.as_bytes() {
        return Ok(Some("it is not what the objects of the manifest make".into()));
    }
    for (name, content) in ordered(objects) {
        take(name, content, input)?;
    }
    let after = input.read(&mut [0]).map_or(true, |read| read > 0);
    Ok(after.then(|| "something follows its last object".into()))
}

/// In the order in which they are made.
fn ordered(objects: &[Object]) -> Vec<&Object> {
    let mut ordered: Vec<&Object> = objects.iter().collect();
    let rank = |name: &ObjectName| match name.kind() {
        ObjectKind::Definitions if name.name() == BEFORE => 0,
        ObjectKind::Table => 1,
        ObjectKind::Sequence => 2,
        _ => 3,
    };
    ordered.sort_by_key(|(name, _)| rank(name));
    ordered
}

enum Failed {
    /// The store's bytes, or what they hold.
    Store(SnapshotError),
    /// The way to the client, or what can't be done.
    Pipe(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error.to_string())
    }
}

impl From<SnapshotError> for Failed {
    fn from(error: SnapshotError) -> Self {
        Self::Store(error)
    }
}

struct Sender<W: Write> {
    out: BufWriter<W>,
    blobs: BlobReader,
    sent: u64,
    /// What is sent now. The client reads on while it works, so errors name what is near.
    now: Option<String>,
}

impl<W: Write> Sender<W> {
    /// All objects as they are stored.
    fn plain(&mut self, objects: &[Object]) -> Result<(), Failed> {
        self.out.write_all(PRELUDE.as_bytes())?;
        for (_, content) in ordered(objects) {
            for chunk in &content.chunks {
                self.out.write_all(&self.blobs.read(chunk)?)?;
            }
        }
        Ok(self.out.flush()?)
    }

    fn send(&mut self, work: &Import, progress: &dyn Progress) -> Result<(), Failed> {
        let defined = |(name, _): &Object| name.kind() == ObjectKind::Definitions;
        let whole = work.make.iter().any(defined);
        if !whole && let Some(name) = work.drop.first() {
            return Err(Failed::Pipe(format!(
                "{name} is not in the snapshot, and can't be taken away without the definitions that it stands in; \
                 restore all of the database"
            )));
        }
        self.out.write_all(PRELUDE.as_bytes())?;
        self.out.write_all(BEGIN.as_bytes())?;
        match whole {
            true => self.all(&work.all, progress)?,
            false => self.rows(work, progress)?,
        }
        self.out.write_all(b"SET CONSTRAINTS ALL IMMEDIATE;\nCOMMIT;\n")?;
        Ok(self.out.flush()?)
    }

    /// Empties the database and makes everything.
    fn all(&mut self, objects: &[Object], progress: &dyn Progress) -> Result<(), Failed> {
        let before = self.definitions(objects, BEFORE)?;
        let after = self.definitions(objects, AFTER)?;
        let kept = extensions(&before).map_err(|detail| damaged(BEFORE, detail))?;
        self.setting("extensions", &kept)?;
        self.out.write_all(EMPTY.as_bytes())?;
        self.now = Some(format!("definitions:{BEFORE}"));
        self.out.write_all(&statements(&before).map_err(|detail| damaged(BEFORE, detail))?)?;
        self.tables(objects, progress)?;
        for (name, content) in objects.iter().filter(|(name, _)| name.kind() == ObjectKind::Sequence) {
            let (line, _) = self.value(name, content)?;
            self.out.write_all(&line)?;
        }
        self.now = Some(format!("definitions:{AFTER}"));
        self.out.write_all(&statements(&after).map_err(|detail| damaged(AFTER, detail))?)?;
        self.sent += (before.len() + after.len()) as u64;
        Ok(())
    }

    /// Replaces the rows of the tables that differ, and the values of the sequences.
    fn rows(&mut self, work: &Import, progress: &dyn Progress) -> Result<(), Failed> {
        let tables = work.make.iter().filter(|(name, _)| name.kind() == ObjectKind::Table);
        let tables: Vec<String> = tables.map(|(name, _)| name.name().to_owned()).collect();
        if !tables.is_empty() {
            self.setting("tables", &tables)?;
            self.out.write_all(OPEN.as_bytes())?;
            self.tables(&work.make, progress)?;
            self.now = Some("foreign keys and triggers".into());
            self.out.write_all(CLOSE.as_bytes())?;
        }
        for (name, content) in work.make.iter().filter(|(name, _)| name.kind() == ObjectKind::Sequence) {
            let (line, _) = self.value(name, content)?;
            // A sequence that was begun anew in a transaction gets its value with it, and only then.
            writeln!(self.out, "ALTER SEQUENCE {} RESTART;", name.name())?;
            self.out.write_all(&line)?;
        }
        if !tables.is_empty() {
            let after = self.definitions(&work.all, AFTER)?;
            self.out.write_all(&refreshes(&after).map_err(|detail| damaged(AFTER, detail))?)?;
        }
        Ok(())
    }

    fn setting(&mut self, name: &str, values: &[String]) -> Result<(), Failed> {
        let literals: Vec<String> = values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
        let list = literals.join(", ");
        Ok(writeln!(self.out, "SELECT set_config('intendant.{name}', (ARRAY[{list}]::text[])::text, true);")?)
    }

    fn tables(&mut self, objects: &[Object], progress: &dyn Progress) -> Result<(), Failed> {
        let tables: Vec<&Object> = objects.iter().filter(|(name, _)| name.kind() == ObjectKind::Table).collect();
        for (done, (name, content)) in tables.iter().enumerate() {
            progress.at(Phase::Importing, done as u64, tables.len() as u64, self.sent);
            self.now = Some(name.to_string());
            self.table(name, content)?;
        }
        progress.at(Phase::Importing, tables.len() as u64, tables.len() as u64, self.sent);
        Ok(())
    }

    /// Sends a table's rows, and nothing but its rows.
    fn table(&mut self, name: &ObjectName, content: &Content) -> Result<(), Failed> {
        let wrong = |detail: &str| Failed::Store(SnapshotError::damaged(name.to_string(), detail));
        let (mut first, mut rows, mut ended) = (Some(Vec::new()), EndOfRows::default(), false);
        for chunk in &content.chunks {
            let bytes = self.blobs.read(chunk)?;
            let mut rest = bytes.as_slice();
            if let Some(line) = &mut first {
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                line.extend_from_slice(&rest[..end]);
                rest = &rest[end..];
                if line.len() > MAX_COPY_BYTES {
                    return Err(wrong("it does not begin with the line before its rows"));
                }
                if line.ends_with(b"\n") {
                    if copied_table(line).ok().as_deref() != Some(name.name()) {
                        return Err(wrong("it does not hold the rows of this table"));
                    }
                    first = None;
                }
            }
            if first.is_none() && !rest.is_empty() {
                if ended || rows.find(rest).is_some_and(|end| end != rest.len()) {
                    return Err(wrong("something follows its rows"));
                }
                ended = rows.is_found();
            }
            self.out.write_all(&bytes)?;
            self.sent += bytes.len() as u64;
        }
        if ended { Ok(()) } else { Err(wrong("its rows have no end")) }
    }

    fn value(&mut self, name: &ObjectName, content: &Content) -> Result<(Vec<u8>, String), Failed> {
        self.now = Some(name.to_string());
        let line = self.small(name, content)?;
        match sequence_value(&line) {
            Ok((named, value)) if named == name.name() => Ok((line, value)),
            _ => Err(Failed::Store(SnapshotError::damaged(name.to_string(), "it is no value of this sequence"))),
        }
    }

    fn definitions(&mut self, objects: &[Object], which: &str) -> Result<Vec<u8>, Failed> {
        let found =
            objects.iter().find(|(name, _)| name.kind() == ObjectKind::Definitions && name.name() == which).cloned();
        let (name, content) = found.ok_or_else(|| damaged(which, "it is not in the snapshot".into()))?;
        self.small(&name, &content)
    }

    fn small(&mut self, name: &ObjectName, content: &Content) -> Result<Vec<u8>, Failed> {
        if content.size > MAX_DEFINITIONS_BYTES as u64 {
            return Err(Failed::Store(SnapshotError::damaged(name.to_string(), "it is too large")));
        }
        let mut sql = Vec::new();
        self.blobs.each(content, |bytes| {
            sql.extend_from_slice(&bytes);
            Ok(())
        })?;
        Ok(sql)
    }
}

fn damaged(which: &str, detail: String) -> Failed {
    Failed::Store(SnapshotError::damaged(format!("definitions:{which}"), clean_line(&detail, 300)))
}
