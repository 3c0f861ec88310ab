//! Reports as readers have them: in a real browser at the widths of a desk and of a telephone, light and dark, on paper.
//! Nothing runs over, nothing is asked of anybody, no barrier, valid HTML, PDFs that are text; and the manual's pictures.
//!
//! The pages are the goldens of `src/report/tests/golden`. `tests/testbed/testbed pages` brings browser, fonts and checkers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pages/browser.rs"]
mod browser;
#[path = "pages/kit.rs"]
mod kit;
#[path = "pages/pictures.rs"]
mod pictures;
#[path = "pages/print.rs"]
mod print;

use browser::{Browser, Screen};
use kit::{Kit, pages};
use std::process::Command;

const DESK: Screen = Screen { width: 1280, height: 900, dark: false };
const TELEPHONE: Screen = Screen { width: 390, height: 844, dark: false };

fn fail_with(title: &str, rows: &[String]) {
    assert!(rows.is_empty(), "{title}:\n  {}\n", rows.join("\n  "));
}

/// What stands out of the page, or out of its own place.
const OVERFLOW: &str = "(() => {
    const wide = document.documentElement.clientWidth, found = [];
    const name = e => e.tagName.toLowerCase() + '.' + e.className + ' «' + e.textContent.trim().slice(0, 40) + '»';
    if (document.documentElement.scrollWidth > wide) found.push('the page is ' + document.documentElement.scrollWidth + ' wide');
    for (const e of document.querySelectorAll('body *')) {
        const at = e.getBoundingClientRect();
        if (at.width && (at.right > wide + 0.5 || at.left < -0.5)) found.push(name(e) + ' ends at ' + Math.round(at.right));
        else if (e.clientWidth && e.scrollWidth > e.clientWidth + 1) found.push(name(e) + ' holds ' + e.scrollWidth + ' in ' + e.clientWidth);
    }
    return found.slice(0, 6).join('; ');
})()";

/// What WCAG 2.2 AA and below has against the page, as far as axe-core can say.
const BARRIERS: &str = "(options => axe.run(document, { resultTypes: ['violations'],
    runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }, ...options })
    .then(told => told.violations.map(one => one.id + ': ' + one.nodes.slice(0, 3)
        .map(node => node.target.join(' ') + ' ' + node.failureSummary.replace(/\\s+/g, ' ')).join(' | ')).join('; ')))";
/// The only rule that asks for colours: they don't change with the width, and nothing else changes in the dark.
const COLOURS: &str = "{ runOnly: { type: 'rule', values: ['color-contrast'] } }";
const ALL_BUT_COLOURS: &str = "{ rules: { 'color-contrast': { enabled: false } } }";

#[test]
fn every_page_can_be_read_by_everybody_everywhere() {
    let kit = Kit::get();
    let mut browser = Browser::start(&kit);
    let axe = std::fs::read_to_string(&kit.axe).unwrap();
    let mut wrong = Vec::new();
    for (name, file) in pages() {
        browser.look_with(DESK);
        browser.open(&file);
        browser.run(&format!("{axe};0"));
        let dark = Screen { dark: true, ..DESK };
        for (what, screen, options) in
            [("desk", DESK, "{}"), ("dark", dark, COLOURS), ("telephone", TELEPHONE, ALL_BUT_COLOURS)]
        {
            browser.look_with(screen);
            for said in [browser.run(OVERFLOW), browser.run(&format!("{BARRIERS}({options})"))] {
                let said = said.as_str().unwrap();
                wrong.extend((!said.is_empty()).then(|| format!("{name}, {what}: {said}")));
            }
        }
        wrong.extend(browser.asked.iter().map(|asked| format!("{name} asks for {asked}")));
    }
    fail_with("pages with barriers", &wrong);
}

/// The checkers see what they are there for.
#[test]
fn the_checkers_find_what_is_wrong() {
    let kit = Kit::get();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.html");
    let text = "<!doctype html><html><head><title>x</title>\
                <style>@media (prefers-color-scheme: dark) { .night { background: #000; color: #333 } }</style></head>\
                <body><p class=\"night\">night</p><p style=\"color:#ccc;width:2000px\">pale</p>\
                <img src=\"http://127.0.0.1:9/x.png\"><ul><p>x</p></ul></body></html>";
    std::fs::write(&file, text).unwrap();
    let mut browser = Browser::start(&kit);
    browser.look_with(TELEPHONE);
    browser.open(&file);
    browser.run(&format!("{};0", std::fs::read_to_string(&kit.axe).unwrap()));
    let (wide, barriers) = (browser.run(OVERFLOW), browser.run(&format!("{BARRIERS}({{}})")));
    assert!(wide.as_str().unwrap().contains("«pale» ends at 2008"), "{wide}");
    for rule in ["color-contrast", "image-alt", "html-has-lang"] {
        assert!(barriers.as_str().unwrap().contains(rule), "{rule}: {barriers}");
    }
    browser.look_with(Screen { dark: true, ..TELEPHONE });
    let dark = browser.run(&format!("{BARRIERS}({COLOURS})"));
    assert!(!barriers.as_str().unwrap().contains(".night") && dark.as_str().unwrap().contains(".night"), "{dark}");
    assert_eq!(browser.asked, ["http://127.0.0.1:9/x.png"]);
    assert!(invalid(&kit, &[file]).iter().any(|one| one.contains("not allowed as child of element")));
}

#[test]
fn every_page_is_valid_html() {
    let files: Vec<_> = pages().into_iter().map(|(_, file)| file).collect();
    fail_with("pages that are not valid", &invalid(&Kit::get(), &files));
}

/// What the HTML checker says of these files: errors and warnings, those of their style sheets included.
fn invalid(kit: &Kit, files: &[std::path::PathBuf]) -> Vec<String> {
    let mut checker = Command::new("java");
    checker.args(["-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar"]).arg(&kit.vnu);
    let output = checker.args(["--stdout", "--format", "gnu"]).args(files).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), !told.contains(": error:"), "the checker ends well: {output:?}");
    let short = |line: &str| line.rsplit_once("/golden/").map_or(line, |(_, rest)| rest).to_owned();
    told.lines().filter(|line| !line.trim().is_empty()).map(short).collect()
}
