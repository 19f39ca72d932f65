//! The reviewer: follows challenges, answers and signatures of a recording as both ends had to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homing::Password;
use homing::offline::ntlm::Side;
use homing::offline::ntlm::message::Challenge;
use homing::offline::ntlm::review::{Answer, Proof, ReviewKeys};
use homing::offline::security_association::{Stamp, Version};
use homing::offline::{Auth, Message, Name};

use crate::verify::{Recorded, suspect};

/// Reads a recording in order.
pub(crate) struct Reviewer {
    password: Password,
    sessions: Vec<Session>,
}

/// What was found out about one element of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) place: String,
    /// `REGISTER` or `200`.
    pub(crate) message: String,
    /// `proof`, `lm`, `mic`, `key` or `signature`.
    pub(crate) what: &'static str,
    pub(crate) outcome: Outcome,
}

/// How it compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fits(String),
    /// The first element that differs, and how.
    Differs {
        element: String,
        text: String,
    },
    /// It cannot be recomputed from this recording.
    Unknown(String),
}

/// One security association as it comes into being.
struct Session {
    realm: String,
    targetname: String,
    opaque: String,
    version: Version,
    challenge: Option<Vec<u8>>,
    keys: Option<ReviewKeys>,
}

impl Reviewer {
    /// Nothing read yet.
    pub(crate) fn new(password: Password) -> Self {
        Self { password, sessions: Vec::new() }
    }

    /// Takes one message; every token and signature in it is judged.
    pub(crate) fn review(&mut self, recorded: &Recorded) -> Vec<Finding> {
        let Ok(message) = Message::parse(recorded.bytes.clone()) else { return Vec::new() };
        let mut outcomes = Vec::new();
        for name in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
            for auth in message.auth(name).filter(|auth| auth.is("NTLM")) {
                self.take_challenge(&auth);
            }
        }
        for name in SIGNED_HEADERS {
            for auth in message.auth(name).filter(|auth| auth.is("NTLM")) {
                if message.is_request() {
                    self.judge_answer(&auth, &mut outcomes);
                }
                if let Some(outcome) = self.judge_signature(&message, &auth) {
                    outcomes.push(("signature", outcome));
                }
            }
        }
        let label = match (message.status(), message.method()) {
            (Some(status), _) => status.to_string(),
            (None, Some(method)) => method.to_string(),
            (None, None) => String::new(),
        };
        let finding = |(what, outcome)| Finding {
            place: recorded.place.clone(),
            message: label.clone(),
            what,
            outcome,
        };
        outcomes.into_iter().map(finding).collect()
    }

    /// A challenge names the association; one with a token begins it.
    fn take_challenge(&mut self, auth: &Auth<'_>) {
        let token = auth.param("gssapi-data").filter(|text| !text.is_empty());
        let session = Session {
            realm: auth.param("realm").unwrap_or_default().to_owned(),
            targetname: auth.param("targetname").unwrap_or_default().to_owned(),
            opaque: auth.param("opaque").unwrap_or_default().to_owned(),
            version: match auth.param("version") {
                Some("3") => Version::V3,
                Some("4") => Version::V4,
                _ => Version::V2,
            },
            challenge: token.and_then(|text| STANDARD.decode(text).ok()),
            keys: None,
        };
        if session.challenge.is_some() {
            self.sessions.push(session);
        }
    }

    /// The newest session that a header belongs to.
    fn session(&mut self, auth: &Auth<'_>) -> Option<&mut Session> {
        let target = auth.param("targetname").unwrap_or_default();
        let opaque = auth.param("opaque").filter(|opaque| !opaque.is_empty());
        self.sessions.iter_mut().rev().find(|session| match opaque {
            // Some peers write the target wrongly; what they were given back verbatim tells more.
            Some(opaque) if !session.opaque.is_empty() => opaque == session.opaque,
            _ => session.targetname.eq_ignore_ascii_case(target),
        })
    }

    fn judge_answer(&mut self, auth: &Auth<'_>, outcomes: &mut Vec<(&'static str, Outcome)>) {
        let Some(text) = auth.param("gssapi-data").filter(|text| !text.is_empty()) else { return };
        let password = self.password.clone();
        let unknown = |why: &str| ("proof", Outcome::Unknown(why.to_owned()));
        let Ok(token) = STANDARD.decode(text) else {
            return outcomes.push(unknown("the token is masked or not base64"));
        };
        let Some(answer) = Answer::parse(&token) else {
            return outcomes.push(unknown("the token is no AUTHENTICATE message"));
        };
        let Some(session) = self.session(auth) else {
            return outcomes.push(unknown("the challenge it answers is not in the recording"));
        };
        let challenge = session.challenge.clone().unwrap_or_default();
        let Some(asked) = Challenge::parse(&challenge) else {
            return outcomes.push(unknown("the challenge it answers is malformed"));
        };
        let who = format!("{}\\{}", answer.domain(), answer.user());
        // Servers try the domain of the message first and then none.
        let domains = [answer.domain(), String::new()];
        let tried =
            domains.iter().filter_map(|domain| answer.recompute(&asked.server_challenge, domain, &password));
        let mut tried: Vec<_> = tried.collect();
        let Some(best) =
            tried.iter().position(|made| made.fits()).or(if tried.is_empty() { None } else { Some(0) })
        else {
            return outcomes.push(unknown("the response is not of NTLMv2"));
        };
        let made = tried.swap_remove(best);
        outcomes.push(("proof", match made.difference() {
            None => Outcome::Fits(format!("NTLMv2 proof of {who}")),
            Some((first, count)) => Outcome::Differs {
                element: "NT proof".to_owned(),
                text: format!("{count} of 16 octets, from octet {first}: another password, user, domain or challenge"),
            },
        }));
        if made.lm_fits() == Some(false) {
            let text = "the LMv2 response is another one".to_owned();
            outcomes.push(("lm", Outcome::Differs { element: "LM response".to_owned(), text }));
        }
        let proof = if made.fits() { Proof::Sent } else { Proof::Due };
        let Some(keys) = answer.keys(&made, proof) else {
            let text = format!("{} octets instead of 16", answer.session_key_len());
            return outcomes.push(("key", Outcome::Differs { element: "session key".to_owned(), text }));
        };
        match keys.mic_fits(&challenge, &answer) {
            Some(true) => {
                outcomes.push(("mic", Outcome::Fits("message check over challenge and answer".to_owned())))
            }
            Some(false) if answer.announces_mic() => {
                let text = "challenge or answer were changed after it was computed".to_owned();
                outcomes.push(("mic", Outcome::Differs { element: "MIC".to_owned(), text }));
            }
            // The room may hold other things where no check is announced.
            Some(false) | None => {}
        }
        session.keys = Some(keys);
    }

    fn judge_signature(&mut self, message: &Message, auth: &Auth<'_>) -> Option<Outcome> {
        let (side, mac, salt, number) = match (auth.param("response"), auth.param("rspauth")) {
            (Some(mac), _) if auth.param("crand").is_some() => {
                (Side::Client, mac, auth.param("crand")?, auth.param("cnum")?)
            }
            (_, Some(mac)) => (Side::Server, mac, auth.param("srand")?, auth.param("snum")?),
            _ => return None,
        };
        let unknown = |why: &str| Some(Outcome::Unknown(why.to_owned()));
        let Some(mac) = hex16(mac) else {
            return unknown("the signature is masked or no 32 hexadecimal digits");
        };
        let Some(session) = self.session(auth) else {
            return unknown("the login of this association is not in the recording");
        };
        let Some(keys) = &session.keys else { return unknown("the keys of this association are not known") };
        let stamp = Stamp {
            scheme: "NTLM",
            salt,
            number,
            realm: auth.param("realm").unwrap_or(&session.realm),
            targetname: auth.param("targetname").unwrap_or(&session.targetname),
        };
        let check = |buffer: &[u8]| keys.verify(side, buffer, &mac);
        Some(suspect::judge(message, &stamp, session.version, check))
    }
}

fn hex16(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Where answers and signatures stand; the last two as the patent prints them.
const SIGNED_HEADERS: [Name<'static>; 5] = [
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::AuthenticationInfo,
    Name::ProxyAuthenticationInfo,
    Name::ProxyAuthenticate,
];
