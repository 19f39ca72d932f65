//! Judges NTLM tokens: the challenge, and the answer recomputed from the password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing::offline::Auth;
use homing::offline::ntlm::av_pair::{self, AvPairs};
use homing::offline::ntlm::flags;
use homing::offline::ntlm::message::Challenge as ChallengeToken;
use homing::offline::ntlm::review::{self, Answer, Recomputed, ReviewKeys};
use homing::offline::security_association::Version;

use super::sessions::{Association, Challenge};
use super::signature_buffer::{Stamped, join};
use super::state::{Check, hides};
use crate::verify::conversation::Role;
use crate::verify::report::{Cause, Difference, Finding, Note, Obstacle, Proof, Spot};

/// An answer with the challenge it belongs to.
struct Handshake<'a> {
    at: usize,
    opaque: &'a str,
    answer: Answer<'a>,
    challenge: &'a [u8],
    offer: ChallengeToken<'a>,
}

/// Keeps a challenge for the answer to it.
pub(super) fn challenge<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    auth: &Auth<'r>,
    findings: &mut Vec<Finding>,
) {
    let token = auth.param("gssapi-data").unwrap_or_default();
    if auth.conflicting() {
        findings.push(Difference::new(Spot::Token, Cause::Conflicting).into());
        return;
    }
    if !auth.is("NTLM") || hides(check.recording.kind, token) {
        // Said where the answer stands: one reason per association is enough.
        return;
    }
    let decoded = STANDARD.decode(token).ok();
    let offer = decoded.as_deref().and_then(ChallengeToken::parse);
    let (Some(token), Some(offer)) = (&decoded, offer) else {
        findings.push(Difference::new(Spot::Token, Cause::Malformed).into());
        return;
    };
    if let Some(lacking) = flags::missing(offer.flags) {
        findings.push(Note::Weak(lacking).into());
    }
    if let Some(opaque) = auth.param("opaque") {
        let challenge = Challenge {
            at,
            link: check.recorded(at).link,
            realm: auth.param("realm").unwrap_or_default(),
            targetname: auth.param("targetname").unwrap_or_default(),
            version: Version::of(auth).unwrap_or(Version::V4),
            token: token.clone(),
        };
        check.sessions.add_challenge(opaque, challenge);
    }
}

/// Judges the answer to a challenge.
pub(super) fn answer<'r>(check: &mut Check<'_, 'r>, at: usize, auth: &Auth<'r>, findings: &mut Vec<Finding>) {
    let opaque = auth.param("opaque").unwrap_or_default();
    let keys = keys(check, at, auth, findings);
    let link = check.recorded(at).link;
    let proved = keys.is_ok();
    let association = match check.sessions.challenge(opaque, link) {
        Some(challenge) => {
            for (parameter, expected) in [("targetname", challenge.targetname), ("realm", challenge.realm)] {
                let found = auth.param(parameter).unwrap_or_default();
                if proved && !found.eq_ignore_ascii_case(expected) {
                    let (expected, found) = (expected.to_owned(), found.to_owned());
                    findings.push(Note::NamedOtherwise { parameter, expected, found }.into());
                }
            }
            Association::new(challenge, opaque, link, keys)
        }
        None => {
            let unseen = Challenge {
                at,
                link,
                realm: auth.param("realm").unwrap_or_default(),
                targetname: auth.param("targetname").unwrap_or_default(),
                version: Version::of(auth).unwrap_or(Version::V4),
                token: Vec::new(),
            };
            Association::new(&unseen, opaque, link, keys)
        }
    };
    check.sessions.add_association(association);
    if proved {
        check.sessions.prove(at);
        let answer = check.conversation.answer_to(at);
        let status = answer.and_then(|answer| check.recorded(answer).message.status()).unwrap_or_default();
        let refused = answer.is_some_and(|answer| check.conversation.has(answer, Role::Offer));
        if (refused && matches!(status, 401 | 407)) || status == 403 {
            findings.push(Note::RefusedAlthoughRight { status }.into());
        }
    }
}

/// Judges the token and gives the keys that follow from it.
fn keys<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    auth: &Auth<'r>,
    findings: &mut Vec<Finding>,
) -> Result<ReviewKeys, Obstacle> {
    let mut open = |obstacle: Obstacle| {
        findings.push(obstacle.clone().into());
        Err(obstacle)
    };
    let text = auth.param("gssapi-data").unwrap_or_default();
    let opaque = auth.param("opaque").unwrap_or_default();
    if !auth.is("NTLM") {
        return open(Obstacle::Scheme(auth.scheme.to_owned()));
    }
    if hides(check.recording.kind, text) {
        return open(Obstacle::Masked);
    }
    let after = Obstacle::AfterToken { number: at + 1 };
    let mut differs = |cause| {
        findings.push(Difference::new(Spot::Token, cause).into());
        Err(after.clone())
    };
    if auth.conflicting() {
        return differs(Cause::Conflicting);
    }
    let Ok(token) = STANDARD.decode(text) else { return differs(Cause::Malformed) };
    let Some(answer) = Answer::parse(&token) else { return differs(Cause::Malformed) };
    if !answer.is_version_2() {
        return differs(Cause::TooWeak);
    }
    let Some(challenge) = check.sessions.challenge(opaque, check.recorded(at).link) else {
        let obstacle = Obstacle::NoChallenge { opaque: opaque.to_owned() };
        findings.push(obstacle.clone().into());
        return Err(obstacle);
    };
    let challenge = &challenge.token;
    let Some(offer) = ChallengeToken::parse(challenge) else { return differs(Cause::Malformed) };
    judge(check, &Handshake { at, opaque, answer, challenge, offer }, findings).ok_or(after)
}

fn judge(check: &Check<'_, '_>, shake: &Handshake<'_>, findings: &mut Vec<Finding>) -> Option<ReviewKeys> {
    let Handshake { answer, offer, .. } = shake;
    let domain = answer.domain();
    let nonce = &offer.server_challenge;
    let as_sent = answer.recompute(nonce, &domain, check.password)?;
    let recomputed = if as_sent.fits() {
        as_sent
    } else {
        match answer.recompute(nonce, "", check.password).filter(Recomputed::fits) {
            Some(with_nil) => {
                findings.push(Note::NilDomain.into());
                with_nil
            }
            None => {
                let (difference, keys) = explain(check, shake, &as_sent);
                findings.push(difference.into());
                return keys;
            }
        }
    };
    if recomputed.lm_fits() == Some(false) {
        findings.push(Note::LmResponse.into());
    }
    let Some(keys) = answer.keys(&recomputed, review::Proof::Sent) else {
        let length = answer.session_key_len();
        let difference = Difference::new(Spot::SessionKey, Cause::Malformed);
        findings.push(difference.with("16 bytes", format!("{length} bytes")).into());
        return None;
    };
    if let Some(difference) = mic(shake, &keys) {
        findings.push(difference.into());
        return Some(keys);
    }
    if let Some(difference) = attributes(shake, Cause::Altered) {
        findings.push(difference.into());
        return Some(keys);
    }
    if time_offered(shake).is_some_and(|offered| answer.timestamp() != Some(offered)) {
        findings.push(Note::OwnTime.into());
    }
    let mic = answer.announces_mic();
    findings.push(Finding::Holds(Proof::Token { user: answer.user(), domain, mic }));
    Some(keys)
}

/// Why a proof does not fit: another challenge, another domain, damage, or the password.
fn explain(
    check: &Check<'_, '_>,
    shake: &Handshake<'_>,
    found: &Recomputed,
) -> (Difference, Option<ReviewKeys>) {
    let answer = &shake.answer;
    let keys_of = |found: &Recomputed| answer.keys(found, review::Proof::Sent);
    for other in check.sessions.challenges.iter().rev().take(OTHER_CHALLENGES) {
        let Some(offer) = ChallengeToken::parse(&other.token) else { continue };
        let fitting = answer.recompute(&offer.server_challenge, &answer.domain(), check.password);
        if let Some(fitting) = fitting.filter(Recomputed::fits) {
            let cause = Cause::OtherChallenge { number: other.at + 1 };
            return (Difference::new(Spot::ServerChallenge, cause), keys_of(&fitting));
        }
    }
    for domain in domains(shake) {
        let fitting = answer.recompute(&shake.offer.server_challenge, &domain, check.password);
        if let Some(fitting) = fitting.filter(Recomputed::fits) {
            let difference = Difference::new(Spot::Domain, Cause::Altered).with(domain, answer.domain());
            return (difference, keys_of(&fitting));
        }
    }
    if let Some(keys) = answer.keys(found, review::Proof::Due).filter(|keys| confirmed(check, shake, keys)) {
        let (first, bytes) = found.difference().unwrap_or_default();
        return (Difference::new(Spot::NtProof, Cause::SignatureAltered { first, bytes }), Some(keys));
    }
    if let Some(keys) = answer.keys(found, review::Proof::Sent).filter(|keys| confirmed(check, shake, keys)) {
        let altered = attributes(shake, Cause::Altered);
        let altered = altered.unwrap_or_else(|| Difference::new(Spot::ProofInput, Cause::Altered));
        return (altered, Some(keys));
    }
    let answered = check.conversation.answer_to(shake.at);
    let status = answered.and_then(|answer| check.recorded(answer).message.status());
    let server_accepted = status.is_some_and(|status| (200..400).contains(&status));
    (Difference::new(Spot::NtProof, Cause::WrongPassword { server_accepted }), None)
}

/// Other ways to write the domain, as people type them.
fn domains(shake: &Handshake<'_>) -> Vec<String> {
    let sent = shake.answer.domain();
    let offered = AvPairs::new(shake.offer.target_info).flatten();
    let names = [av_pair::NETBIOS_DOMAIN, av_pair::DNS_DOMAIN, av_pair::NETBIOS_COMPUTER];
    let mut domains: Vec<String> = offered
        .filter(|pair| names.contains(&pair.id))
        .map(|pair| {
            let units: Vec<u16> =
                pair.value.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
            String::from_utf16_lossy(&units)
        })
        .collect();
    domains.extend([sent.to_uppercase(), sent.to_lowercase()]);
    domains.retain(|domain| *domain != sent);
    domains.truncate(8);
    domains
}

/// True if the message check, or the next signature of the association, confirms these keys.
fn confirmed(check: &Check<'_, '_>, shake: &Handshake<'_>, keys: &ReviewKeys) -> bool {
    if keys.mic_fits(shake.challenge, &shake.answer) == Some(true) {
        return true;
    }
    let Some((at, signature)) = check.conversation.signed_next(shake.opaque, shake.at) else {
        return false;
    };
    let side = match signature.role {
        Role::ServerSignature => homing::offline::ntlm::Side::Server,
        _ => homing::offline::ntlm::Side::Client,
    };
    let message = &check.recorded(at).message;
    [Version::V4, Version::V2].into_iter().any(|version| {
        let Some(stamped) = Stamped::read(&signature.auth, side, signature.auth.scheme) else {
            return false;
        };
        let Ok(elements) = stamped.elements(message, version) else { return false };
        keys.verify(side, &join(&elements), &stamped.mac)
    })
}

/// The message check, if there is something wrong with it.
fn mic(shake: &Handshake<'_>, keys: &ReviewKeys) -> Option<Difference> {
    if !shake.answer.announces_mic() {
        return None;
    }
    match keys.mic_fits(shake.challenge, &shake.answer) {
        Some(true) => None,
        Some(false) => Some(Difference::new(Spot::Mic, Cause::Altered)),
        None => Some(Difference::new(Spot::Mic, Cause::Missing)),
    }
}

/// The first attribute of the server's list that the client did not send back unchanged.
fn attributes(shake: &Handshake<'_>, cause: Cause) -> Option<Difference> {
    let returned: Vec<_> = shake.answer.attributes().flatten().take(64).collect();
    AvPairs::new(shake.offer.target_info).flatten().take(64).find_map(|offered| {
        let kept = offered.id == av_pair::FLAGS || returned.contains(&offered);
        (!kept).then(|| Difference::new(Spot::Attribute(offered.id), cause.clone()))
    })
}

/// The server's time, as FILETIME.
fn time_offered(shake: &Handshake<'_>) -> Option<u64> {
    let pair = AvPairs::new(shake.offer.target_info).flatten().find(|pair| pair.id == av_pair::TIMESTAMP)?;
    Some(u64::from_le_bytes(pair.value.try_into().ok()?))
}

/// How many other challenges are tried.
const OTHER_CHALLENGES: usize = 32;
