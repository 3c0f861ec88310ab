//! What has to be true at the end of a case, seen by means that share no code with Intendant.

use crate::site::Site;
use crate::support::visitors::{all_are_there, forget};
use crate::support::{Environment, same};
use crate::table;
use std::time::{Duration, Instant};

/// Pages that have to be good, and a word of each.
const PAGES: [(&str, &str); 5] = [
    ("", "Lucie"),
    ("contact/", "Write to us"),
    ("nouvelle-1/", "Texte 1"),
    ("wp-login.php", "loginform"),
    ("feed/", "<rss"),
];

/// Panics when the site is neither updated and healthy, nor as before with every accepted order.
pub(crate) fn judged(site: &Site, shop: &Environment, accepted: &[String], outcome: &mut String) {
    *outcome = table::outcome(shop);
    all_are_there(&site.bed, accepted, "at the end");
    nothing_is_left(site);
    for (page, word) in PAGES {
        let (status, body) = site.bed.visit(page);
        assert!(status == "200" && body.contains(word), "page {page:?} is not good: {status}\n{body:.500}");
    }
    forget(&site.bed);
    let found = site.bed.fingerprint();
    match outcome.as_str() {
        "completed" | "completed-with-holds" => {
            assert_eq!(site.outcome, *outcome, "the outcome of an undisturbed run");
            same(&site.after, &crate::site::lasting(&found), "updated, and not as an undisturbed run does it");
        }
        "restored" | "refused" | "not begun" => same(&site.before, &found, &format!("{outcome}, and not as before")),
        other => panic!("the run ended as {other:?}"),
    }
}

/// Nothing of ours stays on the host: no lease, switch, private folder, maintenance file or process.
fn nothing_is_left(site: &Site) {
    site.bed.nothing_is_left("at the end");
    // What serves visitors and what belongs to connections stays; a process that was ended needs a moment to go.
    let list =
        "ps -u site -o pid=,ppid=,etime=,args= | grep -v -e 'php-fpm: pool' -e 'sshd: site' -e ' ps -u site '; true";
    let begun = Instant::now();
    loop {
        let left = site.bed.root(&["sh", "-c", list]);
        if left.trim().is_empty() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "processes are left on the host:\n{left}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
