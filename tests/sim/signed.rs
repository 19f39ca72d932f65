//! Every request is signed, ACK and CANCEL too: two ends of one association over a link with conditions.
//!
//! An INVITE rings, is cancelled in time or too late, is refused and acknowledged, in version 2, 3 and 4
//! and over UDP and TCP. The server is as strict as real ones: what is not signed it discards silently.

mod ends;
mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use homing_core::auth::security_association::Version;
use homing_core::transport::Transport;
use homing_tests::world::link::NetworkConditions;
use homing_wire::{Message, Method};

use ends::{Caller, Signing};
use wire::{Call, Plan};

const VERSIONS: [Version; 3] = [Version::V2, Version::V3, Version::V4];
/// The callee refuses so long after the INVITE.
const REFUSAL: Duration = Duration::from_millis(900);

/// The caller hangs up so long after the INVITE.
const HANGING_UP: [(Option<u64>, u16); 4] =
    [(None, 486), (Some(300), 487), (Some(895), 486), (Some(930), 486)];

#[test]
fn a_refused_call_is_signed_from_its_invite_to_its_ack() {
    let (mut requests, mut responses) = (0, 0);
    for version in VERSIONS {
        for transport in [Transport::Udp, Transport::Tcp] {
            for (hangs_up, status) in HANGING_UP {
                for seed in 0..25 {
                    let conditions = if seed == 0 {
                        NetworkConditions::default()
                    } else {
                        NetworkConditions::lossy(200, 100)
                    };
                    let hangs_up = hangs_up.map(Duration::from_millis);
                    let plan = Plan { version, transport, conditions, hangs_up, refuses: REFUSAL, seed };
                    let call = Call::new(plan, Signing::Always).run();
                    prove(&call, (seed == 0).then_some(status));
                    if transport == Transport::Udp {
                        requests += call.copies_of_requests();
                        responses += call.copies_of_responses();
                    } else {
                        call.require(call.copies_of_requests() + call.copies_of_responses() == 0, "copies");
                    }
                }
            }
        }
    }
    assert!(requests > 100 && responses > 100, "only {requests} and {responses} copies: no proof");
}

/// What holds at the end of every call; `status` is what the INVITE must have been refused with.
fn prove(call: &Call, status: Option<u16>) {
    let caller = &call.caller;
    call.require(caller.ended == 1, "the INVITE ends once");
    call.require(!caller.timed_out && !call.callee.unacknowledged, "nobody waited in vain");
    call.require(call.is_over(), "transactions are left");
    call.require(call.callee.discarded == 0, "a request was discarded for its signature");
    call.require(caller.distrusted == 0, "a response was refused for its signature");
    if let Some(status) = status {
        call.require(caller.final_status == Some(status), &format!("{:?}", caller.final_status));
    }
    requests_are_signed_once_each(call);
    responses_are_signed_once_each(call);
    nothing_is_repeated_after_the_ack(call);
}

/// Distinct requests have counters 1, 2, 3 in the order of their first sending; copies are the same bytes.
fn requests_are_signed_once_each(call: &Call) {
    let mut counters = Vec::new();
    for (method, distinct) in by_method(call) {
        call.require(distinct.len() == 1, &format!("{method}: {} different requests", distinct.len()));
        let message = &distinct[0];
        let auth = message.auth(homing_wire::Name::Authorization).next();
        let value = |name| auth.as_ref().and_then(|auth| auth.param(name)).unwrap_or_default().to_owned();
        call.require(!value("response").is_empty(), &format!("{method} is not signed"));
        counters.push((value("cnum"), value("crand")));
    }
    let numbers: Vec<&str> = counters.iter().map(|(number, _)| number.as_str()).collect();
    call.require(numbers == ["1", "2", "3"][..numbers.len()], &format!("counters {numbers:?}"));
    let salts: BTreeSet<&str> = counters.iter().map(|(_, salt)| salt.as_str()).collect();
    call.require(salts.len() == counters.len(), "a salt was used twice");
}

fn by_method(call: &Call) -> Vec<(&'static str, Vec<Message>)> {
    let mut methods: Vec<(&'static str, Vec<Message>)> = Vec::new();
    for sent in &call.caller.sent {
        let message = Message::parse(sent.bytes.clone()).unwrap();
        let method = match message.method() {
            Some(Method::Invite) => "INVITE",
            Some(Method::Ack) => "ACK",
            Some(Method::Cancel) => "CANCEL",
            other => call.fail(&format!("the caller sends {other:?}")),
        };
        match methods.iter_mut().find(|(known, _)| *known == method) {
            Some((_, distinct)) if distinct.iter().any(|known| known.bytes() == message.bytes()) => {}
            Some((_, distinct)) => distinct.push(message),
            None => methods.push((method, vec![message])),
        }
    }
    call.require(methods.iter().any(|(method, _)| *method == "ACK"), "no ACK");
    methods
}

/// A retransmitted final is byte-identical, counter and salt included.
fn responses_are_signed_once_each(call: &Call) {
    let mut distinct: Vec<Message> = Vec::new();
    let mut counters = BTreeSet::new();
    for sent in &call.callee.sent {
        let message = Message::parse(sent.bytes.clone()).unwrap();
        if message.status() == Some(100) || distinct.iter().any(|known| known.bytes() == message.bytes()) {
            continue;
        }
        let info = message.auth(homing_wire::Name::AuthenticationInfo).next();
        let number = info.and_then(|info| info.param("snum")).unwrap_or_default().to_owned();
        call.require(!number.is_empty(), "a response is not signed");
        call.require(counters.insert(number), "a counter was used twice");
        let kind = |message: &Message| (message.status(), message.cseq().unwrap().to_string());
        let again = distinct.iter().any(|known| kind(known) == kind(&message));
        call.require(!again, &format!("{:?} was signed twice", kind(&message)));
        distinct.push(message);
    }
}

fn nothing_is_repeated_after_the_ack(call: &Call) {
    let acknowledged = call.callee.acknowledged.expect("the ACK came");
    let late = call.callee.sent.iter().filter(|sent| sent.at > acknowledged);
    let late = late.filter(|sent| !sent.is_for(Method::Cancel)).count();
    call.require(late == 0, &format!("{late} responses to the INVITE after its ACK"));
}

/// The same with an unsigned ACK: the server discards it and repeats itself until timer H. So
/// the proof above is one.
#[test]
fn an_ack_that_is_not_signed_does_not_still_the_server() {
    for version in VERSIONS {
        let conditions = NetworkConditions::default();
        let plan = Plan {
            version,
            transport: Transport::Udp,
            conditions,
            hangs_up: None,
            refuses: REFUSAL,
            seed: 1,
        };
        let call = Call::new(plan, Signing::NotFollowUps).run();
        call.require(call.callee.unacknowledged, "the server was stilled by an unsigned ACK");
        call.require(call.callee.discarded >= 10, "every copy of the refusal brought an ACK to discard");
        call.require(call.copies_of_responses() >= 10, "and was repeated");
    }
}

/// An unsigned CANCEL cancels nothing.
#[test]
fn a_cancel_that_is_not_signed_cancels_nothing() {
    let plan = Plan {
        version: Version::V4,
        transport: Transport::Tcp,
        conditions: NetworkConditions::default(),
        hangs_up: Some(Duration::from_millis(300)),
        refuses: REFUSAL,
        seed: 1,
    };
    let call = Call::new(plan, Signing::NotFollowUps).run();
    call.require(call.caller.final_status == Some(486), "the call ended as if nobody had hung up");
}

/// What both rules rest on: a copy of a final is told from a replayed message by its transaction.
#[test]
fn a_copy_of_the_refusal_brings_the_same_ack_and_never_touches_the_window() {
    let plan = Plan {
        version: Version::V4,
        transport: Transport::Udp,
        conditions: NetworkConditions { loss: 0, duplicates: 1_000, ..NetworkConditions::default() },
        hangs_up: None,
        refuses: REFUSAL,
        seed: 1,
    };
    let call = Call::new(plan, Signing::Always).run();
    prove(&call, Some(486));
    let acks: Vec<_> = call.caller.sent.iter().filter(|sent| sent.is(Method::Ack)).collect();
    call.require(acks.len() > 1, "each copy of the 486 brings an ACK");
    call.require(Caller::is_same(&acks), "and always the same");
}
