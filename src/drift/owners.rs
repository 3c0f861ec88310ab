//! Whose a file or a table of a site is.
//!
//! May use: `model`, `playbook`, `inventory`, `snapshot`. Invariants: pure. A file belongs to the component in whose place it lies; a
//! table to the extension whose name stands in its own, which is a guess, and the best one that there is.

use super::places::Places;
use crate::inventory::Inventory;
use crate::model::ComponentId;
use crate::playbook::Files;
use crate::snapshot::Item;

/// The shortest name of an extension that is looked for in the name of a table, in characters: shorter ones are words.
const LEAST_NAME: usize = 3;

/// The components of a site by what is theirs.
pub struct Owners<'a> {
    places: Places,
    tables: Tables<'a>,
}

impl<'a> Owners<'a> {
    /// What belongs to the components of this inventory.
    pub fn of(files: &Files, inventory: &'a Inventory) -> Self {
        Self { places: Places::of(files, [inventory]), tables: Tables::of(inventory) }
    }

    /// Whose an item is; none where nobody knows.
    pub fn owner(&self, item: &Item) -> Option<&ComponentId> {
        match item {
            Item::Path(path) => self.places.owner(&String::from_utf8_lossy(path.as_bytes())),
            Item::Object(object) => self.tables.owner(object.name()),
        }
    }
}

/// The extensions by the words that their tables have in their names: `woocommerce`, `tb table`.
struct Tables<'a> {
    names: Vec<(Vec<String>, &'a ComponentId)>,
}

impl<'a> Tables<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let long = inventory.extensions.iter().filter(|one| one.id.slug.as_str().chars().count() >= LEAST_NAME);
        let mut names: Vec<_> = long.map(|one| (words(one.id.slug.as_str()), &one.id)).collect();
        // The longest name says most.
        names.sort_by_key(|(words, _)| std::cmp::Reverse(words.concat().len()));
        Self { names }
    }

    fn owner(&self, table: &str) -> Option<&'a ComponentId> {
        let table = words(table);
        let has = |name: &[String]| !name.is_empty() && table.windows(name.len()).any(|part| part == name);
        self.names.iter().find(|(name, _)| has(name)).map(|(_, id)| *id)
    }
}

fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}
