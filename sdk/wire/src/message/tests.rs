//! What the index and the typed views make of a message.

use super::*;
use crate::build::Builder;
use crate::error::{Bound, Excess, HeaderError};
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
    let message =
        parse("SIP/2.0 200 OK\r\nContact: <sip:a@b>, Doe, \"J, x\" <sip:c@d>, <sip:\r\nm: <sip:e@f>\r\n\r\n");
    let contacts: Vec<_> = message.all::<Contact>().map(|contact| contact.is_ok()).collect();
    assert_eq!(contacts, [true, false, true, false, true], "a malformed value costs no other");
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
        ("SIP/2.0 200 OK\r\nContent-Length 10\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\r\nvia\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\r\nContact<sip:a@b>\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\r\nno\0colon here\r\n\r\n", ParseError::HeaderLine),
        ("SIP/2.0 200 OK\nVia: x\n\n", ParseError::BareLineEnd),
        ("SIP/2.0 200 OK\r\nX: a\rVia: b\r\n\r\n", ParseError::BareLineEnd),
        ("SIP/2.0 200 OK\r\nX: a\nVia: b\r\n\r\n", ParseError::BareLineEnd),
    ] {
        assert_eq!(Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap_err(), error, "{text:?}");
    }
}

#[test]
fn a_line_that_is_no_header_is_passed_over_and_named() {
    let odd = ["no colon here", "X Foo: 1", "garbage", ": value", "X(1): 1", "\"X\": 1", "a\r\n folded", "1"];
    for line in &odd[..7] {
        let text = format!("SIP/2.0 200 OK\r\nVia: a\r\n{line}\r\nTo: <sip:c@d>\r\n\r\n");
        let message = parse(&text);
        assert_eq!(message.skipped().collect::<Vec<_>>(), [line.as_bytes()]);
        assert_eq!(message.headers().count(), 2, "{line}");
        let relayed = Builder::from_message(&message).finish();
        assert!(!String::from_utf8_lossy(&relayed).contains(line), "no relay passes it on: {line}");
        let signed = message.with_header(Name::Via, "b");
        assert_eq!(signed, Message::parse(signed.bytes().clone()).unwrap());
        let request = text.replace("SIP/2.0 200 OK", "OPTIONS sip:a SIP/2.0");
        let findings = parse(&request).validate();
        assert!(findings.iter().any(|finding| finding.why == "a line that is no header"), "{line}");
        let answer = Builder::reply_to(&parse(&request), 400, "Bad Request").finish();
        assert!(!String::from_utf8_lossy(&answer).contains(line), "{line}");
    }
    let head = "SIP/2.0 200 OK\r\n";
    assert_eq!(parse(&format!("{head}{}\r\n", "odd\r\n".repeat(8))).skipped().count(), 8);
    let ninth = Message::parse(format!("{head}{}\r\n", "odd\r\n".repeat(9)));
    assert_eq!(ninth.unwrap_err(), ParseError::HeaderLine);
    let first = parse(&format!("{head}odd\r\nVia: a\r\n\r\n"));
    assert_eq!(Builder::from_message(&first).finish(), format!("{head}Via: a\r\nContent-Length: 0\r\n\r\n"));
}

/// What is read of a message that is over a limit: enough to find whom it is for, or to refuse it.
#[test]
fn an_excerpt_has_what_identifies_a_message_and_names_the_excess() {
    let limits = Limits::default();
    let head =
        "Via: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\n";
    for (start, more, bound, header) in [
        ("SIP/2.0 200 OK", format!("X-Long: {}\r\n", "a".repeat(9000)), Bound::Line, Some("X-Long")),
        ("OPTIONS sip:a@b SIP/2.0", "X: 1\r\n".repeat(300), Bound::Headers, None),
        ("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP b\r\n".repeat(80), Bound::Vias, Some("Via")),
        ("REGISTER sip:b SIP/2.0", "m: <sip:a@b>\r\n".repeat(33), Bound::Contacts, Some("Contact")),
    ] {
        let text = format!("{start}\r\n{head}{more}CSeq: 7 REGISTER\r\n\r\nbody");
        let refused = Message::parse(text.clone());
        assert_eq!(refused.unwrap_err(), ParseError::TooLarge(bound));
        let excerpt = Excerpt::read(&text.into(), &limits).unwrap();
        let Excerpt { message, excess } = excerpt;
        let excess = excess.unwrap();
        assert_eq!((excess.bound, excess.header.as_deref()), (bound, header), "{start}");
        assert_eq!(message.cseq().unwrap().seq, 7);
        assert_eq!((message.via().unwrap().branch(), message.call_id()), (Some("z9hG4bK1"), Ok("1")));
        assert_eq!(message.body(), b"");
    }
    let long = Excess { bound: Bound::Line, most: 8192, header: Some("X-Long".to_owned()) };
    assert_eq!(long.to_string(), "a line of more than 8,192 octets (X-Long)");
    let unlimited = Excerpt::read(&format!("SIP/2.0 200 OK\r\n{head}\r\n").into(), &limits).unwrap();
    assert_eq!(unlimited.excess, None);
    assert!(Excerpt::read(&Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n"), &limits).is_none());
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
    let many = format!("m: {}\r\n\r\n", "<sip:a>,".repeat(33));
    assert_eq!(refuse(format!("REGISTER sip:a SIP/2.0\r\n{many}")), Bound::Contacts);
    assert_eq!(parse(&format!("{head}{many}")).all::<Contact>().count(), 33, "a 200 lists every binding");
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
