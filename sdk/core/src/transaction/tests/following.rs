//! ACK and CANCEL: built from the INVITE, signed once, repeated byte for byte.

use super::*;
use crate::counter::Counter;
use homing_wire::{Method, Name};

/// Signs by a header that counts.
fn signer() -> impl FnMut(Message) -> Result<Signed, SignError> {
    let mut count = 0;
    move |unsigned| {
        count += 1;
        let signed = Builder::from_message(&unsigned)
            .header(Name::Authorization, format_args!("NTLM cnum=\"{count}\""))
            .message();
        as_is(signed)
    }
}

fn sent(table: &mut Table) -> Vec<Message> {
    let bytes = drain(table).into_iter().filter_map(|output| match output {
        Seen::Wants(TxOutput::Send { bytes, .. }) => Some(bytes),
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
    let Seen::Wants(TxOutput::Send { bytes, flow }) = &outputs[0] else { panic!("the ACK goes first") };
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
    let [Seen::Wants(TxOutput::Send { bytes: copy, .. })] = again.as_slice() else { panic!("{again:?}") };
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
    table.cancel(id, &mut as_is, at(2)).unwrap();
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
    assert_eq!(shorts(&mut table), ["CANCEL", "provisional 100"]);
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
    table.cancel(id, &mut as_is, at(1_000)).unwrap();
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
    table.cancel(id, &mut as_is, at(10)).unwrap();
    assert!(drain(&mut table).is_empty());
    let other = table.request(&request("OPTIONS", "z9hG4bKo"), UDP, 1, at(0)).unwrap();
    assert_eq!(table.cancel(other, &mut as_is, at(10)), Err(Misuse::WrongState));
    assert_eq!(table.cancel(TxId(999), &mut as_is, at(10)), Err(Misuse::WrongState));
}

#[test]
fn one_final_is_told_and_further_2xx_as_such() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    drain(&mut table);
    for (status, told) in [(180, "provisional 180"), (200, "final 200"), (200, "copied 2xx")] {
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
    table.cancel(id, &mut as_is, at(10)).unwrap();
    let [cancel] = &sent(&mut table)[..] else { panic!("one CANCEL") };
    assert_eq!((cancel.via_count(), cancel.via().unwrap().branch()), (1, Some("z9hG4bKtop")));
}

/// RFC 6026 section 7.2: nothing is absorbed that the dialog must see. A fork's 2xx and one that was signed again
/// are told and verified; a copy, octet for octet, is known as one and needs no verification.
#[test]
fn each_2xx_of_a_fork_is_told_once_and_its_copies_as_copies() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, TLS, 1, at(0)).unwrap();
    let first = answer(&invite, 200);
    let fork = changed(&first, ";tag=b1", ";tag=c1");
    let signed_anew = changed(&first, "CSeq: 7", "Authentication-Info: NTLM snum=\"2\"\r\nCSeq: 7");
    drain(&mut table);
    table.feed_response(id, &first, at(5));
    assert_eq!(shorts(&mut table), ["final 200"]);
    for other in [&fork, &signed_anew] {
        assert!(!table.is_copy(id, other), "it is to be verified");
        table.feed_response(id, other, at(6));
        assert_eq!(shorts(&mut table), ["another 2xx"]);
    }
    for copy in [&first, &fork, &signed_anew] {
        assert!(table.is_copy(id, copy));
        table.feed_response(id, copy, at(7));
        assert_eq!(shorts(&mut table), ["copied 2xx"]);
    }
}

#[test]
fn an_ack_and_a_cancel_that_cannot_be_signed_are_not_sent_and_counted() {
    let mut used_up = |_: Message| Err(SignError::UsedUp);
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, UDP, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(1));
    drain(&mut table);
    table.cancel(id, &mut used_up, at(2)).unwrap();
    assert!(drain(&mut table).is_empty());
    for copy in 0..2 {
        table.feed_response_signed(id, &answer(&invite, 486), &mut used_up, at(3 + copy));
    }
    assert_eq!(shorts(&mut table), ["final 486"], "and no ACK, whatever copies come");
    assert_eq!(table.counters().of(Counter::NotSigned), 2);
    pass(&mut table, 3_600_000);
    assert!(table.is_empty());
}

/// RFC 3261 section 16.8: timer C does not end the transaction, it cancels the INVITE.
#[test]
fn timer_c_has_the_invite_cancelled_and_waits_64_t1() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, TLS, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(1_000));
    drain(&mut table);
    assert_eq!(pass(&mut table, 200_000), [(191_000, "cancel due".to_owned())]);
    table.cancel(id, &mut signer(), at(191_000)).unwrap();
    assert_eq!(shorts(&mut table), ["CANCEL"]);
    table.feed_response(id, &answer(&invite, 180), at(200_000));
    drain(&mut table);
    let seen = pass(&mut table, 3_600_000);
    assert_eq!(times(&seen, "timed out"), [223_000], "a provisional response does not prolong it");
    assert!(table.is_empty());
}

#[test]
fn timer_c_is_not_raised_again_once_its_user_was_told() {
    let mut table = table();
    let invite = invite();
    let id = table.request(&invite, TLS, 1, at(0)).unwrap();
    table.feed_response(id, &answer(&invite, 180), at(1_000));
    drain(&mut table);
    assert_eq!(pass(&mut table, 200_000), [(191_000, "cancel due".to_owned())]);
    table.feed_response(id, &answer(&invite, 180), at(200_000));
    drain(&mut table);
    assert_eq!(pass(&mut table, 3_600_000), [(223_000, "timed out".to_owned())]);
    assert!(table.is_empty());
}
