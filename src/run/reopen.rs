//! Opens a restored site again: its maintenance ends, its caches are emptied, its processes start anew.
//!
//! May use: `playbook`, `procedure`, `snapshot`, `journal`. Invariants: all of it is done after the proof, and is best effort: what
//! fails is noted, and the checks say whether it matters.

use super::RunError;
use super::drive::Driver;
use super::perform::failure;
use crate::journal::Event;
use crate::playbook::CommandTemplate;
use crate::procedure;
use crate::snapshot::{self, ItemPath};

impl Driver<'_> {
    /// The command that ends maintenance once all of `target` is proven to be there: its switch may have left a file where no
    /// snapshot looks. Where the snapshot has all files of the switch, the site was closed then, and stays so.
    pub(super) fn off_after_restore(&self, target: &snapshot::Manifest, only: &[String]) -> Option<CommandTemplate> {
        let maintenance = self.job.playbook.operations.maintenance.as_ref().filter(|_| only.is_empty())?;
        let off = maintenance.off_after_restore()?;
        let mut files = maintenance.files.iter().filter_map(|file| ItemPath::new(file.as_str().as_bytes()).ok());
        let was_closed = files.all(|file| target.path(&file).is_some());
        (!was_closed).then(|| off.clone())
    }

    /// Best effort: what the snapshot has is in its place.
    pub(super) async fn let_in(&mut self, off: &CommandTemplate) -> Result<(), RunError> {
        let done = match self.opened_bench().await {
            Err(error) => Err(failure(error)),
            Ok(bench) => bench.operate(off).await,
        };
        let Err(failure) = done else { return Ok(()) };
        let what = format!(
            "the site is put back, and its maintenance could not be switched off; look whether visitors can read and write: {}",
            failure.why
        );
        self.write(Event::Noted { what }).await
    }

    /// Empties the caches of a restored site, which are of what was undone, and starts its processes again. The checks
    /// say whether it matters that one of them fails.
    pub(super) async fn refresh(&mut self) -> Result<(), RunError> {
        let flush = self.job.playbook.operations.flush.clone();
        let restart = procedure::restart(&self.job.plan, &self.job.playbook);
        for (commands, what) in [
            (flush, "the caches of the restored site could not be emptied"),
            (restart, "the processes of the restored site could not be started again"),
        ] {
            let done = match self.opened_bench().await {
                Err(error) => Err(failure(error)),
                Ok(bench) => bench.operate_each(&commands).await,
            };
            if let Err(failure) = done {
                self.write(Event::Noted { what: format!("{what}: {}", failure.why) }).await?;
            }
        }
        Ok(())
    }
}
