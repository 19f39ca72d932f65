//! An INVITE that rings in several places: early dialogs of each, one winner, the others acknowledged and hung up.

use std::time::Duration;

use homing_core::call_event::CallEvent;
use homing_core::call_request::{CallRequest, FirstOffer};
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Describes, Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net() -> Net {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net
}

fn described(net: &Net, invite: &Message, status: u16, fork: u32) -> Message {
    let body = sdp(fork, "sendrecv");
    net.reply(BOB, invite, status, &format!("fork{fork}")).body(&body.content_type, &body.body).message()
}

#[test]
fn early_media_of_several_forks_are_told_apart_and_the_answered_one_wins() {
    let mut net = net();
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    for fork in 0..3 {
        net.say(BOB, described(&net, &invite, 183, fork).bytes().clone());
    }
    let previews: Vec<(u8, _)> = net
        .told(ALICE)
        .into_iter()
        .filter_map(|what| match what {
            CallEvent::Described { fork, preview: true, description } => Some((fork, description)),
            _ => None,
        })
        .collect();
    assert_eq!(previews, [(0, sdp(0, "sendrecv")), (1, sdp(1, "sendrecv")), (2, sdp(2, "sendrecv"))]);
    net.say(BOB, described(&net, &invite, 200, 1).bytes().clone());
    assert_eq!(net.take_request(BOB, Method::Ack).to().unwrap().tag(), Some("fork1"));
    assert!(net.is_told(ALICE, &CallEvent::Answered { fork: 1 }));
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    assert_eq!(bye.to().unwrap().tag(), Some("fork1"));
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.rests();
}

/// RFC 3261 section 13.2.2.4: the core does not keep the sessions it does not want.
#[test]
fn every_further_2xx_is_acknowledged_and_hung_up_even_after_the_call() {
    let mut net = net();
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, described(&net, &invite, 200, 0).bytes().clone());
    net.take_request(BOB, Method::Ack);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    for fork in [1, 2] {
        let success = described(&net, &invite, 200, fork);
        net.say(BOB, success.bytes().clone());
        let ack = net.take_request(BOB, Method::Ack);
        let bye = net.take_request(BOB, Method::Bye);
        let tag = format!("fork{fork}");
        assert_eq!((ack.to().unwrap().tag(), bye.to().unwrap().tag()), (Some(&*tag), Some(&*tag)));
        net.say(BOB, success.bytes().clone());
        assert_eq!(net.take_request(BOB, Method::Ack).bytes(), ack.bytes());
        net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    }
    assert_eq!(net.side(ALICE).agent.calls(), 1, "for as long as a 2xx may come");
    net.run(T1 * 64 + Duration::from_secs(1));
    assert_eq!(net.side(ALICE).agent.calls(), 0);
    net.rests();
}

/// RFC 3261 section 12.2.1.1: the numbers of a dialog only rise, although the fork was forgotten in between.
#[test]
fn a_late_forks_bye_has_a_higher_number_than_its_prack() {
    let mut net = net();
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    let early = Builder::from_message(&described(&net, &invite, 183, 1));
    net.say(BOB, early.header(Name::Require, "100rel").header(Name::RSeq, 7).finish());
    let prack = net.take_request(BOB, Method::Prack);
    net.say(BOB, net.reply(BOB, &prack, 200, "").finish());
    net.say(BOB, described(&net, &invite, 200, 0).bytes().clone());
    net.take_request(BOB, Method::Ack);
    net.say(BOB, net.reply(BOB, &invite, 200, "fork1").finish());
    net.take_request(BOB, Method::Ack);
    let stray = net.take_request(BOB, Method::Bye);
    assert_eq!(stray.to().unwrap().tag(), prack.to().unwrap().tag());
    assert!(stray.cseq().unwrap().seq > prack.cseq().unwrap().seq);
    net.say(BOB, net.reply(BOB, &stray, 200, "").finish());
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.rests();
}

#[test]
fn a_late_forks_bye_that_loses_its_flow_keeps_no_call_alive() {
    let mut net = net();
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, described(&net, &invite, 200, 0).bytes().clone());
    net.take_request(BOB, Method::Ack);
    net.say(BOB, described(&net, &invite, 200, 1).bytes().clone());
    net.take_request(BOB, Method::Ack);
    net.take_request(BOB, Method::Bye);
    net.cut(ALICE);
    let probe = net.take_request(BOB, Method::Update);
    net.say(BOB, net.reply(BOB, &probe, 200, "").finish());
    assert!(net.is_told(ALICE, &CallEvent::ConnectionBack), "the call goes on");
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    assert_eq!(bye.to().unwrap().tag(), Some("fork0"));
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.run(T1 * 64 + Duration::from_secs(1));
    assert_eq!(net.side(ALICE).agent.calls(), 0);
    net.rests();
}

#[test]
fn more_forks_than_are_heard_of_still_are_acknowledged() {
    let mut net = net();
    net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    for fork in 0..40 {
        net.say(BOB, net.reply(BOB, &invite, 180, &format!("fork{fork}")).finish());
    }
    let heard = net.told(ALICE).into_iter().filter_map(|what| match what {
        CallEvent::Progress { fork, .. } => Some(fork),
        _ => None,
    });
    assert_eq!(heard.max(), Some(15));
    net.say(BOB, described(&net, &invite, 200, 39).bytes().clone());
    assert_eq!(net.take_request(BOB, Method::Ack).to().unwrap().tag(), Some("fork39"));
    assert!(net.is_answered(ALICE));
    net.act(ALICE, |agent, now| agent.hang_up(homing_core::ids::CallId(0), now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.rests();
}

#[test]
fn what_a_fork_that_lost_asked_of_the_application_is_taken_back() {
    let mut net = net();
    net.side(ALICE).describes = Describes::WhenTold;
    let mut request = CallRequest::new(net.uri("bob"));
    request.first_offer = FirstOffer::Called;
    let call = net.place_with(ALICE, request);
    let invite = net.take_request(BOB, Method::Invite);
    let early = Builder::from_message(&described(&net, &invite, 183, 0));
    net.say(BOB, early.header(Name::Require, "100rel").header(Name::RSeq, 7).finish());
    assert_eq!(net.held(ALICE), 1);
    net.say(BOB, described(&net, &invite, 200, 1).bytes().clone());
    assert_eq!(net.held(ALICE), 1, "the one for the ACK");
    net.describe(ALICE, Ok(sdp(9, "sendrecv")));
    let ack = net.take_request(BOB, Method::Ack);
    assert_eq!((ack.to().unwrap().tag(), ack.body().is_empty()), (Some("fork1"), false));
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.rests();
}
