//! The redirect table: every wrong redirect there is, what the phone says, and what it never does.

use std::time::Duration;

use homing_core::config::{Consent, LoopRule, UnsignedRule};
use homing_core::counter::Counter;
use homing_core::outbox::Decision;
use homing_core::state::AccountState;
use homing_server_mock::fault::Fault;
use homing_server_mock::node::config::{Dialect, NoAssociation, NodeConfig, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

/// Plays `fault` at the distributor and signs in; the login must fail with `code`.
fn refused(fault: Fault, code: &str) -> World {
    let dialects = [Dialect::Sip2, Dialect::Sip2By401, Dialect::Sipae3, Dialect::Sipae4];
    let mut worlds = dialects.into_iter().map(|dialect| {
        let mut world = Scenario { dialect, ..Scenario::default() }.build(7);
        scenario::always(&mut world, "lb", fault.clone());
        fails_with(&mut world, code);
        world
    });
    let first = worlds.next().expect("a dialect");
    worlds.for_each(drop);
    first
}

/// Signs in and expects a failure with `code`, no registration, no quick retry.
fn fails_with(world: &mut World, code: &str) {
    scenario::login(world);
    world.run_to(Duration::from_secs(40), |world| world.phones[0].failure().is_some());
    let said = world.phones[0].failure().map(|error| (error.code(), error.to_string()));
    world.require(
        said.as_ref().is_some_and(|(found, _)| *found == code),
        &format!("{said:?} instead of {code}"),
    );
    world.require(world.phones[0].registered().is_none(), "registered in spite of it");
    let dialled = world.ladder.count("alice", "lb", "REGISTER");
    world.run_for(Duration::from_secs(29));
    let quick = world.ladder.count("alice", "lb", "REGISTER") > dialled;
    world.require(!quick, "tried again sooner than 30 s after a redirect was refused");
}

/// pidgin-sipe's version 2 is challenged by 401 and without a version; both ends sign in the headers of a registrar.
#[test]
fn version_2_by_401_is_signed_at_both_ends() {
    let mut world = Scenario { dialect: Dialect::Sip2By401, ..Scenario::default() }.build(1);
    let registered = scenario::sign_in(&mut world);
    world.require(registered, "not registered");
    let messages = world.ladder.messages();
    let has = |words: &str| messages.iter().any(|message| message.contains(words));
    world.require(has("401 Unauthorized") && !has("407 "), "challenged by 401 alone");
    let hops = &world.phones[0].registered().expect("registered").journey.hops;
    let last = hops.last().map(|hop| hop.verdict.clone());
    let signed = matches!(last, Some(homing_core::journey::HopVerdict::Accepted { signed: true, .. }));
    world.require(signed, "the 200 is not signed");
}

#[test]
fn para_39_40_a_signed_301_leads_home() {
    let dialects = [Dialect::Sip2, Dialect::Sip2By401, Dialect::Sipae3, Dialect::Sipae4, Dialect::Auto];
    for dialect in dialects {
        let mut world = Scenario { dialect, ..Scenario::default() }.build(1);
        let registered = scenario::sign_in(&mut world);
        world.require(registered, "not registered");
        world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at home");
        let journey = world.phones[0].registered().expect("registered").journey.clone();
        world.require(journey.hops.len() == 2 && journey.redirects() == 1, "a journey of two hops");
        world.require(world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1, "one binding");
        world.require(
            world.servers[world.server("lb")].bindings(scenario::ALICE) == 0,
            "none at the distributor",
        );
    }
}

#[test]
fn one_via_is_redirected() {
    let mut world = Scenario::default().build(2);
    scenario::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("lb", "alice", "301") == 1, "one 301");
    world.require(world.ladder.count("lb", "hs104", "REGISTER") == 0, "nothing was proxied");
}

#[test]
fn a_home_server_redirects_too() {
    let mut world = Scenario::default().build(3);
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("hs102.network.com", 5061, 0, 0)]);
    scenario::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("hs102", "alice", "301") == 1, "hs102 redirects");
    world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at home");
}

#[test]
fn para_52_after_its_301_the_distributor_hears_no_more_of_this_login() {
    let mut world = Scenario::default().build(4);
    scenario::must_sign_in(&mut world, "not registered");
    let before = world.ladder.messages();
    let redirected = before.iter().position(|line| line.starts_with("lb > alice: 301")).expect("a 301");
    let after = before[redirected + 1..].iter().filter(|line| line.starts_with("alice > lb")).count();
    world.require(after == 0, "the distributor heard from the phone after its 301");
}

#[test]
fn unsigned_is_refused() {
    refused(Fault::Unsigned301, "E0703");
}

#[test]
fn a_wrong_signature_is_refused() {
    refused(Fault::BadSignature301, "E0704");
}

#[test]
fn the_signature_of_another_servers_association_is_refused() {
    refused(Fault::OtherServersSignature, "E0704");
}

#[test]
fn a_replayed_signature_is_refused() {
    refused(Fault::Replayed301, "E0704");
}

#[test]
fn a_changed_status_is_refused() {
    refused(Fault::StatusChanged, "E0704");
}

#[test]
fn a_contact_changed_after_signing_is_refused() {
    let world = refused(Fault::ContactChanged, "E0705");
    let agent = &world.phones[0].agent;
    assert!(agent.counters().of(Counter::RedirectRefused) >= 1);
}

#[test]
fn para_67_to_itself_is_a_loop() {
    refused(Fault::ToItself, "E0702");
}

#[test]
fn para_67_a_loop_of_two_and_of_three_is_ignored_and_the_login_fails() {
    for length in [2, 3] {
        let mut world = Scenario { homes: length - 1, ..Scenario::default() }.build(8);
        scenario::ring(&mut world, Fault::Loop(length));
        fails_with(&mut world, "E0702");
    }
}

#[test]
fn para_67_five_hops_pass_and_the_sixth_fails() {
    let mut world = Scenario::default().build(9);
    scenario::row(&mut world, 5);
    scenario::must_sign_in(&mut world, "five redirects are allowed");
    let redirects = world.phones[0].registered().expect("registered").journey.redirects();
    world.require(redirects == 5, &format!("{redirects} redirects"));

    let mut world = Scenario::default().build(9);
    scenario::row(&mut world, 6);
    fails_with(&mut world, "E0701");
}

#[test]
fn limit_zero_follows_none() {
    let mut config = scenario::alice();
    config.redirect.limit = 0;
    let mut world = Scenario::default().without_phones(10);
    world.add_phone("alice", config, scenario::credentials());
    fails_with(&mut world, "E0701");
}

#[test]
fn strict_patent_reading_fails_at_the_second_301() {
    let mut config = scenario::alice();
    config.redirect.loops = LoopRule::StrictPatent;
    let mut world = Scenario::default().without_phones(11);
    world.add_phone("alice", config, scenario::credentials());
    scenario::row(&mut world, 2);
    fails_with(&mut world, "E0702");
}

#[test]
fn tls_to_tcp_is_refused_and_not_an_octet_goes_in_the_clear() {
    refused(Fault::TlsToTcp, "E0706");
}

#[test]
fn another_domain_is_refused() {
    refused(Fault::OtherDomain, "E0707");
}

#[test]
fn an_ip_literal_is_refused() {
    refused(Fault::IpLiteral, "E0708");
}

#[test]
fn maddr_is_refused() {
    refused(Fault::Maddr, "E0709");
}

#[test]
fn no_contact_is_refused() {
    refused(Fault::NoContact, "E0710");
}

#[test]
fn of_two_contacts_the_second_is_taken_when_the_first_is_dead() {
    let mut world = Scenario::default().build(12);
    scenario::always(&mut world, "lb", Fault::TwoContactsFirstDead);
    scenario::must_sign_in(&mut world, "not registered");
    let journey = world.phones[0].registered().expect("registered").journey.clone();
    world.require(journey.redirects() == 1, "the whole list is one redirect");
    world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at home");
}

/// The home server and its backup both live, and the way is so slow that a race between them would begin.
#[test]
fn of_two_contacts_that_live_only_the_better_one_is_dialled() {
    let backup = |config: &mut NodeConfig| config.routing.backup = Some("hs105.network.com".to_owned());
    let mut world = Scenario::default().build_with(17, backup);
    world.network.conditions.delay = Duration::from_millis(400);
    scenario::must_sign_in(&mut world, "not registered");
    world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at the better one");
    let [better, second] = ["hs104", "hs105"].map(|short| world.servers[world.server(short)].ip);
    let dialled = |ip| world.ladder.place_of("alice", "", &format!("dials {ip}:")).is_some();
    world.require(dialled(better) && !dialled(second), "the second one was dialled beside it");
}

#[test]
fn a_302_is_followed_by_policy_only() {
    let mut world = Scenario::default().build(13);
    scenario::always(&mut world, "lb", Fault::Status302);
    fails_with(&mut world, "E0711");

    let mut config = scenario::alice();
    config.redirect.also_302 = true;
    let mut world = Scenario::default().without_phones(13);
    world.add_phone("alice", config, scenario::credentials());
    scenario::always(&mut world, "lb", Fault::Status302);
    scenario::must_sign_in(&mut world, "a signed 302 is followed where the account says so");
}

#[test]
fn a_digest_registrars_unsigned_301_is_followed_by_policy_only() {
    for (unsigned, follows) in [(UnsignedRule::Refuse, false), (UnsignedRule::FollowOverTls, true)] {
        let mut config = scenario::alice();
        config.redirect.unsigned = unsigned;
        let no_association = NoAssociation::Unsigned301;
        let scenario = Scenario { schemes: Schemes::Digest, no_association, ..Scenario::default() };
        let mut world = scenario.without_phones(14);
        world.add_phone("alice", config, scenario::credentials());
        if follows {
            scenario::must_sign_in(&mut world, "followed over TLS");
            world.require(scenario::home(&world).as_deref() == Some("hs104"), "not at home");
        } else {
            fails_with(&mut world, "E0703");
        }
    }
}

#[test]
fn consent_is_asked_and_no_means_no() {
    let mut config = scenario::alice();
    config.redirect.consent = Consent::Ask;
    let mut world = Scenario::default().without_phones(15);
    world.add_phone("alice", config, scenario::credentials());
    world.phones[0].consent = Decision::Stop;
    fails_with(&mut world, "E0713");

    world.phones[0].consent = Decision::Follow;
    scenario::must_sign_in(&mut world, "consented");
}

#[test]
fn a_redirect_loop_never_keeps_a_phone_busy() {
    let mut world = Scenario { homes: 1, ..Scenario::default() }.build(16);
    scenario::ring(&mut world, Fault::Loop(2));
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(3600));
    let tries = world.ladder.count("lb", "alice", "301");
    world.require((2..=60).contains(&tries), &format!("{tries} logins in an hour of looping"));
    world.require(world.phones[0].state() == AccountState::Rejected, "the state says rejected");
}
