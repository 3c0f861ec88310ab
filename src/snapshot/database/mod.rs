//! MariaDB and MySQL through the client programs on the host.
//!
//! May use: `model`, `remote`, and its siblings. Invariants: the credentials never leave the
//! host and never stand in an argument, an environment or a file; a dump is complete only with
//! its closing line, status 0 and nothing on standard error that says otherwise.

use std::sync::Arc;

/// Chooses, out of all tables and views of a database, those that belong to the site.
pub type SelectTables = Arc<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

/// How to reach a site's database. No secret stands here.
#[derive(Clone)]
pub struct DatabaseAccess {
    /// A command on the host that prints a client option file (`[client]`, user, password …).
    /// Its output goes from process to process on the host and never leaves it.
    pub credentials: Vec<String>,
    /// The database's name.
    pub name: String,
    /// Which tables and views belong to the site; none: all.
    pub select: Option<SelectTables>,
}

/// The usual rule: tables that begin with a prefix, without those of other installations whose
/// prefix happens to begin like ours.
#[derive(Debug, Clone)]
pub struct TableRule {
    /// The site's own prefix: `wp_`.
    pub prefix: String,
    /// Names without prefix that every installation has: a longer prefix which has all of them
    /// is another installation.
    pub installation: Vec<String>,
    /// What may follow our prefix and still be ours: `^[0-9]+_`.
    pub ours: Option<regex::Regex>,
}

impl TableRule {
    /// The tables of `all` that belong to the site, in their order.
    pub fn select(&self, all: &[String]) -> Vec<String> {
        let mine = |name: &&String| name.starts_with(&self.prefix);
        let others = self.other_prefixes(all);
        all.iter()
            .filter(mine)
            .filter(|name| !others.iter().any(|other| name.starts_with(other)))
            .cloned()
            .collect()
    }

    /// Longer prefixes that begin like ours and have all tables of an installation.
    fn other_prefixes(&self, all: &[String]) -> Vec<String> {
        let Some(first) = self.installation.first() else {
            return Vec::new();
        };
        let candidates = all.iter().filter_map(|name| {
            let prefix = name.strip_suffix(first.as_str())?;
            let rest = prefix.strip_prefix(&self.prefix)?;
            let ours =
                rest.is_empty() || self.ours.as_ref().is_some_and(|ours| ours.is_match(rest));
            (!ours).then(|| prefix.to_owned())
        });
        let has_all = |prefix: &String| {
            self.installation
                .iter()
                .all(|table| all.contains(&format!("{prefix}{table}")))
        };
        candidates.filter(has_all).collect()
    }
}

impl From<TableRule> for SelectTables {
    fn from(rule: TableRule) -> Self {
        Arc::new(move |all| rule.select(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_installation_with_a_longer_prefix_is_left_alone() {
        let all: Vec<String> = [
            "wp_options",
            "wp_posts",
            "wp_users",
            "wp_2_options",
            "wp_2_posts",
            "wp_shop_options",
            "wp_shop_posts",
            "wp_shop_users",
            "wp_shop_x",
            "wp_cart_options",
            "other_options",
        ]
        .map(String::from)
        .into();
        let rule = TableRule {
            prefix: "wp_".into(),
            installation: ["options", "posts", "users"].map(String::from).into(),
            ours: regex::Regex::new("^[0-9]+_").ok(),
        };
        assert_eq!(
            rule.select(&all),
            [
                "wp_options",
                "wp_posts",
                "wp_users",
                "wp_2_options",
                "wp_2_posts",
                "wp_cart_options"
            ]
        );
    }
}
