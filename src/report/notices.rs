//! What waits for a person of a site, as an e-mail to that person, or as a letter.
//!
//! May use: `ledger` and `plan` for their values, `html`, `letter`, `outline`, `reasons`, `sections`, `view`, `words`. Invariant: as in `view`.

use super::error::ReportError;
use super::html::{self, Form, MailForms, render};
use super::letter::{Addressee, of_page};
use super::outline::{Brand, Item, Outline, Part};
use super::provider::Provider;
use super::reasons;
use super::sections::{Hold, kind_line};
use super::view::{OutcomeView, Pair, View, cell, mail_link, site_link, site_title};
use super::words::{Language, Words, outside, own};
use crate::ledger::Notice;
use crate::model::Lifter;
use crate::plan::Plan;
use fluent_templates::fluent_bundle::FluentValue;
use jiff::civil::Date;

/// How many notices one message lists.
pub const MOST_NOTICES: usize = 50;

/// The message about these notices, which are of the site of this plan.
///
/// # Errors
/// [`ReportError::Template`] and [`ReportError::Page`] when the template is damaged.
pub fn notices_mail(
    notices: &[&Notice],
    plan: &Plan,
    language: Option<Language>,
    provider: &Provider,
) -> Result<MailForms, ReportError> {
    let words = words_of(plan, language);
    html::mail(&what(plan), provider, &words, outline(notices, plan, &words, provider))
}

/// The same on paper: a letter dated `day`, and the page with the notices behind it.
///
/// # Errors
/// As [`notices_mail`], and [`ReportError::Letter`], [`ReportError::Sender`].
pub fn notices_letter(
    notices: &[&Notice],
    plan: &Plan,
    language: Option<Language>,
    provider: &Provider,
    letter: (&Addressee, Date),
) -> Result<String, ReportError> {
    let words = words_of(plan, language);
    let outline = outline(notices, plan, &words, provider);
    let intro = words.tell("letter-notices", &[("site", outside(&outline.title))]);
    let view = view(notices, plan, &words, provider);
    let page = render((Form::Page, &what(plan)), provider, &words, &view)?;
    of_page(&page, &what(plan), (provider, &words), (outline, intro), letter)
}

fn words_of(plan: &Plan, language: Option<Language>) -> Words {
    let language = language.unwrap_or_else(|| Language::of(plan.client.language.as_str()));
    let zone = plan.windows.first().map_or("UTC", |window| window.zone.as_str());
    Words::new(language, zone)
}

fn what(plan: &Plan) -> String {
    format!("notices of {}", plan.site)
}

/// The page: what waits, and nothing of a run.
fn view(notices: &[&Notice], plan: &Plan, words: &Words, provider: &Provider) -> View {
    let outline = outline(notices, plan, words, provider);
    View {
        lang: outline.lang,
        page_title: outline.page_title,
        heading: outline.heading,
        brand: Brand::of(provider),
        provider: outline.provider,
        contact: outline.contact,
        contact_link: outline.contact_link,
        site_title: outline.title,
        site_link: site_link(plan.url.as_str()),
        facts: outline.facts,
        outcome: outline.outcome,
        tiles: Vec::new(),
        problem: None,
        anomalies: Vec::new(),
        updates: None,
        holds: first(notices).iter().map(|notice| hold(notice, words)).collect(),
        drifts: None,
        checks: None,
        backups: Vec::new(),
        proven: Vec::new(),
        help: false,
        steps_caption: String::new(),
        steps: Vec::new(),
        foot: outline.foot,
    }
}

fn first<'a, 'b>(notices: &'a [&'b Notice]) -> &'a [&'b Notice] {
    &notices[..notices.len().min(MOST_NOTICES)]
}

fn hold(notice: &Notice, words: &Words) -> Hold {
    let (from, to) = notice.about.step();
    let reason = notice.about.reason();
    let step = [("installed", outside(from.as_str())), ("offered", outside(to.as_str()))];
    let title = [("notice", own(notice.number.to_string())), ("title", outside(notice.about.title()))];
    Hold {
        title: words.tell("notices-title-line", &title),
        kind: kind_line(notice.about.component(), None, words),
        step: words.tell("hold-step", &step),
        why: reasons::hold(words, reason, None),
        who: reasons::lifter(words, reason.lifter(), &notice.about.component().kind),
    }
}

fn outline(notices: &[&Notice], plan: &Plan, words: &Words, provider: &Provider) -> Outline {
    let site = site_title(plan.url.as_str(), &plan.site);
    let shown = first(notices);
    let count = ("count", FluentValue::from(shown.len() as f64));
    let number = ("shown", own(words.number(shown.len() as u64)));
    let contact = provider.contact.as_deref().map(cell);
    // Only what waits for the client calls for the client.
    let calls = shown.iter().any(|notice| notice.about.reason().lifter() == Lifter::Client);
    let (subject, headline) =
        if calls { ("notices-subject", "notices-title") } else { ("notices-subject-waiting", "notices-title-waiting") };
    let sentences = vec![words.count("notices-intro", shown.len() as u64)];
    let items = shown.iter().map(|notice| item(notice, words)).collect();
    Outline {
        lang: words.tag(),
        page_title: words.tell(subject, &[count.clone(), number.clone(), ("site", outside(&site))]),
        provider: provider.name.as_deref().map(cell),
        heading: words.say("notices-heading"),
        title: site,
        facts: vec![Pair { label: words.say("label-client"), value: cell(&plan.client.name) }],
        outcome: OutcomeView { tone: "held", sign: "…", title: words.tell(headline, &[count, number]), sentences },
        tiles: Vec::new(),
        parts: vec![Part::of_items(words.say("notices-list"), items)],
        contact_link: contact.as_deref().and_then(mail_link),
        contact,
        foot: vec![words.tell("foot-program", &[("version", own(env!("CARGO_PKG_VERSION")))])],
    }
}

fn item(notice: &Notice, words: &Words) -> Item {
    let (from, to) = notice.about.step();
    let values = [
        ("notice", own(notice.number.to_string())),
        ("title", outside(notice.about.title())),
        ("from", outside(from.as_str())),
        ("to", outside(to.as_str())),
    ];
    let reason = notice.about.reason();
    let who = reasons::who(reason.lifter(), &notice.about.component().kind);
    let points = vec![reasons::hold(words, reason, None), words.tell("notices-who", &[("who", own(who))])];
    Item { text: words.tell("notices-line", &values), points }
}
