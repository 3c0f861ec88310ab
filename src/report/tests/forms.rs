//! A provider's own looks, and e-mails.

use super::golden::{compare, folder, provider};
use super::{months, stories};
use crate::ledger::{About, Decision, Ledger, LedgerEntry, Notice};
use crate::model::{HoldReason, LicenceProblem, Lifter, Period};
use crate::plan::Plan;
use crate::report::{Colour, Language, Picture, Provider, Templates, notices_mail};

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
        let of_month = month.to_mail(Some(language.clone()), &branded()).unwrap();
        let (plan, notices) = noticed();
        let notices: Vec<&Notice> = notices.iter().collect();
        let of_notices = notices_mail(&notices, &plan, Some(language), &branded()).unwrap();
        let mails = [
            ("mail-with-holds", of_run),
            ("mail-stuck", of_stuck),
            ("mail-month", of_month),
            ("mail-notices", of_notices),
        ];
        for (name, mail) in mails {
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

/// A site with an approval and two tasks.
pub(super) fn noticed() -> (Plan, Vec<Notice>) {
    let text = "plan: 1\nsite: boutique\nclient: { name: Boutique Laval inc., language: fr }\ntier: base\ncms: wordpress\n\
                url: https://boutique.example/\nhost: { ssh: web3, path: /srv/www/boutique }\n";
    let plan = crate::plan::parse(std::path::Path::new("boutique.yaml"), text, &["wordpress"]).unwrap();
    let (id, version) = (super::story::id, super::story::version);
    let ended = LicenceProblem::Ended { until: "2026-10-31".parse().unwrap() };
    let task = |component: &str, title: &str, reason| About::Task {
        component: id(component),
        title: title.into(),
        from: version("3.1.0"),
        to: version("3.4.2"),
        reason,
    };
    let core = About::Update {
        component: id("core:core"),
        title: "WordPress".into(),
        from: version("6.1.9"),
        to: version("7.1.1"),
        major: true,
    };
    let all = [
        core,
        task(
            "plugin:fast-cache",
            "Fast Cache Pro",
            HoldReason::LicencePool { pool: "cache-pool".into(), problem: ended },
        ),
        task(
            "plugin:erp",
            "ERP <b>Bridge",
            HoldReason::Manual { what: "update both ends".into(), who: Lifter::Vendor },
        ),
    ];
    let entry = |(number, about)| LedgerEntry {
        number,
        at: "2026-11-12T02:00:00Z".parse().unwrap(),
        by: "ops".into(),
        decision: Decision::Noticed { site: plan.site.clone(), about },
    };
    let ledger = Ledger::new((12..).zip(all).map(entry).collect());
    let notices = ledger.notices(Period::from_secs(90 * 86_400));
    (plan, notices)
}
