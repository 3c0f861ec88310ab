//! What pages are looked at with: the testbed installs it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Kit {
    pub(super) chromium: PathBuf,
    pub(super) axe: PathBuf,
    pub(super) vnu: PathBuf,
    folders: Vec<String>,
}

impl Kit {
    /// Installs what is missing.
    pub(super) fn get() -> Self {
        let program = here().join("tests/testbed/testbed");
        let output = Command::new(program).arg("pages").stdin(Stdio::null()).output().expect("the testbed starts");
        assert!(output.status.success(), "testbed pages: {}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let path = |key: &str| PathBuf::from(told[key].as_str().unwrap());
        let folders = told["fonts"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
        Self { chromium: path("chromium"), axe: path("axe"), vnu: path("vnu"), folders }
    }

    /// A configuration in `folder` by which there are just our fonts, whatever the machine has.
    pub(super) fn fonts(&self, folder: &Path) -> PathBuf {
        let folders: String = self.folders.iter().map(|one| format!("<dir>{one}</dir>")).collect();
        let alias = |family: &str, ours: &str| {
            format!("<alias binding=\"same\"><family>{family}</family><prefer><family>{ours}</family></prefer></alias>")
        };
        let sans = ["sans", "system-ui", "sans-serif"].map(|family| alias(family, "Liberation Sans")).concat();
        let mono = ["ui-monospace", "monospace"].map(|family| alias(family, "Liberation Mono")).concat();
        // What no family is named for.
        let any = "<match target=\"pattern\"><edit name=\"family\" mode=\"append\" binding=\"weak\">\
                   <string>Liberation Sans</string></edit></match>";
        let cache = folder.join("font-cache");
        let text = format!(
            "<?xml version=\"1.0\"?><fontconfig>{folders}<cachedir>{}</cachedir>{sans}{mono}{any}</fontconfig>\n",
            cache.display()
        );
        let file = folder.join("fonts.conf");
        std::fs::write(&file, text).unwrap();
        file
    }
}

pub(super) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The golden pages, by name: those of runs, months, letters, audits and intakes. Mails are no pages: readers of mail show them.
pub(super) fn pages() -> Vec<(String, PathBuf)> {
    let golden = here().join("src/report/tests/golden");
    let mut found = Vec::new();
    for folder in [golden.clone(), golden.join("audit")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&golden).unwrap().display().to_string();
            if name.ends_with(".html") && !name.starts_with("mail-") {
                found.push((name, path));
            }
        }
    }
    found.sort();
    assert!(found.len() > 40, "{} pages", found.len());
    for kind in [
        "completed.",
        "completed-with-holds.",
        "restored.",
        "stuck.",
        "refused.",
        "month.",
        "audit/",
        "intake-",
        "letter-",
    ] {
        assert!(found.iter().any(|(name, _)| name.starts_with(kind)), "no page {kind}");
    }
    found
}

/// One of them.
pub(super) fn page(name: &str) -> PathBuf {
    pages().into_iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no page {name}")).1
}
