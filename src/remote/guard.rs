//! The lease under which a shell's commands work, if there is one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Says under which lease commands work now. Its copies are one and the same, so that a connection that is made
/// anew works under the lease of the one before. Once the lease is lost it stays so.
#[derive(Debug, Clone, Default)]
pub struct Guard(Arc<State>);

#[derive(Debug, Default)]
struct State {
    path: Mutex<Option<String>>,
    lost: AtomicBool,
}

impl Guard {
    /// From now on commands begin only while this path is there on the host; none: always.
    pub fn set(&self, path: Option<String>) {
        *self.0.path.lock().unwrap_or_else(PoisonError::into_inner) = path;
    }

    /// The path.
    pub fn path(&self) -> Option<String> {
        self.0.path.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host has said that the lease is gone, or held by another runner.
    pub fn lose(&self) {
        self.0.lost.store(true, Ordering::SeqCst);
    }

    /// Whether it was lost. Then nothing more is begun.
    pub fn is_lost(&self) -> bool {
        self.0.lost.load(Ordering::SeqCst)
    }
}
