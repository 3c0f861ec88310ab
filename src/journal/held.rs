//! Who works on a site at this moment: a locked file beside the journal, so that no second process
//! takes over from one that is alive. The system lets go of it when the process dies.

use super::JournalError;
use crate::model::{SiteName, clean_line};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The longest name of a holder that is read, in bytes.
const MAX_HOLDER_BYTES: u64 = 1000;

/// A site that this process works on, until it is dropped.
#[derive(Debug)]
pub struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Closing is not enough: a process that another thread is just starting has the file, too,
        // until it becomes another program.
        let _ = self.0.unlock();
    }
}

/// Takes the site, or says who has it. `folder` is made where it is not there.
pub(super) fn hold(folder: &Path, site: &SiteName, by: &str) -> Result<Held, JournalError> {
    let path = folder.join(site.as_str());
    let failed = |source| JournalError::Folder { path: path.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who it is only helps; that somebody has it is what counts.
            let _ = file.take(MAX_HOLDER_BYTES).read_to_string(&mut holder);
            let by = if holder.is_empty() { "somebody".into() } else { clean_line(&holder, 100) };
            return Err(JournalError::Held { site: site.clone(), by });
        }
        Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(by.as_bytes()));
    written.map_err(failed)?;
    Ok(Held(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_each_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("sites");
        let (shop, other) = (SiteName::new("shop").unwrap(), SiteName::new("other").unwrap());
        let first = hold(&below, &shop, "ann@a (pid 1)").unwrap();
        let refused = hold(&below, &shop, "bob@b (pid 2)").unwrap_err().to_string();
        assert!(refused.contains("shop") && refused.contains("ann@a (pid 1)"), "{refused}");
        let _beside = hold(&below, &other, "bob@b (pid 2)").unwrap();
        drop(first);
        let _second = hold(&below, &shop, "b").unwrap();
        assert!(hold(&below, &shop, "c").unwrap_err().to_string().contains("by b"));
    }
}
