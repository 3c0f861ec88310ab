//! A real WordPress over real SSH, as the site's own account. Needs a running testbed:
//! `INTENDANT_TESTBED=DIR cargo test --test snapshot_testbed`; says so when there is none.

use intendant::model::SiteName;
use intendant::remote::{Command, Shell, SshSettings, SshShell, Target};
use intendant::snapshot::{
    CaptureRequest, DatabaseAccess, Depth, NoProgress, Progress, RestoreRequest, Source, Store, TableRule, capture,
    prepare, verify,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

#[tokio::test]
async fn a_wordpress_comes_back_over_ssh() {
    let Ok(folder) = std::env::var("INTENDANT_TESTBED") else {
        eprintln!("skipped: INTENDANT_TESTBED names no running testbed");
        return;
    };
    let text = std::fs::read_to_string(Path::new(&folder).join("testbed.json")).unwrap();
    let bed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let settings = SshSettings::new(Some(bed["ssh_config"].as_str().unwrap().into()));
    let shell = SshShell::connect(&Target::new("site").unwrap(), &settings).await.unwrap();
    let shell: Arc<dyn Shell> = Arc::new(shell);
    let root = bed["docroot"].as_str().unwrap().to_owned();
    let db = &bed["db"];
    let script = format!(
        "cd '{root}' && printf '[client]\\nuser={}\\nsocket={}\\npassword=\"%s\"\\n' \"$(wp config get DB_PASSWORD)\"",
        db["user"].as_str().unwrap(),
        db["socket"].as_str().unwrap()
    );
    let rule = TableRule { prefix: "wp_".into(), installation: vec!["options".into(), "posts".into()], ours: None };
    let access = |rule: Option<TableRule>| DatabaseAccess {
        credentials: vec!["sh".into(), "-c".into(), script.clone()],
        name: db["name"].as_str().unwrap().to_owned(),
        select: rule.map(Into::into),
    };
    let select = std::env::var_os("INTENDANT_TESTBED_SHARED").map(|_| rule);
    let source = Source {
        shell: shell.clone(),
        site: SiteName::new("bed").unwrap(),
        root: root.clone(),
        exclude: Vec::new(),
        database: Some(access(select)),
    };
    let place = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&place.path().join("store")).unwrap());
    let quiet: Arc<dyn Progress> = Arc::new(NoProgress);
    let request = || CaptureRequest { now: jiff::Timestamp::now(), tolerate_unreadable: false };
    let picture = || {
        let tool = std::env::var("INTENDANT_TESTBED_TOOL").unwrap();
        let output = std::process::Command::new(tool).args(["fingerprint", &folder]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let before = picture();
    let start = Instant::now();
    let first = capture(&source, &store, &request(), &quiet).await.unwrap();
    eprintln!("first: {:?} {:?} {:?}", start.elapsed(), first.stats, first.manifest.totals());
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let start = Instant::now();
    let second = capture(&source, &store, &request(), &quiet).await.unwrap();
    eprintln!("second: {:?} {:?} {}", start.elapsed(), second.stats, second.since_previous.unwrap());
    let wreck = "cd \"$1\" && wp core update --version=7.1.1 2>&1 | tail -3; rm -rf wp-includes/js; echo '<?php die(1);' > index.php; \
         chmod 600 wp-login.php; echo x > wp-content/uploads.txt";
    let output = shell.run(&Command::script(wreck, [root]).within(std::time::Duration::from_secs(120))).await.unwrap();
    eprintln!("wreck: {}", output.tail());
    assert_ne!(picture(), before);
    let target =
        RestoreRequest { now: jiff::Timestamp::now(), target: first.name.clone(), only: Vec::new(), last: Vec::new() };
    let start = Instant::now();
    let prepared = prepare(&source, &store, target, &quiet).await.unwrap();
    eprintln!("prepared: {:?} {} bytes, {}", start.elapsed(), prepared.bytes(), prepared.diff());
    let start = Instant::now();
    let restored = prepared.apply(&quiet).await.unwrap();
    eprintln!("applied: {:?} {} bytes; left: {}", start.elapsed(), restored.bytes_sent, restored.left);
    let after = picture();
    assert!(after == before, "{}", differing(&before, &after));
    assert!(verify(&store, None, Depth::EveryByte, &quiet).await.unwrap().ok());
}

fn differing(before: &str, after: &str) -> String {
    let gone = before
        .lines()
        .filter(|line| !after.lines().any(|other| other == *line))
        .take(10)
        .map(|line| format!("- {line}"));
    let new = after
        .lines()
        .filter(|line| !before.lines().any(|other| other == *line))
        .take(10)
        .map(|line| format!("+ {line}"));
    gone.chain(new).collect::<Vec<_>>().join("\n")
}
