//! Where settings say that feeds of vulnerabilities are.

use super::identity::Reference;
use super::{ExitCode, Failure};
use crate::model::{FeedFormat, Period};
use crate::vulnerability::{Feed, FeedPlace, Feeds};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How old a copy of a feed may be, unless settings say it.
const MAX_AGE: Period = Period::from_secs(24 * 3600);

/// The part of the settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct FeedsFile {
    feeds: Vec<FeedFile>,
    max_age: Option<Period>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FeedFile {
    format: FeedFormat,
    from: String,
    key: Option<String>,
}

/// The feeds in force; their keys are references still.
#[derive(Debug, Clone)]
pub(super) struct FeedList {
    list: Vec<(FeedFormat, FeedPlace, Option<Reference>)>,
    max_age: Period,
    copies: PathBuf,
}

impl FeedsFile {
    /// The feeds in force; relative paths count from `folder`, copies are kept in `copies`.
    pub(super) fn resolve(self, folder: &Path, copies: PathBuf) -> Result<FeedList, Failure> {
        let invalid = |error: &dyn std::error::Error| Failure {
            code: ExitCode::INVALID,
            text: format!("vulnerabilities.feeds: {error}"),
        };
        let feed = |file: FeedFile| {
            let place = FeedPlace::parse(&file.from, folder).map_err(|error| invalid(&error))?;
            let key = file.key.map(|key| Reference::parse(&key, folder, "vulnerabilities.feeds.key")).transpose()?;
            Ok((file.format, place, key))
        };
        let list = self.feeds.into_iter().map(feed).collect::<Result<_, Failure>>()?;
        Ok(FeedList { list, max_age: self.max_age.unwrap_or(MAX_AGE), copies })
    }
}

impl FeedList {
    /// The feeds with their keys. A key that can't be read is said where its feed is asked for.
    pub(super) fn open(&self) -> Feeds {
        let feed = |(format, place, key): &(FeedFormat, FeedPlace, Option<Reference>)| Feed {
            format: *format,
            place: place.clone(),
            key: key.as_ref().map(Reference::secret),
        };
        Feeds {
            list: self.list.iter().map(feed).collect(),
            max_age: self.max_age.as_duration(),
            copies: self.copies.clone(),
        }
    }
}
