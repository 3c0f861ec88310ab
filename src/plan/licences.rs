//! The fleet's pools of licences: what was bought, until when, for how many sites, which sites have a seat, where the
//! key is and how it is entered.
//!
//! May use: `model`. Invariants: parsing is pure; a pool holds a reference to its key and never the key itself; a
//! licence that is over, or whose pool is over-used, is given to nobody.

use super::scalars::{Day, Tag};
use crate::model::document::{self, Formats, Node, NodeValue, Schema, Seg, Violation, Violations};
use crate::model::{
    CheckedText, LicenceProblem, PlainArgument, SiteName, TextError, checked_text, clean_line, one_line,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// The pools of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LicencePools {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub licences: u32,
    /// The pools, by the name that plans know.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, LicencePool>", extend("maxProperties" = 1000))]
    pub pools: BTreeMap<Tag, LicencePool>,
}

impl Default for LicencePools {
    fn default() -> Self {
        Self { licences: 1, pools: BTreeMap::new() }
    }
}

/// Licences that are bought together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LicencePool {
    /// Who sells them.
    #[schemars(length(min = 1, max = 200))]
    pub vendor: String,
    /// What they are for.
    #[schemars(length(min = 1, max = 200))]
    pub product: String,
    /// How many sites may use them; as many as like unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub seats: Option<u32>,
    /// Their last day; for good unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Day>")]
    pub until: Option<Date>,
    /// Where the key is, `file:PATH` or `env:INTENDANT_…`; never the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyReference>,
    /// Whether no server of the vendor takes part: such a licence is entered by hand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// How the key is entered; by hand unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activate: Option<Activation>,
    /// The sites that have a seat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100_000))]
    pub sites: Vec<SiteName>,
}

/// How a key is entered into a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Activation {
    /// A way that the site's playbook knows, such as `option` or `constant`; or `command`.
    pub by: Tag,
    /// What that way enters: the name of the option, or of the constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SettingName>,
    /// For `command`: what enters the key. It reads it from its standard input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub run: Vec<PlainArgument>,
    /// For `command`: what ends with 0 once the key is entered and updates are offered with it. It reads the key, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub probe: Vec<PlainArgument>,
}

/// The way that is the pool's own command.
pub const BY_COMMAND: &str = "command";

checked_text!(
    /// The name of an option or a constant of a site.
    SettingName,
    "setting-name",
    |text| {
        one_line(text, 190)?;
        let fine = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not the name of an option or a constant",
                "letters, digits, _, - and .: fast_cache_key",
            )),
        }
    }
);

checked_text!(
    /// Where a key is: in a file, or in a variable of the environment that begins with `INTENDANT_`.
    KeyReference,
    "key-reference",
    |text| {
        one_line(text, 4096)?;
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(()),
            Some(("env", name)) if name.len() > "INTENDANT_".len() && name.starts_with("INTENDANT_") => Ok(()),
            _ => Err(TextError::new(
                "this is not where a key is; a key itself never stands here",
                "file:PATH of a file that only you can read, or env:NAME of a variable that begins with INTENDANT_",
            )),
        }
    }
);

impl LicencePool {
    /// How many sites have a seat.
    pub fn used(&self) -> u32 {
        u32::try_from(self.sites.len()).unwrap_or(u32::MAX)
    }

    /// Whether a site has one.
    pub fn has(&self, site: &SiteName) -> bool {
        self.sites.contains(site)
    }

    /// What is wrong with the pool itself on a day: then it gives nobody a licence.
    pub fn fault(&self, today: Date) -> Option<LicenceProblem> {
        if let Some(until) = self.until.filter(|until| *until < today) {
            return Some(LicenceProblem::Ended { until });
        }
        let (used, seats) = (self.used(), self.seats?);
        (used > seats).then_some(LicenceProblem::OverUsed { used, seats })
    }

    /// Why no seat of it can be given to one more site on a day.
    pub fn closed(&self, today: Date) -> Option<LicenceProblem> {
        let full = || self.seats.filter(|seats| self.used() >= *seats).map(|seats| LicenceProblem::Full { seats });
        self.fault(today).or_else(full)
    }

    /// Why a site does not get its licence out of it on a day.
    pub fn problem(&self, site: &SiteName, today: Date) -> Option<LicenceProblem> {
        match self.has(site) {
            true => self.fault(today),
            false => Some(self.closed(today).unwrap_or(LicenceProblem::NoSeat)),
        }
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    document::generate::<LicencePools>("Licences", "The pools of licences of a fleet that Intendant keeps updated.")
});

static FORMATS: LazyLock<Formats> = LazyLock::new(|| {
    Formats::default()
        .with::<Day>()
        .with::<KeyReference>()
        .with::<PlainArgument>()
        .with::<SettingName>()
        .with::<SiteName>()
        .with::<Tag>()
});

impl LicencePools {
    /// The pools that `text` holds. `file` is only named in what is wrong.
    ///
    /// # Errors
    /// Everything that has to change in it, each with its line and column.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Violations> {
        document::checked(file, text, &SCHEMA, &FORMATS, names, validate)
    }

    /// The JSON Schema of pools, as it is committed for editors.
    pub fn json_schema() -> String {
        SCHEMA.to_text()
    }
}

/// The names of pools.
fn names(node: &Node) -> Vec<Violation> {
    let Some(Node { value: NodeValue::Map(entries), .. }) = node.get(&["pools".into()]) else { return Vec::new() };
    let wrong = |(place, name, _): &(document::Place, String, Node)| {
        let error = Tag::check(name).err()?;
        Some(Violation { place: *place, problem: error.problem, hint: error.hint })
    };
    entries.iter().filter_map(wrong).collect()
}

/// What can't hold at once.
fn validate(pools: &LicencePools, node: &Node) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, pool) in &pools.pools {
        let at: [Seg<'_>; 2] = ["pools".into(), name.as_str().into()];
        let mut say = |key: &[Seg<'_>], (problem, hint): (String, &str)| {
            let place = node.place_of(&[at.as_slice(), key].concat());
            found.push(Violation::new(place, problem).hint(hint));
        };
        let mut seen = BTreeSet::new();
        for (index, site) in pool.sites.iter().enumerate() {
            if !seen.insert(site) {
                let problem = format!("{site} has a seat already");
                say(&["sites".into(), index.into()], (problem, "each site once"));
            }
        }
        if let Some((key, problem, hint)) = activation(pool) {
            say(&["activate".into(), key.into()], (problem, hint));
        }
    }
    found
}

/// What is impossible in how a key is entered: the key that shows it, the problem, what was expected.
fn activation(pool: &LicencePool) -> Option<(&'static str, String, &'static str)> {
    let way = pool.activate.as_ref()?;
    let command = way.by.as_str() == BY_COMMAND;
    let say = |key, problem: &str, hint| Some((key, problem.to_owned(), hint));
    match () {
        () if pool.offline => say("by", "an offline licence is entered by hand", "leave out activate, or offline"),
        () if pool.key.is_none() => say("by", "there is no key to enter", "key: file:PATH beside activate"),
        () if command && way.name.is_some() => say("name", "a command enters no name", "leave it out"),
        () if command && !begins(&way.run) => say("run", NO_PROGRAM, "run: [wp, fast-cache, licence, enter]"),
        () if command && !begins(&way.probe) => say("probe", NO_PROGRAM, "probe: [wp, fast-cache, licence, check]"),
        () if !(command || way.run.is_empty() && way.probe.is_empty()) => {
            say("by", "run and probe stand with by: command", "by: command, or leave them out")
        }
        () if !command && way.name.is_none() => {
            Some(("by", format!("what {} enters has no name", clean_line(way.by.as_str(), 64)), "name: fast_cache_key"))
        }
        () => None,
    }
}

const NO_PROGRAM: &str = "a command begins with the name of a program";

fn begins(run: &[PlainArgument]) -> bool {
    run.first().is_some_and(|program| !program.as_str().is_empty() && !program.as_str().starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LicencePools, String> {
        LicencePools::parse(Path::new("licences.yaml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pool_gives_seats_until_it_is_over_or_used_up() {
        let text =
            "licences: 1\npools:\n  cache: { vendor: V, product: P, seats: 2, until: 2026-12-31, sites: [a, b] }\n";
        let mut pool = parse(text).unwrap().pools.into_values().next().unwrap();
        let site = |name: &str| SiteName::new(name).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let (before, after) = (day("2026-12-31"), day("2027-01-01"));
        assert_eq!(pool.problem(&site("a"), before), None);
        assert_eq!(pool.problem(&site("c"), before), Some(LicenceProblem::Full { seats: 2 }));
        assert_eq!(pool.problem(&site("a"), after), Some(LicenceProblem::Ended { until: before }));
        assert_eq!(pool.problem(&site("c"), after), Some(LicenceProblem::Ended { until: before }));
        pool.sites.push(site("d"));
        for name in ["a", "c", "d"] {
            let over = LicenceProblem::OverUsed { used: 3, seats: 2 };
            assert_eq!(pool.problem(&site(name), before), Some(over), "{name}");
        }
        pool.sites.truncate(1);
        assert_eq!(pool.problem(&site("c"), before), Some(LicenceProblem::NoSeat));
        pool.seats = None;
        assert_eq!(pool.closed(before), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_never_with_a_key() {
        let pool = |more: &str| format!("licences: 1\npools:\n  cache:\n    vendor: V\n    product: P\n{more}");
        for (more, said) in [
            ("    key: ABCD-1234-EFGH\n", "licences.yaml:6:10: this is not where a key is"),
            ("    key: env:HOME\n", "licences.yaml:6:10: this is not where a key is"),
            ("    activate: { by: option, name: k }\n", "there is no key to enter"),
            ("    key: file:k\n    activate: { by: option }\n", "what option enters has no name"),
            ("    key: file:k\n    activate: { by: command, run: [wp] }\n", "a command begins with the name"),
            ("    key: file:k\n    activate: { by: option, name: k, run: [wp] }\n", "stand with by: command"),
            ("    key: file:k\n    offline: true\n    activate: { by: option, name: k }\n", "is entered by hand"),
            ("    sites: [a, b, a]\n", "licences.yaml:6:19: a has a seat already"),
            ("    seats: 0\n", "licences.yaml:6:12"),
            ("    until: 2026-13-01\n", "there is no such day"),
        ] {
            let error = parse(&pool(more)).unwrap_err();
            assert!(error.contains(said), "{more}: {error}");
            assert!(!error.contains("ABCD-1234"), "{error}");
        }
        assert!(parse("licences: 1\npools: { Bad Name: { vendor: V, product: P } }\n").is_err());
        assert!(parse("licences: 2\n").is_err());
        assert_eq!(parse("licences: 1\n").unwrap(), LicencePools::default());
    }
}
