//! Signing in: schemes, dialects, sockets, wrong passwords, strangers, and what it costs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use homing_core::config::{ExtendedProtection, Scheme, ServerChoice};
use homing_core::error::{AuthError, LoginError};
use homing_core::journey::HopVerdict;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_server_mock::fault::Fault;
use homing_server_mock::node::config::{
    Dialect, ExtendedProtection as ServersProtection, NodeConfig, Schemes,
};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::zone::Mood;

#[test]
fn a_login_over_tls_by_ntlm_in_every_dialect() {
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4, Dialect::Auto] {
        let mut world = Scenario { dialect, ..Scenario::default() }.build(1);
        scenario::must_sign_in(&mut world, "not registered");
        let journey = world.phones[0].registered().expect("registered").journey.clone();
        for hop in &journey.hops {
            world.require(hop.scheme == Some(Scheme::Ntlm), "by NTLM");
            world.require(hop.transport == Transport::Tls, "over TLS");
        }
        let last = journey.last().map(|hop| hop.verdict.clone());
        world.require(matches!(last, Some(HopVerdict::Accepted { signed: true, .. })), "a signed 200");
        world.require(world.ladder.count("alice", "hs104", "REGISTER") == 3, "three REGISTERs at home");
        scenario::logout(&mut world);
        world.run_for(Duration::from_secs(60));
        world.require(world.phones[0].state() == AccountState::LoggedOff, "signed out");
        world.require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 0, "no binding left");
    }
}

#[test]
fn redirect_claim_31_32_para_38_the_directory_entry_decides() {
    let mut world = Scenario::default().build(2);
    world.assign(scenario::ALICE, "hs106.network.com", "moved desks");
    scenario::must_sign_in(&mut world, "not registered");
    world.require(scenario::home(&world).as_deref() == Some("hs106"), "home is what the directory says");
}

#[test]
fn redirect_claim_33_the_whole_system_finds_the_second_server() {
    let mut world = Scenario::default().build(3);
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("hs101.network.com", 5061, 0, 0)]);
    scenario::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("hs101", "alice", "301") == 1, "the identified home server redirects");
    world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at home");
}

#[test]
fn para_50_a_user_whose_first_server_is_home_is_not_redirected() {
    let mut world = Scenario::default().build(4);
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("hs104.network.com", 5061, 0, 0)]);
    scenario::must_sign_in(&mut world, "not registered");
    let journey = world.phones[0].registered().expect("registered").journey.clone();
    world.require(journey.hops.len() == 1, "one hop");
}

#[test]
fn a_cold_login_with_one_redirect_costs_thirteen_round_trips_and_twelve_with_glue() {
    for (glue, price) in [(false, 13), (true, 12)] {
        let mut world = Scenario::default().build(5);
        world.zone.glue = glue;
        scenario::must_sign_in(&mut world, "not registered");
        let journey = world.phones[0].registered().expect("registered").journey.clone();
        let found = journey.round_trips();
        world.require(found == price, &format!("{found} round trips instead of {price}: {journey:#?}"));
    }
}

#[test]
fn a_remembered_home_costs_five_round_trips() {
    let mut world = Scenario::default().build(6);
    scenario::must_sign_in(&mut world, "not registered");
    world.run_for(Duration::from_secs(120));
    world.restart_phone(0);
    world.phones[0].told.clear();
    scenario::must_sign_in(&mut world, "not registered again");
    let journey = world.phones[0].registered().expect("registered").journey.clone();
    world.require(journey.redirects() == 0, "straight home");
    let found = journey.round_trips();
    world.require(found == 5, &format!("{found} round trips: {journey:#?}"));
}

#[test]
fn a_home_that_is_remembered_and_found_in_dns_is_dialled_once() {
    let mut world = Scenario::default().build(15);
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("hs104.network.com", 5061, 0, 0)]);
    scenario::must_sign_in(&mut world, "not registered");
    world.network.conditions.delay = Duration::from_millis(80);
    world.restart_phone(0);
    let before = world.ladder.count("alice", "hs104", "REGISTER");
    scenario::must_sign_in(&mut world, "the race was won and lost on one connection");
    world.require(world.ladder.count("alice", "hs104", "REGISTER") == before + 2, "the shortcut, once");
}

#[test]
fn a_wrong_password_fails_once_and_names_the_reason() {
    let mut world = Scenario::default().build(7);
    let mut wrong = scenario::credentials();
    wrong.password = homing_core::secret::Password::new("not it");
    world.phones[0].credentials = Some(wrong);
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(600));
    let said = world.phones[0].failure().cloned();
    let named = matches!(said, Some(LoginError::Auth(AuthError::Rejected { .. })));
    world.require(named, &format!("{said:?}"));
    let tries = world.ladder.count("alice", "lb", "REGISTER");
    world.require(tries <= 3, "a wrong password is not tried over and over");
}

#[test]
fn no_password_is_a_failure_that_names_it() {
    let mut world = Scenario::default().build(8);
    world.phones[0].credentials = None;
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(60));
    let said = world.phones[0].failure().cloned();
    let named = matches!(said, Some(LoginError::Auth(AuthError::NoCredentials { .. })));
    world.require(named, &format!("{said:?}"));
}

#[test]
fn digest_over_tls_at_a_plain_registrar() {
    let mut config = scenario::alice();
    config.server =
        ServerChoice::Fixed { host: "hs104.network.com".to_owned(), port: None, transport: Transport::Tls };
    let mut world = Scenario { schemes: Schemes::Digest, ..Scenario::default() }.without_phones(9);
    world.add_phone("alice", config, scenario::credentials());
    scenario::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("alice", "hs104", "REGISTER") == 2, "challenge and answer");
}

#[test]
fn digest_over_udp_with_losses() {
    for seed in 0..20 {
        let mut config = scenario::alice();
        config.auth.udp_register = true;
        config.transports = vec![Transport::Udp];
        config.server = ServerChoice::Fixed {
            host: "hs104.network.com".to_owned(),
            port: None,
            transport: Transport::Udp,
        };
        let mut world = Scenario { schemes: Schemes::Digest, ..Scenario::default() }.without_phones(seed);
        world.network.conditions = homing_tests::world::link::NetworkConditions::lossy(200, 100);
        world.add_phone("alice", config, scenario::credentials());
        scenario::must_sign_in(&mut world, "not registered through 20 % loss");
        world.require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1, "one binding");
    }
}

/// A NAT forgets its mapping between the challenge and the token: the token comes from a peer that was never
/// challenged, and is worth nothing there.
#[test]
fn over_udp_a_token_from_another_address_than_the_challenge_went_to_signs_nobody_in() {
    let mut config = scenario::alice();
    config.auth.udp_register = true;
    config.transports = vec![Transport::Udp];
    let host = "hs104.network.com".to_owned();
    config.server = ServerChoice::Fixed { host, port: None, transport: Transport::Udp };
    let mut world = Scenario { dialect: Dialect::Sipae3, ..Scenario::default() }.without_phones(16);
    world.add_phone("alice", config, scenario::credentials());
    let lost = Rc::new(Cell::new(false));
    let seen = Rc::clone(&lost);
    // The first token is lost, so that its copy is what crosses the change of address.
    world.network.tamper = Some(Box::new(move |passing| {
        let text = String::from_utf8_lossy(passing.bytes);
        let token = passing.from == "alice" && text.contains("gssapi-data=\"TlRM");
        (token && !seen.replace(true)).then(Vec::new)
    }));
    scenario::login(&mut world);
    world.run_to(Duration::from_secs(5), |_| lost.get());
    world.require(lost.get(), "no token");
    world.silence(0);
    let (heard, told) = (world.ladder.count("alice", "hs104", "REGISTER"), world.ladder.len());
    world.run_to(Duration::from_secs(5), |world| world.ladder.count("alice", "hs104", "REGISTER") > heard);
    let answered = world.run_to(Duration::from_secs(2), |world| {
        world.ladder.last("hs104", "alice").is_some_and(|last| last.starts_with("401"))
            && world.ladder.len() > told + 1
    });
    world.require(answered, "the token was not met by a challenge");
    world.require(world.ladder.count("hs104", "alice", "200") == 0, "the token was believed");
    world.require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 0, "and bound its user");
    let home = world.run_to(Duration::from_secs(300), scenario::is_in);
    world.require(home, "not registered from the new address either");
}

#[test]
fn no_dns_is_a_failure_that_names_it_and_heals() {
    for (mood, code) in [(Mood::Fails, "E0403"), (Mood::Silent, "E0402")] {
        let mut world = Scenario::default().build(10);
        world.zone.mood = mood;
        scenario::login(&mut world);
        world.run_to(Duration::from_secs(180), |world| world.phones[0].failure().is_some());
        let said = world.phones[0].failure().map(LoginError::code);
        world.require(said == Some(code), &format!("{said:?} instead of {code}"));
        world.zone.mood = Mood::Answers;
        let back = world.run_to(Duration::from_secs(600), scenario::is_in);
        world.require(back, "registered once DNS is back");
    }
}

#[test]
fn a_certificate_of_another_name_gets_not_one_octet() {
    let mut world = Scenario::default().build(11);
    let lb = world.server("lb");
    world.servers[lb].certificate.dns = vec!["lb.elsewhere.net".to_owned()];
    world.servers[lb].honest = false;
    scenario::login(&mut world);
    world.run_to(Duration::from_secs(120), |world| world.phones[0].failure().is_some());
    let said = world.phones[0].failure().map(LoginError::code);
    world.require(said == Some("E0509"), &format!("{said:?}"));
    world.require(world.ladder.count("alice", "lb", "") == 0, "nothing was sent");
}

#[test]
fn a_certificate_is_proved_by_the_same_rule_as_over_real_tls() {
    let mut world = Scenario::default().build(6);
    let lb = world.server("lb");
    world.servers[lb].certificate.dns = vec!["*.network.com".to_owned()];
    scenario::login(&mut world);
    world.run_to(Duration::from_secs(60), |world| world.phones[0].failure().is_some());
    let said = world.phones[0].failure().map(LoginError::code);
    world.require(said == Some("E0509"), &format!("{said:?}"));
}

#[test]
fn an_srv_target_outside_the_domain_is_not_believed() {
    let mut world = Scenario::default().build(12);
    let rogue = NodeConfig::new("evil", "elsewhere.net", homing_server_mock::role::Role::Home);
    let mut rogue = rogue;
    rogue.peers = vec![homing_server_mock::node::config::Peer {
        fqdn: rogue.identity.fqdn.clone(),
        ports: vec![(Transport::Tls, 5061)],
    }];
    let evil = world.add_server(rogue, std::net::IpAddr::from([10, 66, 0, 1]));
    world.servers[evil].honest = false;
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("evil.elsewhere.net", 5061, 0, 0)]);
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(300));
    world.require(world.phones[0].registered().is_none(), "registered with a stranger");
    world.require(world.ladder.count("alice", "evil", "") == 0, "a stranger heard from the phone");
}

#[test]
fn a_challenge_without_end_is_ended() {
    let mut world = Scenario::default().build(13);
    scenario::always(&mut world, "lb", Fault::ChallengeForever);
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(60));
    let heard = world.ladder.count("alice", "lb", "REGISTER");
    world.require(heard <= 12, &format!("{heard} REGISTERs in a minute"));
    world.require(world.phones[0].failure().is_some(), "and a reason is told");
}

#[test]
fn golden_ladder_of_a_sign_in() {
    let mut world = Scenario { dialect: Dialect::Sipae4, ..Scenario::default() }.build(14);
    scenario::must_sign_in(&mut world, "not registered");
    insta::assert_snapshot!("sign_in_sipae4", world.ladder.messages().join("\n"));
    let mut world = Scenario { dialect: Dialect::Sip2, ..Scenario::default() }.build(14);
    scenario::must_sign_in(&mut world, "not registered");
    insta::assert_snapshot!("sign_in_sip2", world.ladder.messages().join("\n"));
}

#[test]
fn a_server_that_requires_protection_lets_in_over_tls_who_binds_to_its_certificate_and_nobody_else() {
    let requires =
        |config: &mut NodeConfig| config.authentication.extended_protection = ServersProtection::Require;
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4, Dialect::Auto] {
        for (seed, protection, passes) in [
            (30, ExtendedProtection::Accept, true),
            (31, ExtendedProtection::Require, true),
            (32, ExtendedProtection::Off, false),
        ] {
            let mut world = Scenario { dialect, ..Scenario::default() }.without_phones_but(seed, requires);
            let mut config = scenario::alice();
            config.auth.extended_protection = protection;
            world.add_phone("alice", config, scenario::credentials());
            let registered = scenario::sign_in(&mut world);
            world.require(registered == passes, &format!("{protection:?} by {dialect:?}: {registered}"));
            if passes {
                world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at home");
            } else {
                let said = world.phones[0].failure().map(LoginError::code);
                world.require(said == Some("E0601"), &format!("{said:?}"));
            }
        }
    }
}

/// Over TCP there is no certificate to bind to.
#[test]
fn a_server_that_requires_protection_lets_nobody_in_over_tcp() {
    for (protection, passes) in [(ServersProtection::Accept, true), (ServersProtection::Require, false)] {
        let mut world = Scenario::default()
            .without_phones_but(33, |config| config.authentication.extended_protection = protection);
        let mut config = scenario::alice();
        config.transports = vec![Transport::Tcp];
        let host = "hs104.network.com".to_owned();
        config.server = ServerChoice::Fixed { host, port: None, transport: Transport::Tcp };
        world.add_phone("alice", config, scenario::credentials());
        let registered = scenario::sign_in(&mut world);
        world.require(registered == passes, &format!("{protection:?}: {registered}"));
        if !passes {
            let said = world.phones[0].failure().map(LoginError::code);
            world.require(said == Some("E0601"), &format!("{said:?}"));
        }
    }
}
