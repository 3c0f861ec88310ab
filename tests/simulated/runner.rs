//! Runners over the simulated site: `next` and the journal's fold are the program's own; what `drive` and
//! `perform` do on a real site is done here on the simulated one, in the same order.

use super::case::{Case, Foreign, How, When};
use super::shape::{ASKED, Shape};
use super::world::{Holder, MAINTENANCE, Picture, Rows, World, named};
use intendant::check::{Baseline, Depth};
use intendant::journal::{
    AttemptState, Claim, Entry, Event, Opened, PlanExtract, Purpose, RunState, SnapshotRecord, StepFailure, StepResult,
    StepState,
};
use intendant::model::{ComponentId, Digest, Outcome, SiteName};
use intendant::procedure::{Action, SnapshotMoment};
use intendant::run::{Next, Policy, Search, next};
use intendant::update::Refusal;
use std::collections::BTreeMap;

/// The most runners that one run needs; more means that it has no end.
const MOST_RUNNERS: usize = 60;
/// How many runners there are for one that reads the journal as it is stored: that takes longer than all else.
const ONE_IN: usize = 50;
/// As `drive` has it: after so many restores that failed midway rows stay in the evidence.
const FAILURES_WITH_ROWS: u32 = 2;

/// One run, from its first runner to its last.
pub(crate) struct Run {
    pub(crate) case: Case,
    pub(crate) world: World,
    pub(crate) entries: Vec<Entry>,
    pub(crate) state: RunState,
    /// The snapshots, by name.
    pub(crate) store: BTreeMap<String, Picture>,
    /// What earlier runs that got stuck overwrote.
    pub(crate) left: Vec<String>,
    /// Rows that were kept by themselves.
    pub(crate) evidence: Rows,
    /// Whether a restore left rows in the evidence, because others had failed.
    pub(crate) rows_given_up: bool,
    restores: usize,
    checks: usize,
    unreachable: usize,
}

/// Why a runner stopped before the end.
pub(crate) enum Stop {
    /// It died.
    Dead,
    /// It can't go on, and says so.
    Wrong(String),
}

fn opened(shape: Shape) -> Event {
    Event::Opened(Box::new(Opened {
        site: SiteName::new("shop").unwrap(),
        purpose: shape.purpose(),
        any_time: false,
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
        accept_modified: Vec::new(),
    }))
}

/// How many entries the journal of a case has.
pub(crate) fn entries(case: &Case) -> u64 {
    let mut run = Run::new(case.clone());
    let _ = run.ended();
    run.entries.len() as u64
}

impl Run {
    pub(crate) fn new(case: Case) -> Self {
        let world = World::new(&case);
        // What a person asks for is older than the site.
        let mut asked = world.site.clone();
        asked.parts.insert("core:core".into(), "6.1.8".into());
        asked.parts.insert("plugin:a".into(), "0.9".into());
        let store = BTreeMap::from([(ASKED.to_owned(), asked)]);
        Self::over(case, world, store, Vec::new())
    }

    /// A run over what another one left.
    pub(crate) fn over(case: Case, world: World, store: BTreeMap<String, Picture>, left: Vec<String>) -> Self {
        let unreachable = case.unreachable;
        Self {
            case,
            world,
            entries: Vec::new(),
            state: RunState::default(),
            store,
            left,
            evidence: Rows::new(),
            rows_given_up: false,
            restores: 0,
            checks: 0,
            unreachable,
        }
    }

    /// Runs, and recovers whenever the runner died, until the run is over.
    pub(crate) fn ended(&mut self) -> Result<Outcome, String> {
        let begun = match self.write(opened(self.case.shape)) {
            Ok(()) => self.live(),
            Err(stop) => Err(stop),
        };
        let mut ended = begun;
        for _ in 0..MOST_RUNNERS {
            match ended {
                Ok(outcome) => return Ok(outcome),
                Err(Stop::Wrong(why)) => return Err(why),
                Err(Stop::Dead) => ended = self.recover(),
            }
        }
        Err("the run never ends".into())
    }

    /// What the next runner knows is what the journal says.
    fn recover(&mut self) -> Result<Outcome, Stop> {
        let wrong = |error: &dyn std::fmt::Display| Stop::Wrong(error.to_string());
        if self.entries.len().is_multiple_of(ONE_IN) {
            self.read_again().map_err(|error| wrong(&error))?;
        }
        self.another_version();
        self.state = RunState::fold(&self.entries).map_err(|error| wrong(&error))?;
        if let Some((outcome, _)) = &self.state.closed {
            return Ok(*outcome);
        }
        self.write(Event::Recovered { by: "another".into(), program: "test".into() })?;
        self.settle()?;
        self.live()
    }

    /// The journal as it is stored and read again.
    fn read_again(&mut self) -> Result<(), serde_json::Error> {
        for entry in &mut self.entries {
            entry.event = serde_json::from_str(&serde_json::to_string(&entry.event)?)?;
        }
        Ok(())
    }

    /// What the dead runner planned is not as this program would write it.
    fn another_version(&mut self) {
        let Some(foreign) = self.case.foreign else { return };
        for entry in &mut self.entries {
            if let Event::Planned(planned) = &mut entry.event {
                match foreign {
                    Foreign::Format => {
                        planned.procedure.format = 99;
                        planned.digest = planned.procedure.digest();
                    }
                    Foreign::Digest => planned.digest = Digest::of(b"another"),
                }
            }
        }
    }

    fn settle(&mut self) -> Result<(), Stop> {
        let reached = self.unreachable == 0;
        self.unreachable = self.unreachable.saturating_sub(1);
        if reached {
            self.world.clear_leftovers();
        }
        let Some(attempt) = self.state.attempt().filter(|attempt| attempt.locked()) else { return Ok(()) };
        if !reached {
            // The run stays open; somebody tries again later.
            return Err(Stop::Dead);
        }
        if attempt.touched() && attempt.unwind.is_none() {
            let steps = attempt.planned.procedure.steps.iter().zip(&attempt.steps);
            let switch =
                steps.filter(|(_, state)| **state != StepState::Waiting).fold(false, |on, (step, _)| {
                    match step.action {
                        Action::MaintenanceOn { .. } => true,
                        Action::MaintenanceOff { .. } => false,
                        _ => on,
                    }
                });
            if switch {
                self.world.maintenance_on();
            }
        }
        Ok(())
    }

    fn write(&mut self, event: Event) -> Result<(), Stop> {
        let sequence = self.entries.len() as u64 + 1;
        let at = jiff::Timestamp::from_second(1_795_000_000 + i64::try_from(sequence).unwrap_or(0)).unwrap_or_default();
        let entry = Entry { sequence, at, event };
        self.state.apply(&entry).map_err(|error| Stop::Wrong(error.to_string()))?;
        self.entries.push(entry);
        self.world.moment(true);
        self.dies(When::Before)
    }

    /// Whether the runner dies here.
    fn dies(&self, when: When) -> Result<(), Stop> {
        let sequence = self.entries.len() as u64;
        match self.case.dies.contains(&(sequence, when)) {
            true => Err(Stop::Dead),
            false => Ok(()),
        }
    }

    /// One runner's life from here on.
    fn live(&mut self) -> Result<Outcome, Stop> {
        let policy = Policy::new(self.case.isolate);
        loop {
            match next(&self.state, policy) {
                Next::Over => {
                    let closed = self.state.closed.as_ref().map(|(outcome, _)| *outcome);
                    return closed.ok_or_else(|| Stop::Wrong("over, and not closed".into()));
                }
                Next::Plan => self.plan()?,
                Next::Do(step) => self.step(step)?,
                Next::Unwind(why) => self.write(Event::UnwindBegun { why })?,
                Next::Restore(number) => self.restore(number)?,
                Next::CheckRestored => {
                    self.checks += 1;
                    let good = self.checks > self.case.unhealthy;
                    self.write(Event::UnwindChecked { results: Vec::new(), good })?;
                }
                Next::Close(outcome) => {
                    self.write(Event::Closed { outcome, summary: String::new(), versions: BTreeMap::new() })?;
                }
            }
        }
    }

    fn plan(&mut self) -> Result<(), Stop> {
        let attempt = self.state.attempts.len() + 1;
        if attempt == self.case.refused {
            let why = "the update service is away".into();
            return self.write(Event::Refused { reasons: vec![Refusal::Failed { why }] });
        }
        let search = Search::of(&self.state.attempts);
        let mut planned = self.case.shape.planned(&search, &self.world.site.parts);
        planned.attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
        self.write(Event::Planned(Box::new(planned)))
    }

    fn step(&mut self, step: usize) -> Result<(), Stop> {
        self.world.moment(false);
        self.write(Event::StepBegun { step })?;
        let number = self.state.attempts.len();
        let Some(attempt) = self.state.attempt() else { return Err(Stop::Wrong("a step without a procedure".into())) };
        let steps = &attempt.planned.procedure.steps;
        let (action, count) = (steps[step].action.clone(), steps.len());
        if self.dies(When::Midway).is_err() {
            self.world.act(&action, Some(How::CutOff));
            return Err(Stop::Dead);
        }
        let fault =
            self.case.fails.iter().find(|(at, of, _)| *at == number && of % count == step).map(|(.., how)| *how);
        let result = self.perform(&action, fault);
        if fault.is_none() && self.case.twice.iter().any(|(at, of)| *at == number && of % count == step) {
            let _ = self.perform(&action, None);
        }
        self.dies(When::After)?;
        self.write(match result {
            Ok(result) => Event::StepDone { step, result: Box::new(result) },
            Err(failure) => Event::StepFailed { step, failure },
        })
    }

    fn perform(&mut self, action: &Action, fault: Option<How>) -> Result<StepResult, Box<StepFailure>> {
        let failed = |why: &str, blamed: Option<ComponentId>| {
            Err(Box::new(StepFailure { why: why.into(), claim: None, results: Vec::new(), blamed, sign: None }))
        };
        let blamed = match action {
            Action::Update { component, .. } => Some(component.clone()),
            _ => None,
        };
        let stubborn = blamed.as_ref().is_some_and(|id| named(self.case.stubborn, id));
        let fault = fault.or(stubborn.then_some(How::Half));
        if let (Action::Snapshot { .. }, Some(_)) = (action, fault) {
            return failed("no room", None);
        }
        if !self.world.act(action, fault) {
            return failed("somebody else has the lock", None);
        }
        if fault.is_some() {
            return failed("told to fail", blamed);
        }
        let claim = Claim { command: "x".into(), status: 0, said: String::new() };
        Ok(match action {
            Action::Lock | Action::Unlock | Action::Disarm => StepResult::Done,
            Action::Arm { .. } => StepResult::Armed { armed: true, said: String::new() },
            Action::Baseline { .. } => StepResult::Baseline { baseline: Baseline::default(), results: Vec::new() },
            Action::Snapshot { moment } => self.snapshot(*moment),
            Action::Check { group, depth, .. } => match self.broken_by(*group, *depth) {
                None => StepResult::Checked { results: Vec::new() },
                Some(blamed) => {
                    // What a check of the site said.
                    let (why, blamed) = ("status 500".to_owned(), group.is_some().then_some(blamed));
                    return Err(Box::new(StepFailure {
                        why,
                        claim: Some(claim),
                        results: Vec::new(),
                        blamed,
                        sign: None,
                    }));
                }
            },
            Action::Update { to, .. } => StepResult::Updated { claim, version: to.clone() },
            Action::Migrate { .. } => StepResult::Migrated { claim, database: None },
            Action::MaintenanceOn { .. }
            | Action::MaintenanceOff { .. }
            | Action::Prepare { .. }
            | Action::Activate { .. }
            | Action::Languages { .. }
            | Action::Flush { .. }
            | Action::Restart { .. } => StepResult::Ran { claims: vec![claim] },
        })
    }

    /// The first component of the group, or of all, where the site as it is now does not pass.
    fn broken_by(&self, wanted: Option<usize>, depth: Depth) -> Option<ComponentId> {
        let case = &self.case;
        let moved = |bits: u8| self.world.updated().filter(|id| named(bits, id)).count();
        let all = |bits: u8| bits != 0 && moved(bits) == bits.count_ones() as usize;
        let shows = moved(case.breaking) > 0
            || depth == Depth::Full && (moved(case.hidden) > 0 || all(case.pair))
            || wanted.is_none() && moved(case.veiled) > 0;
        let steps = &self.state.attempt()?.planned.procedure.steps;
        let mut members = steps.iter().filter_map(|step| match &step.action {
            Action::Update { group, component, .. } if wanted.is_none_or(|wanted| *group == wanted) => Some(component),
            _ => None,
        });
        members.next().filter(|_| shows).cloned()
    }

    fn snapshot(&mut self, moment: SnapshotMoment) -> StepResult {
        let name = format!("{moment:?} {}", self.state.attempts.len());
        let mut picture = self.world.site.clone();
        picture.parts.remove(MAINTENANCE);
        self.store.insert(name.clone(), picture);
        let id = Digest::of(name.as_bytes());
        let (changed, changed_count) = (Vec::new(), 0);
        let snapshot =
            SnapshotRecord { name, id, files: 1, bytes: 1, objects: 0, stored_bytes: 1, changed, changed_count };
        StepResult::Snapshot { snapshot }
    }

    /// What is put back, and whether only a part of it.
    pub(crate) fn target(&self) -> Option<(String, bool, bool)> {
        match &self.state.opened.as_ref()?.purpose {
            Purpose::Restore { snapshot, only, exact, .. } => Some((snapshot.clone(), !only.is_empty(), *exact)),
            Purpose::Update => {
                let before = self.state.attempt()?.snapshot(SnapshotMoment::Before)?;
                Some((before.name.clone(), false, false))
            }
        }
    }

    /// A restore as the program does it: the present is kept and told, the tables are put back, and then what
    /// all the presents have that the journal knows.
    fn restore(&mut self, number: u32) -> Result<(), Stop> {
        let Some((name, part, exact)) = self.target() else {
            return Err(Stop::Wrong("restored without a snapshot".into()));
        };
        let target = self.store[&name].clone();
        self.write(Event::RestoreBegun { snapshot: name, attempt: number })?;
        let fault = self.case.restores.get(self.restores).copied().flatten();
        self.restores += 1;
        if fault == Some(How::NotAtAll) {
            return self.write(Event::RestoreFailed { why: "told to fail".into() });
        }
        self.world.clear_leftovers();
        if !part {
            self.world.maintenance_on();
        }
        self.dies(When::Midway)?;
        let (rows, kept) = self.rows_over(&target, number, exact);
        let overwrites = format!("overwritten {}", self.store.len());
        self.store.insert(overwrites.clone(), self.world.site.clone());
        self.evidence.extend(kept);
        self.dies(When::After)?;
        self.write(Event::RestorePrepared { overwrites, rows: None })?;
        self.overwrite(&target, part, rows, fault)?;
        self.dies(When::After)?;
        self.write(match fault {
            Some(_) => Event::RestoreFailed { why: "told to fail".into() },
            None => Event::RestoreDone {
                overwritten: "present".into(),
                undone: Vec::new(),
                undone_count: 0,
                suspects_changed: Vec::new(),
                bytes_sent: 0,
                left: Vec::new(),
                rows: None,
            },
        })
    }

    /// The rows that go over the snapshot's, and those that are kept by themselves.
    fn rows_over(&mut self, target: &Picture, number: u32, exact: bool) -> (Rows, Rows) {
        let unwind = self.state.attempt().and_then(|attempt| attempt.unwind.clone()).unwrap_or_default();
        if exact {
            return (Rows::new(), Rows::new());
        }
        let last_chance = unwind.failures > 0 && number >= Policy::new(self.case.isolate).max_restores;
        let put_back = unwind.failures < FAILURES_WITH_ROWS && !last_chance;
        self.rows_given_up |= !put_back;
        let earlier = self.left.iter().chain(&unwind.overwritten).map(|name| &self.store[name].rows);
        let all: Rows = earlier.chain([&self.world.site.rows]).flatten().copied().collect();
        let new: Rows = all.difference(&target.rows).copied().collect();
        (if put_back { new.clone() } else { Rows::new() }, new)
    }

    fn overwrite(&mut self, target: &Picture, part: bool, rows: Rows, fault: Option<How>) -> Result<(), Stop> {
        if part {
            self.dies(When::Midway)?;
            if matches!(fault, None | Some(How::Wholly)) {
                self.world.site.parts.insert("plugin:a".into(), target.parts["plugin:a"].clone());
            }
            return Ok(());
        }
        self.world.put_back_half(target);
        let midway = self.dies(When::Midway);
        if midway.is_err() || fault == Some(How::CutOff) {
            // What was sent to the host is still at work there.
            let half = target.parts.keys().map(|name| (name.clone(), "late half of a restore".to_owned()));
            self.world.leave_running(half.collect());
        }
        midway?;
        if matches!(fault, None | Some(How::Wholly)) {
            self.world.put_back(target, rows.clone());
            if self.case.restores_twice {
                self.world.put_back(target, rows);
            }
        }
        Ok(())
    }

    /// Whether our lock may be on the host: giving it back failed, or taking it before anything else.
    pub(crate) fn lock_may_stay(&self) -> bool {
        let failed = |attempt: &AttemptState| {
            let steps = attempt.planned.procedure.steps.iter().zip(&attempt.steps);
            let mut failed = steps.filter(|(_, state)| matches!(state, StepState::Failed(_)));
            failed.any(|(step, _)| match step.action {
                Action::Lock => self.state.attempts.len() == 1,
                Action::Unlock => true,
                _ => false,
            })
        };
        self.world.lock == Some(Holder::Us) && self.state.attempts.iter().any(failed)
    }
}
