//! Staying signed in: refreshes, renewals, moves, forced endings, sleep.

use std::time::Duration;

use homing_core::event::{AccountEvent, LogoutReason, MoveCause};
use homing_core::outbox::Input;
use homing_core::state::AccountState;
use homing_server_mock::fault::Fault;
use homing_server_mock::node::io::{Deregistration, NodeCommand};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

fn signed_in(seed: u64) -> World {
    let mut world = Scenario { expires: 600, ..Scenario::default() }.build(seed);
    scenario::must_sign_in(&mut world, "not registered");
    world
}

fn logged_out(world: &World, reason: LogoutReason) -> usize {
    world.phones[0].heard(|event| matches!(event, AccountEvent::LoggedOut { why } if *why == reason))
}

#[test]
fn a_registration_is_refreshed_in_time_and_stays_where_it_is() {
    let mut world = signed_in(1);
    for _ in 0..20 {
        world.run_for(Duration::from_secs(300));
        world.require(
            world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1,
            "the binding lapsed",
        );
    }
    let refreshed = world.phones[0].heard(|event| matches!(event, AccountEvent::Refreshed { .. }));
    world.require(refreshed >= 10, &format!("{refreshed} refreshes in 100 minutes of 10"));
    world.require(logged_out(&world, LogoutReason::Moved) == 0, "nobody moved");
}

#[test]
fn para_66_67_a_301_on_refresh_is_logout_and_a_whole_new_login() {
    let mut world = signed_in(2);
    world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
    scenario::refresh(&mut world);
    let moved = world.run_to(Duration::from_secs(60), |world| {
        scenario::home(world).as_deref() == Some("hs106") && scenario::is_in(world)
    });
    world.require(moved, "not at the new home");
    world.require(logged_out(&world, LogoutReason::Moved) == 1, "logged out once, because it moved");
    let told = world.phones[0]
        .heard(|event| matches!(event, AccountEvent::HomeServerChanged { cause: MoveCause::Moved, .. }));
    world.require(told == 1, "told once that home changed");
    world.require(world.ladder.count("alice", "lb", "REGISTER") >= 4, "the new login starts at discovery");
    world.run_for(Duration::from_secs(5));
    world.require(
        world.servers[world.server("hs104")].bindings(scenario::ALICE) == 0,
        "the old binding is gone",
    );
}

/// The phone never hears the 301, so that nothing but the redirect itself can have removed the binding.
#[test]
fn the_binding_at_the_old_server_is_gone_with_its_301_although_the_flow_stands() {
    let mut world = signed_in(12);
    world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
    world.network.tamper = Some(Box::new(|passing| {
        let is_redirect = passing.bytes.starts_with(b"SIP/2.0 301");
        is_redirect.then(Vec::new)
    }));
    let old = world.server("hs104");
    scenario::refresh(&mut world);
    world.run_for(Duration::from_secs(2));
    world.require(world.ladder.count("hs104", "alice", "301") == 1, "no 301");
    world.require(!world.links_between(0, old).is_empty(), "the flow is gone");
    world.require(world.servers[old].bindings(scenario::ALICE) == 0, "bound at a server that redirects");
}

#[test]
fn a_301_on_refresh_that_is_not_signed_moves_nobody() {
    let mut world = signed_in(3);
    world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
    scenario::next(&mut world, 1, "hs104", Fault::Unsigned301);
    scenario::refresh(&mut world);
    world.run_for(Duration::from_secs(1));
    world.require(logged_out(&world, LogoutReason::Moved) == 0, "an unsigned 301 logged the phone out");
}

#[test]
fn a_lost_binding_is_made_anew() {
    let mut world = signed_in(4);
    scenario::next(&mut world, 1, "hs104", Fault::BindingLost);
    scenario::refresh(&mut world);
    let anew =
        world.run_to(Duration::from_secs(120), |world| logged_out(world, LogoutReason::BindingLost) == 1);
    world.require(anew, "`register-action=\"added\"` on a refresh was not noticed");
    world.run_for(Duration::from_secs(120));
    world.require(scenario::is_in(&world), "registered anew");
}

#[test]
fn deactivated_signs_in_elsewhere_at_once() {
    let mut world = signed_in(5);
    world.assign(scenario::ALICE, "hs106.network.com", "drained");
    deregister(&mut world, Deregistration::Deactivated);
    let moved =
        world.run_to(Duration::from_secs(90), |world| scenario::home(world).as_deref() == Some("hs106"));
    world.require(moved, "not at the new home");
    world.require(logged_out(&world, LogoutReason::Deactivated) == 1, "told why");
}

#[test]
fn rejected_and_unregistered_end_the_registration_for_good() {
    for (event, reason) in [
        (Deregistration::Rejected, LogoutReason::Disabled),
        (Deregistration::Unregistered, LogoutReason::Displaced),
    ] {
        let mut world = signed_in(6);
        deregister(&mut world, event);
        world.run_for(Duration::from_secs(900));
        world.require(logged_out(&world, reason) == 1, "told why");
        world.require(!world.phones[0].state().is_reachable(), "stays out");
    }
}

#[test]
fn a_preferred_registrar_passes_the_same_rules_as_a_301() {
    let mut world = signed_in(7);
    world.assign(scenario::ALICE, "hs106.network.com", "preferred");
    let there = homing_core::server::ServerName::new("hs106.network.com", 5061);
    deregister(&mut world, Deregistration::PreferredRegistrar(there));
    let moved =
        world.run_to(Duration::from_secs(90), |world| scenario::home(world).as_deref() == Some("hs106"));
    world.require(moved, "not at the preferred registrar");

    let mut world = signed_in(7);
    let elsewhere = homing_core::server::ServerName::new("hs1.elsewhere.net", 5061);
    deregister(&mut world, Deregistration::PreferredRegistrar(elsewhere));
    world.run_for(Duration::from_secs(300));
    let dialled = format!("{}", world.ladder).contains("dials")
        && format!("{}", world.ladder).contains("elsewhere.net:");
    world.require(!dialled, "a registrar outside the domain was dialled");
    world.require(scenario::is_in(&world), "and the phone is signed in");
}

#[test]
fn after_a_suspended_night_the_phone_is_back_with_one_login() {
    let mut world = signed_in(8);
    world.silence(0);
    world.run_for(Duration::from_secs(1));
    world.tell(0, Input::ClockJumped);
    world.run_for(Duration::from_secs(300));
    world.require(scenario::is_in(&world), "back");
    world.require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1, "one binding");
}

#[test]
fn no_network_is_said_and_ends_when_the_network_is_back() {
    let mut world = signed_in(9);
    world.silence(0);
    world.tell(0, Input::NetworkChanged { online: false });
    world.require(world.phones[0].state() == AccountState::NoNetwork, "says no network");
    world.run_for(Duration::from_secs(60));
    world.tell(0, Input::NetworkChanged { online: true });
    let back = world.run_to(Duration::from_secs(60), scenario::is_in);
    world.require(back, "back");
}

fn deregister(world: &mut World, event: Deregistration) {
    let home = world.server("hs104");
    world.command(home, NodeCommand::Deregister { user: scenario::ALICE.to_owned(), event });
}
