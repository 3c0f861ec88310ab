//! A temporary folder with plans, journal, snapshots and reports, and the program run in it.

use super::Testbed;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where one operator works.
pub struct Environment {
    folder: tempfile::TempDir,
}

/// What the program did.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Asserts the exit code.
    #[track_caller]
    pub fn ended(self, code: i32, what: &str) -> Self {
        let found = self.code;
        assert_eq!(found, Some(code), "{what}: exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Asserts that something was said, on either stream.
    #[track_caller]
    pub fn said(self, text: &str) -> Self {
        let all = format!("{}\n{}", self.out, self.err);
        assert!(all.contains(text), "not said: {text}\n{all}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}):\n{}{}", self.out, self.err))
    }

    /// The outcome in `run --json`.
    #[track_caller]
    pub fn outcome(&self) -> String {
        self.json()["runs"][0]["outcome"].as_str().unwrap_or("none").to_owned()
    }
}

impl Environment {
    /// A place with the plan `shop` for this site; `more` is added to the plan.
    pub fn new(bed: &Testbed, more: &str) -> Self {
        let environment = Self::empty();
        environment.plan(bed, more);
        environment
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program to its end: its exit code, and all that it said.
    pub fn ran(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Ran { code, out, err } = self.intendant(arguments);
        (code, out + &err)
    }

    /// A place without any plan.
    pub fn empty() -> Self {
        let environment = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["home", "plans"] {
            std::fs::create_dir(environment.path(folder)).unwrap();
        }
        environment
    }

    /// Writes the plan `shop` anew.
    pub fn plan(&self, bed: &Testbed, more: &str) {
        let config = bed.described["ssh_config"].as_str().unwrap();
        self.plan_at(bed, &format!("{{ ssh: site, ssh-config: {config}, path: {} }}", bed.docroot), more);
    }

    /// A place with the plan `shop` for a site of any CMS that takes whatever is offered, its core up to this version.
    pub fn of_any(bed: &Testbed, core: &str) -> Self {
        let environment = Self::empty();
        let config = bed.described["ssh_config"].as_str().unwrap();
        let text = format!(
            "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: advanced\ncms: {}\nurl: {}\n\
             host: {{ ssh: site, ssh-config: {config}, path: {} }}\nupdates:\n  core: major\n  extensions: major\n\
             approvals:\n  - {{ component: core, version: \"{core}\", by: Tests, on: 2026-01-01 }}\n",
            bed.cms, bed.url, bed.docroot
        );
        std::fs::write(environment.path("plans/shop.yaml"), text).unwrap();
        environment
    }

    /// The same with another host.
    pub fn plan_at(&self, bed: &Testbed, host: &str, more: &str) {
        let checks = if more.contains("checks:") { "" } else { "checks:\n  - { http: /, contains: Lucie }\n" };
        let text = format!(
            "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: advanced\ncms: wordpress\n\
             url: {}\nhost: {host}\nupdates:\n  core: major\n  extensions: major\n  together: [[tb-base, tb-addon]]\n\
             approvals:\n  - {{ component: core, version: 7.1.1, by: Tests, on: 2026-01-01 }}\npatience: {}\n{checks}{more}\n",
            bed.url, bed.patience
        );
        std::fs::write(self.path("plans/shop.yaml"), text).unwrap();
    }

    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The program, about to be started in here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
        for (name, below) in [
            ("HOME", "home"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "xdg-state"),
            ("XDG_DATA_HOME", "xdg-data"),
            ("XDG_CONFIG_HOME", "xdg-config"),
            ("INTENDANT_PLANS", "plans"),
            ("INTENDANT_STATE", "state"),
            ("INTENDANT_STORE", "store"),
            ("INTENDANT_REPORTS", "reports"),
        ] {
            command.env(name, self.path(below));
        }
        command
    }

    /// Runs the program to its end.
    pub fn intendant(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Starts the program and waits until a line of its standard error contains `sign`. Returns
    /// the program and what it said; false when it ended without the sign.
    pub fn until(&self, arguments: &[&str], sign: &str) -> (Child, Vec<String>, bool) {
        let mut child = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = Vec::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            let found = line.contains(sign);
            said.push(line);
            if found {
                // Whoever writes to a pipe that nobody reads gets a signal: keep reading.
                std::thread::spawn(move || lines.for_each(drop));
                return (child, said, true);
            }
        }
        (child, said, false)
    }

    /// Runs the program to its end, and strikes this long after a line with `sign`. Returns also how long it took
    /// from there to the end; none when the sign never came.
    pub fn struck(
        &self,
        arguments: &[&str],
        sign: &str,
        after: Duration,
        strike: impl FnOnce() + Send,
    ) -> (Ran, Option<Duration>) {
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut err, mut begun, mut strike) = (String::new(), None, Some(strike));
        let text = std::thread::scope(|scope| {
            let text = scope.spawn(move || {
                let mut text = String::new();
                std::io::Read::read_to_string(&mut out, &mut text).unwrap();
                text
            });
            for line in lines.map_while(Result::ok) {
                if let (true, Some(strike)) = (line.contains(sign), strike.take_if(|_| line.contains(sign))) {
                    begun = Some(Instant::now() + after);
                    scope.spawn(move || {
                        std::thread::sleep(after);
                        strike();
                    });
                }
                err.push_str(&line);
                err.push('\n');
            }
            text.join().unwrap()
        });
        let code = child.wait().unwrap().code();
        (Ran { code, out: text, err }, begun.map(|begun| begun.elapsed()))
    }

    /// Starts the program and kills it this long after a line with `sign`.
    #[track_caller]
    pub fn killed_at(&self, arguments: &[&str], sign: &str, after: Duration) {
        let (mut child, said, found) = self.until(arguments, sign);
        std::thread::sleep(after);
        let _ = child.kill();
        child.wait().unwrap();
        assert!(found, "{arguments:?} ended and never said {sign:?}:\n{}", said.join("\n"));
    }
}
