//! What the index and the typed views make of a message.

use super::*;
use crate::error::{Bound, HeaderError};
use crate::header::{Contact, Via};

const REGISTER: &str = "REGISTER sip:example.com SIP/2.0\r\n\
    v: SIP/2.0/TLS a.example.com;branch=z9hG4bKa, SIP/2.0/TCP b.example.com;branch=z9hG4bKb\r\n\
    Via : SIP/2.0/UDP c\r\n\
    f: Alice <sip:alice@example.com>;tag=1;epid=77\r\n\
    TO:\r\n <sip:alice@example.com>\r\n\
    i: x@y\r\n\
    CSeq: 7 REGISTER\r\n\
    k: path,\r\n\tGRUU-10\r\n\
    m: <sip:a@b>;q=0.5, <sip:c@d>\r\n\
    X-Sport:  tennis \r\n \tand golf  \r\n\
    Max-Forwards: 70\r\nExpires: 300\r\nl: 4\r\n\r\nbodyrest";

fn parse(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn lines_are_found_with_compact_names_and_folds() {
    let message = parse(REGISTER);
    assert_eq!(message.start(), StartLine::Request { method: Method::Register, uri: "sip:example.com" });
    assert_eq!(message.headers().count(), 12);
    assert_eq!(message.via_count(), 3);
    let hosts: Vec<_> = message.all::<Via>().map(|via| via.unwrap().host.to_string()).collect();
    assert_eq!(hosts, ["a.example.com", "b.example.com", "c"]);
    assert_eq!(message.from().unwrap().tag(), Some("1"));
    assert_eq!(message.to().unwrap().uri_str(), "sip:alice@example.com");
    assert_eq!(message.call_id(), Ok("x@y"));
    assert_eq!((message.expires(), message.max_forwards()), (Ok(Some(300)), Ok(Some(70))));
    assert_eq!(message.text(Name::parse("x-sport")).unwrap(), "tennis and golf");
    assert_eq!(message.body(), b"body");
    assert_eq!(message.all::<Contact>().filter(Result::is_ok).count(), 2);
}

#[test]
fn tokens_are_found_without_case() {
    let message = parse(REGISTER);
    assert!(message.has_token(Name::Supported, "gruu-10") && message.has_token(Name::Supported, "Path"));
    assert!(!message.has_token(Name::Supported, "gruu") && !message.has_token(Name::Require, "path"));
    assert_eq!(message.unsupported(Name::Supported, &["PATH"]).collect::<Vec<_>>(), ["GRUU-10"]);
}

#[test]
fn what_is_missing_or_malformed_is_told() {
    let message = parse(
        "SIP/2.0 200 OK\r\nCSeq: x\r\nMax-Forwards: 256\r\nCall-ID: a b\r\nContact: <sip:a@b>, x\r\n\r\n",
    );
    assert_eq!(message.status(), Some(200));
    assert_eq!(message.via().unwrap_err(), HeaderError::Missing(Name::Via));
    assert_eq!(message.cseq().unwrap_err(), HeaderError::Malformed(Name::CSeq));
    assert_eq!(message.max_forwards().unwrap_err(), HeaderError::Malformed(Name::MaxForwards));
    assert_eq!(message.call_id().unwrap_err(), HeaderError::Malformed(Name::CallId));
    let contacts: Vec<_> = message.all::<Contact>().map(|contact| contact.is_ok()).collect();
    assert_eq!(contacts, [true, false]);
}

#[test]
fn a_body_ends_where_content_length_says() {
    assert_eq!(parse("SIP/2.0 200 \r\nContent-Length: 0\r\n\r\n\r\nINVITE").body(), b"");
    assert_eq!(parse("SIP/2.0 200\r\n\r\nall of it").body(), b"all of it");
    for wrong in ["-1", "9", "x", "1\r\nl: 1"] {
        let message = parse(&format!("SIP/2.0 200 OK\r\nContent-Length: {wrong}\r\n\r\nabc"));
        assert_eq!(message.body(), b"", "{wrong}");
        assert!(!message.validate().is_empty(), "{wrong}");
    }
}

#[test]
fn what_is_no_sip_message_is_refused() {
    for (text, error) in [
        ("", ParseError::Empty),
        ("\r\n\r\n", ParseError::Empty),
        ("GET / HTTP/1.1\r\n\r\n", ParseError::StartLine),
        ("INVITE sip:a@b\r\n\r\n", ParseError::StartLine),
        ("INVITE SIP/2.0\r\n\r\n", ParseError::StartLine),
        (" INVITE sip:a SIP/2.0\r\n\r\n", ParseError::StartLine),
        ("SIP/2.0 4294967301 x\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 099 x\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 700 x\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 20 x\r\n\r\n", ParseError::StatusCode),
        ("SIP/2.0 200 OK\r\nno colon here\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\r\n: empty\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\r\n fold\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\nVia: x\n\n", ParseError::BareLineEnd),
        ("SIP/2.0 200 OK\r\nX: a\rVia: b\r\n\r\n", ParseError::BareLineEnd),
        ("SIP/2.0 200 OK\r\nX: a\nVia: b\r\n\r\n", ParseError::BareLineEnd),
    ] {
        assert_eq!(Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap_err(), error, "{text:?}");
    }
}

#[test]
fn limits_hold() {
    let refuse = |text: String| match Message::parse(text) {
        Err(ParseError::TooLarge(bound)) => bound,
        other => panic!("{other:?}"),
    };
    let head = "SIP/2.0 200 OK\r\n";
    assert_eq!(refuse(format!("{head}X: {}\r\n\r\n", "a".repeat(8192))), Bound::Line);
    assert_eq!(refuse(format!("{head}X: {}\r\n\r\n", "a\r\n ".repeat(2100))), Bound::Line);
    assert_eq!(refuse(format!("{head}{}\r\n", "X: a\r\n".repeat(257))), Bound::Headers);
    assert_eq!(refuse(format!("{head}{}\r\n", "Via: SIP/2.0/UDP a\r\n".repeat(71))), Bound::Vias);
    assert_eq!(refuse(format!("{head}v: {}\r\n\r\n", "SIP/2.0/UDP a,".repeat(71))), Bound::Vias);
    assert_eq!(refuse(format!("{head}m: {}\r\n\r\n", "<sip:a>,".repeat(33))), Bound::Contacts);
    assert_eq!(refuse(format!("INVITE sip:{} SIP/2.0\r\n\r\n", "a".repeat(2048))), Bound::Uri);
    assert_eq!(refuse(format!("{head}\r\n{}", "a".repeat(128 * 1024))), Bound::Message);
    let auth = format!("{head}Proxy-Authorization: NTLM gssapi-data=\"{}\"\r\n\r\n", "a".repeat(12_000));
    assert_eq!(parse(&auth).auth(Name::ProxyAuthorization).count(), 1);
    assert_eq!(parse(&format!("{head}{}\r\n", "Via: SIP/2.0/UDP a\r\n".repeat(70))).via_count(), 70);
}

#[test]
fn an_exact_copy_does_not_pin_the_read_buffer() {
    let buffer = Bytes::from(format!("{REGISTER}{}", " ".repeat(60_000)));
    let read = Message::parse(buffer.slice(..REGISTER.len())).unwrap();
    let kept = read.clone().into_exact();
    assert_eq!(kept.bytes(), read.bytes());
    assert!(!buffer.as_ptr_range().contains(&kept.bytes().as_ptr()));
    assert_eq!(kept.call_id(), read.call_id());
}

#[test]
fn debug_shows_no_header() {
    let shown = format!(
        "{:?}",
        parse("REGISTER sip:h SIP/2.0\r\nAuthorization: NTLM gssapi-data=\"secret\"\r\n\r\nsecret")
    );
    assert_eq!(shown, r#"Message(REGISTER "sip:h")"#);
    let lines = parse("SIP/2.0 200 OK\r\nProxy-Authorization: secret\r\nSubject: tennis\r\n\r\n");
    let shown = format!("{:?}", lines.headers().collect::<Vec<_>>());
    assert_eq!(shown, r#"[Proxy-Authorization: …, Subject: "tennis"]"#);
}
