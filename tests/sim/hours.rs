//! Eight hours and more: the security association is renewed without leaving.

use std::time::Duration;

use homing_core::event::AccountEvent;
use homing_server_mock::mischief::Mischief;
use homing_server_mock::node::config::Dialect;
use homing_tests::town::{self, Town};

#[test]
fn eight_hours_and_one_more_without_leaving() {
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4] {
        let mut world = Town { dialect, expires: 900, ..Town::default() }.build(1);
        town::must_sign_in(&mut world, "not registered");
        world.phones[0].told.clear();
        for _ in 0..9 * 60 {
            world.run_for(Duration::from_secs(60));
            let held = world.servers[world.server("hs104")].bindings(town::ALICE);
            world.require(held == 1, &format!("{held} bindings"));
            world.require(town::is_in(&world), "left the state `registered`");
        }
        let renewed = world.phones[0].heard(|event| matches!(event, AccountEvent::AssociationRenewed));
        world.require(renewed == 1, &format!("{renewed} renewals in nine hours"));
        let left = world.phones[0].heard(|event| matches!(event, AccountEvent::LoggedOut { .. }));
        world.require(left == 0, "logged out in between");
    }
}

#[test]
fn a_move_during_the_renewal_is_a_whole_new_login() {
    let mut world = Town { expires: 900, ..Town::default() }.build(2);
    town::must_sign_in(&mut world, "not registered");
    world.run_for(Duration::from_secs(7 * 3600 + 50 * 60));
    world.assign(town::ALICE, "hs106.network.com", "at the wrong moment");
    let moved =
        world.run_to(Duration::from_secs(3600), |world| town::home(world).as_deref() == Some("hs106"));
    world.require(moved, "not at the new home");
    world.run_for(Duration::from_secs(60));
    world.require(town::is_in(&world), "registered");
}

#[test]
fn a_server_that_is_silent_during_the_renewal_loses_nobody() {
    let mut world = Town { expires: 900, ..Town::default() }.build(3);
    town::must_sign_in(&mut world, "not registered");
    world.run_for(Duration::from_secs(7 * 3600 + 54 * 60));
    town::next(&mut world, 2, "hs104", Mischief::Silence);
    world.run_for(Duration::from_secs(900));
    world.require(town::is_in(&world), "registered again");
    world.require(world.servers[world.server("hs104")].bindings(town::ALICE) == 1, "one binding");
}
