//! The Microsoft order for a domain: first that exists, customary names last.

use super::*;
use crate::identity::Expected;
use Transport::{Tcp, Tls};

#[test]
fn the_first_published_name_wins_and_costs_two_round_trips() {
    let zone = Zone::default()
        .srv("_sipinternaltls._tcp.network.com", &[(10, 60, 5061, "hs1.network.com")])
        .srv("_sip._tls.network.com", &[(0, 0, 443, "edge.network.com")])
        .host("hs1.network.com", &["10.0.0.1"])
        .host("edge.network.com", &["192.0.2.1"]);
    let mut plan = domain(&[Tls]);
    let asked = plan.questions();
    let names: Vec<&str> = asked.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names, ["_sipinternaltls._tcp.network.com", "_sip._tls.network.com"]);
    for question in asked {
        plan.handle_answer(&question, zone.answer(&question));
    }
    assert_eq!(plan.next_target(), Step::Waiting);
    let (targets, why) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TLS hs1.network.com:5061 10.0.0.1", "TLS edge.network.com:443 192.0.2.1"]);
    assert_eq!(targets[0].round_trips, 2);
    assert_eq!(targets[0].why.to_string(), "SRV _sipinternaltls._tcp.network.com 10/60");
    assert_eq!(targets[0].expected, Expected::discovered("network.com", "hs1.network.com"));
    assert_eq!(targets[0].ttl, Duration::from_secs(60));
    assert_eq!(why, NoCandidate::AllTried);
}

#[test]
fn a_clear_server_outside_the_domain_is_passed_over_with_a_reason() {
    let zone = Zone::default()
        .srv("_sip._tcp.network.com", &[(0, 0, 5060, "hs1.other.test"), (1, 0, 5060, "hs2.network.com")])
        .host("hs1.other.test", &["198.51.100.2"])
        .host("hs2.network.com", &["10.0.0.2"]);
    let mut plan = domain(&[Tcp]);
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TCP hs2.network.com:5060 10.0.0.2"]);
    let explained = plan.explain().to_string();
    let reason = "_sip._tcp.network.com hs1.other.test: it lies outside the domain";
    assert!(explained.contains(reason), "{explained}");
}

#[test]
fn glue_saves_a_round_trip_but_only_inside_the_zone() {
    let name = "_sipinternaltls._tcp.network.com";
    let records = [(0, 0, 5061, "hs1.network.com"), (1, 0, 5061, "hs2.other.test")];
    let zone = Zone::default()
        .srv(name, &records)
        .glue(name, "HS1.network.com.", "10.0.0.1")
        .glue(name, "hs2.other.test", "203.0.113.66")
        .glue(name, "unrelated.network.com", "203.0.113.67")
        .host("hs2.other.test", &["198.51.100.2"]);
    let (targets, _) = search(&mut domain(&[Tls]), &zone);
    assert_eq!(
        lines(&targets),
        ["TLS hs1.network.com:5061 10.0.0.1", "TLS hs2.other.test:5061 198.51.100.2"]
    );
    assert_eq!((targets[0].round_trips, targets[1].round_trips), (1, 2));
}

#[test]
fn tcp_names_are_asked_for_only_where_the_account_allows_tcp() {
    let names = |transports: &[Transport]| -> Vec<String> {
        domain(transports).questions().into_iter().map(|question| question.name).collect()
    };
    assert_eq!(names(&[Tls]), ["_sipinternaltls._tcp.network.com", "_sip._tls.network.com"]);
    assert_eq!(
        names(&[Tls, Tcp]),
        [
            "_sipinternaltls._tcp.network.com",
            "_sip._tls.network.com",
            "_sipinternal._tcp.network.com",
            "_sip._tcp.network.com"
        ]
    );
}

#[test]
fn customary_names_come_last_and_in_order() {
    let zone = Zone::default()
        .host("sipinternal.network.com", &["10.0.0.1"])
        .host("sip.network.com", &["192.0.2.2"])
        .host("sipexternal.network.com", &["192.0.2.3"])
        .host("network.com", &["192.0.2.4"]);
    let (targets, _) = search(&mut domain(&[Tls, Tcp]), &zone);
    assert_eq!(
        lines(&targets),
        [
            "TLS sipinternal.network.com:5061 10.0.0.1",
            "TLS sip.network.com:5061 192.0.2.2",
            "TLS sip.network.com:443 192.0.2.2",
            "TLS sipexternal.network.com:443 192.0.2.3",
            "TLS network.com:5061 192.0.2.4",
        ]
    );
    assert_eq!(targets[0].why.to_string(), "A/AAAA sipinternal.network.com, a customary name");
    assert_eq!(targets[0].round_trips, 2);
}

#[test]
fn published_records_of_the_standard_come_before_guesses() {
    let zone = Zone::default()
        .srv("_sips._tcp.network.com", &[(0, 0, 5061, "proxy.network.com")])
        .host("proxy.network.com", &["192.0.2.9"])
        .host("network.com", &["192.0.2.80"]);
    let mut plan = domain(&[Tls]);
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TLS proxy.network.com:5061 192.0.2.9"]);
    assert!(plan.explain().to_string().contains("not TLS network.com:5061: SRV records exist"));
}

#[test]
fn a_dot_says_that_the_service_is_absent() {
    let zone = Zone::default()
        .srv("_sipinternaltls._tcp.network.com", &[(0, 0, 0, ".")])
        .srv("_sip._tls.network.com", &[(0, 0, 443, "edge.network.com")])
        .host("edge.network.com", &["192.0.2.1"]);
    let mut plan = domain(&[Tls]);
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TLS edge.network.com:443 192.0.2.1"]);
    assert!(plan.explain().to_string().contains("does not offer this service"));
}

#[test]
fn a_domain_that_offers_nothing_is_not_guessed_about() {
    let absent = |prefix: &str| (format!("{prefix}.network.com"), [(0, 0, 0, ".")]);
    let zone = [absent("_sip._tls"), absent("_sips._tcp")]
        .iter()
        .fold(Zone::default(), |zone, (name, records)| zone.srv(name, records))
        .host("sip.network.com", &["192.0.2.1"])
        .host("network.com", &["192.0.2.2"]);
    let mut plan = domain(&[Tls]);
    let (targets, why) = search(&mut plan, &zone);
    assert!(targets.is_empty(), "{}", plan.explain());
    assert_eq!(why, NoCandidate::NoServer(ResolveError::NotOffered));
    assert!(why.to_string().contains("SRV ."), "{why}");
}

#[test]
fn a_service_that_is_not_offered_leaves_the_others() {
    let zone = Zone::default()
        .srv("_sip._tcp.network.com", &[(0, 0, 0, ".")])
        .host("sip.network.com", &["192.0.2.1"]);
    let (targets, _) = search(&mut domain(&[Tls, Tcp]), &zone);
    assert_eq!(lines(&targets), ["TLS sip.network.com:5061 192.0.2.1", "TLS sip.network.com:443 192.0.2.1"]);
    let (targets, why) = search(&mut domain(&[Tcp]), &zone);
    assert!(targets.is_empty());
    assert_eq!(why, NoCandidate::NoServer(ResolveError::NotOffered));
}

#[test]
fn the_rule_that_leaves_nothing_is_the_reason() {
    let strays = Zone::default()
        .srv("_sip._tcp.network.com", &[(0, 0, 5060, "sip.hoster.test")])
        .host("sip.hoster.test", &["192.0.2.1"]);
    let (_, why) = search(&mut domain(&[Tcp]), &strays);
    assert!(
        matches!(&why, NoCandidate::NoServer(ResolveError::PassedOver { why: Skip::OtherDomain, .. })),
        "{why}"
    );
    assert!(why.to_string().contains("sip.hoster.test was found, but it lies outside the domain"), "{why}");
    let gone = Zone::default().srv("_sip._tls.network.com", &[(0, 0, 5061, "gone.network.com")]);
    let (_, why) = search(&mut domain(&[Tls]), &gone);
    assert!(
        why.to_string().contains("gone.network.com:5061 was found, but its name has no address"),
        "{why}"
    );
    let port_zero = Zone::default().srv("_sip._tls.network.com", &[(0, 0, 0, "hs1.network.com")]);
    let (_, why) = search(&mut domain(&[Tls]), &port_zero);
    assert!(why.to_string().contains("names nothing that can be dialled"), "{why}");
    let naptr = Zone::default().naptr("network.com", &[(1, 1, "s", "SIP+D2U", "_sip._udp.network.com")]);
    let (_, why) = search(&mut domain(&[Tls]), &naptr);
    assert_eq!(why, NoCandidate::NoServer(ResolveError::NotAllowed));
}

#[test]
fn nothing_found_tells_the_gravest_reason() {
    let (targets, why) = search(&mut domain(&[Tls]), &Zone::default());
    assert!(targets.is_empty());
    assert_eq!(why, NoCandidate::NoServer(DnsError::NoRecord.into()));
    let silent = Zone::default().error("_sip._tls.network.com", RecordKind::Srv, DnsError::Timeout).error(
        "sip.network.com",
        RecordKind::Address,
        DnsError::ServerFailure,
    );
    let (_, why) = search(&mut domain(&[Tls]), &silent);
    assert_eq!(why, NoCandidate::NoServer(DnsError::Timeout.into()));
}

#[test]
fn odd_answers_do_no_harm() {
    let long = format!("{}.network.com", "a".repeat(64));
    let zone = Zone::default()
        .srv(
            "_sipinternaltls._tcp.network.com",
            &[
                (0, 0, 5061, "192.0.2.66"),
                (0, 0, 5061, "a b.network.com"),
                (0, 0, 5061, &long),
                (0, 0, 0, "hs1.network.com"),
                (0, 0, 5061, "\u{1b}[2J"),
                (1, 0, 5061, "hs1.network.com"),
                (2, 0, 5061, "HS1.network.com."),
            ],
        )
        .host("hs1.network.com", &["0.0.0.0", "224.0.0.1", "10.0.0.1", "10.0.0.1", "ff02::1"]);
    let mut plan = domain(&[Tls]);
    let stray = DnsQuestion { name: "evil.test".into(), kind: RecordKind::Address };
    plan.handle_answer(&stray, zone.answer(&stray));
    let (targets, _) = search(&mut plan, &zone);
    assert_eq!(lines(&targets), ["TLS hs1.network.com:5061 10.0.0.1"]);
    assert!(!plan.explain().to_string().contains('\u{1b}'));
}

#[test]
fn an_answer_of_another_kind_is_no_answer() {
    let mut plan = domain(&[Tls]);
    let addresses = DnsRecords::Addresses(vec!["203.0.113.1".parse().unwrap()]);
    for question in plan.questions() {
        let records = addresses.clone();
        let answer = DnsAnswer { records, glue: Vec::new(), ttl: Duration::ZERO, round_trips: 1 };
        plan.handle_answer(&question, Ok(answer));
    }
    let (targets, why) = search(&mut plan, &Zone::default());
    assert!(targets.is_empty());
    assert_eq!(why, NoCandidate::NoServer(DnsError::ServerFailure.into()));
}

#[test]
fn the_number_of_targets_is_bounded() {
    let names: Vec<String> = (0..100).map(|n| format!("hs{n}.network.com")).collect();
    let records: Vec<(u16, u16, u16, &str)> = names.iter().map(|name| (0, 1, 5061, name.as_str())).collect();
    let mut zone = Zone::default().srv("_sipinternaltls._tcp.network.com", &records);
    for (n, name) in names.iter().enumerate() {
        zone = zone.host(name, &[&format!("10.0.0.{n}"), &format!("2001:db8::{n:x}")]);
    }
    let (targets, why) = search(&mut domain(&[Tls]), &zone);
    assert_eq!((targets.len(), why), (32, NoCandidate::AllTried));
}
