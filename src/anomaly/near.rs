//! What a run changed near what a client told of.

use crate::drift::Owners;
use crate::inventory::Inventory;
use crate::journal::{AttemptState, Purpose, RunState};
use crate::ledger::Sighting;
use crate::model::{ComponentId, clean_line};
use crate::playbook::Files;
use crate::snapshot::{Diff, Item};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many files and tables are named.
const MOST_NAMED: usize = 40;
/// How many characters of one are shown.
const MOST_CHARS: usize = 300;
/// The shortest name of an extension that is looked for in what somebody wrote, in characters: shorter ones are words.
const LEAST_NAME: usize = 3;

/// What a run changed, seen from an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Near {
    /// The first files and tables that belong to an extension that is named, or lie where the page does; one line each.
    pub items: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// All that changed, by extension; what belongs to none comes last.
    pub changed: Vec<Changed>,
}

/// What changed of one extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Changed {
    /// Which; none is the rest of the site.
    pub component: Option<ComponentId>,
    /// How many files.
    pub files: u64,
    /// How many tables and other database objects.
    pub tables: u64,
}

/// Whether a run changed its site, or may have, as it was seen `at` that moment: one that was refused, or found nothing to do,
/// explains no anomaly, nor does one that had put everything back by then.
pub fn changed_site(state: &RunState, at: Timestamp) -> bool {
    let asked = state.opened.as_ref().is_some_and(|opened| matches!(opened.purpose, Purpose::Restore { .. }));
    let changes = |attempt: &AttemptState| attempt.planned.procedure.changes_site();
    let over = state.closed.is_some() && state.at <= at;
    let back = |attempt: &AttemptState| {
        let left = attempt.unwind.as_ref().is_some_and(|unwind| unwind.left);
        attempt.undone() && !left || !attempt.touched()
    };
    let undone = over && state.attempts.iter().all(back);
    match asked {
        true => !state.attempts.is_empty(),
        false => !undone && state.attempts.iter().any(changes),
    }
}

/// The extensions that the page's address or the description names: by their slug, with blanks in it or not, or by their
/// title.
pub fn named(sighting: &Sighting, inventory: &Inventory) -> Vec<ComponentId> {
    let text = format!("{} {}", sighting.url, sighting.description).to_lowercase();
    let of = |id: &ComponentId, title: &str| {
        let slug = id.slug.as_str().to_lowercase();
        let spaced = slug.replace(['-', '_'], " ");
        [slug, spaced, title.trim().to_lowercase()].iter().any(|name| is_named(&text, name))
    };
    let found = inventory.extensions.iter().filter(|one| of(&one.id, &one.title));
    found.map(|one| one.id.clone()).collect()
}

/// Whether a name stands in a text as a word of its own.
fn is_named(text: &str, name: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let whole =
        |at: usize| !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next());
    name.chars().count() >= LEAST_NAME && text.match_indices(name).any(|(at, _)| whole(at))
}

/// What of a difference belongs to the `named` extensions or lies where the page does, and all of it by extension.
pub fn near(diff: &Diff, url: &str, named: &[ComponentId], inventory: &Inventory, files: &Files) -> Near {
    let owners = Owners::of(files, inventory);
    let page = page_path(url);
    let mut counts: BTreeMap<Option<ComponentId>, (u64, u64)> = BTreeMap::new();
    let (mut items, mut count) = (Vec::new(), 0);
    for ((item, _), line) in diff.changes.iter().zip(diff.lines(diff.changes.len())) {
        let owner = owners.owner(item);
        let at_page = |path: &str| page.as_deref().is_some_and(|page| lies_at(path, page));
        let beside = matches!(item, Item::Path(path) if at_page(&String::from_utf8_lossy(path.as_bytes())));
        let number = counts.entry(owner.cloned()).or_default();
        match item {
            Item::Path(_) => number.0 += 1,
            Item::Object(_) => number.1 += 1,
        }
        if beside || owner.is_some_and(|owner| named.contains(owner)) {
            count += 1;
            if items.len() < MOST_NAMED {
                items.push(clean_line(&line, MOST_CHARS));
            }
        }
    }
    let rest = counts.remove(&None);
    let of = |(component, (files, tables))| Changed { component, files, tables };
    Near { items, count, changed: counts.into_iter().chain(rest.map(|rest| (None, rest))).map(of).collect() }
}

/// The path of an address, without what is around it; none for the front page.
fn page_path(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split_once('/')?.1.split(['?', '#']).next()?.trim_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

/// Whether a file is the page, or lies below it.
fn lies_at(path: &str, page: &str) -> bool {
    path == page || path.strip_prefix(page).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SiteName;
    use crate::playbook::Library;
    use crate::snapshot::{Aspect, Change, ItemPath, ObjectKind, ObjectName};
    use serde_json::json;

    fn inventory() -> Inventory {
        let one = |kind: &str, slug: &str, title: &str| json!({ "kind": kind, "slug": slug, "title": title, "version": "1.0", "active": true });
        let document = json!({
            "core": { "title": "WordPress", "version": "6.1.9" },
            "extensions": [
                one("plugin", "woocommerce", "WooCommerce"), one("plugin", "woocommerce-payments", "WooPayments"),
                one("plugin", "ab", "AB"), one("plugin", "fast-cache", "Fast Cache Pro"), one("theme", "storefront", "Storefront")
            ],
        });
        Inventory::from_document(&SiteName::new("shop").unwrap(), document).unwrap()
    }

    fn sighting(url: &str, description: &str) -> Sighting {
        Sighting {
            seen: "2026-11-20T14:05:00Z".parse().unwrap(),
            url: url.into(),
            description: description.into(),
            browser: None,
            system: None,
            device: None,
            reported_by: None,
            screenshots: Vec::new(),
        }
    }

    fn slugs(url: &str, description: &str) -> Vec<String> {
        named(&sighting(url, description), &inventory()).iter().map(|id| id.slug.to_string()).collect()
    }

    #[test]
    fn extensions_are_named_by_slug_or_title_as_whole_words() {
        assert_eq!(slugs("https://shop.example/?page=fast-cache", ""), ["fast-cache"]);
        assert_eq!(slugs("https://shop.example/", "Since the FAST CACHE came…"), ["fast-cache"]);
        assert_eq!(slugs("https://shop.example/", "the theme Storefront: gone"), ["storefront"]);
        assert_eq!(slugs("https://shop.example/", "WooPayments asks twice"), ["woocommerce-payments"]);
        assert!(slugs("https://shop.example/ab", "storefronts, ab, breakfast cache").is_empty());
        assert!(slugs("", "\u{202e}").is_empty());
        let both = slugs("https://shop.example/wp-content/plugins/woocommerce-payments/x.js", "");
        assert!(both.contains(&"woocommerce-payments".to_owned()), "{both:?}");
    }

    fn diff() -> Diff {
        let path = |path: &str| (Item::Path(ItemPath::new(path).unwrap()), Change::Changed(vec![Aspect::Content]));
        let table = |name: &str| {
            let table = ObjectName::new(ObjectKind::Table, name).unwrap();
            (Item::Object(table), Change::Changed(vec![Aspect::Content]))
        };
        Diff {
            changes: vec![
                path("menu/prices.txt"),
                path("wp-content/plugins/fast-cache/a.php"),
                path("wp-content/plugins/woocommerce/b.php"),
                path("wp-content/themes/storefront/style.css"),
                path("wp-includes/version.php"),
                table("wp_fast_cache_items"),
                table("wp_options"),
                table("wp_woocommerce_order_items"),
                table("wp_woocommerce_payments_log"),
            ],
        }
    }

    #[test]
    fn what_belongs_to_a_named_extension_is_told_and_the_rest_is_counted() {
        let (playbook, _) = Library::shipped().load("wordpress").unwrap();
        let inventory = inventory();
        let of = |url: &str, description: &str| {
            let named = named(&sighting(url, description), &inventory);
            near(&diff(), url, &named, &inventory, &playbook.files)
        };
        let cache = of("https://shop.example/", "the fast cache shows old prices");
        assert_eq!(
            cache.items,
            ["~ wp-content/plugins/fast-cache/a.php (content)", "~ table:wp_fast_cache_items (content)"]
        );
        let count = |slug: &str| {
            let found = |one: &&Changed| one.component.as_ref().is_some_and(|id| id.slug.as_str() == slug);
            cache.changed.iter().find(found).map(|one| (one.files, one.tables))
        };
        assert_eq!(count("fast-cache"), Some((1, 1)));
        assert_eq!(count("woocommerce"), Some((1, 1)));
        assert_eq!(count("woocommerce-payments"), Some((0, 1)), "the longest name is whose the table is");
        assert_eq!(count("core"), Some((1, 0)));
        let rest = cache.changed.last().unwrap();
        assert_eq!((rest.component.as_ref(), rest.files, rest.tables), (None, 1, 1));
        let all: u64 = cache.changed.iter().map(|one| one.files + one.tables).sum();
        assert_eq!(all, 9, "nothing is left out");
        assert_eq!(of("https://shop.example/menu/?a=b#c", "").items, ["~ menu/prices.txt (content)"]);
        assert_eq!(of("https://shop.example/", "all is white").count, 0);
    }
}
