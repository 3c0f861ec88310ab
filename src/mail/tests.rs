//! The queue against a real SMTP server: Debian's python3-aiosmtpd on the loopback address.

use super::*;
use jiff::Timestamp;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What it does stands in its own first lines.
const SERVER: &str = include_str!("../../tests/support/smtp.py");

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path, port: u16) -> Self {
        Self::start_with(folder, port, &[])
    }

    fn start_with(folder: &Path, port: u16, options: &[&str]) -> Self {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-W", "ignore", "-c", SERVER]).arg(folder).arg(port.to_string()).args(options);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, port };
        let mut line = String::new();
        BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.trim().strip_prefix("up ").expect("python3-aiosmtpd is installed: tests/testbed/testbed install");
        server.port = port.parse().unwrap();
        server
    }

    fn stop(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn at(port: u16) -> MailServer {
    MailServer::new("127.0.0.1", Some(port), Security::None, None).unwrap()
}

fn received(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

fn put(queue: &Queue, to: &str, subject_id: &str) -> Queued {
    put_from(queue, "Atelier été <soutien@atelier.example>", to, subject_id)
}

fn put_from(queue: &Queue, from: &str, to: &str, subject_id: &str) -> Queued {
    let (from, to) = (Mailbox::parse(from).unwrap(), Mailbox::parse(to).unwrap());
    let logo = Logo { png: b"\x89PNG\r\n\x1a\nx".to_vec() };
    let letter = Letter {
        from: &from,
        to: &to,
        subject: "Rapport de mise à jour\r\nBcc: all@evil.example",
        subject_id,
        text: "# Réussi\n.\nfin\n",
        html: "<p>Réussi</p><img src=\"cid:logo@report\">",
        logo: Some(&logo),
    };
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    queue.put(&letter, &letter.bytes(now).unwrap(), now).unwrap()
}

fn states(queue: &Queue) -> Vec<&'static str> {
    queue.list().unwrap().records.iter().map(|record| record.state.name()).collect()
}

#[test]
fn a_message_outlasts_a_server_that_is_down_and_is_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::new(&folder.path().join("queue"));
    let port = free_port();
    let Queued::New(record) = put(&queue, "owner@shop.example", "run 1") else { panic!("it is new") };
    let waiting = &queue.send(&at(port)).unwrap().records[0];
    assert_eq!((waiting.state.name(), waiting.tries), ("waiting", 1));
    assert!(waiting.last.as_deref().is_some_and(|last| last.contains(&port.to_string())), "{waiting:?}");

    // Another process: all that is known is on the disk.
    let queue = Queue::new(&folder.path().join("queue"));
    let server = Server::start(folder.path(), port);
    let sent = &queue.send(&at(server.port)).unwrap().records[0];
    assert!(matches!(&sent.state, State::Sent { said, .. } if said.contains("taken as 1")), "{sent:?}");
    assert_eq!(sent.message_id, record.message_id);
    assert!(queue.send(&at(server.port)).unwrap().records.is_empty(), "nothing waits");
    assert!(matches!(put(&queue, "Owner@shop.example", "run 1"), Queued::Known(_)), "the same report");
    queue.send(&at(server.port)).unwrap();
    assert!(matches!(queue.send_again(&record.id, &at(server.port)), Err(QueueError::Sent { .. })));
    assert!(matches!(queue.send_again("../x", &at(server.port)), Err(QueueError::Unknown { .. })));

    let [message] = received(folder.path()).try_into().unwrap();
    assert!(message.contains(&format!("Message-ID: <{}>", record.message_id)), "{message}");
    for part in [
        "multipart/alternative",
        "multipart/related",
        "text/plain",
        "text/html",
        "image/png",
        "Content-ID: <logo@report>",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    assert!(!message.lines().any(|line| line.starts_with("Bcc")), "a subject is one line: {message}");
    server.stop();
}

#[test]
fn a_server_that_is_down_is_asked_once_and_a_corrected_sender_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::new(&folder.path().join("queue"));
    let port = free_port();
    for to in ["owner@shop.example", "agency@shop.example"] {
        put_from(&queue, "soutien@atelierr.example", to, "run 1");
    }
    let tries = |listing: Listing| listing.records.iter().map(|record| record.tries).collect::<Vec<_>>();
    assert_eq!(tries(queue.send(&at(port)).unwrap()), [1, 0]);

    // Damage of one message keeps no other waiting.
    std::fs::write(folder.path().join("queue/damaged.json"), "{").unwrap();
    put(&queue, "lost@shop.example", "run 1");
    let lost = queue.list().unwrap().records.into_iter().find(|one| one.to.starts_with("lost")).unwrap();
    std::fs::remove_file(folder.path().join(format!("queue/{}.eml", lost.id))).unwrap();

    for to in ["owner@shop.example", "agency@shop.example"] {
        assert!(matches!(put(&queue, to, "run 1"), Queued::Known(record) if record.from == "soutien@atelier.example"));
    }
    let server = Server::start(folder.path(), port);
    let sent = queue.send(&at(server.port)).unwrap();
    assert_eq!(sent.records.iter().map(|one| one.state.name()).collect::<Vec<_>>(), ["sent", "sent"]);
    assert_eq!(sent.unreadable.len(), 2, "{:?}", sent.unreadable);
    let messages = received(folder.path());
    assert!(messages.iter().all(|one| one.contains("@atelier.example>") && !one.contains("atelierr")), "{messages:?}");
    server.stop();
}

#[test]
fn refused_addresses_are_said_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::new(&folder.path().join("queue"));
    let server = Server::start(folder.path(), free_port());
    for to in ["nobody@shop.example", "later@shop.example", "spam@shop.example", "owner@shop.example"] {
        put(&queue, to, "run 1");
    }
    queue.send(&at(server.port)).unwrap();
    let found: Vec<(String, State)> =
        queue.list().unwrap().records.into_iter().map(|one| (one.to, one.state)).collect();
    let state = |name: &str| found.iter().find(|(to, _)| to.starts_with(name)).unwrap().1.clone();
    assert!(matches!(state("nobody"), State::Refused { said, .. } if said.contains("no such mailbox")), "{found:?}");
    assert!(matches!(state("spam"), State::Refused { said, .. } if said.contains("do not want")), "{found:?}");
    assert_eq!((state("later").name(), state("owner").name()), ("waiting", "sent"));
    let again = queue.send(&at(server.port)).unwrap();
    assert_eq!(again.records.iter().map(|one| one.to.as_str()).collect::<Vec<_>>(), ["later@shop.example"]);
    server.stop();
}

/// Where the next test's other process finds its queue and its server.
const SENDER: &str = "INTENDANT_TEST_SENDER";

/// Sends, as another process does; does nothing in an ordinary run of the tests.
#[test]
fn sender() {
    let Ok(place) = std::env::var(SENDER) else { return };
    let (port, folder) = place.split_once(' ').unwrap();
    Queue::new(Path::new(folder)).send(&at(port.parse().unwrap())).unwrap();
}

#[test]
fn a_sender_that_is_killed_leaves_a_doubt_and_no_second_message() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("queue");
    let queue = Queue::new(&place);
    let server = Server::start(folder.path(), free_port());
    put(&queue, "slow@shop.example", "run 1");
    let mut sender = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mail::tests::sender"])
        .env(SENDER, format!("{} {}", server.port, place.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while received(folder.path()).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server never got it");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(states(&queue), ["sending"]);
    assert!(matches!(queue.send(&at(server.port)), Err(QueueError::Busy)), "its sender is alive");
    sender.kill().unwrap();
    sender.wait().unwrap();

    let doubt = queue.send(&at(server.port)).unwrap().records;
    assert_eq!(doubt.len(), 1);
    assert_eq!(states(&queue), ["in-doubt"]);
    assert!(queue.send(&at(server.port)).unwrap().records.is_empty(), "nothing is sent by itself");
    assert_eq!(received(folder.path()).len(), 1, "the server has one message");
    server.stop();
}

#[test]
fn an_answer_that_does_not_come_is_a_doubt_and_a_person_may_send_again() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::new(&folder.path().join("queue"));
    let server = Server::start(folder.path(), free_port());
    put(&queue, "slow@shop.example", "run 1");
    let (port, copy) = (server.port, queue.clone());
    let sending = std::thread::spawn(move || copy.send(&at(port)).unwrap());
    let begun = Instant::now();
    while received(folder.path()).is_empty() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.stop();
    let records = sending.join().unwrap().records;
    assert_eq!(records[0].state.name(), "in-doubt", "{records:?}");
    // The address answers at once on the next server: a person decides, and the Message-ID is the same.
    let path = folder.path().join("queue").join(format!("{}.json", records[0].id));
    let text = std::fs::read_to_string(&path).unwrap().replace("slow@", "owner@");
    std::fs::write(&path, text).unwrap();
    let server = Server::start(folder.path(), free_port());
    let again = queue.send_again(&records[0].id, &at(server.port)).unwrap();
    assert_eq!((again.state.name(), &again.message_id), ("sent", &records[0].message_id));
    server.stop();
}

#[test]
fn mail_and_passwords_cross_no_network_in_the_clear() {
    for host in ["smtp.atelier.example", "192.0.2.1", "127.0.0.1.evil.example", ""] {
        assert!(MailServer::new(host, None, Security::None, None).is_err(), "{host}");
    }
    for host in ["localhost", "127.0.0.1", "::1"] {
        assert!(MailServer::new(host, None, Security::None, None).is_ok(), "{host}");
    }
    // A server that has no STARTTLS gets nothing.
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::new(&folder.path().join("queue"));
    let server = Server::start(folder.path(), free_port());
    put(&queue, "owner@shop.example", "run 1");
    let strict = MailServer::new("127.0.0.1", Some(server.port), Security::StartTls, None).unwrap();
    let record = &queue.send(&strict).unwrap().records[0];
    assert_eq!(record.state.name(), "waiting", "{record:?}");
    assert!(received(folder.path()).is_empty());
    server.stop();
}

/// The sender of the test below: a process of its own, because whom a process trusts is decided once.
const ENCRYPTED: &str = "INTENDANT_TEST_ENCRYPTED_SENDER";
const PASSWORD: &str = "it's s3cret, é";

#[test]
fn encrypted_sender() {
    let Ok(told) = std::env::var(ENCRYPTED) else { return };
    let [host, port, security, password, folder] = told.split('\t').collect::<Vec<_>>().try_into().unwrap();
    let security = if security == "implicit" { Security::Tls } else { Security::StartTls };
    let login = Login { user: "soutien".into(), password: password.to_owned().into() };
    let server = MailServer::new(host, port.parse().ok(), security, Some(login)).unwrap();
    Queue::new(Path::new(folder)).send(&server).unwrap();
}

/// An authority in `folder`, and a certificate of it for `name`: the files of the certificate and its key.
fn certified(folder: &Path, name: &str) -> [String; 2] {
    let script = "set -e; cd \"$1\"
        ec='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        [ -e ca.pem ] || openssl req -x509 $ec -days 2 -subj /CN=authority -addext keyUsage=critical,keyCertSign \
            -keyout ca.key -out ca.pem
        openssl req -new $ec -subj /CN=server -keyout server.key -out server.csr
        printf 'subjectAltName=%s\\nextendedKeyUsage=serverAuth\\n' \"$2\" >extensions
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem";
    let output = Command::new("sh").args(["-c", script, "sh"]).arg(folder).arg(name).output().unwrap();
    assert!(output.status.success(), "openssl: {output:?}");
    ["server.pem", "server.key"].map(|file| folder.join(file).display().to_string())
}

#[test]
fn a_message_goes_encrypted_with_a_login_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for (security, name, password, expected) in [
        ("implicit", "IP:127.0.0.1", PASSWORD, "sent"),
        ("starttls", "IP:127.0.0.1", PASSWORD, "sent"),
        ("implicit", "IP:127.0.0.1", "wrong", "the login of \"soutien\" was not accepted"),
        ("starttls", "IP:127.0.0.1", "wrong", "the login of \"soutien\" was not accepted"),
        ("implicit", "DNS:mail.other.example", PASSWORD, "certificate not valid for name"),
        ("starttls", "DNS:mail.other.example", PASSWORD, "certificate not valid for name"),
    ] {
        let [certificate, key] = certified(folder.path(), name);
        let got = tempfile::tempdir().unwrap();
        let place = got.path().join("queue");
        let options = [security, &certificate, &key, "soutien", PASSWORD];
        let server = Server::start_with(got.path(), free_port(), &options);
        let queue = Queue::new(&place);
        put(&queue, "owner@shop.example", "run 1");
        let told = ["127.0.0.1", &server.port.to_string(), security, password, &place.display().to_string()].join("\t");
        let sender = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "mail::tests::encrypted_sender"])
            .env(ENCRYPTED, told)
            .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        assert!(sender.status.success(), "{sender:?}");
        let record = &queue.list().unwrap().records[0];
        match expected {
            "sent" => assert_eq!(states(&queue), ["sent"], "{security}: {record:?}"),
            why => {
                assert_eq!(states(&queue), ["waiting"], "{security}, {name}: {record:?}");
                assert!(record.last.as_deref().is_some_and(|last| last.contains(why)), "{record:?}");
            }
        }
        assert_eq!(received(got.path()).len(), usize::from(expected == "sent"), "{security}, {name}");
        assert!(!format!("{record:?}").contains(password) || password == "wrong", "{record:?}");
        server.stop();
    }
}

#[test]
fn addresses_are_checked() {
    for wrong in
        ["", "shop", "a b@shop.example", "a@b@c", "x@shop.example\r\nRCPT TO:<all@evil.example>", "<>", "Name <>"]
    {
        assert!(Mailbox::parse(wrong).is_err(), "{wrong:?}");
    }
    let named = Mailbox::parse("\"Atelier\u{202e} Web\" <soutien@atelier.example>").unwrap();
    assert_eq!((named.name.as_deref(), named.address().as_str()), (Some("Atelier· Web"), "soutien@atelier.example"));
}
