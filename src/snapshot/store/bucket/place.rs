//! Where a bucket is, as people write it, and the keys to it.
//!
//! May use: `model`. Invariants: a secret is never shown, and a text that holds one is refused without
//! repeating it; without a word for it, nothing goes over a network in the clear.

use crate::model::clean_line;
use rusty_s3::UrlStyle;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use url::{Host, Url};

/// What a place in a bucket begins with.
const SCHEME: &str = "s3://";
/// The longest prefix.
const MAX_PREFIX_BYTES: usize = 400;
/// The longest place.
const MAX_BYTES: usize = 4096;

/// Where a snapshot store is in a bucket: `s3://NAME/PREFIX?region=…&endpoint=…&style=…&credentials=…`.
#[derive(Clone)]
pub struct BucketPlace {
    pub(super) name: String,
    /// Without slashes at its ends; may be empty.
    pub(super) prefix: String,
    pub(super) region: String,
    pub(super) endpoint: Url,
    pub(super) style: UrlStyle,
    /// The reference to the keys, if it stands there.
    pub credentials: Option<String>,
}

impl fmt::Display for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        f.write_str(&self.name)?;
        match self.prefix.is_empty() {
            true => Ok(()),
            false => write!(f, "/{}", self.prefix),
        }
    }
}

impl fmt::Debug for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} at {}", self.endpoint)
    }
}

impl BucketPlace {
    /// Whether a text means a bucket.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads a place.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written. Values are not repeated, as one may be a secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Some(text).filter(|text| text.len() <= MAX_BYTES && Self::is_meant(text));
        let url = url.and_then(|text| Url::parse(text).ok()).ok_or("write s3://BUCKET/PREFIX?region=REGION")?;
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.fragment().is_some() {
            return Err("credentials do not stand in it: say where they are, credentials=file:PATH".into());
        }
        let name = url.host_str().unwrap_or_default().to_owned();
        if name.len() < 3 || name.len() > 63 || !name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c))
        {
            return Err("the name of the bucket has 3 to 63 letters, digits, dots and hyphens".into());
        }
        let prefix = url.path().trim_matches('/').to_owned();
        let is_part = |part: &str| !part.is_empty() && !part.bytes().all(|c| c == b'.');
        let is_plain = prefix.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._/".contains(&c));
        if prefix.len() > MAX_PREFIX_BYTES || !is_plain || !(prefix.is_empty() || prefix.split('/').all(is_part)) {
            return Err("the prefix has letters, digits, dots, hyphens and slashes only, and no empty part".into());
        }
        let options = Options::read(&url)?;
        let region = match (options.region, &options.endpoint) {
            (Some(region), _) => region,
            (None, Some(_)) => "us-east-1".to_owned(),
            (None, None) => return Err("say the region: s3://BUCKET/PREFIX?region=REGION".into()),
        };
        if region.is_empty() || !region.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_') {
            return Err("the region has letters, digits and hyphens only".into());
        }
        let style = options.style.unwrap_or(match options.endpoint.is_none() && !name.contains('.') {
            true => UrlStyle::VirtualHost,
            false => UrlStyle::Path,
        });
        let endpoint = match options.endpoint {
            Some(endpoint) => endpoint_of(&endpoint, options.plain_http)?,
            None => endpoint_of(&format!("https://s3.{region}.amazonaws.com"), false)?,
        };
        let place = Self { name, prefix, region, endpoint, style, credentials: options.credentials };
        place.bucket().map(|_| place.clone())
    }

    /// The same for what signs requests.
    pub(super) fn bucket(&self) -> Result<rusty_s3::Bucket, String> {
        let made = rusty_s3::Bucket::new(self.endpoint.clone(), self.style, self.name.clone(), self.region.clone());
        made.map_err(|_| "this bucket's name can't be part of a host's name; write style=path".into())
    }
}

/// What stands behind the question mark.
#[derive(Default)]
struct Options {
    region: Option<String>,
    endpoint: Option<String>,
    style: Option<UrlStyle>,
    credentials: Option<String>,
    plain_http: bool,
}

impl Options {
    fn read(url: &Url) -> Result<Self, String> {
        let mut options = Self::default();
        for (key, value) in url.query_pairs() {
            let value = value.into_owned();
            match (key.as_ref(), value.as_str()) {
                ("region", _) => options.region = Some(value),
                ("endpoint", _) => options.endpoint = Some(value),
                ("credentials", _) => options.credentials = Some(value),
                ("style", "path") => options.style = Some(UrlStyle::Path),
                ("style", "host") => options.style = Some(UrlStyle::VirtualHost),
                ("style", _) => return Err("style is path or host".into()),
                ("plain-http", "yes") => options.plain_http = true,
                ("plain-http", _) => return Err("plain-http is yes, or left out".into()),
                _ => {
                    let known = "region, endpoint, style, credentials and plain-http are known";
                    return Err(format!("{:?} is not known; {known}", clean_line(&key, 40)));
                }
            }
        }
        Ok(options)
    }
}

fn endpoint_of(text: &str, plain_http: bool) -> Result<Url, String> {
    let bad = || "the endpoint is an address such as https://s3.example.org".to_owned();
    let url = Url::parse(text).map_err(|_| bad())?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(bad());
    }
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(bad()),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here || plain_http => Ok(url),
        "http" => Err("the endpoint is not https: anybody on the way could read and change snapshots; \
                       write plain-http=yes if you mean it"
            .into()),
        _ => Err(bad()),
    }
}

/// The keys to a bucket.
#[derive(Clone)]
pub struct BucketKeys {
    id: String,
    secret: SecretString,
    token: Option<SecretString>,
}

impl fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys to a bucket")
    }
}

impl BucketKeys {
    /// Keys from their parts. An empty token is none.
    ///
    /// # Errors
    /// When a part is missing, or not in one line.
    pub fn new(id: &str, secret: SecretString, token: Option<SecretString>) -> Result<Self, String> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic());
        let token = token.filter(|token| !token.expose_secret().is_empty());
        let is_good = is_word(id) && is_word(secret.expose_secret());
        if !is_good || token.as_ref().is_some_and(|token| !is_word(token.expose_secret())) {
            return Err("an access key or its secret is empty, or has spaces in it".into());
        }
        Ok(Self { id: id.to_owned(), secret, token })
    }

    /// Reads the lines `aws_access_key_id = …`, `aws_secret_access_key = …` and maybe `aws_session_token = …`,
    /// in small letters or large, as the files of other programs have them.
    ///
    /// # Errors
    /// What is wrong; of the text itself only the number of a line.
    pub fn read(text: &SecretString) -> Result<Self, String> {
        let (mut id, mut secret, mut token) = (None, None, None);
        for (index, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';', '[']) {
                continue;
            }
            let bad = |why: &str| format!("its line {} {why}", index + 1);
            let (key, value) = line.split_once('=').ok_or_else(|| bad("is not KEY = VALUE"))?;
            let place = match key.trim().to_ascii_lowercase().as_str() {
                "aws_access_key_id" => &mut id,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" => &mut token,
                _ => continue,
            };
            if place.replace(SecretString::from(value.trim())).is_some() {
                return Err(bad("says the same once more: give the keys a file of their own"));
            }
        }
        let missing = |what: &str| format!("it has no line {what} = …");
        let id = id.ok_or_else(|| missing("aws_access_key_id"))?;
        let secret = secret.ok_or_else(|| missing("aws_secret_access_key"))?;
        Self::new(id.expose_secret(), secret, token)
    }

    /// The same for what signs requests.
    pub(super) fn credentials(&self) -> rusty_s3::Credentials {
        let secret = self.secret.expose_secret();
        match &self.token {
            Some(token) => rusty_s3::Credentials::new_with_token(&*self.id, secret, token.expose_secret()),
            None => rusty_s3::Credentials::new(&*self.id, secret),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_meant() {
        let place = BucketPlace::parse("s3://web-snapshots/fleet/one?region=ca-central-1").unwrap();
        assert_eq!(place.to_string(), "s3://web-snapshots/fleet/one");
        let url = |place: &BucketPlace| place.bucket().unwrap().base_url().to_string();
        assert_eq!(url(&place), "https://web-snapshots.s3.ca-central-1.amazonaws.com/");
        let place = BucketPlace::parse("s3://b.c/?endpoint=https://s3.example.org:9000&credentials=file:k").unwrap();
        assert_eq!((place.prefix.as_str(), place.credentials.as_deref()), ("", Some("file:k")));
        assert_eq!(url(&place), "https://s3.example.org:9000/b.c/");
        for good in ["http://127.0.0.1:9", "http://[::1]:9", "http://localhost", "http://x.example&plain-http=yes"] {
            BucketPlace::parse(&format!("s3://bucket/p?endpoint={good}")).unwrap();
        }
        assert_eq!(
            url(&BucketPlace::parse("s3://bucket?endpoint=https://s.example&style=host").unwrap()),
            "https://bucket.s.example/"
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_its_values() {
        let wrong = [
            ("s3://b", "letters"),
            ("s3://bucket", "say the region"),
            ("s3://bucket/a//b?region=x", "no empty part"),
            ("s3://bucket/a%20b?region=x", "prefix"),
            ("s3://bucket/..%2f?region=x", "prefix"),
            ("s3://AKIA:hunter2@bucket/?region=x", "credentials do not stand in it"),
            ("s3://bucket?region=x&secret=hunter2", "\"secret\" is not known"),
            ("s3://bucket?region=x&style=hunter2", "path or host"),
            ("s3://bucket?endpoint=http://10.0.0.1", "plain-http=yes"),
            ("s3://bucket?endpoint=http://127.0.0.1.example.org", "plain-http=yes"),
            ("s3://bucket?endpoint=https://me:hunter2@x.example", "the endpoint is"),
            ("s3://bucket?endpoint=file:///etc", "the endpoint is"),
            ("s3://bucket?endpoint=https://10.0.0.1&style=host", "style=path"),
            ("s3://bucket?region=a/b", "the region"),
        ];
        for (text, what) in wrong {
            let error = BucketPlace::parse(text).unwrap_err();
            assert!(error.contains(what) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn keys_are_read_and_never_shown() {
        let read = |text: &str| BucketKeys::read(&text.to_owned().into());
        let keys = read("[default]\naws_access_key_id = AKIA\naws_secret_access_key = hunter2\nregion = x\n").unwrap();
        assert!(!format!("{keys:?} {:?}", keys.credentials()).contains("hunter2"));
        assert_eq!((keys.credentials().key(), keys.credentials().secret()), ("AKIA", "hunter2"));
        let keys = read("AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=hunter2\nAWS_SESSION_TOKEN=t=1\n").unwrap();
        assert_eq!(keys.credentials().token(), Some("t=1"));
        let twice = "[a]\naws_access_key_id=A\naws_secret_access_key=hunter2\n[b]\naws_access_key_id=B\n";
        for text in ["", "hunter2", "aws_access_key_id=A", "aws_access_key_id=A\naws_secret_access_key=", twice] {
            assert!(!read(text).unwrap_err().contains("hunter2"), "{text}");
        }
    }
}
