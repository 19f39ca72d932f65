//! Certificates that prove nothing, and DNS that says nothing: a clear error and not one octet of SIP.

use std::net::UdpSocket;
use std::time::Duration;

use homing::event::HopVerdict;
use homing::{Resolver, Roots, UserAgent};
use homing_server_mock::estate::{Certificate, NodeHandle};
use homing_server_mock::expect::Pattern;
use homing_server_mock::journal::Entry;
use homing_server_mock::shell::ca::Authority;

use crate::client::{alice, estate, eventually, register, run, user_agent};

#[test]
fn a_root_nobody_trusts() {
    run(async {
        let (estate, other) = (estate(21).start().await.unwrap(), estate(22).start().await.unwrap());
        let ua = UserAgent::builder()
            .resolver(Resolver::name_server(estate.dns_address()))
            .roots(Roots::pem(other.ca_pem()).unwrap())
            .build()
            .unwrap();
        let error = register(&estate, &alice(&ua)).await.expect_err("an unknown issuer");
        assert_eq!(error.code(), "E0506", "{error}");
        assert!(error.is_tls());
        assert!(estate.journal().entries().iter().all(|entry| !entry.is_received()), "not one octet of SIP");
    });
}

/// A server that shows a wrong certificate, at the first hop and behind a signed redirect: the login ends
/// there with this code, the hop is named, a next step is given, and the server hears nothing.
fn shown(certificate: &Certificate, code: &str, words: &str) {
    for (at, hops) in [("lb", 1), ("hs104", 2)] {
        run(async {
            let estate = estate(26).certificate(at, certificate.clone()).start().await.unwrap();
            let ua = user_agent(&estate);
            let account = alice(&ua);
            let error = register(&estate, &account).await.expect_err("no such certificate is accepted");
            let ladder = estate.journal().ladder();
            assert_eq!(error.code(), code, "{error}\n{ladder}");
            assert!(error.is_tls(), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(words), "{text}");
            for part in ["subject ", "names ", "issuer ", "valid from ", "SHA-256 "] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(error.hint().len() > 20, "{}", error.hint());
            let journey = &error.journey().hops;
            assert_eq!(journey.len(), hops, "{error:?}");
            let last = journey.last().unwrap();
            assert_eq!(last.server.host, format!("{at}.network.com"));
            assert_eq!(last.verified_as, None);
            assert!(matches!(last.verdict, HopVerdict::Unreachable(_)), "{:?}", last.verdict);
            let heard = estate.node(at).journal().into_iter().filter(Entry::is_received).count();
            assert_eq!(heard, 0, "not one octet of SIP before the verdict\n{ladder}");
            assert!(estate.bindings("alice").is_empty());
            let failed = |node: &NodeHandle| node.net_counters().handshake_failed;
            assert!(eventually(Duration::from_secs(5), || failed(&estate.node(at)) > 0).await);
        });
    }
}

#[test]
fn a_certificate_that_has_expired() {
    shown(&Certificate::expired(), "E0507", "expired");
}

#[test]
fn a_certificate_that_is_not_valid_yet() {
    shown(&Certificate::not_yet_valid(), "E0507", "not valid yet");
}

#[test]
fn a_certificate_of_another_name() {
    shown(&Certificate::default().naming(["hs999.network.com"]), "E0509", "names other servers");
}

#[test]
fn a_certificate_without_names() {
    shown(&Certificate::default().naming::<&str>([]), "E0509", "names");
}

#[test]
fn a_clock_that_is_wrong_by_more_than_a_quarter_of_an_hour() {
    const FAR: Duration = Duration::from_secs(20 * 60);
    for wrong in [estate(27).clock_ahead(FAR), estate(27).clock_behind(FAR)] {
        run(async {
            let estate = wrong.start().await.unwrap();
            let ua = user_agent(&estate);
            let error = register(&estate, &alice(&ua)).await.expect_err("a clock that is off");
            let ladder = estate.journal().ladder();
            assert_eq!(error.code(), "E0606", "{error}\n{ladder}");
            assert!(error.is_auth(), "{error:?}");
            assert!(error.to_string().contains("20 minutes") && error.hint().contains("clock"), "{error}");
            assert_eq!(error.server().unwrap().host, "lb.network.com");
            let asked = estate.journal().entries().into_iter().filter(Entry::is_received);
            let shown = asked.filter_map(|entry| entry.text()).any(|text| text.contains("Authorization"));
            assert!(!shown, "no credentials to a server whose challenge cannot be trusted\n{ladder}");
        });
    }
}

/// NTLM carries a time of its own; a server that is a little off still takes it.
#[test]
fn a_clock_that_is_wrong_by_less_is_no_matter() {
    const NEAR: Duration = Duration::from_secs(10 * 60);
    for wrong in [estate(28).clock_ahead(NEAR), estate(28).clock_behind(NEAR)] {
        run(async {
            let estate = wrong.start().await.unwrap();
            let ua = user_agent(&estate);
            let registration = register(&estate, &alice(&ua)).await.unwrap();
            assert_eq!(registration.home().host, "hs104.network.com");
        });
    }
}

#[test]
fn no_name_server_answers() {
    run(async {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let estate = estate(23).start().await.unwrap();
        let ua = UserAgent::builder()
            .resolver(Resolver::name_server(silent.local_addr().unwrap()))
            .roots(Roots::pem(estate.ca_pem()).unwrap())
            .build()
            .unwrap();
        let error = register(&estate, &alice(&ua)).await.expect_err("no DNS");
        assert!(["E0402", "E0403", "E0404"].contains(&error.code()), "{error}");
        assert!(error.hint().contains("name servers"), "{}", error.hint());
    });
}

#[test]
fn a_domain_without_servers() {
    run(async {
        let estate = estate(24).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = crate::client::with(&ua, |config| {
            config.aor = homing::Aor::parse("alice@nowhere.network.com").unwrap();
        });
        let error = register(&estate, &account).await.expect_err("no such domain");
        assert_eq!(error.code(), "E0401", "{error}");
    });
}

#[test]
fn an_estate_starts_in_a_moment() {
    run(async {
        let started = std::time::Instant::now();
        let estate = estate(25).start().await.unwrap();
        let took = started.elapsed();
        drop(estate);
        assert!(took < Duration::from_millis(1_500), "{took:?} for six servers in a build for tests");
    });
}

/// An authority that is kept signs for its domain only: phones and servers take its certificates all the same.
#[test]
fn an_authority_that_is_good_for_its_domain_only_leads_home() {
    run(async {
        let authority = Authority::constrained("network.com", None).unwrap();
        let estate = estate(28).authority(authority).start().await.unwrap();
        let redirected = estate.expect(Pattern::response("REGISTER", 301).at("lb").of("alice")).times(1);
        let home = estate.expect(Pattern::response("REGISTER", 200).at("hs104").of("alice")).times(1);
        let ua = user_agent(&estate);
        register(&estate, &alice(&ua)).await.unwrap();
        assert_eq!((redirected.verify(), home.verify()), (Ok(1), Ok(1)));
    });
}
