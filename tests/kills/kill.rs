//! When a program is killed, and which processes.

use crate::support::Environment;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A moment of a run: so long after the line of that number that the program says; 0 is its start. So a machine that is
/// busier than it was in the run that was measured does not move the moment to an earlier step.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub(crate) line: usize,
    pub(crate) after_ms: u64,
}

/// Which processes die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Whom {
    /// The program itself; its connection lives on, as `ssh` is a process of its own.
    Runner,
    /// All of its process group.
    Group,
    /// The group, and the connection.
    Connection,
}

/// When the lines of a run came that nobody disturbed.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    lines: Vec<Duration>,
    pub(crate) length: Duration,
}

impl Timeline {
    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The moment at this share of the length, in millionths.
    pub(crate) fn moment(&self, share: usize) -> Moment {
        let at = self.length.mul_f64(f64::from(u32::try_from(share).unwrap()) / 1e6);
        let line = self.lines.partition_point(|line| *line <= at);
        let begun = line.checked_sub(1).map_or(Duration::ZERO, |last| self.lines[last]);
        Moment { line, after_ms: u64::try_from((at - begun).as_millis()).unwrap() }
    }
}

/// A program that runs, and the lines that it has said on its standard error.
struct Running {
    child: Child,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    begun: Instant,
}

impl Running {
    fn begins(shop: &Environment, arguments: &[&str]) -> Self {
        let mut command = program(shop, arguments);
        let mut child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let all = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                all.lock().unwrap().push((Instant::now(), line));
            }
        });
        Self { child, said, begun: Instant::now() }
    }

    /// Waits for a moment; false when the program ended before.
    fn comes_to(&mut self, moment: Moment) -> bool {
        let after = Duration::from_millis(moment.after_ms);
        loop {
            let line = match moment.line.checked_sub(1) {
                None => Some(self.begun),
                Some(last) => self.said.lock().unwrap().get(last).map(|(at, _)| *at),
            };
            if line.is_some_and(|line| line.elapsed() >= after) {
                return self.child.try_wait().unwrap().is_none();
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// To be asked when it has ended.
    fn timeline(&self) -> Timeline {
        let lines = self.said.lock().unwrap().iter().map(|(at, _)| *at - self.begun).collect();
        Timeline { lines, length: self.begun.elapsed() }
    }

    fn text(&self) -> String {
        self.said.lock().unwrap().iter().map(|(_, line)| format!("{line}\n")).collect()
    }
}

/// The program, with a folder of its own for what is temporary, so that its connections are known from those of others.
pub(crate) fn program(shop: &Environment, arguments: &[&str]) -> Command {
    let mut command = shop.command(arguments);
    std::fs::create_dir_all(shop.path("tmp")).unwrap();
    command.env("TMPDIR", shop.path("tmp"));
    command
}

/// Runs the program undisturbed.
pub(crate) fn measured(shop: &Environment, arguments: &[&str]) -> Timeline {
    let mut running = Running::begins(shop, arguments);
    let status = running.child.wait().unwrap();
    assert!(status.success(), "{arguments:?} undisturbed: {status}\n{}", running.text());
    running.timeline()
}

/// Runs the program and kills it. Returns what it said, and when, if it had ended before it could be killed.
pub(crate) fn killed(shop: &Environment, arguments: &[&str], moment: Moment, whom: Whom) -> (String, Option<Timeline>) {
    let mut running = Running::begins(shop, arguments);
    let in_time = running.comes_to(moment);
    if in_time {
        if whom == Whom::Runner {
            running.child.kill().unwrap();
        } else {
            kill(&format!("-{}", running.child.id()));
        }
        if whom == Whom::Connection {
            connections(shop).iter().for_each(|pid| kill(pid));
        }
    }
    // It may have come to its own end between the look and the signal.
    let by_itself = running.child.wait().unwrap().code().is_some();
    (running.text(), by_itself.then(|| running.timeline()))
}

fn kill(whom: &str) {
    let _ = Command::new("kill").args(["-KILL", "--", whom]).stderr(Stdio::null()).status().unwrap();
}

/// The processes of connections that programs of this place made.
pub(crate) fn connections(shop: &Environment) -> Vec<String> {
    let place = shop.path("tmp").display().to_string();
    let of_this_place = |entry: &std::fs::DirEntry| {
        let said = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        said.starts_with("ssh") && said.contains(&place)
    };
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(of_this_place);
    all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Ends what is left of connections here.
pub(crate) fn disconnect(shop: &Environment) {
    connections(shop).iter().for_each(|pid| kill(pid));
}
