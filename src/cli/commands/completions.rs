//! `intendant completions`.

use crate::cli::ExitCode;
use crate::cli::arguments::{Completions, definition};

pub(in crate::cli) fn completions(options: &Completions) -> ExitCode {
    clap_complete::generate(options.shell, &mut definition(), "intendant", &mut std::io::stdout());
    ExitCode::OK
}
