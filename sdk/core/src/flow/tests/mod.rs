//! Flows in virtual time.

mod keeping;
mod sharing;
mod stun;

use std::time::Duration;

use super::*;
use crate::identity::Expected;
use crate::ids::{FlowId, Seed};
use crate::time::{Moment, Now};
use crate::transport::Transport;

const RULES: FlowRules = FlowRules { connect: Duration::from_secs(10) };

fn at(millis: u64) -> Now {
    Now::new(Duration::from_millis(millis), Duration::from_millis(millis))
}

fn moment(millis: u64) -> Moment {
    Moment(Duration::from_millis(millis))
}

fn to(transport: Transport, host: &str) -> Destination {
    Destination { address: "192.0.2.1:5061".parse().unwrap(), transport, expected: Expected::host(host) }
}

fn flows(seed: u64) -> Flows<u32> {
    Flows::new(RULES, &Seed::from_number(seed))
}

/// A flow that is open at time zero, with its outputs drained.
fn open(flows: &mut Flows<u32>, transport: Transport) -> FlowId {
    let flow = flows.claim(1, &to(transport, "hs1.network.com"), at(0));
    let ends = ("198.51.100.7:40000".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
    assert!(flows.handle_connected(flow, Opened::new(ends.0, ends.1, None, at(0))));
    drain(flows);
    flow
}

fn drain(flows: &mut Flows<u32>) -> Vec<FlowOutput<u32>> {
    std::iter::from_fn(|| flows.poll_output()).collect()
}

/// Goes to the next deadline, which must not lie in the past, and does what is due.
fn step(flows: &mut Flows<u32>, from: &mut Moment) -> Vec<FlowOutput<u32>> {
    let deadline = flows.deadline().expect("something is due");
    assert!(deadline.at >= *from, "deadlines never lie in the past");
    *from = deadline.at;
    flows.handle_deadline(Now { since_start: deadline.at, wall: crate::time::Wall(deadline.at.0) });
    drain(flows)
}
