//! `intendant demo`: the main job on a real throwaway site, once well and once badly.

use crate::cli::arguments::{Common, Demo};
use crate::cli::fleet::Fleet;
use crate::cli::progress::Show;
use crate::cli::{ExitCode, Failure, show};
use crate::model::Outcome;
use crate::plan::{Host, Plan};
use crate::run::{self, Ended};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// The plan of the demo, as it is shipped; address and host are those of the throwaway site.
const PLAN: &str = include_str!("../../../plans/examples/demo.yaml");

pub(in crate::cli) async fn demo(common: &Common, options: &Demo) -> Result<ExitCode, Failure> {
    let testbed = testbed_program()?;
    let folder = options.folder.clone().unwrap_or_else(|| "demo".into());
    let folder = std::path::absolute(folder).map_err(|error| Failure::other(error.to_string()))?;
    show::line("Bringing up a throwaway site: sshd, MariaDB, php-fpm, nginx and a CMS (the first time takes minutes).");
    // It installs what this site is made of, and not what the tests need besides.
    let mut site = Testbed::up(&testbed, options.keep)?;
    let ended = scenes(common, &folder, &site).await;
    if options.keep {
        site.keep = true;
        show::line(format!(
            "\nThe site is still up: {}\nEnd it with: {} down {}",
            site.url,
            testbed.display(),
            site.dir
        ));
    }
    ended
}

async fn scenes(common: &Common, folder: &Path, site: &Testbed) -> Result<ExitCode, Failure> {
    let plans = folder.join("plans");
    write_plan(&plans.join("demo.yaml"), site)?;
    let options = Common {
        settings: None,
        plans: Some(plans.clone()),
        playbooks: common.playbooks.clone(),
        state: Some(folder.join("state")),
        store: Some(folder.join("snapshots")),
        identity: None,
        reports: Some(folder.join("reports")),
        json: false,
        verbose: common.verbose,
    };
    let fleet = Fleet::open(&options)?;
    let runner = fleet.runner(Arc::new(Show::new())).await?;
    let job = fleet.job("demo")?;

    show::line(format!("\n— What will be done: intendant preview demo --plans {}\n", plans.display()));
    let preview = run::preview(&runner, &job).await?;
    show::preview("demo", (job.plan.extension_cap(), &job.plan.tiers), &preview, &preview.protected);

    show::line("\n— The run: intendant run demo\n");
    let good = run::run(&runner, &job).await?;
    tell(&fleet, &runner, &good).await;

    show::line("\n— Now the next version of one plugin breaks the site on the web: intendant run demo\n");
    call(&site.program, &["offer", &site.dir, "plugin", "tb-broken", "1.1"])?;
    let before = fingerprint(site)?;
    let broken = run::run(&runner, &job).await?;
    tell(&fleet, &runner, &broken).await;
    let same = before == fingerprint(site)?;
    show::line(format!(
        "\nFiles and tables before and after, compared by find, sha256sum and mariadb-dump: {}",
        if same { "identical" } else { "DIFFERENT" }
    ));
    show::line(format!(
        "\nLook around:\n  intendant snapshot list --store {s}\n  intendant report demo --plans {p} --state {t}\n  reports: {r}",
        s = folder.join("snapshots").display(),
        p = plans.display(),
        t = folder.join("state").display(),
        r = folder.join("reports").display()
    ));
    let well = matches!(good.outcome, Outcome::Completed | Outcome::CompletedWithHolds);
    Ok(if well && broken.outcome == Outcome::Restored && same { ExitCode::OK } else { ExitCode::OTHER })
}

async fn tell(fleet: &Fleet, runner: &run::Runner, ended: &Ended) {
    show::line(format!("demo: {} · {}", ended.outcome, ended.summary));
    match super::report::write(fleet, runner, ended.run).await {
        Ok(files) => files.iter().for_each(|file| show::line(format!("  {}", file.display()))),
        Err(failure) => show::remark(format!("no report was written: {}", failure.text)),
    }
}

fn write_plan(file: &Path, site: &Testbed) -> Result<(), Failure> {
    let invalid = |error: &dyn std::error::Error| Failure::new(ExitCode::INVALID, error);
    let known = crate::playbook::Library::shipped();
    let example = Path::new("plans/examples/demo.yaml");
    let mut plan: Plan = crate::plan::parse(example, PLAN, &known.names()).map_err(|error| invalid(&error))?;
    plan.url = crate::plan::SiteUrl::new(site.url.clone()).map_err(|error| invalid(&error))?;
    if let Host::Ssh(host) = &mut plan.host {
        host.path = crate::plan::AbsolutePath::new(site.docroot.clone()).map_err(|error| invalid(&error))?;
        host.ssh_config = Some(crate::plan::LocalPath::new(site.ssh_config.clone()).map_err(|error| invalid(&error))?);
    }
    let text = serde_yaml::to_string(&plan).map_err(|error| invalid(&error))?;
    let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
    written.map_err(|error| Failure::other(format!("{} can't be written: {error}", file.display())))
}

/// The testbed's program: below the working folder, or beside the build that runs.
fn testbed_program() -> Result<PathBuf, Failure> {
    let below = |folder: &Path| folder.join("tests/testbed/testbed");
    let here = std::env::current_dir().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    let mut places = std::iter::once(below(&here)).chain(program.ancestors().map(below));
    places.find(|place| place.is_file()).ok_or_else(|| {
        Failure::absent("the demo needs tests/testbed of the project: run it in a checkout of the project")
    })
}

fn call(program: &Path, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
    let failed = |text: String| Failure::other(format!("{} {}: {text}", program.display(), arguments.join(" ")));
    let output = Command::new(program)
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(failed(format!("ended with {}", output.status))),
    }
}

fn fingerprint(site: &Testbed) -> Result<Vec<u8>, Failure> {
    call(&site.program, &["fingerprint", &site.dir])
}

/// One instance of the testbed; taken down at the end.
struct Testbed {
    program: PathBuf,
    dir: String,
    url: String,
    docroot: String,
    ssh_config: String,
    keep: bool,
}

impl Testbed {
    fn up(program: &Path, keep: bool) -> Result<Self, Failure> {
        let pid = std::process::id().to_string();
        let mut arguments = vec!["up"];
        if !keep {
            arguments.extend(["--watch", &pid]);
        }
        let said = call(program, &arguments)?;
        let described: Value = serde_json::from_slice(&said)
            .map_err(|error| Failure::other(format!("the testbed does not say where it is: {error}")))?;
        let text = |key: &str| described[key].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            program: program.to_owned(),
            dir: text("dir"),
            url: text("url"),
            docroot: text("docroot"),
            ssh_config: text("ssh_config"),
            keep: false,
        })
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        if !self.keep {
            // The watcher ends it too, should this fail.
            let _ = call(&self.program, &["down", &self.dir]);
        }
    }
}
