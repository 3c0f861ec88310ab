//! SQLite: a file on the host, read and written by SQLite's own online backup.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: a file that may be in use is never copied and never
//! replaced; what is stored is a whole consistent copy, page by page, whose only changed bytes are those that
//! say when and by what it was written; a restore is one transaction of SQLite in the live file.

mod dump;
mod import;
mod pages;

pub(super) use dump::dump;
pub(super) use import::{import, read_file, write_file};

use super::super::error::SnapshotError;
use super::DatabaseAccess;
use crate::model::clean_line;
use crate::remote::Output;

/// The beginning of every script: `$1` is the database's file. `t` is a folder of our own that goes with the script.
/// `check` says what is wrong with a file; nothing, if nothing is. Only the site's own program has the collations that it
/// makes itself: where one is missing, each table is checked by itself, and those that need it are not.
/// `waited` ends what Python's backup would try for ever.
macro_rules! script {
    ($rest:literal) => {
        concat!(
            r#"LC_ALL=C; export LC_ALL; umask 077
t=$(mktemp -d "${TMPDIR:-/tmp}/intendant.XXXXXXXXXX") || exit 93
trap 'rm -rf "$t"' EXIT; trap 'exit 143' HUP INT TERM PIPE
case $1 in /*) ;; *) exit 94;; esac
py() { python3 -c "import sqlite3, sys, time
end = time.monotonic() + 60
def opened(name):
    return sqlite3.connect(name, 60, isolation_level=None)
def waited(status, left, pages):
    if status in (5, 6) and time.monotonic() > end: raise sqlite3.OperationalError(\"the database is locked\")
$1" "$2" "$3"; }
lite() { sqlite3 -init /dev/null -batch -bail "$@"; }
if command -v sqlite3 >/dev/null 2>&1; then w=sqlite3
elif python3 -c 'import sqlite3; sqlite3.Connection.backup' >/dev/null 2>&1; then w=python3; else exit 95; fi
each="SELECT 'PRAGMA integrity_check(' || quote(name) || ');' FROM sqlite_master WHERE type = 'table'"
check() { case $w in
sqlite3) r=$(lite "$1" 'PRAGMA integrity_check(3)' 2>&1)
case $r in *'no such collation sequence: '*) r=$(lite "$1" "$each UNION ALL SELECT 'SELECT ''end'';'" |
sqlite3 -init /dev/null -batch "$1" 2>&1 | sed -E '/^ok$/d; /^(Parse |Runtime )?[Ee]rror.*: no such collation sequence: /d')
[ "$r" != end ] || r=ok;; esac;;
*) r=$(py 'file, wrong = opened(sys.argv[1]), []
def look(sql):
    wrong.extend(row[0] for row in file.execute(sql) if row[0] != "ok")
def missing(error):
    if not str(error).startswith("no such collation sequence: "): raise error
try: look("PRAGMA integrity_check(3)")
except sqlite3.OperationalError as error:
    missing(error)
    for row in file.execute(sys.argv[2]).fetchall():
        try: look(row[0])
        except sqlite3.OperationalError as error: missing(error)
print("\n".join(wrong[:3]) or "ok")' "$1" "$each" 2>&1 | tail -n 3);; esac
[ "$r" = ok ] || printf '%s\n' "${r:-its check said nothing}"; }
"#,
            $rest
        )
    };
}
use script;

/// The name of the object that holds the file.
const MAIN: &str = "main";
/// How a file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

fn failed(host: &str, access: &DatabaseAccess, doing: &'static str, detail: &str) -> SnapshotError {
    let (name, detail) = (access.name.clone(), clean_line(detail, 500));
    SnapshotError::Database { host: host.to_owned(), name, doing, detail }
}

/// What a script's status means, where it is not 0.
fn failure(host: &str, access: &DatabaseAccess, doing: &'static str, output: &Output) -> SnapshotError {
    let said = output.tail();
    let detail = match output.status {
        90 => format!("the copy could not be written: {said}; make room in the host's temporary folder"),
        91 => format!("the database is damaged: {said}; repair it, or restore a snapshot"),
        92 => "the copy that was sent is cut off or damaged; nothing was changed, try again".to_owned(),
        93 => format!("the host's temporary folder can't be written: {said}"),
        94 => "there is no such file, or its path is not absolute".to_owned(),
        95 => "the host has neither sqlite3 nor a python3 with sqlite3; install one (Debian: sqlite3)".to_owned(),
        status => format!("status {status}: {said}{}", advice(&said)),
    };
    failed(host, access, doing, &detail)
}

fn advice(said: &str) -> &'static str {
    match said {
        said if said.contains("locked") || said.contains("busy") => {
            "; something holds the database for longer than a minute: let it end, then try again"
        }
        said if said.contains("readonly") => {
            "; the account can't write the file or its folder, or its pages have another size and it is open elsewhere: \
             stop the site's processes, then try again"
        }
        said if said.contains("not a database") => "; move the file aside, so that a restore makes it anew",
        _ => "",
    }
}
