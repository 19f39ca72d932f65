//! A login that sees no IPv4 address: discovery, TLS, NTLM and the signed 301, all over ::1.

use std::net::{IpAddr, Ipv6Addr, TcpListener};

use homing::event::HopVerdict;
use homing_server_mock::estate::Transport;

use crate::client::{alice, estate, register, run, user_agent, with};

const LOOPBACK: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// False, and said aloud, on a machine that has no `::1`.
fn has_ipv6() -> bool {
    let refused = TcpListener::bind((LOOPBACK, 0)).err();
    if let Some(why) = &refused {
        println!("SKIPPED: this machine has no ::1 ({why}); nothing of IPv6 was tested");
    }
    refused.is_none()
}

#[test]
fn a_domain_with_nothing_but_aaaa_records_leads_home() {
    if !has_ipv6() {
        return;
    }
    run(async {
        let estate = estate(61).listen(LOOPBACK).start().await.unwrap();
        assert!(estate.dns_address().is_ipv6());
        let ua = user_agent(&estate);
        let account = alice(&ua);
        let registration = register(&estate, &account).await.unwrap();
        let ladder = estate.journal().ladder();
        assert_eq!(registration.home().host, "hs104.network.com", "{ladder}");
        let hops = &registration.journey().hops;
        assert_eq!(hops.len(), 2, "{ladder}");
        assert!(matches!(hops[0].verdict, HopVerdict::Redirected { status: 301, signed: true, .. }));
        assert!(matches!(hops[1].verdict, HopVerdict::Accepted { signed: true, .. }));
        for hop in hops {
            assert_eq!(hop.address.map(|address| address.ip()), Some(LOOPBACK));
            assert_eq!(hop.verified_as.as_deref().map(|name| name.ends_with("network.com")), Some(true));
        }
        let held = estate.bindings("alice");
        assert_eq!(held.len(), 1, "{ladder}");
        assert!(held[0].contact.contains("[::1]"), "the Contact names the way it came: {}", held[0].contact);
        assert!(ladder.contains(" = [::1]:"), "{ladder}");
        account.refresh().await.unwrap();
        account.unregister().await.unwrap();
        assert!(estate.bindings("alice").is_empty());
    });
}

#[test]
fn tcp_goes_by_ipv6_too() {
    if !has_ipv6() {
        return;
    }
    run(async {
        let estate = estate(62).transports([Transport::Tcp]).listen(LOOPBACK).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = with(&ua, |config| {
            config.transports = vec![Transport::Tcp];
            config.redirect.require_tls = false;
        });
        let registration = register(&estate, &account).await.unwrap();
        assert_eq!(registration.home().host, "hs104.network.com");
        let mut addresses = registration.journey().hops.iter().map(|hop| hop.address.map(|at| at.ip()));
        assert!(addresses.all(|ip| ip == Some(LOOPBACK)));
    });
}
