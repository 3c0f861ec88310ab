//! Who gets a report, by mail or on paper, and `intendant report --letter`; how letters are written.

use super::report::{Told, write_file};
use crate::cli::arguments::Report as Options;
use crate::cli::browser::printer;
use crate::cli::fleet::Fleet;
use crate::cli::{ExitCode, Failure, show};
use crate::mail::Mailbox;
use crate::model::SiteName;
use crate::plan::{Contact, Plan, Role};
use crate::report::{Addressee, Language, Provider, Scope};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use std::path::{Path, PathBuf};

/// A letter: to whom, and the day where the site is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    to: Addressee,
    day: Date,
}

impl Letter {
    /// To a contact of a plan, dated today where its site is.
    pub(super) fn to(contact: &Contact, plan: &Plan, now: Timestamp) -> Self {
        let name = contact.name.clone().unwrap_or_else(|| plan.client.name.clone());
        let address = contact.address.iter().map(|line| line.as_str().to_owned()).collect();
        Self { to: Addressee { name, address }, day: plan.day(now) }
    }

    /// The name of who gets it, as a part of a file's name.
    pub(super) fn file_name(&self) -> String {
        plain(&self.to.name)
    }

    /// To whom, and the day.
    pub(super) fn dated(&self) -> (&Addressee, Date) {
        (&self.to, self.day)
    }
}

/// To whom a report goes.
#[derive(Debug, Default)]
pub(super) struct Receivers {
    /// Who has an e-mail address.
    pub(super) mail: Vec<Mailbox>,
    /// Who has none, and a postal address.
    pub(super) letters: Vec<Letter>,
    /// Who has neither.
    nowhere: Vec<String>,
}

impl Receivers {
    /// Whom the command names, else the contacts of the site's plan. What is about several sites goes to the owners alone: an
    /// agency or a technician of one site need not read of the others.
    pub(super) fn of(fleet: &Fleet, told: &Told, named: &[String]) -> Result<Self, Failure> {
        let usage = |text: String| Failure { code: ExitCode::USAGE, text };
        if !named.is_empty() {
            let mail = named.iter().map(|text| Mailbox::parse(text)).collect::<Result<Vec<_>, _>>();
            return Ok(Self { mail: mail.map_err(|error| usage(error.to_string()))?, ..Self::default() });
        }
        let (sites, owners_only): (Vec<&SiteName>, bool) = match told {
            Told::Run(report) => (vec![&report.site], false),
            Told::Month(report) if report.scope == Scope::Fleet => {
                let text = "a report on every site goes to nobody by itself: name an address, --send-to ADDRESS";
                return Err(usage(text.into()));
            }
            Told::Month(report) => (report.sites.iter().map(|site| &site.site).collect(), report.sites.len() > 1),
        };
        let (mut receivers, now) = (Self::default(), Timestamp::now());
        for site in sites {
            let plan = match fleet.job(site.as_str()) {
                Ok(job) => job.plan,
                // A site that is not in the fleet any more has nobody of its own, and keeps the report from nobody.
                Err(_) if owners_only => continue,
                Err(failure) => return Err(failure),
            };
            for contact in plan.client.contacts.iter().filter(|one| !owners_only || one.role == Role::Owner) {
                receivers.add(contact, &plan, now)?;
            }
        }
        Ok(receivers)
    }

    /// Adds a contact, once.
    fn add(&mut self, contact: &Contact, plan: &Plan, now: Timestamp) -> Result<(), Failure> {
        let name = contact.name.clone().unwrap_or_else(|| plan.client.name.clone());
        if let Some(email) = &contact.email {
            let address = Mailbox::parse(email.as_str()).map_err(|error| Failure::new(ExitCode::INVALID, &error))?;
            if !self.mail.iter().any(|known| known.address().eq_ignore_ascii_case(&address.address())) {
                self.mail.push(address);
            }
        } else if contact.address.is_empty() {
            if !self.nowhere.contains(&name) {
                self.nowhere.push(name);
            }
        } else {
            let letter = Letter::to(contact, plan, now);
            if !self.letters.iter().any(|known| known.to == letter.to) {
                self.letters.push(letter);
            }
        }
        Ok(())
    }

    /// Those who get mail; an error where there are none.
    pub(super) fn mailboxes(&self) -> Result<&[Mailbox], Failure> {
        let none = "the plan names nobody with an e-mail address; write one under client.contacts, or name it: --send-to ADDRESS";
        if self.mail.is_empty() { Err(Failure::absent(none)) } else { Ok(&self.mail) }
    }

    /// Says who gets nothing by mail, and what is to be done for them.
    pub(super) fn remark(&self, told: &Told) {
        for letter in &self.letters {
            show::remark(format!(
                "{} has no e-mail address and gets a letter, which you print: {} --letter --to letters",
                letter.to.name,
                command(told)
            ));
        }
        self.remark_nowhere();
    }

    fn remark_nowhere(&self) {
        for name in &self.nowhere {
            show::remark(format!(
                "{name} has neither an e-mail address nor a postal address in the plan, and gets nothing"
            ));
        }
    }
}

/// The command that makes the same report.
fn command(told: &Told) -> String {
    match told {
        Told::Run(report) => format!("intendant report {}", report.run),
        Told::Month(report) => {
            let of = match &report.scope {
                Scope::Client { name } => format!("--client {}", shell_escape::unix::escape(name.into())),
                Scope::Site { site, .. } => format!("--site {site}"),
                Scope::Fleet => "--all".to_owned(),
            };
            format!("intendant report --month {} {of}", report.month)
        }
    }
}

/// A letter that is ready to be printed: its PDF's name, and its page.
pub(super) struct Ready {
    letter: Letter,
    file: PathBuf,
    page: String,
}

impl Ready {
    /// One of several in a folder, or the only one of a file.
    pub(super) fn new(letter: Letter, file: PathBuf, page: String) -> Self {
        Self { letter, file, page }
    }
}

/// Writes the letters about a report.
pub(super) async fn write(
    fleet: &Fleet,
    told: &Told,
    (language, provider): (Option<Language>, &Provider),
    options: &Options,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let receivers = Receivers::of(fleet, told, &[])?;
    receivers.remark_nowhere();
    let letters = receivers.letters;
    if letters.is_empty() {
        let text =
            "nobody gets a letter: no contact of the plan has an address and no email; write one under client.contacts";
        return Err(Failure::absent(text));
    }
    let to = options.to.as_deref().unwrap_or(Path::new("."));
    let files = files(to, &base(told), &letters)?;
    let mut ready = Vec::new();
    for (letter, file) in letters.into_iter().zip(files) {
        let page = told.letter(language.clone(), provider, letter.dated());
        ready.push(Ready::new(letter, file, page.map_err(|error| Failure::new(ExitCode::OTHER, &error))?));
    }
    print(fleet, &ready, as_json).await
}

/// Writes each letter, as a page and as a PDF. The pages come first: where there is no browser, they can be printed by hand.
pub(super) async fn print(fleet: &Fleet, ready: &[Ready], as_json: bool) -> Result<ExitCode, Failure> {
    for Ready { file, page, .. } in ready {
        let html = file.with_extension("html");
        write_file(&html, page)?;
        if !as_json {
            show::line(html.display());
        }
    }
    let printer = printer(&fleet.settings)?;
    for Ready { letter, file, page } in ready {
        let day = letter.day.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        write_file(file, printer.print(page, day.unwrap_or_default()).await?)?;
        if !as_json {
            show::line(file.display());
        }
    }
    if as_json {
        let list: Vec<_> = ready.iter().map(record).collect();
        show::json(&json!({ "letters": 1, "list": list }));
    }
    Ok(ExitCode::OK)
}

fn record(Ready { letter, file, .. }: &Ready) -> serde_json::Value {
    json!({
        "to": letter.to.name,
        "address": letter.to.address,
        "day": letter.day,
        "page": file.with_extension("html"),
        "pdf": file,
    })
}

/// Where the PDFs go: one file for one letter, or names of their own in a folder.
fn files(to: &Path, base: &str, letters: &[Letter]) -> Result<Vec<PathBuf>, Failure> {
    let is_file = to.extension().is_some_and(|end| end == "pdf" || end == "html") && !to.is_dir();
    match (is_file, letters) {
        (true, [_]) => Ok(vec![to.with_extension("pdf")]),
        (true, _) => {
            let text = format!("{} letters don't go into one file; name a folder: --to letters", letters.len());
            Err(Failure { code: ExitCode::USAGE, text })
        }
        (false, _) => {
            let name = |(place, letter): (usize, &Letter)| {
                let number = if letters.len() > 1 { format!("{}-", place + 1) } else { String::new() };
                to.join(format!("{base}-letter-{number}{}.pdf", plain(&letter.to.name)))
            };
            Ok(letters.iter().enumerate().map(name).collect())
        }
    }
}

/// What the names of files begin with.
fn base(told: &Told) -> String {
    match told {
        Told::Run(report) => format!("{}-{}", report.site, report.run),
        Told::Month(report) => match &report.scope {
            Scope::Client { name } => format!("{}-{}", plain(name), report.month),
            Scope::Site { site, .. } => format!("{site}-{}", report.month),
            Scope::Fleet => report.month.to_string(),
        },
    }
}

/// A name as a part of a file's name: lowercase letters, digits and `-`, at most forty of them.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let joined: String = words.collect::<Vec<_>>().join("-").chars().take(40).collect();
    if joined.is_empty() { "contact".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(name: &str) -> Letter {
        let to = Addressee { name: name.into(), address: vec!["1, rue A".into()] };
        Letter { to, day: "2026-11-12".parse().unwrap() }
    }

    #[test]
    fn one_letter_is_a_file_and_several_are_in_a_folder() {
        let (one, two) = ([letter("Anne L’Écuyer")], [letter("../../Anne"), letter("***")]);
        let told = |to: &str, letters: &[Letter]| files(Path::new(to), "shop-x", letters);
        assert_eq!(told("a/b.pdf", &one).unwrap(), [PathBuf::from("a/b.pdf")]);
        assert_eq!(told("a/b.html", &one).unwrap(), [PathBuf::from("a/b.pdf")]);
        assert_eq!(told("letters", &one).unwrap(), [PathBuf::from("letters/shop-x-letter-anne-l-écuyer.pdf")]);
        let names = ["letters/shop-x-letter-1-anne.pdf", "letters/shop-x-letter-2-contact.pdf"].map(PathBuf::from);
        assert_eq!(told("letters", &two).unwrap(), names);
        assert_eq!(told("b.pdf", &two).unwrap_err().code, ExitCode::USAGE);
        assert_eq!(told("letters", &[]).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_contact_is_written_to_once_and_in_one_way() {
        let text = "plan: 1\nsite: shop\nclient:\n  name: Shop\n  language: en\n  contacts:\n    \
                    - { role: owner, name: Anne, address: [1 Some Street, Laval] }\n    \
                    - { role: billing, name: Anne, address: [1 Some Street, Laval] }\n    \
                    - { role: technical, name: Bob, email: bob@shop.example, address: [2 Other Street] }\n    \
                    - { role: agency, name: Agency }\n\
                    tier: base\ncms: wordpress\nurl: https://shop.example/\nhost: { local: /srv/www/shop }\n";
        let plan = crate::plan::parse(Path::new("shop.yaml"), text, &["wordpress"]).unwrap();
        let mut receivers = Receivers::default();
        for contact in &plan.client.contacts {
            receivers.add(contact, &plan, Timestamp::UNIX_EPOCH).unwrap();
        }
        let mail: Vec<String> = receivers.mail.iter().map(Mailbox::address).collect();
        assert_eq!(mail, ["bob@shop.example"]);
        assert_eq!(receivers.letters.len(), 1);
        assert_eq!(receivers.letters[0].to.address, ["1 Some Street", "Laval"]);
        assert_eq!(receivers.nowhere, ["Agency"]);
        assert!(Receivers::default().mailboxes().is_err());
    }
}
