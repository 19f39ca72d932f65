//! The physical price of a login: round trips, counted hop by hop (decisions 9 and 10).

use std::net::IpAddr;
use std::time::Duration;

use homing_core::command::Command;
use homing_core::config::{Remembered, RememberedLogin};
use homing_core::connect::ConnectError;
use homing_core::dns::{DnsQuestion, RecordKind};
use homing_core::event::AccountEvent;
use homing_core::journey::{FoundBy, HopVerdict, RoundTrips};
use homing_core::state::AccountState;
use homing_core::transport::Transport;

use super::world::server::Then;
use super::world::{World, main_job};

fn remembered(host: &str) -> Remembered {
    let mut remembered = Remembered::new(host, Some(5061), Transport::Tls, true);
    remembered.login = Some(RememberedLogin::new("SIP Communications Service", host, 4));
    remembered
}

fn round_trips(world: &World) -> u32 {
    world.registered().journey.round_trips()
}

fn learned(world: &World) -> Remembered {
    let learned = world.events.iter().rev().find_map(|event| match event {
        AccountEvent::Learned(learned) => Some(learned.clone()),
        _ => None,
    });
    learned.expect("something was learned")
}

#[test]
fn a_cold_login_with_one_redirect_costs_thirteen() {
    let mut world = main_job(|_| {});
    world.login();
    let journey = &world.registered().journey;
    let price = |dns, register| RoundTrips { dns, tcp: 1, tls: 1, register, millis: 0 };
    assert_eq!(journey.hops[0].price, price(2, 3), "SRV and address, then the three steps of NTLM");
    assert_eq!(journey.hops[1].price, price(1, 3));
    assert_eq!(round_trips(&world), 13);
}

#[test]
fn glue_beside_the_srv_record_saves_one() {
    let mut world = main_job(|_| {});
    let question = DnsQuestion { name: "_sipinternaltls._tcp.network.com".into(), kind: RecordKind::Srv };
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    world.dns.get_mut(&question).unwrap().glue = vec![("hs102.network.com".into(), address)];
    world.login();
    assert_eq!(round_trips(&world), 12);
}

#[test]
fn a_remembered_realm_saves_one_at_each_server() {
    let mut world = main_job(|_| {});
    world.login();
    // The home moves on, so that the next login begins at discovery; both servers are known by now.
    world.at("hs104.network.com").redirect_to("<sip:hs102.network.com:5061;transport=tls>");
    world.command(Command::Refresh);
    world.at("hs104.network.com").then = Then::Accept { expires: 7_200 };
    world.events.clear();
    world.pass_until(AccountState::Registered, Duration::from_secs(120));
    assert_eq!(round_trips(&world), 11);
}

#[test]
fn a_remembered_home_costs_five_and_four_with_its_address_cached() {
    let mut world = World::new(|config| config.remembered = Some(remembered("hs104.network.com")));
    world.server("hs104.network.com");
    world.login();
    let journey = &world.registered().journey;
    assert_eq!(journey.hops.len(), 1);
    assert_eq!(journey.hops[0].how, FoundBy::Remembered);
    assert_eq!(round_trips(&world), 5);
    assert!(world.asked.len() <= 2, "discovery did not begin: {:?}", world.asked);

    let mut world = World::new(|config| config.remembered = Some(remembered("hs104.network.com")));
    world.server("hs104.network.com");
    for answer in world.dns.values_mut() {
        answer.round_trips = 0;
    }
    world.login();
    assert_eq!(round_trips(&world), 4);
}

#[test]
fn what_is_learned_makes_the_next_run_short() {
    let mut world = main_job(|_| {});
    world.login();
    let learned = learned(&world);
    assert_eq!(learned, remembered("hs104.network.com"));
    let mut again = main_job(|config| config.remembered = Some(learned));
    again.login();
    assert_eq!(round_trips(&again), 5);
}

#[test]
fn a_pool_is_remembered_by_the_name_it_is_dialled_by() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "pool.network.com")]);
    let server = world.server("pool.network.com");
    server.targetname = "hs7.network.com".into();
    server.certificate = vec!["pool.network.com".into(), "hs7.network.com".into()];
    world.login();
    let learned = learned(&world);
    assert_eq!(learned.host, "pool.network.com");
    assert_eq!(learned.login.unwrap().targetname, "hs7.network.com");
    world.command(Command::Unregister);
    world.login();
    assert_eq!(round_trips(&world), 5);
}

#[test]
fn a_shortcut_that_fails_falls_back_once() {
    let mut world = World::new(|config| config.remembered = Some(remembered("hs104.network.com")));
    world.server("hs104.network.com").realm = "Another Realm".into();
    let server = world.at("hs104.network.com");
    server.strict_realm = true;
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().journey.hops[0].price.register, 3, "the try in vain is the first step");
    assert_eq!(learned(&world).login.unwrap().realm, "Another Realm");
}

#[test]
fn a_dead_remembered_home_costs_a_quarter_of_a_second_and_discovery() {
    let mut world = main_job(|config| config.remembered = Some(remembered("hs109.network.com")));
    world.server("hs109.network.com").unreachable = Some(ConnectError::Timeout);
    world.login();
    assert_eq!(world.state(), AccountState::Connecting);
    world.pass(Duration::from_millis(249));
    assert_eq!(world.state(), AccountState::Connecting);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.state(), AccountState::Registered);
    let journey = &world.registered().journey;
    assert_eq!(journey.hops.len(), 2, "the loser of the race is no hop: {journey:?}");
    assert_eq!(world.registered().home.host, "hs104.network.com");
}

#[test]
fn a_remembered_home_that_refuses_at_once_costs_nothing_but_the_try() {
    let mut world = main_job(|config| config.remembered = Some(remembered("hs109.network.com")));
    world.server("hs109.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    let hops = &world.registered().journey.hops;
    assert_eq!(hops[0].verdict, HopVerdict::Unreachable(ConnectError::ConnectionRefused));
    assert_eq!(world.state(), AccountState::Registered, "no second choice: the home was only remembered");
}

#[test]
fn a_remembered_home_that_redirects_is_forgotten_at_once() {
    let mut world = main_job(|config| config.remembered = Some(remembered("hs103.network.com")));
    world.server("hs103.network.com").redirect_to("<sip:hs104.network.com:5061;transport=tls>");
    world.login();
    assert!(world.events.contains(&AccountEvent::Forgotten));
    assert_eq!(world.registered().home.host, "hs104.network.com");
    assert_eq!(world.registered().journey.hops[0].how, FoundBy::Remembered);
    assert_eq!(learned(&world).host, "hs104.network.com");
}

#[test]
fn a_remembered_home_is_forgotten_after_three_failures() {
    let mut world = World::new(|config| config.remembered = Some(remembered("hs104.network.com")));
    world.server("hs104.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    world.login();
    for attempt in 1..3 {
        assert!(!world.events.contains(&AccountEvent::Forgotten), "after {attempt}");
        let next = world.agent.deadline().unwrap().at.0 - world.clock;
        world.pass(next);
    }
    assert!(world.events.contains(&AccountEvent::Forgotten));
    assert_eq!(world.failures().len(), 3);
}

#[test]
fn a_remembered_home_that_says_no_is_forgotten_and_discovery_asked_in_the_same_login() {
    for (status, reason) in [(404, "Not Found"), (403, "Forbidden"), (503, "Service Unavailable")] {
        let mut world = main_job(|config| config.remembered = Some(remembered("hs103.network.com")));
        world.server("hs103.network.com").answer(status, reason);
        world.login();
        assert_eq!(world.state(), AccountState::Registered, "{status}");
        assert_eq!(world.registered().home.host, "hs104.network.com");
        assert_eq!(world.events.contains(&AccountEvent::Forgotten), status != 503);
        assert!(world.failures().is_empty());
    }
}

#[test]
fn a_remembered_home_outside_the_domain_is_not_dialled() {
    let mut world = main_job(|config| config.remembered = Some(remembered("hs1.evil.test")));
    world.server("hs1.evil.test");
    world.login();
    assert_eq!(world.at("hs1.evil.test").dials, 0);
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn equal_srv_targets_race_and_lower_ones_wait_for_failure() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "a.network.com"), (10, "b.network.com"), (20, "c.network.com")]);
    for name in ["a.network.com", "b.network.com"] {
        world.server(name).unreachable = Some(ConnectError::Timeout);
    }
    world.server("c.network.com");
    world.login();
    let dials = |world: &mut World| ["a", "b", "c"].map(|n| world.at(&format!("{n}.network.com")).dials);
    assert_eq!(dials(&mut world).iter().sum::<usize>(), 1);
    world.pass(Duration::from_millis(250));
    assert_eq!(dials(&mut world), [1, 1, 0]);
    world.pass(Duration::from_secs(9));
    assert_eq!(dials(&mut world), [1, 1, 0], "a lower priority waits until the higher ones failed");
    world.pass(Duration::from_secs(2));
    assert_eq!(dials(&mut world), [1, 1, 1]);
    assert_eq!(world.state(), AccountState::Fallback);
}

#[test]
fn a_remembered_home_without_tls_does_not_outrun_tls() {
    let clear = || Remembered::new("hs103.network.com", Some(5061), Transport::Tcp, true);
    let mut world = main_job(|config| {
        config.transports = vec![Transport::Tls, Transport::Tcp];
        config.remembered = Some(clear());
    });
    world.server("hs103.network.com");
    world.login();
    assert_eq!(world.at("hs103.network.com").dials, 0);
    assert_eq!(world.registered().home.host, "hs104.network.com");
    let mut world = World::new(|config| {
        config.transports = vec![Transport::Tcp];
        config.remembered = Some(clear());
    });
    world.server("hs103.network.com");
    world.login();
    assert_eq!(world.registered().home.host, "hs103.network.com", "where TLS is not to be had");
}
