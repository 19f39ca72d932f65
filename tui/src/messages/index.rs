//! The index of a login's error codes, made from the errors themselves: one example of each kind.

use std::net::{IpAddr, Ipv4Addr};

use homing::dns::{DnsError, ResolveError, Skip};
use homing::error::{
    AuthError, CertificateError, CertificateRule, ConnectError, Deregistration, FrameError, FrameFault,
    HandshakeFault, LoginError, RedirectError, ResponseFault, SignatureFault, TokenFault,
};
use homing::event::UnregisterOutcome;
use homing::{ServerName, Transport};

use crate::messages::{Problem, sign_out_problem};

/// Every error a login or a sign-out can end with, by code.
pub(crate) fn error_index() -> Vec<Problem> {
    let unanswered = [DnsError::NoRecord, DnsError::Timeout, DnsError::ServerFailure, DnsError::NoNetwork];
    let passed_over = ResolveError::PassedOver { what: "server.example".to_owned(), why: Skip::OtherDomain };
    let resolve = unanswered
        .map(ResolveError::Dns)
        .into_iter()
        .chain([ResolveError::NotOffered, ResolveError::NotAllowed, passed_over])
        .map(|why| LoginError::Resolve { domain: "the domain".to_owned(), why });
    let connect = [
        ConnectError::ConnectionRefused,
        ConnectError::Unreachable,
        ConnectError::Timeout,
        ConnectError::Closed,
        ConnectError::Handshake(HandshakeFault::NotTls),
        ConnectError::TlsVersion,
        refused(CertificateRule::UntrustedIssuer),
        refused(CertificateRule::Expired),
        refused(CertificateRule::Unacceptable),
        refused(CertificateRule::NotPinned),
        ConnectError::Local,
        ConnectError::Framing(FrameFault { rule: FrameError::NoContentLength, octet: 0 }),
    ]
    .map(|why| LoginError::Connect { server: server(), why });
    let refused = [
        LoginError::Refused { server: server(), status: 403, reason: "Forbidden".to_owned() },
        LoginError::NoAnswer { server: server() },
        LoginError::Unreadable { server: server(), why: ResponseFault::Length },
        LoginError::Unusable { server: server(), why: ResponseFault::OtherFromTag },
        LoginError::IntervalTooBrief { server: server(), asked: 600, least: Some(3_600) },
        LoginError::Unbelieved { server: server(), why: SignatureFault::Unsigned },
        LoginError::Unbelieved { server: server(), why: SignatureFault::BadSignature },
        LoginError::Deregistered(Deregistration::Unregistered),
        LoginError::Deregistered(Deregistration::Rejected),
    ];
    let mut index: Vec<Problem> = resolve
        .into_iter()
        .chain(connect)
        .chain(auth().map(LoginError::Auth))
        .chain(redirects().map(LoginError::Redirect))
        .chain(refused)
        .map(|error| Problem::from(&error))
        .collect();
    index.push(Problem {
        code: "E0509",
        sentence: crate::text::ScreenText::of("the server's certificate does not prove its name"),
        hint: crate::text::ScreenText::of(
            "The server at this address is another one; check the account's domain and server name.",
        ),
    });
    let sign_outs = [UnregisterOutcome::Refused { status: 500 }, UnregisterOutcome::Unanswered];
    index.extend(sign_outs.into_iter().filter_map(sign_out_problem));
    index.sort_by_key(|entry| entry.code);
    index
}

fn refused(rule: CertificateRule) -> ConnectError {
    ConnectError::Certificate(Box::new(CertificateError::unread(rule)))
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
        AuthError::Weaker { server: server.clone(), realm: "corp.example".to_owned() },
        AuthError::WrongProof { server: server.clone() },
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
        RedirectError::TooManyContacts { server: server.clone(), most: 64 },
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
