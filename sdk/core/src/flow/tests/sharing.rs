//! Who shares a flow, and when it closes.

use super::*;
use crate::connect::ConnectError;
use crate::time::Why;

#[test]
fn one_flow_serves_all_who_want_the_same() {
    let mut flows = flows(1);
    let tls = to(Transport::Tls, "hs1.network.com");
    let first = flows.claim(1, &tls, at(0));
    assert_eq!(flows.claim(2, &tls, at(0)), first);
    assert_eq!(flows.claim(2, &tls, at(0)), first);
    let connects = drain(&mut flows);
    assert_eq!(connects, [FlowOutput::Connect { flow: first, to: tls.clone() }]);
    assert_eq!(flows.find(first).unwrap().users().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_flow_verified_for_one_name_never_serves_another() {
    let mut flows = flows(1);
    let one = flows.claim(1, &to(Transport::Tls, "hs1.network.com"), at(0));
    let two = flows.claim(1, &to(Transport::Tls, "hs2.network.com"), at(0));
    let clear = flows.claim(1, &to(Transport::Tcp, "hs1.network.com"), at(0));
    assert!(one != two && one != clear && two != clear);
}

#[test]
fn the_last_user_closes_an_open_flow() {
    let mut flows = flows(1);
    let flow = open(&mut flows, Transport::Tls);
    let tls = to(Transport::Tls, "hs1.network.com");
    assert_eq!(flows.claim(2, &tls, at(0)), flow);
    flows.release(flow, 1);
    flows.release(flow, 1);
    assert!(drain(&mut flows).is_empty(), "it still has a user");
    flows.release(flow, 2);
    assert_eq!(drain(&mut flows), [FlowOutput::Close { flow }]);
    assert!(flows.is_empty());
    assert_ne!(flows.claim(3, &tls, at(1)), flow, "what closed serves nobody any more");
}

#[test]
fn a_flow_that_does_not_open_in_time_is_lost() {
    let mut flows = flows(1);
    let flow = flows.claim(1, &to(Transport::Tls, "hs1.network.com"), at(500));
    drain(&mut flows);
    let deadline = flows.deadline().unwrap();
    assert_eq!((deadline.at, deadline.why), (moment(10_500), Why::ConnectOverdue));
    flows.handle_deadline(at(10_499));
    assert!(drain(&mut flows).is_empty());
    flows.handle_deadline(at(10_500));
    let lost = FlowOutput::News(FlowNews::Lost { flow, why: ConnectError::Timeout, users: vec![1] });
    assert_eq!(drain(&mut flows), [FlowOutput::Close { flow }, lost]);
    let ends = ("198.51.100.7:1".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
    assert!(
        !flows.handle_connected(flow, Opened::new(ends.0, ends.1, None, at(10_501))),
        "it comes too late"
    );
    assert_eq!(flows.deadline(), None);
}

#[test]
fn nobody_waits_for_a_flow_that_was_given_up_while_it_opened() {
    let mut flows = flows(1);
    let flow = flows.claim(1, &to(Transport::Tls, "hs1.network.com"), at(0));
    drain(&mut flows);
    flows.release(flow, 1);
    assert_eq!(drain(&mut flows), [FlowOutput::Close { flow }]);
}

#[test]
fn a_lost_flow_names_its_users_and_is_opened_anew() {
    let mut flows = flows(1);
    let flow = open(&mut flows, Transport::Tls);
    flows.claim(9, &to(Transport::Tls, "hs1.network.com"), at(0));
    assert_eq!(flows.handle_lost(flow), [1, 9]);
    assert!(flows.handle_lost(flow).is_empty());
    assert_ne!(
        flows.claim(1, &to(Transport::Tls, "hs1.network.com"), at(1)),
        flow,
        "names are not used again"
    );
}
