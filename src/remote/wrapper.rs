//! The few lines of shell around every command: folder, time limit, process group, lease, closing
//! status. The closing status is how a broken connection is told from a short output.

use super::command::quote;
use super::{Command, Output, Process, RawInput, Reader, RemoteError};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

/// `$1` folder (empty: the account's own), `$2` limit in seconds, `$3` folder of records (empty or
/// not there: none is made), `$4` the mark of the closing line, `$5` the lease (empty: none is needed), then the
/// command. The record is written before the lease is looked at: whoever takes a site over moves the lease first
/// and then ends what is on record, so that a late command is either refused or ended. GNU `timeout` makes
/// a process group of its own, whose id is the process id that is recorded; BusyBox's does not, and so
/// `setsid` does, and what outlives its limit is ended here. With it stand the id of the host's boot and
/// when the process began, because ids are given out again: the 22nd field of `proc_pid_stat(5)`.
const WRAPPER: &str = r#"d=$1 t=$2 p=$3 m=$4 l=$5; shift 5
if [ -n "$d" ]; then cd -- "$d" || { printf '\n%s 126\n' "$m" >&2; exit 0; }; fi
if command -v timeout >/dev/null 2>&1; then set -- timeout -k 10 "$t" "$@"; fi
if [ -d "$p" ]; then p=$p/$$; else p=; fi
if [ -n "$p$l" ]; then
set -- sh -c 'p=$0 m=$1 l=$2; shift 2
if [ -n "$p" ]; then read -r b 2>/dev/null </proc/sys/kernel/random/boot_id; read -r w 2>/dev/null <"/proc/$$/stat"
began() { shift 19; echo "$1"; }; echo "$$ $b $(began ${w##*) } 2>/dev/null)" 2>/dev/null >"$p"; fi
if [ -n "$l" ] && [ ! -e "$l" ]; then printf "\n%s lost\n" "$m" >&2; exit 0; fi
if [ -n "$p" ] && command -v busybox >/dev/null 2>&1 && command -v setsid >/dev/null 2>&1; then exec setsid "$@"; fi
exec "$@"' "$p" "$m" "$l" "$@"
fi
"$@"
s=$?
if [ -n "$p" ]; then case $s in 124|137|143) read -r g b <"$p" && kill -KILL "-$g";; esac 2>/dev/null; rm -f -- "$p"; fi
printf '\n%s %s\n' "$m" "$s" >&2
exit 0"#;

/// How much of standard error is kept, in bytes, from its end.
const STDERR_KEPT: usize = 64 << 10;
/// How long after the host's own limit the connection itself is given up.
const GRACE: Duration = Duration::from_secs(30);

/// The command line that is sent, and the mark that its closing line bears.
pub(super) fn line(command: &Command) -> Result<(String, String), RemoteError> {
    if command.argv.iter().any(|argument| argument.contains('\0')) {
        return Err(RemoteError::Nul { command: command.shown() });
    }
    let mark = format!("@intendant-{}", uuid::Uuid::new_v4().simple());
    let limit = command.timeout.as_secs().max(1).to_string();
    let or_none = |path: &Option<String>| path.clone().unwrap_or_default();
    let fixed = [&or_none(&command.folder), &limit, &or_none(&command.records), &mark, &or_none(&command.lease)];
    let fixed = fixed.map(String::as_str);
    let values = fixed.into_iter().chain(command.argv.iter().map(String::as_str));
    let quoted: Vec<_> = values.map(|value| quote(value).into_owned()).collect();
    Ok((format!("exec sh -c {} sh {}", quote(WRAPPER), quoted.join(" ")), mark))
}

type Ended = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// What is still to be heard of a process: its standard error with the closing line, its end.
pub(super) struct Closing {
    stderr: JoinHandle<Vec<u8>>,
    ended: Ended,
    mark: String,
    host: String,
    command: String,
    limit: Duration,
    started: Instant,
}

impl Closing {
    /// Collects standard error in the background. `ended` resolves when the process has ended,
    /// with an error text when the connection said so itself.
    pub(super) fn new(command: &Command, host: &str, mark: String, stderr: Reader, ended: Ended) -> Self {
        Self {
            stderr: tokio::spawn(keep_tail(stderr)),
            ended,
            mark,
            host: host.to_owned(),
            command: command.shown(),
            limit: command.timeout,
            started: Instant::now(),
        }
    }

    fn lost(&self, detail: impl Into<String>) -> RemoteError {
        RemoteError::Lost { host: self.host.clone(), command: self.command.clone(), detail: detail.into() }
    }

    /// Waits for the end and reads the closing status.
    pub(super) async fn wait(mut self) -> Result<Output, RemoteError> {
        let both = async {
            let stderr = (&mut self.stderr).await;
            (stderr, (&mut self.ended).await)
        };
        let waited = tokio::time::timeout(self.limit + GRACE, both).await;
        let Ok((Ok(stderr), ended)) = waited else {
            self.stderr.abort();
            return Err(self.lost("the host fell silent"));
        };
        if is_refused(&stderr, &self.mark) {
            return Err(RemoteError::LeaseLost { host: self.host.clone(), command: self.command.clone() });
        }
        match closing_status(&stderr, &self.mark) {
            // The same statuses come from commands that end so by themselves, but earlier. BusyBox says 143.
            Some((124 | 137 | 143, _)) if self.started.elapsed() >= self.limit => {
                Err(RemoteError::TimedOut { host: self.host.clone(), command: self.command.clone(), limit: self.limit })
            }
            Some((status, stderr)) => Ok(Output { status, stdout: Vec::new(), stderr }),
            None => Err(self.lost(ended.err().unwrap_or_else(|| "it ended without its closing status".into()))),
        }
    }
}

/// The status in the closing line and what stood before it.
fn closing_status(stderr: &[u8], mark: &str) -> Option<(i32, Vec<u8>)> {
    let text = String::from_utf8_lossy(stderr);
    let at = text.rfind(mark)?;
    let status = text[at + mark.len()..].trim().parse().ok()?;
    let before = text[..at].strip_suffix('\n').unwrap_or(&text[..at]);
    Some((status, before.as_bytes().to_vec()))
}

/// Whether the command was not begun, because its lease is gone.
fn is_refused(stderr: &[u8], mark: &str) -> bool {
    String::from_utf8_lossy(stderr).contains(&format!("{mark} lost\n"))
}

async fn keep_tail(mut stderr: Reader) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut chunk = vec![0; 8 << 10];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * STDERR_KEPT {
            kept.drain(..kept.len() - STDERR_KEPT);
        }
    }
    kept
}

/// Feeds and reads a process to its end, within the command's bounds.
pub(super) async fn collect(mut process: Process, command: &Command, host: &str) -> Result<Output, RemoteError> {
    let input = match &command.input {
        RawInput::Bytes(bytes) => bytes.clone(),
        RawInput::Nothing | RawInput::Pipe => Vec::new(),
    };
    let stdin = process.stdin.take();
    let feed = async move {
        // A command that does not read its input is no error: its status tells.
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&input).await;
            let _ = stdin.shutdown().await;
        }
    };
    let mut stdout = Vec::new();
    let limit = command.output_limit;
    let read = async {
        let mut bounded = (&mut process.stdout).take(limit as u64 + 1);
        bounded.read_to_end(&mut stdout).await
    };
    let both = async { tokio::join!(feed, read).1 };
    let read = tokio::time::timeout(command.timeout + GRACE, both).await;
    let shown = || (host.to_owned(), command.shown());
    match read {
        Err(_) => {
            let (host, command) = shown();
            return Err(RemoteError::Lost { host, command, detail: "the host fell silent".into() });
        }
        Ok(Err(source)) => {
            let (host, command) = shown();
            return Err(RemoteError::Stream { host, command, source });
        }
        Ok(Ok(_)) if stdout.len() > limit => {
            let (host, command) = shown();
            return Err(RemoteError::TooMuchOutput { host, command, limit });
        }
        Ok(Ok(_)) => {}
    }
    let output = process.finish().await?;
    Ok(Output { stdout, ..output })
}
