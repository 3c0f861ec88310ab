//! Objects that are written: at once where they are small, else in parts, one on its way while the next is
//! filled.
//!
//! May use: `backend`, `client`, `fault`, `lease`. Invariants: memory does not grow with the object; it is
//! visible whole or not at all; without a commit its parts are given up.

use super::super::backend::Upload;
use super::client::{Answer, Ask, Client};
use super::fault::Fault;
use super::lease::Leases;
use rusty_s3::Method;
use rusty_s3::actions::{CompleteMultipartUpload, CompleteMultipartUploadResponse, CreateMultipartUpload};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// The most parts that a service takes.
const MAX_PARTS: usize = 10_000;

/// An upload in parts.
struct Parts {
    id: String,
    tags: Vec<String>,
    /// The bytes of all parts.
    size: u64,
    /// The part that is on its way.
    sending: Option<Receiver<Result<Answer, Fault>>>,
}

/// An object that is being written.
pub(super) struct BucketUpload {
    client: Arc<Client>,
    leases: Arc<Leases>,
    name: String,
    buffer: Vec<u8>,
    parts: Option<Parts>,
}

impl BucketUpload {
    pub(super) fn new(client: Arc<Client>, leases: Arc<Leases>, name: &str) -> Self {
        Self { client, leases, name: name.to_owned(), buffer: Vec::new(), parts: None }
    }

    fn failed(&self, fault: &Fault) -> io::Error {
        self.client.failed("writing", Some(&self.name), fault)
    }

    fn request(&self, method: Method) -> Ask {
        Ask::new("writing", method, Some(&self.name))
    }

    /// Waits for the part that is on its way.
    fn settle(&mut self) -> io::Result<()> {
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let Some(sending) = parts.sending.take() else { return Ok(()) };
        let answer = sending.recv().map_err(|_| io::Error::other("the thread of the bucket ended"))?;
        let tag = answer.and_then(|answer| {
            answer.header("etag").map(str::to_owned).ok_or_else(|| Fault::strange("a part has no ETag"))
        });
        match tag {
            Ok(tag) => parts.tags.push(tag),
            Err(fault) => return Err(self.failed(&fault)),
        }
        Ok(())
    }

    /// Sends what is in the buffer as the next part.
    fn send_part(&mut self) -> io::Result<()> {
        self.settle()?;
        if self.parts.is_none() {
            let answer = self.client.ask(self.request(Method::Post).query("uploads", "1"))?;
            let made = answer.text().and_then(|text| {
                CreateMultipartUpload::parse_response(text).map_err(|error| Fault::strange(&error.to_string()))
            });
            let id = made.map_err(|fault| self.failed(&fault))?.upload_id().to_owned();
            self.parts = Some(Parts { id, tags: Vec::new(), size: 0, sending: None });
        }
        let body = std::mem::take(&mut self.buffer);
        let Some(parts) = &self.parts else { return Ok(()) };
        let number = parts.tags.len() + 1;
        if number > MAX_PARTS {
            return Err(io::Error::other(format!("{} has more than {MAX_PARTS} parts", self.client.shown(&self.name))));
        }
        let ask = self.request(Method::Put).query("partNumber", number.to_string()).query("uploadId", &*parts.id);
        let (client, length) = (self.client.clone(), body.len() as u64);
        let ask = ask.body(body);
        let sending = self.client.begin(async move { client.send(&ask).await });
        if let Some(parts) = &mut self.parts {
            parts.size += length;
            parts.sending = Some(sending);
        }
        Ok(())
    }

    /// Puts the parts together; whether that was done before an answer got lost shows in the object.
    fn complete(&self, parts: &Parts) -> io::Result<()> {
        // Only the list of parts is taken from this; it is signed like everything else.
        let bucket = self.client.place.bucket().map_err(io::Error::other)?;
        let tags = parts.tags.iter().map(String::as_str);
        let body = CompleteMultipartUpload::new(&bucket, None, &self.name, &parts.id, tags).body().into_bytes();
        let until = self.leases.fence(&self.name).map_err(|fault| self.failed(&fault))?;
        let ask = self.request(Method::Post).query("uploadId", &*parts.id).until(until).body(body);
        let (client, size) = (self.client.clone(), parts.size.to_string());
        let done = self.client.wait(async move {
            match client.send(&ask).await {
                Err(fault) if fault.is_missing() => {
                    // The upload is gone: an earlier try completed it, or somebody gave it up.
                    let head = Ask::new(ask.doing, Method::Head, ask.name.as_deref());
                    let is_there = client.send(&head).await.is_ok_and(|it| it.header("content-length") == Some(&size));
                    if is_there { Ok(()) } else { Err(fault) }
                }
                Err(fault) => Err(fault),
                // Only its words say that it was done, not its status.
                Ok(answer) => match CompleteMultipartUploadResponse::parse(answer.text()?.trim()) {
                    Ok(_) => Ok(()),
                    Err(error) => Err(Fault::strange(&format!("it does not say that the upload is complete: {error}"))),
                },
            }
        })?;
        done.map_err(|fault| self.failed(&fault))
    }
}

impl Write for BucketUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.client.patience.part - self.buffer.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= self.client.patience.part {
            self.send_part()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for BucketUpload {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        if self.parts.is_none() {
            let until = self.leases.fence(&self.name).map_err(|fault| self.failed(&fault))?;
            let body = std::mem::take(&mut self.buffer);
            self.client.ask(self.request(Method::Put).until(until).body(body))?;
        } else {
            if !self.buffer.is_empty() {
                self.send_part()?;
            }
            self.settle()?;
            if let Some(parts) = &self.parts {
                self.complete(parts)?;
            }
            self.parts = None;
        }
        self.leases.still(&self.name).map_err(|fault| self.failed(&fault))
    }
}

impl Drop for BucketUpload {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        let mut abort = self.request(Method::Delete).query("uploadId", &*parts.id);
        abort.once = true;
        if let Some(sending) = parts.sending {
            // A part that arrives after the abort would be kept and paid for.
            let _ = sending.recv();
        }
        // If this fails too, `clean` gives it up later.
        let _ = self.client.ask(abort);
    }
}
