//! From a graph to steps.

use super::{Action, FORMAT, Procedure, SnapshotMoment, Step};
use crate::check::{Check, CheckKind, Depth, HttpCheck, MIN_PERCENT, Patience, StatusRule};
use crate::inventory::Inventory;
use crate::model::{self, Digest, PagePath};
use crate::plan::{BY_COMMAND, Plan};
use crate::playbook::{Argument, ArgumentError, CommandTemplate, Playbook, Values};
use crate::update::{Update, UpdateGraph};

/// Why there is no procedure.
#[derive(Debug, thiserror::Error)]
pub enum ProcedureError {
    /// A command of the playbook can't be made.
    #[error("{site}: the playbook's command for {what} can't be made")]
    Command {
        /// The site.
        site: model::SiteName,
        /// The component.
        what: String,
        /// Why.
        #[source]
        source: ArgumentError,
    },
    /// The playbook can't update this kind.
    #[error("{site}: the playbook has no operation that updates {what}")]
    NoOperation {
        /// The site.
        site: model::SiteName,
        /// The component.
        what: String,
    },
}

/// How long failing checks are tried again, beyond the time that caches may take.
const RETRY_FOR_MS: u64 = 6_000;
/// The pause between two tries.
const RETRY_EVERY_MS: u64 = 1_000;

/// Makes the procedure of one attempt. `playbook_digest` covers the playbook and its scripts; `depth` says how closely
/// the site is looked at after each group.
pub fn build(
    plan: &Plan,
    playbook: &Playbook,
    playbook_digest: Digest,
    inventory: &Inventory,
    graph: &UpdateGraph,
    depth: Depth,
) -> Result<Procedure, ProcedureError> {
    let settled = patience(plan, playbook);
    let at_once = Patience { settle_ms: 0, ..settled };
    let mut steps = vec![Action::Lock, Action::Baseline { patience: at_once }];
    steps.push(Action::Snapshot { moment: SnapshotMoment::Before });
    if !graph.groups.is_empty() || graph.languages {
        steps.extend(changes(plan, playbook, graph, depth, settled)?);
        steps.push(Action::Snapshot { moment: SnapshotMoment::After });
    }
    steps.push(Action::Unlock);
    Ok(whole(plan, playbook, playbook_digest, Some(inventory), graph, steps))
}

/// The procedure of a restore that a person asked for: lock and unlock; what lies between is the
/// undo. It needs no inventory, so no CMS that runs.
pub fn build_restore(plan: &Plan, playbook: &Playbook, playbook_digest: Digest) -> Procedure {
    let graph = UpdateGraph { groups: Vec::new(), holds: Vec::new(), languages: false };
    whole(plan, playbook, playbook_digest, None, &graph, vec![Action::Lock, Action::Unlock])
}

fn whole(
    plan: &Plan,
    playbook: &Playbook,
    playbook_digest: Digest,
    inventory: Option<&Inventory>,
    graph: &UpdateGraph,
    steps: Vec<Action>,
) -> Procedure {
    let maintenance = playbook.operations.maintenance.as_ref();
    Procedure {
        format: FORMAT,
        site: plan.site.clone(),
        cms: playbook.cms.as_str().to_owned(),
        playbook: playbook_digest,
        updates: graph.updates().cloned().collect(),
        holds: graph.holds.clone(),
        checks: checks(plan, playbook, inventory),
        maintenance_files: maintenance
            .map(|switch| switch.files.iter().map(|file| file.as_str().to_owned()).collect())
            .unwrap_or_default(),
        waiting: maintenance.and_then(|switch| switch.answers),
        steps: steps.into_iter().enumerate().map(|(index, action)| named(index, action)).collect(),
    }
}

/// How long to wait for caches, and to try again.
pub fn patience(plan: &Plan, playbook: &Playbook) -> Patience {
    let settle = plan.patience.unwrap_or(playbook.patience).as_duration();
    let settle_ms = u64::try_from(settle.as_millis()).unwrap_or(u64::MAX);
    Patience { settle_ms, retry_for_ms: RETRY_FOR_MS, retry_every_ms: RETRY_EVERY_MS }
}

/// What starts the site's processes again: the plan's way, or the playbook's.
pub fn restart(plan: &Plan, playbook: &Playbook) -> Vec<CommandTemplate> {
    let own = plan.restart.iter().map(|argument| Argument::literal(argument.as_str().to_owned()));
    match own.collect::<Result<Vec<_>, _>>() {
        Ok(run) if !run.is_empty() => vec![CommandTemplate::of(run)],
        // The plan's rules refuse what is no plain argument.
        _ => playbook.operations.restart.clone(),
    }
}

/// The steps between the two snapshots.
fn changes(
    plan: &Plan,
    playbook: &Playbook,
    graph: &UpdateGraph,
    depth: Depth,
    patience: Patience,
) -> Result<Vec<Action>, ProcedureError> {
    let operations = &playbook.operations;
    let mut steps = Vec::new();
    let maintenance = operations.maintenance.as_ref();
    let off = || maintenance.map(|switch| Action::MaintenanceOff { command: switch.off.clone() });
    let migrate =
        |group| operations.migrate.iter().map(move |command| Action::Migrate { group, command: command.clone() });
    let restart = restart(plan, playbook);
    let settle = |group| {
        let flush = || Action::Flush { group, commands: operations.flush.clone() };
        let begin_again = || Action::Restart { group, commands: restart.clone() };
        let flushed = (!operations.flush.is_empty()).then(flush);
        flushed.into_iter().chain((!restart.is_empty()).then(begin_again))
    };
    let armed = !plan.heal_after.is_zero();
    if armed {
        let flush = operations.flush.clone();
        steps.push(Action::Arm { after_s: plan.heal_after.as_secs(), flush, restart: restart.clone() });
    }
    steps.extend(maintenance.map(|switch| Action::MaintenanceOn { command: switch.on.clone() }));
    if !operations.prepare.is_empty() && !graph.groups.is_empty() {
        steps.push(Action::Prepare { commands: operations.prepare.clone() });
    }
    for (group, members) in graph.groups.iter().enumerate() {
        for update in &members.updates {
            steps.extend(activate_step(plan, playbook, group, update)?);
            let by_command = update.licence.as_ref().is_some_and(|licence| licence.activate.by.as_str() == BY_COMMAND);
            if by_command && !operations.prepare.is_empty() {
                // Offers that the CMS remembers are those without the licence.
                steps.push(Action::Prepare { commands: operations.prepare.clone() });
            }
            steps.push(update_step(plan, playbook, group, update)?);
        }
        let core = members.updates.iter().any(|update| update.component.kind.is_core());
        let closely = depth == Depth::Full;
        steps.extend(migrate(Some(group)).filter(|_| core || closely));
        steps.extend(settle(Some(group)).filter(|_| closely));
        let on = maintenance.map(|switch| Action::MaintenanceOn { command: switch.on.clone() });
        if closely {
            // As at the end: what only full checks see may need a site that lets everybody in.
            steps.extend(off());
            steps.push(Action::Check { depth, group: Some(group), patience });
            steps.extend(on);
        } else {
            // An update may have ended the CMS's own maintenance mode.
            steps.extend(on);
            steps.push(Action::Check { depth, group: Some(group), patience });
        }
    }
    if graph.languages && !operations.languages.is_empty() {
        steps.push(Action::Languages { commands: operations.languages.clone() });
    }
    steps.extend(migrate(None));
    steps.extend(settle(None));
    steps.extend(off());
    steps.push(Action::Check { depth: Depth::Full, group: None, patience });
    if armed {
        steps.push(Action::Disarm);
    }
    Ok(steps)
}

/// Enters the licence that the update needs, where it needs one.
fn activate_step(
    plan: &Plan,
    playbook: &Playbook,
    group: usize,
    update: &Update,
) -> Result<Option<Action>, ProcedureError> {
    let Some(licence) = &update.licence else { return Ok(None) };
    let (way, component) = (&licence.activate, &update.component);
    let failed = |source| ProcedureError::Command {
        site: plan.site.clone(),
        what: format!("the licence of {component}"),
        source,
    };
    let (command, probe, parse) = if way.by.as_str() == BY_COMMAND {
        (literal(&way.run).map_err(failed)?, literal(&way.probe).map_err(failed)?, None)
    } else {
        let activate = playbook.operations.activate.iter().find(|(name, _)| name.as_str() == way.by.as_str());
        let Some((_, activate)) = activate else {
            let what = format!("the licence of {component}: it can't enter {}", way.by);
            return Err(ProcedureError::NoOperation { site: plan.site.clone(), what });
        };
        let name = way.name.as_ref().map_or_else(String::new, ToString::to_string);
        let values: Values =
            [("name", name), ("slug", component.slug.to_string()), ("kind", component.kind.to_string())]
                .map(|(key, value)| (key.to_owned(), value))
                .into();
        let fill = |template: &CommandTemplate| partly(template, &values).map_err(failed);
        let probe = fill(&activate.probe.command())?;
        (fill(&activate.command())?, probe, Some(Box::new(activate.probe.parse.clone())))
    };
    let (pool, component) = (licence.pool.clone(), component.clone());
    Ok(Some(Action::Activate { group, component, pool, command, probe, parse }))
}

fn literal(run: &[model::PlainArgument]) -> Result<CommandTemplate, ArgumentError> {
    let run = run.iter().map(|argument| Argument::literal(argument.as_str().to_owned()));
    Ok(CommandTemplate::of(run.collect::<Result<_, _>>()?))
}

fn update_step(plan: &Plan, playbook: &Playbook, group: usize, update: &Update) -> Result<Action, ProcedureError> {
    let what = || update.component.to_string();
    let operation = playbook.operations.update.get(&update.component.kind);
    let operation = operation.ok_or_else(|| ProcedureError::NoOperation { site: plan.site.clone(), what: what() })?;
    let values: Values =
        [("slug".to_owned(), update.component.slug.to_string()), ("version".to_owned(), update.to.to_string())].into();
    let command = partly(operation, &values).map_err(|source| ProcedureError::Command {
        site: plan.site.clone(),
        what: what(),
        source,
    })?;
    Ok(Action::Update {
        group,
        component: update.component.clone(),
        from: update.from.clone(),
        to: update.to.clone(),
        command,
    })
}

/// Fills in what is known now; the host's and the run's own values stay open.
fn partly(template: &CommandTemplate, values: &Values) -> Result<CommandTemplate, ArgumentError> {
    let run = template.run.iter().map(|argument| {
        if argument.names().iter().all(|name| values.contains_key(*name)) {
            Argument::literal(argument.render(values)?)
        } else {
            Ok(argument.clone())
        }
    });
    Ok(CommandTemplate { run: run.collect::<Result<_, _>>()?, ..template.clone() })
}

/// A length of time as people say it.
fn duration(seconds: u64) -> String {
    match seconds {
        60.. if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn named(index: usize, action: Action) -> Step {
    let what = match &action {
        Action::Lock => "lock".into(),
        Action::Baseline { .. } => "baseline checks".into(),
        Action::Snapshot { moment: SnapshotMoment::Before } => "snapshot before".into(),
        Action::Snapshot { moment: SnapshotMoment::After } => "snapshot after".into(),
        Action::Arm { after_s, .. } => format!("arm the dead man's switch ({})", duration(*after_s)),
        Action::Disarm => "disarm the dead man's switch".into(),
        Action::MaintenanceOn { .. } => "maintenance on".into(),
        Action::Prepare { .. } => "prepare".into(),
        Action::Activate { component, pool, .. } => format!("enter the licence of {component} (pool {pool})"),
        Action::Update { component, from, to, .. } => format!("update {component} {from} → {to}"),
        Action::Migrate { .. } => "migrate the database".into(),
        Action::Languages { .. } => "update languages".into(),
        Action::Check { depth: Depth::Quick, .. } => "quick checks".into(),
        Action::Check { depth: Depth::Full, .. } => "full checks".into(),
        Action::Flush { .. } => "flush caches".into(),
        Action::Restart { .. } => "restart processes".into(),
        Action::MaintenanceOff { .. } => "maintenance off".into(),
        Action::Unlock => "unlock".into(),
    };
    Step { name: format!("{:02} {what}", index + 1), action }
}

/// The playbook's checks, with the pages that the site names, the plan's, and the error log if the site has one.
fn checks(plan: &Plan, playbook: &Playbook, inventory: Option<&Inventory>) -> Vec<Check> {
    let mut all: Vec<Check> = playbook.checks.iter().map(|check| resolved(check, Source::Playbook)).collect();
    let pages = inventory.map(|inventory| inventory.pages.as_slice()).unwrap_or_default();
    all.extend(pages.iter().map(|page| resolved(&like_front(playbook, page), Source::Playbook)));
    all.extend(plan.checks.iter().map(|check| resolved(check, Source::Plan)));
    all.extend(inventory.and_then(|inventory| inventory.error_log.clone()).map(Check::log));
    Check::make_distinct(all)
}

/// The playbook's check of the front page, for another page; its status only has to stay, for nobody chose that page.
fn like_front(playbook: &Playbook, page: &PagePath) -> model::Check {
    let front = playbook.checks.iter().find_map(|check| match check {
        model::Check::Http(http) if http.http.as_str() == "/" => Some(http.forbid.clone()),
        _ => None,
    });
    model::Check::Http(model::HttpCheck {
        http: page.clone(),
        status: None,
        same_status: true,
        contains: Default::default(),
        forbid: front.unwrap_or_default(),
        max_ms: None,
        redirects_to: None,
        min_size_percent: None,
    })
}

/// Whose check it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Values are inserted into its commands.
    Playbook,
    /// Its commands are taken as they are.
    Plan,
}

/// Every check is quick but for commands, which may take long.
fn resolved(check: &model::Check, source: Source) -> Check {
    match check {
        model::Check::Http(http) => {
            let mut one = Check::http(http.http.as_str());
            one.kind = CheckKind::Http(HttpCheck {
                path: http.http.as_str().to_owned(),
                status: match (http.status_rule(), http.status) {
                    (model::StatusRule::Is(status), Some(_)) => StatusRule::OneOf(vec![status]),
                    (model::StatusRule::Is(_), None) => StatusRule::Good,
                    (model::StatusRule::Same, _) => StatusRule::SameAsBefore,
                    (model::StatusRule::Redirect, _) => StatusRule::OneOf(vec![301, 302, 303, 307, 308]),
                },
                contains: http.contains.iter().map(str::to_owned).collect(),
                forbid: http.forbid.iter().map(str::to_owned).collect(),
                redirects_to: http.redirects_to.as_ref().map(|target| target.as_str().to_owned()),
                max_ms: http.max_ms.map(u64::from),
                min_percent: http.min_size_percent.unwrap_or(MIN_PERCENT),
                bypass_cache: true,
                waiting: None,
            });
            one
        }
        model::Check::Command(command) => {
            let mut one = Check::command(command.command.iter().map(|argument| argument.as_str().to_owned()));
            if let CheckKind::Command(kind) = &mut one.kind {
                kind.open = source == Source::Playbook && kind.argv.iter().any(|argument| argument.contains("{{"));
                kind.exit = vec![i32::from(command.exit)];
                kind.equals = command.equals.clone();
                kind.contains = command.contains.iter().map(str::to_owned).collect();
                kind.forbid = command.forbid.iter().map(str::to_owned).collect();
                kind.timeout_s = command.timeout.map_or(60, |timeout| timeout.as_duration().as_secs());
            }
            one
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    const PLAYBOOK: &str = "playbook: 1
cms: nanocms
title: NanoCMS
detect: [nano.php]
versions: { scheme: semver }
scripts: [look.js]
tools: { node: { find: [node] } }
facts:
  site: { run: [node, \"{{scripts}}/look.js\"], parse: { json: whole } }
read: { run: [node, \"{{scripts}}/look.js\"], parse: { json: whole } }
operations:
  update: {}
  flush:
    - { run: [rm, -f, cache] }
  restart:
    - { run: [node, \"{{scripts}}/look.js\", restart] }
checks:
  - { command: [node, \"{{scripts}}/look.js\", \"{{root}}\"] }
  - { command: [node, --version] }
";
    const PLAN: &str = "plan: 1
site: shop
client: { name: Shop, language: en }
tier: advanced
cms: nanocms
url: https://shop.example/
host: { local: /srv/shop }
checks:
  - { command: [docker, inspect, --format, \"{{.State.Running}}\"] }
";

    fn procedure() -> Procedure {
        let playbook = crate::playbook::parse(Path::new("playbook.yaml"), PLAYBOOK).unwrap();
        let plan = crate::plan::parse(Path::new("shop.yaml"), PLAN, &["nanocms"]).unwrap();
        let inventory = Inventory::from_document(&plan.site, json!({"core": {"version": "1.4.0"}})).unwrap();
        let graph = UpdateGraph { groups: Vec::new(), holds: Vec::new(), languages: true };
        build(&plan, &playbook, Digest::of(b"x"), &inventory, &graph, Depth::Quick).unwrap()
    }

    #[test]
    fn a_restart_is_a_step_of_its_own_after_the_caches() {
        let steps = procedure().steps;
        let place = steps.iter().position(|step| matches!(step.action, Action::Flush { .. })).unwrap();
        assert!(steps[place].name.ends_with(" flush caches"), "{}", steps[place].name);
        assert!(steps[place + 1].name.ends_with(" restart processes"), "{}", steps[place + 1].name);
        let Action::Flush { commands, .. } = &steps[place].action else { panic!("{steps:#?}") };
        assert_eq!(commands.len(), 1, "what restarts is not among what empties caches");
        let Action::Restart { commands, .. } = &steps[place + 1].action else { panic!("{steps:#?}") };
        assert_eq!(commands.len(), 1);
    }

    #[test]
    fn values_are_inserted_into_the_checks_of_a_playbook_alone() {
        let open = |check: &Check| match &check.kind {
            CheckKind::Command(command) => Some((command.argv[0].clone(), command.open)),
            _ => None,
        };
        let seen: Vec<(String, bool)> = procedure().checks.iter().filter_map(open).collect();
        assert_eq!(seen, [("node".to_owned(), true), ("node".to_owned(), false), ("docker".to_owned(), false)]);
    }
}
