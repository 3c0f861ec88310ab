//! The sites that a command is about, and the runner that works on them.

use super::arguments::{Common, Sites};
use super::identity::common_keys;
use super::settings::{Settings, StorePlace};
use super::{ExitCode, Failure};
use crate::journal::SqliteJournal;
use crate::model::Digest;
use crate::plan::{self, Plan, Terms};
use crate::playbook::Library;
use crate::remote::SshSettings;
use crate::run::{Job, Listener, Runner, SystemClock};
use crate::site::ToolCache;
use crate::snapshot::{BucketUse, Identities, Store};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Settings and playbooks, read once.
pub(super) struct Fleet {
    pub(super) settings: Settings,
    pub(super) library: Library,
}

impl Fleet {
    pub(super) fn open(common: &Common) -> Result<Self, Failure> {
        Self::of(Settings::load(common)?)
    }

    /// The same to put a site in order: that nobody can read the pools of licences keeps nobody from that.
    pub(super) fn open_to_mend(common: &Common) -> Result<Self, Failure> {
        Self::of(Settings::load_to_mend(common)?)
    }

    fn of(settings: Settings) -> Result<Self, Failure> {
        let library = match &settings.playbooks {
            Some(folder) => Library::open(folder).map_err(|error| Failure::new(ExitCode::INVALID, &error))?,
            None => Library::shipped(),
        };
        Ok(Self { settings, library })
    }

    /// What plans may name.
    pub(super) fn terms<'a>(&'a self, cms: &'a [&'a str]) -> Terms<'a> {
        Terms { cms, tiers: Some(&self.settings.rules.tiers) }
    }

    /// The journal.
    pub(super) async fn journal(&self) -> Result<SqliteJournal, Failure> {
        Ok(SqliteJournal::open(&self.settings.state.join("journal.db")).await?)
    }

    /// The runner, with its journal and store opened.
    pub(super) async fn runner(&self, listener: Arc<dyn Listener>) -> Result<Runner, Failure> {
        Ok(Runner {
            journal: Arc::new(self.journal().await?),
            store: Arc::new(self.store()?),
            clock: Arc::new(SystemClock),
            listener,
            tools: ToolCache { folder: self.settings.tools.clone() },
            ssh: SshSettings::new(self.settings.ssh_config.clone()),
            evidence: self.evidence(),
            rules: self.settings.rules.clone(),
            feeds: Arc::new(self.settings.feeds.open()),
            keys: Arc::new(self.settings.licences.clone()),
            by: who(),
        })
    }

    /// The folder of rows that visitors wrote, as a place that stays the same wherever it is read.
    fn evidence(&self) -> PathBuf {
        let folder = self.settings.state.join("evidence");
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// The snapshot store, which has the recipients that the settings name, if they name any.
    fn store(&self) -> Result<Store, Failure> {
        let store = self.any_store()?;
        let wanted: BTreeSet<&str> = self.settings.recipients.iter().map(|one| one.trim()).collect();
        let found = store.recipients()?;
        if wanted.is_empty() || wanted == found.iter().map(String::as_str).collect() {
            return Ok(store);
        }
        let to = if found.is_empty() { "nobody".to_owned() } else { found.join(", ") };
        let text = format!(
            "the settings want the snapshot store {} encrypted to {}, and it is encrypted to {to}; nothing was done: \
             find out who changed it, or set them: intendant snapshot encrypt --to RECIPIENT",
            store.place(),
            wanted.into_iter().collect::<Vec<_>>().join(", ")
        );
        Err(Failure { code: ExitCode::INVALID, text })
    }

    /// The snapshot store, whatever its recipients are.
    pub(super) fn any_store(&self) -> Result<Store, Failure> {
        let identities = match &self.settings.identity {
            Some(reference) => reference.read(),
            None => Identities::none("no identity is given"),
        };
        let (place, keys, cache) = match &self.settings.snapshots {
            StorePlace::Folder(folder) => return Ok(Store::open_with(folder, identities)?),
            StorePlace::Bucket { place, keys, cache } => ((**place).clone(), keys, cache.clone()),
        };
        let keys = keys.as_ref().map_or_else(common_keys, |reference| reference.keys());
        let keys = keys.map_err(|why| Failure { code: ExitCode::INVALID, text: format!("{place}: {why}") })?;
        Ok(Store::open_bucket(&BucketUse { place, keys, holder: who(), cache: Some(cache) }, identities)?)
    }

    /// The jobs of the sites that were asked for, in the order of their names.
    pub(super) fn jobs(&self, sites: &Sites) -> Result<Vec<Job>, Failure> {
        let mut jobs: Vec<Job> = sites.sites.iter().map(|name| self.job(name)).collect::<Result<_, _>>()?;
        if sites.all || !sites.tag.is_empty() {
            for file in plan_files(&self.settings.plans)? {
                let job = self.job_of(&file)?;
                let tagged = job.plan.tags.iter().any(|tag| sites.tag.iter().any(|wanted| wanted == tag.as_str()));
                if sites.all || tagged {
                    jobs.push(job);
                }
            }
        }
        jobs.sort_by(|a, b| a.plan.site.cmp(&b.plan.site));
        jobs.dedup_by(|a, b| a.plan.site == b.plan.site);
        match jobs.is_empty() {
            false => Ok(jobs),
            true if sites.tag.is_empty() => Err(Failure::absent("name a site, or --tag TAG, or --all")),
            true => Err(Failure::absent(format!("no plan has the tag {}", sites.tag.join(" or ")))),
        }
    }

    /// The job of one site: a name in the folder of plans, or a file.
    pub(super) fn job(&self, name: &str) -> Result<Job, Failure> {
        if name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml") {
            return self.job_of(Path::new(name));
        }
        let named = self.settings.plans.join(format!("{name}.yaml"));
        if named.exists() {
            let job = self.job_of(&named)?;
            if job.plan.site.as_str() == name {
                return Ok(job);
            }
        }
        for file in plan_files(&self.settings.plans)? {
            // Another plan's mistake is not this site's; `validate` shows all of them.
            if let Ok(job) = self.job_of(&file)
                && job.plan.site.as_str() == name
            {
                return Ok(job);
            }
        }
        Err(Failure::absent(format!(
            "no plan in {} is for a site {name:?}; `intendant validate` lists the plans, `intendant init` writes one",
            self.settings.plans.display()
        )))
    }

    fn job_of(&self, file: &Path) -> Result<Job, Failure> {
        let invalid = |error: &dyn std::error::Error| Failure::new(ExitCode::INVALID, error);
        let plan: Plan = plan::load_file(file, self.terms(&self.library.names())).map_err(|error| invalid(&error))?;
        let (playbook, scripts) = self.library.load(plan.cms.as_str()).map_err(|error| invalid(&error))?;
        let text = std::fs::read(file).unwrap_or_default();
        Ok(Job {
            plan: Arc::new(plan),
            plan_digest: Digest::of(&text),
            folder: file.parent().unwrap_or(Path::new("")).to_owned(),
            playbook: Arc::new(playbook),
            scripts: Arc::new(scripts),
            any_time: false,
            accept_modified: Vec::new(),
        })
    }
}

/// The YAML files of a folder, by name.
pub(super) fn plan_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        Failure::absent(format!("the folder of plans, {}, can't be read: {error}", folder.display()))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"))
        .collect();
    files.sort();
    Ok(files)
}

/// Who runs this, and where.
pub(super) fn who() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "somebody".into());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = machine.trim();
    let machine = if machine.is_empty() { "a machine without a name" } else { machine };
    format!("{user}@{machine} (pid {})", std::process::id())
}
