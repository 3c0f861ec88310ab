//! One run per site: a folder on the host that only one run can make.

use super::{Site, SiteError};
use crate::model::{Digest, RunId, clean_line};
use crate::remote::Command;
use serde::{Deserialize, Serialize};

/// Who works on a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The run.
    pub run: RunId,
    /// Who and where: `user@machine (pid 12)`.
    pub who: String,
    /// Since when.
    pub since: jiff::Timestamp,
}

impl std::fmt::Display for LockHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {} of {} since {}", self.run, clean_line(&self.who, 100), self.since)
    }
}

/// The lock of one site on its host.
pub struct Lock<'a> {
    site: &'a Site,
    folder: String,
}

/// `$1` folder, `$2` the holder as JSON. A lock is complete the moment it can be seen: it is
/// prepared aside and renamed, and a folder that is not empty can't be replaced by a rename.
const TAKE: &str = r#"umask 077
mkdir -p -- "$(dirname -- "$1")" || exit 4
if [ -e "$1/holder" ]; then cat -- "$1/holder"; exit 3; fi
n=$1.new.$$; mkdir -- "$n" && printf '%s' "$2" >"$n/holder" || exit 4
if mv -T -- "$n" "$1" 2>/dev/null; then exit 0; fi
rm -rf -- "$n"; cat -- "$1/holder" 2>/dev/null; exit 3"#;

/// `$1` folder, `$2` the run that must hold it.
const RELEASE: &str = r#"if [ ! -e "$1/holder" ]; then exit 0; fi
grep -qF -- "\"$2\"" "$1/holder" || exit 3
rm -rf -- "$1" || exit 4
rmdir -p -- "$(dirname -- "$1")" 2>/dev/null; exit 0"#;

impl<'a> Lock<'a> {
    /// The lock of `site`; nothing is taken yet. Its place depends on the site's real folder, so
    /// two plans for one folder meet at the same lock.
    pub fn new(site: &'a Site) -> Self {
        let name = Digest::of(site.root().as_bytes()).short();
        let folder = format!("{}/.intendant/locks/{name}", site.host.home.trim_end_matches('/'));
        Self { site, folder }
    }

    /// Takes the lock, or says who has it. Taking it again for the same run is fine.
    pub async fn take(&self, holder: &LockHolder) -> Result<(), SiteError> {
        let json = serde_json::to_string(holder).unwrap_or_default();
        let output = self.site.shell.run(&Command::script(TAKE, [self.folder.clone(), json])).await?;
        match output.status {
            0 => Ok(()),
            3 if self.held_by(&output.text()) == Some(holder.run) => Ok(()),
            3 => Err(SiteError::Locked {
                site: self.site.address.name.clone(),
                holder: match serde_json::from_str::<LockHolder>(&output.text()) {
                    Ok(holder) => holder.to_string(),
                    Err(_) => format!("somebody ({})", clean_line(&output.text(), 100)),
                },
            }),
            _ => Err(SiteError::Host {
                site: self.site.address.name.clone(),
                host: self.site.shell.host().to_owned(),
                said: format!("the lock {} could not be made\n{}", self.folder, output.tail()),
            }),
        }
    }

    /// Who holds it now.
    pub async fn holder(&self) -> Result<Option<String>, SiteError> {
        const READ: &str = r#"if [ -e "$1/holder" ]; then cat -- "$1/holder"; fi"#;
        let output = self.site.shell.run(&Command::script(READ, [self.folder.clone()])).await?;
        let text = output.text();
        Ok(match serde_json::from_str::<LockHolder>(&text) {
            Ok(holder) => Some(holder.to_string()),
            Err(_) if text.is_empty() => None,
            Err(_) => Some(format!("somebody ({})", clean_line(&text, 100))),
        })
    }

    /// The run that holds it now, where it says so.
    pub async fn holding_run(&self) -> Result<Option<RunId>, SiteError> {
        const READ: &str = r#"if [ -e "$1/holder" ]; then cat -- "$1/holder"; fi"#;
        let output = self.site.shell.run(&Command::script(READ, [self.folder.clone()])).await?;
        Ok(self.held_by(&output.text()))
    }

    fn held_by(&self, text: &str) -> Option<RunId> {
        serde_json::from_str::<LockHolder>(text).ok().map(|holder| holder.run)
    }

    /// Gives the lock back. A lock that another run holds is left alone.
    pub async fn release(&self, run: RunId) -> Result<(), SiteError> {
        let values = [self.folder.clone(), run.to_string()];
        let output = self.site.shell.run(&Command::script(RELEASE, values)).await?;
        match output.status {
            0 => Ok(()),
            3 => Err(SiteError::Locked { site: self.site.address.name.clone(), holder: "another run".into() }),
            _ => Err(SiteError::Host {
                site: self.site.address.name.clone(),
                host: self.site.shell.host().to_owned(),
                said: format!("the lock {} could not be removed\n{}", self.folder, output.tail()),
            }),
        }
    }
}
