//! A service that speaks S3, in memory, for these tests: a stand-in. It checks signatures by the book and on its
//! own, has a clock that can be moved, and fails as it is told. What it does is held against another one's in
//! `buckets.rs`.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) const ID: &str = "AKIATEST";
pub(super) const SECRET: &str = "hunter2/hunter2+hunter2";

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    Good,
    /// An answer with this status, and nothing done.
    Status(u16),
    /// The connection ends before anything is done.
    Cut,
    /// It is done, and the connection ends before the answer.
    Mute,
    /// Half of the answer's body, then the connection ends.
    Half,
    /// No answer for this long, and nothing done.
    Slow(u64),
    /// An answer of success with this body, and nothing done.
    Said(&'static str),
}

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_change(&self) -> bool {
        self.method != "GET" && self.method != "HEAD"
    }
}

#[derive(Clone)]
struct Kept {
    bytes: Vec<u8>,
    tag: String,
    modified: i64,
}

#[derive(Clone)]
struct Unfinished {
    bucket: String,
    key: String,
    since: i64,
    parts: BTreeMap<u32, Kept>,
}

#[derive(Default)]
struct Data {
    buckets: BTreeMap<String, BTreeMap<String, Kept>>,
    uploads: BTreeMap<String, Unfinished>,
}

type Fates = Box<dyn FnMut(&Request) -> Fate + Send>;

pub(super) struct Service {
    pub(super) address: String,
    data: Mutex<Data>,
    fates: Mutex<Option<Fates>>,
    /// How far its clock is from this machine's, in milliseconds.
    skew: AtomicI64,
    pub(super) log: Mutex<Vec<String>>,
    next: AtomicUsize,
    pub(super) keeps_conditions: AtomicBool,
    /// The most keys of a page.
    pub(super) page: AtomicUsize,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply { status, headers: Vec::new(), body: body.into() }
}

fn no(status: u16, code: &str, message: &str) -> Reply {
    let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    reply(
        status,
        format!("{start}<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC with SHA-256, as RFC 2104 says.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes()).next().unwrap().1.into_owned()
}

/// As AWS wants it in canonical requests.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

fn http_date(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn xml_date(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

impl Service {
    pub(super) fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Arc::new(Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            data: Mutex::default(),
            fates: Mutex::default(),
            skew: AtomicI64::new(0),
            log: Mutex::default(),
            next: AtomicUsize::new(0),
            keeps_conditions: AtomicBool::new(true),
            page: AtomicUsize::new(1000),
        });
        let weak = Arc::downgrade(&service);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(service) = weak.upgrade() else { return };
                std::thread::spawn(move || service.serve(stream.unwrap()));
            }
        });
        service
    }

    pub(super) fn make(&self, bucket: &str) {
        self.data.lock().unwrap().buckets.insert(bucket.into(), BTreeMap::new());
    }

    pub(super) fn copy(&self, from: &str, to: &str) {
        let mut data = self.data.lock().unwrap();
        let all = data.buckets[from].clone();
        data.buckets.insert(to.into(), all);
    }

    pub(super) fn forget(&self, bucket: &str) {
        self.data.lock().unwrap().buckets.remove(bucket);
    }

    pub(super) fn keys(&self, bucket: &str) -> Vec<String> {
        self.data.lock().unwrap().buckets[bucket].keys().cloned().collect()
    }

    pub(super) fn bytes(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.data.lock().unwrap().buckets[bucket][key].bytes.clone()
    }

    pub(super) fn room(&self, bucket: &str) -> u64 {
        self.data.lock().unwrap().buckets[bucket].values().map(|kept| kept.bytes.len() as u64).sum()
    }

    pub(super) fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>) {
        let kept = self.kept(bytes);
        self.data.lock().unwrap().buckets.get_mut(bucket).unwrap().insert(key.into(), kept);
    }

    pub(super) fn unfinished(&self) -> usize {
        self.data.lock().unwrap().uploads.len()
    }

    pub(super) fn pass(&self, milliseconds: i64) {
        self.skew.fetch_add(milliseconds, Ordering::SeqCst);
    }

    pub(super) fn fates(&self, fates: impl FnMut(&Request) -> Fate + Send + 'static) {
        *self.fates.lock().unwrap() = Some(Box::new(fates));
    }

    pub(super) fn all_good(&self) {
        *self.fates.lock().unwrap() = None;
    }

    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() + self.skew.load(Ordering::SeqCst)
    }

    fn kept(&self, bytes: Vec<u8>) -> Kept {
        use md5::Digest as _;
        let tag = format!("\"{}\"", hex(&md5::Md5::digest(&bytes)));
        Kept { bytes, tag, modified: self.now() }
    }

    fn serve(&self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut out = stream.try_clone().unwrap();
        let mut input = BufReader::new(stream);
        while let Some(request) = read(&mut input) {
            let fate = self.fates.lock().unwrap().as_mut().map_or(Fate::Good, |fates| fates(&request));
            let pairs: Vec<String> = request
                .query
                .iter()
                .filter(|(key, _)| !key.starts_with("X-Amz"))
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            self.log.lock().unwrap().push(format!("{} {} {}", request.method, request.path, pairs.join("&")));
            let reply = match fate {
                Fate::Cut => return,
                Fate::Slow(milliseconds) => {
                    std::thread::sleep(Duration::from_millis(milliseconds));
                    return;
                }
                Fate::Status(status) => no(status, if status == 503 { "SlowDown" } else { "InternalError" }, "later"),
                Fate::Said(body) => reply(200, body),
                _ => self.refused(&request).unwrap_or_else(|| self.answer(&request)),
            };
            if fate == Fate::Mute {
                return;
            }
            let length = reply.body.len();
            let mut head = format!(
                "HTTP/1.1 {} X\r\ncontent-length: {length}\r\ndate: {}\r\n",
                reply.status,
                http_date(self.now())
            );
            reply.headers.iter().for_each(|(key, value)| write!(head, "{key}: {value}\r\n").unwrap());
            head.push_str("\r\n");
            let mut bytes = head.into_bytes();
            let cut = if fate == Fate::Half { length / 2 } else { 0 };
            if request.method != "HEAD" {
                bytes.extend_from_slice(&reply.body[..length - cut]);
            }
            if out.write_all(&bytes).is_err() || fate == Fate::Half {
                return;
            }
        }
    }

    /// Whether the signature is good, for this request, now.
    fn refused(&self, request: &Request) -> Option<Reply> {
        let get = |key: &str| request.get(key).unwrap_or_default();
        let scope: Vec<&str> = get("X-Amz-Credential").split('/').collect();
        let [id, day, region, "s3", "aws4_request"] = scope[..] else {
            return Some(no(403, "AccessDenied", "Anonymous access is forbidden"));
        };
        if id != ID {
            return Some(no(403, "InvalidAccessKeyId", "The key does not exist in our records."));
        }
        if region != "ca-test-1" {
            let wrong = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message>";
            return Some(reply(400, format!("{wrong}<Region>ca-test-1</Region></Error>")));
        }
        let mut query: Vec<(String, String)> =
            request.query.iter().map(|(key, value)| (encoded(key), encoded(value))).collect();
        query.retain(|(key, _)| key != "X-Amz-Signature");
        query.sort();
        let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let signed: Vec<&str> = request.get("X-Amz-SignedHeaders").unwrap_or_default().split(';').collect();
        let headers: String = signed
            .iter()
            .map(|name| format!("{name}:{}\n", request.headers.get(*name).map_or("", |v| v.trim())))
            .collect();
        // Every header that changes what is done has to be signed.
        let is_unsigned = |name: &&String| name.starts_with("x-amz-") && !signed.contains(&name.as_str());
        if request.headers.keys().any(|name| is_unsigned(&name)) || !signed.contains(&"host") {
            return Some(no(403, "AccessDenied", "There were headers present in the request which were not signed"));
        }
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{}\nUNSIGNED-PAYLOAD",
            request.method,
            request.path,
            query.join("&"),
            signed.join(";")
        );
        let date = get("X-Amz-Date");
        let text = format!(
            "AWS4-HMAC-SHA256\n{date}\n{day}/{region}/s3/aws4_request\n{}",
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let first = hmac(format!("AWS4{SECRET}").as_bytes(), day.as_bytes());
        let key = [region, "s3", "aws4_request"].iter().fold(first, |key, part| hmac(&key, part.as_bytes()));
        if hex(&hmac(&key, text.as_bytes())) != get("X-Amz-Signature") {
            return Some(no(403, "SignatureDoesNotMatch", "The signature does not match."));
        }
        let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
        let at = at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond();
        if at > self.now() + 900_000 {
            return Some(no(403, "RequestTimeTooSkewed", "The difference of the clocks is too large."));
        }
        let seconds: i64 = get("X-Amz-Expires").parse().unwrap();
        (self.now() > at + seconds * 1000).then(|| no(403, "AccessDenied", "Request has expired"))
    }

    fn answer(&self, request: &Request) -> Reply {
        let path = decoded(&request.path);
        let (bucket, key) = path[1..].split_once('/').unwrap();
        let mut data = self.data.lock().unwrap();
        if !data.buckets.contains_key(bucket) {
            return no(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        if let Some(sum) = request.headers.get("content-md5") {
            use base64::Engine;
            use md5::Digest as _;
            let found = base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(&request.body));
            if *sum != found {
                return no(400, "BadDigest", "The Content-MD5 you specified did not match");
            }
        }
        match (request.method.as_str(), key) {
            ("GET", "") if request.has("uploads") => self.uploads(&data, bucket, request),
            ("GET", "") => self.list(&data.buckets[bucket], request),
            ("POST", "") => remove(data.buckets.get_mut(bucket).unwrap(), &request.body),
            ("POST", _) if request.has("uploads") => {
                let id = format!("upload{}", self.next.fetch_add(1, Ordering::SeqCst));
                let new =
                    Unfinished { bucket: bucket.into(), key: key.into(), since: self.now(), parts: BTreeMap::new() };
                data.uploads.insert(id.clone(), new);
                reply(
                    200,
                    format!(
                        "<InitiateMultipartUploadResult {NS}><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                    ),
                )
            }
            (method, _) if request.has("uploadId") => self.part(&mut data, bucket, key, method, request),
            ("PUT", _) => {
                let is_new = request.headers.get("if-none-match").is_some_and(|value| value == "*");
                let all = data.buckets.get_mut(bucket).unwrap();
                if is_new && all.contains_key(key) && self.keeps_conditions.load(Ordering::SeqCst) {
                    return no(
                        412,
                        "PreconditionFailed",
                        "At least one of the pre-conditions you specified did not hold",
                    );
                }
                let kept = self.kept(request.body.clone());
                let tag = kept.tag.clone();
                all.insert(key.into(), kept);
                Reply { status: 200, headers: vec![("etag", tag)], body: Vec::new() }
            }
            ("DELETE", _) => {
                data.buckets.get_mut(bucket).unwrap().remove(key);
                reply(204, "")
            }
            (_, _) => match data.buckets[bucket].get(key) {
                None => no(404, "NoSuchKey", "The specified key does not exist."),
                Some(kept) => give(kept, request.headers.get("range").map(String::as_str)),
            },
        }
    }

    fn part(&self, data: &mut Data, bucket: &str, key: &str, method: &str, request: &Request) -> Reply {
        let id = request.get("uploadId").unwrap().to_owned();
        let Some(upload) = data.uploads.get_mut(&id).filter(|upload| upload.key == key && upload.bucket == bucket)
        else {
            return no(404, "NoSuchUpload", "The specified upload does not exist.");
        };
        match method {
            "PUT" => {
                let kept = self.kept(request.body.clone());
                let tag = kept.tag.clone();
                upload.parts.insert(request.get("partNumber").unwrap().parse().unwrap(), kept);
                Reply { status: 200, headers: vec![("etag", tag)], body: Vec::new() }
            }
            "DELETE" => {
                data.uploads.remove(&id);
                reply(204, "")
            }
            _ => {
                let body = String::from_utf8_lossy(&request.body).replace("&quot;", "\"");
                let named = body.matches("<PartNumber>").count();
                if named != upload.parts.len() || !upload.parts.values().all(|part| body.contains(&part.tag)) {
                    return no(400, "InvalidPart", "One or more of the specified parts could not be found.");
                }
                let bytes: Vec<u8> = upload.parts.values().flat_map(|part| part.bytes.clone()).collect();
                let kept = self.kept(bytes);
                data.buckets.get_mut(bucket).unwrap().insert(key.into(), kept);
                data.uploads.remove(&id);
                reply(
                    200,
                    format!(
                        "<CompleteMultipartUploadResult {NS}><ETag>&quot;x-1&quot;</ETag></CompleteMultipartUploadResult>"
                    ),
                )
            }
        }
    }

    fn uploads(&self, data: &Data, bucket: &str, request: &Request) -> Reply {
        let prefix = request.get("prefix").unwrap_or_default();
        let mut body =
            format!("<ListMultipartUploadsResult {NS}><Bucket>{bucket}</Bucket><IsTruncated>false</IsTruncated>");
        for (id, upload) in
            data.uploads.iter().filter(|(_, upload)| upload.bucket == bucket && upload.key.starts_with(prefix))
        {
            let (key, since) = (&upload.key, xml_date(upload.since));
            write!(body, "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{since}</Initiated></Upload>")
                .unwrap();
        }
        reply(200, body + "</ListMultipartUploadsResult>")
    }

    fn list(&self, all: &BTreeMap<String, Kept>, request: &Request) -> Reply {
        let get = |key: &str| request.get(key).unwrap_or_default();
        let (prefix, after) = (get("prefix"), get("continuation-token"));
        let most = self.page.load(Ordering::SeqCst).min(get("max-keys").parse().unwrap_or(1000));
        let (mut body, mut count, mut last, mut more) = (String::new(), 0, String::new(), false);
        for (key, kept) in all.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
            let folder = key[prefix.len()..].split_once(get("delimiter")).filter(|_| request.has("delimiter"));
            let shown = folder.map_or_else(|| key.clone(), |(name, _)| format!("{prefix}{name}/"));
            if (!after.is_empty() && shown.as_str() <= after) || shown == last {
                continue;
            }
            if count == most {
                more = true;
                break;
            }
            count += 1;
            last = shown.clone();
            let shown = encoded(&shown);
            let (size, tag, modified) = (kept.bytes.len(), &kept.tag, xml_date(kept.modified));
            match folder {
                Some(_) => write!(body, "<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"),
                None => write!(body, "<Contents><Key>{shown}</Key><LastModified>{modified}</LastModified><ETag>{tag}</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"),
            }
            .unwrap();
        }
        let token = if more { format!("<NextContinuationToken>{last}</NextContinuationToken>") } else { String::new() };
        reply(
            200,
            format!(
                "<?xml version=\"1.0\"?><ListBucketResult {NS}><EncodingType>url</EncodingType><IsTruncated>{more}</IsTruncated>{body}{token}</ListBucketResult>"
            ),
        )
    }
}

const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

fn remove(all: &mut BTreeMap<String, Kept>, body: &[u8]) -> Reply {
    for part in String::from_utf8_lossy(body).split("<Key>").skip(1) {
        all.remove(part.split_once("</Key>").unwrap().0);
    }
    reply(200, format!("<DeleteResult {NS}></DeleteResult>"))
}

fn give(kept: &Kept, range: Option<&str>) -> Reply {
    let headers = vec![("etag", kept.tag.clone()), ("last-modified", http_date(kept.modified))];
    let Some(range) = range else { return Reply { status: 200, headers, body: kept.bytes.clone() } };
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    if first >= kept.bytes.len() {
        return no(416, "InvalidRange", "The requested range is not satisfiable");
    }
    let last = last.min(kept.bytes.len() - 1);
    let mut headers = headers;
    headers.push(("content-range", format!("bytes {first}-{last}/{}", kept.bytes.len())));
    Reply { status: 206, headers, body: kept.bytes[first..=last].to_vec() }
}

fn read(input: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (key, value) = line.split_once(':')?;
        headers.insert(key.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length").map_or(0, |text| text.parse().unwrap())];
    input.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pair = |text: &str| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (decoded(key), decoded(value))
    };
    let query = query.split('&').filter(|text| !text.is_empty()).map(pair).collect();
    Some(Request { method, path: path.to_owned(), query, headers, body })
}
