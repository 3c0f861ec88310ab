//! The browser: how it is called, and what is believed of it.

use super::PdfError;
use crate::remote::{Command, LocalShell, Shell as _};
use jiff::Timestamp;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest page that is printed, in bytes.
pub const MAX_PAGE_BYTES: usize = 64 << 20;
/// The largest PDF that is taken, in bytes.
pub const MAX_PDF_BYTES: u64 = 128 << 20;
/// How long it may take. A page of a few sheets takes a second or two.
const LIMIT: Duration = Duration::from_secs(120);
/// Debian's program is a shell script around this one; killing the script would leave the browser.
const DEBIANS: &str = "/usr/lib/chromium/chromium";

/// Prints pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printer {
    program: PathBuf,
    limit: Duration,
}

impl Printer {
    /// By this Chromium or Chrome.
    pub fn new(program: &Path) -> Self {
        let debians = Path::new(DEBIANS);
        let wrapped = program != debians && is_debians(program) && debians.is_file();
        Self { program: if wrapped { debians.to_owned() } else { program.to_owned() }, limit: LIMIT }
    }

    /// With another limit of time.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The page as a PDF that says it was made at `made`: the date of what it tells, so that the same page is the same PDF.
    ///
    /// # Errors
    /// [`PdfError`].
    pub async fn print(&self, page: &str, made: Timestamp) -> Result<Vec<u8>, PdfError> {
        if page.len() > MAX_PAGE_BYTES {
            return Err(PdfError::Page { bytes: page.len(), limit: MAX_PAGE_BYTES });
        }
        let folder = |source| PdfError::Folder { folder: std::env::temp_dir(), source };
        let own = tempfile::Builder::new().prefix("intendant-pdf-").tempdir().map_err(folder)?;
        std::fs::write(own.path().join(PAGE), page).map_err(folder)?;
        let root = own.path().metadata().map_err(folder)?.uid() == 0;
        let command =
            Command::new(arguments(&self.program, own.path(), root)).within(self.limit).printing_at_most(1 << 20);
        let output = LocalShell.run(&command).await;
        let output = output.map_err(|source| PdfError::Browser { program: self.program.clone(), source })?;
        let file = own.path().join(PDF);
        if !output.ok() || !file.is_file() {
            let (program, status, said) = (self.program.clone(), output.status, output.tail());
            return Err(PdfError::Nothing { program, status, said });
        }
        let mut pdf = Vec::new();
        let mut read = std::fs::File::open(&file).map_err(folder)?.take(MAX_PDF_BYTES + 1);
        read.read_to_end(&mut pdf).map_err(folder)?;
        let whole = pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF");
        if !whole || pdf.len() as u64 > MAX_PDF_BYTES {
            return Err(PdfError::NotOne { program: self.program.clone(), limit: MAX_PDF_BYTES });
        }
        date(&mut pdf, made);
        Ok(pdf)
    }
}

/// The page in the browser's folder.
const PAGE: &str = "page.html";
/// What becomes of it.
const PDF: &str = "page.pdf";

/// Whether this is Debian's script, under one of its names or by a link.
fn is_debians(program: &Path) -> bool {
    let real = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    real == Path::new("/usr/bin/chromium")
}

/// The command: one browser, whose home, profile and page are in `folder`.
fn arguments(program: &Path, folder: &Path, root: bool) -> Vec<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut arguments: Vec<String> = vec![
        "env".into(),
        format!("HOME={}", folder.display()),
        format!("XDG_CONFIG_HOME={}", at("config")),
        format!("XDG_CACHE_HOME={}", at("cache")),
        "DBUS_SESSION_BUS_ADDRESS=disabled:".into(),
        program.display().to_string(),
    ];
    let fixed = [
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-extensions",
        "--disable-sync",
        "--disable-breakpad",
        "--disable-crash-reporter",
        "--disable-background-networking",
        "--disable-component-update",
        // The page asks for nothing. If one ever did, it would get nothing: no name leads anywhere, and every request
        // goes to a proxy that is not there, those to this machine included.
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--proxy-server=127.0.0.1:9",
        "--proxy-bypass-list=<-loopback>",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
    ];
    arguments.extend(fixed.map(String::from));
    // Chromium's sandbox does not work for root, and Chromium does not start for root with it. The page is one of ours, which
    // runs no script; who wants the sandbox runs Intendant as somebody else.
    arguments.extend(root.then(|| "--no-sandbox".to_owned()));
    arguments.push(format!("--user-data-dir={}", at("profile")));
    arguments.push(format!("--print-to-pdf={}", at(PDF)));
    let page = url::Url::from_file_path(folder.join(PAGE)).map_or_else(|()| at(PAGE), String::from);
    arguments.push(page);
    arguments
}

/// Puts a date in the place of the two that the browser wrote, of the same length.
fn date(pdf: &mut [u8], made: Timestamp) {
    let digits = made.strftime("%Y%m%d%H%M%S").to_string();
    for key in ["/CreationDate (D:", "/ModDate (D:"] {
        // They stand at the beginning; the same letters further on would be the page's own.
        let head = pdf.len().min(8 << 10);
        let Some(found) = memchr::memmem::find(&pdf[..head], key.as_bytes()) else { continue };
        let at = found + key.len();
        if let Some(place) = pdf.get_mut(at..at + digits.len()).filter(|old| old.iter().all(u8::is_ascii_digit)) {
            place.copy_from_slice(digits.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_browser_can_reach_nothing_and_keeps_nothing() {
        let argv = arguments(Path::new("/opt/chrome"), Path::new("/tmp/x y"), false);
        let line = argv.join("\n");
        for part in ["--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-bypass-list=<-loopback>", "HOME=/tmp/x y"] {
            assert!(argv.iter().any(|one| one == part), "{part}\n{line}");
        }
        assert!(line.contains("--user-data-dir=/tmp/x y/profile") && line.ends_with("file:///tmp/x%20y/page.html"));
        assert!(!line.contains("--no-sandbox"), "{line}");
        assert!(arguments(Path::new("c"), Path::new("/t"), true).contains(&"--no-sandbox".to_owned()));
    }

    #[test]
    fn dates_are_those_of_the_report() {
        let made = "2026-11-12T07:05:09Z".parse().unwrap();
        let mut pdf = b"%PDF-1.4 /CreationDate (D:20260101000000+00'00') /ModDate (D:20260101000000+00'00')".to_vec();
        date(&mut pdf, made);
        let told = String::from_utf8(pdf).unwrap();
        assert_eq!(told.matches("(D:20261112070509+00'00')").count(), 2, "{told}");
        for odd in [&b""[..], b"/CreationDate (D:2026", b"/CreationDate (D:x0260101000000"] {
            let mut pdf = odd.to_vec();
            date(&mut pdf, made);
            assert_eq!(pdf, odd);
        }
    }

    /// Its own children end with it.
    #[tokio::test]
    async fn a_browser_that_hangs_is_ended_whole() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let slow = format!("sleep 300 & echo $! >{}; wait", pid.display());
        let error =
            printer(folder.path(), &slow).within(Duration::from_secs(1)).print("x", Timestamp::UNIX_EPOCH).await;
        let error = crate::model::in_words(&error.unwrap_err());
        assert!(error.contains("did not print the page"), "{error}");
        let child = std::fs::read_to_string(&pid).unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "it lives: {stat}");
    }

    /// A program in the place of the browser.
    fn printer(folder: &Path, script: &str) -> Printer {
        let program = folder.join("browser");
        std::fs::write(
            &program,
            format!("#!/bin/sh\nfor one; do case $one in --print-to-pdf=*) to=${{one#*=}};; esac; done\n{script}\n"),
        )
        .unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Printer::new(&program)
    }

    #[tokio::test]
    async fn what_is_no_pdf_is_an_error_that_says_what_came() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let error = printer(folder.path(), "echo 'no display' >&2; exit 3").print("x", now).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("status 3") && said.contains("no display") && said.contains("browser: PATH"), "{said}");
        let error = printer(folder.path(), "exit 0").print("x", now).await.unwrap_err();
        assert!(matches!(error, PdfError::Nothing { status: 0, .. }), "{error}");
        let error = printer(folder.path(), "echo '%PDF-1.4 cut' >\"$to\"").print("x", now).await.unwrap_err();
        assert!(matches!(error, PdfError::NotOne { .. }), "{error}");
        let missing = Printer::new(Path::new("/no/such/browser")).print("x", now).await.unwrap_err();
        assert!(matches!(missing, PdfError::Nothing { status: 127, .. }), "{missing}");
        let good = printer(folder.path(), "printf '%%PDF-1.4\\n%%%%EOF\\n' >\"$to\"").print("x", now).await.unwrap();
        assert_eq!(good, b"%PDF-1.4\n%%EOF\n");
    }
}
