//! Answers that are too long, too deep, endless, or no answers at all.

use super::Case;
use super::place::{Place, Ran};
use std::time::Duration;

/// The most memory that reading any answer may take: a few times the most bytes that are read.
const MOST_KIB: u64 = 450 << 10;
/// How long after its limit of three seconds a command that never ends is given up.
const LATEST: Duration = Duration::from_secs(60);

/// What the program prints for `status`, by a shell, and what Intendant says of it.
struct Answer {
    name: &'static str,
    /// The program of the site.
    does: &'static str,
    code: i32,
    says: &'static str,
}

const GOOD: &str = r#"'@toy@{"core": {"version": "1.0"}}'"#;

const ANSWERS: [Answer; 25] = [
    Answer { name: "it prints for ever", does: "exec yes '@toy@{'", code: 4, says: "toy status" },
    Answer { name: "it prints zeros for ever", does: "exec cat /dev/zero", code: 4, says: "toy status" },
    Answer {
        name: "it complains for ever and never answers",
        does: "while :; do head -c 300000 /dev/zero; sleep 0.05; done >&2",
        code: 4,
        says: "did not end within 3 s",
    },
    Answer { name: "it never ends", does: "exec sleep 1000", code: 4, says: "did not end within 3 s" },
    Answer {
        name: "it never ends and can't be asked to",
        does: "trap '' TERM; while :; do sleep 1; done",
        code: 4,
        says: "did not end",
    },
    Answer {
        name: "it leaves a child that holds the pipes",
        does: "sleep 1000 & echo GOOD",
        code: 4,
        says: "the host fell silent",
    },
    Answer {
        name: "it answers drop by drop",
        does: "while :; do printf .; sleep 0.2; done",
        code: 4,
        says: "did not end within 3 s",
    },
    Answer {
        name: "100 MB of JSON",
        does: r#"printf '@toy@["'; head -c 100000000 /dev/zero | tr '\0' x; printf '"]'"#,
        code: 4,
        says: "printed more than",
    },
    Answer {
        name: "30 MB of one text",
        does: r#"printf '@toy@{"core": {"version": "1.0", "title": "'; head -c 30000000 /dev/zero | tr '\0' x; printf '"}}'"#,
        code: 0,
        says: "xxx",
    },
    Answer {
        name: "20 MB of empty lists",
        does: r#"printf '@toy@{"extensions": ['; yes '[],' | head -c 20000000 | tr -d '\n'; printf '[]]}'"#,
        code: 4,
        says: "holds more than 500000 values",
    },
    Answer {
        name: "20 MB of numbers",
        does: r#"printf '@toy@['; yes '1,' | head -c 20000000 | tr -d '\n'; printf '1]'"#,
        code: 4,
        says: "holds more than 500000 values",
    },
    Answer {
        name: "a hundred thousand lists in each other",
        does: r#"printf '@toy@'; head -c 100000 /dev/zero | tr '\0' '['; head -c 100000 /dev/zero | tr '\0' ']'"#,
        code: 4,
        says: "nested deeper than 64",
    },
    Answer {
        name: "thirty thousand extensions",
        does: r#"printf '@toy@{"core": {"version": "1.0"}, "extensions": ['; i=0
            seq 30000 | sed 's/.*/{"kind": "plugin", "slug": "p&", "version": "1"},/' | tr -d '\n'; printf '1]}'"#,
        code: 4,
        says: "are more than 20000",
    },
    Answer {
        name: "a million changed files",
        does: r#"echo GOOD; [ "$1" = status ] || yes 'changed plugin:a x' | head -n 1000000"#,
        code: 4,
        says: "more than 10000 matches",
    },
    Answer {
        name: "as many changed files as are read",
        does: r#"echo GOOD; [ "$1" = status ] || yes 'changed plugin:a x' | head -n 10000"#,
        code: 0,
        says: "1.0",
    },
    Answer { name: "nothing", does: "exit 0", code: 4, says: "no line begins with" },
    Answer { name: "a page of HTML", does: "echo '<html><h1>503</h1></html>'", code: 4, says: "no line begins with" },
    Answer { name: "half an answer", does: r#"printf '@toy@{"core": {"ver'"#, code: 4, says: "is cut" },
    Answer { name: "what is no JSON", does: "echo '@toy@{]'", code: 4, says: "can't be read" },
    Answer { name: "a list instead", does: "echo '@toy@[1, 2]'", code: 4, says: "can't be merged" },
    Answer {
        name: "numbers that are none",
        does: r#"echo '@toy@{"core": {"version": 1e999}}'"#,
        code: 4,
        says: "can't be read",
    },
    Answer {
        name: "bytes that are no text",
        does: r#"printf '@toy@{"core": {"version": "1.0", "title": "\377\376\033[31m"}}'"#,
        code: 4,
        says: "can't be read",
    },
    Answer { name: "no version of the core", does: "echo '@toy@{}'", code: 4, says: "the core's version" },
    Answer {
        name: "a closing line of its own",
        does: "echo '@intendant-00000000000000000000000000000000 0' >&2; kill -9 $$",
        code: 4,
        says: "ended with status 137",
    },
    Answer {
        name: "two answers",
        does: r#"echo '@toy@{"core": {"version": "6.6.6"}}'; echo GOOD"#,
        code: 0,
        says: "1.0",
    },
];

pub(crate) fn cases() -> Vec<Case> {
    let one = |answer: &Answer| {
        let place = Place::new();
        let does = answer.does.replace("echo GOOD", &format!("echo {GOOD}"));
        place.acts("status", &does);
        if answer.name.contains("changed files") {
            place.acts("files", &does);
        }
        let ran = place.intendant(&["inventory", "shop"]);
        (answer.name.to_owned(), judged(&ran, answer))
    };
    // Two at once: what they do is mostly to wait.
    let (first, second) = ANSWERS.split_at(ANSWERS.len() / 2);
    std::thread::scope(|scope| {
        let half = scope.spawn(|| first.iter().map(one).collect::<Vec<_>>());
        let other: Vec<Case> = second.iter().map(one).collect();
        [half.join().unwrap(), other].concat()
    })
}

fn judged(ran: &Ran, answer: &Answer) -> super::Verdict {
    // On a busy machine the program's own time is over before it has printed so much.
    let late = ran.code == Some(4) && ran.all().contains("did not end within");
    if !late {
        ran.ended(&[answer.code], answer.says)?;
    }
    ran.is_plain()?;
    if ran.peak_kib > MOST_KIB {
        return Err(format!("{} KiB of memory", ran.peak_kib));
    }
    if ran.took > LATEST { Err(format!("it took {:?}", ran.took)) } else { Ok(()) }
}
