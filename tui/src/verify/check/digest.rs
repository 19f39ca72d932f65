//! Judges Digest: responses of clients and proofs of servers, computed from the password.

use homing::offline::digest::{self, Algorithm, DigestCredentials, DigestInput, HashedSecret, Qop, Secret};
use homing::offline::{Auth, NameAddr};

use super::state::{Check, hides};
use crate::verify::report::{Cause, Difference, Finding, Note, Obstacle, Proof, Spot};

/// Keeps the nonce of a challenge.
pub(super) fn challenge<'r>(check: &mut Check<'_, 'r>, auth: &Auth<'r>) {
    if let (Some(nonce), Some(realm)) = (auth.param("nonce"), auth.param("realm")) {
        check.nonces.given.insert(nonce, realm);
    }
}

/// Judges the credentials of a request.
pub(super) fn answer<'r>(check: &mut Check<'_, 'r>, at: usize, auth: &Auth<'r>, findings: &mut Vec<Finding>) {
    let masked = ["response", "nonce", "cnonce"]
        .iter()
        .any(|name| auth.param(name).is_some_and(|value| hides(check.recording.kind, value)));
    if masked {
        findings.push(Obstacle::Masked.into());
        return;
    }
    let credentials = match DigestCredentials::parse(auth) {
        Ok(credentials) => credentials,
        Err(_) if auth.conflicting() => {
            findings.push(Difference::new(Spot::Parameter("response"), Cause::Conflicting).into());
            return;
        }
        Err(_) => {
            findings.push(Difference::new(Spot::Parameter("response"), Cause::Malformed).into());
            return;
        }
    };
    let Some(user) = digest_user(check, at, &credentials) else {
        findings.push(Obstacle::HashedUser.into());
        return;
    };
    let message = &check.recorded(at).message;
    let uri = message.request_uri().unwrap_or_default();
    if !credentials.uri.eq_ignore_ascii_case(uri) {
        let (expected, found) = (uri.to_owned(), credentials.uri.to_owned());
        findings.push(Note::OtherUri { expected, found }.into());
    }
    if !check.nonces.given.is_empty() && !check.nonces.given.contains_key(credentials.nonce) {
        findings.push(Note::UnknownNonce.into());
    }
    let finding = judge_digest(check, at, &credentials, &user);
    findings.push(finding);
}

fn judge_digest<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    credentials: &DigestCredentials<'r>,
    user: &str,
) -> Finding {
    let message = &check.recorded(at).message;
    let method = message.method().map_or("", |method| method.as_str()).to_owned();
    let first_cnonce = *check.nonces.first.entry(credentials.nonce).or_insert(credentials.cnonce);
    let plain = Secret::Password(check.password);
    let bound = bound(check, credentials, user, first_cnonce);
    let holds = |credentials: &DigestCredentials<'_>, method: &str, user: &str| {
        credentials.check(method, message.body(), user, plain)
            || bound
                .as_ref()
                .is_some_and(|secret| credentials.check(method, message.body(), user, Secret::Bound(secret)))
    };
    if !holds(credentials, &method, user) {
        return explain_digest(check, at, credentials, user, holds).into();
    }
    check.nonces.proved.insert((user.to_owned(), credentials.realm.to_owned()));
    let used = check.nonces.used.get(&(credentials.nonce, credentials.nc)).copied();
    if let (Some(used), Some(_)) = (used, credentials.qop) {
        let cause = Cause::Replayed { number: Some(used + 1) };
        let difference = Difference::new(Spot::Parameter("nc"), cause);
        return Difference { found: Some(credentials.nc.to_owned()), ..difference }.into();
    }
    check.nonces.used.insert((credentials.nonce, credentials.nc), at);
    check.sessions.prove_digest(at);
    Finding::Holds(Proof::Digest { user: user.to_owned() })
}

/// Tries the parameters one by one with what they ought to be.
fn explain_digest(
    check: &Check<'_, '_>,
    at: usize,
    credentials: &DigestCredentials<'_>,
    user: &str,
    holds: impl Fn(&DigestCredentials<'_>, &str, &str) -> bool,
) -> Difference {
    let message = &check.recorded(at).message;
    let method = message.method().map_or("", |method| method.as_str());
    let counts: Vec<String> = (0..TRIED).map(|count| format!("{count:08x}")).collect();
    let variants = variants(check, credentials, message.request_uri().unwrap_or_default(), &counts);
    if let Some((difference, _)) = variants.into_iter().find(|(_, other)| holds(other, method, user)) {
        return difference;
    }
    if let Some(other) = METHODS.iter().find(|other| holds(credentials, other, user)) {
        return altered("method", other, method);
    }
    if check.nonces.proved.contains(&(user.to_owned(), credentials.realm.to_owned())) {
        let suspects = vec!["username", "cnonce", "response"];
        return Difference::new(Spot::Parameter("response"), Cause::Unexplained { suspects });
    }
    let answered = check.conversation.answer_to(at);
    let status = answered.and_then(|answer| check.recorded(answer).message.status());
    let server_accepted = status.is_some_and(|status| (200..400).contains(&status));
    Difference::new(Spot::Parameter("response"), Cause::WrongPassword { server_accepted })
}

/// The credentials with one parameter changed, each with what that would mean.
fn variants<'a>(
    check: &'a Check<'_, '_>,
    sent: &DigestCredentials<'a>,
    uri: &'a str,
    counts: &'a [String],
) -> Vec<(Difference, DigestCredentials<'a>)> {
    let mut variants = vec![(altered("uri", uri, sent.uri), with(sent, |other| other.uri = uri))];
    for (&nonce, &realm) in check.nonces.given.iter().take(TRIED) {
        variants.push((altered("realm", realm, sent.realm), with(sent, |other| other.realm = realm)));
        let nonces = Difference::new(Spot::Parameter("nonce"), Cause::Altered);
        variants.push((nonces, with(sent, |other| other.nonce = nonce)));
    }
    for nc in counts {
        variants.push((altered("nc", nc, sent.nc), with(sent, |other| other.nc = nc)));
    }
    for algorithm in ALGORITHMS.into_iter().filter_map(Algorithm::parse) {
        let difference = altered("algorithm", algorithm.name(), sent.algorithm.name());
        variants.push((difference, with(sent, |other| other.algorithm = algorithm)));
    }
    for qop in [None, Some(Qop::Auth), Some(Qop::AuthInt)] {
        let word = |qop: Option<Qop>| qop.map_or("none", Qop::name);
        variants.push((altered("qop", word(qop), word(sent.qop)), with(sent, |other| other.qop = qop)));
    }
    variants
}

/// Judges the proof that a Digest server gives back (RFC 7616 3.5).
pub(super) fn info<'r>(check: &mut Check<'_, 'r>, at: usize, auth: &Auth<'r>, findings: &mut Vec<Finding>) {
    if let (Some(next), Some(realm)) = (auth.param("nextnonce"), check.nonces.given.values().next().copied())
    {
        check.nonces.given.insert(next, realm);
    }
    let Some(given) = auth.param("rspauth") else { return };
    if hides(check.recording.kind, given) {
        findings.push(Obstacle::Masked.into());
        return;
    }
    let conversation = check.conversation;
    let asked = conversation.request_of(at).and_then(|request| {
        let answer = conversation.parts[request].iter().find(|part| part.auth.is("Digest"))?;
        let credentials = DigestCredentials::parse(&answer.auth).ok()?;
        let user = digest_user(check, request, &credentials)?;
        Some((request, credentials, user))
    });
    let Some((request, credentials, user)) = asked else {
        findings.push(Obstacle::NoLogOn { opaque: String::new() }.into());
        return;
    };
    let first_cnonce = check.nonces.first.get(credentials.nonce).copied().unwrap_or(credentials.cnonce);
    let bound = bound(check, &credentials, &user, first_cnonce);
    let mut input = DigestInput {
        algorithm: credentials.algorithm,
        user: &user,
        realm: &digest::unescape(credentials.realm),
        secret: Secret::Password(check.password),
        method: "",
        uri: credentials.uri,
        nonce: credentials.nonce,
        nc: auth.param("nc").unwrap_or(credentials.nc),
        cnonce: auth.param("cnonce").unwrap_or(credentials.cnonce),
        qop: auth.param("qop").and_then(Qop::choose).or(credentials.qop),
        body: check.recorded(at).message.body(),
    };
    let mut holds = digest::verify(&input, given);
    if let (false, Some(secret)) = (holds, &bound) {
        input.secret = Secret::Bound(secret);
        holds = digest::verify(&input, given);
    }
    findings.push(match (holds, check.sessions.is_digest_proved(request)) {
        (true, _) => Finding::Holds(Proof::DigestServer),
        (false, true) => {
            let suspects = vec!["rspauth", "nc", "cnonce"];
            Difference::new(Spot::Parameter("rspauth"), Cause::Unexplained { suspects }).into()
        }
        (false, false) => Obstacle::AfterToken { number: request + 1 }.into(),
    });
}

/// The secret of a `-sess` session that began with another client nonce.
fn bound(
    check: &Check<'_, '_>,
    credentials: &DigestCredentials<'_>,
    user: &str,
    cnonce: &str,
) -> Option<HashedSecret> {
    if !credentials.algorithm.session || cnonce == credentials.cnonce {
        return None;
    }
    let realm = digest::unescape(credentials.realm);
    let base = HashedSecret::new(credentials.algorithm, user, &realm, check.password);
    Some(base.bound(credentials.algorithm, credentials.nonce, cnonce))
}

/// The user's name; where it is hashed, that of From if it has that hash.
fn digest_user(check: &Check<'_, '_>, at: usize, credentials: &DigestCredentials<'_>) -> Option<String> {
    if !credentials.userhash {
        return Some(digest::unescape(credentials.username).into_owned());
    }
    let message = &check.recorded(at).message;
    let from: NameAddr<'_> = message.from().ok()?;
    let address = from.uri_str();
    let address = address.split_once(':').map_or(address, |(_, behind)| behind);
    let name = address.split('@').next().unwrap_or_default();
    [name, address].into_iter().find(|user| credentials.is_from(user)).map(str::to_owned)
}

fn with<'a>(
    sent: &DigestCredentials<'a>,
    change: impl FnOnce(&mut DigestCredentials<'a>),
) -> DigestCredentials<'a> {
    let mut other = *sent;
    change(&mut other);
    other
}

fn altered(name: &'static str, expected: &str, found: &str) -> Difference {
    Difference::new(Spot::Parameter(name), Cause::Altered).with(expected, found)
}

/// How many nonces and counts are tried.
const TRIED: usize = 64;
const ALGORITHMS: [&str; 6] =
    ["MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess", "SHA-512-256-sess"];
const METHODS: [&str; 15] = [
    "REGISTER",
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "SUBSCRIBE",
    "NOTIFY",
    "MESSAGE",
    "INFO",
    "UPDATE",
    "REFER",
    "PRACK",
    "PUBLISH",
    "SERVICE",
];
