//! Checks on the site's host: commands and error logs, through the shell.
//!
//! May use: `model`, `remote`, `observe`, `spec`. Invariant: what a command prints and what a log
//! holds is read up to a limit and kept as a few cleaned lines.

use super::observe::{Fatal, LogState, Ran};
use super::spec::{CommandCheck, LogCheck};
use crate::model::{Digest, clean_line};
use crate::remote::{Command, RemoteError, Shell};
use std::time::Duration;
use tokio::time::Instant;

/// How much a checked command may print, in bytes.
const PRINTED: usize = 256 << 10;
/// How much of a log is read, in bytes.
const LOG_READ: u64 = 256 << 10;
/// How many distinct fatal errors are kept.
const FATALS: usize = 200;
/// How many characters of a line are kept.
const LINE_CHARS: usize = 300;
/// What PHP calls the errors that end a request.
const SIGNS: [&str; 3] = ["PHP Fatal error", "PHP Parse error", "PHP Recoverable fatal error"];

/// `$1` path, `$2` the file that is known, `$3` how much of it is known (negative: nothing),
/// `$4` how much to read. Prints one line about the file, then the part that is new.
const READ_LOG: &str = r#"f=$1 known=$2 from=$3 max=$4
if [ ! -e "$f" ]; then
  d=$(dirname -- "$f")
  if [ -e "$d" ] && [ ! -x "$d" ]; then echo "closed"; else echo "none"; fi
  exit 0
fi
if [ ! -f "$f" ]; then echo "odd"; exit 0; fi
if [ ! -r "$f" ]; then echo "closed"; exit 0; fi
i=$(ls -idL -- "$f"); i=${i#"${i%%[! ]*}"}; i=${i%% *}
s=$(wc -c <"$f"); s=$((s))
if [ "$from" -lt 0 ]; then start=$((s > max ? s - max : 0))
elif [ "$i" != "$known" ] || [ "$s" -lt "$from" ]; then start=0
else start=$from; fi
n=$((s - start)); cut=0
if [ "$from" -ge 0 ] && [ "$n" -gt "$max" ]; then start=$((s - max)); n=$max; cut=1; fi
echo "file $i $s $cut"
[ "$n" -gt 0 ] && tail -c "+$((start + 1))" -- "$f" | head -c "$n"
exit 0"#;

/// Runs a command check.
///
/// # Errors
/// Those that are about the connection; a command that was stopped at a limit is an observation.
pub(super) async fn run_command(check: &CommandCheck, shell: &dyn Shell) -> Result<Ran, RemoteError> {
    let mut command =
        Command::new(check.argv.iter().cloned()).within(Duration::from_secs(check.timeout_s)).printing_at_most(PRINTED);
    command.folder = check.folder.clone();
    let started = Instant::now();
    let ran = shell.run(&command).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let stopped = |limit: String| Ran {
        status: None,
        stopped: Some(limit),
        tail: String::new(),
        equals: None,
        missing: Vec::new(),
        forbidden: Vec::new(),
        elapsed_ms,
    };
    match ran {
        Err(RemoteError::TimedOut { .. }) => Ok(stopped(format!("{} s", check.timeout_s))),
        Err(RemoteError::TooMuchOutput { .. }) => Ok(stopped(crate::model::human_bytes(PRINTED as u64))),
        Err(error) => Err(error),
        Ok(output) => {
            let text = output.text();
            let there = |needle: &&String| text.contains(needle.as_str());
            let absent = |needle: &&String| !there(needle);
            Ok(Ran {
                status: Some(output.status),
                stopped: None,
                tail: output.tail(),
                equals: check.equals.as_ref().map(|wanted| text == wanted.trim()),
                missing: check.contains.iter().filter(absent).cloned().collect(),
                forbidden: check.forbid.iter().filter(there).cloned().collect(),
                elapsed_ms,
            })
        }
    }
}

/// Reads a log: its end without a `before`, else what it gained since. A log that was rotated or
/// emptied is read from its start.
pub(super) async fn read_log(
    check: &LogCheck,
    before: Option<&LogState>,
    shell: &dyn Shell,
) -> Result<LogState, RemoteError> {
    let (known, from) = match before {
        None => (String::new(), -1),
        Some(before) => (
            before.file.map(|file| file.to_string()).unwrap_or_default(),
            i64::try_from(before.size).unwrap_or(i64::MAX),
        ),
    };
    let values = [check.path.clone(), known, from.to_string(), LOG_READ.to_string()];
    let command =
        Command::script(READ_LOG, values).within(Duration::from_secs(30)).printing_at_most(LOG_READ as usize + 4096);
    match shell.run(&command).await {
        Ok(output) if output.ok() => Ok(parse_log(&output.stdout)),
        Ok(output) => Ok(LogState::unreadable(&output.tail())),
        Err(RemoteError::TimedOut { .. }) => Ok(LogState::unreadable("reading it took too long")),
        // The log grew between the measurement and the reading.
        Err(RemoteError::TooMuchOutput { .. }) => Ok(LogState::unreadable("it grows faster than it can be read")),
        Err(error) => Err(error),
    }
}

impl LogState {
    fn nothing() -> Self {
        Self { file: None, size: 0, unreadable: None, fatal: Vec::new(), cut: false }
    }

    fn unreadable(why: &str) -> Self {
        Self { unreadable: Some(clean_line(why, LINE_CHARS)), ..Self::nothing() }
    }
}

fn parse_log(printed: &[u8]) -> LogState {
    let end = printed.iter().position(|byte| *byte == b'\n');
    let (head, body) = printed.split_at(end.unwrap_or(printed.len()));
    let head = String::from_utf8_lossy(head);
    let words: Vec<&str> = head.split_whitespace().collect();
    match words[..] {
        ["none"] => LogState::nothing(),
        ["closed"] => LogState::unreadable("the account may not read it"),
        ["odd"] => LogState::unreadable("it is not a regular file"),
        ["file", file, size, cut] => LogState {
            file: file.parse().ok(),
            size: size.parse().unwrap_or(0),
            unreadable: None,
            fatal: fatal_lines(&String::from_utf8_lossy(body)),
            cut: cut == "1",
        },
        _ => LogState::unreadable(&format!("the host answered {head:?}")),
    }
}

/// The distinct fatal errors, in the order in which they first appear.
fn fatal_lines(text: &str) -> Vec<Fatal> {
    let mut found: Vec<Fatal> = Vec::new();
    for line in text.lines() {
        let Some(at) = SIGNS.iter().filter_map(|sign| line.find(sign)).min() else {
            continue;
        };
        let line = &line[at..];
        let without_numbers: String = line.chars().filter(|c| !c.is_ascii_digit()).collect();
        let key = Digest::of(without_numbers.as_bytes());
        if let Some(known) = found.iter_mut().find(|fatal| fatal.key == key) {
            known.count = known.count.saturating_add(1);
        } else if found.len() < FATALS {
            found.push(Fatal { line: clean_line(line, LINE_CHARS), key, count: 1 });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::LocalShell;

    const OLD: &str =
        "[01-Nov-2026 02:00:00 UTC] PHP Fatal error:  Uncaught Error: old in /srv/a.php:12\nStack trace:\n#0 {main}\n";
    const NEW: &str = "[07-Nov-2026 02:00:09 UTC] PHP Fatal error:  Uncaught Error: new in /srv/b.php:3\n";

    async fn read(path: &std::path::Path, before: Option<&LogState>) -> LogState {
        let check = LogCheck { path: path.display().to_string() };
        read_log(&check, before, &LocalShell).await.unwrap()
    }

    #[tokio::test]
    async fn growth_rotation_and_truncation_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("php 'error'.log");
        let none = read(&path, None).await;
        assert_eq!((none.file, none.size), (None, 0));

        std::fs::write(&path, OLD).unwrap();
        let before = read(&path, None).await;
        assert_eq!((before.size, before.fatal.len()), (OLD.len() as u64, 1));
        assert!(read(&path, Some(&before)).await.fatal.is_empty());
        assert_eq!(read(&path, Some(&none)).await.fatal.len(), 1, "a file that is new");

        std::fs::write(&path, [OLD, NEW, NEW].concat()).unwrap();
        let grown = read(&path, Some(&before)).await;
        assert_eq!((grown.fatal.len(), grown.fatal[0].count), (1, 2));
        assert!(grown.fatal[0].line.starts_with("PHP Fatal error: Uncaught Error: new"));

        std::fs::write(&path, NEW).unwrap();
        assert_eq!(read(&path, Some(&grown)).await.fatal.len(), 1, "emptied");
        std::fs::rename(&path, folder.path().join("php.log.1")).unwrap();
        std::fs::write(&path, [OLD, NEW, NEW, NEW].concat()).unwrap();
        let rotated = read(&path, Some(&grown)).await;
        assert_eq!(rotated.fatal.len(), 2, "read from its start");
    }

    #[tokio::test]
    async fn logs_are_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "x\n").unwrap();
        let before = read(&path, None).await;
        std::fs::write(&path, ["x\n", &"noise\n".repeat(100_000), NEW].concat()).unwrap();
        let grown = read(&path, Some(&before)).await;
        assert_eq!((grown.cut, grown.fatal.len()), (true, 1));
        assert_eq!(read(&path, None).await.fatal.len(), 1);
        assert!(read(folder.path(), None).await.unreadable.is_some());
    }

    #[tokio::test]
    async fn commands_are_observed() {
        let check = |argv: &[&str]| CommandCheck {
            argv: argv.iter().map(|arg| (*arg).to_owned()).collect(),
            open: false,
            folder: Some("/".into()),
            exit: vec![0],
            equals: Some("https://x.example".into()),
            contains: vec!["x.example".into(), "absent".into()],
            forbid: vec!["https:".into(), "ftp:".into()],
            timeout_s: 1,
        };
        let echo = check(&["echo", "https://x.example"]);
        let ran = run_command(&echo, &LocalShell).await.unwrap();
        assert_eq!((ran.status, ran.equals), (Some(0), Some(true)));
        assert_eq!(ran.missing, ["absent"]);
        assert_eq!(ran.forbidden, ["https:"]);
        let slow = run_command(&check(&["sleep", "9"]), &LocalShell).await.unwrap();
        assert_eq!(slow.stopped.as_deref(), Some("1 s"));
        let loud = run_command(&check(&["yes"]), &LocalShell).await.unwrap();
        assert_eq!(loud.stopped.as_deref(), Some("256.0 KiB"));
    }

    #[test]
    fn the_same_error_has_one_key() {
        let again = NEW.replace(":3", ":99").replace("07-Nov", "08-Nov");
        let found = fatal_lines(&[NEW, &again, "PHP Warning:  no\n"].concat());
        assert_eq!((found.len(), found[0].count), (1, 2));
        let nginx = "2026/11/07 FastCGI sent in stderr: \"PHP message: PHP Parse error:  syntax\"";
        assert_eq!(fatal_lines(nginx).len(), 1);
    }
}
