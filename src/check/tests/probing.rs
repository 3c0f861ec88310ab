//! The prober against a real server: every way in which an answer can be bad.

use super::server::{Act, Server, answer, is_fresh, page, path};
use crate::check::{FailureKind, HttpCheck, Observation, Page, Pass, Prober, ProberSettings, Reason, Verdict, judge};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn settings() -> ProberSettings {
    ProberSettings {
        timeout: Duration::from_secs(1),
        max_redirects: 4,
        max_bytes: 100_000,
        ..ProberSettings::default()
    }
}

async fn ask(url: &str, path: &str) -> Page {
    let prober = Prober::new(url, settings()).unwrap();
    let check = HttpCheck { bypass_cache: false, ..HttpCheck::new(path) };
    match prober.observe(&check).await {
        Observation::Http { plain, .. } => *plain,
        other => panic!("{other:?}"),
    }
}

fn failure(page: &Page) -> Option<FailureKind> {
    page.failure.as_ref().map(|failure| failure.kind)
}

#[tokio::test]
async fn a_good_page_is_read() {
    let server = Server::start(|_, head| {
        assert!(head.contains("user-agent: Intendant/"), "{head}");
        answer(200, "Content-Type: text/html\r\n", page(4_000))
    })
    .await;
    let prober = Prober::new(&server.url, settings()).unwrap();
    let seen = prober.observe(&HttpCheck::new("/?a=b")).await;
    let Observation::Http { plain: seen, .. } = seen else { panic!("{seen:?}") };
    assert_eq!((seen.status, failure(&seen)), (Some(200), None));
    assert_eq!(seen.title.as_deref(), Some("Boutique"));
    assert_eq!(seen.bytes, page(4_000).len() as u64);
    assert!(seen.closed && !seen.cut);
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    assert!(!heads[0].contains("no-cache"), "a visitor's request");
    assert!(path(&heads[1]).starts_with("/?a=b&intendant-check="));
    assert!(heads[1].contains("cache-control: no-cache"));
}

#[tokio::test]
async fn redirects_are_followed_within_the_site_only() {
    let server = Server::start(|_, head| {
        let to = |place: &str| answer(302, &format!("Location: {place}\r\n"), "");
        match path(head).split('?').next().unwrap_or_default() {
            "/a" => to("/b?x=1"),
            "/b" => answer(200, "", page(100)),
            "/circle" => to("/circle"),
            "/long" => to(&format!("/long?{}", uuid::Uuid::new_v4())),
            "/away" => to("https://other.example/x"),
            "/cloud" => to("http://169.254.169.254/latest/meta-data/"),
            "/port" => to("http://127.0.0.1:1/"),
            "/odd" => to("http://[bad/"),
            "/file" => to("file:///etc/passwd"),
            _ => answer(302, "", "no place"),
        }
    })
    .await;
    let seen = ask(&server.url, "/a").await;
    assert_eq!(seen.status, Some(200));
    assert_eq!((seen.hops.len(), seen.hops[0].status), (1, 302));
    assert!(seen.url.ends_with("/b?x=1"));
    for (place, kind) in [
        ("/circle", FailureKind::TooManyRedirects),
        ("/long", FailureKind::TooManyRedirects),
        ("/away", FailureKind::LeavesSite),
        ("/cloud", FailureKind::LeavesSite),
        ("/port", FailureKind::LeavesSite),
        ("/file", FailureKind::LeavesSite),
        ("/odd", FailureKind::BadRedirect),
    ] {
        assert_eq!(failure(&ask(&server.url, place).await), Some(kind), "{place}");
    }
    let seen = ask(&server.url, "/away").await;
    assert_eq!((seen.status, seen.hops[0].to.as_str()), (Some(302), "https://other.example/x"));
    let seen = ask(&server.url, "/nowhere").await;
    assert_eq!((seen.status, failure(&seen)), (Some(302), None));
}

#[tokio::test]
async fn bad_answers_are_bounded_and_told_apart() {
    let bomb = bomb();
    let server = Server::start(move |_, head| match path(head).split('?').next() {
        Some("/loris") => {
            (0..1_000).flat_map(|_| [Act::Send(b"H".to_vec()), Act::Wait(Duration::from_millis(50))]).collect()
        }
        Some("/drip") => std::iter::once(Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()))
            .chain((0..1_000).flat_map(|_| [Act::Send(b"x".to_vec()), Act::Wait(Duration::from_millis(50))]))
            .collect(),
        Some("/huge") => std::iter::once(Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()))
            .chain((0..2_000).map(|_| Act::Send(vec![b'x'; 64 << 10])))
            .collect(),
        Some("/short") => vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<html>only this".to_vec())],
        Some("/noise") => vec![Act::Send(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())],
        Some("/bomb") => answer(200, "Content-Encoding: gzip\r\n", bomb.clone()),
        Some("/not-gzip") => answer(200, "Content-Encoding: gzip\r\n", "plain"),
        _ => Vec::new(),
    })
    .await;
    let started = Instant::now();
    for (place, kind) in [
        ("/loris", FailureKind::TimedOut),
        ("/drip", FailureKind::TimedOut),
        ("/short", FailureKind::Broken),
        ("/noise", FailureKind::Broken),
        ("/not-gzip", FailureKind::Broken),
        ("/closed", FailureKind::Broken),
    ] {
        let seen = ask(&server.url, place).await;
        assert_eq!(failure(&seen), Some(kind), "{place}: {seen:?}");
    }
    for place in ["/huge", "/bomb"] {
        let seen = ask(&server.url, place).await;
        assert_eq!((failure(&seen), seen.cut, seen.bytes), (None, true, 100_000), "{place}");
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// Gigabytes of zeros in a megabyte of gzip: one stored block header would do, but this is what
/// `gzip -9` makes of them.
fn bomb() -> Vec<u8> {
    std::process::Command::new("sh").args(["-c", "head -c 50000000 /dev/zero | gzip -9"]).output().unwrap().stdout
}

#[tokio::test]
async fn addresses_without_a_site() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    assert_eq!(failure(&ask(&refused, "/").await), Some(FailureKind::Unreachable));
    let nowhere = ask("http://no-such-site.invalid/", "/").await;
    assert_eq!(failure(&nowhere), Some(FailureKind::NoSuchHost), "{nowhere:?}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unencrypted = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let seen = ask(&unencrypted, "/").await;
    assert_eq!(failure(&seen), Some(FailureKind::Tls), "{seen:?}");
}

#[tokio::test]
async fn a_cache_does_not_hide_a_dead_site() {
    let server = Server::start(|_, head| match is_fresh(head) {
        true => answer(500, "", "There has been a critical error"),
        false => answer(200, "X-Cache: HIT\r\n", page(4_000)),
    })
    .await;
    let prober = Prober::new(&server.url, settings()).unwrap();
    let check = crate::check::Check::http("/");
    let seen = prober.observe(&HttpCheck::new("/")).await;
    let verdict = format!("{:?}", judge(&check, &seen, None));
    assert!(verdict.contains("HiddenByCache(Status"), "{verdict}");
}

/// Redirects that lose what was added to pass caches.
#[tokio::test]
async fn a_redirect_does_not_hide_a_page_from_the_request_past_caches() {
    let server = Server::start(|_, head| {
        let to = |place: &str| answer(301, &format!("Location: {place}\r\n"), "");
        match (path(head).split('?').next().unwrap_or_default(), is_fresh(head)) {
            // Only its own parameters may stand.
            ("/strict", true) => to("/strict"),
            ("/strict", false) if head.contains("no-cache") => answer(500, "", "There has been a critical error"),
            ("/strict", false) | ("/new", false) | ("/once", false) => answer(200, "", page(4_000)),
            ("/once", true) => to("/once"),
            ("/old", _) => to("/new"),
            _ => answer(500, "", "There has been a critical error"),
        }
    })
    .await;
    let prober = Prober::new(&server.url, settings()).unwrap();
    let judged = async |path: &str| {
        let seen = prober.observe(&HttpCheck::new(path)).await;
        let Observation::Http { fresh: Some(fresh), .. } = &seen else { panic!("{seen:?}") };
        (judge(&crate::check::Check::http(path), &seen, None), fresh.clone())
    };
    // It is no circle, and no cache hides anything.
    let (verdict, fresh) = judged("/once").await;
    assert_eq!((verdict, fresh.cacheable, fresh.hops.len()), (Verdict::Passed, true, 0));
    // What then is wrong is wrong by itself.
    let (verdict, _) = judged("/strict").await;
    assert!(
        matches!(&verdict, Verdict::Failed(reasons) if matches!(reasons[..], [Reason::Status { .. }])),
        "{verdict:?}"
    );
    // The page behind a redirect is asked past caches, too.
    let (verdict, fresh) = judged("/old").await;
    assert!(format!("{verdict:?}").contains("HiddenByCache(Status"), "{verdict:?}");
    assert!(!fresh.cacheable && fresh.url.ends_with("/new"), "{fresh:?}");
}

#[tokio::test]
async fn the_pass_is_sent_and_never_shown() {
    let server = Server::start(|_, head| {
        assert!(head.contains("x-intendant-visit: s3cret-token"), "{head}");
        answer(200, "", "<title>s3cret-token</title>Fatal error: s3cret-token </html>")
    })
    .await;
    let settings = ProberSettings {
        pass: Some(Pass { header: "X-Intendant-Visit".into(), secret: "s3cret-token".into() }),
        ..settings()
    };
    let mut check = HttpCheck::new("/?echo=s3cret-token");
    check.forbid = vec!["Fatal error".into()];
    let prober = Prober::new(&server.url, settings.clone()).unwrap();
    let seen = prober.observe(&check).await;
    let shown = format!("{settings:?} {prober:?} {seen:?} {}", serde_json::to_string(&seen).unwrap());
    assert!(shown.contains("[hidden]"));
    assert!(!shown.contains("s3cret"), "{shown}");

    let bad = ProberSettings { pass: Some(Pass { header: "X Y".into(), secret: "a\nb".into() }), ..settings };
    let error = Prober::new(&server.url, bad).unwrap_err();
    assert!(error.to_string().contains("\"X Y\""), "{error}");
}
