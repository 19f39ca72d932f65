//! What a server says in the headers of its answers: reasons, waits, what it did with a binding.

use std::borrow::Cow;
use std::time::Duration;

use homing_wire::header::{DiagnosticsPublic, PresenceState, Warning};
use homing_wire::{Contact, Diagnostics, Message, RetryAfter, StartLine};

use crate::account::challenge::printable;
use crate::endpoint::InstanceId;

/// What a registrar did with a binding (MS-SIPREGE 2.2.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegisterAction {
    /// It was new.
    Added,
    /// It was there.
    Refreshed,
    /// It was there, but not as it should have been.
    Fixed,
}

/// The peer's words for a refusal: ms-diagnostics, else Warning, else the reason phrase.
pub(super) fn of_refusal(message: &Message) -> String {
    let told = diagnostics(message).or_else(|| warning(message));
    let phrase = || match message.start() {
        StartLine::Response { reason, .. } => String::from_utf8_lossy(reason).into_owned(),
        StartLine::Request { .. } => String::new(),
    };
    printable(&told.unwrap_or_else(phrase), SHOWN)
}

/// How long the server wants to be left alone (RFC 3261 section 20.33).
pub(super) fn retry_after(message: &Message) -> Option<Duration> {
    let wait = message.get::<RetryAfter>().ok()??;
    Some(Duration::from_secs(wait.seconds.into()))
}

/// Seconds granted: of our own Contact, else of the Expires header, else as asked.
pub(super) fn granted(message: &Message, own: &str, instance: InstanceId, asked: u32) -> u32 {
    let header = message.expires().ok().flatten();
    let contacts = || message.all::<Contact<'_>>().filter_map(Result::ok);
    let by_instance = contacts().find(|contact| is_instance(contact, instance));
    let ours = by_instance.or_else(|| contacts().find(|contact| is_same_address(contact, own)));
    ours.and_then(|contact| contact.expires()).or(header).unwrap_or(asked)
}

/// The GRUU the server gave this endpoint (MS-SIPRE; RFC 5627).
pub(super) fn gruu(message: &Message, instance: InstanceId) -> Option<String> {
    let contact =
        message.all::<Contact<'_>>().filter_map(Result::ok).find(|contact| is_instance(contact, instance))?;
    let addr = contact.addr()?;
    let uri = addr.param("gruu").or_else(|| addr.param("pub-gruu"))??;
    Some(printable(uri, SHOWN))
}

/// What the registrar did with the binding, if it says so.
pub(super) fn register_action(message: &Message) -> Option<RegisterAction> {
    let value = message.get::<PresenceState<'_>>().ok()??.register_action;
    [
        ("added", RegisterAction::Added),
        ("refreshed", RegisterAction::Refreshed),
        ("fixed", RegisterAction::Fixed),
    ]
    .into_iter()
    .find(|(word, _)| word.eq_ignore_ascii_case(value))
    .map(|(_, action)| action)
}

fn is_instance(contact: &Contact<'_>, instance: InstanceId) -> bool {
    let named = contact.addr().and_then(|addr| addr.param("+sip.instance")).flatten();
    named.and_then(InstanceId::parse) == Some(instance)
}

fn is_same_address(contact: &Contact<'_>, own: &str) -> bool {
    contact.addr().is_some_and(|addr| addr.uri_str() == own)
}

fn diagnostics(message: &Message) -> Option<String> {
    let told = message.get::<Diagnostics<'_>>().ok().flatten().and_then(|told| told.reason);
    let public = || message.get::<DiagnosticsPublic<'_>>().ok()??.0.reason;
    told.or_else(public).map(Cow::into_owned)
}

fn warning(message: &Message) -> Option<String> {
    let warning = message.get::<Warning<'_>>().ok()??;
    Some(warning.text.into_owned())
}

/// Characters of peer text in an error.
const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    /// A 200 that lists three devices, ours second, and says another time in its header.
    fn three(ours: &str) -> Message {
        let text = format!(
            "SIP/2.0 200 OK\r\nContact: <sip:a@10.0.0.1:5060>;expires=60;gruu=\"sip:a@x;opaque=1\";\
             +sip.instance=\"<urn:uuid:11111111-1111-4111-8111-111111111111>\", {ours}\r\n\
             Contact: <sip:a@10.0.0.3:5060>;expires=3600;gruu=\"sip:a@x;opaque=3\"\r\nExpires: 7200\r\n\r\n"
        );
        Message::parse(text).unwrap()
    }

    #[test]
    fn of_three_contacts_only_our_own_says_how_long_and_which_gruu() {
        let device = InstanceId::of_epid("0123456789");
        let own = "sip:a@10.0.0.2:5060";
        let by_instance = three(&format!(
            "<sip:a@192.0.2.7:6000>;expires=120;+sip.instance=\"<urn:uuid:{device}>\";gruu=\"sip:a@x;opaque=2\""
        ));
        assert_eq!(granted(&by_instance, own, device, 600), 120);
        assert_eq!(gruu(&by_instance, device).as_deref(), Some("sip:a@x;opaque=2"));
        let by_address = three("<sip:a@10.0.0.2:5060>;expires=120");
        assert_eq!((granted(&by_address, own, device, 600), gruu(&by_address, device)), (120, None));
        let without_time = three("<sip:a@10.0.0.2:5060>");
        assert_eq!(granted(&without_time, own, device, 600), 7200, "the header counts for it");
        let absent = three("<sip:a@10.0.0.4:5060>;expires=120");
        assert_eq!((granted(&absent, own, device, 600), gruu(&absent, device)), (7200, None));
        let silent = Message::parse("SIP/2.0 200 OK\r\n\r\n".to_owned()).unwrap();
        assert_eq!(granted(&silent, own, device, 600), 600, "as asked");
    }

    fn refusal(lines: &str) -> Message {
        Message::parse(format!("SIP/2.0 503 As the phrase says\r\n{lines}\r\n")).unwrap()
    }

    #[test]
    fn a_refusal_is_told_in_the_words_nearest_to_its_cause() {
        let private = "ms-diagnostics: 1010;reason=\"Final \\\"handshake\\\" failed\";source=\"hs1\"\r\n";
        let public = "ms-diagnostics-public: 4141;reason=\"User disabled\"\r\n";
        let warning = "Warning: 399 \"ask your administrator\"\r\n";
        for (lines, words) in [
            (format!("{warning}{public}{private}"), "Final \"handshake\" failed"),
            (format!("{warning}{public}"), "User disabled"),
            (format!("ms-diagnostics: 1\r\n{public}"), "User disabled"),
            (warning.to_owned(), "ask your administrator"),
            ("Warning: nothing readable\r\n".to_owned(), "As the phrase says"),
            (String::new(), "As the phrase says"),
        ] {
            assert_eq!(of_refusal(&refusal(&lines)), words, "{lines}");
        }
    }

    #[test]
    fn waits_and_actions_are_read_as_servers_write_them() {
        let wait = |line: &str| retry_after(&refusal(line)).map(|wait| wait.as_secs());
        assert_eq!(wait("Retry-After: 120 seconds\r\n"), Some(120));
        assert_eq!(wait("Retry-After: 18000 (in a meeting);duration=3600\r\n"), Some(18_000));
        assert_eq!((wait("Retry-After: soon\r\n"), wait("")), (None, None));
        for (value, action) in [
            ("register-action=\"fixed\";is-connected-to-primary=\"yes\"", Some(RegisterAction::Fixed)),
            ("is-connected-to-primary=\"yes\"; Register-Action = Added", Some(RegisterAction::Added)),
            ("register-action=refreshed", Some(RegisterAction::Refreshed)),
            ("register-action=other", None),
            ("added", None),
        ] {
            assert_eq!(register_action(&refusal(&format!("presence-state: {value}\r\n"))), action, "{value}");
        }
    }
}
