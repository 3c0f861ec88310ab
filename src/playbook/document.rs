//! The playbook itself and its parts.

use super::argument::{Argument, CommandTemplate};
use super::scalars::{
    ComponentPlace, FeedWord, FileName, FilePattern, HeaderName, Pattern, RelativePath, Sha512, ToolName,
};
use super::transform::Transform;
use crate::model::{Check, FeedFormat, Kind, Period, PlainArgument, VersionScheme, lies_in};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How one CMS is observed, updated and checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Playbook {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub playbook: u32,
    /// The name by which plans ask for it; that of its folder.
    pub cms: ToolName,
    /// The name that people know.
    #[schemars(length(min = 1, max = 100))]
    pub title: String,
    /// A folder is such a site when all of these exist below it; any folder is where there are none.
    #[schemars(length(max = 20))]
    pub detect: Vec<Mark>,
    /// Folders that are another playbook's, although their files look alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub instead: Vec<Instead>,
    /// How versions are ordered.
    pub versions: Versions,
    /// Files beside the playbook that are placed on the host, in `{{scripts}}`.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub scripts: Vec<FileName>,
    /// Programs, by the name with which commands begin.
    #[serde(default)]
    pub tools: BTreeMap<ToolName, Tool>,
    /// Observations, whose documents are merged into the inventory.
    pub facts: BTreeMap<ToolName, Fact>,
    /// The versions as they are on disk and in the database, read again after every group.
    pub read: Fact,
    /// The site's database; a CMS may have none.
    #[serde(default)]
    pub database: Option<Database>,
    /// Whose files lie where.
    #[serde(default, skip_serializing_if = "Files::is_empty")]
    pub files: Files,
    /// Starts the CMS on a copy that a rehearsal restored; it may have no such way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Boot>,
    /// What the names in feeds of vulnerabilities mean here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub vulnerabilities: Vec<FeedUse>,
    /// What changes a site.
    pub operations: Operations,
    /// Checks that every site of this CMS gets.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub checks: Vec<Check>,
    /// How long caches may go on serving what is gone.
    #[serde(default)]
    pub patience: Period,
}

/// How versions are ordered, and how many leading numbers name a release train.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Versions {
    /// The order.
    pub scheme: VersionScheme,
    /// How many leading numbers name a train.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 4))]
    pub train: u8,
    /// The same for single kinds.
    #[serde(default)]
    pub train_of: BTreeMap<Kind, u8>,
}

/// What shows that a folder is a site of this CMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Mark {
    /// A file or folder.
    Path(RelativePath),
    /// One of several, for layouts that differ.
    Any(#[schemars(length(min = 1, max = 20))] Vec<RelativePath>),
}

impl Mark {
    /// Those of which one has to exist.
    pub fn paths(&self) -> &[RelativePath] {
        match self {
            Self::Path(path) => std::slice::from_ref(path),
            Self::Any(paths) => paths,
        }
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<&str> = self.paths().iter().map(|path| path.as_str()).collect();
        f.write_str(&paths.join(" or "))
    }
}

/// A folder that another playbook is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Instead {
    /// What exists below it, all of it.
    #[schemars(length(min = 1, max = 20))]
    pub detect: Vec<Mark>,
    /// The playbook that it is for.
    pub cms: ToolName,
    /// Why this one is not.
    #[schemars(length(min = 1, max = 200))]
    pub why: String,
}

impl Playbook {
    /// Everything that is observed, by name: the facts, and `read`, `database` and `boot`, where there are these.
    pub fn observations(&self) -> BTreeMap<&str, Fact> {
        let mut all: BTreeMap<&str, Fact> =
            self.facts.iter().map(|(name, fact)| (name.as_str(), fact.clone())).collect();
        all.insert("read", self.read.clone());
        all.extend(self.database.iter().map(|database| ("database", database.describe.clone())));
        all.extend(self.boot.iter().map(|boot| ("boot", boot.fact())));
        all
    }
}

fn one() -> u8 {
    1
}

impl Versions {
    /// How many leading numbers name a train of `kind`.
    pub fn train_parts(&self, kind: &Kind) -> usize {
        usize::from(*self.train_of.get(kind).unwrap_or(&self.train))
    }
}

/// A program that the host has, or is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tool {
    /// Names that are tried in this order.
    #[schemars(length(min = 1, max = 20))]
    pub find: Vec<ToolName>,
    /// What a command begins with instead of the tool's name; the program alone unless given.
    #[serde(default = "just_the_program")]
    #[schemars(length(min = 1, max = 64))]
    pub run: Vec<Argument>,
    /// Shows that a program is the one that is meant.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// What is placed on a host that has none.
    #[serde(default)]
    pub bring: Option<Bring>,
}

fn just_the_program() -> Vec<Argument> {
    vec![Argument::program()]
}

/// Shows that a program is the one that is meant: it exits with 0 and prints a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// Its arguments.
    #[schemars(length(min = 1, max = 64))]
    pub args: Vec<PlainArgument>,
    /// What it prints.
    #[schemars(length(min = 1, max = 200))]
    pub contains: String,
}

/// A program that is placed on a host that has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bring {
    /// Its file's name there.
    pub file: FileName,
    /// Its version, for people.
    pub version: crate::model::Version,
    /// Where it is downloaded from: https only.
    pub url: super::scalars::DownloadUrl,
    /// The SHA-512 of its bytes.
    pub sha512: Sha512,
}

/// Whose files lie where below the site's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Files {
    /// Folders that a site may have elsewhere, by a name: where they are here. An inventory says where they are on its
    /// site, and what stands below them in the rest of `files` is looked for there.
    #[schemars(length(max = 20))]
    pub places: BTreeMap<String, RelativePath>,
    /// What editors, visitors and the CMS itself write from day to day: that it changes says nothing.
    #[schemars(length(max = 100))]
    pub content: Vec<FilePattern>,
    /// Names of files that are never content, because a server may run them or goes by them; small and capital letters
    /// are the same.
    #[schemars(length(max = 100))]
    pub programs: Vec<FilePattern>,
    /// Programs that every site has, and that belong to no component.
    #[schemars(length(max = 100))]
    pub own: Vec<FilePattern>,
    /// Where the files of a component of each kind lie.
    pub of: BTreeMap<Kind, Vec<ComponentPlace>>,
}

impl Files {
    /// Whether a path is in a place of content.
    pub fn is_among_content(&self, path: &str) -> bool {
        self.content.iter().any(|pattern| lies_in(pattern.as_str(), path))
    }

    /// The same for a site that has some of its places elsewhere. A place that would take in files of the core, or lie
    /// among them, is not believed.
    pub fn on(&self, elsewhere: &BTreeMap<String, RelativePath>) -> Self {
        let moved: Vec<(&str, &str)> = (self.places.iter())
            .filter_map(|(name, here)| Some((here.as_str(), elsewhere.get(name)?.as_str())))
            .filter(|(here, there)| here == there || !self.is_among_core(there))
            .collect();
        if moved.iter().all(|(here, there)| here == there) {
            return self.clone();
        }
        let pattern = |one: &FilePattern| FilePattern::new(relocated(&moved, one.as_str())).unwrap_or(one.clone());
        let place = |one: &ComponentPlace| ComponentPlace::new(relocated(&moved, one.as_str())).unwrap_or(one.clone());
        Self {
            places: self.places.clone(),
            content: self.content.iter().map(pattern).collect(),
            programs: self.programs.clone(),
            own: self.own.iter().map(pattern).collect(),
            of: self.of.iter().map(|(kind, places)| (kind.clone(), places.iter().map(place).collect())).collect(),
        }
    }

    fn is_among_core(&self, path: &str) -> bool {
        let lies = |inner: &str, outer: &str| {
            inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
        };
        let core = self.of.iter().filter(|(kind, _)| kind.is_core()).flat_map(|(_, places)| places);
        core.map(|place| place.as_str().trim_end_matches('/')).any(|core| lies(path, core) || lies(core, path))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A path below the innermost of these folders, where that is elsewhere.
fn relocated(moved: &[(&str, &str)], path: &str) -> String {
    let below = |(here, there): &(&str, &str)| {
        let rest = path.strip_prefix(here).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        Some((here.len(), format!("{there}{rest}")))
    };
    moved.iter().filter_map(below).max().map_or_else(|| path.to_owned(), |(_, path)| path)
}

/// One observation: a command and a pure transform of what it prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fact {
    /// The command.
    #[schemars(length(min = 1, max = 64))]
    pub run: Vec<Argument>,
    /// How long it may take.
    #[serde(default = "CommandTemplate::default_timeout")]
    pub timeout: Period,
    /// The exit codes with which its output can be read.
    #[serde(default = "CommandTemplate::default_exit")]
    #[schemars(length(min = 1, max = 32), inner(range(min = 0, max = 255)))]
    pub exit: Vec<u8>,
    /// The transform.
    pub parse: Transform,
}

impl Fact {
    /// Whether its output can be read when the command ended like this.
    pub fn allows(&self, status: i32) -> bool {
        self.exit.iter().any(|allowed| i32::from(*allowed) == status)
    }

    /// Its command.
    pub fn command(&self) -> CommandTemplate {
        CommandTemplate { run: self.run.clone(), timeout: self.timeout, exit: self.exit.clone() }
    }
}

/// Starts the CMS on a restored copy, and gives `root`, `database`, `version` and `settings` as the
/// copy's own code sees them; or `skip`, why it can't be started there without harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Boot {
    /// The command. `{{rehearsal}}` is the copy's folder, `{{database}}` the name of its database.
    #[schemars(length(min = 1, max = 64))]
    pub run: Vec<Argument>,
    /// How long it may take.
    #[serde(default = "CommandTemplate::default_timeout")]
    pub timeout: Period,
    /// The exit codes with which its output can be read.
    #[serde(default = "CommandTemplate::default_exit")]
    #[schemars(length(min = 1, max = 32), inner(range(min = 0, max = 255)))]
    pub exit: Vec<u8>,
    /// The transform.
    pub parse: Transform,
    /// Where the version stands in the snapshot's files; what the copy says has to be the same.
    pub version: VersionPlace,
}

impl Boot {
    /// Its command and transform, as a fact.
    pub fn fact(&self) -> Fact {
        Fact { run: self.run.clone(), timeout: self.timeout, exit: self.exit.clone(), parse: self.parse.clone() }
    }
}

/// Where a version stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VersionPlace {
    /// The file, below the site's folder.
    pub file: RelativePath,
    /// What stands around it; the first group is the version.
    pub pattern: Pattern,
}

/// The site's database, from the site's own configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Database {
    /// Its sort.
    pub engine: Engine,
    /// Prints how to log in, below a line `[client]`: for `mysql` an option file of the client, for `postgresql` a
    /// connection service (host, port, user, password). It goes from process to process on the host only.
    /// None for `sqlite`; where the engine is `described`, it is asked only if the site has another one.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub credentials: Vec<Argument>,
    /// Gives the database's name (`name`), for `sqlite` the path of its file, absolute or below the site's folder, and, for `mysql`, the prefix of the site's tables (`prefix`).
    /// Where the engine is `described`, also which one it is (`engine`), or `none` where the site has no database.
    pub describe: Fact,
    /// Tables whose presence under another prefix shows another installation.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 1, max = 64)))]
    pub installation: Vec<String>,
    /// What may stand between our prefix and a table's name and still be ours.
    #[serde(default)]
    pub ours: Option<Pattern>,
    /// Tables, without the prefix, in which visitors write; `*` stands for any characters. They count where the engine
    /// is `mysql`.
    #[serde(default)]
    #[schemars(length(max = 200), inner(length(min = 1, max = 64)))]
    pub visitors: Vec<String>,
}

/// A sort of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// MariaDB or MySQL.
    Mysql,
    /// PostgreSQL.
    Postgresql,
    /// SQLite: a file.
    Sqlite,
    /// The one that `describe` tells of, from the site's own configuration.
    Described,
}

impl Engine {
    /// The engine of a name; none where the name is not that of one.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mysql" => Some(Self::Mysql),
            "postgresql" => Some(Self::Postgresql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }
}

/// What the names in feeds of one format mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeedUse {
    /// The format.
    pub source: FeedFormat,
    /// The feed's own kinds, and what each is here. Whatever has a kind that is `core` here is the core.
    #[schemars(length(min = 1, max = 50))]
    pub kinds: BTreeMap<FeedWord, Kind>,
    /// What stands before a name in the feed, and not here: `vendor/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<FeedWord>,
    /// Names in the feed that mean the core.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub core: Vec<FeedWord>,
}

/// What changes a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Operations {
    /// How visitors are asked to wait; a CMS may have no such switch.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
    /// What is done right before the first update.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub prepare: Vec<CommandTemplate>,
    /// How a component of each kind is brought to a version.
    pub update: BTreeMap<Kind, CommandTemplate>,
    /// Ways to enter the key of a licence, by the name that pools of licences know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub activate: BTreeMap<ToolName, Activate>,
    /// The migration of the database.
    #[serde(default)]
    pub migrate: Option<CommandTemplate>,
    /// What empties caches: after updates, and after a restore.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub flush: Vec<CommandTemplate>,
    /// What starts the site's processes again, where these keep the code that they began with. It changes nothing of
    /// the site: it is done after updates, and after a restore. A plan may have its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub restart: Vec<CommandTemplate>,
    /// What updates language files.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub languages: Vec<CommandTemplate>,
}

/// A way to enter the key of a licence. Its commands read the key from their standard input; `{{name}}` is what it is
/// entered as, `{{kind}}` and `{{slug}}` say what it is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Activate {
    /// The command.
    #[schemars(length(min = 1, max = 64))]
    pub run: Vec<Argument>,
    /// How long it may take.
    #[serde(default = "CommandTemplate::default_timeout")]
    pub timeout: Period,
    /// The exit codes that mean success.
    #[serde(default = "CommandTemplate::default_exit")]
    #[schemars(length(min = 1, max = 32), inner(range(min = 0, max = 255)))]
    pub exit: Vec<u8>,
    /// Looks before and after it: `entered`, whether just this key is entered; `offered`, whether the update is offered then; and
    /// `package`, whether that offer has a package.
    pub probe: Fact,
}

impl Activate {
    /// Its command.
    pub fn command(&self) -> CommandTemplate {
        CommandTemplate { run: self.run.clone(), timeout: self.timeout, exit: self.exit.clone() }
    }
}

/// How visitors are asked to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Maintenance {
    /// Begins it. It may use `{{token}}`, the run's secret.
    pub on: CommandTemplate,
    /// Ends it, also when the CMS does not run.
    pub off: CommandTemplate,
    /// The header in which our checks show the token, and so see the site.
    #[serde(default)]
    pub header: Option<HeaderName>,
    /// The status with which pages answer while it is on, where no header lets our checks in: a page that answers so
    /// is right then. What it can't show, the full checks show after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 200, max = 599))]
    pub answers: Option<u16>,
    /// Files that the switch leaves while it is on; they are no change of the site.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub files: Vec<RelativePath>,
}

impl Maintenance {
    /// What ends it where a snapshot was put back. A switch that leaves files may leave them where no snapshot looks; one that
    /// leaves none is in the database, and was put back with that.
    pub fn off_after_restore(&self) -> Option<&CommandTemplate> {
        (!self.files.is_empty()).then_some(&self.off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let place = |text: &str| RelativePath::new(text).unwrap();
        let patterns = |texts: &[&str]| texts.iter().map(|text| FilePattern::new(*text).unwrap()).collect();
        let at = |texts: &[&str]| texts.iter().map(|text| ComponentPlace::new(*text).unwrap()).collect();
        Files {
            places: [("content", "wp-content"), ("uploads", "wp-content/uploads")]
                .map(|(name, text)| (name.to_owned(), place(text)))
                .into(),
            content: patterns(&["wp-content/uploads", "wp-content/cache", "wp-contents"]),
            programs: patterns(&["*.php"]),
            own: patterns(&["wp-config.php"]),
            of: [
                (Kind::new("core").unwrap(), at(&["wp-admin/", "index.php"])),
                (Kind::new("plugin").unwrap(), at(&["wp-content/plugins/{{slug}}/"])),
            ]
            .into(),
        }
    }

    fn on(places: &[(&str, &str)]) -> Files {
        let there = places.iter().map(|(name, text)| ((*name).to_owned(), RelativePath::new(*text).unwrap()));
        files().on(&there.collect())
    }

    #[test]
    fn what_lies_below_a_place_is_looked_for_where_it_is() {
        let moved = on(&[("content", "app"), ("uploads", "media/files"), ("unknown", "x")]);
        let content: Vec<&str> = moved.content.iter().map(|one| one.as_str()).collect();
        assert_eq!(content, ["media/files", "app/cache", "wp-contents"]);
        assert_eq!(moved.of[&Kind::new("plugin").unwrap()][0].as_str(), "app/plugins/{{slug}}/");
        assert_eq!(moved.own, files().own);
        assert_eq!(on(&[]), files());
        assert_eq!(on(&[("content", "wp-content"), ("uploads", "wp-content/uploads")]), files());
    }

    /// Uploads that stay while all around them moves.
    #[test]
    fn the_innermost_place_counts() {
        let moved = on(&[("content", "app"), ("uploads", "wp-content/uploads")]);
        let content: Vec<&str> = moved.content.iter().map(|one| one.as_str()).collect();
        assert_eq!(content, ["wp-content/uploads", "app/cache", "wp-contents"]);
    }

    #[test]
    fn a_place_among_the_core_is_not_believed() {
        for place in ["wp-admin", "wp-admin/includes", "index.php"] {
            assert_eq!(on(&[("uploads", place)]), files(), "{place}");
        }
        assert_ne!(on(&[("uploads", "wp-administration")]), files());
    }
}
