//! Restores that are killed at random moments: done again, they end the same.
//! `INTENDANT_KILLS` says how often.

use super::children::child;
use super::*;
use intendant::snapshot::SnapshotName;
use std::time::{Duration, Instant};

const TREE: &str = r#"mkdir -p a/b/c ro 'with space'; for i in $(seq 60); do printf "file $i" > a/b/f$i; done
    head -c 3000000 /dev/urandom > a/big; printf x > ro/x; chmod 0555 ro; ln -s ../nowhere 'with space/link'
    touch -d '2001-02-03 04:05:06.7' a/b; chmod 2750 a"#;
const DAMAGE: &str = r#"chmod 755 ro; rm -rf a/b/f1* a/b/f5 ro/x; mkdir -p added/deep a/b a/b/f5; printf y > added/deep/y
    printf more >> a/big; rm -rf 'with space'; printf file > 'with space'; chmod 700 a; touch a/b/f20"#;

#[tokio::test]
async fn restores_killed_at_random_moments_end_the_same() {
    let kills: u32 = std::env::var("INTENDANT_KILLS").map_or(25, |text| text.parse().unwrap());
    let place = Place::new();
    sh(&place.root, TREE);
    let wanted = place.picture();
    let first = place.capture().await.unwrap();
    let child = || {
        let mut command = child("killed::restore", &[]);
        command.env("KILLED_PLACE", place.root.parent().unwrap()).env("KILLED_TARGET", first.name.as_str());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command
    };
    sh(&place.root, DAMAGE);
    let began = Instant::now();
    assert!(child().status().unwrap().success());
    let usual = began.elapsed();
    assert_eq!(place.picture(), wanted);
    // Always the same sequence; what it hits depends on the machine.
    let mut random = 20_260_114_u64;
    let mut cut_off = 0;
    for round in 1..=kills {
        sh(&place.root, DAMAGE);
        let mut running = child().spawn().unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_nanos((random >> 33) % (usual.as_nanos() as u64)));
        running.kill().unwrap();
        cut_off += u32::from(!running.wait().unwrap().success());
        wait_for_orphans(&place.root);
        if round % 10 == 0 || round == kills {
            place.restore(&first, Vec::new(), &[]).await.unwrap();
            assert_eq!(place.picture(), wanted, "after {round} kills");
            let verified = verify(&place.store(), None, Depth::EveryByte, &quiet()).await.unwrap();
            assert!(verified.ok(), "after {round} kills: {verified:?}");
        }
    }
    println!("{cut_off} of {kills} were cut off; undisturbed it takes {usual:?}");
    assert!(cut_off > 0, "none of {kills} was cut off");
}

/// What the killed process had started ends by itself, because its pipes are closed. A run
/// ends it by its process group before it restores again.
fn wait_for_orphans(root: &Path) {
    let inside = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.into_iter().any(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == root))
    };
    while inside() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
#[ignore = "run and killed by restores_killed_at_random_moments_end_the_same"]
async fn restore() {
    let folder = PathBuf::from(std::env::var_os("KILLED_PLACE").unwrap());
    let target: SnapshotName = std::env::var("KILLED_TARGET").unwrap().parse().unwrap();
    let store = Arc::new(Store::open(&folder.join("store")).unwrap());
    let source = Source {
        shell: Arc::new(LocalShell),
        site: SiteName::new("here").unwrap(),
        root: folder.join("site").to_str().unwrap().to_owned(),
        exclude: Vec::new(),
        database: None,
    };
    let request = RestoreRequest { now: now(), target, only: Vec::new(), last: Vec::new(), rows: None };
    prepare(&source, &store, request, &quiet()).await.unwrap().apply(&quiet()).await.unwrap();
}
