//! Signatures: YARA rules, ours and those that are added, over bytes that were captured.
//!
//! May use: `model`. Invariants: rules are data; a scan has a limit of bytes and of time; what is shown of a file is
//! cut and harmless.

use super::{Finding, Severity, Texts};
use crate::model::clean_line;
use boreal::scanner::ScanParams;
use boreal::{Compiler, MetadataValue};
use std::time::Duration;

/// The rules that come with the program.
const RULES: [(&str, &str); 2] =
    [("programs", include_str!("rules/programs.yar")), ("tables", include_str!("rules/tables.yar"))];
/// The most bytes of one file or table that are looked at.
pub const MAX_SCANNED_BYTES: u64 = 8 << 20;
/// How long one of them may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The most characters of an excerpt, and how many of them may stand before what was found.
const EXCERPT_CHARS: usize = 120;
const BEFORE_BYTES: usize = 20;
/// The longest file of rules.
const MAX_RULES_BYTES: usize = 16 << 20;

/// Why rules can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the rules {name} can't be used: {why}; mend them, or leave them out")]
pub struct RulesError {
    /// Which.
    pub name: String,
    /// Where, and what is wrong.
    pub why: String,
}

/// What is scanned.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// A path, or a table's name.
    pub name: &'a str,
    /// Whether it is among content.
    pub content: bool,
    /// Whether it is the SQL of a table.
    pub database: bool,
}

/// Compiled rules.
#[derive(Debug, Clone)]
pub struct Scanner {
    inner: boreal::Scanner,
    /// How many there are.
    pub rules: u64,
}

impl Scanner {
    /// Our rules, and these: name and text.
    ///
    /// # Errors
    /// Rules that can't be compiled.
    pub fn new(more: &[(String, String)]) -> Result<Self, RulesError> {
        let mut compiler = Compiler::new();
        for name in ["name", "ext"] {
            compiler.define_symbol(name, "");
        }
        for name in ["content", "database"] {
            compiler.define_symbol(name, false);
        }
        let ours = RULES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        for (name, text) in ours.chain(more.iter().cloned()) {
            if text.len() > MAX_RULES_BYTES {
                return Err(RulesError { name, why: format!("longer than {MAX_RULES_BYTES} bytes") });
            }
            // Rules of different files may have the same names.
            if let Err(error) = compiler.add_rules_str_in_namespace(&text, &name) {
                return Err(RulesError { why: clean_line(&error.to_string(), 400), name });
            }
        }
        let mut inner = compiler.finalize();
        let params = ScanParams::default().compute_full_matches(true).match_max_length(200);
        inner.set_scan_params(params.string_max_nb_matches(100).timeout_duration(Some(TIMEOUT)));
        let rules = inner.rules().count() as u64;
        Ok(Self { inner, rules })
    }

    /// What the rules find. An error in words where not all of them could be tried.
    pub fn scan(&mut self, place: Place<'_>, bytes: &[u8]) -> (Vec<Finding>, Option<String>) {
        let name = place.name.rsplit('/').next().unwrap_or(place.name).to_lowercase();
        let ext = name.rsplit_once('.').map_or("", |(_, ext)| ext).to_owned();
        // All four were defined above, with these types.
        let _ = self.inner.define_symbol("name", name);
        let _ = self.inner.define_symbol("ext", ext);
        let _ = self.inner.define_symbol("content", place.content);
        let _ = self.inner.define_symbol("database", place.database);
        let (found, why) = match self.inner.scan_mem(bytes) {
            Ok(found) => (found, None),
            Err((error, found)) => (found, Some(format!("{}: {error}", clean_line(place.name, 200)))),
        };
        (found.rules.iter().map(|rule| self.finding(rule, place, bytes)).collect(), why)
    }

    fn finding(&self, rule: &boreal::scanner::EvaluatedRule<'_>, place: Place<'_>, bytes: &[u8]) -> Finding {
        let meta = |wanted: &str| {
            rule.metadatas.iter().find_map(|meta| match meta.value {
                MetadataValue::Bytes(value) if self.inner.get_string_symbol(meta.name) == wanted => {
                    Some(clean_line(&String::from_utf8_lossy(self.inner.get_bytes_symbol(value)), 200))
                }
                _ => None,
            })
        };
        let en = meta("en").or_else(|| meta("description")).unwrap_or_else(|| format!("fits the rule {}", rule.name));
        let fr = meta("fr").unwrap_or_else(|| en.clone());
        let first = rule.matches.iter().flat_map(|string| &string.matches).map(|found| found.offset).min();
        let todo = match place.database {
            true => Texts::new(
                "Look at these rows with the client; take out what nobody put there, and change all passwords.",
                "Examiner ces lignes avec le client; retirer ce que personne n’y a mis, et changer tous les mots de passe.",
            ),
            false => Texts::new(
                "Compare it with the original; what is not part of that goes. Then change all passwords, and find out how it came in.",
                "Le comparer avec l’original; ce qui n’en fait pas partie doit partir. Changer ensuite tous les mots de passe et chercher par où c’est entré.",
            ),
        };
        Finding {
            rule: clean_line(rule.name, 100),
            severity: meta("severity").and_then(|word| Severity::read(&word)).unwrap_or(Severity::High),
            place: clean_line(place.name, 300),
            line: first.filter(|_| !place.database).map(|at| line_of(bytes, at)),
            excerpt: first.map(|at| excerpt(bytes, at)),
            why: Texts { en, fr },
            todo,
        }
    }
}

fn line_of(bytes: &[u8], at: usize) -> u64 {
    1 + memchr::memchr_iter(b'\n', &bytes[..at.min(bytes.len())]).count() as u64
}

/// What stands around a place, in one line.
fn excerpt(bytes: &[u8], at: usize) -> String {
    let from = at.saturating_sub(BEFORE_BYTES).min(bytes.len());
    let to = (at + 4 * EXCERPT_CHARS).min(bytes.len());
    let text = String::from_utf8_lossy(&bytes[from..to]);
    clean_line(&text.split_whitespace().collect::<Vec<_>>().join(" "), EXCERPT_CHARS)
}
