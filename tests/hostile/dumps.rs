//! Dumps with something in them that is no SQL of a dump program. Its own client would not run it here, because it
//! reads in binary mode; the client of whoever takes an export home might. And bodies that only look like it.

use super::{Case, Verdict};
use intendant::model::SiteName;
use intendant::remote::{Command, Output, Process, RemoteError, Shell};
use intendant::snapshot::{CaptureRequest, DatabaseAccess, Engine, NoProgress, Progress, Source, Store, capture};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What is put into the dump before the rows of a table, and whether it is refused.
const LINES: [(&str, &str, bool); 18] = [
    ("a command of the client", "\\! touch CANARY\n", true),
    ("a command of the client after a statement", "SELECT 1; \\! touch CANARY\n", true),
    ("a command of the client in a statement", "SELECT 1\n\\! touch CANARY\n;\n", true),
    ("a file to read", "\\. /etc/passwd\n", true),
    ("another delimiter", "DELIMITER \\\n", true),
    ("a delimiter of letters", "DELIMITER x\n", true),
    ("a command by its name", "system touch CANARY\n", true),
    ("a command by its name in capitals", "SYSTEM touch CANARY\n", true),
    ("a file by its name", "source /etc/passwd\n", true),
    ("a pager", "pager touch CANARY\n", true),
    ("another database", "USE mysql;\n", true),
    ("rights", "GRANT ALL ON *.* TO evil@'%';\n", true),
    ("a file of the server", "LOAD DATA INFILE '/etc/passwd' INTO TABLE `a`;\n", true),
    ("a call", "CALL evil();\n", true),
    ("a text that looks like a command", "INSERT INTO `a` VALUES (9,'\n\\\\! touch CANARY\nsystem x',NULL);\n", false),
    ("a comment that looks like a command", "/* \\! touch CANARY */\n-- \\! touch CANARY\n", false),
    ("a name that looks like a command", "INSERT INTO `a` (`\\! touch`) VALUES (9);\n", false),
    ("the old word for nothing", "INSERT INTO `a` VALUES (9,\\N,\\N);\n", false),
];

/// A host that answers each command with the next of its answers.
struct Host(Mutex<VecDeque<Vec<u8>>>);

#[async_trait::async_trait]
impl Shell for Host {
    fn host(&self) -> &str {
        "hostile"
    }

    async fn start(&self, _: &Command) -> Result<Process, RemoteError> {
        let answer = self.0.lock().unwrap().pop_front();
        let status = if answer.is_some() { 0 } else { 1 };
        Ok(Process::ended(Output { status, stdout: answer.unwrap_or_default(), stderr: Vec::new() }))
    }

    async fn close(&self) {}
}

/// The answers of a real server, with these lines in its dump.
fn answers(lines: &str) -> Vec<Vec<u8>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds/database/recorded");
    let recorded = std::fs::read_to_string(seeds).unwrap();
    let rows = "INSERT INTO `a` VALUES\n";
    assert_eq!(recorded.matches(rows).count(), 1, "the recorded dump has other rows");
    let hostile = recorded.replace(rows, &format!("{lines}{rows}"));
    let root = "1768356000 0 0\0d 755 0 0 0 1.0 1.0 7 1\0\0\0".to_owned();
    [root].into_iter().chain(hostile.split("\n====\n").map(str::to_owned)).map(String::into_bytes).collect()
}

async fn taken(lines: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let access = DatabaseAccess {
        engine: Engine::Mysql,
        credentials: vec!["true".into()],
        name: "shop".into(),
        select: None,
        protect: None,
    };
    let source = Source {
        shell: Arc::new(Host(Mutex::new(answers(lines).into()))),
        site: SiteName::new("shop").unwrap(),
        root: "/srv/site".into(),
        exclude: Vec::new(),
        database: Some(access),
    };
    let now = jiff::Timestamp::from_second(1_768_356_000).unwrap();
    let request = CaptureRequest { now, tolerate_unreadable: false };
    let quiet: Arc<dyn Progress> = Arc::new(NoProgress);
    capture(&source, &store, &request, &quiet).await.map(drop).map_err(|error| error.to_string())
}

pub(crate) fn cases() -> Vec<Case> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut cases = vec![("a dump as it was".into(), taken("").await)];
        for (name, lines, refused) in LINES {
            let verdict: Verdict = match (taken(lines).await, refused) {
                (Err(why), true) if why.contains("no SQL of a dump program") => Ok(()),
                (Ok(()), false) => Ok(()),
                (other, _) => Err(format!("{other:?}")),
            };
            cases.push((name.to_owned(), verdict));
        }
        cases
    })
}
