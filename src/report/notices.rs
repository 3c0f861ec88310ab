//! What waits for a person of a site, as an e-mail to that person.
//!
//! May use: `ledger` and `plan` for their values, `html`, `outline`, `reasons`, `view`, `words`. Invariant: as in `view`.

use super::error::ReportError;
use super::html::{self, MailForms};
use super::outline::{Item, Outline, Part};
use super::provider::Provider;
use super::reasons;
use super::view::{OutcomeView, Pair, cell, mail_link, site_title};
use super::words::{Language, Words, outside, own};
use crate::ledger::Notice;
use crate::model::Lifter;
use crate::plan::Plan;
use fluent_templates::fluent_bundle::FluentValue;

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
    let language = language.unwrap_or_else(|| Language::of(plan.client.language.as_str()));
    let zone = plan.windows.first().map_or("UTC", |window| window.zone.as_str());
    let words = Words::new(language, zone);
    html::mail(&format!("notices of {}", plan.site), provider, &words, outline(notices, plan, &words, provider))
}

fn outline(notices: &[&Notice], plan: &Plan, words: &Words, provider: &Provider) -> Outline {
    let site = site_title(plan.url.as_str(), &plan.site);
    let shown = &notices[..notices.len().min(MOST_NOTICES)];
    let count = ("count", FluentValue::from(shown.len() as f64));
    let number = ("shown", own(words.number(shown.len() as u64)));
    let contact = provider.contact.as_deref().map(cell);
    // Only what waits for the client calls for the client.
    let calls = shown.iter().any(|notice| notice.about.reason().lifter() == Lifter::Client);
    let (subject, headline) =
        if calls { ("notices-subject", "notices-title") } else { ("notices-subject-waiting", "notices-title-waiting") };
    let sentences = vec![words.say("notices-intro")];
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
