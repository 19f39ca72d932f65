//! The fortunes of a remembered home: what counts against it, what does not, and when it is forgotten.

use std::time::Duration;

use homing_core::config::Remembered;
use homing_core::connect::ConnectError;
use homing_core::event::AccountEvent;
use homing_core::outbox::Input;
use homing_core::state::AccountState;
use homing_core::transport::Transport;

use super::world::server::{Fault, Then};
use super::world::{World, main_job};

fn home(host: &str) -> Option<Remembered> {
    Some(Remembered::new(host, Some(5061), Transport::Tls, true))
}

fn forgotten(world: &World) -> bool {
    world.events.contains(&AccountEvent::Forgotten)
}

/// Lets the pause after a failed login pass.
fn again(world: &mut World) {
    let wait = world.agent.deadline().expect("another attempt").at.0 - world.clock;
    world.pass(wait + Duration::from_secs(3));
}

#[test]
fn para_67_an_ignored_redirect_leaves_the_remembered_home_as_it_is() {
    for unsigned in [true, false] {
        let mut world = main_job(|config| config.remembered = home("hs103.network.com"));
        world.server("hs103.network.com").redirect_to("<sip:hs103.network.com:5061;transport=tls>");
        for attempt in 1..=4 {
            if unsigned {
                world.at("hs103.network.com").spoil(Fault::Unsigned);
            }
            if attempt == 1 {
                world.login();
                world.pass(Duration::from_secs(3));
            } else {
                again(&mut world);
            }
            assert_eq!(world.failures().len(), attempt);
            let code = if unsigned { "E0703" } else { "E0702" };
            assert_eq!(world.last_failure().error.code(), code);
            assert!(!forgotten(&world), "attempt {attempt}, unsigned: {unsigned}");
        }
        assert_eq!(world.at("hs103.network.com").dials, 4, "it is still tried first");
    }
}

#[test]
fn a_forged_no_during_the_handshake_does_not_count_against_the_remembered_home() {
    for (status, reason) in [(503, "Service Unavailable"), (408, "Request Timeout")] {
        let mut world = World::new(|config| config.remembered = home("hs104.network.com"));
        world.srv(&[(10, "dead.network.com")]);
        world.server("dead.network.com").unreachable = Some(ConnectError::ConnectionRefused);
        world.server("hs104.network.com").answer(status, reason);
        for attempt in 1..=4 {
            world.at("hs104.network.com").spoil(Fault::Unsigned);
            if attempt == 1 {
                world.login()
            } else {
                again(&mut world)
            }
            assert_eq!(world.failures().len(), attempt, "{status}");
            assert!(!forgotten(&world), "{status}, attempt {attempt}");
        }
        assert_eq!(world.at("hs104.network.com").dials, 4);
    }
}

/// Wrong answers of our own, or of others at this user, are the reason: that says nothing about the server.
#[test]
fn a_pause_after_wrong_passwords_counts_against_no_server() {
    for (diagnostics, counts) in
        [("4170;reason=\"too many wrong answers\"", false), ("1000;reason=\"busy\"", true)]
    {
        let mut world = World::new(|config| config.remembered = home("hs104.network.com"));
        world.srv(&[(10, "dead.network.com")]);
        world.server("dead.network.com").unreachable = Some(ConnectError::ConnectionRefused);
        let headers = vec![("Retry-After", "40".to_owned()), ("ms-diagnostics", diagnostics.to_owned())];
        world.server("hs104.network.com").then =
            Then::Status { status: 503, reason: "Service Unavailable", headers };
        world.login();
        (1..3).for_each(|_| again(&mut world));
        assert_eq!(forgotten(&world), counts, "{diagnostics}");
        assert_eq!(
            world.at("dead.network.com").dials > 0,
            counts,
            "{diagnostics}: no other server knows better"
        );
    }
}

#[test]
fn a_silent_remembered_home_is_forgotten_after_three_logins() {
    let mut world = main_job(|config| config.remembered = home("hs109.network.com"));
    world.server("hs109.network.com").unreachable = Some(ConnectError::Timeout);
    world.at("hs104.network.com").answer(500, "Server Error");
    world.login();
    world.pass(Duration::from_secs(3));
    assert!(!forgotten(&world));
    again(&mut world);
    assert!(!forgotten(&world));
    again(&mut world);
    assert!(forgotten(&world));
    let dials = world.at("hs109.network.com").dials;
    again(&mut world);
    assert_eq!(world.failures().len(), 4);
    assert_eq!(world.at("hs109.network.com").dials, dials, "it is not tried any more");
}

#[test]
fn a_remembered_home_that_lost_the_race_but_is_the_home_is_kept() {
    let mut world = main_job(|config| config.remembered = home("hs104.network.com"));
    world.login();
    for _ in 0..5 {
        world.command(homing_core::command::Command::Unregister);
        world.at("hs104.network.com").unreachable = Some(ConnectError::Timeout);
        world.login();
        world.at("hs104.network.com").unreachable = None;
        world.pass(Duration::from_millis(260));
        assert_eq!(world.state(), AccountState::Registered);
        assert_eq!(world.registered().home.host, "hs104.network.com");
    }
    assert!(!forgotten(&world));
}

#[test]
fn para_67_a_network_event_does_not_shorten_the_pause_after_a_refused_redirect() {
    let mut world = main_job(|_| {});
    world.at("hs102.network.com").redirect_to("<sip:hs102.network.com:5061;transport=tls>");
    world.login();
    assert_eq!(world.last_failure().error.code(), "E0702");
    let sent = world.sent.len();
    for online in [true, false, true] {
        world.pass(Duration::from_secs(1));
        world.input(Input::NetworkChanged { online });
    }
    world.pass(Duration::from_millis(26_900));
    assert_eq!(world.sent.len(), sent, "no REGISTER before 30 s");
    world.pass(Duration::from_secs(60));
    assert!(world.sent.len() > sent, "but after it");
}
