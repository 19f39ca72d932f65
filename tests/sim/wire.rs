//! Somebody in the middle: what is altered on the way is not believed, whatever TLS might have missed.

use std::time::Duration;

use bytes::Bytes;
use homing_server_mock::node::config::Dialect;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

/// A sign-in with somebody who rewrites what the distributor sends.
fn sign_in_through(dialect: Dialect, rewrite: fn(&str) -> Option<String>) -> World {
    let mut world = Scenario { dialect, ..Scenario::default() }.build(21);
    world.network.tamper = Some(Box::new(move |passing| {
        if passing.from != "lb" {
            return None;
        }
        let text = std::str::from_utf8(passing.bytes).ok()?;
        rewrite(text).map(|text| vec![Bytes::from(text)])
    }));
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(25));
    world
}

fn in_every_dialect(rewrite: fn(&str) -> Option<String>, code: &str) {
    for dialect in [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4] {
        let world = sign_in_through(dialect, rewrite);
        let said = world.phones[0].failure().map(homing_core::error::LoginError::code);
        world.require(said == Some(code), &format!("{dialect:?}: {said:?} instead of {code}"));
        world.require(world.ladder.count("alice", "hs102", "") == 0, "went where the forger wanted");
    }
}

fn of_301(text: &str, change: impl Fn(&str) -> String) -> Option<String> {
    text.starts_with("SIP/2.0 301").then(|| change(text))
}

#[test]
fn a_301_whose_contact_is_rewritten_is_not_followed() {
    in_every_dialect(
        |text| of_301(text, |text| text.replace("hs104.network.com", "hs102.network.com")),
        "E0705",
    );
}

#[test]
fn a_301_that_loses_its_signature_is_not_followed() {
    let strip = |text: &str| {
        of_301(text, |text| {
            let kept = text.split("\r\n").filter(|line| !line.to_ascii_lowercase().contains("rspauth"));
            kept.collect::<Vec<_>>().join("\r\n")
        })
    };
    in_every_dialect(strip, "E0703");
}

#[test]
fn a_301_with_another_expires_is_not_followed() {
    let add = |text: &str| of_301(text, |text| text.replacen("\r\n", "\r\nExpires: 7\r\n", 1));
    in_every_dialect(add, "E0704");
}

#[test]
fn a_challenge_made_into_a_301_is_not_followed() {
    let forge = |text: &str| {
        let challenge = text.starts_with("SIP/2.0 401") || text.starts_with("SIP/2.0 407");
        challenge.then(|| {
            let rest = text.split_once("\r\n").map_or("", |(_, rest)| rest);
            let contact = "Contact: <sip:hs102.network.com:5061;transport=tls>";
            let rest: String = rest
                .split_inclusive("\r\n")
                .filter(|line| !line.to_ascii_lowercase().contains("-authenticate:"))
                .collect();
            format!("SIP/2.0 301 Moved Permanently\r\n{contact}\r\n{rest}")
        })
    };
    in_every_dialect(forge, "E0703");
}

#[test]
fn a_forged_answer_beside_the_true_one_changes_nothing() {
    let mut world = Scenario::default().build(22);
    world.network.tamper = Some(Box::new(|passing| {
        let text = std::str::from_utf8(passing.bytes).ok()?;
        let true_200 = text.starts_with("SIP/2.0 200");
        true_200.then(|| {
            let forged = text.replacen("SIP/2.0 200 OK", "SIP/2.0 403 Forbidden", 1);
            vec![Bytes::from(forged), passing.bytes.clone()]
        })
    }));
    scenario::must_sign_in(&mut world, "a forged 403 kept the phone out");
    world.run_for(Duration::from_secs(60));
    world.require(scenario::is_in(&world), "stays in");
}

#[test]
fn the_canary_password_is_in_no_octet_and_in_no_ladder() {
    for dialect in [Dialect::Sip2, Dialect::Sipae4] {
        let mut world = Scenario { dialect, ..Scenario::default() }.build(23);
        world.network.tamper = Some(Box::new(|passing| {
            let hay = String::from_utf8_lossy(passing.bytes);
            assert!(
                !hay.contains(scenario::CANARY),
                "the password is on the wire: {} to {}",
                passing.from,
                passing.to
            );
            None
        }));
        scenario::must_sign_in(&mut world, "not registered");
        scenario::logout(&mut world);
        world.run_for(Duration::from_secs(60));
        assert!(!world.ladder.to_string().contains(scenario::CANARY));
        let told = format!("{:?}", world.phones[0].told);
        assert!(!told.contains(scenario::CANARY));
    }
}
