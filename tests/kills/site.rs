//! A site that is put back after each case by the test's own means, and how it looks before and after an undisturbed run.

use crate::kill::{self, Timeline};
use crate::support::visitors::{ORDERS, Visitor, forget, shop_with_orders};
use crate::support::{Environment, Testbed, same};
use std::time::Duration;

/// Between two orders of the visitor.
pub(crate) const PAUSE: Duration = Duration::from_millis(1000);

/// The extensions that there are besides those that come with the core, and their versions after the update.
const EXTENSIONS: [(&str, &str, &str); 3] =
    [("tb-base", "1.0.0", "1.1.0"), ("tb-addon", "1.0", "2.0"), ("tb-table", "1.0", "2.0")];
const CORE: &str = "7.1.1";

/// Lets PHP keep what it has compiled, by each file's time, on the command line too, with room for two versions of the
/// site, and with few processes that compile the same at the same time: most of the work of a case is compiling.
const KEEP_COMPILED: &str = "set -eu; cd \"$1\"; mkdir -m 1777 compiled
printf 'opcache.%s\n' enable_cli=1 file_cache=\"$1/compiled\" file_cache_only=1 revalidate_freq=0 >php/cli/99-compiled.ini
echo 'opcache.memory_consumption = 512' >php/fpm/99-z-compiled.ini
sed -i 's/^pm.max_children = .*/pm.max_children = 3/' conf/php-fpm.conf; pkill -USR2 -o php-fpm";

/// Copies the site aside; `$1` is the folder of the instance.
const KEEP: &str = "set -eu; cd \"$1\"; mkdir kept; cp -a home/site/www kept/www
mariadb-dump --defaults-file=/dev/null --socket=run/db.sock -u root --default-character-set=utf8mb4 --hex-blob --routines --triggers wpdb >kept/wpdb.sql";

/// Makes the site what was copied aside.
const PUT_BACK: &str = "set -eu; cd \"$1\"; rm -rf home/site/.intendant tmp/intendant.*
rsync -aHAX --numeric-ids --delete kept/www/ home/site/www/
{ echo 'DROP DATABASE wpdb; CREATE DATABASE wpdb DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; USE wpdb;'; cat kept/wpdb.sql; } |
mariadb --defaults-file=/dev/null --socket=run/db.sock -u root --default-character-set=utf8mb4";

pub(crate) struct Site {
    pub(crate) bed: Testbed,
    /// The fingerprint before each case.
    pub(crate) before: String,
    /// What lasts of the fingerprint after an undisturbed run, and that run's outcome.
    pub(crate) after: String,
    pub(crate) outcome: String,
    /// When that run said what.
    pub(crate) run: Timeline,
}

impl Site {
    /// Brings a site up, and updates it once undisturbed, to know what that takes and what it leads to.
    pub(crate) fn up() -> Self {
        let bed = Testbed::beside(&["--plain", "--fresh-opcodes"]);
        // The theme that comes with the core stays: its update is like that of a plugin, and takes as long.
        bed.offer(&["theme", "twentytwentythree", "none"]);
        let script = |script| bed.root(&["sh", "-c", script, "sh", &bed.dir]);
        script(KEEP_COMPILED);
        extensions(&bed);
        shop_with_orders(&bed);
        forget(&bed);
        bed.visit("");
        bed.visit("order.php?token=first");
        forget(&bed);
        script(KEEP);
        let before = bed.fingerprint();
        script(PUT_BACK);
        same(&before, &bed.fingerprint(), "the site that was put back by the test");
        let shop = place(&bed, "");
        let visitor = Visitor::begins(&bed.url, "undisturbed", PAUSE);
        let run = kill::measured(&shop, &["run", "shop"]);
        let accepted = visitor.ends();
        println!("undisturbed: {:.1} s, {} orders", run.length.as_secs_f64(), accepted.len());
        for (slug, _, version) in EXTENSIONS {
            assert_eq!(bed.plugin(slug), version, "the version of {slug}");
        }
        bed.core_is_whole(CORE);
        forget(&bed);
        let after = lasting(&bed.fingerprint());
        Self { outcome: crate::table::outcome(&shop), bed, before, after, run }
    }

    /// Makes the site what it was before the first case.
    pub(crate) fn put_back(&self) {
        self.bed.root(&["sh", "-c", PUT_BACK, "sh", &self.bed.dir]);
    }

    /// A fresh journal and store.
    pub(crate) fn place(&self, more: &str) -> Environment {
        place(&self.bed, more)
    }
}

fn place(bed: &Testbed, more: &str) -> Environment {
    Environment::new(bed, &format!("protect: [{ORDERS}]\n{more}"))
}

/// Installs our extensions; one that is not active and only takes time goes.
fn extensions(bed: &Testbed) {
    bed.exec(&["wp", "plugin", "delete", "akismet"]);
    let plugins = format!("{}/tests/testbed/plugins", env!("CARGO_MANIFEST_DIR"));
    for (slug, version, _) in EXTENSIONS {
        let into = format!("{}/wp-content/plugins/{slug}", bed.docroot);
        bed.root(&["cp", "-r", &format!("{plugins}/{slug}/{version}"), &into]);
        bed.root(&["chown", "-R", "site:site", &into]);
        bed.exec(&["wp", "plugin", "activate", slug]);
    }
}

/// What is the same after each undisturbed run: all but times, counters, and what WordPress keeps for a while only.
pub(crate) fn lasting(fingerprint: &str) -> String {
    let changing = regex::Regex::new(
        r" AUTO_INCREMENT=[0-9]+|\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}|\b1[0-9]{9}\b",
    )
    .unwrap();
    let option =
        regex::Regex::new(r"^INSERT INTO `wp_options` VALUES \([0-9]+,'(_transient|_site_transient)?").unwrap();
    let (mut section, mut kept) = ("", Vec::new());
    for line in fingerprint.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            section = name.split(':').next().unwrap_or_default();
        }
        let fields: Vec<&str> = line.splitn(7, ' ').collect();
        match (section, fields.as_slice()) {
            // Kind, mode, owner, group, size, time, link and name.
            ("entries", [kind, mode, owner, group, size, _, rest]) => {
                kept.push(format!("{kind} {mode} {owner} {group} {size} {rest}"));
            }
            ("database", _) if let Some(found) = option.captures(line) => {
                if found.get(1).is_none() {
                    kept.push(changing.replace_all(&line[found[0].len()..], "").into_owned());
                }
            }
            _ => kept.push(changing.replace_all(line, "").into_owned()),
        }
    }
    // Entries come in the order of their times.
    kept.sort();
    kept.join("\n")
}
