//! What stands in the site's folder: names that do something, links that lead out, things that are no files. A
//! snapshot takes them as they are, and a restore puts just them back.

use super::place::Place;
use super::{Case, Verdict};
use std::path::Path;
use std::process::Command;

/// Makes one thing in the site's folder; `$1` is the folder of all that is not the site's.
const THINGS: [(&str, &str); 22] = [
    ("a name with a new line", r#"n=$(printf 'a\nf 777 0 0 5 1.0 1.0 7 1'); printf x >"$n""#),
    ("a name with escapes", r#"n=$(printf '\033]0;x\007\033[2J'); printf x >"$n""#),
    ("a name with old escapes", r#"n=$(printf '\302\23331m'); printf x >"$n""#),
    ("a name from right to left", r#"n=$(printf '\342\200\256gnp.php'); printf x >"$n""#),
    ("a name that is no text", r#"n=$(printf '\377\376'); printf x >"$n""#),
    ("a name that is a command", "printf x >'$(touch canary)'"),
    ("a name that is a command in backquotes", "printf x >'`touch canary`'"),
    ("a name that is an option", "printf x >'--checkpoint-action=exec=touch canary'; printf x >'--checkpoint=1'"),
    ("a name that is a hyphen", "printf x >./-"),
    ("a name with a quote", r#"printf x >"a' \"b""#),
    ("a name of 255 bytes", "printf x >$(printf '%0255d' 0)"),
    ("a name with a backslash", r"printf x >'a\b\n'"),
    ("a name with stars", "printf x >'*?[a]'"),
    ("a name with markup", "printf x >'<script>alert(1)<'"),
    ("a link to a file outside", "ln -s \"$1/outside/secret\" link"),
    ("a link upwards", "ln -s ../outside/secret up"),
    ("a link to a folder outside", "ln -s \"$1/outside\" folder-link"),
    ("a link to itself", "ln -s circle circle"),
    ("a link to a secret of the system", "ln -s /etc/shadow shadow"),
    ("a hard link to a file outside", "ln \"$1/outside/shared\" hard"),
    ("a pipe", "mkfifo pipe"),
    ("folders in folders", "d=x; for i in 1 2 3 4 5 6 7 8; do d=$d/$d; done; mkdir -p \"$(printf '%.900s' \"$d\")\""),
];

/// What an intruder does to the site after the snapshot: wherever a restore writes, it would write elsewhere.
const INTRUSION: &str = r#"rm -rf data folder-link hard; ln -s "$1/outside" data; ln "$1/outside/shared" plain.new; mv plain.new plain
    ln -sf "$1/outside/secret" link; rm -f pipe; ln -s "$1/outside/secret" pipe; printf '%s' evil >toy.txt; mkdir hard; ln -s /tmp hard/x"#;

fn sh(folder: &Path, script: &str, base: &Path) -> String {
    let output = Command::new("sh").args(["-ec", script, "sh"]).arg(base).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Names, kinds, modes, links and contents, without any code of ours; and without pipes, which no restore makes.
fn picture(folder: &Path, base: &Path) -> String {
    sh(
        folder,
        r#"find . -mindepth 1 ! -type p -printf '%y %m %l %P\0' | sort -z; find . -type f -print0 | sort -z | xargs -0 sha256sum --zero"#,
        base,
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let place = Place::new();
    let (base, site, outside) = (place.path(""), place.path("site"), place.path("outside"));
    std::fs::create_dir(&outside).unwrap();
    sh(&outside, "printf 'the secret of another' >secret; printf shared >shared; chmod 600 secret", &base);
    sh(&site, "mkdir data; printf d >data/secret; printf p >plain", &base);
    THINGS.iter().for_each(|(_, make)| drop(sh(&site, make, &base)));
    let before = picture(&site, &base);
    let around = picture(&outside, &base);
    let taken = place.intendant(&["snapshot", "create", "shop"]);
    let shown = place.intendant(&["snapshot", "show", "shop"]);
    let export = place.intendant(&["snapshot", "export", "shop", "--to", "export.tar.zst"]);
    let plain = [&taken, &shown, &export].map(|ran| ran.ended(&[0], "").and_then(|()| ran.is_plain()));
    sh(&site, INTRUSION, &base);
    let between = place.intendant(&["snapshot", "create", "shop"]);
    let names = place.intendant(&["snapshot", "list", "shop", "--json"]);
    let first = first_snapshot(&names.out);
    let restored = place.intendant(&["restore", "shop", &first, "--yes"]);
    let after = picture(&site, &base);
    let verdict = |name: &str| -> Verdict {
        plain.iter().cloned().collect::<Result<Vec<()>, String>>()?;
        between.ended(&[0], "").and_then(|()| restored.ended(&[0, 10], "")).and_then(|()| restored.is_plain())?;
        place.nothing_ran()?;
        same(&around, &picture(&outside, &base)).map_err(|why| format!("{name}: outside: {why}"))?;
        same(&before, &after).map_err(|why| format!("{name}: {why}"))
    };
    let mut cases: Vec<Case> = THINGS.iter().map(|(name, _)| ((*name).to_owned(), verdict(name))).collect();
    cases.push(("nothing that a link leads to is in an export".into(), nothing_from_outside(&place)));
    cases
}

fn same(wanted: &str, found: &str) -> Verdict {
    let differs = wanted.split('\0').zip(found.split('\0')).find(|(wanted, found)| wanted != found);
    match differs {
        Some((wanted, found)) => Err(format!("{found:?} should be {wanted:?}")),
        None if wanted.len() != found.len() => Err("something is too much, or is missing".into()),
        None => Ok(()),
    }
}

fn first_snapshot(json: &str) -> String {
    let names = json
        .split('"')
        .filter(|word| word.len() == 33 && word.ends_with(|c: char| c.is_ascii_hexdigit()) && word.contains("Z-"));
    names.min().unwrap_or_default().to_owned()
}

fn nothing_from_outside(place: &Place) -> Verdict {
    let found = Command::new("sh")
        .args(["-c", "zstd -dc export.tar.zst | grep -c 'the secret of another'"])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let count = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if count == "0" { Ok(()) } else { Err(format!("it is there {count:?} times")) }
}
