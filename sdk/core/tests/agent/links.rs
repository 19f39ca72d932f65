//! Messages are judged by the link they come over: one that drains beside the home's, and before anything is refused.

use std::time::Duration;

use homing_core::config::ServerChoice;
use homing_core::counter::Counter;
use homing_core::event::{AccountEvent, RequestOutcome};
use homing_core::ids::RequestId;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use super::world::server::{Edit, edited};
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
    let registrar = "<sip:hs105.network.com:5061;transport=tls>";
    let headers = [("Event", "registration-notify"), ("P-Preferred-Registrar", registrar)];
    let (wall, body) = (world.wall, "registered;event=preferred-registrar-change");
    let server = world.at("hs104.network.com");
    let notify = server.request("NOTIFY sip:user@198.51.100.7", &headers, body, wall);
    world.say("hs104.network.com", notify);
    assert_eq!(world.registered().home.host, "hs105.network.com");
    assert_eq!(world.agent.flows(), 2, "the old one drains");
    (world, id, options)
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
