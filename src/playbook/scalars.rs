//! Small checked texts of a playbook.

use crate::model::{TextError, checked_text, one_line};

checked_text!(
    /// The name of a CMS, a program, a tool or a fact: one file name.
    ToolName,
    "tool-name",
    |text| {
        one_line(text, 64)?;
        let fine = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not a valid name",
                "letters, digits, -, _ and . after a letter or digit",
            )),
        }
    }
);

checked_text!(
    /// The name of a file beside the playbook.
    FileName,
    "file-name",
    |text| {
        one_line(text, 128)?;
        let fine = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not the name of a file beside the playbook",
                "a name without /: inventory.php",
            )),
        }
    }
);

checked_text!(
    /// A path below the site's folder.
    RelativePath,
    "relative-path",
    |text| {
        one_line(text, 1024)?;
        let fine = !text.starts_with('-')
            && !text.contains('\\')
            && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not a path below the site's folder",
                "a relative path without ..: wp-includes/version.php",
            )),
        }
    }
);

checked_text!(
    /// Where a program is downloaded from.
    DownloadUrl,
    "download-url",
    |text| {
        one_line(text, 2000)?;
        let address = url::Url::parse(text).ok();
        let fine = address.is_some_and(|address| {
            address.scheme() == "https" && address.username().is_empty() && address.password().is_none()
        });
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not a place to download from",
                "an address that begins with https://, without credentials",
            )),
        }
    }
);

checked_text!(
    /// A SHA-512 in 128 lowercase hexadecimal digits.
    Sha512,
    "sha512",
    |text| {
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match digits && text.len() == 128 {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not a SHA-512",
                format!("128 lowercase hexadecimal digits, as sha512sum prints them; here are {} characters", text.chars().count()),
            )),
        }
    }
);

checked_text!(
    /// A regular expression of the `regex` crate.
    Pattern,
    "regex",
    |text| compile(text).map(drop)
);

/// The regular expression, with bounds on what it may cost.
pub(crate) fn compile(text: &str) -> Result<regex::Regex, TextError> {
    let built = regex::RegexBuilder::new(text).size_limit(1 << 20).build();
    built.map_err(|error| {
        let last = error.to_string();
        let last = last.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        TextError::new(
            format!("this regular expression can't be read: {last}"),
            "the syntax of Rust's regex crate; groups are named with (?<name>…)",
        )
    })
}

checked_text!(
    /// The name of an HTTP header.
    HeaderName,
    "header-name",
    |text| {
        one_line(text, 64)?;
        match text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            true => Ok(()),
            false => Err(TextError::new("this is not the name of a header", "letters, digits and -: X-Intendant-Visit")),
        }
    }
);
