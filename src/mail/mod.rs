//! Messages, the queue in which they wait on the disk, and the server that takes them.
//!
//! May use: `model`. Invariants: a message is on the disk before it is sent, and keeps its Message-ID; what the server accepted is
//! never sent again; where it can't be known whether the server accepted it, that is said, and a person decides; a refused address
//! is not tried again; a password is in no file of ours and in no text.

mod error;
mod message;
mod queue;
mod server;
#[cfg(test)]
mod tests;

pub use error::{MailError, QueueError};
pub use message::{Letter, Logo, Mailbox, letter_id};
pub use queue::{Listing, MAIL_FORMAT, Queue, Queued, Record, State};
pub use server::{Login, MailServer, Security};
