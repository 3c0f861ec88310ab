//! Sends notices to those who must act: each once, those of a site to one person in one message.

use super::mail::{enqueue, queue};
use crate::cli::fleet::{Fleet, who};
use crate::cli::{ExitCode, Failure, show};
use crate::journal::Journal;
use crate::ledger::{Decision, Notice};
use crate::mail::{Mailbox, Record, State, letter_id};
use crate::model::{Lifter, SiteName};
use crate::plan::{Contact, Plan, Role};
use crate::report::{MOST_NOTICES, notices_mail};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Writes messages down about the open notices that were not sent yet, of one site or of all; the names of the messages.
pub(super) async fn queue_notices(
    fleet: &Fleet,
    journal: &dyn Journal,
    site: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let now = Timestamp::now();
    let records = queue(fleet).list()?.records;
    let mut messages = finish(journal, &records).await?;
    let mut notices = journal.ledger().await?.notices(fleet.settings.rules.notices_expire_after);
    notices.retain(|notice| notice.answer.is_none() && notice.in_force(now));
    notices.retain(|notice| notice.sent.is_none() || refused_by(notice, &records).is_some());
    notices.retain(|notice| site.is_none_or(|site| notice.site.as_str() == site));
    let mut by_site: BTreeMap<&SiteName, Vec<&Notice>> = BTreeMap::new();
    for notice in &notices {
        by_site.entry(&notice.site).or_default().push(notice);
    }
    let provider = super::report::provider(fleet)?;
    for (site, notices) in by_site {
        let plan = match fleet.job(site.as_str()) {
            Ok(job) => job.plan,
            Err(failure) => {
                show::remark(format!("{site}: its notices are not sent: {}", failure.text));
                continue;
            }
        };
        for (to, mut notices) in by_recipient(&plan, &notices) {
            notices.retain(|notice| !is_there(notice, to.as_deref(), &records));
            if notices.is_empty() {
                continue;
            }
            let Some(to) = to else {
                show::remark(unsent(&plan));
                continue;
            };
            let to = Mailbox::parse(&to).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
            for some in notices.chunks(MOST_NOTICES) {
                let forms = notices_mail(some, &plan, None, &provider);
                let forms = forms.map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
                let message = letter_id(&identity(some), &to);
                let begun = Decision::Sending { notices: numbers(some), message: message.clone() };
                journal.decide(now, &who(), &begun).await?;
                enqueue(fleet, &forms, &provider, &identity(some), &to)?;
                let decision = Decision::Sent { notices: numbers(some), messages: vec![message.clone()] };
                journal.decide(now, &who(), &decision).await?;
                messages.push(message);
            }
        }
    }
    Ok(messages)
}

/// Notes what was written down and not noted, because whoever did it died in between: else the same notices would go into
/// another message with the next ones.
async fn finish(journal: &dyn Journal, records: &[Record]) -> Result<Vec<String>, Failure> {
    let ledger = journal.ledger().await?;
    let mut messages = Vec::new();
    for (message, notices) in ledger.messages_begun() {
        if records.iter().any(|record| record.id == message) {
            let decision = Decision::Sent { notices: notices.to_vec(), messages: vec![message.to_owned()] };
            journal.decide(Timestamp::now(), &who(), &decision).await?;
            messages.push(message.to_owned());
        }
    }
    Ok(messages)
}

/// The addresses that a notice went to, where servers refused every message that it is in.
fn refused_by<'a>(notice: &Notice, records: &'a [Record]) -> Option<Vec<&'a str>> {
    let of = |message: &String| records.iter().find(|record| record.id == *message);
    let refused = |record: &&Record| matches!(record.state, State::Refused { .. });
    let one = |message| of(message).filter(refused).map(|record| record.to.as_str());
    let all: Option<Vec<&str>> = notice.messages.iter().map(one).collect();
    all.filter(|all| !all.is_empty())
}

/// Whether a notice was sent, and not only to addresses that were refused and are others than the present one.
fn is_there(notice: &Notice, to: Option<&str>, records: &[Record]) -> bool {
    let is_present = |known: &&str| to.is_none_or(|to| to.eq_ignore_ascii_case(known));
    notice.sent.is_some() && refused_by(notice, records).is_none_or(|refused| refused.iter().any(is_present))
}

/// Why notices of a site are not sent, and what is to be done.
fn unsent(plan: &Plan) -> String {
    let site = &plan.site;
    match plan.client.contacts.iter().any(|contact| !contact.address.is_empty()) {
        true => format!(
            "{site}: no contact of the plan has an e-mail address; its notices go as letters, which you print: \
             intendant notices --site {site} --letter --to letters"
        ),
        false => format!(
            "{site}: no contact of the plan has an e-mail address or a postal address: its notices are not sent"
        ),
    }
}

/// The same after a run, where the settings say so: whether there is something to send.
pub(super) async fn queue_after_run(fleet: &Fleet, journal: &dyn Journal, site: &SiteName) -> Result<bool, Failure> {
    match fleet.settings.mail.as_ref().is_some_and(|mail| mail.notices) {
        true => Ok(!queue_notices(fleet, journal, Some(site.as_str())).await?.is_empty()),
        false => Ok(false),
    }
}

pub(super) fn numbers(notices: &[&Notice]) -> Vec<u64> {
    notices.iter().map(|notice| notice.number).collect()
}

/// By its numbers a message is known again: the same ones are the same message.
fn identity(notices: &[&Notice]) -> String {
    let numbers: Vec<String> = numbers(notices).iter().map(u64::to_string).collect();
    format!("notices {}", numbers.join(" "))
}

/// The notices by the address of who must act.
fn by_recipient<'a>(plan: &Plan, notices: &[&'a Notice]) -> BTreeMap<Option<String>, Vec<&'a Notice>> {
    let mut all: BTreeMap<Option<String>, Vec<&Notice>> = BTreeMap::new();
    for notice in notices {
        all.entry(address(plan, notice.about.reason().lifter())).or_default().push(notice);
    }
    all
}

/// The first address among those who come into question.
fn address(plan: &Plan, lifter: Lifter) -> Option<String> {
    asked(plan, lifter).find_map(|contact| contact.email.as_ref()).map(ToString::to_string)
}

/// Who is asked, the first one first, where something waits for this one.
fn asked(plan: &Plan, lifter: Lifter) -> impl Iterator<Item = &Contact> {
    let roles = match lifter {
        Lifter::Client => [Role::Owner, Role::Billing, Role::Technical, Role::Agency],
        Lifter::Operator | Lifter::Host | Lifter::Vendor | Lifter::Time => {
            [Role::Technical, Role::Agency, Role::Owner, Role::Billing]
        }
    };
    roles.into_iter().flat_map(|role| plan.client.contacts.iter().filter(move |contact| contact.role == role))
}

/// Who gets a letter about what waits for this one: the first with a postal address, where nobody has an e-mail address.
pub(super) fn addressee(plan: &Plan, lifter: Lifter) -> Option<&Contact> {
    match address(plan, lifter) {
        Some(_) => None,
        None => asked(plan, lifter).find(|contact| !contact.address.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Arguments;
    use crate::cli::commands::mail::send_those;
    use crate::ledger::About;
    use crate::model::{ComponentId, HoldReason, LicenceProblem, Version};
    use clap::Parser as _;

    #[test]
    fn who_decides_is_the_owner_and_who_works_is_the_technician() {
        let plan = |contacts: &str| {
            let text = format!(
                "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en, contacts: {contacts} }}\ntier: base\n\
                 cms: wordpress\nurl: https://shop.example/\nhost: {{ ssh: shop, path: /srv/shop }}\n"
            );
            crate::plan::parse(std::path::Path::new("shop.yaml"), &text, &["wordpress"]).unwrap()
        };
        let both = plan("[{ role: technical, email: tech@shop.example }, { role: owner, email: anne@shop.example }]");
        assert_eq!(address(&both, Lifter::Client).as_deref(), Some("anne@shop.example"));
        assert_eq!(address(&both, Lifter::Operator).as_deref(), Some("tech@shop.example"));
        let one = plan("[{ role: owner, name: Anne }, { role: agency, email: agency@shop.example }]");
        assert_eq!(address(&one, Lifter::Client).as_deref(), Some("agency@shop.example"));
        assert_eq!(address(&plan("[]"), Lifter::Client), None);
    }

    fn task(site: &str, component: &str, reason: HoldReason) -> Decision {
        Decision::Noticed {
            site: SiteName::new(site).unwrap(),
            about: About::Task {
                component: ComponentId::new("plugin", component).unwrap(),
                title: component.to_uppercase(),
                from: Version::new("1.0").unwrap(),
                to: Version::new("2.0").unwrap(),
                reason,
            },
        }
    }

    /// Nothing listens at the server's port, so the messages wait: they are written down all the same, once.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_notice_is_sent_once_to_whom_it_concerns() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("plans")).unwrap();
        write(
            "intendant.yaml",
            "settings: 1\nplans: plans\nstate: state\nmail: { from: ops@host.example, server: 127.0.0.1, port: 1, tls: none }\n",
        );
        write(
            "plans/shop.yaml",
            "plan: 1\nsite: shop\nclient: { name: Shop, language: fr, contacts: [{ role: owner, email: anne@shop.example }, \
             { role: technical, email: tech@shop.example }] }\ntier: base\ncms: wordpress\nurl: https://shop.example/\n\
             host: { ssh: shop, path: /srv/shop }\n",
        );
        let settings = folder.path().join("intendant.yaml").display().to_string();
        let arguments = Arguments::try_parse_from(["intendant", "--settings", &settings, "notices"]).unwrap();
        let fleet = Fleet::open(&arguments.common).unwrap();
        let journal = fleet.journal().await.unwrap();
        let now = Timestamp::now();
        let by_hand = HoldReason::LicencePool { pool: "pool".into(), problem: LicenceProblem::ByHand };
        for decision in [
            task("shop", "bought", HoldReason::Licence),
            task("shop", "entered", by_hand),
            task("gone", "x", HoldReason::Licence),
        ] {
            journal.decide(now, "ops", &decision).await.unwrap();
        }
        let sent = send_those(&fleet, &queue_notices(&fleet, &journal, None).await.unwrap()).unwrap();
        let to: Vec<&str> = sent.iter().map(|record| record.to.as_str()).collect();
        assert_eq!(to, ["anne@shop.example", "tech@shop.example"], "a site without a plan is left out");
        let about = ["shop.example : une mise à jour vous attend", "shop.example : une mise à jour est en attente"];
        let subjects: Vec<&str> = sent.iter().map(|record| record.subject.as_str()).collect();
        assert_eq!(subjects, about, "only what waits for the client calls for the client");
        assert!(queue_notices(&fleet, &journal, None).await.unwrap().is_empty(), "each once");
        journal.decide(now, "ops", &task("shop", "new", HoldReason::Licence)).await.unwrap();
        let more = send_those(&fleet, &queue_notices(&fleet, &journal, Some("shop")).await.unwrap()).unwrap();
        assert_eq!(more.len(), 1);
        assert!(!sent.iter().any(|record| record.message_id == more[0].message_id));
        let told = journal.ledger().await.unwrap().notices(fleet.settings.rules.notices_expire_after);
        assert_eq!(told.iter().filter(|notice| notice.sent.is_none()).count(), 1, "that of the site that is gone");
    }

    /// A fleet of one site, whose owner has this address.
    fn fleet_of(folder: &std::path::Path, owner: &str) -> Fleet {
        std::fs::create_dir_all(folder.join("plans")).unwrap();
        let settings = folder.join("intendant.yaml");
        let text = "settings: 1\nplans: plans\nstate: state\n\
                    mail: { from: ops@host.example, server: 127.0.0.1, port: 1, tls: none }\n";
        std::fs::write(&settings, text).unwrap();
        let plan = format!(
            "plan: 1\nsite: shop\nclient: {{ name: Shop, language: en, contacts: [{{ role: owner, email: {owner} }}] }}\n\
             tier: base\ncms: wordpress\nurl: https://shop.example/\nhost: {{ ssh: shop, path: /srv/shop }}\n"
        );
        std::fs::write(folder.join("plans/shop.yaml"), plan).unwrap();
        let settings = settings.display().to_string();
        let arguments = Arguments::try_parse_from(["intendant", "--settings", &settings, "notices"]).unwrap();
        Fleet::open(&arguments.common).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_notice_that_an_address_refused_goes_to_the_one_that_took_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let fleet = fleet_of(folder.path(), "wrong@shop.example");
        let journal = fleet.journal().await.unwrap();
        journal.decide(Timestamp::now(), "ops", &task("shop", "bought", HoldReason::Licence)).await.unwrap();
        let [id] = queue_notices(&fleet, &journal, None).await.unwrap().try_into().unwrap();
        let better = fleet_of(folder.path(), "anne@shop.example");
        assert!(queue_notices(&better, &journal, None).await.unwrap().is_empty(), "it waits to be sent");
        let file = folder.path().join("state/mail").join(format!("{id}.json"));
        let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        record["state"] = "refused".into();
        record["at"] = Timestamp::now().to_string().into();
        record["said"] = "550 no such user".into();
        std::fs::write(&file, record.to_string()).unwrap();
        let same = fleet_of(folder.path(), "Wrong@shop.example");
        assert!(queue_notices(&same, &journal, None).await.unwrap().is_empty(), "it is refused again");
        let better = fleet_of(folder.path(), "anne@shop.example");
        let [other] = queue_notices(&better, &journal, None).await.unwrap().try_into().unwrap();
        assert_ne!(other, id);
        let records = queue(&better).list().unwrap().records;
        assert!(records.iter().any(|record| record.id == other && record.to == "anne@shop.example"));
        assert!(queue_notices(&better, &journal, None).await.unwrap().is_empty(), "once");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_dies_after_writing_a_message_down_does_not_have_it_sent_twice() {
        let folder = tempfile::tempdir().unwrap();
        let fleet = fleet_of(folder.path(), "anne@shop.example");
        let journal = fleet.journal().await.unwrap();
        let now = Timestamp::now();
        let number = journal.decide(now, "ops", &task("shop", "one", HoldReason::Licence)).await.unwrap();
        let to = Mailbox::parse("anne@shop.example").unwrap();
        let identity = format!("notices {number}");
        let begun = Decision::Sending { notices: vec![number], message: letter_id(&identity, &to) };
        journal.decide(now, "ops", &begun).await.unwrap();
        let notices = journal.ledger().await.unwrap().notices(fleet.settings.rules.notices_expire_after);
        let plan = fleet.job("shop").unwrap().plan;
        let provider = super::super::report::provider(&fleet).unwrap();
        let forms = notices_mail(&[&notices[0]], &plan, None, &provider).unwrap();
        let first = enqueue(&fleet, &forms, &provider, &identity, &to).unwrap();
        // Here it died. Then comes another notice.
        journal.decide(now, "ops", &task("shop", "two", HoldReason::Licence)).await.unwrap();
        let messages = queue_notices(&fleet, &journal, None).await.unwrap();
        assert_eq!((messages.len(), &messages[0]), (2, &first));
        let told = journal.ledger().await.unwrap().notices(fleet.settings.rules.notices_expire_after);
        assert_eq!((told[0].messages.len(), told[1].messages.len()), (1, 1), "each in one message");
        assert!(queue_notices(&fleet, &journal, None).await.unwrap().is_empty());
    }
}
