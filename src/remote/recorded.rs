//! A shell that keeps each of its commands on record at the host while it runs, and begins it only while
//! the lease is there under which it works. Both ways in, `run` and `start`, go through here.

use super::{Command, Guard, Process, RemoteError, Shell};
use async_trait::async_trait;
use std::sync::Arc;

/// Another shell, whose commands are recorded in one folder of the host and work under a lease.
pub struct RecordedShell {
    inner: Arc<dyn Shell>,
    records: String,
    guard: Guard,
}

impl RecordedShell {
    /// Records the commands of `inner` in `records`, an absolute path; as long as that folder is not
    /// there, commands run without a record. They work under the lease of `guard`.
    pub fn new(inner: Arc<dyn Shell>, records: String, guard: Guard) -> Self {
        Self { inner, records, guard }
    }
}

#[async_trait]
impl Shell for RecordedShell {
    fn host(&self) -> &str {
        self.inner.host()
    }

    async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
        let mut recorded = command.clone().recorded_in(self.records.clone());
        if !command.needs_lease {
            return self.inner.start(&recorded).await;
        }
        if self.guard.is_lost() {
            return Err(RemoteError::LeaseLost { host: self.host().to_owned(), command: command.shown() });
        }
        recorded.lease = self.guard.path();
        let process = self.inner.start(&recorded).await?;
        let (guard, closing) = (self.guard.clone(), process.closing);
        let closing = async move {
            let ended = closing.await;
            if matches!(ended, Err(RemoteError::LeaseLost { .. })) {
                guard.lose();
            }
            ended
        };
        Ok(Process { closing: Box::pin(closing), ..process })
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::LocalShell;

    #[tokio::test]
    async fn a_command_is_on_record_while_it_runs_and_only_where_there_is_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records");
        let shell = RecordedShell::new(Arc::new(LocalShell), records.display().to_string(), Guard::default());
        let list = Command::script("cat -- \"$1\"/* 2>/dev/null; ps -o pgid= -p $$", [records.display().to_string()]);

        let group = shell.run(&list).await.unwrap().text().into_owned();
        assert!(group.trim().parse::<u32>().is_ok(), "without a folder there is no record: {group}");
        assert!(!records.exists(), "the folder is not made");

        std::fs::create_dir(&records).unwrap();
        let shown = shell.run(&list).await.unwrap().text().into_owned();
        let (record, group) = shown.split_once('\n').unwrap();
        assert_eq!(record.split(' ').next().unwrap(), group.trim(), "the group on record is the command's");
        assert_eq!(std::fs::read_dir(&records).unwrap().count(), 0, "the record ends with the command");
    }

    #[tokio::test]
    async fn without_its_lease_no_command_begins_and_no_stream() {
        let folder = tempfile::tempdir().unwrap();
        let (lease, made) = (folder.path().join("lease"), folder.path().join("made"));
        let touch = Command::new(["touch".to_owned(), made.display().to_string()]);
        for records in [folder.path().join("nothing"), folder.path().to_owned()] {
            let guard = Guard::default();
            let shell = RecordedShell::new(Arc::new(LocalShell), records.display().to_string(), guard.clone());
            guard.set(Some(lease.display().to_string()));
            std::fs::create_dir(&lease).unwrap();
            assert!(shell.run(&touch).await.unwrap().ok() && made.exists(), "with its lease a command runs");
            std::fs::remove_file(&made).unwrap();

            std::fs::rename(&lease, folder.path().join("taken over")).unwrap();
            let stream = shell.start(&touch).await.unwrap().finish().await;
            assert!(matches!(stream, Err(RemoteError::LeaseLost { .. })), "{stream:?}");
            assert!(!made.exists() && guard.is_lost(), "nothing was begun, and it is known");

            // Also when the lease came back: it was another's meanwhile.
            std::fs::rename(folder.path().join("taken over"), &lease).unwrap();
            assert!(matches!(shell.run(&touch).await, Err(RemoteError::LeaseLost { .. })));
            assert!(!made.exists());
            assert!(shell.run(&touch.clone().without_lease()).await.unwrap().ok(), "what keeps leases needs none");
            std::fs::remove_file(&made).unwrap();
            std::fs::remove_dir(&lease).unwrap();
        }
    }
}
