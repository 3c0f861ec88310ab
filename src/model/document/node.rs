//! A document as a tree in which every key and value knows its place.

/// A place in a document: 1-based line and column, in characters, and how many characters of
/// that line belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The number of characters, at least 1.
    pub width: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What stands there.
    pub value: NodeValue,
}

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written, and its value where that is whole.
    Number(String, Option<i128>),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys, their places, and their values, in the order of the document.
    Map(Vec<(Place, String, Node)>),
}

/// One step into a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seg<'a> {
    /// Into the value of a key.
    Key(&'a str),
    /// Into an item of a list, from 0.
    Item(usize),
}

impl<'a> From<&'a str> for Seg<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Seg<'_> {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

impl Node {
    /// What it is, in the words of an error.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "nothing",
            NodeValue::Bool(_) => "true or false",
            NodeValue::Number(..) => "a number",
            NodeValue::Text(_) => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "keys and values",
        }
    }

    /// The verb that goes with [`Self::describe`].
    pub fn verb(&self) -> &'static str {
        match &self.value {
            NodeValue::Map(_) => "are",
            _ => "is",
        }
    }

    /// The child at one step.
    pub fn child(&self, seg: Seg<'_>) -> Option<&Self> {
        match (&self.value, seg) {
            (NodeValue::Map(entries), Seg::Key(key)) => {
                entries.iter().find(|(_, name, _)| name == key).map(|(_, _, node)| node)
            }
            (NodeValue::List(items), Seg::Item(index)) => items.get(index),
            _ => None,
        }
    }

    /// The node at a path, if it is there.
    pub fn get(&self, path: &[Seg<'_>]) -> Option<&Self> {
        path.iter().try_fold(self, |node, seg| node.child(*seg))
    }

    /// The place of the value at a path, or of its nearest ancestor that is there.
    pub fn place_of(&self, path: &[Seg<'_>]) -> Place {
        let mut node = self;
        for seg in path {
            match node.child(*seg) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.place
    }

    /// The place of the key at the end of a path.
    pub fn place_of_key(&self, path: &[Seg<'_>]) -> Place {
        let Some((Seg::Key(last), parents)) = path.split_last() else {
            return self.place_of(path);
        };
        match self.get(parents).map(|node| &node.value) {
            Some(NodeValue::Map(entries)) => entries
                .iter()
                .find(|(_, name, _)| name == last)
                .map_or_else(|| self.place_of(parents), |(place, ..)| *place),
            _ => self.place_of(parents),
        }
    }
}
