//! The client's page about an intake.
//!
//! May use: `intake` and `inventory` for their values, `html`, `sections`, `view`, `words`. Invariant: as in `view` and `html`.

use super::error::ReportError;
use super::html::{Text, style};
use super::provider::Provider;
use super::sections::kind_line;
use super::view::{Pair, cell};
use super::words::{Language, Words, outside, own};
use crate::intake::{Assessment, Finding, Severity, Texts, Verdict};
use crate::inventory::Inventory;
use crate::model::{ComponentId, clean_line};
use handlebars::Handlebars;
use serde::Serialize;

/// The template of all languages.
pub(super) const INTAKE: &str = include_str!("intake.hbs");
/// How many findings of one severity the page lists.
const SHOWN: usize = 100;
/// How many characters an excerpt has.
const EXCERPT_CHARS: usize = 600;

#[derive(Debug, Serialize)]
struct View {
    lang: String,
    page_title: String,
    provider: Option<String>,
    site_title: String,
    facts: Vec<Pair>,
    tone: &'static str,
    sign: &'static str,
    verdict: String,
    sentences: Vec<String>,
    groups: Vec<Group>,
    unknown: Vec<String>,
    foot: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Group {
    title: String,
    findings: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    place: String,
    /// What sort of component the place is, where it is one.
    kind: Option<String>,
    line: Option<String>,
    why: String,
    excerpt: Option<String>,
    todo: String,
}

/// The page. `client`: whom it is for; times are shown in `zone`.
///
/// # Errors
/// [`ReportError::Template`] and [`ReportError::Page`] when the template is damaged.
pub fn intake_page(
    assessment: &Assessment,
    (language, zone): (&Language, &str),
    client: &str,
    provider: &Provider,
) -> Result<String, ReportError> {
    let words = Words::new(language.clone(), zone);
    let view = view(assessment, &words, client, provider);
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_helper("t", Box::new(Text { words }));
    let template = |source| ReportError::Template { source: Box::new(source) };
    engine.register_template_string("style", style()).map_err(template)?;
    engine.register_template_string("intake", INTAKE).map_err(template)?;
    let page = engine.render("intake", &view);
    page.map_err(|source| ReportError::Page {
        form: "page",
        what: format!("intake {}", assessment.id),
        source: Box::new(source),
    })
}

fn view(assessment: &Assessment, words: &Words, client: &str, provider: &Provider) -> View {
    let site_title =
        cell(assessment.url.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/'));
    let (tone, sign, verdict) = match assessment.verdict {
        Verdict::Accept => ("good", "✓", "intake-accept"),
        Verdict::AcceptWithConditions => ("held", "…", "intake-conditions"),
        Verdict::Refuse => ("act", "!", "intake-refuse"),
    };
    let inventory = &assessment.inventory;
    let facts = [
        ("label-client", cell(client)),
        ("label-date", words.moment(assessment.at)),
        ("intake-label-core", format!("{} {}", cell(&inventory.core.title), inventory.core.version)),
        ("intake-label-extensions", words.number(u64::from(assessment.extensions.0))),
    ];
    let groups = [
        (Severity::Critical, "intake-critical"),
        (Severity::High, "intake-high"),
        (Severity::Medium, "intake-medium"),
        (Severity::Low, "intake-low"),
    ];
    let group = |(severity, key): (Severity, &str)| {
        let some = assessment.findings.iter().filter(|finding| finding.severity == severity);
        let findings: Vec<Row> = some.take(SHOWN).map(|finding| row(finding, assessment, words)).collect();
        (!findings.is_empty()).then(|| Group { title: words.say(key), findings })
    };
    let scanned = &assessment.scanned;
    let looked = [
        ("files", own(words.number(scanned.files))),
        ("objects", own(words.number(scanned.objects))),
        ("rules", own(words.number(scanned.rules))),
    ];
    let mut sentences = vec![words.tell("intake-looked", &looked)];
    if assessment.estimate_min > 0 {
        sentences.push(words.count("intake-estimate", u64::from(assessment.estimate_min)));
    }
    View {
        lang: words.tag(),
        page_title: words
            .tell("intake-title", &[("site", outside(&site_title)), ("date", own(words.date(assessment.at)))]),
        provider: provider.name.as_deref().map(cell),
        site_title,
        facts: facts.into_iter().map(|(key, value)| Pair { label: words.say(key), value }).collect(),
        tone,
        sign,
        verdict: words.say(verdict),
        sentences,
        groups: groups.into_iter().filter_map(group).collect(),
        unknown: assessment.unknown.iter().take(SHOWN).map(|text| cell(text)).collect(),
        foot: vec![
            words.tell("intake-record", &[("id", own(assessment.id.to_string()))]),
            words.tell("foot-program", &[("version", outside(&assessment.program))]),
        ],
    }
}

fn row(finding: &Finding, assessment: &Assessment, words: &Words) -> Row {
    let text = |texts: &Texts| sentence(if words.tag() == "fr" { &texts.fr } else { &texts.en });
    let (place, kind) = place(finding, &assessment.inventory, words);
    Row {
        place,
        kind,
        line: finding.line.map(|line| words.tell("intake-line", &[("line", own(words.number(line)))])),
        why: text(&finding.why),
        excerpt: finding.excerpt.as_deref().map(cell_of),
        todo: text(&finding.todo),
    }
}

/// Where it is, as clients call it, and what sort of component that is.
fn place(finding: &Finding, inventory: &Inventory, words: &Words) -> (String, Option<String>) {
    let named = match (finding.rule.as_str(), finding.place.as_str()) {
        ("not-looked-at", "files") => "intake-place-files",
        ("major-versions-behind" | "updates-pending", "updates") => "intake-place-updates",
        ("checks-fail", "checks") => "intake-place-checks",
        ("over-cap", "extensions") => "intake-label-extensions",
        ("another-address", "address") => "intake-place-address",
        ("administrators", "administrators") => "intake-place-administrators",
        (_, place) => return component(place, inventory, words).unwrap_or_else(|| (cell(place), None)),
    };
    (words.say(named), None)
}

/// What the site's administration calls a component that is named by its id.
fn component(place: &str, inventory: &Inventory, words: &Words) -> Option<(String, Option<String>)> {
    let (kind, slug) = place.split_once(':')?;
    let id = ComponentId::new(kind, slug).ok()?;
    let title = match id.kind.is_core() {
        true => &inventory.core.title,
        false => &inventory.extensions.iter().find(|one| one.id == id)?.title,
    };
    Some((cell(title), Some(kind_line(&id, None, words))))
}

/// A sentence of a rule: with a capital letter and an end.
fn sentence(text: &str) -> String {
    let text = cell_of(text);
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?', '…', ':']) || text.is_empty() { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn cell_of(text: &str) -> String {
    clean_line(text, EXCERPT_CHARS)
}
