//! Loss over UDP: every call ends answered and hung up, or by the timer that RFC 3261 names for it.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason};
use homing_core::transport::Transport;

use crate::world::Net;

const ALICE: usize = 0;
const BOB: usize = 1;

/// One call with a hold in the middle; how it ended for the caller.
fn call(seed: u64, loss: u64) -> Option<EndReason> {
    let mut net = Net::seeded(Transport::Udp, seed, loss);
    net.agent("alice", |_| {});
    net.agent("bob", |_| {});
    let out = net.place(ALICE, "bob");
    net.run(Duration::from_secs(40));
    let came = net.side(BOB).told.first().map(|(call, _)| *call);
    if let Some(came) = came {
        let _gone = net.act(BOB, |agent, now| agent.ring(came, false, now));
        net.run(Duration::from_secs(5));
        let _gone = net.act(BOB, |agent, now| agent.answer(came, now));
        net.run(Duration::from_secs(40));
        let _gone = net.act(ALICE, |agent, now| agent.hold(out, now));
        net.run(Duration::from_secs(40));
        let _gone = net.act(BOB, |agent, now| agent.hang_up(came, now));
    }
    net.run(Duration::from_secs(80));
    let _gone = net.act(ALICE, |agent, now| agent.hang_up(out, now));
    net.rests();
    let answered = net.is_answered(ALICE) && net.is_answered(BOB);
    let end = net.told(ALICE).into_iter().find_map(|what| match what {
        CallEvent::Ended(end) => Some(end.why),
        _ => None,
    });
    end.filter(|_| !answered)
}

#[test]
fn at_ten_percent_every_call_succeeds() {
    for seed in 0..100 {
        assert_eq!(call(seed, 10), None, "seed {seed}");
    }
}

#[test]
fn at_forty_percent_a_call_succeeds_or_ends_by_a_timer() {
    let mut failed = 0;
    for seed in 0..200 {
        match call(seed, 40) {
            None => {}
            Some(
                EndReason::NoAnswer | EndReason::NotAcknowledged | EndReason::Forgotten | EndReason::HungUp,
            ) => {
                failed += 1;
            }
            Some(other) => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(failed < 100, "{failed} of 200");
}
