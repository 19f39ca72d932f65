//! Refusals inside an association: whatever is wrong with a signed request, its client can believe the answer.

use homing_core::connect::FlowEvent;
use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use homing_wire::{Frame, Message, Name};

use super::super::authenticator::SessionId;
use super::super::config::Dialect;
use super::super::io::{NodeInput, NodeOutput};
use super::authenticator::with;
use super::bench::{Bench, Golden, at, auth_param};
use super::renewal::{options, signed};
use crate::directory::Lookup;
use crate::journal::Verdict;

const SERVER: &str = "homeserver104.network.com";
const EMPTY: usize = 8;
const TOKEN: usize = 10;

/// A home server where the recorded user is logged in, in every dialect.
fn everywhere() -> impl Iterator<Item = (Bench, FlowId, SessionId)> {
    let dialects = [("sipae_v3", Dialect::Sipae3), ("sipae_v4", Dialect::Sipae4)];
    dialects.into_iter().map(|(name, dialect)| {
        let golden = Golden::read(name, dialect);
        let mut bench = Bench::new(golden.node(SERVER, |_| ()), &[("user@network.com", SERVER)]);
        let flow = bench.open(1, Transport::Tls);
        for step in [EMPTY, TOKEN] {
            bench.ask(flow, &golden.text(step), at(0));
        }
        let id = bench.node.cx.sessions.on_flow(flow).expect("the user is logged in");
        (bench, flow, id)
    })
}

fn is_signed(answer: &Message) -> bool {
    auth_param(answer, Name::AuthenticationInfo, "rspauth").is_some()
}

fn of(uri: &str, number: u32) -> String {
    options(number).replace("OPTIONS sip:network.com", &format!("OPTIONS {uri}"))
}

#[test]
fn a_request_refused_before_authentication_is_refused_with_the_signature_of_its_association() {
    for (mut bench, flow, id) in everywhere() {
        let demanding = options(14).replace("Content-Length", "Require: fantasy\r\nContent-Length");
        let rows = [
            (of("sip:elsewhere.org", 11), 404),
            (of("sip:bob@elsewhere.org", 12), 404),
            (of("tel:+4930123", 13), 416),
            (demanding, 420),
        ];
        for (number, (text, status)) in (11..).zip(rows) {
            let answer = bench.ask(flow, &signed(&bench, id, &text, number), at(1));
            assert_eq!((answer.status(), is_signed(&answer)), (Some(status), true), "{}", bench.ladder());
        }
    }
}

#[test]
fn only_who_signed_a_refused_request_gets_a_signature() {
    for (mut bench, flow, id) in everywhere() {
        let foreign = |number| of("sip:elsewhere.org", number);
        let good = signed(&bench, id, &foreign(11), 11);
        let forged =
            with(&signed(&bench, id, &foreign(12), 12), "response", "01000000639ccfd8a85bd62664000000");
        assert!(!is_signed(&bench.ask(flow, &foreign(13), at(1))), "nothing was shown");
        assert!(!is_signed(&bench.ask(flow, &forged, at(1))), "a forgery");
        let other = bench.open(2, Transport::Tls);
        assert!(!is_signed(&bench.ask(other, &good, at(1))), "on another connection");
        assert!(is_signed(&bench.ask(flow, &good, at(1))));
        let replayed = good.replace("branch=z9hG4bKo11", "branch=z9hG4bKagain");
        let answers = bench.say(flow, &replayed, at(1));
        let answers: Vec<_> = answers.into_iter().map(|(_, bytes)| Message::parse(bytes).unwrap()).collect();
        assert!(!answers.iter().any(is_signed), "a counter signs one answer");
    }
}

#[test]
fn options_is_404_for_an_unknown_user_480_for_one_who_is_not_here_and_200_for_the_server() {
    let rows = [
        ("sip:network.com", 200),
        ("sip:homeserver104.network.com", 200),
        ("sip:BOB@Network.com", 480),
        ("sip:nobody@network.com", 404),
        ("sip:nobody@network.com.", 404),
        ("sips:nobody@network.com;transport=tls", 404),
    ];
    for (mut bench, flow, id) in everywhere() {
        for (number, (uri, status)) in (11..).zip(rows) {
            let text = signed(&bench, id, &of(uri, number), number);
            let answer = bench.ask(flow, &text, at(1));
            assert_eq!((answer.status(), is_signed(&answer)), (Some(status), true), "{uri}");
        }
    }
}

#[test]
fn a_response_that_cannot_be_signed_is_not_sent() {
    for (mut bench, flow, id) in everywhere() {
        let register = options(11).replace("OPTIONS", "REGISTER");
        let text = signed(&bench, id, &register, 11);
        let frame = Frame::Message(text.into_bytes().into());
        bench.node.handle_input(NodeInput::Flow(FlowEvent::Received { flow, frame }), at(1));
        let mut outputs = std::iter::from_fn(|| bench.node.poll_output());
        let asked = outputs.find_map(|output| match output {
            NodeOutput::LookUp { id, .. } => Some(id),
            _ => None,
        });
        // The association ends while the directory is asked.
        bench.node.cx.sessions.remove(id);
        let home = Lookup::Home { home: SERVER.to_owned(), version: 1 };
        bench.node.handle_answer(asked.expect("the directory is asked"), home, at(1));
        assert!(bench.drain(at(1)).is_empty(), "an unsigned answer left:\n{}", bench.ladder());
        assert_eq!(bench.node.counters().of(Counter::NotSigned), 1);
        assert_eq!(bench.node.transactions(), 0, "the transaction is given up");
        assert!(bench.reason(Verdict::Discarded).contains("cannot be signed"));
    }
}
