//! A registered connection is kept alive as its server granted, and missed when it is gone.

use std::time::Duration;

use homing_core::event::{AccountEvent, LogoutReason};
use homing_core::state::AccountState;
use homing_core::time::Why;

use crate::world::World;

/// A world with one server that grants this in its 200.
fn granting(headers: &[(&str, &str)]) -> World {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs1.network.com")]);
    let server = world.server("hs1.network.com");
    server.extra = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world
}

const MS: (&str, &str) = ("ms-keep-alive", "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300");

#[test]
fn the_connection_is_never_idle_longer_than_the_server_allows() {
    let mut world = granting(&[MS]);
    assert_eq!(world.agent.deadline().unwrap().why, Why::KeepAlive);
    world.pass(Duration::from_secs(3_000));
    let pings = world.at("hs1.network.com").pings;
    assert!((10..=13).contains(&pings), "{pings} in 3,000 s");
    assert_eq!(world.state(), AccountState::Registered, "a server that promised nothing owes nothing");
}

#[test]
fn a_server_that_grants_nothing_hears_nothing() {
    let mut world = granting(&[]);
    world.pass(Duration::from_secs(3_000));
    assert_eq!(world.at("hs1.network.com").pings, 0);
}

#[test]
fn a_connection_whose_peer_went_silent_is_missed_within_ten_seconds_of_the_ping() {
    let mut world = granting(&[("Flow-Timer", "120"), ("Require", "outbound")]);
    world.at("hs1.network.com").pongs = true;
    world.pass(Duration::from_secs(3_000));
    assert_eq!(world.state(), AccountState::Registered);
    let answered = world.at("hs1.network.com").pings;
    assert!((25..=32).contains(&answered), "{answered} in 3,000 s");
    world.at("hs1.network.com").pongs = false;
    let silent_since = world.clock;
    let (dials, mut steps) = (world.at("hs1.network.com").dials, 0);
    while world.at("hs1.network.com").dials == dials {
        let due = world.agent.deadline().expect("something is due");
        world.pass(due.at.0.saturating_sub(world.clock));
        steps += 1;
        assert!(steps < 100, "the silence is never noticed");
    }
    let took = (world.clock - silent_since).as_secs();
    assert!(took <= 120 + 10 + 2, "back after {took} s");
    let lost = AccountEvent::LoggedOut { why: LogoutReason::ConnectionLost };
    assert!(world.events.contains(&lost), "{:?}", world.events);
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_silent_loss_is_noticed_in_time_whatever_the_server_allows() {
    for allowed in ["120", "300", "3600"] {
        let mut world = granting(&[("Flow-Timer", allowed)]);
        world.at("hs1.network.com").pongs = true;
        world.pass(Duration::from_secs(1_000));
        world.at("hs1.network.com").pongs = false;
        let dials = world.at("hs1.network.com").dials;
        world.pass(Duration::from_secs(165));
        assert!(world.at("hs1.network.com").dials > dials, "{allowed} s allowed");
        assert_eq!(world.state(), AccountState::Registered);
    }
}

#[test]
fn a_signed_out_account_keeps_nothing_alive() {
    let mut world = granting(&[MS]);
    world.command(homing_core::command::Command::Unregister);
    world.pass(Duration::from_secs(3_000));
    assert_eq!((world.state(), world.agent.flows()), (AccountState::LoggedOff, 0));
    assert_eq!(world.agent.deadline(), None);
}
