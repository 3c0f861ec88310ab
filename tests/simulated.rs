//! Runs over a simulated site: every step fails in turn, the journal is cut after every entry and
//! the run recovered, restores fail; the decisions are the program's own. Whatever happens, a run
//! ends in one of the five outcomes, and the site is whole.

use intendant::check::Baseline;
use intendant::inventory::Inventory;
use intendant::journal::{
    Claim, Entry, Event, Opened, PlanExtract, Planned, Purpose, RunState, SnapshotRecord, StepFailure, StepResult,
};
use intendant::model::{ComponentId, Digest, Outcome, SiteName};
use intendant::plan::Plan;
use intendant::playbook::{Library, Playbook};
use intendant::procedure::{self, Action, Procedure};
use intendant::run::{Next, Policy, next};
use intendant::update::{self, Inputs};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

const PLAN: &str = "plan: 1\nsite: shop\nclient: { name: Shop, language: en }\ntier: advanced\ncms: wordpress\n\
    url: https://shop.example/\nhost: { ssh: shop, path: /srv/shop }\nupdates: { core: major }\n\
    approvals: [{ component: core, version: 7.1.1, by: Ops, on: 2026-11-20 }]\n";

fn plan() -> Plan {
    intendant::plan::parse(Path::new("shop.yaml"), PLAN, &["wordpress"]).unwrap()
}

fn inventory() -> Inventory {
    let plugin = |slug: &str| {
        json!({"kind": "plugin", "slug": slug, "version": "1.0", "active": true,
            "offer": {"version": "2.0", "package": true}})
    };
    let document = json!({
        "core": {"title": "WordPress", "version": "6.1.9", "offers": [{"version": "7.1.1", "package": true}]},
        "extensions": [plugin("a"), plugin("b")],
    });
    Inventory::from_document(&SiteName::new("shop").unwrap(), document).unwrap()
}

fn procedure(failed: &BTreeMap<ComponentId, String>) -> Procedure {
    static PLAYBOOK: LazyLock<Playbook> = LazyLock::new(|| Library::shipped().load("wordpress").unwrap().0);
    static PLAN: LazyLock<Plan> = LazyLock::new(plan);
    let (plan, inventory, playbook) = (&*PLAN, inventory(), &*PLAYBOOK);
    let updatable: BTreeSet<_> = playbook.operations.update.keys().cloned().collect();
    let graph = update::decide(&Inputs {
        plan,
        versions: &playbook.versions,
        updatable: &updatable,
        inventory: &inventory,
        today: jiff::civil::date(2026, 11, 22),
        failed,
    });
    procedure::build(plan, playbook, Digest::of(b"playbook"), &inventory, &graph).unwrap()
}

/// What goes wrong, and when.
#[derive(Debug, Clone, Default)]
struct Faults {
    /// These steps of the first attempt fail when they are done.
    steps: BTreeSet<usize>,
    /// The runner dies after this many entries; before the act that the last one announced, or
    /// after it.
    dies: Vec<(u64, bool)>,
    /// So many restores fail.
    restores: u32,
    /// The restored site does not pass its checks.
    unhealthy: bool,
    /// What fails is left out and the rest tried again.
    isolate: bool,
}

/// What visitors wrote, in the order of their keys.
type Written = BTreeSet<u64>;

/// The site and the runner's journal.
struct World {
    entries: Vec<Entry>,
    state: RunState,
    /// Everything that was changed since the last snapshot, by step.
    changes: Vec<String>,
    /// What the snapshot before holds; none when there is none.
    snapshot: Option<Vec<String>>,
    locked: bool,
    faults: Faults,
    restores: u32,
    /// What visitors wrote: on the site now, in the snapshot before, in those of what restores overwrote, and all
    /// that was ever taken from them.
    rows: Written,
    rows_before: Written,
    rows_overwritten: Vec<Written>,
    accepted: Written,
}

/// The runner died.
struct Dead;

impl World {
    fn write(&mut self, event: Event) -> Result<(), Dead> {
        let sequence = self.entries.len() as u64 + 1;
        let at = "2026-11-22T02:00:00Z".parse().unwrap();
        self.entries.push(Entry { sequence, at, event });
        let applied = self.state.apply(&self.entries[self.entries.len() - 1]);
        applied.unwrap_or_else(|error| panic!("{error}\nfaults: {:?}", self.faults));
        match self.faults.dies.iter().any(|(entry, after)| *entry == sequence && !after) {
            true => Err(Dead),
            false => Ok(()),
        }
    }

    /// After an act whose announcing entry was the last one.
    fn survives(&self) -> Result<(), Dead> {
        let sequence = self.entries.len() as u64;
        match self.faults.dies.iter().any(|(entry, after)| *entry == sequence && *after) {
            true => Err(Dead),
            false => Ok(()),
        }
    }

    /// A visitor writes, unless he is asked to wait.
    fn visit(&mut self) {
        if !self.changes.iter().any(|change| change == "maintenance") {
            let key = self.accepted.len() as u64;
            self.rows.insert(key);
            self.accepted.insert(key);
        }
    }

    /// A restore as the program does it: the present is kept and told, the tables are put back, and then
    /// what all the presents have that the journal knows.
    fn put_back(&mut self, fails: bool) -> Result<(), Dead> {
        let overwrites = format!("overwritten {}", self.rows_overwritten.len());
        self.rows_overwritten.push(self.rows.clone());
        self.write(Event::RestorePrepared { overwrites, rows: None })?;
        // The worst moment: the tables are as they were, and what was written since is nowhere on the site.
        self.rows = self.rows_before.clone();
        self.survives()?;
        if fails {
            return Ok(());
        }
        let unwind = self.state.attempt().and_then(|attempt| attempt.unwind.clone()).unwrap();
        for name in &unwind.overwritten {
            let number: usize = name.rsplit(' ').next().unwrap().parse().unwrap();
            self.rows.extend(self.rows_overwritten[number].iter().copied());
        }
        Ok(())
    }

    fn perform(&mut self, attempt: usize, index: usize, action: &Action) -> Result<StepResult, Box<StepFailure>> {
        let claim = Claim { command: "x".into(), status: 0, said: String::new() };
        let fails = attempt == 1 && self.faults.steps.contains(&index);
        let half = if fails { "half of " } else { "" };
        let result = match action {
            Action::Lock => {
                self.locked = !fails;
                StepResult::Done
            }
            Action::Unlock => {
                self.locked = fails;
                StepResult::Done
            }
            Action::Baseline { .. } => StepResult::Baseline { baseline: Baseline::default(), results: Vec::new() },
            Action::Snapshot { moment: procedure::SnapshotMoment::Before } => {
                if !fails {
                    self.snapshot = Some(self.changes.clone());
                    self.rows_before = self.rows.clone();
                }
                snapshot_result("before")
            }
            Action::Snapshot { .. } => snapshot_result("after"),
            Action::Check { .. } => StepResult::Checked { results: Vec::new() },
            Action::MaintenanceOn { .. } => {
                self.changes.retain(|change| change != "maintenance");
                self.changes.push("maintenance".into());
                StepResult::Ran { claims: vec![claim] }
            }
            Action::Arm { .. } | Action::Disarm => StepResult::Done,
            Action::MaintenanceOff { .. } => {
                self.changes.retain(|change| change != "maintenance");
                StepResult::Ran { claims: vec![claim] }
            }
            Action::Update { component, to, .. } => {
                self.changes.push(format!("{half}{component} {to}"));
                StepResult::Updated { claim, version: to.clone() }
            }
            Action::Migrate { .. } => {
                self.changes.push(format!("{half}migration"));
                StepResult::Migrated { claim, database: None }
            }
            Action::Prepare { .. } | Action::Languages { .. } | Action::Flush { .. } => {
                StepResult::Ran { claims: vec![claim] }
            }
        };
        let blamed = match action {
            Action::Update { component, .. } => Some(component.clone()),
            _ => None,
        };
        match fails {
            true => Err(Box::new(StepFailure { why: "told to fail".into(), claim: None, results: Vec::new(), blamed })),
            false => Ok(result),
        }
    }

    /// One runner's life.
    fn live(&mut self) -> Result<Outcome, Dead> {
        let policy = Policy::new(self.faults.isolate);
        loop {
            match next(&self.state, policy) {
                Next::Over => return Ok(self.state.closed.clone().unwrap().0),
                Next::Plan => {
                    let mut blamed = self.state.blamed.clone();
                    if let Some((_, failure)) = self.state.attempt().and_then(|attempt| attempt.failure()) {
                        blamed.extend(failure.blamed.clone().map(|id| (id, failure.why.clone())));
                    }
                    let procedure = procedure(&blamed);
                    let attempt = self.state.attempts.len() as u32 + 1;
                    let digest = procedure.digest();
                    let planned = Planned { attempt, inventory: Some(inventory()), procedure, digest };
                    self.write(Event::Planned(Box::new(planned)))?;
                }
                Next::Do(step) => {
                    self.visit();
                    self.write(Event::StepBegun { step })?;
                    let action = self.state.attempt().unwrap().planned.procedure.steps[step].action.clone();
                    let result = self.perform(self.state.attempts.len(), step, &action);
                    self.survives()?;
                    self.write(match result {
                        Ok(result) => Event::StepDone { step, result: Box::new(result) },
                        Err(failure) => Event::StepFailed { step, failure },
                    })?;
                }
                Next::Unwind(why) => self.write(Event::UnwindBegun { why })?,
                Next::Restore(attempt) => {
                    self.write(Event::RestoreBegun { snapshot: "before".into(), attempt })?;
                    self.restores += 1;
                    self.put_back(self.restores <= self.faults.restores)?;
                    let event = if self.restores <= self.faults.restores {
                        self.changes.push("half a restore".into());
                        Event::RestoreFailed { why: "told to fail".into() }
                    } else {
                        self.changes = self.snapshot.clone().expect("restored without a snapshot");
                        Event::RestoreDone {
                            overwritten: "present".into(),
                            undone: Vec::new(),
                            undone_count: 0,
                            bytes_sent: 0,
                            left: Vec::new(),
                            rows: None,
                        }
                    };
                    self.survives()?;
                    self.write(event)?;
                }
                Next::CheckRestored => {
                    self.write(Event::UnwindChecked { results: Vec::new(), good: !self.faults.unhealthy })?;
                }
                Next::Close(outcome) => {
                    self.write(Event::Closed { outcome, summary: String::new(), versions: BTreeMap::new() })?;
                }
            }
        }
    }
}

fn snapshot_result(name: &str) -> StepResult {
    StepResult::Snapshot {
        snapshot: SnapshotRecord {
            name: name.into(),
            id: Digest::of(name.as_bytes()),
            files: 1,
            bytes: 1,
            objects: 0,
            stored_bytes: 1,
            changed: Vec::new(),
            changed_count: 0,
        },
    }
}

/// Runs, and recovers whenever the runner died, until the run is over.
fn outcome(faults: Faults) -> (World, Outcome) {
    let mut world = World {
        entries: Vec::new(),
        state: RunState::default(),
        changes: Vec::new(),
        snapshot: None,
        locked: false,
        faults,
        restores: 0,
        rows: Written::new(),
        rows_before: Written::new(),
        rows_overwritten: Vec::new(),
        accepted: Written::new(),
    };
    let opened = Opened {
        site: SiteName::new("shop").unwrap(),
        purpose: Purpose::Update,
        by: "test".into(),
        program: "test".into(),
        plan: PlanExtract {
            digest: Digest::of(b"plan"),
            client: "Shop".into(),
            language: "en".into(),
            tier: "advanced".into(),
            cap: Some(25),
            url: "https://shop.example/".into(),
            zone: "UTC".into(),
        },
    };
    let _ = world.write(Event::Opened(Box::new(opened)));
    for _ in 0..50 {
        if let Ok(outcome) = world.live() {
            return (world, outcome);
        }
        // What the next runner knows is what the journal says.
        world.state = RunState::fold(&world.entries).unwrap();
        if let Some((outcome, _)) = world.state.closed.clone() {
            return (world, outcome);
        }
        let _ = world.write(Event::Recovered { by: "another".into(), program: "test".into() });
    }
    panic!("the run never ends: {:?}", world.faults);
}

/// The site is whole: as before, or fully updated; and the lock is free.
fn judge(world: &World, outcome: Outcome) {
    let faults = &world.faults;
    let all = ["plugin:a 2.0", "plugin:b 2.0", "core:core 7.1.1", "migration"];
    let updated = world.changes.iter().filter(|change| all.contains(&change.as_str())).count() >= all.len();
    let half = world.changes.iter().any(|change| change.starts_with("half") || change == "maintenance");
    match outcome {
        Outcome::Completed => assert!(updated && !half, "{:?} after {faults:?}", world.changes),
        Outcome::CompletedWithHolds => assert!(faults.isolate && !half, "{:?} after {faults:?}", world.changes),
        Outcome::Restored | Outcome::Refused => {
            assert!(world.changes.is_empty(), "{:?} after {faults:?}", world.changes)
        }
        Outcome::Stuck => assert!(faults.unhealthy || faults.restores >= 4, "stuck after {faults:?}"),
    }
    match outcome {
        // It is not on the site; it is in a snapshot that the journal names.
        Outcome::Stuck => {
            let kept = world.rows_overwritten.iter().flatten().chain(&world.rows).copied().collect::<Written>();
            assert_eq!(kept, world.accepted, "what visitors wrote is lost after {faults:?}");
        }
        _ => assert_eq!(world.rows, world.accepted, "what visitors wrote is lost after {faults:?}"),
    }
    // A lock that was told to stay is the one fault that leaves it.
    let unlock_fails =
        faults.steps.iter().any(|step| matches!(procedure(&BTreeMap::new()).steps[*step].action, Action::Unlock));
    if outcome != Outcome::Stuck && !unlock_fails {
        assert!(!world.locked, "{outcome} leaves the lock after {faults:?}");
    }
}

fn run_all(cases: impl IntoIterator<Item = Faults>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for faults in cases {
        let (world, outcome) = outcome(faults);
        judge(&world, outcome);
        *counts.entry(outcome.to_string()).or_default() += 1;
    }
    counts
}

#[test]
fn nothing_goes_wrong() {
    let (world, outcome) = outcome(Faults::default());
    assert_eq!(outcome, Outcome::Completed);
    judge(&world, outcome);
}

#[test]
fn every_step_fails_in_turn() {
    let steps = procedure(&BTreeMap::new()).steps.len();
    let cases = (0..steps)
        .flat_map(|step| [false, true].map(|isolate| Faults { steps: [step].into(), isolate, ..Faults::default() }));
    let counts = run_all(cases);
    println!("{counts:?}");
    assert!(counts["restored"] > 10 && counts["refused"] == 8, "{counts:?}");
    assert!(counts["completed-with-holds"] == 3, "{counts:?}");
}

#[test]
fn the_runner_dies_after_every_entry() {
    let (whole, _) = outcome(Faults::default());
    let length = whole.entries.len() as u64;
    let cases = (1..=length)
        .flat_map(|entry| [false, true].map(|after| Faults { dies: vec![(entry, after)], ..Faults::default() }));
    let counts = run_all(cases);
    println!("{counts:?}");
    assert!(counts.contains_key("completed") && counts.contains_key("restored"), "{counts:?}");
    assert!(!counts.contains_key("stuck"), "{counts:?}");
}

#[test]
fn the_runner_dies_twice_around_a_failing_step() {
    let steps = procedure(&BTreeMap::new()).steps.len();
    let mut cases = Vec::new();
    for step in 0..steps {
        let (whole, _) = outcome(Faults { steps: [step].into(), ..Faults::default() });
        let length = whole.entries.len() as u64;
        for first in 1..=length {
            let second = first + 1 + (step as u64 % 5);
            let dies = vec![(first, first % 2 == 0), (second, step % 2 == 0)];
            cases.push(Faults { steps: [step].into(), dies, isolate: first % 3 == 0, ..Faults::default() });
        }
    }
    let count = cases.len();
    let counts = run_all(cases);
    println!("{count} cases: {counts:?}");
    assert!(!counts.contains_key("stuck"), "{counts:?}");
}

#[test]
fn restores_that_fail_are_tried_again_and_then_a_person_is_told() {
    for restores in 0..6 {
        let (world, outcome) = outcome(Faults { steps: [8].into(), restores, ..Faults::default() });
        judge(&world, outcome);
        assert_eq!(outcome == Outcome::Stuck, restores >= 4, "{restores} failing restores end {outcome}");
    }
    let (world, outcome) = outcome(Faults { steps: [8].into(), unhealthy: true, ..Faults::default() });
    judge(&world, outcome);
    assert_eq!(outcome, Outcome::Stuck);
}
