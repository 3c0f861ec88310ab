//! Playbooks by name: those in the program, and those of a folder, which take their place.

use super::argument::Argument;
use super::jq::{Jq, JsonText};
use super::scalars::{DownloadUrl, FeedWord, FileName, HeaderName, Pattern, RelativePath, Sha512, ToolName};
use super::{Playbook, rules};
use crate::model::document::{self, Formats, Node, Schema, Violation, Violations, nearest};
use crate::model::{PagePath, Period, PlainArgument, RedirectTarget, Slug, Version};
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The most bytes of one script.
const MAX_SCRIPT_BYTES: u64 = 1024 * 1024;
/// The most playbooks of one folder.
const MAX_PLAYBOOKS: usize = 100;
/// The most files beside a playbook among which a name is looked for.
const MAX_BESIDE: usize = 1_000;
/// What is said of a playbook whose facts name no update service.
pub const NO_SOURCES: &str = "no fact gives `sources`, the update services and whether they were reached; so when one is down, \
                              its site is taken to be up to date";
/// The file's name in its folder.
const FILE: &str = "playbook.yaml";

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/playbooks");

/// Why there is no playbook. The text form of [`PlaybookError::Invalid`] shows every violation
/// with its file, line, column, the line itself and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum PlaybookError {
    /// The text breaks rules.
    #[error("{0}")]
    Invalid(Violations),
    /// A file or folder can't be read.
    #[error("{} can't be read", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not UTF-8.
    #[error("{}: this is not UTF-8 text; save the file as UTF-8", file.display())]
    Encoding {
        /// The file.
        file: PathBuf,
    },
    /// A file that is larger than the limit.
    #[error("{} has more than {limit} bytes", file.display())]
    Large {
        /// The file.
        file: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// A script that is named and not there.
    #[error("{} names the script {script}, which is not beside it", file.display())]
    Script {
        /// The playbook.
        file: PathBuf,
        /// The script.
        script: FileName,
    },
    /// The name inside is not that of the folder.
    #[error("{} is in a folder of another name: cms: {cms}", file.display())]
    Name {
        /// The playbook.
        file: PathBuf,
        /// The name inside.
        cms: ToolName,
    },
    /// No playbook of this name.
    #[error("there is no playbook for {cms:?}; there are: {known}")]
    Unknown {
        /// The name.
        cms: String,
        /// Those that there are.
        known: String,
    },
    /// More playbooks than the limit.
    #[error("{} has more than {MAX_PLAYBOOKS} playbooks", folder.display())]
    Many {
        /// The folder.
        folder: PathBuf,
    },
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    document::generate::<Playbook>("Playbook", "How one CMS is observed, updated and checked by Intendant.")
});

static FORMATS: LazyLock<Formats> = LazyLock::new(|| {
    Formats::default()
        .with::<Argument>()
        .with::<DownloadUrl>()
        .with::<FeedWord>()
        .with::<FileName>()
        .with::<HeaderName>()
        .with::<Jq>()
        .with::<JsonText>()
        .with::<PagePath>()
        .with::<Pattern>()
        .with::<Period>()
        .with::<PlainArgument>()
        .with::<RedirectTarget>()
        .with::<RelativePath>()
        .with::<Sha512>()
        .with::<Slug>()
        .with::<ToolName>()
        .with::<Version>()
});

/// The JSON Schema of playbooks, as it is committed for editors.
pub fn json_schema() -> String {
    SCHEMA.to_text()
}

/// The playbook that `text` holds. `file` is only named in errors.
pub fn parse(file: &Path, text: &str) -> Result<Playbook, PlaybookError> {
    document::checked(file, text, &SCHEMA, &FORMATS, rules::names, rules::validate).map_err(PlaybookError::Invalid)
}

/// The same of a file with its scripts beside it.
pub fn parse_beside(file: &Path, text: &str) -> Result<Playbook, PlaybookError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let validate = |playbook: &Playbook, node: &Node| {
        let mut found = rules::validate(playbook, node);
        found.extend(missing_scripts(folder, playbook, node));
        found
    };
    document::checked(file, text, &SCHEMA, &FORMATS, rules::names, validate).map_err(PlaybookError::Invalid)
}

/// Scripts that are named and not there.
fn missing_scripts(folder: &Path, playbook: &Playbook, node: &Node) -> Vec<Violation> {
    let missing = playbook.scripts.iter().enumerate().filter(|(_, name)| !folder.join(name.as_str()).is_file());
    let entries = || std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_BESIDE);
    let violation = |(index, name): (usize, &FileName)| {
        let beside: Vec<String> = entries().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let hint = match nearest(name.as_str(), beside.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "a file in the playbook's own folder".to_owned(),
        };
        let place = node.place_of(&["scripts".into(), index.into()]);
        Violation::new(place, format!("{name} is not beside the playbook")).hint(hint)
    };
    missing.map(violation).collect()
}

/// What is odd about a playbook and no error, in sentences. Its scripts are in `folder`.
pub fn oddities(folder: &Path, playbook: &Playbook) -> Vec<String> {
    const SOURCES: &[u8] = b"sources";
    if playbook.operations.update.is_empty() {
        return Vec::new();
    }
    let facts = serde_json::to_vec(&playbook.facts).unwrap_or_default();
    let scripts = playbook
        .scripts
        .iter()
        .filter_map(|name| read_file(Some(folder), "", name.as_str(), MAX_SCRIPT_BYTES).ok().flatten());
    let named = |text: &[u8]| memchr::memmem::find(text, SOURCES).is_some();
    if named(&facts) || scripts.into_iter().any(|script| named(&script)) {
        return Vec::new();
    }
    vec![NO_SOURCES.to_owned()]
}

/// A file that is placed on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: FileName,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The playbooks that there are, each with the place that it is read from.
#[derive(Debug, Clone, Default)]
pub struct Library {
    folders: BTreeMap<String, Option<PathBuf>>,
}

impl Library {
    /// Those in the program.
    pub fn shipped() -> Self {
        let names = SHIPPED.dirs().filter(|dir| dir.get_file(dir.path().join(FILE)).is_some());
        Self { folders: names.map(|dir| (dir.path().display().to_string(), None)).collect() }
    }

    /// Those in the program, and those of `folder`, which has `<cms>/playbook.yaml` for each.
    pub fn open(folder: &Path) -> Result<Self, PlaybookError> {
        let unreadable = |source| PlaybookError::Read { file: folder.to_owned(), source };
        let mut library = Self::shipped();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name.filter(|_| path.join(FILE).is_file()) else {
                continue;
            };
            library.folders.insert(name, Some(path));
            if library.folders.len() > MAX_PLAYBOOKS {
                return Err(PlaybookError::Many { folder: folder.to_owned() });
            }
        }
        Ok(library)
    }

    /// The playbook in `folder`, wherever that is, without its scripts.
    pub fn read_folder(folder: &Path) -> Result<Playbook, PlaybookError> {
        read_playbook(Some(folder), &folder.join(FILE), "")
    }

    /// The names of all playbooks, in order.
    pub fn names(&self) -> Vec<&str> {
        self.folders.keys().map(String::as_str).collect()
    }

    /// One playbook and its scripts.
    pub fn load(&self, cms: &str) -> Result<(Playbook, Vec<Script>), PlaybookError> {
        let folder = self.folders.get(cms).ok_or_else(|| PlaybookError::Unknown {
            cms: crate::model::clean_line(cms, 80),
            known: self.names().join(", "),
        })?;
        let file = match folder {
            Some(folder) => folder.join(FILE),
            None => Path::new("playbooks").join(cms).join(FILE),
        };
        let playbook = read_playbook(folder.as_deref(), &file, cms)?;
        if playbook.cms.as_str() != cms {
            return Err(PlaybookError::Name { file, cms: playbook.cms });
        }
        let scripts = playbook.scripts.iter().map(|name| {
            let bytes = read_file(folder.as_deref(), cms, name.as_str(), MAX_SCRIPT_BYTES)?;
            let bytes = bytes.ok_or_else(|| PlaybookError::Script { file: file.clone(), script: name.clone() })?;
            Ok(Script { name: name.clone(), bytes })
        });
        let scripts = scripts.collect::<Result<Vec<_>, PlaybookError>>()?;
        Ok((playbook, scripts))
    }
}

/// A playbook's text, read and checked. A file that is not there is an empty one, which is invalid.
fn read_playbook(folder: Option<&Path>, file: &Path, cms: &str) -> Result<Playbook, PlaybookError> {
    let bytes = read_file(folder, cms, FILE, document::MAX_DOCUMENT_BYTES as u64)?;
    let text =
        String::from_utf8(bytes.unwrap_or_default()).map_err(|_| PlaybookError::Encoding { file: file.to_owned() })?;
    if folder.is_some() { parse_beside(file, &text) } else { parse(file, &text) }
}

/// The bytes of a file of a playbook; none if there is no such file.
fn read_file(folder: Option<&Path>, cms: &str, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PlaybookError> {
    let Some(folder) = folder else {
        let file = SHIPPED.get_file(Path::new(cms).join(name));
        return Ok(file.map(|file| file.contents().to_owned()));
    };
    let file = folder.join(name);
    let unreadable = |source| PlaybookError::Read { file: file.clone(), source };
    let opened = match std::fs::File::open(&file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > limit {
        true => Err(PlaybookError::Large { file, limit }),
        false => Ok(Some(bytes)),
    }
}
