//! Just enough of a URL to know whether a pod can use it, and to give it another origin.

use crate::config::env::is_reachable_url;

/// An absolute `http` or `https` URL, split after its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HttpUrl<'a> {
    /// Scheme and authority, for example `http://paperclip:3100`.
    pub(crate) origin: &'a str,
    /// Everything after the origin: empty, or with a leading `/`, `?` or `#`.
    pub(crate) rest: &'a str,
}

impl<'a> HttpUrl<'a> {
    /// `None` for anything that is not an absolute http(s) URL.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (scheme, after) = text.split_once("://")?;
        let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let authority = after.find(['/', '?', '#']).unwrap_or(after.len());
        if !is_http || authority == 0 {
            return None;
        }
        let (origin, rest) = text.split_at(scheme.len() + "://".len() + authority);
        Some(Self { origin, rest })
    }

    /// The host means "this machine": in a pod that is the pod itself.
    pub(crate) fn is_loopback(&self) -> bool {
        !is_reachable_url(self.origin)
    }
}

/// A URL a pod can call: absolute http(s), and not the pod itself.
pub(crate) fn usable(text: &str) -> Option<&str> {
    let text = text.trim();
    is_reachable_url(text).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_and_rest_are_split_after_the_authority() {
        let url = HttpUrl::parse("http://localhost:3100/api/mcp?x=1").unwrap();
        assert_eq!((url.origin, url.rest), ("http://localhost:3100", "/api/mcp?x=1"));
        assert!(url.is_loopback());
        let url = HttpUrl::parse("https://h?x").unwrap();
        assert_eq!((url.origin, url.rest), ("https://h", "?x"));
        assert!(!url.is_loopback());
        for other in ["", "stdio", "ftp://h/", "http:///path"] {
            assert_eq!(HttpUrl::parse(other), None, "{other}");
        }
    }
}
