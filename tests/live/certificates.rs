//! Certificates that prove nothing, and DNS that says nothing: a clear error and not one octet of SIP.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use homing::{Resolver, Roots, ServerChoice, Table, Transport, UserAgent};

use crate::place::{alice, estate, register, run, user_agent};

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

#[test]
fn a_certificate_of_another_name() {
    run(async {
        let estate = estate(26).start().await.unwrap();
        let port = estate.node("hs104").address(Transport::Tls).port();
        let ua = UserAgent::builder()
            .resolver(Resolver::custom(Arc::new(
                Table::default().address("hs999.network.com", Ipv4Addr::LOCALHOST),
            )))
            .roots(Roots::pem(estate.ca_pem()).unwrap())
            .build()
            .unwrap();
        let account = crate::place::with(&ua, |config| {
            let host = "hs999.network.com".to_owned();
            config.server = ServerChoice::Fixed { host, port: Some(port), transport: Transport::Tls };
        });
        let error = register(&estate, &account).await.expect_err("hs104 is not hs999");
        assert_eq!(error.code(), "E0509", "{error}");
        assert!(estate.journal().entries().iter().all(|entry| !entry.is_received()), "not one octet of SIP");
    });
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
        let account = crate::place::with(&ua, |config| {
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
