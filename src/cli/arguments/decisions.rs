//! Arguments of what people decide: notices, licences, immunities, anomalies.
//!
//! Invariant: of the shape alone; what a text means is judged by the command.

use crate::model::ComponentName;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct Notices {
    /// Only those of this site
    #[arg(long)]
    pub(in crate::cli) site: Option<String>,
    /// Answered and expired ones, too
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Send those that were not sent yet by e-mail to whom they concern
    #[arg(long, conflicts_with = "all")]
    pub(in crate::cli) send: bool,
    /// Print those that were not sent yet as letters, a page and a PDF each, for whom has no e-mail address; with --all those
    /// that were printed before, too
    #[arg(long, conflicts_with = "send")]
    pub(in crate::cli) letter: bool,
    /// The folder of the letters [default: this one]
    #[arg(long, value_name = "FOLDER", requires = "letter")]
    pub(in crate::cli) to: Option<PathBuf>,
    #[command(subcommand)]
    pub(in crate::cli) action: Option<NoticeAction>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NoticeAction {
    /// It may be done
    Approve(NoticeAnswer),
    /// It may not, or will not be done
    Decline(NoticeAnswer),
    /// A task is done; the next run looks again
    Done(NoticeAnswer),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NoticeAnswer {
    /// The notice
    #[arg(value_name = "NUMBER")]
    pub(in crate::cli) notice: u64,
    /// Why
    #[arg(long)]
    pub(in crate::cli) why: Option<String>,
    /// Who decided [default: whoever runs this]
    #[arg(long, value_name = "WHO")]
    pub(in crate::cli) by: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Licence {
    #[command(subcommand)]
    pub(in crate::cli) action: Option<LicenceAction>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LicenceAction {
    /// The pools, their seats, and the sites that have one
    List,
    /// Add a pool, or write one anew
    Add(NewPool),
    /// Remove a pool
    Remove {
        /// The pool
        pool: String,
    },
    /// Give a site a seat; where it has one, have its key tried again
    Assign(SeatOf),
    /// Take a site's seat back
    Release(SeatOf),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SeatOf {
    /// The pool
    pub(in crate::cli) pool: String,
    /// The site
    pub(in crate::cli) site: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewPool {
    /// Its name, as plans write it: licences: [{ extension: …, from: POOL }]
    pub(in crate::cli) pool: String,
    /// Who sells the licences
    #[arg(long)]
    pub(in crate::cli) vendor: String,
    /// What they are for
    #[arg(long)]
    pub(in crate::cli) product: String,
    /// How many sites may use them [default: as many as like]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) seats: Option<u32>,
    /// Their last day, such as 2027-03-31 [default: for good]
    #[arg(long, value_name = "DAY")]
    pub(in crate::cli) until: Option<String>,
    /// Where the key is, never the key itself: file:PATH, or env:NAME of a variable INTENDANT_…
    #[arg(long, value_name = "REFERENCE")]
    pub(in crate::cli) key: Option<String>,
    /// No server of the vendor takes part: the licence is entered by hand
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// How the key is entered: a way of the site's playbook, such as option or constant [default: by hand]
    #[arg(long, value_name = "WAY")]
    pub(in crate::cli) by: Option<String>,
    /// The name of the option, or of the constant
    #[arg(long, requires = "by")]
    pub(in crate::cli) name: Option<String>,
    /// A command on the site's host that enters the key, which it reads from its standard input
    #[arg(long, value_name = "COMMAND", requires = "probe", conflicts_with = "by")]
    pub(in crate::cli) run: Option<String>,
    /// A command that ends with 0 once the key is entered; it reads the key, too
    #[arg(long, value_name = "COMMAND", requires = "run")]
    pub(in crate::cli) probe: Option<String>,
    /// Write a pool anew that is there; its seats stay
    #[arg(long)]
    pub(in crate::cli) replace: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Immunity {
    #[command(subcommand)]
    pub(in crate::cli) action: Option<ImmunityAction>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImmunityAction {
    /// It may be tried again
    Lift {
        /// What, such as plugin:fast-cache
        component: String,
        /// The version
        version: String,
        /// Why
        #[arg(long)]
        why: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Anomaly {
    #[command(subcommand)]
    pub(in crate::cli) action: AnomalyAction,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AnomalyAction {
    /// Write down what a client says
    Add(AnomalyAdd),
    /// Those that wait for an answer, of a site or of all
    List {
        /// The site
        site: Option<String>,
        /// Answered ones, too
        #[arg(long)]
        all: bool,
    },
    /// What the run before it changed near the page, and what was done since
    Show {
        /// The anomaly
        #[arg(value_name = "NUMBER")]
        anomaly: u64,
    },
    /// Put the site back to before that run
    Restore {
        /// The anomaly
        #[arg(value_name = "NUMBER")]
        anomaly: u64,
        /// The tables exactly as they were: rows that visitors wrote since are taken off, too
        #[arg(long)]
        exact: bool,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Have updates of an extension of the site wait, up to and including a day
    Hold {
        /// The anomaly
        #[arg(value_name = "NUMBER")]
        anomaly: u64,
        /// The extension, such as plugin:fast-cache, or core
        extension: ComponentName,
        /// The last day
        #[arg(long, value_name = "DATE", required_unless_present = "lift")]
        until: Option<Date>,
        /// They wait no longer
        #[arg(long, conflicts_with = "until")]
        lift: bool,
    },
    /// Answer it: the client reads that in the next report
    Close {
        /// The anomaly
        #[arg(value_name = "NUMBER")]
        anomaly: u64,
        /// What was found and done, in the client's language
        #[arg(long, value_name = "TEXT")]
        answer: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AnomalyAdd {
    /// The site
    pub(in crate::cli) site: String,
    /// When it was seen: 2026-11-20T14:05 by the clock of the site's zone, or with an offset
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: String,
    /// The address of the page
    #[arg(long)]
    pub(in crate::cli) url: String,
    /// What is wrong with it, in the client's words
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) description: String,
    /// A screenshot, PNG or JPEG; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) screenshot: Vec<PathBuf>,
    /// The browser
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) browser: Option<String>,
    /// The operating system
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) system: Option<String>,
    /// The device
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) device: Option<String>,
    /// Who saw it
    #[arg(long, value_name = "WHO")]
    pub(in crate::cli) reported_by: Option<String>,
}
