//! Case files of facts: what a command printed, and the document that it becomes.
//!
//! A playbook has them beside itself, `cases/<fact>/<case>.yaml`. May use: `model`, the other parts of `playbook`.
//! Invariants: judging is pure; reading looks at one folder, with bounds; nothing of a site is asked.

use super::document::{Fact, Playbook};
use super::transform::RawOutput;
use crate::model::document::MAX_DOCUMENT_BYTES;
use crate::model::in_words;
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of cases beside a playbook.
const FOLDER: &str = "cases";
/// The most facts with cases, and the most cases of one.
const MAX_ENTRIES: usize = 2_000;

/// What a command printed once, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The fact's arguments, separated by spaces: a case is of one command.
    pub command: String,
    /// The exit code.
    #[serde(default)]
    pub exit: i32,
    /// Standard output.
    #[serde(default)]
    pub stdout: String,
    /// Standard error.
    #[serde(default)]
    pub stderr: String,
    /// The document that it becomes.
    #[serde(default)]
    pub becomes: Option<Value>,
    /// Or the whole error.
    #[serde(default)]
    pub fails: Option<String>,
}

/// Why cases can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file or folder can't be read.
    #[error("{} can't be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no case.
    #[error("{} is no case", file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// Why.
        source: Box<serde_yaml::Error>,
    },
    /// Something that nothing would read.
    #[error("{} would be read by nothing: {expected}", path.display())]
    Stray {
        /// What stands there.
        path: PathBuf,
        /// What may stand there.
        expected: &'static str,
    },
    /// The playbook has no such fact.
    #[error("{}: the playbook has no fact of this name; it has: {known}", path.display())]
    NoFact {
        /// The folder.
        path: PathBuf,
        /// The facts that may have cases.
        known: String,
    },
    /// More than the limit.
    #[error("{} holds more than {MAX_ENTRIES} entries", path.display())]
    Many {
        /// The folder.
        path: PathBuf,
    },
}

/// How a case came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// As it says.
    Held,
    /// It is of another command than the fact's.
    OtherCommand {
        /// The fact's.
        command: String,
    },
    /// It says neither or both of `becomes` and `fails`.
    SaysNothing,
    /// Something else came out: a document or an error.
    Differs {
        /// What the case says.
        expected: Result<Value, String>,
        /// What came out.
        actual: Result<Value, String>,
    },
}

/// The cases of a playbook, in the order of facts and files.
#[derive(Debug, Default)]
pub struct Cases {
    /// The fact, the file and the case.
    pub all: Vec<(String, PathBuf, Case)>,
}

impl Cases {
    /// Those beside `playbook`, whose file is in `folder`.
    pub fn read(folder: &Path, playbook: &Playbook) -> Result<Self, CaseError> {
        let root = folder.join(FOLDER);
        let mut all = Vec::new();
        if !root.exists() {
            return Ok(Self { all });
        }
        let known = playbook.observations();
        for path in entries(&root)? {
            let fact = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !path.is_dir() {
                return Err(CaseError::Stray { path, expected: "a folder for each fact" });
            }
            if !known.contains_key(fact.as_str()) {
                let known: Vec<&str> = known.into_keys().collect();
                return Err(CaseError::NoFact { path, known: known.join(", ") });
            }
            for file in entries(&path)? {
                if file.extension().is_none_or(|end| end != "yaml") {
                    return Err(CaseError::Stray { path: file, expected: "files that end in .yaml" });
                }
                let case = read_case(&file)?;
                all.push((fact.clone(), file, case));
            }
        }
        Ok(Self { all })
    }
}

/// The entries of a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let unreadable = |source| CaseError::Read { path: folder.to_owned(), source };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        all.push(entry.map_err(unreadable)?.path());
        if all.len() > MAX_ENTRIES {
            return Err(CaseError::Many { path: folder.to_owned() });
        }
    }
    all.sort();
    Ok(all)
}

fn read_case(file: &Path) -> Result<Case, CaseError> {
    let unreadable = |source| CaseError::Read { path: file.to_owned(), source };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(MAX_DOCUMENT_BYTES as u64).read_to_string(&mut text).map_err(unreadable)?;
    serde_yaml::from_str(&text).map_err(|source| CaseError::Shape { file: file.to_owned(), source: Box::new(source) })
}

impl Case {
    /// Whether `fact` makes of it what it says. Pure.
    pub fn judge(&self, fact: &Fact) -> Verdict {
        let words: Vec<&str> = fact.run.iter().map(|argument| argument.as_str()).collect();
        let command = words.join(" ");
        if self.command != command {
            return Verdict::OtherCommand { command };
        }
        let expected = match (&self.becomes, &self.fails) {
            (Some(document), None) => Ok(document.clone()),
            (None, Some(error)) => Err(error.trim_end().to_owned()),
            _ => return Verdict::SaysNothing,
        };
        let actual = match fact.allows(self.exit) {
            false => Err(format!("the command ended with {}", self.exit)),
            true => {
                let output =
                    RawOutput { exit: self.exit, stdout: self.stdout.as_bytes(), stderr: self.stderr.as_bytes() };
                fact.parse.apply(&output).map_err(|error| in_words(&error))
            }
        };
        match actual == expected {
            true => Verdict::Held,
            false => Verdict::Differs { expected, actual },
        }
    }
}
