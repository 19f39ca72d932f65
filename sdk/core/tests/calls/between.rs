//! Two agents that call each other: answered, refused, given up, held, hung up from either side.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason, EndedBy};
use homing_core::call_request::{CallRequest, FirstOffer, InfoBody};
use homing_core::command::Command;
use homing_core::config::{DoNotDisturb, ReliableRule};
use homing_core::description::Turn;
use homing_core::transport::Transport;

use crate::world::{Net, T1};

const BOTH: [Transport; 2] = [Transport::Udp, Transport::Tcp];
const ALICE: usize = 0;
const BOB: usize = 1;

fn pair(transport: Transport) -> Net {
    let mut net = Net::new(transport);
    net.agent("alice", |_| {});
    net.agent("bob", |_| {});
    net
}

#[test]
fn a_call_rings_is_answered_and_is_hung_up_by_either_side() {
    for transport in BOTH {
        for who in [ALICE, BOB] {
            let mut net = pair(transport);
            let out = net.place(ALICE, "bob");
            let came = net.incoming(BOB);
            net.act(BOB, |agent, now| agent.ring(came, false, now)).unwrap();
            assert!(net.is_told(ALICE, &CallEvent::Progress { fork: 0, status: 180 }));
            net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
            assert!(net.is_answered(ALICE) && net.is_answered(BOB), "{transport:?}");
            net.run(Duration::from_secs(30));
            let call = if who == ALICE { out } else { came };
            net.act(who, |agent, now| agent.hang_up(call, now)).unwrap();
            let (mine, theirs) = (net.end(who), net.end(1 - who));
            assert_eq!((mine.by, mine.why), (EndedBy::Us, EndReason::HungUp));
            assert_eq!((theirs.by, theirs.why), (EndedBy::Peer, EndReason::HungUp));
            net.rests();
        }
    }
}

#[test]
fn a_caller_that_gives_up_stops_the_ringing() {
    for transport in BOTH {
        for rings in [false, true] {
            let mut net = pair(transport);
            let out = net.place(ALICE, "bob");
            let came = net.incoming(BOB);
            if rings {
                net.act(BOB, |agent, now| agent.ring(came, false, now)).unwrap();
            }
            net.run(Duration::from_secs(1));
            net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
            assert_eq!(net.end(ALICE).why, EndReason::Cancelled);
            assert_eq!((net.end(BOB).by, net.end(BOB).why), (EndedBy::Peer, EndReason::Cancelled));
            net.rests();
        }
    }
}

#[test]
fn a_call_is_refused_in_every_way() {
    for (status, why) in [
        (486, EndReason::Busy),
        (480, EndReason::Unavailable),
        (603, EndReason::Declined),
        (404, EndReason::NotFound),
        (500, EndReason::Refused),
    ] {
        let mut net = pair(Transport::Udp);
        net.place(ALICE, "bob");
        let came = net.incoming(BOB);
        net.act(BOB, |agent, now| agent.reject(came, status, now)).unwrap();
        assert_eq!((net.end(ALICE).status, net.end(ALICE).why), (Some(status), why.clone()));
        assert_eq!((net.end(BOB).by, net.end(BOB).why), (EndedBy::Us, why));
        net.rests();
    }
    let mut net = pair(Transport::Udp);
    net.place(ALICE, "bob");
    let came = net.incoming(BOB);
    net.act(BOB, |agent, now| agent.hang_up(came, now)).unwrap();
    assert_eq!((net.end(ALICE).status, net.end(BOB).why), (Some(603), EndReason::Declined));
    net.rests();
}

#[test]
fn who_wants_no_calls_gets_none() {
    for (rule, status) in [(DoNotDisturb::Unavailable, 480), (DoNotDisturb::Busy, 486)] {
        let mut net = Net::new(Transport::Tcp);
        net.agent("alice", |_| {});
        net.agent("bob", |calls| calls.do_not_disturb = rule);
        net.place(ALICE, "bob");
        assert_eq!(net.end(ALICE).status, Some(status));
        assert!(net.told(BOB).is_empty());
        net.rests();
    }
}

#[test]
fn call_waiting_takes_two_and_refuses_the_third() {
    let mut net = Net::new(Transport::Udp);
    for name in ["alice", "bob", "carol", "dave"] {
        net.agent(name, |_| {});
    }
    for caller in [0, 2] {
        net.place(caller, "bob");
    }
    net.place(3, "bob");
    assert_eq!(net.end(3).status, Some(486));
    let came: Vec<_> = net.side(BOB).told.iter().map(|(call, _)| *call).collect();
    assert_eq!(came.len(), 2);
    net.act(BOB, |agent, now| agent.hang_up(came[0], now)).unwrap();
    net.side(3).told.clear();
    net.place(3, "bob");
    assert_eq!(
        net.side(BOB).told.iter().filter(|(_, what)| matches!(what, CallEvent::Incoming(_))).count(),
        3
    );
    net.rests();
}

#[test]
fn one_caller_rings_once_at_a_time() {
    let mut net = Net::new(Transport::Udp);
    net.agent("alice", |_| {});
    net.agent("bob", |calls| calls.most_calls = 9);
    net.place(ALICE, "bob");
    net.place(ALICE, "bob");
    assert_eq!(net.end(ALICE).status, Some(486), "T20");
    net.rests();
}

#[test]
fn nobody_answers() {
    for transport in BOTH {
        let mut net = pair(transport);
        net.place(ALICE, "bob");
        let came = net.incoming(BOB);
        net.act(BOB, |agent, now| agent.ring(came, false, now)).unwrap();
        net.run(Duration::from_secs(200));
        assert_eq!(net.end(ALICE).why, EndReason::NoAnswer);
        net.rests();
    }
    let mut net = Net::new(Transport::Udp);
    net.agent("alice", |_| {});
    net.agent("bob", |calls| calls.ring_for = Duration::from_secs(20));
    net.place(ALICE, "bob");
    net.run(Duration::from_secs(21));
    assert_eq!((net.end(BOB).by, net.end(BOB).why), (EndedBy::Rule, EndReason::NoAnswer));
    assert_eq!(net.end(ALICE).status, Some(480));
    net.rests();
}

#[test]
fn a_call_may_ring_for_longer_than_timer_c_because_the_peer_says_so_every_minute() {
    let mut net = Net::new(Transport::Udp);
    net.agent("alice", |_| {});
    net.agent("bob", |calls| calls.ring_for = Duration::from_secs(600));
    let mut request = CallRequest::new(net.uri("bob"));
    request.ring_for = Duration::from_secs(600);
    net.place_with(ALICE, request);
    let came = net.incoming(BOB);
    net.act(BOB, |agent, now| agent.ring(came, false, now)).unwrap();
    net.run(Duration::from_secs(500));
    net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
    assert!(net.is_answered(ALICE));
    net.act(BOB, |agent, now| agent.hang_up(came, now)).unwrap();
    net.rests();
}

#[test]
fn hold_and_resume_are_told_on_both_sides() {
    for transport in BOTH {
        for who in [ALICE, BOB] {
            let mut net = pair(transport);
            let out = net.place(ALICE, "bob");
            let came = net.incoming(BOB);
            net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
            let call = if who == ALICE { out } else { came };
            for hold in [true, false] {
                net.act(who, |agent, now| if hold { agent.hold(call, now) } else { agent.resume(call, now) })
                    .unwrap();
                assert!(net.is_told(who, &CallEvent::Held(hold)));
                assert!(net.is_told(1 - who, &CallEvent::PeerHolds(hold)));
            }
            net.act(who, |agent, now| agent.hang_up(call, now)).unwrap();
            net.rests();
        }
    }
}

/// RFC 3261 section 14.1: both change the session at once, one waits longer, and both changes are made.
#[test]
fn glare_is_resolved() {
    let mut net = pair(Transport::Udp);
    let out = net.place(ALICE, "bob");
    let came = net.incoming(BOB);
    net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
    let now = net.now();
    net.side(ALICE).agent.hold(out, now).unwrap();
    net.side(BOB).agent.hold(came, now).unwrap();
    net.run(Duration::from_secs(10));
    for side in [ALICE, BOB] {
        assert!(net.is_told(side, &CallEvent::Held(true)) && net.is_told(side, &CallEvent::PeerHolds(true)));
    }
    net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
    net.rests();
}

#[test]
fn info_reaches_the_other_application() {
    let mut net = pair(Transport::Tcp);
    let out = net.place(ALICE, "bob");
    let came = net.incoming(BOB);
    net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
    let digit = InfoBody { content_type: "application/dtmf-relay".into(), body: b"Signal=5\r\n".to_vec() };
    net.act(ALICE, |agent, now| agent.info(out, digit.clone(), now)).unwrap();
    assert!(net.is_told(BOB, &CallEvent::Info(digit)));
    assert!(net.is_told(ALICE, &CallEvent::InfoAnswered { status: 200 }));
    let other = InfoBody { content_type: "text/plain".into(), body: b"hello".to_vec() };
    net.act(ALICE, |agent, now| agent.info(out, other, now)).unwrap();
    assert!(net.is_told(ALICE, &CallEvent::InfoAnswered { status: 415 }));
    net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
    net.rests();
}

#[test]
fn the_called_side_may_make_the_first_offer() {
    for transport in BOTH {
        let mut net = pair(transport);
        let mut request = CallRequest::new(net.uri("bob"));
        request.first_offer = FirstOffer::Called;
        let out = net.place_with(ALICE, request);
        let came = net.incoming(BOB);
        net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
        assert!(net.is_answered(ALICE) && net.is_answered(BOB));
        let described = |what: &CallEvent| matches!(what, CallEvent::Described { preview: false, .. });
        assert!(net.told(BOB).iter().any(described), "the ACK brought the answer");
        net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
        net.rests();
    }
}

#[test]
fn early_media_reliable_or_not() {
    for (transport, rule) in [
        (Transport::Udp, ReliableRule::Required),
        (Transport::Udp, ReliableRule::Supported),
        (Transport::Tcp, ReliableRule::Supported),
    ] {
        let mut net = Net::new(transport);
        net.agent("alice", |_| {});
        net.agent("bob", |calls| calls.reliable = rule);
        let out = net.place(ALICE, "bob");
        let came = net.incoming(BOB);
        net.act(BOB, |agent, now| agent.ring(came, true, now)).unwrap();
        let preview = rule == ReliableRule::Required;
        let is_it =
            |what: &CallEvent| matches!(what, CallEvent::Described { preview: p, .. } if *p == preview);
        assert!(net.told(ALICE).iter().any(is_it), "{rule:?}");
        net.run(T1 * 4);
        net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
        assert!(net.is_answered(ALICE) && net.is_answered(BOB), "{rule:?}");
        net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
        net.rests();
    }
}

#[test]
fn early_media_of_the_called_side_that_offers_first() {
    let mut net = Net::new(Transport::Udp);
    net.agent("alice", |_| {});
    net.agent("bob", |calls| calls.reliable = ReliableRule::Supported);
    let mut request = CallRequest::new(net.uri("bob"));
    request.first_offer = FirstOffer::Called;
    let out = net.place_with(ALICE, request);
    let came = net.incoming(BOB);
    net.act(BOB, |agent, now| agent.ring(came, false, now)).unwrap();
    let answered = |what: &CallEvent| matches!(what, CallEvent::Described { .. });
    assert!(net.told(BOB).iter().any(answered), "the PRACK brought the answer");
    net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
    assert!(net.is_answered(ALICE) && net.is_answered(BOB));
    net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
    net.rests();
}

#[test]
fn an_account_that_is_removed_takes_its_calls_along() {
    for answered in [false, true] {
        let mut net = pair(Transport::Tcp);
        net.place(ALICE, "bob");
        let came = net.incoming(BOB);
        if answered {
            net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
        }
        let account = net.side(BOB).account;
        net.act(BOB, |agent, now| agent.handle_command(Command::Remove(account), now)).unwrap();
        assert_eq!(net.end(BOB).by, EndedBy::Us);
        let agent = &net.side(BOB).agent;
        assert_eq!((agent.calls(), agent.dialogs(), agent.transactions(), agent.flows()), (0, 0, 0, 0));
        net.rests();
    }
}

#[test]
fn who_holds_is_asked_for_an_answer_that_keeps_the_call_on_hold() {
    let mut net = pair(Transport::Tcp);
    let out = net.place(ALICE, "bob");
    let came = net.incoming(BOB);
    net.act(BOB, |agent, now| agent.answer(came, now)).unwrap();
    net.act(ALICE, |agent, now| agent.hold(out, now)).unwrap();
    net.act(BOB, |agent, now| agent.hold(came, now)).unwrap();
    let last = net.side(ALICE).asked.last().unwrap().clone();
    assert!(last.hold && matches!(last.turn, Turn::Answer(_)), "{last:?}");
    assert!(net.is_told(BOB, &CallEvent::Held(true)) && net.is_told(ALICE, &CallEvent::PeerHolds(true)));
    net.act(BOB, |agent, now| agent.resume(came, now)).unwrap();
    assert!(net.side(ALICE).asked.last().unwrap().hold, "alice holds still");
    net.act(ALICE, |agent, now| agent.hang_up(out, now)).unwrap();
    net.rests();
}
