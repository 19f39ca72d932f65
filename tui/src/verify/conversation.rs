//! Takes a recording apart: what each authentication header is for, which response answers which request.

use std::collections::BTreeMap;

use homing::offline::{Auth, Message, Name};

use super::source::{Recorded, Recording};

/// What an authentication header is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A challenge without a token.
    Offer,
    /// A challenge with a token.
    Challenge,
    /// Credentials with an empty token.
    Opening,
    /// Credentials with a token.
    Answer,
    /// The client's signature.
    ClientSignature,
    /// The server's signature.
    ServerSignature,
    /// A nonce with its realm (RFC 7616 3.3).
    DigestChallenge,
    /// Credentials of Digest.
    DigestAnswer,
    /// What a Digest server says afterwards.
    DigestInfo,
}

/// One authentication header, once for each of its roles.
#[derive(Clone, Debug)]
pub(super) struct Part<'m> {
    pub(super) role: Role,
    pub(super) auth: Auth<'m>,
}

/// The recording with its threads found.
pub(super) struct Conversation<'r> {
    /// The authentication headers of each message.
    pub(super) parts: Vec<Vec<Part<'r>>>,
    /// For a response, the request it answers.
    requests: Vec<Option<usize>>,
    /// For a request, its first final response.
    answers: Vec<Option<usize>>,
    /// By `opaque`, the messages that are signed under it, in order.
    signed: BTreeMap<&'r str, Vec<usize>>,
}

impl<'r> Conversation<'r> {
    pub(super) fn new(recording: &'r Recording) -> Self {
        let messages = &recording.messages[..];
        let parts: Vec<_> = messages.iter().map(|recorded| parts(&recorded.message)).collect();
        let mut signed: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, of_message) in parts.iter().enumerate() {
            for part in of_message {
                let signature = matches!(part.role, Role::ClientSignature | Role::ServerSignature);
                if let (true, Some(opaque)) = (signature, part.auth.param("opaque")) {
                    signed.entry(opaque).or_default().push(at);
                }
            }
        }
        let (requests, answers) = transactions(messages);
        Self { parts, requests, answers, signed }
    }

    /// The request that the response at `at` answers.
    pub(super) fn request_of(&self, at: usize) -> Option<usize> {
        self.requests.get(at).copied().flatten()
    }

    /// The first final response to the request at `at`.
    pub(super) fn answer_to(&self, at: usize) -> Option<usize> {
        self.answers.get(at).copied().flatten()
    }

    /// The first message at or behind `at` that is signed under `opaque`, before the next token under it.
    pub(super) fn signed_next(&self, opaque: &str, at: usize) -> Option<(usize, &Part<'r>)> {
        let all = self.signed.get(opaque)?;
        let first = *all.get(all.partition_point(|signed| *signed < at))?;
        let signature = self.parts[first].iter().find(|part| {
            matches!(part.role, Role::ClientSignature | Role::ServerSignature)
                && part.auth.param("opaque") == Some(opaque)
        })?;
        Some((first, signature))
    }

    pub(super) fn has(&self, at: usize, role: Role) -> bool {
        self.parts.get(at).is_some_and(|parts| parts.iter().any(|part| part.role == role))
    }
}

/// Requests of responses, and first final responses of requests.
fn transactions(messages: &[Recorded]) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let (mut requests, mut answers) = (vec![None; messages.len()], vec![None; messages.len()]);
    let mut open = BTreeMap::new();
    for (at, recorded) in messages.iter().enumerate() {
        let Some(key) = key(recorded) else { continue };
        match recorded.message.status() {
            None => {
                open.insert(key, at);
            }
            Some(status) => {
                requests[at] = open.get(&key).copied();
                if let (Some(request), true) = (requests[at], status >= 200) {
                    answers[request].get_or_insert(at);
                }
            }
        }
    }
    (requests, answers)
}

/// What a request and its responses share. Old clients use one branch for everything, others one CSeq.
fn key(recorded: &Recorded) -> Option<(usize, &str, u32, String, Option<&str>)> {
    let message = &recorded.message;
    let cseq = message.cseq().ok()?;
    let branch = message.via().ok().and_then(|via| via.branch());
    Some((recorded.link, message.call_id().ok()?, cseq.seq, cseq.method.as_str().to_owned(), branch))
}

fn parts(message: &Message) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for header in HEADERS {
        for auth in message.auth(header) {
            for role in roles(message, header, &auth) {
                // A server may say the same in both of its headers.
                let known = parts.iter().any(|part| part.role == role && same(&part.auth, &auth));
                if !known {
                    parts.push(Part { role, auth: auth.clone() });
                }
            }
        }
    }
    parts
}

fn same(one: &Auth<'_>, other: &Auth<'_>) -> bool {
    let names = ["opaque", "realm", "targetname", "gssapi-data", "response", "rspauth", "crand", "srand"];
    one.is(other.scheme) && names.iter().all(|name| one.param(name) == other.param(name))
}

fn roles(message: &Message, header: Name<'static>, auth: &Auth<'_>) -> Vec<Role> {
    let is_challenge = matches!(header, Name::WwwAuthenticate | Name::ProxyAuthenticate);
    let is_info = matches!(header, Name::AuthenticationInfo | Name::ProxyAuthenticationInfo);
    if auth.is("Digest") || (is_info && auth.param("srand").is_none() && !is_signing(auth)) {
        return match (message.is_request(), is_challenge, is_info) {
            (false, true, _) => vec![Role::DigestChallenge],
            (_, _, true) => vec![Role::DigestInfo],
            (true, ..) => vec![Role::DigestAnswer],
            _ => Vec::new(),
        };
    }
    if !is_signing(auth) {
        return Vec::new();
    }
    let token = auth.param("gssapi-data").map(|token| !token.is_empty());
    // Some servers write their signature where the patent prints it: in a challenge or in credentials.
    if auth.param("rspauth").is_some() && (is_info || !message.is_request()) {
        return vec![Role::ServerSignature];
    }
    if is_challenge && !message.is_request() {
        return vec![if token == Some(true) { Role::Challenge } else { Role::Offer }];
    }
    if is_info {
        return vec![Role::ServerSignature];
    }
    if !message.is_request() {
        return Vec::new();
    }
    let mut roles = match token {
        Some(true) => vec![Role::Answer],
        Some(false) => vec![Role::Opening],
        None => Vec::new(),
    };
    if auth.param("response").is_some() || token.is_none() {
        roles.push(Role::ClientSignature);
    }
    roles
}

/// True for the schemes whose associations sign messages.
fn is_signing(auth: &Auth<'_>) -> bool {
    ["NTLM", "Kerberos", "TLS-DSK"].iter().any(|scheme| auth.is(scheme))
}

const HEADERS: [Name<'static>; 6] = [
    Name::AuthenticationInfo,
    Name::ProxyAuthenticationInfo,
    Name::WwwAuthenticate,
    Name::ProxyAuthenticate,
    Name::Authorization,
    Name::ProxyAuthorization,
];
