//! The browser of this machine that prints PDFs.

use super::settings::Settings;
use super::{ExitCode, Failure};
use crate::pdf::{PdfError, Printer};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The names under which a Chromium is found.
const NAMES: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chromium-headless-shell", "chrome"];

/// What prints PDFs: the program that the settings name, else the first one on the path.
pub(super) fn printer(settings: &Settings) -> Result<Printer, Failure> {
    find(settings.browser.as_deref(), std::env::var_os("PATH").as_deref())
}

fn find(named: Option<&Path>, path: Option<&OsStr>) -> Result<Printer, Failure> {
    if let Some(named) = named {
        return match named.is_file() {
            true => Ok(Printer::new(named)),
            false => {
                let text = format!("the settings' browser, {}, is not there; it prints PDFs", named.display());
                Err(Failure { code: ExitCode::INVALID, text })
            }
        };
    }
    let folders: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let places = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = places.into_iter().find(|place| place.is_absolute() && place.is_file());
    found.map(|program| Printer::new(&program)).ok_or_else(|| {
        Failure::absent(
            "a PDF is printed by Chromium or Chrome, and none is on the path; install one (Debian: apt install chromium), name \
             it in the settings (browser: /opt/chrome/chrome), or print the page (--format html) from any browser",
        )
    })
}

impl From<PdfError> for Failure {
    fn from(error: PdfError) -> Self {
        Self::new(ExitCode::OTHER, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_go_before_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own"), folder.path().join("google-chrome"));
        for program in [&own, &other] {
            std::fs::write(program, "").unwrap();
        }
        let path = std::env::join_paths(["relative".into(), folder.path().to_owned()]).unwrap();
        assert_eq!(find(Some(&own), Some(&path)).unwrap().program(), own);
        assert_eq!(find(None, Some(&path)).unwrap().program(), other);
        let missing = find(Some(Path::new("/no/such")), Some(&path)).unwrap_err();
        assert!(missing.code == ExitCode::INVALID && missing.text.contains("/no/such"), "{}", missing.text);
    }

    #[test]
    fn without_a_browser_it_is_said_what_to_install() {
        for path in [None, Some(OsStr::new("")), Some(OsStr::new("/no/such/folder"))] {
            let missing = find(None, path).unwrap_err();
            assert!(missing.code == ExitCode::ABSENT && missing.text.contains("apt install chromium"));
        }
    }
}
