//! A server that takes the connection and says nothing: the next candidate is asked as well (decision 50).

use std::time::Duration;

use homing_core::command::Command;
use homing_core::connect::{ConnectError, FlowEvent};
use homing_core::counter::Counter;
use homing_core::dns::{DnsQuestion, DnsRecords, RecordKind};
use homing_core::event::AccountEvent;
use homing_core::journey::{HopVerdict, Remark};
use homing_core::outbox::Input;
use homing_core::state::AccountState;
use homing_wire::{Builder, Frame, Message, Name};

use super::world::server::{Gate, Then, edited};
use super::world::{World, answer};

const FIRST: &str = "hs1.network.com";
const SECOND: &str = "hs2.network.com";

/// Two servers, the first of which is mute.
fn two() -> World {
    let mut world = World::new(|_| {});
    world.srv(&[(10, FIRST), (20, SECOND)]);
    world.server(FIRST).silent = true;
    world.server(SECOND);
    world
}

/// A server answers the last REGISTER that it was sent.
fn wakes(world: &mut World, name: &str) {
    let request = world.registers(name).last().map(|request| (*request).clone()).unwrap();
    let wall = world.wall;
    let server = world.at(name);
    server.silent = false;
    for answer in server.receive(&request, wall) {
        world.say(name, answer);
    }
}

fn proves_nothing(request: &Message) -> bool {
    request.auth(Name::Authorization).next().is_none()
}

fn nothing_is_left(world: &World) {
    let agent = &world.agent;
    assert_eq!((agent.flows(), agent.transactions(), agent.questions()), (0, 0, 0));
}

#[test]
fn the_next_candidate_is_asked_as_well_and_takes_the_login() {
    let mut world = two();
    world.login();
    world.pass(Duration::from_millis(3_999));
    assert!(world.registers(SECOND).is_empty(), "4 s are not over");
    world.pass(Duration::from_millis(2));
    assert_eq!(world.state(), AccountState::Fallback);
    assert_eq!((world.registers(FIRST).len(), world.at(FIRST).dials), (1, 1));
    assert!(proves_nothing(world.registers(FIRST)[0]) && proves_nothing(world.registers(SECOND)[0]));
    let journey = world.registered().journey.clone();
    let [mute, home] = &journey.hops[..] else { panic!("{journey}") };
    assert_eq!(mute.remarks, [Remark::Mute]);
    assert_eq!(mute.verdict, HopVerdict::Unreachable(ConnectError::Timeout));
    assert!(matches!(home.verdict, HopVerdict::Accepted { signed: true, .. }));
    assert!(journey.to_string().contains("said nothing for 4 s, so the next one was asked as well"));
    world.pass(Duration::from_secs(32));
    assert_eq!(world.agent.flows(), 1, "the connection to the mute one is closed");
    world.command(Command::Unregister);
    nothing_is_left(&world);
}

#[test]
fn two_mute_servers_fail_the_login_in_time() {
    let mut world = two();
    world.at(SECOND).silent = true;
    world.login();
    world.pass(Duration::from_secs(31));
    assert!(world.failures().is_empty());
    world.pass(Duration::from_secs(6));
    let failure = world.last_failure();
    assert_eq!(failure.error.code(), "E0901");
    let [first, second] = &failure.journey.hops[..] else { panic!("{}", failure.journey) };
    assert_eq!((&first.remarks[..], &second.remarks[..]), (&[Remark::Mute][..], &[][..]));
    let silent = HopVerdict::Unreachable(ConnectError::Timeout);
    assert_eq!((&first.verdict, &second.verdict), (&silent, &silent));
    assert_eq!((world.registers(FIRST).len(), world.registers(SECOND).len()), (1, 1));
    nothing_is_left(&world);
}

#[test]
fn a_late_challenge_of_the_loser_closes_its_connection() {
    let mut world = two();
    world.login();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.agent.flows(), 2);
    wakes(&mut world, FIRST);
    assert_eq!((world.agent.flows(), world.registers(FIRST).len()), (1, 1));
    assert_eq!(world.state(), AccountState::Fallback);
    assert_eq!(world.agent.counters().of(Counter::BindingWithdrawn), 0);
}

#[test]
fn a_binding_that_the_loser_grants_late_is_withdrawn() {
    let mut world = two();
    world.at(FIRST).gate(Gate::Open);
    world.login();
    world.pass(Duration::from_secs(5));
    wakes(&mut world, FIRST);
    let [asked, withdrawn] = world.registers(FIRST)[..] else { panic!() };
    assert_eq!(asked.text(Name::CallId), withdrawn.text(Name::CallId));
    assert_eq!(withdrawn.text(Name::Expires).as_deref(), Some("0"));
    assert_eq!((world.state(), world.agent.flows()), (AccountState::Fallback, 1));
    assert_eq!(world.agent.counters().of(Counter::BindingWithdrawn), 1);
    assert_eq!(world.registered().home.host, SECOND);
}

#[test]
fn the_mute_server_that_wakes_first_takes_the_login() {
    let mut world = two();
    world.at(SECOND).silent = true;
    world.login();
    world.pass(Duration::from_secs(5));
    wakes(&mut world, FIRST);
    assert_eq!((world.state(), world.agent.flows()), (AccountState::Registered, 2));
    let journey = &world.registered().journey;
    let [second, home] = &journey.hops[..] else { panic!("{journey}") };
    assert_eq!((second.server.host.as_str(), &second.verdict), (SECOND, &HopVerdict::Superseded));
    assert_eq!((home.server.host.as_str(), &home.remarks[..]), (FIRST, &[Remark::Mute][..]));
    assert_eq!(home.price.register, 3);
    world.pass(Duration::from_secs(32));
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn a_server_without_an_equal_is_waited_for() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, FIRST)]);
    world.server(FIRST).silent = true;
    world.login();
    world.pass(Duration::from_secs(10));
    wakes(&mut world, FIRST);
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.at(FIRST).dials, 1);
    assert_eq!(world.registered().journey.hops[0].remarks, []);
}

#[test]
fn without_authentication_each_server_would_grant_so_one_is_asked() {
    let mut world = two();
    let now = world.now();
    world.agent.handle_command(Command::Remove(world.account), now).unwrap();
    let aor = homing_core::config::Aor::parse("user@network.com").unwrap();
    let mut config = homing_core::config::AccountConfig::new(aor, "3344");
    config.auth.schemes.clear();
    world.account = world.agent.add_account(config, now).unwrap();
    world.login();
    world.pass(Duration::from_secs(31));
    assert_eq!((world.registers(FIRST).len(), world.registers(SECOND).len()), (1, 0));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.registers(SECOND).len(), 1, "only once the first is given up");
}

#[test]
fn a_mute_remembered_home_costs_four_seconds_and_no_token_goes_elsewhere() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, FIRST)]);
    world.server(FIRST);
    world.login();
    world.command(Command::Unregister);
    world.at(FIRST).silent = true;
    world.srv(&[(10, SECOND)]);
    world.server(SECOND);
    world.login();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.registered().home.host, SECOND);
    assert!(!proves_nothing(world.registers(FIRST).last().unwrap()), "the shortcut");
    assert!(proves_nothing(world.registers(SECOND)[0]));
}

#[test]
fn one_that_says_anything_is_not_mute() {
    let mut world = two();
    world.login();
    world.pass(Duration::from_secs(2));
    let flow = *world.flows.keys().next().unwrap();
    world.input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Pong }));
    world.pass(Duration::from_secs(20));
    assert!(world.registers(SECOND).is_empty());
}

#[test]
fn of_a_redirect_the_next_contact_is_asked_as_well() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs0.network.com")]);
    let contacts = [FIRST, SECOND].map(|host| format!("<sip:{host}:5061;transport=tls>"));
    world.server("hs0.network.com").redirect(301, &[&contacts[0], &contacts[1]], true);
    world.server(FIRST).silent = true;
    world.server(SECOND);
    world.login();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.registered().home.host, SECOND);
    assert_eq!(world.registered().journey.redirects(), 1);
}

#[test]
fn a_third_is_asked_once_the_second_is_mute_too() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, FIRST), (20, SECOND), (30, "hs3.network.com")]);
    world.server(FIRST).silent = true;
    world.server(SECOND).silent = true;
    world.server("hs3.network.com");
    world.login();
    world.pass(Duration::from_secs(9));
    assert_eq!(world.registered().home.host, "hs3.network.com");
    assert_eq!(world.agent.flows(), 3);
    world.pass(Duration::from_secs(33));
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn a_mute_server_that_goes_leaves_the_login_to_the_other() {
    let mut world = two();
    world.at(SECOND).silent = true;
    world.login();
    world.pass(Duration::from_secs(5));
    world.cut(FIRST);
    assert!(world.failures().is_empty());
    wakes(&mut world, SECOND);
    assert_eq!(world.registered().home.host, SECOND);
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn the_other_that_goes_leaves_the_login_to_the_mute_server() {
    let mut world = two();
    world.at(SECOND).silent = true;
    world.login();
    world.pass(Duration::from_secs(5));
    world.cut(SECOND);
    wakes(&mut world, FIRST);
    assert_eq!(world.registered().home.host, FIRST);
}

#[test]
fn a_redirect_by_the_winner_to_the_loser_itself_keeps_the_new_binding() {
    let mut world = two();
    world.at(FIRST).gate(Gate::Open);
    world.at(SECOND).redirect_to(&format!("<sip:{FIRST}:5061;transport=tls>"));
    world.login();
    world.pass(Duration::from_secs(5));
    wakes(&mut world, FIRST);
    assert_eq!(world.state(), AccountState::Registered);
    let expires: Vec<_> = world.registers(FIRST).iter().filter_map(|m| m.text(Name::Expires)).collect();
    assert!(expires.is_empty(), "nothing is withdrawn: {expires:?}");
}

#[test]
fn signing_out_takes_every_request_back() {
    let mut world = two();
    world.at(SECOND).then = Then::Accept { expires: 60 };
    world.at(SECOND).silent = true;
    world.login();
    world.pass(Duration::from_secs(5));
    world.command(Command::Unregister);
    assert_eq!(world.state(), AccountState::LoggedOff);
    nothing_is_left(&world);
}

/// Two addresses of one name, both mute; the second is kept under the name `alt`.
fn namesakes() -> World {
    let mut world = World::new(|_| {});
    world.srv(&[(10, FIRST)]);
    world.server(FIRST).silent = true;
    let alternate = world.server("alt");
    alternate.certificate = vec![FIRST.into()];
    alternate.targetname = FIRST.into();
    alternate.silent = true;
    let addresses: Vec<_> = world.servers.keys().map(std::net::SocketAddr::ip).collect();
    let question = DnsQuestion { name: FIRST.into(), kind: RecordKind::Address };
    world.dns.insert(question, answer(DnsRecords::Addresses(addresses)));
    world
}

#[test]
fn a_name_that_was_given_up_at_one_address_is_visited_at_the_other() {
    let mut world = namesakes();
    world.login();
    world.pass(Duration::from_secs(5));
    assert_eq!((world.registers(FIRST).len(), world.registers("alt").len()), (1, 1));
    world.cut(FIRST);
    world.at("alt").redirect_to(&format!("<sip:{SECOND}:5061;transport=tls>"));
    world.server(SECOND).redirect_to(&format!("<sip:{FIRST}:5061;transport=tls>"));
    wakes(&mut world, "alt");
    let failure = world.last_failure();
    assert!(failure.error.to_string().contains("loop"), "{}", failure.error);
    assert_eq!(failure.journey.redirects(), 1, "the one back to it is not followed");
}

#[test]
fn the_loser_at_another_address_of_the_winners_name_is_waited_for() {
    let mut world = namesakes();
    world.at(FIRST).gate(Gate::Open);
    world.at("alt").silent = false;
    world.login();
    world.pass(Duration::from_secs(5));
    assert_eq!((world.registers("alt").len(), world.agent.flows()), (3, 2));
    wakes(&mut world, FIRST);
    let expires = world.registers(FIRST).last().and_then(|m| m.text(Name::Expires));
    assert_eq!(expires.as_deref(), Some("0"), "its late binding is withdrawn");
}

/// A registrar behind both may take the two bindings for one (RFC 5626 section 6).
#[test]
fn after_a_late_binding_is_withdrawn_the_own_one_is_asked_for_again() {
    let mut world = two();
    world.at(FIRST).gate(Gate::Open);
    world.login();
    world.pass(Duration::from_secs(5));
    let before = world.registers(SECOND).len();
    wakes(&mut world, FIRST);
    assert_eq!(world.registers(SECOND).len(), before + 1);
    assert!(matches!(world.events.last(), Some(AccountEvent::Refreshed { .. })), "{:?}", world.events.last());
    assert_eq!(world.state(), AccountState::Fallback);
}

#[test]
fn each_of_two_servers_has_its_own_end_in_the_journey() {
    let mut world = two();
    world.at(SECOND).silent = true;
    world.login();
    world.pass(Duration::from_secs(5));
    world.cut(SECOND);
    world.pass(Duration::from_secs(33));
    let failure = world.last_failure();
    let verdicts: Vec<_> =
        failure.journey.hops.iter().map(|hop| (hop.server.host.as_str(), hop.verdict.clone())).collect();
    let ended = |host, why| (host, HopVerdict::Unreachable(why));
    assert_eq!(verdicts, [ended(SECOND, ConnectError::Closed), ended(FIRST, ConnectError::Timeout)]);
}

/// The first is mute, the second leads to a third that is mute too and back to the first, which is asked again over
/// the connection it has.
fn led_back() -> World {
    let third = "hs3.network.com";
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs0.network.com")]);
    let [first, second, other] =
        [FIRST, SECOND, third].map(|host| format!("<sip:{host}:5061;transport=tls>"));
    world.server("hs0.network.com").redirect(301, &[&first, &second], true);
    world.server(FIRST).silent = true;
    world.server(SECOND).redirect(301, &[&other, &first], true);
    world.server(third).silent = true;
    world.login();
    world.pass(Duration::from_secs(5));
    assert_eq!((world.registers(third).len(), world.registers(FIRST).len()), (1, 1));
    world.pass(Duration::from_secs(4));
    assert_eq!((world.at(FIRST).dials, world.registers(FIRST).len()), (1, 2));
    world
}

#[test]
fn a_loser_that_is_asked_again_beside_another_takes_the_login() {
    let mut world = led_back();
    wakes(&mut world, FIRST);
    assert_eq!(world.registered().home.host, FIRST);
    assert_eq!(world.at(FIRST).dials, 1);
}

/// The winner leads back to the loser. What the loser grants late is the binding that is asked for.
#[test]
fn a_loser_that_is_asked_again_beside_another_withdraws_nothing() {
    let mut world = led_back();
    let (wall, late) = (world.wall, world.registers(FIRST)[0].clone());
    let server = world.at(FIRST);
    server.silent = false;
    let answers = server.gate(Gate::Open).receive(&late, wall);
    server.silent = true;
    for answer in answers {
        world.say(FIRST, answer);
    }
    assert!(world.registers(FIRST).iter().all(|register| register.text(Name::Expires).is_none()));
}

/// What the first said does not speak for the one in its place: that is no server that was visited.
#[test]
fn a_server_in_the_place_of_one_that_spoke_is_one_that_did_not() {
    let third = "hs3.network.com";
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs0.network.com")]);
    let contacts = [FIRST, SECOND, third].map(|host| format!("<sip:{host}:5061;transport=tls>"));
    let named: Vec<&str> = contacts.iter().map(String::as_str).collect();
    world.server("hs0.network.com").redirect(301, &named, true);
    world.server(FIRST).silent = true;
    world.server(SECOND).silent = true;
    world.server(third);
    world.login();
    world.pass(Duration::from_secs(5));
    // The first sends a response that is dropped, the second a sign of life.
    let request = world.registers(FIRST)[0].clone();
    let foreign = Builder::reply_to(&request, 200, "OK").to_tag("x").finish();
    let caller = request.text(Name::From).unwrap();
    let (before, _) = caller.split_once(";tag=").unwrap();
    let other = format!("{before};tag=other");
    world.say(FIRST, edited(&foreign, |text| text.replace(&*caller, &other)));
    let address = *world.servers.iter().find(|(_, server)| server.name == SECOND).unwrap().0;
    let flow = *world.flows.iter().find(|(_, at)| **at == address).unwrap().0;
    world.input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Pong }));
    world.cut(FIRST);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.registered().home.host, third);
}
