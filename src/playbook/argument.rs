//! Templates of commands: values are inserted into single arguments, never into shell text.

use crate::model::{Period, TextError, checked_text};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What placeholders stand for, by name.
pub type Values = BTreeMap<String, String>;

/// The most bytes that a rendered argument has.
const MAX_ARGUMENT_BYTES: usize = 32 * 1024;

checked_text!(
    /// One argument of a command, in which `{{name}}` stands for a value.
    Argument,
    "argument-template",
    |text| placeholders(text).map(drop)
);

/// Why an argument can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// A placeholder without a value.
    #[error("{{{{{name}}}}} has no value in {argument:?}")]
    Missing {
        /// The placeholder.
        name: String,
        /// The template.
        argument: String,
    },
    /// A text that can't stand here.
    #[error("{argument:?} can't be an argument here: values are written {{{{name}}}}, and only where there are any")]
    Form {
        /// The text.
        argument: String,
    },
    /// The value would be read as an option.
    #[error("a value for {argument:?} begins with '-' and would be read as an option")]
    Option {
        /// The template.
        argument: String,
    },
    /// A character that can't stand in an argument.
    #[error("a value for {argument:?} holds NUL or a line break")]
    Control {
        /// The template.
        argument: String,
    },
    /// More than the limit.
    #[error("the argument made from {argument:?} is too long")]
    Long {
        /// The template.
        argument: String,
    },
    /// The template engine refused the template.
    #[error("the template {argument:?} can't be rendered")]
    Template {
        /// The template.
        argument: String,
        /// Why.
        source: Box<handlebars::RenderError>,
    },
}

impl Argument {
    /// The argument that is the found program itself.
    pub(crate) fn program() -> Self {
        Self("{{program}}".to_owned())
    }

    /// The template of this text.
    pub fn template(text: String) -> Result<Self, ArgumentError> {
        Self::new(text.clone()).map_err(|_| ArgumentError::Form { argument: text })
    }

    /// An argument that is this text and nothing else.
    pub fn literal(text: String) -> Result<Self, ArgumentError> {
        match placeholders(&text) {
            Ok(found) if found.is_empty() => Ok(Self(text)),
            _ => Err(ArgumentError::Form { argument: text }),
        }
    }

    /// The names of its placeholders.
    pub fn names(&self) -> BTreeSet<&str> {
        let found = placeholders(self.as_str()).unwrap_or_default();
        found.into_iter().map(|(_, name)| name).collect()
    }

    /// The one argument that it becomes.
    pub fn render(&self, values: &Values) -> Result<String, ArgumentError> {
        let argument = || self.as_str().to_owned();
        for name in self.names() {
            let value = values
                .get(name)
                .ok_or_else(|| ArgumentError::Missing { name: name.to_owned(), argument: argument() })?;
            if value.contains(['\0', '\n', '\r']) {
                return Err(ArgumentError::Control { argument: argument() });
            }
        }
        let mut engine = handlebars::Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(handlebars::no_escape);
        let rendered = engine
            .render_template(self.as_str(), values)
            .map_err(|source| ArgumentError::Template { argument: argument(), source: Box::new(source) })?;
        match () {
            _ if rendered.len() > MAX_ARGUMENT_BYTES => Err(ArgumentError::Long { argument: argument() }),
            _ if rendered.starts_with('-') && self.as_str().starts_with("{{") => {
                Err(ArgumentError::Option { argument: argument() })
            }
            _ => Ok(rendered),
        }
    }
}

/// The placeholders of a template with their byte offsets, or what is wrong with it.
pub(crate) fn placeholders(text: &str) -> Result<Vec<(usize, &str)>, TextError> {
    const FORM: &str = "{{name}}, with the name of a value";
    if text.contains(['\0', '\n', '\r']) {
        return Err(TextError::new("an argument can't hold NUL or a line break", "one line"));
    }
    if text.len() > 4096 {
        return Err(TextError::new("this argument is too long", "at most 4096 bytes"));
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(open) = text[at..].find("{{").map(|open| at + open) {
        let inner = open + 2;
        if text[inner..].starts_with('{') {
            return Err(TextError::new("{{{ has no meaning here", FORM));
        }
        if text[..open].ends_with('\\') {
            return Err(TextError::new("a backslash can't stand before {{", FORM));
        }
        let Some(close) = text[inner..].find("}}").map(|close| inner + close) else {
            return Err(TextError::new("{{ without }}", FORM));
        };
        let name = &text[inner..close];
        let fine = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !fine {
            return Err(TextError::new(
                format!("{{{{{name}}}}} is not the name of a value"),
                "a plain name: no blanks, helpers or conditions",
            ));
        }
        found.push((open, name));
        at = close + 2;
        if text[at..].starts_with('}') {
            return Err(TextError::new("}}} has no meaning here", FORM));
        }
    }
    Ok(found)
}

/// A command with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CommandTemplate {
    /// The program, or a tool's name, and its arguments.
    #[schemars(length(min = 1, max = 64))]
    pub run: Vec<Argument>,
    /// How long it may take.
    #[serde(default = "CommandTemplate::default_timeout")]
    pub timeout: Period,
    /// The exit codes that mean success.
    #[serde(default = "CommandTemplate::default_exit")]
    #[schemars(length(min = 1, max = 32), inner(range(min = 0, max = 255)))]
    pub exit: Vec<u8>,
}

impl CommandTemplate {
    /// One with the limits that count where none are given.
    pub fn of(run: Vec<Argument>) -> Self {
        Self { run, timeout: Self::default_timeout(), exit: Self::default_exit() }
    }

    pub(crate) fn default_timeout() -> Period {
        Period::from_secs(60)
    }

    pub(crate) fn default_exit() -> Vec<u8> {
        vec![0]
    }

    /// The arguments that it becomes. The first one is still the tool's name.
    pub fn arguments(&self, values: &Values) -> Result<Vec<String>, ArgumentError> {
        self.run.iter().map(|argument| argument.render(values)).collect()
    }
}
