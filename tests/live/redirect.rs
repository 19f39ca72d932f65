//! The main rows of the redirect table over real TLS, with the sentence the phone shows.

use homing::AccountState;
use homing::event::HopVerdict;
use homing_server_mock::fault::{Fault, Rule};

use crate::client::{alice, estate, register, run, user_agent, with};

#[test]
fn redirect_claim_01_04_05_para_39_40_a_signed_301_leads_home_over_real_tls() {
    run(async {
        let estate = estate(1).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        let registration = register(&estate, &account).await.unwrap();
        assert_eq!(registration.home().host, "hs104.network.com");
        assert_eq!(account.state(), AccountState::Registered);
        let hops = &registration.journey().hops;
        assert_eq!(hops.len(), 2);
        assert!(matches!(hops[0].verdict, HopVerdict::Redirected { status: 301, signed: true, .. }));
        assert!(matches!(hops[1].verdict, HopVerdict::Accepted { signed: true, .. }));
        assert!(hops.iter().all(|hop| hop.verified_as.is_some()));
        assert_eq!(estate.bindings("alice@network.com").len(), 1);
        account.unregister().await.unwrap();
        assert!(estate.bindings("alice@network.com").is_empty());
    });
}

/// One wrong redirect, its code, and the words that must stand in the sentence.
fn refused(fault: Fault, code: &str, words: &str) {
    run(async move {
        let estate = estate(2).start().await.unwrap();
        estate.node("lb").inject_fault(Rule::always(fault));
        let ua = user_agent(&estate);
        let account = alice(&ua);
        let error = register(&estate, &account).await.expect_err("the redirect must not be followed");
        let ladder = estate.journal().ladder();
        assert_eq!(error.code(), code, "{error}\n{ladder}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.hint().len() > 10);
        assert!(!error.journey().hops.is_empty());
        assert!(error.is_redirect(), "{error:?}");
        assert!(estate.bindings("alice@network.com").is_empty(), "{ladder}");
    });
}

#[test]
fn unsigned() {
    refused(Fault::Unsigned301, "E0703", "not signed");
}

#[test]
fn wrong_signature() {
    refused(Fault::BadSignature301, "E0704", "signature is wrong");
}

#[test]
fn another_servers_signature() {
    refused(Fault::OtherServersSignature, "E0704", "association");
}

#[test]
fn replayed() {
    refused(Fault::Replayed301, "E0704", "replay");
}

#[test]
fn contact_changed() {
    refused(Fault::ContactChanged, "E0705", "changed on the way");
}

#[test]
fn to_itself() {
    refused(Fault::ToItself, "E0702", "already visited (loop)");
}

#[test]
fn loop_of_three() {
    refused(Fault::Loop(3), "E0702", "already visited (loop)");
}

#[test]
fn tls_to_tcp() {
    refused(Fault::TlsToTcp, "E0706", "drops TLS");
}

#[test]
fn other_domain() {
    refused(Fault::OtherDomain, "E0707", "lies outside network.com");
}

#[test]
fn ip_literal() {
    refused(Fault::IpLiteral, "E0708", "refused");
}

#[test]
fn maddr() {
    refused(Fault::Maddr, "E0709", "instructions");
}

#[test]
fn no_contact() {
    refused(Fault::NoContact, "E0710", "no usable server");
}

#[test]
fn limit_zero_follows_none() {
    run(async {
        let estate = estate(3).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = with(&ua, |config| config.redirect.limit = 0);
        let error = register(&estate, &account).await.expect_err("none is followed");
        assert_eq!(error.code(), "E0701", "{error}");
    });
}

#[test]
fn two_contacts_the_first_dead() {
    run(async {
        let estate = estate(4).start().await.unwrap();
        estate.node("lb").inject_fault(Rule::always(Fault::TwoContactsFirstDead));
        let ua = user_agent(&estate);
        let account = alice(&ua);
        let registration = register(&estate, &account).await.unwrap();
        assert_eq!(registration.home().host, "hs104.network.com");
    });
}
