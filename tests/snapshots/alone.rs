//! Tests that run again in a process of their own which finds BusyBox and nothing else.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const SIGN: &str = "INTENDANT_ONLY_BUSYBOX";

/// Whether this process is such a one.
pub fn only_busybox() -> bool {
    std::env::var_os(SIGN).is_some()
}

/// A folder that every account finds programs in, which are all BusyBox but for these.
fn applets(but: &[&str]) -> tempfile::TempDir {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = busybox.expect("no BusyBox here; install Debian's package busybox");
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let list = Command::new(busybox).arg("--list").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let applets = list.lines().filter(|applet| *applet != "busybox" && !but.contains(applet));
    for applet in applets.chain(["busybox"]).chain(but.iter().copied()) {
        let usual = Path::new("/usr/bin").join(applet);
        symlink(if but.contains(&applet) { &usual } else { Path::new(busybox) }, folder.path().join(applet)).unwrap();
    }
    folder
}

/// Runs tests of this binary again; `more` are arguments, such as `--ignored`.
pub fn again(tests: &[&str], more: &[&str], cases: &str) {
    again_but(&[], tests, more, cases);
}

/// The same where these programs are the usual ones.
pub fn again_but(but: &[&str], tests: &[&str], more: &[&str], cases: &str) {
    let applets = applets(but);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(tests).arg("--exact").args(more).env("PATH", applets.path());
    if !but.contains(&"tar") {
        command.env(SIGN, "1");
    }
    command.env("INTENDANT_CASES", cases);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(&format!("{} passed", tests.len())), "{said}");
}
