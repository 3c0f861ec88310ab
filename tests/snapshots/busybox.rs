//! Hosts that have BusyBox in place of GNU programs: tests of this binary, run again in a process that
//! finds nothing else.

use super::*;

/// What has to work there as well.
const TESTS: [&str; 11] = [
    "a_link_is_never_written_through",
    "a_part_can_be_restored_alone",
    "odd::an_ordinary_account_restores_its_own_groups_and_reports_what_it_may_not_set",
    "odd::every_name_of_a_hard_link_comes_back_with_its_content",
    "odd::folders_of_others_refuse_before_anything_is_changed",
    "odd::names_of_255_bytes_and_the_longest_paths_come_back_and_longer_ones_are_named",
    "odd::pipes_sockets_and_devices_are_recorded_removed_and_never_made",
    "odd::setuid_setgid_and_sticky_bits_and_foreign_owners_come_back",
    "odd::what_an_account_cant_read_is_named_or_left_alone",
    "odd_trees_come_back_exactly",
    "random::any_tree_comes_back_after_any_mutation",
];

/// A folder that every account finds programs in, which are all BusyBox.
fn applets() -> tempfile::TempDir {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = busybox.expect("Debian's package busybox is installed");
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let list = Command::new(busybox).arg("--list").output().unwrap();
    for applet in String::from_utf8(list.stdout).unwrap().lines().chain(["busybox"]) {
        drop(symlink(busybox, folder.path().join(applet)));
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        assert!(entry.unwrap().path().canonicalize().unwrap().ends_with("busybox"));
    }
    folder
}

fn run(tests: &[&str], more: &[&str], cases: &str) {
    let applets = applets();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(tests).arg("--exact").args(more).env("PATH", applets.path());
    command.env("INTENDANT_ONLY_BUSYBOX", "1").env("INTENDANT_CASES", cases);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(&format!("{} passed", tests.len())), "{said}");
}

#[test]
fn sites_are_captured_and_restored_with_busybox_alone() {
    run(&TESTS, &[], "24");
}
