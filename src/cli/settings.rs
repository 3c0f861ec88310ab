//! The fleet's settings. An option goes before its environment variable, that before
//! `intendant.yaml`, and that before the default.

use super::arguments::Common;
use super::feeds::{FeedList, FeedsFile};
use super::identity::Reference;
use super::licences::{self, LicenceFile};
use super::post::{MailFile, MailSettings};
use super::provider::{ProviderFile, ProviderSettings};
use super::{ExitCode, Failure, show};
use crate::model::Digest;
use crate::plan::{FleetRules, LicencePools};
use crate::snapshot::BucketPlace;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The settings file; every value has a default.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SettingsFile {
    /// The version of this format.
    settings: Option<u32>,
    plans: Option<PathBuf>,
    playbooks: Option<PathBuf>,
    state: Option<PathBuf>,
    snapshots: Option<PathBuf>,
    identity: Option<String>,
    recipients: Vec<String>,
    reports: Option<PathBuf>,
    tools: Option<PathBuf>,
    ssh_config: Option<PathBuf>,
    parallel: Option<usize>,
    browser: Option<PathBuf>,
    provider: ProviderFile,
    mail: Option<MailFile>,
    rules: FleetRules,
    licences: Option<PathBuf>,
    vulnerabilities: FeedsFile,
}

/// The settings in force.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) plans: PathBuf,
    pub(super) playbooks: Option<PathBuf>,
    pub(super) state: PathBuf,
    pub(super) snapshots: StorePlace,
    /// Where the identity is that reads an encrypted store.
    pub(super) identity: Option<Reference>,
    /// To whom the store has to be encrypted, and nobody else; none: to whomever it says.
    pub(super) recipients: Vec<String>,
    pub(super) reports: PathBuf,
    pub(super) tools: PathBuf,
    pub(super) ssh_config: Option<PathBuf>,
    pub(super) parallel: usize,
    /// What prints PDFs, where that is said.
    pub(super) browser: Option<PathBuf>,
    pub(super) provider: ProviderSettings,
    /// How reports are sent, if they are.
    pub(super) mail: Option<MailSettings>,
    pub(super) rules: FleetRules,
    /// Where the pools of licences stand; what they are is among the rules.
    pub(super) licences: LicenceFile,
    pub(super) feeds: FeedList,
}

/// Where the snapshot store is.
#[derive(Debug, Clone)]
pub(super) enum StorePlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket, where its keys are if that is said, and a folder for copies of what never changes there.
    Bucket { place: Box<BucketPlace>, keys: Option<Reference>, cache: PathBuf },
}

impl StorePlace {
    /// Reads a place; a relative path counts from `folder`. `at` is where it stands.
    fn parse(text: &Path, folder: &Path, caches: &Path, at: &str) -> Result<Self, Failure> {
        let Some(bucket) = text.to_str().filter(|text| BucketPlace::is_meant(text)) else {
            return Ok(Self::Folder(folder.join(text)));
        };
        let invalid = |why: String| Failure { code: ExitCode::INVALID, text: format!("{at}: {why}") };
        let place = BucketPlace::parse(bucket).map_err(invalid)?;
        let keys = place.credentials.as_ref().map(|reference| Reference::parse(reference, folder, at)).transpose()?;
        let cache = caches.join(Digest::of(format!("{place:?}").as_bytes()).short());
        Ok(Self::Bucket { place: Box::new(place), keys, cache })
    }
}

/// The largest settings file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

impl Settings {
    /// Reads the settings file, if there is one, and applies options over it.
    pub(super) fn load(common: &Common) -> Result<Self, Failure> {
        Self::load_with(common, LicenceFile::read)
    }

    /// The same, without pools of licences where they can't be read, which is said: a site that is half-way needs no licence.
    pub(super) fn load_to_mend(common: &Common) -> Result<Self, Failure> {
        Self::load_with(common, |file| {
            Ok(file.read().unwrap_or_else(|failure| {
                show::remark(format!(
                    "it goes on without pools of licences, so nothing that needs one is updated: {}",
                    failure.text
                ));
                LicencePools::default()
            }))
        })
    }

    fn load_with(common: &Common, pools: fn(&LicenceFile) -> Result<LicencePools, Failure>) -> Result<Self, Failure> {
        let default = Path::new("intendant.yaml");
        let file = match &common.settings {
            Some(file) => Some(file.as_path()),
            None => default.exists().then_some(default),
        };
        let (read, folder) = match file {
            Some(file) => (read(file)?, file.parent().unwrap_or(Path::new("")).to_owned()),
            None => (SettingsFile::default(), PathBuf::new()),
        };
        let state_home = home_folder("XDG_STATE_HOME", ".local/state");
        let data_home = home_folder("XDG_DATA_HOME", ".local/share");
        let cache_home = home_folder("XDG_CACHE_HOME", ".cache");
        let caches = cache_home.join("buckets");
        let choose = |option: &Option<PathBuf>, read: Option<PathBuf>, default: PathBuf| {
            option.clone().or_else(|| read.map(|path| folder.join(path))).unwrap_or(default)
        };
        let licences = LicenceFile::new(folder.join(read.licences.as_deref().unwrap_or(Path::new(licences::DEFAULT))));
        Ok(Self {
            plans: choose(&common.plans, read.plans, "plans".into()),
            playbooks: common.playbooks.clone().or_else(|| read.playbooks.map(|path| folder.join(path))),
            state: choose(&common.state, read.state, state_home),
            snapshots: match (&common.store, &read.snapshots) {
                (Some(option), _) => StorePlace::parse(option, Path::new(""), &caches, "--store")?,
                (None, Some(setting)) => StorePlace::parse(setting, &folder, &caches, "snapshots")?,
                (None, None) => StorePlace::Folder(data_home.join("snapshots")),
            },
            identity: match (&common.identity, &read.identity) {
                (Some(option), _) => Some(Reference::parse(option, Path::new(""), "--identity")?),
                (None, Some(setting)) => Some(Reference::parse(setting, &folder, "identity")?),
                (None, None) => None,
            },
            recipients: read.recipients,
            reports: choose(&common.reports, read.reports, "reports".into()),
            tools: choose(&None, read.tools, cache_home.join("tools")),
            ssh_config: read.ssh_config.map(|path| folder.join(path)),
            parallel: read.parallel.unwrap_or(4).clamp(1, 256),
            browser: read.browser.map(|path| folder.join(path)),
            provider: read.provider.resolve(&folder)?,
            mail: read.mail.map(|mail| mail.resolve(&folder)).transpose()?,
            rules: FleetRules { pools: pools(&licences)?, ..read.rules },
            licences,
            feeds: read.vulnerabilities.resolve(&folder, cache_home.join("feeds"))?,
        })
    }
}

fn read(file: &Path) -> Result<SettingsFile, Failure> {
    let invalid = |text: String| Failure { code: ExitCode::INVALID, text: format!("{}: {text}", file.display()) };
    let size = std::fs::metadata(file).map_err(|error| invalid(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(invalid(format!("larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
    let read: SettingsFile = serde_yaml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    match read.settings {
        Some(1) => Ok(read),
        Some(other) => Err(invalid(format!("settings: {other} is not a format that this program knows; it knows 1"))),
        None => Err(invalid("the first line must say the format: settings: 1".into())),
    }
}

/// A folder of ours in one of the user's base folders.
fn home_folder(variable: &str, below_home: &str) -> PathBuf {
    let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from(".")).join(below_home);
    base.unwrap_or_else(home).join("intendant")
}
