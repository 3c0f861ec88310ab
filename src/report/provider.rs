//! Who does the work, as reports show it: name, contact, logo, colours, templates of their own.
//!
//! May use: `model`. Invariants: a logo is a PNG of bounded size; a colour can be read on the page's paper; a template escapes
//! everything that it inserts.

use crate::model::clean_line;
use base64::Engine as _;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The largest logo, in bytes.
pub const MAX_LOGO_BYTES: usize = 256 << 10;
/// The largest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 1 << 20;
/// The most points of a logo's side.
const MOST_POINTS: u32 = 4000;
/// What every PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The least contrast of a text that can be read: WCAG 2 AA.
const LEAST_CONTRAST: f64 = 4.5;

/// What inserts a text as it is.
static RAW: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{~?\s*[{&]").ok());

/// Who does the work, as reports name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provider {
    /// The name.
    pub name: Option<String>,
    /// How to reach it, in one line: an e-mail address, a telephone number.
    pub contact: Option<String>,
    /// The postal address: the lines below the name.
    pub address: Vec<String>,
    /// The logo.
    pub logo: Option<Picture>,
    /// The colour of headings and links on white paper.
    pub accent: Option<Colour>,
    /// The same where the reader prefers a dark page.
    pub accent_dark: Option<Colour>,
    /// Templates that take the place of ours.
    pub templates: Templates,
}

/// Why something of a provider's can't stand in a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A logo.
    #[error("it can't be a logo: {0}; a PNG of at most 256 KiB and 4000 points a side is needed")]
    Logo(&'static str),
    /// A colour.
    #[error("{0:?} is not a colour; write it as #17568f")]
    Colour(String),
    /// A colour that can't be read.
    #[error("{colour} can't be read on {paper}: the contrast is {contrast}, and 4.5 is needed; take a {way} one")]
    Contrast {
        /// The colour.
        colour: String,
        /// On what.
        paper: &'static str,
        /// The contrast.
        contrast: String,
        /// How to do better.
        way: &'static str,
    },
    /// A template's name.
    #[error("{0:?} takes the place of no template; there are page.hbs, month.hbs, text.hbs, mail.hbs and letter.hbs")]
    NoSuchTemplate(String),
    /// A template.
    #[error("the template {name} can't be used: {why}")]
    Template {
        /// Its file.
        name: String,
        /// Why.
        why: String,
    },
}

/// A picture that stands in the page itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    png: Vec<u8>,
}

impl Picture {
    /// A PNG.
    ///
    /// # Errors
    /// [`ProviderError::Logo`].
    pub fn png(bytes: Vec<u8>) -> Result<Self, ProviderError> {
        let wrong = |why| Err(ProviderError::Logo(why));
        if bytes.len() > MAX_LOGO_BYTES {
            return wrong("it is too large");
        }
        let Some(rest) = bytes.strip_prefix(PNG) else { return wrong("it is not a PNG") };
        let number = |at: usize| rest.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
        let (Some(b"IHDR"), Some(width), Some(height)) = (rest.get(4..8), number(8), number(12)) else {
            return wrong("it is damaged");
        };
        match (1..=MOST_POINTS).contains(&width) && (1..=MOST_POINTS).contains(&height) {
            true => Ok(Self { png: bytes }),
            false => wrong("it has no size, or too large a one"),
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.png
    }

    pub(super) fn address(&self) -> String {
        format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(&self.png))
    }
}

/// A colour that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// A colour for white paper.
    ///
    /// # Errors
    /// [`ProviderError::Colour`] and [`ProviderError::Contrast`].
    pub fn on_white(text: &str) -> Result<Self, ProviderError> {
        Self::read(text, Self([255, 255, 255]), "white", "darker")
    }

    /// A colour for the dark page.
    ///
    /// # Errors
    /// As [`Colour::on_white`].
    pub fn on_dark(text: &str) -> Result<Self, ProviderError> {
        Self::read(text, Self([0x1a, 0x20, 0x25]), "the dark page", "lighter")
    }

    fn read(text: &str, paper: Self, on: &'static str, way: &'static str) -> Result<Self, ProviderError> {
        let wrong = || ProviderError::Colour(clean_line(text, 40));
        let digits = text.strip_prefix('#').filter(|rest| rest.len() == 6 && rest.is_ascii()).ok_or_else(wrong)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).map_err(|_| wrong())?.to_be_bytes();
        let colour = Self([red, green, blue]);
        let contrast = colour.contrast(paper);
        match contrast >= LEAST_CONTRAST {
            true => Ok(colour),
            false => {
                let contrast = format!("{contrast:.1}");
                Err(ProviderError::Contrast { colour: colour.to_string(), paper: on, contrast, way })
            }
        }
    }

    /// As WCAG 2 defines it.
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Templates that take the place of ours, by their files' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates(BTreeMap<&'static str, String>);

impl Templates {
    /// The names of files that take the place of templates.
    pub const NAMES: [&str; 5] = ["page.hbs", "month.hbs", "text.hbs", "mail.hbs", "letter.hbs"];

    /// Adds a template.
    ///
    /// # Errors
    /// [`ProviderError::NoSuchTemplate`] and [`ProviderError::Template`].
    pub fn add(&mut self, name: &str, text: String) -> Result<(), ProviderError> {
        let known = Self::NAMES.into_iter().find(|known| *known == name);
        let known = known.ok_or_else(|| ProviderError::NoSuchTemplate(clean_line(name, 80)))?;
        let wrong = |why: String| ProviderError::Template { name: known.to_owned(), why };
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(wrong("it is larger than 1 MiB".into()));
        }
        if RAW.as_ref().is_none_or(|raw| raw.is_match(&text)) {
            return Err(wrong("it inserts texts without escaping them; write {{…}}".into()));
        }
        handlebars::Template::compile(&text).map_err(|error| wrong(clean_line(&error.to_string(), 300)))?;
        self.0.insert(known, text);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = [PNG, &[0, 0, 0, 13], b"IHDR"].concat();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn only_pictures_of_bounded_size_are_logos() {
        assert!(Picture::png(png(120, 40)).unwrap().address().starts_with("data:image/png;base64,iVBORw0KGgo"));
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>".to_vec();
        let mut large = png(10, 10);
        large.resize(MAX_LOGO_BYTES + 1, 0);
        for wrong in [Vec::new(), svg, png(0, 1), png(4001, 1), PNG.to_vec(), large] {
            assert!(Picture::png(wrong).is_err());
        }
    }

    #[test]
    fn colours_can_be_read() {
        assert_eq!(Colour::on_white("#17568F").unwrap().to_string(), "#17568f");
        assert!(Colour::on_dark("#8cbcea").is_ok());
        // The lightest grey that WCAG takes on white, and the one after it.
        assert!(Colour::on_white("#767676").is_ok() && Colour::on_white("#777777").is_err());
        let said = Colour::on_white("#ffff00").unwrap_err().to_string();
        assert!(said.contains("#ffff00") && said.contains("1.1") && said.contains("darker"), "{said}");
        assert!(Colour::on_dark("#17568f").unwrap_err().to_string().contains("lighter"));
        for wrong in ["", "red", "#fff", "#17568", "#17568g", "#+7568f", "17568f", "#17568f;}", "#é7568"] {
            assert!(matches!(Colour::on_white(wrong), Err(ProviderError::Colour(_))), "{wrong}");
        }
    }

    #[test]
    fn templates_escape_what_they_insert() {
        let add = |name: &str, text: &str| Templates::default().add(name, text.to_owned());
        assert!(add("page.hbs", "<p>{{site_title}}</p>").is_ok());
        for (name, text) in [
            ("page.hbs", "{{{site_title}}}"),
            ("page.hbs", "{{&site_title}}"),
            ("page.hbs", "{{~{site_title}~}}"),
            ("page.hbs", "{{ & site_title}}"),
            ("page.hbs", "{{~  {site_title}}}"),
            ("page.hbs", "{{#if x}}"),
            ("other.hbs", "x"),
            ("../page.hbs", "x"),
        ] {
            assert!(add(name, text).is_err(), "{name} {text}");
        }
    }
}
