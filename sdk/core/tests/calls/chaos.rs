//! Two agents whose applications do anything at any time, over a network that loses, jumbles, repeats and breaks: no call
//! is left, each ends once, and nothing panics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homing_core::call_event::CallEvent;
use homing_core::call_request::{CallRequest, FirstOffer, InfoBody};
use homing_core::config::ReliableRule;
use homing_core::description::DescriptionRefusal;
use homing_core::ids::CallId;
use homing_core::transport::Transport;

use crate::world::{Describes, Net, sdp};

const NAMES: [&str; 2] = ["alice", "bob"];

/// Runs one seed; what was told is counted by kind.
fn chaos(seed: u64, transport: Transport, seen: &mut BTreeMap<String, u32>) {
    let mut net = Net::seeded(transport, seed, seed % 3 * 10);
    net.jumbles = true;
    for name in NAMES {
        let (reliable, expires) = (net.draw(2), net.draw(2));
        net.agent(name, |calls| {
            calls.most_calls = 4;
            calls.most_ringing_per_caller = 3;
            calls.ring_for = Duration::from_secs(30);
            if reliable == 1 {
                calls.reliable = ReliableRule::Supported;
            }
            calls.session_timers.expires = if expires == 1 { 100 } else { 0 };
        });
    }
    for _ in 0..60 {
        act(&mut net);
        let pause = net.draw(3_000);
        net.run(Duration::from_millis(pause * pause / 3_000));
    }
    for side in 0..2 {
        for call in calls(&mut net, side) {
            let _over = net.act(side, |agent, now| agent.hang_up(call, now));
        }
    }
    net.run(Duration::from_secs(120));
    net.rests();
    for what in (0..2).flat_map(|side| net.told(side)) {
        *seen.entry(kind(&what)).or_default() += 1;
    }
}

fn kind(what: &CallEvent) -> String {
    match what {
        CallEvent::Ended(end) => {
            format!("Ended {:?}", end.why).split('(').next().unwrap_or_default().to_owned()
        }
        other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    }
}

fn calls(net: &mut Net, side: usize) -> Vec<CallId> {
    net.side(side).told.iter().map(|(call, _)| *call).collect::<BTreeSet<_>>().into_iter().collect()
}

fn act(net: &mut Net) {
    let side = usize::try_from(net.draw(2)).unwrap();
    let known = calls(net, side);
    let place = usize::try_from(net.draw(known.len().max(1) as u64)).unwrap();
    let call = known.get(place).copied().unwrap_or(CallId(0));
    match net.draw(16) {
        0 | 1 => {
            let mut request = CallRequest::new(net.uri(NAMES[1 - side]));
            request.ring_for = Duration::from_secs(5 + net.draw(40));
            if net.draw(3) == 0 {
                request.first_offer = FirstOffer::Called;
            }
            let account = net.side(side).account;
            let _refused = net.act(side, |agent, now| agent.place_call(account, request, now));
        }
        2 | 3 => {
            let early = net.draw(2) == 0;
            let _refused = net.act(side, |agent, now| agent.ring(call, early, now));
        }
        4..=6 => drop(net.act(side, |agent, now| agent.answer(call, now))),
        7 => drop(net.act(side, |agent, now| agent.hang_up(call, now))),
        8 => drop(net.act(side, |agent, now| agent.reject(call, 486, now))),
        9 => drop(net.act(side, |agent, now| agent.hold(call, now))),
        10 => drop(net.act(side, |agent, now| agent.resume(call, now))),
        11 => {
            let body = InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() };
            let _refused = net.act(side, |agent, now| agent.info(call, body, now));
        }
        12 => net.cut(side),
        13 => {
            let how = [Describes::AtOnce, Describes::WhenTold, Describes::Refuses];
            net.side(side).describes = how[usize::try_from(net.draw(3)).unwrap()];
        }
        14 if net.held(side) > 0 => {
            let given = match net.draw(4) {
                0 => Err(DescriptionRefusal::new(305, "no codec in common")),
                number => Ok(sdp(u32::try_from(number).unwrap() + 100, "sendrecv")),
            };
            net.describe(side, given);
        }
        _ => net.run(Duration::from_secs(10)),
    }
}

#[test]
fn whatever_happens_every_call_ends_once_and_leaves_nothing() {
    let mut seen = BTreeMap::new();
    for seed in 0..150 {
        for transport in [Transport::Udp, Transport::Tcp] {
            chaos(seed, transport, &mut seen);
        }
    }
    // It is worth nothing if it does not come about.
    for wanted in [
        "Incoming",
        "Progress",
        "Described",
        "Answered",
        "Held",
        "PeerHolds",
        "ChangeRefused",
        "Info",
        "InfoAnswered",
        "ConnectionLost",
        "ConnectionBack",
        "Ended HungUp",
        "Ended Cancelled",
        "Ended NoAnswer",
        "Ended NotAcceptable",
        "Ended ConnectionLost",
        "Ended Declined",
        "Ended Busy",
    ] {
        assert!(seen.get(wanted).is_some_and(|count| *count >= 10), "{wanted}: {seen:#?}");
    }
}

#[test]
fn a_call_of_forty_minutes_is_refreshed_in_both_roles() {
    for refreshes in [true, false] {
        let mut net = Net::new(Transport::Tcp);
        net.agent("alice", |calls| calls.session_timers.expires = if refreshes { 120 } else { 0 });
        net.agent("bob", |calls| calls.session_timers.expires = 300);
        let out = net.place(0, "bob");
        let came = net.incoming(1);
        net.act(1, |agent, now| agent.answer(came, now)).unwrap();
        net.run(Duration::from_secs(2_400));
        for side in 0..2 {
            assert!(!net.told(side).iter().any(|what| matches!(what, CallEvent::Ended(_))), "{refreshes}");
        }
        net.act(0, |agent, now| agent.hang_up(out, now)).unwrap();
        net.rests();
    }
}
