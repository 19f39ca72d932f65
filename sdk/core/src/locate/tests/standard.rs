//! RFC 3263 for one host: literal, port, transport, NAPTR, SRV, addresses.

use super::*;
use crate::identity::Expected;
use Transport::{Tcp, Tls, Udp};
use homing_wire::Uri;

fn uri(text: &str, transports: &[Transport]) -> Option<Request> {
    Request::for_uri(&Uri::parse(text).unwrap(), transports)
}

fn found(text: &str, transports: &[Transport], zone: &Zone) -> Vec<String> {
    let request = uri(text, transports).unwrap();
    let mut plan = Plan::new(request, ServerOrder::new(Seed::from_number(1)));
    lines(&search(&mut plan, zone).0)
}

#[test]
fn rfc_3263_table() {
    let zone = Zone::default()
        .srv("_sips._tcp.h.test", &[(0, 0, 5062, "s.h.test")])
        .srv("_sip._tcp.h.test", &[(0, 0, 5063, "t.h.test")])
        .srv("_sip._udp.h.test", &[(0, 0, 5064, "u.h.test")])
        .host("h.test", &["192.0.2.1"])
        .host("s.h.test", &["192.0.2.2"])
        .host("t.h.test", &["192.0.2.3"])
        .host("u.h.test", &["192.0.2.4"])
        .host("bare.test", &["192.0.2.5"]);
    let all = [Udp, Tcp, Tls];
    let rows: [(&str, &[Transport], &[&str]); 13] = [
        ("sip:192.0.2.7", &[Tls], &["TLS 192.0.2.7:5061 192.0.2.7"]),
        ("sip:192.0.2.7", &all, &["UDP 192.0.2.7:5060 192.0.2.7"]),
        ("sip:[2001:db8::7]:5080", &[Tcp], &["TCP [2001:db8::7]:5080 2001:db8::7"]),
        ("sip:h.test:5070;transport=TLS", &all, &["TLS h.test:5070 192.0.2.1"]),
        ("sip:h.test;transport=tcp", &all, &["TCP t.h.test:5063 192.0.2.3"]),
        ("sip:h.test;transport=udp", &all, &["UDP u.h.test:5064 192.0.2.4"]),
        ("sips:h.test", &all, &["TLS s.h.test:5062 192.0.2.2"]),
        ("sips:h.test;transport=tcp", &all, &["TLS s.h.test:5062 192.0.2.2"]),
        ("sips:h.test;transport=udp", &all, &[]),
        ("sip:h.test;transport=tcp", &[Tls], &[]),
        ("sip:bare.test", &[Tls], &["TLS bare.test:5061 192.0.2.5"]),
        ("sip:bare.test;transport=tcp", &all, &["TCP bare.test:5060 192.0.2.5"]),
        ("sip:h.test", &[Udp, Tcp], &["UDP u.h.test:5064 192.0.2.4", "TCP t.h.test:5063 192.0.2.3"]),
    ];
    for (text, transports, expected) in rows {
        assert_eq!(found(text, transports, &zone), expected, "{text} over {transports:?}");
    }
}

#[test]
fn other_schemes_and_unknown_transports_lead_nowhere() {
    assert_eq!(uri("tel:+15551234", &[Tls]), None);
    assert_eq!(uri("sip:h.test;transport=sctp", &[Tls]), None);
}

#[test]
fn a_redirect_target_must_prove_exactly_the_host_of_its_contact() {
    let zone = Zone::default().host("homeserver104.network.com", &["10.0.0.4"]);
    let request = uri("sip:HomeServer104.network.com", &[Tls]).unwrap();
    let mut plan = Plan::new(request, ServerOrder::new(Seed::from_number(1)));
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TLS homeserver104.network.com:5061 10.0.0.4"]);
    assert_eq!(targets[0].expected, Expected::host("homeserver104.network.com"));
    assert_eq!(targets[0].round_trips, 1, "NAPTR, SRV and addresses are asked together");
}

#[test]
fn naptr_order_preference_service_and_flags() {
    let zone = Zone::default()
        .naptr(
            "h.test",
            &[
                (50, 50, "S", "sip+d2u", "_sip._udp.h.test"),
                (40, 20, "s", "SIP+D2T", "_sip._tcp.u.test"),
                (40, 10, "s", "SIP+D2T", "_sip._tcp.h.test"),
                (10, 10, "u", "E2U+sip", ""),
                (10, 10, "s", "HTTP+D2T", "_http._tcp.h.test"),
                (60, 10, "A", "SIP+D2T", "plain.h.test"),
            ],
        )
        .srv("_sip._udp.h.test", &[(0, 0, 5060, "u.h.test")])
        .srv("_sip._tcp.h.test", &[(0, 0, 5060, "t.h.test")])
        .srv("_sip._tcp.u.test", &[(0, 0, 5060, "t.u.test")])
        .host("u.h.test", &["192.0.2.1"])
        .host("t.h.test", &["192.0.2.2"])
        .host("t.u.test", &["192.0.2.3"])
        .host("plain.h.test", &["192.0.2.4"]);
    let mut plan = plan(host("h.test", None, None), &[Udp, Tcp]);
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(
        lines(&targets),
        [
            "TCP t.h.test:5060 192.0.2.2",
            "TCP t.u.test:5060 192.0.2.3",
            "UDP u.h.test:5060 192.0.2.1",
            "TCP plain.h.test:5060 192.0.2.4"
        ]
    );
    assert_eq!(targets[0].why.to_string(), "NAPTR 40/10 SIP+D2T, SRV _sip._tcp.h.test 0/0");
    assert!(plan.explain().to_string().contains("record is for another service"));
}

#[test]
fn both_families_take_turns() {
    let zone = Zone::default()
        .host("h.test", &["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"]);
    let (targets, _) = search(&mut plan(host("h.test", Some(5061), None), &[Tls]), &zone);
    let order: Vec<String> = targets.iter().map(|target| target.addr.ip().to_string()).collect();
    assert_eq!(order, ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"]);
}

#[test]
fn the_explanation_names_order_reason_and_lifetime() {
    let zone = Zone::default().host("h.test", &["192.0.2.1"]);
    let mut plan = plan(host("h.test", Some(5061), None), &[Tls]);
    search(&mut plan, &zone);
    assert_eq!(
        plan.explain().to_string(),
        "A/AAAA h.test: 1, for 60 s\n\
         TLS h.test:5061 at 192.0.2.1 (A/AAAA h.test, port as written; for 60 s)\n\
         1 DNS round trips"
    );
}

#[test]
fn half_of_the_addresses_are_tried_at_once_and_the_rest_is_asked_for_once() {
    let zone = |addresses: &[&str], ttl| {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Zone::default().put("h.test", RecordKind::Address, DnsRecords::Addresses(addresses), ttl)
    };
    let (half, whole) = (zone(&["2001:db8::1"], 0), zone(&["2001:db8::1", "192.0.2.1"], 60));
    let mut plan = plan(host("h.test", Some(5061), None), &[Tls]);
    let question = plan.questions().remove(0);
    plan.handle_answer(&question, half.answer(&question));
    let Step::Target(first) = plan.next_target() else { panic!("a target") };
    assert_eq!(first.addr.to_string(), "[2001:db8::1]:5061");
    assert_eq!(plan.next_target(), Step::Waiting);
    let (rest, end) = search(&mut plan, &whole);
    assert_eq!(lines(&rest), ["TLS h.test:5061 192.0.2.1"]);
    assert_eq!(end, NoCandidate::AllTried);
    let mut never = super::plan(host("h.test", Some(5061), None), &[Tls]);
    assert_eq!(lines(&search(&mut never, &half).0), ["TLS h.test:5061 2001:db8::1"], "and not for ever");
}

#[test]
fn a_domain_that_is_an_address_is_dialled() {
    for (domain, transports, line, expected) in [
        ("192.0.2.1", &[Tls][..], "TLS 192.0.2.1:5061 192.0.2.1", "192.0.2.1"),
        ("[::1]", &[Tcp, Udp], "TCP [::1]:5060 ::1", "::1"),
        ("2001:db8::7", &[Udp], "UDP [2001:db8::7]:5060 2001:db8::7", "2001:db8::7"),
    ] {
        let mut plan = plan(Wanted::Domain(domain.into()), transports);
        assert!(plan.questions().is_empty(), "{domain}: there is nothing to look up");
        let (targets, _) = search(&mut plan, &Zone::default());
        assert_eq!(lines(&targets), [line]);
        assert_eq!(targets[0].expected, Expected::host(expected), "{domain}");
    }
}

#[test]
fn internationalised_names_are_found_however_they_are_written() {
    let zone = Zone::default()
        .srv("_sips._tcp.xn--bcher-kva.example", &[(0, 0, 5061, "hs1.xn--bcher-kva.example")])
        .host("hs1.xn--bcher-kva.example", &["192.0.2.1"])
        .host("xn--8i8h.example", &["192.0.2.2"])
        .host("sip_server", &["192.0.2.3"]);
    for domain in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "bücher.example."] {
        let (targets, _) = search(&mut plan(Wanted::Domain(domain.into()), &[Tls]), &zone);
        assert_eq!(lines(&targets), ["TLS hs1.xn--bcher-kva.example:5061 192.0.2.1"], "{domain}");
        assert_eq!(
            targets[0].expected,
            Expected::discovered("xn--bcher-kva.example", "hs1.xn--bcher-kva.example")
        );
    }
    for (name, line) in
        [("sip_server", "TLS sip_server:5061 192.0.2.3"), ("Sip_Server.", "TLS sip_server:5061 192.0.2.3")]
    {
        assert_eq!(
            lines(&search(&mut plan(host(name, Some(5061), None), &[Tls]), &zone).0),
            [line],
            "{name}"
        );
    }
}
