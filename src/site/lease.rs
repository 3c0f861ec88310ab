//! One run per site: a lease on the host, that its holder renews while it works.
//!
//! May use: `model`, `remote`. Invariants: taking, taking over and giving back are one rename each, so of two
//! that try one succeeds; the name of what is renamed holds the run and a number that each take raises, so a command
//! of a runner that lost its lease is not begun (see [`crate::remote::Guard`]); all times are those of the host's clock, only
//! lengths come from here; a lease that ran out is still a lease: it only says that its holder does not renew it.

use super::{Site, SiteError};
use crate::model::{Digest, RunId, SiteName, clean_line};
use crate::remote::{Command, Guard, Output, Shell};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a lease is; its holder renews it after a third of that.
pub const LEASE: Duration = Duration::from_secs(300);
/// How long a command that keeps leases may take.
const KEEP_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is tried to take a lease that is given back and taken at the same moment.
const TRIES: u32 = 3;

/// Who takes a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: RunId,
    /// Who and where: `user@machine (pid 12)`.
    pub who: String,
}

/// A lease as it is on the host. What is not known is none: nobody of ours wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The run that holds it.
    pub run: Option<RunId>,
    /// The number that was raised by the last take.
    pub generation: u64,
    who: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Option<Timestamp>,
    /// When the host began to put the site back by itself, if it did.
    pub healed: Option<Timestamp>,
}

impl Held {
    fn name(&self) -> Option<String> {
        self.run.map(|run| name(run, self.generation))
    }

    /// How long ago it ran out, if it did.
    pub fn ran_out(&self) -> Option<Duration> {
        let (until, now) = (self.until?, self.now?);
        let late = u64::try_from(now.as_second() - until.as_second()).ok()?;
        (late > 0).then(|| Duration::from_secs(late))
    }

    fn locked(&self, site: &Site) -> SiteError {
        let next = match self.ran_out() {
            None if self.healed.is_none() => "wait until that run is over".to_owned(),
            _ => format!(
                "its runner is dead or cut off: where its journal is, `intendant recover {}` finishes or undoes it; \
                 only if that journal is gone for good, see \"When the journal is lost\" in the guide to recovery",
                site.address.name
            ),
        };
        SiteError::Locked { site: site.address.name.clone(), holder: self.to_string(), next }
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.run {
            Some(run) => write!(f, "run {run} of {} works on it", clean_line(&self.who, 100))?,
            None => write!(f, "somebody works on it")?,
        }
        if let (Some(since), Some(until)) = (self.since, self.until) {
            write!(f, " since {since} until {until} by the host's clock")?;
        }
        if let Some(healed) = self.healed {
            return write!(
                f,
                "; nothing was heard of its runner, and the host began to put the site back by itself at {healed}"
            );
        }
        match self.ran_out() {
            Some(late) => write!(f, ", and has not renewed its lease, which ran out {} s ago", late.as_secs()),
            None => Ok(()),
        }
    }
}

/// The lease of one site on its host.
pub struct Lease<'a> {
    site: &'a Site,
    folder: String,
}

/// What the scripts share. `look FOLDER` prints for each lease in it: its name, holder, since, until, when the host healed, and now, each ended
/// by NUL; and for what is no lease of ours a name and nothing. `stamp LEASE HOLDER LENGTH` writes them.
macro_rules! with_leases {
    ($rest:literal) => {
        concat!(
            r#"umask 077
look() { for h in "$1"/*; do [ -e "$h" ] || continue; printf '%s\0' "${h##*/}"
for f in holder since until healed; do head -c 4096 -- "$h/$f" 2>/dev/null; printf '\0'; done; printf '%s\0' "$(date +%s)"; done; }
stamp() { rm -f -- "$1/healed"; s=$(date +%s) && printf '%s' "$2" >"$1/holder" && echo "$s" >"$1/since" && echo "$((s + $3))" >"$1/until"; }
"#,
            $rest
        )
    };
}

/// `$1` folder.
const LOOK: &str = with_leases!(r#"look "$1""#);

/// `$1` folder, `$2` the lease's name, `$3` its holder, `$4` its length. It is prepared aside and renamed: a folder that is
/// not empty can't be replaced by a rename. Another one that is given back may take the folder above with it.
const TAKE: &str = with_leases!(
    r#"i=0; until mkdir -p -- "${1%/*}" && n=$(mktemp -d "$1.new.XXXXXXXXXX"); do i=$((i+1)); [ "$i" -lt 5 ] || exit 4; done
if mkdir -- "$n/$2" && stamp "$n/$2" "$3" "$4"; then :; else rm -rf -- "$n"; exit 4; fi
if mv -T -- "$n" "$1" 2>/dev/null; then exit 0; fi
rm -rf -- "$n"; look "$1"; exit 3"#
);

/// `$1` folder, `$2` the lease's name, `$3` its new name, `$4` its holder, `$5` its length. Where the disk is full it keeps the
/// old holder's words, and is taken nevertheless.
const TAKE_OVER: &str = with_leases!(
    r#"mv -T -- "$1/$2" "$1/$3" 2>/dev/null || exit 3
stamp "$1/$3" "$4" "$5"; exit 0"#
);

/// `$1` the lease, `$2` its length. Whoever has lost it finds nothing to write to.
const RENEW: &str = r#"umask 077
echo "$(($(date +%s) + $2))" >"$1/until.new" && mv -f -- "$1/until.new" "$1/until" && exit 0
[ -d "$1" ] || exit 3; exit 4"#;

/// `$1` folder, `$2` the lease's name. What was given back already is no error. What one that was killed in the middle
/// of this left beside it goes, too.
const RELEASE: &str = r#"if [ ! -e "$1/$2" ]; then for h in "$1"/*; do [ ! -e "$h" ] || exit 3; done; exit 0; fi
g=$1.gone.$$; mv -T -- "$1/$2" "$g" 2>/dev/null || exit 3
rm -rf -- "$g" || exit 4
find "${1%/*}" -maxdepth 1 -name "${1##*/}.*" -mmin +60 -exec rm -rf -- {} + 2>/dev/null
rmdir -- "$1" 2>/dev/null && rmdir -p -- "${1%/*}" 2>/dev/null; exit 0"#;

fn name(run: RunId, generation: u64) -> String {
    format!("held.{run}.{generation}")
}

/// Six texts for each lease, each ended by NUL.
fn read(output: &Output) -> Option<Held> {
    let parts: Vec<_> = output.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let held = parts.chunks_exact(6).map(|parts| {
        let second = |text: &str| Timestamp::from_second(text.trim().parse().ok()?).ok();
        let named = parts[0].strip_prefix("held.").and_then(|rest| rest.rsplit_once('.'));
        let named = named.and_then(|(run, number)| Some((run.parse().ok()?, number.parse().ok()?)));
        let holder = serde_json::from_str::<Holder>(&parts[1]);
        Held {
            run: named.map(|(run, _)| run),
            generation: named.map_or(0, |(_, generation)| generation),
            who: holder.map_or_else(|_| "somebody".into(), |holder| holder.who),
            since: second(&parts[2]),
            until: second(&parts[3]),
            healed: second(&parts[4]),
            now: second(&parts[5]),
        }
    });
    // What is no lease of ours counts only where there is none.
    held.max_by_key(|held| (held.run.is_some(), held.generation))
}

impl<'a> Lease<'a> {
    /// The lease of `site`; nothing is taken yet. Its place depends on the site's real folder, so
    /// two plans for one folder meet at the same lease.
    pub fn new(site: &'a Site) -> Self {
        Self { site, folder: leases_folder(site) }
    }

    /// Who holds it now.
    pub async fn held(&self) -> Result<Option<Held>, SiteError> {
        Ok(read(&self.run(LOOK, [self.folder.clone()]).await?))
    }

    /// Takes the lease, or says who has it. A runner of the same run that came later than the one that has it,
    /// which the larger number says, takes it over; one that came earlier has lost it.
    pub async fn take(&self, holder: &Holder, generation: u64) -> Result<(), SiteError> {
        let mut last = None;
        for _ in 0..TRIES {
            let wanted = name(holder.run, generation);
            let values = [self.folder.clone(), wanted.clone(), self.words(holder), length()];
            let output = self.run(TAKE, values).await?;
            match (output.status, read(&output)) {
                (0, _) => {
                    self.begin(&wanted);
                    return Ok(());
                }
                (3, None) => {}
                (3, Some(held)) if held.run == Some(holder.run) && held.generation < generation => {
                    match self.take_over(&held, holder, generation).await {
                        Err(SiteError::Locked { .. }) => last = Some(held),
                        other => return other,
                    }
                }
                (3, Some(held)) if held.run == Some(holder.run) => return Err(self.lost(&held)),
                (3, Some(held)) => return Err(held.locked(self.site)),
                _ => return Err(self.failed("taken", &output)),
            }
        }
        // Somebody takes it and gives it back whenever we look.
        Err(last.unwrap_or_default().locked(self.site))
    }

    /// Takes the lease from the one that has it, if nobody else did meanwhile. From then on no command of that one
    /// begins any more; what still runs for it is to be ended now.
    pub async fn take_over(&self, from: &Held, holder: &Holder, generation: u64) -> Result<(), SiteError> {
        let Some(old) = from.name() else { return Err(from.locked(self.site)) };
        let wanted = name(holder.run, generation.max(from.generation.saturating_add(1)));
        let values = [self.folder.clone(), old, wanted.clone(), self.words(holder), length()];
        let output = self.run(TAKE_OVER, values).await?;
        match output.status {
            0 => {
                self.begin(&wanted);
                Ok(())
            }
            3 => Err(from.locked(self.site)),
            _ => Err(self.failed("taken over", &output)),
        }
    }

    /// Gives the lease back, if it is held. That of another is left alone.
    pub async fn release(&self) -> Result<(), SiteError> {
        let Some(path) = self.site.address.guard.path() else { return Ok(()) };
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        self.site.address.guard.set(None);
        let output = self.run(RELEASE, [self.folder.clone(), name]).await?;
        match output.status {
            0 => Ok(()),
            3 => {
                self.site.address.guard.lose();
                let holder = self.held().await?.map_or_else(String::new, |held| held.to_string());
                Err(SiteError::LeaseLost { site: self.site.address.name.clone(), holder })
            }
            _ => Err(self.failed("given back", &output)),
        }
    }

    /// Whether this process holds it.
    pub fn is_held(&self) -> bool {
        self.site.address.guard.path().is_some()
    }

    fn begin(&self, name: &str) {
        self.site.address.guard.set(Some(format!("{}/{name}", self.folder)));
    }

    fn words(&self, holder: &Holder) -> String {
        serde_json::to_string(holder).unwrap_or_default()
    }

    async fn run<const N: usize>(&self, script: &'static str, values: [String; N]) -> Result<Output, SiteError> {
        let command = Command::script(script, values).within(KEEP_TIMEOUT).without_lease();
        Ok(self.site.shell.run(&command).await?)
    }

    fn lost(&self, held: &Held) -> SiteError {
        self.site.address.guard.lose();
        SiteError::LeaseLost { site: self.site.address.name.clone(), holder: held.to_string() }
    }

    fn failed(&self, what: &str, output: &Output) -> SiteError {
        SiteError::Host {
            site: self.site.address.name.clone(),
            host: self.site.shell.host().to_owned(),
            said: format!("the lease {} could not be {what}\n{}", self.folder, output.tail()),
        }
    }
}

/// Where the lease of a site is.
pub(super) fn leases_folder(site: &Site) -> String {
    let name = Digest::of(site.root().as_bytes()).short();
    format!("{}/.intendant/locks/{name}", site.host.home.trim_end_matches('/'))
}

/// Renews the lease under which the commands of `shell` work; false when it is lost.
pub async fn renew_lease(shell: &dyn Shell, site: &SiteName, guard: &Guard) -> Result<bool, SiteError> {
    let Some(path) = guard.path() else { return Ok(true) };
    let command = Command::script(RENEW, [path.clone(), length()]).within(KEEP_TIMEOUT).without_lease();
    let output = shell.run(&command).await?;
    match output.status {
        0 => Ok(true),
        // Given back meanwhile.
        3 if guard.path().as_ref() != Some(&path) => Ok(true),
        3 => {
            guard.lose();
            Ok(false)
        }
        _ => Err(SiteError::Host {
            site: site.clone(),
            host: shell.host().to_owned(),
            said: format!("the lease {path} could not be renewed\n{}", output.tail()),
        }),
    }
}

fn length() -> String {
    LEASE.as_secs().to_string()
}
