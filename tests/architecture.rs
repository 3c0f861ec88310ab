//! The shape of the source, held by a test: modules have floors and use only lower ones; every
//! file says what it is for, belongs to a module, and fits in a head.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The floors. A module may use modules of strictly lower floors, and itself.
const FLOORS: &[(&str, u32)] = &[
    ("model", 0),
    ("ledger", 1),
    ("mail", 1),
    ("plan", 1),
    ("playbook", 1),
    ("remote", 1),
    ("pdf", 2),
    ("site", 2),
    ("vulnerability", 2),
    ("inventory", 3),
    ("snapshot", 3),
    ("check", 3),
    ("drift", 4),
    ("intake", 4),
    ("update", 4),
    ("procedure", 5),
    ("journal", 6),
    ("anomaly", 7),
    ("run", 7),
    ("audit", 7),
    ("report", 8),
    ("evidence", 8),
    ("cli", 9),
];

/// The most lines of a file.
const MOST_LINES: usize = 700;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            match path.is_dir() {
                // What was built.
                true if path.ends_with("target") => {}
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path as people say it.
fn shown(path: &Path) -> String {
    path.strip_prefix(here()).unwrap_or(path).display().to_string()
}

fn fail_with(title: &str, rows: &[String]) {
    assert!(rows.is_empty(), "{title}:\n  {}\n", rows.join("\n  "));
}

/// The module that a file of `src` holds, from the root: `src/plan/rules.rs` is `[plan, rules]`.
fn module_of(file: &Path, root: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
        parts.pop();
    }
    parts
}

/// One use of a top-level module.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    line: usize,
    /// The module's name; `*` for the whole crate root.
    module: String,
}

/// Every path that leads to a top-level module, wherever it stands: in a `use`, a body, a type, an
/// attribute or the arguments of a macro. Works on tokens, because only they are the same in all of
/// these places. `module` is where the tokens stand.
fn uses(tokens: TokenStream, module: &[String], found: &mut Vec<Use>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(word) if word == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    let inner: Vec<String> = module.iter().cloned().chain([name.to_string()]).collect();
                    uses(body.stream(), &inner, found);
                    at += 3;
                    continue;
                }
                at += 1;
            }
            TokenTree::Ident(word) if (word == "crate" || word == "super" || word == "intendant") => {
                at = path(&tokens, at, module, found);
            }
            TokenTree::Group(group) => {
                uses(group.stream(), module, found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Whether `::` stands here.
fn colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// Reads a path that begins at `at` with `crate`, `super` or the package's own name; returns where
/// to go on.
fn path(tokens: &[TokenTree], at: usize, module: &[String], found: &mut Vec<Use>) -> usize {
    let line = tokens[at].span().start().line;
    let word = tokens[at].to_string();
    let mut next = at + 1;
    if word == "super" {
        let mut up = 1;
        while colons(tokens, next) && matches!(tokens.get(next + 2), Some(TokenTree::Ident(word)) if word == "super") {
            up += 1;
            next += 3;
        }
        if up < module.len() {
            return next;
        }
    } else {
        let before = at.checked_sub(1).map(|before| tokens[before].to_string());
        let external = word == "crate" && before.as_deref() == Some("extern");
        let plain = word == "intendant" && !colons(tokens, next);
        let visibility = matches!(before.as_deref(), Some("(" | "pub"));
        if external || plain || visibility {
            return next;
        }
    }
    if !colons(tokens, next) {
        // `pub(crate)` and `in crate` name no module.
        return next;
    }
    next += 2;
    match tokens.get(next) {
        Some(TokenTree::Ident(name)) => found.push(Use { line, module: name.to_string() }),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let mut first = true;
            for token in group.stream() {
                match token {
                    TokenTree::Ident(name) if first => {
                        found.push(Use { line: name.span().start().line, module: name.to_string() });
                        first = false;
                    }
                    TokenTree::Punct(punct) if punct.as_char() == ',' => first = true,
                    TokenTree::Punct(punct) if punct.as_char() == '*' && first => {
                        found.push(Use { line, module: "*".into() });
                    }
                    _ => first = false,
                }
            }
        }
        _ => found.push(Use { line, module: "*".into() }),
    }
    next + 1
}

/// What is wrong with the uses of one file.
fn violations(text: &str, module: &[String], name: &str) -> Vec<String> {
    let floors: BTreeMap<&str, u32> = FLOORS.iter().copied().collect();
    let Some(own) = module.first() else { return Vec::new() };
    let Some(floor) = floors.get(own.as_str()) else { return Vec::new() };
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{name} is no Rust: {error}"));
    let mut found = Vec::new();
    uses(tokens, module, &mut found);
    let complaint = |one: Use| {
        let line = one.line;
        if one.module == *own || one.module == "self" {
            return None;
        }
        match floors.get(one.module.as_str()) {
            Some(other) if other < floor => None,
            Some(other) => Some(format!(
                "{name}:{line}: `{own}` is on floor {floor} and uses `{}`, which is on floor {other}",
                one.module
            )),
            None => Some(format!("{name}:{line}: `{}` is not a module with a floor", one.module)),
        }
    };
    found.into_iter().filter_map(complaint).collect()
}

#[test]
fn modules_use_only_lower_floors() {
    let root = here().join("src");
    let rows: Vec<String> = rust_files(&root)
        .iter()
        .flat_map(|file| violations(&read(file), &module_of(file, &root), &shown(file)))
        .collect();
    fail_with("a module may use only modules of lower floors", &rows);
}

#[test]
fn the_program_uses_the_command_line_alone() {
    let mut found = Vec::new();
    uses(read(&here().join("src/main.rs")).parse().unwrap(), &[], &mut found);
    let modules: BTreeSet<_> = found.iter().map(|one| one.module.as_str()).collect();
    assert_eq!(modules, ["cli"].into(), "src/main.rs calls `intendant::cli` and nothing else");
}

/// The names of `mod x;`.
fn declared(text: &str) -> BTreeSet<String> {
    let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|three| match three {
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end)]
                if word == "mod" && end.as_char() == ';' =>
            {
                Some(name.to_string())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn every_top_level_module_has_a_floor() {
    let declared = declared(&read(&here().join("src/lib.rs")));
    let floors: BTreeSet<String> = FLOORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(declared, floors, "src/lib.rs (left) and FLOORS of this test (right) name the same modules");
}

/// A file that no `mod` names is not compiled, and its tests never run.
#[test]
fn no_file_is_forgotten() {
    let mut rows = Vec::new();
    let mut folders = vec![(here().join("src"), vec![here().join("src/lib.rs")])];
    for entry in std::fs::read_dir(here().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !rust_files(&path).is_empty() {
            let mut tops = vec![path.with_extension("rs"), path.join("mod.rs")];
            // A package of its own names its programs.
            let package = std::fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
            let programs = package.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
            tops.extend(programs.map(|program| path.join(program)));
            folders.push((path, tops));
        }
    }
    for (folder, tops) in folders {
        for file in rust_files(&folder) {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            if tops.contains(&file) || name == "main" {
                continue;
            }
            let (name, parents) = match name.as_str() {
                "mod" => {
                    let inner = file.parent().unwrap();
                    let outer = inner.parent().unwrap();
                    let name = inner.file_name().unwrap().to_string_lossy().into_owned();
                    (
                        name,
                        if outer == folder {
                            tops.clone()
                        } else {
                            vec![outer.join("mod.rs"), outer.with_extension("rs")]
                        },
                    )
                }
                _ if file.parent() == Some(&folder) => (name, tops.clone()),
                _ => {
                    let inner = file.parent().unwrap();
                    (name, vec![inner.join("mod.rs"), inner.with_extension("rs")])
                }
            };
            let known =
                parents.iter().filter(|parent| parent.exists()).any(|parent| declared(&read(parent)).contains(&name));
            if !known {
                rows.push(format!("{}: no `mod {name};` names it", shown(&file)));
            }
        }
    }
    fail_with("files that are not compiled", &rows);
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = ["src", "tests"].iter().flat_map(|folder| rust_files(&here().join(folder)));
    let silent: Vec<String> = files.filter(|file| !read(file).starts_with("//! ")).map(|file| shown(&file)).collect();
    fail_with("files that do not begin with `//! ` and their purpose", &silent);
}

#[test]
fn every_file_fits_in_a_head() {
    let files = ["src", "tests"].iter().flat_map(|folder| rust_files(&here().join(folder)));
    let long = files.filter_map(|file| {
        let lines = read(&file).lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines", shown(&file)))
    });
    fail_with(&format!("files of more than {MOST_LINES} lines"), &long.collect::<Vec<_>>());
}

#[test]
fn the_checker_sees_every_kind_of_use() {
    let module = ["update".to_owned(), "graph".to_owned()];
    for (text, upward) in [
        ("use crate::run::next;", true),
        ("use crate::{model::Version, run};", true),
        ("use crate::{model::{self, Version}, plan::Plan};", false),
        ("use crate::model::Version; use crate::inventory::Inventory;", false),
        ("use super::{Update, policy};", false),
        ("use super::super::run::next;", true),
        ("use super::super::{model, journal};", true),
        ("fn f() { let x = crate::procedure::build(); }", true),
        ("fn f(x: &crate::cli::Failure) {}", true),
        ("fn f() { println!(\"{}\", crate::run::x()); }", true),
        ("fn f() { a!({ b!(crate::report::x) }) }", true),
        ("macro_rules! m { () => { $crate::journal::Entry } }", true),
        ("#[derive(x::Y)] #[serde(with = crate::journal::z)] struct S;", true),
        ("impl crate::update::Trait for S {}", false),
        ("mod tests { use super::super::super::run; }", true),
        ("mod tests { use super::super::graph; use super::*; }", false),
        ("use crate::*;", true),
        ("use crate::nowhere::X;", true),
        ("use intendant::run::next;", true),
        ("pub(crate) fn f() {} pub(in crate::update) fn g() {}", false),
        ("// crate::run\nconst TEXT: &str = \"crate::run::next\";", false),
    ] {
        let found = violations(text, &module, "snippet");
        assert_eq!(!found.is_empty(), upward, "{text}: {found:?}");
    }
    let message = violations("\n\nuse crate::run::next;", &module, "src/update/graph.rs").join("");
    assert_eq!(message, "src/update/graph.rs:3: `update` is on floor 4 and uses `run`, which is on floor 7");
    let mut same_floor = String::new();
    for row in violations("use crate::playbook::Playbook;", &["plan".to_owned()], "x") {
        let _ = write!(same_floor, "{row}");
    }
    assert!(
        same_floor.contains("uses `playbook`"),
        "two modules of one floor are neighbours, not helpers: {same_floor:?}"
    );
}
