//! Renewal, overlap, the end of counters, and where a signature is written.

use super::*;
use crate::time::Why;
use bytes::Bytes;

const EIGHT_HOURS: u64 = 8 * 3600;

#[test]
fn an_association_is_renewed_five_minutes_before_eight_hours() {
    let (client, _) = ends();
    assert!(!client.renewal_due(at(EIGHT_HOURS - 301)));
    assert!(client.renewal_due(at(EIGHT_HOURS - 300)));
    assert_eq!(client.deadline().at, at(EIGHT_HOURS - 300).since_start);
    assert_eq!(client.deadline().why, Why::AssociationRenewal);
    let (mut ticket, _) = ends();
    ticket.limit_lifetime(at(3600).since_start);
    assert!(ticket.renewal_due(at(3600)));
    ticket.limit_lifetime(at(7200).since_start);
    assert_eq!(ticket.expires(), at(3600).since_start, "a limit never lengthens");
}

#[test]
fn counters_end_below_two_to_the_thirty_first() {
    let (mut client, mut server) = ends();
    client.sent = (1 << 31) - (1 << 16) - 1;
    assert!(!client.renewal_due(at(1)));
    let request = received(client.sign_request(&notify(1), 1).unwrap());
    assert!(client.renewal_due(at(1)));
    assert_eq!(server.verify(&request, Side::Client, false), Verdict::Good { num: (1 << 31) - (1 << 16) });
    assert!(server.renewal_due(at(1)), "the receiving end sees it coming too");
    client.sent = (1 << 31) - 1;
    let request = received(client.sign_request(&notify(2), 1).unwrap());
    assert_eq!(server.verify(&request, Side::Client, false), Verdict::Good { num: 1 << 31 });
    assert_eq!(client.sign_request(&notify(3), 1).unwrap_err(), SignError::UsedUp);
}

#[test]
fn the_largest_counter_of_a_peer_is_read_without_overflow() {
    let (mut client, mut server) = ends();
    server.sent = 5;
    let early = received(server.sign_response(&notify(1), 1).unwrap());
    server.sent = (1 << 31) - 1;
    let late = received(server.sign_response(&notify(2), 1).unwrap());
    assert!(client.verify(&late, Side::Server, false).is_good());
    assert_eq!(client.verify(&early, Side::Server, false), Verdict::BelowWindow);
}

#[test]
fn a_renewed_association_signs_at_once_and_the_old_one_verifies_for_a_while() {
    let mut old_server = association_with(0x55, "AAAA0000");
    let mut new_server = association_with(0x66, "BBBB0000");
    let mut client = Associations::new(association_with(0x55, "AAAA0000"));
    let in_flight: Vec<Message> =
        (1..=3).map(|n| received(old_server.sign_response(&notify(n), n).unwrap())).collect();
    assert!(client.verify(&in_flight[0], Side::Server, false, at(1)).is_good());

    client.renew(association_with(0x66, "BBBB0000"), OVERLAP, at(100));
    assert_eq!(client.deadline().why, Why::AssociationOverlap);
    let fresh = received(new_server.sign_response(&notify(4), 4).unwrap());
    assert!(client.verify(&fresh, Side::Server, false, at(101)).is_good());
    assert_eq!(client.verify(&fresh, Side::Server, false, at(101)), Verdict::Replayed);
    assert!(client.verify(&in_flight[1], Side::Server, false, at(131)).is_good());
    assert_eq!(client.verify(&in_flight[1], Side::Server, false, at(131)), Verdict::Replayed);

    let request = received(client.sign_request(&notify(9), 9).unwrap());
    assert_eq!(signature(&request).unwrap().param("opaque"), Some("BBBB0000"));
    assert_eq!(signature(&request).unwrap().param("cnum"), Some("1"));

    assert_eq!(
        client.verify(&in_flight[2], Side::Server, false, at(132)),
        Verdict::BadSignature,
        "64·T1 are over"
    );
    assert_eq!(client.deadline().why, Why::AssociationRenewal);
}

#[test]
fn an_old_association_is_found_although_it_was_renamed() {
    let mut old_server = association_with(0x55, "CCCC0000");
    let mut client = Associations::new(association_with(0x55, "AAAA0000"));
    client.renew(association_with(0x66, "BBBB0000"), OVERLAP, at(0));
    let message = received(old_server.sign_response(&notify(1), 1).unwrap());
    assert!(client.verify(&message, Side::Server, false, at(1)).is_good());
    assert_eq!(client.verify(&notify(2), Side::Server, false, at(1)), Verdict::Unsigned);
}

#[test]
fn a_signature_line_leaves_every_other_byte_alone() {
    let with_body = "MESSAGE sip:b@n.com SIP/2.0\r\nVia: SIP/2.0/TLS h\r\nFrom: <sip:a@n.com>;tag=1\r\n\
        To: <sip:b@n.com>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n\
        Content-Length: 15\r\n\r\nhello\r\n\r\nhello!";
    let last_other =
        with_body.replace("Content-Type: text/plain\r\nContent-Length: 15", "l: 15\r\nc: text/plain");
    for (raw, before) in [(with_body, "\r\nContent-Length: 15"), (&*last_other, "\r\n\r\nhello\r\n")] {
        let message = parse(raw);
        let (mut client, mut server) = ends();
        let signed =
            String::from_utf8(Bytes::from(client.sign_request(&message, 1).unwrap()).to_vec()).unwrap();
        let start = signed.find("\r\nAuthorization: ").unwrap();
        let end = start + 2 + signed[start + 2..].find("\r\n").unwrap();
        assert!(signed[end..].starts_with(before), "{signed}");
        assert_eq!([&signed[..start], &signed[end..]].concat(), raw);
        assert!(server.verify(&parse(&signed), Side::Client, false).is_good());
    }
}

#[test]
fn an_unsignable_message_costs_no_counter() {
    let (mut client, _) = ends();
    let raw = String::from_utf8(notify(1).bytes().to_vec()).unwrap();
    if let Ok(broken) =
        Message::parse(raw.replace("From: <sip:alice@network.com>;tag=srv1", "From: ").into_bytes())
    {
        assert!(matches!(client.sign_request(&broken, 1), Err(SignError::Unsignable(_))));
    }
    let request = received(client.sign_request(&notify(1), 1).unwrap());
    assert_eq!(signature(&request).unwrap().param("cnum"), Some("1"));
}

#[test]
fn nothing_secret_prints() {
    let (client, _) = ends();
    let shown = format!("{client:?} {:?}", client.keys);
    assert!(!shown.contains("85, 85"), "{shown}");
}
