//! Texts that are checked when they are made, and the one error that says what is wrong.

/// Why a text can't stand where it stands, and what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TextError {
    /// What is wrong.
    pub problem: String,
    /// What was expected.
    pub hint: Option<String>,
}

impl TextError {
    /// A problem and what was expected.
    pub fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: Some(hint.into()) }
    }
}

/// A text type that knows its own rule. Its JSON Schema names `FORMAT`, by which a reader of
/// documents finds `check` and so points at the place of a violation.
pub trait CheckedText {
    /// The name of the rule in JSON Schemas.
    const FORMAT: &'static str;

    /// Whether `text` follows the rule.
    fn check(text: &str) -> Result<(), TextError>;
}

/// Declares a [`CheckedText`] around a `String`: `checked_text!(/** doc */ Name, "format", rule)`.
macro_rules! checked_text {
    ($(#[$doc:meta])* $type:ident, $format:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The checked text.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::model::TextError> {
                let text = text.into();
                <Self as $crate::model::CheckedText>::check(&text)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::model::CheckedText for $type {
            const FORMAT: &'static str = $format;
            fn check(text: &str) -> Result<(), $crate::model::TextError> {
                let rule: fn(&str) -> Result<(), $crate::model::TextError> = $rule;
                rule(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::model::TextError;
            fn try_from(text: String) -> Result<Self, $crate::model::TextError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> String {
                text.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::model::TextError;
            fn from_str(text: &str) -> Result<Self, $crate::model::TextError> {
                Self::new(text)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format, "minLength": 1 })
            }
        }
    };
}
pub(crate) use checked_text;

/// Not empty, bounded, one line without control characters.
pub(crate) fn one_line(text: &str, max_bytes: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::new("this is empty", "write a text here"));
    }
    if text.len() > max_bytes {
        return Err(TextError::new(format!("this has {} bytes", text.len()), format!("at most {max_bytes} bytes")));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => {
            Err(TextError::new(format!("{c:?} can't stand in this text"), "one line without control characters"))
        }
        None => Ok(()),
    }
}
