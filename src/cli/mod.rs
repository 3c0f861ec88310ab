//! Translates: arguments in, text and exit codes out.
//!
//! May use: everything. Invariants: the only module that prints and that reads the user's
//! environment; data goes to standard output, progress and errors to standard error; what it
//! prints of a site was cleaned where it was read.

mod arguments;
mod browser;
mod commands;
mod facts;
mod failure;
mod feeds;
mod fleet;
mod glance;
mod identity;
mod licences;
mod post;
#[cfg(test)]
mod previews;
mod progress;
mod provider;
mod settings;
mod show;

pub use failure::{ExitCode, Failure};

use arguments::{Arguments, Command};
use clap::Parser as _;
use std::ffi::OsString;

/// Parses arguments, does what they say, prints, and returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Printing can only fail on a closed terminal, where nobody reads it.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::USAGE } else { ExitCode::OK };
        }
    };
    start_log(&arguments);
    crate::check::install_tls_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::other(format!("no threads can be started: {error}")).report();
        }
    };
    match runtime.block_on(dispatch(&arguments)) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

async fn dispatch(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Init(options) => commands::init::init(common, options).await,
        Command::Validate(options) => commands::validate::validate(common, options),
        Command::Doctor(options) => commands::doctor::doctor(common, options).await,
        Command::Inventory(options) => commands::inventory::inventory(common, options).await,
        Command::Intake(options) => commands::intake::intake(common, options).await,
        Command::Drift(options) => commands::drift::drift(common, options).await,
        Command::Vulnerabilities(options) => commands::vulnerabilities::vulnerabilities(common, options).await,
        Command::Preview(options) => commands::preview::preview(common, options).await,
        Command::Run(options) => commands::run::run(common, options).await,
        Command::Recover(options) => commands::run::recover(common, options).await,
        Command::Snapshot(options) => commands::snapshot::snapshot(common, options).await,
        Command::Restore(options) => commands::run::restore(common, options).await,
        Command::Report(options) => commands::report::report(common, options).await,
        Command::Evidence(options) => commands::evidence::evidence(common, options).await,
        Command::VerifyEvidence(options) => commands::evidence::verify(common, options),
        Command::Mail(options) => commands::mail::mail(common, options),
        Command::Notices(options) => commands::notices::notices(common, options).await,
        Command::Licence(options) => commands::licence::licence(common, options).await,
        Command::Immunity(options) => commands::immunity::immunity(common, options).await,
        Command::Anomaly(options) => commands::anomaly::anomaly(common, options).await,
        Command::Playbook(options) => commands::playbook::playbook(common, options).await,
        Command::Audit(options) => commands::audit::audit(common, options).await,
        Command::Status(options) => commands::status::status(common, options).await,
        Command::Demo(options) => commands::demo::demo(common, options).await,
        Command::Completions(options) => Ok(commands::completions::completions(options)),
    }
}

fn start_log(arguments: &Arguments) {
    let level = match arguments.common.verbose {
        0 => "warn",
        1 => "intendant=info,warn",
        2 => "intendant=debug,info",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("INTENDANT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // A second log in one process, as in tests, keeps the first one.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(show::colours(std::io::IsTerminal::is_terminal(&std::io::stderr())))
        .try_init();
}
