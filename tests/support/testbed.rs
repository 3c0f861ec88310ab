//! One instance of `tests/testbed/testbed`, taken down when it goes out of scope.

use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// More sites at once than this, on the whole machine, make all of them slower.
const MOST_AT_ONCE: usize = 3;

/// A real site behind a real SSH server: WordPress, unless `--cms` among the options says another.
pub struct Testbed {
    pub dir: String,
    pub url: String,
    pub docroot: String,
    /// The name of its playbook.
    pub cms: String,
    pub described: Value,
    /// How long PHP may go on with the code it has read, as a plan's `patience`.
    pub patience: &'static str,
    // Dropped last: the place is free when the site is down.
    _place: Option<File>,
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/testbed")
}

fn called(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(program()).args(arguments).stdin(Stdio::null()).output().expect("the testbed starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn call(arguments: &[&str]) -> String {
    let (good, out, err) = called(arguments);
    assert!(good, "testbed {} failed:\n{out}{err}", arguments.join(" "));
    out
}

/// Sees to it that all is there that sites are made of.
fn installed() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| drop(call(&["install"])));
}

/// Waits for one of the places that the machine has.
fn place() -> File {
    let folder = Path::new("/run/lock/intendant-tests");
    std::fs::create_dir_all(folder).unwrap();
    loop {
        for number in 0..MOST_AT_ONCE {
            let file = File::create(folder.join(number.to_string())).unwrap();
            if file.try_lock().is_ok() {
                return file;
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Testbed {
    /// Brings a site up with the options of `testbed up`.
    pub fn up(options: &[&str]) -> Self {
        installed();
        Self::at(Some(place()), options)
    }

    /// The same beside the machine's places, for what works for hours at the lowest priority.
    pub fn beside(options: &[&str]) -> Self {
        installed();
        Self::at(None, options)
    }

    fn at(place: Option<File>, options: &[&str]) -> Self {
        let pid = std::process::id().to_string();
        let mut arguments = vec!["up", "--watch", &pid];
        arguments.extend(options);
        let described: Value = serde_json::from_str(&call(&arguments)).expect("the testbed describes the site");
        let text = |key: &str| described[key].as_str().unwrap().to_owned();
        let patience = if options.contains(&"--fresh-opcodes") { "0s" } else { "3s" };
        let bed = Self {
            patience,
            dir: text("dir"),
            url: text("url"),
            docroot: text("docroot"),
            cms: text("cms"),
            _place: place,
            described,
        };
        bed.visit("");
        let login = match bed.cms.as_str() {
            "wordpress" => "wp-login.php",
            "bedrock" => "wp/wp-login.php",
            _ => return bed,
        };
        // WordPress itself writes at a first visit, and again when what it kept is a minute old.
        bed.visit(login);
        bed.sql(
            "UPDATE wp_options SET option_value = UNIX_TIMESTAMP() + 86400 \
             WHERE option_name LIKE '\\_transient\\_timeout\\_%'",
        );
        bed
    }

    /// Runs a command as the site's account in the site's folder.
    pub fn exec(&self, command: &[&str]) -> String {
        let (good, out, err) = self.try_exec(command);
        assert!(good, "on the site, {command:?} failed:\n{out}{err}");
        out.trim().to_owned()
    }

    pub fn try_exec(&self, command: &[&str]) -> (bool, String, String) {
        called(&[&["exec", &self.dir], command].concat())
    }

    /// Runs a command as root inside the instance.
    pub fn root(&self, command: &[&str]) -> String {
        call(&[&["root", &self.dir], command].concat())
    }

    /// Runs SQL as the database's root.
    pub fn sql(&self, statement: &str) -> String {
        call(&["sql", &self.dir, "-N", "-e", statement]).trim().to_owned()
    }

    pub fn offer(&self, what: &[&str]) {
        call(&[&["offer", &self.dir], what].concat());
    }

    pub fn fault(&self, what: &[&str]) {
        call(&[&["fault", &self.dir], what].concat());
    }

    /// What is installed, found without Intendant: lines of a component and its version.
    pub fn versions(&self) -> Vec<String> {
        call(&["versions", &self.dir]).lines().map(str::to_owned).collect()
    }

    /// Gives the site twelve plugins, of whose updates two break it, in this way.
    pub fn many(&self, way: &str) {
        call(&["many", &self.dir]);
        for (option, value) in [("tb_many_way", way), ("tb_many_probe", "fine")] {
            self.exec(&["wp", "option", "add", option, value]);
        }
    }

    /// A picture of files and database that shares no code with Intendant.
    pub fn fingerprint(&self) -> String {
        call(&["fingerprint", &self.dir])
    }

    /// The status and body of a page, as a visitor gets it.
    pub fn visit(&self, page: &str) -> (String, String) {
        let url = format!("{}{page}", self.url);
        let output =
            Command::new("curl").args(["-s", "--max-time", "30", "-w", "\n%{http_code}", &url]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or_default();
        (status.to_owned(), body.to_owned())
    }

    /// The text of a file of the site.
    pub fn docroot_file(&self, below: &str) -> String {
        self.exec(&["cat", below])
    }

    pub fn core(&self) -> String {
        self.exec(&["wp", "core", "version"])
    }

    pub fn plugin(&self, slug: &str) -> String {
        self.exec(&["wp", "plugin", "get", slug, "--field=version"])
    }

    pub fn theme(&self, slug: &str) -> String {
        self.exec(&["wp", "theme", "get", slug, "--field=version"])
    }

    /// Asserts that the core, its database and its files belong together.
    pub fn core_is_whole(&self, version: &str) {
        assert_eq!(self.core(), version, "the version of the core");
        let code = self.exec(&["wp", "eval", "global $wp_db_version; echo $wp_db_version;"]);
        let data = self.exec(&["wp", "option", "get", "db_version"]);
        assert_eq!(code, data, "the database's version (right) is the one that the code wants (left)");
        self.exec(&["wp", "core", "verify-checksums"]);
    }

    /// Asserts that no lock, no maintenance file and no private folder stays on the host.
    pub fn nothing_is_left(&self, when: &str) {
        let find = r#"find "$HOME/.intendant" .maintenance /tmp/intendant.* -ls 2>/dev/null; true"#;
        let left = self.exec(&["sh", "-c", find]);
        assert_eq!(left, "", "{when}: left on the host");
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        let (good, out, err) = called(&["down", &self.dir]);
        if !good {
            eprintln!("testbed down {}: {out}{err}", self.dir);
        }
    }
}

/// Asserts that two fingerprints are equal, and shows the first lines that are not.
pub fn same(before: &str, after: &str, when: &str) {
    if before == after {
        return;
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let (old, new) = (lines(before), lines(after));
    let cut = |line: &String| line.chars().take(300).collect::<String>();
    let gone = old.difference(&new).take(12).map(|line| format!("- {}", cut(line)));
    let come = new.difference(&old).take(12).map(|line| format!("+ {}", cut(line)));
    let shown: Vec<String> = gone.chain(come).collect();
    panic!("{when}: files or tables differ:\n{}", shown.join("\n"));
}
