//! An audit as a page: what falls short, by rule, and the score over time.
//!
//! May use: `audit`, `html`, `intake`'s style, `view`, `words`. Invariant: as in `view` and `html`.

use super::audit::{AuditReport, FindingLine, Point, RuleLine, utc};
use super::error::ReportError;
use super::html::{Text, style};
use super::provider::Provider;
use super::view::{Pair, cell};
use super::words::{Language, Words, outside, own};
use crate::intake::Severity;
use crate::model::clean_line;
use fluent_templates::fluent_bundle::FluentValue;
use handlebars::Handlebars;
use serde::Serialize;

/// The template of all languages.
pub(super) const AUDIT: &str = include_str!("audit.hbs");
/// How many findings of one rule the page lists.
const SHOWN: usize = 100;
/// How many points the line of scores has.
const MOST_POINTS: usize = 90;
/// How many characters of evidence stand on the page.
const EVIDENCE_CHARS: usize = 400;
/// The size of the picture of scores, and the room around the line.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 120.0;
const MARGIN: f64 = 6.0;
/// Where the line begins: before it stand the scores.
const LEFT: f64 = 34.0;

#[derive(Debug, Serialize)]
struct View {
    lang: String,
    page_title: String,
    provider: Option<String>,
    facts: Vec<Pair>,
    tone: &'static str,
    sign: &'static str,
    outcome: String,
    sentences: Vec<String>,
    tiles: Vec<Pair>,
    history: Option<History>,
    summary: Vec<Row>,
    groups: Vec<Group>,
    waived: Vec<Item>,
    unknown: Vec<String>,
    foot: Vec<String>,
}

/// The score over time.
#[derive(Debug, Serialize)]
struct History {
    caption: String,
    line: String,
    last_x: String,
    last_y: String,
    rules: Vec<Level>,
}

/// A line across the picture.
#[derive(Debug, Serialize)]
struct Level {
    score: u32,
    y: String,
}

#[derive(Debug, Serialize)]
struct Row {
    severity: String,
    tone: &'static str,
    title: String,
    id: String,
    count: String,
}

#[derive(Debug, Serialize)]
struct Group {
    id: String,
    title: String,
    severity: String,
    meaning: String,
    remedy: String,
    items: Vec<Item>,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Item {
    name: String,
    detail: Vec<String>,
}

impl AuditReport {
    /// The page.
    ///
    /// # Errors
    /// [`ReportError::Template`] and [`ReportError::Audit`] when the template is damaged.
    pub fn to_html(&self, provider: &Provider) -> Result<String, ReportError> {
        let words = Words::new(Language::of(&self.language), "UTC");
        let view = self.view(&words, provider);
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_helper("t", Box::new(Text { words }));
        let template = |source| ReportError::Template { source: Box::new(source) };
        engine.register_template_string("style", style()).map_err(template)?;
        engine.register_template_string("audit", AUDIT).map_err(template)?;
        engine.render("audit", &view).map_err(|source| ReportError::Audit { source: Box::new(source) })
    }

    fn view(&self, words: &Words, provider: &Provider) -> View {
        let (tone, sign, outcome) = self.outcome();
        let counts = Severity::ALL.map(|severity| (severity, self.counts.get(severity)));
        let tiles =
            counts.iter().map(|(severity, count)| Pair { label: named(*severity, words), value: words.number(*count) });
        let found = self.rules.iter().filter(|rule| self.open(rule).next().is_some());
        let mut found: Vec<&RuleLine> = found.collect();
        found.sort_by_key(|rule| rule.severity);
        let waived = self.findings.iter().filter(|finding| finding.waived.is_some()).take(SHOWN);
        View {
            lang: words.tag(),
            page_title: words.tell("audit-title", &[("date", own(words.date(self.at)))]),
            provider: provider.name.as_deref().map(cell),
            facts: self.facts(words),
            tone,
            sign,
            outcome: words.say(outcome),
            sentences: self.sentences(words),
            tiles: tiles.collect(),
            history: history(&self.history, words),
            summary: found.iter().map(|rule| self.row(rule, words)).collect(),
            groups: found.iter().map(|rule| self.group(rule, words)).collect(),
            waived: waived.map(|finding| self.waived(finding, words)).collect(),
            unknown: self.unknown.iter().take(SHOWN).map(|text| cell(text)).collect(),
            foot: vec![words.tell("foot-program", &[("version", outside(&self.program))])],
        }
    }

    fn facts(&self, words: &Words) -> Vec<Pair> {
        let score = words.tell("audit-score-of", &[("score", own(self.score.to_string()))]);
        let date = Pair { label: words.say("label-date"), value: utc(self.at, words) };
        let sites = Pair { label: words.count("audit-sites", self.sites), value: words.number(self.sites) };
        vec![date, Pair { label: words.say("audit-score"), value: score }, sites]
    }

    fn outcome(&self) -> (&'static str, &'static str, &'static str) {
        let counts = &self.counts;
        match () {
            () if counts.critical + counts.high > 0 => ("act", "!", "audit-outcome-bad"),
            () if counts.medium > 0 => ("held", "…", "audit-outcome-medium"),
            () if counts.low > 0 => ("good", "✓", "audit-outcome-low"),
            () => ("good", "✓", "audit-outcome-good"),
        }
    }

    fn sentences(&self, words: &Words) -> Vec<String> {
        let open: u64 = Severity::ALL.iter().map(|severity| self.counts.get(*severity)).sum();
        let waived = self.counts.waived;
        let all = [
            Some(if open == 0 { words.say("audit-sentence-none") } else { words.count("audit-sentence", open) }),
            (waived > 0).then(|| words.count("audit-sentence-waived", waived)),
            (!self.unknown.is_empty()).then(|| words.say("audit-sentence-unknown")),
        ];
        all.into_iter().flatten().collect()
    }

    /// The findings of a rule that nobody answers for.
    fn open<'a>(&'a self, rule: &'a RuleLine) -> impl Iterator<Item = &'a FindingLine> {
        self.findings.iter().filter(|finding| finding.rule == rule.rule && finding.waived.is_none())
    }

    fn row(&self, rule: &RuleLine, words: &Words) -> Row {
        Row {
            severity: named(rule.severity, words),
            tone: if rule.severity <= Severity::High { "failed" } else { "unknown" },
            title: rule.title.clone(),
            id: cell(&rule.rule),
            count: words.number(self.open(rule).count() as u64),
        }
    }

    fn group(&self, rule: &RuleLine, words: &Words) -> Group {
        let more = self.open(rule).count().saturating_sub(SHOWN) as u64;
        let item = |finding: &FindingLine| Item { name: name(finding, words), detail: evidence(finding) };
        Group {
            id: cell(&rule.rule),
            title: rule.title.clone(),
            severity: named(rule.severity, words),
            meaning: rule.meaning.clone(),
            remedy: rule.remedy.clone(),
            items: self.open(rule).take(SHOWN).map(item).collect(),
            more: (more > 0).then(|| words.count("audit-more-findings", more)),
        }
    }

    fn waived(&self, finding: &FindingLine, words: &Words) -> Item {
        let title = self.rule(finding).map_or(finding.rule.as_str(), |rule| rule.title.as_str());
        let by = finding.waived.as_ref().map(|waived| {
            let args = [
                ("owner", outside(&waived.owner)),
                ("day", own(words.day(waived.until))),
                ("why", outside(&waived.why)),
            ];
            words.tell("audit-waived-by", &args)
        });
        let detail = evidence(finding).into_iter().chain(by).collect();
        Item { name: format!("{} · {title}", name(finding, words)), detail }
    }
}

fn named(severity: Severity, words: &Words) -> String {
    words.tell("audit-severity", &[("severity", own(severity.as_str()))])
}

fn name(finding: &FindingLine, words: &Words) -> String {
    let site = finding.site.as_ref().map_or_else(|| words.say("audit-fleet"), |site| cell(site.as_str()));
    match &finding.subject {
        Some(subject) => format!("{site} · {}", cell(subject)),
        None => site,
    }
}

fn evidence(finding: &FindingLine) -> Vec<String> {
    finding.evidence.iter().map(|text| clean_line(text, EVIDENCE_CHARS)).collect()
}

/// The last point of each day, the newest days.
fn by_day(points: &[Point]) -> Vec<&Point> {
    let day = |point: &Point| point.at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let last = |(place, point): &(usize, &Point)| points.get(place + 1).is_none_or(|next| day(next) != day(point));
    let days: Vec<&Point> = points.iter().enumerate().filter(last).map(|(_, point)| point).collect();
    days[days.len().saturating_sub(MOST_POINTS)..].to_vec()
}

/// The picture; none where there is one point alone.
fn history(points: &[Point], words: &Words) -> Option<History> {
    let days = by_day(points);
    let (first, last) = (days.first()?, days.last().filter(|_| days.len() > 1)?);
    let span = (last.at.as_second() - first.at.as_second()).max(1) as f64;
    let x =
        |point: &Point| LEFT + (WIDTH - LEFT - MARGIN) * ((point.at.as_second() - first.at.as_second()) as f64 / span);
    let y = |score: u32| MARGIN + (HEIGHT - 2.0 * MARGIN) * (1.0 - f64::from(score.min(100)) / 100.0);
    let line: Vec<String> = days.iter().map(|point| format!("{:.1},{:.1}", x(point), y(point.score))).collect();
    let least = days.iter().map(|point| point.score).min().unwrap_or(0);
    let caption = words.tell(
        "audit-history-caption",
        &[
            ("count", FluentValue::from(days.len() as f64)),
            ("from", own(words.date(first.at))),
            ("to", own(words.date(last.at))),
            ("least", own(least.to_string())),
            ("last", own(last.score.to_string())),
        ],
    );
    Some(History {
        caption,
        line: line.join(" "),
        last_x: format!("{:.1}", x(last)),
        last_y: format!("{:.1}", y(last.score)),
        rules: [0, 50, 100].map(|score| Level { score, y: format!("{:.1}", y(score)) }).into(),
    })
}
