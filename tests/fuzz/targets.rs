//! What is fuzzed: every reader of bytes that a user, a host or a store may have made. Whatever they
//! are, it ends in bounded time and memory, without a panic, and nothing of them is committed that does not verify.
//!
//! Used by the fuzzer's programs (`bin`) and by the test that replays the seeds (`tests/fuzz.rs`).

use intendant::inventory::Inventory;
use intendant::model::{ComponentId, Digest, FeedFormat, SiteName, Version, VersionScheme};
use intendant::playbook::{Library, RawOutput, Transform};
use intendant::remote::{Command, Output, Process, RemoteError, Shell};
use intendant::snapshot::{
    CaptureRequest, DatabaseAccess, Depth, Engine, NoProgress, Progress, SnapshotName, Source, Store, capture, export,
    import, verify,
};
use intendant::vulnerability::{Installed, Wanted, assess, read};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

/// Every target, by the name of its folder of seeds.
pub(crate) const TARGETS: [&str; 11] = [
    "plan",
    "playbook",
    "facts",
    "files",
    "files_busybox",
    "database",
    "postgresql",
    "manifest",
    "store",
    "export",
    "vulnerabilities",
];
/// What stands between the parts of an input.
pub(crate) const BETWEEN: &[u8] = b"\n====\n";
/// The id of the pack whose files the target `store` makes up.
pub(crate) const PACK: &str = "0123456789abcdef0123456789abcdef";
/// What a snapshot is called whose manifest does not say it.
const SNAPSHOT: &str = "20260114T020000.000Z-0123456789ab";

/// Gives an input to a target; returns whether it was taken for what it should be.
pub(crate) fn run(target: &str, data: &[u8]) -> bool {
    match target {
        "plan" => {
            let parsed = intendant::plan::parse(
                Path::new("plan.yaml"),
                &String::from_utf8_lossy(data),
                &["wordpress", "joomla"],
            );
            parsed.map_err(|error| error.to_string()).is_ok()
        }
        "playbook" => {
            let parsed = intendant::playbook::parse(Path::new("playbook.yaml"), &String::from_utf8_lossy(data));
            parsed.map_err(|error| error.to_string()).is_ok()
        }
        "facts" => facts(data),
        "files" => captured(parts(data), None),
        // The list of BusyBox, after the words with which a host says that it has nothing else.
        "files_busybox" => {
            let mut answers = parts(data);
            if let Some(list) = answers.first_mut() {
                list.splice(0..0, *b"busybox-find busybox-tar 1768356000 0 0\0");
            }
            captured(answers, None)
        }
        "database" => dumped(Engine::Mysql, data),
        "postgresql" => dumped(Engine::Postgresql, data),
        "manifest" => stored(data, &[]),
        "store" => {
            let parts = parts(data);
            let part = |number: usize| parts.get(number).map(Vec::as_slice).unwrap_or_default();
            let index = (format!("packs/{PACK}.index"), packed(&sealed(part(1))));
            stored(part(0), &[index, (format!("packs/{PACK}.tar.zst"), part(2).to_vec())])
        }
        "export" => imported(data),
        "vulnerabilities" => known(data),
        other => panic!("no target {other}"),
    }
}

/// A snapshot of an empty folder and a database, whose programs answer so.
fn dumped(engine: Engine, data: &[u8]) -> bool {
    let root = b"1768356000 0 0\0d 755 0 0 0 1.0 1.0 7 1\0\0\0".to_vec();
    let credentials = vec!["true".into()];
    let access = DatabaseAccess { engine, credentials, name: "shop".into(), select: None, protect: None };
    captured([vec![root], parts(data)].concat(), Some(access))
}

/// An input as the parts that a target takes from it.
fn parts(data: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest.to_vec());
    parts
}

/// A checksum would keep the fuzzer out of what is compressed, so the inputs are not.
fn packed(data: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(data, 1).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

fn site() -> SiteName {
    SiteName::new("s").unwrap()
}

fn folder() -> tempfile::TempDir {
    let base = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
    tempfile::Builder::new().prefix("fuzz").tempdir_in(base).unwrap()
}

/// What the commands of the shipped playbooks print, as the inventory reads it.
fn facts(data: &[u8]) -> bool {
    static TRANSFORMS: OnceLock<Vec<Transform>> = OnceLock::new();
    let transforms = TRANSFORMS.get_or_init(|| {
        let library = Library::shipped();
        let playbooks = library.names().into_iter().map(|name| library.load(name).unwrap().0);
        playbooks
            .flat_map(|playbook| [vec![playbook.read], playbook.facts.into_values().collect()].concat())
            .map(|fact| fact.parse)
            .collect()
    });
    let parts = parts(data);
    let part = |number: usize| parts.get(number).map(Vec::as_slice).unwrap_or_default();
    let mut taken = false;
    for transform in transforms {
        if let Ok(document) = transform.apply(&RawOutput { exit: 0, stdout: part(0), stderr: part(1) }) {
            drop(Inventory::from_document(&site(), document).map_err(|error| error.to_string()));
            taken = true;
        }
    }
    if let Ok(document) = serde_json::from_slice(part(0)) {
        drop(Inventory::from_document(&site(), document).map_err(|error| error.to_string()));
    }
    taken
}

/// A host that answers each command with the next of its answers, and with a failure when it has none left.
struct Host(Mutex<VecDeque<Vec<u8>>>);

#[async_trait::async_trait]
impl Shell for Host {
    fn host(&self) -> &str {
        "fuzz"
    }

    async fn start(&self, _: &Command) -> Result<Process, RemoteError> {
        let answer = self.0.lock().unwrap().pop_front();
        let status = if answer.is_some() { 0 } else { 1 };
        Ok(Process::ended(Output { status, stdout: answer.unwrap_or_default(), stderr: Vec::new() }))
    }

    async fn close(&self) {}
}

/// A snapshot of a host that answers so, twice over: what was committed is whole.
fn captured(answers: Vec<Vec<u8>>, database: Option<DatabaseAccess>) -> bool {
    let folder = folder();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    block_on(async {
        let shell = Arc::new(Host(Mutex::new(answers.iter().chain(&answers).cloned().collect())));
        let source = Source { shell, site: site(), root: "/srv/site".into(), exclude: Vec::new(), database };
        for second in 0..2 {
            let now = jiff::Timestamp::from_second(1_768_356_000 + second).unwrap();
            let request = CaptureRequest { now, tolerate_unreadable: second == 1 };
            drop(capture(&source, &store, &request, &quiet()).await.map_err(|error| error.to_string()));
        }
        let verified = verify(&store, None, Depth::EveryByte, &quiet()).await.unwrap();
        assert!(verified.ok(), "{verified:?}");
    });
    !store.list(&site()).unwrap().is_empty()
}

/// The lines of an index with a footer that fits them: its digest would keep the fuzzer out.
fn sealed(index: &[u8]) -> Vec<u8> {
    let end = index.windows(6).position(|window| window == b"{\"end\"").unwrap_or(index.len());
    let frames = index[..end].split(|byte| *byte == b'\n').count().saturating_sub(2);
    let footer = serde_json::json!({"end": true, "frames": frames, "digest": Digest::of(&index[..end])});
    [&index[..end], footer.to_string().as_bytes(), b"\n"].concat()
}

/// The name that a snapshot with this manifest must have.
fn name(manifest: &[u8]) -> Option<String> {
    let mut lines = manifest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let header: serde_json::Value = serde_json::from_slice(lines.next()?).ok()?;
    let footer: serde_json::Value = serde_json::from_slice(lines.next_back()?).ok()?;
    let taken: jiff::Timestamp = header["taken"].as_str()?.parse().ok()?;
    let id = footer["id"].as_str()?.get(..12)?;
    Some(format!("{}-{id}", taken.strftime("%Y%m%dT%H%M%S.%3fZ")))
}

/// A store in which this snapshot and these files stand.
fn stored(manifest: &[u8], files: &[(String, Vec<u8>)]) -> bool {
    let folder = folder();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let name: SnapshotName = name(manifest).and_then(|name| name.parse().ok()).unwrap_or(SNAPSHOT.parse().unwrap());
    let manifest = (format!("sites/s/{name}.manifest"), packed(manifest));
    for (name, bytes) in files.iter().chain([&manifest]) {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    block_on(async {
        let loaded = store.load(&site(), &name).is_ok();
        if loaded {
            let to = folder.path().join("export.tar.zst");
            drop(export(&store, &site(), &name, &to, &quiet()).await.map_err(|error| error.to_string()));
        }
        for depth in [Depth::Metadata, Depth::EveryByte] {
            drop(verify(&store, None, depth, &quiet()).await.map_err(|error| error.to_string()));
        }
        loaded
    })
}

/// An export that is read into an empty store, and written again from there.
fn imported(data: &[u8]) -> bool {
    let folder = folder();
    let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
    let from = folder.path().join("export.tar.zst");
    std::fs::write(&from, packed(data)).unwrap();
    block_on(async {
        let now = jiff::Timestamp::from_second(1_900_000_000).unwrap();
        let imported = import(&store, &from, now, &quiet()).await.map_err(|error| error.to_string());
        if let Ok(imported) = &imported {
            let verified = verify(&store, None, Depth::EveryByte, &quiet()).await.unwrap();
            assert!(verified.ok(), "{verified:?}");
            let to = folder.path().join("again.tar.zst");
            export(&store, &imported.site, &imported.name, &to, &quiet()).await.unwrap();
        }
        imported.is_ok()
    })
}

/// A feed, after a line with the name of its format, and what it means for a site. What is kept of it is bounded and
/// can be stored and shown.
fn known(data: &[u8]) -> bool {
    let parts = parts(data);
    let name = parts.first().map(|part| String::from_utf8_lossy(part).into_owned()).unwrap_or_default();
    let Ok(format) = serde_json::from_value::<FeedFormat>(name.clone().into()) else {
        return false;
    };
    let uses = serde_json::json!([
        {"source": name, "kinds": {"core": "core", "plugin": "plugin", "PyPI": "plugin", "component": "plugin"}},
        {"source": name, "kinds": {"package": "plugin", "Packagist": "plugin"}, "prefix": "drupal/"},
    ]);
    let uses: Vec<intendant::playbook::FeedUse> = serde_json::from_value(uses).unwrap();
    let components = ["core:core", "plugin:akismet", "plugin:wagtail", "plugin:com_gallery", "plugin:token"];
    let installed = components.map(|component| {
        let (kind, slug) = component.split_once(':').unwrap();
        let (version, offer) = (Version::new("1.4.2").unwrap(), Version::new("99").unwrap());
        let id = ComponentId::new(kind, slug).unwrap();
        Installed { id, title: "Gallery".into(), version: Some(version), active: true, offers: vec![offer] }
    });
    let wanted = Wanted::new(&uses, &installed);
    let Ok(reading) = read(format, "fuzz", &wanted, parts.get(1).map(Vec::as_slice).unwrap_or_default())
        .map_err(|error| assert!(!error.to_string().contains(char::is_control), "{error:?}"))
    else {
        return false;
    };
    for record in &reading.records {
        let texts =
            record.references.iter().chain(&record.unread).chain(&record.cve).chain([&record.id, &record.title]);
        for text in texts {
            assert!(text.chars().count() <= 301 && !text.contains(char::is_control), "{text:?}");
        }
    }
    for scheme in [VersionScheme::Php, VersionScheme::Composer, VersionScheme::Pep440, VersionScheme::Semver] {
        let matches = assess(scheme, &installed, &reading.records);
        assert!(matches.len() <= reading.records.len());
        let stored = serde_json::to_string(&matches).unwrap();
        assert_eq!(serde_json::from_str::<Vec<intendant::vulnerability::Match>>(&stored).unwrap(), matches);
    }
    !reading.records.is_empty()
}
