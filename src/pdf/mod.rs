//! A page as a PDF: printed by a Chromium of this machine, which can reach nothing.
//!
//! May use: `model`, `remote`. Invariants: the browser is one process group with a time limit and a throwaway profile; it has
//! no network, not even this machine's own; what it wrote is bounded and looked at before anybody gets it; the
//! same page and date give the same bytes from the same browser.

mod browser;
mod error;

pub use browser::{MAX_PAGE_BYTES, MAX_PDF_BYTES, Printer};
pub use error::PdfError;
