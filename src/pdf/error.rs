//! Why there is no PDF.

use std::path::PathBuf;

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// The page is too large.
    #[error("the page has {bytes} bytes, and at most {limit} are printed; ask for less, or print the page by hand")]
    Page {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The throwaway folder.
    #[error("no folder for the browser can be made or used below {}", folder.display())]
    Folder {
        /// Where temporary folders are made.
        folder: PathBuf,
        /// What was wrong.
        #[source]
        source: std::io::Error,
    },
    /// The browser was not heard to its end.
    #[error("the browser {} did not print the page", program.display())]
    Browser {
        /// Which.
        program: PathBuf,
        /// What was wrong.
        #[source]
        source: crate::remote::RemoteError,
    },
    /// It ended without a PDF.
    #[error(
        "the browser {} ended with status {status} and without a PDF; it said: {said}; start it by hand, or name another one \
         in the settings: browser: PATH", program.display()
    )]
    Nothing {
        /// Which.
        program: PathBuf,
        /// Its exit status.
        status: i32,
        /// The end of what it printed.
        said: String,
    },
    /// What it wrote is no PDF.
    #[error("what the browser {} wrote is no whole PDF of at most {limit} bytes", program.display())]
    NotOne {
        /// Which.
        program: PathBuf,
        /// How many bytes it may have.
        limit: u64,
    },
}
