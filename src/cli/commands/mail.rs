//! `intendant mail`, and sending reports.

use super::report::Told;
use crate::cli::arguments::{Common, Mail, MailAction};
use crate::cli::fleet::Fleet;
use crate::cli::post::MailSettings;
use crate::cli::{ExitCode, Failure, show};
use crate::mail::{Letter, Logo, Mailbox, Queue, QueueError, Queued, Record, State};
use crate::report::{Language, Provider};
use jiff::Timestamp;
use serde_json::json;

pub(in crate::cli) fn mail(common: &Common, options: &Mail) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    let queue = queue(&fleet);
    let records = match &options.action {
        None => queue.list()?,
        Some(MailAction::Retry { message: None }) => {
            let server = settings(&fleet)?.open()?;
            tokio::task::block_in_place(|| queue.send(&server))?.records
        }
        Some(MailAction::Retry { message: Some(id) }) => {
            let server = settings(&fleet)?.open()?;
            vec![tokio::task::block_in_place(|| queue.send_again(id, &server))?]
        }
    };
    match common.json {
        true => show::json(&json!({ "mail": 1, "list": records })),
        false if records.is_empty() => show::line("no message"),
        false => show::line(show::table(["message", "written", "to", "about", "state"], records.iter().map(row))),
    }
    Ok(if options.action.is_some() { code(&records) } else { ExitCode::OK })
}

/// Writes a report down for each of those who get it, and sends what waits.
pub(super) fn send(
    fleet: &Fleet,
    as_json: bool,
    told: &Told,
    form: (Option<Language>, &Provider),
    to: &[Mailbox],
) -> Result<ExitCode, Failure> {
    let records = deliver(fleet, told, form, to)?;
    match as_json {
        true => show::json(&json!({ "mail": 1, "list": records })),
        false => records.iter().for_each(|record| show::line(told_of(record))),
    }
    Ok(code(&records))
}

/// The same beside something else: what did not work is a remark.
pub(super) fn send_quietly(
    fleet: &Fleet,
    told: &Told,
    form: (Option<Language>, &Provider),
    to: &[Mailbox],
) -> Result<(), Failure> {
    let records = deliver(fleet, told, form, to)?;
    records.iter().for_each(|record| show::remark(told_of(record)));
    Ok(())
}

/// The records of these letters, after what waits was sent.
fn deliver(
    fleet: &Fleet,
    told: &Told,
    (language, provider): (Option<Language>, &Provider),
    to: &[Mailbox],
) -> Result<Vec<Record>, Failure> {
    let settings = settings(fleet)?;
    let server = settings.open()?;
    let queue = queue(fleet);
    let forms = told.mail(language.clone(), provider).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
    let logo = provider.logo.as_ref().map(|logo| Logo { png: logo.bytes().to_vec() });
    // In another language it is another message.
    let identity =
        format!("{} in {}", told.identity(), language.as_ref().map_or_else(|| "theirs".to_owned(), Language::tag));
    let now = Timestamp::now();
    let mut ids = Vec::new();
    for to in to {
        let letter = Letter {
            from: &settings.from,
            to,
            subject: &forms.subject,
            subject_id: &identity,
            text: &forms.text,
            html: &forms.html,
            logo: logo.as_ref(),
        };
        let bytes = letter.bytes(now).map_err(|error| Failure::new(ExitCode::OTHER, &error))?;
        let (Queued::New(record) | Queued::Known(record)) = queue.put(&letter, &bytes, now)?;
        ids.push(record.id);
    }
    match tokio::task::block_in_place(|| queue.send(&server)) {
        Ok(_) => {}
        // Whoever sends at this moment has read the queue before ours came, perhaps; it waits then, which is said.
        Err(QueueError::Busy) => {
            show::remark("another process is sending mail; `intendant mail retry` sends what waits")
        }
        Err(error) => return Err(error.into()),
    }
    let all = queue.list()?;
    Ok(all.into_iter().filter(|record| ids.contains(&record.id)).collect())
}

fn queue(fleet: &Fleet) -> Queue {
    Queue::new(&fleet.settings.state.join("mail"))
}

fn settings(fleet: &Fleet) -> Result<&MailSettings, Failure> {
    let none = || Failure {
        code: ExitCode::INVALID,
        text: "the settings say nothing of mail; write mail: { from, server, … }, see docs/guide/reports.md".into(),
    };
    fleet.settings.mail.as_ref().ok_or_else(none)
}

fn code(records: &[Record]) -> ExitCode {
    let sent = |record: &Record| matches!(record.state, State::Sent { .. });
    if records.iter().all(sent) { ExitCode::OK } else { ExitCode::OTHER }
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

fn told_of(record: &Record) -> String {
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
