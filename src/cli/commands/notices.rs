//! `intendant notices`: what waits for an answer, and the answers.

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
        None => list(&fleet, common, options).await,
        Some(NoticeAction::Approve(answer)) => reply(&fleet, common, answer, Verdict::Approved).await,
        Some(NoticeAction::Decline(answer)) => reply(&fleet, common, answer, Verdict::Declined).await,
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
            let verdict = if answer.verdict == Verdict::Approved { "approved" } else { "declined" };
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

/// What a notice is about, in words.
fn about(about: &About) -> String {
    let About::Update { component, title, from, to, major } = about;
    let what = if *major { "a major version" } else { "an update" };
    format!("{what} of {} ({component}): {from} → {to}", clean_line(title, 60))
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
    let by = answer.by.as_deref().map_or_else(who, |by| clean_line(by, MAX_BY));
    let why = answer.why.as_deref().map(|why| clean_line(why, MAX_REASON));
    journal.decide(now, &by, &Decision::Answered { notice: notice.number, verdict, why }).await?;
    match common.json {
        true => show::json(&json!({ "answered": 1, "notice": notice.number, "verdict": verdict, "by": by })),
        false => {
            let then = match verdict {
                Verdict::Approved => "approved: the next run takes it",
                Verdict::Declined => "declined: it is held",
            };
            show::line(format!("notice {} of {}, {}: {then}", notice.number, notice.site, about(&notice.about)));
        }
    }
    Ok(ExitCode::OK)
}
