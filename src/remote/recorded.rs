//! A shell that keeps each of its commands on record at the host while it runs.

use super::{Command, Process, RemoteError, Shell};
use async_trait::async_trait;
use std::sync::Arc;

/// Another shell, whose commands are recorded in one folder of the host.
pub struct RecordedShell {
    inner: Arc<dyn Shell>,
    records: String,
}

impl RecordedShell {
    /// Records the commands of `inner` in `records`, an absolute path; as long as that folder is not
    /// there, commands run without a record.
    pub fn new(inner: Arc<dyn Shell>, records: String) -> Self {
        Self { inner, records }
    }
}

#[async_trait]
impl Shell for RecordedShell {
    fn host(&self) -> &str {
        self.inner.host()
    }

    async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
        self.inner.start(&command.clone().recorded_in(self.records.clone())).await
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
        let shell = RecordedShell::new(Arc::new(LocalShell), records.display().to_string());
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
}
