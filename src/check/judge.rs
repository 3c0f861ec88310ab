//! The verdict: a pure function of check, observation and baseline.
//!
//! May use: `spec`, `observe`, `verdict`. Invariant: no I/O, no clock; the same arguments give
//! the same verdict, today or from the journal.

use super::observe::{FailureKind, LogState, Observation, Page, Ran};
use super::spec::{Check, CheckKind, CommandCheck, HttpCheck, StatusRule};
use super::verdict::{Reason, Verdict};
use reqwest::Url;

/// Pages smaller than this, in bytes, may shrink as they like.
const SMALL: u64 = 512;

/// What to think of `observation`. Without a `before`, the check is judged by itself.
pub fn judge(check: &Check, observation: &Observation, before: Option<&Observation>) -> Verdict {
    let reasons = match (&check.kind, observation) {
        (CheckKind::Http(http), Observation::Http { plain, fresh }) => {
            judge_http(http, plain, fresh.as_deref(), before)
        }
        (CheckKind::Command(command), Observation::Command(ran)) => judge_command(command, ran),
        (CheckKind::Log(_), Observation::Log(log)) => {
            let before = match before {
                Some(Observation::Log(before)) => Some(before),
                _ => None,
            };
            match judge_log(log, before) {
                Ok(reasons) => reasons,
                Err(why) => return Verdict::Unknown(why),
            }
        }
        _ => return Verdict::Unknown("the observation is not of this kind of check".into()),
    };
    match reasons.is_empty() {
        true => Verdict::Passed,
        false => Verdict::Failed(reasons),
    }
}

fn judge_http(check: &HttpCheck, plain: &Page, fresh: Option<&Page>, before: Option<&Observation>) -> Vec<Reason> {
    let (before_plain, before_fresh) = match before {
        Some(Observation::Http { plain, fresh }) => (Some(&**plain), Some(&**fresh.as_ref().unwrap_or(plain))),
        _ => (None, None),
    };
    let mut reasons = judge_page(check, plain, before_plain);
    if let Some(limit_ms) = check.max_ms
        && plain.failure.is_none()
        && plain.elapsed_ms > limit_ms
    {
        reasons.push(Reason::Slow { limit_ms, took_ms: plain.elapsed_ms });
    }
    // What visitors get is right: then, and only then, a cache may be hiding something.
    if let Some(fresh) = fresh
        && reasons.is_empty()
    {
        let hidden = judge_page(check, fresh, before_fresh);
        reasons.extend(hidden.into_iter().map(|reason| match fresh.cacheable {
            // It was the same request twice: the first answer and the second differ, and no cache stands between them.
            true => reason,
            false => Reason::HiddenByCache(Box::new(reason)),
        }));
    }
    reasons
}

/// Everything about one answer but its time.
fn judge_page(check: &HttpCheck, page: &Page, before: Option<&Page>) -> Vec<Reason> {
    if let Some(failure) = &page.failure
        && !(page.stopped_at_redirect() && check.may_leave())
    {
        return vec![Reason::NoAnswer(failure.clone())];
    }
    let waits = check.waiting.is_some() && check.waiting == page.status;
    let wrong = status_reason(check, page, before).filter(|_| !waits);
    let mut reasons: Vec<Reason> = wrong.into_iter().collect();
    let status_ok = reasons.is_empty();
    reasons
        .extend(page.hits.iter().map(|hit| Reason::Forbidden { text: hit.text.clone(), excerpt: hit.excerpt.clone() }));
    // An error page has none of the rest, which nobody needs to be told; nor has one that asks to wait.
    if !status_ok || waits {
        return reasons;
    }
    reasons.extend(place_reason(check, page, before));
    if page.failure.is_none() {
        reasons.extend(size_reason(check, page, before));
        let missing = page.missing.iter().cloned();
        reasons.extend(missing.map(|text| Reason::Missing { text }));
    }
    reasons
}

impl HttpCheck {
    /// Whether a redirect away from the site can be right.
    fn may_leave(&self) -> bool {
        let named = match &self.status {
            StatusRule::Good => false,
            StatusRule::OneOf(list) => list.iter().any(|status| is_redirect(*status)),
            StatusRule::SameAsBefore => true,
        };
        named || self.redirects_to.is_some()
    }
}

impl Page {
    /// Whether the last answer is a redirect that was not followed on purpose.
    fn stopped_at_redirect(&self) -> bool {
        let kind = self.failure.as_ref().map(|failure| failure.kind);
        matches!(kind, Some(FailureKind::LeavesSite | FailureKind::Downgrade))
    }

    fn first_status(&self) -> Option<u16> {
        self.hops.first().map(|hop| hop.status).or(self.status)
    }

    /// Where a visitor would end.
    fn end(&self) -> &str {
        match self.hops.last() {
            Some(hop) if self.stopped_at_redirect() => &hop.to,
            _ => &self.url,
        }
    }
}

fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status)
}

fn status_reason(check: &HttpCheck, page: &Page, before: Option<&Page>) -> Option<Reason> {
    let last = page.status?;
    let before_status = before.and_then(|before| before.status);
    let (ok, got) = match &check.status {
        StatusRule::Good => {
            let leaves = page.stopped_at_redirect() && is_redirect(last);
            ((200..300).contains(&last) || leaves, last)
        }
        StatusRule::OneOf(list) if list.iter().any(|status| is_redirect(*status)) => {
            let first = page.first_status()?;
            (list.contains(&first), first)
        }
        StatusRule::OneOf(list) => (list.contains(&last), last),
        StatusRule::SameAsBefore => match before_status {
            Some(before) => (last == before, last),
            None => (last < 500, last),
        },
    };
    (!ok).then(|| Reason::Status { expected: check.status.clone(), before: before_status, got })
}

/// Whether the request ends where it should: where the check says, or where it ended before.
fn place_reason(check: &HttpCheck, page: &Page, before: Option<&Page>) -> Option<Reason> {
    if let Some(expected) = &check.redirects_to {
        return (!same_place(expected, check, page))
            .then(|| Reason::EndsElsewhere { expected: expected.clone(), got: page.end().to_owned() });
    }
    let before = before?;
    (host_and_path(before.end()) != host_and_path(page.end()))
        .then(|| Reason::Moved { before: before.end().to_owned(), got: page.end().to_owned() })
}

/// Whether the request ended at `expected`: a path below the site's address, or an address.
/// The query counts only if `expected` has one.
fn same_place(expected: &str, check: &HttpCheck, page: &Page) -> bool {
    let Ok(end) = Url::parse(page.end()) else {
        return false;
    };
    let wanted = match expected.starts_with('/') {
        true => page.asked.strip_suffix(&check.path).map_or_else(
            || Url::parse(&page.asked).and_then(|asked| asked.join(expected)),
            |site| Url::parse(&format!("{site}{expected}")),
        ),
        false => Url::parse(expected),
    };
    let Ok(wanted) = wanted else { return false };
    let scheme = expected.starts_with('/') || wanted.scheme() == end.scheme();
    let query = wanted.query().is_none() || wanted.query() == end.query();
    scheme && query && host_and_path(wanted.as_str()) == host_and_path(end.as_str())
}

/// What makes a page the same page: not its scheme, and not its query, which may hold nonces.
fn host_and_path(address: &str) -> Option<(String, String)> {
    let url = Url::parse(address).ok()?;
    let port = url.port().map(|port| format!(":{port}"));
    let host = url.host_str()?.to_owned() + &port.unwrap_or_default();
    Some((host, url.path().to_owned()))
}

fn size_reason(check: &HttpCheck, page: &Page, before: Option<&Page>) -> Option<Reason> {
    if check.min_percent == 0 || matches!(page.status, Some(204 | 205)) {
        return None;
    }
    let expects_content = match before {
        Some(before) => before.bytes > 0,
        None => check.status != StatusRule::SameAsBefore,
    };
    if page.bytes == 0 {
        return expects_content.then_some(Reason::Empty);
    }
    let before = before?;
    let min_percent = check.min_percent;
    let kept_enough = page.bytes.saturating_mul(100) >= before.bytes.saturating_mul(min_percent.into());
    if before.bytes >= SMALL && !kept_enough {
        return Some(Reason::Shrunk { before: before.bytes, got: page.bytes, min_percent });
    }
    (before.closed && !page.closed && !page.cut).then_some(Reason::CutShort)
}

fn judge_command(check: &CommandCheck, ran: &Ran) -> Vec<Reason> {
    if let Some(limit) = &ran.stopped {
        return vec![Reason::Stopped { limit: limit.clone() }];
    }
    let mut reasons = Vec::new();
    if let Some(got) = ran.status
        && !check.exit.contains(&got)
    {
        reasons.push(Reason::Exit { expected: check.exit.clone(), got, tail: ran.tail.clone() });
    }
    if let (Some(false), Some(expected)) = (ran.equals, &check.equals) {
        reasons.push(Reason::Printed { expected: expected.clone(), got: ran.tail.clone() });
    }
    reasons
        .extend(ran.forbidden.iter().map(|text| Reason::Forbidden { text: text.clone(), excerpt: ran.tail.clone() }));
    let missing = ran.missing.iter().cloned();
    reasons.extend(missing.map(|text| Reason::Missing { text }));
    reasons
}

/// Fatal errors that the log did not have before; or why nobody can tell.
fn judge_log(log: &LogState, before: Option<&LogState>) -> Result<Vec<Reason>, String> {
    if let Some(why) = &log.unreadable {
        return Err(why.clone());
    }
    let Some(before) = before else {
        return Ok(Vec::new());
    };
    if before.unreadable.is_some() {
        return Err("it could not be read before the run".into());
    }
    let known = |key| before.fatal.iter().any(|fatal| fatal.key == key);
    let new: Vec<_> = log.fatal.iter().filter(|fatal| !known(fatal.key)).collect();
    Ok(new
        .first()
        .map(|first| Reason::FatalLogged { line: first.line.clone(), count: new.iter().map(|fatal| fatal.count).sum() })
        .into_iter()
        .collect())
}
