//! Messages are judged by the link they come over: one that drains beside the home's, and before anything is refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::security_association::Association;
use homing_core::config::ServerChoice;
use homing_core::connect::FlowEvent;
use homing_core::counter::Counter;
use homing_core::event::{AccountEvent, RequestOutcome};
use homing_core::ids::{FlowId, RequestId};
use homing_core::outbox::Input;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::{Builder, Frame, Message, Method, Name};

use super::world::server::{Edit, Server, edited};
use super::world::{World, main_job};

fn signed_in() -> World {
    let mut world = main_job(|_| {});
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world
}

/// Signed in at hs105, with an OPTIONS under way over the link to hs104, the home before.
fn moved() -> (World, RequestId, Message) {
    let mut world = signed_in();
    world.server("hs105.network.com");
    world.at("hs104.network.com").silent = true;
    let id = world.options();
    let options = world.sent.last().unwrap().1.clone();
    assert_eq!(options.method(), Some(Method::Options));
    prefer(&mut world, "hs104.network.com", "hs105.network.com");
    assert_eq!(world.registered().home.host, "hs105.network.com");
    assert_eq!(world.agent.flows(), 2, "the old one drains");
    (world, id, options)
}

/// The home server says that it would rather have the account signed in at another.
fn prefer(world: &mut World, home: &str, other: &str) {
    let registrar = format!("<sip:{other}:5061;transport=tls>");
    let headers = [("Event", "registration-notify"), ("P-Preferred-Registrar", registrar.as_str())];
    let (wall, body) = (world.wall, "registered;event=preferred-registrar-change");
    let notify = world.at(home).request("NOTIFY sip:user@198.51.100.7", &headers, body, wall);
    world.say(home, notify);
}

/// The requests that ended, with their final statuses.
fn ended(world: &World) -> Vec<(RequestId, u16)> {
    let status = |event: &AccountEvent| match event {
        AccountEvent::RequestEnded { request, outcome: RequestOutcome::Answered { answer, .. } } => {
            Some((*request, answer.status))
        }
        _ => None,
    };
    world.events.iter().filter_map(status).collect()
}

fn unsigned(text: &str) -> String {
    text.split("\r\n").filter(|line| !line.contains("NTLM")).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn a_draining_link_verifies_a_response_although_there_is_a_new_home() {
    let (mut world, id, options) = moved();
    let reply = Builder::reply_to(&options, 200, "OK").to_tag("x").finish();
    let wall = world.wall;
    let signed = world.at("hs104.network.com").sign(reply, wall);
    world.say("hs105.network.com", signed.clone());
    assert!(ended(&world).is_empty(), "it comes by another flow than its request went");
    assert_eq!(world.agent.counters().of(Counter::StrayResponse), 1);
    world.say("hs104.network.com", signed);
    assert_eq!(ended(&world), [(id, 200)]);
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn a_draining_link_verifies_a_request_and_signs_the_answer_although_there_is_a_new_home() {
    let (mut world, ..) = moved();
    let wall = world.wall;
    let server = world.at("hs104.network.com");
    let request = server.request("OPTIONS sip:user@198.51.100.7", &[], "", wall);
    let before = world.sent.len();
    world.say("hs104.network.com", request);
    let [(to, answer)] = &world.sent[before..] else { panic!("one answer") };
    assert_eq!((to.as_str(), answer.status()), ("hs104.network.com", Some(200)));
    let signature = answer.auth(Name::Authorization).next().unwrap();
    assert_eq!(signature.param("targetname"), Some("hs104.network.com"));
}

/// Over UDP a refused INVITE is refused again until its ACK comes (RFC 3261 section 17.2.1).
#[test]
fn an_ack_that_is_not_signed_does_not_end_the_refusal() {
    let mut world = World::new(|config| {
        let host = "hs1.network.com".to_owned();
        config.server = ServerChoice::Fixed { host, port: Some(5061), transport: Transport::Udp };
        config.transports = vec![Transport::Udp];
        config.auth.udp_register = true;
    });
    world.server("hs1.network.com");
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    let wall = world.wall;
    let invite = world.at("hs1.network.com").request("INVITE sip:user@198.51.100.7", &[], "", wall);
    let ack = edited(&invite, |text| unsigned(&text).replace("INVITE", "ACK"));
    let refusals = |world: &World| world.sent.iter().filter(|(_, one)| one.status() == Some(405)).count();
    world.say("hs1.network.com", invite);
    world.say("hs1.network.com", ack.clone());
    world.pass(Duration::from_millis(600));
    assert_eq!(refusals(&world), 2, "it is as if it had never come");
    let ack = world.at("hs1.network.com").sign(ack, wall);
    world.say("hs1.network.com", ack);
    world.pass(Duration::from_secs(30));
    assert_eq!(refusals(&world), 2);
}

/// Judged first, also where the table of transactions knows what is wrong: a CANCEL, a merged request.
#[test]
fn what_the_table_of_transactions_finds_is_not_said_to_an_unsigned_request() {
    let cancel: Edit = |text| text.replace("INVITE", "CANCEL");
    let merged: Edit = |text| text.replace("branch=z9hG4bKs", "branch=z9hG4bKm");
    for (edit, status) in [(cancel, 200), (merged, 482)] {
        let mut world = signed_in();
        let wall = world.wall;
        let server = world.at("hs104.network.com");
        let invite = server.request("INVITE sip:user@198.51.100.7", &[], "", wall);
        world.say("hs104.network.com", invite.clone());
        let before = world.sent.len();
        let request = edited(&invite, |text| edit(unsigned(&text)));
        world.say("hs104.network.com", request.clone());
        assert_eq!((world.sent.len(), world.agent.counters().of(Counter::Unsigned)), (before, 1));
        let request = world.at("hs104.network.com").sign(request, wall);
        world.say("hs104.network.com", request);
        assert_eq!(world.sent.last().unwrap().1.status(), Some(status), "signed, it is answered");
    }
}

/// Signed in at hs104 again, at another address, with the OPTIONS of the first login there still under way.
struct Returned {
    world: World,
    id: RequestId,
    options: Message,
    /// The flow and the association of the first login.
    flow: FlowId,
    association: Association,
}

impl Returned {
    fn new() -> Self {
        let (mut world, id, options) = moved();
        let is_home = |(_, server): &(&SocketAddr, &Server)| server.name == "hs104.network.com";
        let at = *world.servers.iter().find(is_home).unwrap().0;
        let mut server = world.servers.remove(&at).unwrap();
        let mut before = Server::new("hs104 at its first address", Arc::default());
        before.silent = true;
        world.servers.insert(at, before);
        let flow = *world.flows.iter().find(|(_, to)| **to == at).unwrap().0;
        let association = server.association.take().unwrap();
        server.silent = false;
        let elsewhere = SocketAddr::from(([192, 0, 2, 99], 5061));
        world.servers.insert(elsewhere, server);
        world.address("hs104.network.com", elsewhere);
        prefer(&mut world, "hs105.network.com", "hs104.network.com");
        assert_eq!(world.registered().home.host, "hs104.network.com");
        assert_eq!(world.agent.flows(), 2, "the flow of the first login drains");
        Self { world, id, options, flow, association }
    }

    /// The server asks under the first association, and gets an answer if that is good.
    fn ask(&mut self, request: &Bytes, branch: &str, flow: FlowId) -> Option<Message> {
        let request = edited(request, |text| text.replace("z9hG4bKs", branch));
        let signed = self.association.sign_response(&Message::parse(request).unwrap(), 9).unwrap();
        let (before, frame) = (self.world.sent.len(), Frame::Message(signed.into()));
        self.world.input(Input::Flow(FlowEvent::Received { flow, frame }));
        self.world.sent.get(before).map(|(_, answer)| answer.clone())
    }

    /// The server answers over the first flow, under the first association.
    fn answer(&mut self, status: u16, header: Option<(Name, &str)>) {
        let mut builder = Builder::reply_to(&self.options, status, "Whatever").to_tag("x");
        if let Some((name, value)) = header {
            builder = builder.header(name, value);
        }
        let signed = self.association.sign_response(&builder.message(), 7).unwrap();
        let frame = Frame::Message(signed.into());
        self.world.input(Input::Flow(FlowEvent::Received { flow: self.flow, frame }));
    }
}

/// Decision 39: a link survives its login. What the first login proved still verifies the answer to its request.
#[test]
fn a_new_login_at_the_same_server_verifies_what_the_one_before_asked_for() {
    let mut returned = Returned::new();
    returned.answer(200, None);
    assert_eq!(ended(&returned.world), [(returned.id, 200)]);
    assert_eq!(returned.world.agent.flows(), 1, "the first flow ends with its last request");
}

#[test]
fn a_request_of_an_earlier_login_goes_on_under_the_new_association_over_the_new_flow() {
    let mut returned = Returned::new();
    let challenge = "NTLM realm=\"SIP Communications Service\", targetname=\"hs104.network.com\", version=4";
    returned.answer(401, Some((Name::WwwAuthenticate, challenge)));
    let world = &returned.world;
    assert_eq!(ended(world), [(returned.id, 200)], "the home renews for it, and it is asked again");
    let (to, again) = world.sent.last().unwrap();
    assert_eq!((to.as_str(), again.method()), ("hs104.network.com", Some(Method::Options)));
    assert_eq!(again.call_id().unwrap(), returned.options.call_id().unwrap());
    assert_eq!(world.agent.flows(), 1, "nothing holds the first flow any more");
}

#[test]
fn a_request_of_an_earlier_login_keeps_the_first_flow_only_until_it_is_asked_again() {
    let mut returned = Returned::new();
    let lost =
        |bytes: Bytes| if bytes.windows(7).any(|octets| octets == b"OPTIONS") { vec![] } else { vec![bytes] };
    returned.world.rules.mangle = Some(Box::new(lost));
    let challenge = "NTLM realm=\"SIP Communications Service\", targetname=\"hs104.network.com\", version=4";
    returned.answer(401, Some((Name::WwwAuthenticate, challenge)));
    assert!(ended(&returned.world).is_empty());
    assert_eq!(returned.world.agent.flows(), 1);
}

/// Decision 13, for the flow and the association of the login before.
#[test]
fn what_an_earlier_login_proved_counts_for_64_t1() {
    let mut returned = Returned::new();
    let server = returned.world.at("hs104.network.com");
    let request = server.request("OPTIONS sip:user@198.51.100.7", &[], "", Duration::ZERO);
    let request = edited(&request, |text| unsigned(&text));
    let first = returned.flow;
    let answer = returned.ask(&request, "z9hG4bKa", first).expect("an answer");
    let signature = answer.auth(Name::Authorization).next().unwrap();
    assert_eq!(signature.param("opaque"), Some(returned.association.opaque()), "as its flow has it");
    returned.world.pass(Duration::from_secs(33));
    let present = *returned.world.flows.keys().next_back().unwrap();
    assert!(returned.ask(&request, "z9hG4bKb", present).is_none(), "its association is gone");
}
