//! Vulnerabilities: what feeds become, and what the program tells of a site.
//!
//! A case is a file `tests/vulnerabilities/<format>/<case>.feed` and beside it, in `<case>.json`, what it becomes.
//! `INTENDANT_BLESS=1` rewrites what is expected; look at the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use intendant::model::{ComponentId, FeedFormat, Version};
use intendant::playbook::FeedUse;
use intendant::vulnerability::{Installed, Wanted, read, read_path};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vulnerabilities")
}

/// Whether `text` is what stands in a file; `INTENDANT_BLESS=1` writes it there.
fn is_expected(file: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("INTENDANT_BLESS").is_some() {
        std::fs::write(file, text).unwrap();
    }
    match std::fs::read_to_string(file) {
        Ok(expected) if expected == text => Ok(()),
        Ok(expected) => Err(format!("{}\n--- expected\n{expected}\n--- actual\n{text}", file.display())),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// Everything that any case asks for.
fn wanted() -> Wanted {
    let uses: Vec<FeedUse> = serde_json::from_value(json!([
        {"source": "wordfence", "kinds": {"core": "core", "plugin": "plugin", "theme": "theme"}},
        {"source": "osv", "kinds": {"PyPI": "package"}},
        {"source": "osv", "kinds": {"Packagist": "module"}, "prefix": "drupal/", "core": ["drupal/core"]},
        {"source": "vel", "kinds": {"component": "component"}},
        {"source": "composer", "kinds": {"package": "module"}, "prefix": "drupal/", "core": ["drupal/core"]}
    ]))
    .unwrap();
    let installed = [
        ("core", "core", "The core"),
        ("plugin", "akismet", "Akismet"),
        ("theme", "storefront", "Storefront"),
        ("package", "wagtail", "wagtail"),
        ("package", "wag-tail-x", "wag-tail-x"),
        ("module", "token", "Token"),
        ("component", "com_gallery", "Gallery"),
        ("component", "com_shop", "Shop & Co"),
    ];
    let installed = installed.map(|(kind, slug, title)| Installed {
        id: ComponentId::new(kind, slug).unwrap(),
        title: title.into(),
        version: Some(Version::new("1.0").unwrap()),
        active: true,
        offers: Vec::new(),
    });
    Wanted::new(&uses, &installed)
}

#[test]
fn feeds_become_what_their_cases_say() {
    let (mut count, mut wrong) = (0, Vec::new());
    for format in [FeedFormat::Wordfence, FeedFormat::Osv, FeedFormat::Vel, FeedFormat::Composer] {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(here().join(format.as_str())).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "feed")) {
            let bytes = std::fs::read(file).unwrap();
            let becomes = match read(format, "case", &wanted(), bytes.as_slice()) {
                Ok(reading) => json!({
                    "entries": reading.entries, "odd": reading.odd, "shown": reading.shown, "records": reading.records,
                }),
                Err(error) => json!({ "fails": error.to_string() }),
            };
            let text = format!("{}\n", serde_json::to_string_pretty(&becomes).unwrap());
            assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{}", file.display());
            wrong.extend(is_expected(&file.with_extension("json"), &text).err());
            count += 1;
        }
        let stray = files.iter().find(|file| !file.with_extension("feed").exists());
        assert!(stray.is_none(), "{stray:?} is what no case becomes");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 18, "{count} cases");
}

/// An entry may take its share of memory and no more, however long the feed is.
#[test]
fn an_entry_without_an_end_is_refused() {
    let refused = |format, begins: &'static [u8]| {
        let endless = begins.chain(std::io::repeat(b'x'));
        read(format, "case", &wanted(), endless).unwrap_err().to_string()
    };
    for (format, begins) in [
        (FeedFormat::Wordfence, b"{\"a\": {\"id\": \"".as_slice()),
        (FeedFormat::Osv, b"{\"id\": \""),
        (FeedFormat::Vel, b"{\"data\": {\"license\": \""),
        (FeedFormat::Composer, b"{\"advisories\": {\""),
    ] {
        let text = refused(format, begins);
        assert!(text.contains("one entry has more than 1048576 bytes"), "{format}: {text}");
    }
    // A long feed of short entries is read to its end.
    let entry = "\"a\": {\"id\": \"a\", \"software\": [{\"type\": \"plugin\", \"slug\": \"x\", \"name\": \"012345678901234567890\"}]},";
    let long = format!("{{{}\"z\": 1}}", entry.repeat(13_000));
    assert!(long.len() > 1_100_000);
    let reading = read(FeedFormat::Wordfence, "case", &wanted(), long.as_bytes()).unwrap();
    assert_eq!((reading.entries, reading.odd, reading.records.len()), (13_001, 1, 0));
}

/// A ZIP archive of these files, packed.
fn archive(path: &Path, files: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let packed = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(*name, packed).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// OSV gives an ecosystem as an archive of its records.
#[test]
fn an_archive_is_read_as_the_folder_that_is_in_it() {
    let scratch = tempfile::tempdir().unwrap();
    let cases = ["answer", "lines", "list", "odd"].map(|name| {
        let bytes = std::fs::read(here().join(format!("osv/{name}.feed"))).unwrap();
        std::fs::write(scratch.path().join(format!("{name}.json")), &bytes).unwrap();
        (format!("{name}.json"), bytes)
    });
    let mut files: Vec<(&str, &[u8])> = cases.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    files.push(("README.md", b"no record"));
    let path = scratch.path().join("all.zip");
    archive(&path, &files);
    let read = |path: &Path| read_path(FeedFormat::Osv, "osv", &wanted(), path);
    let (archived, lying) = (read(&path).unwrap(), read(scratch.path()).unwrap());
    assert_eq!(archived, lying);
    assert!(archived.records.len() >= 3, "{archived:?}");

    let refused = |path: &Path, why: &str| {
        let text = read(path).unwrap_err().to_string();
        assert!(text.contains(why), "{why}: {text}");
    };
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused(&path, "is not a feed of the format osv");
    let mut flipped = whole.clone();
    flipped[60] ^= 0xff;
    std::fs::write(&path, flipped).unwrap();
    assert!(read(&path).is_err(), "a byte of the first file is another");
    archive(&path, &[("README.md", b"no record")]);
    refused(&path, "no file in this archive ends in .json");
    let bomb = [b"{\"id\": \"".as_slice(), &[b'x'; 2 << 20]].concat();
    archive(&path, &[("bomb.json", &bomb)]);
    refused(&path, "one entry has more than 1048576 bytes");
}

/// A server of a feed. It takes one key, and has one state of the feed until it is told another.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    says: Arc<Mutex<String>>,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/feed?secret=in-the-address", listener.local_addr().unwrap());
        let (asked, says) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(String::new())));
        let (log, body) = (asked.clone(), says.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, body) = (stream.unwrap(), body.lock().unwrap().clone());
                let head = head(&mut stream).to_lowercase();
                let kind = match () {
                    () if !head.contains("\r\nauthorization: bearer the-key\r\n") => "401 Unauthorized",
                    () if body.is_empty() => "503 Service Unavailable",
                    () if head.contains(&format!("\r\nif-none-match: \"{}\"\r\n", body.len())) => "304 Not Modified",
                    () => "200 OK",
                };
                log.lock().unwrap().push(kind.split(' ').next().unwrap().to_owned());
                let body = if kind == "200 OK" { body } else { String::new() };
                let etag = if kind == "200 OK" { format!("ETag: \"{}\"\r\n", body.len()) } else { String::new() };
                let answer = format!(
                    "HTTP/1.1 {kind}\r\n{etag}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url, asked, says }
    }

    /// What it has from now on; nothing: it is out of order.
    fn has(&self, body: &str) {
        *self.says.lock().unwrap() = body.to_owned();
    }

    /// What it answered since the last time.
    fn answered(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A site on this machine, and the program that looks at it.
struct Place(tempfile::TempDir);

/// What the program printed, and its exit code.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "plans", "bin", "site"] {
            std::fs::create_dir(place.path(folder)).unwrap();
        }
        std::fs::write(place.path("site/toy.txt"), "toy").unwrap();
        let program = place.path("bin/toy");
        std::fs::write(&program, "#!/bin/sh\ncat \"${0%/*}/../$1.json\"\n").unwrap();
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let plan = format!(
            "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en }}\ntier: custom\ncms: toy\n\
             url: https://shop.example/\nhost: {{ local: {:?} }}\n",
            place.path("site").to_str().unwrap()
        );
        std::fs::write(place.path("plans/shop.yaml"), plan).unwrap();
        place.status(json!({}));
        place
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// What the site has, besides what every site has here.
    fn status(&self, more: Value) {
        let mut status = json!({
            "core": {"title": "Toy", "version": "6.4.2", "offers": [{"version": "6.4.3", "package": true}]},
            "extensions": [
                {"kind": "plugin", "slug": "akismet", "title": "Akismet", "version": "5.0", "active": true,
                 "offer": {"version": "5.0.1", "package": true}},
                {"kind": "plugin", "slug": "quiet", "version": "1.0"}
            ]
        });
        status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        std::fs::write(self.path("status.json"), status.to_string()).unwrap();
    }

    /// The settings, with these feeds.
    fn feeds(&self, text: &str) {
        std::fs::write(self.path("intendant.yaml"), format!("settings: 1\nvulnerabilities:\n{text}")).unwrap();
    }

    fn intendant(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
        command.args(arguments).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).env("LC_ALL", "C.UTF-8").env("INTENDANT_PLAYBOOKS", here().join("playbooks"));
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("INTENDANT_FEED_KEY", "the-key\n");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Looks, expects a code, and gives the text with what differs from day to day as `#`.
    #[track_caller]
    fn told(&self, code: i32) -> String {
        let ran = self.intendant(&["vulnerabilities", "shop"]);
        assert_eq!(ran.code, Some(code), "{}\n{}", ran.out, ran.err);
        let hours = regex::Regex::new(r"\b\d+ h\b").unwrap().replace_all(&ran.out, "# h").into_owned();
        let moment = regex::Regex::new(r"as of [-0-9: ]+UTC").unwrap().replace_all(&hours, "as of #").into_owned();
        moment.replace(self.0.path().to_str().unwrap(), "HERE")
    }
}

fn feed() -> String {
    std::fs::read_to_string(here().join("wordfence/real.feed")).unwrap()
}

#[test]
fn a_site_is_told_what_is_known_of_it() {
    let place = Place::new();
    // Nobody was asked.
    let told = place.told(6);
    assert!(told.contains("NOT KNOWN whether a vulnerability applies"), "{told}");
    assert!(
        told.contains("feed wordfence: MISSING, nothing is known from it: no feed of this format is set"),
        "{told}"
    );
    // A file.
    std::fs::write(place.path("feed.json"), feed()).unwrap();
    place.feeds("  feeds: [{ format: wordfence, from: feed.json }]\n");
    is_expected(&here().join("told.txt"), &place.told(6)).unwrap_or_else(|wrong| panic!("{wrong}"));
    let json = place.intendant(&["vulnerabilities", "shop", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let matches = &json["sites"][0]["matches"];
    assert_eq!(matches[0]["vulnerability"]["cve"], "CVE-2024-0001");
    assert_eq!(matches[0]["verdict"], json!({"is": "no-fix"}));
    assert_eq!(matches[1]["verdict"], json!({"is": "fixed-by", "version": "6.4.3"}));
    assert!(matches[1]["exposed-hours"].as_u64().unwrap() > 10_000);
    // What it tells is past.
    place.status(json!({"core": {"title": "Toy", "version": "6.4.3"}, "extensions": []}));
    let told = place.told(0);
    assert!(told.starts_with("shop: Toy 6.4.3: no known vulnerability applies (1 do not apply)\n"), "{told}");
    // The file is older than it may be.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(49 * 3600);
    std::fs::File::options().append(true).open(place.path("feed.json")).unwrap().set_modified(old).unwrap();
    let told = place.told(6);
    assert!(told.contains("NOT KNOWN") && told.contains("STALE, as of #: it was last written 49 hours ago"), "{told}");
    place.feeds("  max-age: 3d\n  feeds: [{ format: wordfence, from: feed.json }]\n");
    place.told(0);
    // There is none.
    std::fs::remove_file(place.path("feed.json")).unwrap();
    assert!(place.told(6).contains("MISSING, nothing is known from it: the feed feed.json can't be read"));
    // The site's own tools tell.
    place.status(json!({"vulnerabilities": [
        {"component": "core:core", "id": "A-1", "title": "It\u{1b}[31m leaks", "affected": "<7", "severity": "low"},
        {"component": "nonsense", "id": "A-2"}
    ]}));
    place.feeds("  feeds: []\n");
    let told = place.told(6);
    assert!(told.contains("A-1") && told.contains("It·[31m leaks") && told.contains("own tools were asked"), "{told}");
    place.status(json!({"vulnerabilities": []}));
    place.told(0);
}

#[test]
fn a_feed_is_downloaded_and_a_copy_is_kept() {
    let (place, server) = (Place::new(), Server::new());
    server.has(&feed());
    let set = |more: &str| {
        place.feeds(&format!(
            "{more}  feeds: [{{ format: wordfence, from: \"{}\", key: \"env:INTENDANT_FEED_KEY\" }}]\n",
            server.url
        ));
    };
    set("");
    let first = place.told(6);
    assert!(first.contains("CVE-2024-0001") && first.contains(": 3 entries as of #"), "{first}");
    assert!(!first.contains("in-the-address") && !first.contains("the-key"), "{first}");
    assert_eq!(server.answered(), ["200"]);
    // The copy is young enough.
    assert_eq!(place.told(6), first);
    assert!(server.answered().is_empty());
    // It is not, and is what the server has.
    set("  max-age: 0s\n");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(place.told(6), first);
    assert_eq!(server.answered(), ["304"]);
    // Nobody answers, or something else does: the copy is used, and that is said.
    for (says, why) in [("", "it answered 503"), ("<html>", "what it answered is not JSON")] {
        server.has(says);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let told = place.told(6);
        assert!(told.contains("STALE") && told.contains(why) && told.contains("CVE-2024-0001"), "{told}");
    }
    // Something new.
    server.has(&feed().replace("CVE-2024-0001", "CVE-2024-00099"));
    assert!(place.told(6).contains("CVE-2024-00099"));
    // Without the key, and without a copy.
    std::fs::remove_dir_all(place.path("cache")).unwrap();
    place.feeds(&format!("  feeds: [{{ format: wordfence, from: \"{}\" }}]\n", server.url));
    let told = place.told(6);
    assert!(told.contains("MISSING") && told.contains("it answered 401: the key is missing or not taken"), "{told}");
    assert!(!told.contains("in-the-address"), "{told}");
    // Addresses that are never asked, and a key that stands in the settings itself.
    for (from, key, says) in [
        ("http://feeds.example/x", "env:INTENDANT_FEED_KEY", "write https://"),
        ("ftp://feeds.example/x", "env:INTENDANT_FEED_KEY", "write https://"),
        ("https://me:secret-word@feeds.example/x", "env:INTENDANT_FEED_KEY", "it holds a password"),
        ("https://feeds.example/x", "secret-word", "write file:PATH, or env:NAME"),
    ] {
        place.feeds(&format!("  feeds: [{{ format: wordfence, from: \"{from}\", key: \"{key}\" }}]\n"));
        let ran = place.intendant(&["vulnerabilities", "shop"]);
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        assert!(ran.err.contains(says) && !ran.err.contains("secret-word"), "{}", ran.err);
    }
}
