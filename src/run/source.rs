//! Opens a plan's site, and describes it to `snapshot`.

use super::{Job, Runner, WorkError};
use crate::model::{Digest, RunId, fits};
use crate::plan::{Host, TablePattern};
use crate::playbook::{Argument, Engine as Sort, Playbook, Script};
use crate::remote::{Command, Guard, LocalShell, Shell, SshSettings, SshShell, Target};
use crate::site::{Expect, Site, SiteAddress};
use crate::snapshot::{DatabaseAccess, Engine, SelectTables, Source, TableRule};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Logs in to the plan's host and opens the site there, for a run or just to look.
pub async fn open_site(runner: &Runner, job: &Job, expect: Expect, run: Option<RunId>) -> Result<Site, WorkError> {
    open_guarded(runner, job, expect, run, Guard::default()).await
}

/// The same under a lease.
pub(super) async fn open_guarded(
    runner: &Runner,
    job: &Job,
    expect: Expect,
    run: Option<RunId>,
    guard: Guard,
) -> Result<Site, WorkError> {
    let plan = &job.plan;
    let shell: Arc<dyn Shell> = match &plan.host {
        Host::Local(_) => Arc::new(LocalShell),
        Host::Ssh(host) => {
            let target = Target::new(host.ssh.as_str()).ok_or_else(|| WorkError::Unexpected {
                what: format!("{:?} can't be handed to ssh as a destination", host.ssh.as_str()),
            })?;
            let config = host.ssh_config.as_ref().map(|path| from_folder(&job.folder, path.as_str()));
            let settings = SshSettings { config: config.or_else(|| runner.ssh.config.clone()), ..runner.ssh.clone() };
            Arc::new(SshShell::connect(&target, &settings).await?)
        }
    };
    let address = SiteAddress {
        name: plan.site.clone(),
        root: plan.host.path().as_str().to_owned(),
        url: plan.url.as_str().to_owned(),
        run,
        guard,
    };
    let opened =
        Site::open(Arc::clone(&shell), address, Arc::clone(&job.playbook), &job.scripts, &runner.tools, expect).await;
    if opened.is_err() {
        shell.close().await;
    }
    Ok(opened?)
}

/// Leaves a site: nothing of ours stays on the host.
pub async fn close_site(site: &Site) {
    site.close().await;
    site.shell.close().await;
}

/// A plan's path: absolute, below `~/` (which `ssh` itself understands), or relative to the plan.
fn from_folder(folder: &Path, path: &str) -> PathBuf {
    if path.starts_with("~/") { PathBuf::from(path) } else { folder.join(path) }
}

/// The digest of a playbook and its scripts: what a procedure was made from.
pub fn playbook_digest(playbook: &Playbook, scripts: &[Script]) -> Digest {
    let mut text = serde_json::to_vec(playbook).unwrap_or_default();
    for script in scripts {
        for part in [script.name.as_str().as_bytes(), script.bytes.as_slice()] {
            text.extend_from_slice(Digest::of(part).as_bytes());
        }
    }
    Digest::of(&text)
}

/// The site as `snapshot` needs it. Asks the host for the database's name and prefix.
pub async fn snapshot_source(job: &Job, site: &Site) -> Result<Source, WorkError> {
    let database = match &site.playbook.database {
        None => None,
        Some(database) => {
            let described = site.observe("database", &database.describe).await?;
            let text = |key: &str| described[key].as_str().map(str::to_owned);
            let Some(engine) = engine(site, database.engine, &described)? else { return Ok(source(job, site, None)) };
            let usable = if engine == Engine::Sqlite { usable_path } else { usable_name };
            let name = text("name").filter(|name| usable(name)).ok_or_else(|| WorkError::Unexpected {
                what: format!(
                    "{}: the name of the site's database can't be used: {}",
                    site.address.name,
                    crate::model::clean_line(&described["name"].to_string(), 80)
                ),
            })?;
            let rule = TableRule {
                prefix: text("prefix").unwrap_or_default(),
                installation: database.installation.clone(),
                ours: database.ours.as_ref().and_then(|pattern| regex::Regex::new(pattern.as_str()).ok()),
            };
            if let Some(pattern) = job.plan.protect.first().filter(|_| !engine.keeps_rows()) {
                return Err(WorkError::Unexpected {
                    what: format!(
                        "{}: the plan protects {:?}, and rows that visitors write can't be kept over a restore of a {} \
                         database; leave `protect` out of the plan: what a restore overwrites is a snapshot itself",
                        site.address.name,
                        pattern.as_str(),
                        engine.name()
                    ),
                });
            }
            let name = if engine == Engine::Sqlite { real_path(site, &name).await? } else { name };
            Some(DatabaseAccess {
                engine,
                credentials: if engine == Engine::Sqlite { Vec::new() } else { argv(site, &database.credentials)? },
                name,
                protect: Some(protect(job, rule.clone())),
                select: Some(select(&job.plan.snapshots.tables, rule)),
            })
        }
    };
    Ok(source(job, site, database))
}

fn source(job: &Job, site: &Site, database: Option<DatabaseAccess>) -> Source {
    let own = job.plan.snapshots.exclude.iter().map(|pattern| pattern.as_str().to_owned());
    let files = database.iter().flat_map(|access| access.files_below(site.root()));
    Source {
        exclude: own.chain(files).collect(),
        shell: Arc::clone(&site.shell),
        site: site.address.name.clone(),
        root: site.root().to_owned(),
        database,
    }
}

/// The playbook's engine, or the one that the site's configuration tells of; none where the site has no database.
fn engine(site: &Site, sort: Sort, described: &serde_json::Value) -> Result<Option<Engine>, WorkError> {
    let told = described["engine"].as_str();
    let sort = match sort {
        Sort::Described if told == Some("none") => return Ok(None),
        Sort::Described => told.and_then(Sort::named),
        fixed => Some(fixed),
    };
    match sort {
        Some(Sort::Mysql) => Ok(Some(Engine::Mysql)),
        Some(Sort::Postgresql) => Ok(Some(Engine::Postgresql)),
        Some(Sort::Sqlite) => Ok(Some(Engine::Sqlite)),
        Some(Sort::Described) | None => Err(WorkError::Unexpected {
            what: format!(
                "{}: the site's database is {}, of which no snapshot can be taken; MariaDB, MySQL, PostgreSQL and SQLite can be",
                site.address.name,
                crate::model::clean_line(&described["engine"].to_string(), 80)
            ),
        }),
    }
}

/// Whether rows that visitors write outlast a restore of this site. One that does not tell now which database it has is taken for
/// the usual one.
pub(super) async fn keeps_rows(site: &Site) -> bool {
    let Some(database) = &site.playbook.database else { return false };
    if database.engine != Sort::Described {
        return true;
    }
    let Ok(described) = site.observe("database", &database.describe).await else { return true };
    match engine(site, database.engine, &described) {
        Ok(engine) => engine.is_some_and(Engine::keeps_rows),
        Err(_) => true,
    }
}

/// It becomes an argument of a client program.
fn usable_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && !name.contains(|c: char| c.is_control())
}

fn usable_path(path: &str) -> bool {
    !path.is_empty() && path.len() <= 4096 && !path.contains(|c: char| c.is_control())
}

/// The path of a file as the host knows it, without links: in the folder of the site, unless it is absolute.
async fn real_path(site: &Site, path: &str) -> Result<String, WorkError> {
    const REAL: &str = r#"n=${1##*/}; case $1 in */*) d=${1%/*}/;; *) d=./;; esac
cd -P -- "$d" || exit 1
while [ -L "$n" ]; do l=$(readlink -- "$n") || exit 1; n=${l##*/}; case $l in */*) cd -P -- "${l%/*}/" || exit 1;; esac; done
d=$(pwd -P); printf '%s/%s' "${d%/}" "$n""#;
    let unusable = |what: &str| WorkError::Unexpected {
        what: format!(
            "{}: the file of the site's database, {:?}, can't be found on the host: {}",
            site.address.name,
            crate::model::clean_line(path, 200),
            crate::model::clean_line(what, 200)
        ),
    };
    let command = Command::script(REAL, [path]).in_folder(site.root());
    let output = site.shell.run(&command).await.map_err(|error| unusable(&super::in_words(&error)))?;
    match String::from_utf8(output.stdout.clone()) {
        Ok(real) if output.ok() && real.starts_with('/') && usable_path(&real) => Ok(real),
        _ => Err(unusable(&output.tail())),
    }
}

fn argv(site: &Site, arguments: &[Argument]) -> Result<Vec<String>, WorkError> {
    let rendered: Result<Vec<_>, _> = arguments.iter().map(|argument| argument.render(site.values())).collect();
    let rendered =
        rendered.map_err(|source| crate::site::SiteError::Template { site: site.address.name.clone(), source })?;
    Ok(site.resolved(&rendered).argv)
}

/// The plan's own patterns, or the playbook's rule.
fn select(patterns: &[TablePattern], rule: TableRule) -> SelectTables {
    if patterns.is_empty() {
        return rule.into();
    }
    let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    Arc::new(move |all| {
        let wanted = |name: &&String| patterns.iter().any(|pattern| fits(pattern, name));
        all.iter().filter(wanted).cloned().collect()
    })
}

/// Tables in which visitors write: those that the playbook knows, under the site's prefix, and the plan's own.
fn protect(job: &Job, rule: TableRule) -> SelectTables {
    let known: Vec<String> = job.playbook.database.iter().flat_map(|database| &database.visitors).cloned().collect();
    let own: Vec<String> = job.plan.protect.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    Arc::new(move |all| {
        let is_known = |name: &str| known.iter().any(|pattern| fits(pattern, name));
        let is_ours = |name: &&String| {
            own.iter().any(|pattern| fits(pattern, name)) || rule.without_prefix(name).into_iter().any(is_known)
        };
        all.iter().filter(is_ours).cloned().collect()
    })
}

/// The patterns of the tables in which visitors write, as people know them. `…` stands for the site's prefix.
pub fn protected(job: &Job) -> Vec<String> {
    let known = job.playbook.database.iter().flat_map(|database| &database.visitors);
    let own = job.plan.protect.iter().map(|pattern| pattern.as_str().to_owned());
    own.chain(known.map(|pattern| format!("…{pattern}"))).collect()
}
