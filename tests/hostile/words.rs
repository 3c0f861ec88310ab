//! Each text in each place where a site has a word: names, versions, titles, reasons, what its tools print. All that
//! Intendant shows of it is looked at: on the terminal, as JSON, and in reports of both languages.

use super::place::{Place, Ran};
use super::texts::TEXTS;
use super::{Case, Verdict};
use serde_json::{Value, json};

/// Plugins that are updated, by the text that is their title.
const UPDATED: [&str; 3] = ["a script", "a template of handlebars", "a template of our words"];

/// What the site says of itself.
fn document(texts: &[String]) -> Value {
    let mut extensions = Vec::new();
    let mut platform = serde_json::Map::new();
    for (number, text) in texts.iter().enumerate() {
        let named = |letter: &str| format!("{letter}{number}");
        let offer = json!({"version": "2.0", "package": true, "source": text});
        extensions.extend([
            json!({"kind": "plugin", "slug": text, "version": "1.0", "title": text}),
            json!({"kind": text, "slug": named("k"), "version": "1.0"}),
            json!({"kind": "plugin", "slug": named("v"), "version": text}),
            json!({"kind": "plugin", "slug": named("t"), "version": "1.0", "title": text, "active": true}),
            json!({"kind": "plugin", "slug": named("o"), "version": "1.0", "offer": {"version": text, "package": true}}),
            json!({"kind": "plugin", "slug": named("u"), "version": "1.0", "offer": offer, "unwritable": text}),
            json!({"kind": "plugin", "slug": named("p"), "version": "1.0", "parent": text}),
            json!({"kind": "plugin", "slug": named("m"), "version": "1.0", "offer": offer}),
            json!({"kind": "plugin", "slug": named("r"), "version": "1.0",
                "offer": {"version": "2.0", "package": true, "requires": {"extensions": [text]}}}),
        ]);
        platform.insert(text.clone(), json!(text));
    }
    let title = |name: &str| texts[TEXTS.iter().position(|(text, _)| *text == name).unwrap()].clone();
    extensions.extend(UPDATED.iter().enumerate().map(|(number, name)| {
        json!({"kind": "plugin", "slug": format!("x{number}"), "version": "1.0", "active": true, "title": title(name),
            "offer": {"version": "2.0", "package": true, "source": title(name)}})
    }));
    let all = texts.concat();
    let each = |make: &dyn Fn(&String) -> Value| texts.iter().map(make).collect::<Vec<_>>();
    json!({
        "core": {"title": all, "version": "1.0", "offers": each(&|text| json!({"version": text, "package": true}))},
        "extensions": extensions,
        "platform": platform,
        "database": {"code": all, "data": all},
        "sources": each(&|text| json!({"name": text, "reachable": true, "why": text})),
        "leftovers": each(&|text| json!({"what": text, "since": 1, "lift": text})),
        "checksums": each(&|text| json!({"component": text, "state": "modified", "files": [text]})),
        "address": all,
    })
}

/// The texts with the canary's real place.
fn texts(place: &Place) -> Vec<String> {
    TEXTS.iter().map(|(_, text)| text.replace("CANARY", place.canary().to_str().unwrap())).collect()
}

/// A site that says all of this, and whose tool prints it when it updates.
fn site() -> (Place, Vec<String>) {
    let place = Place::new();
    let texts = texts(&place);
    place.answer("status", format!("{}\n@toy@{}\n", texts.concat(), document(&texts)));
    let files: Vec<String> =
        texts.iter().enumerate().map(|(number, text)| format!("changed plugin:m{number} {text}")).collect();
    place.answer("files", files.join("\n"));
    place.answer("said", texts.join("\n"));
    let update = r#"cd "${0%/*}"; cat said; cat said >&2; [ ! -e fails ] || exit 1; echo changed >>../site/toy.txt
        echo "plugin:$2" >>moved
        { printf '@toy@{"versions": {"core:core": "1.0"'; while read -r id; do printf ', "%s": "2.0"' "$id"; done <moved; echo '}}'; } >versions"#;
    place.acts("update", update);
    (place, texts)
}

pub(crate) fn cases() -> Vec<Case> {
    let (place, texts) = site();
    let mut ran = Vec::new();
    let mut all = |arguments: &[&[&str]]| ran.extend(arguments.iter().map(|arguments| place.intendant(arguments)));
    all(&[
        &["inventory", "shop"],
        &["inventory", "shop", "--json"],
        &["preview", "shop"],
        &["preview", "shop", "--json"],
    ]);
    std::fs::write(place.path("answers/fails"), "").unwrap();
    all(&[&["run", "shop", "-v"], &["report", "shop"]]);
    std::fs::remove_file(place.path("answers/fails")).unwrap();
    all(&[&["run", "shop", "--json"], &["snapshot", "list", "shop"], &["doctor", "shop"]]);
    all(&[
        &["report", "shop", "--format", "html", "--language", "en"],
        &["report", "shop", "--format", "html", "--language", "fr"],
    ]);
    all(&[
        &["report", "shop", "--format", "json"],
        &["init", place.path("site").to_str().unwrap(), "--site", "other", "--print"],
    ]);
    let mut cases: Vec<Case> = TEXTS
        .iter()
        .zip(&texts)
        .map(|((name, _), text)| ((*name).to_owned(), shown(&ran, text).and_then(|()| place.nothing_ran())))
        .collect();
    cases.extend(ran.iter().map(|ran| (ran.what.clone(), ran.is_plain().and_then(|()| well(ran)))));
    cases.push(("arguments arrive as they are".into(), arguments(&place)));
    cases
}

/// No command gave up because of what it was told, and memory stayed small.
fn well(ran: &Ran) -> Verdict {
    let codes: &[i32] = if ran.what.contains("run shop -v") { &[10] } else { &[0] };
    ran.ended(codes, "")?;
    if ran.peak_kib < 300 << 10 { Ok(()) } else { Err(format!("{}: {} KiB", ran.what, ran.peak_kib)) }
}

/// A text is nowhere as it is, where it would do something.
fn shown(ran: &[Ran], text: &str) -> Verdict {
    for one in ran {
        let acts = text.chars().any(super::place::acts_on_a_terminal);
        if acts && one.all().contains(text) {
            return Err(format!("{} hands it on", one.what));
        }
        let page = one.out.contains("<html");
        let markup = ["<script", "<img", "onmouseover='"].into_iter().find(|sign| text.contains(sign));
        if let Some(sign) = markup.filter(|sign| page && one.out.contains(*sign)) {
            return Err(format!("{} has {sign:?} in a page", one.what));
        }
        if page && text.contains("{{lang}}") && !one.out.contains("{{lang}}") {
            return Err(format!("{} takes it for a template", one.what));
        }
    }
    Ok(())
}

/// The site's program was called for the good names only.
fn arguments(place: &Place) -> Verdict {
    let asked = std::fs::read_to_string(place.path("answers/asked")).unwrap_or_default();
    let known = ["status", "files", "versions", "update", "2.0", "x0", "x1", "x2"];
    match asked.lines().find(|word| !known.contains(word)) {
        None if asked.contains("x2") => Ok(()),
        None => Err("it was never asked for an update".into()),
        Some(word) => Err(format!("it was called with {word:?}")),
    }
}
