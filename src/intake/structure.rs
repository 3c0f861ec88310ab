//! What names, places and rights alone say of a file.
//!
//! May use: `model`, `playbook`, `snapshot` for their values. Invariant: pure.

use super::{Finding, Severity, Texts};
use crate::model::fits;
use crate::playbook::Files;
use crate::snapshot::{Entry, ItemPath};

/// Ends of names that servers run as programs wherever they stand in a name.
const PROGRAM_ENDS: [&str; 9] = ["php", "php3", "php4", "php5", "php7", "php8", "phtml", "pht", "phar"];
/// Ends of names that nobody takes for programs.
const HARMLESS_ENDS: [&str; 14] =
    ["jpg", "jpeg", "png", "gif", "ico", "webp", "bmp", "svg", "txt", "pdf", "zip", "mp3", "mp4", "suspected"];
/// Hidden programs that packages and Drupal bring along for those who write them. What is in them is looked at all the same.
const TOOLS_OF_PUBLISHERS: [&str; 6] = [
    ".ht.router.php",
    ".php-cs-fixer.dist.php",
    ".php-cs-fixer.php",
    ".phpstan-baseline.php",
    ".phpstorm.meta.php",
    ".php_cs.php",
];
/// A program among content may be there to show nothing; it is not longer than this.
const MAX_SILENT_BYTES: usize = 1024;

struct Says {
    rule: &'static str,
    severity: Severity,
    why: [&'static str; 2],
    todo: [&'static str; 2],
}

const AMONG_CONTENT: Says = Says {
    rule: "program-among-content",
    severity: Severity::High,
    why: [
        "is a program in a folder for content, where nobody puts any",
        "est un programme dans un dossier de contenu, où personne n’en met",
    ],
    todo: [
        "Find out who put it there; remove it if nobody can say.",
        "Chercher qui l’y a mis; le retirer si personne ne le sait.",
    ],
};
const HIDDEN: Says = Says {
    rule: "hidden-program",
    severity: Severity::High,
    why: ["is a program with a hidden name", "est un programme au nom caché"],
    todo: [
        "Look at it; remove it if no tool of the client made it.",
        "L’examiner; le retirer si aucun outil du client ne l’a fait.",
    ],
};
const TWO_ENDS: Says = Says {
    rule: "two-ends",
    severity: Severity::High,
    why: [
        "is called a program and something harmless at once, which some servers run",
        "se dit à la fois programme et fichier anodin, ce que certains serveurs exécutent",
    ],
    todo: ["Look at it, and remove it.", "L’examiner, et le retirer."],
};
const IN_ROOT: Says = Says {
    rule: "unknown-program",
    severity: Severity::Medium,
    why: [
        "is a program beside those of the core that belongs to nothing we know",
        "est un programme à côté de ceux du cœur qui n’appartient à rien de connu",
    ],
    todo: ["Ask the client what it is for.", "Demander au client à quoi il sert."],
};
const OUTSIDE: Says = Says {
    rule: "link-outside",
    severity: Severity::Medium,
    why: ["is a link that leads out of the site", "est un lien qui mène hors du site"],
    todo: ["Ask the client, or the host, what it is for.", "Demander au client, ou à l’hébergeur, à quoi il sert."],
};
const WRITABLE: Says = Says {
    rule: "writable-by-all",
    severity: Severity::Medium,
    why: [
        "is a program that every account of the server can change",
        "est un programme que tous les comptes du serveur peuvent modifier",
    ],
    todo: ["Take that right away: chmod o-w.", "Retirer ce droit : chmod o-w."],
};
const RAISED: Says = Says {
    rule: "raised-rights",
    severity: Severity::High,
    why: ["runs with the rights of its owner, whoever runs it", "s’exécute avec les droits de son propriétaire"],
    todo: ["Take that right away: chmod u-s,g-s.", "Retirer ce droit : chmod u-s,g-s."],
};
const BACKUP: Says = Says {
    rule: "backup-for-all",
    severity: Severity::Medium,
    why: [
        "is a copy of the database, the configuration or the whole site that visitors may fetch",
        "est une copie de la base de données, de la configuration ou du site que les visiteurs peuvent télécharger",
    ],
    todo: ["Move it out of the site.", "La déplacer hors du site."],
};

impl Says {
    fn of(&self, path: &str) -> Finding {
        let texts = |[en, fr]: [&str; 2]| Texts::new(en, fr);
        Finding::new(self.rule, self.severity, path, texts(self.why), texts(self.todo))
    }
}

/// What a path's name, place and rights say. `bytes`: the file's beginning, where it was read.
pub fn structure(files: &Files, path: &ItemPath, entry: &Entry, bytes: Option<&[u8]>) -> Vec<Finding> {
    let text = String::from_utf8_lossy(path.as_bytes());
    let name = text.rsplit('/').next().unwrap_or(&text).to_lowercase();
    let ends: Vec<&str> = name.split('.').skip(1).collect();
    let is_program = ends.last().is_some_and(|end| PROGRAM_ENDS.contains(end));
    let mode = entry.facts().map_or(0, |facts| facts.mode);
    let mut found = Vec::new();
    let mut say = |says: &Says, when: bool| found.extend(when.then(|| says.of(&text)));
    if let Entry::Link { target, .. } = entry {
        say(&OUTSIDE, leads_out(path, target));
    }
    if !matches!(entry, Entry::File { .. }) {
        return found;
    }
    let among_content = files.is_among_content(&text);
    let silent = bytes.is_some_and(is_silent);
    say(&AMONG_CONTENT, is_program && among_content && !silent);
    let is_hidden = |part: &str| part.starts_with('.') && part.len() > 1 && part != ".well-known";
    let hidden = text.split('/').any(is_hidden);
    let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_tool = TOOLS_OF_PUBLISHERS.contains(&name.as_str()) && !folder.split('/').any(is_hidden);
    say(&HIDDEN, is_program && hidden && (!is_tool || among_content));
    let middle = ends.len() > 1 && ends[..ends.len() - 1].iter().any(|end| PROGRAM_ENDS.contains(end));
    say(&TWO_ENDS, middle && ends.last().is_some_and(|end| HARMLESS_ENDS.contains(end)));
    let is_known = || {
        let places =
            files.of.values().flatten().map(|place| place.as_str()).chain(files.own.iter().map(|own| own.as_str()));
        places.into_iter().any(|place| place.trim_end_matches('/') == text)
    };
    let rules = !files.of.is_empty();
    say(&IN_ROOT, rules && is_program && !hidden && path.depth() == 1 && !is_known());
    say(&WRITABLE, is_program && mode & 0o002 != 0);
    say(&RAISED, mode & 0o6000 != 0);
    // Software brings files of SQL along in folders of its own.
    let copies = ["*config.php.*", "*config.php~", "*config.bak*", "*.wpress", "*dump*.sql*", "*backup*.sql*"];
    let whole = ["*.sql", "*.sql.*", "*backup*.zip", "*backup*.tar*", "www*.zip", "public_html*.zip", "htdocs*.zip"];
    let copy = path.depth() <= 2 && copies.iter().any(|pattern| fits(pattern, &name));
    say(&BACKUP, copy || path.depth() == 1 && whole.iter().any(|pattern| fits(pattern, &name)));
    found
}

fn leads_out(path: &ItemPath, target: &[u8]) -> bool {
    if target.first() == Some(&b'/') {
        return true;
    }
    let mut depth = path.depth().saturating_sub(1);
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Whether a program does nothing: it is empty, or only ends, or only says that it is silent.
fn is_silent(bytes: &[u8]) -> bool {
    if bytes.len() > MAX_SILENT_BYTES {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.trim();
    rest = rest.strip_prefix("<?php").unwrap_or(rest).trim_start();
    rest = rest.strip_suffix("?>").unwrap_or(rest).trim_end();
    loop {
        rest = rest.trim();
        let after = match rest {
            "" => return true,
            _ if rest.starts_with("//") || rest.starts_with('#') => rest.find('\n').map_or("", |end| &rest[end..]),
            _ if rest.starts_with("/*") => rest.find("*/").map_or("", |end| &rest[end + 2..]),
            _ => {
                let plain = ["exit;", "exit();", "die;", "die();", "exit(0);"];
                let Some(plain) = plain.iter().find(|plain| rest.starts_with(**plain)) else { return false };
                &rest[plain.len()..]
            }
        };
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::{ItemPath, is_silent, leads_out};

    #[test]
    fn what_does_nothing_is_silent() {
        for text in ["", "<?php", "<?php // Silence is golden.\n", "<?php\n/* nothing */\nexit;\n", "<?php die(); ?>"] {
            assert!(is_silent(text.as_bytes()), "{text}");
        }
        for text in ["<?php echo 1;", "<?php exit; phpinfo();", "<h1>x</h1>", "<?php /* a */ $a();"] {
            assert!(!is_silent(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn links_that_stay_inside_are_fine() {
        let path = ItemPath::new("a/b/link").unwrap();
        for (target, out) in
            [("../c", false), ("../../c", false), ("../../../c", true), ("/etc", true), ("x/../../..", false)]
        {
            assert_eq!(leads_out(&path, target.as_bytes()), out, "{target}");
        }
    }
}
