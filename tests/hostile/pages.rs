//! Web servers that do harm: they lead elsewhere, never end, say too much, or are not who they should be.

use super::web::{Tls, Web, good};
use super::{Case, Verdict};
use intendant::check::{FailureKind, HttpCheck, Observation, Page, Prober, ProberSettings};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The most bytes of a page that these checks read.
const MOST_BYTES: usize = 100_000;
/// The longest time for one page.
const LONGEST: Duration = Duration::from_secs(2);
/// The same on a machine that has much else to do.
const LATEST: Duration = Duration::from_secs(30);

async fn ask(url: &str, path: &str) -> Result<Page, String> {
    let settings =
        ProberSettings { timeout: LONGEST, max_redirects: 4, max_bytes: MOST_BYTES, ..ProberSettings::default() };
    let prober = Prober::new(url, settings).map_err(|error| error.to_string())?;
    let check = HttpCheck { bypass_cache: false, ..HttpCheck::new(path) };
    let began = Instant::now();
    let seen = prober.observe(&check).await;
    if began.elapsed() > LATEST {
        return Err(format!("it took {:?}", began.elapsed()));
    }
    match seen {
        Observation::Http { plain, .. } => Ok(*plain),
        other => Err(format!("{other:?}")),
    }
}

/// What is kept of a page acts upon nothing, and the page failed, or not, as it should.
fn judged(page: &Page, wanted: Option<FailureKind>) -> Verdict {
    let found = page.failure.as_ref().map(|failure| failure.kind);
    let json = format!("{page:?}{}", serde_json::to_string(page).unwrap());
    if found != wanted {
        return Err(format!("{found:?} instead of {wanted:?}: {page:?}"));
    }
    let shown = [page.url.as_str(), page.title.as_deref().unwrap_or_default()].concat()
        + &page.hops.iter().map(|hop| hop.to.clone()).collect::<String>()
        + page.failure.as_ref().map_or("", |failure| failure.detail.as_str());
    match shown.chars().find(|c| super::place::acts_on_a_terminal(*c) || *c == '\n') {
        Some(odd) => Err(format!("{odd:?} is kept: {shown:?}")),
        None if json.len() > 40_000 => Err(format!("{} bytes are kept of it", json.len())),
        None => Ok(()),
    }
}

/// Places to which a site redirects; `ELSEWHERE` is a server of somebody else on this machine.
const REDIRECTS: [(&str, FailureKind); 16] = [
    ("http://169.254.169.254/latest/meta-data/iam/security-credentials/", FailureKind::LeavesSite),
    ("http://[fd00:ec2::254]/latest/meta-data/", FailureKind::LeavesSite),
    ("http://metadata.google.internal/computeMetadata/v1/", FailureKind::LeavesSite),
    ("http://2852039166/", FailureKind::LeavesSite),
    ("//169.254.169.254/latest/", FailureKind::LeavesSite),
    ("\\\\169.254.169.254\\latest", FailureKind::LeavesSite),
    ("ELSEWHERE", FailureKind::LeavesSite),
    ("http://127.0.0.1@evil.example/", FailureKind::LeavesSite),
    ("http://127.0.0.1.evil.example/", FailureKind::LeavesSite),
    ("http://127.0.0.1:22/", FailureKind::LeavesSite),
    ("file:///etc/passwd", FailureKind::LeavesSite),
    ("gopher://127.0.0.1:6379/_FLUSHALL", FailureKind::LeavesSite),
    ("javascript:alert(1)", FailureKind::LeavesSite),
    ("data:text/html,<script>alert(1)</script>", FailureKind::LeavesSite),
    ("http://[bad", FailureKind::BadRedirect),
    ("/\u{1b}]0;x\u{7}again", FailureKind::TooManyRedirects),
];

async fn redirects() -> Vec<Case> {
    let elsewhere = Web::pages();
    let other = elsewhere.url.replace("127.0.0.1", "localhost");
    let mut cases = Vec::new();
    for (target, kind) in REDIRECTS {
        let to = if target == "ELSEWHERE" { other.clone() } else { target.to_owned() };
        let web = Web::new(move |_, stream| {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        });
        let verdict = match ask(&web.url, "/").await {
            Err(why) => Err(why),
            // A server that never heard of control characters in a header is as good.
            Ok(page) if target.contains('\u{1b}') => {
                let kind = page.failure.as_ref().map(|failure| failure.kind);
                judged(&page, kind).and(kind.map(drop).ok_or_else(|| format!("{page:?}")))
            }
            Ok(page) => judged(&page, Some(kind)),
        };
        cases.push((format!("a redirect to {target:?}"), verdict));
    }
    let asked = elsewhere.asked();
    let verdict = if asked == 0 { Ok(()) } else { Err(format!("it was asked {asked} times")) };
    cases.push(("nobody else was asked".into(), verdict));
    cases
}

/// Addresses that a plan may not name.
async fn addresses() -> Vec<Case> {
    let mut cases = Vec::new();
    for url in [
        "http://169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://169.254.169.254./",
        "http://[fe80::1]/",
        "file:///etc/passwd",
        "http://user:secret@127.0.0.1/",
    ] {
        let verdict = match ask(url, "/").await {
            Err(_) => Ok(()),
            Ok(page) if page.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::ForbiddenAddress) => {
                Ok(())
            }
            Ok(page) => Err(format!("it was asked: {page:?}")),
        };
        cases.push((format!("the address {url}"), verdict));
    }
    cases
}

/// What the server does with a connection.
type Answers = fn(&mut TcpStream) -> std::io::Result<()>;

fn drip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes.iter().cycle() {
        stream.write_all(&[*byte])?;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn for_ever(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let many = bytes.repeat((16 << 10) / bytes.len());
    loop {
        stream.write_all(&many)?;
        std::thread::sleep(Duration::from_millis(5));
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n";

const ANSWERS: [(&str, Answers, Option<FailureKind>); 17] = [
    ("a head byte by byte", |s| drip(s, b"H"), Some(FailureKind::TimedOut)),
    ("headers byte by byte", |s| s.write_all(HEAD).and_then(|()| drip(s, b"X-A: b\r\n")), Some(FailureKind::TimedOut)),
    (
        "a page byte by byte",
        |s| s.write_all(HEAD).and_then(|()| s.write_all(b"\r\n")).and_then(|()| drip(s, b"x")),
        Some(FailureKind::TimedOut),
    ),
    (
        "silence",
        |_| {
            std::thread::sleep(LONGEST * 3);
            Ok(())
        },
        Some(FailureKind::TimedOut),
    ),
    (
        "a page without an end",
        |s| s.write_all(HEAD).and_then(|()| s.write_all(b"\r\n")).and_then(|()| for_ever(s, b"<p>x</p>")),
        None,
    ),
    (
        "a header without an end",
        |s| s.write_all(HEAD).and_then(|()| s.write_all(b"X-Long: ")).and_then(|()| for_ever(s, b"x")),
        Some(FailureKind::Broken),
    ),
    (
        "headers without an end",
        |s| s.write_all(HEAD).and_then(|()| for_ever(s, b"X-Many: x\r\n")),
        Some(FailureKind::Broken),
    ),
    ("a status without an end", |s| for_ever(s, b"HTTP/1.1 200 OOOOOOO"), Some(FailureKind::Broken)),
    ("interim answers without an end", |s| for_ever(s, b"HTTP/1.1 100 Continue\r\n\r\n"), Some(FailureKind::TimedOut)),
    (
        "pieces without an end",
        |s| {
            s.write_all(HEAD)
                .and_then(|()| s.write_all(b"Transfer-Encoding: chunked\r\n\r\n"))
                .and_then(|()| for_ever(s, b"20\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"))
        },
        None,
    ),
    (
        "a piece of 16 EiB",
        |s| s.write_all(HEAD).and_then(|()| s.write_all(b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx")),
        Some(FailureKind::Broken),
    ),
    (
        "a length of 16 EiB",
        |s| s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx"),
        Some(FailureKind::Broken),
    ),
    (
        "a length that is none",
        |s| s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx"),
        Some(FailureKind::Broken),
    ),
    ("a greeting of another service", |s| s.write_all(b"220 mail ESMTP \x1b[31m\r\n"), Some(FailureKind::Broken)),
    (
        "a title with escapes",
        |s| s.write_all(good("<html><title>\u{1b}]0;x\u{7}\u{9b}\u{202e}evil</title></html>").as_bytes()),
        None,
    ),
    (
        "a title of a megabyte",
        |s| s.write_all(good(&format!("<html><title>{}</title></html>", "x".repeat(1 << 20))).as_bytes()),
        None,
    ),
    ("a hundred thousand open tags", |s| s.write_all(good(&"<div><p><title>".repeat(100_000)).as_bytes()), None),
];

async fn servers() -> Vec<Case> {
    let one = |(name, answers, wanted): (&'static str, Answers, Option<FailureKind>)| async move {
        let web = Web::new(move |_, stream| answers(stream));
        let verdict = ask(&web.url, "/").await.and_then(|page| {
            // On a busy machine the time is over before all is read.
            let late = page.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::TimedOut);
            judged(&page, if late { Some(FailureKind::TimedOut) } else { wanted })
        });
        (name.to_owned(), verdict)
    };
    use futures::stream::StreamExt;
    futures::stream::iter(ANSWERS.map(one)).buffered(6).collect().await
}

/// Small bodies that become large.
async fn bombs() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, make) in [
        ("a bomb of gzip", "head -c 50000000 /dev/zero | gzip -1"),
        ("a bomb in a bomb", "head -c 50000000 /dev/zero | gzip -1 | gzip -9"),
    ] {
        let packed = std::process::Command::new("sh").args(["-c", make]).output().unwrap().stdout;
        let web = Web::new(move |_, stream| {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len())?;
            stream.write_all(&packed)
        });
        let verdict = ask(&web.url, "/").await.and_then(|page| match page.bytes as usize > MOST_BYTES {
            true => Err(format!("{} bytes were read", page.bytes)),
            false => judged(&page, None),
        });
        cases.push((name.to_owned(), verdict));
    }
    cases
}

async fn certificates() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, of, days) in [
        ("a certificate that nobody signed", "127.0.0.1", "30"),
        ("a certificate for another name", "bank.example", "30"),
    ] {
        let server = Tls::new(of, days);
        let verdict = ask(&server.url, "/").await.and_then(|page| judged(&page, Some(FailureKind::Tls)));
        cases.push((name.to_owned(), verdict));
    }
    cases
}

pub(crate) fn cases() -> Vec<Case> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Those that make something first do it before any clock runs.
    let mut cases = runtime.block_on(certificates());
    cases.extend(runtime.block_on(bombs()));
    cases.extend(runtime.block_on(redirects()));
    cases.extend(runtime.block_on(addresses()));
    cases.extend(runtime.block_on(servers()));
    cases
}
