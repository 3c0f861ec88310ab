//! A mail server on the loopback address: Debian's python3-aiosmtpd.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What it does stands in its own first lines.
const SERVER: &str = include_str!("smtp.py");

/// A server that keeps what it takes in a folder.
pub struct Smtp {
    child: Child,
    pub port: u16,
    folder: PathBuf,
}

impl Smtp {
    pub fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-c", SERVER])
            .arg(folder)
            .arg(free_port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.trim().strip_prefix("up ").expect("python3-aiosmtpd is installed: tests/testbed/testbed install");
        Self { port: port.parse().unwrap(), child, folder: folder.to_owned() }
    }

    /// The messages that it took: recipient, subject and text, as a mail program reads them.
    pub fn received(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
        files.sort();
        files.iter().map(|path| read(path)).collect()
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// How a mail program would show a message.
const READER: &str = "import email, email.policy, sys
message = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
print(message['To'], message['Subject'], sep='\\n')
print(message.get_body(('plain',)).get_content())";

fn read(file: &Path) -> String {
    let mut command = Command::new("/usr/bin/python3");
    let output = command.args(["-X", "utf8", "-c", READER]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", file.display());
    String::from_utf8(output.stdout).unwrap()
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
