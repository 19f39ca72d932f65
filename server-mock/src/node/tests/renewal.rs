//! An association in use: it stays while it is used, and hands over to its successor without a gap.

use homing_core::auth::ntlm::session::Side;
use homing_core::auth::security_association::{Stamp, buffer};
use homing_core::connect::FlowEvent;
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Frame, Message, Name};

use super::super::authenticator::SessionId;
use super::super::config::Dialect;
use super::super::io::{Deregistration, NodeCommand, NodeInput, NodeOutput};
use super::authenticator::{again, unsigned, with};
use super::bench::{Bench, Golden, at, auth_param};
use crate::directory::Lookup;

const SERVER: &str = "homeserver104.network.com";
const EMPTY: usize = 8;
const TOKEN: usize = 10;

/// An OPTIONS of the recorded user without credentials.
pub(super) fn options(number: u32) -> String {
    format!(
        "OPTIONS sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS client.network.com:5061;branch=z9hG4bKo{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:user@network.com>;tag=1123;epid=3344\r\nTo: <sip:user@network.com>\r\n\
         Call-ID: o@client.network.com\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The request as the client of that association would sign it.
pub(super) fn signed(bench: &Bench, id: SessionId, text: &str, number: u32) -> String {
    let session = bench.node.cx.sessions.find(id).expect("the association is held");
    let name = session.association.name();
    let number = number.to_string();
    let stamp = Stamp {
        scheme: "NTLM",
        salt: "00a1b2c3",
        number: &number,
        realm: &name.realm,
        targetname: &name.targetname,
    };
    let message = Message::parse(text.to_owned()).unwrap();
    let covered = buffer(&message, &stamp, name.version).unwrap();
    let mac: String =
        session.keys.sign(Side::Client, &covered).iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!(
        "Authorization: NTLM qop=\"auth\", opaque=\"{}\", realm=\"{}\", targetname=\"{}\", crand=\"00a1b2c3\", \
         cnum=\"{number}\", response=\"{mac}\"\r\nContent-Length",
        session.association.opaque(),
        name.realm,
        name.targetname
    );
    text.replace("Content-Length", &line)
}

fn start() -> (Golden, Bench, FlowId) {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut bench = Bench::new(golden.node(SERVER, |_| ()), &[("user@network.com", SERVER)]);
    let flow = bench.open(1, Transport::Tls);
    (golden, bench, flow)
}

/// Asks at a later time, after whatever was due until then.
fn ask_at(bench: &mut Bench, flow: FlowId, text: &str, now: Now) -> Message {
    bench.input(NodeInput::DeadlineReached, now);
    bench.ask(flow, text, now)
}

#[test]
fn an_association_is_idle_from_its_last_use_on_not_from_its_birth() {
    let (golden, mut bench, flow) = start();
    bench.ask(flow, &golden.text(EMPTY), at(0));
    let token = unsigned(&golden.text(TOKEN)).replace("REGISTER", "OPTIONS");
    assert_eq!(bench.ask(flow, &token, at(0)).status(), Some(200), "{}", bench.ladder());
    let id = bench.node.cx.sessions.on_flow(flow).unwrap();
    for minute in 1..=16 {
        let text = signed(&bench, id, &options(minute), minute);
        let answer = ask_at(&mut bench, flow, &text, at(u64::from(minute) * 60));
        assert_eq!(answer.status(), Some(200), "in minute {minute}\n{}", bench.ladder());
    }
    let last = signed(&bench, id, &options(17), 17);
    let forged = with(&signed(&bench, id, &options(18), 18), "response", "01000000639ccfd8a85bd62664000000");
    assert_eq!(
        ask_at(&mut bench, flow, &forged, at(20 * 60)).status(),
        Some(401),
        "a forgery is no use of it"
    );
    assert_eq!(ask_at(&mut bench, flow, &last, at(31 * 60)).status(), Some(401), "15 minutes after the last");
}

/// Signs in, then takes the first `steps` of a renewal: question, empty token, token, answer. Gives the opaques
/// of the former and of the new association.
fn renewing(steps: usize) -> (Bench, FlowId, [String; 2]) {
    let (golden, mut bench, flow) = start();
    let opened = bench.ask(flow, &golden.text(EMPTY), at(0));
    let former = auth_param(&opened, Name::WwwAuthenticate, "opaque").unwrap();
    assert_eq!(bench.ask(flow, &golden.text(TOKEN), at(0)).status(), Some(200));
    let mut new = String::new();
    if steps > 0 {
        let plain = again(&golden.text(6), 1).replace("CSeq: 1 ", "CSeq: 4 ");
        assert_eq!(bench.ask(flow, &plain, at(10)).status(), Some(401));
    }
    if steps > 1 {
        let empty = again(&golden.text(EMPTY), 1).replace("CSeq: 2 ", "CSeq: 5 ");
        new = auth_param(&bench.ask(flow, &empty, at(10)), Name::WwwAuthenticate, "opaque").unwrap();
        assert_ne!(new, former);
    }
    if steps > 2 {
        let token = again(&unsigned(&golden.text(TOKEN)), 1).replace("CSeq: 3 ", "CSeq: 6 ");
        let frame = Frame::Message(with(&token, "opaque", &new).into());
        bench.node.handle_input(NodeInput::Flow(FlowEvent::Received { flow, frame }), at(10));
    }
    if steps > 3 {
        let heard = bench.drain(at(10));
        assert_eq!(Message::parse(heard[0].1.clone()).unwrap().status(), Some(200), "{}", bench.ladder());
    }
    (bench, flow, [former, new])
}

#[test]
fn between_the_steps_of_a_renewal_the_right_association_signs() {
    for steps in 0..=4 {
        let (mut bench, _, [former, new]) = renewing(steps);
        let (user, event) = ("user@network.com".to_owned(), Deregistration::Rejected);
        bench.node.handle_command(NodeCommand::Deregister { user, event }, at(10));
        let mut asked = Vec::new();
        let mut notify = None;
        while let Some(output) = bench.node.poll_output() {
            match output {
                NodeOutput::LookUp { id, .. } => asked.push(id),
                NodeOutput::Send { bytes, .. } => notify = Message::parse(bytes).ok(),
                _ => {}
            }
        }
        let by = auth_param(&notify.expect("a NOTIFY"), Name::AuthenticationInfo, "opaque").unwrap();
        assert_eq!(by, if steps < 4 { former } else { new.clone() }, "after {steps} steps");
        for id in asked {
            let found = Lookup::Home { home: SERVER.to_owned(), version: 1 };
            bench.node.handle_answer(id, found, at(11));
            let heard = bench.drain(at(11));
            let welcome = Message::parse(heard[0].1.clone()).unwrap();
            let by = auth_param(&welcome, Name::AuthenticationInfo, "opaque");
            assert_eq!((welcome.status(), by), (Some(200), Some(new.clone())), "the first signed final");
        }
    }
}

#[test]
fn a_request_signed_before_a_renewal_is_taken_for_another_64_t1() {
    let (mut bench, flow, _) = renewing(3);
    let id = bench.node.cx.sessions.on_flow(flow).unwrap();
    bench.drain(at(10));
    assert_ne!(bench.node.cx.sessions.on_flow(flow), Some(id), "the successor signs");
    let [early, late] = [2, 3].map(|number| signed(&bench, id, &options(number), number));
    let answer = ask_at(&mut bench, flow, &early, at(10 + 31));
    assert_eq!(answer.status(), Some(200), "{}", bench.ladder());
    assert_eq!(
        ask_at(&mut bench, flow, &late, at(10 + 33)).status(),
        Some(401),
        "its use does not prolong it"
    );
}
