//! Requests of an account without registrar: the server of the URI is looked for, dialled and asked.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::config::ServerChoice;
use homing_core::connect::ConnectError;
use homing_core::error::Misuse;
use homing_core::event::{AccountEvent, RequestOutcome};
use homing_core::ids::RequestId;
use homing_core::transport::Transport;
use homing_wire::{Method, Name};

use super::world::World;
use super::world::server::Gate;

const URI: &str = "sip:bob@hs1.network.com:5061;transport=tls";

fn without_registrar() -> World {
    let mut world = World::new(|config| {
        config.server = ServerChoice::NoRegistrar;
        config.transports = vec![Transport::Tls];
    });
    world.server("hs1.network.com").gate = Gate::Open;
    world
}

fn ask(world: &mut World) -> RequestId {
    let now = world.now();
    let request = world.agent.options(world.account, Some(URI), now).unwrap();
    world.settle();
    request
}

fn outcomes(world: &World) -> Vec<&RequestOutcome> {
    let mut outcomes = Vec::new();
    for event in &world.events {
        if let AccountEvent::RequestEnded { outcome, .. } = event {
            outcomes.push(outcome);
        }
    }
    outcomes
}

fn status(world: &World) -> u16 {
    let told = outcomes(world);
    assert_eq!(told.len(), 1, "{told:?}");
    let RequestOutcome::Answered { answer, .. } = told[0] else { return 0 };
    answer.status
}

fn nothing_is_left(world: &World) {
    let agent = &world.agent;
    assert_eq!((agent.transactions(), agent.flows(), agent.questions()), (0, 0, 0));
    assert_eq!(agent.deadline(), None);
}

#[test]
fn the_server_of_the_uri_is_dialled_and_asked_once() {
    let mut world = without_registrar();
    ask(&mut world);
    assert_eq!(status(&world), 200);
    let [RequestOutcome::Answered { server, .. }] = outcomes(&world)[..] else { panic!() };
    assert_eq!(server.to_string(), "hs1.network.com:5061");
    let sent: Vec<_> = world.sent.iter().map(|(_, message)| message).collect();
    let [options] = sent[..] else { panic!("{sent:?}") };
    assert_eq!((options.method(), options.request_uri()), (Some(Method::Options), Some(URI)));
    assert!(options.auth(Name::Authorization).next().is_none(), "there is nobody to sign for");
    nothing_is_left(&world);
}

#[test]
fn several_are_under_way_over_one_flow_and_each_is_answered() {
    let mut world = without_registrar();
    world.at("hs1.network.com").silent = true;
    ask(&mut world);
    world.at("hs1.network.com").silent = false;
    ask(&mut world);
    assert_eq!(status(&world), 200);
    assert_eq!((world.at("hs1.network.com").dials, world.agent.flows()), (1, 1));
    world.pass(Duration::from_secs(33));
    assert_eq!(outcomes(&world).len(), 2);
    nothing_is_left(&world);
}

#[test]
fn a_server_that_cannot_be_reached_is_the_outcome_with_its_code() {
    let mut world = without_registrar();
    world.at("hs1.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    ask(&mut world);
    let [RequestOutcome::Unreachable(error)] = outcomes(&world)[..] else { panic!() };
    assert_eq!(error.code(), "E0501");
    nothing_is_left(&world);
}

#[test]
fn each_end_is_told_under_the_id_its_request_got() {
    let mut world = without_registrar();
    let answered = ask(&mut world);
    world.at("hs1.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    let unreachable = ask(&mut world);
    let id = |event: &AccountEvent| match event {
        AccountEvent::RequestEnded { request, .. } => Some(*request),
        _ => None,
    };
    let told: Vec<RequestId> = world.events.iter().filter_map(id).collect();
    assert_eq!(told, [answered, unreachable]);
    assert_ne!(answered, unreachable);
}

#[test]
fn silence_of_dns_ends_it_in_time() {
    let mut world = without_registrar();
    world.rules.dns_silent = true;
    ask(&mut world);
    assert!(world.agent.deadline().is_some(), "it is waited for until then");
    world.pass(Duration::from_secs(60));
    let [RequestOutcome::Unreachable(error)] = outcomes(&world)[..] else { panic!() };
    assert!(error.code().starts_with("E04"), "{}", error.code());
    nothing_is_left(&world);
}

#[test]
fn a_challenge_is_answered_with_credentials_or_is_the_answer() {
    for (known, expected) in [(true, 200), (false, 401)] {
        let mut world = without_registrar();
        world.at("hs1.network.com").gate = Gate::Digest("SHA-256");
        if !known {
            world.rules.credentials = None;
        }
        ask(&mut world);
        assert_eq!(status(&world), expected);
        nothing_is_left(&world);
    }
}

#[test]
fn an_account_that_is_removed_takes_its_requests_along() {
    for silent_dns in [true, false] {
        let mut world = without_registrar();
        world.rules.dns_silent = silent_dns;
        world.at("hs1.network.com").silent = true;
        ask(&mut world);
        world.command(Command::Remove);
        assert!(outcomes(&world).is_empty());
        nothing_is_left(&world);
    }
}

#[test]
fn what_cannot_be_asked_is_misuse() {
    let mut world = without_registrar();
    let (account, now) = (world.account, world.now());
    for uri in [None, Some("mailto:bob@network.com"), Some("sip:"), Some("sip:a@b;transport=sctp")] {
        assert_eq!(world.agent.options(account, uri, now), Err(Misuse::BadMessage), "{uri:?}");
    }
    let registering = world.agent.handle_command(Command::Register(account), now);
    assert_eq!(registering, Err(Misuse::WrongState), "there is no registrar");
}
