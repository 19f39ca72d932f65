//! What this user agent answers to requests from its home server while it makes no calls.

use homing_wire::{Builder, Message, Method, Name};

use super::registration_notify::is_registration_notify;

/// The methods this user agent takes outside a call.
pub(crate) const ALLOW: &str = "ACK, CANCEL, NOTIFY, BENOTIFY, OPTIONS";

/// The answer to a request that proved good; `None` where the method takes none.
pub(crate) fn answer(request: &Message, to_tag: &str) -> Option<(u16, Message)> {
    let (status, reason) = verdict(request)?;
    let mut response = Builder::reply_to(request, status, reason).to_tag(to_tag);
    if status == 200 && request.method() == Some(Method::Options) || status == 405 {
        response = response.header(Name::Allow, ALLOW);
    }
    if status == 200 && request.method() == Some(Method::Options) {
        response = response
            .header(Name::Accept, "application/sdp")
            .header(Name::Supported, "gruu-10, path, outbound");
    }
    Message::parse(response.finish()).ok().map(|response| (status, response))
}

/// The answer to a request a user agent must object to (RFC 3261 section 8.2).
pub(crate) fn objection(request: &Message, status: u16, why: &str, to_tag: &str) -> Message {
    let mut response = Builder::reply_to(request, status, phrase(status)).to_tag(to_tag);
    if status == 420 {
        let known: Vec<&str> = request.unsupported(Name::Require, &KNOWN_OPTIONS).collect();
        response = response.header(Name::Unsupported, known.join(", "));
    } else if !why.is_empty() {
        response = response.header(Name::Warning, format_args!("399 homing \"{why}\""));
    }
    let finished = response.finish();
    Message::parse(finished).unwrap_or_else(|_| request.clone())
}

fn verdict(request: &Message) -> Option<(u16, &'static str)> {
    let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
    Some(match request.method()? {
        Method::Ack | Method::Benotify => return None,
        Method::Notify if is_registration_notify(request) => (200, "OK"),
        Method::Options if !in_dialog => (200, "OK"),
        Method::Notify | Method::Cancel => (481, phrase(481)),
        Method::Other(_) => (501, phrase(501)),
        _ if in_dialog => (481, phrase(481)),
        _ => (405, phrase(405)),
    })
}

fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        _ => "Refused",
    }
}

/// Option tags a request may require of us.
pub(crate) const KNOWN_OPTIONS: [&str; 3] = ["gruu-10", "path", "outbound"];
