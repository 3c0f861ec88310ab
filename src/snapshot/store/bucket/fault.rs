//! What can go wrong between here and a bucket, in words that say what to do next.
//!
//! May use: `error`, `client`. Invariant: no text holds a signature, a key or a secret.

use super::super::super::error::SnapshotError;
use super::client::Client;
use crate::model::clean_line;
use instant_xml::FromXml;
use reqwest::header::HeaderMap;
use std::io::{Error, ErrorKind};
use std::time::Duration;

/// What came back instead of an answer.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// An answer that says no.
    Said {
        status: u16,
        /// The service's own word, such as `NoSuchKey`.
        code: String,
        message: String,
        /// Where the bucket is instead.
        region: Option<String>,
        wait: Option<Duration>,
    },
    /// The connection failed.
    Lost(String),
    /// Tried as often as it may be.
    Given(u32, Box<Fault>),
    /// An answer that can't be understood.
    Strange(String),
    /// A lock ran out before it could be sent.
    Late,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said { status, code, message, .. } => write!(f, "{status} {code} {message}"),
            Self::Lost(text) => write!(f, "the connection failed: {text}"),
            Self::Strange(text) => write!(f, "the answer is not what S3 answers: {text}"),
            Self::Given(tried, fault) => write!(f, "{fault} (tried {tried} times)"),
            Self::Late => f.write_str("the lock ran out"),
        }
    }
}

#[derive(FromXml)]
#[xml(rename = "Error")]
struct ErrorBody {
    #[xml(rename = "Code")]
    code: Option<String>,
    #[xml(rename = "Message")]
    message: Option<String>,
    #[xml(rename = "Region")]
    region: Option<String>,
}

impl Fault {
    pub(super) fn strange(text: &str) -> Self {
        Self::Strange(clean_line(text, 300))
    }

    pub(super) fn lost(error: &reqwest::Error) -> Self {
        let mut words = match error.is_timeout() {
            true => vec!["it took too long".to_owned()],
            false => Vec::new(),
        };
        // The error's own words would show the address, and with it the signature.
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            words.push(inner.to_string());
            source = inner.source();
        }
        words.dedup();
        Self::Lost(clean_line(&words.join(": "), 300))
    }

    /// Whether an answer says no in spite of its status: some requests are answered with success, and with white
    /// space, before the service knows whether they have any.
    pub(super) fn is_in(body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        instant_xml::from_str::<ErrorBody>(text.trim()).is_ok()
    }

    pub(super) fn said(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let text = String::from_utf8_lossy(body);
        let parsed = instant_xml::from_str::<ErrorBody>(text.trim()).ok();
        let (code, message, region) =
            parsed.map_or((None, None, None), |parsed| (parsed.code, parsed.message, parsed.region));
        let wait = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let region = region.as_deref().or_else(|| header("x-amz-bucket-region")).map(|text| clean_line(text, 40));
        let clean = |text: Option<String>, most| clean_line(&text.unwrap_or_default(), most);
        Self::Said { status, code: clean(code, 60), message: clean(message, 200), region, wait }
    }

    /// What a service says of one object among many.
    pub(super) fn refused(code: &str, message: &str) -> Self {
        let status = if code == "AccessDenied" { 403 } else { 400 };
        let (code, message) = (clean_line(code, 60), clean_line(message, 200));
        Self::Said { status, code, message, region: None, wait: None }
    }

    pub(super) fn after(self, tried: u32) -> Self {
        if tried > 1 { Self::Given(tried, Box::new(self)) } else { self }
    }

    fn inner(&self) -> &Self {
        match self {
            Self::Given(_, fault) => fault.inner(),
            other => other,
        }
    }

    fn status_and_code(&self) -> (u16, &str) {
        match self.inner() {
            Self::Said { status, code, .. } => (*status, code),
            _ => (0, ""),
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        match self.status_and_code() {
            (404, code) => code != "NoSuchBucket",
            // It may stand in an answer that began as a success.
            (_, code) => code == "NoSuchUpload",
        }
    }

    /// Something is there already.
    pub(super) fn is_taken(&self) -> bool {
        self.status_and_code().0 == 412
    }

    /// A part was asked for that is not there.
    pub(super) fn is_outside(&self) -> bool {
        self.status_and_code().0 == 416
    }

    pub(super) fn is_denied(&self) -> bool {
        matches!(self.status_and_code(), (403, code) if code == "AccessDenied" || code.is_empty())
    }

    /// The service does not know this request.
    pub(super) fn is_unknown(&self) -> bool {
        let (status, code) = self.status_and_code();
        status == 501 || status == 405 || code == "NotImplemented"
    }

    /// How long the service wants to be left alone.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Said { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Whether it may work when it is tried again.
    pub(super) fn is_passing(&self) -> bool {
        let again = [
            "RequestTimeout",
            "SlowDown",
            "InternalError",
            "ServiceUnavailable",
            "BadDigest",
            "ConditionalRequestConflict",
        ];
        match self {
            Self::Said { status: 429 | 500 | 502 | 503 | 504, .. } | Self::Lost(_) => true,
            Self::Said { code, message, .. } => {
                let is_late = code == "AccessDenied" && message.contains("Request has expired");
                // The answer told the time, so the next try is signed with the right one.
                again.contains(&code.as_str())
                    || code == "OperationAborted"
                    || code == "RequestTimeTooSkewed"
                    || is_late
            }
            _ => false,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            _ if self.is_missing() => ErrorKind::NotFound,
            _ if self.is_denied() => ErrorKind::PermissionDenied,
            _ => ErrorKind::Other,
        }
    }

    fn advice(&self, client: &Client) -> String {
        let place = &client.place;
        if let Self::Said { region: Some(region), status: 301 | 307 | 400, .. } = self.inner() {
            return format!("the bucket is in the region {region}, not {}: write region={region}", place.region);
        }
        match self.status_and_code() {
            (_, "NoSuchBucket") => {
                format!("there is no bucket {} at {}; make it, or correct its name", place.name, place.endpoint)
            }
            (_, "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired") => {
                "the service does not know these credentials, or not any more; renew them, and look which file or \
                 variable they come from"
                    .into()
            }
            (_, "SignatureDoesNotMatch" | "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError") => {
                format!(
                    "the secret key, the region {} or the endpoint {} is not the right one",
                    place.region, place.endpoint
                )
            }
            (_, "RequestTimeTooSkewed") => "the clocks differ; set the clock of this machine".into(),
            (301 | 302 | 307 | 308, _) => {
                format!("{} sends us elsewhere; write the endpoint and the region of the bucket", place.endpoint)
            }
            (403, _) => "the credentials may not do this; the guide lists the permissions that a store needs".into(),
            (404, _) => "it is not there".into(),
            (429 | 500.., _) => "the service has trouble; try again later".into(),
            (0, _) => match self.inner() {
                Self::Lost(_) => format!("look whether {} can be reached from here", place.endpoint),
                Self::Late => "this program was stopped, or cut off from the bucket, for longer than its lock there \
                               holds, and others may have changed the store since; nothing more was written, begin again"
                    .into(),
                _ => format!("look whether {} is the address of an S3 service", place.endpoint),
            },
            _ => "the service refuses it".into(),
        }
    }
}

impl Client {
    /// What messages call an object.
    pub(super) fn shown(&self, name: &str) -> String {
        match name.is_empty() {
            true => self.place.to_string(),
            false => format!("{}/{name}", self.place),
        }
    }

    /// An error of the store.
    pub(super) fn failed(&self, doing: &'static str, name: Option<&str>, fault: &Fault) -> Error {
        let kind = fault.kind();
        let detail = match fault {
            Fault::Late => fault.advice(self),
            _ => format!("{fault}; {}", fault.advice(self)),
        };
        let path = self.shown(name.unwrap_or_default());
        Error::new(kind, SnapshotError::Bucket { doing, path, detail, kind })
    }
}
