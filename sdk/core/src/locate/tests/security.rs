//! Security never falls; servers that failed or asked for a pause are remembered.

use super::*;
use crate::locate::ServerHealth;
use crate::time::Now;
use Transport::{Tcp, Tls, Udp};
use std::net::SocketAddr;

fn now(seconds: u64) -> Now {
    Now::new(Duration::from_secs(seconds), Duration::from_secs(seconds))
}

#[test]
fn nothing_in_the_clear_comes_after_a_published_tls_server() {
    let zone = Zone::default()
        .srv("_sipinternaltls._tcp.network.com", &[(0, 0, 5061, "hs1.network.com")])
        .srv("_sipinternal._tcp.network.com", &[(0, 0, 5060, "clear.network.com")])
        .srv("_sip._udp.network.com", &[(0, 0, 5060, "clear.network.com")])
        .host("hs1.network.com", &["10.0.0.1"])
        .host("clear.network.com", &["10.0.0.2"]);
    let mut plan = domain(&[Tls, Tcp, Udp]);
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TLS hs1.network.com:5061 10.0.0.1"]);
    let explained = plan.explain().to_string();
    assert!(explained.contains("not SRV _sipinternal._tcp.network.com: security never falls"), "{explained}");
    assert!(
        !explained.contains("A/AAAA clear.network.com"),
        "its address is not even asked for: {explained}"
    );
}

#[test]
fn a_tls_server_without_address_does_not_open_the_way_to_the_clear() {
    let zone = Zone::default()
        .srv("_sipinternaltls._tcp.network.com", &[(0, 0, 5061, "gone.network.com")])
        .srv("_sip._tcp.network.com", &[(0, 0, 5060, "hs1.network.com")])
        .error("gone.network.com", RecordKind::Address, DnsError::Timeout)
        .host("hs1.network.com", &["10.0.0.1"]);
    let (targets, why) = search(&mut domain(&[Tls, Tcp]), &zone);
    assert!(targets.is_empty());
    assert_eq!(why, NoCandidate::NoServer(DnsError::Timeout.into()));
}

#[test]
fn a_domain_that_publishes_only_tcp_serves_an_account_that_allows_it() {
    let zone = Zone::default()
        .srv("_sip._tcp.network.com", &[(0, 0, 5060, "hs1.network.com")])
        .host("hs1.network.com", &["10.0.0.1"]);
    let (targets, _) = search(&mut domain(&[Tls, Tcp]), &zone);
    assert_eq!(lines(&targets), ["TCP hs1.network.com:5060 10.0.0.1"]);
    let (targets, _) = search(&mut domain(&[Tls]), &zone);
    assert!(targets.is_empty());
}

#[test]
fn naptr_does_not_talk_a_tls_account_into_udp() {
    let zone = Zone::default()
        .naptr(
            "h.test",
            &[(1, 1, "s", "SIP+D2U", "_sip._udp.h.test"), (9, 9, "s", "SIPS+D2T", "_sips._tcp.h.test")],
        )
        .srv("_sip._udp.h.test", &[(0, 0, 5060, "h1.h.test")])
        .srv("_sips._tcp.h.test", &[(0, 0, 5061, "h1.h.test")])
        .host("h1.h.test", &["192.0.2.1"]);
    let (targets, _) = search(&mut plan(host("h.test", None, None), &[Tls, Udp]), &zone);
    assert_eq!(lines(&targets), ["TLS h1.h.test:5061 192.0.2.1"]);
}

#[test]
fn a_server_that_failed_comes_after_its_equals_and_before_a_lower_rank() {
    let zone = Zone::default()
        .srv(
            "_sipinternaltls._tcp.network.com",
            &[
                (0, 9, 5061, "hs1.network.com"),
                (0, 0, 5061, "hs2.network.com"),
                (1, 0, 5061, "hs4.network.com"),
            ],
        )
        .srv("_sips._tcp.network.com", &[(0, 0, 5061, "hs3.network.com")])
        .host("hs1.network.com", &["10.0.0.1"])
        .host("hs2.network.com", &["10.0.0.2"])
        .host("hs3.network.com", &["10.0.0.3"])
        .host("hs4.network.com", &["10.0.0.4", "10.0.0.5"]);
    let mut server_health = ServerHealth::new(Duration::from_secs(300));
    server_health.failed("10.0.0.1:5061".parse().unwrap(), Tls, now(100));
    server_health.failed("10.0.0.4:5061".parse().unwrap(), Tls, now(100));
    let order = |when| {
        let mut plan = domain(&[Tls]).avoiding(&server_health, now(when));
        let (targets, _) = search(&mut plan, &zone);
        targets.iter().map(|target| target.addr.ip().to_string().split_off(7)).collect::<String>()
    };
    assert_eq!(order(110), "21543");
    assert_eq!(order(160), "12453", "after a minute a failure is forgotten");
}

#[test]
fn a_server_that_asked_for_a_pause_is_the_last_resort() {
    let zone = Zone::default()
        .srv("_sipinternaltls._tcp.network.com", &[(0, 0, 5061, "hs1.network.com")])
        .srv("_sips._tcp.network.com", &[(0, 0, 5061, "hs2.network.com")])
        .host("hs1.network.com", &["192.0.2.1"])
        .host("hs2.network.com", &["192.0.2.2"]);
    let addr = "192.0.2.1:5061".parse().unwrap();
    let mut server_health = ServerHealth::new(Duration::from_secs(300));
    server_health.busy(addr, Tls, Duration::from_secs(86_400), now(0));
    let at = |server_health: &ServerHealth, when| {
        let (targets, over) = search(&mut domain(&[Tls]).avoiding(server_health, now(when)), &zone);
        assert_eq!(over, NoCandidate::AllTried);
        targets.iter().map(|target| target.name.host.split_at(3).0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(at(&server_health, 299), ["hs2", "hs1"]);
    assert_eq!(at(&server_health, 300), ["hs1", "hs2"], "a pause is capped at five minutes");
    server_health.recovered(addr, Tls);
    assert_eq!(at(&server_health, 0), ["hs1", "hs2"]);
}

#[test]
fn the_memory_of_failures_stays_small() {
    let mut server_health = ServerHealth::new(Duration::from_secs(300));
    let addr = |n: u16| SocketAddr::from(([10, 0, 0, 1], n));
    (0..1_000).for_each(|n| server_health.failed(addr(n), Tls, now(u64::from(n) / 100)));
    assert_eq!(server_health.len(), 256);
    server_health.failed(addr(0), Tls, now(120));
    assert_eq!(server_health.len(), 1, "what is over goes first");
}

#[test]
fn the_same_seed_and_answers_give_the_same_order() {
    let records: Vec<(u16, u16, u16, &str)> =
        vec![(0, 10, 5061, "a.network.com"), (0, 20, 5061, "b.network.com"), (0, 30, 5061, "c.network.com")];
    let zone = |records: &[(u16, u16, u16, &str)]| {
        Zone::default()
            .srv("_sipinternaltls._tcp.network.com", records)
            .host("a.network.com", &["10.0.0.1"])
            .host("b.network.com", &["10.0.0.2"])
            .host("c.network.com", &["10.0.0.3"])
    };
    let mut turned = records.clone();
    turned.reverse();
    assert_eq!(search(&mut domain(&[Tls]), &zone(&records)), search(&mut domain(&[Tls]), &zone(&turned)));
}
