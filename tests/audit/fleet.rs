//! A fleet on disk: plans, a journal written as runs write it, a store that lists snapshots.

use intendant::drift::Found;
use intendant::intake::{Assessment, Scanned, Verdict};
use intendant::inventory::Inventory;
use intendant::journal::{
    Claim, Entry, Event, Journal, Opened, PlanExtract, Planned, Purpose, Rehearsal, RehearsalResult, SnapshotRecord,
    SqliteJournal, StepResult,
};
use intendant::ledger::Decision;
use intendant::model::{ComponentId, Digest, Hold, Outcome, RunId, SiteName, Version};
use intendant::playbook::CommandTemplate;
use intendant::procedure::{Action, FORMAT, Procedure, SnapshotMoment, Step};
use intendant::snapshot::{Proof, Store};
use intendant::update::{Refusal, Update};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A moment before now.
pub(crate) fn before(now: Timestamp, days: i64, hours: i64, minutes: i64) -> Timestamp {
    now - SignedDuration::from_mins((days * 24 + hours) * 60 + minutes)
}

/// A day before now, or after it.
pub(crate) fn day(now: Timestamp, days: i64) -> String {
    before(now, -days, 0, 0).strftime("%Y-%m-%d").to_string()
}

pub(crate) fn id(text: &str) -> ComponentId {
    let (kind, slug) = text.split_once(':').unwrap();
    ComponentId::new(kind, slug).unwrap()
}

pub(crate) fn version(text: &str) -> Version {
    Version::new(text).unwrap()
}

/// One run, as it is told to the journal.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) at: Timestamp,
    pub(crate) purpose: Purpose,
    /// None: it is never closed.
    pub(crate) outcome: Option<Outcome>,
    /// What was seen; none where nobody came to look.
    pub(crate) seen: Option<Value>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) updates: Vec<Update>,
    pub(crate) drift: Option<Found>,
    pub(crate) refused: Vec<Refusal>,
    /// The versions that were read when it was over.
    pub(crate) versions: Vec<(&'static str, &'static str)>,
}

impl Run {
    /// A good one.
    pub(crate) fn good(at: Timestamp) -> Self {
        Self {
            at,
            purpose: Purpose::Update,
            outcome: Some(Outcome::Completed),
            seen: Some(inventory()),
            holds: Vec::new(),
            updates: Vec::new(),
            drift: None,
            refused: Vec::new(),
            versions: Vec::new(),
        }
    }

    pub(crate) fn ending(mut self, outcome: Option<Outcome>) -> Self {
        self.outcome = outcome;
        self
    }

    /// The name of the snapshot that it takes.
    pub(crate) fn snapshot(&self) -> String {
        snapshot_name(self.at)
    }
}

pub(crate) fn snapshot_name(at: Timestamp) -> String {
    let id = Digest::of(at.to_string().as_bytes());
    format!("{}-{}", at.strftime("%Y%m%dT%H%M%S.%3fZ"), id.short())
}

/// What a good site says of itself.
pub(crate) fn inventory() -> Value {
    let plugin = |number: u32| json!({ "kind": "plugin", "slug": format!("p{number}"), "title": format!("P{number}"), "version": "1.0", "active": true });
    json!({
        "core": { "title": "WordPress", "version": "99.2.1" },
        "platform": { "php": "9.2.1", "database": "10.11.6" },
        "extensions": (0..12).map(plugin).collect::<Vec<_>>(),
        "vulnerabilities": [],
    })
}

/// One site of the fleet, with what an audit has to find of it.
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) client: String,
    /// The lines of its plan, by key; none: it has none.
    pub(crate) plan: Option<BTreeMap<&'static str, String>>,
    pub(crate) runs: Vec<Run>,
    /// The snapshots in the store, by name.
    pub(crate) stored: Vec<String>,
    pub(crate) rehearsals: Vec<(Timestamp, RehearsalResult)>,
    pub(crate) intakes: Vec<(RunId, Timestamp, Verdict)>,
    pub(crate) decisions: Vec<(Timestamp, Decision)>,
    /// By rule and subject.
    pub(crate) expected: Vec<(&'static str, String)>,
}

impl Site {
    /// A site of which nothing is to be found.
    pub(crate) fn good(name: &str, now: Timestamp) -> Self {
        let window = before(now, 0, 5, 0).strftime("%H:%M");
        let plan = [
            ("tier", "advanced".to_owned()),
            ("contract", format!("{{ number: K-1, from: {}, until: {} }}", day(now, -400), day(now, 300))),
            ("intake", format!("{{ accepted: {}, by: ops }}", day(now, -399))),
            ("windows", format!("[{{ at: \"{window}\", for: 2h, zone: UTC }}]")),
            ("updates", "{ security: { within: 24h } }".to_owned()),
            ("tags", if name.ends_with('7') { "[seven]" } else { "[]" }.to_owned()),
        ];
        let runs = vec![Run::good(before(now, 7, 4, 50)), Run::good(before(now, 0, 4, 50))];
        Self {
            name: name.to_owned(),
            client: format!("Client of {name}"),
            plan: Some(plan.into()),
            stored: runs.iter().map(Run::snapshot).collect(),
            runs,
            rehearsals: vec![(before(now, 20, 0, 0), RehearsalResult::Proven)],
            intakes: Vec::new(),
            decisions: Vec::new(),
            expected: Vec::new(),
        }
    }

    pub(crate) fn site(&self) -> SiteName {
        SiteName::new(self.name.clone()).unwrap()
    }

    pub(crate) fn expect(&mut self, rule: &'static str, subject: &str) {
        self.expected.push((rule, subject.to_owned()));
    }

    /// Its last run.
    pub(crate) fn last(&mut self) -> &mut Run {
        self.runs.last_mut().unwrap()
    }

    /// What its last run saw.
    pub(crate) fn seen(&mut self) -> &mut Value {
        self.last().seen.as_mut().unwrap()
    }

    /// Sets a key of its plan.
    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<String>) {
        self.plan.as_mut().unwrap().insert(key, value.into());
    }

    fn plan_text(&self) -> Option<String> {
        let name = &self.name;
        let mut text = format!(
            "plan: 1\nsite: {name}\nclient: {{ name: {}, language: fr }}\ncms: wordpress\n\
             url: https://{name}.example/\nhost: {{ ssh: web3.example, path: /srv/www/{name} }}\n",
            serde_json::to_string(&self.client).unwrap()
        );
        for (key, value) in self.plan.as_ref()? {
            if value != "[]" {
                text.push_str(&format!("{key}: {value}\n"));
            }
        }
        Some(text)
    }

    /// Writes it down.
    pub(crate) async fn write(&self, folder: &Path, journal: &SqliteJournal) {
        if let Some(text) = self.plan_text() {
            std::fs::write(folder.join("plans").join(format!("{}.yaml", self.name)), text).unwrap();
        }
        for run in &self.runs {
            write_run(journal, &self.site(), &self.client, run).await;
        }
        let stored = folder.join("store/sites").join(&self.name);
        for name in &self.stored {
            std::fs::create_dir_all(&stored).unwrap();
            std::fs::write(stored.join(format!("{name}.manifest")), b"").unwrap();
        }
        for (at, result) in &self.rehearsals {
            journal.rehearsed(&rehearsal(self.site(), *at, *result)).await.unwrap();
        }
        for (id, at, verdict) in &self.intakes {
            journal.assessed(&assessment(self.site(), *id, *at, *verdict)).await.unwrap();
        }
        let mut last = 0;
        for (at, decision) in &self.decisions {
            let decision = match decision.clone() {
                Decision::Answered { verdict, why, .. } => Decision::Answered { notice: last, verdict, why },
                Decision::AnomalyAnswered { answer, .. } => Decision::AnomalyAnswered { anomaly: last, answer },
                other => other,
            };
            last = journal.decide(*at, "ops", &decision).await.unwrap();
        }
    }
}

fn rehearsal(site: SiteName, began: Timestamp, result: RehearsalResult) -> Rehearsal {
    let bad = Proof::differs(vec!["a.php".into()], 1);
    let files = if result == RehearsalResult::NotProven { bad } else { Proof::Proven };
    Rehearsal {
        rehearsal: Rehearsal::FORMAT,
        id: RunId::new(began),
        site,
        snapshot: "20200101T000000.000Z-000000000000".into(),
        content: Digest::of(b"x"),
        began,
        took_ms: 1,
        by: "ops".into(),
        program: "1".into(),
        result,
        files,
        database: Proof::Proven,
        boot: Proof::Nothing,
        version: None,
        left: Vec::new(),
        stays: Vec::new(),
        bytes_sent: 0,
    }
}

fn assessment(site: SiteName, id: RunId, at: Timestamp, verdict: Verdict) -> Assessment {
    Assessment {
        intake: Assessment::FORMAT,
        id,
        url: format!("https://{site}.example/"),
        at,
        by: "ops".into(),
        program: "1".into(),
        snapshot: "20200101T000000.000Z-000000000000".into(),
        inventory: Inventory::from_document(&site, inventory()).unwrap(),
        extensions: (12, Some(25)),
        scanned: Scanned::default(),
        findings: Vec::new(),
        count: 0,
        behind: Vec::new(),
        estimate_min: 0,
        unknown: Vec::new(),
        verdict,
        site,
    }
}

async fn write_run(journal: &SqliteJournal, site: &SiteName, client: &str, run: &Run) {
    let id = RunId::new(run.at);
    let events = events(site, client, run);
    for (place, event) in events.into_iter().enumerate() {
        let at = run.at + SignedDuration::from_secs(place as i64);
        journal.append(id, &Entry { sequence: place as u64 + 1, at, event }).await.unwrap();
    }
}

fn events(site: &SiteName, client: &str, run: &Run) -> Vec<Event> {
    let plan = PlanExtract {
        digest: Digest::of(b"plan"),
        client: client.to_owned(),
        language: "fr".into(),
        tier: "advanced".into(),
        cap: Some(25),
        url: format!("https://{site}.example/"),
        zone: "UTC".into(),
    };
    let mut events = vec![Event::Opened(Box::new(Opened {
        site: site.clone(),
        purpose: run.purpose.clone(),
        any_time: false,
        by: "ops".into(),
        program: "1".into(),
        plan,
        accept_modified: Vec::new(),
    }))];
    let procedure = procedure(site, run);
    if let Some(seen) = &run.seen {
        events.push(Event::Planned(Box::new(Planned {
            attempt: 1,
            inventory: Some(Inventory::from_document(site, seen.clone()).unwrap()),
            drift: run.drift.clone().map(Box::new),
            digest: Digest::of(b"procedure"),
            procedure: procedure.clone(),
        })));
    }
    if !run.refused.is_empty() {
        events.push(Event::Refused { reasons: run.refused.clone() });
    } else if run.seen.is_some() {
        let done = matches!(run.outcome, Some(Outcome::Completed | Outcome::CompletedWithHolds));
        // What was not well ended after the snapshot.
        for (step, one) in procedure.steps.iter().enumerate().take(if done { usize::MAX } else { 2 }) {
            events.push(Event::StepBegun { step });
            events.push(Event::StepDone { step, result: Box::new(result(&one.action, run)) });
        }
    }
    if let Some(outcome) = run.outcome {
        let versions = run.versions.iter().map(|(component, is)| (id(component), version(is))).collect();
        events.push(Event::Closed { outcome, summary: "told by a test".into(), versions });
    }
    events
}

fn result(action: &Action, run: &Run) -> StepResult {
    match action {
        Action::Snapshot { .. } => StepResult::Snapshot {
            snapshot: SnapshotRecord {
                name: run.snapshot(),
                id: Digest::of(b"content"),
                files: 12_000,
                bytes: 1 << 30,
                objects: 40,
                stored_bytes: 1 << 20,
                changed: Vec::new(),
                changed_count: 0,
            },
        },
        Action::Update { to, .. } => {
            let claim = Claim { command: "wp plugin update".into(), status: 0, said: "ok".into() };
            StepResult::Updated { claim, version: to.clone() }
        }
        _ => StepResult::Done,
    }
}

fn procedure(site: &SiteName, run: &Run) -> Procedure {
    let command: CommandTemplate = serde_json::from_value(json!({ "run": ["wp", "x"] })).unwrap();
    let mut actions = vec![Action::Lock, Action::Snapshot { moment: SnapshotMoment::Before }];
    actions.extend(run.updates.iter().enumerate().map(|(group, update)| Action::Update {
        group,
        component: update.component.clone(),
        from: update.from.clone(),
        to: update.to.clone(),
        command: command.clone(),
    }));
    actions.push(Action::Unlock);
    let named = |(place, action)| Step { name: format!("{place:02}"), action };
    Procedure {
        format: FORMAT,
        site: site.clone(),
        cms: "wordpress".into(),
        playbook: Digest::of(b"playbook"),
        updates: run.updates.clone(),
        holds: run.holds.clone(),
        checks: Vec::new(),
        maintenance_files: Vec::new(),
        waiting: None,
        steps: actions.into_iter().enumerate().map(named).collect(),
    }
}

/// Makes the folders of a fleet, and its journal.
pub(crate) async fn begin(folder: &Path, settings: &str) -> SqliteJournal {
    std::fs::create_dir(folder.join("plans")).unwrap();
    std::fs::write(folder.join("intendant.yaml"), settings).unwrap();
    Store::open(&folder.join("store")).unwrap();
    SqliteJournal::open(&folder.join("state/journal.db")).await.unwrap()
}
