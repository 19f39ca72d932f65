//! What goes wrong around a registration, one thing at a time.

use std::time::Duration;

use homing_core::config::Outbound;
use homing_server_mock::fault::Fault;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

fn signed_in(seed: u64) -> World {
    let mut world = Scenario { expires: 600, ..Scenario::default() }.build(seed);
    scenario::must_sign_in(&mut world, "not registered");
    world
}

fn back_within(world: &mut World, seconds: u64) {
    let back = world.run_to(Duration::from_secs(seconds), |world| {
        let home = scenario::home(world).unwrap_or_default();
        scenario::is_in(world)
            && world
                .servers
                .iter()
                .any(|server| server.short == home && server.bindings(scenario::ALICE) == 1)
    });
    world.require(back, &format!("not back within {seconds} s"));
}

#[test]
fn a_home_server_that_restarts_has_its_user_back_within_two_minutes() {
    for seed in 0..10 {
        let mut world = signed_in(seed);
        let home = world.server("hs104");
        world.crash(home);
        world.run_for(Duration::from_secs(5));
        world.revive(home);
        back_within(&mut world, 120);
    }
}

#[test]
fn para_53_a_dead_home_server_and_a_changed_directory_move_the_user_with_dns_untouched() {
    for seed in 0..10 {
        let mut world = signed_in(seed);
        let home = world.server("hs104");
        world.crash(home);
        world.run_for(Duration::from_secs(10));
        world.assign(scenario::ALICE, "hs105.network.com", "hs104 died");
        let moved = world.run_to(Duration::from_secs(210), |world| {
            scenario::home(world).as_deref() == Some("hs105") && scenario::is_in(world)
        });
        world.require(moved, "not at the new home");
    }
}

#[test]
fn a_flow_that_falls_silent_is_noticed_within_210_seconds() {
    for seed in 0..10 {
        let mut world = signed_in(seed);
        world.silence(0);
        let noticed = world.run_to(Duration::from_secs(210), |world| {
            scenario::is_in(world) && !world.links_between(0, world.server("hs104")).is_empty()
        });
        world.require(noticed, "a dead flow was not noticed within 210 s");
    }
}

#[test]
fn a_flow_kept_by_keep_alone_is_missed_within_210_seconds_too() {
    for seed in 0..10 {
        let mut world = Scenario { expires: 7_200, ..Scenario::default() }.without_phones(seed);
        let mut alice = scenario::alice();
        alice.outbound = Outbound::Off;
        world.add_phone("alice", alice, scenario::credentials());
        scenario::must_sign_in(&mut world, "not registered");
        world.run_for(Duration::from_secs(seed * 37));
        world.silence(0);
        let noticed = world.run_to(Duration::from_secs(210), |world| {
            scenario::is_in(world) && !world.links_between(0, world.server("hs104")).is_empty()
        });
        world.require(noticed, "a dead flow was not noticed within 210 s");
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_passed_over() {
    let mut world = Scenario::default().build(3);
    let targets = [("hs101.network.com", 5061, 0, 0), ("lb.network.com", 5061, 10, 0)];
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &targets);
    let dead = world.server("hs101");
    world.crash(dead);
    scenario::must_sign_in(&mut world, "the second SRV target was not tried");
}

#[test]
fn a_server_that_does_not_answer_the_dial_is_passed_over_in_time() {
    let mut world = Scenario::default().build(4);
    let targets = [("hs101.network.com", 5061, 0, 0), ("lb.network.com", 5061, 10, 0)];
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &targets);
    let deaf = world.server("hs101");
    world.servers[deaf].deaf = true;
    scenario::must_sign_in(&mut world, "the second SRV target was not tried");
}

#[test]
fn a_503_is_waited_out_as_long_as_it_says() {
    let mut world = Scenario::default().build(5);
    scenario::next(&mut world, 1, "lb", Fault::Status503 { retry_after: Some(20) });
    scenario::login(&mut world);
    let back = world.run_to(Duration::from_secs(120), scenario::is_in);
    world.require(back, "not registered after a 503");
}

#[test]
fn single_faults_of_the_home_server_lose_nobody() {
    let faults = [
        Fault::Silence,
        Fault::Delay(Duration::from_secs(5)),
        Fault::Drop(2),
        Fault::Status503 { retry_after: Some(5) },
        Fault::Status503 { retry_after: None },
        Fault::Status500,
        Fault::Cut,
        Fault::Garbage(64),
        Fault::WrongCSeq,
        Fault::NoExpires,
    ];
    for (seed, fault) in faults.into_iter().enumerate() {
        let mut world = signed_in(seed as u64);
        scenario::next(&mut world, 1, "hs104", fault.clone());
        scenario::refresh(&mut world);
        world.run_for(Duration::from_secs(400));
        world.require(scenario::is_in(&world), &format!("not registered 400 s after {fault} at a refresh"));
    }
}

#[test]
fn dns_that_moves_to_another_first_server_is_followed_at_the_next_login() {
    let mut world = signed_in(6);
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("hs107.network.com", 5061, 0, 0)]);
    let (lb, home) = (world.server("lb"), world.server("hs104"));
    world.crash(lb);
    world.crash(home);
    world.assign(scenario::ALICE, "hs105.network.com", "hs104 died");
    let moved =
        world.run_to(Duration::from_secs(300), |world| scenario::home(world).as_deref() == Some("hs105"));
    world.require(moved, "the new first server was not found");
}

#[test]
fn a_phone_that_is_switched_off_and_on_is_home_again() {
    let mut world = signed_in(7);
    world.restart_phone(0);
    world.phones[0].told.clear();
    scenario::must_sign_in(&mut world, "not registered again");
    world
        .require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1, "one binding, not two");
}

/// What RFC 5626 and RFC 6223 add is taken off on the way: what is left is a client that knows nothing but
/// ms-keep-alive, whose pings are not answered.
#[test]
fn a_client_that_knows_only_ms_keep_alive_is_back_within_expires_plus_32_seconds() {
    for seed in 0..10 {
        let mut world = Scenario { expires: 600, ..Scenario::default() }.build(seed);
        world.network.tamper = Some(Box::new(|passing| {
            let text = std::str::from_utf8(passing.bytes).ok().filter(|_| passing.from == "alice")?;
            let plain = text.replace(";keep", "").replace("outbound", "x-nothing");
            Some(vec![plain.into_bytes().into()])
        }));
        scenario::must_sign_in(&mut world, "not registered");
        world.silence(0);
        let back = |world: &World| {
            scenario::is_in(world) && !world.links_between(0, world.server("hs104")).is_empty()
        };
        let soon = world.run_to(Duration::from_secs(145), back);
        world.require(!soon, "noticed by pongs that nobody promised");
        let noticed = world.run_to(Duration::from_secs(600 + 32 - 145), back);
        world.require(noticed, "not back within Expires and 32 s");
    }
}
