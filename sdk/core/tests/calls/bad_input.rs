//! What peers say wrongly: each gets the answer that RFC 3261 and its kin have for it, and no call falls over it.

use homing_core::call_event::{CallEvent, EndReason};
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Describes, Net, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net() -> Net {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net
}

/// A call between the script, which placed it, and alice; its 2xx. The INVITE had the number that is given, too.
fn talking(net: &mut Net) -> (Message, u32) {
    let body = sdp(3, "sendrecv");
    let invite = net.request(BOB, Method::Invite).body(&body.content_type, &body.body).message();
    net.say(BOB, invite.bytes().clone());
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    let success = net.take_response(BOB, 200);
    let seq = invite.cseq().unwrap().seq;
    let ack = net.inside(BOB, &success, Method::Ack, seq);
    net.say(BOB, ack.finish());
    (success, seq)
}

fn ends(net: &mut Net, success: &Message, seq: u32) {
    net.forget(BOB);
    let bye = net.inside(BOB, success, Method::Bye, seq);
    net.say(BOB, bye.finish());
    net.take_response(BOB, 200);
    net.rests();
}

#[test]
fn an_invite_that_cannot_be_read_rings_nowhere() {
    type Change = fn(Builder) -> Builder;
    let cases: [(u16, Name<'static>, Change); 8] = [
        (400, Name::Warning, |invite| invite.body("application/sdp", b"nonsense\r\n")),
        (415, Name::Accept, |invite| invite.body("text/plain", b"hello")),
        (420, Name::Unsupported, |invite| invite.header(Name::Require, "replaces, 100rel")),
        (400, Name::Warning, |invite| invite.remove(Name::Contact)),
        (400, Name::Warning, |invite| invite.replace(Name::Contact, "<tel:+1>")),
        (400, Name::Warning, |invite| invite.header(Name::RecordRoute, "<http://x.example.com>")),
        (422, Name::MinSe, |invite| invite.header(Name::SessionExpires, 60).header(Name::Supported, "timer")),
        (400, Name::Warning, |invite| invite.remove(Name::CSeq).header(Name::CSeq, "x INVITE")),
    ];
    for (status, name, change) in cases {
        let mut net = net();
        let body = sdp(3, "sendrecv");
        let invite = net.request(BOB, Method::Invite).body(&body.content_type, &body.body);
        let invite = change(invite).finish();
        net.say(BOB, invite);
        let refusal = net.take_response(BOB, status);
        assert!(refusal.text(name).is_some(), "{status} without {name}");
        assert!(net.told(ALICE).is_empty());
        net.rests();
    }
}

#[test]
fn what_stands_in_no_dialog_gets_481_and_what_is_not_built_405_or_501() {
    let mut net = net();
    let (success, seq) = talking(&mut net);
    let stranger = Builder::from_message(&success).replace(Name::To, "<sip:a@b.c>;tag=other").message();
    for method in [Method::Bye, Method::Prack, Method::Update, Method::Info, Method::Invite] {
        let request = net.inside(BOB, &stranger, method, seq + 1);
        net.say(BOB, request.finish());
        let refusal = net.take(BOB);
        assert_eq!(refusal.status(), Some(481), "{method}");
    }
    for (number, (method, status)) in
        [(Method::Refer, 405), (Method::Other("FOO"), 501), (Method::Prack, 481), (Method::Message, 405)]
            .into_iter()
            .enumerate()
    {
        let seq = seq + 10 + u32::try_from(number).unwrap();
        let request = net.inside(BOB, &success, method, seq);
        net.say(BOB, request.finish());
        let refusal = net.take_response(BOB, status);
        assert!(status != 405 || refusal.text(Name::Allow).unwrap().contains("INVITE"));
    }
    let refer = net.request(BOB, Method::Refer);
    net.say(BOB, refer.finish());
    net.take_response(BOB, 405);
    ends(&mut net, &success, seq + 30);
}

#[test]
fn a_number_that_was_used_gets_500() {
    let mut net = net();
    let (success, seq) = talking(&mut net);
    for old in [seq, seq - 1] {
        let update = net.inside(BOB, &success, Method::Update, old);
        net.say(BOB, update.finish());
        net.take_response(BOB, 500);
    }
    ends(&mut net, &success, seq + 1);
}

/// RFC 3261 section 14.2.
#[test]
fn a_second_invite_before_the_answer_to_the_first_is_asked_to_wait() {
    let mut net = net();
    let (success, seq) = talking(&mut net);
    net.side(ALICE).describes = Describes::WhenTold;
    let body = sdp(4, "sendonly");
    let first = net.inside(BOB, &success, Method::Invite, seq + 1).body(&body.content_type, &body.body);
    net.say(BOB, first.finish());
    let second = net.inside(BOB, &success, Method::Invite, seq + 2).body(&body.content_type, &body.body);
    net.say(BOB, second.finish());
    let refusal = net.take_response(BOB, 500);
    let seconds: u32 = refusal.text(Name::RetryAfter).unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    let update = net.inside(BOB, &success, Method::Update, seq + 3).body(&body.content_type, &body.body);
    net.say(BOB, update.finish());
    net.take_response(BOB, 500);
    net.describe(ALICE, Ok(sdp(9, "recvonly")));
    let granted = loop {
        let message = net.take(BOB);
        if message.status() != Some(100) {
            break message;
        }
    };
    assert_eq!((granted.status(), granted.cseq().unwrap().seq), (Some(200), seq + 1));
    let ack = net.inside(BOB, &success, Method::Ack, seq + 1);
    net.say(BOB, ack.finish());
    assert!(net.is_told(ALICE, &CallEvent::PeerHolds(true)));
    ends(&mut net, &success, seq + 4);
}

#[test]
fn a_second_invite_while_the_first_rings_is_asked_to_wait() {
    let mut net = net();
    let body = sdp(3, "sendrecv");
    let invite = net.request(BOB, Method::Invite).body(&body.content_type, &body.body).message();
    net.say(BOB, invite.bytes().clone());
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap();
    let ringing = net.take_response(BOB, 180);
    let again = net.inside(BOB, &ringing, Method::Invite, invite.cseq().unwrap().seq + 1);
    net.say(BOB, again.finish());
    assert!(net.take_response(BOB, 500).text(Name::RetryAfter).is_some());
    net.act(ALICE, |agent, now| agent.reject(call, 486, now)).unwrap();
    net.forget(BOB);
    net.rests();
}

#[test]
fn an_offer_that_cannot_be_read_or_met_leaves_the_session_as_it_was() {
    let mut net = net();
    let (success, seq) = talking(&mut net);
    let odd = net.inside(BOB, &success, Method::Invite, seq + 1).body("application/sdp", b"nonsense\r\n");
    net.say(BOB, odd.finish());
    net.take_response(BOB, 400);
    let other = net.inside(BOB, &success, Method::Update, seq + 2).body("text/plain", b"hello");
    net.say(BOB, other.finish());
    net.take_response(BOB, 415);
    net.side(ALICE).describes = Describes::Refuses;
    let body = sdp(4, "sendonly");
    for (method, seq) in [(Method::Invite, seq + 3), (Method::Update, seq + 4)] {
        let request = net.inside(BOB, &success, method, seq).body(&body.content_type, &body.body);
        net.say(BOB, request.finish());
        net.take_response(BOB, 488);
    }
    let held =
        net.told(ALICE).iter().any(|what| matches!(what, CallEvent::PeerHolds(_) | CallEvent::Ended(_)));
    assert!(!held);
    ends(&mut net, &success, seq + 5);
}

#[test]
fn an_ack_without_the_answer_it_owes_ends_the_call() {
    let mut net = net();
    let invite = net.request(BOB, Method::Invite).message();
    net.say(BOB, invite.bytes().clone());
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    let success = net.take_response(BOB, 200);
    assert!(!success.body().is_empty(), "the 2xx offers");
    let ack = net.inside(BOB, &success, Method::Ack, invite.cseq().unwrap().seq);
    net.say(BOB, ack.finish());
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, Builder::reply_to(&bye, 200, "OK").finish());
    assert_eq!(net.end(ALICE).why, EndReason::NoDescription);
    net.rests();
}
