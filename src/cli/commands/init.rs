//! `intendant init`.

use crate::cli::arguments::{Common, Init};
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::inventory::{self, Inventory};
use crate::model::{Digest, SiteName, Tiers};
use crate::plan;
use crate::run::{Job, NoListener, WorkError, close_site, open_site};
use crate::site::{Expect, SiteError};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Where the site is.
struct Place {
    ssh: Option<String>,
    path: String,
}

pub(in crate::cli) async fn init(common: &Common, options: &Init) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let place = place(&options.place)?;
    let name = site_name(options.site.as_deref(), &place.path)?;
    let file = fleet.settings.plans.join(format!("{name}.yaml"));
    if !options.print && file.exists() {
        return Err(Failure::other(format!("{} exists already; give another --site, or --print", file.display())));
    }
    let host = host_line(&place, options)?;
    let (cms, inventory) = look(&fleet, &name, &host).await?;
    let text = document(&name, &cms, &host, &inventory, &fleet.settings.rules.tiers);
    // The plan that is written must be one that is read.
    plan::parse(&file, &text, fleet.terms(&fleet.library.names()))
        .map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    if options.print {
        show::line(text.trim_end());
        return Ok(ExitCode::OK);
    }
    let written = std::fs::create_dir_all(&fleet.settings.plans).and_then(|()| std::fs::write(&file, &text));
    written.map_err(|error| Failure::other(format!("{} can't be written: {error}", file.display())))?;
    show::line(format!("{} was written; read it, complete it, then: intendant preview {name}", file.display()));
    Ok(ExitCode::OK)
}

fn place(text: &str) -> Result<Place, Failure> {
    if text.starts_with('/') {
        return Ok(Place { ssh: None, path: text.to_owned() });
    }
    if let Some((host, path)) = text.strip_prefix("ssh://").and_then(|rest| rest.split_once('/')) {
        return Ok(Place { ssh: Some(format!("ssh://{host}")), path: format!("/{path}") });
    }
    match text.split_once(":/") {
        Some((ssh, path)) if !ssh.is_empty() => Ok(Place { ssh: Some(ssh.to_owned()), path: format!("/{path}") }),
        _ => Err(Failure {
            code: ExitCode::USAGE,
            text: format!("{text:?} does not say where the site is; write user@host:/path, or /path on this machine"),
        }),
    }
}

fn site_name(wanted: Option<&str>, path: &str) -> Result<SiteName, Failure> {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("site");
    SiteName::new(wanted.unwrap_or(last))
        .map_err(|error| Failure { code: ExitCode::USAGE, text: format!("{error}; give a name with --site") })
}

/// A value as YAML that no parser can take for something else.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn host_line(place: &Place, options: &Init) -> Result<String, Failure> {
    let Some(ssh) = &place.ssh else {
        return Ok(format!("{{ local: {} }}", quoted(&place.path)));
    };
    let mut line = format!("{{ ssh: {}, path: {}", quoted(ssh), quoted(&place.path));
    if let Some(config) = &options.ssh_config {
        let config = std::path::absolute(config).map_err(|error| Failure::other(error.to_string()))?;
        let _ = write!(line, ", ssh-config: {}", quoted(&config.display().to_string()));
    }
    line.push_str(" }");
    Ok(line)
}

/// The first playbook whose marks are there, and what it finds.
async fn look(fleet: &Fleet, name: &SiteName, host: &str) -> Result<(String, Inventory), Failure> {
    let runner = fleet.runner(Arc::new(NoListener)).await?;
    let mut tried = Vec::new();
    let mut known = Vec::new();
    for cms in fleet.library.names() {
        let (playbook, scripts) = fleet.library.load(cms).map_err(|error| Failure::new(ExitCode::USAGE, &error))?;
        known.push((cms, playbook, scripts));
    }
    // What fits any folder fits only where nothing else does.
    known.sort_by_key(|(_, playbook, _)| playbook.detect.is_empty());
    for (cms, playbook, scripts) in known {
        let text = format!(
            "plan: 1\nsite: {name}\nclient: {{ name: unknown, language: en }}\ntier: custom\ncms: {cms}\n\
             url: http://unknown.invalid/\nhost: {host}\n"
        );
        let invalid = |error: &dyn std::error::Error| Failure::new(ExitCode::USAGE, error);
        let plan = plan::parse(Path::new("(arguments)"), &text, fleet.terms(&fleet.library.names()))
            .map_err(|e| invalid(&e))?;
        let job = Job {
            plan: Arc::new(plan),
            plan_digest: Digest::of(text.as_bytes()),
            folder: std::path::PathBuf::new(),
            playbook: Arc::new(playbook),
            scripts: Arc::new(scripts),
            any_time: true,
            accept_modified: Vec::new(),
        };
        match open_site(&runner, &job, Expect::Whole, None).await {
            Ok(site) => {
                let taken = inventory::take(&site).await.map_err(WorkError::from);
                close_site(&site).await;
                return Ok((cms.to_owned(), taken?));
            }
            Err(WorkError::Site(error @ (SiteError::OtherCms { .. } | SiteError::OtherPlaybook { .. }))) => {
                tried.push(error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure { code: ExitCode::HOST, text: format!("no playbook fits the site:\n{}", tried.join("\n")) })
}

fn document(name: &SiteName, cms: &str, host: &str, inventory: &Inventory, tiers: &Tiers) -> String {
    let counted = inventory.counted();
    let tier = tiers.covering(counted);
    let url = inventory.address.clone().filter(|address| address.starts_with("http"));
    let url = url.unwrap_or_else(|| "https://unknown.invalid/".into());
    format!(
        "# A plan to start from: read every line, complete the client, the contract and the checks.\n\
         plan: 1\n\
         site: {name}\n\
         client: {{ name: {client}, language: en }}   # or fr: the language of the reports\n\
         tier: {tier}                # {counted} third-party extensions were found\n\
         cms: {cms}\n\
         url: {url}\n\
         host: {host}\n\
         # When a run may begin; at any time that someone starts it unless given.\n\
         # windows:\n\
         #   - {{ on: [tue, thu], at: \"02:00\", for: 2h, zone: America/Toronto }}\n\
         updates:\n\
        \x20 core: minor               # a major version needs an entry under approvals besides\n\
        \x20 extensions: major\n\
         # What a visitor must see; the playbook adds its own checks.\n\
         checks:\n\
        \x20 - {{ http: /, status: 200 }}\n\
         on-failure: restore\n",
        client = quoted(name.as_str()),
        url = quoted(&url),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(place("deploy@web3:/srv/www/x").unwrap().ssh.as_deref(), Some("deploy@web3"));
        assert_eq!(place("ssh://deploy@web3:2222/srv/x").unwrap().ssh.as_deref(), Some("ssh://deploy@web3:2222"));
        assert_eq!(place("ssh://deploy@web3:2222/srv/x").unwrap().path, "/srv/x");
        assert!(place("/srv/x").unwrap().ssh.is_none());
        assert!(place("nowhere").is_err());
    }
}
