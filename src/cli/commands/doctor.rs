//! `intendant doctor`.

use crate::check::{Prober, ProberSettings};
use crate::cli::arguments::{Common, Sites};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::model::{human_bytes, in_words};
use crate::run::{Job, NoListener, Runner, close_site, open_site, snapshot_source};
use crate::site::{Expect, HostFacts, Lease, Site, Switch};
use crate::snapshot::{Engine, Source};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// One thing that was looked at.
#[derive(Serialize)]
struct Symptom {
    good: bool,
    what: String,
}

/// The largest difference of two clocks that harms nothing, in seconds.
const MAX_CLOCK_SKEW: i64 = 120;
/// Less free room than this is worth a word, in bytes.
const LITTLE_ROOM: u64 = 512 << 20;

pub(in crate::cli) async fn doctor(common: &Common, options: &Sites) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let mut code = ExitCode::OK;
    let mut all = Vec::new();
    for job in fleet.jobs(options)? {
        let name = job.plan.site.clone();
        let symptoms = examine(&runner, &job).await;
        if symptoms.iter().any(|symptom| !symptom.good) {
            code = code.max(ExitCode::SHORT);
        }
        if common.json {
            all.push(json!({ "site": name, "symptoms": symptoms }));
            continue;
        }
        show::line(format!("{name}:"));
        for symptom in symptoms {
            show::line(format!("  {} {}", if symptom.good { "ok " } else { "BAD" }, symptom.what));
        }
    }
    if common.json {
        show::json(&json!({ "doctor": 1, "sites": all }));
    }
    Ok(code)
}

async fn examine(runner: &Runner, job: &Job) -> Vec<Symptom> {
    let mut symptoms = Vec::new();
    let mut say = |good: bool, what: String| symptoms.push(Symptom { good, what });
    let site = match open_site(runner, job, Expect::Whole, None).await {
        Ok(site) => site,
        Err(error) => {
            say(false, in_words(&error));
            return symptoms;
        }
    };
    say(true, format!("logged in to {} as {}", site.shell.host(), site.host.user));
    host(&site, runner, &mut say);
    for (name, run) in site.tools() {
        say(true, format!("{name}: {}", run.join(" ")));
    }
    match snapshot_source(job, &site).await {
        Ok(source) => {
            match &source.database {
                Some(database) => {
                    say(true, format!("the site's configuration names the database {}", database.name));
                    database_clients(&site.host, database.engine, &mut say);
                }
                None => say(true, "the site has no database".into()),
            }
            let (good, what) = heals(job, &site, &source).await;
            say(good, what);
        }
        Err(error) => say(false, in_words(&error)),
    }
    match Lease::new(&site).held().await {
        Ok(None) => say(true, "no run holds the site".into()),
        Ok(Some(held)) => say(false, format!("{held}; if it is dead: intendant recover {}", job.plan.site)),
        Err(error) => say(false, in_words(&error)),
    }
    close_site(&site).await;
    match page(job).await {
        Ok(what) => say(true, what),
        Err(what) => say(false, what),
    }
    // A bucket is far away, and may be closed to us.
    match runner.store.tried() {
        Ok(None) => {}
        Ok(Some(what)) => say(true, what),
        Err(error) => say(false, in_words(&error)),
    }
    if let Some(good) = encryption(runner) {
        match good {
            Ok(what) => say(true, what),
            Err(what) => say(false, what),
        }
    }
    symptoms
}

/// Whether the host can put the site back by itself when its runner is lost. A run does without.
async fn heals(job: &Job, site: &Site, source: &Source) -> (bool, String) {
    let after = job.plan.heal_after;
    if after.is_zero() {
        return (true, "the host will not put itself back if a run is cut off: heal-after is 0s in the plan".into());
    }
    let unable = match &source.database {
        Some(access) if !access.engine.heals() => Ok(Some(format!("its database is {}", access.engine.name()))),
        database => Switch::new(site).unable(database.is_some()).await,
    };
    match unable {
        Ok(None) => (true, format!("the host can put itself back {after} after a run was cut off")),
        Ok(Some(why)) => {
            (true, format!("the host can NOT put itself back if a run is cut off ({why}); `intendant recover` can"))
        }
        Err(error) => (false, in_words(&error)),
    }
}

/// Whether the snapshots of an encrypted store can be read here, as a run needs it.
fn encryption(runner: &Runner) -> Option<Result<String, String>> {
    let recipients = match runner.store.recipients() {
        Ok(recipients) if recipients.is_empty() => return None,
        Ok(recipients) => recipients,
        Err(error) => return Some(Err(in_words(&error))),
    };
    Some(match runner.store.readable() {
        Ok(()) => Ok(format!("snapshots are encrypted to {}, and can be read here", recipients.join(", "))),
        Err(error) => Err(in_words(&error)),
    })
}

fn host(site: &Site, runner: &Runner, say: &mut impl FnMut(bool, String)) {
    let host = &site.host;
    if host.user == host.owner {
        say(true, format!("{} belongs to {}", site.root(), host.owner));
    } else {
        say(
            false,
            format!(
                "{} belongs to {}, not to {}: updates may not be able to write",
                site.root(),
                host.owner,
                host.user
            ),
        );
    }
    for program in ["tar", "find", "timeout"] {
        match host.programs.get(program) {
            Some(path) => say(true, format!("{program}: {path}")),
            None => say(false, format!("{program} is missing on the host; install it there")),
        }
    }
    let (good, what) = snapshot_tools(host);
    say(good, what);
    if let Some(free) = host.free_bytes {
        say(free >= LITTLE_ROOM, format!("{} free below {}", human_bytes(free), site.root()));
    }
    if let Some(clock) = host.clock_seconds {
        let skew = clock - runner.clock.now().as_second();
        say(skew.abs() <= MAX_CLOCK_SKEW, format!("the host's clock differs from this one by {skew} s"));
    }
}

fn database_clients(host: &HostFacts, engine: Engine, say: &mut impl FnMut(bool, String)) {
    for names in database_programs(engine) {
        match names.iter().find_map(|name| host.programs.get(*name)) {
            Some(path) => say(true, format!("{}: {path}", names[0])),
            None => {
                let names = names.join(", nor ");
                say(false, format!("there is no {names} on the host; install a database client there"));
            }
        }
    }
}

/// The programs that snapshots of a database need, each with what stands in for it.
fn database_programs(engine: Engine) -> &'static [&'static [&'static str]] {
    match engine {
        Engine::Mysql => &[&["mariadb", "mysql"], &["mariadb-dump", "mysqldump"]],
        Engine::Postgresql => &[&["psql"], &["pg_dump"]],
        Engine::Sqlite => &[&["sqlite3", "python3"]],
    }
}

/// Which programs list, read and write the site's files for snapshots.
fn snapshot_tools(host: &HostFacts) -> (bool, String) {
    let version = |program: &str| host.versions.get(program).map_or("", String::as_str);
    let used = |program: &str| {
        [version(program), version("busybox")]
            .into_iter()
            .zip(["GNU", "BusyBox"])
            .find(|(version, maker)| version.contains(maker))
    };
    let (Some((find, _)), Some((tar, maker))) = (used("find"), used("tar")) else {
        let what =
            "the host has neither GNU find and tar nor BusyBox, which snapshots need; install findutils and tar there";
        return (false, what.into());
    };
    let less = match maker {
        "GNU" => "",
        _ => ": what a restore writes has times to the second, and no holes; install GNU tar there for more",
    };
    (true, format!("snapshots use {find} and {tar}{less}"))
}

async fn page(job: &Job) -> Result<String, String> {
    let url = job.plan.url.as_str();
    let prober = Prober::new(url, ProberSettings::default()).map_err(|error| in_words(&error))?;
    let observation = prober.observe(&crate::check::HttpCheck::new("/")).await;
    let crate::check::Observation::Http { plain, .. } = observation else {
        return Err(format!("{url} could not be asked"));
    };
    match (plain.status, plain.failure) {
        (Some(status @ 200..=399), None) => Ok(format!("{url} answers {status}")),
        (Some(status), None) => Err(format!("{url} answers {status}")),
        (_, Some(failure)) => Err(format!("{url} gives no complete answer: {}: {}", failure.kind, failure.detail)),
        (None, None) => Err(format!("{url} does not answer")),
    }
}
