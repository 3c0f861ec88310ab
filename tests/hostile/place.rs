//! A site on this machine whose programs say what a case wants, and the program that works on it.

use super::web::Web;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that anything may take here.
const LONGEST: Duration = Duration::from_secs(100);
/// The most that a command may print that is kept.
const MOST_BYTES: u64 = 64 << 20;

pub(crate) struct Place {
    folder: tempfile::TempDir,
    _web: Web,
}

/// What the program did.
pub(crate) struct Ran {
    pub(crate) what: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The most memory that it had.
    pub(crate) peak_kib: u64,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }

    /// It ended with one of these codes and said this.
    pub(crate) fn ended(&self, codes: &[i32], says: &str) -> Result<(), String> {
        let tail: String = self.all().chars().take(1500).collect();
        if !self.code.is_some_and(|code| codes.contains(&code)) {
            return Err(format!("{} ended with {:?} after {:?}:\n{tail}", self.what, self.code, self.took));
        }
        if self.all().contains(says) { Ok(()) } else { Err(format!("{} does not say {says:?}:\n{tail}", self.what)) }
    }

    /// Nothing in what it printed acts upon a terminal.
    pub(crate) fn is_plain(&self) -> Result<(), String> {
        match self.all().chars().find(|c| acts_on_a_terminal(*c)) {
            None => Ok(()),
            Some(odd) => {
                let line = self.all().lines().find(|line| line.contains(odd)).unwrap_or_default().to_owned();
                Err(format!("{} prints {odd:?}: {line:?}", self.what))
            }
        }
    }
}

/// Control characters but the end of a line, and what changes the direction of writing.
pub(crate) fn acts_on_a_terminal(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Place {
    pub(crate) fn new() -> Self {
        let web = Web::pages();
        let place = Self { folder: tempfile::Builder::new().prefix("hostile").tempdir().unwrap(), _web: web };
        for folder in ["home", "plans", "bin", "answers", "site"] {
            std::fs::create_dir(place.path(folder)).unwrap();
        }
        std::fs::write(place.path("site/toy.txt"), "toy").unwrap();
        // What it is asked for is a file, or a program that takes the file's place.
        place.program(
            "toy",
            "here=${0%/*}/../answers\nprintf '%s\\n' \"$@\" >>\"$here/asked\"\n\
             [ ! -x \"$here/$1.sh\" ] || exec \"$here/$1.sh\" \"$@\"\n[ ! -e \"$here/$1\" ] || cat \"$here/$1\"",
        );
        place.answer("status", "@toy@{\"core\": {\"title\": \"Toy\", \"version\": \"1.0\"}}\n");
        place.answer("versions", "@toy@{\"versions\": {\"core:core\": \"1.0\"}}\n");
        place.plan("");
        place
    }

    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A program that the site's host has before all others.
    pub(crate) fn program(&self, name: &str, body: &str) {
        self.script(&format!("bin/{name}"), body);
    }

    fn script(&self, below: &str, body: &str) {
        let path = self.path(below);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What the site's own program prints when it is asked for this.
    pub(crate) fn answer(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path("answers").join(name), text).unwrap();
    }

    /// What it runs when it is asked for this.
    pub(crate) fn acts(&self, name: &str, body: &str) {
        self.script(&format!("answers/{name}.sh"), body);
    }

    /// The plan; `more` is added to it.
    pub(crate) fn plan(&self, more: &str) {
        let root = self.path("site");
        let text = format!(
            "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: custom\ncms: toy\nurl: {}\n\
             host: {{ local: {:?} }}\n{more}\n",
            self._web.url,
            root.to_str().unwrap()
        );
        std::fs::write(self.path("plans/shop.yaml"), text).unwrap();
    }

    /// The file that nothing of a site may make.
    pub(crate) fn canary(&self) -> PathBuf {
        self.path("canary")
    }

    pub(crate) fn nothing_ran(&self) -> Result<(), String> {
        let found = [self.canary(), PathBuf::from("/CANARY")].into_iter().find(|path| path.exists());
        found.map_or(Ok(()), |path| Err(format!("{} came into being", path.display())))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).env("LC_ALL", "C.UTF-8").env("TMPDIR", self.folder.path());
        let playbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/playbooks");
        command.env("INTENDANT_PLAYBOOKS", playbooks);
        for (name, below) in [
            ("HOME", "home"),
            ("XDG_CACHE_HOME", "cache"),
            ("INTENDANT_PLANS", "plans"),
            ("INTENDANT_STATE", "state"),
            ("INTENDANT_STORE", "store"),
            ("INTENDANT_REPORTS", "reports"),
        ] {
            command.env(name, self.path(below));
        }
        command
    }

    /// Runs the program to its end, and watches how much memory it takes.
    pub(crate) fn intendant(&self, arguments: &[&str]) -> Ran {
        let began = Instant::now();
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let read = |pipe: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = std::io::Read::read_to_end(&mut std::io::Read::take(pipe, MOST_BYTES), &mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        };
        let out = read(Box::new(child.stdout.take().unwrap()));
        let err = read(Box::new(child.stderr.take().unwrap()));
        let status = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0;
        let code = loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
            peak_kib = peak_kib.max(line.trim().trim_end_matches(" kB").parse().unwrap_or(0));
            match child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if began.elapsed() > LONGEST => {
                    let _ = child.kill();
                    break child.wait().unwrap().code();
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let what = format!("intendant {}", arguments.join(" "));
        Ran { what, code, out: out.join().unwrap(), err: err.join().unwrap(), peak_kib, took: began.elapsed() }
    }
}
