//! Why a message can't be made, kept or sent.

use std::path::PathBuf;

/// Why a message can't be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address.
    #[error("{address:?} is not an address to which mail can go: {why}; correct it where it is written")]
    Address {
        /// Which.
        address: String,
        /// Why.
        why: String,
    },
    /// The message itself.
    #[error("the message to {to} can't be made: {why}")]
    Message {
        /// To whom.
        to: String,
        /// Why.
        why: String,
    },
    /// The server's settings.
    #[error("the mail server {host} can't be used: {why}")]
    Server {
        /// Which.
        host: String,
        /// Why.
        why: String,
    },
}

/// Why the queue can't be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A file or folder.
    #[error("{path}, in the queue of mail, can't be {doing}; nothing is sent that is not written down first")]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A record that can't be read.
    #[error("{path}, in the queue of mail, can't be read: {why}; it was written by another version, or is damaged")]
    Record {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another process sends.
    #[error(
        "another process is sending the mail of this queue; it sends this message, too, or try again once it is done"
    )]
    Busy,
    /// No such message.
    #[error("the queue has no message {id:?}; `intendant mail` lists them")]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// It was sent.
    #[error("message {id} was sent; it is not sent twice")]
    Sent {
        /// Which.
        id: String,
    },
}

impl QueueError {
    /// Whether only one message is hurt.
    pub(super) fn is_of_one_message(&self) -> bool {
        matches!(self, Self::Record { .. })
    }
}
