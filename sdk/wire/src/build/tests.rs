//! What is written, read back.

use super::*;
use crate::header::{NameAddrBuf, ViaBuf};

const REQUEST: &str = "\r\nINVITE sip:bob@b.example SIP/2.0\r\n\
    v: SIP/2.0/TLS p;branch=z9hG4bKp\r\n\
    Via:SIP / 2.0/TCP  c;branch=z9hG4bKc\r\n\
    f:  Alice <sip:alice@a.example>\r\n ;tag=1\r\n\
    To: <sip:bob@b.example>\r\n\
    X-Odd  :  kept  \r\n\
    Call-ID: c1\r\nCSeq: 1 INVITE\r\nl: 3\r\nRoute: <sip:a;lr>, <sip:b;lr>\r\n\r\nabcdef";

fn text(builder: Builder) -> String {
    String::from_utf8(builder.finish().to_vec()).unwrap()
}

fn request() -> Message {
    Message::parse(REQUEST).unwrap()
}

#[test]
fn a_request_is_written_in_order() {
    let built = Builder::request(Method::Register, "sip:example.com")
        .header(Name::Via, ViaBuf::new("TLS", "h").branch("z9hG4bK1"))
        .header(
            Name::From,
            NameAddrBuf::new("sip:a@example.com").param("tag", Some("1")).param("epid", Some("77")),
        )
        .header(Name::Other("X-Sport"), "tennis")
        .body("text/plain", b"hi");
    assert_eq!(
        text(built),
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n\
         From: <sip:a@example.com>;tag=1;epid=77\r\nX-Sport: tennis\r\n\
         Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
    );
}

#[test]
fn nothing_that_is_written_makes_a_line_of_its_own() {
    let evil = "x\r\nVia: evil\0\n\u{1b}";
    let built = Builder::request(Method::Other(evil), evil)
        .header(Name::Subject, evil)
        .header(Name::Other("Na\r\nme: y"), evil)
        .header(Name::Other("\r\n"), "dropped")
        .to_tag(evil)
        .body(evil, b"body\r\n");
    let message = Message::parse(built.finish()).unwrap();
    assert_eq!(message.headers().count(), 4);
    assert_eq!(message.via_count(), 0);
    assert_eq!(message.text(Name::Subject).unwrap(), "x  Via: evil");
    assert_eq!(message.text(Name::Other("Namey")).unwrap(), "x  Via: evil");
    let reply = Builder::response(9, evil).finish();
    assert_eq!(Message::parse(reply).unwrap().status(), Some(500));
}

#[test]
fn a_reply_copies_what_a_reply_must() {
    let reply =
        Builder::reply_to(&request(), 180, "Ringing").to_tag("t9").header(Name::Contact, "<sip:bob@h>");
    assert_eq!(
        text(reply),
        "SIP/2.0 180 Ringing\r\nv: SIP/2.0/TLS p;branch=z9hG4bKp\r\nVia:SIP / 2.0/TCP  c;branch=z9hG4bKc\r\n\
         f:  Alice <sip:alice@a.example>\r\n ;tag=1\r\nTo: <sip:bob@b.example>;tag=t9\r\nCall-ID: c1\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:bob@h>\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn a_to_tag_that_is_there_stays() {
    let request = Message::parse("BYE sip:a SIP/2.0\r\nt: x <sip:b>;TAG=old\r\n\r\n").unwrap();
    assert!(text(Builder::reply_to(&request, 200, "OK").to_tag("new")).contains("t: x <sip:b>;TAG=old\r\n"));
    let patent = Message::parse("BYE sip:a SIP/2.0\r\nTo: User <sip:b>;\r\n\r\n").unwrap();
    assert!(
        text(Builder::reply_to(&patent, 200, "OK").to_tag("new")).contains("To: User <sip:b>;tag=new\r\n")
    );
}

#[test]
fn a_relay_leaves_untouched_lines_alone() {
    let whole = text(Builder::from_message(&request()));
    assert_eq!(whole, REQUEST[2..].strip_suffix("def").unwrap());
    let relayed = Builder::from_message(&request())
        .prepend(Name::Via, ViaBuf::new("TLS", "me").branch("z9hG4bKme"))
        .replace(Name::MaxForwards, 69)
        .remove_first(Name::Route)
        .remove(Name::Other("x-odd"));
    let text = text(relayed);
    assert!(text.contains("SIP/2.0\r\nVia: SIP/2.0/TLS me;branch=z9hG4bKme\r\nv: SIP/2.0/TLS p;branch=z9hG4bKp\r\nVia:SIP / 2.0/TCP  c"));
    assert!(text.contains("l: 3\r\nRoute: <sip:b;lr>\r\nMax-Forwards: 69\r\n\r\nabc"));
    assert!(!text.contains("X-Odd"));
}

#[test]
fn removing_the_first_value_takes_its_line_when_it_was_alone() {
    let one = Builder::from_message(&request()).remove_first(Name::Via);
    let message = Message::parse(one.finish()).unwrap();
    assert_eq!(message.via_count(), 1);
    assert_eq!(message.via().unwrap().transport, "TCP");
}

#[test]
fn replacing_keeps_the_place() {
    let replaced = Builder::from_message(&request())
        .replace(Name::Via, "SIP/2.0/UDP x")
        .replace_first(Name::To, "<sip:y>");
    assert!(text(replaced).contains("SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nf:"));
}

#[test]
fn a_new_body_brings_its_length() {
    let longer = Builder::from_message(&request()).body("text/plain", b"12345");
    let message = Message::parse(longer.finish()).unwrap();
    assert_eq!((message.body(), message.validate()), (&b"12345"[..], vec![]));
    let none = Message::parse(Builder::from_message(&message).body("", b"").finish()).unwrap();
    assert_eq!((none.body(), none.lines(Name::ContentType).count()), (&b""[..], 0));
}

#[test]
fn a_lying_length_is_not_relayed() {
    for wrong in ["l: 9999", "l: -1", "l: 1\r\nl: 1"] {
        let message = Message::parse(format!("SIP/2.0 200 OK\r\n{wrong}\r\n\r\nabc")).unwrap();
        let relayed = Message::parse(Builder::from_message(&message).finish()).unwrap();
        assert_eq!(relayed.lines(Name::ContentLength).collect::<Vec<_>>(), [b"0"], "{wrong}");
    }
}

#[test]
fn a_head_without_its_empty_line_is_closed() {
    for open in ["SIP/2.0 200 OK", "SIP/2.0 200 OK\r\nX: a", "SIP/2.0 200 OK\r\nX: a\r\n"] {
        let closed = Builder::from_message(&Message::parse(open).unwrap()).finish();
        let message = Message::parse(closed).unwrap();
        assert!(message.body().is_empty() && message.lines(Name::ContentLength).count() == 1, "{open}");
    }
}

#[test]
fn what_is_left_out_of_a_name_can_make_it_a_known_one() {
    let built = Builder::response(200, "OK").header(Name::Other("Vi a"), "SIP/2.0/UDP a").message();
    assert_eq!(built.via().unwrap().transport, "UDP");
    assert_eq!(built.clone(), Message::parse(built.bytes().clone()).unwrap());
}

#[test]
fn a_start_line_of_nothing_is_still_one() {
    let built = Builder::request(Method::Other("\r\n"), "").message();
    assert_eq!(&built.bytes()[..], b"INVALID sip:invalid SIP/2.0\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(built.clone(), Message::parse(built.bytes().clone()).unwrap());
}

#[test]
fn a_blank_before_the_colon_is_no_part_of_the_value() {
    let request =
        Message::parse("BYE sip:a SIP/2.0\r\nTo : <sip:b>\r\nRoute : <sip:c>, <sip:d>\r\n\r\n").unwrap();
    let reply = text(Builder::reply_to(&request, 200, "OK").to_tag("t"));
    assert!(reply.contains("To: <sip:b>;tag=t\r\n"), "{reply}");
    let relayed = text(Builder::from_message(&request).remove_first(Name::Route));
    assert!(relayed.contains("Route: <sip:d>\r\n"), "{relayed}");
}
