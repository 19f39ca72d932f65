//! What this user agent answers to requests that belong to no call, and how it refuses those that do.

use homing_wire::{Builder, Message, Method, Name, reason_phrase};

use crate::config::AccountConfig;
use crate::registration_notify::is_registration_notify;

/// What a user agent takes and knows, as its answers say.
#[derive(Debug)]
pub(crate) struct Abilities {
    /// The methods, for Allow.
    pub(crate) allow: &'static str,
    /// Option tags a request may require.
    known: &'static [&'static str],
    /// Option tags that an answer to OPTIONS lists.
    supported: &'static str,
}

impl Abilities {
    /// Those of an account.
    pub(crate) fn of(config: &AccountConfig) -> &'static Self {
        if config.calls.is_some() { &WITH_CALLS } else { &WITHOUT_CALLS }
    }
}

/// Those of an account that makes no calls.
pub(crate) const WITHOUT_CALLS: Abilities = Abilities {
    allow: "ACK, CANCEL, NOTIFY, BENOTIFY, OPTIONS",
    known: &["gruu-10", "path", "outbound"],
    supported: "gruu-10, path, outbound",
};

/// Those of an account that does.
pub(crate) const WITH_CALLS: Abilities = Abilities {
    allow: "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS, NOTIFY, BENOTIFY",
    known: &["gruu-10", "path", "outbound", "100rel", "timer"],
    supported: "gruu-10, path, outbound, 100rel, timer",
};

/// A response that a request gets for what it is, whatever its method would bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    /// What is wrong with it; may be empty.
    why: &'static str,
    /// Seconds, in the header that goes with the status: Retry-After of 500, Min-SE of 422.
    seconds: u32,
}

impl Refusal {
    /// That status, with a Warning if `why` says something.
    pub(crate) fn new(status: u16, why: &'static str) -> Self {
        Self { status, why, seconds: 0 }
    }

    /// 500: not now, but in so many seconds.
    pub(crate) fn not_now(seconds: u32) -> Self {
        Self { seconds, ..Self::new(500, "") }
    }

    /// 422: a session interval of at least so many seconds, please (RFC 4028 section 5).
    pub(crate) fn too_brief(seconds: u32) -> Self {
        Self { seconds, ..Self::new(422, "") }
    }
}

/// What a user agent must object to in a request before it looks at its method (RFC 3261 section 8.2).
pub(crate) fn objection(request: &Message, abilities: &Abilities) -> Option<Refusal> {
    let finding = request.validate().into_iter().next();
    let unreadable = finding.map(|finding| Refusal::new(finding.status, finding.why));
    unreadable.or_else(|| {
        let mut unknown = request.unsupported(Name::Require, abilities.known);
        unknown.next().map(|_| Refusal::new(420, ""))
    })
}

/// The response that a refusal is; none where the method takes none.
pub(crate) fn refuse(
    request: &Message,
    refusal: Refusal,
    to_tag: &str,
    abilities: &Abilities,
) -> Option<Message> {
    let Refusal { status, why, seconds } = refusal;
    if matches!(request.method(), Some(Method::Ack | Method::Benotify)) {
        return None;
    }
    let response = Builder::reply_to(request, status, reason_phrase(status)).to_tag(to_tag);
    let response = match status {
        405 => response.header(Name::Allow, abilities.allow),
        415 if request.method() == Some(Method::Info) => {
            response.header(Name::Accept, INFO_BODIES.join(", "))
        }
        415 => response.header(Name::Accept, "application/sdp"),
        420 => {
            let unknown: Vec<&str> = request.unsupported(Name::Require, abilities.known).collect();
            response.header(Name::Unsupported, unknown.join(", "))
        }
        422 => response.header(Name::MinSe, seconds),
        500 if seconds > 0 => response.header(Name::RetryAfter, seconds),
        _ if !why.is_empty() => response.header(Name::Warning, format_args!("399 homing \"{why}\"")),
        _ => response,
    };
    Some(response.message())
}

/// The answer to a request that proved good and that nothing is objected to; none where the method takes none.
pub(crate) fn answer(request: &Message, to_tag: &str, abilities: &Abilities) -> Option<Message> {
    let status = verdict(request, abilities)?;
    let mut response = Builder::reply_to(request, status, reason_phrase(status)).to_tag(to_tag);
    let is_options = status == 200 && request.method() == Some(Method::Options);
    if is_options || status == 405 {
        response = response.header(Name::Allow, abilities.allow);
    }
    if is_options {
        response =
            response.header(Name::Accept, "application/sdp").header(Name::Supported, abilities.supported);
    }
    Some(response.message())
}

fn verdict(request: &Message, abilities: &Abilities) -> Option<u16> {
    let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
    let takes_calls = abilities.known.contains(&"100rel");
    Some(match request.method()? {
        Method::Ack | Method::Benotify => return None,
        Method::Notify if is_registration_notify(request) => 200,
        Method::Options if !in_dialog => 200,
        Method::Notify | Method::Cancel => 481,
        // They exist in a dialog alone, and this one is not known.
        Method::Bye | Method::Prack | Method::Update | Method::Info if takes_calls => 481,
        Method::Other(_) => 501,
        Method::Refer if takes_calls => 405,
        _ if in_dialog => 481,
        _ => 405,
    })
}

/// Bodies of INFO that are told.
pub(crate) const INFO_BODIES: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];
