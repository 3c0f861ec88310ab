//! Tests that run in a process of their own: to be measured, to be killed, or to mount something.

use std::process::{Command, Output};

/// The command that runs one ignored test of this binary.
pub(crate) fn child(test: &str, before: &[&str]) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut command = match before {
        [] => Command::new(this),
        [program, rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest).arg(this);
            command
        }
    };
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    command
}

fn passed(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
    said
}

/// Runs a test where what it mounts is seen by nobody else, and goes with it.
pub(crate) fn in_private_mounts(test: &str) {
    passed(&child(test, &["unshare", "--mount", "--propagation", "private"]).output().unwrap());
}

/// Runs a test that ends with [`say_peak`]; returns the most memory that it ever had.
pub(crate) fn peak_kib(test: &str) -> u64 {
    let said = passed(&child(test, &[]).output().unwrap());
    let number = |line: &str| line.split_once("VmHWM:")?.1.trim().strip_suffix("kB")?.trim().parse().ok();
    said.lines().find_map(number).unwrap_or_else(|| panic!("{said}"))
}

/// Says the most memory that this process ever had.
pub(crate) fn say_peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("\n{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap());
}
