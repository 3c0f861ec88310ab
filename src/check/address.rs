//! The site's address: which addresses belong to it, which are never asked, and the parameter
//! that takes a request past caches.
//!
//! May use: nothing of this crate but `error`. Invariant: nothing here makes a request.

use super::error::CheckError;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The query parameter whose unique value takes a request past caches.
const PARAMETER: &str = "intendant-check";

/// The address of a site.
#[derive(Debug, Clone)]
pub(super) struct Site {
    base: Url,
}

/// Whether a redirect may be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// It stays on the site.
    Yes,
    /// It leads to another host or port.
    Leaves,
    /// It leads from https to http.
    Downgrade,
}

impl Site {
    /// The site at `url`, which must be http or https with a host that may be asked.
    pub(super) fn new(url: &str) -> Result<Self, CheckError> {
        let wrong = |why: &str| CheckError::Address { url: crate::model::clean_line(url, 200), why: why.into() };
        let base = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("it begins with neither http:// nor https://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("it holds a user name or a password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("it has a part after '?' or '#'"));
        }
        let host = base.host_str().unwrap_or_default();
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if literal.is_ok_and(is_forbidden) {
            return Err(wrong("link-local and cloud metadata addresses are never asked"));
        }
        Ok(Self { base })
    }

    /// The address as it was given.
    pub(super) fn as_str(&self) -> &str {
        self.base.as_str()
    }

    /// The page at `path` below the site's address.
    pub(super) fn page(&self, path: &str) -> Result<Url, String> {
        let base = self.base.as_str().trim_end_matches('/');
        let slash = if path.starts_with('/') { "" } else { "/" };
        Url::parse(&format!("{base}{slash}{path}")).map_err(|error| error.to_string())
    }

    /// Whether a redirect from `from` to `to` may be followed: same host, and the same port or
    /// the step from http to https on their usual ports.
    pub(super) fn follow(&self, from: &Url, to: &Url) -> Follow {
        let usual = |url: &Url| url.port().is_none();
        if !matches!(to.scheme(), "http" | "https") || to.host_str() != self.base.host_str() {
            Follow::Leaves
        } else if from.scheme() == "https" && to.scheme() == "http" {
            Follow::Downgrade
        } else if to.port_or_known_default() == from.port_or_known_default() || (usual(from) && usual(to)) {
            Follow::Yes
        } else {
            Follow::Leaves
        }
    }
}

/// `url` with a parameter that no cache has seen.
pub(super) fn past_caches(mut url: Url) -> Url {
    let value = uuid::Uuid::new_v4().simple().to_string();
    // Appended as text: the serializer of pairs would rewrite the page's own parameters.
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{PARAMETER}={value}"),
        _ => format!("{PARAMETER}={value}"),
    };
    url.set_query(Some(&query));
    url
}

/// Whether it has that parameter.
pub(super) fn is_past_caches(url: &Url) -> bool {
    url.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with(PARAMETER)))
}

/// `url` without that parameter, for comparing and showing.
pub(super) fn plain(url: &Url) -> String {
    let mut url = url.clone();
    let ours = |pair: &&str| !pair.starts_with(PARAMETER);
    let query = url.query().map(|query| query.split('&').filter(ours).collect::<Vec<_>>().join("&"));
    url.set_query(query.as_deref().filter(|query| !query.is_empty()));
    url.set_fragment(None);
    url.into()
}

/// Addresses that a site's owner could point a name at to reach what is the runner's own:
/// link-local ones, where clouds keep credentials, and the metadata addresses outside of them.
pub(super) fn is_forbidden(address: IpAddr) -> bool {
    const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || v6 == METADATA_V6,
    }
}

/// Why a name gave no address that may be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// It does not resolve.
    #[error("{name} does not resolve")]
    NoSuchHost {
        /// The name.
        name: String,
    },
    /// It resolves to forbidden addresses only.
    #[error("{name} resolves to {address}, which is never asked")]
    Forbidden {
        /// The name.
        name: String,
        /// One of its addresses.
        address: IpAddr,
    },
}

/// The system's resolver without the addresses that are never asked.
#[derive(Debug)]
pub(super) struct SafeResolver;

impl Resolve for SafeResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(found) => found.collect::<Vec<_>>(),
                Err(_) => Vec::new(),
            };
            let allowed: Vec<_> = found.iter().filter(|found| !is_forbidden(found.ip())).copied().collect();
            match (allowed.is_empty(), found.first()) {
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
                (true, Some(first)) => Err(ResolveError::Forbidden { name, address: first.ip() }.into()),
                (true, None) => Err(ResolveError::NoSuchHost { name }.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn pages_stand_below_the_site() {
        let site = Site::new("https://x.example/blog/").unwrap();
        for (path, expected) in [
            ("/", "https://x.example/blog/"),
            ("/wp-login.php", "https://x.example/blog/wp-login.php"),
            ("//evil.example/", "https://x.example/blog//evil.example/"),
            ("@evil.example/", "https://x.example/blog/@evil.example/"),
            ("/?rest_route=/", "https://x.example/blog/?rest_route=/"),
        ] {
            assert_eq!(site.page(path).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn the_parameter_comes_and_goes() {
        for text in ["https://x.example/", "https://x.example/?rest_route=/", "https://x.example/?a=%20+b&c"] {
            let busted = past_caches(url(text));
            assert!(busted.as_str().contains(PARAMETER));
            assert_eq!(plain(&busted), text);
        }
    }

    #[test]
    fn only_the_site_itself_is_followed() {
        let site = Site::new("http://x.example").unwrap();
        let from = url("http://x.example/a");
        for (to, expected) in [
            ("http://x.example/b", Follow::Yes),
            ("https://x.example/b", Follow::Yes),
            ("http://X.EXAMPLE/b", Follow::Yes),
            ("http://www.x.example/", Follow::Leaves),
            ("http://x.example:8080/", Follow::Leaves),
            ("http://169.254.169.254/latest/", Follow::Leaves),
            ("file:///etc/passwd", Follow::Leaves),
        ] {
            assert_eq!(site.follow(&from, &url(to)), expected, "{to}");
        }
        let secure = url("https://x.example/");
        assert_eq!(site.follow(&secure, &from), Follow::Downgrade);
    }

    #[test]
    fn addresses_that_are_never_asked() {
        for text in [
            "169.254.169.254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "::",
        ] {
            assert!(is_forbidden(text.parse().unwrap()), "{text}");
        }
        for text in ["127.0.0.1", "10.0.0.1", "203.0.113.9", "2001:db8::1", "::1"] {
            assert!(!is_forbidden(text.parse().unwrap()), "{text}");
        }
        for bad in [
            "http://169.254.169.254/",
            "http://2852039166/",
            "http://[fe80::1]/",
            "ftp://x.example/",
            "https://user:secret@x.example/",
            "https://x.example/?a=b",
            "nonsense",
        ] {
            let error = Site::new(bad).unwrap_err();
            assert!(matches!(error, CheckError::Address { .. }), "{bad}");
        }
    }
}
