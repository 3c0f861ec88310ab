//! Definitions as `pg_dump` writes them: headings, spellings, and how they are made again.
//!
//! May use: its siblings. Invariants: what is made again is what stands there, but for what an ordinary account
//! may not be allowed (owners, privileges, comments on what is not its own), which is tried and left where it is
//! refused; definitions that the server spells otherwise once they were made again are spelled that way at once.

use super::lexer::Lexer;

/// The line above an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// `TABLE`, `TABLE DATA`, `FK CONSTRAINT` …
    pub(super) kind: String,
    /// What it is about, as people read it.
    pub(super) name: String,
}

impl Heading {
    /// Reads `-- Name: …; Type: …; Schema: …; Owner: …`. A name may hold such words itself, so the last count.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let rest = text.strip_prefix("-- Name: ").or_else(|| text.strip_prefix("-- Data for Name: "))?;
        let (rest, _) = rest.rsplit_once("; Owner: ")?;
        let (rest, _) = rest.rsplit_once("; Schema: ")?;
        let (name, kind) = rest.rsplit_once("; Type: ")?;
        Some(Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

/// A heading and what stands below it; the first may have none.
pub(super) struct Entry<'a> {
    pub(super) heading: Option<Heading>,
    /// Its lines, each with whether it is a statement's whole text.
    pub(super) lines: Vec<(&'a [u8], bool)>,
}

/// Takes definitions apart.
pub(super) fn entries(sql: &[u8]) -> Result<Vec<Entry<'_>>, String> {
    let mut entries = vec![Entry { heading: None, lines: Vec::new() }];
    let (mut lexer, mut dashes) = (Lexer::default(), false);
    for line in sql.split_inclusive(|byte| *byte == b'\n') {
        let begins = lexer.is_plain();
        let heading = (begins && dashes).then(|| Heading::read(line)).flatten();
        dashes = begins && line == b"--\n";
        lexer.line(line)?;
        if dashes {
            continue;
        }
        match heading {
            Some(heading) => entries.push(Entry { heading: Some(heading), lines: Vec::new() }),
            None => {
                let whole = begins && lexer.is_plain();
                entries.last_mut().into_iter().for_each(|entry| entry.lines.push((line, whole)));
            }
        }
    }
    match lexer.is_plain() {
        true => Ok(entries),
        false => Err("a definition has no end".into()),
    }
}

/// The statements that make these definitions again in an empty database of an ordinary account.
pub(super) fn statements(sql: &[u8]) -> Result<Vec<u8>, String> {
    let mut made = Vec::with_capacity(sql.len());
    for entry in entries(sql)? {
        let (kind, name) = entry.heading.map_or_else(Default::default, |heading| (heading.kind, heading.name));
        // Nothing drops them, so they are there.
        if matches!(kind.as_str(), "FOREIGN DATA WRAPPER" | "SERVER" | "USER MAPPING") {
            continue;
        }
        let foreign = ["EXTENSION ", "SCHEMA ", "SERVER ", "FOREIGN DATA WRAPPER "];
        let foreign = foreign.iter().any(|sort| name.starts_with(sort));
        if matches!(kind.as_str(), "ACL" | "DEFAULT ACL") || (kind == "COMMENT" && foreign) {
            for statement in apart(&entry.lines)? {
                tried(&statement, &mut made);
            }
            continue;
        }
        for (line, whole) in entry.lines {
            if whole && is_owner(line) {
                tried(line, &mut made);
            } else if let Some(rest) = line.strip_prefix(b"CREATE SCHEMA ").filter(|_| kind == "SCHEMA") {
                made.extend_from_slice(b"CREATE SCHEMA IF NOT EXISTS ");
                made.extend_from_slice(rest);
            } else {
                made.extend_from_slice(line);
            }
        }
    }
    Ok(made)
}

/// The statements in these lines, so that one that is refused takes no other with it. What is said in the name of
/// another role stays together: it means something else without the name.
fn apart(lines: &[(&[u8], bool)]) -> Result<Vec<Vec<u8>>, String> {
    let (mut lexer, mut all, mut one, mut begin) = (Lexer::default(), Vec::new(), Vec::new(), 0);
    let mut as_other = false;
    for (line, _) in lines {
        let mut at = 0;
        while at < line.len() {
            let ends = lexer.is_plain() && line[at] == b';';
            let next = lexer.step(line, at)?.min(line.len());
            one.extend_from_slice(&line[at..next]);
            at = next;
            if !ends {
                continue;
            }
            let statement = one.get(begin..).unwrap_or_default().trim_ascii_start();
            as_other |= statement.starts_with(b"SET SESSION AUTHORIZATION ");
            as_other &= !statement.starts_with(b"RESET SESSION AUTHORIZATION");
            begin = one.len();
            if !as_other {
                one.push(b'\n');
                all.push(std::mem::take(&mut one));
                begin = 0;
            }
        }
    }
    if !one.trim_ascii().is_empty() {
        one.push(b'\n');
        all.push(one);
    }
    Ok(all)
}

/// `ALTER … OWNER TO …;` in one line.
fn is_owner(line: &[u8]) -> bool {
    let sign = b" OWNER TO ";
    line.starts_with(b"ALTER ") && line.ends_with(b";\n") && line.windows(sign.len()).any(|window| window == sign)
}

/// Statements that are left undone where the account may not do them.
fn tried(sql: &[u8], into: &mut Vec<u8>) {
    let quote = (0..).map(|number| format!("$intendant{number}$")).find(|quote| !contains(sql, quote.as_bytes()));
    let quote = quote.unwrap_or_default();
    into.extend_from_slice(format!("DO {quote} BEGIN\n").as_bytes());
    into.extend_from_slice(sql);
    into.extend_from_slice(b"EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;\nEND ");
    into.extend_from_slice(format!("{quote};\n").as_bytes());
}

fn contains(text: &[u8], sign: &[u8]) -> bool {
    memchr::memmem::find(text, sign).is_some()
}

/// The names of the extensions that these definitions make.
pub(super) fn extensions(sql: &[u8]) -> Result<Vec<String>, String> {
    let headings = entries(sql)?.into_iter().filter_map(|entry| entry.heading);
    Ok(headings.filter(|heading| heading.kind == "EXTENSION").map(|heading| heading.name).collect())
}

/// The statements that fill the materialized views.
pub(super) fn refreshes(sql: &[u8]) -> Result<Vec<u8>, String> {
    let data = |entry: &Entry<'_>| entry.heading.as_ref().is_some_and(|h| h.kind == "MATERIALIZED VIEW DATA");
    let filling = entries(sql)?.into_iter().filter(data).flat_map(|entry| entry.lines);
    Ok(filling.flat_map(|(line, _)| line).copied().collect())
}

/// A list of strings that is cast as a whole: the server writes it so for a column of type `varchar` that is
/// compared with some strings, and as [`EACH`] once that text was read back. It means the same.
const WHOLE: &[u8] = b"(ARRAY['";
const VARCHAR: &[u8] = b"::character varying";
const END: &[u8] = b"])::text[]";

/// Spells lists that are cast as a whole with a cast for each.
pub(super) fn respelled(sql: &[u8]) -> Result<Vec<u8>, String> {
    if !contains(sql, WHOLE) {
        return Ok(sql.to_vec());
    }
    let (mut lexer, mut out) = (Lexer::default(), Vec::with_capacity(sql.len() + sql.len() / 8));
    for line in sql.split_inclusive(|byte| *byte == b'\n') {
        let mut at = 0;
        while at < line.len() {
            if lexer.is_plain()
                && line[at..].starts_with(WHOLE)
                && let Some((length, text)) = each_cast(&line[at..])
            {
                out.extend_from_slice(&text);
                at += length;
                continue;
            }
            let next = lexer.step(line, at)?.min(line.len());
            out.extend_from_slice(&line[at..next]);
            at = next;
        }
    }
    Ok(out)
}

/// The list at the beginning with a cast for each string, and how long it was.
fn each_cast(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let mut at = WHOLE.len() - 1;
    let mut out = b"ARRAY[".to_vec();
    loop {
        let mut end = at + 1;
        loop {
            end += memchr::memchr(b'\'', text.get(end..)?)? + 1;
            if text.get(end) != Some(&b'\'') {
                break;
            }
            end += 1;
        }
        let literal = text.get(at..end)?;
        let rest = text.get(end..)?.strip_prefix(VARCHAR)?;
        out.push(b'(');
        out.extend_from_slice(literal);
        out.extend_from_slice(VARCHAR);
        out.extend_from_slice(b")::text");
        let from = end + VARCHAR.len();
        if rest.starts_with(END) {
            out.push(b']');
            return Some((from + END.len(), out));
        }
        rest.strip_prefix(b", '")?;
        out.extend_from_slice(b", ");
        at = from + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_spelled_as_the_server_spells_them_the_second_time() {
        let text = |sql: &str| String::from_utf8(respelled(sql.as_bytes()).unwrap()).unwrap();
        let once = "CHECK (((s)::text = ANY ((ARRAY['it''s'::character varying, 'b'::character varying])::text[])))\n";
        let twice =
            "CHECK (((s)::text = ANY (ARRAY[('it''s'::character varying)::text, ('b'::character varying)::text])))\n";
        assert_eq!(text(once), twice);
        assert_eq!(text(twice), twice);
        // What stands in quotes, or is cast to something else, is left alone.
        for same in [
            format!("select $${once}$$;\n"),
            format!("select '{}';\n", once.replace('\'', "''")),
            once.replace("text[]", "name[]"),
            once.replace("'b'::", "lower('b')::"),
            "(ARRAY['".into(),
        ] {
            assert_eq!(text(&same), same);
        }
    }

    #[test]
    fn what_an_account_may_not_do_is_tried() {
        let sql = "--\n-- Name: s; Type: SCHEMA; Schema: -; Owner: o\n--\n\nCREATE SCHEMA s;\n\n\nALTER SCHEMA s OWNER TO o;\n\n\
             --\n-- Name: citext; Type: EXTENSION; Schema: -; Owner: -\n--\n\nCREATE EXTENSION IF NOT EXISTS citext;\n\
             --\n-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: \n--\n\nCOMMENT ON EXTENSION citext IS '$intendant0$';\n\
             --\n-- Name: f(); Type: FUNCTION; Schema: s; Owner: o\n--\n\nCREATE FUNCTION s.f() AS $$\n--\n\
             -- Name: x; Type: ACL; Schema: s; Owner: o\n--\nALTER TABLE x OWNER TO o;\n$$;\n";
        let made = String::from_utf8(statements(sql.as_bytes()).unwrap()).unwrap();
        assert!(made.contains("CREATE SCHEMA IF NOT EXISTS s;\n"), "{made}");
        assert!(made.contains("DO $intendant0$ BEGIN\nALTER SCHEMA s OWNER TO o;\nEXCEPTION"), "{made}");
        assert!(made.contains("DO $intendant1$ BEGIN\n\nCOMMENT ON EXTENSION citext"), "{made}");
        assert!(
            made.contains("-- Name: x; Type: ACL; Schema: s; Owner: o\n--\nALTER TABLE x OWNER TO o;\n$$;"),
            "{made}"
        );
        assert_eq!(extensions(sql.as_bytes()).unwrap(), ["citext"]);
        let sql = "--\n-- Name: TABLE t; Type: ACL; Schema: s; Owner: o\n--\n\nREVOKE ALL ON TABLE s.t FROM PUBLIC;\nGRANT SELECT ON TABLE s.t TO \"a;b\";\n\
             SET SESSION AUTHORIZATION x;\nGRANT SELECT ON TABLE s.t TO y;\nRESET SESSION AUTHORIZATION;\n\n\n\
             --\n-- Name: far; Type: SERVER; Schema: -; Owner: o\n--\n\nCREATE SERVER far FOREIGN DATA WRAPPER w;\n\n\nALTER SERVER far OWNER TO o;\n";
        let made = String::from_utf8(statements(sql.as_bytes()).unwrap()).unwrap();
        assert_eq!(made.matches("DO $intendant0$ BEGIN\n").count(), 3, "{made}");
        assert!(made.contains("\nREVOKE ALL ON TABLE s.t FROM PUBLIC;\nEXCEPTION"), "{made}");
        assert!(made.contains("\nGRANT SELECT ON TABLE s.t TO \"a;b\";\nEXCEPTION"), "{made}");
        assert!(made.contains("GRANT SELECT ON TABLE s.t TO y;\nRESET SESSION AUTHORIZATION;\nEXCEPTION"), "{made}");
        assert!(!made.contains("SERVER"), "{made}");
        assert!(statements(b"select 'a\n").is_err() && statements(b"\\! id\n").is_err());
    }
}
