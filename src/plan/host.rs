//! Where a site is: its public address, the host that serves it, its folder there.

use crate::model::{TextError, checked_text, one_line};
use serde::{Deserialize, Serialize};

/// How the site's files are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Host {
    /// Over SSH.
    Ssh(SshHost),
    /// On this machine.
    Local(LocalHost),
}

impl Host {
    /// The site's folder on its host.
    pub fn path(&self) -> &AbsolutePath {
        match self {
            Self::Ssh(host) => &host.path,
            Self::Local(host) => &host.local,
        }
    }

    /// The machine, as the plan names it, without account and port; `local` for this one.
    pub fn machine(&self) -> &str {
        let Self::Ssh(host) = self else { return "local" };
        let text = host.ssh.as_str();
        let (text, is_url) = text.strip_prefix("ssh://").map_or((text, false), |rest| (rest, true));
        let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
        let port = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
        match text.rsplit_once(':') {
            Some((host, last)) if is_url && port(last) => host,
            _ => text,
        }
    }
}

/// A site that is reached over SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SshHost {
    /// `host`, `user@host`, `ssh://user@host:port`, or an alias of an ssh configuration.
    pub ssh: SshTarget,
    /// The site's folder there.
    pub path: AbsolutePath,
    /// An ssh configuration file on this machine, instead of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_config: Option<LocalPath>,
}

/// A site on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LocalHost {
    /// The site's folder.
    pub local: AbsolutePath,
}

checked_text!(
    /// A folder or file, from the root of its machine.
    AbsolutePath,
    "absolute-path",
    |text| {
        one_line(text, 4096)?;
        if !text.starts_with('/') {
            return Err(TextError::new(
                "this path is not absolute",
                "a path from the root: /srv/www/shop",
            ));
        }
        parts(text)?;
        if text.trim_matches('/').is_empty() {
            return Err(TextError::new(
                "a site can't be the whole file system",
                "the site's own folder: /srv/www/shop",
            ));
        }
        Ok(())
    }
);

checked_text!(
    /// A file of this machine: absolute, below `~/`, or relative to the plan.
    LocalPath,
    "local-path",
    |text| {
        one_line(text, 4096)?;
        if text.starts_with('-') {
            return Err(TextError::new(
                "a path can't begin with -",
                "write ./ in front of it",
            ));
        }
        parts(text)
    }
);

fn parts(path: &str) -> Result<(), TextError> {
    if path.split('/').any(|part| part == "..") {
        return Err(TextError::new("this path goes upwards with ..", "write the path without .."));
    }
    Ok(())
}

checked_text!(
    /// What is handed to `ssh` as its destination. It can't be read as an option.
    SshTarget,
    "ssh-target",
    ssh_target
);

const SSH_FORMS: &str = "user@host, host, an alias of the ssh configuration, or ssh://user@host:port";

fn ssh_target(text: &str) -> Result<(), TextError> {
    one_line(text, 512)?;
    let bad = |problem: &str| Err(TextError::new(problem, SSH_FORMS));
    if text.contains(char::is_whitespace) {
        return bad("white space can't stand in an ssh destination");
    }
    let (address, is_url) = match text.strip_prefix("ssh://") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (user, host) = match address.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, address),
    };
    if text.starts_with('-') || host.starts_with('-') || user.is_some_and(|u| u.starts_with('-')) {
        return bad("an ssh destination that begins with - would be read as an option");
    }
    if user.is_some_and(|user| user.contains(':')) {
        return Err(TextError::new(
            "a plan holds no password",
            "leave out : and the password; the log-in is by a key of the ssh agent or configuration",
        ));
    }
    if user.is_some_and(|user| !user.bytes().all(|b| name_byte(b) || b == b'+' || b == b'\\')) {
        return bad("this is not a user's name");
    }
    let (host, port) = host_and_port(host, is_url);
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return bad("this is not a port");
    }
    let in_brackets = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let fine = match in_brackets {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|b| name_byte(b) || (b == b':' && !is_url)),
    };
    if host.is_empty() || user == Some("") || !fine {
        return bad("this is not an ssh destination");
    }
    if !is_url && in_brackets.is_none() && host.contains(':') && host.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(TextError::new("a port can't stand here", format!("with a port it is written ssh://{}", text)));
    }
    Ok(())
}

fn name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn host_and_port(host: &str, is_url: bool) -> (&str, Option<&str>) {
    if !is_url {
        return (host, None);
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.starts_with('[') || name.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

checked_text!(
    /// The site's public address: http or https, without credentials, query or fragment.
    SiteUrl,
    "site-url",
    |text| {
        one_line(text, 2000)?;
        let bad = |problem: &str, hint: &str| Err(TextError::new(problem, hint));
        let form = "an address such as https://shop.example/";
        let Ok(address) = url::Url::parse(text) else {
            return bad("this is not an address", form);
        };
        if !matches!(address.scheme(), "http" | "https") {
            return bad("a site's address begins with https:// or http://", form);
        }
        if !address.username().is_empty() || address.password().is_some() {
            return bad(
                "an address in a plan can't carry a user or a password",
                "only references to secrets stand in plans; leave out what is before @",
            );
        }
        if address.query().is_some() || address.fragment().is_some() {
            return bad("the site's address has no ? and no #", form);
        }
        if address.host_str().is_none_or(str::is_empty) || text.contains(char::is_whitespace) {
            return bad("this is not an address", form);
        }
        Ok(())
    }
);

impl SiteUrl {
    /// The address of a page of the site, where `page` begins with `/`.
    pub fn page(&self, page: &str) -> String {
        format!("{}{page}", self.as_str().trim_end_matches('/'))
    }
}
