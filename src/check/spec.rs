//! What is checked: checks as values, as the procedure embeds and digests them.
//!
//! May use: nothing of this crate. Invariant: a check is fully resolved but for the values of an open
//! site; running it needs no look at a plan or a playbook.

use serde::{Deserialize, Serialize};

/// The smallest share of the baseline's size that a page keeps, in percent, unless a check
/// says otherwise.
pub const MIN_PERCENT: u8 = 40;

/// One smoke test of one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// Its name within the site: the baseline is looked up by it. See [`Check::make_distinct`].
    pub id: String,
    /// Whether it also runs after every group, not only at the end.
    pub quick: bool,
    /// What it does.
    pub kind: CheckKind,
}

/// What a check does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Asks for a page.
    Http(HttpCheck),
    /// Runs a command on the host.
    Command(CommandCheck),
    /// Reads what a PHP error log has gained.
    Log(LogCheck),
}

/// A page that is asked for, once as a visitor does and once past every cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HttpCheck {
    /// Path and query below the site's address: `/boutique/`, `/?rest_route=/`.
    pub path: String,
    /// Which status is right.
    pub status: StatusRule,
    /// Texts that must be on the page; as the page's source has them or with entities resolved.
    pub contains: Vec<String>,
    /// Texts that must not be on the page.
    pub forbid: Vec<String>,
    /// Where the request must end: a path of the site, or an address elsewhere (which is read
    /// from the redirect, and never asked).
    pub redirects_to: Option<String>,
    /// The longest time that a visitor may wait for the whole page, in milliseconds.
    pub max_ms: Option<u64>,
    /// The smallest share of the baseline's size, in percent; 0 takes every size, also none.
    pub min_percent: u8,
    /// Whether the page is also asked for past every cache, and must be right there too.
    pub bypass_cache: bool,
    /// The status with which visitors are asked to wait, while they are: it is right then, whatever else is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u16>,
}

/// Which status is right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatusRule {
    /// 200 to 299, after redirects within the site were followed.
    #[default]
    Good,
    /// One of these. A list that names a redirect (300 to 399) is about the first answer, any
    /// other list about the last.
    OneOf(Vec<u16>),
    /// The same as before the run; before the run anything but a server error.
    SameAsBefore,
}

/// A command on the site's host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CommandCheck {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whether they are templates, into which the values of the site are inserted when it is open.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open: bool,
    /// The working folder; none means the account's own.
    pub folder: Option<String>,
    /// Which exit statuses are right.
    pub exit: Vec<i32>,
    /// What it must print, exactly but for white space at both ends.
    pub equals: Option<String>,
    /// Texts that it must print.
    pub contains: Vec<String>,
    /// Texts that it must not print.
    pub forbid: Vec<String>,
    /// How long it may take, in seconds.
    pub timeout_s: u64,
}

/// A PHP error log on the site's host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LogCheck {
    /// Its absolute path.
    pub path: String,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Check {
    /// A page with every default; quick.
    pub fn http(path: impl Into<String>) -> Self {
        let path = path.into();
        Self { id: format!("http {path}"), quick: true, kind: CheckKind::Http(HttpCheck::new(path)) }
    }

    /// A command that must exit with 0 within a minute; not quick.
    pub fn command<I, A>(argv: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: Into<String>,
    {
        let argv: Vec<String> = argv.into_iter().map(Into::into).collect();
        Self {
            id: format!("command {}", crate::model::clean_line(&argv.join(" "), 80)),
            quick: false,
            kind: CheckKind::Command(CommandCheck {
                argv,
                open: false,
                folder: None,
                exit: vec![0],
                equals: None,
                contains: Vec::new(),
                forbid: Vec::new(),
                timeout_s: 60,
            }),
        }
    }

    /// An error log that must not gain fatal errors; quick.
    pub fn log(path: impl Into<String>) -> Self {
        let path = path.into();
        Self { id: format!("log {path}"), quick: true, kind: CheckKind::Log(LogCheck { path }) }
    }

    /// Drops checks that are equal to an earlier one, and numbers those that only share its id.
    pub fn make_distinct(checks: Vec<Self>) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for mut check in checks {
            if out.iter().any(|known| known.kind == check.kind) {
                continue;
            }
            let base = check.id.clone();
            let mut number = 1;
            while out.iter().any(|known| known.id == check.id) {
                number += 1;
                check.id = format!("{base} #{number}");
            }
            out.push(check);
        }
        out
    }
}

impl HttpCheck {
    /// The page at `path`, which must answer well, keep its size and be right past every cache.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            status: StatusRule::Good,
            contains: Vec::new(),
            forbid: Vec::new(),
            redirects_to: None,
            max_ms: None,
            min_percent: MIN_PERCENT,
            bypass_cache: true,
            waiting: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_distinct() {
        let mut other = Check::http("/");
        if let CheckKind::Http(http) = &mut other.kind {
            http.contains.push("Bonjour".into());
        }
        let checks = Check::make_distinct(vec![Check::http("/"), other, Check::http("/")]);
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(ids, ["http /", "http / #2"]);
    }
}
