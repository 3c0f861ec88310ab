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
    /// A kind or a name, or how one begins, in the words of a feed of vulnerabilities.
    FeedWord,
    "feed-word",
    |text| {
        one_line(text, 128)?;
        match text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@".contains(&b)) {
            true => Ok(()),
            false => Err(TextError::new("this is no word of a feed", "letters, digits, -, _, ., / and @: vendor/package")),
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
    /// Files below the site's folder; `*` stands for any characters, and a folder for all that is in it.
    FilePattern,
    "file-pattern",
    |text| {
        one_line(text, 1024)?;
        let fine = !text.starts_with('-')
            && !text.contains(['\\', '?', '[', ']'])
            && text.trim_end_matches('/').split('/').all(|part| !matches!(part, "" | "." | ".." | "*" | "**"));
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is no pattern of files below the site's folder",
                "a relative path without .., with * for any characters: wp-content/uploads, *.php",
            )),
        }
    }
);

checked_text!(
    /// Where a component's files lie, below the site's folder; `{{slug}}` is its name.
    ComponentPlace,
    "component-place",
    |text| {
        one_line(text, 1024)?;
        let plain = text.replacen("{{slug}}", "x", 1);
        let fine = !text.starts_with('-')
            && !plain.contains(['\\', '*', '{', '}'])
            && plain.trim_end_matches('/').split('/').all(|part| !matches!(part, "" | "." | ".."));
        match fine {
            true => Ok(()),
            false => Err(TextError::new(
                "this is no place of a component's files",
                "a relative path without .., with the name once: wp-content/plugins/{{slug}}/",
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
