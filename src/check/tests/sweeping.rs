//! Sweeps: patience, further tries, order, and what a broken connection does.

use super::server::{Act, Server, answer, page, path};
use crate::check::{
    Baseline, Check, CheckError, CheckKind, Depth, Means, Patience, Prober, ProberSettings, Reason, StatusRule,
    mark_logs, run_checks, take_baseline,
};
use crate::remote::{Command, LocalShell, Process, RemoteError, Shell};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const QUICKLY: Patience = Patience { settle_ms: 0, retry_for_ms: 1_000, retry_every_ms: 50 };

fn prober(server: &Server) -> Prober {
    Prober::new(&server.url, ProberSettings::default()).unwrap()
}

#[tokio::test]
async fn a_stale_bad_page_heals_and_a_dead_one_does_not() {
    let server = Server::start(|number, head| match (path(head).starts_with("/dead"), number) {
        (true, _) => answer(500, "", "dead"),
        (false, 0..5) => answer(500, "", "stale"),
        (false, _) => answer(200, "", page(1_000)),
    })
    .await;
    let prober = prober(&server);
    let means = Means { prober: &prober, shell: &LocalShell };
    let (baseline, results) = take_baseline(&[Check::http("/")], QUICKLY, means).await.unwrap();
    assert!(!results[0].failed() && results[0].attempts > 1, "{results:?}");
    let checks = [Check::http("/dead"), Check::http("/")];
    let results = run_checks(&checks, Depth::Full, &baseline, QUICKLY, means).await.unwrap();
    let verdicts: Vec<_> = results.iter().map(|result| (result.failed(), result.attempts > 1)).collect();
    assert_eq!(verdicts, [(true, true), (false, false)]);
    let once = run_checks(&checks, Depth::Full, &baseline, Patience::none(), means).await.unwrap();
    assert_eq!(once[0].attempts, 1);
    assert!(once[0].to_string().contains("http /dead: status 500, expected 200 to 299"));
}

#[tokio::test]
async fn the_first_page_is_loaded_by_itself() {
    let alone = Duration::from_millis(200);
    let came: Arc<Mutex<Vec<(String, Instant)>>> = Arc::default();
    let seen = came.clone();
    let server = Server::start(move |number, head| {
        seen.lock().unwrap().push((path(head).to_owned(), Instant::now()));
        let mut acts = answer(200, "", page(1_000));
        if number == 0 {
            acts.insert(0, Act::Wait(alone));
        }
        acts
    })
    .await;
    let prober = prober(&server);
    let means = Means { prober: &prober, shell: &LocalShell };
    let checks = ["/cached", "/login", "/feed"].map(|path| {
        let mut check = Check::http(path);
        if let CheckKind::Http(http) = &mut check.kind {
            http.bypass_cache = path == "/login";
        }
        check
    });
    let results = run_checks(&checks, Depth::Full, &Baseline::default(), Patience::none(), means).await.unwrap();
    let order: Vec<&str> = results.iter().map(|result| result.check.id.as_str()).collect();
    assert_eq!(order, ["http /cached", "http /login", "http /feed"]);
    let came = came.lock().unwrap();
    assert_eq!((came.len(), came[0].0.as_str()), (4, "/login"), "one that no cache answers comes first: {came:?}");
    assert!(came[1..].iter().all(|(_, at)| *at - came[0].1 >= alone), "{came:?}");
}

#[tokio::test]
async fn a_stale_good_page_is_not_believed() {
    let changed = Instant::now();
    let server = Server::start(move |_, _| match changed.elapsed() < Duration::from_millis(400) {
        true => answer(200, "", page(1_000)),
        false => answer(500, "", "the truth"),
    })
    .await;
    let prober = prober(&server);
    let means = Means { prober: &prober, shell: &LocalShell };
    let patience = Patience { settle_ms: 600, ..Patience::none() };
    let checks = [Check::http("/")];
    let nothing = Baseline::default();
    let results = run_checks(&checks, Depth::Quick, &nothing, patience, means);
    assert!(results.await.unwrap()[0].failed());
}

#[tokio::test]
async fn quick_sweeps_leave_the_rest_out() {
    let server = Server::start(|_, _| answer(400, "", "0")).await;
    let prober = prober(&server);
    let means = Means { prober: &prober, shell: &LocalShell };
    let mut ajax = Check::http("/wp-admin/admin-ajax.php");
    if let CheckKind::Http(http) = &mut ajax.kind {
        http.status = StatusRule::SameAsBefore;
    }
    let checks = [Check::command(["true"]), ajax];
    let (baseline, all) = take_baseline(&checks, QUICKLY, means).await.unwrap();
    assert_eq!((all.len(), baseline.observations.len()), (2, 2));
    let quick = run_checks(&checks, Depth::Quick, &baseline, QUICKLY, means).await.unwrap();
    assert_eq!((quick.len(), quick[0].failed()), (1, false));
    let full = run_checks(&checks, Depth::Full, &baseline, QUICKLY, means).await.unwrap();
    assert_eq!(full[0].check.id, "command true");
}

#[tokio::test]
async fn errors_that_a_page_logs_are_found_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("php.log");
    std::fs::write(&path, "PHP Fatal error: old\n").unwrap();
    let log = path.clone();
    let server = Server::start(move |number, _| {
        if number >= 2 {
            std::fs::write(&log, "PHP Fatal error: old\nPHP Fatal error: new\n").unwrap();
        }
        answer(200, "", page(1_000))
    })
    .await;
    let prober = prober(&server);
    let means = Means { prober: &prober, shell: &LocalShell };
    let checks = [Check::log(path.display().to_string()), Check::http("/")];
    let (mut baseline, results) = take_baseline(&checks, QUICKLY, means).await.unwrap();
    assert!(!results[0].failed());
    let results = run_checks(&checks, Depth::Quick, &baseline, QUICKLY, means).await.unwrap();
    assert!(matches!(results[0].reasons(), [Reason::FatalLogged { count: 1, .. }]));
    assert_eq!(results[0].attempts, 1, "no try takes it away");

    // What was written during the change is left out, what comes after it is not.
    let marks = mark_logs(&checks, &baseline, &LocalShell).await.unwrap();
    baseline.absorb(marks);
    std::fs::remove_file(&path).unwrap();
    let results = run_checks(&checks[..1], Depth::Quick, &baseline, QUICKLY, means).await.unwrap();
    assert!(!results[0].failed());
    std::fs::write(&path, "PHP Fatal error: new\n").unwrap();
    let results = run_checks(&checks[..1], Depth::Quick, &baseline, QUICKLY, means).await.unwrap();
    assert!(results[0].failed());
}

struct Gone;

#[async_trait::async_trait]
impl Shell for Gone {
    fn host(&self) -> &str {
        "web3.example"
    }
    async fn start(&self, command: &Command) -> Result<Process, RemoteError> {
        Err(RemoteError::Lost { host: self.host().into(), command: command.shown(), detail: "test".into() })
    }
    async fn close(&self) {}
}

#[tokio::test]
async fn a_broken_connection_is_no_verdict() {
    let prober = Prober::new("http://127.0.0.1:1/", ProberSettings::default()).unwrap();
    let means = Means { prober: &prober, shell: &Gone };
    for check in [Check::command(["true"]), Check::log("/x")] {
        let error = take_baseline(&[check], QUICKLY, means).await.unwrap_err();
        assert!(matches!(&error, CheckError::Host { host, .. } if host == "web3.example"));
        assert!(!error.to_string().contains("test"), "its source says the rest");
    }
}
