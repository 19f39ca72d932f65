//! Staying signed in: refreshes, renewals, moves, forced endings, sleep.

use std::time::Duration;

use homing_core::event::{AccountEvent, LogoutReason, MoveCause};
use homing_core::outbox::Input;
use homing_core::state::AccountState;
use homing_server_mock::mischief::Mischief;
use homing_server_mock::node::io::{Deregistration, NodeCommand};
use homing_tests::town::{self, Town};
use homing_tests::world::World;

fn signed_in(seed: u64) -> World {
    let mut world = Town { expires: 600, ..Town::default() }.build(seed);
    town::must_sign_in(&mut world, "not registered");
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
        world.require(world.servers[world.server("hs104")].bindings(town::ALICE) == 1, "the binding lapsed");
    }
    let refreshed = world.phones[0].heard(|event| matches!(event, AccountEvent::Refreshed { .. }));
    world.require(refreshed >= 10, &format!("{refreshed} refreshes in 100 minutes of 10"));
    world.require(logged_out(&world, LogoutReason::Moved) == 0, "nobody moved");
}

#[test]
fn para_67_a_301_on_refresh_is_logout_and_a_whole_new_login() {
    let mut world = signed_in(2);
    world.assign(town::ALICE, "hs106.network.com", "rebalanced");
    town::refresh(&mut world);
    let moved = world.run_to(Duration::from_secs(60), |world| {
        town::home(world).as_deref() == Some("hs106") && town::is_in(world)
    });
    world.require(moved, "not at the new home");
    world.require(logged_out(&world, LogoutReason::Moved) == 1, "logged out once, because it moved");
    let told = world.phones[0]
        .heard(|event| matches!(event, AccountEvent::HomeServerChanged { cause: MoveCause::Moved, .. }));
    world.require(told == 1, "told once that home changed");
    world.require(world.ladder.count("alice", "lb", "REGISTER") >= 4, "the new login starts at discovery");
    world.run_for(Duration::from_secs(5));
    world.require(world.servers[world.server("hs104")].bindings(town::ALICE) == 0, "the old binding is gone");
}

#[test]
fn a_301_on_refresh_that_is_not_signed_moves_nobody() {
    let mut world = signed_in(3);
    world.assign(town::ALICE, "hs106.network.com", "rebalanced");
    town::next(&mut world, 1, "hs104", Mischief::Unsigned301);
    town::refresh(&mut world);
    world.run_for(Duration::from_secs(1));
    world.require(logged_out(&world, LogoutReason::Moved) == 0, "an unsigned 301 logged the phone out");
}

#[test]
fn a_lost_binding_is_made_anew() {
    let mut world = signed_in(4);
    town::next(&mut world, 1, "hs104", Mischief::BindingLost);
    town::refresh(&mut world);
    let anew =
        world.run_to(Duration::from_secs(120), |world| logged_out(world, LogoutReason::BindingLost) == 1);
    world.require(anew, "`register-action=\"added\"` on a refresh was not noticed");
    world.run_for(Duration::from_secs(120));
    world.require(town::is_in(&world), "registered anew");
}

#[test]
fn deactivated_signs_in_elsewhere_at_once() {
    let mut world = signed_in(5);
    world.assign(town::ALICE, "hs106.network.com", "drained");
    deregister(&mut world, Deregistration::Deactivated);
    let moved = world.run_to(Duration::from_secs(90), |world| town::home(world).as_deref() == Some("hs106"));
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
    world.assign(town::ALICE, "hs106.network.com", "preferred");
    let there = homing_core::server::ServerName::new("hs106.network.com", 5061);
    deregister(&mut world, Deregistration::PreferredRegistrar(there));
    let moved = world.run_to(Duration::from_secs(90), |world| town::home(world).as_deref() == Some("hs106"));
    world.require(moved, "not at the preferred registrar");

    let mut world = signed_in(7);
    let elsewhere = homing_core::server::ServerName::new("hs1.elsewhere.net", 5061);
    deregister(&mut world, Deregistration::PreferredRegistrar(elsewhere));
    world.run_for(Duration::from_secs(300));
    let dialled = format!("{}", world.ladder).contains("dials")
        && format!("{}", world.ladder).contains("elsewhere.net:");
    world.require(!dialled, "a registrar outside the domain was dialled");
    world.require(town::is_in(&world), "and the phone is signed in");
}

#[test]
fn after_a_suspended_night_the_phone_is_back_with_one_login() {
    let mut world = signed_in(8);
    world.silence(0);
    world.run_for(Duration::from_secs(1));
    world.tell(0, Input::ClockJumped);
    world.run_for(Duration::from_secs(300));
    world.require(town::is_in(&world), "back");
    world.require(world.servers[world.server("hs104")].bindings(town::ALICE) == 1, "one binding");
}

#[test]
fn no_network_is_said_and_ends_when_the_network_is_back() {
    let mut world = signed_in(9);
    world.silence(0);
    world.tell(0, Input::NetworkChanged { online: false });
    world.require(world.phones[0].state() == AccountState::NoNetwork, "says no network");
    world.run_for(Duration::from_secs(60));
    world.tell(0, Input::NetworkChanged { online: true });
    let back = world.run_to(Duration::from_secs(60), town::is_in);
    world.require(back, "back");
}

fn deregister(world: &mut World, event: Deregistration) {
    let home = world.server("hs104");
    world.command(home, NodeCommand::Deregister { user: town::ALICE.to_owned(), event });
}
