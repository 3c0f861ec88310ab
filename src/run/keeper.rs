//! Renews the lease of a run while it works, in the background.

use crate::site::{LEASE, Site, renew_lease};
use tokio::task::JoinHandle;

/// The pause between two renewals: a third of the lease.
const EVERY: std::time::Duration = std::time::Duration::from_secs(LEASE.as_secs() / 3);

/// Renews until it is dropped, or the lease is lost or given back.
pub(super) struct Keeper(JoinHandle<()>);

impl Keeper {
    /// Begins, for the lease that is held.
    pub(super) fn new(site: &Site) -> Self {
        let (shell, name, guard) = (site.shell.clone(), site.address.name.clone(), site.address.guard.clone());
        Self(tokio::spawn(async move {
            while guard.path().is_some() {
                match renew_lease(shell.as_ref(), &name, &guard).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    // A line that is cut may come back. The lease is ours until somebody takes it over.
                    Err(error) => tracing::warn!(%error, site = %name, "the lease could not be renewed"),
                }
                tokio::time::sleep(EVERY).await;
            }
        }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
