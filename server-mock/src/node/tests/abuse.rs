//! Bent, cut and shuffled messages: no panic, at most one answer each, nothing left behind.

use homing_core::connect::ConnectError;
use homing_core::connect::FlowEvent;
use homing_core::ids::{Rng, Seed};
use homing_core::transport::Transport;
use homing_wire::Frame;

use super::super::io::{NodeInput, NodeOutput};
use super::bench::{Bench, Golden, at};

/// How many seeds a run tries; `HOMING_SEEDS` raises it.
fn seeds() -> u64 {
    std::env::var("HOMING_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

/// The message with a few bytes changed, removed or doubled.
fn bent(text: &str, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.below(6) {
        let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
        match rng.below(4) {
            0 => bytes[at] = rng.bytes::<1>()[0],
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"\r\n\":;,<>=\0 "[usize::try_from(rng.below(11)).unwrap()]),
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    bytes
}

#[test]
fn bent_conversations_panic_nowhere_and_leave_nothing() {
    let conversations = Golden::all();
    for seed in 0..seeds() {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let golden = &conversations[usize::try_from(seed % 3).unwrap()];
        let server = "homeserver104.network.com";
        let mut bench = Bench::new(golden.node(server, |_| ()), &[("user@network.com", server)]);
        let transport = [Transport::Tls, Transport::Udp][usize::try_from(rng.below(2)).unwrap()];
        let flow = bench.open(0x1000, transport);
        let mut open = true;
        for round in 0..12 {
            let step = 2 * usize::try_from(rng.below(golden.len() as u64 / 2)).unwrap();
            let frame = Frame::Message(bent(&golden.text(step), &mut rng).into());
            let sent = bench.input(NodeInput::Flow(FlowEvent::Received { flow, frame }), at(round));
            assert!(sent.len() <= 1, "seed {seed}: {} answers", sent.len());
            if rng.below(4) == 0 {
                bench.input(NodeInput::DeadlineReached, at(round));
            }
            open &= !bench.others.iter().any(|output| matches!(output, NodeOutput::Close { .. }));
        }
        if open {
            bench.input(NodeInput::Flow(FlowEvent::Closed { flow, why: ConnectError::Closed }), at(20));
        }
        // Whatever still runs has an end: the last deadline leads to none.
        let mut now = at(20);
        while let Some(deadline) = bench.node.deadline() {
            now.since_start = deadline.at.max(now.since_start);
            bench.input(NodeInput::DeadlineReached, now);
        }
        assert_eq!(bench.node.transactions(), 0, "seed {seed}");
        if transport.is_reliable() {
            assert_eq!(bench.node.registrar().users(), 0, "seed {seed}");
        }
    }
}
