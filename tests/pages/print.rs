//! Reports and letters on paper: what the program's own printer makes of them, read by Poppler.

use super::kit::{Kit, here, page};
use intendant::pdf::Printer;
use jiff::Timestamp;
use std::path::Path;
use std::process::{Command, Output};

fn printed(kit: &Kit, html: &str, made: Timestamp) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Printer::new(&kit.chromium).print(html, made)).unwrap()
}

/// What a program of Poppler says of a PDF.
fn poppler(program: &str, options: &[&str], pdf: &Path) -> String {
    let output = Command::new(program).args(options).arg(pdf).arg("-").output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn info(pdf: &Path) -> String {
    let output = Command::new("pdfinfo").env("TZ", "UTC").arg("-isodates").arg(pdf).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn line<'a>(info: &'a str, key: &str) -> &'a str {
    let found = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    found.unwrap_or_else(|| panic!("no {key}: {info}")).trim()
}

/// Words and lines, however they are broken.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn pdfs_are_tagged_text_on_a4_and_the_same_each_time() {
    let kit = Kit::get();
    let made: Timestamp = "2026-11-12T07:05:09Z".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, texts) in [
        ("completed-with-holds.fr.html", ["Mis à jour, avec des mises à jour en attente", "Qui peut agir"]),
        ("month.en.html", ["Monthly report", "What was updated"]),
        ("audit/en-all.html", ["Audit of the maintenance plans", "What it means:"]),
        ("intake-refused.fr.html", ["Comptes d’administration", "Intendant 0.1.0"]),
        // A name that would be HTML is what it is on paper, too.
        ("drifted.fr.html", ["Le compte <b>evil</b> a maintenant", "Quelqu’un a installé l’extension mine"]),
    ] {
        let html = std::fs::read_to_string(page(name)).unwrap();
        let pdf = printed(&kit, &html, made);
        let file = folder.path().join("one.pdf");
        std::fs::write(&file, &pdf).unwrap();
        let told = info(&file);
        assert_eq!(line(&told, "Tagged"), "yes", "{name}");
        assert!(line(&told, "Page size").contains("A4"), "{name}: {told}");
        assert!(line(&told, "CreationDate").starts_with("2026-11-12T07:05:09"), "{name}: {told}");
        let text = poppler("pdftotext", &["-layout"], &file);
        for part in texts {
            assert!(folded(&text).contains(part), "{name} does not say {part:?}:\n{text}");
        }
        let (numbers, last) = (text.replace(' ', ""), line(&told, "Pages"));
        for number in [format!("\n1/{last}\n"), format!("\n{last}/{last}\n")] {
            assert!(numbers.contains(&number), "{name}: pages are numbered, up to {last}\n{text}");
        }
        assert!(!text.contains("file://") && !text.contains("page.html"), "{name}: the browser adds nothing");
        if name.starts_with("month") {
            assert!(printed(&kit, &html, made) == pdf, "the same page is the same PDF");
        }
    }
}

/// A word on a page, and where it begins and ends, in millimetres from the upper left corner.
struct Word {
    text: String,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// The words of the first page.
fn words(pdf: &Path) -> Vec<Word> {
    let told = poppler("pdftotext", &["-bbox", "-l", "1"], pdf);
    let number = |line: &str, key: &str| -> f64 {
        let rest = line.split_once(&format!("{key}=\"")).unwrap().1;
        rest.split('"').next().unwrap().parse::<f64>().unwrap() * 25.4 / 72.0
    };
    let word = |line: &str| Word {
        text: line.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned(),
        left: number(line, "xMin"),
        top: number(line, "yMin"),
        right: number(line, "xMax"),
        bottom: number(line, "yMax"),
    };
    told.lines().map(str::trim).filter(|line| line.starts_with("<word ")).map(word).collect()
}

/// The window of a DL or C5 envelope, on the sheet.
fn in_window(word: &Word) -> bool {
    word.left >= 20.0 && word.right <= 105.0 && word.top >= 45.0 && word.bottom <= 90.0
}

#[test]
fn a_letter_shows_its_address_in_the_window_of_its_envelope() {
    let kit = Kit::get();
    let folder = tempfile::tempdir().unwrap();
    for (name, closing, report) in [
        ("letter-run.fr.html", "Madame, Monsieur,", "Rapport de mise à jour"),
        ("letter-restored.en.html", "Yours faithfully,", "Update report"),
        ("letter-month.fr.html", "Atelier Web Laval", "Rapport mensuel"),
        ("letter-notices.fr.html", "Madame, Monsieur,", "Avis n° 12 – WordPress"),
    ] {
        let html = std::fs::read_to_string(page(name)).unwrap();
        let file = folder.path().join("letter.pdf");
        std::fs::write(&file, printed(&kit, &html, Timestamp::UNIX_EPOCH)).unwrap();
        let words = words(&file);
        let said =
            words.iter().filter(|word| in_window(word)).map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let sender = "Atelier Web Laval · 12, rue des Érables · Laval (Québec) H7X 1A1";
        let to = "Anne Laval Boutique Laval inc. 1234, boulevard Saint-Martin Ouest, bureau 300 Laval (Québec) H7S 1M9";
        assert_eq!(said, format!("{sender} {to}"), "{name}: this and nothing else is seen through the window");
        let half = words.iter().filter(|word| word.left < 110.0 && word.top < 92.0 && !in_window(word));
        assert!(half.clone().all(|word| word.bottom < 43.0), "{name}: nothing reaches into the window");
        let first = folded(&poppler("pdftotext", &["-l", "1"], &file));
        assert!(
            first.contains(closing) && first.ends_with("H7X 1A1"),
            "{name}: the whole letter is on one sheet: {first}"
        );
        let second = folded(&poppler("pdftotext", &["-f", "2", "-l", "2"], &file));
        assert!(second.contains(report), "{name}: {second}");
        assert_eq!(line(&info(&file), "Tagged"), "yes");
    }
}

/// A page that asks for something gets nothing: nothing arrives, not even on this machine.
#[test]
fn the_printer_can_reach_nothing() {
    let kit = Kit::get();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let at = server.local_addr().unwrap();
    let html = format!(
        "<!doctype html><p>Still here</p><img src=\"http://{at}/a.png\"><img src=\"http://localhost:{}/b.png\">\
         <link rel=\"stylesheet\" href=\"http://{at}/c.css\"><iframe src=\"http://{at}/\"></iframe>",
        at.port()
    );
    let pdf = printed(&kit, &html, Timestamp::UNIX_EPOCH);
    assert!(pdf.starts_with(b"%PDF-"));
    assert_eq!(server.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody was asked");
}

fn intendant(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intendant"));
    command.args(arguments).current_dir(folder).env("HOME", folder);
    for base in ["XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env(base, folder.join(base));
    }
    command.output().unwrap()
}

/// The whole way: a run that was refused, its report as a PDF, and the letters to those who have no e-mail address.
#[test]
fn the_program_writes_pdfs_and_letters() {
    let kit = Kit::get();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path();
    std::fs::create_dir(own.join("plans")).unwrap();
    std::fs::write(
        own.join("plans/shop.yaml"),
        "plan: 1\nsite: shop\nclient:\n  name: Chez Lucie\n  language: fr\n  contacts:\n    \
         - { role: owner, name: Lucie Côté, address: [\"12, rue des Pins\", Laval (Québec)  H7S 1M9] }\n    \
         - { role: technical, email: web@shop.example }\n\
         tier: base\ncms: wordpress\nurl: https://shop.example/\nhost: { local: /srv/www/shop }\n\
         contract: { number: K-1, from: 2020-01-01, until: 2020-12-31 }\n",
    )
    .unwrap();
    // The browser is the one on the path: Debian's script, which leads to the browser itself.
    assert_eq!(Printer::new(Path::new("/usr/bin/chromium")).program(), kit.chromium);
    let settings = "settings: 1\nprovider: { name: Atelier, address: [\"1, rue A\"], contact: 450 555-0100 }\n";
    std::fs::write(own.join("intendant.yaml"), settings).unwrap();
    let run = intendant(own, &["run", "shop"]);
    assert_eq!(run.status.code(), Some(11), "{run:?}");
    let good = |arguments: &[&str]| {
        let output = intendant(own, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(good(&["report", "shop", "--format", "pdf", "--to", "a/report.pdf"]), "a/report.pdf\n");
    let text = poppler("pdftotext", &[], &own.join("a/report.pdf"));
    assert!(folded(&text).contains("Rien n’a été modifié"), "{text}");
    let letters = good(&["report", "shop", "--letter", "--to", "letters"]);
    let files: Vec<&str> = letters.lines().collect();
    assert_eq!(files.len(), 2, "{letters}");
    assert!(files[0].ends_with("-letter-lucie-côté.html") && files[1].ends_with("-letter-lucie-côté.pdf"), "{letters}");
    let text = folded(&poppler("pdftotext", &["-l", "1"], &own.join(files[1])));
    assert!(text.contains("Lucie Côté 12, rue des Pins Laval (Québec) H7S 1M9"), "{text}");
    let wrong = intendant(own, &["report", "shop", "--format", "pdf"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    std::fs::write(own.join("intendant.yaml"), "settings: 1\nbrowser: /no/such/browser\n").unwrap();
    let wrong = intendant(own, &["report", "shop", "--format", "pdf", "--to", "b.pdf"]);
    assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
    assert!(!own.join("b.pdf").exists() && here().join("docs").is_dir());
}
