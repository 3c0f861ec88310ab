//! The command line.

mod decisions;

pub(super) use decisions::{
    Anomaly, AnomalyAction, AnomalyAdd, Immunity, ImmunityAction, Licence, LicenceAction, NewPool, NoticeAction,
    NoticeAnswer, Notices, SeatOf,
};

use crate::model::SiteName;
use crate::report::Month;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Keeps fleets of CMS websites updated: plan, verified snapshot, update, check, exact restore.
#[derive(Debug, Parser)]
#[command(name = "intendant", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done · 1 other failure · 2 wrong arguments · 3 invalid plan, playbook or settings
4 host can't be reached or worked on · 5 no such site, run or snapshot · 6 falls short (verify, rehearse, doctor, preview, vulnerabilities, audit)
10 restored · 11 refused, untouched · 12 stuck, a person has to act. Of several sites, the highest counts.";

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The fleet's settings [default: intendant.yaml, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "INTENDANT_SETTINGS")]
    pub(super) settings: Option<PathBuf>,
    /// The folder of plans [default: plans]
    #[arg(long, global = true, value_name = "FOLDER", env = "INTENDANT_PLANS")]
    pub(super) plans: Option<PathBuf>,
    /// A folder of playbooks that go before the shipped ones
    #[arg(long, global = true, value_name = "FOLDER", env = "INTENDANT_PLAYBOOKS")]
    pub(super) playbooks: Option<PathBuf>,
    /// The folder of the journal
    #[arg(long, global = true, value_name = "FOLDER", env = "INTENDANT_STATE")]
    pub(super) state: Option<PathBuf>,
    /// The snapshot store: a folder, or s3://BUCKET/PREFIX?region=REGION
    #[arg(long, global = true, value_name = "PLACE", env = "INTENDANT_STORE")]
    pub(super) store: Option<PathBuf>,
    /// What reads an encrypted snapshot store: file:PATH, or env:NAME of a variable INTENDANT_…
    #[arg(long, global = true, value_name = "REFERENCE", env = "INTENDANT_IDENTITY", hide_env_values = true)]
    pub(super) identity: Option<String>,
    /// The folder of reports
    #[arg(long, global = true, value_name = "FOLDER", env = "INTENDANT_REPORTS")]
    pub(super) reports: Option<PathBuf>,
    /// Print JSON for machines
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say more on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look at a live site and write a plan to start from
    #[command(after_help = "Example:\n  intendant init deploy@web3.example:/srv/www/boutique --site boutique-laval")]
    Init(Init),
    /// Check plans and playbooks, offline
    #[command(after_help = "Example:\n  intendant validate plans/boutique-laval.yaml")]
    Validate(Validate),
    /// Can we log in, are the tools there, is there room, does the clock agree
    #[command(after_help = "Example:\n  intendant doctor boutique-laval")]
    Doctor(Sites),
    /// What is there: core, extensions, versions, offers, modifications
    #[command(after_help = "Example:\n  intendant inventory boutique-laval --json | jq .sites[0].inventory.core")]
    Inventory(Sites),
    /// Whether a site may enter its plan: updates, modified files, backdoors
    #[command(
        after_help = "Examples:\n  intendant intake boutique-laval\n  intendant intake boutique-laval --language fr --html intake.html"
    )]
    Intake(Intake),
    /// What somebody else changed since the last run; changes nothing
    #[command(
        after_help = "Examples:\n  intendant drift boutique-laval\n  intendant drift boutique-laval --accept --why agency"
    )]
    Drift(Drift),
    /// Known vulnerabilities of what is there, for how long, and what fixes them
    #[command(after_help = "Example:\n  intendant vulnerabilities boutique-laval")]
    Vulnerabilities(Sites),
    /// The exact procedure and every hold, with reasons; changes nothing
    #[command(after_help = "Example:\n  intendant preview boutique-laval")]
    Preview(Sites),
    /// The main job: snapshot, update, check, and put back if anything is wrong
    #[command(after_help = "Examples:\n  intendant run boutique-laval\n  intendant run --tag pilot --any-time")]
    Run(Run),
    /// Finish or unwind whatever was interrupted
    #[command(after_help = "Example:\n  intendant recover")]
    Recover(Recover),
    /// Create, list, show, verify, rehearse, export, import, prune and encrypt snapshots
    #[command(after_help = "Example:\n  intendant snapshot list boutique-laval")]
    Snapshot(Snapshot),
    /// Put a snapshot back, or a part of it
    #[command(
        after_help = "Examples:\n  intendant restore boutique-laval\n  intendant restore boutique-laval 20260114T020000.123Z-0123456789ab --only wp-content/themes\n  intendant restore boutique-laval --only table:wp_options\n  intendant restore boutique-laval --exact"
    )]
    Restore(Restore),
    /// The client's report of a run, or of a month
    #[command(
        after_help = "Examples:\n  intendant report boutique-laval --language fr --format pdf --to report.pdf\n  intendant report --month 2026-10 --client \"Boutique Laval inc.\" --to october.html\n  intendant report boutique-laval --letter --to letters"
    )]
    Report(Report),
    /// What proves a run to a stranger: one file, chained to earlier runs and signed
    #[command(after_help = "Example:\n  intendant evidence boutique-laval --key ~/.ssh/id_ed25519 --to evidence.tar")]
    Evidence(Evidence),
    /// Whether evidence is whole, signed by somebody we trust, and of one past
    #[command(after_help = "Example:\n  intendant verify-evidence evidence.tar --signers allowed_signers")]
    VerifyEvidence(VerifyEvidence),
    /// The messages that were written, and what became of them
    #[command(after_help = "Examples:\n  intendant mail\n  intendant mail retry")]
    Mail(Mail),
    /// What needs an answer or a hand: updates that wait for an approval, and tasks
    #[command(
        after_help = "Examples:\n  intendant notices --site boutique-laval\n  intendant notices approve 12 --why \"tried on the staging site\"\n  intendant notices decline 13 --why \"the client moves to another shop\"\n  intendant notices done 14 --why \"installed by hand\"\n  intendant notices --send"
    )]
    Notices(Notices),
    /// Pools of licences: which there are, who has a seat, and changing that
    #[command(
        after_help = "Examples:\n  intendant licence\n  intendant licence add cache-pool --vendor \"Fast Cache inc.\" --product \"Fast Cache Pro\" --seats 5 --until 2027-03-31 --key file:keys/cache --by option --name fast_cache_key\n  intendant licence assign cache-pool boutique-laval\n  intendant licence release cache-pool cafe-du-coin"
    )]
    Licence(Licence),
    /// Versions that broke a site, and so are held on similar ones
    #[command(
        after_help = "Examples:\n  intendant immunity\n  intendant immunity lift plugin:fast-cache 3.4.2 --why \"it was the server's own cache\""
    )]
    Immunity(Immunity),
    /// What clients say is wrong with a page, and what becomes of it
    #[command(
        after_help = "Examples:\n  intendant anomaly add boutique-laval --at 2026-11-20T14:05 --url https://boutique.example/panier --description \"The cart is empty\" --screenshot cart.png --browser \"Firefox 140\"\n  intendant anomaly show 21\n  intendant anomaly hold 21 plugin:woocommerce --until 2026-12-04\n  intendant anomaly close 21 --answer \"Its update broke the cart; it waits for a mended version\""
    )]
    Anomaly(Anomaly),
    /// Try a playbook: its cases offline, or its facts on a live site
    #[command(
        after_help = "Examples:\n  intendant playbook test our-playbooks/nanocms\n  intendant playbook try boutique-laval --fact site"
    )]
    Playbook(Playbook),
    /// Whether every site has a plan, and each plan is kept
    #[command(
        after_help = "Examples:\n  intendant audit\n  intendant audit --format html --language fr --to audit.html\n  intendant audit --tag shop --fail-on high --format sarif --to audit.sarif"
    )]
    Audit(Audit),
    /// The fleet at a glance: last runs, next windows, holds, findings
    #[command(after_help = "Example:\n  intendant status --tag shop")]
    Status(Status),
    /// Bring up a real throwaway site, update it, then break it and put it back
    Demo(Demo),
    /// Completions for a shell
    #[command(after_help = "Example:\n  intendant completions bash > /etc/bash_completion.d/intendant")]
    Completions(Completions),
}

/// Which sites.
#[derive(Debug, Args)]
pub(super) struct Sites {
    /// Names of sites, or files of plans
    #[arg(value_name = "SITE")]
    pub(super) sites: Vec<String>,
    /// Every site whose plan has this tag
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<String>,
    /// Every site that has a plan
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where the site is: user@host:/path, ssh://user@host:port/path, or /path on this machine
    #[arg(value_name = "WHERE")]
    pub(super) place: String,
    /// The site's name [default: the last part of the path]
    #[arg(long)]
    pub(super) site: Option<String>,
    /// An ssh configuration file instead of ~/.ssh/config
    #[arg(long, value_name = "FILE")]
    pub(super) ssh_config: Option<PathBuf>,
    /// Print the plan instead of writing it into the folder of plans
    #[arg(long)]
    pub(super) print: bool,
}

#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Files or folders of plans and playbooks [default: the folder of plans]
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Intake {
    /// The site
    pub(super) site: String,
    /// A folder of more rules: YARA, files that end in .yar or .yara; may be repeated
    #[arg(long, value_name = "FOLDER")]
    pub(super) rules: Vec<PathBuf>,
    /// Write the client's page, too
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write the same page as a PDF, too
    #[arg(long, value_name = "FILE")]
    pub(super) pdf: Option<PathBuf>,
    /// The language of that page [default: the client's]
    #[arg(long, value_parser = ["fr", "en"])]
    pub(super) language: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Playbook {
    #[command(subcommand)]
    pub(super) action: PlaybookAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlaybookAction {
    /// What the cases beside a playbook become, offline
    #[command(after_help = "Example:\n  intendant playbook test our-playbooks/nanocms")]
    Test {
        /// Playbooks: folders, or their playbook.yaml
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Each fact of a live site, step by step; changes nothing
    #[command(after_help = "Example:\n  intendant playbook try boutique-laval --fact site")]
    Try {
        /// The site
        site: String,
        /// Only this fact; may be repeated
        #[arg(long, value_name = "FACT")]
        fact: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Evidence {
    /// A run, or a site: its last run
    #[arg(value_name = "RUN")]
    pub(super) of: String,
    /// The SSH key that signs: the private key's file, or the public one's where the agent has the private one
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct VerifyEvidence {
    /// Files of evidence; those of one site have to tell one past
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Who may sign: a file of allowed signers, as OpenSSH has them
    #[arg(long, value_name = "FILE")]
    pub(super) signers: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Drift {
    #[command(flatten)]
    pub(super) sites: Sites,
    /// Take note of what is found: just that keeps no run from beginning any more
    #[arg(long)]
    pub(super) accept: bool,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub(super) why: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) sites: Sites,
    /// Every site one of whose windows is open now
    #[arg(long)]
    pub(super) due: bool,
    /// Begin now, also outside the plan's windows and in a blackout
    #[arg(long)]
    pub(super) any_time: bool,
    /// Update this component although somebody modified its files, which overwrites that; may be repeated
    #[arg(long, value_name = "COMPONENT")]
    pub(super) accept_modified: Vec<String>,
    /// How many sites at once
    #[arg(long, value_name = "N")]
    pub(super) parallel: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct Recover {
    /// Names of sites [default: every site with an open run]
    #[arg(value_name = "SITE")]
    pub(super) sites: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Snapshot {
    #[command(subcommand)]
    pub(super) action: SnapshotAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum SnapshotAction {
    /// Take a snapshot now and verify it
    Create(Sites),
    /// The snapshots of a site, or of all
    List {
        /// The site
        site: Option<String>,
    },
    /// What a snapshot holds, and what differs from another one
    Show {
        /// The site
        site: String,
        /// The snapshot [default: the newest]
        snapshot: Option<String>,
        /// Another snapshot to compare with
        #[arg(long, value_name = "SNAPSHOT")]
        against: Option<String>,
    },
    /// Read every byte of the snapshots and say what is hurt
    Verify {
        /// The site [default: all]
        site: Option<String>,
        /// Look at manifests and indexes only
        #[arg(long)]
        quick: bool,
    },
    /// Set aside packs that are hurt, keep what is good in them, so that the next snapshots store the rest anew
    Repair,
    /// Restore a snapshot into a scratch folder and database on the site's host, compare, and remove both
    #[command(after_help = "Example:\n  intendant snapshot rehearse boutique-laval")]
    Rehearse {
        /// The site
        site: String,
        /// The snapshot [default: the newest]
        snapshot: Option<String>,
    },
    /// Read an export back into the store, as the snapshot that it was
    Import {
        /// The file
        file: PathBuf,
    },
    /// Drop the snapshots that the plans no longer keep, and free their room
    #[command(after_help = "Example:\n  intendant snapshot prune --all --dry-run")]
    Prune(Prune),
    /// Write one snapshot to a self-contained .tar.zst, the database as SQL
    Export {
        /// The site
        site: String,
        /// The snapshot [default: the newest]
        snapshot: Option<String>,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Encrypt it to the store's recipients
        #[arg(long)]
        encrypt: bool,
    },
    /// Encrypt what is stored from now on to public keys; without any, say how the store is encrypted
    #[command(
        after_help = "Example:\n  intendant snapshot encrypt --to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    )]
    Encrypt {
        /// Who reads it: recipients of age, in place of those of before
        #[arg(long, value_name = "RECIPIENT")]
        to: Vec<String>,
        /// Write what is there already again, encrypted to them and nobody else
        #[arg(long)]
        rewrite: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Prune {
    #[command(flatten)]
    pub(super) sites: Sites,
    /// Say what would go, why, and what it frees; change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The site
    pub(super) site: String,
    /// The snapshot [default: the one before the site's last update run]
    pub(super) snapshot: Option<String>,
    /// Only this path below the site's folder, or table:NAME; may be repeated
    #[arg(long, value_name = "PATH|table:NAME")]
    pub(super) only: Vec<String>,
    /// The tables exactly as they were: rows that visitors wrote since are taken off, too
    #[arg(long)]
    pub(super) exact: bool,
    /// Don't ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// A site (its last run), or the id of a run
    #[arg(value_name = "SITE|RUN", required_unless_present = "month", conflicts_with = "month")]
    pub(super) of: Option<String>,
    /// All runs of a month, of a client's sites, of one site, or of all
    #[arg(long, value_name = "YYYY-MM", requires = "whose")]
    pub(super) month: Option<Month>,
    /// The sites of this client
    #[arg(long, value_name = "NAME", group = "whose", requires = "month")]
    pub(super) client: Option<String>,
    /// This site
    #[arg(long, value_name = "NAME", group = "whose", requires = "month")]
    pub(super) site: Option<SiteName>,
    /// Every site
    #[arg(long, group = "whose", requires = "month")]
    pub(super) all: bool,
    /// The language [default: the client's]
    #[arg(long, value_parser = ["fr", "en"])]
    pub(super) language: Option<String>,
    /// The form; pdf needs --to, and Chromium or Chrome on this machine
    #[arg(long, default_value = "html", value_parser = ["html", "pdf", "markdown", "json"])]
    pub(super) format: String,
    /// The file to write [default: standard output]; with --letter also a folder
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<PathBuf>,
    /// Write it as a letter, PDF and page, to each contact that has a postal address and no e-mail address
    #[arg(long, requires = "to", conflicts_with_all = ["send", "format"])]
    pub(super) letter: bool,
    /// Send it by e-mail to the contacts of the plan
    #[arg(long)]
    pub(super) send: bool,
    /// Send it to this address instead; may be repeated
    #[arg(long, value_name = "ADDRESS", requires = "send")]
    pub(super) send_to: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Mail {
    #[command(subcommand)]
    pub(super) action: Option<MailAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum MailAction {
    /// Send what waits; or one message, also one that is in doubt or was refused
    #[command(after_help = "Examples:\n  intendant mail retry\n  intendant mail retry 5f0c2b7d9a34e1f077aa0c1d")]
    Retry {
        /// The message
        message: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only this site; may be repeated
    #[arg(long, value_name = "SITE")]
    pub(super) site: Vec<String>,
    /// Only sites whose plan has this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<String>,
    /// Only what this rule finds; may be repeated
    #[arg(long, value_name = "RULE")]
    pub(super) rule: Vec<String>,
    /// The least severity with which the exit code is 6
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = ["critical", "high", "medium", "low", "never"])]
    pub(super) fail_on: String,
    /// The form
    #[arg(long, default_value = "table", value_parser = ["table", "json", "csv", "html", "pdf", "sarif", "junit"])]
    pub(super) format: String,
    /// The language of its texts
    #[arg(long, value_parser = ["fr", "en"])]
    pub(super) language: Option<String>,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Only this site; may be repeated
    #[arg(long, value_name = "SITE")]
    pub(super) site: Vec<String>,
    /// Only sites whose plan has this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Leave the site running, to look around
    #[arg(long)]
    pub(super) keep: bool,
    /// A folder for the demo's plan, journal, snapshots and reports [default: demo]
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

/// The whole definition, for completions.
pub(super) fn definition() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}
