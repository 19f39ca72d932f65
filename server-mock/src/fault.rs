//! Faults a node plays on purpose: every wrong redirect there is, and the ways a server fails.

use std::fmt;
use std::time::Duration;

use homing_wire::Message;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::node::endpoint::address;

/// One way for a server to misbehave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A 301 without a signature.
    #[serde(rename = "unsigned_301")]
    Unsigned301,
    /// A 301 with a wrong signature.
    #[serde(rename = "bad_signature_301")]
    BadSignature301,
    /// A 301 signed with another server's association.
    OtherServersSignature,
    /// A 301 whose good signature carries a counter that was used before.
    #[serde(rename = "replayed_301")]
    Replayed301,
    /// A 301 that was signed as a 302.
    StatusChanged,
    /// A 301 whose Contact was changed after signing.
    ContactChanged,
    /// A good 301 to the server itself.
    ToItself,
    /// A good 301 to the next of `n` servers in a ring; the estate puts it on all of them.
    Loop(u8),
    /// A good 301 to the next of `n` servers in a row; the estate puts it on all of them.
    Chain(u8),
    /// A good 301 to any host.
    RedirectTo {
        /// Host as it stands in the Contact.
        host: String,
        /// As it stands in the Contact.
        port: u16,
    },
    /// A good 301 that leads from TLS to TCP.
    TlsToTcp,
    /// A good 301 to a server of another domain.
    OtherDomain,
    /// A good 301 to an IP address.
    IpLiteral,
    /// A good 301 with an `maddr` parameter.
    Maddr,
    /// A good 301 without a Contact.
    NoContact,
    /// A good 301 with two Contacts, the better of which leads nowhere.
    TwoContactsFirstDead,
    /// A good 302 instead of a 301.
    #[serde(rename = "status_302")]
    Status302,
    /// No answer.
    Silence,
    /// The request waits before it is looked at.
    #[serde(with = "milliseconds")]
    Delay(Duration),
    /// Requests are lost, as if the network had dropped them.
    Drop(u32),
    /// A 503, signed where that is possible.
    #[serde(rename = "status_503")]
    Status503 {
        /// Seconds for Retry-After, if any.
        retry_after: Option<u32>,
    },
    /// A 500, signed where that is possible.
    #[serde(rename = "status_500")]
    Status500,
    /// The connection breaks off.
    Cut,
    /// Bytes that are no SIP.
    Garbage(u16),
    /// An answer whose CSeq is not the request's.
    #[serde(rename = "wrong_cseq")]
    WrongCSeq,
    /// A 200 without Expires and without an expiry in its Contact.
    NoExpires,
    /// A 200 that says the binding was lost (`register-action="added"` on a refresh).
    BindingLost,
    /// A challenge without end: credentials are never accepted.
    ChallengeForever,
    /// A 401 with this value of WWW-Authenticate, whatever was asked and shown.
    Challenge(String),
    /// Any answer at all, signed where the sender has an association.
    Respond(Respond),
}

/// An answer that a tester made up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// From 100 to 699.
    pub status: u16,
    /// The reason phrase; the usual one unless said.
    #[serde(default)]
    pub reason: Option<String>,
    /// Header fields, after those that every answer has.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Content-Type and body.
    #[serde(default)]
    pub body: Option<(String, String)>,
}

/// How often a fault is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For the next so many REGISTERs it applies to.
    Next(u32),
    /// Until it is taken away.
    Always,
}

/// A fault with its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is played.
    pub fault: Fault,
    /// How often.
    pub scope: Scope,
    /// Only to requests of this user, by From: `alice`, or `alice@network.com`.
    pub user: Option<String>,
    /// Only to requests with this method, `*` for all; REGISTER unless said.
    pub method: Option<String>,
}

/// A rule that could never be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// It needs the decision about a REGISTER.
    #[error("this fault is played to REGISTER only")]
    RegisterOnly,
    /// No status of SIP.
    #[error("a status lies between 100 and 699")]
    Status,
    /// A header field or a reason that would break the answer.
    #[error("a header field has a token for a name, and neither it nor a reason has line ends")]
    Header,
    /// It is played no time.
    #[error("a fault that is played 0 times is none")]
    NoTimes,
}

/// At which point of handling a request a fault is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// When the REGISTER arrives.
    Arrival,
    /// In place of challenge and credentials.
    Authentication,
    /// In place of the decision where the user belongs.
    Routing,
    /// In the final answer.
    Answer,
}

/// The faults a node has been told to play.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a fault; rules are asked in the order they were added.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Plays no more faults.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// True without faults.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault to play now at `stage` to `request`; uses up one of its times.
    pub(crate) fn take(&mut self, stage: Stage, request: &Message) -> Option<Fault> {
        let index = self.next(stage, request)?;
        let rule = &mut self.0[index];
        let fault = rule.fault.clone();
        match &mut rule.scope {
            Scope::Always => {}
            Scope::Next(left) => {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.0.remove(index);
                }
            }
        }
        Some(fault)
    }

    /// As [`take`](Self::take), if the next fault of that stage is `wanted`.
    pub(crate) fn take_if(&mut self, stage: Stage, request: &Message, wanted: &Fault) -> Option<Fault> {
        let next = self.next(stage, request)?;
        if self.0.get(next)?.fault == *wanted { self.take(stage, request) } else { None }
    }

    fn next(&self, stage: Stage, request: &Message) -> Option<usize> {
        self.0.iter().position(|rule| rule.fault.stage() == stage && rule.applies_to(request))
    }
}

impl Rule {
    /// The fault for the next REGISTER only. `Drop(n)` lasts for `n` of them.
    pub fn once(fault: Fault) -> Self {
        Self::next(1, fault)
    }

    /// The fault for the next `times` REGISTERs.
    pub fn next(times: u32, fault: Fault) -> Self {
        let times = if let Fault::Drop(count) = fault { times.saturating_mul(count) } else { times };
        Self { fault, scope: Scope::Next(times), user: None, method: None }
    }

    /// The fault until it is taken away.
    pub fn always(fault: Fault) -> Self {
        Self { fault, scope: Scope::Always, user: None, method: None }
    }
}

impl Rule {
    /// The same to requests of this user only.
    #[must_use]
    pub fn of(mut self, user: &str) -> Self {
        self.user = Some(user.to_ascii_lowercase());
        self
    }

    /// The same to requests with this method, or with any (`*`), instead of REGISTER.
    #[must_use]
    pub fn to_method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Finds what would keep it from ever being played.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn check(&self) -> Result<(), RuleError> {
        let register = self.method.as_deref().is_none_or(|method| method == REGISTER);
        if !register && !matches!(self.fault.stage(), Stage::Arrival) {
            return Err(RuleError::RegisterOnly);
        }
        if matches!(self.scope, Scope::Next(0)) {
            return Err(RuleError::NoTimes);
        }
        if let Fault::Respond(respond) = &self.fault {
            respond.check()?;
        }
        Ok(())
    }

    fn applies_to(&self, request: &Message) -> bool {
        let method = self.method.as_deref().unwrap_or(REGISTER);
        if method != "*" && request.method().is_none_or(|is| is.as_str() != method) {
            return false;
        }
        let Some(wanted) = &self.user else { return true };
        let from = request.from().ok().and_then(|from| address(&from));
        from.is_some_and(|from| {
            from == *wanted || from.split_once('@').is_some_and(|(user, _)| user == wanted)
        })
    }
}

impl Respond {
    /// An answer with this status and nothing else.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// The same with a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn check(&self) -> Result<(), RuleError> {
        if !(100..700).contains(&self.status) {
            return Err(RuleError::Status);
        }
        let token = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet))
        };
        let line = |text: &str| !text.chars().any(char::is_control);
        let headers = self.headers.iter().all(|(name, value)| token(name) && line(value));
        let kind = self.body.as_ref().is_none_or(|(kind, _)| line(kind));
        let sound = headers && kind && self.reason.as_deref().is_none_or(line);
        if sound { Ok(()) } else { Err(RuleError::Header) }
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Rule::once(fault)
    }
}

impl Fault {
    fn stage(&self) -> Stage {
        match self {
            Fault::Silence
            | Fault::Delay(_)
            | Fault::Drop(_)
            | Fault::Cut
            | Fault::Garbage(_)
            | Fault::Challenge(_)
            | Fault::Respond(_) => Stage::Arrival,
            Fault::ChallengeForever => Stage::Authentication,
            Fault::WrongCSeq | Fault::NoExpires | Fault::BindingLost => Stage::Answer,
            Fault::Unsigned301
            | Fault::BadSignature301
            | Fault::OtherServersSignature
            | Fault::Replayed301
            | Fault::StatusChanged
            | Fault::ContactChanged
            | Fault::ToItself
            | Fault::Loop(_)
            | Fault::Chain(_)
            | Fault::RedirectTo { .. }
            | Fault::TlsToTcp
            | Fault::OtherDomain
            | Fault::IpLiteral
            | Fault::Maddr
            | Fault::NoContact
            | Fault::TwoContactsFirstDead
            | Fault::Status302
            | Fault::Status503 { .. }
            | Fault::Status500 => Stage::Routing,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The value is long, and on the wire anyway.
            Fault::Challenge(_) => f.write_str("Challenge"),
            Fault::Respond(respond) => write!(f, "Respond({})", respond.status),
            other => write!(f, "{other:?}"),
        }
    }
}

/// What is played to unless said.
const REGISTER: &str = "REGISTER";

/// A duration as a number of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, user: &str) -> Message {
        let text = format!(
            "{method} sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n\
             From: <sip:{user}@network.com>;tag=1\r\nTo: <sip:a@network.com>\r\nCall-ID: c\r\n\
             CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(bytes::Bytes::from(text)).unwrap()
    }

    #[test]
    fn a_rule_is_played_to_its_user_and_method_only() {
        let played = |rule: Rule, method: &str, user: &str| {
            let mut rules = Rules::default();
            rules.add(rule);
            rules.take(Stage::Arrival, &request(method, user)).is_some()
        };
        let silence = || Rule::always(Fault::Silence);
        assert!(played(silence(), "REGISTER", "bob") && !played(silence(), "MESSAGE", "bob"));
        assert!(played(silence().to_method("MESSAGE"), "MESSAGE", "bob"));
        assert!(!played(silence().to_method("MESSAGE"), "REGISTER", "bob"));
        assert!(played(silence().to_method("*"), "SUBSCRIBE", "bob"));
        assert!(played(silence().of("Alice"), "REGISTER", "alice"));
        assert!(played(silence().of("alice@network.com"), "REGISTER", "alice"));
        assert!(!played(silence().of("alice"), "REGISTER", "bob"));
    }

    #[test]
    fn a_rule_that_could_never_be_played_is_refused() {
        let of = |fault: Fault| Rule::once(fault).check();
        assert_eq!(of(Fault::Silence), Ok(()));
        let respond = Respond::status(486).header("X-Reason", "busy");
        assert_eq!(of(Fault::Respond(respond.clone())), Ok(()));
        assert_eq!(of(Fault::Respond(Respond::status(99))), Err(RuleError::Status));
        assert_eq!(of(Fault::Respond(respond.clone().header("A b", ""))), Err(RuleError::Header));
        assert_eq!(of(Fault::Respond(respond.header("A", "x\r\nB: y"))), Err(RuleError::Header));
        assert_eq!(Rule::next(0, Fault::Silence).check(), Err(RuleError::NoTimes));
        let routed = Rule::once(Fault::Unsigned301).to_method("MESSAGE");
        assert_eq!(routed.check(), Err(RuleError::RegisterOnly));
    }

    #[test]
    fn faults_are_written_as_words_or_with_their_values() {
        let read = |text: &str| serde_json::from_str::<Fault>(text).unwrap();
        assert_eq!(read("\"silence\""), Fault::Silence);
        assert_eq!(read("{\"delay\":250}"), Fault::Delay(Duration::from_millis(250)));
        assert_eq!(read("{\"status_503\":{\"retry_after\":5}}"), Fault::Status503 { retry_after: Some(5) });
        assert_eq!(read("{\"respond\":{\"status\":486}}"), Fault::Respond(Respond::status(486)));
        for fault in
            [Fault::WrongCSeq, Fault::Unsigned301, Fault::Delay(Duration::from_secs(1)), Fault::Loop(2)]
        {
            assert_eq!(read(&serde_json::to_string(&fault).unwrap()), fault);
        }
    }

    #[test]
    fn a_rule_is_used_up_and_only_at_its_stage() {
        let request = request("REGISTER", "alice");
        let mut rules = Rules::default();
        rules.add(Rule::next(2, Fault::Unsigned301));
        rules.add(Rule::once(Fault::Drop(3)));
        rules.add(Rule::always(Fault::WrongCSeq));
        assert_eq!(rules.take(Stage::Authentication, &request), None);
        for _ in 0..2 {
            assert_eq!(rules.take(Stage::Routing, &request), Some(Fault::Unsigned301));
        }
        assert_eq!(rules.take(Stage::Routing, &request), None);
        let drops = std::iter::from_fn(|| rules.take(Stage::Arrival, &request)).count();
        assert_eq!(drops, 3);
        assert!((0..9).all(|_| rules.take(Stage::Answer, &request) == Some(Fault::WrongCSeq)));
    }
}
