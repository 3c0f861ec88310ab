//! Requests to a bucket: signed, sent, tried again, and understood.
//!
//! May use: `clock`, `fault`, `place`. Invariants: everything has an end: tries, seconds, bytes; a request
//! that must not come late is signed for no longer than it may take, so that the service itself refuses it.

use super::clock::{self, Clock};
use super::fault::Fault;
use super::place::{BucketKeys, BucketPlace};
use reqwest::header::HeaderMap;
use rusty_s3::{Bucket, Credentials, Method, signing};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How patient this is. Tests are less so.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Patience {
    /// How often a request is sent, at most.
    pub(in super::super) tries: u32,
    /// The pause before the second try; it doubles, up to [`LONGEST_PAUSE`].
    pub(in super::super) pause: Duration,
    /// How long one try may take, how much longer for each MiB, and how long nothing may come.
    pub(in super::super) timeout: Duration,
    /// How long a lock holds without being renewed, in milliseconds.
    pub(in super::super) lease: i64,
    /// How much longer others wait before they take it over: clocks of one service may differ so much.
    pub(in super::super) margin: i64,
    /// How long one waits for a lock whose holder may be dead.
    pub(in super::super) outlast: Duration,
    /// An upload that was begun so long ago, in milliseconds, has no writer any more.
    pub(in super::super) unfinished: i64,
    /// What is uploaded at once.
    pub(in super::super) part: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 7,
            pause: Duration::from_millis(200),
            timeout: Duration::from_secs(30),
            lease: 120_000,
            margin: 5_000,
            outlast: Duration::from_secs(135),
            unfinished: 24 * 3_600_000,
            part: 8 << 20,
        }
    }
}

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a signature holds if nothing else limits it, in seconds.
const SIGNED_FOR: u64 = 900;
/// The most bytes of an answer that is not an object's content.
pub(super) const MAX_ANSWER: usize = 8 << 20;

/// One request.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) doing: &'static str,
    pub(super) method: Method,
    /// Relative to the prefix; none is the bucket itself.
    pub(super) name: Option<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// When it must have arrived, by the service's clock, in milliseconds.
    pub(super) until: Option<i64>,
    /// The most bytes of the answer.
    pub(super) most: usize,
    /// Sent once and not again.
    pub(super) once: bool,
}

impl Ask {
    pub(super) fn new(doing: &'static str, method: Method, name: Option<&str>) -> Self {
        let name = name.map(str::to_owned);
        let (query, headers, body) = (Vec::new(), Vec::new(), Vec::new());
        Self { doing, method, name, query, headers, body, until: None, most: MAX_ANSWER, once: false }
    }

    pub(super) fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    pub(super) fn header(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((key, value.into()));
        self
    }

    /// With these bytes, and a checksum that the service compares them with.
    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        use base64::Engine;
        use md5::Digest;
        let sum = base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(&body));
        self.body = body;
        self.header("content-md5", sum)
    }

    pub(super) fn until(mut self, until: Option<i64>) -> Self {
        self.until = until;
        self
    }
}

/// What came back with a status of success.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn text(&self) -> Result<&str, Fault> {
        std::str::from_utf8(&self.body).map_err(|_| Fault::strange("it is not UTF-8"))
    }

    /// A time among the headers, in milliseconds.
    pub(super) fn time(&self, name: &str) -> Result<i64, Fault> {
        let time = self.header(name).and_then(clock::of_header);
        time.ok_or_else(|| Fault::strange(&format!("it has no {name}, which locks need")))
    }
}

/// Sends requests, on a thread of its own: whoever calls may be asynchronous or not.
pub(super) struct Client {
    runtime: Option<Runtime>,
    http: reqwest::Client,
    bucket: Bucket,
    keys: Credentials,
    pub(super) place: BucketPlace,
    pub(super) clock: Clock,
    pub(super) patience: Patience,
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last one who holds this may be asynchronous, and must not wait.
            runtime.shutdown_background();
        }
    }
}

impl Client {
    pub(super) fn new(place: BucketPlace, keys: &BucketKeys, patience: Patience) -> io::Result<Self> {
        // Another one that was installed before is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut http = reqwest::Client::builder();
        if place.endpoint.scheme() == "http" {
            // Nobody has to be believed, and looking for those who are takes its time.
            http = http.tls_certs_only([]);
        }
        let http = http
            .user_agent(concat!("intendant/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .no_gzip()
            .connect_timeout(patience.timeout.min(Duration::from_secs(10)))
            .build()
            .map_err(io::Error::other)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("bucket").enable_all().build()?;
        let bucket = place.bucket().map_err(io::Error::other)?;
        let (runtime, keys) = (Some(runtime), keys.credentials());
        Ok(Self { runtime, http, bucket, keys, place, clock: Clock::default(), patience })
    }

    /// Runs work on the thread of the bucket, beside whatever goes on.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }

    /// Runs work on the thread of the bucket; the answer is waited for elsewhere.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> std::sync::mpsc::Receiver<T> {
        let (done, result) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move {
            // Who asked may have gone.
            let _ = done.send(work.await);
        });
        result
    }

    /// Runs work on the thread of the bucket, and waits for it.
    pub(super) fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        self.begin(work).recv().map_err(|_| io::Error::other("the thread of the bucket ended"))
    }

    /// Sends a request and waits for its answer.
    pub(super) fn ask(self: &Arc<Self>, ask: Ask) -> io::Result<Answer> {
        let client = self.clone();
        let (doing, name) = (ask.doing, ask.name.clone());
        let answer = self.wait(async move { client.send(&ask).await })?;
        answer.map_err(|fault| self.failed(doing, name.as_deref(), &fault))
    }

    /// What an object is called in the bucket.
    pub(super) fn key(&self, name: &str) -> String {
        match self.place.prefix.is_empty() {
            true => name.to_owned(),
            false => format!("{}/{name}", self.place.prefix),
        }
    }

    /// Sends a request, again while the service has trouble, until it has an answer.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, Fault> {
        let tries = if ask.once { 1 } else { self.patience.tries.max(1) };
        let mut tried = 0;
        loop {
            let fault = match self.once(ask).await {
                Err(fault) => fault,
                good => return good,
            };
            tried += 1;
            if tried >= tries || !fault.is_passing() {
                return Err(fault.after(tried));
            }
            tracing::debug!(doing = ask.doing, name = ask.name, %fault, tried, "asking the bucket again");
            tokio::time::sleep(self.pause(tried, &fault)).await;
        }
    }

    /// Longer each time, at least what the service asks for, and never the same for two.
    fn pause(&self, tried: u32, fault: &Fault) -> Duration {
        let grown = self.patience.pause.saturating_mul(1 << (tried - 1).min(10)).min(LONGEST_PAUSE);
        let random = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
        let wanted = fault.wait().unwrap_or_default().min(LONGEST_PAUSE);
        grown.mul_f64(0.5 + random / 2.0).max(wanted)
    }

    /// How long one try may take: slow lines take their time for much.
    fn longest(&self, ask: &Ask) -> Duration {
        let bytes = match ask.method {
            Method::Get if ask.name.is_some() => ask.most,
            // The service may have to put together what was sent before.
            Method::Post => ask.body.len().max(8 << 20),
            _ => ask.body.len(),
        };
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        self.patience.timeout.saturating_mul(mib.saturating_add(1))
    }

    /// Waits for what has to come soon. For what is sent, the system itself gives up where nothing arrives.
    async fn soon<T>(&self, coming: impl Future<Output = reqwest::Result<T>>) -> Result<T, Fault> {
        match tokio::time::timeout(self.patience.timeout, coming).await {
            Ok(came) => came.map_err(|error| Fault::lost(&error)),
            Err(_) => Err(Fault::Lost("it took too long, and nothing came".into())),
        }
    }

    fn sign(&self, ask: &Ask) -> Result<reqwest::Request, Fault> {
        let url = match &ask.name {
            Some(name) => self.bucket.object_url(&self.key(name)),
            None => self.bucket.base_url().clone(),
        };
        let now = self.clock.now();
        let seconds = match ask.until {
            None => SIGNED_FOR,
            // The signature's own time is cut to the second.
            Some(until) => u64::try_from(until / 1000 - now / 1000).unwrap_or(0).min(SIGNED_FOR),
        };
        if seconds == 0 {
            return Err(Fault::Late);
        }
        let date = jiff::Timestamp::from_millisecond(now).map_err(|_| Fault::strange("its clock is out of bounds"))?;
        let (mut query, mut headers) = (ask.query.clone(), ask.headers.clone());
        query.sort();
        headers.sort();
        fn pairs<'a>(all: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
            all.iter().map(|(key, value)| (*key, value.as_str()))
        }
        let url = signing::sign(
            &date,
            ask.method,
            url,
            self.keys.key(),
            self.keys.secret(),
            self.keys.token(),
            self.bucket.region(),
            seconds,
            pairs(&query),
            pairs(&headers),
        );
        let method = match ask.method {
            Method::Put => reqwest::Method::PUT,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
            Method::Head => reqwest::Method::HEAD,
            Method::Get => reqwest::Method::GET,
        };
        let mut request = self.http.request(method, url).timeout(self.longest(ask));
        for (key, value) in pairs(&headers) {
            request = request.header(key, value);
        }
        if matches!(ask.method, Method::Put | Method::Post) {
            request = request.header("content-length", ask.body.len()).body(ask.body.clone());
        }
        // Its texts would show the address, and with it the signature.
        request.build().map_err(|error| Fault::Lost(error.without_url().to_string()))
    }

    async fn once(&self, ask: &Ask) -> Result<Answer, Fault> {
        let answer = self.http.execute(self.sign(ask)?);
        let mut response = match ask.method {
            Method::Put | Method::Post => answer.await.map_err(|error| Fault::lost(&error))?,
            _ => self.soon(answer).await?,
        };
        let headers = std::mem::take(response.headers_mut());
        if let Some(said) = headers.get("date").and_then(|date| clock::of_header(date.to_str().ok()?)) {
            self.clock.hear(said);
        }
        let status = response.status().as_u16();
        let most = if status < 300 { ask.most } else { 64 << 10 };
        let mut body = Vec::new();
        while let Some(chunk) = self.soon(response.chunk()).await? {
            if body.len() + chunk.len() > most {
                if status >= 300 {
                    break;
                }
                return Err(Fault::strange(&format!("it is longer than {most} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        match status {
            200..300 if ask.method != Method::Post || !Fault::is_in(&body) => Ok(Answer { headers, body }),
            // The service found it signed for a time that is over.
            403 if ask.until.is_some_and(|until| self.clock.now() + 1000 >= until) => Err(Fault::Late),
            _ => Err(Fault::said(status, &headers, &body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(place: &str) -> Client {
        let keys = BucketKeys::new("AKIATEST", "hunter2/hunter2+hunter2".into(), None).unwrap();
        Client::new(BucketPlace::parse(place).unwrap(), &keys, Patience::default()).unwrap()
    }

    /// The signature is what Amazon's own library for Python (botocore 1.43.11) makes of the same request.
    #[test]
    fn requests_are_signed_as_amazon_signs_them() {
        let client = client("s3://bucket/some/place?endpoint=http://127.0.0.1:9000&region=ca-test-1");
        let taken: jiff::Timestamp = "2026-01-14T02:00:00Z".parse().unwrap();
        client.clock.hear(taken.as_millisecond());
        let ask = Ask::new("testing", Method::Put, Some("a b+c"))
            .query("uploadId", "x/= y")
            .query("partNumber", "7")
            .header("x-amz-meta-x", "v")
            .header("if-none-match", "*")
            .body(Vec::new());
        let request = client.sign(&ask).unwrap();
        let url = request.url().as_str();
        assert!(url.starts_with("http://127.0.0.1:9000/bucket/some/place/a%20b%2Bc?"), "{url}");
        let signature = "X-Amz-Signature=26c5f4a47e460611d3abf21d0b2ec9ed1df730423bb38dd163c80e48f59aa3ca";
        assert!(url.ends_with(signature), "{url}");
        assert_eq!(request.headers()["content-md5"], "1B2M2Y8AsgTpgAmY7PhCfg==");
    }

    #[test]
    fn slow_lines_have_their_time() {
        let client = client("s3://bucket?endpoint=http://127.0.0.1:9000");
        let seconds = |ask: Ask| client.sign(&ask).unwrap().timeout().unwrap().as_secs();
        let ask = |method, name| Ask::new("testing", method, name);
        assert_eq!(seconds(ask(Method::Get, None)), 30);
        assert_eq!(seconds(ask(Method::Delete, Some("x"))), 30);
        assert_eq!(seconds(ask(Method::Put, Some("x")).body(vec![0; 8 << 20])), 270);
        let mut read = ask(Method::Get, Some("x"));
        read.most = 4 << 20;
        assert_eq!(seconds(read), 150);
    }

    #[test]
    fn what_must_not_come_late_is_signed_for_no_longer() {
        let client = client("s3://bucket?endpoint=http://127.0.0.1:9000");
        client.clock.hear(1_768_356_000_400);
        let seconds = |until: i64| {
            let request = client.sign(&Ask::new("testing", Method::Get, None).until(Some(until)));
            let url = request.map(|request| request.url().to_string());
            url.map(|url| url.split("X-Amz-Expires=").nth(1).unwrap().split('&').next().unwrap().to_owned())
        };
        assert_eq!(seconds(1_768_356_007_999).unwrap(), "7");
        assert_eq!(seconds(1_768_399_999_000).unwrap(), SIGNED_FOR.to_string());
        for over in [1_768_356_000_999, 1_768_356_000_000, 0, i64::MIN] {
            assert!(matches!(seconds(over), Err(Fault::Late)), "{over}");
        }
    }
}
