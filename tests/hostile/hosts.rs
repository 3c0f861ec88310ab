//! A host whose own programs lie, and what it keeps for us.

use super::place::{Place, Ran};
use super::{Case, Verdict};

const COLOUR: &str = "\\033[31m\\033]0;x\\007";

/// A program of the host, what it does, and the codes with which `doctor` may end.
const PROGRAMS: [(&str, &str, &[i32]); 8] = [
    ("id", "[ \"$1\" = -un ] && printf 'root COLOUR' || exec /usr/bin/id \"$@\"", &[0, 6]),
    ("stat", "printf 'COLOUR\\nroot'", &[0, 6]),
    ("df", "printf 'COLOUR\\n-1 99999999999999999999999 -5 nan'", &[0, 6]),
    ("date", "printf '99999999999999999999999999999 COLOUR'", &[0, 6]),
    ("find", "[ \"$1\" = --version ] && printf 'find (GNU) COLOUR' || exec /usr/bin/find \"$@\"", &[0, 6]),
    ("tar", "[ \"$1\" = --version ] && printf 'tar (GNU) COLOUR' || exec /usr/bin/tar \"$@\"", &[0, 6]),
    ("mktemp", "printf '/tmp/COLOUR'", &[6]),
    ("mkdir", "printf 'COLOUR' >&2; exit 1", &[0, 6]),
];

fn doctor(ran: &Ran, codes: &[i32]) -> Verdict {
    ran.ended(codes, "").and_then(|()| ran.is_plain())
}

fn programs() -> Vec<Case> {
    let one = |(name, does, codes): &(&str, &str, &[i32])| {
        let place = Place::new();
        place.program(name, &does.replace("COLOUR", COLOUR));
        (format!("{name} lies"), doctor(&place.intendant(&["doctor", "shop"]), codes))
    };
    PROGRAMS.iter().map(one).collect()
}

/// A folder of the site that is a link to one with an odd name.
fn odd_root() -> Verdict {
    let place = Place::new();
    let odd = place.path("odd\u{1b}[31m\nroot");
    std::fs::rename(place.path("site"), &odd).unwrap();
    std::os::unix::fs::symlink(&odd, place.path("site")).unwrap();
    let ran = place.intendant(&["doctor", "shop"]);
    doctor(&ran, &[6])
}

/// What stands where the lock is.
const LOCKS: [(&str, &str); 5] = [
    ("colours", "\u{1b}[31mred\u{1b}]0;x\u{7}"),
    (
        "a hostile name",
        r#"{"run":"01936f5e-0000-7000-8000-000000000000","who":"\u001b[31m\u202e","since":"2026-01-01T00:00:00Z"}"#,
    ),
    ("half a holder", r#"{"run":"01936f5e-0000-70"#),
    ("lists in lists", "["),
    ("a long text", "x"),
];

fn locks() -> Vec<Case> {
    let one = |(name, holder): &(&str, &str)| {
        let place = Place::new();
        // Where the lock is, the program itself shows: it is there while an update runs.
        let holder = if holder.len() == 1 { holder.repeat(3_000_000) } else { (*holder).to_owned() };
        let root = std::fs::canonicalize(place.path("site")).unwrap();
        let digest = intendant::model::Digest::of(root.to_str().unwrap().as_bytes()).short();
        let folder = place.path(format!("home/.intendant/locks/{digest}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("holder"), &holder).unwrap();
        let verdict = (|| {
            let ran = place.intendant(&["run", "shop"]);
            ran.ended(&[11], "nothing was changed").and_then(|()| ran.is_plain())?;
            doctor(&place.intendant(&["doctor", "shop"]), &[6])?;
            match std::fs::read_to_string(folder.join("holder")) {
                Ok(still) if still == holder => Ok(()),
                _ => Err("the lock of another was taken away".into()),
            }
        })();
        (format!("a lock with {name}"), verdict)
    };
    LOCKS.iter().map(one).collect()
}

/// A server that greets with escapes and lets nobody in.
fn greeting() -> Verdict {
    let place = Place::new();
    place.program("ssh", &format!("printf '{COLOUR}Permission denied {COLOUR}\\r\\n' >&2; exit 255"));
    let plan = std::fs::read_to_string(place.path("plans/shop.yaml")).unwrap();
    let at = plan.find("host:").unwrap();
    std::fs::write(place.path("plans/shop.yaml"), format!("{}host: {{ ssh: evil, path: /srv/x }}\n", &plan[..at]))
        .unwrap();
    let ran = place.intendant(&["inventory", "shop"]);
    ran.ended(&[4], "can't log in").and_then(|()| ran.is_plain())
}

/// A log that is no log. The check of it must neither hang nor read what it should not.
fn logs() -> Vec<Case> {
    let one = |(name, make): (&str, &str)| {
        let place = Place::new();
        let log = place.path("log");
        let made = std::process::Command::new("sh").args(["-c", make, "sh", log.to_str().unwrap()]).status().unwrap();
        assert!(made.success(), "{name}");
        place.answer(
            "status",
            format!("@toy@{{\"core\": {{\"version\": \"1.0\"}}, \"error_log\": {:?}}}\n", log.to_str().unwrap()),
        );
        let ran = place.intendant(&["run", "shop"]);
        let verdict = ran.ended(&[0, 11], "").and_then(|()| ran.is_plain());
        let slow = ran.took > std::time::Duration::from_secs(45);
        (format!("a log that is {name}"), if slow { Err(format!("{:?}", ran.took)) } else { verdict })
    };
    [
        ("endless", "ln -s /dev/zero \"$1\""),
        ("a pipe", "mkfifo \"$1\""),
        ("a folder", "mkdir \"$1\""),
        ("full of escapes", "printf 'PHP Fatal error: \\033]0;x\\007 \\302\\233 %s\\n' 1 2 3 >\"$1\""),
    ]
    .map(one)
    .into()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = programs();
    cases.extend(locks());
    cases.extend(logs());
    cases.push(("a root with an odd name".into(), odd_root()));
    cases.push(("a greeting with escapes".into(), greeting()));
    cases
}
