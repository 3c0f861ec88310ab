//! What can't hold at once in a playbook, and templates whose values are not known where they
//! stand, each found at its place.

use super::Playbook;
use super::argument::{Argument, CommandTemplate, placeholders};
use super::document::{Engine, Fact};
use super::scalars::{FeedWord, ToolName};
use super::transform::{TextForm, Transform};
use crate::model::document::{Node, NodeValue, Seg, Violation};
use crate::model::{Check, CheckedText, Kind, Period, PlainArgument, TextError, nearest};

/// Values that every command may use.
const COMMON: [&str; 4] = ["root", "scratch", "scripts", "url"];
/// Values that only some commands may use.
const SPECIAL: [&str; 8] = ["program", "token", "slug", "version", "rehearsal", "database", "name", "kind"];
/// Those that a way to enter a licence may use.
const OF_LICENCES: [&str; 3] = ["name", "slug", "kind"];
/// Programs that every host has, by POSIX; any other is a tool, so that it is known before a run whether the host has it.
const EVERYWHERE: [&str; 42] = [
    "awk", "basename", "cat", "chmod", "cmp", "cp", "cut", "date", "df", "diff", "dirname", "echo", "env", "expr",
    "false", "find", "grep", "head", "id", "kill", "ln", "ls", "mkdir", "mv", "printf", "ps", "pwd", "readlink", "rm",
    "rmdir", "sed", "sh", "sleep", "sort", "tail", "tar", "test", "touch", "tr", "true", "uniq", "wc",
];

/// Keys that are names.
pub(super) fn names(node: &Node) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut keys = |path: &[Seg<'_>], rule: fn(&str) -> Result<(), TextError>| {
        if let Some(Node { value: NodeValue::Map(entries), .. }) = node.get(path) {
            for (place, name, _) in entries {
                if let Err(error) = rule(name) {
                    found.push(Violation { place: *place, problem: error.problem, hint: error.hint });
                }
            }
        }
    };
    keys(&["tools".into()], ToolName::check);
    keys(&["facts".into()], ToolName::check);
    keys(&["operations".into(), "update".into()], crate::model::Slug::check);
    keys(&["operations".into(), "activate".into()], ToolName::check);
    keys(&["files".into(), "of".into()], crate::model::Slug::check);
    keys(&["files".into(), "places".into()], ToolName::check);
    keys(&["versions".into(), "train-of".into()], crate::model::Slug::check);
    let uses = match node.get(&["vulnerabilities".into()]) {
        Some(Node { value: NodeValue::List(items), .. }) => items.len(),
        _ => 0,
    };
    for index in 0..uses {
        keys(&["vulnerabilities".into(), index.into(), "kinds".into()], FeedWord::check);
    }
    found
}

/// Everything that can't hold at once.
pub(super) fn validate(playbook: &Playbook, node: &Node) -> Vec<Violation> {
    let mut rules = Rules { playbook, node, found: Vec::new() };
    rules.versions();
    rules.scripts();
    rules.tools();
    rules.facts();
    rules.database();
    rules.boot();
    rules.vulnerabilities();
    rules.operations();
    rules.checks();
    rules.found
}

struct Rules<'a> {
    playbook: &'a Playbook,
    node: &'a Node,
    found: Vec<Violation>,
}

impl Rules<'_> {
    fn say(&mut self, path: &[Seg<'_>], problem: impl Into<String>, hint: impl Into<String>) {
        let place = self.node.place_of(path);
        self.found.push(Violation::new(place, problem).hint(hint));
    }

    fn versions(&mut self) {
        let playbook = self.playbook;
        for (kind, parts) in &playbook.versions.train_of {
            let path = ["versions".into(), "train-of".into(), kind.as_str().into()];
            if !(1..=4).contains(parts) {
                self.say(&path, format!("{parts} can't stand here"), "a whole number from 1 to 4");
            }
            if !playbook.operations.update.contains_key(kind) {
                let kinds: Vec<&str> = playbook.operations.update.keys().map(Kind::as_str).collect();
                self.say(
                    &path,
                    format!("operations.update has no kind {kind}"),
                    format!("one of: {}", kinds.join(", ")),
                );
            }
        }
    }

    fn scripts(&mut self) {
        let scripts = &self.playbook.scripts;
        for (index, name) in scripts.iter().enumerate() {
            if scripts[..index].contains(name) {
                self.say(&["scripts".into(), index.into()], "this file stands here twice", "each file once");
            }
        }
        for (name, tool) in &self.playbook.tools {
            if let Some(bring) = tool.bring.as_ref().filter(|bring| scripts.contains(&bring.file)) {
                let path = ["tools".into(), name.as_str().into(), "bring".into(), "file".into()];
                self.say(
                    &path,
                    format!("{} is the name of a script too", bring.file),
                    "both are placed in one folder: another name",
                );
            }
        }
    }

    fn tools(&mut self) {
        for (name, tool) in &self.playbook.tools {
            let path = ["tools".into(), Seg::Key(name.as_str())];
            if COMMON.contains(&name.as_str()) || SPECIAL.contains(&name.as_str()) {
                let place = self.node.place_of_key(&path);
                self.found.push(
                    Violation::new(place, format!("{{{{{name}}}}} already stands for a value"))
                        .hint("another name for the tool"),
                );
            }
            let run = ["tools".into(), Seg::Key(name.as_str()), "run".into()];
            if !tool.run.iter().any(|argument| argument.names().contains("program")) {
                self.say(
                    &run,
                    "this tool never runs the program that was found",
                    "{{program}} in the place where the program stands",
                );
            }
            self.arguments(&run, &tool.run, &["program"], Some(name.as_str()));
        }
    }

    fn facts(&mut self) {
        for (name, fact) in &self.playbook.facts {
            if ["read", "database", "boot"].contains(&name.as_str()) {
                let place = self.node.place_of_key(&["facts".into(), name.as_str().into()]);
                self.found.push(
                    Violation::new(place, format!("{name} already is what a playbook observes by that name"))
                        .hint("another name for the fact"),
                );
            }
            self.fact(&["facts".into(), name.as_str().into()], fact);
        }
        self.fact(&["read".into()], &self.playbook.read);
    }

    fn fact(&mut self, path: &[Seg<'_>], fact: &Fact) {
        self.fact_with(path, fact, &[]);
    }

    fn fact_with(&mut self, path: &[Seg<'_>], fact: &Fact, special: &[&str]) {
        self.command(path, &fact.command(), special);
        if let Transform::Text(TextForm { text: false, .. }) = fact.parse {
            self.say(
                &[path, &["parse".into(), "text".into()]].concat(),
                "text is always true",
                "text: true, or another form: marker, json, lines",
            );
        }
        if let Transform::Json(form) = &fact.parse
            && form.empty_if.is_some()
            && form.empty.is_none()
        {
            let path = [path, &["parse".into(), "empty-if".into()]].concat();
            self.say(&path, "empty-if has no effect without empty", "empty: \"[]\"");
        }
    }

    fn database(&mut self) {
        if let Some(database) = &self.playbook.database {
            let credentials = ["database".into(), "credentials".into()];
            match (database.engine == Engine::Sqlite, database.credentials.is_empty()) {
                (true, false) => self.say(&credentials, "a file of sqlite needs no credentials", "leave them out"),
                (false, true) => self.say(
                    &["database".into()],
                    "nothing says how to log in to the database",
                    "credentials: a command that prints it",
                ),
                (false, false) => self.run(&credentials, &database.credentials, &[]),
                (true, true) => {}
            }
            self.fact(&["database".into(), "describe".into()], &database.describe);
            let fixed = matches!(database.engine, Engine::Postgresql | Engine::Sqlite);
            if fixed && !database.visitors.is_empty() {
                self.say(
                    &["database".into(), "visitors".into()],
                    "rows that visitors write are kept over a restore for the engine mysql alone",
                    "leave it out",
                );
            }
        }
    }

    fn boot(&mut self) {
        let Some(boot) = &self.playbook.boot else { return };
        self.fact_with(&["boot".into()], &boot.fact(), &["rehearsal", "database"]);
        if !boot.run.iter().any(|argument| argument.names().contains("rehearsal")) {
            self.say(
                &["boot".into(), "run".into()],
                "this command does not start the restored copy",
                "{{rehearsal}} in one of its arguments",
            );
        }
        let groups = regex::Regex::new(boot.version.pattern.as_str()).map_or(0, |pattern| pattern.captures_len());
        if groups < 2 {
            self.say(
                &["boot".into(), "version".into(), "pattern".into()],
                "this pattern has no group",
                "parentheses around the version",
            );
        }
    }

    /// A kind that no record has would find nothing, in silence.
    fn vulnerabilities(&mut self) {
        for (index, used) in self.playbook.vulnerabilities.iter().enumerate() {
            let known = used.source.kinds();
            for word in
                used.kinds.keys().filter(|word| !known.iter().any(|kind| kind.eq_ignore_ascii_case(word.as_str())))
            {
                let path = ["vulnerabilities".into(), index.into(), "kinds".into(), word.as_str().into()];
                let hint = match nearest(word.as_str(), known.iter().copied()) {
                    Some(near) => format!("did you mean {near}? Its kinds: {}", known.join(", ")),
                    None => format!("its kinds: {}", known.join(", ")),
                };
                let problem = format!("no record of a feed of the format {} has the kind {word}", used.source);
                self.found.push(Violation::new(self.node.place_of_key(&path), problem).hint(hint));
            }
        }
    }

    fn operations(&mut self) {
        let operations = &self.playbook.operations;
        let at = |key| vec!["operations".into(), Seg::Key(key)];
        for (kind, command) in &operations.update {
            let path = [at("update"), vec![kind.as_str().into()]].concat();
            self.command(&path, command, &["slug", "version"]);
            let names = command.run.iter().any(|argument| argument.names().contains("slug"));
            if !names && !kind.is_core() {
                self.say(&path, "this command does not say what it updates", "{{slug}} in one of its arguments");
            }
        }
        for (way, activate) in &operations.activate {
            let path = [at("activate"), vec![way.as_str().into()]].concat();
            self.command(&path, &activate.command(), &OF_LICENCES);
            self.fact_with(&[path, vec!["probe".into()]].concat(), &activate.probe, &OF_LICENCES);
        }
        if let Some(maintenance) = &operations.maintenance {
            self.command(&[at("maintenance"), vec!["on".into()]].concat(), &maintenance.on, &["token"]);
            self.command(&[at("maintenance"), vec!["off".into()]].concat(), &maintenance.off, &[]);
            if maintenance.header.is_some() && maintenance.answers.is_some() {
                self.say(
                    &[at("maintenance"), vec!["answers".into()]].concat(),
                    "who is let in by a header never sees this answer",
                    "header or answers",
                );
            }
            let token = maintenance.on.run.iter().any(|argument| argument.names().contains("token"));
            if token != maintenance.header.is_some() {
                let (problem, hint) = match token {
                    true => {
                        ("{{token}} lets nobody in without a header", "header: X-Intendant-Visit beside on and off")
                    }
                    false => ("this header carries nothing", "{{token}} in an argument of maintenance.on"),
                };
                let key = if token { "on" } else { "header" };
                self.say(&[at("maintenance"), vec![key.into()]].concat(), problem, hint);
            }
        }
        if let Some(migrate) = &operations.migrate {
            self.command(&at("migrate"), migrate, &[]);
        }
        for (key, list) in [
            ("prepare", &operations.prepare),
            ("flush", &operations.flush),
            ("restart", &operations.restart),
            ("languages", &operations.languages),
        ] {
            for (index, command) in list.iter().enumerate() {
                self.command(&[at(key), vec![index.into()]].concat(), command, &[]);
            }
        }
    }

    fn checks(&mut self) {
        for (index, check) in self.playbook.checks.iter().enumerate() {
            for (key, problem, hint) in check.problems() {
                self.say(&["checks".into(), index.into(), key.into()], problem, hint);
            }
            if let Check::Command(check) = check {
                self.checked_command(&["checks".into(), index.into(), "command".into()], &check.command);
            }
        }
    }

    /// The command of a check, into which the values of the site are inserted as into every other.
    fn checked_command(&mut self, path: &[Seg<'_>], command: &[PlainArgument]) {
        let mut run = Vec::new();
        for (index, argument) in command.iter().enumerate() {
            match Argument::new(argument.as_str()) {
                Ok(argument) => run.push(argument),
                Err(TextError { problem, hint }) => {
                    let place = self.node.place_of(&[path, &[index.into()]].concat());
                    return self.found.push(Violation { place, problem, hint });
                }
            }
        }
        match run.first().map(Argument::as_str) {
            // Which is said already.
            None | Some("") => {}
            Some(first) if first.starts_with('-') => {}
            Some(_) => self.run(path, &run, &[]),
        }
    }

    fn command(&mut self, path: &[Seg<'_>], command: &CommandTemplate, special: &[&str]) {
        let day = Period::from_secs(24 * 3600);
        if command.timeout.is_zero() || command.timeout > day {
            self.say(
                &[path, &["timeout".into()]].concat(),
                "this is no useful time limit",
                "more than nothing, at most 24h",
            );
        }
        self.run(&[path, &["run".into()]].concat(), &command.run, special);
    }

    fn run(&mut self, path: &[Seg<'_>], run: &[Argument], special: &[&str]) {
        let first = run.first().map(Argument::as_str).unwrap_or_default();
        if first.is_empty() || first.starts_with('-') || first.contains("{{") {
            let tools: Vec<&str> = self.playbook.tools.keys().map(ToolName::as_str).collect();
            self.say(
                &[path, &[0.into()]].concat(),
                "a command begins with the name of a program",
                format!("one of the tools ({}), or a program of every host such as rm", tools.join(", ")),
            );
        } else {
            self.program(path, first);
        }
        self.arguments(path, run, special, None);
    }

    /// Whether it is known how a host has this program.
    fn program(&mut self, path: &[Seg<'_>], name: &str) {
        let tools = || self.playbook.tools.keys().map(ToolName::as_str);
        if tools().any(|tool| tool == name) || EVERYWHERE.contains(&name) || name.starts_with('/') {
            return;
        }
        let hint = match nearest(name, tools()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("a tool says how hosts have it: tools: {{ {name}: {{ find: [{name}] }} }}"),
        };
        let problem = format!("{name} is neither a tool of this playbook nor a program that every host has");
        self.say(&[path, &[0.into()]].concat(), problem, hint);
    }

    fn arguments(&mut self, path: &[Seg<'_>], run: &[Argument], special: &[&str], own_tool: Option<&str>) {
        let tools = self.playbook.tools.keys().map(ToolName::as_str).filter(|name| Some(*name) != own_tool);
        let known: Vec<&str> = COMMON.into_iter().chain(special.iter().copied()).chain(tools).collect();
        for (index, argument) in run.iter().enumerate() {
            let place = [path, &[index.into()]].concat();
            for (_, name) in placeholders(argument.as_str()).unwrap_or_default() {
                if known.contains(&name) {
                    continue;
                }
                let hint = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {{{{{near}}}}}?"),
                    None => format!("the values here: {}", known.join(", ")),
                };
                let problem = match SPECIAL.contains(&name) {
                    true => format!("{{{{{name}}}}} has no value in this command"),
                    false => format!("there is no value {{{{{name}}}}}"),
                };
                self.say(&place, problem, hint);
            }
            self.script(&place, argument);
        }
    }

    fn script(&mut self, place: &[Seg<'_>], argument: &Argument) {
        let Some((_, file)) = argument.as_str().split_once("{{scripts}}/") else {
            return;
        };
        let brought = self.playbook.tools.values().filter_map(|tool| tool.bring.as_ref());
        let known: Vec<&str> =
            self.playbook.scripts.iter().chain(brought.map(|b| &b.file)).map(|f| f.as_str()).collect();
        if file.contains("{{") || known.contains(&file) {
            return;
        }
        let hint = match nearest(file, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => "every file that is placed on the host stands in scripts:".to_owned(),
        };
        self.say(place, format!("{file:?} is not one of the scripts"), hint);
    }
}
