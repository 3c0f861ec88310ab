//! Snapshots and restores against the tools that people would use instead, side by side.
//!
//! `cargo bench --bench snapshots` builds a site of 24,540 files and 1.2 GB and a database of
//! 300 MB, starts an SSH server of its own on the loopback, times everybody in the same runs,
//! and prints medians and how they stand to the bars. Needs sshd, ssh, GNU find and tar, zstd;
//! rsync, restic, borg and MariaDB where they are installed. What it starts it stops, and its
//! folder goes when it ends. From the environment: `BENCH_RUNS` (3), `BENCH_NIGHTS` (30),
//! `BENCH_FOLDER` (below Cargo's target folder; it takes about 12 GB).

use intendant::model::SiteName;
use intendant::remote::{Shell, SshSettings, SshShell, Target};
use intendant::snapshot::{
    CaptureRequest, Captured, DatabaseAccess, Engine, NoProgress, Progress, RestoreRequest, Restored, Source, Store,
    capture, prepare,
};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TREE_FILES: usize = 3_900;
const PLUGIN_FILES: usize = 3_040;
const PLUGIN_COPIES: usize = 6;
const IMAGES: usize = 2_400;
const IMAGE_BYTES: usize = 290_000;
const TABLES: usize = 12;
const TABLE_BYTES: usize = 25_000_000;

fn main() {
    if let Ok(role) = std::env::var(ALONE) {
        return alone(&role);
    }
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect(name));
    let base = std::env::var_os("BENCH_FOLDER").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    std::fs::create_dir_all(&base).expect("the folder for benchmarks");
    let folder = tempfile::Builder::new().prefix("snapshots").tempdir_in(base).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut bench = Bench::new(folder.path()).await;
        let runs = number("BENCH_RUNS", 3);
        for run in 1..=runs {
            eprintln!("files, run {run} of {runs}");
            bench.files().await;
        }
        if installed("mariadbd") {
            let database = Database::start(folder.path());
            for run in 1..=runs {
                eprintln!("database, run {run} of {runs}");
                bench.database(&database).await;
            }
        }
        bench.nights(number("BENCH_NIGHTS", 30)).await;
        bench.results.print();
        bench.shell.close().await;
    });
}

/// What was measured: seconds, or bytes, under a name.
#[derive(Default)]
struct Results(Vec<(String, Vec<f64>)>);

/// What is measured, against what, and the ratio that is wanted at most.
const BARS: [(&str, &str, f64); 15] = [
    ("first: ours", "first: ssh 'tar | zstd -3'", 1.0),
    ("first: ours", "first: rsync -a", f64::NAN),
    ("first: ours", "first: restic, local disk", f64::NAN),
    ("first: ours", "first: borg, local disk", f64::NAN),
    ("unchanged: ours", "unchanged: ssh find -printf", 1.3),
    ("unchanged: ours", "unchanged: restic, local disk", 1.0 / 2.5),
    ("unchanged: ours", "unchanged: borg, local disk", 1.0 / 2.5),
    ("unchanged: ours", "unchanged: rsync -a", f64::NAN),
    ("one plugin updated: ours", "first: ours", f64::NAN),
    ("restore: ours", "restore: rsync -a --delete", 1.0),
    ("stored MB: ours", "stored MB: restic", 1.0),
    ("stored MB, nights: ours", "stored MB, nights: restic", 1.0),
    ("dump: ours", "dump: ssh 'mariadb-dump | zstd -3'", 1.0),
    ("dump unchanged: ours", "dump: ours", 1.0 / 8.0),
    ("import of one table: ours", "import of all: ssh mariadb", 1.0 / 5.0),
];

impl Results {
    fn add(&mut self, name: &str, value: f64) {
        eprintln!("  {name}: {value:.2}");
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value),
            None => self.0.push((name.to_owned(), vec![value])),
        }
    }

    fn median(&self, name: &str) -> Option<f64> {
        let mut values = self.0.iter().find(|(known, _)| known == name)?.1.clone();
        values.sort_by(f64::total_cmp);
        Some(values[values.len() / 2])
    }

    fn print(&self) {
        println!("\n{:<44} {:>8}   every run", "seconds", "median");
        for (name, values) in &self.0 {
            let all: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
            println!("{name:<44} {:>8.2}   {}", self.median(name).unwrap_or_default(), all.join(" "));
        }
        println!("\n{:<28} against {:<38} {:>6} {:>6}", "", "", "ratio", "bar");
        for (ours, theirs, bar) in BARS {
            let (Some(ours_is), Some(theirs_is)) = (self.median(ours), self.median(theirs)) else {
                println!("{ours:<28} against {theirs:<38} not measured");
                continue;
            };
            let ratio = ours_is / theirs_is;
            let verdict = if bar.is_nan() {
                ""
            } else if ratio <= bar {
                "met"
            } else {
                "MISSED"
            };
            let bar = if bar.is_nan() { "-".into() } else { format!("{bar:.2}") };
            println!("{ours:<28} against {theirs:<38} {ratio:>6.2} {bar:>6} {verdict}");
        }
    }
}

/// The site, its server, and what is measured on them.
struct Bench {
    folder: PathBuf,
    shell: Arc<SshShell>,
    results: Results,
    rounds: u64,
    _server: Server,
}

impl Bench {
    async fn new(folder: &Path) -> Self {
        eprintln!("building the site in {}", folder.display());
        build_site(&folder.join("site"));
        let server = Server::start(folder);
        // What was changed in the last two seconds is read again.
        std::thread::sleep(Duration::from_secs(3));
        Self {
            folder: folder.to_owned(),
            shell: connect(folder).await,
            results: Results::default(),
            rounds: 0,
            _server: server,
        }
    }

    /// Times a shell script in the bench's folder. `$SSH` is a command that logs in on an
    /// established connection, as ours is.
    fn time(&mut self, name: &str, script: &str) {
        let begun = Instant::now();
        sh(&self.folder, script);
        self.results.add(name, begun.elapsed().as_secs_f64());
    }

    fn source(&self, database: Option<DatabaseAccess>) -> Source {
        source(&self.folder, &self.shell, database)
    }

    fn store(&self, name: &str) -> Arc<Store> {
        Arc::new(Store::open(&self.folder.join(name)).expect("a store"))
    }

    /// On a new connection: one that nobody uses for two minutes is closed.
    async fn connected(&mut self, source: &Source) -> Source {
        self.shell.close().await;
        self.shell = connect(&self.folder).await;
        Source { shell: self.shell.clone(), ..source.clone() }
    }

    async fn capture(&mut self, name: &str, source: &Source, store: &Arc<Store>) -> Captured {
        let request = CaptureRequest { now: jiff::Timestamp::now(), tolerate_unreadable: false };
        let source = &self.connected(source).await;
        let begun = Instant::now();
        let captured = capture(source, store, &request, &quiet()).await.expect("a snapshot");
        self.results.add(name, begun.elapsed().as_secs_f64());
        captured
    }

    async fn restore(&mut self, name: &str, source: &Source, store: &Arc<Store>, to: &Captured) -> Restored {
        let request = RestoreRequest {
            now: jiff::Timestamp::now(),
            target: to.name.clone(),
            only: vec![],
            last: vec![],
            rows: None,
        };
        let source = &self.connected(source).await;
        let begun = Instant::now();
        let prepared = prepare(source, store, request, &quiet()).await.expect("a prepared restore");
        let restored = prepared.apply(&quiet()).await.expect("a restore");
        self.results.add(name, begun.elapsed().as_secs_f64());
        restored
    }

    /// The most memory of a process that does one thing.
    fn memory(&mut self, name: &str, role: &str, socket: &str) {
        let mut command = Command::new(std::env::current_exe().expect("ourselves"));
        command.env(ALONE, role).env("BENCH_FOLDER", &self.folder).env("BENCH_SOCKET", socket).stderr(Stdio::inherit());
        let output = command.output().expect("ourselves");
        assert!(output.status.success(), "{role}: {}", output.status);
        let peak = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
        self.results.add(name, peak);
    }

    fn stored(&mut self, name: &str, folder: &str) {
        let output = output(&self.folder, &format!("du -sk --apparent-size {folder}"));
        let kilobytes: f64 = output.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a size");
        self.results.add(name, kilobytes * 1024.0 / 1e6);
    }

    /// One run of everything that concerns files.
    async fn files(&mut self) {
        sh(&self.folder, "rm -rf store restic borg mirror; find site -type f -exec cat {} + >/dev/null; sync");
        let (source, store) = (self.source(None), self.store("store"));
        self.time("first: ssh tar to nothing", "$SSH \"tar -C '$PWD/site' -cf - .\" >/dev/null");
        self.time("first: ssh 'tar | zstd -3'", "$SSH \"tar -C '$PWD/site' -cf - . | zstd -q -3\" >site.tar.zst");
        let first = self.capture("first: ours", &source, &store).await;
        self.memory("memory MB, first: ours", "first", "");
        self.rivals("first");
        sh(&self.folder, "sync");
        self.time("unchanged: ssh find -printf", FIND);
        let second = self.capture("unchanged: ours", &source, &store).await;
        assert_eq!(second.manifest.id(), first.manifest.id());
        self.rivals("unchanged");
        self.sizes();
        self.update(&source, &store).await;
        self.restores(&source, &store).await;
    }

    /// The same work by others.
    fn rivals(&mut self, what: &str) {
        if installed("rsync") {
            self.time(&format!("{what}: rsync -a"), "rsync -a -e \"$RSH\" \"bench:$PWD/site/\" mirror/");
        }
        if installed("restic") {
            sh(&self.folder, "[ -d restic ] || restic init -q -r restic");
            self.time(&format!("{what}: restic, local disk"), RESTIC);
        }
        if installed("borg") {
            sh(&self.folder, "[ -d borg ] || borg init -e none borg");
            let script = "borg create --compression zstd,3 borg::$(date +%s%N) site";
            self.time(&format!("{what}: borg, local disk"), script);
        }
    }

    fn sizes(&mut self) {
        self.stored("stored MB: ours", "store");
        self.stored("stored MB: one tar.zst", "site.tar.zst");
        for name in ["restic", "borg"].into_iter().filter(|name| installed(name)) {
            self.stored(&format!("stored MB: {name}"), name);
        }
    }

    /// Replaces one plugin, as an update does.
    async fn update(&mut self, source: &Source, store: &Arc<Store>) {
        self.rounds += 1;
        let plugin = self.folder.join("site/plugins/0");
        std::fs::remove_dir_all(&plugin).expect("a plugin to remove");
        write_texts(&plugin, PLUGIN_FILES, 25_000, 1000 + self.rounds);
        self.capture("one plugin updated: ours", source, store).await;
    }

    /// The same damage twice, repaired by us and by rsync from a mirror.
    async fn restores(&mut self, source: &Source, store: &Arc<Store>) {
        std::thread::sleep(Duration::from_secs(3));
        let good = self.capture("after the update, unchanged: ours", source, store).await;
        let before = picture(&self.folder);
        self.damage();
        assert_ne!(picture(&self.folder), before);
        self.restore("restore: ours", source, store, &good).await;
        assert_eq!(picture(&self.folder), before, "the restored site differs");
        self.damage();
        self.memory("memory MB, restore: ours", good.name.as_str(), "");
        assert_eq!(picture(&self.folder), before, "the restored site differs");
        if installed("rsync") {
            sh(&self.folder, "rsync -a --delete site/ mirror/");
            self.damage();
            let script = "rsync -a --delete -e \"$RSH\" mirror/ \"bench:$PWD/site/\"";
            self.time("restore: rsync -a --delete", script);
            assert_eq!(picture(&self.folder), before, "the site that rsync restored differs");
        }
    }

    /// 300 files change, 200 are added, one folder goes.
    fn damage(&mut self) {
        self.rounds += 1;
        let site = self.folder.join("site");
        for number in 0..300 {
            let file = site.join(format!("tree/{}/{}.php", number % 100, number));
            std::fs::write(file, Text::new(5000 + self.rounds * 1000 + number).bytes(15_000)).expect("a changed file");
        }
        let texts = self.rounds * 1000;
        write_texts(&site.join("tree/added"), 200, 15_000, texts);
        std::fs::remove_dir_all(site.join("plugins/1/7")).expect("a folder to remove");
    }

    /// Nightly pairs of snapshots, before and after a small update.
    async fn nights(&mut self, nights: u64) {
        let (source, store) = (self.source(None), self.store("store"));
        for night in 1..=nights {
            eprintln!("night {night} of {nights}");
            for after in [false, true] {
                let number = 9000 + 2 * night + u64::from(after);
                let folder = self.folder.join(if after { "site/tree/5" } else { "site/uploads" });
                for file in 0..20 {
                    let file = folder.join(format!("{}.new", if after { file } else { number * 100 + file }));
                    std::fs::write(file, Text::new(number * 100).bytes(8_000)).expect("a new file");
                }
                self.capture("a night's snapshot: ours", &source, &store).await;
                if installed("restic") {
                    self.time("a night's snapshot: restic, local disk", RESTIC);
                }
            }
        }
        self.stored("stored MB, nights: ours", "store");
        if installed("restic") {
            self.stored("stored MB, nights: restic", "restic");
        }
    }

    /// One run of everything that concerns the database.
    async fn database(&mut self, database: &Database) {
        let run = self.rounds;
        self.rounds += 1;
        let store = self.store(&format!("database-store-{run}"));
        let source = self.source(Some(database.access()));
        let (options, socket) = (DUMP_OPTIONS, database.socket());
        let dump = format!("mariadb-dump --no-defaults -uroot -S {socket} {options} shop");
        self.time("dump: local, to nothing", &format!("{dump} >/dev/null"));
        self.time("dump: ssh 'mariadb-dump | zstd -3'", &format!("$SSH \"{dump} | zstd -q -3\" >shop.sql.zst"));
        let first = self.capture("dump: ours", &source, &store).await;
        self.memory("memory MB, dump: ours", "first", &socket);
        self.capture("dump unchanged: ours", &source, &store).await;
        database.sql("update t3 set v = reverse(v) where id % 100 = 7");
        let restored = self.restore("import of one table: ours", &source, &store, &first).await;
        assert_eq!(restored.undone.changes.len(), 1);
        // At the end: after it every table is another one.
        let import = format!("zstd -qdc shop.sql.zst | $SSH \"mariadb --no-defaults -uroot -S {socket} shop\"");
        self.time("import of all: ssh mariadb", &import);
    }
}

/// In the environment of a process that does one thing: `first`, or the snapshot that is restored.
const ALONE: &str = "BENCH_ALONE";

/// Does one thing on the site of another process; prints the most memory that it took, in megabytes.
fn alone(role: &str) {
    let variable = |name: &str| std::env::var(name).expect(name);
    let (folder, socket) = (PathBuf::from(variable("BENCH_FOLDER")), variable("BENCH_SOCKET"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let shell = connect(&folder).await;
        let source = source(&folder, &shell, (!socket.is_empty()).then(|| access(&socket)));
        let now = jiff::Timestamp::now();
        if role == "first" {
            let store = tempfile::Builder::new().prefix("store").tempdir_in(&folder).expect("a folder");
            let store = Arc::new(Store::open(store.path()).expect("a store"));
            let request = CaptureRequest { now, tolerate_unreadable: false };
            capture(&source, &store, &request, &quiet()).await.expect("a snapshot");
        } else {
            let store = Arc::new(Store::open(&folder.join("store")).expect("a store"));
            let target = role.parse().expect("a snapshot");
            let request = RestoreRequest { now, target, only: vec![], last: vec![], rows: None };
            let prepared = prepare(&source, &store, request, &quiet()).await.expect("a prepared restore");
            prepared.apply(&quiet()).await.expect("a restore");
        }
        shell.close().await;
    });
    let status = std::fs::read_to_string("/proc/self/status").expect("our status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kilobytes: f64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("{}", kilobytes * 1024.0 / 1e6);
}

fn source(folder: &Path, shell: &Arc<SshShell>, database: Option<DatabaseAccess>) -> Source {
    let root = if database.is_some() { "empty" } else { "site" };
    std::fs::create_dir_all(folder.join("empty")).expect("a folder");
    Source {
        shell: shell.clone(),
        site: SiteName::new("bench").expect("a name"),
        root: folder.join(root).display().to_string(),
        exclude: Vec::new(),
        database,
    }
}

fn access(socket: &str) -> DatabaseAccess {
    let options = format!("[client]\nuser=root\nsocket={socket}\n");
    let credentials = ["printf", "%s", &options].map(String::from).into();
    DatabaseAccess { engine: Engine::Mysql, credentials, name: "shop".into(), select: None, protect: None }
}

async fn connect(folder: &Path) -> Arc<SshShell> {
    let settings = SshSettings::new(Some(folder.join("ssh_config")));
    let target = Target::new("bench").expect("a target");
    Arc::new(SshShell::connect(&target, &settings).await.expect("a connection"))
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

const FIND: &str = "$SSH \"cd '$PWD/site' && find . -printf '%y %m %U %G %s %T@ %C@ %i %n %P %l\\n'\" >/dev/null";
const RESTIC: &str = "restic backup -q -r restic site";
const DUMP_OPTIONS: &str = "--single-transaction --quick --hex-blob --routines --events --order-by-primary";

/// What another program says of the site.
fn picture(folder: &Path) -> String {
    output(folder, "cd site && find . -type d -printf '%m %P\\n' -o -printf '%m %T@ %s %P\\n' | sort")
}

fn installed(program: &str) -> bool {
    Command::new("sh").args(["-c", "command -v \"$0\" >/dev/null", program]).status().is_ok_and(|it| it.success())
}

/// A script in the bench's folder, with `$SSH` and `$RSH`.
fn script(folder: &Path, text: &str) -> Command {
    let rsh = format!("ssh -F {0}/ssh_config -S {0}/control", folder.display());
    let mut command = Command::new("bash");
    command.args(["-eo", "pipefail", "-c", text]).current_dir(folder);
    command.env("SSH", format!("{rsh} bench")).env("RSH", rsh).env("LC_ALL", "C");
    // The tools keep what they know of their own stores here, and not in the user's home.
    for name in ["RESTIC_CACHE_DIR", "BORG_BASE_DIR"] {
        command.env(name, folder.join("caches").join(name));
    }
    command.env("RESTIC_PASSWORD", "bench").env("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes");
    command
}

fn sh(folder: &Path, text: &str) {
    let status = script(folder, text).stdin(Stdio::null()).status().expect("bash");
    assert!(status.success(), "{text}: {status}");
}

fn output(folder: &Path, text: &str) -> String {
    let output = script(folder, text).stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("bash");
    assert!(output.status.success(), "{text}: {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Programs that end with the bench.
struct Server(Vec<Child>);

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Server {
    fn stop(&mut self) {
        for mut child in self.0.drain(..).rev() {
            // One that has ended already needs no more.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// An SSH server on a free port, and one established connection for those who want it. `SHLVL`: bash
    /// would read the account's start-up file before each command otherwise, and some take longer than it.
    fn start(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let user = output(folder, "id -un");
        sh(folder, "for key in host user; do ssh-keygen -q -t ed25519 -N '' -f $key; done; mkdir -p /run/sshd || true");
        let at = folder.display();
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\nPidFile none\n\
             StrictModes no\nUsePAM no\nLogLevel ERROR\nPermitRootLogin prohibit-password\nMaxSessions 20\nPrintMotd no\n\
             SetEnv SHLVL=2\n"
        );
        let client = format!(
            "Host bench\n  HostName 127.0.0.1\n  Port {port}\n  User {}\n  IdentityFile {at}/user\n  \
             IdentitiesOnly yes\n  UserKnownHostsFile {at}/known\n  LogLevel ERROR\n",
            user.trim()
        );
        let known = output(folder, &format!("printf '[127.0.0.1]:{port} '; cut -d' ' -f1,2 host.pub"));
        for (name, text) in [("sshd_config", server), ("ssh_config", client), ("known", known)] {
            std::fs::write(folder.join(name), text).expect("a configuration");
        }
        let sshd = Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")).spawn();
        let mut server = Self(vec![sshd.expect("sshd: is openssh-server installed?")]);
        wait_for("sshd", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let master = script(folder, "exec $RSH -M -N bench").stdin(Stdio::null()).spawn().expect("ssh");
        server.0.push(master);
        wait_for("a connection", || folder.join("control").exists());
        server
    }
}

fn wait_for(what: &str, ready: impl Fn() -> bool) {
    for _ in 0..300 {
        if ready() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} does not come up");
}

/// A MariaDB server with random text in twelve tables.
struct Database {
    /// Holds the socket, whose path must be short.
    folder: PathBuf,
    server: Server,
}

impl Database {
    fn start(folder: &Path) -> Self {
        eprintln!("building the database");
        let short = tempfile::Builder::new().prefix("bench").tempdir().expect("a folder").keep();
        let install = "mariadb-install-db --no-defaults --user=$(id -un) --skip-test-db --innodb-use-native-aio=0 --datadir=$PWD/data \
             --tmpdir=$PWD --auth-root-authentication-method=normal >/dev/null";
        sh(folder, install);
        let start = format!(
            "exec mariadbd --no-defaults --user=$(id -un) --skip-networking --datadir=$PWD/data --tmpdir=$PWD \
             --innodb-buffer-pool-size=1G --innodb-use-native-aio=0 --max-allowed-packet=256M --pid-file=$PWD/data/pid \
             --log-error=$PWD/data/log --socket={}/s",
            short.display()
        );
        let server = Server(vec![script(folder, &start).stdin(Stdio::null()).spawn().expect("mariadbd")]);
        let database = Self { folder: short, server };
        wait_for("mariadbd", || database.try_sql("", "select 1"));
        assert!(database.try_sql("", "create database shop character set utf8mb4"));
        for table in 0..TABLES {
            database.fill(table);
        }
        database
    }

    fn fill(&self, table: usize) {
        const ROW_BYTES: usize = 1_000;
        let mut text = Text::new(77_000 + table as u64);
        let mut sql = format!("create table t{table} (id int primary key, v text) engine=innodb;\n");
        for block in 0..TABLE_BYTES / ROW_BYTES / 500 {
            sql.push_str(&format!("insert into t{table} values "));
            for row in 0..500 {
                let value = String::from_utf8_lossy(&text.bytes(ROW_BYTES)).replace(['\'', '\\', '\n'], " ");
                let _ = write!(sql, "{}({}, '{value}')", if row == 0 { "" } else { "," }, block * 500 + row);
            }
            sql.push_str(";\n");
        }
        self.sql(&sql);
    }

    fn socket(&self) -> String {
        format!("{}/s", self.folder.display())
    }

    fn try_sql(&self, database: &str, sql: &str) -> bool {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "-uroot", "-S", &self.socket(), database]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("mariadb");
        let fed = child.stdin.take().expect("its input").write_all(sql.as_bytes());
        child.wait().is_ok_and(|status| status.success()) && fed.is_ok()
    }

    fn sql(&self, sql: &str) {
        assert!(self.try_sql("shop", sql), "{}", &sql[..sql.len().min(100)]);
    }

    fn access(&self) -> DatabaseAccess {
        access(&self.socket())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Text like a program's: words of a vocabulary, some of them often, and lines that come again.
struct Text {
    state: u64,
    lines: Vec<String>,
}

impl Text {
    fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, lines: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn word(&mut self) -> String {
        let number = (self.share().powi(3) * 4000.0) as u64;
        let mut hash = number.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0xABCD;
        let length = 2 + number % 9;
        let letter = |_| {
            hash = hash.rotate_left(7).wrapping_mul(0x9E37_79B9);
            char::from(b'a' + (hash % 23) as u8)
        };
        (0..length).map(letter).collect()
    }

    fn line(&mut self) -> String {
        if self.lines.len() > 20 && self.share() < 0.35 {
            let at = self.next() as usize % self.lines.len();
            return self.lines[at].clone();
        }
        let words = 2 + self.next() % 9;
        let marks = [" ", " = ", "->", "( ", " ), ", "; ", "_", "['"];
        let mut line = " ".repeat(4 * (self.next() % 4) as usize);
        for _ in 0..words {
            line.push_str(&self.word());
            line.push_str(marks[self.next() as usize % marks.len()]);
        }
        line.push('\n');
        if self.lines.len() < 400 {
            self.lines.push(line.clone());
        }
        line
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut text = String::with_capacity(length + 200);
        while text.len() < length {
            text.push_str(&self.line());
        }
        text.truncate(length);
        text.into_bytes()
    }
}

/// Files of very different lengths, a hundred folders of them.
fn write_texts(folder: &Path, count: usize, mean: usize, seed: u64) {
    let mut text = Text::new(seed);
    for number in 0..count {
        let folder = folder.join((number % 100).to_string());
        std::fs::create_dir_all(&folder).expect("a folder");
        // The mean of the fourth power of a share is a fifth.
        let length = 300.0 + text.share().powi(4) * 5.0 * mean as f64;
        std::fs::write(folder.join(format!("{number}.php")), text.bytes(length as usize)).expect("a text");
    }
}

fn build_site(site: &Path) {
    write_texts(&site.join("tree"), TREE_FILES, 15_000, 1);
    for copy in 0..PLUGIN_COPIES {
        write_texts(&site.join(format!("plugins/{copy}")), PLUGIN_FILES, 25_000, 2);
    }
    std::fs::create_dir_all(site.join("uploads")).expect("a folder");
    let mut noise = blake3::Hasher::new().finalize_xof();
    let mut image = vec![0; IMAGE_BYTES];
    for number in 0..IMAGES {
        noise.fill(&mut image);
        let folder = site.join(format!("uploads/{}", number % 24));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("{number}.jpg")), &image).expect("an image");
    }
}
