//! What one login leaves to the next: which servers failed, which asked for a pause, where home was.

use std::time::Duration;

use homing_core::event::AccountEvent;
use homing_core::journey::FoundBy;
use homing_server_mock::fault::Fault;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

/// Two first servers of one priority, hs101 all but always drawn first; `spoil` is done to hs101.
fn signed_in_past(seed: u64, spoil: impl FnOnce(&mut World)) -> World {
    let mut world = Scenario { expires: 600, ..Scenario::default() }.build(seed);
    let targets = [("hs101.network.com", 5061, 0, 65_535), ("lb.network.com", 5061, 0, 0)];
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &targets);
    spoil(&mut world);
    scenario::must_sign_in(&mut world, "the second server of the same priority was not tried");
    world.require(dials(&world, "10.0.1.1") == 1, "hs101 comes first while nothing is known of it");
    world
}

fn dials(world: &World, ip: &str) -> usize {
    world.ladder.count("alice", "", &format!("dials {ip}:5061"))
}

/// The home server dies and the user is given another: a new login, by way of discovery.
fn lose_home(world: &mut World) {
    let home = world.server("hs104");
    world.crash(home);
    world.assign(scenario::ALICE, "hs105.network.com", "hs104 died");
    let moved =
        world.run_to(Duration::from_secs(30), |world| scenario::home(world).as_deref() == Some("hs105"));
    world.require(moved, "not at the new home");
}

fn crash_first(world: &mut World) {
    let first = world.server("hs101");
    world.crash(first);
}

#[test]
fn a_server_that_refused_the_connection_is_not_dialled_first_by_the_next_login() {
    for seed in 0..10 {
        let mut world = signed_in_past(seed, crash_first);
        world.run_for(Duration::from_secs(20));
        lose_home(&mut world);
        world
            .require(dials(&world, "10.0.1.1") == 1, "a server that failed 20 s ago was dialled first again");
    }
}

#[test]
fn after_a_minute_a_failed_server_has_its_place_back() {
    let mut world = signed_in_past(1, crash_first);
    world.run_for(Duration::from_secs(70));
    lose_home(&mut world);
    world.require(dials(&world, "10.0.1.1") == 2, "a failure is remembered too long");
}

#[test]
fn a_server_that_took_the_connection_and_said_nothing_is_not_asked_first_again() {
    let silent = |world: &mut World| scenario::always(world, "hs101", Fault::Silence);
    let mut world = signed_in_past(2, silent);
    let asked = world.ladder.count("alice", "hs101", "REGISTER");
    lose_home(&mut world);
    world.require(world.ladder.count("alice", "hs101", "REGISTER") == asked, "asked first again");
}

#[test]
fn a_server_that_asked_for_a_pause_is_asked_last_until_that_is_over() {
    let busy = Fault::Status503 { retry_after: Some(200) };
    for (after, times) in [(100, 1), (230, 2)] {
        let mut world = signed_in_past(3, |world| scenario::always(world, "hs101", busy.clone()));
        world.run_for(Duration::from_secs(after));
        lose_home(&mut world);
        world.require(
            world.ladder.count("hs101", "alice", "503") == times,
            &format!("after {after} s of a pause of 200 s"),
        );
    }
}

#[test]
fn a_remembered_home_is_forgotten_after_three_logins_it_failed() {
    let mut world = Scenario { expires: 600, ..Scenario::default() }.build(4);
    scenario::must_sign_in(&mut world, "not registered");
    let home = world.server("hs104");
    world.crash(home);
    world.run_for(Duration::from_secs(1_800));
    let forgotten = world.phones[0].heard(|event| matches!(event, AccountEvent::Forgotten));
    world.require(forgotten == 1, &format!("forgotten {forgotten} times"));
    let tried = world.phones[0].heard(|event| match event {
        AccountEvent::LoginFailed { failure, .. } => {
            failure.journey.hops.iter().any(|hop| hop.how == FoundBy::Remembered)
        }
        _ => false,
    });
    world.require(tried == 3, &format!("{tried} logins began at a home that does not answer"));
    world.revive(home);
    let back = world.run_to(Duration::from_secs(1_800), scenario::is_in);
    world.require(back, "and found again through discovery");
}

#[test]
fn a_remembered_home_that_redirects_is_forgotten_for_the_one_it_names() {
    let mut world = Scenario::default().build(5);
    scenario::must_sign_in(&mut world, "not registered");
    world.assign(scenario::ALICE, "hs106.network.com", "moved while the phone was off");
    world.restart_phone(0);
    world.phones[0].told.clear();
    scenario::must_sign_in(&mut world, "not registered again");
    let first = world.phones[0].registered().expect("registered").journey.hops[0].clone();
    world.require(first.how == FoundBy::Remembered, "the login begins at the remembered home");
    world.require(world.phones[0].heard(|event| matches!(event, AccountEvent::Forgotten)) == 1, "forgotten");
    let learned = world.phones[0].learned().map(|home| home.host);
    world.require(learned.as_deref() == Some("hs106.network.com"), &format!("{learned:?} is remembered"));
}
