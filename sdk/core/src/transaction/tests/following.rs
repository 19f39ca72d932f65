//! ACK and CANCEL: built from the INVITE, signed once, repeated byte for byte.

use super::*;
use crate::error::Misuse;
use homing_wire::{Method, Name};

/// Signs by a header that counts.
fn signer() -> impl FnMut(Bytes) -> Bytes {
    let mut count = 0;
    move |unsigned| {
        count += 1;
        let message = Message::parse(unsigned).unwrap();
        Builder::from_message(&message)
            .header(Name::Authorization, format_args!("NTLM cnum=\"{count}\""))
            .finish()
    }
}

fn sent(table: &mut Table) -> Vec<Message> {
    let bytes = drain(table).into_iter().filter_map(|output| match output {
        TxOutput::Send { bytes, .. } => Some(bytes),
        _ => None,
    });
    bytes.map(|bytes| Message::parse(bytes).unwrap()).collect()
}

fn invite() -> Message {
    let routes = "Route: <sip:edge.network.com;lr>, <sip:hs1.network.com;lr>\r\nCSeq";
    changed(&request("INVITE", "z9hG4bKa"), "CSeq", routes)
}

#[test]
fn the_ack_of_a_refusal_repeats_what_it_must() {
    let mut table = table();
    let invite = changed(&invite(), "Max-Forwards", "Authorization: NTLM response=\"00\"\r\nMax-Forwards");
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    drain(&mut table);
    let busy = answer(&invite, 486);
    table.feed_response_signed(id, &busy, &mut signer(), at(10));
    let outputs = drain(&mut table);
    assert_eq!(outputs.iter().map(short).collect::<Vec<_>>(), ["ACK", "final 486"]);
    let TxOutput::Send { bytes, flow } = &outputs[0] else { panic!("the ACK goes first") };
    let ack = Message::parse(bytes.clone()).unwrap();
    assert_eq!(*flow, FLOW);
    assert_eq!((ack.method(), ack.request_uri()), (Some(Method::Ack), Some("sip:bob@network.com")));
    assert_eq!(ack.via().unwrap().branch(), Some("z9hG4bKa"));
    assert_eq!(ack.to().unwrap().tag(), Some("b1"));
    assert_eq!(ack.from().unwrap().tag(), Some("a1"));
    assert_eq!(ack.from().unwrap().param("epid"), Some(Some("3344")));
    assert_eq!((ack.call_id().unwrap(), ack.cseq().unwrap().seq), ("call-1", 7));
    assert_eq!(ack.lines(Name::Route).collect::<Vec<_>>(), invite.lines(Name::Route).collect::<Vec<_>>());
    let authorizations: Vec<_> = ack.lines(Name::Authorization).collect();
    assert_eq!(authorizations, [b"NTLM cnum=\"1\""], "the INVITE's own signature stays with the INVITE");
    table.feed_response_signed(id, &busy, &mut signer(), at(500));
    let again = drain(&mut table);
    let [TxOutput::Send { bytes: copy, .. }] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!(copy, bytes, "the copy is the same bytes, not signed anew");
}

#[test]
fn digest_credentials_go_along_with_ack_and_cancel() {
    let mut table = table();
    let credentials = "Authorization: Digest username=\"alice\", response=\"0\"\r\nMax-Forwards";
    let invite = changed(&invite(), "Max-Forwards", credentials);
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(1));
    drain(&mut table);
    table.cancel(id, &mut Unsigned, at(2)).unwrap();
    table.feed_response(id, &answer(&invite, 487), at(3));
    for message in sent(&mut table) {
        assert_eq!(message.lines(Name::Authorization).count(), 1, "{message:?}");
    }
}

#[test]
fn a_cancel_waits_for_a_provisional_response() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    drain(&mut table);
    table.cancel(id, &mut signer(), at(10)).unwrap();
    assert!(drain(&mut table).is_empty());
    table.feed_response_signed(id, &answer(&invite, 100), &mut signer(), at(20));
    assert_eq!(shorts(&mut table), ["provisional 100", "CANCEL"]);
    table.cancel(id, &mut signer(), at(30)).unwrap();
    assert!(drain(&mut table).is_empty(), "one CANCEL is enough");
}

#[test]
fn a_cancel_repeats_what_it_must_and_nobody_hears_of_its_fate() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(5));
    drain(&mut table);
    table.cancel(id, &mut signer(), at(10)).unwrap();
    let [cancel] = &sent(&mut table)[..] else { panic!("one CANCEL") };
    assert_eq!((cancel.method(), cancel.request_uri()), (Some(Method::Cancel), Some("sip:bob@network.com")));
    assert_eq!(cancel.via().unwrap().branch(), Some("z9hG4bKa"));
    assert_eq!(cancel.via_count(), 1);
    assert_eq!(cancel.to().unwrap().tag(), None, "To as in the INVITE");
    assert_eq!(cancel.lines(Name::Authorization).collect::<Vec<_>>(), [b"NTLM cnum=\"1\""]);
    assert_eq!(cancel.lines(Name::Route).count(), 1);
    let seen = pass(&mut table, 600);
    assert_eq!(times(&seen, "CANCEL"), [510], "repeated as any request");
    let ok = answer(cancel, 200);
    let (of, ..) = table.peek_client(&ok).unwrap();
    assert_ne!(of, id);
    table.feed_response(of, &ok, at(700));
    table.feed_response(id, &answer(&invite, 487), at(710));
    assert_eq!(shorts(&mut table), ["ACK", "final 487"]);
    pass(&mut table, 3_600_000);
    assert!(table.is_empty());
}

#[test]
fn an_invite_that_ignores_its_cancel_ends_after_64_t1() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, TLS, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(5));
    table.cancel(id, &mut Unsigned, at(1_000)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(2_000));
    drain(&mut table);
    assert_eq!(pass(&mut table, 3_600_000), [(33_000, "timed out".to_owned())]);
    assert!(table.is_empty());
}

#[test]
fn what_is_answered_is_not_cancelled() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 200), at(5));
    drain(&mut table);
    table.cancel(id, &mut Unsigned, at(10)).unwrap();
    assert!(drain(&mut table).is_empty());
    let other = table.request(&request("OPTIONS", "z9hG4bKo"), UDP, 1, at(0)).unwrap();
    assert_eq!(table.cancel(other, &mut Unsigned, at(10)), Err(Misuse::WrongState));
    assert_eq!(table.cancel(TxId(999), &mut Unsigned, at(10)), Err(Misuse::WrongState));
}

#[test]
fn one_final_is_told_and_further_2xx_as_such() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    drain(&mut table);
    for (status, told) in [(180, "provisional 180"), (200, "final 200"), (200, "another 2xx")] {
        table.feed_response(id, &answer(&invite, status), at(5));
        assert_eq!(shorts(&mut table), [told]);
    }
    for status in [180, 486] {
        table.feed_response(id, &answer(&invite, status), at(6));
        assert!(drain(&mut table).is_empty(), "{status} after the 2xx");
    }
}

#[test]
fn a_relay_cancels_by_its_own_via_alone() {
    let mut table = table();
    let two = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtop;x=\"a,b\", SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa";
    let invite = changed(&invite(), "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa", two);
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(5));
    drain(&mut table);
    table.cancel(id, &mut Unsigned, at(10)).unwrap();
    let [cancel] = &sent(&mut table)[..] else { panic!("one CANCEL") };
    assert_eq!((cancel.via_count(), cancel.via().unwrap().branch()), (1, Some("z9hG4bKtop")));
}
