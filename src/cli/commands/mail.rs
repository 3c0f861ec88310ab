//! `intendant mail`, and sending reports.

use super::report::Told;
use crate::cli::arguments::{Common, Mail, MailAction};
use crate::cli::fleet::Fleet;
use crate::cli::post::MailSettings;
use crate::cli::{ExitCode, Failure, show};
use crate::mail::{Letter, Listing, Logo, Mailbox, Queue, QueueError, Queued, Record, State};
use crate::report::{Language, MailForms, Provider};
use jiff::Timestamp;
use serde_json::json;

pub(in crate::cli) fn mail(common: &Common, options: &Mail) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let queue = queue(&fleet);
    let Listing { records, unreadable } = match &options.action {
        None => queue.list()?,
        Some(MailAction::Retry { message: None }) => {
            let server = settings(&fleet)?.open()?;
            tokio::task::block_in_place(|| queue.send(&server))?
        }
        Some(MailAction::Retry { message: Some(id) }) => {
            let server = settings(&fleet)?.open()?;
            let record = tokio::task::block_in_place(|| queue.send_again(id, &server))?;
            Listing { records: vec![record], ..Listing::default() }
        }
    };
    let code = unreadable.into_iter().map(|error| Failure::from(error).report()).fold(ExitCode::OK, ExitCode::max);
    match common.json {
        true => show::json(&json!({ "mail": 1, "list": records })),
        false if records.is_empty() => show::line("no message"),
        false => show::line(show::table(["message", "written", "to", "about", "state"], records.iter().map(row))),
    }
    Ok(if options.action.is_some() { code.max(sent(&records)) } else { code })
}

/// Writes a report down for each of those who get it, sends what waits, and shows what became of the report.
pub(super) fn send(
    fleet: &Fleet,
    as_json: bool,
    told: &Told,
    form: (Option<Language>, &Provider),
    to: &[Mailbox],
) -> Result<ExitCode, Failure> {
    let ids = put(fleet, told, form, to)?;
    let records = send_those(fleet, &ids)?;
    match as_json {
        true => show::json(&json!({ "mail": 1, "list": records })),
        false => records.iter().for_each(|record| show::line(told_of(record))),
    }
    Ok(sent(&records))
}

/// Writes a report down for each of those who get it; the names of the messages.
pub(super) fn put(
    fleet: &Fleet,
    told: &Told,
    (language, provider): (Option<Language>, &Provider),
    to: &[Mailbox],
) -> Result<Vec<String>, Failure> {
    let forms = told.mail(language.clone(), provider).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    // In another language it is another message.
    let identity = format!("{} in {}", told.identity(), language.unwrap_or_else(|| told.language()).tag());
    to.iter().map(|to| enqueue(fleet, &forms, provider, &identity, to)).collect()
}

/// Writes a message down for one address, and gives its name; what was written down before stays as it is.
pub(super) fn enqueue(
    fleet: &Fleet,
    forms: &MailForms,
    provider: &Provider,
    identity: &str,
    to: &Mailbox,
) -> Result<String, Failure> {
    let (from, now) = (&settings(fleet)?.from, Timestamp::now());
    let logo = provider.logo.as_ref().map(|logo| Logo { png: logo.bytes().to_vec() });
    let letter = Letter {
        from,
        to,
        subject: &forms.subject,
        subject_id: identity,
        text: &forms.text,
        html: &forms.html,
        logo: logo.as_ref(),
    };
    let bytes = letter.bytes(now).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let (Queued::New(record) | Queued::Known(record)) = queue(fleet).put(&letter, &bytes, now)?;
    Ok(record.id)
}

/// Sends what waits, and gives the records of these messages.
pub(super) fn send_those(fleet: &Fleet, ids: &[String]) -> Result<Vec<Record>, Failure> {
    send_what_waits(fleet)?;
    let all = queue(fleet).list()?.records;
    Ok(all.into_iter().filter(|record| ids.contains(&record.id)).collect())
}

/// Sends what waits, and says of each message what became of it.
pub(super) fn send_quietly(fleet: &Fleet) -> Result<(), Failure> {
    send_what_waits(fleet)?.iter().for_each(|record| show::remark(told_of(record)));
    Ok(())
}

fn send_what_waits(fleet: &Fleet) -> Result<Vec<Record>, Failure> {
    let server = settings(fleet)?.open()?;
    match tokio::task::block_in_place(|| queue(fleet).send(&server)) {
        Ok(Listing { records, unreadable }) => {
            unreadable.iter().for_each(|error| show::remark(crate::model::in_words(error)));
            Ok(records)
        }
        // Whoever sends at this moment has read the queue before ours came, perhaps; it waits then, which is said.
        Err(QueueError::Busy) => {
            show::remark("another process is sending mail; `intendant mail retry` sends what waits");
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn queue(fleet: &Fleet) -> Queue {
    Queue::new(&fleet.settings.state.join("mail"))
}

fn settings(fleet: &Fleet) -> Result<&MailSettings, Failure> {
    let none = || Failure {
        code: ExitCode::INVALID,
        text: "the settings say nothing of mail; write mail: { from, server, … }, see docs/guide/reports.md".into(),
    };
    fleet.settings.mail.as_ref().ok_or_else(none)
}

pub(super) fn sent(records: &[Record]) -> ExitCode {
    let is_sent = |record: &Record| matches!(record.state, State::Sent { .. });
    if records.iter().all(is_sent) { ExitCode::OK } else { ExitCode::OTHER }
}

/// What became of a message, in words.
fn state(record: &Record) -> String {
    match &record.state {
        State::Waiting => match &record.last {
            Some(last) => format!("waits (tries: {}): {last}", record.tries),
            None => "waits".to_owned(),
        },
        State::Sending => "is being sent, or its sender died: `intendant mail retry` finds out".to_owned(),
        State::Sent { at, said } => format!("sent on {}: {said}", at.strftime("%Y-%m-%d %H:%M")),
        State::Refused { said, .. } => format!("refused, and not tried again: {said}"),
        State::InDoubt { why, .. } => format!(
            "in doubt, and not sent again by itself: {why}; look for <{}> in the server's log, and if it is not there: \
             intendant mail retry {}",
            record.message_id, record.id
        ),
    }
}

pub(super) fn told_of(record: &Record) -> String {
    format!("{}: {}: {}", record.to, record.subject, state(record))
}

fn row(record: &Record) -> [String; 5] {
    let written = record.written.strftime("%Y-%m-%d %H:%M").to_string();
    [record.id.clone(), written, record.to.clone(), record.subject.clone(), state(record)]
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        let code = match &error {
            QueueError::Unknown { .. } => ExitCode::ABSENT,
            _ => ExitCode::OTHER,
        };
        Self::new(code, &error)
    }
}
