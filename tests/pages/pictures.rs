//! The pictures of the manual: each is what the page looks like. `INTENDANT_BLESS=1` draws them anew; look at them.

use super::browser::{Browser, Screen};
use super::kit::{Kit, here, page};
use base64::Engine as _;
use serde_json::json;

/// A picture: its file in `docs/pictures`, its page, and how much of it is shown.
const PICTURES: [(&str, &str, Screen); 4] = [
    ("report.png", "completed-with-holds.en.html", Screen { width: 900, height: 810, dark: false }),
    ("rapport.png", "restored.fr.html", Screen { width: 900, height: 880, dark: false }),
    ("month.png", "month.en.html", Screen { width: 900, height: 1015, dark: false }),
    ("audit.png", "audit/en-all.html", Screen { width: 900, height: 780, dark: true }),
];
/// The largest file of a picture, in bytes.
const MAX_BYTES: usize = 150_000;
/// The share of pixels that may differ: the next browser draws some edge otherwise, and a line that moved is far more.
const TOLERANCE: f64 = 0.002;

/// How many pixels of two pictures differ by more than a shade; all of them where the sizes do.
const DIFFERENT: &str = "(async (a, b) => {
    const read = async text => {
        const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
        const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = new OffscreenCanvas(picture.width, picture.height), pen = canvas.getContext('2d');
        pen.drawImage(picture, 0, 0);
        return pen.getImageData(0, 0, picture.width, picture.height);
    };
    const [x, y] = [await read(a), await read(b)], all = x.width * x.height;
    if (x.width !== y.width || x.height !== y.height) return [all, all];
    let count = 0;
    for (let at = 0; at < x.data.length; at += 4)
        if ([0, 1, 2].some(part => Math.abs(x.data[at + part] - y.data[at + part]) > 48)) count++;
    return [count, all];
})";

#[test]
fn the_manuals_pictures_are_what_pages_look_like() {
    let kit = Kit::get();
    let mut browser = Browser::start(&kit);
    let mut wrong = Vec::new();
    for (name, shown, screen) in PICTURES {
        let file = here().join("docs/pictures").join(name);
        browser.look_with(screen);
        browser.open(&page(shown));
        let drawn = browser.picture();
        let bytes = base64::engine::general_purpose::STANDARD.decode(&drawn).unwrap();
        if std::env::var_os("INTENDANT_BLESS").is_some() {
            std::fs::write(&file, &bytes).unwrap();
        }
        if bytes.len() > MAX_BYTES {
            wrong.push(format!("{name} would have {} bytes; show less", bytes.len()));
        }
        let Ok(approved) = std::fs::read(&file) else {
            wrong.push(format!("{} is not there", file.display()));
            continue;
        };
        let approved = base64::engine::general_purpose::STANDARD.encode(approved);
        let told = browser.run(&format!("{DIFFERENT}({}, {})", json!(approved), json!(drawn)));
        let (count, all) = (told[0].as_f64().unwrap(), told[1].as_f64().unwrap());
        if count > all * TOLERANCE {
            wrong.push(format!(
                "{name} is no longer what {shown} looks like: {count} of {all} pixels; INTENDANT_BLESS=1 draws it"
            ));
        }
    }
    super::fail_with("pictures", &wrong);
}

/// Every picture is shown somewhere, and no other is there.
#[test]
fn every_picture_is_shown() {
    let read = |file: &str| std::fs::read_to_string(here().join(file)).unwrap();
    let text = ["README.md", "docs/guide/reports.md", "docs/guide/audit.md"].map(read).concat();
    let mut there: Vec<String> = std::fs::read_dir(here().join("docs/pictures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    let mut drawn: Vec<String> = PICTURES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    drawn.sort();
    assert_eq!(there, drawn);
    for name in drawn {
        assert!(text.contains(&format!("pictures/{name})")), "{name} is shown nowhere");
    }
}
