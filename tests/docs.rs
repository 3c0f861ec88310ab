//! The documentation, held to what the program does: plans, settings and playbooks in it are read,
//! command lines are accepted, links lead somewhere, tables name what there is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page of the documentation.
struct Page {
    name: String,
    path: PathBuf,
    text: String,
}

impl Page {
    fn open(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(here()).unwrap().display().to_string();
        Self { name, path, text }
    }

    /// Its lines, counted from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Its fenced blocks.
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (line, text) in self.lines() {
            match (&mut open, text.trim_start().strip_prefix("```")) {
                (None, Some(sort)) => {
                    open = Some(Block { line: line + 1, sort: sort.trim().to_owned(), text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    block.text.push_str(text);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.name);
        blocks
    }

    /// The lines outside fenced blocks.
    fn prose(&self) -> Vec<(usize, &str)> {
        let mut fenced = false;
        let keep = |(_, text): &(usize, &str)| {
            let fence = text.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        };
        self.lines().filter(keep).collect()
    }
}

/// A fenced block: its first line, its sort, what stands in it.
struct Block {
    line: usize,
    sort: String,
    text: String,
}

impl Block {
    /// The first line that is no comment.
    fn first(&self) -> &str {
        self.text.lines().find(|line| !line.starts_with('#')).unwrap_or_default()
    }
}

/// Every page: those of the root, of `docs`, and the README files of `tests`.
fn pages() -> Vec<Page> {
    let mut folders = vec![here().join("docs"), here().join("tests")];
    let mut paths = vec![here().join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "md") => paths.push(path),
                false => {}
            }
        }
    }
    paths.sort();
    paths.into_iter().map(Page::open).collect()
}

fn page(name: &str) -> Page {
    Page::open(here().join(name))
}

fn fail_with(title: &str, rows: &[String]) {
    assert!(rows.is_empty(), "{title}:\n  {}\n", rows.join("\n  "));
}

/// The program, in an empty folder that is also its home.
fn intendant(folder: &Path, arguments: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("INTENDANT_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder).env("HOME", folder);
    for base in ["XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env(base, folder.join(base));
    }
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

/// A plan with nothing but what a plan must have, each key on one line.
const LEAST: &str = "plan: 1\nsite: example\nclient: { name: Example, language: en }\ntier: advanced\n\
                     cms: wordpress\nurl: https://site.example/\nhost: { local: /srv/www/site }\n";

/// A part of a plan, laid over the least plan. Its line 1 stays line 1.
fn completed(part: &str) -> String {
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.to_owned());
    let own: BTreeSet<String> =
        part.lines().filter(|line| !line.starts_with([' ', '#', '-'])).filter_map(key).collect();
    let rest = LEAST.lines().filter(|line| key(line).is_none_or(|key| !own.contains(&key)));
    std::iter::once(part.trim_end()).chain(rest).collect::<Vec<_>>().join("\n") + "\n"
}

/// The page whose examples are parts of the playbook that it shows first, and cases of that.
const PLAYBOOKS: &str = "docs/guide/playbooks.md";

/// A document over another: what has a key in the first is left out of the second.
fn laid_over(part: &str, whole: &str) -> String {
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.to_owned());
    let is_key = |line: &&str| !line.starts_with([' ', '#', '-', '}']);
    let own: BTreeSet<String> = part.lines().filter(is_key).filter_map(key).collect();
    let mut text = part.trim_end().to_owned() + "\n";
    let mut kept = false;
    for line in whole.lines() {
        if is_key(&line) {
            kept = key(line).is_none_or(|key| !own.contains(&key));
        }
        if kept {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// The playbook that the page of playbooks shows first.
fn shown_playbook() -> String {
    let blocks = page(PLAYBOOKS).blocks();
    blocks.into_iter().find(|block| block.first() == "playbook: 1").expect("the page shows a playbook").text
}

/// What is wrong with a case of the playbook that the page shows.
fn case_error(text: &str) -> Option<String> {
    use intendant::inventory::{DocumentKind, flaws};
    use intendant::playbook::{Case, Verdict, parse};
    let playbook = parse(Path::new(PLAYBOOKS), &shown_playbook()).unwrap();
    let case: Case = match serde_yaml::from_str(text) {
        Ok(case) => case,
        Err(error) => return Some(error.to_string()),
    };
    let verdicts = playbook.observations().into_iter().map(|(name, fact)| (name.to_owned(), case.judge(&fact)));
    let mut of_it = verdicts.filter(|(_, verdict)| !matches!(verdict, Verdict::OtherCommand { .. }));
    match of_it.next() {
        None => Some(format!("no fact of the page's playbook has the command {:?}", case.command)),
        Some((name, Verdict::Held)) => {
            flaws(DocumentKind::of(&name), case.becomes.as_ref()?).first().map(ToString::to_string)
        }
        Some((_, verdict)) => Some(format!("{verdict:#?}")),
    }
}

#[test]
fn every_yaml_block_is_read() {
    let mut rows = Vec::new();
    let mut count = 0;
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.sort.starts_with("yaml")) {
            count += 1;
            let place = format!("{}:{}", page.name, block.line);
            let file = Path::new(&place);
            let known = intendant::playbook::Library::shipped();
            let plan = |text: &str| intendant::plan::parse(file, text, &known.names()).err().map(|e| e.to_string());
            let wrong = match block.first() {
                "plan: 1" => plan(&block.text),
                "playbook: 1" => intendant::playbook::parse(file, &block.text).err().map(|error| error.to_string()),
                "settings: 1" => settings_error(&block.text),
                "licences: 1" => {
                    intendant::plan::LicencePools::parse(file, &block.text).err().map(|error| error.to_string())
                }
                line if line.starts_with("command: ") => case_error(&block.text),
                _ if page.name == PLAYBOOKS => {
                    let text = laid_over(&block.text, &shown_playbook());
                    intendant::playbook::parse(file, &text).err().map(|error| error.to_string())
                }
                _ => plan(&completed(&block.text)),
            };
            rows.extend(wrong.map(|wrong| format!("{place}: {wrong}")));
        }
    }
    fail_with("blocks that the program does not read", &rows);
    assert!(count >= 10, "{count} blocks of YAML were found; the manual has more");
}

/// What the program says of settings, if it does not take them.
fn settings_error(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("settings.yaml"), text).unwrap();
    std::fs::write(folder.path().join("plan.yaml"), LEAST).unwrap();
    std::fs::create_dir(folder.path().join("our-playbooks")).unwrap();
    let arguments = ["validate", "--settings", "settings.yaml", "plan.yaml"].map(String::from);
    let output = intendant(folder.path(), &arguments);
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The arguments of a command line as it stands in a page, up to a pipe, a redirection or a comment.
fn arguments(line: &str) -> Vec<String> {
    let end = [" | ", " > ", " && ", "  #"].iter().filter_map(|stop| line.find(stop)).min().unwrap_or(line.len());
    // What stands between quotes is one argument.
    let quoted = line[..end].split('"').enumerate().flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![part.to_owned()],
    });
    quoted.skip(1).collect()
}

/// What is wrong with a command line, if the program does not take it.
fn refused(line: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("our-playbooks")).unwrap();
    let asked = arguments(line);
    let helped: Vec<String> = asked.iter().cloned().chain(["--help".to_owned()]).collect();
    let output = intendant(folder.path(), &helped);
    if !output.status.success() {
        return Some(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    // Help hides what is missing. Without plans these end before they reach a site.
    let harmless = !matches!(asked.first().map(String::as_str), None | Some("demo" | "init"));
    let output = harmless.then(|| intendant(folder.path(), &asked))?;
    (output.status.code() == Some(2)).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn every_command_line_is_accepted() {
    let mut rows = Vec::new();
    let mut commands = BTreeSet::new();
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.sort == "console") {
            for (index, line) in block.text.lines().enumerate() {
                let place = format!("{}:{}", page.name, block.line + index);
                let Some(line) = line.strip_prefix("$ ") else {
                    rows.push(format!("{place}: a line of a console block begins with `$ `"));
                    continue;
                };
                if line.starts_with("intendant ") {
                    commands.extend(arguments(line).into_iter().next());
                    rows.extend(refused(line).map(|wrong| format!("{place}: {line}\n{wrong}")));
                }
            }
        }
        // `intendant run SITE` in a sentence.
        for (number, line) in page.prose() {
            for span in line.split('`').skip(1).step_by(2).filter(|span| span.starts_with("intendant ")) {
                commands.extend(arguments(span).into_iter().next());
                rows.extend(refused(span).map(|wrong| format!("{}:{number}: {span}\n{wrong}", page.name)));
            }
        }
    }
    fail_with("command lines that the program refuses", &rows);

    let help = intendant(here(), &["--help".to_owned()]);
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let known: BTreeSet<String> = listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(known.len() > 5, "the help lists its commands: {known:?}");
    let silent: Vec<_> = known.difference(&commands).filter(|name| *name != "help").cloned().collect();
    fail_with("commands without an example in the documentation", &silent);
}

/// The anchors of a page, as they are made of its headings.
fn anchors(page: &Page) -> BTreeSet<String> {
    let headings = page.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(|(_, line)| anchor(line)).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut rows = Vec::new();
    for page in pages() {
        for (number, line) in page.prose() {
            for rest in line.split("](").skip(1) {
                let target = rest.split(')').next().unwrap_or_default();
                if target.contains("://") {
                    continue;
                }
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let path = match file.is_empty() {
                    true => page.path.clone(),
                    false => page.path.parent().unwrap().join(file),
                };
                let found = path.exists() && (anchor.is_empty() || anchors(&Page::open(plain(&path))).contains(anchor));
                if !found {
                    rows.push(format!("{}:{number}: {target} leads nowhere", page.name));
                }
            }
        }
    }
    fail_with("links that lead nowhere", &rows);
}

/// The path without `..`, so that it begins with the project's own folder.
fn plain(path: &Path) -> PathBuf {
    here().canonicalize().map_or(path.to_owned(), |root| {
        let file = path.canonicalize().unwrap();
        here().join(file.strip_prefix(root).unwrap())
    })
}

/// What says more of a machine, or of those who work on the project, than of the project.
fn is_foreign(line: &str) -> Option<String> {
    let words = [
        "/root/",
        "/work/",
        "/home/",
        "/tmp/",
        "crates.io",
        "pypi.org",
        "npmjs",
        "registry.",
        "docker.io",
        "TODO",
        "FIXME",
    ];
    let word = words.iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned());
    word.or_else(|| {
        let number = |at: usize| line[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let before = |at: usize| line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '&');
        line.match_indices('#').find(|(at, _)| number(*at) && before(*at)).map(|(at, _)| line[at..].to_owned())
    })
}

#[test]
fn pages_speak_of_the_project_alone() {
    let foreign = |page: &Page| -> Vec<String> {
        let rows = page.lines().filter_map(|(number, line)| {
            is_foreign(line).map(|word| format!("{}:{number}: {word:?} has no place here", page.name))
        });
        rows.collect()
    };
    let mut all: Vec<String> = pages().iter().flat_map(foreign).collect();
    for folder in ["plans/examples", "playbooks/wordpress"] {
        for entry in std::fs::read_dir(here().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yaml") {
                all.extend(foreign(&Page::open(path)));
            }
        }
    }
    fail_with("words that have no place in the documentation", &all);
    assert!(is_foreign("see #12 for this").is_some() && is_foreign("# 12 steps, page /a?b#c").is_none());
}

/// All keys of the objects in a schema.
fn keys(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    let definitions = schema["$defs"].as_object().into_iter().flat_map(|all| all.values());
    for object in std::iter::once(schema).chain(definitions) {
        found.extend(object["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
    }
}

#[test]
fn every_key_of_a_plan_is_explained() {
    every_key_is_explained("plans/plan.schema.json", "docs/guide/plans.md");
}

#[test]
fn every_key_of_a_playbook_is_explained() {
    every_key_is_explained("playbooks/playbook.schema.json", PLAYBOOKS);
}

fn every_key_is_explained(schema: &str, page_name: &str) {
    let text = std::fs::read_to_string(here().join(schema)).unwrap();
    let mut all = BTreeSet::new();
    keys(&serde_json::from_str(&text).unwrap(), &mut all);
    assert!(all.len() > 40, "the schema has its keys: {all:?}");
    let page = page(page_name);
    let prose: String = page.prose().iter().map(|(_, line)| format!("{line}\n")).collect();
    let explained: BTreeSet<&str> = prose.split('`').skip(1).step_by(2).flat_map(|span| span.split('.')).collect();
    let shown: String = page.blocks().into_iter().map(|block| block.text).collect();
    let is_shown = |key: &str| {
        let before = |at: usize| shown[..at].chars().next_back();
        let is_whole = |at: usize| before(at).is_none_or(|c| !c.is_alphanumeric() && c != '-');
        shown.match_indices(&format!("{key}:")).any(|(at, _)| is_whole(at))
    };
    let silent: Vec<String> = all
        .into_iter()
        .filter(|key| !explained.contains(key.as_str()) || !is_shown(key))
        .map(|key| format!("{}: `{key}` has no words, or no example", page.name))
        .collect();
    fail_with("keys that the manual does not explain", &silent);
}

#[test]
fn every_outcome_is_explained_with_its_exit_code() {
    let page = page("docs/guide/running.md");
    for outcome in intendant::model::Outcome::ALL {
        let (name, code) = (format!("`{outcome}`"), format!("| {} |", outcome.exit_code()));
        let meaning = format!("| {name} |");
        assert!(page.text.contains(&meaning), "{}: no row of outcomes begins {meaning}", page.name);
        let row = page.text.lines().find(|line| line.starts_with(&code) && line.contains(&name));
        assert!(row.is_some(), "{}: no row of exit codes begins {code} and names {name}", page.name);
    }
}

#[test]
fn every_rule_of_the_audit_is_explained_with_its_severity() {
    let page = page("docs/guide/audit.md");
    let starts: BTreeSet<String> = intendant::audit::RULES
        .iter()
        .map(|rule| format!("**`{}`** · {} · ", rule.id, rule.severity.as_str()))
        .collect();
    let explained = |start: &&String| {
        let rest = page.text.split(start.as_str()).nth(1).and_then(|rest| rest.split("**`").next());
        rest.is_some_and(|rest| rest.contains("*When:* ") && rest.contains("*To do:* "))
    };
    let silent: Vec<String> = starts.iter().filter(|start| !explained(start)).cloned().collect();
    fail_with("rules that the guide does not explain so", &silent);
    assert_eq!(page.text.matches("**`").count(), starts.len() + 1, "no other rule is explained, and `hosted` once");
}

#[test]
fn the_map_has_every_module_on_its_floor() {
    let rule = std::fs::read_to_string(here().join("tests/architecture.rs")).unwrap();
    let rows = rule.lines().skip_while(|line| !line.starts_with("const FLOORS")).skip(1);
    let floors: Vec<(String, String)> = rows
        .take_while(|line| !line.starts_with("];"))
        .filter_map(|line| {
            let (name, floor) = line.trim().strip_prefix("(\"")?.strip_suffix("),")?.split_once("\", ")?;
            Some((name.to_owned(), floor.to_owned()))
        })
        .collect();
    assert!(floors.len() > 10, "the floors are read: {floors:?}");
    let map = page("docs/ARCHITECTURE.md");
    let wrong = floors.iter().filter(|(name, floor)| !map.text.contains(&format!("| {floor} | `{name}` |")));
    let rows: Vec<String> = wrong.map(|(name, floor)| format!("{}: `{name}` on floor {floor}", map.name)).collect();
    fail_with("modules that the map does not show", &rows);
}

/// Paths in backticks that look like files of the project are there.
#[test]
fn named_files_are_there() {
    let mut rows = Vec::new();
    for name in ["README.md", "docs/ARCHITECTURE.md"] {
        let page = page(name);
        for (number, line) in page.prose() {
            let spans = line.split('`').skip(1).step_by(2);
            for span in spans.filter(|span| span.starts_with("src/") || span.starts_with("tests/")) {
                if !here().join(span).exists() {
                    rows.push(format!("{name}:{number}: there is no {span}"));
                }
            }
        }
    }
    fail_with("files that are named and not there", &rows);
}
