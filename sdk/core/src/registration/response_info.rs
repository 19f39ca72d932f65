//! What a server says in the headers of its answers: reasons, waits, what it did with a binding.

use std::borrow::Cow;
use std::time::Duration;

use homing_wire::header::{DiagnosticsPublic, PresenceState, Warning};
use homing_wire::{Contact, Diagnostics, Message, Name, RetryAfter, StartLine, Uri};

use crate::account::challenge::printable;
use crate::endpoint::InstanceId;
use crate::journey::Remark;

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

/// True for the 503 of a server that looks at no credentials for a while because too many were wrong.
pub(super) fn is_guessing_pause(message: &Message) -> bool {
    let id = |value: &str| value.split(';').next().is_some_and(|id| id.trim() == GUESSING_PAUSE);
    message.status() == Some(503) && message.text(Name::MsDiagnostics).is_some_and(|value| id(&value))
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

/// The binding that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The URI of its Contact.
    pub(super) uri: &'a str,
    /// This device.
    pub(super) instance: InstanceId,
    /// Seconds.
    pub(super) expires: u32,
}

/// What a 2xx to REGISTER grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Granted {
    /// Until the binding lapses.
    pub(super) seconds: u32,
    /// What is odd about the list.
    pub(super) remark: Option<Remark>,
}

/// Finds our own binding in a 2xx that lists them all (RFC 3261 section 10.2.4).
///
/// Bindings that have ended are passed over. Of the rest the first that fits: this device with the URI it gave; that
/// URI; this device elsewhere; else, of those that name no device, the one that lapses first, because a border
/// controller may have rewritten ours. Of several such it is never below 30 s: none need be ours.
///
/// # Errors
/// A sentence, where only other devices are listed, or nothing that lasts.
pub(super) fn granted(message: &Message, asked: Asked<'_>) -> Result<Granted, &'static str> {
    let header = message.expires().ok().flatten();
    let seconds =
        |contact: &Contact<'_>| contact.expires().or(header).unwrap_or(asked.expires).min(asked.expires);
    let listed: Vec<Contact<'_>> = message.all::<Contact<'_>>().filter_map(Result::ok).collect();
    if listed.is_empty() {
        let seconds = header.unwrap_or(asked.expires).min(asked.expires);
        let remark = Some(Remark::NotListed);
        return if seconds > 0 { Ok(Granted { seconds, remark }) } else { Err(NO_TIME) };
    }
    let lasting = || listed.iter().filter(|contact| seconds(contact) > 0);
    let is_ours = |contact: &&Contact<'_>| is_instance(contact, asked.instance) && is_first_flow(contact);
    let has_our_uri = |contact: &&Contact<'_>| is_same_address(contact, asked.uri);
    let found = lasting()
        .find(|contact| is_ours(contact) && has_our_uri(contact))
        .or_else(|| lasting().find(has_our_uri))
        .or_else(|| lasting().find(is_ours));
    if let Some(contact) = found {
        return Ok(Granted { seconds: seconds(contact), remark: None });
    }
    let mut nameless: Vec<u32> =
        lasting().filter(|contact| instance(contact).is_none()).map(seconds).collect();
    nameless.sort_unstable();
    let remark = Some(Remark::ListedElsewhere);
    match nameless[..] {
        [only] => Ok(Granted { seconds: only, remark }),
        [least, ..] => Ok(Granted { seconds: least.max(LEAST_OF_SEVERAL).min(asked.expires), remark }),
        [] if lasting().next().is_some() => Err("the answer lists other devices only"),
        [] => Err(NO_TIME),
    }
}

/// The fewest seconds a registrar demands in a 423, whatever stands behind the number.
pub(super) fn min_expires(message: &Message) -> Option<u32> {
    let value = message.text(Name::MinExpires)?;
    value.split([';', ' ', '\t', ',']).next()?.parse().ok()
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

/// The device a Contact names, as written.
fn instance<'m>(contact: &Contact<'m>) -> Option<&'m str> {
    contact.addr()?.param("+sip.instance").flatten()
}

fn is_instance(contact: &Contact<'_>, own: InstanceId) -> bool {
    instance(contact).and_then(InstanceId::parse) == Some(own)
}

/// False for a flow of this device that is not the one it registers (RFC 5626 section 6).
fn is_first_flow(contact: &Contact<'_>) -> bool {
    let flow = contact.addr().and_then(|addr| addr.param("reg-id")).flatten();
    flow.is_none_or(|flow| flow == "1")
}

fn is_same_address(contact: &Contact<'_>, own: &str) -> bool {
    let Some(addr) = contact.addr() else { return false };
    let is_equivalent = || addr.uri().is_ok_and(|uri| Uri::parse(own).is_ok_and(|own| uri.equivalent(&own)));
    // Nearly every registrar repeats it as written.
    addr.uri_str() == own || is_equivalent()
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
/// Where the own binding is one of several and cannot be told, it is not refreshed more often than this asks for.
const LEAST_OF_SEVERAL: u32 = 30;
const NO_TIME: &str = "the answer grants no time";

/// ErrorId of ms-diagnostics by which a server says so.
const GUESSING_PAUSE: &str = "4170";

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

    /// What is granted to a device that asked for 600 s under its URI.
    fn of(message: &Message) -> Result<u32, &'static str> {
        let asked = Asked { uri: OWN, instance: InstanceId::of_epid("0123456789"), expires: 600 };
        granted(message, asked).map(|granted| granted.seconds)
    }

    fn listing(contacts: &str) -> Message {
        let device = InstanceId::of_epid("0123456789");
        let ours = format!(";+sip.instance=\"<urn:uuid:{device}>\"");
        let text = format!("SIP/2.0 200 OK\r\nContact: {contacts}\r\n\r\n").replace("{I}", &ours);
        let other = ";+sip.instance=\"<urn:uuid:11111111-1111-4111-8111-111111111111>\"";
        Message::parse(text.replace("{O}", other)).unwrap()
    }

    const OWN: &str = "sip:a@10.0.0.2:5060;transport=tcp";

    #[test]
    fn of_three_contacts_only_our_own_says_how_long_and_which_gruu() {
        let device = InstanceId::of_epid("0123456789");
        let by_instance = three(&format!(
            "<sip:a@192.0.2.7:6000>;expires=120;+sip.instance=\"<urn:uuid:{device}>\";gruu=\"sip:a@x;opaque=2\""
        ));
        assert_eq!(of(&by_instance), Ok(120));
        assert_eq!(gruu(&by_instance, device).as_deref(), Some("sip:a@x;opaque=2"));
        let by_address = three("<sip:a@10.0.0.2:5060;transport=tcp>;expires=120");
        assert_eq!((of(&by_address), gruu(&by_address, device)), (Ok(120), None));
        let without_time = three("<sip:a@10.0.0.2:5060;transport=tcp>");
        assert_eq!(of(&without_time), Ok(600), "the header counts for it, and not for longer than asked");
        let silent = Message::parse("SIP/2.0 200 OK\r\n\r\n".to_owned()).unwrap();
        assert_eq!(of(&silent), Ok(600), "as asked");
    }

    #[test]
    fn the_own_binding_is_found_in_whichever_form() {
        for (contacts, seconds) in [
            ("<SIP:%61@10.0.0.2:5060;Transport=TCP;ob>;expires=60", Ok(60)),
            (
                "<sip:a@198.51.100.7>{I};expires=350, <sip:a@10.0.0.2:5060;transport=tcp>{I};expires=60",
                Ok(60),
            ),
            ("<sip:a@198.51.100.7>{I};expires=350, <sip:a@10.0.0.2:5060;transport=tcp>;expires=60", Ok(60)),
            (
                "<sip:a@10.0.0.2:5060;transport=tcp>;expires=350, <sip:a@10.0.0.2:5060;transport=tcp>{I};expires=60",
                Ok(60),
            ),
            ("<sip:a@10.0.0.2:5060;transport=tcp>{I};expires=0, <sip:a@203.0.113.9>{I};expires=60", Ok(60)),
            (
                "<sip:a@203.0.113.9>{I};reg-id=2;expires=90, <sip:a@203.0.113.9>{I};reg-id=1;expires=60",
                Ok(60),
            ),
            ("<sip:a@203.0.113.9>;expires=60", Ok(60)),
            ("<sip:a@203.0.113.9>;expires=10", Ok(10)),
            ("<sip:a@203.0.113.9>;expires=10, <sip:a@203.0.113.8>;expires=300", Ok(30)),
            ("<sip:a@203.0.113.9>;expires=90, <sip:a@203.0.113.8>{O};expires=50", Ok(90)),
            ("<sip:a@203.0.113.8>{O};expires=50", Err("the answer lists other devices only")),
            ("<sip:a@10.0.0.2:5060;transport=tcp>;expires=0", Err(NO_TIME)),
            ("<sip:a@10.0.0.2:5060;transport=tcp>;expires=4294967295", Ok(600)),
            ("<sip:a@10.0.0.2:5060;transport=tcp>;expires=99999999999999", Ok(600)),
        ] {
            assert_eq!(of(&listing(contacts)), seconds, "{contacts}");
        }
    }

    #[test]
    fn a_minimum_is_read_whatever_stands_behind_it() {
        for (line, least) in [
            ("Min-Expires: 3600\r\n", Some(3600)),
            ("Min-Expires: 3600;jitter=2\r\n", Some(3600)),
            ("Min-Expires: 3600 seconds\r\n", Some(3600)),
            ("Min-Expires: soon\r\n", None),
            ("", None),
        ] {
            assert_eq!(min_expires(&refusal(line)), least, "{line}");
        }
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
