//! The updates that a failure points at, and what they had changed.
//!
//! May use: `drift`, `journal`, `playbook`, `snapshot`, `model`. Invariants: pure; nothing is said of an update that is not under
//! suspicion.

use crate::drift::Owners;
use crate::inventory::Inventory;
use crate::journal::AttemptState;
use crate::model::ComponentId;
use crate::playbook::Files;
use crate::snapshot::Diff;

/// How many files and tables are named.
const MOST_NAMED: usize = 40;

/// Whom the failure of an attempt points at: the group that it followed, whoever is blamed, or the only group that there was.
pub(super) fn suspects(attempt: &AttemptState) -> Vec<ComponentId> {
    let Some((step, failure)) = attempt.failure() else { return Vec::new() };
    let procedure = &attempt.planned.procedure;
    let mut groups = procedure.groups();
    match (procedure.steps.get(step).and_then(|step| step.action.group()), &failure.blamed) {
        (Some(group), _) if group < groups.len() => groups.swap_remove(group),
        (_, Some(blamed)) => vec![blamed.clone()],
        _ if groups.len() == 1 && !procedure.has_languages() => groups.concat(),
        _ => Vec::new(),
    }
}

/// What the suspects had changed, one line each, the first ones, as it was before `undone` put it back.
pub(super) fn changed(undone: &Diff, attempt: &AttemptState, files: &Files) -> Vec<String> {
    match &attempt.planned.inventory {
        Some(inventory) => of(undone, &suspects(attempt), inventory, files),
        None => Vec::new(),
    }
}

fn of(undone: &Diff, suspects: &[ComponentId], inventory: &Inventory, files: &Files) -> Vec<String> {
    let owners = Owners::of(files, inventory);
    let is_theirs = |owner: Option<&ComponentId>| owner.is_some_and(|owner| suspects.contains(owner));
    undone.clone().retain(|item, _| is_theirs(owners.owner(item))).reversed().lines(MOST_NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SiteName;
    use crate::playbook::Library;
    use crate::snapshot::{Aspect, Change, Item, ItemPath, ObjectKind, ObjectName};
    use serde_json::json;

    #[test]
    fn only_what_belongs_to_a_suspect_is_named_as_the_update_did_it() {
        let one = |kind: &str, slug: &str| json!({"kind": kind, "slug": slug, "title": slug, "version": "1.0", "active": true});
        let document = json!({
            "core": {"title": "WordPress", "version": "6.1.9"},
            "extensions": [one("plugin", "slides"), one("plugin", "shop")],
        });
        let inventory = Inventory::from_document(&SiteName::new("shop").unwrap(), document).unwrap();
        let path = |path: &str| Item::Path(ItemPath::new(path.as_bytes().to_vec()).unwrap());
        let table = |name: &str| Item::Object(ObjectName::new(ObjectKind::Table, name).unwrap());
        let content = || Change::Changed(vec![Aspect::Content]);
        let undone = Diff {
            changes: vec![
                (path("wp-content/plugins/shop/shop.php"), content()),
                (path("wp-content/plugins/slides/new.php"), Change::Removed),
                (path("wp-content/plugins/slides/slides.php"), content()),
                (path("wp-content/uploads/a.jpg"), Change::Added),
                (table("wp_posts"), content()),
                (table("wp_slides"), Change::Removed),
            ],
        };
        let files = Library::shipped().load("wordpress").unwrap().0.files;
        let changed = of(&undone, &[ComponentId::new("plugin", "slides").unwrap()], &inventory, &files);
        let expected = [
            "+ wp-content/plugins/slides/new.php",
            "~ wp-content/plugins/slides/slides.php (content)",
            "+ table:wp_slides",
        ];
        assert_eq!(changed, expected);
        assert_eq!(of(&undone, &[], &inventory, &files), Vec::<String>::new());
    }
}
