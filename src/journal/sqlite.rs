//! Journals in an embedded SQLite database: write-ahead log, every commit synced.

use super::{Audited, Entry, Event, Held, Journal, JournalError, Rehearsal, RunSummary, held};
use crate::intake::Assessment;
use crate::ledger::{Decision, Ledger, LedgerEntry};
use crate::model::{ComponentId, Outcome, RunId, SiteName, Version};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, SqliteConnection};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The format of the database, kept in its `user_version`.
const FORMAT: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS runs (
  run TEXT PRIMARY KEY, site TEXT NOT NULL, opened TEXT NOT NULL, outcome TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS runs_by_site ON runs (site, run);
CREATE TABLE IF NOT EXISTS entries (
  run TEXT NOT NULL REFERENCES runs (run), sequence INTEGER NOT NULL, at TEXT NOT NULL,
  event TEXT NOT NULL, PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;
";

/// Came later; programs that do not know it leave it alone, so the format is the same.
const REHEARSALS: &str = "
CREATE TABLE IF NOT EXISTS rehearsals (
  rehearsal TEXT PRIMARY KEY, site TEXT NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS rehearsals_by_site ON rehearsals (site, rehearsal);
";

/// Came later, too.
const INTAKES: &str = "
CREATE TABLE IF NOT EXISTS intakes (
  intake TEXT PRIMARY KEY, site TEXT NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS intakes_by_site ON intakes (site, intake);
";

/// Came later, too.
const AUDITS: &str = "
CREATE TABLE IF NOT EXISTS audits (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, record TEXT NOT NULL) STRICT;
";

/// Came later, too. Numbers are never used twice.
const DECISIONS: &str = "
CREATE TABLE IF NOT EXISTS decisions (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, by TEXT NOT NULL, decision TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sightings (
  cms TEXT NOT NULL, component TEXT NOT NULL, version TEXT NOT NULL, site TEXT NOT NULL, seen TEXT NOT NULL,
  PRIMARY KEY (cms, component, version, site)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sightings_by_site ON sightings (site, seen);
";

/// Journals in one SQLite file.
pub struct SqliteJournal {
    pool: SqlitePool,
    /// Where the files of sites lie that are worked on.
    held: PathBuf,
}

fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> JournalError {
    move |source| JournalError::Database { doing, source }
}

impl SqliteJournal {
    /// Opens the file, and makes it and its folder where there is none.
    pub async fn open(path: &Path) -> Result<Self, JournalError> {
        let shown = path.display().to_string();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|source| JournalError::Folder { path: folder.display().to_string(), source })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30));
        let open = |source| JournalError::Open { path: shown.clone(), source };
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(open)?;
        let mut connection = pool.acquire().await.map_err(open)?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(open)?;
        match found {
            0 => prepare(&mut connection).await.map_err(open)?,
            FORMAT => {}
            _ => {
                return Err(JournalError::Format { path: shown, found, known: FORMAT });
            }
        }
        sqlx::raw_sql(REHEARSALS).execute(&mut *connection).await.map_err(open)?;
        sqlx::raw_sql(INTAKES).execute(&mut *connection).await.map_err(open)?;
        sqlx::raw_sql(AUDITS).execute(&mut *connection).await.map_err(open)?;
        sqlx::raw_sql(DECISIONS).execute(&mut *connection).await.map_err(open)?;
        drop(connection);
        Ok(Self { pool, held: path.with_extension("held") })
    }
}

async fn prepare(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
    sqlx::raw_sql("PRAGMA user_version = 1").execute(connection).await?;
    Ok(())
}

#[async_trait]
impl Journal for SqliteJournal {
    fn hold(&self, site: &SiteName, by: &str) -> Result<Held, JournalError> {
        held::hold(&self.held, site, by)
    }

    async fn append(&self, run: RunId, entry: &Entry) -> Result<(), JournalError> {
        let event = serde_json::to_string(&entry.event).map_err(|source| JournalError::Unwritable { run, source })?;
        let sequence = i64::try_from(entry.sequence).unwrap_or(i64::MAX);
        let doing = failed("appending an entry");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&doing)?;
        if let Event::Opened(opened) = &entry.event {
            sqlx::query("INSERT INTO runs (run, site, opened) VALUES (?, ?, ?)")
                .bind(run.to_string())
                .bind(opened.site.as_str())
                .bind(entry.at.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(&doing)?;
        }
        let last: Option<i64> = sqlx::query_scalar("SELECT max(sequence) FROM entries WHERE run = ?")
            .bind(run.to_string())
            .fetch_one(&mut *transaction)
            .await
            .map_err(&doing)?;
        if last.unwrap_or(0) + 1 != sequence {
            return Err(JournalError::Overtaken { run, sequence: entry.sequence });
        }
        sqlx::query("INSERT INTO entries (run, sequence, at, event) VALUES (?, ?, ?, ?)")
            .bind(run.to_string())
            .bind(sequence)
            .bind(entry.at.to_string())
            .bind(event)
            .execute(&mut *transaction)
            .await
            .map_err(&doing)?;
        if let Event::Closed { outcome, .. } = &entry.event {
            sqlx::query("UPDATE runs SET outcome = ? WHERE run = ?")
                .bind(outcome.as_str())
                .bind(run.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(&doing)?;
        }
        transaction.commit().await.map_err(&doing)
    }

    async fn entries(&self, run: RunId) -> Result<Vec<Entry>, JournalError> {
        let rows = sqlx::query("SELECT sequence, at, event FROM entries WHERE run = ? ORDER BY sequence")
            .bind(run.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading a run"))?;
        rows.iter()
            .zip(1..)
            .map(|(row, wanted)| {
                let sequence = u64::try_from(row.get::<i64, _>(0)).unwrap_or(0);
                if sequence != wanted {
                    return Err(JournalError::Missing { run, sequence: wanted });
                }
                let unreadable = |source| JournalError::Unreadable { run, sequence, source };
                let event = serde_json::from_str(row.get::<&str, _>(2)).map_err(unreadable)?;
                let at = row
                    .get::<&str, _>(1)
                    .parse()
                    .map_err(|error: jiff::Error| unreadable(serde::de::Error::custom(error)))?;
                Ok(Entry { sequence, at, event })
            })
            .collect()
    }

    async fn recorded(&self, run: RunId) -> Result<Vec<u8>, JournalError> {
        let rows = sqlx::query("SELECT sequence, at, event FROM entries WHERE run = ? ORDER BY sequence")
            .bind(run.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading a run"))?;
        let mut lines = Vec::new();
        for row in &rows {
            let (sequence, at, event) = (row.get::<i64, _>(0), row.get::<&str, _>(1), row.get::<&str, _>(2));
            // The event's text is JSON of ours already, on one line.
            lines.extend_from_slice(
                format!("{{\"sequence\":{sequence},\"at\":\"{at}\",\"event\":{event}}}\n").as_bytes(),
            );
        }
        Ok(lines)
    }

    async fn runs(
        &self,
        site: Option<&SiteName>,
        open_only: bool,
        limit: u32,
    ) -> Result<Vec<RunSummary>, JournalError> {
        const LIST: &str = "SELECT run, site, opened, outcome FROM runs
            WHERE (?1 IS NULL OR site = ?1) AND (NOT ?2 OR outcome IS NULL) ORDER BY run DESC LIMIT ?3";
        let rows = sqlx::query(LIST)
            .bind(site.map(SiteName::as_str))
            .bind(open_only)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing runs"))?;
        let mut runs = Vec::new();
        for row in &rows {
            let read = || {
                let outcome = row.get::<Option<&str>, _>(3);
                Some(RunSummary {
                    run: row.get::<&str, _>(0).parse().ok()?,
                    site: row.get::<&str, _>(1).parse().ok()?,
                    opened: row.get::<&str, _>(2).parse().ok()?,
                    outcome: outcome.and_then(|name| Outcome::ALL.into_iter().find(|one| one.as_str() == name)),
                })
            };
            runs.extend(read());
        }
        Ok(runs)
    }

    async fn rehearsed(&self, rehearsal: &Rehearsal) -> Result<(), JournalError> {
        let unwritable = |source| JournalError::Unwritable { run: rehearsal.id, source };
        let record = serde_json::to_string(rehearsal).map_err(unwritable)?;
        sqlx::query("INSERT INTO rehearsals (rehearsal, site, record) VALUES (?, ?, ?)")
            .bind(rehearsal.id.to_string())
            .bind(rehearsal.site.as_str())
            .bind(record)
            .execute(&self.pool)
            .await
            .map_err(failed("writing down a rehearsal"))?;
        Ok(())
    }

    async fn rehearsals(&self, site: &SiteName, limit: u32) -> Result<Vec<Rehearsal>, JournalError> {
        let rows = sqlx::query("SELECT record FROM rehearsals WHERE site = ? ORDER BY rehearsal DESC LIMIT ?")
            .bind(site.as_str())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing rehearsals"))?;
        Ok(rows.iter().filter_map(|row| Rehearsal::read(row.get::<&str, _>(0))).collect())
    }

    async fn assessed(&self, assessment: &Assessment) -> Result<(), JournalError> {
        let unwritable = |source| JournalError::Unwritable { run: assessment.id, source };
        let record = serde_json::to_string(assessment).map_err(unwritable)?;
        sqlx::query("INSERT INTO intakes (intake, site, record) VALUES (?, ?, ?)")
            .bind(assessment.id.to_string())
            .bind(assessment.site.as_str())
            .bind(record)
            .execute(&self.pool)
            .await
            .map_err(failed("writing down an assessment"))?;
        Ok(())
    }

    async fn assessments(&self, site: &SiteName, limit: u32) -> Result<Vec<Assessment>, JournalError> {
        let rows = sqlx::query("SELECT record FROM intakes WHERE site = ? ORDER BY intake DESC LIMIT ?")
            .bind(site.as_str())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing assessments"))?;
        Ok(rows.iter().filter_map(|row| Assessment::read(row.get::<&str, _>(0))).collect())
    }

    async fn audited(&self, audited: &Audited) -> Result<(), JournalError> {
        let record = serde_json::to_string(audited).map_err(JournalError::Audit)?;
        sqlx::query("INSERT INTO audits (at, record) VALUES (?, ?)")
            .bind(audited.at.to_string())
            .bind(record)
            .execute(&self.pool)
            .await
            .map_err(failed("writing down what an audit came to"))?;
        Ok(())
    }

    async fn audits(&self, limit: u32) -> Result<Vec<Audited>, JournalError> {
        let rows = sqlx::query("SELECT record FROM audits ORDER BY number DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing audits"))?;
        Ok(rows.iter().filter_map(|row| Audited::read(row.get::<&str, _>(0))).collect())
    }

    async fn decide(&self, at: Timestamp, by: &str, decision: &Decision) -> Result<u64, JournalError> {
        let text = serde_json::to_string(decision).map_err(|source| JournalError::Decision { number: 0, source })?;
        let written = sqlx::query("INSERT INTO decisions (at, by, decision) VALUES (?, ?, ?)")
            .bind(at.to_string())
            .bind(by)
            .bind(text)
            .execute(&self.pool)
            .await
            .map_err(failed("writing down a decision"))?;
        Ok(u64::try_from(written.last_insert_rowid()).unwrap_or(0))
    }

    async fn ledger(&self) -> Result<Ledger, JournalError> {
        let rows = sqlx::query("SELECT number, at, by, decision FROM decisions ORDER BY number")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the decisions"))?;
        let read = rows.iter().map(|row| {
            let number = u64::try_from(row.get::<i64, _>(0)).unwrap_or(0);
            let unreadable = |source| JournalError::Decision { number, source };
            let at = row.get::<&str, _>(1).parse();
            let at = at.map_err(|error: jiff::Error| unreadable(serde::de::Error::custom(error)))?;
            let decision = serde_json::from_str(row.get::<&str, _>(3)).map_err(unreadable)?;
            Ok(LedgerEntry { number, at, by: row.get(2), decision })
        });
        Ok(Ledger::new(read.collect::<Result<_, JournalError>>()?))
    }

    async fn first_seen(
        &self,
        (cms, site): (&str, &SiteName),
        offers: &[(ComponentId, Version)],
        now: Timestamp,
    ) -> Result<HashMap<(ComponentId, Version), Timestamp>, JournalError> {
        // The first one stays.
        const SEE: &str = "INSERT INTO sightings (cms, component, version, site, seen) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING";
        const SEEN: &str = "SELECT site, seen FROM sightings WHERE cms = ? AND component = ? AND version = ?";
        const FORGET: &str = "DELETE FROM sightings WHERE site = ? AND seen <=
            (SELECT seen FROM sightings WHERE site = ? ORDER BY seen DESC LIMIT 1 OFFSET ?)";
        let doing = failed("writing down which offers were seen");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&doing)?;
        let mut first = HashMap::new();
        for (component, version) in offers {
            let name = component.to_string();
            let see = sqlx::query(SEE).bind(cms).bind(&name).bind(version.as_str()).bind(site.as_str());
            see.bind(now.to_string()).execute(&mut *transaction).await.map_err(&doing)?;
            let seen = sqlx::query(SEEN).bind(cms).bind(&name).bind(version.as_str());
            let rows = seen.fetch_all(&mut *transaction).await.map_err(&doing)?;
            let of =
                |row: &SqliteRow| Some((row.get::<&str, _>(0) == site.as_str(), row.get::<&str, _>(1).parse().ok()?));
            let seen = known_since(rows.iter().filter_map(of)).unwrap_or(now);
            first.insert((component.clone(), version.clone()), seen);
        }
        let forget = sqlx::query(FORGET).bind(site.as_str()).bind(site.as_str()).bind(MOST_SIGHTINGS);
        forget.execute(&mut *transaction).await.map_err(&doing)?;
        transaction.commit().await.map_err(&doing)?;
        Ok(first)
    }
}

/// How many sightings are kept of one site.
const MOST_SIGHTINGS: i64 = 20_000;

/// Since when a release counts as known, from (by this site, when): since this site saw it, or since two others had. What a single
/// other site prints may be made up.
fn known_since(seen: impl Iterator<Item = (bool, Timestamp)>) -> Option<Timestamp> {
    let (own, mut others): (Vec<_>, Vec<_>) = seen.partition(|(own, _)| *own);
    others.sort_by_key(|(_, at)| *at);
    own.into_iter().chain(others.into_iter().skip(1)).map(|(_, at)| at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Stack;

    #[tokio::test]
    async fn an_entry_that_somebody_took_out_or_changed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(&folder.path().join("journal.db")).await.unwrap();
        let run = RunId::new(Timestamp::UNIX_EPOCH);
        let sql = |text: &str| {
            let (pool, text) = (journal.pool.clone(), text.replace("RUN", &run.to_string()));
            async move { sqlx::query(sqlx::AssertSqlSafe(text)).execute(&pool).await.unwrap() }
        };
        sql("INSERT INTO runs VALUES ('RUN', 'shop', '2026-11-24T12:00:00Z', NULL)").await;
        for sequence in 1..=4 {
            let event = r#"{"event":"noted","what":"x"}"#;
            sql(&format!("INSERT INTO entries VALUES ('RUN', {sequence}, '2026-11-24T12:00:00Z', '{event}')")).await;
        }
        let read = async || journal.entries(run).await;
        assert_eq!(read().await.unwrap().len(), 4);
        sql("UPDATE entries SET event = substr(event, 1, 12) WHERE sequence = 3").await;
        assert!(matches!(read().await, Err(JournalError::Unreadable { sequence: 3, .. })));
        sql("DELETE FROM entries WHERE sequence = 3").await;
        assert!(matches!(read().await, Err(JournalError::Missing { sequence: 3, .. })));
        sql("DELETE FROM entries WHERE sequence = 1").await;
        assert!(matches!(read().await, Err(JournalError::Missing { sequence: 1, .. })));
    }

    #[tokio::test]
    async fn decisions_are_numbered_and_read_back_and_offers_keep_the_day_they_were_seen_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        let at = |second| Timestamp::from_second(second).unwrap();
        let (component, version) = (ComponentId::new("plugin", "a").unwrap(), Version::new("2.0").unwrap());
        let [one, two, three] = ["one", "two", "three"].map(|name| SiteName::new(name).unwrap());
        let broke = Decision::Broke {
            site: SiteName::new("shop").unwrap(),
            run: RunId::new(at(1)),
            component: component.clone(),
            version: version.clone(),
            stack: Stack { cms: "wordpress".into(), core: "6.1".into(), platform: Default::default() },
            why: "status 500".into(),
        };
        let lifted = Decision::Lifted { component: component.clone(), version: version.clone(), why: "mended".into() };
        let offer = [(component, version)];
        {
            let journal = SqliteJournal::open(&file).await.unwrap();
            assert_eq!(journal.decide(at(2), "ops", &broke).await.unwrap(), 1);
            assert_eq!(journal.decide(at(3), "ops", &lifted).await.unwrap(), 2);
            assert_eq!(journal.first_seen(("wordpress", &one), &offer, at(10)).await.unwrap()[&offer[0]], at(10));
        }
        let journal = SqliteJournal::open(&file).await.unwrap();
        let ledger = journal.ledger().await.unwrap();
        let decisions: Vec<_> =
            ledger.entries().iter().map(|entry| (entry.number, entry.at, &entry.decision)).collect();
        assert_eq!(decisions, [(1, at(2), &broke), (2, at(3), &lifted)]);
        for (cms, site, now, since) in [
            ("wordpress", &one, 20, 10),
            ("joomla", &one, 20, 20),
            // One other site may have made it up.
            ("wordpress", &two, 30, 30),
            ("wordpress", &three, 40, 30),
            ("wordpress", &three, 50, 30),
        ] {
            let first = journal.first_seen((cms, site), &offer, at(now)).await.unwrap()[&offer[0]];
            assert_eq!(first, at(since), "{cms} {site} {now}");
        }
    }
}
