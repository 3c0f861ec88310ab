//! `intendant playbook`.

use crate::cli::arguments::{Common, Playbook, PlaybookAction};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::inventory::{DocumentKind, Flaw, Inventory, flaws};
use crate::model::{clean_block, clean_line, in_words};
use crate::playbook::{self, Case, Cases, Fact, Library, RawOutput, TransformStep, Values, Verdict};
use crate::run::{NoListener, close_site, open_site};
use crate::site::{Expect, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many characters of a document are shown to people.
const SHOWN: usize = 4_000;
/// How many lines of what a command printed are shown.
const LINES: usize = 20;
/// How many matches of expressions are shown.
const STEPS: usize = 12;

pub(in crate::cli) async fn playbook(common: &Common, options: &Playbook) -> Result<ExitCode, Failure> {
    match &options.action {
        PlaybookAction::Test { files } => test(common, files),
        PlaybookAction::Try { site, fact } => try_site(common, site, fact).await,
    }
}

/// What became of one case.
struct Tested {
    file: PathBuf,
    wrong: Option<String>,
}

fn test(common: &Common, files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let (mut all, mut bare, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let folder = if file.is_dir() { file.as_path() } else { file.parent().unwrap_or(Path::new("")) };
        let playbook = Library::read_folder(folder).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
        let cases = Cases::read(folder, &playbook).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
        let facts = playbook.observations();
        let named = |fact: &str| cases.all.iter().any(|(name, _, _)| name == fact);
        bare.extend(facts.keys().filter(|fact| !named(fact)).map(|fact| format!("{}: {fact}", playbook.cms)));
        for (name, file, case) in &cases.all {
            let Some(fact) = facts.get(name.as_str()) else { continue };
            let wrong = in_text(case.judge(fact)).or_else(|| misshapen(name, case));
            all.push(Tested { file: file.clone(), wrong });
        }
        warnings.extend(oddities(folder, &playbook, &cases).map(|why| format!("{}: {why}", playbook.cms)));
    }
    let wrong = all.iter().filter(|one| one.wrong.is_some()).count();
    if common.json {
        let cases = all.iter().map(|one| json!({ "file": one.file, "wrong": one.wrong }));
        let cases = cases.collect::<Vec<_>>();
        show::json(&json!({ "playbook-test": 1, "cases": cases, "without": bare, "warnings": warnings }));
    } else {
        for one in &all {
            match &one.wrong {
                None => show::line(format!("fine   {}", one.file.display())),
                Some(wrong) => show::line(format!("WRONG  {}\n{wrong}", one.file.display())),
            }
        }
        bare.iter().for_each(|fact| show::line(format!("no case  {fact}")));
        warnings.iter().for_each(|why| show::line(format!("warning  {why}")));
        show::line(format!("{} cases, {wrong} wrong; {} without a case", all.len(), bare.len()));
    }
    Ok(if wrong == 0 { ExitCode::OK } else { ExitCode::SHORT })
}

/// What no site may give of the document that a case becomes.
fn misshapen(observation: &str, case: &Case) -> Option<String> {
    let found = flaws(DocumentKind::of(observation), case.becomes.as_ref()?);
    (!found.is_empty()).then(|| format!("  the document has another shape than it may have:\n{}", in_lines(&found)))
}

fn in_lines(flaws: &[Flaw]) -> String {
    flaws.iter().map(|flaw| format!("    {flaw}")).collect::<Vec<_>>().join("\n")
}

/// What is odd about a playbook, by its text or by what its cases show.
fn oddities(folder: &Path, playbook: &playbook::Playbook, cases: &Cases) -> Option<String> {
    if let Some(why) = playbook::oddities(folder, playbook).into_iter().next() {
        return Some(why);
    }
    let of_facts = cases.all.iter().filter(|(name, ..)| DocumentKind::of(name) == DocumentKind::Fact);
    let mut documents = of_facts.filter_map(|(_, _, case)| case.becomes.as_ref()).peekable();
    let updates = !playbook.operations.update.is_empty() && documents.peek().is_some();
    let named = |document: &Value| document["sources"].as_array().is_some_and(|sources| !sources.is_empty());
    (updates && !documents.any(named)).then(|| playbook::NO_SOURCES.to_owned())
}

/// What is wrong with a case; none where it held.
fn in_text(verdict: Verdict) -> Option<String> {
    let shown = |side: Result<Value, String>| match side {
        Ok(document) => pretty(&document),
        Err(error) => format!("(fails) {}", clean_block(&error, LINES)),
    };
    match verdict {
        Verdict::Held => None,
        Verdict::OtherCommand { command } => Some(format!("  the fact's command is: {}", clean_line(&command, 400))),
        Verdict::SaysNothing => Some("  a case says either what it becomes, or how it fails".into()),
        Verdict::Differs { expected, actual } => Some(format!(
            "  the case says:\n{}\n  it became:\n{}",
            indented(&shown(expected)),
            indented(&shown(actual))
        )),
    }
}

fn pretty(document: &Value) -> String {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}\n… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

async fn try_site(common: &Common, site: &str, wanted: &[String]) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let job = fleet.job(site)?;
    let mut facts = job.playbook.observations();
    // It is about a restored copy, of which there is none here.
    facts.remove("boot");
    if let Some(unknown) = wanted.iter().find(|name| !facts.contains_key(name.as_str())) {
        let known: Vec<&str> = facts.into_keys().collect();
        return Err(Failure::absent(format!("the playbook has no fact {unknown:?}; it has: {}", known.join(", "))));
    }
    facts.retain(|name, _| wanted.is_empty() || wanted.iter().any(|one| one == name));
    let site = open_site(&runner, &job, Expect::Whole, None).await?;
    let tried = try_facts(&site, &facts).await;
    close_site(&site).await;
    let inventory = wanted.is_empty().then(|| merged(&site, &tried));
    let good = tried.iter().all(Tried::is_good) && !matches!(inventory, Some(Err(_)));
    if common.json {
        let facts = tried.iter().map(Tried::to_json).collect::<Vec<_>>();
        let inventory =
            inventory.map(|inventory| inventory.map_or_else(|why| json!({ "fails": why }), |all| json!(all)));
        show::json(&json!({ "playbook-try": 1, "site": job.plan.site, "facts": facts, "inventory": inventory }));
    } else {
        tried.iter().for_each(Tried::show);
        match inventory {
            Some(Ok(all)) => show::inventory(job.plan.site.as_str(), (job.plan.extension_cap(), &job.plan.tiers), &all),
            Some(Err(why)) => show::line(format!("no inventory: {why}")),
            None => {}
        }
    }
    Ok(if good { ExitCode::OK } else { ExitCode::SHORT })
}

/// One fact of a live site, step by step.
struct Tried {
    name: String,
    command: String,
    status: Option<i32>,
    stdout: String,
    stderr: String,
    steps: Vec<(&'static str, String, Value)>,
    left_off: usize,
    document: Result<Value, String>,
    flaws: Vec<Flaw>,
}

async fn try_facts(site: &Site, facts: &BTreeMap<&str, Fact>) -> Vec<Tried> {
    let mut all = Vec::new();
    for (name, fact) in facts {
        all.push(match site.printed(site.root(), fact, &Values::new()).await {
            Ok((command, output)) => {
                let raw = RawOutput { exit: output.status, stdout: &output.stdout, stderr: &output.stderr };
                tried(name, command, fact, &raw)
            }
            Err(error) => {
                let command = fact.run.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(" ");
                let (stdout, stderr, steps) = (String::new(), String::new(), Vec::new());
                let document = Err(in_words(&error));
                let (name, flaws) = ((*name).to_owned(), Vec::new());
                Tried { name, command, status: None, stdout, stderr, steps, left_off: 0, document, flaws }
            }
        });
    }
    all
}

fn tried(name: &str, command: String, fact: &Fact, raw: &RawOutput<'_>) -> Tried {
    let (mut steps, mut left_off) = (Vec::new(), 0);
    let mut watch = |step: TransformStep<'_>| {
        if steps.len() >= STEPS {
            left_off += 1;
            return;
        }
        steps.push(match step {
            TransformStep::Found(value) => ("found", String::new(), value.clone()),
            TransformStep::Matched(pattern, groups) => ("matched", pattern.as_str().to_owned(), groups.clone()),
            TransformStep::Became(jq, value) => ("became", jq.as_str().to_owned(), value.clone()),
        });
    };
    let document = match fact.allows(raw.exit) {
        true => fact.parse.apply_watched(raw, &mut watch).map_err(|error| in_words(&error)),
        false => Err(format!("the command ended with {}, and the fact allows {:?}", raw.exit, fact.exit)),
    };
    let flaws = document.as_ref().map(|document| flaws(DocumentKind::of(name), document)).unwrap_or_default();
    let printed = |bytes: &[u8]| clean_block(&String::from_utf8_lossy(bytes), LINES);
    Tried {
        name: name.to_owned(),
        command,
        status: Some(raw.exit),
        stdout: printed(raw.stdout),
        stderr: printed(raw.stderr),
        steps,
        left_off,
        document,
        flaws,
    }
}

/// The inventory that the facts give together.
fn merged(site: &Site, tried: &[Tried]) -> Result<Inventory, String> {
    let facts = tried.iter().filter(|one| site.playbook.facts.keys().any(|name| name.as_str() == one.name));
    let mut document = Value::Object(Default::default());
    for one in facts {
        let fact = one.document.clone().map_err(|why| format!("{}: {why}", one.name))?;
        document = playbook::merge(document, fact).map_err(|error| in_words(&error))?;
    }
    Inventory::from_document(&site.address.name, document).map_err(|error| in_words(&error))
}

impl Tried {
    fn is_good(&self) -> bool {
        self.document.is_ok() && self.flaws.is_empty()
    }

    fn to_json(&self) -> Value {
        let steps = self.steps.iter().map(|(what, by, value)| json!({ "step": what, "by": by, "value": value }));
        let (document, fails) = match &self.document {
            Ok(document) => (Some(document), None),
            Err(why) => (None, Some(why)),
        };
        json!({
            "fact": self.name, "command": self.command, "exit": self.status, "stdout": self.stdout,
            "stderr": self.stderr, "steps": steps.collect::<Vec<_>>(), "document": document, "fails": fails,
            "flaws": self.flaws.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    fn show(&self) {
        show::line(format!("== {}\n  $ {}", self.name, clean_line(&self.command, 400)));
        for (what, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                show::line(format!("  {what}\n{}", indented(text)));
            }
        }
        if let Some(status) = self.status {
            show::line(format!("  exit {status}"));
        }
        for (what, by, value) in &self.steps {
            let by = if by.is_empty() { String::new() } else { format!(" by {}", clean_line(by, 200)) };
            show::line(format!("  {what}{by}\n{}", indented(&clean_block(&pretty(value), LINES))));
        }
        if self.left_off > 0 {
            show::line(format!("  … {} steps more", self.left_off));
        }
        match &self.document {
            Ok(document) => {
                show::line(format!("  document\n{}\n", indented(&clean_block(&pretty(document), 200))));
                if !self.flaws.is_empty() {
                    show::line(format!("  NOT THE SHAPE that it may have:\n{}\n", in_lines(&self.flaws)));
                }
            }
            Err(why) => show::line(format!("  FAILS: {}\n", clean_block(why, LINES))),
        }
    }
}
