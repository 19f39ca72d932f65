//! Logins that fail before or beside authentication: no server, no answer, a no, and what is said of it.

use std::time::Duration;

use homing_core::certificate::{CertificateError, CertificateRule};
use homing_core::command::Command;
use homing_core::config::ServerChoice;
use homing_core::connect::ConnectError;
use homing_core::error::{Family, LoginError, Misuse};
use homing_core::event::AccountEvent;
use homing_core::journey::HopVerdict;
use homing_core::state::AccountState;
use homing_core::transport::Transport;

use super::world::server::{Gate, Then};
use super::world::{World, main_job};

fn failed(world: &World, sentence: &str, code: &str, family: Family) {
    let failure = world.last_failure();
    assert_eq!(failure.error.to_string(), sentence);
    assert_eq!((failure.error.code(), failure.error.family()), (code, family));
    assert!(!failure.error.hint().is_empty());
    assert_eq!((world.agent.flows(), world.agent.transactions(), world.agent.questions()), (0, 0, 0));
}

fn retry(world: &World) -> Option<Duration> {
    let last = world.events.iter().rev().find_map(|event| match event {
        AccountEvent::LoginFailed { retry_in, .. } => Some(*retry_in),
        _ => None,
    });
    last.expect("a failure")
}

#[test]
fn a_domain_without_servers() {
    let mut world = World::new(|_| {});
    world.login();
    failed(&world, "no SIP server found for network.com: no such record", "E0401", Family::Resolve);
    assert!(retry(&world).unwrap() >= Duration::from_secs(30));
}

#[test]
fn name_servers_that_do_not_answer() {
    let mut world = World::new(|_| {});
    world.rules.dns_silent = true;
    world.login();
    assert_eq!(world.state(), AccountState::Resolving);
    world.pass(Duration::from_secs(29));
    failed(&world, "no SIP server found for network.com: no name server answered", "E0402", Family::Resolve);
}

fn refused(rule: CertificateRule) -> ConnectError {
    ConnectError::Certificate(Box::new(CertificateError::unread(rule)))
}

#[test]
fn every_reason_a_connection_fails_for_is_told() {
    let rows = [
        (ConnectError::ConnectionRefused, "the connection was refused", "E0501", Family::Transport),
        (
            refused(CertificateRule::UntrustedIssuer),
            "its certificate is signed by nobody this machine trusts",
            "E0506",
            Family::Transport,
        ),
        (refused(CertificateRule::Expired), "its certificate has expired", "E0507", Family::Transport),
        (
            refused(CertificateRule::Identity {
                expected: "network.com".to_owned(),
                why: homing_core::identity::IdentityError::OtherNames,
            }),
            "its certificate does not prove its name: the certificate names other servers; it must name network.com",
            "E0509",
            Family::Transport,
        ),
        (ConnectError::Timeout, "it did not answer the connection attempt in time", "E0503", Family::Timeout),
    ];
    for (why, words, code, family) in rows {
        let mut world = main_job(|_| {});
        world.at("hs102.network.com").unreachable = Some(why.clone());
        world.login();
        world.pass(Duration::from_secs(10));
        failed(&world, &format!("hs102.network.com:5061 cannot be reached: {words}"), code, family);
        assert_eq!(world.last_failure().journey.hops[0].verdict, HopVerdict::Unreachable(why));
        assert!(world.sent.is_empty(), "not one SIP byte left");
    }
}

#[test]
fn the_next_server_is_tried_when_one_is_dead_or_silent() {
    for kill in [
        (|world: &mut World| world.at("a.network.com").unreachable = Some(ConnectError::ConnectionRefused))
            as fn(&mut World),
        |world| world.at("a.network.com").silent = true,
        |world| {
            world.at("a.network.com").gate(Gate::Open).answer(503, "Service Unavailable");
        },
        |world| {
            world.at("a.network.com").answer(503, "Service Unavailable");
        },
        |world| {
            world.at("a.network.com").answer(504, "Server Time-out");
        },
        |world| {
            world.at("a.network.com").answer(408, "Request Timeout");
        },
        |world| world.at("a.network.com").silent_after_challenge = true,
    ] {
        let mut world = World::new(|_| {});
        world.srv(&[(10, "a.network.com"), (20, "b.network.com")]);
        world.server("a.network.com");
        world.server("b.network.com");
        kill(&mut world);
        world.login();
        world.pass(Duration::from_secs(33));
        assert!(world.state().is_reachable(), "{:?}", world.state());
        assert_eq!(world.registered().home.host, "b.network.com");
    }
}

#[test]
fn the_next_server_is_tried_when_one_dies_half_way() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "a.network.com"), (20, "b.network.com")]);
    world.server("a.network.com").silent_after_challenge = true;
    world.server("b.network.com");
    world.login();
    world.cut("a.network.com");
    assert_eq!(world.registered().home.host, "b.network.com");
    let dead = &world.registered().journey.hops[0];
    assert_eq!(dead.verdict, HopVerdict::Unreachable(ConnectError::Closed));
}

#[test]
fn a_server_that_takes_the_connection_and_says_nothing() {
    let mut world = main_job(|_| {});
    world.at("hs102.network.com").silent = true;
    world.login();
    world.pass(Duration::from_secs(32));
    failed(&world, "hs102.network.com:5061 did not answer", "E0901", Family::Timeout);
}

#[test]
fn a_connection_that_breaks_under_the_login() {
    let mut world = main_job(|_| {});
    world.rules.hold_credentials = true;
    world.login();
    world.cut("hs102.network.com");
    let sentence = "hs102.network.com:5061 cannot be reached: the connection was closed";
    assert_eq!(world.agent.questions(), 1, "whoever is typing may go on");
    world.command(Command::Unregister);
    failed(&world, sentence, "E0504", Family::Transport);
}

#[test]
fn a_no_is_told_in_the_servers_words() {
    let diagnostics = "4141;reason=\"User disabled\";source=\"hs102.network.com\"".to_owned();
    type Headers = Vec<(&'static str, String)>;
    let rows: [(u16, &'static str, Headers, &str, &str, bool); 5] = [
        (403, "Forbidden", vec![], "403 Forbidden", "E0801", false),
        (403, "Forbidden", vec![("ms-diagnostics", diagnostics)], "403 User disabled", "E0801", false),
        (404, "Not Found", vec![], "404 Not Found", "E0801", true),
        (
            421,
            "Extension Required",
            vec![("Warning", "399 hs \"gruu-10 is needed\"".into())],
            "421 gruu-10 is needed",
            "E0801",
            true,
        ),
        (500, "Server\u{7} Error", vec![], "500 Server Error", "E0801", true),
    ];
    for (status, reason, headers, words, code, again) in rows {
        let mut world = main_job(|_| {});
        world.at("hs102.network.com").then = Then::Status { status, reason, headers };
        world.login();
        let sentence = format!("hs102.network.com:5061 refused with {words}");
        let told = world.last_failure().error.to_string().replace("Server  Error", "Server Error");
        assert_eq!(told, sentence);
        assert_eq!(world.last_failure().error.code(), code);
        assert_eq!(retry(&world).is_some(), again, "{status}");
        assert_eq!(world.last_failure().journey.last().unwrap().verdict, HopVerdict::Refused { status });
    }
}

#[test]
fn a_busy_server_names_the_wait_and_is_capped() {
    for (said, least, most) in [("90", 90, 90), ("400", 300, 300), ("1", 1, 2), ("0", 30, 60)] {
        let mut world = main_job(|_| {});
        let headers = vec![("Retry-After", said.to_owned())];
        world.at("hs102.network.com").then = Then::Status { status: 503, reason: "Busy", headers };
        world.login();
        let wait = retry(&world).unwrap().as_secs_f64();
        assert!((f64::from(least)..=f64::from(most)).contains(&wait), "{said}: {wait}");
    }
}

#[test]
fn attempts_come_ever_more_rarely() {
    let mut world = World::new(|_| {});
    world.login();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let wait = retry(&world).unwrap();
        waits.push(wait);
        world.pass(wait);
    }
    assert!(waits[0] <= Duration::from_secs(60));
    assert!(waits[11] >= Duration::from_secs(900) && waits[11] <= Duration::from_secs(1_800), "{waits:?}");
}

#[test]
fn a_fixed_server_is_dialled_as_configured() {
    let mut world = World::new(|config| {
        config.server = ServerChoice::Fixed {
            host: "hs9.network.com".into(),
            port: Some(5061),
            transport: Transport::Tls,
        };
    });
    world.server("hs9.network.com");
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.asked.len(), 2, "an address and the credentials");
}

#[test]
fn an_account_without_registrar_does_not_sign_in() {
    let mut world = World::new(|config| config.server = ServerChoice::NoRegistrar);
    let now = world.now();
    assert_eq!(world.agent.handle_command(Command::Register(world.account), now), Err(Misuse::WrongState));
}

#[test]
fn udp_is_used_only_where_it_is_allowed() {
    let config = |udp: bool| {
        let aor = homing_core::config::Aor::parse("user@network.com").unwrap();
        let mut config = homing_core::config::AccountConfig::new(aor, "3344");
        config.transports = vec![Transport::Udp];
        config.auth.udp_register = udp;
        config
    };
    assert_eq!(config(false).check(), Err(homing_core::config::ConfigError::NoTransport));
    assert_eq!(config(true).check(), Ok(()));
}

#[test]
fn commands_at_the_wrong_time_are_misuse() {
    let mut world = main_job(|_| {});
    let (now, account) = (world.now(), world.account);
    assert_eq!(world.agent.options(account, None, now), Err(Misuse::WrongState));
    assert_eq!(world.agent.options(account, Some("mailto:bob@network.com"), now), Err(Misuse::BadMessage));
    for command in [Command::Refresh(account), Command::Unregister(account)] {
        assert_eq!(world.agent.handle_command(command.clone(), now), Err(Misuse::WrongState), "{command:?}");
    }
    let stranger = homing_core::ids::AccountId(99);
    assert_eq!(world.agent.handle_command(Command::Register(stranger), now), Err(Misuse::UnknownAccount));
    world.login();
    assert_eq!(world.agent.handle_command(Command::Register(account), now), Err(Misuse::WrongState));
    assert_eq!(world.agent.handle_command(Command::Remove(account), now), Err(Misuse::WrongState));
    world.command(Command::Unregister);
    world.command(Command::Remove);
    assert_eq!(world.agent.state(account), None);
}

#[test]
fn an_error_carries_the_journey() {
    let mut world = main_job(|_| {});
    world.at("hs104.network.com").answer(500, "Server Error");
    world.login();
    let failure = world.last_failure();
    assert!(
        matches!(&failure.error, LoginError::Refused { server, .. } if server.host == "hs104.network.com")
    );
    assert_eq!(failure.journey.hops.len(), 2);
    assert_eq!(failure.journey.redirects(), 1);
}
