//! Enters the key of a licence into a site, and finds out whether that opened the update; says to the fleet which
//! vendors took their keys.
//!
//! May use: `inventory`'s floor and below, `journal`, `ledger`, `procedure`. Invariants: a key is read only here, right before it is
//! used; it reaches the host through the standard input of one command and is nowhere else: what a command says is
//! not kept where the key, or the beginning of it, is in it.

use super::perform::{Bench, Failed, TIMED_OUT, failure, plain_failure};
use super::{Job, Runner, in_words};
use crate::check::{CheckResult, Observation, Page, Reason, Verdict};
use crate::journal::{AttemptState, Claim, RunState, Sign, StepResult, StepState};
use crate::ledger::{Decision, Ledger, LicenceChange, MAX_REASON};
use crate::model::{ComponentId, RunId, clean_block, clean_line};
use crate::plan::{KeyReference, LicencePool, Tag};
use crate::playbook::{CommandTemplate, RawOutput, Transform, Values};
use crate::procedure::{Action, Step};
use crate::remote::{Output, RawInput, RemoteError};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of a key: some are whole files.
const MAX_KEY_BYTES: usize = 16 << 10;
/// So many characters of a key in a row are as bad as all of it.
const TELLING: usize = 8;

/// Where keys of licences are.
pub trait Keys: Send + Sync {
    /// The key that a pool refers to.
    ///
    /// # Errors
    /// In words, without any of the key.
    fn key(&self, reference: &KeyReference) -> Result<SecretString, String>;
}

/// There is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn key(&self, _: &KeyReference) -> Result<SecretString, String> {
        Err("no place of keys is known".into())
    }
}

fn key_of(runner: &Runner, pool: &LicencePool) -> Result<SecretString, String> {
    let reference = pool.key.as_ref().ok_or("the pool names no key")?;
    let key = runner.keys.key(reference)?;
    let bytes = key.expose_secret().len();
    match bytes {
        0 => Err("it is empty".into()),
        1..=MAX_KEY_BYTES => Ok(key),
        _ => Err(format!("it has more than {MAX_KEY_BYTES} bytes")),
    }
}

/// Why keys can't be read that the plan may need, by their pools.
pub(super) fn unreadable_keys(runner: &Runner, job: &Job) -> BTreeMap<Tag, String> {
    let pools = &runner.rules.pools.pools;
    let named = job.plan.licences.iter().filter_map(|licence| pools.get_key_value(&licence.from));
    let entered = named.filter(|(_, pool)| pool.activate.is_some() && pool.has(&job.plan.site));
    let unreadable = entered.filter_map(|(name, pool)| Some((name.clone(), key_of(runner, pool).err()?)));
    unreadable.map(|(name, why)| (name, clean_line(&why, MAX_REASON))).collect()
}

/// A licence to enter.
pub(super) struct Entering<'a> {
    pub(super) component: &'a ComponentId,
    pub(super) pool: &'a Tag,
    pub(super) command: &'a CommandTemplate,
    pub(super) probe: &'a CommandTemplate,
    pub(super) parse: Option<&'a Transform>,
}

/// What a probe saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    entered: bool,
    /// Whether the update is offered now; none where that can't be known.
    offered: Option<bool>,
    /// Whether that offer has a package; none where that can't be known.
    package: Option<bool>,
}

impl Seen {
    fn is_enough(self) -> bool {
        self.entered && self.offered != Some(false) && self.package != Some(false)
    }

    /// What is wrong after the key was entered, and what that says of it. A vendor's server that does not answer says
    /// nothing.
    fn wrong(self) -> (&'static str, Option<Sign>) {
        match self {
            Self { entered: false, .. } => ("is not entered, although the command said so", None),
            Self { offered: Some(false), .. } => (
                "is entered, and the update is not offered any more, so nobody knows whether the key is good: its vendor's \
                 server may not have answered; the next run tries again",
                None,
            ),
            _ => (
                "is entered, and its vendor still offers no package of the update: is it the right one, and paid for?",
                Some(Sign::NoPackage),
            ),
        }
    }
}

/// Enters a key, unless it is entered and does what it is for.
pub(super) async fn enter(bench: &Bench, licence: Entering<'_>) -> Result<StepResult, Failed> {
    let pool = bench.runner.rules.pools.pools.get(licence.pool);
    let pool = pool.ok_or_else(|| plain_failure(format!("there is no pool of licences {} any more", licence.pool)))?;
    let key = key_of(&bench.runner, pool);
    let key = key.map_err(|why| plain_failure(format!("the key of the pool {}: {why}", licence.pool)))?;
    let blamed = |mut failed: Failed| {
        failed.blamed = failed.claim.is_some().then(|| licence.component.clone());
        failed
    };
    let (before, _) = look(bench, &licence, &key).await.map_err(blamed)?;
    if before.is_enough() {
        return Ok(StepResult::Ran { claims: Vec::new() });
    }
    let (output, claim) = tell(bench, licence.command, &key).await.map_err(blamed)?;
    if !licence.command.exit.iter().any(|status| i32::from(*status) == output.status) {
        let why = format!("`{}` ended with status {}: {}", claim.command, claim.status, claim.said);
        return Err(blamed(claimed(why, claim)));
    }
    let (after, probed) = look(bench, &licence, &key).await.map_err(blamed)?;
    if after.is_enough() {
        return Ok(StepResult::Ran { claims: vec![claim] });
    }
    let (shows, sign) = after.wrong();
    let why = format!(
        "the key of the pool {} for {} {shows}; `{}` ended with status {} and said: {}",
        licence.pool, licence.component, probed.command, probed.status, probed.said
    );
    let mut failed = blamed(claimed(why, probed));
    failed.sign = sign;
    Err(failed)
}

async fn look(bench: &Bench, licence: &Entering<'_>, key: &SecretString) -> Result<(Seen, Claim), Failed> {
    let (output, claim) = tell(bench, licence.probe, key).await?;
    let good = licence.probe.exit.iter().any(|status| i32::from(*status) == output.status);
    let Some(transform) = licence.parse else {
        return Ok((Seen { entered: good, offered: None, package: None }, claim));
    };
    let unreadable = |why: String, claim: Claim| {
        claimed(
            format!("nobody knows whether the licence is entered: `{}` {why}: {}", claim.command, claim.said),
            claim,
        )
    };
    if !good {
        return Err(unreadable(format!("ended with status {}", claim.status), claim));
    }
    let raw = RawOutput { exit: output.status, stdout: &output.stdout, stderr: &output.stderr };
    match transform.apply(&raw) {
        Ok(document) => {
            let Some(entered) = document["entered"].as_bool() else {
                return Err(unreadable("does not say so".into(), claim));
            };
            let says = |key: &str| document[key].as_bool();
            Ok((Seen { entered, offered: says("offered"), package: says("package") }, claim))
        }
        // Its reason may quote what was printed.
        Err(_) => Err(unreadable("said what can't be read".into(), claim)),
    }
}

/// Runs a command that reads the key.
async fn tell(bench: &Bench, template: &CommandTemplate, key: &SecretString) -> Result<(Output, Claim), Failed> {
    let command = bench.site.command(template, &Values::new()).map_err(failure)?;
    let shown = command.shown();
    let input = RawInput::Bytes(key.expose_secret().as_bytes().to_vec());
    match bench.site.shell.run(&command.reading(input)).await {
        Ok(output) => {
            let claim = Claim { command: shown, status: output.status, said: bench.secrets.said(&output) };
            Ok((output, claim))
        }
        Err(error) => {
            let hung = matches!(error, RemoteError::TimedOut { .. });
            let mut failed = failure(error);
            failed.claim = hung.then_some(Claim { command: shown, status: TIMED_OUT, said: String::new() });
            Err(failed)
        }
    }
}

/// Keys of licences that may be on the site: what programs there say is cleared of them, because a download's
/// address may carry one.
pub(super) struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Those of every pool that the site was ever tied to: a key that was entered once stays there.
    pub(super) async fn of(runner: &Runner, job: &Job) -> Self {
        let ledger = runner.journal.ledger().await.unwrap_or_else(|error| {
            tracing::warn!(error = in_words(&error), "which licences the site had before is not known");
            Ledger::default()
        });
        let tied = tied_to(job, &ledger);
        let pools = runner.rules.pools.pools.iter();
        let mine = pools.filter(|(name, pool)| pool.has(&job.plan.site) || tied.contains(name.as_str()));
        Self(mine.filter_map(|(_, pool)| key_of(runner, pool).ok()).collect())
    }

    /// A text of any program: lines that repeat a part of a key are left out.
    pub(super) fn cleared(&self, text: String) -> String {
        if self.0.is_empty() {
            return text;
        }
        let text = self.clear(text);
        let tells = |line: &str| self.0.iter().any(|key| repeats(line, key));
        let line = |line| if tells(line) { REPEATED } else { line };
        if tells(&text) { text.split('\n').map(line).collect::<Vec<_>>().join("\n") } else { text }
    }

    /// The same of what a check saw, and of its verdict.
    pub(super) fn clear_result(&self, result: &mut CheckResult) {
        self.clear_seen(&mut result.observation);
        match &mut result.verdict {
            Verdict::Passed => {}
            Verdict::Unknown(why) => self.clear_in(why),
            Verdict::Failed(reasons) => reasons.iter_mut().for_each(|reason| self.clear_reason(reason)),
        }
    }

    fn clear_reason(&self, reason: &mut Reason) {
        match reason {
            Reason::HiddenByCache(inner) => self.clear_reason(inner),
            Reason::NoAnswer(failure) => self.clear_in(&mut failure.detail),
            Reason::Forbidden { excerpt: text, .. }
            | Reason::Exit { tail: text, .. }
            | Reason::Printed { got: text, .. }
            | Reason::FatalLogged { line: text, .. } => self.clear_in(text),
            Reason::EndsElsewhere { got, .. } => self.clear_address(got),
            Reason::Moved { before, got } => [before, got].into_iter().for_each(|text| self.clear_address(text)),
            Reason::Status { .. }
            | Reason::Missing { .. }
            | Reason::Slow { .. }
            | Reason::Empty
            | Reason::Shrunk { .. }
            | Reason::CutShort
            | Reason::Stopped { .. } => {}
        }
    }

    /// The same of what a check saw.
    pub(super) fn clear_seen(&self, seen: &mut Observation) {
        match seen {
            Observation::Http { plain, fresh } => {
                std::iter::once(plain).chain(fresh).for_each(|page| self.clear_page(page));
            }
            Observation::Command(ran) => self.clear_in(&mut ran.tail),
            Observation::Log(log) => {
                log.fatal.iter_mut().for_each(|fatal| self.clear_in(&mut fatal.line));
                log.unreadable.iter_mut().for_each(|why| self.clear_in(why));
            }
        }
    }

    fn clear_page(&self, page: &mut Page) {
        self.clear_address(&mut page.url);
        page.title.iter_mut().for_each(|title| self.clear_in(title));
        page.hops.iter_mut().for_each(|hop| self.clear_address(&mut hop.to));
        page.hits.iter_mut().for_each(|hit| self.clear_in(&mut hit.excerpt));
        page.failure.iter_mut().for_each(|failure| self.clear_in(&mut failure.detail));
    }

    /// Addresses are compared later, so what only resembles a part of a key stays.
    fn clear_address(&self, text: &mut String) {
        let telling = |key: &&SecretString| key.expose_secret().trim().chars().count() >= TELLING;
        *text = self.0.iter().filter(telling).fold(std::mem::take(text), without);
    }

    fn clear_in(&self, text: &mut String) {
        *text = self.cleared(std::mem::take(text));
    }

    /// The end of what a command said.
    pub(super) fn said(&self, output: &Output) -> String {
        let clear = |bytes: &[u8]| self.clear(String::from_utf8_lossy(bytes).into_owned());
        let (stdout, stderr) = (clear(&output.stdout).into_bytes(), clear(&output.stderr).into_bytes());
        let said = clean_block(&Output { status: output.status, stdout, stderr }.tail(), 12);
        match self.0.iter().any(|key| repeats(&said, key)) {
            true => REPEATED.into(),
            false => said,
        }
    }

    /// A text without the keys, as they are and as addresses have them.
    fn clear(&self, text: String) -> String {
        self.0.iter().fold(text, without)
    }
}

fn without(mut text: String, key: &SecretString) -> String {
    let key = key.expose_secret().trim();
    let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    for form in [key, &encoded].into_iter().filter(|form| !form.is_empty()) {
        text = text.replace(form, "***");
    }
    text
}

/// What stands in the place of words that tell of a key.
const REPEATED: &str = "(it repeated a part of a licence's key, so what it said is not kept)";

/// The pools that a site takes from by its plan, or ever did.
fn tied_to(job: &Job, ledger: &Ledger) -> BTreeSet<String> {
    let once = ledger.pools_of(&job.plan.site).into_iter().map(str::to_owned);
    job.plan.licences.iter().map(|licence| licence.from.to_string()).chain(once).collect()
}

/// Whether a text has the key in it, or a telling part.
fn repeats(text: &str, key: &SecretString) -> bool {
    let key: Vec<char> = key.expose_secret().trim().chars().collect();
    let length = key.len().clamp(1, TELLING);
    key.windows(length).any(|part| text.contains(&part.iter().collect::<String>()))
}

fn claimed(why: String, claim: Claim) -> Failed {
    let mut failed = plain_failure(why);
    failed.claim = Some(claim);
    failed
}

/// What a run tells the fleet of licences: which ones it entered for good, and which were not taken.
pub(super) fn told(state: &RunState, job: &Job, run: RunId) -> Vec<Decision> {
    let mut all = Vec::new();
    for attempt in &state.attempts {
        let steps = attempt.planned.procedure.steps.iter().zip(&attempt.steps);
        all.extend(steps.filter_map(|(step, state)| told_of(attempt, step, state, job, run)));
    }
    all
}

fn told_of(attempt: &AttemptState, step: &Step, state: &StepState, job: &Job, run: RunId) -> Option<Decision> {
    let site = job.plan.site.clone();
    let (pool, change) = match (&step.action, state) {
        (Action::Activate { pool, component, .. }, StepState::Done(_)) if attempt.kept() => {
            (pool, LicenceChange::Activated { site, component: component.clone(), run })
        }
        (action, StepState::Failed(failure)) => {
            let (pool, component) = refused(&attempt.planned.procedure.steps, action, failure.sign?)?;
            let why = clean_line(&failure.why, MAX_REASON);
            (pool, LicenceChange::Refused { site, component: component.clone(), run, why })
        }
        _ => return None,
    };
    Some(Decision::Licence { pool: pool.to_string(), change })
}

/// The pool whose key was not taken, and for what, where a failure says so. Whatever else goes wrong may pass.
fn refused<'a>(steps: &'a [Step], action: &'a Action, sign: Sign) -> Option<(&'a Tag, &'a ComponentId)> {
    match (action, sign) {
        (Action::Activate { pool, component, .. }, Sign::NoPackage) => Some((pool, component)),
        // It was said to be updated, and was not: the key did not do what its command said.
        (Action::Update { component, .. }, Sign::StillOld) => Some((entered_for(steps, component)?, component)),
        _ => None,
    }
}

/// The pool whose key a command entered for a component, so that nobody looked for a package.
fn entered_for<'a>(steps: &'a [Step], wanted: &ComponentId) -> Option<&'a Tag> {
    steps.iter().find_map(|step| match &step.action {
        Action::Activate { component, pool, parse: None, .. } if component == wanted => Some(pool),
        _ => None,
    })
}

/// What is told, with the rest of a run's end. What can't be written down changes no outcome.
pub(super) async fn tell_fleet(runner: &Runner, state: &RunState, job: &Job, run: RunId) {
    for decision in told(state, job, run) {
        if let Err(error) = runner.journal.decide(runner.clock.now(), &runner.by, &decision).await {
            tracing::warn!(error = in_words(&error), "what became of a licence could not be written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Fatal, LogState};
    use crate::model::Digest;

    #[test]
    fn what_repeats_a_key_is_not_kept() {
        let key = SecretString::from("ABCD-1234-EFGH-5678");
        for text in ["key ABCD-1234-EFGH-5678 is fine", "…1234-EFGH-56…", "ABCD-1234"] {
            assert!(repeats(text, &key), "{text}");
        }
        assert!(!repeats("the licence ABCD is fine", &key));
        let short = SecretString::from("k1\n");
        assert!(repeats("took k1", &short) && !repeats("took k", &short));
        let secrets = Secrets(vec![key, SecretString::from("with blank/and slash")]);
        let said = |stdout: &str| secrets.said(&Output { status: 0, stdout: stdout.into(), stderr: Vec::new() });
        assert_eq!(
            said("from https://v.example/a.zip?key=ABCD-1234-EFGH-5678 …"),
            "from https://v.example/a.zip?key=*** …"
        );
        assert_eq!(said("from ?key=with+blank%2Fand+slash"), "from ?key=***");
        assert!(said("key …-1234-EFGH-…").contains("is not kept"));
        assert_eq!(said("fine"), "fine");
    }

    #[test]
    fn a_key_counts_where_it_is_entered_and_opens_the_update() {
        let seen = |entered, package| Seen { entered, offered: None, package }.is_enough();
        assert!(seen(true, Some(true)) && seen(true, None));
        assert!(!seen(true, Some(false)) && !seen(false, None) && !seen(false, Some(true)));
    }

    #[test]
    fn only_an_offer_without_a_package_speaks_against_a_key() {
        let sign = |entered, offered, package| {
            let seen = Seen { entered, offered, package };
            assert!(!seen.is_enough());
            seen.wrong().1
        };
        assert_eq!(sign(true, Some(true), Some(false)), Some(Sign::NoPackage));
        assert_eq!(sign(true, None, Some(false)), Some(Sign::NoPackage));
        assert_eq!(sign(true, Some(false), None), None, "its vendor's server may not have answered");
        assert_eq!(sign(false, None, None), None);
    }

    #[test]
    fn a_key_counts_as_refused_only_where_a_failure_says_so() {
        let cache = ComponentId::new("plugin", "cache").unwrap();
        let command: CommandTemplate = serde_json::from_value(serde_json::json!({ "run": ["true"] })).unwrap();
        let version = |text| crate::model::Version::new(text).unwrap();
        let pool: Tag = "pool".parse().unwrap();
        let activate = |parse| Action::Activate {
            group: 0,
            component: cache.clone(),
            pool: pool.clone(),
            command: command.clone(),
            probe: command.clone(),
            parse,
        };
        let update = Action::Update {
            group: 0,
            component: cache.clone(),
            from: version("1.0"),
            to: version("2.0"),
            command: command.clone(),
        };
        let step = |action: Action| Step { name: "x".into(), action };
        let by_command = [step(activate(None)), step(update.clone())];
        let parse: Transform = serde_json::from_value(serde_json::json!({ "json": "first" })).unwrap();
        let by_option = [step(activate(Some(Box::new(parse)))), step(update)];
        let says = |steps: &[Step], at: usize, sign| refused(steps, &steps[at].action, sign).is_some();
        assert!(says(&by_option, 0, Sign::NoPackage) && says(&by_command, 0, Sign::NoPackage));
        assert!(says(&by_command, 1, Sign::StillOld), "nobody had looked for a package");
        assert!(!says(&by_option, 1, Sign::StillOld), "there was a package: the key is not to blame");
        assert!(!says(&by_command[1..], 0, Sign::StillOld), "no key was entered for it");
        assert!(!says(&by_command, 1, Sign::NoPackage));
    }

    #[test]
    fn what_checks_saw_is_kept_without_keys() {
        let secrets = Secrets(vec![SecretString::from("ABCD-1234-EFGH-5678")]);
        let line = "PHP Fatal error: no answer of https://v.example/?key=ABCD-1234-EFGH-5678".to_owned();
        let clean = "PHP Fatal error: no answer of https://v.example/?key=***";
        let fatal = Fatal { line: line.clone(), key: Digest::of(b"x"), count: 1 };
        let mut seen =
            Observation::Log(LogState { file: None, size: 1, unreadable: None, fatal: vec![fatal], cut: false });
        secrets.clear_seen(&mut seen);
        assert!(matches!(&seen, Observation::Log(log) if log.fatal[0].line == clean), "{seen:?}");
        let mut reasons = [
            Reason::FatalLogged { line: line.clone(), count: 1 },
            Reason::Printed { expected: "ok".into(), got: line.clone() },
            Reason::Exit { expected: vec![0], got: 1, tail: line.clone() },
            Reason::HiddenByCache(Box::new(Reason::Forbidden { text: "Fatal error".into(), excerpt: line.clone() })),
        ];
        for reason in &mut reasons {
            secrets.clear_reason(reason);
            let text = format!("{reason:?}");
            assert!(text.contains(clean) && !text.contains("ABCD"), "{text}");
        }
        assert_eq!(secrets.cleared("first\nkey 1234-EFGH\nlast".into()), format!("first\n{REPEATED}\nlast"));
        assert_eq!(Secrets(Vec::new()).cleared(line.clone()), line);
        // A key that is a whole file has words that stand in any address.
        let secrets = Secrets(vec![SecretString::from("server=https://v.example key=1"), SecretString::from("e")]);
        let mut address = "https://shop.example/".to_owned();
        secrets.clear_address(&mut address);
        assert_eq!(address, "https://shop.example/", "pages are compared by it");
    }
}
