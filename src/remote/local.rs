//! The shell of this machine, for a site that lives here. Same wrapper, same rules.

use super::{Command, Process, RawInput, RemoteError, Shell, wrapper};
use async_trait::async_trait;
use std::process::Stdio;

/// What variables of ours begin with: one of them may hold a secret, and a site's own code runs here.
const OURS: &str = "INTENDANT_";
/// Variables of others that hold the keys to the bucket in which snapshots are.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

fn is_withheld(name: &str) -> bool {
    name.starts_with(OURS) || KEYS.contains(&name)
}

/// Runs commands on this machine, as the account that runs Intendant.
#[derive(Debug, Default)]
pub struct LocalShell;

#[async_trait]
impl Shell for LocalShell {
    fn host(&self) -> &str {
        "this machine"
    }

    async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
        let (line, mark) = wrapper::line(command)?;
        let stream_error =
            |source| RemoteError::Stream { host: self.host().to_owned(), command: command.shown(), source };
        let stdin = if command.input == RawInput::Nothing { Stdio::null() } else { Stdio::piped() };
        let mut shell = tokio::process::Command::new("sh");
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_withheld(&name.to_string_lossy())) {
            shell.env_remove(name);
        }
        let mut child = shell
            .args(["-c", &line])
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(stream_error)?;
        let missing = || stream_error(std::io::ErrorKind::BrokenPipe.into());
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let stdin = child.stdin.take();
        let ended = async move {
            let status = child.wait().await.map_err(|e| e.to_string())?;
            if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) }
        };
        Ok(Process {
            stdin: stdin.map(|stdin| Box::pin(stdin) as super::Writer),
            stdout: Box::pin(stdout),
            closing: Box::pin(
                wrapper::Closing::new(command, self.host(), mark, Box::pin(stderr), Box::pin(ended)).wait(),
            ),
        })
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_may_hold_a_secret_is_withheld() {
        for name in
            ["INTENDANT_IDENTITY", "INTENDANT_", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"]
        {
            assert!(is_withheld(name), "{name}");
        }
        assert!(!is_withheld("PATH") && !is_withheld("AWS_REGION"));
    }

    #[tokio::test]
    async fn statuses_streams_and_limits_are_told_apart() {
        let shell = LocalShell;
        let output = shell.run(&Command::new(["sh", "-c", "echo out; echo err >&2; exit 7"])).await.unwrap();
        assert_eq!((output.status, output.text().as_ref(), &output.stderr[..]), (7, "out", &b"err\n"[..]));

        let missing = shell.run(&Command::new(["no-such-program"])).await.unwrap();
        assert_eq!(missing.status, 127);

        let cat = Command::new(["cat"]).reading(RawInput::Bytes(b"a'b\n$c".to_vec()));
        assert_eq!(shell.run(&cat).await.unwrap().stdout, b"a'b\n$c");

        let slow = Command::new(["sleep", "20"]).within(Duration::from_secs(1));
        assert!(matches!(shell.run(&slow).await, Err(RemoteError::TimedOut { .. })));

        let loud = Command::new(["yes"]).printing_at_most(1000);
        assert!(matches!(shell.run(&loud).await, Err(RemoteError::TooMuchOutput { .. })));

        let nowhere = Command::new(["true"]).in_folder("/no/such/folder");
        assert_eq!(shell.run(&nowhere).await.unwrap().status, 126);
    }

    #[tokio::test]
    async fn a_shell_that_is_killed_is_a_lost_connection() {
        let command = Command::new(["sh", "-c", "kill -9 $(ps -o ppid= -p $PPID); sleep 1"]);
        assert!(matches!(LocalShell.run(&command).await, Err(RemoteError::Lost { .. })));
    }
}
