//! A small web server on loopback that says exactly what a test wants, byte for byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the server does on one connection.
pub(super) enum Act {
    Send(Vec<u8>),
    Wait(Duration),
}

/// Requests are numbered from 0; the request's head is handed in.
pub(super) type Handler = dyn Fn(usize, &str) -> Vec<Act> + Send + Sync;

pub(super) struct Server {
    pub(super) url: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(handler: impl Fn(usize, &str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (handler, count): (Arc<Handler>, _) = (Arc::new(handler), AtomicUsize::new(0));
        let known = heads.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (handler, known) = (handler.clone(), known.clone());
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8(head).unwrap();
                    known.lock().unwrap().push(head.clone());
                    for act in handler(number, &head) {
                        match act {
                            Act::Send(bytes) => {
                                if stream.write_all(&bytes).await.is_err() {
                                    return;
                                }
                            }
                            Act::Wait(time) => tokio::time::sleep(time).await,
                        }
                    }
                });
            }
        });
        Self { url, heads, task }
    }

    /// The heads of all requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A whole answer.
pub(super) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    vec![Act::Send([head.as_bytes(), body].concat())]
}

/// An HTML page of about `size` bytes.
pub(super) fn page(size: usize) -> String {
    format!("<html><head><title>Boutique</title></head><body>{}</body></html>", "mot ".repeat(size / 4))
}

/// The path and query that a head asks for.
pub(super) fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

/// Whether a head is of the request past caches.
pub(super) fn is_fresh(head: &str) -> bool {
    path(head).contains("intendant-check=")
}
