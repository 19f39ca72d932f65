//! Requests over the control socket: what can be asked, and reading it from an untrusted line.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::report::VERSION;

/// The longest request in bytes, its line end included.
pub(super) const LONGEST: usize = 4_096;

/// What a phone can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(crate) enum Ask {
    /// How all accounts stand.
    Status,
    /// OPTIONS to the home server, or through it to the owner of `uri`.
    Options { aor: String, uri: Option<String> },
    /// Refresh the registration now, and tell it.
    Login { aor: String },
    /// Sign out; the phone stays.
    Logout { aor: String },
    /// The journey of the login that stands.
    Journey { aor: String },
    /// Refresh the registration now, and tell it as checks of `homing doctor`.
    Check { aor: String },
    /// Read the password again and sign in with it as a new endpoint, which is signed out again.
    Test { aor: String },
    /// Wait until the account is in this state, for at most so many milliseconds.
    Wait { aor: String, state: String, within: u64 },
    /// How the account stands, or all of them, and every event from then on.
    Attach { aor: Option<String> },
}

/// A request as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    v: u64,
    #[serde(flatten)]
    pub(super) ask: Ask,
    /// The messages of this work are wanted too, secrets masked.
    #[serde(default)]
    pub(super) trace: bool,
}

/// Why a line is no request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum NoRequest {
    #[error("a request has at most {LONGEST} bytes and ends with a line end")]
    TooLong,
    #[error("this phone speaks version {VERSION} of the control protocol")]
    Version,
    #[error("this is not a request of version {VERSION}")]
    Unknown,
}

impl Request {
    /// A request of this version.
    pub(super) fn new(ask: Ask, trace: bool) -> Self {
        Self { v: VERSION, ask, trace }
    }

    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).expect("a request has only text keys") + "\n"
    }

    /// Reads a line; its end may be missing if it is not longer than allowed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, NoRequest> {
        if line.len() > LONGEST || line.len() == LONGEST && !line.ends_with(b"\n") {
            return Err(NoRequest::TooLong);
        }
        let value: Value = serde_json::from_slice(line).map_err(|_| NoRequest::Unknown)?;
        match value["v"].as_u64() {
            Some(VERSION) => serde_json::from_value(value).map_err(|_| NoRequest::Unknown),
            Some(_) => Err(NoRequest::Version),
            None => Err(NoRequest::Unknown),
        }
    }
}

impl Ask {
    /// Whose account it is about; none where it is about all.
    pub(super) fn aor(&self) -> Option<&str> {
        match self {
            Ask::Status => None,
            Ask::Options { aor, .. }
            | Ask::Login { aor }
            | Ask::Logout { aor }
            | Ask::Journey { aor }
            | Ask::Check { aor }
            | Ask::Test { aor }
            | Ask::Wait { aor, .. } => Some(aor),
            Ask::Attach { aor } => aor.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_were_written() {
        let aor = || "alice@network.com".to_owned();
        for ask in [
            Ask::Status,
            Ask::Options { aor: aor(), uri: Some("sip:bob@network.com".to_owned()) },
            Ask::Options { aor: aor(), uri: None },
            Ask::Wait { aor: aor(), state: "registered".to_owned(), within: 500 },
            Ask::Attach { aor: None },
        ] {
            let request = Request::new(ask, true);
            assert_eq!(Request::read(request.line().as_bytes()), Ok(request));
        }
        let written = Request::new(Ask::Login { aor: aor() }, false).line();
        assert_eq!(written, "{\"v\":2,\"ask\":\"login\",\"aor\":\"alice@network.com\",\"trace\":false}\n");
    }

    #[test]
    fn what_is_no_request_is_told_from_what_is_of_another_version() {
        let cases: [(&[u8], NoRequest); 7] = [
            (b"", NoRequest::Unknown),
            (b"GET / HTTP/1.1\r\n", NoRequest::Unknown),
            (b"\xff\xfe\x00\n", NoRequest::Unknown),
            (b"{\"ask\":\"status\"}\n", NoRequest::Unknown),
            (b"{\"v\":2,\"ask\":\"password\"}\n", NoRequest::Unknown),
            (b"{\"v\":1,\"ask\":\"status\"}\n", NoRequest::Version),
            (&[b'['; LONGEST], NoRequest::TooLong),
        ];
        for (line, why) in cases {
            assert_eq!(Request::read(line), Err(why), "{}", String::from_utf8_lossy(line));
        }
        let nested = [b'['; LONGEST - 1];
        assert_eq!(Request::read(&nested), Err(NoRequest::Unknown), "deep nesting is no overflow");
    }
}
