//! jq programs of a playbook: compiled at load, pure, without loops that need not end.
//!
//! The dialect has no definitions, no I/O, no clock, and none of the functions that can run for
//! ever, so every program ends. Outputs and the nodes of an output are bounded. What is not
//! bounded is what a program of the playbook's author builds on purpose on its way, such as
//! `"x" * 1e9` or many nested iterations over the same input.

use super::output;
use crate::model::{CheckedText, TextError, checked_text, clean_line, nearest};
use jaq_core::load::parse::{Pattern, Term};
use jaq_core::load::{Arena, File, Loader, lex};
use jaq_core::path::Part;
use jaq_core::{Ctx, Vars, data, unwrap_valr};
use jaq_json::{Num, Val};
use serde_json::{Number, Value};

checked_text!(
    /// A jq program, checked.
    Jq,
    "jq",
    |text| check(text)
);

impl Default for Jq {
    fn default() -> Self {
        Self(".".to_owned())
    }
}

/// Why a program gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JqError {
    /// The program itself is wrong; loading refuses such programs.
    #[error("the jq program is wrong: {0}")]
    Program(String),
    /// The input does not have the shape that the program expects.
    #[error("the jq program does not fit the output: {0}")]
    Failed(String),
    /// More outputs than the limit.
    #[error("the jq program gives more than {MAX_OUTPUTS} results")]
    Outputs,
    /// A result that is too large.
    #[error("a result of the jq program has more than {MAX_NODES} values")]
    Nodes,
    /// A result that is too deep.
    #[error("a result of the jq program is nested deeper than {} levels", output::MAX_DEPTH)]
    Deep,
    /// A value that JSON does not have.
    #[error("a result of the jq program is not JSON")]
    NotJson,
}

/// The most outputs of one program.
const MAX_OUTPUTS: usize = 10_000;
/// The most values in the outputs of one program.
const MAX_NODES: usize = 100_000;
/// The longest program, in bytes.
const MAX_PROGRAM: usize = 16 * 1024;

/// What can't stand in a program: it reaches outside, depends on when and where it runs, or need
/// not end.
const REFUSED: [&str; 21] = [
    "input",
    "inputs",
    "env",
    "$ENV",
    "now",
    "localtime",
    "strflocaltime",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "halt",
    "halt_error",
    "repeat",
    "recurse",
    "while",
    "until",
    "range",
    "combinations",
    "fromjson",
    "toboolean",
];

/// Reads numbers from hostile text without reading nested documents.
const OWN: &str = r#"
def tonumber:
  if isnumber then .
  elif isstring and test("^-?[0-9]{1,15}([.][0-9]{1,15})?$") then fromjson
  else error("cannot parse as number") end;
"#;

/// A program that was read; none hands its input on.
pub(super) struct Program(Option<Filter>);

type Filter = jaq_core::Filter<data::JustLut<Val>>;

fn compile(program: &str) -> Result<Filter, String> {
    let own = jaq_core::load::parse(OWN, |parser| parser.defs()).unwrap_or_default();
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(own);
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(&arena, File { code: program, path: () })
        .map_err(|errors| errors.first().map_or_else(String::new, |(_, e)| load_words(e, program)))?;
    jaq_core::Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let first = errors.into_iter().flat_map(|(_, undefined)| undefined).next();
        first.map_or_else(String::new, |(name, kind)| undefined_words(name, kind.as_str()))
    })
}

fn undefined_words(name: &str, kind: &str) -> String {
    let kind = if kind == "filter" { "function" } else { kind };
    format!("there is no {kind} `{name}` in jq")
}

fn load_words(error: &jaq_core::load::Error<&str>, program: &str) -> String {
    use jaq_core::load::Error;
    let at = |rest: &str| match rest.is_empty() {
        true => "at its end".to_owned(),
        false => {
            let column = program.len().saturating_sub(rest.len());
            let before = program.get(..column).unwrap_or_default().chars().count();
            format!("at its character {}, {:?}", before + 1, clean_line(rest, 20))
        }
    };
    match error {
        Error::Io(_) => "it can't read other files".to_owned(),
        Error::Lex(errors) => errors
            .first()
            .map_or_else(String::new, |(expected, rest)| format!("{} expected {}", expected.as_str(), at(rest))),
        Error::Parse(errors) => errors.first().map_or_else(String::new, |(expected, found)| {
            let rest = *found;
            let rest = match rest.is_empty() {
                true => "",
                false => &program[jaq_core::load::span(program, rest).start..],
            };
            format!("{} expected {}", expected.as_str(), at(rest))
        }),
    }
}

fn check(text: &str) -> Result<(), TextError> {
    if text.len() > MAX_PROGRAM {
        return Err(TextError::new("this jq program is too long", format!("at most {MAX_PROGRAM} bytes")));
    }
    if let Some(term) = jaq_core::load::parse(text, |parser| parser.term())
        && let Some(word) = refused(&term)
    {
        let why = match word {
            "def" => "definitions could run for ever",
            "recurse" | "repeat" | "while" | "until" | "range" | "combinations" => {
                "it could run for ever; .. and .[] reach all that is there"
            }
            "fromjson" | "toboolean" => "it would read what a site wrote as a document; tonumber is there",
            _ => "a transform depends on its input alone",
        };
        return Err(TextError::new(format!("`{word}` can't be used in a playbook"), why));
    }
    compile(text).map(drop).map_err(|why| {
        let name = why.split('`').nth(1).unwrap_or_default();
        let hint = match nearest(name, KNOWN) {
            Some(near) => format!("did you mean {near}?"),
            None => "a jq program such as {core: .version}".to_owned(),
        };
        TextError::new(format!("this jq program can't be read: {why}"), hint)
    })
}

/// Names for hints.
const KNOWN: [&str; 24] = [
    "select",
    "map",
    "group_by",
    "sort_by",
    "unique_by",
    "to_entries",
    "from_entries",
    "with_entries",
    "length",
    "keys",
    "values",
    "first",
    "last",
    "join",
    "split",
    "test",
    "sub",
    "gsub",
    "ascii_downcase",
    "startswith",
    "endswith",
    "ltrimstr",
    "tonumber",
    "tostring",
];

fn refused<'a>(term: &Term<&'a str>) -> Option<&'a str> {
    let all = |terms: &[Term<&'a str>]| terms.iter().find_map(refused);
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) => None,
        Term::Str(_, parts) => parts.iter().find_map(|part| match part {
            lex::StrPart::Term(term) => refused(term),
            _ => None,
        }),
        Term::Arr(inner) => inner.as_deref().and_then(refused),
        Term::Obj(entries) => {
            entries.iter().find_map(|(key, value)| refused(key).or_else(|| value.as_ref().and_then(refused)))
        }
        Term::Neg(inner) | Term::Label(_, inner) => refused(inner),
        Term::BinOp(left, op, right) => {
            let pattern = match op {
                jaq_core::load::parse::BinaryOp::Pipe(Some(pattern)) => refused_pattern(pattern),
                _ => None,
            };
            refused(left).or(pattern).or_else(|| refused(right))
        }
        Term::Fold(_, source, pattern, args) => {
            refused(source).or_else(|| refused_pattern(pattern)).or_else(|| all(args))
        }
        Term::TryCatch(inner, catch) => refused(inner).or_else(|| catch.as_deref().and_then(refused)),
        Term::IfThenElse(branches, other) => branches
            .iter()
            .find_map(|(cond, then)| refused(cond).or_else(|| refused(then)))
            .or_else(|| other.as_deref().and_then(refused)),
        Term::Def(..) => Some("def"),
        Term::Call(name, args) => REFUSED.iter().find(|word| *word == name).copied().or_else(|| all(args)),
        Term::Var(name) => REFUSED.iter().find(|word| *word == name).copied(),
        Term::Path(inner, path) => refused(inner).or_else(|| {
            path.0.iter().find_map(|(part, _)| match part {
                Part::Index(index) => refused(index),
                Part::Range(from, to) => from.as_ref().and_then(refused).or_else(|| to.as_ref().and_then(refused)),
            })
        }),
    }
}

fn refused_pattern<'a>(pattern: &Pattern<&'a str>) -> Option<&'a str> {
    match pattern {
        Pattern::Var(_) => None,
        Pattern::Arr(parts) => parts.iter().find_map(refused_pattern),
        Pattern::Obj(parts) => parts.iter().find_map(|(key, part)| refused(key).or_else(|| refused_pattern(part))),
    }
}

impl Jq {
    /// The program, read once for many inputs.
    pub(super) fn program(&self) -> Result<Program, JqError> {
        Ok(Program(match self.as_str() {
            "." => None,
            text => Some(compile(text).map_err(JqError::Program)?),
        }))
    }
}

impl Program {
    /// All outputs for one input.
    pub(super) fn run(&self, input: &Value) -> Result<Vec<Value>, JqError> {
        let Some(filter) = &self.0 else {
            return Ok(vec![input.clone()]);
        };
        let ctx = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let (mut outputs, mut nodes) = (Vec::new(), MAX_NODES);
        for output in filter.id.run((ctx, to_val(input))).map(unwrap_valr) {
            if outputs.len() >= MAX_OUTPUTS {
                return Err(JqError::Outputs);
            }
            let value = output.map_err(|error| JqError::Failed(clean_line(&error.to_string(), 300)))?;
            outputs.push(from_val(&value, &mut nodes, 0)?);
        }
        Ok(outputs)
    }
}

fn to_val(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(value) => Val::Bool(*value),
        Value::Number(number) => Val::Num(match number.as_i64().and_then(|n| isize::try_from(n).ok()) {
            Some(whole) => Num::Int(whole),
            None => Num::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Val::utf8_str(text.clone()),
        Value::Array(items) => items.iter().map(to_val).collect(),
        Value::Object(map) => {
            Val::obj(map.iter().map(|(key, value)| (Val::utf8_str(key.clone()), to_val(value))).collect())
        }
    }
}

fn from_val(value: &Val, nodes: &mut usize, depth: usize) -> Result<Value, JqError> {
    *nodes = nodes.checked_sub(1).ok_or(JqError::Nodes)?;
    if depth > output::MAX_DEPTH {
        return Err(JqError::Deep);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(value) => Value::Bool(*value),
        Val::Num(Num::Int(whole)) => Value::from(*whole as i64),
        Val::Num(number) => {
            let number = number.to_string().parse::<Number>();
            Value::Number(number.map_err(|_| JqError::NotJson)?)
        }
        Val::TStr(bytes) => Value::String(text(bytes)),
        Val::BStr(_) => return Err(JqError::NotJson),
        Val::Arr(items) => {
            let items = items.iter().map(|item| from_val(item, nodes, depth + 1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Val::Obj(map) => {
            let mut object = serde_json::Map::new();
            for (key, value) in map.iter() {
                let Val::TStr(key) = key else {
                    return Err(JqError::NotJson);
                };
                object.insert(text(key), from_val(value, nodes, depth + 1)?);
            }
            Value::Object(object)
        }
    })
}

/// A JSON document that stands in a playbook as text.
pub(super) struct Document;

impl CheckedText for Document {
    const FORMAT: &'static str = "json";
    fn check(text: &str) -> Result<(), TextError> {
        serde_json::from_str::<Value>(text)
            .map(drop)
            .map_err(|error| TextError::new(format!("this is not JSON: {error}"), "a JSON document in quotes: \"[]\""))
    }
}

checked_text!(
    /// A JSON document as text.
    JsonText,
    "json",
    |text| Document::check(text)
);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn programs_that_reach_out_or_need_not_end_are_refused() {
        for bad in [
            "now",
            "env",
            "$ENV.PATH",
            "input",
            "[inputs]",
            "debug",
            "halt",
            "repeat(.)",
            "def f: f; f",
            "recurse(.)",
            "[range(0; infinite)]",
            "until(false; .)",
            "\"\\(now)\"",
            ".a[now]",
            "{a: env}",
            "if true then now else . end",
            "try halt catch .",
            ". as [$a] | now",
            "fromjson",
            "reduce inputs as $x (0; .)",
            "nosuch",
            ".a |",
            "$x",
            "import \"a\" as a; .",
        ] {
            assert!(Jq::new(bad).is_err(), "{bad:?} was taken");
        }
        for good in [".", ".a.now", "{input: .debug}", "[.[] | select(.a)]", "..", "[.. | numbers]", "map(tonumber)"] {
            assert!(Jq::new(good).is_ok(), "{good:?}: {:?}", Jq::new(good));
        }
    }

    #[test]
    fn values_go_through_unchanged() {
        let value = json!({"z": 1, "a": [1.5, "é", null, true, -3], "big": 1_700_000_000_000i64});
        assert_eq!(Jq::new(". | .").unwrap().program().unwrap().run(&value).unwrap(), [value]);
        let numbers = Jq::new("map(tonumber)").unwrap();
        assert_eq!(numbers.program().unwrap().run(&json!(["12", 3])).unwrap(), [json!([12, 3])]);
        assert!(numbers.program().unwrap().run(&json!(["[[[["])).is_err());
    }

    #[test]
    fn results_are_bounded() {
        let wide = Value::Array(vec![json!(1); 400]);
        let program = Jq::new("[.[] as $a | .[] | [$a, .]]").unwrap();
        assert_eq!(program.program().unwrap().run(&wide), Err(JqError::Nodes));
        assert_eq!(Jq::new(".[] as $a | .[]").unwrap().program().unwrap().run(&wide), Err(JqError::Outputs));
        let nest = Jq::new("reduce .[] as $x (null; [.])").unwrap();
        assert_eq!(nest.program().unwrap().run(&wide), Err(JqError::Deep));
    }
}
