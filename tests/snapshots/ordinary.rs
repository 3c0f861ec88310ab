//! An ordinary account, as sites have it.

use super::*;
use intendant::remote::{Process, RemoteError, Shell};

/// The shell of an account that is not root. Only root can be another account.
struct Ordinary;

pub(crate) const UID: u32 = 54_321;
pub(crate) const GROUP: u32 = 54_322;
pub(crate) const FOREIGN: u32 = 54_399;

#[async_trait::async_trait]
impl Shell for Ordinary {
    fn host(&self) -> &str {
        "ordinary"
    }
    async fn start(&self, command: &intendant::remote::Command) -> Result<Process, RemoteError> {
        let mut command = command.clone();
        let words = ["/usr/bin/setpriv", "--reuid=54321", "--regid=54321", "--groups=54321,54322"];
        command.argv.splice(0..0, words.map(String::from));
        LocalShell.start(&command).await
    }
    async fn close(&self) {}
}

impl Place {
    /// The site, as an ordinary account with a second group sees it.
    pub(crate) fn ordinary(&self) -> Source {
        std::fs::set_permissions(self.root.parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Source { shell: Arc::new(Ordinary), ..self.source() }
    }

    pub(crate) async fn restore_as(&self, source: &Source, to: &Captured) -> Result<Restored, SnapshotError> {
        let request =
            RestoreRequest { now: now(), target: to.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
        prepare(source, &self.store(), request, &quiet()).await?.apply(&quiet()).await
    }
}
