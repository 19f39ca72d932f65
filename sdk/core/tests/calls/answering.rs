//! The called side against a scripted caller: ringing, 2xx and ACK, CANCEL and its races, what is refused.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason, EndedBy};
use homing_core::config::CallRules;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Describes, Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net_with(transport: Transport, change: impl FnOnce(&mut CallRules)) -> Net {
    let mut net = Net::new(transport);
    net.agent("alice", change);
    net.script("bob");
    net
}

fn net(transport: Transport) -> Net {
    net_with(transport, |_| {})
}

fn offering(builder: Builder) -> Builder {
    let body = sdp(3, "sendrecv");
    builder.body(&body.content_type, &body.body)
}

/// The script calls; its INVITE.
fn called(net: &mut Net) -> Message {
    let invite = offering(net.request(BOB, Method::Invite)).message();
    net.say(BOB, invite.bytes().clone());
    invite
}

/// The script called and alice answered; the INVITE and the 2xx.
fn answered(net: &mut Net) -> (Message, Message) {
    let invite = called(net);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    net.run(Duration::from_millis(50));
    let success = net.take_response(BOB, 200);
    (invite, success)
}

fn ack(net: &mut Net, invite: &Message, success: &Message) -> Message {
    let seq = invite.cseq().unwrap().seq;
    net.inside(BOB, success, Method::Ack, seq).message()
}

#[test]
fn a_call_that_comes_in_is_told_with_what_it_says() {
    let mut net = net(Transport::Tcp);
    let invite = offering(net.request(BOB, Method::Invite))
        .header(Name::Subject, "Lunch")
        .header(Name::Other("X-Ticket"), "7")
        .header(Name::PAssertedIdentity, "<sip:boss@example.com>");
    net.say(BOB, invite.finish());
    let told = net.told(ALICE);
    let [CallEvent::Incoming(caller)] = &told[..] else { net.fail("one call") };
    assert_eq!(caller.from, "sip:bob@example.com");
    assert_eq!(caller.offer, Some(sdp(3, "sendrecv")));
    assert_eq!(caller.asserted, None, "nobody vouches for a stranger");
    let headers: Vec<_> = caller.headers.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    assert_eq!(headers, [("Subject", "Lunch"), ("X-Ticket", "7")]);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.reject(call, 486, now)).unwrap();
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_2xx_is_repeated_until_the_ack_over_every_transport() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut net = net(transport);
        let (invite, success) = answered(&mut net);
        net.run(Duration::from_secs(10));
        // After 0.5, 1.5, 3.5 and 7.5 s: T1 doubling up to T2.
        assert_eq!(net.waiting(BOB), 4, "{transport:?}");
        assert_eq!(net.take_response(BOB, 200).bytes(), success.bytes());
        net.forget(BOB);
        let ack = ack(&mut net, &invite, &success);
        net.say(BOB, ack.bytes().clone());
        assert!(net.is_answered(ALICE));
        net.run(Duration::from_secs(40));
        assert_eq!(net.waiting(BOB), 0);
        let bye = net.inside(BOB, &success, Method::Bye, invite.cseq().unwrap().seq + 1);
        net.say(BOB, bye.finish());
        net.take_response(BOB, 200);
        assert_eq!(net.end(ALICE).by, EndedBy::Peer);
        net.rests();
    }
}

/// RFC 3261 section 13.3.1.4.
#[test]
fn without_an_ack_the_call_is_hung_up_after_64_t1() {
    let mut net = net(Transport::Tcp);
    let (_, success) = answered(&mut net);
    net.run(T1 * 63);
    assert!(!net.told(ALICE).iter().any(|what| matches!(what, CallEvent::Ended(_))));
    net.run(T1 * 2);
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Network, EndReason::NotAcknowledged));
    while net.waiting(BOB) > 1 {
        assert_eq!(net.take_response(BOB, 200).bytes(), success.bytes());
    }
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, Builder::reply_to(&bye, 200, "OK").finish());
    net.rests();
}

/// RFC 3261 section 15: no BYE of the called side before the ACK.
#[test]
fn who_hangs_up_before_the_ack_waits_for_it() {
    let mut net = net(Transport::Tcp);
    let (invite, success) = answered(&mut net);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    assert_eq!((net.end(ALICE).why, net.waiting(BOB)), (EndReason::HungUp, 0));
    let ack = ack(&mut net, &invite, &success);
    net.say(BOB, ack.bytes().clone());
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, Builder::reply_to(&bye, 200, "OK").finish());
    net.rests();
}

/// RFC 5407 section 3.1.3.
#[test]
fn a_bye_before_the_ack_ends_the_call() {
    let mut net = net(Transport::Udp);
    let (invite, success) = answered(&mut net);
    let bye = net.inside(BOB, &success, Method::Bye, invite.cseq().unwrap().seq + 1);
    net.say(BOB, bye.finish());
    net.take_response(BOB, 200);
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Peer, EndReason::HungUp));
    net.run(Duration::from_secs(40));
    assert_eq!(net.waiting(BOB), 0, "nothing is repeated");
    net.rests();
}

#[test]
fn a_cancel_stops_the_ring_and_says_why() {
    for (reason, why) in [
        (None, EndReason::Cancelled),
        (Some("SIP;cause=200;text=\"Call completed elsewhere\""), EndReason::AnsweredElsewhere),
        (Some("Q.850;cause=16, SIP;cause=200"), EndReason::AnsweredElsewhere),
        (Some("SIP;cause=486"), EndReason::Cancelled),
    ] {
        let mut net = net(Transport::Udp);
        let invite = called(&mut net);
        let cancel = cancel(&invite);
        let cancel = match reason {
            Some(reason) => Builder::from_message(&cancel).header(Name::Reason, reason).message(),
            None => cancel,
        };
        net.run(Duration::from_secs(1));
        net.forget(BOB);
        net.say(BOB, cancel.bytes().clone());
        let statuses = [net.take(BOB).status(), net.take(BOB).status()];
        assert_eq!(statuses, [Some(200), Some(487)]);
        assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Peer, why));
        net.forget(BOB);
        net.rests();
    }
}

fn cancel(invite: &Message) -> Message {
    Builder::request(Method::Cancel, invite.request_uri().unwrap())
        .copy_from(invite, Name::Via)
        .header(Name::MaxForwards, 70)
        .copy_from(invite, Name::From)
        .copy_from(invite, Name::To)
        .copy_from(invite, Name::CallId)
        .header(Name::CSeq, format_args!("{} CANCEL", invite.cseq().unwrap().seq))
        .message()
}

/// RFC 5407 section 3.1.2: it came too late.
#[test]
fn a_cancel_after_the_2xx_changes_nothing() {
    let mut net = net(Transport::Tcp);
    let (invite, success) = answered(&mut net);
    net.say(BOB, cancel(&invite).bytes().clone());
    net.take_response(BOB, 200);
    assert!(net.told(ALICE).iter().all(|what| !matches!(what, CallEvent::Ended(_))));
    let ack = ack(&mut net, &invite, &success);
    net.say(BOB, ack.bytes().clone());
    assert!(net.is_answered(ALICE));
    let bye = net.inside(BOB, &success, Method::Bye, invite.cseq().unwrap().seq + 1);
    net.say(BOB, bye.finish());
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_cancel_while_the_application_describes_the_answer_takes_the_question_back() {
    let mut net = net(Transport::Tcp);
    net.side(ALICE).describes = Describes::WhenTold;
    let invite = called(&mut net);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
    assert_eq!(net.held(ALICE), 1);
    net.say(BOB, cancel(&invite).bytes().clone());
    assert_eq!(net.held(ALICE), 0);
    assert_eq!(net.end(ALICE).why, EndReason::Cancelled);
    net.forget(BOB);
    net.rests();
}

#[test]
fn an_application_without_description_refuses_with_its_warning_or_in_time() {
    for (describes, warning) in [
        (Describes::Refuses, "305 homing \"no codec in common\""),
        (Describes::WhenTold, "399 homing \"no session description is at hand\""),
    ] {
        let mut net = net(Transport::Udp);
        net.side(ALICE).describes = describes;
        called(&mut net);
        let call = net.incoming(ALICE);
        net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap();
        net.run(Duration::from_secs(11));
        let mut refusal = net.take(BOB);
        while refusal.status() == Some(100) {
            refusal = net.take(BOB);
        }
        assert_eq!((refusal.status(), refusal.text(Name::Warning).unwrap().as_ref()), (Some(488), warning));
        assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Us, EndReason::NotAcceptable));
        net.rests();
    }
}

#[test]
fn a_redirected_caller_is_told_where_to_go() {
    let mut net = net(Transport::Tcp);
    called(&mut net);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.redirect(call, "sip:carol@example.com", now)).unwrap();
    let moved = net.take_response(BOB, 302);
    assert_eq!(moved.text(Name::Contact).unwrap(), "<sip:carol@example.com>");
    assert_eq!(net.end(ALICE).by, EndedBy::Us);
    net.rests();
}

#[test]
fn it_rings_again_each_minute() {
    let mut net = net(Transport::Tcp);
    let invite = called(&mut net);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap();
    net.run(Duration::from_secs(125));
    let rung = (0..net.waiting(BOB)).filter(|_| net.take(BOB).status() == Some(180)).count();
    assert_eq!(rung, 3);
    net.say(BOB, cancel(&invite).bytes().clone());
    net.forget(BOB);
    net.rests();
}

#[test]
fn an_account_that_makes_no_calls_is_not_called_and_places_none() {
    let mut net = Net::new(Transport::Tcp);
    net.account("alice", |config| config.calls = None);
    net.script("bob");
    called(&mut net);
    assert!(net.told(ALICE).is_empty());
    assert_eq!(net.waiting(BOB), 0);
    let to = net.uri("bob");
    let (account, now) = (net.side(ALICE).account, net.now());
    let placed =
        net.side(ALICE).agent.place_call(account, homing_core::call_request::CallRequest::new(to), now);
    assert_eq!(placed.err(), Some(homing_core::error::Misuse::WrongState));
    net.rests();
}

/// Decision 46: heard only where it listens.
#[test]
fn an_account_that_does_not_listen_is_not_called() {
    let mut net = net_with(Transport::Tcp, |calls| calls.listen = None);
    called(&mut net);
    assert!(net.told(ALICE).is_empty());
    assert_eq!(net.waiting(BOB), 0);
    net.rests();
}

/// An INVITE that came by two paths is refused on the second, and the CANCEL of that path stops nothing on the first.
#[test]
fn the_cancel_of_another_path_does_not_stop_the_ring() {
    let mut net = net(Transport::Tcp);
    let invite = called(&mut net);
    let over = |path: &str, message: &Message| {
        let via =
            message.text(Name::Via).unwrap().replace("branch=z9hG4bK", &format!("branch=z9hG4bK{path}"));
        Builder::from_message(message).replace(Name::Via, via).finish()
    };
    net.say(BOB, over("second", &invite));
    net.take_response(BOB, 482);
    net.say(BOB, over("second", &cancel(&invite)));
    net.take_response(BOB, 200);
    net.forget(BOB);
    net.say(BOB, over("third", &cancel(&invite)));
    net.take_response(BOB, 481);
    assert!(!net.told(ALICE).iter().any(|what| matches!(what, CallEvent::Ended(_))));
    net.say(BOB, cancel(&invite).bytes().clone());
    assert_eq!(net.end(ALICE).why, EndReason::Cancelled);
    net.forget(BOB);
    net.rests();
}
