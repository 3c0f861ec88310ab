//! What a smoke check asks for, as plans and playbooks write it.

use super::checked::{TextError, checked_text, one_line};
use super::{Period, clean_line};
use serde::{Deserialize, Serialize};

/// One smoke check of a plan or a playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Check {
    /// Asks the site for a page, as a visitor would.
    Http(HttpCheck),
    /// Runs a command on the site's host.
    Command(CommandCheck),
}

/// Asks the site for a page and looks at the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HttpCheck {
    /// The page below the site's address: it begins with `/`.
    pub http: PagePath,
    /// The status that is asked for. Without `status`, `same-status` and `redirects-to` it is any from
    /// 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// Asks for the status that the page had before the run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub same_status: bool,
    /// Texts that the page must contain.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub contains: Texts,
    /// Texts that the page must not contain.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub forbid: Texts,
    /// The most milliseconds that the answer may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 120_000))]
    pub max_ms: Option<u32>,
    /// Where the page must redirect to: an address or a path that begins with `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirects_to: Option<RedirectTarget>,
    /// The least size, in percent of the page's size before the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub min_size_percent: Option<u8>,
}

/// What an [`HttpCheck`] asks of the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusRule {
    /// Exactly this one.
    Is(u16),
    /// The one that the page had before the run.
    Same,
    /// One of the redirections.
    Redirect,
}

impl HttpCheck {
    /// What is asked of the status.
    pub fn status_rule(&self) -> StatusRule {
        match (self.status, self.same_status, &self.redirects_to) {
            (Some(status), _, _) => StatusRule::Is(status),
            (None, true, _) => StatusRule::Same,
            (None, false, Some(_)) => StatusRule::Redirect,
            (None, false, None) => StatusRule::Is(200),
        }
    }
}

/// Runs a command on the site's host and looks at what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CommandCheck {
    /// The program, or a tool of the playbook, and its arguments. No shell reads them.
    #[schemars(length(min = 1, max = 64))]
    pub command: Vec<PlainArgument>,
    /// What it must print, without white space around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// Texts that it must print.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub contains: Texts,
    /// Texts that it must not print.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub forbid: Texts,
    /// The exit code that is asked for; 0 unless given.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 255))]
    pub exit: u8,
    /// How long it may take; one minute unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Period>,
}

/// What is impossible in a check: the key that shows it, the problem, what was expected.
pub type CheckProblem = (&'static str, String, &'static str);

impl Check {
    /// What can't hold at once.
    pub fn problems(&self) -> Vec<CheckProblem> {
        match self {
            Self::Http(check) => check.problems(),
            Self::Command(check) => check.problems(),
        }
    }
}

impl HttpCheck {
    fn problems(&self) -> Vec<CheckProblem> {
        let mut found = contradictions(&self.contains, &self.forbid);
        if self.same_status && self.status.is_some() {
            found.push((
                "same-status",
                "status and same-status ask for different things".to_owned(),
                "keep one of them",
            ));
        }
        if self.redirects_to.is_some()
            && let Some(status) = self.status.filter(|status| !(300..400).contains(status))
        {
            found.push((
                "status",
                format!("a page that redirects does not answer {status}"),
                "a status from 300 to 399, or leave out status",
            ));
        }
        found
    }
}

impl CommandCheck {
    fn problems(&self) -> Vec<CheckProblem> {
        let mut found = contradictions(&self.contains, &self.forbid);
        let program = self.command.first().map(PlainArgument::as_str).unwrap_or_default();
        if program.is_empty() || program.starts_with('-') {
            found.push((
                "command",
                "a command begins with the name of a program".to_owned(),
                "a tool of the playbook or a program of the host: [wp, option, get, siteurl]",
            ));
        }
        if let Some(equals) = &self.equals {
            let missing = self.contains.iter().find(|text| !equals.contains(text));
            let forbidden = self.forbid.iter().find(|text| equals.contains(text));
            if let Some(text) = missing {
                found.push((
                    "contains",
                    format!("what equals asks for does not contain {text:?}"),
                    "equals alone is enough",
                ));
            }
            if let Some(text) = forbidden {
                found.push(("forbid", format!("what equals asks for contains {text:?}"), "equals alone is enough"));
            }
        }
        if self.timeout.is_some_and(|limit| limit.is_zero()) {
            found.push(("timeout", "no command ends in no time".to_owned(), "a length of time such as 1m"));
        }
        found
    }
}

fn contradictions(contains: &Texts, forbid: &Texts) -> Vec<CheckProblem> {
    let both = forbid.iter().filter(|bad| contains.iter().any(|good| good.contains(bad)));
    both.map(|bad| ("forbid", format!("{bad:?} is asked for and forbidden at once"), "keep it in one of the two lists"))
        .collect()
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u8) -> bool {
    *value == 0
}

/// One text or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "OneOrMany", into = "Vec<String>")]
#[schemars(with = "OneOrMany")]
pub struct Texts(pub Vec<String>);

impl Texts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(#[schemars(length(min = 1))] String),
    Many(#[schemars(length(min = 1, max = 100), inner(length(min = 1)))] Vec<String>),
}

impl From<OneOrMany> for Texts {
    fn from(texts: OneOrMany) -> Self {
        match texts {
            OneOrMany::One(text) => Self(vec![text]),
            OneOrMany::Many(texts) => Self(texts),
        }
    }
}

impl From<Texts> for Vec<String> {
    fn from(texts: Texts) -> Self {
        texts.0
    }
}

checked_text!(
    /// A page below the site's address, with its query: `/shop/?page=2`.
    PagePath,
    "page-path",
    |text| {
        one_line(text, 2000)?;
        if text.starts_with("http://") || text.starts_with("https://") {
            return Err(TextError::new(
                "a page is written without the site's address",
                "only what follows it, from its first / on: /shop/",
            ));
        }
        if !text.starts_with('/') {
            return Err(TextError::new(
                "a page begins with /",
                format!("the site's address is added in front: /{}", clean_line(text.trim_start_matches("./"), 60)),
            ));
        }
        if text.starts_with("//") || text.contains(|c: char| c.is_whitespace() || c == '#' || c == '\\') {
            return Err(TextError::new(
                "this is not a page of the site",
                "a path such as /shop/?page=2, without white space, # or a leading //",
            ));
        }
        Ok(())
    }
);

checked_text!(
    /// Where a page redirects to: an address, or a path of the same site.
    RedirectTarget,
    "redirect-target",
    |text| {
        one_line(text, 2000)?;
        let known = ["/", "http://", "https://"].iter().any(|start| text.starts_with(start));
        if !known || text.contains(char::is_whitespace) {
            return Err(TextError::new(
                "this is not the target of a redirection",
                "a path that begins with /, or an address that begins with https://",
            ));
        }
        Ok(())
    }
);

checked_text!(
    /// One argument of a command, taken as it is.
    PlainArgument,
    "argument",
    |text| match text.chars().find(|c| *c == '\0' || *c == '\n' || *c == '\r') {
        _ if text.len() > 4096 => Err(TextError::new("this argument is too long", "at most 4096 bytes")),
        Some(_) => Err(TextError::new("an argument can't hold NUL or a line break", "one line")),
        None => Ok(()),
    }
);
