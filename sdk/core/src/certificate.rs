//! What a TLS server's certificate says about itself, and the rule by which it was refused.

use std::fmt;

use thiserror::Error;

use crate::fingerprint::Fingerprint;
use crate::identity::IdentityError;

/// What a certificate says: text of the peer, cut to a bearable length, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateSummary {
    /// The distinguished name of its holder; may be empty.
    pub subject: String,
    /// Its names by which a server can be verified: URIs, DNS names and addresses of the subjectAltName, the
    /// common names where it has none; at most eight.
    pub names: Vec<String>,
    /// The distinguished name of who signed it.
    pub issuer: String,
    /// The first moment of its validity, in UTC.
    pub not_before: String,
    /// The last moment of its validity, in UTC.
    pub not_after: String,
    /// Its hash: what `pin_sha256` takes.
    pub sha256: Fingerprint,
}

/// A server's certificate that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateError {
    /// The rule it breaks.
    pub rule: CertificateRule,
    /// What it says; none if it cannot be read or was not shown.
    pub certificate: Option<CertificateSummary>,
}

/// The rule that a server's certificate breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateRule {
    /// Its chain ends in no trusted root.
    #[error("is signed by nobody this machine trusts")]
    UntrustedIssuer,
    /// It is its own issuer, and the CA file does not hold it.
    #[error("is signed by nobody this machine trusts: it is self-signed")]
    SelfSigned,
    /// A trusted issuer's name with another key.
    #[error("is signed by nobody this machine trusts: the authority it names has another key")]
    BadSignature,
    /// Its last day is over, or this machine's clock is ahead.
    #[error("has expired")]
    Expired,
    /// Its first day has not come, or this machine's clock is behind.
    #[error("is not valid yet")]
    NotYetValid,
    /// CA:TRUE, as `openssl req -x509` makes them, and not itself in the CA file.
    #[error("is a CA certificate (CA:TRUE), which is not acceptable for a server")]
    CaForServer,
    /// Its extended key usage excludes servers.
    #[error("is not acceptable: its extended key usage excludes TLS servers")]
    Purpose,
    /// An algorithm or key length that is not taken.
    #[error("is not acceptable: its signature algorithm or key is not supported")]
    Algorithm,
    /// An X.509 version before 3, which has no subjectAltName.
    #[error("is not acceptable: it is of X.509 version 1 or 2")]
    Version,
    /// The server showed none.
    #[error("is missing: the server showed none")]
    Missing,
    /// It cannot be read, is revoked, or breaks a rule without a name here.
    #[error("is not acceptable")]
    Unacceptable,
    /// The peer could not prove that it holds the key.
    #[error("is not the peer's own: it does not hold the key")]
    NoKey,
    /// It has another name.
    #[error("does not prove its name: {why}; it must name {expected}")]
    Identity {
        /// The names that would have done.
        expected: String,
        /// Nothing to compare, nothing equal, or only a wildcard.
        #[source]
        why: IdentityError,
    },
    /// The account pins certificates, and this is none of them.
    #[error("is none of those the account pins (pin_sha256)")]
    NotPinned,
}

impl CertificateError {
    /// A refusal of a certificate that could not be read.
    pub fn unread(rule: CertificateRule) -> Self {
        Self { rule, certificate: None }
    }
}

impl CertificateRule {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            CertificateRule::UntrustedIssuer
            | CertificateRule::SelfSigned
            | CertificateRule::BadSignature => "E0506",
            CertificateRule::Expired | CertificateRule::NotYetValid => "E0507",
            CertificateRule::CaForServer
            | CertificateRule::Purpose
            | CertificateRule::Algorithm
            | CertificateRule::Version
            | CertificateRule::Missing
            | CertificateRule::Unacceptable
            | CertificateRule::NoKey => "E0508",
            CertificateRule::Identity { .. } => "E0509",
            CertificateRule::NotPinned => "E0512",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            CertificateRule::UntrustedIssuer | CertificateRule::BadSignature => {
                "Install the organisation's certificate authority, or name its file (`network.ca_file`, `--ca-file`)."
            }
            CertificateRule::SelfSigned | CertificateRule::CaForServer => {
                "If its SHA-256 is the server's, put the certificate into the CA file (`network.ca_file`, `--ca-file`)."
            }
            CertificateRule::Expired | CertificateRule::NotYetValid => {
                "Check this machine's clock; else the server's certificate must be renewed."
            }
            CertificateRule::Purpose
            | CertificateRule::Algorithm
            | CertificateRule::Version
            | CertificateRule::Missing
            | CertificateRule::Unacceptable
            | CertificateRule::NoKey => "The server's administrator must replace its certificate.",
            CertificateRule::Identity { .. } => {
                "The server at this address is another one; check the account's domain and server name."
            }
            CertificateRule::NotPinned => {
                "If the server's certificate was replaced, set `pin_sha256` to the SHA-256 of the new one."
            }
        }
    }
}

impl CertificateSummary {
    /// A summary of a certificate whose texts are the peer's.
    pub fn new(subject: &str, issuer: &str, names: &[String], sha256: Fingerprint) -> Self {
        Self {
            subject: plain(subject),
            issuer: plain(issuer),
            names: names.iter().take(NAMES).map(|name| plain(name)).collect(),
            not_before: String::new(),
            not_after: String::new(),
            sha256,
        }
    }

    /// Sets when it is valid.
    #[must_use]
    pub fn valid(mut self, not_before: &str, not_after: &str) -> Self {
        (self.not_before, self.not_after) = (plain(not_before), plain(not_after));
        self
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its certificate {}", self.rule)?;
        match &self.certificate {
            Some(certificate) => write!(f, " ({certificate})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.rule {
            CertificateRule::Identity { why, .. } => Some(why),
            _ => None,
        }
    }
}

impl fmt::Display for CertificateSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        write!(
            f,
            "subject {}; names {}; issuer {}; valid from {} to {}; SHA-256 {}",
            or(&self.subject),
            or(&self.names.join(", ")),
            or(&self.issuer),
            self.not_before,
            self.not_after,
            self.sha256
        )
    }
}

/// Text of a peer as it may be shown: without characters that steer a terminal or the direction of writing.
fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().take(LENGTH).map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Names shown of one certificate.
const NAMES: usize = 8;
/// Characters shown of one text of a certificate.
const LENGTH: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_everything_in_one_sentence_and_steers_no_terminal() {
        let names = vec!["sip:a.test".to_owned(), "\u{1b}[2J.test".to_owned()];
        let summary = CertificateSummary::new("CN=a\u{202e}", "CN=CA\r\n", &names, Fingerprint([7; 32]))
            .valid("2024-01-01 00:00", "2025-01-01 00:00");
        let error = CertificateError { rule: CertificateRule::Expired, certificate: Some(summary) };
        let hash = ["07"; 32].join(":");
        assert_eq!(
            error.to_string(),
            format!(
                "its certificate has expired (subject CN=a\u{fffd}; names sip:a.test, \u{fffd}[2J.test; issuer \
                 CN=CA\u{fffd}\u{fffd}; valid from 2024-01-01 00:00 to 2025-01-01 00:00; SHA-256 {hash})"
            )
        );
        let many = vec!["n".repeat(1_000); 100];
        let long = CertificateSummary::new("", "", &many, Fingerprint([0; 32]));
        assert!(long.to_string().len() < 2_000);
    }
}
