//! Watches a full update with logs of everything: no secret that was used is in anything that is left of it, nor in the
//! arguments or the environment of any process while it goes on.
//!
//! Packs are the one exception: the site's own configuration, with its password, is content of the site. An
//! encrypted store hides that, too.

use crate::support::{Environment, Ran, Testbed};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What no artefact may hold, by what it is.
type Secrets = Arc<Vec<(String, String)>>;

/// The database's password, each line of the key that logs in, and what reads the store.
fn secrets(bed: &Testbed, identity: &str) -> Secrets {
    // The site's own password has every sign that has to be escaped somewhere; this one is the same everywhere.
    let password = format!("pw{}", uuid::Uuid::new_v4().simple());
    let user = bed.exec(&["wp", "eval", "echo DB_USER;"]);
    bed.exec(&["wp", "config", "set", "DB_PASSWORD", &password, "--quiet"]);
    let host = bed.sql(&format!("SELECT Host FROM mysql.user WHERE User = '{user}' LIMIT 1"));
    bed.sql(&format!("ALTER USER '{user}'@'{host}' IDENTIFIED BY '{password}'"));
    let key = std::fs::read_to_string(bed.described["key"].as_str().unwrap()).unwrap();
    // The first line is the same in all keys of this kind.
    let lines = key.lines().filter(|line| line.len() > 20 && !line.starts_with("---")).skip(1);
    let mut all = vec![("the database's password".to_owned(), password)];
    all.extend(lines.map(|line| ("the key that logs in".to_owned(), line.to_owned())));
    all.push(("what reads the store".into(), identity.to_owned()));
    Arc::new(all)
}

fn named<'a>(secrets: &'a Secrets, bytes: &[u8]) -> Option<&'a str> {
    let holds = |secret: &str| memchr::memmem::find(bytes, secret.as_bytes()).is_some();
    secrets.iter().find(|(_, secret)| holds(secret)).map(|(name, _)| name.as_str())
}

/// Looks at all processes of the machine, and at what the host keeps for us, until it is told to stop.
struct Watch {
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<(u64, u64, BTreeSet<String>)>,
}

impl Watch {
    fn begin(secrets: &Secrets, temporary: &str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (end, secrets, temporary) = (over.clone(), secrets.clone(), temporary.to_owned());
        let thread = std::thread::spawn(move || {
            let (mut processes, mut files, mut found) = (0, 0, BTreeSet::new());
            while !end.load(Ordering::Relaxed) {
                for process in std::fs::read_dir("/proc").unwrap().flatten() {
                    for part in ["cmdline", "environ"] {
                        let Ok(bytes) = std::fs::read(process.path().join(part)) else { continue };
                        processes += 1;
                        if let Some(name) = named(&secrets, &bytes) {
                            let command = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                            found.insert(format!("{name} in the {part} of {}", command.trim()));
                        }
                    }
                }
                for file in private_files(Path::new(&temporary)) {
                    let Ok(bytes) = std::fs::read(&file) else { continue };
                    files += 1;
                    found.extend(
                        named(&secrets, &bytes).map(|name| format!("{name} in {} of the host", file.display())),
                    );
                }
                std::thread::sleep(Duration::from_millis(40));
            }
            (processes, files, found)
        });
        Self { over, thread }
    }

    fn end(self) -> (u64, u64, BTreeSet<String>) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The files of private folders, but for a tool that is brought along: that is the same on all hosts.
fn private_files(temporary: &Path) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(temporary).into_iter().flatten().flatten().map(|entry| entry.path());
    let ours =
        folders.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("intendant.")));
    let mut all = Vec::new();
    ours.for_each(|folder| files_below(&folder, &mut all));
    all.into_iter().filter(|file| file.extension().is_none_or(|extension| extension != "phar")).collect()
}

fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path(), found),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

/// Every file that a run leaves, and what compressed ones hold, except packs and the identity's own file.
fn left(shop: &Environment, secrets: &Secrets, but: &Path) -> (u64, BTreeSet<String>) {
    let mut files = Vec::new();
    files_below(&shop.path("."), &mut files);
    let (mut count, mut found) = (0, BTreeSet::new());
    for file in files.iter().filter(|file| !file.ends_with(but)) {
        let name = file.display().to_string();
        if name.ends_with(".tar.zst") && name.contains("/packs/") {
            continue;
        }
        let bytes = std::fs::read(file).unwrap();
        let unpacked = zstd::decode_all(bytes.as_slice()).unwrap_or_default();
        for part in [bytes, unpacked] {
            found.extend(named(secrets, &part).map(|secret| format!("{secret} in {name}")));
        }
        count += 1;
    }
    (count, found)
}

fn said(ran: &Ran, secrets: &Secrets, found: &mut BTreeSet<String>) {
    for (what, text) in [("what it printed", &ran.out), ("its log", &ran.err)] {
        found.extend(named(secrets, text.as_bytes()).map(|secret| format!("{secret} in {what}")));
    }
}

/// A run that is watched.
pub(crate) struct Watched {
    secrets: Secrets,
    watch: Watch,
}

impl Watched {
    /// Gives the site a password, and the store an identity, that are looked for from here on.
    pub(crate) fn begin(bed: &Testbed, shop: &Environment) -> Self {
        let made = Command::new("age-keygen").arg("-o").arg(shop.path("key.txt")).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let text = std::fs::read_to_string(shop.path("key.txt")).unwrap();
        let identity = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
        // The store stays plain, so that its manifests can be read here; the identity is given, and not needed.
        std::fs::write(shop.path("intendant.yaml"), "settings: 1\nidentity: file:key.txt\n").unwrap();
        let secrets = secrets(bed, identity);
        let watch = Watch::begin(&secrets, &format!("{}/tmp", bed.dir));
        Self { secrets, watch }
    }

    /// Asserts that no secret was anywhere. What ran said everything that it can say.
    pub(crate) fn end(self, shop: &Environment, ran: &[Ran]) {
        let (processes, files, mut found) = self.watch.end();
        ran.iter().for_each(|ran| said(ran, &self.secrets, &mut found));
        let log: usize = ran.iter().map(|ran| ran.err.len()).sum();
        let (artefacts, more) = left(shop, &self.secrets, Path::new("key.txt"));
        found.extend(more);
        println!(
            "{} secrets looked for in {artefacts} files, {log} bytes of log, {processes} looks at processes and {files} \
             at files of private folders",
            self.secrets.len()
        );
        assert!(artefacts > 8 && log > 20_000 && processes > 1_000 && files > 50, "too little was looked at");
        assert!(found.is_empty(), "{found:#?}");
        // Who looks so finds the site's own configuration where it has to be.
        let mut all = Vec::new();
        files_below(&shop.path("store/packs"), &mut all);
        let packs = all.iter().filter_map(|file| zstd::decode_all(std::fs::File::open(file).ok()?).ok());
        assert!(
            packs.into_iter().any(|pack| named(&self.secrets, &pack).is_some()),
            "no snapshot has the configuration"
        );
    }
}
