//! The folder of screenshots: each is a file that has the digest of its content as its name.

use crate::ledger::Screenshot;
use crate::model::{Digest, clean_line, human_bytes};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The largest screenshot, in bytes.
pub const MAX_SCREENSHOT_BYTES: u64 = 10 << 20;
/// How many characters of a file's name are kept.
const MAX_NAME: usize = 120;
/// How pictures begin, and how their files end.
const PICTURES: [(&[u8], &str); 2] = [(b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg")];

/// Why a screenshot can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotError {
    /// The system said no.
    #[error("the screenshot {} can't be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What was said.
        source: std::io::Error,
    },
    /// It can't be written down.
    #[error("the screenshot {} can't be kept in {}", file.display(), folder.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Where it should go.
        folder: PathBuf,
        /// What was said.
        source: std::io::Error,
    },
    /// It is too large.
    #[error("the screenshot {} has more than {}; save it smaller, or as JPEG", file.display(), human_bytes(MAX_SCREENSHOT_BYTES))]
    Large {
        /// The file.
        file: PathBuf,
    },
    /// It is no picture.
    #[error("{} does not begin as a PNG or a JPEG does; save the screenshot as one of them", file.display())]
    NoPicture {
        /// The file.
        file: PathBuf,
    },
}

/// What became of a screenshot that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is there as it was.
    Whole(PathBuf),
    /// It is not there.
    Gone(PathBuf),
    /// Something else is in its place.
    Changed(PathBuf),
}

/// A folder of screenshots.
#[derive(Debug, Clone)]
pub struct Screenshots {
    folder: PathBuf,
}

impl Screenshots {
    /// The folder; it is made when the first screenshot is kept.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Copies screenshots into the folder, and returns when they are on the disk.
    ///
    /// # Errors
    /// [`ScreenshotError`]. When one of them is no picture, or can't be read, none is kept.
    pub fn keep(&self, files: &[PathBuf]) -> Result<Vec<Screenshot>, ScreenshotError> {
        for file in files {
            picture(file)?;
        }
        files.iter().map(|file| self.keep_one(file)).collect()
    }

    fn keep_one(&self, file: &Path) -> Result<Screenshot, ScreenshotError> {
        let (bytes, end) = picture(file)?;
        let name = format!("{}.{end}", Digest::of(&bytes));
        self.write(&name, &bytes).map_err(|source| ScreenshotError::Write {
            file: file.to_owned(),
            folder: self.folder.clone(),
            source,
        })?;
        let called = file.file_name().unwrap_or_default().to_string_lossy();
        Ok(Screenshot { file: name, name: clean_line(&called, MAX_NAME), bytes: bytes.len() as u64 })
    }

    /// Only its owner reads the folder: a screenshot may show anything.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut made = tempfile::NamedTempFile::new_in(&self.folder)?;
        made.write_all(bytes)?;
        made.as_file().sync_all()?;
        made.persist(self.folder.join(name)).map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()
    }

    /// What became of one. Its name comes from the ledger: one that is no plain name is not there.
    pub fn look(&self, screenshot: &Screenshot) -> Kept {
        let path = self.folder.join(&screenshot.file);
        let plain = Path::new(&screenshot.file).file_name().is_some_and(|name| name == screenshot.file.as_str());
        let Some(bytes) = plain.then(|| read(&path).ok()).flatten() else { return Kept::Gone(path) };
        let whole = screenshot.file.split_once('.').is_some_and(|(name, _)| name == Digest::of(&bytes).to_string());
        if whole { Kept::Whole(path) } else { Kept::Changed(path) }
    }
}

/// The bytes of a picture, and how its file ends.
fn picture(file: &Path) -> Result<(Vec<u8>, &'static str), ScreenshotError> {
    let bytes = read(file)?;
    match PICTURES.iter().find(|(start, _)| bytes.starts_with(start)) {
        Some((_, end)) => Ok((bytes, end)),
        None => Err(ScreenshotError::NoPicture { file: file.to_owned() }),
    }
}

/// The bytes of a file. One that is none, such as a pipe, is not opened: that could wait for ever.
fn read(file: &Path) -> Result<Vec<u8>, ScreenshotError> {
    let unreadable = |source| ScreenshotError::Read { file: file.to_owned(), source };
    let large = || ScreenshotError::Large { file: file.to_owned() };
    let metadata = std::fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(ScreenshotError::NoPicture { file: file.to_owned() });
    }
    if metadata.len() > MAX_SCREENSHOT_BYTES {
        return Err(large());
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(MAX_SCREENSHOT_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SCREENSHOT_BYTES { Err(large()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn pictures_are_kept_by_their_content_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let all = Screenshots::new(&folder.path().join("state/anomalies"));
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let keep = |file: &Path| all.keep(&[file.to_owned()]).map(|mut kept| kept.remove(0));
        let png = keep(&file("cart \u{1b}[2J.png", b"\x89PNG\r\n\x1a\nx")).unwrap();
        assert_eq!((png.name.as_str(), png.bytes), ("cart ·[2J.png", 9));
        let jpeg = keep(&file("cart", b"\xff\xd8\xff\xe0x")).unwrap();
        assert!(png.file.ends_with(".png") && jpeg.file.ends_with(".jpg"));
        assert_eq!(keep(&file("again.png", b"\x89PNG\r\n\x1a\nx")).unwrap().file, png.file);
        let Kept::Whole(path) = all.look(&png) else { panic!("it is there") };
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);

        for (name, bytes) in [
            ("page.png", &b"<html><script>"[..]),
            ("empty.png", b""),
            ("short.png", b"\x89PNG"),
            ("picture.gif", b"GIF89a"),
        ] {
            let error = keep(&file(name, bytes)).unwrap_err();
            assert!(matches!(error, ScreenshotError::NoPicture { .. }), "{name}: {error}");
        }
        assert!(matches!(keep(folder.path()), Err(ScreenshotError::NoPicture { .. })), "a folder");
        assert!(matches!(keep(&folder.path().join("gone.png")), Err(ScreenshotError::Read { .. })));
        let two = [file("good.png", b"\x89PNG\r\n\x1a\nnew"), folder.path().join("gone.png")];
        assert!(all.keep(&two).is_err(), "one of two");
        let large = folder.path().join("large.png");
        File::create(&large).unwrap().set_len(MAX_SCREENSHOT_BYTES + 1).unwrap();
        assert!(matches!(keep(&large), Err(ScreenshotError::Large { .. })));
        assert_eq!(std::fs::read_dir(folder.path().join("state/anomalies")).unwrap().count(), 2);

        std::fs::write(&path, b"something else").unwrap();
        assert!(matches!(all.look(&png), Kept::Changed(_)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(all.look(&png), Kept::Gone(_)));
        let outside = Screenshot { file: "../../cart".into(), ..jpeg };
        assert!(matches!(all.look(&outside), Kept::Gone(_)), "no name leads out of the folder");
    }
}
