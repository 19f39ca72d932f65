//! One home: after an assignment is committed, the old server holds nothing it would answer from for longer
//! than one lease, and tells the clients that understand it.

use std::time::Duration;

use homing_core::event::{AccountEvent, LogoutReason};
use homing_server_mock::directory::{Change, Directory as _, Key};
use homing_server_mock::node::config::{OnMove, Schemes};
use homing_server_mock::node::io::NodeCommand;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

/// A directory answer may be used for so long.
const LEASE: Duration = Duration::from_secs(2);

fn recalling() -> Scenario {
    Scenario { on_move: OnMove::Recall, expires: 3_600, ..Scenario::default() }
}

fn held(world: &World, server: &str, user: &str) -> usize {
    world.servers[world.server(server)].bindings(user)
}

/// Servers that hold a binding, whether or not anything could still reach them.
fn holders(world: &World, user: &str) -> usize {
    world.servers.iter().filter(|server| server.bindings(user) > 0).count()
}

/// Runs on and requires at every event that at most one server holds the user.
fn one_holder_for(world: &mut World, span: Duration, user: &'static str) {
    let two = world.run_to(span, move |world| holders(world, user) > 1);
    world.require(!two, "two servers hold one user");
}

#[test]
fn a_moved_user_is_recalled_within_one_lease_and_comes_home_by_one_login() {
    for seed in 0..20 {
        let mut world = recalling().build(seed);
        scenario::must_sign_in(&mut world, "not registered");
        world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
        world.run_for(LEASE);
        world
            .require(held(&world, "hs104", scenario::ALICE) == 0, "the old server holds on beyond the lease");
        let said = world.ladder.to_string().contains("void: its user belongs to another server");
        world.require(said, "nobody says why");
        world.require(world.ladder.count("hs104", "alice", "NOTIFY") == 1, "told once");
        one_holder_for(&mut world, Duration::from_secs(10), scenario::ALICE);
        world.require(scenario::home(&world).as_deref() == Some("hs106"), "not home within one login");
        let out = world.phones[0].heard(
            |event| matches!(event, AccountEvent::LoggedOut { why } if *why == LogoutReason::Deactivated),
        );
        world.require(out == 1, "logged out once, because it was told");
    }
}

#[test]
fn a_refresh_that_comes_first_meets_the_301_and_nobody_is_told() {
    let mut world = recalling().build(1);
    scenario::must_sign_in(&mut world, "not registered");
    world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
    scenario::refresh(&mut world);
    world.run_for(Duration::from_secs(10));
    world.require(scenario::home(&world).as_deref() == Some("hs106"), "not home");
    world.require(world.ladder.count("hs104", "alice", "NOTIFY") == 0, "told although it came by itself");
    world.require(world.ladder.count("hs104", "alice", "301") == 1, "one 301");
}

/// The phone's link is dead and it signs in elsewhere; the old server has heard nothing of that.
#[test]
fn a_phone_that_fell_silent_leaves_nothing_behind_at_its_old_home() {
    for seed in 0..20 {
        let mut world = recalling().build(seed);
        scenario::must_sign_in(&mut world, "not registered");
        world.silence(0);
        world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
        world.run_for(LEASE);
        world
            .require(held(&world, "hs104", scenario::ALICE) == 0, "the old server holds on beyond the lease");
        one_holder_for(&mut world, Duration::from_secs(600), scenario::ALICE);
        world.require(held(&world, "hs106", scenario::ALICE) == 1, "not home");
    }
}

#[test]
fn a_user_who_is_moved_back_at_once_is_left_alone() {
    let mut world = recalling().build(2);
    scenario::must_sign_in(&mut world, "not registered");
    world.assign(scenario::ALICE, "hs106.network.com", "by mistake");
    world.run_for(Duration::from_millis(300));
    world.assign(scenario::ALICE, "hs104.network.com", "mended");
    world.run_for(Duration::from_secs(60));
    world.require(held(&world, "hs104", scenario::ALICE) == 1, "the binding is gone");
    world.require(world.ladder.count("hs104", "alice", "NOTIFY") == 0, "told of a move that was none");
}

/// One directory may hold several services (patent paragraph 38); only the one that the servers serve moves
/// anybody.
#[test]
fn an_assignment_for_another_service_recalls_nobody() {
    let mut world = recalling().build(4);
    scenario::must_sign_in(&mut world, "not registered");
    let key = Key::new(scenario::ALICE, "conferencing");
    let when = world.instant(Duration::ZERO).wall;
    let elsewhere = Change::new(key, "hs106.network.com", "operator", "conferences move", when);
    world.directory.assign(&elsewhere).unwrap();
    let home = world.server("hs104");
    let (user, service) = (scenario::ALICE.to_owned(), "conferencing".to_owned());
    world.command(home, NodeCommand::AssignmentChanged { user, service });
    world.run_for(Duration::from_secs(60));
    world.require(held(&world, "hs104", scenario::ALICE) == 1, "the binding is gone");
    world.require(world.ladder.count("hs104", "alice", "NOTIFY") == 0, "recalled by another service");
    scenario::refresh(&mut world);
    world.run_for(Duration::from_secs(5));
    world.require(
        held(&world, "hs104", scenario::ALICE) == 1 && scenario::is_in(&world),
        "moved by its refresh",
    );
}

/// Digest has no association that could sign the recall; such a client could not believe it.
#[test]
fn a_client_that_could_not_believe_it_is_not_told_and_moves_at_its_next_refresh() {
    let mut world = Scenario { schemes: Schemes::Digest, expires: 300, ..recalling() }.without_phones(3);
    let bob = world.add_phone("bob", scenario::bob_by_udp(), scenario::bobs_credentials());
    scenario::login_of(&mut world, bob);
    let bound = world.run_to(Duration::from_secs(60), |world| held(world, "hs102", scenario::BOB) == 1);
    world.require(bound, "not registered");
    world.assign(scenario::BOB, "hs103.network.com", "rebalanced");
    world.run_for(LEASE);
    world.require(world.ladder.count("hs102", "bob", "NOTIFY") == 0, "told what it cannot believe");
    world.require(world.ladder.to_string().contains("kept until its next refresh"), "nobody says why");
    world.require(held(&world, "hs102", scenario::BOB) == 1, "without a home until the next refresh");
    one_holder_for(&mut world, Duration::from_secs(400), scenario::BOB);
    world.require(held(&world, "hs103", scenario::BOB) == 1, "not moved by its refresh");
}
