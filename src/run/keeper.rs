//! Renews the lease of a run while it works, in the background.

use crate::plan::Plan;
use crate::site::{LEASE, Site, renew_lease};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The pause between two renewals: a third of the lease, or a quarter of the time after which the host acts by itself.
pub(super) fn renew_every(plan: &Plan) -> Duration {
    let third = LEASE / 3;
    if plan.heal_after.is_zero() { third } else { third.min(plan.heal_after.as_duration() / 4) }
}

/// Renews until it is dropped, or the lease is lost or given back.
pub(super) struct Keeper(JoinHandle<()>);

impl Keeper {
    /// Begins, for the lease that is held.
    pub(super) fn new(site: &Site, every: Duration) -> Self {
        let (shell, name, guard) = (site.shell.clone(), site.address.name.clone(), site.address.guard.clone());
        Self(tokio::spawn(async move {
            while guard.path().is_some() {
                match renew_lease(shell.as_ref(), &name, &guard).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    // A line that is cut may come back. The lease is ours until somebody takes it over.
                    Err(error) => tracing::warn!(%error, site = %name, "the lease could not be renewed"),
                }
                tokio::time::sleep(every).await;
            }
        }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
