//! `intendant immunity`: what broke a site and is held on similar ones, and lifting that.

use crate::cli::arguments::{Common, Immunity, ImmunityAction};
use crate::cli::fleet::{Fleet, who};
use crate::cli::{ExitCode, Failure, show};
use crate::journal::Journal as _;
use crate::ledger::{self, Decision, MAX_REASON};
use crate::model::{ComponentId, Version, clean_line};
use jiff::Timestamp;
use serde_json::json;

pub(in crate::cli) async fn immunity(common: &Common, options: &Immunity) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    match &options.action {
        None => list(&fleet, common).await,
        Some(ImmunityAction::Lift { component, version, why }) => lift(&fleet, component, version, why).await,
    }
}

async fn list(fleet: &Fleet, common: &Common) -> Result<ExitCode, Failure> {
    let all = fleet.journal().await?.ledger().await?.immunities();
    match common.json {
        true => show::json(&json!({ "immunity": 1, "list": all })),
        false if all.is_empty() => show::line("nothing that broke a site is held on others"),
        false => show::line(show::table(
            ["version", "broke", "on", "stack", "how"],
            all.iter().map(|one| {
                [
                    format!("{} {}", one.component, one.version),
                    one.site.to_string(),
                    one.since.strftime("%Y-%m-%d").to_string(),
                    stack(&one.stack),
                    clean_line(&one.why, 100),
                ]
            }),
        )),
    }
    Ok(ExitCode::OK)
}

fn stack(stack: &ledger::Stack) -> String {
    let parts = stack.platform.iter().map(|(part, train)| format!(", {part} {train}"));
    format!("{} {}{}", stack.cms, stack.core, parts.collect::<String>())
}

/// Kind and slug: a bare name is a plugin's, but for the one thing that every site has.
fn named(component: &str) -> (&str, &str) {
    let bare = if component == "core" { "core" } else { "plugin" };
    component.split_once(':').unwrap_or((bare, component))
}

async fn lift(fleet: &Fleet, component: &str, version: &str, why: &str) -> Result<ExitCode, Failure> {
    let (kind, slug) = named(component);
    let usage = |text: String| Failure { code: ExitCode::USAGE, text };
    let component = ComponentId::new(kind, slug).map_err(|error| usage(format!("{component:?}: {error}")))?;
    let version = Version::new(version).map_err(|error| usage(format!("{version:?}: {error}")))?;
    let journal = fleet.journal().await?;
    let held = journal.ledger().await?.immunities();
    if !held.iter().any(|one| one.component == component && one.version == version) {
        let text =
            format!("{component} {version} is not held for having broken a site; intendant immunity lists what is");
        return Err(Failure::absent(text));
    }
    let decision =
        Decision::Lifted { component: component.clone(), version: version.clone(), why: clean_line(why, MAX_REASON) };
    journal.decide(Timestamp::now(), &who(), &decision).await?;
    show::line(format!("{component} {version}: lifted, the next runs may take it"));
    Ok(ExitCode::OK)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_bare_name_is_a_plugins_or_the_core() {
        for (text, component) in [
            ("core", ("core", "core")),
            ("core:core", ("core", "core")),
            ("akismet", ("plugin", "akismet")),
            ("theme:blue", ("theme", "blue")),
        ] {
            assert_eq!(named(text), component, "{text}");
        }
    }
}
