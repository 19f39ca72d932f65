//! The redirect table: every wrong redirect there is, what the phone says, and what it never does.

use std::time::Duration;

use homing_core::config::{Consent, LoopRule, UnsignedRule};
use homing_core::counter::Counter;
use homing_core::outbox::Decision;
use homing_core::state::AccountState;
use homing_server_mock::mischief::Mischief;
use homing_server_mock::node::config::{Dialect, NoAssociation, Schemes};
use homing_tests::town::{self, Town};
use homing_tests::world::World;

/// Plays `mischief` at the distributor and signs in; the login must fail with `code`.
fn refused(mischief: Mischief, code: &str) -> World {
    let mut worlds = [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4].into_iter().map(|dialect| {
        let mut world = Town { dialect, ..Town::default() }.build(7);
        town::always(&mut world, "lb", mischief.clone());
        fails_with(&mut world, code);
        world
    });
    let first = worlds.next().expect("three dialects");
    worlds.for_each(drop);
    first
}

/// Signs in and expects a failure with `code`, nobody registered, no quick retry.
fn fails_with(world: &mut World, code: &str) {
    town::login(world);
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

#[test]
fn claim_01_10_33_para_39_40_a_signed_301_leads_home() {
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4, Dialect::Auto] {
        let mut world = Town { dialect, ..Town::default() }.build(1);
        let registered = town::sign_in(&mut world);
        world.require(registered, "not registered");
        world.require(town::home(&world).as_deref() == Some("hs104"), "not at home");
        let journey = world.phones[0].registered().expect("registered").journey.clone();
        world.require(journey.hops.len() == 2 && journey.redirects() == 1, "a journey of two hops");
        world.require(world.servers[world.server("hs104")].bindings(town::ALICE) == 1, "one binding");
        world
            .require(world.servers[world.server("lb")].bindings(town::ALICE) == 0, "none at the distributor");
    }
}

#[test]
fn claim_11_12_20_34_para_51_one_via_is_redirected() {
    let mut world = Town::default().build(2);
    town::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("lb", "alice", "301") == 1, "one 301");
    world.require(world.ladder.count("lb", "hs104", "REGISTER") == 0, "nothing was proxied");
}

#[test]
fn claim_02_13_a_home_server_redirects_too() {
    let mut world = Town::default().build(3);
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("hs102.network.com", 5061, 0, 0)]);
    town::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("hs102", "alice", "301") == 1, "hs102 redirects");
    world.require(town::home(&world).as_deref() == Some("hs104"), "not at home");
}

#[test]
fn para_52_after_its_301_the_distributor_hears_no_more_of_this_login() {
    let mut world = Town::default().build(4);
    town::must_sign_in(&mut world, "not registered");
    let before = world.ladder.messages();
    let redirected = before.iter().position(|line| line.starts_with("lb > alice: 301")).expect("a 301");
    let after = before[redirected + 1..].iter().filter(|line| line.starts_with("alice > lb")).count();
    world.require(after == 0, "the distributor heard from the phone after its 301");
}

#[test]
fn unsigned_is_refused() {
    refused(Mischief::Unsigned301, "E0703");
}

#[test]
fn a_wrong_signature_is_refused() {
    refused(Mischief::BadSignature301, "E0704");
}

#[test]
fn the_signature_of_another_servers_association_is_refused() {
    refused(Mischief::OtherServersSignature, "E0704");
}

#[test]
fn a_replayed_signature_is_refused() {
    refused(Mischief::Replayed301, "E0704");
}

#[test]
fn a_changed_status_is_refused() {
    refused(Mischief::StatusChanged, "E0704");
}

#[test]
fn a_contact_changed_after_signing_is_refused() {
    let world = refused(Mischief::ContactChanged, "E0705");
    let agent = &world.phones[0].agent;
    assert!(agent.counters().of(Counter::RedirectRefused) >= 1);
}

#[test]
fn para_67_to_itself_is_a_loop() {
    refused(Mischief::ToItself, "E0702");
}

#[test]
fn para_67_a_loop_of_two_and_of_three_is_ignored_and_the_login_fails() {
    for length in [2, 3] {
        let mut world = Town { homes: length - 1, ..Town::default() }.build(8);
        town::ring(&mut world, Mischief::Loop(length));
        fails_with(&mut world, "E0702");
    }
}

#[test]
fn para_67_five_hops_pass_and_the_sixth_fails() {
    let mut world = Town::default().build(9);
    town::row(&mut world, 5);
    town::must_sign_in(&mut world, "five redirects are allowed");
    let redirects = world.phones[0].registered().expect("registered").journey.redirects();
    world.require(redirects == 5, &format!("{redirects} redirects"));

    let mut world = Town::default().build(9);
    town::row(&mut world, 6);
    fails_with(&mut world, "E0701");
}

#[test]
fn limit_zero_follows_none() {
    let mut config = town::alice();
    config.redirect.limit = 0;
    let mut world = Town::default().without_phones(10);
    world.add_phone("alice", config, town::credentials());
    fails_with(&mut world, "E0701");
}

#[test]
fn strict_patent_reading_fails_at_the_second_301() {
    let mut config = town::alice();
    config.redirect.loops = LoopRule::StrictPatent;
    let mut world = Town::default().without_phones(11);
    world.add_phone("alice", config, town::credentials());
    town::row(&mut world, 2);
    fails_with(&mut world, "E0702");
}

#[test]
fn tls_to_tcp_is_refused_and_not_an_octet_goes_in_the_clear() {
    refused(Mischief::TlsToTcp, "E0706");
}

#[test]
fn another_domain_is_refused() {
    refused(Mischief::OtherDomain, "E0707");
}

#[test]
fn an_ip_literal_is_refused() {
    refused(Mischief::IpLiteral, "E0708");
}

#[test]
fn maddr_is_refused() {
    refused(Mischief::Maddr, "E0709");
}

#[test]
fn no_contact_is_refused() {
    refused(Mischief::NoContact, "E0710");
}

#[test]
fn of_two_contacts_the_second_is_taken_when_the_first_is_dead() {
    let mut world = Town::default().build(12);
    town::always(&mut world, "lb", Mischief::TwoContactsFirstDead);
    town::must_sign_in(&mut world, "not registered");
    let journey = world.phones[0].registered().expect("registered").journey.clone();
    world.require(journey.redirects() == 1, "the whole list is one redirect");
    world.require(town::home(&world).as_deref() == Some("hs104"), "not at home");
}

#[test]
fn a_302_is_followed_by_policy_only() {
    let mut world = Town::default().build(13);
    town::always(&mut world, "lb", Mischief::Status302);
    fails_with(&mut world, "E0711");

    let mut config = town::alice();
    config.redirect.also_302 = true;
    let mut world = Town::default().without_phones(13);
    world.add_phone("alice", config, town::credentials());
    town::always(&mut world, "lb", Mischief::Status302);
    town::must_sign_in(&mut world, "a signed 302 is followed where the account says so");
}

#[test]
fn a_digest_registrars_unsigned_301_is_followed_by_policy_only() {
    for (unsigned, follows) in [(UnsignedRule::Refuse, false), (UnsignedRule::FollowOverTls, true)] {
        let mut config = town::alice();
        config.redirect.unsigned = unsigned;
        let no_association = NoAssociation::Unsigned301;
        let town = Town { schemes: Schemes::Digest, no_association, ..Town::default() };
        let mut world = town.without_phones(14);
        world.add_phone("alice", config, town::credentials());
        if follows {
            town::must_sign_in(&mut world, "followed over TLS");
            world.require(town::home(&world).as_deref() == Some("hs104"), "not at home");
        } else {
            fails_with(&mut world, "E0703");
        }
    }
}

#[test]
fn consent_is_asked_and_no_means_no() {
    let mut config = town::alice();
    config.redirect.consent = Consent::Ask;
    let mut world = Town::default().without_phones(15);
    world.add_phone("alice", config, town::credentials());
    world.phones[0].consent = Decision::Stop;
    fails_with(&mut world, "E0713");

    world.phones[0].consent = Decision::Follow;
    town::must_sign_in(&mut world, "consented");
}

#[test]
fn a_redirect_loop_never_keeps_a_phone_busy() {
    let mut world = Town { homes: 1, ..Town::default() }.build(16);
    town::ring(&mut world, Mischief::Loop(2));
    town::login(&mut world);
    world.run_for(Duration::from_secs(3600));
    let tries = world.ladder.count("lb", "alice", "301");
    world.require((2..=60).contains(&tries), &format!("{tries} logins in an hour of looping"));
    world.require(world.phones[0].state() == AccountState::Refused, "the state says refused");
}
