//! A server that closes the connection after its challenge: it is answered once over a new one.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::connect::ConnectError;
use homing_core::error::Misuse;
use homing_core::event::{AccountEvent, LogoutReason, UnregisterOutcome};
use homing_core::journey::{HopVerdict, Remark};
use homing_core::outbox::Answer;
use homing_core::state::AccountState;
use homing_wire::Name;

use super::world::server::Gate;
use super::world::{World, credentials};

const SERVER: &str = "hs1.network.com";

fn closes(times: usize, gate: Gate) -> World {
    let mut world = World::new(|_| {});
    world.srv(&[(10, SERVER)]);
    world.server(SERVER).gate(gate).closes = times;
    world
}

fn digest() -> Gate {
    Gate::Digest("SHA-256")
}

#[test]
fn a_login_is_answered_over_a_new_connection() {
    let mut world = closes(1, digest());
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!((world.at(SERVER).dials, world.registers(SERVER).len()), (2, 2));
    let journey = &world.registered().journey;
    let [hop] = &journey.hops[..] else { panic!("{journey}") };
    assert_eq!((&hop.remarks[..], hop.price.tcp, hop.price.tls), (&[Remark::ClosedAfterChallenge][..], 2, 2));
    assert!(journey.to_string().contains("closed the connection after its challenge"));
    assert!(world.failures().is_empty());
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn the_answer_waits_for_the_password() {
    let mut world = closes(1, digest());
    world.rules.hold_credentials = true;
    world.login();
    assert_eq!((world.state(), world.at(SERVER).dials), (AccountState::Authenticating, 1));
    let (id, _) = world.held.pop().unwrap();
    world.pass(Duration::from_secs(1));
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!((world.state(), world.at(SERVER).dials), (AccountState::Registered, 2));
    assert_eq!(world.registers(SERVER).len(), 2);
}

/// Two closes: one after the challenge that grew old, one after the fresh one.
#[test]
fn a_password_that_comes_late_gets_a_fresh_challenge_over_a_new_connection() {
    let mut world = closes(2, digest());
    world.rules.hold_credentials = true;
    world.login();
    let (id, _) = world.held.pop().unwrap();
    world.pass(Duration::from_secs(20));
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!((world.state(), world.at(SERVER).dials), (AccountState::Registered, 3));
}

#[test]
fn a_second_close_fails_the_login() {
    let mut world = closes(
        usize::MAX,
        Gate::Raw(vec!["Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"".to_owned()]),
    );
    world.rules.mangle = Some(Box::new({
        let mut nonces = 0;
        move |answer| {
            nonces += 1;
            let stale = format!("nonce=\"n{nonces}\", stale=true");
            vec![super::world::server::edited(&answer, |text| text.replace("nonce=\"n\"", &stale))]
        }
    }));
    world.login();
    assert_eq!(world.last_failure().error.code(), "E0504");
    assert_eq!((world.at(SERVER).dials, world.registers(SERVER).len()), (2, 2));
    let agent = &world.agent;
    assert_eq!((agent.flows(), agent.transactions(), agent.questions()), (0, 0, 0));
}

#[test]
fn a_close_without_a_challenge_just_before_is_a_failure() {
    let mut world = closes(0, digest());
    world.at(SERVER).silent_after_challenge = true;
    world.rules.hold_credentials = true;
    world.login();
    world.pass(Duration::from_secs(2));
    world.cut(SERVER);
    assert_eq!((world.at(SERVER).dials, world.last_failure().error.code()), (1, "E0504"));
}

#[test]
fn a_new_connection_that_fails_is_told() {
    let mut world = closes(1, digest());
    world.rules.hold_credentials = true;
    world.login();
    world.at(SERVER).unreachable = Some(ConnectError::ConnectionRefused);
    let (id, _) = world.held.pop().unwrap();
    world.answer(id, Answer::Credentials(Some(credentials())));
    let failure = world.last_failure();
    assert_eq!(failure.error.code(), "E0501");
    let verdict = &failure.journey.hops[0].verdict;
    assert_eq!(*verdict, HopVerdict::Unreachable(ConnectError::ConnectionRefused));
}

#[test]
fn a_new_connection_that_hangs_is_given_up() {
    let mut world = closes(1, digest());
    world.rules.hold_credentials = true;
    world.login();
    world.at(SERVER).unreachable = Some(ConnectError::Timeout);
    let (id, _) = world.held.pop().unwrap();
    world.answer(id, Answer::Credentials(Some(credentials())));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.last_failure().error.code(), "E0503");
    assert_eq!(world.agent.flows(), 0);
}

#[test]
fn a_refresh_is_answered_over_a_new_connection() {
    let mut world = closes(0, digest());
    world.login();
    let server = world.at(SERVER);
    server.closes = 1;
    server.expire_nonce();
    world.command(Command::Refresh);
    assert_eq!((world.state(), world.at(SERVER).dials), (AccountState::Registered, 2));
    let lost = AccountEvent::LoggedOut { why: LogoutReason::ConnectionLost };
    assert!(!world.events.contains(&lost), "the registration goes on");
    assert_eq!(world.agent.flows(), 1);
    let calls: Vec<_> = world.registers(SERVER).iter().map(|m| m.text(Name::CallId)).collect();
    assert!(calls.iter().all(|call| *call == calls[0]), "it is one registration");
}

#[test]
fn a_refresh_closed_twice_is_a_lost_connection() {
    let mut world = closes(0, digest());
    world.login();
    let server = world.at(SERVER);
    server.closes = 2;
    server.gate =
        Gate::Raw(vec!["Digest realm=\"other\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"".into()]);
    world.command(Command::Refresh);
    assert!(world.events.contains(&AccountEvent::LoggedOut { why: LogoutReason::ConnectionLost }));
}

/// What opens a handshake hangs on no connection; the token that ends it does.
#[test]
fn a_handshake_is_opened_over_a_new_connection_and_never_ended_there() {
    // The first login ends before the password is there, and the second begins with it.
    for (times, failures) in [(2, 1), (3, 2)] {
        let mut world = closes(times, Gate::Ntlm);
        world.login();
        assert_eq!((world.at(SERVER).dials, world.failures().len()), (3, failures), "{times}");
        assert_eq!(world.state() == AccountState::Registered, failures == 1, "{times}");
    }
}

/// Registered; the refresh was challenged for another realm, and the connection is closed until there is an answer.
fn closed_while_a_person_is_asked() -> World {
    let mut world = closes(0, digest());
    world.login();
    world.rules.hold_credentials = true;
    let server = world.at(SERVER);
    server.closes = 1;
    server.gate =
        Gate::Raw(vec!["Digest realm=\"other\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"".into()]);
    world.command(Command::Refresh);
    assert_eq!((world.state(), world.held.len(), world.agent.flows()), (AccountState::Registered, 1, 0));
    world
}

#[test]
fn a_sign_out_goes_over_a_new_connection() {
    let mut world = closed_while_a_person_is_asked();
    world.at(SERVER).gate = Gate::Open;
    world.command(Command::Unregister);
    assert_eq!((world.state(), world.at(SERVER).dials), (AccountState::LoggedOff, 2));
    let last = world.registers(SERVER).last().and_then(|register| register.text(Name::Expires));
    assert_eq!(last.as_deref(), Some("0"));
    let removed = AccountEvent::Unregistered { outcome: UnregisterOutcome::Removed };
    assert!(world.events.contains(&removed));
    assert_eq!(world.agent.flows(), 0);
}

#[test]
fn a_sign_out_is_answered_over_a_new_connection() {
    let mut world = closes(0, digest());
    world.login();
    let server = world.at(SERVER);
    server.closes = 1;
    server.expire_nonce();
    world.command(Command::Unregister);
    assert_eq!((world.state(), world.at(SERVER).dials), (AccountState::LoggedOff, 2));
    let removed = AccountEvent::Unregistered { outcome: UnregisterOutcome::Removed };
    assert!(world.events.contains(&removed));
}

/// A binding without its connection is of no use: nothing arrives by it.
#[test]
fn who_gives_no_password_after_the_close_is_signed_out() {
    let mut world = closed_while_a_person_is_asked();
    let now = world.now();
    let asked = world.agent.options(world.account, None, now);
    assert_eq!(asked.err(), Some(Misuse::WrongState), "nothing can be sent");
    let (id, _) = world.held.pop().unwrap();
    world.answer(id, Answer::Credentials(None));
    assert!(world.events.contains(&AccountEvent::LoggedOut { why: LogoutReason::ConnectionLost }));
    assert_eq!(world.state(), AccountState::NeedsPassword);
    assert_eq!(world.agent.flows(), 0);
}
