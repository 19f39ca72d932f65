//! A flow that dies in every state of a call without registrar, on either side.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason, EndedBy};
use homing_core::transport::Transport;
use homing_wire::{Message, Method};

use crate::world::{Describes, Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 1;

fn pair() -> Net {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.agent("bob", |_| {});
    net
}

#[test]
fn an_unanswered_invite_goes_once_more_with_a_new_call_id() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net.place(ALICE, "bob");
    let first = net.take_request(0, Method::Invite);
    net.say(0, net.reply(0, &first, 180, "b1").finish());
    net.cut(ALICE);
    let second = net.take_request(0, Method::Invite);
    assert_ne!(first.call_id(), second.call_id());
    assert_eq!(first.body(), second.body(), "the same offer");
    net.cut(ALICE);
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Network, EndReason::ConnectionLost));
    assert_eq!(net.waiting(0), 0, "once");
    net.rests();
}

#[test]
fn a_call_that_was_given_up_ends_with_its_flow() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(0, Method::Invite);
    net.say(0, net.reply(0, &invite, 180, "b1").finish());
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    net.cut(ALICE);
    assert_eq!(net.side(ALICE).agent.calls(), 0);
    net.rests();
}

#[test]
fn a_ring_whose_flow_is_lost_goes_on_until_its_time_and_cannot_be_answered() {
    for answers in [false, true] {
        let mut net = pair();
        net.side(ALICE).describes = Describes::AtOnce;
        let out = net.place(ALICE, "bob");
        let came = net.incoming(BOB);
        net.act(BOB, |agent, now| agent.ring(came, false, now)).unwrap();
        net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
        net.side(BOB).told.clear();
        let out = net.place(ALICE, "bob");
        let came = net.incoming(BOB);
        let now = net.now();
        net.side(ALICE).agent.hang_up(out, now).unwrap();
        net.cut(BOB);
        assert!(!net.told(BOB).iter().any(|what| matches!(what, CallEvent::Ended(_))), "it rings on");
        if answers {
            net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
            assert_eq!(net.end(BOB).why, EndReason::ConnectionLost);
        } else {
            net.run(Duration::from_secs(181));
            assert_eq!(net.end(BOB).why, EndReason::NoAnswer);
        }
        net.side(ALICE).told.clear();
        net.rests();
    }
}

/// The script answered alice's call; its INVITE and ACK.
fn talking() -> (Net, Message) {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net.place(ALICE, "bob");
    let invite = net.take_request(0, Method::Invite);
    let body = sdp(7, "sendrecv");
    net.say(0, net.reply(0, &invite, 200, "b1").body(&body.content_type, &body.body).finish());
    let ack = net.take_request(0, Method::Ack);
    (net, ack)
}

/// Decision 39: the line dials again and asks at once whether the dialog is still there.
#[test]
fn an_answered_call_goes_on_over_another_flow() {
    let (mut net, _) = talking();
    net.cut(ALICE);
    assert!(net.is_told(ALICE, &CallEvent::ConnectionLost));
    let update = net.take_request(0, Method::Update);
    assert!(update.body().is_empty());
    net.say(0, net.reply(0, &update, 200, "").finish());
    assert!(net.is_told(ALICE, &CallEvent::ConnectionBack));
    let call = homing_core::ids::CallId(0);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(0, Method::Bye);
    net.say(0, net.reply(0, &bye, 200, "").finish());
    net.rests();
}

#[test]
fn an_answered_call_that_the_peer_forgot_or_does_not_speak_of_ends() {
    for status in [Some(481), None] {
        let (mut net, _) = talking();
        net.cut(ALICE);
        let update = net.take_request(0, Method::Update);
        match status {
            Some(status) => net.say(0, net.reply(0, &update, status, "").finish()),
            None => net.run(T1 * 65),
        }
        assert_eq!(net.end(ALICE).why, EndReason::Forgotten, "{status:?}");
        net.forget(0);
        net.rests();
    }
}

#[test]
fn a_change_that_was_under_way_is_made_over_the_new_flow() {
    let (mut net, _) = talking();
    let call = homing_core::ids::CallId(0);
    net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
    net.take_request(0, Method::Invite);
    net.cut(ALICE);
    let update = net.take_request(0, Method::Update);
    let reinvite = net.take_request(0, Method::Invite);
    net.say(0, net.reply(0, &update, 200, "").finish());
    let body = sdp(8, "recvonly");
    net.say(0, net.reply(0, &reinvite, 200, "").body(&body.content_type, &body.body).finish());
    net.take_request(0, Method::Ack);
    assert!(net.is_told(ALICE, &CallEvent::Held(true)));
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(0, Method::Bye);
    net.say(0, net.reply(0, &bye, 200, "").finish());
    net.rests();
}

#[test]
fn a_bye_that_was_under_way_goes_over_the_new_flow() {
    let (mut net, _) = talking();
    let call = homing_core::ids::CallId(0);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    net.take_request(0, Method::Bye);
    net.cut(ALICE);
    let bye = net.take_request(0, Method::Bye);
    net.say(0, net.reply(0, &bye, 200, "").finish());
    net.rests();
}

/// Decision 41: the 2xx that waits for its ACK is repeated over the new flow.
#[test]
fn a_2xx_without_ack_outlives_its_flow() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    let body = sdp(3, "sendrecv");
    let invite = net.request(0, Method::Invite).body(&body.content_type, &body.body).message();
    net.say(0, invite.bytes().clone());
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    let success = net.take_response(0, 200);
    net.cut(ALICE);
    let again = net.take_response(0, 200);
    assert_eq!((again.cseq(), again.body()), (success.cseq(), success.body()));
    let ack = net.inside(0, &success, Method::Ack, invite.cseq().unwrap().seq);
    net.say(0, ack.finish());
    assert!(net.is_answered(ALICE) && net.is_told(ALICE, &CallEvent::ConnectionBack));
    let bye = net.inside(0, &success, Method::Bye, invite.cseq().unwrap().seq + 1);
    net.say(0, bye.finish());
    net.forget(0);
    net.rests();
}

#[test]
fn an_answered_call_whose_next_hop_is_gone_ends() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net.place(ALICE, "bob");
    let invite = net.take_request(0, Method::Invite);
    let body = sdp(7, "sendrecv");
    let success = net
        .reply(0, &invite, 200, "b1")
        .replace(homing_wire::Name::Contact, "<sip:bob@203.0.113.7:5060;transport=tcp>")
        .body(&body.content_type, &body.body);
    net.say(0, success.finish());
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Network, EndReason::ConnectionLost));
    assert_eq!(net.waiting(0), 0, "nothing goes where it does not belong");
    net.rests();
}
