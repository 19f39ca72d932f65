//! What this user agent answers to requests from its home server while it makes no calls.

use homing_wire::{Builder, Message, Method, Name, reason_phrase};

use crate::registration_notify::is_registration_notify;

/// The methods this user agent takes outside a call.
pub(crate) const ALLOW: &str = "ACK, CANCEL, NOTIFY, BENOTIFY, OPTIONS";

/// A response that a request gets for what it is, whatever its method would bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    /// What is wrong with it; may be empty.
    why: &'static str,
}

impl Refusal {
    /// That status, with a Warning if `why` says something.
    pub(crate) fn new(status: u16, why: &'static str) -> Self {
        Self { status, why }
    }
}

/// What a user agent must object to in a request before it looks at its method (RFC 3261 section 8.2).
pub(crate) fn objection(request: &Message) -> Option<Refusal> {
    let finding = request.validate().into_iter().next();
    let unreadable = finding.map(|finding| Refusal::new(finding.status, finding.why));
    unreadable.or_else(|| {
        let mut unknown = request.unsupported(Name::Require, &KNOWN_OPTIONS);
        unknown.next().map(|_| Refusal::new(420, ""))
    })
}

/// The response that a refusal is; none where the method takes none.
pub(crate) fn refuse(request: &Message, refusal: Refusal, to_tag: &str) -> Option<Message> {
    let Refusal { status, why } = refusal;
    if matches!(request.method(), Some(Method::Ack | Method::Benotify)) {
        return None;
    }
    let mut response = Builder::reply_to(request, status, reason_phrase(status)).to_tag(to_tag);
    if status == 420 {
        let unknown: Vec<&str> = request.unsupported(Name::Require, &KNOWN_OPTIONS).collect();
        response = response.header(Name::Unsupported, unknown.join(", "));
    } else if !why.is_empty() {
        response = response.header(Name::Warning, format_args!("399 homing \"{why}\""));
    }
    Some(response.message())
}

/// The answer to a request that proved good and that nothing is objected to; none where the method takes none.
pub(crate) fn answer(request: &Message, to_tag: &str) -> Option<Message> {
    let status = verdict(request)?;
    let mut response = Builder::reply_to(request, status, reason_phrase(status)).to_tag(to_tag);
    let is_options = status == 200 && request.method() == Some(Method::Options);
    if is_options || status == 405 {
        response = response.header(Name::Allow, ALLOW);
    }
    if is_options {
        response = response
            .header(Name::Accept, "application/sdp")
            .header(Name::Supported, "gruu-10, path, outbound");
    }
    Some(response.message())
}

fn verdict(request: &Message) -> Option<u16> {
    let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
    Some(match request.method()? {
        Method::Ack | Method::Benotify => return None,
        Method::Notify if is_registration_notify(request) => 200,
        Method::Options if !in_dialog => 200,
        Method::Notify | Method::Cancel => 481,
        Method::Other(_) => 501,
        _ if in_dialog => 481,
        _ => 405,
    })
}

/// Option tags a request may require of us.
const KNOWN_OPTIONS: [&str; 3] = ["gruu-10", "path", "outbound"];
