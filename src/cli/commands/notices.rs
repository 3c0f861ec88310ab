//! `intendant notices`: what waits for an answer, and the answers.

use super::mail::{send_those, sent, told_of};
use super::send::queue_notices;
use crate::cli::arguments::{Common, NoticeAction, NoticeAnswer, Notices};
use crate::cli::fleet::{Fleet, who};
use crate::cli::{ExitCode, Failure, show};
use crate::journal::Journal as _;
use crate::ledger::{About, Decision, MAX_REASON, Notice, Verdict};
use crate::model::clean_line;
use jiff::Timestamp;
use serde_json::json;

/// The longest name of who decided, in characters.
const MAX_BY: usize = 120;

pub(in crate::cli) async fn notices(common: &Common, options: &Notices) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    match &options.action {
        None if options.letter => super::notice_letters::write(&fleet, common, options).await,
        None if options.send => post(&fleet, common, options.site.as_deref()).await,
        None => list(&fleet, common, options).await,
        Some(NoticeAction::Approve(answer)) => reply(&fleet, common, answer, Verdict::Approved).await,
        Some(NoticeAction::Decline(answer)) => reply(&fleet, common, answer, Verdict::Declined).await,
        Some(NoticeAction::Done(answer)) => reply(&fleet, common, answer, Verdict::Done).await,
    }
}

async fn list(fleet: &Fleet, common: &Common, options: &Notices) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let now = Timestamp::now();
    let mut notices = journal.ledger().await?.notices(fleet.settings.rules.notices_expire_after);
    notices.retain(|notice| options.site.as_ref().is_none_or(|site| notice.site.as_str() == site));
    notices.retain(|notice| options.all || notice.answer.is_none() && notice.in_force(now));
    match common.json {
        true => show::json(&json!({ "notices": 1, "list": notices })),
        false if notices.is_empty() => show::line("nothing waits for an answer"),
        false => show::line(show::table(
            ["notice", "site", "about", "since", "state"],
            notices.iter().map(|notice| row(notice, now)),
        )),
    }
    Ok(ExitCode::OK)
}

fn row(notice: &Notice, now: Timestamp) -> [String; 5] {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let state = match (&notice.answer, notice.expires) {
        (Some(answer), _) => {
            let verdict = said(answer.verdict);
            let why = answer.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
            let over = if notice.in_force(now) { "" } else { ", expired" };
            format!("{verdict} by {} on {}{over}{why}", answer.by, day(answer.at))
        }
        (None, _) if !notice.in_force(now) => "expired".to_owned(),
        (None, Some(expires)) => format!("waits until {}", day(expires)),
        (None, None) => "waits".to_owned(),
    };
    [notice.number.to_string(), notice.site.to_string(), about(&notice.about), day(notice.opened), state]
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "approved",
        Verdict::Declined => "declined",
        Verdict::Done => "done",
    }
}

/// What a notice is about, in words.
fn about(about: &About) -> String {
    let (from, to) = about.step();
    let what = match about {
        About::Update { major: true, .. } => "a major version",
        About::Update { .. } => "an update",
        About::Task { .. } => "a task",
    };
    let task = if about.is_task() { format!(": {}", show::reason(about.reason())) } else { String::new() };
    format!("{what} of {} ({}): {from} → {to}{task}", clean_line(about.title(), 60), about.component())
}

async fn reply(fleet: &Fleet, common: &Common, answer: &NoticeAnswer, verdict: Verdict) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let now = Timestamp::now();
    let notices = journal.ledger().await?.notices(fleet.settings.rules.notices_expire_after);
    let Some(notice) = notices.into_iter().find(|notice| notice.number == answer.notice) else {
        return Err(Failure::absent(format!("there is no notice {}; intendant notices lists them", answer.notice)));
    };
    if !notice.in_force(now) {
        let text = format!("notice {} has expired; the next run of {} asks again", notice.number, notice.site);
        return Err(Failure::absent(text));
    }
    if let Some(other) = unfit(&notice.about, verdict) {
        let text = format!(
            "notice {} is {}: intendant notices {other} {}",
            notice.number,
            about(&notice.about),
            notice.number
        );
        return Err(Failure { code: ExitCode::USAGE, text });
    }
    let by = answer.by.as_deref().map_or_else(who, |by| clean_line(by, MAX_BY));
    let why = answer.why.as_deref().map(|why| clean_line(why, MAX_REASON));
    journal.decide(now, &by, &Decision::Answered { notice: notice.number, verdict, why }).await?;
    match common.json {
        true => show::json(&json!({ "answered": 1, "notice": notice.number, "verdict": verdict, "by": by })),
        false => {
            let then = match verdict {
                Verdict::Approved => "approved: the next run takes it",
                Verdict::Declined => "declined: it is held",
                Verdict::Done => "done: the next run looks again",
            };
            show::line(format!("notice {} of {}, {}: {then}", notice.number, notice.site, about(&notice.about)));
        }
    }
    Ok(ExitCode::OK)
}

/// What a notice is answered with instead, where this is no answer to it.
fn unfit(about: &About, verdict: Verdict) -> Option<&'static str> {
    match (about.is_task(), verdict) {
        (true, Verdict::Approved) => Some("done"),
        (false, Verdict::Done) => Some("approve"),
        _ => None,
    }
}

/// Sends what was not sent yet to those who must act.
async fn post(fleet: &Fleet, common: &Common, site: Option<&str>) -> Result<ExitCode, Failure> {
    let journal = fleet.journal().await?;
    let messages = queue_notices(fleet, &journal, site).await?;
    let records = if messages.is_empty() { Vec::new() } else { send_those(fleet, &messages)? };
    match common.json {
        true => show::json(&json!({ "mail": 1, "list": records })),
        false if records.is_empty() => show::line("no new notice"),
        false => records.iter().for_each(|record| show::line(told_of(record))),
    }
    Ok(sent(&records))
}
