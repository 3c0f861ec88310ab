//! An audit for other programs: CSV for spreadsheets, SARIF and JUnit for pipelines.
//!
//! May use: `audit` beside it. Invariants: no cell is a formula, whatever it says; XML has only characters that XML may
//! have; everything that is put in is escaped.

use super::audit::{AuditReport, FindingLine, RuleLine};
use super::error::ReportError;
use crate::intake::Severity;
use crate::model::Digest;
use handlebars::Handlebars;
use serde::Serialize;
use serde_json::{Value, json};

/// The template of the JUnit form.
const JUNIT: &str = include_str!("audit.junit.hbs");
/// Where SARIF is described.
const SARIF_SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What stands in place of a severity, or of a rule, where something could not be looked at.
const NOT_KNOWN: &str = "not-known";
const COLUMNS: [&str; 10] =
    ["severity", "rule", "site", "subject", "what", "evidence", "remedy", "answered-by", "until", "why"];

impl AuditReport {
    /// One row per finding, as RFC 4180 has it; then one for each thing that could not be looked at.
    pub fn to_csv(&self) -> String {
        let mut out = row(COLUMNS.map(str::to_owned));
        for finding in &self.findings {
            let (rule, waived) = (self.rule(finding), finding.waived.as_ref());
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            out.push_str(&row([
                finding.severity.as_str().to_owned(),
                finding.rule.clone(),
                text(finding.site.as_ref().map(|site| site.as_str())),
                text(finding.subject.as_deref()),
                text(rule.map(|rule| rule.title.as_str())),
                finding.evidence.join("; "),
                text(rule.map(|rule| rule.remedy.as_str())),
                text(waived.map(|waived| waived.owner.as_str())),
                waived.map_or_else(String::new, |waived| waived.until.to_string()),
                text(waived.map(|waived| waived.why.as_str())),
            ]));
        }
        for unknown in &self.unknown {
            let mut cells = COLUMNS.map(|_| String::new());
            (cells[0], cells[5]) = (NOT_KNOWN.to_owned(), unknown.clone());
            out.push_str(&row(cells));
        }
        out
    }

    /// SARIF 2.1.0.
    ///
    /// # Errors
    /// [`ReportError::AuditJson`]; plain values give no reason for it.
    pub fn to_sarif(&self) -> Result<String, ReportError> {
        let rules = self.rules.iter().map(|rule| {
            json!({
                "id": rule.rule,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.meaning },
                "help": { "text": rule.remedy },
                "defaultConfiguration": { "level": level(rule.severity) },
                "properties": { "severity": rule.severity },
            })
        });
        let rules: Vec<Value> = rules.collect();
        let document = json!({
            "$schema": SARIF_SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "Intendant", "version": self.program, "rules": rules } },
                "invocations": [{ "executionSuccessful": true, "endTimeUtc": self.at.to_string(),
                    "toolExecutionNotifications": self.unknown.iter()
                        .map(|text| json!({ "level": "warning", "message": { "text": text } })).collect::<Vec<_>>() }],
                "results": self.findings.iter().map(|finding| self.result(finding)).collect::<Vec<_>>(),
            }],
        });
        let text = serde_json::to_string_pretty(&document);
        text.map(|text| text + "\n").map_err(|source| ReportError::AuditJson { source })
    }

    fn result(&self, finding: &FindingLine) -> Value {
        let name = name(finding);
        let mark = Digest::of(format!("{}\n{name}", finding.rule).as_bytes());
        let mut result = json!({
            "ruleId": finding.rule,
            "level": level(finding.severity),
            "message": { "text": self.message(finding) },
            "locations": [{ "logicalLocations": [{ "fullyQualifiedName": name, "kind": "resource" }] }],
            "partialFingerprints": { "finding/v1": mark.to_string() },
        });
        if let Some(place) = self.rules.iter().position(|rule| rule.rule == finding.rule) {
            result["ruleIndex"] = json!(place);
        }
        if let Some(waived) = &finding.waived {
            let why = format!("{} ({}, {})", waived.why, waived.owner, waived.until);
            result["suppressions"] = json!([{ "kind": "external", "justification": why }]);
        }
        result
    }

    /// What a finding says, in one line.
    fn message(&self, finding: &FindingLine) -> String {
        let title = self.rule(finding).map_or(finding.rule.as_str(), |rule| rule.title.as_str());
        match finding.evidence.is_empty() {
            true => format!("{}: {title}", name(finding)),
            false => format!("{}: {title}: {}", name(finding), finding.evidence.join("; ")),
        }
    }

    /// JUnit: each rule is a suite, each finding a test that failed, or that is skipped where somebody answers for it. What
    /// could not be looked at is a suite of errors.
    ///
    /// # Errors
    /// [`ReportError::Template`] and [`ReportError::Audit`] when the template is damaged.
    pub fn to_junit(&self) -> Result<String, ReportError> {
        let suites: Vec<Suite> = self.rules.iter().map(|rule| self.suite(rule)).chain(self.errors()).collect();
        let total = |count: fn(&Suite) -> usize| suites.iter().map(count).sum();
        let view = Suites {
            tests: total(|suite| suite.tests),
            failures: total(|suite| suite.failures),
            skipped: total(|suite| suite.skipped),
            errors: total(|suite| suite.errors),
            at: self.at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            suites,
        };
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        let template = |source| ReportError::Template { source: Box::new(source) };
        engine.register_template_string("junit", JUNIT).map_err(template)?;
        engine.render("junit", &view).map_err(|source| ReportError::Audit { source: Box::new(source) })
    }

    fn suite(&self, rule: &RuleLine) -> Suite {
        let mine = self.findings.iter().filter(|finding| finding.rule == rule.rule);
        let cases: Vec<Case> = mine.map(|finding| self.case(finding)).collect();
        let skipped = cases.iter().filter(|case| case.skipped.is_some()).count();
        Suite {
            name: xml(&rule.rule),
            tests: cases.len().max(1),
            failures: cases.len() - skipped,
            skipped,
            passed: cases.is_empty(),
            cases,
            errors: 0,
            unknown: Vec::new(),
        }
    }

    /// What could not be looked at; none where all was.
    fn errors(&self) -> Option<Suite> {
        let unknown: Vec<String> = self.unknown.iter().map(|text| xml(text)).collect();
        (!unknown.is_empty()).then(|| Suite {
            name: NOT_KNOWN.to_owned(),
            tests: unknown.len(),
            failures: 0,
            skipped: 0,
            passed: false,
            cases: Vec::new(),
            errors: unknown.len(),
            unknown,
        })
    }

    fn case(&self, finding: &FindingLine) -> Case {
        let waived = finding.waived.as_ref();
        let why = waived.map(|waived| format!("{} ({}, {})", waived.why, waived.owner, waived.until));
        Case {
            name: xml(&name(finding)),
            kind: finding.severity.as_str(),
            message: xml(&self.message(finding)),
            remedy: xml(self.rule(finding).map_or("", |rule| rule.remedy.as_str())),
            skipped: why.map(|why| xml(&why)),
        }
    }
}

#[derive(Debug, Serialize)]
struct Suites {
    tests: usize,
    failures: usize,
    skipped: usize,
    errors: usize,
    at: String,
    suites: Vec<Suite>,
}

#[derive(Debug, Serialize)]
struct Suite {
    name: String,
    tests: usize,
    failures: usize,
    skipped: usize,
    passed: bool,
    cases: Vec<Case>,
    errors: usize,
    /// What could not be looked at, and why.
    unknown: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Case {
    name: String,
    kind: &'static str,
    message: String,
    remedy: String,
    skipped: Option<String>,
}

/// What a finding is about: `boutique-laval plugin:akismet`.
fn name(finding: &FindingLine) -> String {
    let site = finding.site.as_ref().map(|site| site.as_str());
    let parts: Vec<&str> = site.into_iter().chain(finding.subject.as_deref()).collect();
    if parts.is_empty() { "fleet".to_owned() } else { parts.join(" ") }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

fn row<const N: usize>(cells: [String; N]) -> String {
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// A quoted cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    let guard = if text.trim_start().starts_with(FORMULA) || text.starts_with(FORMULA) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Text without what XML may not have at all.
fn xml(text: &str) -> String {
    let may = |c: &char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if may(&c) { c } else { '·' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("", "\"\""),
            ("say \"hi\", twice\nthrice", "\"say \"\"hi\"\", twice\nthrice\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            (" =1+1", "\"' =1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "\"'＝1\""),
            ("2026-11-24", "\"2026-11-24\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn xml_has_only_what_it_may_have() {
        assert_eq!(xml("a\u{0}b\u{1b}c\u{fffe}d\u{ffff}\u{1f600}é\n"), "a·b·c·d·\u{1f600}é\n");
    }
}
