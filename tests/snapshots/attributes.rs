//! Extended attributes and access lists, compared by `getfacl` and `getfattr`.

use super::alone::{again, again_but};
use super::ordinary::UID;
use super::*;
use proptest::prelude::*;

const TREE: &str = r#"
mkdir -p d/sub own; printf 1 > x; printf 2 > plain; printf 3 > $'odd\n= %\\\xff'; printf 4 > ro; ln -s x link
setfacl -m u:7:rw x; setfacl -d -m u:9:rwx,g:12:r d; printf 5 > d/inherits; mkdir d/inherits-too
setfattr -n user.note -v 0x00ff0a3d25 x; setfattr -n user.empty x
setfattr -n user.odd -v 'a "quoted" \ value' $'odd\n= %\\\xff'
setfattr -n user.of.a.folder -v 1 own; setfattr -n user.x -v 1 ro; chmod 0444 ro
"#;

/// Each takes something away, adds something, or changes something.
const MUTATIONS: [&str; 12] = [
    "setfacl -b x",
    "setfacl -k d",
    "rm -f d/inherits; printf 5 > d/inherits",
    "rm -rf d; mkdir d; printf new > d/new",
    "setfattr -x user.note x 2>/dev/null || true",
    "setfattr -n user.added -v 1 plain; setfacl -m u:4242:r plain",
    "setfattr -n user.added -v 1 own; setfattr -x user.of.a.folder own 2>/dev/null || true",
    "rm -f ro; printf 4 > ro",
    "printf changed > plain; chmod 600 plain",
    "mkdir -p d/deep/er; printf deep > d/deep/er/file",
    "rm -rf own; ln -s d own",
    "setfattr -n user.odd -v other \"$(printf 'odd\\n= %%\\\\\\377')\"",
];

fn attributes(place: &Place) -> String {
    let script = "find . ! -type l -print0 | sort -z | xargs -0 getfacl -n -E
        find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).current_dir(&place.root).env("LC_ALL", "C").env("PATH", USUAL_PATH);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn round(source: &Source, place: &Place, mutations: &[usize]) -> String {
    let before = (place.picture(), attributes(place));
    let first = capture(source, &place.store(), &request(), &quiet()).await.unwrap();
    assert!(first.manifest.header.attributes);
    let again = capture(source, &place.store(), &request(), &quiet()).await.unwrap();
    assert_eq!((again.manifest.id(), again.stats.bytes_new), (first.manifest.id(), 0));
    for mutation in mutations {
        sh(&place.root, MUTATIONS[*mutation]);
    }
    sh(&place.root, "chown -Rh --reference=. .");
    let restored = place.restore_as(source, &first).await.unwrap();
    assert_eq!(place.picture(), before.0);
    assert_eq!(attributes(place), before.1);
    assert!(left(&restored).is_empty(), "{}", restored.left);
    restored.undone.lines(50).join("\n")
}

#[tokio::test]
async fn they_come_back_on_files_and_folders() {
    let place = Place::new();
    sh(&place.root, TREE);
    let all: Vec<usize> = (0..MUTATIONS.len()).collect();
    let undone = round(&place.source(), &place, &all).await;
    assert!(undone.contains("~ x (mode, attributes)"), "{undone}");
    assert!(undone.contains("- d/deep") && undone.contains("~ d (mtime, attributes)"), "{undone}");
}

#[test]
fn they_come_back_after_any_mutation_for_any_account() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("INTENDANT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let mutations = proptest::collection::vec(0..MUTATIONS.len(), 0..5);
    let tested = runner.run(&(mutations, any::<bool>()), |(mutations, ordinary)| {
        let place = Place::new();
        sh(&place.root, TREE);
        let source = if ordinary {
            sh(&place.root, &format!("chown -R {UID}:{UID} ."));
            place.ordinary()
        } else {
            place.source()
        };
        runtime.block_on(round(&source, &place, &mutations));
        Ok(())
    });
    tested.unwrap();
}

#[test]
fn either_program_will_do() {
    let tests = [
        "attributes::they_come_back_on_files_and_folders",
        "attributes::they_come_back_after_any_mutation_for_any_account",
    ];
    again_but(&["find", "tar", "getfattr", "setfattr"], &tests, &[], "4");
    again(&["attributes::without_a_program"], &["--ignored"], "0");
}

/// Alone: where nothing can read attributes, what is known of them stays, and the snapshot says so.
#[tokio::test]
#[ignore = "needs a host without these programs"]
async fn without_a_program() {
    let place = Place::new();
    sh(&place.root, TREE);
    let first = place.capture().await.unwrap();
    assert!(!first.manifest.header.attributes);
    sh(&place.root, "printf changed > plain; setfacl -m u:7:r plain");
    let restored = place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(std::fs::read(place.path("plain")).unwrap(), b"2");
    assert!(!restored.undone.to_string().contains("attributes"));
}
