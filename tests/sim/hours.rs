//! Eight hours and more: the security association is renewed without leaving.

use std::time::Duration;

use homing_core::event::{AccountEvent, LogoutReason};
use homing_server_mock::fault::Fault;
use homing_server_mock::node::config::Dialect;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

#[test]
fn eight_hours_and_one_more_without_leaving() {
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4] {
        let mut world = Scenario { dialect, expires: 900, ..Scenario::default() }.build(1);
        scenario::must_sign_in(&mut world, "not registered");
        world.phones[0].told.clear();
        for _ in 0..9 * 60 {
            world.run_for(Duration::from_secs(60));
            let held = world.servers[world.server("hs104")].bindings(scenario::ALICE);
            world.require(held == 1, &format!("{held} bindings"));
            world.require(scenario::is_in(&world), "left the state `registered`");
        }
        let renewed = world.phones[0].heard(|event| matches!(event, AccountEvent::AssociationRenewed));
        world.require(renewed == 1, &format!("{renewed} renewals in nine hours"));
        let left = world.phones[0].heard(|event| matches!(event, AccountEvent::LoggedOut { .. }));
        world.require(left == 0, "logged out in between");
    }
}

#[test]
fn a_move_during_the_renewal_is_a_whole_new_login() {
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4] {
        let mut world = Scenario { dialect, expires: 900, ..Scenario::default() }.build(2);
        scenario::must_sign_in(&mut world, "not registered");
        let handshakes = |world: &World| handshakes(world, "hs104");
        world.require(handshakes(&world) == 1, "one handshake so far");
        // A refresh needs none: the second handshake with the home server is the renewal's.
        let renewing = world.run_to(Duration::from_secs(8 * 3600), |world| handshakes(world) == 2);
        world.require(renewing, "no renewal in eight hours");
        world.require(world.now() >= Duration::from_secs(7 * 3600 + 54 * 60), "renewed too early");
        world.assign(scenario::ALICE, "hs106.network.com", "at the wrong moment");
        let redirected = world.run_to(Duration::from_secs(10), |world| redirects(world) == 1);
        world.require(redirected, "the home server did not redirect");
        let [asked, answer] = [("alice", "hs104"), ("hs104", "alice")]
            .map(|(from, to)| world.ladder.last(from, to).unwrap_or_default().to_owned());
        world.require(asked.contains("NTLM token"), &format!("the 301 answered {asked}"));
        world.require(number(&asked) == number(&answer), &format!("{answer} answers not {asked}"));
        let left = |event: &AccountEvent| matches!(event, AccountEvent::LoggedOut { why } if *why == LogoutReason::Moved);
        let moved = world.run_to(Duration::from_secs(10), |world| {
            scenario::is_in(world) && scenario::home(world).as_deref() == Some("hs106")
        });
        world.require(moved, "not at the new home");
        world.require(world.phones[0].heard(left) == 1, "logged out once, because it moved");
        let renewed = |event: &AccountEvent| matches!(event, AccountEvent::AssociationRenewed);
        world.require(world.phones[0].heard(renewed) == 0, "no renewal was told");
        world.require(world.ladder.count("alice", "lb", "REGISTER") >= 4, "begins at discovery again");
    }
}

/// Handshakes the phone began with a server.
fn handshakes(world: &World, server: &str) -> usize {
    let opens = |line: &&String| {
        line.starts_with(&format!("alice > {server}: REGISTER")) && line.contains("NTLM empty token")
    };
    world.ladder.messages().iter().filter(opens).count()
}

fn redirects(world: &World) -> usize {
    world.ladder.count("hs104", "alice", "301")
}

/// The CSeq in a summary.
fn number(summary: &str) -> Option<&str> {
    summary.split_once('[')?.1.split(' ').next()
}

#[test]
fn a_server_that_is_silent_during_the_renewal_loses_nobody() {
    let mut world = Scenario { expires: 900, ..Scenario::default() }.build(3);
    scenario::must_sign_in(&mut world, "not registered");
    world.run_for(Duration::from_secs(7 * 3600 + 54 * 60));
    scenario::next(&mut world, 2, "hs104", Fault::Silence);
    world.run_for(Duration::from_secs(900));
    world.require(scenario::is_in(&world), "registered again");
    world.require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1, "one binding");
}
