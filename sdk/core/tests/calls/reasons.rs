//! What a BYE or CANCEL says of why it is sent (RFC 3326), where it says more than that a person hung up.

use std::time::Duration;

use homing_core::call_event::EndReason;
use homing_core::call_request::CallRequest;
use homing_core::ids::CallId;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net() -> Net {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net
}

fn placed(net: &mut Net) -> (CallId, Message) {
    let mut request = CallRequest::new(net.uri("bob"));
    request.ring_for = Duration::from_secs(20);
    let call = net.place_with(ALICE, request);
    (call, net.take_request(BOB, Method::Invite))
}

/// Bob answers, with these header lines.
fn answers(net: &mut Net, invite: &Message, described: bool, lines: &[(Name<'static>, &str)]) {
    let body = sdp(7, "sendrecv");
    let success = net.reply(BOB, invite, 200, "b1");
    let success = lines.iter().fold(success, |success, (name, value)| success.header(*name, value));
    let success = if described { success.body(&body.content_type, &body.body) } else { success };
    net.say(BOB, success.finish());
    net.take_request(BOB, Method::Ack);
}

fn is_over(net: &mut Net, bye: &Message) {
    net.say(BOB, Builder::reply_to(bye, 200, "OK").finish());
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_cancel_says_that_nobody_answered_in_time() {
    for rings_late in [false, true] {
        let mut net = net();
        let (_, invite) = placed(&mut net);
        if !rings_late {
            net.say(BOB, net.reply(BOB, &invite, 180, "b1").finish());
        }
        net.run(Duration::from_secs(21));
        if rings_late {
            net.say(BOB, net.reply(BOB, &invite, 180, "b1").finish());
        }
        let cancel = net.take_request(BOB, Method::Cancel);
        assert_eq!(cancel.text(Name::Reason).unwrap(), "SIP;cause=408;text=\"No answer in time\"");
        net.say(BOB, net.reply(BOB, &invite, 487, "b1").finish());
        is_over(&mut net, &cancel);
    }
}

#[test]
fn a_bye_says_that_the_session_expired_or_was_not_described() {
    let timer = [(Name::SessionExpires, "90;refresher=uas")];
    for (described, lines, text, why) in [
        (true, &timer[..], "SIP;cause=408;text=\"Session expired\"", EndReason::Forgotten),
        (false, &[], "SIP;cause=488;text=\"No session description in common\"", EndReason::NoDescription),
    ] {
        let mut net = net();
        let (_, invite) = placed(&mut net);
        answers(&mut net, &invite, described, lines);
        net.run(Duration::from_secs(61));
        let bye = net.take_request(BOB, Method::Bye);
        assert_eq!((bye.text(Name::Reason).unwrap().as_ref(), net.end(ALICE).why), (text, why));
        is_over(&mut net, &bye);
    }
}

#[test]
fn a_bye_says_that_the_ack_did_not_come() {
    let mut net = net();
    let body = sdp(3, "sendrecv");
    let invite = net.request(BOB, Method::Invite).body(&body.content_type, &body.body);
    net.say(BOB, invite.finish());
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    net.run(T1 * 65);
    while net.waiting(BOB) > 1 {
        net.take(BOB);
    }
    let bye = net.take_request(BOB, Method::Bye);
    assert_eq!(bye.text(Name::Reason).unwrap(), "SIP;cause=408;text=\"No ACK in time\"");
    is_over(&mut net, &bye);
}

#[test]
fn who_hangs_up_or_gives_up_says_nothing_more() {
    let mut net = net();
    let (call, invite) = placed(&mut net);
    answers(&mut net, &invite, true, &[]);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    assert_eq!(bye.text(Name::Reason), None);
    net.say(BOB, Builder::reply_to(&bye, 200, "OK").finish());
    let (call, invite) = placed(&mut net);
    net.say(BOB, net.reply(BOB, &invite, 180, "b1").finish());
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let cancel = net.take_request(BOB, Method::Cancel);
    assert_eq!(cancel.text(Name::Reason), None);
    net.say(BOB, net.reply(BOB, &invite, 487, "b1").finish());
    is_over(&mut net, &cancel);
}
