//! The index of a login's error codes, made from the errors themselves: one example of each kind.

use std::net::{IpAddr, Ipv4Addr};

use homing::dns::DnsError;
use homing::error::{
    AuthError, ConnectError, Deregistration, LoginError, RedirectError, SignatureFault, TokenFault,
};
use homing::{ServerName, Transport};

use crate::words::Trouble;

/// Every error a login can end with, by code.
pub(crate) fn error_index() -> Vec<Trouble> {
    let resolve = [DnsError::NoRecord, DnsError::Timeout, DnsError::ServerFailure, DnsError::NoNetwork]
        .map(|why| LoginError::Resolve { domain: "the domain".to_owned(), why });
    let connect = [
        ConnectError::ConnectionRefused,
        ConnectError::Unreachable,
        ConnectError::Timeout,
        ConnectError::Closed,
        ConnectError::Handshake,
        ConnectError::TlsVersion,
        ConnectError::UntrustedIssuer,
        ConnectError::CertificateDate,
        ConnectError::BadCertificate,
        ConnectError::Local,
    ]
    .map(|why| LoginError::Connect { server: server(), why });
    let refused = [
        LoginError::Refused { server: server(), status: 403, reason: "Forbidden".to_owned() },
        LoginError::NoAnswer { server: server() },
        LoginError::Unbelieved { server: server(), why: SignatureFault::Unsigned },
        LoginError::Unbelieved { server: server(), why: SignatureFault::BadSignature },
        LoginError::Deregistered(Deregistration::Unregistered),
        LoginError::Deregistered(Deregistration::Rejected),
    ];
    let mut index: Vec<Trouble> = resolve
        .into_iter()
        .chain(connect)
        .chain(auth().map(LoginError::Auth))
        .chain(redirects().map(LoginError::Redirect))
        .chain(refused)
        .map(|error| Trouble::from(&error))
        .collect();
    index.push(Trouble {
        code: "E0509",
        sentence: crate::text::ScreenText::of("the server's certificate does not prove its name"),
        hint: crate::text::ScreenText::of(
            "The server at this address is another one; check the account's domain and server name.",
        ),
    });
    index.sort_by_key(|entry| entry.code);
    index
}

fn server() -> ServerName {
    ServerName::new("server.example", 5061)
}

fn auth() -> impl Iterator<Item = AuthError> {
    let server = server();
    [
        AuthError::Rejected { server: server.clone() },
        AuthError::NoCommonScheme { server: server.clone(), offered: "Digest MD5".to_owned() },
        AuthError::NoCredentials { server: server.clone() },
        AuthError::BadToken { server: server.clone(), why: TokenFault::Structure },
        AuthError::OtherTarget { server: server.clone(), named: "other.example".to_owned() },
        AuthError::Clock { server: server.clone(), minutes: 45 },
        AuthError::ChallengeLoop { server },
    ]
    .into_iter()
}

fn redirects() -> impl Iterator<Item = RedirectError> {
    let (server, target) = (server(), "other.example".to_owned());
    [
        RedirectError::TooMany { limit: 5 },
        RedirectError::Loop { server: server.clone(), first_seen: 1 },
        RedirectError::Unsigned { server: server.clone() },
        RedirectError::BadSignature { server: server.clone(), why: SignatureFault::BadSignature },
        RedirectError::ContactChanged { server: server.clone() },
        RedirectError::Downgrade { to: Transport::Tcp },
        RedirectError::OtherDomain { target: target.clone(), domain: "corp.example".to_owned() },
        RedirectError::IpLiteral { address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 1)) },
        RedirectError::Instructions { target: target.clone() },
        RedirectError::NoUsableContact { server: server.clone() },
        RedirectError::Status { status: 302 },
        RedirectError::NotSecure { server },
        RedirectError::Declined { target },
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_stands_once_with_a_sentence_and_a_next_step() {
        let index = error_index();
        let codes: BTreeSet<_> = index.iter().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), index.len());
        assert!(index.iter().all(|entry| !entry.sentence.is_empty() && !entry.hint.is_empty()));
        assert!(codes.contains("E0702") && codes.contains("E0601") && codes.contains("E0509"));
    }
}
