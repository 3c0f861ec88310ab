//! Hosts that have BusyBox in place of GNU programs: tests of this binary, run again in a process that
//! finds nothing else.

use super::alone::{again, again_but};
use super::*;

const TIMES: &str = "odd::times_before_1970_and_after_2038_come_back_to_the_nanosecond";
/// What has to work there as well.
const TESTS: [&str; 12] = [
    "a_folder_that_was_added_stays_where_something_lies_in_it_that_is_left_out",
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

#[test]
fn sites_are_captured_and_restored_with_busybox_alone() {
    again(&TESTS, &[], "24");
}

#[test]
fn what_a_host_has_of_gnu_is_used() {
    let all = ["odd_trees_come_back_exactly", "random::any_tree_comes_back_after_any_mutation", TIMES];
    // Times come back to the nanosecond where GNU tar sets them.
    again_but(&["tar"], &all, &[], "8");
    again_but(&["find"], &all[..2], &[], "8");
    // All that snapshots need, while everything else is BusyBox's.
    again_but(&["find", "tar"], &all, &[], "8");
}

#[test]
fn what_is_special_with_busybox_is_said_and_nothing_else_differs() {
    let tests = [
        "busybox::cut_off",
        "busybox::limits",
        "busybox::parts_of_seconds",
        "busybox::swapped",
        "busybox::truncated",
        "busybox::unknown",
    ];
    again(&tests, &["--ignored"], "0");
}

/// A shell whose `busybox` does something else where its arguments match `pattern`.
fn fake(pattern: &str, body: &str) -> (Place, Source, Place) {
    let (place, fake) = (Place::new(), Place::new());
    let real = Path::new(&std::env::var("PATH").unwrap()).join("busybox").canonicalize().unwrap();
    let real = real.display();
    let body = body.replace("REAL", &real.to_string());
    fake.write("busybox", format!("#!/bin/sh\ncase \"$*\" in {pattern}) {body};; esac\nexec {real} \"$@\"\n"));
    std::fs::set_permissions(fake.path("busybox"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let source = Source { shell: Arc::new(Fake(fake.root.clone())), ..place.source() };
    (place, source, fake)
}

#[tokio::test]
#[ignore = "run by what_is_special_with_busybox_is_said_and_nothing_else_differs"]
async fn parts_of_seconds() {
    let place = Place::new();
    sh(
        &place.root,
        "mkdir d; printf 1 > d/f; ln -s f d/l; printf 2 > old; printf 3 > far
         touch -h -d '2001-02-03 04:05:06.7' d/f d/l; touch -d '1969-12-31 23:59:59.9 UTC' old d
         touch -d '2250-01-01 00:00:00 UTC' far",
    );
    let before = place.picture();
    let first = place.capture().await.unwrap();
    let facts = |path: &str| first.manifest.path(&ItemPath::new(path).unwrap()).unwrap().facts().unwrap().mtime;
    assert_eq!(facts("d/f") % 1_000_000_000, 700_000_000, "a capture sees parts of seconds");
    sh(&place.root, "rm d/l; printf 2 > d/f; printf 3 > old; printf 4 > far");
    let restored = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(
        restored.left.lines(9),
        ["~ . (mtime)", "~ d (mtime)", "~ d/f (mtime)", "~ d/l (mtime)", "~ old (mtime)"]
    );
    let after = place.picture();
    let known = |line: &&str| !line.ends_with("  old") && !line.ends_with("  d");
    assert_eq!(after.lines().filter(known).collect::<Vec<_>>(), before.lines().filter(known).collect::<Vec<_>>());
    // What is as near as it can be is not sent again, and still said.
    let wanted =
        RestoreRequest { now: now(), target: first.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
    let again = prepare(&place.source(), &place.store(), wanted, &quiet()).await.unwrap();
    assert!(again.diff().is_empty(), "{}", again.diff());
    let again = again.apply(&quiet()).await.unwrap();
    assert_eq!((again.bytes_sent, again.left.lines(9)), (0, restored.left.lines(9)));
}

#[tokio::test]
#[ignore = "run by what_is_special_with_busybox_is_said_and_nothing_else_differs"]
async fn truncated() {
    for (pattern, body) in [
        ("'tar -c'*", "REAL \"$@\" | head -c 150000; exit 0"),
        ("'tar -c'*", "REAL \"$@\" | head -c 150000; kill -9 $$"),
        ("'tar -c'*", "exit 0"),
        ("'stat -c'*", "REAL \"$@\" | head -c 300; exit 0"),
        ("'stat -c'*", "REAL \"$@\" | head -n 2; kill -9 $$"),
        ("'find '*", "REAL \"$@\" | head -c 5; kill -9 $$"),
    ] {
        let (place, source, _fake) = fake(pattern, body);
        place.write("a", "a".repeat(100_000));
        place.write("b", "b".repeat(100_000));
        let result = capture(&source, &place.store(), &request(), &quiet()).await;
        assert!(result.is_err(), "{pattern} {body}");
        assert!(place.store().list(&source.site).unwrap().is_empty(), "{pattern} {body}");
        place.capture().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "run by what_is_special_with_busybox_is_said_and_nothing_else_differs"]
async fn cut_off() {
    for bytes in [0, 700, 5_000, 3_000_000] {
        let (place, source, _fake) = fake("'tar -x'*", &format!("head -c {bytes} | REAL \"$@\"; kill -9 $$"));
        sh(&place.root, ODD_TREE);
        let before = place.picture();
        let first = place.capture().await.unwrap();
        sh(&place.root, "rm -r 'a b' deep; printf x >> big; printf x > noise; chmod 0777 ro; ln -sf /tmp absolute");
        let wanted =
            RestoreRequest { now: now(), target: first.name.clone(), only: Vec::new(), last: Vec::new(), rows: None };
        let prepared = prepare(&source, &place.store(), wanted, &quiet()).await.unwrap();
        assert!(prepared.apply(&quiet()).await.is_err(), "cut after {bytes}");
        place.restore(&first, Vec::new(), &[]).await.unwrap();
        assert_eq!(place.picture(), before, "cut after {bytes}");
    }
}

#[tokio::test]
#[ignore = "run by what_is_special_with_busybox_is_said_and_nothing_else_differs"]
async fn swapped() {
    for (act, expected) in
        [("printf other > x", Ok("other")), ("rm x", Ok("")), ("rm x; mkdir x; printf in > x/in", Err(()))]
    {
        let (place, source, _fake) = fake("'tar -c'*", &format!("if [ ! -e ../done ]; then : > ../done; {act}; fi"));
        place.write("x", "first");
        let taken = capture(&source, &place.store(), &request(), &quiet()).await;
        let size = taken.map(|taken| taken.manifest.path(&ItemPath::new("x").unwrap()).map_or(0, |entry| entry.size()));
        match expected {
            Ok(text) => assert_eq!(size.unwrap(), text.len() as u64, "{act}"),
            Err(()) => {
                let error = size.unwrap_err().to_string();
                assert!(error.contains("x (it became something else while it was read)"), "{act}: {error}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "run by what_is_special_with_busybox_is_said_and_nothing_else_differs"]
async fn unknown() {
    let (place, source, _fake) = fake("'find '*", "REAL \"$@\"; echo 'find: ./a: I/O error' >&2; exit 1");
    place.write("a", "a");
    let error = capture(&source, &place.store(), &request(), &quiet()).await.unwrap_err().to_string();
    assert!(error.contains("I/O error"), "{error}");
    // Neither GNU programs nor BusyBox.
    let (place, bare) = (Place::new(), Place::new());
    let path = std::env::var("PATH").unwrap();
    for name in ["sh", "grep", "date", "id", "find", "tar"] {
        symlink(Path::new(&path).join(name).canonicalize().unwrap(), bare.path(name)).unwrap();
    }
    let source = Source { shell: Arc::new(Bare(bare.root.clone())), ..place.source() };
    let error = capture(&source, &place.store(), &request(), &quiet()).await.unwrap_err().to_string();
    assert!(error.contains("neither GNU find and tar nor BusyBox"), "{error}");
}

#[tokio::test]
#[ignore = "run by what_is_special_with_busybox_is_said_and_nothing_else_differs"]
async fn limits() {
    use intendant::remote::{Command, RemoteError, Shell};
    let slow = Command::new(["sleep", "20"]).within(std::time::Duration::from_secs(1));
    assert!(matches!(LocalShell.run(&slow).await, Err(RemoteError::TimedOut { .. })));
}

/// A shell that finds nothing but what is in this folder.
struct Bare(PathBuf);

#[async_trait::async_trait]
impl intendant::remote::Shell for Bare {
    fn host(&self) -> &str {
        "bare"
    }
    async fn start(
        &self,
        command: &intendant::remote::Command,
    ) -> Result<intendant::remote::Process, intendant::remote::RemoteError> {
        let mut command = command.clone();
        command.argv.splice(0..0, ["env".into(), format!("PATH={}", self.0.display())]);
        LocalShell.start(&command).await
    }
    async fn close(&self) {}
}
