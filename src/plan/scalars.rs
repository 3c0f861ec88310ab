//! The JSON Schema forms of values that other crates define, and small checked texts of a plan.

use crate::model::{CheckedText, TextError, checked_text, one_line};

/// A civil date, `2026-11-24`.
pub(crate) struct Day;

/// A civil time of day, `02:00`.
pub(crate) struct TimeOfDay;

impl CheckedText for Day {
    const FORMAT: &'static str = "date";
    fn check(text: &str) -> Result<(), TextError> {
        let form = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
        match text.parse::<jiff::civil::Date>() {
            Ok(_) if form => Ok(()),
            Ok(_) => Err(TextError::new("this is not a date", "year-month-day: 2026-11-24")),
            Err(_) if form && text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                Err(TextError::new("there is no such day", "year-month-day: 2026-11-24"))
            }
            Err(_) => Err(TextError::new("this is not a date", "year-month-day: 2026-11-24")),
        }
    }
}

impl CheckedText for TimeOfDay {
    const FORMAT: &'static str = "time-of-day";
    fn check(text: &str) -> Result<(), TextError> {
        let form = text.bytes().enumerate().all(|(index, byte)| match index {
            2 | 5 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
        match (matches!(text.len(), 5 | 8) && form, text.parse::<jiff::civil::Time>()) {
            (true, Ok(_)) => Ok(()),
            (true, Err(_)) => Err(TextError::new("there is no such time of day", "from \"00:00\" to \"23:59\"")),
            _ => Err(TextError::new("this is not a time of day", "hours and minutes in quotes: \"02:00\"")),
        }
    }
}

macro_rules! schema {
    ($type:ident, $name:literal, $schema:tt) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

schema!(Day, "Date", { "type": "string", "format": "date", "description": "A day: 2026-11-24." });
schema!(TimeOfDay, "TimeOfDay", {
    "type": "string", "format": "time-of-day", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$",
    "description": "A time of day: \"02:00\"."
});

checked_text!(
    /// The name of a CMS: that of its playbook's folder.
    CmsName,
    "cms-name",
    |text| name(text, "a playbook's name, which is its folder's")
);

checked_text!(
    /// A tag by which sites are chosen.
    Tag,
    "tag",
    |text| name(text, "lowercase letters, digits and - such as pilot-2")
);

fn name(text: &str, hint: &str) -> Result<(), TextError> {
    one_line(text, 64)?;
    let fine = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    match fine {
        true => Ok(()),
        false => Err(TextError::new("this is not a valid name", hint)),
    }
}

checked_text!(
    /// A name of a database table in which `*` stands for any characters.
    TablePattern,
    "table-pattern",
    |text| {
        one_line(text, 128)?;
        let fine = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'-' | b'*'));
        match fine && text.bytes().any(|b| b != b'*') {
            true => Ok(()),
            false => Err(TextError::new(
                "this is not a pattern of table names",
                "letters, digits, _ and *, which stands for any characters: wp_wc_orders*",
            )),
        }
    }
);

checked_text!(
    /// The name of a database.
    DatabaseName,
    "database-name",
    |text| {
        one_line(text, 64)?;
        let fine = !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'-' | b'.'));
        match fine {
            true => Ok(()),
            false => Err(TextError::new("this is not a database's name", "letters, digits and _: shop_rehearsal")),
        }
    }
);

checked_text!(
    /// Files below the site's folder, in which `*` stands for any characters, `/` included:
    /// `*.log` is every such file at any depth. A folder is left out with all that is in it.
    PathPattern,
    "path-pattern",
    |text| {
        one_line(text, 1024)?;
        let bad = |problem: &str| {
            Err(TextError::new(problem, "a path below the site's folder: wp-content/cache, *.log"))
        };
        let mut parts = text.split('/');
        if text.starts_with('/') {
            return bad("an excluded path is relative to the site's folder");
        }
        if parts.clone().any(|part| part == "..") {
            return bad("this path goes upwards with ..");
        }
        if parts.clone().any(|part| part.contains("**") && part != "**") {
            return bad("** stands for whole folders, so it stands alone between two /");
        }
        if text.bytes().all(|b| matches!(b, b'*' | b'/' | b'.')) {
            return bad("this would leave out everything");
        }
        if text.contains(['[', ']', '{', '}', '\\', '?']) {
            return bad("only * and ** have a meaning in such a pattern");
        }
        match parts.any(str::is_empty) && !text.ends_with('/') || text.contains("//") {
            true => bad("this path has an empty part"),
            false => Ok(()),
        }
    }
);

checked_text!(
    /// An e-mail address.
    Email,
    "email",
    |text| {
        one_line(text, 254)?;
        let bad = || Err(TextError::new("this is not an e-mail address", "one address: name@shop.example"));
        let Some((name, domain)) = text.split_once('@') else {
            return bad();
        };
        let plain = |c: char| !c.is_whitespace() && !"<>()[],;:\\\"@".contains(c);
        let labels = domain.split('.').all(|label| {
            !label.is_empty() && !label.starts_with('-') && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        match !name.is_empty() && name.is_ascii() && name.chars().all(plain) && labels {
            true => Ok(()),
            false => bad(),
        }
    }
);

checked_text!(
    /// A line of a postal address, no longer than the window of an envelope is wide.
    AddressLine,
    "address-line",
    |text| {
        one_line(text, 400)?;
        match text.chars().count() {
            0..=48 => Ok(()),
            long => Err(TextError::new(format!("this has {long} characters"), "at most 48: the window of an envelope")),
        }
    }
);
