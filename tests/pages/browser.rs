//! Chromium, driven over two pipes by its DevTools protocol: one process for many pages. It has no network, and no fonts but
//! two fixed families.

use super::kit::Kit;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the page is looked at with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dark: bool,
}

pub(super) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    next: u64,
    /// What the present page asked for.
    pub(super) asked: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Browser {
    pub(super) fn start(kit: &Kit) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path();
        let mut command = Command::new("sh");
        // The browser hears on its file 3 and answers on 4; `exec` makes the process that is ended the browser's own.
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"]);
        command.arg(&kit.chromium).args([
            "--headless",
            "--no-sandbox",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-breakpad",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--disable-lcd-text",
            "--font-render-hinting=none",
            "--force-color-profile=srgb",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]);
        command.arg(format!("--user-data-dir={}", own.join("profile").display())).arg("about:blank");
        command.env("HOME", own).env("FONTCONFIG_FILE", kit.fonts(own));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let to = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (told, from) = channel();
        std::thread::spawn(move || {
            loop {
                let mut message = Vec::new();
                match lines.read_until(0, &mut message) {
                    Ok(1..) if message.pop() == Some(0) => {
                        if told.send(serde_json::from_slice(&message).unwrap()).is_err() {
                            return;
                        }
                    }
                    _ => return,
                }
            }
        });
        let mut browser = Self { child, to, from, session: None, next: 0, asked: Vec::new(), _folder: folder };
        let targets = browser.call("Target.getTargets", json!({}));
        let page = targets["targetInfos"].as_array().unwrap().iter().find(|one| one["type"] == "page").unwrap();
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": page["targetId"], "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page.enable", "Network.enable", "Runtime.enable"] {
            browser.call(domain, json!({}));
        }
        browser
    }

    /// One command and its result. What is told meanwhile is looked at for requests.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap_or_else(|error| panic!("the browser is gone: {error}"));
        loop {
            let told = self.hear();
            if told["id"] == json!(self.next) {
                assert!(told["error"].is_null(), "{method}: {}", told["error"]);
                return told["result"].clone();
            }
        }
    }

    fn hear(&mut self) -> Value {
        let told = self.from.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("the browser is silent: {error}"));
        if told["method"] == "Network.requestWillBeSent" {
            self.asked.push(told["params"]["request"]["url"].as_str().unwrap().to_owned());
        }
        told
    }

    pub(super) fn look_with(&mut self, screen: Screen) {
        let Screen { width, height, dark } = screen;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "media": "screen", "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", media);
    }

    /// Opens a file, and waits until all of it is there.
    pub(super) fn open(&mut self, file: &Path) {
        let address = format!("file://{}", file.display());
        self.asked.clear();
        let gone = self.call("Page.navigate", json!({ "url": address }));
        assert!(gone["errorText"].is_null(), "{address}: {gone}");
        while self.run("document.readyState + ' ' + location.href") != json!(format!("complete {address}")) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.asked.retain(|asked| *asked != address && !asked.starts_with("data:"));
    }

    /// The value of an expression, after what it promises.
    pub(super) fn run(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// The upper part of the page, as a PNG in base64.
    pub(super) fn picture(&mut self) -> String {
        self.run("document.fonts.ready.then(() => 0)");
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        picture["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
