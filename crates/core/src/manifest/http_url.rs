//! Just enough of a URL to know whether a pod can use it.

use std::net::IpAddr;

/// An absolute `http` or `https` URL, split where the adapter needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HttpUrl<'a> {
    /// Scheme and authority, for example `http://paperclip:3100`.
    pub(crate) origin: &'a str,
    /// Everything after the origin: empty, or with a leading `/`, `?` or `#`.
    pub(crate) rest: &'a str,
    host: &'a str,
}

impl<'a> HttpUrl<'a> {
    /// `None` for anything that is not an absolute http(s) URL with a host.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let scheme_end = text.find("://")?;
        let scheme = text.get(..scheme_end)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let authority_start = scheme_end + 3;
        let after = text.get(authority_start..)?;
        let authority = &after[..after.find(['/', '?', '#']).unwrap_or(after.len())];
        let (origin, rest) = text.split_at(authority_start + authority.len());
        let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host_and_port.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']')?.0,
            None => host_and_port.split(':').next().unwrap_or_default(),
        };
        let legal = !host.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        legal.then_some(Self { origin, rest, host })
    }

    /// The host means "this machine": in a pod that is the pod itself.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_host(self.host)
    }
}

/// Loopback names and addresses, and the address that means "every interface".
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        // Browsers and Node accept shortened addresses such as `127.1`; `0` is `0.0.0.0`.
        Err(_) => host == "0" || (host.starts_with("127.") && host.bytes().all(|b| b == b'.' || b.is_ascii_digit())),
    }
}

/// A URL a pod can call: absolute http(s), and not the pod itself.
pub(crate) fn usable(text: &str) -> Option<&str> {
    let text = text.trim();
    HttpUrl::parse(text).filter(|url| !url.is_loopback()).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_usable_unless_it_means_this_machine() {
        let good = [
            "http://paperclip.svc:3100",
            "HTTPS://example.org/base",
            "http://10.0.0.7",
            "http://[fd00::1]:80",
            "http://u:p@h",
        ];
        let bad = [
            "http://localhost:3100",
            "http://LOCALHOST.",
            "http://app.localhost",
            "http://127.0.0.1",
            "http://127.1",
            "http://0.0.0.0:3100",
            "http://0",
            "http://[::1]:3100",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            "http://user@localhost",
            "ftp://example.org",
            "paperclip:3100",
            "http://",
            "http://a b",
            "",
        ];
        for url in good {
            assert!(usable(url).is_some(), "{url}");
        }
        for url in bad {
            assert!(usable(url).is_none(), "{url}");
        }
    }

    #[test]
    fn origin_and_rest_are_split_after_the_authority() {
        let url = HttpUrl::parse("http://localhost:3100/api/mcp?x=1").unwrap();
        assert_eq!((url.origin, url.rest), ("http://localhost:3100", "/api/mcp?x=1"));
        assert_eq!(HttpUrl::parse("https://h?x").unwrap().rest, "?x");
    }
}
