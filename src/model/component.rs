//! What an update applies to: the core or one extension.

use super::checked::{TextError, checked_text};
use super::name::{NameError, Slug};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of component in the words of its playbook: `core`, `plugin`, `theme`, `language` …
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Kind(pub Slug);

impl Kind {
    /// The core's kind, the one name that every playbook shares.
    pub const CORE: &'static str = "core";

    /// A checked kind.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Slug::new(text).map(Self)
    }

    /// Whether this is the core.
    pub fn is_core(&self) -> bool {
        self.0.as_str() == Self::CORE
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One component of one site; written `plugin:akismet`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId {
    /// Its kind.
    pub kind: Kind,
    /// Its name within the kind.
    pub slug: Slug,
}

impl ComponentId {
    /// The component of this kind and slug, both checked.
    pub fn new(kind: &str, slug: &str) -> Result<Self, NameError> {
        Ok(Self { kind: Kind::new(kind)?, slug: Slug::new(slug)? })
    }

    /// The core of every site.
    pub fn core() -> Option<Self> {
        Self::new(Kind::CORE, Kind::CORE).ok()
    }

    /// Whether `name`, from a plan, means this component: `kind:slug` or the bare slug.
    pub fn is_named(&self, name: &str) -> bool {
        match name.split_once(':') {
            Some((kind, slug)) => self.kind.as_str() == kind && self.slug.as_str() == slug,
            None => self.slug.as_str() == name,
        }
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.slug)
    }
}

impl schemars::JsonSchema for ComponentId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ComponentId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[^:]+:.+$" })
    }
}

impl Serialize for ComponentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ComponentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (kind, slug) =
            text.split_once(':').ok_or_else(|| serde::de::Error::custom("a component is written kind:slug"))?;
        Self::new(kind, slug).map_err(serde::de::Error::custom)
    }
}

checked_text!(
    /// How a plan names a component: `kind:slug`, the bare slug of an extension, or `core`.
    ComponentName,
    "component-name",
    |text| {
        let (kind, slug) = text.split_once(':').unwrap_or(("plugin", text));
        let checked = Kind::new(kind).and_then(|_| Slug::new(slug));
        checked.map(drop).map_err(|_| {
            TextError::new("this is not the name of a component", "core, an extension's name such as woocommerce, or theme:storefront")
        })
    }
);

impl ComponentName {
    /// Whether this means `component`.
    pub fn names(&self, component: &ComponentId) -> bool {
        component.is_named(self.as_str())
    }

    /// Whether this means the core.
    pub fn is_core(&self) -> bool {
        matches!(self.as_str(), "core" | "core:core")
    }
}
