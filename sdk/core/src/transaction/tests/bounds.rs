//! What a table refuses, drops and counts, and what becomes of a lost flow.

use super::*;
use crate::counter::Counter;

fn small() -> Table {
    let caps = Caps { clients: 2, servers: 2, lingering_bytes: 3_000, lingering_invites: 100 };
    Table::new(caps, 1)
}

fn numbered(method: &str, n: usize) -> Message {
    changed(&request(method, &format!("z9hG4bK{n}")), "call-1", &format!("call-{n}"))
}

#[test]
fn beyond_the_caps_nothing_is_stored() {
    let mut table = small();
    for n in 0..2 {
        table.request(&numbered("REGISTER", n), TLS, 1, at(0)).unwrap();
        accept(&mut table, &numbered("OPTIONS", n), TLS, at(0));
    }
    assert_eq!(table.request(&numbered("REGISTER", 5), TLS, 1, at(0)), Err(Misuse::Limit));
    let late = numbered("OPTIONS", 5);
    assert_eq!(table.feed_request(&late, FLOW, at(0)), Incoming::Overload);
    assert_eq!(table.accept_request(&late, TLS, 9, at(0)), Err(Misuse::Limit));
    assert_eq!(table.feed_request(&numbered("OPTIONS", 1), FLOW, at(0)), Incoming::Retransmission);
    assert_eq!((table.len(), table.counters().of(Counter::RefusedRequest)), (4, 1));
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let mut table = table();
    let register = request("REGISTER", "z9hG4bKa");
    table.request(&register, UDP, 1, at(0)).unwrap();
    for bad in [register.clone(), request("ACK", "z9hG4bKb"), answer(&register, 200)] {
        assert_eq!(table.request(&bad, UDP, 1, at(0)), Err(Misuse::BadMessage), "{bad:?}");
    }
    let bare = changed(&request("REGISTER", "z9hG4bKx"), ";branch=z9hG4bKx", "");
    assert_eq!(table.request(&bare, UDP, 1, at(0)), Err(Misuse::BadMessage));
    accept(&mut table, &request("OPTIONS", "z9hG4bKo"), UDP, at(0));
    let again = table.accept_request(&request("OPTIONS", "z9hG4bKo"), UDP, 9, at(0));
    assert_eq!(again, Err(Misuse::WrongState));
    assert_eq!(table.accept_request(&request("ACK", "z9hG4bKo"), UDP, 9, at(0)), Err(Misuse::BadMessage));
}

#[test]
fn the_oldest_lingering_ones_make_room_and_are_counted() {
    let mut table = small();
    let all: Vec<Message> = (0..20).map(|n| numbered("REGISTER", n)).collect();
    for (n, register) in all.iter().enumerate() {
        let id = accept(&mut table, register, UDP, at(n as u64));
        table.respond(id, reply(register, 200), 200, at(n as u64));
    }
    assert!(table.lingering_bytes() <= 3_000);
    let dropped = usize::try_from(table.counters().of(Counter::LingeringDropped)).unwrap();
    assert_eq!(table.len() + dropped, 20);
    assert!((1..19).contains(&dropped), "{dropped}");
    let is = |table: &mut Table, n: usize| table.feed_request(&all[n], FLOW, at(30));
    assert_eq!(is(&mut table, 19), Incoming::Retransmission, "the newest stay");
    assert_eq!(is(&mut table, dropped), Incoming::Retransmission);
    assert_eq!(is(&mut table, dropped - 1), Incoming::New, "the oldest went first");
    pass(&mut table, 3_600_000);
    assert_eq!((table.len(), table.lingering_bytes()), (0, 0));
}

#[test]
fn a_lost_flow_ends_what_has_no_final_response_and_only_that() {
    let mut table = table();
    let other = FlowRef { flow: FlowId(2), transport: Transport::Tls };
    let invite = numbered("INVITE", 1);
    let called = table.request(&invite, TLS, 11, at(0)).unwrap();
    table.feed_response(called, &answer(&invite, 180), at(1));
    table.cancel(called, &mut as_is, at(2)).unwrap();
    table.request(&numbered("REGISTER", 2), TLS, 12, at(0)).unwrap();
    table.request(&numbered("REGISTER", 3), other, 13, at(0)).unwrap();
    accept(&mut table, &numbered("OPTIONS", 4), TLS, at(0));
    let refused = numbered("INVITE", 5);
    let id = accept(&mut table, &refused, TLS, at(0));
    table.respond(id, reply(&refused, 486), 486, at(0));
    drain(&mut table);
    table.flow_failed(FLOW);
    let users: Vec<u32> = drain(&mut table)
        .into_iter()
        .map(|output| match output {
            Seen::Wants(TxOutput::FlowFailed { user, .. }) => user,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(users, [11, 12, 9], "neither the CANCEL nor what was answered");
    assert_eq!((table.len(), table.unfinished()), (1, 1));
    table.flow_failed(FlowId(2));
    assert!(table.is_empty() && table.deadline().is_none());
}

#[test]
fn a_response_that_comes_too_late_is_dropped_and_counted() {
    let mut table = table();
    let register = request("REGISTER", "z9hG4bKa");
    let id = accept(&mut table, &register, UDP, at(0));
    table.respond(id, reply(&register, 200), 200, at(0));
    drain(&mut table);
    table.respond(id, reply(&register, 500), 500, at(1));
    table.respond(TxId(77), reply(&register, 500), 500, at(1));
    assert!(drain(&mut table).is_empty());
    assert_eq!(table.counters().of(Counter::LateResponse), 2);
    table.feed_response(TxId(77), &answer(&register, 200), at(1));
    assert_eq!(table.counters().of(Counter::StrayResponse), 1);
}

#[test]
fn tens_of_thousands_are_cheap() {
    let caps = Caps { clients: 50_000, servers: 50_000, lingering_bytes: 64 << 20, lingering_invites: 100 };
    let mut table: Table = Table::new(caps, 1);
    let many: Vec<Message> = (0..20_000).map(|n| numbered("REGISTER", n)).collect();
    for (n, register) in many.iter().enumerate() {
        table.request(register, UDP, 1, at(n as u64 / 100)).unwrap();
        drain(&mut table);
    }
    // Each is sent eleven times, by a deadline of its own at every step; a linear search among them
    // would take minutes.
    let seen = pass(&mut table, 3_600_000);
    assert_eq!(times(&seen, "timed out").len(), many.len());
    assert_eq!(times(&seen, "REGISTER").len(), many.len() * 10);
    assert!(table.is_empty());
}

/// A late copy of an answered INVITE must not ring again: none is forgotten early, new ones are refused.
#[test]
fn answered_invites_are_kept_in_full_and_a_further_one_is_refused() {
    let caps = Caps { clients: 9, servers: 9, lingering_bytes: 0, lingering_invites: 3 };
    let mut table = Table::new(caps, 1);
    for n in 0..3 {
        let invite = numbered("INVITE", n);
        let id = accept(&mut table, &invite, TLS, at(0));
        table.respond(id, reply(&invite, 200), 200, at(1));
    }
    drain(&mut table);
    assert_eq!(table.feed_request(&numbered("INVITE", 3), FLOW, at(2)), Incoming::Overload);
    assert_eq!(table.feed_request(&numbered("OPTIONS", 4), FLOW, at(2)), Incoming::New);
    assert_eq!(table.feed_request(&numbered("INVITE", 0), FLOW, at(2)), Incoming::Retransmission);
    assert_eq!(table.lingering_bytes(), 0, "they keep key and state only");
    pass(&mut table, 40_000);
    assert_eq!(table.feed_request(&numbered("INVITE", 3), FLOW, at(40_000)), Incoming::New);
    assert!(table.is_empty());
}
