//! Dialogs by RFC 3261 section 12: identity, order, targets, and the routes of both sides.

use super::*;

const INVITE: &str = "INVITE sip:bob@network.com SIP/2.0\r\n\
    Via: SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK1\r\n\
    From: \"Alice\" <sip:alice@network.com>;tag=a1;epid=3344\r\n\
    To: <sip:bob@network.com>\r\n\
    Call-ID: c1\r\n\
    CSeq: 7 INVITE\r\n\
    Contact: <sip:alice@198.51.100.7:40000;transport=tls>\r\n";

fn message(text: &str) -> Message {
    Message::parse(format!("{text}\r\n").into_bytes()).unwrap()
}

fn invite() -> Message {
    message(INVITE)
}

fn answer(status: u16, lines: &str) -> Message {
    message(&format!(
        "SIP/2.0 {status} Whatever\r\nVia: SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK1\r\n\
         From: \"Alice\" <sip:alice@network.com>;tag=a1;epid=3344\r\n\
         To: <sip:bob@network.com>;tag=b1;epid=77\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\n{lines}"
    ))
}

fn caller(lines: &str) -> Dialog {
    Dialog::of_caller(&invite(), &answer(200, lines)).unwrap()
}

fn routes(request: &Message) -> Vec<String> {
    request.lines(Name::Route).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

const BOB: &str = "Contact: <sip:bob@192.0.2.9:5061;transport=tls>\r\n";

#[test]
fn a_caller_speaks_to_the_contact_with_the_next_number_and_the_peers_epid() {
    let mut dialog = caller(BOB);
    let bye = dialog.request(Method::Bye, "SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK2").message();
    assert_eq!(bye.request_uri(), Some("sip:bob@192.0.2.9:5061;transport=tls"));
    assert_eq!(bye.cseq().unwrap().seq, 8);
    assert_eq!(bye.to().unwrap().tag(), Some("b1"));
    assert_eq!(bye.to().unwrap().param("epid"), Some(Some("77")));
    assert_eq!(bye.from().unwrap().tag(), Some("a1"));
    assert!(bye.validate().is_empty(), "{:?}", bye.validate());
    let ack = dialog.ack(7, "SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK3").message();
    assert_eq!((ack.method(), ack.cseq().unwrap().seq), (Some(Method::Ack), 7));
    assert_eq!(
        dialog.request(Method::Info, "SIP/2.0/TLS h;branch=z9hG4bK4").message().cseq().unwrap().seq,
        9
    );
}

#[test]
fn routes_are_reversed_for_the_caller_and_kept_for_the_called() {
    let recorded = "Record-Route: <sip:p3.network.com;lr>, <sip:p2.network.com;lr>\r\nRecord-Route: <sip:p1.network.com;lr>\r\n";
    let mut dialog = caller(&format!("{BOB}{recorded}"));
    let bye = dialog.request(Method::Bye, "SIP/2.0/TLS h;branch=z9hG4bK2").message();
    assert_eq!(
        routes(&bye),
        ["<sip:p1.network.com;lr>", "<sip:p2.network.com;lr>", "<sip:p3.network.com;lr>"]
    );
    assert_eq!(dialog.next_hop(), "sip:p1.network.com;lr");
    let invite = message(&format!("{INVITE}{recorded}"));
    let mut called = Dialog::of_called(&invite, "b1", "77").unwrap();
    let bye = called.request(Method::Bye, "SIP/2.0/TLS h;branch=z9hG4bK2").message();
    assert_eq!(
        routes(&bye),
        ["<sip:p3.network.com;lr>", "<sip:p2.network.com;lr>", "<sip:p1.network.com;lr>"]
    );
    assert_eq!(bye.request_uri(), Some("sip:alice@198.51.100.7:40000;transport=tls"));
}

/// RFC 3261 section 12.2.1.1: the first hop without `lr` takes the Request-URI, the target goes last.
#[test]
fn a_strict_router_gets_the_request_uri() {
    let mut dialog = caller(&format!("{BOB}Record-Route: <sip:p2.network.com;lr>, <sip:p1.network.com>\r\n"));
    let bye = dialog.request(Method::Bye, "SIP/2.0/TLS h;branch=z9hG4bK2").message();
    assert_eq!(bye.request_uri(), Some("sip:p1.network.com"));
    assert_eq!(routes(&bye), ["<sip:p2.network.com;lr>", "<sip:bob@192.0.2.9:5061;transport=tls>"]);
}

#[test]
fn a_route_that_cannot_be_used_or_is_too_long_founds_no_dialog() {
    let found = |lines: &str| Dialog::of_caller(&invite(), &answer(200, &format!("{BOB}{lines}"))).err();
    let hops = |count: usize| "Record-Route: <sip:p.network.com;lr>\r\n".repeat(count);
    assert_eq!(found(&hops(32)), None);
    assert_eq!(found(&hops(33)), Some(DialogFault::Route));
    assert_eq!(found("Record-Route: <http://p.network.com>\r\n"), Some(DialogFault::Route));
    assert_eq!(
        found(&format!("Record-Route: <sip:{}.com;lr>\r\n", "p".repeat(512))),
        Some(DialogFault::Route)
    );
    let no_contact = Dialog::of_caller(&invite(), &answer(200, "")).err();
    assert_eq!(no_contact, Some(DialogFault::NoTarget));
    let tel = Dialog::of_caller(&invite(), &answer(200, "Contact: <tel:+1>\r\n")).err();
    assert_eq!(tel, Some(DialogFault::NoTarget));
}

#[test]
fn an_early_dialog_without_contact_speaks_to_the_request_uri_until_the_2xx_sets_all_anew() {
    let mut dialog =
        Dialog::of_caller(&invite(), &answer(180, "Record-Route: <sip:evil.example;lr>\r\n")).unwrap();
    assert_eq!(dialog.remote_target.as_ref(), "sip:bob@network.com");
    dialog.confirm(&answer(200, &format!("{BOB}Record-Route: <sip:p1.network.com;lr>\r\n"))).unwrap();
    assert_eq!(
        (dialog.next_hop(), dialog.remote_target.as_ref()),
        ("sip:p1.network.com;lr", "sip:bob@192.0.2.9:5061;transport=tls")
    );
    assert_eq!(dialog.confirm(&answer(200, "")), Err(DialogFault::NoTarget));
    assert_eq!(dialog.next_hop(), "sip:p1.network.com;lr", "it stays as it was");
}

#[test]
fn a_target_refresh_moves_the_target_and_leaves_the_route() {
    let mut dialog = caller(&format!("{BOB}Record-Route: <sip:p1.network.com;lr>\r\n"));
    dialog
        .refresh(&answer(200, "Contact: <sip:bob@192.0.2.77>\r\nRecord-Route: <sip:p9.network.com;lr>\r\n"));
    assert_eq!(
        (dialog.next_hop(), dialog.remote_target.as_ref()),
        ("sip:p1.network.com;lr", "sip:bob@192.0.2.77")
    );
    dialog.refresh(&answer(200, ""));
    assert_eq!(dialog.remote_target.as_ref(), "sip:bob@192.0.2.77");
}

#[test]
fn the_peers_numbers_only_grow() {
    let mut dialog = Dialog::of_called(&invite(), "b1", "77").unwrap();
    let numbered = |seq: u32| message(&INVITE.replace("CSeq: 7", &format!("CSeq: {seq}")));
    assert_eq!(dialog.accept(&numbered(7)), Err(OutOfOrder), "the INVITE had it");
    assert_eq!(dialog.accept(&numbered(9)), Ok(()));
    assert_eq!(dialog.accept(&numbered(8)), Err(OutOfOrder));
    assert_eq!(dialog.accept(&numbered(10)), Ok(()));
    let mut caller = caller(BOB);
    assert_eq!(caller.accept(&numbered(0)), Ok(()), "the first of a peer has any number");
}

#[test]
fn a_request_is_of_the_dialog_by_call_id_and_both_tags() {
    let dialog = Dialog::of_called(&invite(), "b1", "77").unwrap();
    let bye = |call_id: &str, from: &str, to: &str| {
        message(&format!(
            "BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK9\r\nFrom: <sip:alice@network.com>{from}\r\n\
             To: <sip:bob@network.com>{to}\r\nCall-ID: {call_id}\r\nCSeq: 8 BYE\r\n"
        ))
    };
    assert!(dialog.has_sent(&bye("c1", ";tag=a1", ";tag=b1")));
    for (call_id, from, to) in [
        ("c2", ";tag=a1", ";tag=b1"),
        ("c1", ";tag=a2", ";tag=b1"),
        ("c1", ";tag=a1", ";tag=b2"),
        ("c1", "", ";tag=b1"),
    ] {
        assert!(!dialog.has_sent(&bye(call_id, from, to)), "{call_id} {from} {to}");
    }
    assert_eq!(dialog.name(), DialogName::new("c1", "b1"));
}

#[test]
fn a_call_is_found_by_what_it_is_listed_under_and_by_nothing_else() {
    let mut table = Dialogs::new(&mut crate::ids::Rng::new(&crate::ids::Seed::from_number(1)));
    let (one, two) = (crate::ids::CallId(1), crate::ids::CallId(2));
    let name = |tag: &str| DialogName::new("c1", tag);
    let (mut listed, mut other) = (Listed::default(), Listed::default());
    table.list(one, &mut listed, Listed { dialog: Some(name("b1")), ring: Some(name("a1")) });
    assert_eq!((table.find(&name("b1")), table.find_ring(&name("a1"))), (Some(one), Some(one)));
    assert_eq!((table.find(&name("a1")), table.find_ring(&name("b1"))), (None, None));
    table.list(two, &mut other, Listed { dialog: Some(name("b1")), ring: None });
    assert_eq!(table.find(&name("b1")), Some(one), "the name is taken");
    table.list(two, &mut other, Listed::default());
    assert_eq!(table.find(&name("b1")), Some(one), "it was never the other's to take away");
    table.list(one, &mut listed, Listed { dialog: Some(name("b2")), ring: None });
    assert_eq!((table.find(&name("b1")), table.find(&name("b2")), table.len()), (None, Some(one), 1));
    table.list(one, &mut listed, Listed::default());
    assert_eq!(table.len(), 0);
}
