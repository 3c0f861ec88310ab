//! Text → checked [`Plan`], and the errors that say where a text has to change.

use super::host::{AbsolutePath, LocalPath, SiteUrl, SshTarget};
use super::scalars::{AddressLine, CmsName, DatabaseName, Day, Email, PathPattern, TablePattern, Tag, TimeOfDay};
use super::{Plan, Zone, rules};
use crate::model::document::{self, Formats, Schema, Violations};
use crate::model::{ComponentName, PagePath, Period, PlainArgument, RedirectTarget, SiteName, Tier, Tiers, Version};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The most files of one folder of plans.
const MAX_FILES: usize = 10_000;

/// Why there is no plan. The text form of [`PlanError::Invalid`] shows every violation with its
/// file, line, column, the line itself and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The text breaks rules.
    #[error("{0}")]
    Invalid(Violations),
    /// The file or folder can't be read.
    #[error("{} can't be read", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not UTF-8.
    #[error("{}:{line}: this is not UTF-8 text; save the file as UTF-8", file.display())]
    Encoding {
        /// The file.
        file: PathBuf,
        /// The first line that is not.
        line: usize,
    },
    /// Two plans name the same site.
    #[error("{}: the site {site} already has a plan in {}", file.display(), first.display())]
    Twice {
        /// The second file.
        file: PathBuf,
        /// The site.
        site: SiteName,
        /// The first file.
        first: PathBuf,
    },
    /// More plans than the limit.
    #[error("{} has more than {MAX_FILES} files", folder.display())]
    Many {
        /// The folder.
        folder: PathBuf,
    },
}

static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| document::generate::<Plan>("Plan", "The contract for one site that Intendant keeps updated."));

static FORMATS: LazyLock<Formats> = LazyLock::new(|| {
    Formats::default()
        .with::<AbsolutePath>()
        .with::<CmsName>()
        .with::<ComponentName>()
        .with::<Day>()
        .with::<Email>()
        .with::<AddressLine>()
        .with::<LocalPath>()
        .with::<PagePath>()
        .with::<PathPattern>()
        .with::<DatabaseName>()
        .with::<Period>()
        .with::<PlainArgument>()
        .with::<RedirectTarget>()
        .with::<SiteName>()
        .with::<SiteUrl>()
        .with::<SshTarget>()
        .with::<TablePattern>()
        .with::<Tag>()
        .with::<Tier>()
        .with::<TimeOfDay>()
        .with::<Version>()
        .with::<Zone>()
});

/// The JSON Schema of plans, as it is committed for editors.
pub fn json_schema() -> String {
    SCHEMA.to_text()
}

/// What plans may name.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The playbooks that there are.
    pub cms: &'a [&'a str],
    /// The tiers that there are; those of every fleet unless given.
    pub tiers: Option<&'a Tiers>,
}

impl<'a> From<&'a [&'a str]> for Terms<'a> {
    fn from(cms: &'a [&'a str]) -> Self {
        Self { cms, tiers: None }
    }
}

impl<'a, const N: usize> From<&'a [&'a str; N]> for Terms<'a> {
    fn from(cms: &'a [&'a str; N]) -> Self {
        Self { cms, tiers: None }
    }
}

impl<'a> From<&'a Vec<&'a str>> for Terms<'a> {
    fn from(cms: &'a Vec<&'a str>) -> Self {
        Self { cms, tiers: None }
    }
}

/// The plan that `text` holds. `file` is only named in errors; `known` is what it may name: at least the playbooks
/// that there are.
pub fn parse<'a>(file: &Path, text: &str, known: impl Into<Terms<'a>>) -> Result<Plan, PlanError> {
    let known = known.into();
    let tiers = known.tiers.cloned().unwrap_or_default();
    let names = |node: &document::Node| rules::names(node, known.cms, &tiers);
    let validate =
        |plan: &Plan, node: &document::Node| rules::validate(&Plan { tiers: tiers.clone(), ..plan.clone() }, node);
    let plan = document::checked(file, text, &SCHEMA, &FORMATS, names, validate);
    plan.map(|plan: Plan| Plan { tiers: tiers.clone(), ..plan }).map_err(PlanError::Invalid)
}

/// The plan in a file.
pub fn load_file<'a>(file: &Path, known: impl Into<Terms<'a>>) -> Result<Plan, PlanError> {
    let unreadable = |source| PlanError::Read { file: file.to_owned(), source };
    let mut bytes = Vec::new();
    let limit = document::MAX_DOCUMENT_BYTES as u64 + 1;
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| PlanError::Encoding {
        file: file.to_owned(),
        line: 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count(),
    })?;
    parse(file, text, known)
}

/// A file of a folder, and what it holds.
pub type LoadedPlan = (PathBuf, Result<Plan, PlanError>);

/// What each `.yaml` or `.yml` file of a folder holds, in the order of their names. One bad plan
/// leaves the others usable; the second plan of a site is an error. Folders in it are not read.
pub fn load_folder<'a>(folder: &Path, known: impl Into<Terms<'a>>) -> Result<Vec<LoadedPlan>, PlanError> {
    let known = known.into();
    let mut first_of: BTreeMap<SiteName, PathBuf> = BTreeMap::new();
    let mut plans = Vec::new();
    for file in plan_files(folder)? {
        let loaded = load_file(&file, known).and_then(|plan| match first_of.get(&plan.site) {
            Some(first) => Err(PlanError::Twice { file: file.clone(), site: plan.site, first: first.clone() }),
            None => {
                first_of.insert(plan.site.clone(), file.clone());
                Ok(plan)
            }
        });
        plans.push((file, loaded));
    }
    Ok(plans)
}

fn plan_files(folder: &Path) -> Result<Vec<PathBuf>, PlanError> {
    let unreadable = |source| PlanError::Read { file: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let yaml = path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
        if yaml && !hidden && path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(PlanError::Many { folder: folder.to_owned() });
        }
    }
    files.sort();
    Ok(files)
}
