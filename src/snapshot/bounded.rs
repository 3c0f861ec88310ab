//! A reader that can be told how much may still be read: tar's own parser keeps names and maps of
//! holes in memory, however long a hostile host makes them.
//!
//! May use: nothing of this crate.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// How many bytes may still be read.
#[derive(Clone)]
pub(super) struct Allowance(Rc<Cell<u64>>);

impl Allowance {
    /// Sets it.
    pub(super) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }
}

/// Reads as long as the allowance lasts; then it is an error.
pub(super) struct Bounded<R> {
    inner: R,
    left: Allowance,
}

impl<R: Read> Bounded<R> {
    /// Reads from `inner`; nothing is allowed yet.
    pub(super) fn new(inner: R) -> (Self, Allowance) {
        let left = Allowance(Rc::default());
        (Self { inner, left: left.clone() }, left)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.0.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("what stands before a file is longer than the limit"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        self.left.0.set(left - read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_allowed() {
        let (mut bounded, allowance) = Bounded::new(io::repeat(7));
        let mut buffer = [0; 10];
        assert!(bounded.read(&mut buffer).is_err());
        allowance.set(12);
        assert_eq!(bounded.read(&mut buffer).unwrap(), 10);
        assert_eq!(bounded.read(&mut buffer).unwrap(), 2);
        assert!(bounded.read(&mut buffer).is_err());
    }
}
