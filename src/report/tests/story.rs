//! A journal as a run writes it, told step by step with a clock of its own.

use crate::check::{
    Baseline, Check, CheckKind, CheckResult, Depth, HttpCheck, LogState, Observation, Page, Patience, Ran, Reason,
    StatusRule, Verdict,
};
use crate::inventory::{Core, DatabaseVersion, Extension, Inventory, Requirements};
use crate::journal::{
    Claim, Entry, Event, Opened, PlanExtract, Planned, Purpose, SnapshotRecord, StepFailure, StepResult,
};
use crate::model::{ComponentId, Digest, Hold, HoldReason, Outcome, RunId, Version, VersionStep};
use crate::playbook::CommandTemplate;
use crate::procedure::{Action, FORMAT, Procedure, SnapshotMoment, Step};
use crate::report::Report;
use crate::snapshot::Rows;
use crate::update::Update;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

pub(super) const RUN: &str = "019a7e2c-5f00-7000-8000-0000000000a1";

pub(super) fn id(text: &str) -> ComponentId {
    let (kind, slug) = text.split_once(':').unwrap();
    ComponentId::new(kind, slug).unwrap()
}

pub(super) fn version(text: &str) -> Version {
    Version::new(text).unwrap()
}

pub(super) fn update(component: &str, title: &str, from: &str, to: &str) -> Update {
    let step = if from.split('.').next() == to.split('.').next() { VersionStep::Minor } else { VersionStep::Major };
    Update {
        component: id(component),
        title: title.into(),
        from: version(from),
        to: version(to),
        source: Some("wordpress.org".into()),
        step,
        because: Vec::new(),
        fixes: Vec::new(),
        special: false,
        licence: None,
    }
}

pub(super) fn hold(component: &str, title: &str, from: &str, to: Option<&str>, reason: HoldReason) -> Hold {
    Hold { component: id(component), title: title.into(), installed: version(from), offered: to.map(version), reason }
}

pub(super) fn http(path: &str, status: u16, elapsed_ms: u64, reasons: Vec<Reason>) -> CheckResult {
    let address = format!("https://boutique.example{path}");
    let page = Page {
        asked: address.clone(),
        hops: Vec::new(),
        status: Some(status),
        url: address,
        failure: None,
        bytes: 48_212,
        cut: false,
        closed: true,
        title: Some("Boutique Laval".into()),
        digest: Digest::of(path.as_bytes()),
        elapsed_ms,
        cacheable: false,
        missing: Vec::new(),
        hits: Vec::new(),
    };
    let mut check = Check::http(path);
    check.kind = CheckKind::Http(HttpCheck::new(path));
    result(check, Observation::Http { plain: Box::new(page), fresh: None }, reasons)
}

pub(super) fn command(reasons: Vec<Reason>) -> CheckResult {
    let ran = Ran {
        status: Some(0),
        stopped: None,
        tail: "https://boutique.example".into(),
        equals: Some(true),
        missing: Vec::new(),
        forbidden: Vec::new(),
        elapsed_ms: 610,
    };
    result(Check::command(["wp", "option", "get", "siteurl"]), Observation::Command(ran), reasons)
}

pub(super) fn log(readable: bool) -> CheckResult {
    let why = "the account may not read it".to_owned();
    let state = LogState {
        file: Some(7),
        size: 812,
        unreadable: (!readable).then(|| why.clone()),
        fatal: Vec::new(),
        cut: false,
    };
    let mut seen = result(Check::log("/var/log/php/boutique.log"), Observation::Log(state), Vec::new());
    if !readable {
        seen.verdict = Verdict::Unknown(why);
    }
    seen
}

fn result(check: Check, observation: Observation, reasons: Vec<Reason>) -> CheckResult {
    let verdict = if reasons.is_empty() { Verdict::Passed } else { Verdict::Failed(reasons) };
    CheckResult { check, verdict, observation, attempts: 1 }
}

/// What the site's checks see: a good site, at two moments.
pub(super) fn good(after: bool) -> Vec<CheckResult> {
    let slower = if after { 34 } else { 0 };
    vec![
        http("/", 200, 412 + slower, Vec::new()),
        http("/boutique/", 200, 688 - slower, Vec::new()),
        http("/wp-login.php", 200, 231 + slower, Vec::new()),
        http("/wp-admin/admin-ajax.php", 400, 187, Vec::new()),
        command(Vec::new()),
        log(true),
    ]
}

pub(super) fn server_error(path: &str) -> CheckResult {
    let expected = StatusRule::Good;
    http(path, 500, 96, vec![Reason::Status { expected, before: Some(200), got: 500 }])
}

fn template() -> CommandTemplate {
    serde_json::from_value(serde_json::json!({ "run": ["wp", "x"] })).unwrap()
}

pub(super) struct Story {
    now: Timestamp,
    entries: Vec<Entry>,
    procedure: Option<Procedure>,
    pub(super) attempt: u32,
    snapshots: u64,
    /// What the first look found that somebody else had changed.
    pub(super) drift: Option<crate::drift::Found>,
}

impl Story {
    pub(super) fn begin(client: &str, language: &str, purpose: Purpose) -> Self {
        let now: Timestamp = "2026-11-12T07:00:04Z".parse().unwrap();
        let mut story = Self { now, entries: Vec::new(), procedure: None, attempt: 0, snapshots: 0, drift: None };
        story.write(
            0,
            Event::Opened(Box::new(Opened {
                site: crate::model::SiteName::new("boutique-laval").unwrap(),
                purpose,
                any_time: false,
                by: "ops@runner-2 (pid 4711)".into(),
                program: "0.1.0".into(),
                plan: PlanExtract {
                    digest: Digest::of(b"plan"),
                    client: client.into(),
                    language: language.into(),
                    tier: "advanced".into(),
                    cap: Some(25),
                    url: "https://boutique.example/".into(),
                    zone: "America/Toronto".into(),
                },
                accept_modified: Vec::new(),
            })),
        );
        story
    }

    pub(super) fn write(&mut self, after_ms: i64, event: Event) {
        self.now += SignedDuration::from_millis(after_ms);
        let sequence = self.entries.len() as u64 + 1;
        self.entries.push(Entry { sequence, at: self.now, event });
    }

    pub(super) fn plan(&mut self, updates: Vec<Update>, holds: Vec<Hold>) {
        self.attempt += 1;
        let procedure = procedure(updates, holds);
        let digest = Digest::of(b"procedure");
        self.procedure = Some(procedure.clone());
        let inventory = Some(inventory());
        self.write(
            5_210,
            Event::Planned(Box::new(Planned {
                attempt: self.attempt,
                inventory,
                drift: self.drift.clone().map(Box::new),
                procedure,
                digest,
            })),
        );
    }

    fn steps(&self) -> Vec<Action> {
        self.procedure.as_ref().unwrap().steps.iter().map(|step| step.action.clone()).collect()
    }

    /// Does the steps from `from` on until `until` says stop; returns the next one's place.
    pub(super) fn go(&mut self, from: usize, until: impl Fn(&Action) -> bool) -> usize {
        let steps = self.steps();
        for (place, action) in steps.iter().enumerate().skip(from) {
            if until(action) {
                return place;
            }
            self.write(40, Event::StepBegun { step: place });
            let (took, result) = self.result(action);
            self.write(took, Event::StepDone { step: place, result: Box::new(result) });
        }
        steps.len()
    }

    fn result(&mut self, action: &Action) -> (i64, StepResult) {
        let claim = |said: &str| Claim { command: "wp x".into(), status: 0, said: said.into() };
        match action {
            Action::Lock | Action::Unlock => (180, StepResult::Done),
            Action::Baseline { .. } => {
                let results = good(false);
                let observations = results.iter().map(|seen| (seen.check.id.clone(), seen.observation.clone()));
                let baseline = Baseline { observations: observations.collect() };
                (1_930, StepResult::Baseline { baseline, results })
            }
            Action::Snapshot { moment } => {
                self.snapshots += 1;
                let after = *moment == SnapshotMoment::After;
                let snapshot = SnapshotRecord {
                    name: format!("2026-11-12T070{}00Z-{}", self.snapshots, Digest::of(&[after.into()]).short()),
                    id: Digest::of(&[after.into(), 1]),
                    files: if after { 12_411 } else { 12_384 },
                    bytes: 1_254_000_000,
                    objects: 48,
                    stored_bytes: 31_000_000,
                    changed: vec!["M wp-content/plugins/akismet/akismet.php".into()],
                    changed_count: if after { 231 } else { 3 },
                };
                (if after { 9_420 } else { 64_800 }, StepResult::Snapshot { snapshot })
            }
            Action::Update { to, .. } => {
                (4_310, StepResult::Updated { claim: claim("Success: Updated."), version: to.clone() })
            }
            Action::Migrate { .. } => {
                let database = Some(DatabaseVersion { code: "60421".into(), data: "60421".into() });
                (1_120, StepResult::Migrated { claim: claim("Success: Database upgraded."), database })
            }
            Action::Check { depth: Depth::Quick, .. } => (3_870, StepResult::Checked { results: good(true) }),
            Action::Check { .. } => (5_020, StepResult::Checked { results: good(true) }),
            Action::Arm { .. } => (2_310, StepResult::Armed { armed: true, said: "it takes 60 MiB".into() }),
            Action::MaintenanceOn { .. } | Action::MaintenanceOff { .. } | Action::Disarm => {
                (290, StepResult::Ran { claims: Vec::new() })
            }
            Action::Prepare { .. }
            | Action::Activate { .. }
            | Action::Languages { .. }
            | Action::Flush { .. }
            | Action::Restart { .. } => (820, StepResult::Ran { claims: vec![claim("ok")] }),
        }
    }

    pub(super) fn fail(&mut self, step: usize, why: &str, results: Vec<CheckResult>, blamed: Option<&str>) {
        self.write(40, Event::StepBegun { step });
        let failure = StepFailure { why: why.into(), claim: None, results, blamed: blamed.map(id), sign: None };
        self.write(15_300, Event::StepFailed { step, failure: Box::new(failure) });
    }

    pub(super) fn unwind(&mut self, why: &str) {
        self.write(10, Event::UnwindBegun { why: why.into() });
    }

    pub(super) fn restore(&mut self, left: &[&str]) {
        self.restore_with(left, None);
    }

    /// With rows of visitors, as they were found and as they were in the end.
    pub(super) fn restore_with(&mut self, left: &[&str], rows: Option<(Rows, Rows)>) {
        self.write(15, Event::RestoreBegun { snapshot: "2026-11-12T070100Z-1f0c2b7d9a34".into(), attempt: 1 });
        let (found, rows) = rows.map(|(found, rows)| (Box::new(found), Box::new(rows))).unzip();
        self.write(0, Event::RestorePrepared { overwrites: "2026-11-12T070400Z-77aa0c1d2e3f".into(), rows: found });
        self.write(
            7_650,
            Event::RestoreDone {
                overwritten: "2026-11-12T070400Z-77aa0c1d2e3f".into(),
                undone: vec!["M wp-content/plugins/tb-slider/slider.php".into()],
                undone_count: 214,
                suspects_changed: ["~ wp-content/plugins/tb-slider/slider.php (content)", "+ table:wp_tb_slides"]
                    .map(String::from)
                    .into(),
                bytes_sent: 5_200_000,
                left: left.iter().map(|text| (*text).into()).collect(),
                rows,
            },
        );
    }

    pub(super) fn check_restored(&mut self, results: Vec<CheckResult>) {
        let good = results.iter().all(|result| !result.failed());
        self.write(4_900, Event::UnwindChecked { results, good });
    }

    pub(super) fn close(&mut self, outcome: Outcome, summary: &str, versions: &[(&str, &str)]) {
        let versions: BTreeMap<_, _> = versions.iter().map(|(what, is)| (id(what), version(is))).collect();
        self.write(900, Event::Closed { outcome, summary: summary.into(), versions });
    }

    pub(super) fn entries(self) -> Vec<Entry> {
        self.entries
    }

    pub(super) fn report(self) -> Report {
        let run: RunId = RUN.parse().unwrap();
        Report::of(run, &self.entries).unwrap()
    }
}

fn procedure(updates: Vec<Update>, holds: Vec<Hold>) -> Procedure {
    let patience = Patience::none();
    let mut actions =
        vec![Action::Lock, Action::Baseline { patience }, Action::Snapshot { moment: SnapshotMoment::Before }];
    if !updates.is_empty() {
        actions.push(Action::MaintenanceOn { command: template() });
        actions.push(Action::Prepare { commands: vec![template()] });
    }
    for (group, update) in updates.iter().enumerate() {
        actions.push(Action::Update {
            group,
            component: update.component.clone(),
            from: update.from.clone(),
            to: update.to.clone(),
            command: template(),
        });
        if update.component.kind.is_core() {
            actions.push(Action::Migrate { group: Some(group), command: template() });
        }
        actions.push(Action::Check { depth: Depth::Quick, group: Some(group), patience });
    }
    if !updates.is_empty() {
        actions.push(Action::Flush { group: None, commands: vec![template()] });
        actions.push(Action::MaintenanceOff { command: template() });
        actions.push(Action::Check { depth: Depth::Full, group: None, patience });
        actions.push(Action::Snapshot { moment: SnapshotMoment::After });
    }
    actions.push(Action::Unlock);
    let named = |(place, action)| Step { name: format!("{:02}", place + 1), action };
    Procedure {
        format: FORMAT,
        site: crate::model::SiteName::new("boutique-laval").unwrap(),
        cms: "wordpress".into(),
        playbook: Digest::of(b"playbook"),
        updates,
        holds,
        checks: Vec::new(),
        maintenance_files: Vec::new(),
        waiting: None,
        steps: actions.into_iter().enumerate().map(named).collect(),
    }
}

pub(super) fn inventory() -> Inventory {
    let extension = |number: u32| Extension {
        id: id(&format!("plugin:p{number}")),
        title: format!("P{number}"),
        version: Some(version("1.0")),
        active: true,
        shipped: false,
        requires: Requirements::default(),
        parent: None,
        offer: None,
        unwritable: None,
        abandoned: None,
    };
    Inventory {
        core: Core {
            title: "WordPress".into(),
            version: version("6.1.9"),
            offers: Vec::new(),
            unwritable: None,
            end_of_life: None,
        },
        platform: BTreeMap::new(),
        database: Some(DatabaseVersion { code: "53496".into(), data: "53496".into() }),
        extensions: (0..14).map(extension).collect(),
        sources: Vec::new(),
        checksums: BTreeMap::new(),
        busy: Vec::new(),
        leftovers: Vec::new(),
        unsupported: None,
        pages: Vec::new(),
        places: Default::default(),
        administrators: None,
        error_log: None,
        address: None,
        vulnerabilities: None,
        unusable: Vec::new(),
    }
}
