//! `intendant notices --letter`: what waits for people without an e-mail address, as letters to be printed.

use super::letter::{Letter, Ready, print};
use super::report::provider;
use super::send::{addressee, numbers};
use crate::cli::arguments::{Common, Notices};
use crate::cli::fleet::{Fleet, who};
use crate::cli::{ExitCode, Failure, show};
use crate::journal::Journal as _;
use crate::ledger::{Decision, Notice};
use crate::model::SiteName;
use crate::plan::{Contact, Plan};
use crate::report::{MOST_NOTICES, Provider, notices_letter};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Writes them, and then notes that they were: one that could not be printed is printed the next time.
pub(super) async fn write(fleet: &Fleet, common: &Common, options: &Notices) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let now = Timestamp::now();
    let mut notices = journal.ledger().await?.notices(fleet.settings.rules.notices_expire_after);
    notices.retain(|notice| notice.answer.is_none() && notice.in_force(now));
    notices.retain(|notice| options.all || notice.sent.is_none());
    notices.retain(|notice| options.site.as_ref().is_none_or(|site| notice.site.as_str() == site));
    let to = options.to.as_deref().unwrap_or(Path::new("."));
    let (ready, printed) = letters(fleet, &notices, to, now)?;
    if ready.is_empty() {
        match common.json {
            true => show::json(&json!({ "letters": 1, "list": [] })),
            false => show::line("no new notice for anybody without an e-mail address"),
        }
        return Ok(ExitCode::OK);
    }
    let code = print(fleet, &ready, common.json).await?;
    for decision in printed {
        journal.decide(now, &who(), &decision).await?;
    }
    Ok(code)
}

/// The letters, and what is to be noted when they are written.
fn letters(
    fleet: &Fleet,
    notices: &[Notice],
    to: &Path,
    now: Timestamp,
) -> Result<(Vec<Ready>, Vec<Decision>), Failure> {
    let mut by_site: BTreeMap<&SiteName, Vec<&Notice>> = BTreeMap::new();
    for notice in notices {
        by_site.entry(&notice.site).or_default().push(notice);
    }
    let provider = provider(fleet)?;
    let (mut ready, mut printed) = (Vec::new(), Vec::new());
    for (site, notices) in by_site {
        let plan = match fleet.job(site.as_str()) {
            Ok(job) => job.plan,
            Err(failure) => {
                show::remark(format!("{site}: its notices are not printed: {}", failure.text));
                continue;
            }
        };
        for (contact, notices) in by_addressee(&plan, &notices) {
            for some in notices.chunks(MOST_NOTICES) {
                let letter = letter((contact, &plan), some, &provider, (to, now))?;
                // One that was printed before stays as it was noted.
                let new: Vec<&Notice> = some.iter().copied().filter(|notice| notice.sent.is_none()).collect();
                let noted = Decision::Sent { notices: numbers(&new), messages: Vec::new() };
                printed.extend((!new.is_empty()).then_some(noted));
                ready.push(letter);
            }
        }
    }
    Ok((ready, printed))
}

fn letter(
    (contact, plan): (&Contact, &Plan),
    notices: &[&Notice],
    provider: &Provider,
    (to, now): (&Path, Timestamp),
) -> Result<Ready, Failure> {
    let letter = Letter::to(contact, plan, now);
    let page = notices_letter(notices, plan, None, provider, letter.dated());
    let page = page.map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    // The lowest number names the file: no two letters have the same notice.
    let number = numbers(notices).into_iter().min().unwrap_or(0);
    let file = to.join(format!("{}-notices-{number}-letter-{}.pdf", plan.site, letter.file_name()));
    Ok(Ready::new(letter, file, page))
}

/// The notices by who gets a letter about them; those that go by e-mail, or to nobody, are left out.
fn by_addressee<'a, 'p>(plan: &'p Plan, notices: &[&'a Notice]) -> Vec<(&'p Contact, Vec<&'a Notice>)> {
    let mut all: Vec<(&Contact, Vec<&Notice>)> = Vec::new();
    for notice in notices {
        let Some(contact) = addressee(plan, notice.about.reason().lifter()) else { continue };
        match all.iter_mut().find(|(known, _)| std::ptr::eq(*known, contact)) {
            Some((_, list)) => list.push(notice),
            None => all.push((contact, vec![notice])),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Arguments, Command};
    use crate::ledger::About;
    use crate::model::{ComponentId, HoldReason, LicenceProblem, Version};
    use clap::Parser as _;
    use std::path::PathBuf;

    const PLAN: &str = "plan: 1\nsite: SITE\nclient:\n  name: Shop\n  language: fr\n  contacts:\n    \
                        - { role: owner, name: Anne, OWNER }\n    \
                        - { role: technical, name: Bob, address: [2 Other Street] }\n\
                        tier: base\ncms: wordpress\nurl: https://shop.example/\nhost: { ssh: shop, path: /srv/SITE }\n";

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

    fn options(settings: &Path, more: &[&str]) -> (Common, Notices) {
        let settings = settings.display().to_string();
        let all = [&["intendant", "--settings", &settings, "notices", "--letter"], more].concat();
        let Arguments { common, command } = Arguments::try_parse_from(all).unwrap();
        let Command::Notices(notices) = command else { panic!("it is another command") };
        (common, notices)
    }

    /// There is no browser, so the pages alone are written, and nothing counts as sent.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_has_no_e_mail_address_gets_letters_and_what_is_not_printed_is_not_noted() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("plans")).unwrap();
        let settings = "settings: 1\nplans: plans\nstate: state\nbrowser: /no/such/browser\n\
                        provider: { name: Atelier, address: [\"1, rue A\"] }\n";
        std::fs::write(path("intendant.yaml"), settings).unwrap();
        for (site, owner) in [("paper", "address: [1 Some Street, Laval]"), ("mailed", "email: anne@shop.example")] {
            let plan = PLAN.replace("SITE", site).replace("OWNER", owner);
            std::fs::write(path(&format!("plans/{site}.yaml")), plan).unwrap();
        }
        let to = path("letters").display().to_string();
        let (common, options) = options(&path("intendant.yaml"), &["--to", &to]);
        let fleet = Fleet::open(&common).unwrap();
        let journal = fleet.journal().await.unwrap();
        let by_hand = || HoldReason::LicencePool { pool: "pool".into(), problem: LicenceProblem::ByHand };
        for decision in [
            task("paper", "bought", HoldReason::Licence),
            task("paper", "entered", by_hand()),
            task("mailed", "bought", HoldReason::Licence),
        ] {
            journal.decide(Timestamp::now(), "ops", &decision).await.unwrap();
        }
        let failure = write(&fleet, &common, &options).await.unwrap_err();
        assert!(failure.text.contains("/no/such/browser"), "{}", failure.text);
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(path("letters")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(
            files,
            ["paper-notices-1-letter-anne.html", "paper-notices-2-letter-bob.html"]
                .map(|file| path("letters").join(file))
        );
        let anne = std::fs::read_to_string(&files[0]).unwrap();
        assert!(anne.contains("1 Some Street") && anne.contains("BOUGHT") && !anne.contains("ENTERED"), "{anne}");
        let notices = journal.ledger().await.unwrap().notices(fleet.settings.rules.notices_expire_after);
        assert!(notices.iter().all(|notice| notice.sent.is_none()), "nothing was printed");

        let (ready, printed) = letters(&fleet, &notices, Path::new("."), Timestamp::now()).unwrap();
        assert_eq!(ready.len(), 2);
        for decision in printed {
            journal.decide(Timestamp::now(), "ops", &decision).await.unwrap();
        }
        let notices = journal.ledger().await.unwrap().notices(fleet.settings.rules.notices_expire_after);
        let sent: Vec<bool> = notices.iter().map(|notice| notice.sent.is_some()).collect();
        assert_eq!(sent, [true, true, false], "what goes by e-mail is not ours");
        let (again, noted) = letters(&fleet, &notices, Path::new("."), Timestamp::now()).unwrap();
        assert_eq!((again.len(), noted.len()), (2, 0), "printed again, it is not noted again");
    }
}
