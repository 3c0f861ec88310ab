//! Listings of a bucket, page by page.
//!
//! May use: `client`, `clock`, `fault`. Invariants: all pages, or an error; bounded.

use super::client::{Ask, Client};
use super::clock;
use super::fault::Fault;
use instant_xml::FromXml;
use rusty_s3::Method;
use rusty_s3::actions::ListObjectsV2;

/// The most pages: ten million objects in one folder.
const MAX_PAGES: usize = 10_000;

/// An object, or a folder, of a listing.
pub(super) struct Listed {
    /// Below the folder that was listed.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) tag: String,
    /// By the service's clock, in milliseconds.
    pub(super) modified: Option<i64>,
}

/// What is directly below a folder, sorted, and the service's time at the end.
pub(super) async fn list(client: &Client, doing: &'static str, folder: &str) -> Result<(Vec<Listed>, i64), Fault> {
    let prefix = match client.key(folder) {
        root if root.is_empty() => root,
        other => format!("{}/", other.trim_end_matches('/')),
    };
    let (mut all, mut token) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let mut ask = Ask::new(doing, Method::Get, None)
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("delimiter", "/")
            .query("prefix", &*prefix);
        if let Some(token) = token.take() {
            ask = ask.query("continuation-token", token);
        }
        let answer = client.send(&ask).await?;
        let page = ListObjectsV2::parse_response(answer.text()?).map_err(|error| Fault::strange(&error.to_string()))?;
        for object in page.contents {
            let modified = object.last_modified.as_deref().and_then(clock::of_listing);
            let name = object.key.strip_prefix(&prefix).filter(|name| !name.is_empty());
            let Some(name) = name.map(str::to_owned) else { continue };
            all.push(Listed { name, size: object.size.unwrap_or(0), tag: object.etag.unwrap_or_default(), modified });
        }
        for folder in page.common_prefixes {
            let name = folder.prefix.strip_prefix(&prefix).map(|name| name.trim_end_matches('/').to_owned());
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            all.push(Listed { name, size: 0, tag: String::new(), modified: None });
        }
        token = page.next_continuation_token;
        if token.is_none() {
            all.sort_by(|a, b| a.name.cmp(&b.name));
            return Ok((all, answer.time("date")?));
        }
    }
    Err(Fault::strange("a folder has too many objects"))
}

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

#[derive(FromXml)]
#[xml(rename = "ListMultipartUploadsResult", ns(NAMESPACE))]
struct UploadsBody {
    uploads: Vec<UploadBody>,
    #[xml(rename = "IsTruncated")]
    is_truncated: Option<bool>,
    #[xml(rename = "NextKeyMarker")]
    key_marker: Option<String>,
    #[xml(rename = "NextUploadIdMarker")]
    id_marker: Option<String>,
}

#[derive(FromXml)]
#[xml(rename = "Upload", ns(NAMESPACE))]
struct UploadBody {
    #[xml(rename = "Key")]
    key: String,
    #[xml(rename = "UploadId")]
    id: String,
    #[xml(rename = "Initiated")]
    initiated: Option<String>,
}

/// Where the store writes objects in parts. Whatever else is in the bucket, even below the prefix, is not its own.
const OURS: [&str; 2] = ["packs/", "sites/"];

/// Uploads of the store in parts that were begun and not ended: name, id, and since when.
pub(super) async fn uploads(client: &Client, doing: &'static str) -> Result<Vec<(String, String, i64)>, Fault> {
    let prefix = client.key("");
    let (mut all, mut markers) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let mut ask = Ask::new(doing, Method::Get, None).query("uploads", "").query("prefix", &*prefix);
        if let Some((key, id)) = markers.take() {
            ask = ask.query("key-marker", key).query("upload-id-marker", id);
        }
        let answer = client.send(&ask).await?;
        let page: UploadsBody =
            instant_xml::from_str(answer.text()?).map_err(|error| Fault::strange(&error.to_string()))?;
        for upload in page.uploads {
            let since = upload.initiated.as_deref().and_then(clock::of_listing);
            // What belongs to somebody else's folder is none of ours.
            let name = upload.key.strip_prefix(&prefix);
            let name = name.filter(|name| OURS.iter().any(|ours| name.starts_with(ours))).map(str::to_owned);
            all.extend(name.zip(since).map(|(name, since)| (name, upload.id, since)));
        }
        match (page.is_truncated, page.key_marker, page.id_marker) {
            (Some(true), Some(key), Some(id)) => markers = Some((key, id)),
            _ => return Ok(all),
        }
    }
    Err(Fault::strange("there are too many unfinished uploads"))
}
