//! Recorded messages of real peers: nothing to object to, relayed octet for octet, framed as they were sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use homing_wire::header::Route;
use homing_wire::{Builder, Contact, Frame, Framer, Limits, Message, Name, Via};
use serde_json::Value;

/// Every text in a vector file that is a SIP message.
fn messages(file: &str) -> Vec<String> {
    let path = format!("{}/../../tests/data/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut found, mut open) = (Vec::new(), vec![vectors]);
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.into_iter().map(|(_, value)| value)),
            Value::String(text) if text.contains("SIP/2.0") && text.contains("\r\n") => found.push(text),
            _ => {}
        }
    }
    found
}

/// The octets that belong to the message: pidgin-sipe sends a line end more, which a stream reads as a pong.
fn whole(message: &Message) -> &[u8] {
    let behind = message.bytes().strip_suffix(b"\r\n").unwrap_or(message.bytes());
    if message.body().is_empty() && behind.ends_with(b"\r\n\r\n") { behind } else { message.bytes() }
}

#[test]
fn pidgin_sipe_and_office_servers_are_understood() {
    let mut seen = 0;
    for text in [messages("pidgin_sipe_sessions.json"), messages("sip_signature_buffers.json")].concat() {
        let message = Message::parse(text.clone()).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(message.validate(), [], "{text}");
        assert!(message.all::<Via<'_>>().all(|via| via.is_ok()), "{text}");
        assert!(message.all::<Contact<'_>>().all(|contact| contact.is_ok()), "{text}");
        assert!(message.all::<Route<'_>>().all(|route| route.is_ok()), "{text}");
        for name in [Name::Authorization, Name::WwwAuthenticate, Name::AuthenticationInfo] {
            assert_eq!(message.auth(name).count(), message.lines(name).count(), "{text}");
            assert!(
                message.auth(name).all(|auth| !auth.conflicting() && auth.param("realm").is_some()),
                "{text}"
            );
        }
        seen += 1;
    }
    assert!(seen >= 200, "{seen}");
}

#[test]
fn a_relay_changes_no_octet_it_was_not_asked_to() {
    for text in messages("pidgin_sipe_sessions.json") {
        let message = Message::parse(text.clone()).unwrap();
        if message.lines(Name::ContentLength).count() == 1 {
            assert_eq!(Builder::from_message(&message).finish(), whole(&message), "{text}");
        }
    }
}

#[test]
fn whole_sessions_come_out_of_the_stream_as_they_went_in() {
    let sent: Vec<_> = messages("pidgin_sipe_sessions.json")
        .into_iter()
        .filter(|text| Message::parse(text.clone()).is_ok_and(|m| m.lines(Name::ContentLength).count() == 1))
        .collect();
    assert!(sent.len() > 100);
    let expected: Vec<_> = sent.iter().map(|text| Message::parse(text.clone()).unwrap()).collect();
    let mut framer = Framer::answering(Limits::default());
    let mut received = Vec::new();
    for part in sent.concat().as_bytes().chunks(1448) {
        framer.push(part);
        while let Some(frame) = framer.next().unwrap() {
            match frame {
                Frame::Message(bytes) => received.push(bytes),
                Frame::Pong => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(received.iter().eq(expected.iter().map(whole)));
}
