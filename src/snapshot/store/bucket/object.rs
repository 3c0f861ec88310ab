//! Objects that are read: a part at a time, with a little more than was asked for.
//!
//! May use: `client`, `fault`. Invariants: memory is bounded; a part is whole, or an error.

use super::client::{Answer, Ask, Client};
use super::fault::Fault;
use rusty_s3::Method;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// What is read at first: all of a small object.
pub(super) const FIRST: usize = 256 << 10;
/// What is read at once of an object that is read on and on.
const MOST: usize = 4 << 20;

/// An object that is read.
pub(super) struct BucketObject {
    client: Arc<Client>,
    name: String,
    size: u64,
    at: u64,
    /// The bytes from `from` on.
    block: Vec<u8>,
    from: u64,
    /// How much is read next.
    next: usize,
}

/// The beginning of an object, and the size of all of it.
pub(super) async fn start(client: &Client, name: &str, first: usize) -> Result<(Vec<u8>, u64), Fault> {
    let mut ask = Ask::new("reading", Method::Get, Some(name)).header("range", format!("bytes=0-{}", first - 1));
    ask.most = first;
    match client.send(&ask).await {
        // Nothing can be asked of an empty object.
        Err(fault) if fault.is_outside() => Ok((Vec::new(), 0)),
        Err(fault) => Err(fault),
        Ok(answer) => {
            let size = match span(&answer) {
                Some((0, end, size)) if end + 1 == answer.body.len() as u64 => size,
                None if answer.body.is_empty() => 0,
                _ => return Err(Fault::strange("it does not give parts of objects")),
            };
            Ok((answer.body, size))
        }
    }
}

/// A part of an object, whole; none where the object ends before it.
pub(super) async fn part(client: &Client, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, Fault> {
    let Some(end) = from.checked_add(length as u64).filter(|_| length > 0) else { return Ok(None) };
    let range = format!("bytes={from}-{}", end - 1);
    let mut ask = Ask::new("reading", Method::Get, Some(name)).header("range", range);
    ask.most = length;
    match client.send(&ask).await {
        Err(fault) if fault.is_outside() => Ok(None),
        Err(fault) => Err(fault),
        Ok(answer) => match span(&answer) {
            Some((first, last, _)) if first == from && last < end => {
                Ok(Some(answer.body).filter(|body| body.len() == length))
            }
            _ => Err(Fault::strange("it does not give the parts of objects that are asked for")),
        },
    }
}

/// First and last byte, and the size of the object: `bytes 0-99/1234`.
fn span(answer: &Answer) -> Option<(u64, u64, u64)> {
    let (part, size) = answer.header("content-range")?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, size.parse().ok()?))
}

impl BucketObject {
    pub(super) fn new(client: Arc<Client>, name: &str, (block, size): (Vec<u8>, u64)) -> Self {
        Self { client, name: name.to_owned(), size, at: 0, block, from: 0, next: FIRST }
    }

    /// Reads the block in which the next byte is.
    fn fill(&mut self) -> io::Result<()> {
        // Who reads on gets more each time; who jumps begins anew.
        let is_on = self.at == self.from + self.block.len() as u64;
        self.next = if is_on { (self.next * 2).min(MOST) } else { FIRST };
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        let (client, name, from, length) = (self.client.clone(), self.name.clone(), self.at, left.min(self.next));
        let read = self.client.wait(async move { part(&client, &name, from, length).await })?;
        let read = read.map_err(|fault| self.client.failed("reading", Some(&self.name), &fault))?;
        self.block = read.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        self.from = from;
        Ok(())
    }
}

impl Read for BucketObject {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || self.at >= self.size {
            return Ok(0);
        }
        let is_here = (self.from..self.from + self.block.len() as u64).contains(&self.at);
        if !is_here {
            self.fill()?;
        }
        let start = usize::try_from(self.at - self.from).unwrap_or(usize::MAX);
        let rest = self.block.get(start..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for BucketObject {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
