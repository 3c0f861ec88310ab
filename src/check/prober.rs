//! Asks for pages, as a visitor does and past every cache.
//!
//! May use: `address`, `text`, `observe`, `spec`. Invariants: only the site's own host is asked;
//! a page takes at most the settings' time and bytes; the secret of the pass is in no
//! observation, even if the site sends it back.

use super::address::{Follow, ResolveError, SafeResolver, Site, is_past_caches, past_caches, plain};
use super::error::CheckError;
use super::observe::{Failure, FailureKind, Hop, Observation, Page};
use super::spec::HttpCheck;
use super::text;
use crate::model::{Digest, clean_line};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Once;
use std::time::Duration;
use tokio::time::Instant;

/// What a site's log shows of us.
const USER_AGENT: &str = concat!("Intendant/", env!("CARGO_PKG_VERSION"), " (site check)");
/// How many characters of an address are kept.
const ADDRESS_CHARS: usize = 300;
/// How many characters of an error are kept.
const DETAIL_CHARS: usize = 240;

/// A header that lets our own requests pass the maintenance page. Its value never shows.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The header's name.
    pub header: String,
    /// The secret.
    pub secret: SecretString,
}

/// Limits and identity of a prober.
#[derive(Debug, Clone)]
pub struct ProberSettings {
    /// The longest time for one page, redirects included.
    pub timeout: Duration,
    /// How many redirects are followed.
    pub max_redirects: usize,
    /// How many bytes of a body are read, unpacked.
    pub max_bytes: usize,
    /// How many pages are asked for at the same time.
    pub at_once: usize,
    /// What passes the maintenance page.
    pub pass: Option<Pass>,
}

impl Default for ProberSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), max_redirects: 8, max_bytes: 4 << 20, at_once: 4, pass: None }
    }
}

/// Asks one site for pages.
#[derive(Debug)]
pub struct Prober {
    client: Client,
    site: Site,
    settings: ProberSettings,
}

/// Makes `ring` the process's TLS provider; once, first thing in `main`. Calling it again does
/// nothing.
pub fn install_tls_provider() {
    static ONCE: Once = Once::new();
    // A provider that someone else installed before is as good.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

impl Prober {
    /// A prober of the site at `url`, which must be http or https.
    ///
    /// # Errors
    /// An address or a header that can't be sent; no certificates on this machine.
    pub fn new(url: &str, settings: ProberSettings) -> Result<Self, CheckError> {
        install_tls_provider();
        let site = Site::new(url)?;
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers(settings.pass.as_ref())?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .dns_resolver(SafeResolver)
            .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
            // Each request pays for its own connection, as a new visitor's does.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|source| CheckError::Client { url: site.as_str().to_owned(), source })?;
        Ok(Self { client, site, settings })
    }

    /// How many pages may be asked for at the same time.
    pub(super) fn at_once(&self) -> usize {
        self.settings.at_once.max(1)
    }

    /// Asks for a page, and once more past every cache if the check says so.
    pub async fn observe(&self, check: &HttpCheck) -> Observation {
        let plain = Box::new(self.page(check, false).await);
        let fresh = match check.bypass_cache {
            true => Some(Box::new(self.page(check, true).await)),
            false => None,
        };
        Observation::Http { plain, fresh }
    }

    async fn page(&self, check: &HttpCheck, fresh: bool) -> Page {
        let asked = self.site.page(&check.path);
        let shown = asked.as_ref().map_or_else(|_| check.path.clone(), |url| self.shown(url));
        let mut page = Page::nothing(shown);
        let started = Instant::now();
        let failure = match asked {
            Err(why) => Some((FailureKind::BadRedirect, why)),
            Ok(url) => {
                let url = if fresh { past_caches(url) } else { url };
                let follow = self.follow(check, url, fresh, &mut page);
                match tokio::time::timeout(self.settings.timeout, follow).await {
                    Ok(ended) => ended.err(),
                    Err(_) => Some(self.too_late()),
                }
            }
        };
        page.failure =
            failure.map(|(kind, detail)| Failure { kind, detail: clean_line(&self.hide(&detail), DETAIL_CHARS) });
        page.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        page
    }

    fn too_late(&self) -> (FailureKind, String) {
        let seconds = self.settings.timeout.as_secs_f32();
        let detail = format!("no complete answer within {seconds:.0} s");
        (FailureKind::TimedOut, detail)
    }

    /// Follows redirects within the site to the last answer and reads it into `page`.
    async fn follow(
        &self,
        check: &HttpCheck,
        mut url: Url,
        fresh: bool,
        page: &mut Page,
    ) -> Result<(), (FailureKind, String)> {
        let mut seen = Vec::new();
        loop {
            let mut request = self.client.get(url.clone());
            if fresh {
                request = request
                    .header(header::CACHE_CONTROL, "no-cache, no-store, max-age=0")
                    .header(header::PRAGMA, "no-cache");
            }
            let response = request.send().await.map_err(|error| explain(&error))?;
            page.status = Some(response.status().as_u16());
            page.url = self.shown(&url);
            let Some(target) = redirect(&response, &url) else {
                return self.read(check, response, page).await;
            };
            seen.push(plain(&url));
            let mut to = target?;
            if is_past_caches(&url) && plain(&url) == plain(&to) && !is_past_caches(&to) {
                // A site that lets no parameter but its own stand is asked as visitors ask it.
                page.cacheable = true;
                url = to;
                continue;
            }
            page.hops.push(Hop { status: response.status().as_u16(), to: self.shown(&to) });
            match self.site.follow(&url, &to) {
                Follow::Yes => {}
                Follow::Leaves => return Err((FailureKind::LeavesSite, self.shown(&to))),
                Follow::Downgrade => return Err((FailureKind::Downgrade, self.shown(&to))),
            }
            let circle = seen.contains(&plain(&to));
            if circle || page.hops.len() > self.settings.max_redirects {
                return Err((FailureKind::TooManyRedirects, self.shown(&to)));
            }
            if fresh && !page.cacheable && !is_past_caches(&to) {
                // The redirect lost the parameter, and a cache may have the page that it leads to.
                to = past_caches(to);
            }
            url = to;
        }
    }

    /// Reads the body, up to the limit, and what the check looks for in it.
    async fn read(
        &self,
        check: &HttpCheck,
        mut response: Response,
        page: &mut Page,
    ) -> Result<(), (FailureKind, String)> {
        let content_type = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let mut body: Vec<u8> = Vec::new();
        let ended = loop {
            match response.chunk().await {
                Ok(None) => break Ok(()),
                Err(error) => break Err(explain(&error)),
                Ok(Some(chunk)) => {
                    let room = self.settings.max_bytes - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        page.cut = true;
                        break Ok(());
                    }
                }
            }
        };
        let text = text::decode(&body, &content_type);
        let text = self.hide(&text);
        page.bytes = body.len() as u64;
        page.digest = Digest::of(&body);
        page.closed = text::is_closed(&text);
        page.title = text::title(&text);
        page.missing = text::missing(&text, &check.contains);
        page.hits = text::hits(&text, &check.forbid);
        ended
    }

    /// An address fit to be journaled.
    fn shown(&self, url: &Url) -> String {
        clean_line(&self.hide(&plain(url)), ADDRESS_CHARS)
    }

    /// Takes the pass's secret out of what the site sent.
    fn hide<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        match &self.settings.pass {
            Some(pass) if text.contains(pass.secret.expose_secret()) => {
                text.replace(pass.secret.expose_secret(), "[hidden]").into()
            }
            _ => text.into(),
        }
    }
}

impl Page {
    /// A page that nobody answered for yet.
    fn nothing(asked: String) -> Self {
        Self {
            url: asked.clone(),
            asked,
            hops: Vec::new(),
            status: None,
            failure: None,
            bytes: 0,
            cut: false,
            closed: false,
            title: None,
            digest: Digest::of(&[]),
            elapsed_ms: 0,
            cacheable: false,
            missing: Vec::new(),
            hits: Vec::new(),
        }
    }
}

fn headers(pass: Option<&Pass>) -> Result<HeaderMap, CheckError> {
    let mut headers = HeaderMap::new();
    let accept = HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8");
    headers.insert(header::ACCEPT, accept);
    if let Some(pass) = pass {
        let wrong = || CheckError::Header { name: clean_line(&pass.header, 80) };
        let name: HeaderName = pass.header.parse().map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(pass.secret.expose_secret()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Where a redirect leads; none if the answer is not one.
fn redirect(response: &Response, from: &Url) -> Option<Result<Url, (FailureKind, String)>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?;
    let text = String::from_utf8_lossy(location.as_bytes());
    let url = from.join(&text);
    Some(url.map_err(|error| (FailureKind::BadRedirect, format!("{text:?}: {error}"))))
}

/// The kind of a transport error and its innermost words.
fn explain(error: &reqwest::Error) -> (FailureKind, String) {
    let mut kind = if error.is_timeout() {
        FailureKind::TimedOut
    } else if error.is_connect() {
        FailureKind::Unreachable
    } else {
        FailureKind::Broken
    };
    let mut words = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        words.push(inner.to_string());
        match inner.downcast_ref::<ResolveError>() {
            Some(ResolveError::NoSuchHost { .. }) => kind = FailureKind::NoSuchHost,
            Some(ResolveError::Forbidden { .. }) => kind = FailureKind::ForbiddenAddress,
            None => {}
        }
        if is_tls(inner) {
            kind = FailureKind::Tls;
        }
        source = inner.source();
    }
    let detail = words.pop().unwrap_or_else(|| error.to_string());
    (kind, detail)
}

/// Whether an error is of TLS. An I/O error's `source` passes over the error that it wraps, and
/// rustls's own is wrapped more than once.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => is_tls(inner),
        None => error.is::<rustls::Error>(),
    }
}
