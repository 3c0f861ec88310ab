//! Journals in an embedded SQLite database: write-ahead log, every commit synced.

use super::{Entry, Event, Held, Journal, JournalError, Rehearsal, RunSummary, held};
use crate::model::{Outcome, RunId, SiteName};
use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqliteConnection};
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
            .map(|row| {
                let sequence = u64::try_from(row.get::<i64, _>(0)).unwrap_or(0);
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
}
