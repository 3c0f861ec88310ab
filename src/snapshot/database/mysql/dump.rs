//! Dump: one stream from the host, split into objects that are hashed and stored as they come.
//! Tables whose fingerprint is the previous snapshot's are left out, their stored content is taken.
//!
//! May use: `remote`, `store`, and its siblings. Invariants: status, standard error and the
//! closing line must all say that it is complete; what is left out was unchanged before and after,
//! or, where the caller tolerates it, can't be dumped: then a remark stands for it.

use super::super::super::error::{Result, SnapshotError};
use super::super::super::item::{Item, ObjectKind, ObjectName};
use super::super::super::manifest::{Content, DatabaseFacts, Entry, Manifest};
use super::super::super::store::Writer;
use super::super::super::stream::BROKEN_PIPE;
use super::super::super::{NoProgress, Progress, Source};
use super::super::{Dumped, WholeDump};
use super::collect::{Collected, read};
use super::fingerprint::{Fingerprints, Look, fingerprints};
use super::probe::{Probed, broken, probe};
use super::{DatabaseAccess, failure, script, values};
use crate::model::clean_line;
use crate::remote::{Command, Process};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) const DUMP: &str =
    script!(r#"printf '%s\n' "$o" | { exec 4<&0; exec "$d" --defaults-file=/dev/fd/4 "$@" </dev/null; }"#);
/// How a dump is made, for both families. Dates are left out and rows ordered, so that equal
/// contents give equal bytes.
pub(super) const OPTIONS: [&str; 17] = [
    "--single-transaction",
    "--quick",
    "--skip-lock-tables",
    "--skip-add-locks",
    "--triggers",
    "--hex-blob",
    "--no-tablespaces",
    "--skip-dump-date",
    "--order-by-primary",
    "--quote-names",
    "--add-drop-table",
    "--create-options",
    "--extended-insert",
    "--set-charset",
    "--tz-utc",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1073741824",
];
pub(super) const DOING: &str = "dumping";
pub(super) const DUMP_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// The most bytes of table names on one command line.
pub(super) const MAX_NAMES_BYTES: usize = 96 << 10;
/// How often it is tried to leave tables out while others write to them; the last time none is.
const MAX_ROUNDS: usize = 3;

type Objects = BTreeMap<ObjectName, Content>;

/// Dumps the site's part of its database into the store, without the tables that are as they
/// were in the previous snapshot. `tolerant`: what can't be dumped is no failure; its content is a
/// remark, which differs from whatever a good one has.
pub(in super::super) async fn dump(
    source: &Source,
    access: &DatabaseAccess,
    mut writer: Writer,
    previous: Option<&Manifest>,
    tolerant: bool,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    let mut work = Dump { source, access, progress, tolerant, broken: BTreeMap::new(), bytes: 0 };
    for round in 1.. {
        let trusted = previous.filter(|_| round < MAX_ROUNDS);
        let (back, done) = work.once(writer, trusted).await?;
        writer = back;
        if let Some((objects, facts)) = done {
            return Ok((writer, Dumped { objects, facts, bytes: work.bytes }));
        }
    }
    Err(SnapshotError::Worker { doing: "dumping" })
}

/// What the dump program is given so that it dumps the site's part of the database at once.
pub(in super::super) async fn whole_dump(source: &Source, access: &DatabaseAccess) -> Result<Option<WholeDump>> {
    let mut probed = probe(source, access).await?;
    let chosen = access.select.as_ref().map_or_else(|| probed.names.clone(), |select| select(&probed.names));
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let work = Dump { source, access, progress: &progress, tolerant: false, broken: BTreeMap::new(), bytes: 0 };
    let Some(mut arguments) = work.arguments(&mut probed, &chosen, &[])? else { return Ok(None) };
    let shared = chosen.len() < probed.names.len();
    let tables = if shared { arguments.split_off(arguments.len() - chosen.len()) } else { Vec::new() };
    Ok(Some(WholeDump { arguments, tables }))
}

/// Reads a dump that was made so, and kept.
pub(in super::super) async fn read_dump(
    source: &Source,
    access: &DatabaseAccess,
    kept: Process,
    writer: Writer,
    progress: &Arc<dyn Progress>,
) -> Result<(Writer, Dumped)> {
    let probed = probe(source, access).await?;
    let work = Dump { source, access, progress, tolerant: false, broken: BTreeMap::new(), bytes: 0 };
    let Collected { writer, objects, structure, bytes } = work.read(kept, &probed, writer).await?;
    Ok((writer, Dumped { objects, facts: DatabaseFacts { structure, ..probed.facts }, bytes }))
}

/// What the site's part of its database is made of now, without any rows. `hashing` stores nothing.
pub(in super::super) async fn structure(
    source: &Source,
    access: &DatabaseAccess,
    hashing: Writer,
) -> Result<DatabaseFacts> {
    let mut probed = probe(source, access).await?;
    let chosen = access.select.as_ref().map_or_else(|| probed.names.clone(), |select| select(&probed.names));
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let work = Dump { source, access, progress: &progress, tolerant: true, broken: BTreeMap::new(), bytes: 0 };
    if let Some(mut arguments) = work.arguments(&mut probed, &chosen, &[])?
        && (!chosen.is_empty() || probed.names.is_empty())
    {
        arguments.insert(0, "--no-data".into());
        probed.facts.structure = work.run(arguments, &probed, hashing).await?.structure;
    }
    Ok(probed.facts)
}

struct Dump<'a> {
    source: &'a Source,
    access: &'a DatabaseAccess,
    progress: &'a Arc<dyn Progress>,
    tolerant: bool,
    /// What can't be dumped, and why.
    broken: BTreeMap<ObjectName, String>,
    bytes: u64,
}

impl Dump<'_> {
    /// One try; none when a table that was left out was changed meanwhile.
    async fn once(
        &mut self,
        mut writer: Writer,
        previous: Option<&Manifest>,
    ) -> Result<(Writer, Option<(Objects, DatabaseFacts)>)> {
        let mut probed = probe(self.source, self.access).await?;
        let chosen = match &self.access.select {
            Some(select) => select(&probed.names),
            None => probed.names.clone(),
        };
        if chosen.is_empty() && !probed.names.is_empty() {
            return Ok((writer, Some((Objects::new(), probed.facts))));
        }
        if self.tolerant {
            self.broken = broken(self.source, self.access, &probed).await?;
        }
        self.broken.retain(|object, _| chosen.iter().any(|name| name == object.name()));
        let whole = |name: &&String| !self.broken.keys().any(|object| object.name() == name.as_str());
        let tables: Vec<String> =
            chosen.iter().filter(|name| probed.tables.contains(name)).filter(whole).cloned().collect();
        let before = self.fingerprints(&probed, &tables, Look::First).await?;
        let known = previous.map_or_else(Objects::new, |manifest| self.unchanged(manifest, &before, &writer));
        let mut still: Vec<&String> = before.keys().collect();
        let mut objects = Objects::new();
        let left_out: Vec<&ObjectName> = known.keys().chain(self.broken.keys()).collect();
        if let Some(arguments) = self.arguments(&mut probed, &chosen, &left_out)? {
            let collected = self.run(arguments, &probed, writer).await?;
            (writer, objects) = (collected.writer, collected.objects);
            probed.facts.structure = collected.structure;
            self.bytes += collected.bytes;
        }
        if objects.keys().any(|object| object.kind() == ObjectKind::Table) {
            let after = self.fingerprints(&probed, &tables, Look::Again(&before)).await?;
            let held = |name: &str| before.get(name).zip(after.get(name)).is_some_and(|(then, now)| then.held(now));
            if known.keys().any(|object| !held(object.name())) {
                return Ok((writer, None));
            }
            // Only what did not change while it was dumped has a fingerprint that fits its content.
            still.retain(|name| held(name));
        }
        let named = |name: &String| Some((ObjectName::new(ObjectKind::Table, name).ok()?, before.get(name)?.whole));
        probed.facts.fingerprints = still.into_iter().filter_map(named).collect();
        let then = previous.and_then(|manifest| manifest.header.database.as_ref()).map(|facts| &facts.structure);
        let structure = |object: &ObjectName| Some((object.clone(), *then?.get(object)?));
        probed.facts.structure.extend(known.keys().filter_map(structure));
        objects.extend(known);
        for (object, why) in &self.broken {
            let mut content = writer.content();
            content.take(&mut writer, format!("-- {object} can't be dumped: {why}\n").as_bytes())?;
            objects.insert(object.clone(), content.finish(&mut writer)?);
            probed.facts.skipped.push(format!("{object}: {why}"));
        }
        Ok((writer, Some((objects, probed.facts))))
    }

    /// The fingerprints of these tables; none where the server's answers are not known well
    /// enough, or it can't give them: then everything is dumped.
    async fn fingerprints(&self, probed: &Probed, tables: &[String], look: Look<'_>) -> Result<Fingerprints> {
        if probed.mysql || !probed.facts.server.contains("MariaDB") {
            return Ok(Fingerprints::new());
        }
        match fingerprints(self.source, self.access, probed, tables, look).await {
            // Nothing waits for a lock in vain twice.
            Err(SnapshotError::Database { detail, .. }) if !detail.contains("ERROR 1205") => {
                tracing::warn!(%detail, site = %self.source.site, "tables have no fingerprints; all are dumped");
                Ok(Fingerprints::new())
            }
            found => found,
        }
    }

    /// The tables that are as they were, with their stored content.
    fn unchanged(&self, previous: &Manifest, now: &Fingerprints, writer: &Writer) -> Objects {
        let then = previous.header.database.as_ref().filter(|facts| facts.name == self.access.name);
        let Some((then, structure)) = then.map(|facts| (&facts.fingerprints, &facts.structure)) else {
            return Objects::new();
        };
        let stored = now.iter().filter_map(|(name, now)| {
            let object = ObjectName::new(ObjectKind::Table, name).ok()?;
            then.get(&object).filter(|then| **then == now.whole && structure.contains_key(&object))?;
            let content = previous.entry(&Item::Object(object.clone())).and_then(Entry::content)?;
            writer.has(content).then(|| (object, content.clone()))
        });
        let known: Objects = stored.collect();
        let bytes = |object: &ObjectName| object.name().len() + self.access.name.len() + 20;
        let fits = known.keys().map(bytes).sum::<usize>() <= MAX_NAMES_BYTES;
        if fits { known } else { Objects::new() }
    }

    /// The dump program's arguments; none when there is nothing to dump.
    fn arguments(
        &self,
        probed: &mut Probed,
        chosen: &[String],
        left_out: &[&ObjectName],
    ) -> Result<Option<Vec<String>>> {
        let mut arguments: Vec<String> = OPTIONS.map(String::from).into();
        arguments.extend(extra(probed));
        let name = &self.access.name;
        if chosen.len() < probed.names.len() {
            // They belong to the database, not to a table: nobody can tell whose they are.
            probed.facts.skipped.push("routines and events: the database is shared with other software".into());
            arguments.extend(["--skip-routines", "--skip-events", "--", name].map(String::from));
            let out: Vec<&str> = left_out.iter().map(|object| object.name()).collect();
            let wanted: Vec<&String> = chosen.iter().filter(|name| !out.contains(&name.as_str())).collect();
            if wanted.iter().map(|name| name.len() + 3).sum::<usize>() > MAX_NAMES_BYTES {
                return Err(SnapshotError::TooMuch {
                    what: format!("bytes of table names in database {name} on {}", self.source.shell.host()),
                    limit: MAX_NAMES_BYTES as u64,
                });
            }
            arguments.extend(wanted.iter().map(|name| (*name).clone()));
            return Ok((!wanted.is_empty()).then_some(arguments));
        }
        arguments.push("--routines".into());
        if probed.events {
            arguments.push("--events".into());
        } else {
            probed.facts.skipped.push("events: the account has no EVENT privilege".into());
            arguments.push("--skip-events".into());
        }
        arguments.extend(left_out.iter().map(|object| format!("--ignore-table={name}.{}", object.name())));
        arguments.extend(["--".into(), name.clone()]);
        Ok(Some(arguments))
    }

    /// Runs the dump program.
    async fn run(&self, arguments: Vec<String>, probed: &Probed, writer: Writer) -> Result<Collected> {
        let host = self.source.shell.host();
        let command = Command::script(DUMP, values(self.access, arguments)).within(DUMP_TIMEOUT);
        let started = self.source.shell.start(&command).await;
        self.read(started.map_err(SnapshotError::remote(host, DOING))?, probed, writer).await
    }

    /// Reads what a dump program prints, or has printed.
    async fn read(&self, mut process: Process, probed: &Probed, writer: Writer) -> Result<Collected> {
        let host = self.source.shell.host();
        let stdout = std::mem::replace(&mut process.stdout, Box::pin(tokio::io::empty()));
        let (listener, packet) = (self.progress.clone(), probed.packet);
        let reading = tokio::task::spawn_blocking(move || read(stdout, writer, packet, &*listener));
        let read = reading.await;
        let output = process.finish().await.map_err(SnapshotError::remote(host, DOING))?;
        // Where we stopped reading, the reason is ours; the program only says that its pipe broke.
        let broken = output.status == BROKEN_PIPE || String::from_utf8_lossy(&output.stderr).contains("errno 32 ");
        let stopped = broken && !matches!(read, Ok(Ok(Ok(_))));
        if !stopped && (!output.ok() || complains(&output.stderr)) {
            return Err(failure(host, self.access, DOING, &output));
        }
        read.unwrap_or(Ok(Err("a worker ended early".into())))?.map_err(|detail| SnapshotError::Database {
            host: host.to_owned(),
            name: self.access.name.clone(),
            doing: DOING,
            detail: clean_line(&detail, 500),
        })
    }
}

/// Options that MySQL's own program needs besides.
pub(super) fn extra(probed: &Probed) -> Vec<String> {
    let options: &[&str] = if probed.mysql { &["--set-gtid-purged=OFF", "--column-statistics=0"] } else { &[] };
    options.iter().map(|option| (*option).to_owned()).collect()
}

/// Whether a dump program said on standard error that something is missing.
pub(super) fn complains(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr);
    text.lines().filter(|line| !line.trim().is_empty()).any(|line| {
        let lower = line.to_lowercase();
        let only_warns = lower.contains("warning") || lower.contains("deprecated");
        !only_warns || lower.contains("error")
    })
}
