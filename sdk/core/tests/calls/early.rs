//! Reliable provisional responses in both roles (RFC 3262), and what is described before the answer.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason};
use homing_core::config::ReliableRule;
use homing_core::transport::Transport;
use homing_wire::header::{RAck, RSeq};
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Describes, Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net(rule: ReliableRule) -> Net {
    let mut net = Net::new(Transport::Udp);
    net.agent("alice", |calls| calls.reliable = rule);
    net.script("bob");
    net
}

/// The script calls, and requires or supports acknowledgement; with or without an offer.
fn called(net: &mut Net, list: Name<'static>, offers: bool) -> Message {
    let mut invite = net.request(BOB, Method::Invite).header(list, "100rel");
    if offers {
        let body = sdp(3, "sendrecv");
        invite = invite.body(&body.content_type, &body.body);
    }
    let invite = invite.message();
    net.say(BOB, invite.bytes().clone());
    invite
}

fn rseq(message: &Message) -> Option<u32> {
    message.get::<RSeq>().unwrap().map(|rseq| rseq.0)
}

fn prack(net: &mut Net, ringing: &Message, seq: u32, rseq: u32) -> Builder {
    let cseq = ringing.cseq().unwrap();
    let rack = RAck { rseq, seq: cseq.seq, method: cseq.method };
    net.inside(BOB, ringing, Method::Prack, seq).header(Name::RAck, rack)
}

#[test]
fn who_requires_acknowledgement_gets_a_180_that_is_repeated_until_its_prack() {
    let mut net = net(ReliableRule::Required);
    let invite = called(&mut net, Name::Require, true);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap();
    let ringing = net.take_response(BOB, 180);
    let number = rseq(&ringing).unwrap();
    assert!(ringing.has_token(Name::Require, "100rel"));
    net.run(Duration::from_secs(4));
    assert_eq!(net.waiting(BOB), 3, "after 0.5, 1.5 and 3.5 s");
    net.forget(BOB);
    let seq = invite.cseq().unwrap().seq;
    let other = prack(&mut net, &ringing, seq + 1, number + 1);
    net.say(BOB, other.finish());
    net.take_response(BOB, 481);
    let good = prack(&mut net, &ringing, seq + 2, number);
    net.say(BOB, good.finish());
    net.take_response(BOB, 200);
    let stray = prack(&mut net, &ringing, seq + 3, number);
    net.say(BOB, stray.finish());
    net.take_response(BOB, 481);
    net.run(Duration::from_secs(20));
    assert_eq!(net.waiting(BOB), 0);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    let success = net.take_response(BOB, 200);
    let ack = net.inside(BOB, &success, Method::Ack, seq);
    net.say(BOB, ack.finish());
    assert!(net.is_answered(ALICE));
    let bye = net.inside(BOB, &success, Method::Bye, seq + 4);
    net.say(BOB, bye.finish());
    net.forget(BOB);
    net.rests();
}

/// RFC 3262 section 3.
#[test]
fn without_a_prack_the_invite_is_refused() {
    let mut net = net(ReliableRule::Required);
    called(&mut net, Name::Require, true);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap();
    net.run(T1 * 65);
    let last = (0..net.waiting(BOB)).map(|_| net.take(BOB)).find(|message| message.status() == Some(504));
    assert!(last.is_some());
    assert_eq!(net.end(ALICE).why, EndReason::NotAcknowledged);
    net.rests();
}

/// RFC 3262 section 3: no 2xx before what was described is acknowledged.
#[test]
fn an_answer_waits_for_the_acknowledgement_of_what_was_described_early() {
    let mut net = net(ReliableRule::Supported);
    let invite = called(&mut net, Name::Supported, true);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, true, now)).unwrap();
    let early = net.take_response(BOB, 183);
    assert!(!early.body().is_empty());
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    assert!((0..net.waiting(BOB)).all(|_| net.take(BOB).status() != Some(200)));
    let seq = invite.cseq().unwrap().seq;
    let prack = prack(&mut net, &early, seq + 1, rseq(&early).unwrap());
    net.say(BOB, prack.finish());
    let answers = [net.take_response(BOB, 200), net.take_response(BOB, 200)];
    let success = answers.iter().find(|one| one.cseq().unwrap().method == Method::Invite).unwrap();
    assert!(success.body().is_empty(), "the answer was given in the 183");
    let ack = net.inside(BOB, success, Method::Ack, seq);
    net.say(BOB, ack.finish());
    assert!(net.is_answered(ALICE));
    let bye = net.inside(BOB, success, Method::Bye, seq + 2);
    net.say(BOB, bye.finish());
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_prack_may_carry_the_answer_and_a_further_offer() {
    let mut net = net(ReliableRule::Required);
    let invite = called(&mut net, Name::Require, false);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap();
    let ringing = net.take_response(BOB, 180);
    assert!(!ringing.body().is_empty(), "RFC 3261 section 13.2.1: it offers");
    let (seq, answer) = (invite.cseq().unwrap().seq, sdp(4, "sendrecv"));
    let first = prack(&mut net, &ringing, seq + 1, rseq(&ringing).unwrap());
    net.say(BOB, first.body(&answer.content_type, &answer.body).finish());
    net.take_response(BOB, 200);
    net.run(Duration::from_secs(61));
    let again = net.take_response(BOB, 180);
    assert_eq!(rseq(&again), rseq(&ringing).map(|number| number + 1));
    net.forget(BOB);
    let offer = sdp(5, "sendonly");
    let second = prack(&mut net, &again, seq + 2, rseq(&again).unwrap());
    net.say(BOB, second.body(&offer.content_type, &offer.body).finish());
    let granted = net.take_response(BOB, 200);
    assert!(!granted.body().is_empty(), "it answers the offer");
    assert!(net.is_told(ALICE, &CallEvent::PeerHolds(true)));
    net.act(ALICE, |agent, now| agent.reject(call, 486, now)).unwrap();
    net.forget(BOB);
    net.rests();
}

#[test]
fn an_update_before_the_answer_is_granted_once_offer_and_answer_are_through() {
    let mut net = net(ReliableRule::Supported);
    let invite = called(&mut net, Name::Supported, true);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, true, now)).unwrap();
    let early = net.take_response(BOB, 183);
    let (seq, offer) = (invite.cseq().unwrap().seq, sdp(5, "sendonly"));
    let prack = prack(&mut net, &early, seq + 1, rseq(&early).unwrap());
    net.say(BOB, prack.finish());
    net.take_response(BOB, 200);
    let update = net.inside(BOB, &early, Method::Update, seq + 2).body(&offer.content_type, &offer.body);
    net.say(BOB, update.finish());
    assert!(!net.take_response(BOB, 200).body().is_empty());
    assert!(net.is_told(ALICE, &CallEvent::PeerHolds(true)));
    net.act(ALICE, |agent, now| agent.reject(call, 486, now)).unwrap();
    net.forget(BOB);
    net.rests();
}

/// RFC 3311 section 5.2: the INVITE's own offer is not answered.
#[test]
fn an_update_with_an_offer_before_the_first_answer_is_asked_to_wait() {
    let mut net = net(ReliableRule::Required);
    let invite = called(&mut net, Name::Supported, true);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap();
    let ringing = net.take_response(BOB, 180);
    let offer = sdp(5, "sendonly");
    let seq = invite.cseq().unwrap().seq + 1;
    let update = net.inside(BOB, &ringing, Method::Update, seq).body(&offer.content_type, &offer.body);
    net.say(BOB, update.finish());
    assert!(net.take_response(BOB, 500).text(Name::RetryAfter).is_some());
    net.act(ALICE, |agent, now| agent.reject(call, 486, now)).unwrap();
    net.forget(BOB);
    net.rests();
}

/// The script's reliable response to an INVITE of alice.
fn reliable(net: &Net, invite: &Message, rseq: u32, body: bool) -> Message {
    let response = net.reply(BOB, invite, 183, "b1").header(Name::Require, "100rel").header(Name::RSeq, rseq);
    let described = sdp(8, "sendrecv");
    if body { response.body(&described.content_type, &described.body).message() } else { response.message() }
}

#[test]
fn a_caller_acknowledges_reliable_responses_in_order_and_each_once() {
    let mut net = net(ReliableRule::Required);
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    assert!(invite.has_token(Name::Supported, "100rel"));
    let first = reliable(&net, &invite, 100, true);
    net.say(BOB, first.bytes().clone());
    let prack = net.take_request(BOB, Method::Prack);
    assert_eq!(prack.text(Name::RAck).unwrap(), format!("100 {}", invite.cseq().unwrap()));
    net.say(BOB, first.bytes().clone());
    net.say(BOB, reliable(&net, &invite, 102, false).bytes().clone());
    assert_eq!(net.waiting(BOB), 0, "a copy, and one after a gap");
    net.say(BOB, net.reply(BOB, &prack, 200, "b1").finish());
    net.say(BOB, reliable(&net, &invite, 101, false).bytes().clone());
    let second = net.take_request(BOB, Method::Prack);
    net.say(BOB, net.reply(BOB, &second, 200, "b1").finish());
    let described = |what: &CallEvent| matches!(what, CallEvent::Described { preview: false, .. });
    assert_eq!(net.told(ALICE).iter().filter(|what| described(what)).count(), 1);
    net.say(BOB, net.reply(BOB, &invite, 200, "b1").finish());
    net.take_request(BOB, Method::Ack);
    assert!(net.is_answered(ALICE), "a 2xx without a body: the answer was in the 183");
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "b1").finish());
    net.rests();
}

#[test]
fn a_caller_without_an_answer_to_an_early_offer_gives_the_call_up() {
    use homing_core::call_request::{CallRequest, FirstOffer};
    let mut net = net(ReliableRule::Required);
    net.side(ALICE).describes = Describes::Refuses;
    let mut request = CallRequest::new(net.uri("bob"));
    request.first_offer = FirstOffer::Called;
    net.place_with(ALICE, request);
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, reliable(&net, &invite, 100, true).bytes().clone());
    let got = [net.take(BOB), net.take(BOB)];
    let methods: Vec<_> = got.iter().filter_map(Message::method).collect();
    assert!(methods.contains(&Method::Prack) && methods.contains(&Method::Cancel), "{methods:?}");
    assert_eq!(net.end(ALICE).why, EndReason::NotAcceptable);
    for request in &got {
        net.say(BOB, net.reply(BOB, request, 200, "b1").finish());
    }
    net.say(BOB, net.reply(BOB, &invite, 487, "b1").finish());
    net.forget(BOB);
    net.rests();
}

/// Who sends reliable responses without end and answers no PRACK does not fill the table of transactions.
#[test]
fn a_peer_that_answers_no_prack_gets_no_more_of_them() {
    let mut net = net(ReliableRule::Required);
    net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    let before = net.side(ALICE).agent.transactions();
    for number in 0..40 {
        net.say(BOB, reliable(&net, &invite, 100 + number, false).bytes().clone());
    }
    assert_eq!(net.side(ALICE).agent.transactions(), before + 8);
    net.say(BOB, net.reply(BOB, &invite, 486, "b1").finish());
    net.forget(BOB);
    net.rests();
}
