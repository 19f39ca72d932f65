//! What a node waits for, said by its deadline.

use std::time::Duration;

use homing_core::time::{Deadline, Why};
use homing_core::transport::Transport;

use super::super::config::Dialect;
use super::super::io::{NodeCommand, NodeInput};
use super::authenticator::unsigned;
use super::bench::{Bench, Golden, at};
use crate::fault::{Fault, Rule};

const SERVER: &str = "homeserver104.network.com";
const PLAIN: usize = 6;
const EMPTY: usize = 8;
const TOKEN: usize = 10;

#[test]
fn a_challenge_an_association_and_a_delayed_request_each_say_what_is_due() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut bench = Bench::new(golden.node(SERVER, |_| ()), &[]);
    let flow = bench.open(1, Transport::Tls);
    let due = |bench: &Bench, seconds: u64, why| {
        let expected = Deadline::new(at(seconds).since_start, why);
        assert_eq!(bench.node.deadline(), Some(expected), "{}", bench.ladder());
    };
    due(&bench, 120, Why::IdleFlow);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    due(&bench, 60, Why::ChallengeLapse);
    let token = unsigned(&golden.text(TOKEN)).replace("REGISTER", "OPTIONS");
    assert_eq!(bench.ask(flow, &token, at(0)).status(), Some(200));
    due(&bench, 15 * 60, Why::AssociationLapse);
    let delay = Fault::Delay(Duration::from_secs(7));
    bench.command(NodeCommand::InjectFault(Rule::next(1, delay)), at(1));
    assert!(bench.say(flow, &golden.text(PLAIN), at(1)).is_empty());
    due(&bench, 8, Why::RequestDelay);
    assert_eq!(bench.input(NodeInput::DeadlineReached, at(8)).len(), 1, "answered when the pause is over");
    due(&bench, 15 * 60, Why::AssociationLapse);
}
