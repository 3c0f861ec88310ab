//! One CMS installation on its host: its tools found, its playbook's scripts placed in a private
//! folder, its commands made from templates.
//!
//! May use: `model`, `playbook`, `remote`. Invariants: nothing of the site itself is changed
//! here; the private folder is made with mode 0700 and removed by [`Site::close`]; each command is on
//! record in it while it runs, so that another runner can end it; a tool that is brought to the
//! host has the playbook's checksum before and after the transfer.

mod bring;
mod error;
mod host;
mod lease;
mod leftovers;
mod scratch;
mod switch;

pub use bring::ToolCache;
pub use error::SiteError;
pub use host::HostFacts;
pub use lease::{Held, Holder, LEASE, Lease, renew_lease};
pub use scratch::{Leftover, Needed, Scratch, ScratchError, ScratchPlace, ScratchRecord};
pub use switch::{Arming, Healed, Switch, SwitchState, SwitchedDatabase};

use crate::model::{RunId, SiteName};
use crate::playbook::{Argument, CommandTemplate, Fact, Mark, Playbook, RawOutput, RelativePath, Script, Tool, Values};
use crate::remote::{Command, Guard, Output, RecordedShell, Shell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which site, and what is needed to open it.
#[derive(Clone)]
pub struct SiteAddress {
    /// Its name in the plan.
    pub name: SiteName,
    /// Its folder on the host, absolute.
    pub root: String,
    /// Its public address.
    pub url: String,
    /// For which run it is opened, if for one: another runner can tell what is left of it.
    pub run: Option<RunId>,
    /// The lease under which its commands work, once there is one.
    pub guard: Guard,
}

/// The folder, within the private one, that belongs to the tools.
const SCRATCH: &str = ".scratch";

/// What the site must look like to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The playbook's marks are there, and every tool answers.
    Whole,
    /// Anything: an interrupted update may have left half a tree, which is to be put back. A tool
    /// that loads the site's code, or is part of it, can't answer then; whoever needs it learns so.
    Anything,
}

/// An opened site.
pub struct Site {
    /// Which one.
    pub address: SiteAddress,
    /// Its host's shell.
    pub shell: Arc<dyn Shell>,
    /// Its CMS.
    pub playbook: Arc<Playbook>,
    /// What was seen of the host.
    pub host: HostFacts,
    tools: BTreeMap<String, Vec<String>>,
    values: Values,
}

impl Site {
    /// Looks at the host, places the scripts and finds the tools: two round trips, and one more
    /// for each tool that is probed or brought.
    ///
    /// # Errors
    /// The folder is missing or holds something else, a tool is missing, the host can't be used.
    pub async fn open(
        shell: Arc<dyn Shell>,
        address: SiteAddress,
        playbook: Arc<Playbook>,
        scripts: &[Script],
        cache: &ToolCache,
        expect: Expect,
    ) -> Result<Self, SiteError> {
        let host = host::look(shell.as_ref(), &address, &playbook, scripts).await?;
        let shell: Arc<dyn Shell> = Arc::new(RecordedShell::new(
            shell,
            format!("{}/{}", host.folder, leftovers::RECORDS),
            address.guard.clone(),
        ));
        let values = Values::from(
            [
                ("root", host.root.clone()),
                ("url", address.url.clone()),
                ("scripts", host.folder.clone()),
                ("scratch", format!("{}/{SCRATCH}", host.folder)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let mut site = Self { address, shell, playbook, host, tools: BTreeMap::new(), values };
        let opened = match site.check_detected() {
            Err(error) if expect == Expect::Whole => Err(error),
            _ => site.find_tools(cache, expect).await,
        };
        match opened {
            Ok(()) => Ok(site),
            Err(error) => {
                site.close().await;
                Err(error)
            }
        }
    }

    fn check_detected(&self) -> Result<(), SiteError> {
        let is_there = |path: &RelativePath| self.host.present.iter().any(|seen| seen == path.as_str());
        let is_met = |mark: &&Mark| mark.paths().iter().any(is_there);
        if let Some(other) = self.playbook.instead.iter().find(|other| other.detect.iter().all(|mark| is_met(&mark))) {
            return Err(SiteError::OtherPlaybook {
                site: self.address.name.clone(),
                root: self.address.root.clone(),
                why: other.why.clone(),
                cms: other.cms.as_str().to_owned(),
            });
        }
        let missing = self.playbook.detect.iter().filter(|mark| !is_met(mark));
        let missing: Vec<String> = missing.map(ToString::to_string).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(SiteError::OtherCms {
            site: self.address.name.clone(),
            root: self.address.root.clone(),
            cms: self.playbook.title.clone(),
            missing,
        })
    }

    async fn find_tools(&mut self, cache: &ToolCache, expect: Expect) -> Result<(), SiteError> {
        let playbook = Arc::clone(&self.playbook);
        // A tool may stand on another one (`{{php}}`), so those without placeholders come first.
        let mut tools: Vec<_> = playbook.tools.iter().collect();
        tools.sort_by_key(|(_, tool)| tool.run.iter().flat_map(|part| part.names()).count());
        for (name, tool) in tools {
            let found = match self.find_tool(name.as_str(), tool, cache).await {
                Ok(()) if expect == Expect::Whole => self.probe_tool(name.as_str(), tool).await,
                found => found,
            };
            match found {
                Err(error) if expect == Expect::Whole => return Err(error),
                Err(error) => tracing::warn!(%error, "the site is opened without this tool"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn find_tool(&mut self, name: &str, tool: &Tool, cache: &ToolCache) -> Result<(), SiteError> {
        let found = tool.find.iter().find_map(|candidate| self.host.programs.get(candidate.as_str()));
        let program = match (found, &tool.bring) {
            (Some(program), _) => program.clone(),
            (None, Some(bring)) => bring::place(self, bring, cache).await?,
            (None, None) => {
                return Err(SiteError::NoTool {
                    site: self.address.name.clone(),
                    tool: name.to_owned(),
                    tried: tool.find.iter().map(|t| t.as_str().to_owned()).collect(),
                    host: self.shell.host().to_owned(),
                });
            }
        };
        let mut values = self.values.clone();
        values.insert("program".into(), program.clone());
        let run = tool.run.iter().map(|part| part.render(&values)).collect::<Result<Vec<_>, _>>();
        let run = run.map_err(|source| SiteError::Template { site: self.address.name.clone(), source })?;
        self.values.insert(name.to_owned(), program);
        self.tools.insert(name.to_owned(), run);
        Ok(())
    }

    async fn probe_tool(&self, name: &str, tool: &Tool) -> Result<(), SiteError> {
        let Some(probe) = &tool.probe else { return Ok(()) };
        let arguments = probe.args.iter().map(|part| part.as_str().to_owned());
        let argv: Vec<String> = std::iter::once(name.to_owned()).chain(arguments).collect();
        let output = self.shell.run(&self.resolved(&argv)).await?;
        if output.ok() && output.text().contains(&probe.contains) {
            return Ok(());
        }
        Err(SiteError::WrongTool { site: self.address.name.clone(), tool: name.to_owned(), said: output.tail() })
    }

    /// Whether the connection is alive and the playbook's scripts are still in their place: a host
    /// cleans its temporary folder when it likes.
    pub async fn is_ready(&self) -> bool {
        const READY: &str = r#"cd -- "$1" || exit 1; shift; for f; do [ -f "./$f" ] || exit 1; done"#;
        let scripts = self.playbook.scripts.iter().map(|name| name.as_str().to_owned());
        let values = std::iter::once(self.host.folder.clone()).chain(scripts);
        self.shell.run(&Command::script(READY, values)).await.is_ok_and(|output| output.ok())
    }

    /// The values that every template of this site may use.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The absolute path of the site's folder, links resolved.
    pub fn root(&self) -> &str {
        &self.host.root
    }

    /// The programs that tools stand for, for `doctor`.
    pub fn tools(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.tools.iter().map(|(name, run)| (name.as_str(), run.as_slice()))
    }

    /// A command from an argument vector whose first element may be a tool's name. It runs in
    /// the site's folder.
    pub fn resolved(&self, argv: &[String]) -> Command {
        let (first, rest) = match argv.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, argv),
        };
        let head = first.map(|name| self.tools.get(name).cloned().unwrap_or_else(|| vec![name.clone()]));
        let argv = head.unwrap_or_default().into_iter().chain(rest.iter().cloned());
        Command::new(argv).in_folder(self.host.root.clone())
    }

    /// Arguments with the site's values in the place of their placeholders.
    ///
    /// # Errors
    /// A placeholder without a value, or a value that can't stand in its place.
    pub fn inserted(&self, arguments: &[String]) -> Result<Vec<String>, SiteError> {
        let broken = |source| SiteError::Template { site: self.address.name.clone(), source };
        let rendered = |text: &String| Argument::template(text.clone())?.render(&self.values);
        arguments.iter().map(|text| rendered(text).map_err(broken)).collect()
    }

    /// A command from a template, with values besides the site's own.
    pub fn command(&self, template: &CommandTemplate, more: &Values) -> Result<Command, SiteError> {
        let mut values = self.values.clone();
        values.extend(more.clone());
        let argv = template
            .arguments(&values)
            .map_err(|source| SiteError::Template { site: self.address.name.clone(), source })?;
        Ok(self.resolved(&argv).within(template.timeout.as_duration()))
    }

    /// What a fact's command prints in a folder of the host; and the command as people read it.
    pub async fn printed(&self, folder: &str, fact: &Fact, more: &Values) -> Result<(String, Output), SiteError> {
        let command = self.command(&fact.command(), more)?.in_folder(folder).printing_at_most(64 << 20);
        let output = self.shell.run(&command).await?;
        Ok((command.shown(), output))
    }

    /// Observes a fact: runs its command and applies its transform.
    pub async fn observe(&self, name: &str, fact: &Fact) -> Result<serde_json::Value, SiteError> {
        self.observe_in(self.root(), name, fact, &Values::new()).await
    }

    /// The same in another folder, with values besides the site's own.
    pub async fn observe_in(
        &self,
        folder: &str,
        name: &str,
        fact: &Fact,
        more: &Values,
    ) -> Result<serde_json::Value, SiteError> {
        let (command, output) = self.printed(folder, fact, more).await?;
        if !fact.allows(output.status) {
            return Err(SiteError::Fact {
                site: self.address.name.clone(),
                fact: name.to_owned(),
                command,
                status: output.status,
                said: output.tail(),
            });
        }
        let raw = RawOutput { exit: output.status, stdout: &output.stdout, stderr: &output.stderr };
        fact.parse.apply(&raw).map_err(|source| SiteError::Unreadable {
            site: self.address.name.clone(),
            fact: name.to_owned(),
            said: output.tail(),
            source,
        })
    }
}
