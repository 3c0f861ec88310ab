//! A provider's own looks, and e-mails.

use super::golden::{compare, folder, provider};
use super::{months, stories};
use crate::report::{Colour, Language, Picture, Provider, Templates};

/// A PNG as far as anybody here looks at it.
fn logo() -> Picture {
    let head = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R'];
    Picture::png([&head[..], &[0, 0, 0, 120, 0, 0, 0, 40]].concat()).unwrap()
}

fn branded() -> Provider {
    Provider {
        logo: Some(logo()),
        accent: Some(Colour::on_white("#7a1f5c").unwrap()),
        accent_dark: Some(Colour::on_dark("#f0a8d4").unwrap()),
        ..provider()
    }
}

#[test]
fn a_provider_has_its_logo_and_colours_on_every_page() {
    let run = stories::completed().report().to_html(None, &branded()).unwrap();
    let month = months::all().remove(0).1.to_html(None, &branded()).unwrap();
    for page in [run, month] {
        assert!(page.contains("<img class=\"logo\" src=\"data:image/png;base64,iVBORw0KGgo"), "{page}");
        assert!(page.contains("alt=\"Atelier Web Laval\""));
        assert!(page.contains("--accent: #7a1f5c") && page.contains("--accent: #f0a8d4"));
        assert_eq!(page.matches("src=").count(), 1, "nothing else comes from anywhere");
    }
    let plain = stories::completed().report().to_html(None, &provider()).unwrap();
    assert!(!plain.contains("<img") && !plain.contains("--accent: #"));
}

#[test]
fn a_providers_template_takes_the_place_of_ours_and_escapes() {
    let mut own = branded();
    own.templates.add("page.hbs", "<p>{{site_title}} {{outcome.title}} {{t \"help-title\"}}</p>".into()).unwrap();
    let mut report = stories::completed().report();
    report.url = "https://<b>&{{x}}/".into();
    let page = report.to_html(Some(Language::of("en")), &own).unwrap();
    assert_eq!(page, "<p>&lt;b&gt;&amp;{{x}} Updated and checked If something looks wrong</p>");
    let month = months::all().remove(0).1.to_html(None, &own).unwrap();
    assert!(month.starts_with("<!doctype html>"), "only that one");
    own.templates = Templates::default();
    own.templates.add("page.hbs", "{{no_such_thing}}".into()).unwrap();
    let error = report.to_html(None, &own).unwrap_err().to_string();
    assert!(error.contains("page of run"), "{error}");
}

#[test]
fn mails_are_as_approved() {
    let mut wrong = Vec::new();
    let month = months::all().remove(0).1;
    for language in Language::all() {
        let tag = language.tag();
        let of_run = stories::with_holds().report().to_mail(Some(language.clone()), &branded()).unwrap();
        let of_stuck = stories::stuck().report().to_mail(Some(language.clone()), &provider()).unwrap();
        let of_month = month.to_mail(Some(language), &branded()).unwrap();
        for (name, mail) in [("mail-with-holds", of_run), ("mail-stuck", of_stuck), ("mail-month", of_month)] {
            assert!(
                !mail.html.contains("<style") && !mail.html.contains("class="),
                "readers of mail know no style sheets"
            );
            wrong.extend(compare(&folder().join(format!("{name}.{tag}.html")), &mail.html).err());
            let text = format!("{}\n\n{}", mail.subject, mail.text);
            wrong.extend(compare(&folder().join(format!("{name}.{tag}.txt")), &text).err());
            assert!(!mail.text.contains("&amp;") && !mail.text.contains("\\@"), "a person reads it");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
