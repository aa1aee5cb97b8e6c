use std::str::FromStr;
use tokio_tungstenite::tungstenite::http::Uri;
use tombolo_core::{Code, Error, Result};

/// Where a server is: the address of its WebSocket, derived from the one that people write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    uri: Uri,
    host: String,
    port: u16,
    secure: bool,
}

impl ServerUrl {
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The name or address to connect to, an IPv6 address without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached through TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.uri.fmt(f)
    }
}

impl FromStr for ServerUrl {
    type Err = Error;

    /// Takes `http`, `https`, `ws` and `wss` addresses, with a path if the server lies behind one.
    ///
    /// # Errors
    /// `INVALID_QUERY` for anything else.
    fn from_str(text: &str) -> Result<Self> {
        let bad = |what: &str| {
            let message = format!("{text:?} is no server address: {what}, as in http://localhost:8787");
            Error::new(Code::InvalidQuery, message).with("url", text)
        };
        let given: Uri = text.parse().map_err(|_| bad("write scheme, host and port"))?;
        let secure = match given.scheme_str() {
            Some("http" | "ws") => false,
            Some("https" | "wss") => true,
            _ => return Err(bad("begin with http://, https://, ws:// or wss://")),
        };
        let authority = given.authority().ok_or_else(|| bad("name a host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("leave out the user; the token says who you are"));
        }
        if given.query().is_some() || text.contains('#') {
            return Err(bad("leave out what follows the path"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str().ends_with(':')
                || authority.host().len() != authority.as_str().len() =>
            {
                return Err(bad("the port is a number up to 65535"));
            }
            None if secure => 443,
            None => 80,
        };
        if host.is_empty() || port == 0 {
            return Err(bad("name a host and a port"));
        }
        let scheme = if secure { "wss" } else { "ws" };
        let path = given.path().trim_end_matches('/');
        let uri = format!("{scheme}://{authority}{path}/sync");
        let uri = uri.parse().map_err(|_| bad("write scheme, host and port"))?;
        Ok(Self { uri, host: host.to_owned(), port, secure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_lies_under_the_address() {
        for (given, expected, host, port) in [
            ("http://localhost:8787", "ws://localhost:8787/sync", "localhost", 8787),
            ("ws://localhost:8787/", "ws://localhost:8787/sync", "localhost", 8787),
            ("https://example.org", "wss://example.org/sync", "example.org", 443),
            ("wss://example.org/team/", "wss://example.org/team/sync", "example.org", 443),
            ("http://127.0.0.1", "ws://127.0.0.1/sync", "127.0.0.1", 80),
            ("http://[::1]:1", "ws://[::1]:1/sync", "::1", 1),
        ] {
            let url: ServerUrl = given.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.host(), url.port()), (expected, host, port), "{given}");
            assert_eq!(url.is_secure(), expected.starts_with("wss"));
        }
    }

    #[test]
    fn other_texts_are_refused_with_advice() {
        for text in [
            "",
            "localhost",
            "localhost:8787",
            "ftp://localhost",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:99999",
            "http://a:",
            "http://ann:secret@a",
            "http://a/?token=x",
            "http://a/#x",
            "http://a b",
        ] {
            let error = text.parse::<ServerUrl>().unwrap_err();
            assert_eq!(error.code, Code::InvalidQuery, "{text}");
            assert!(error.message.contains("http://localhost:8787"), "{text}");
        }
    }
}
