//! What strangers cannot do: each attack here succeeded before.

use homing_core::auth::digest::Hash;
use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::super::config::{Dialect, Schemes};
use super::bench::{Bench, Golden, at, auth_param};
use super::register::{CONTACT, answer, bench, register};

const PASSWORD: &str = "Secret-Pass1";
const SERVER: &str = "homeserver104.network.com";
const HOMES: &[(&str, &str)] = &[("user@network.com", SERVER)];
/// Steps of the recording at the home server: empty token, token.
const EMPTY: usize = 8;
const TOKEN: usize = 10;

fn count(bench: &Bench, counter: Counter) -> u64 {
    bench.node.counters().of(counter)
}

/// Signs the user in by UDP from `peer`.
fn sign_in_by_udp(bench: &mut Bench, flow: u64, peer: &str) -> (FlowId, Option<u16>) {
    let flow = bench.open_from(flow, Transport::Udp, peer, at(0));
    let rport = |text: String| {
        text.replace(";branch", ";rport;branch").replace("z9hG4bK", &format!("z9hG4bK{}", flow.0))
    };
    let challenge = bench.ask(flow, &rport(register("user", 1, CONTACT)), at(0));
    let line = format!("{CONTACT}\r\n{}", answer(&challenge, Hash::Sha256, PASSWORD, "00000001"));
    let cseq = u32::try_from(flow.0).unwrap() + 10;
    (flow, bench.ask(flow, &rport(register("user", cseq, &line)), at(0)).status())
}

#[test]
fn a_binding_by_udp_outlives_the_entry_of_its_peer() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    let (flow, status) = sign_in_by_udp(&mut bench, 2, "192.0.2.9:5060");
    assert_eq!((status, bench.held.as_slice()), (Some(200), &[flow][..]), "{}", bench.ladder());
    bench.close(flow, at(1));
    assert_eq!(bench.node.bindings("user@network.com").len(), 1, "{}", bench.ladder());
    bench.input(super::super::io::NodeInput::DeadlineReached, at(7_200));
    assert!(bench.node.bindings("user@network.com").is_empty(), "it lasts as long as granted, no longer");
}

#[test]
fn strangers_by_udp_come_and_go_with_one_entry_of_the_journal_a_second() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    for n in 0..1_000 {
        let flow = bench.open_from(100 + n, Transport::Udp, "192.0.2.9:5060", at(0));
        bench.close(flow, at(n / 500));
    }
    assert_eq!(count(&bench, Counter::Evicted), 1_000);
    assert_eq!(bench.told("forgotten for another"), 2);
}

#[test]
fn where_too_many_are_signed_in_by_udp_one_more_gets_503_and_nobody_goes() {
    let (mut bench, _) = bench(Schemes::Digest, |config| config.authentication.limits.datagram_peers = 2);
    for n in 2..4 {
        assert_eq!(sign_in_by_udp(&mut bench, n, &format!("192.0.2.{n}:5060")).1, Some(200));
    }
    // One of the bindings is the other's successor: only the newer is needed, the older entry makes room.
    assert_eq!(sign_in_by_udp(&mut bench, 4, "192.0.2.4:5060").1, Some(200), "{}", bench.ladder());
    assert!(bench.node.cx.flows.find(FlowId(2)).is_none(), "it is let go, not only forgotten to be held");
    let (mut full, _) = super::register::bench(Schemes::Digest, |config| {
        config.authentication.limits.datagram_peers = 1;
    });
    assert_eq!(sign_in_by_udp(&mut full, 2, "192.0.2.2:5060").1, Some(200));
    let flow = full.open_from(3, Transport::Udp, "192.0.2.3:5060", at(0));
    let other = |cseq, more: &str| {
        register(
            "user",
            cseq,
            &format!("{CONTACT};+sip.instance=\"<urn:uuid:d0b51c2a-d769-588b-9e78-24f4450a6ebb>\"{more}"),
        )
        .replace(";branch", ";rport;branch")
    };
    let challenge = full.ask(flow, &other(1, ""), at(0));
    let line = format!("\r\n{}", answer(&challenge, Hash::Sha256, PASSWORD, "00000001"));
    let refused = full.ask(flow, &other(2, &line), at(0));
    assert_eq!(refused.status(), Some(503), "{}", full.ladder());
    assert!(refused.text(Name::RetryAfter).is_some());
    assert_eq!(full.node.bindings("user@network.com")[0].route.flow, FlowId(2));
}

#[test]
fn responses_by_udp_go_to_the_source_and_to_no_host_that_is_written() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    let flow = bench.open_from(2, Transport::Udp, "192.0.2.9:40001", at(0));
    let via = |via: &str, cseq| {
        register("user", cseq, CONTACT).replace("SIP/2.0/TLS 127.0.0.1:40001", &format!("SIP/2.0/UDP {via}"))
    };
    // With rport to where it came from; without to the port of sent-by, or 5060.
    for (cseq, sent_by, ports) in [
        (1, "198.51.100.1:7000;rport", vec![]),
        (2, "198.51.100.1:7000", vec![7000]),
        (3, "198.51.100.1", vec![7000, 5060]),
        (4, "198.51.100.1:40001", vec![7000, 5060]),
    ] {
        let said = bench.ask(flow, &via(sent_by, cseq), at(0));
        assert!(said.text(Name::Via).unwrap().contains(";received=192.0.2.9"), "{said:?}");
        assert_eq!(bench.redirected, ports, "{sent_by}");
    }
    // Each response goes where its own request says, whatever the last one said.
    let before = bench.redirected.len();
    let waits = bench.ask(flow, &via("198.51.100.1:40001", 6), at(0));
    bench.ask(flow, &via("198.51.100.1:9", 7), at(0));
    let again = bench.say(flow, &via("198.51.100.1:40001", 6), at(0));
    assert_eq!((waits.status(), again.len()), (Some(401), 1), "a copy gets the same response");
    assert_eq!(bench.redirected[before..], [9]);
    let lied = bench.ask(flow, &via("192.0.2.9:40001;received=198.51.100.7;rport=9", 5), at(0));
    let line = lied.text(Name::Via).unwrap().into_owned();
    assert!(!line.contains("198.51.100.7") && line.contains(";rport=40001"), "{line}");
}

#[test]
fn a_stranger_by_udp_gets_no_more_than_three_times_what_it_sent() {
    let (mut bench, _) = bench(Schemes::NtlmAndDigestMd5, |_| ());
    let flow = bench.open_from(2, Transport::Udp, "192.0.2.9:40001", at(0));
    let short = "REGISTER sip:network.com SIP/2.0\r\nv:SIP/2.0/UDP a;rport;branch=z9hG4bK1\r\nf:<sip:user@network.com>;tag=1\r\n\
                 t:<sip:user@network.com>\r\ni:1\r\nCSeq:1 REGISTER\r\n\r\n";
    let sent: usize = bench.say(flow, short, at(0)).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(sent > 0 && sent <= 3 * short.len(), "{sent} for {}", short.len());
    // An INVITE is answered again and again without being asked again.
    let invite = short.replace("REGISTER", "INVITE").replace("z9hG4bK1", "z9hG4bK2");
    let mut told: usize = bench.say(flow, &invite, at(1)).iter().map(|(_, bytes)| bytes.len()).sum();
    for second in 2..40 {
        let again = bench.input(super::super::io::NodeInput::DeadlineReached, at(second));
        told += again.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    }
    assert!(sent + told <= 3 * (short.len() + invite.len()), "{told} for {}", invite.len());
    assert!(count(&bench, Counter::Amplification) > 0);
}

/// Opens `count` NTLM handshakes of endpoints of their own; gives the opaque of the first.
fn open_handshakes(
    bench: &mut Bench,
    golden: &Golden,
    flow: FlowId,
    devices: std::ops::Range<u64>,
) -> String {
    let mut first = String::new();
    for n in devices {
        let text = golden.text(EMPTY).replace("epid=3344", &format!("epid=9{n}"));
        let text = text.replace("z9hG4bKc", &format!("z9hG4bK{}x{n}c", flow.0));
        let challenge = bench.ask(flow, &text, at(0));
        let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").expect("a challenge");
        if first.is_empty() {
            first = opaque;
        }
    }
    first
}

#[test]
fn unanswered_challenges_displace_only_those_of_the_same_connection_or_source() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut bench = Bench::new(
        golden.node(SERVER, |config| {
            config.authentication.limits.half_open_of_connection = 64;
            config.authentication.limits.half_open_of_source = 200;
            config.authentication.limits.half_open_count = 10_000;
        }),
        HOMES,
    );
    let victim = bench.open_from(1, Transport::Tcp, "198.51.100.1:5000", at(0));
    let challenge = bench.ask(victim, &golden.text(EMPTY), at(0));
    let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").unwrap();
    for flow in 2..12 {
        let flow = bench.open_from(flow, Transport::Tcp, "192.0.2.9:5000", at(0));
        open_handshakes(&mut bench, &golden, flow, 0..1_000);
    }
    assert_eq!(bench.node.cx.sessions.half_open(), 201, "two hundred of the source, and the victim's");
    assert_eq!(count(&bench, Counter::Evicted), 10_000 - 200);
    assert_eq!(bench.told("challenge was dropped"), 1, "one entry a second");
    let token = super::authenticator::with(&golden.text(TOKEN), "opaque", &opaque);
    let done = bench.ask(victim, &super::authenticator::unsigned(&token), at(0));
    assert_eq!(done.status(), Some(200), "{}", bench.ladder());
}

#[test]
fn one_connection_keeps_its_newest_challenges() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut bench = Bench::new(golden.node(SERVER, |_| ()), HOMES);
    let flow = bench.open(1, Transport::Tls);
    open_handshakes(&mut bench, &golden, flow, 0..100);
    assert_eq!(bench.node.cx.sessions.half_open(), 64);
    assert_eq!(bench.node.cx.sessions.entries()[0], 64);
    bench.close(flow, at(1));
    assert_eq!(bench.node.cx.sessions.entries(), [0; 6], "a closed connection leaves nothing");
}

#[test]
fn endpoints_behind_a_configured_server_are_counted_each_by_itself() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut bench = Bench::new(golden.node(SERVER, |_| ()), HOMES);
    let link = bench.open_as(1, Transport::Tls, Some("homeserver102.network.com"), at(0));
    open_handshakes(&mut bench, &golden, link, 0..500);
    assert_eq!(bench.node.cx.sessions.half_open(), 500);
    open_handshakes(&mut bench, &golden, link, 500..501);
    let again = golden.text(EMPTY).replace("epid=3344", "epid=97").replace("z9hG4bKc", "z9hG4bKagain");
    bench.ask(link, &again, at(0));
    assert_eq!(bench.node.cx.sessions.half_open(), 501, "one challenge for each endpoint");
}

#[test]
fn captured_credentials_are_worth_nothing_however_many_sign_in_after_them() {
    let (mut bench, flow) = bench(Schemes::Digest, |config| config.authentication.limits.nonces = 3);
    let sign_in = |bench: &mut Bench, cseq: u32| {
        let challenge = bench.ask(flow, &register("user", cseq, CONTACT), at(u64::from(cseq)));
        let line = answer(&challenge, Hash::Sha256, PASSWORD, "00000001");
        let text = register("user", cseq + 1, &format!("{CONTACT}\r\n{line}"));
        assert_eq!(bench.ask(flow, &text, at(u64::from(cseq))).status(), Some(200));
        line
    };
    let captured = sign_in(&mut bench, 1);
    for n in 1..5 {
        sign_in(&mut bench, n * 10);
    }
    let thief = format!("Contact: <sip:thief@192.0.2.66>\r\n{captured}");
    let refused = bench.ask(flow, &register("user", 100, &thief), at(60));
    assert_eq!(refused.status(), Some(401), "{}", bench.ladder());
    assert_eq!(auth_param(&refused, Name::WwwAuthenticate, "stale").as_deref(), Some("true"));
    assert!(bench.node.bindings("user@network.com").iter().all(|binding| !binding.contact.contains("thief")));
    assert_eq!(count(&bench, Counter::Evicted), 2, "of five nonces three are held");
}

#[test]
fn credentials_are_good_only_from_where_the_nonce_was_given_to() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
    let line = answer(&challenge, Hash::Sha256, PASSWORD, "00000001");
    let thief = bench.open_from(2, Transport::Tcp, "192.0.2.66:5000", at(0));
    let refused = bench.ask(thief, &register("user", 2, &format!("{CONTACT}\r\n{line}")), at(1));
    assert_eq!(auth_param(&refused, Name::WwwAuthenticate, "stale").as_deref(), Some("true"));
    let same = bench.ask(flow, &register("user", 3, &format!("{CONTACT}\r\n{line}")), at(1));
    assert_eq!(same.status(), Some(200));
}

#[test]
fn the_uri_of_digest_may_name_what_the_request_means() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    for (n, uri, status) in [
        (1, "sip:NETWORK.com", 200),
        (2, "sip:network.com;transport=tcp", 200),
        (3, "sip:hs104.network.com:5060", 200),
        (4, "sip:127.0.0.1:5060", 200),
        (5, "127.0.0.1:5060", 200),
        (6, "sip:127.0.0.1:5061", 400),
        (7, "sip:elsewhere.org", 400),
        (8, "sip:user@network.com", 400),
    ] {
        let flow = bench.open_from(10 + u64::from(n), Transport::Tcp, "192.0.2.9:5000", at(0));
        let challenge = bench.ask(flow, &register("user", n * 10, CONTACT), at(0));
        let line = super::register::answer_for(&challenge, Hash::Sha256, PASSWORD, uri);
        let done = bench.ask(flow, &register("user", n * 10 + 1, &format!("{CONTACT}\r\n{line}")), at(0));
        assert_eq!(done.status(), Some(status), "{uri}");
    }
}

#[test]
fn a_client_that_gives_up_at_an_algorithm_is_offered_the_others_alone() {
    let offered = |schemes, agent: &str| {
        let (mut bench, flow) = bench(schemes, |_| ());
        let said = bench.ask(flow, &register("user", 1, &format!("{CONTACT}\r\nUser-Agent: {agent}")), at(0));
        said.auth(Name::WwwAuthenticate)
            .map(|auth| auth.param("algorithm").unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(offered(Schemes::NtlmAndDigestMd5, "baresip v1.0.0 (x86_64/linux)"), ["MD5"]);
    assert_eq!(offered(Schemes::NtlmAndDigestMd5, "Linphonec/5.1.65"), ["MD5", "SHA-256"]);
    assert_eq!(offered(Schemes::NtlmAndDigestMd5, "SIPp"), ["MD5", "SHA-512-256", "SHA-256"]);
    assert_eq!(offered(Schemes::NtlmAndDigest, "baresip v1.0.0"), ["SHA-512-256", "SHA-256"]);
}

#[test]
fn an_instance_that_is_not_the_one_of_the_epid_is_refused() {
    let own = homing_core::endpoint::InstanceId::of_epid("3344").urn();
    let other = homing_core::endpoint::InstanceId::of_epid("3345").urn();
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    for (cseq, epid, instance, status) in [
        (1, ";epid=3344", Some(&own), 200),
        (2, ";epid=3344", Some(&other), 400),
        (3, ";epid=3344", None, 200),
        (4, "", Some(&other), 200),
    ] {
        let instance = instance.map(|urn| format!(";+sip.instance=\"<{urn}>\"")).unwrap_or_default();
        let text = register("user", cseq, &format!("{CONTACT}{instance}"))
            .replace(";tag=f", &format!(";tag=f{epid}"));
        let said = bench.ask(flow, &text, at(0));
        assert_eq!(said.status(), Some(status), "{epid} {instance}");
        assert_eq!(said.text(Name::MsDiagnostics).is_some(), status == 400);
    }
}

#[test]
fn options_to_a_user_reaches_the_device_and_is_480_without_one() {
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    let options = |user: &str, n: u32| {
        let text = register("bob", n, "")
            .replace("REGISTER sip:network.com", &format!("OPTIONS sip:{user}network.com"));
        text.replace(&format!("{n} REGISTER"), &format!("{n} OPTIONS"))
    };
    let status = |bench: &mut Bench, user: &str, n| -> Option<u16> {
        bench.ask(flow, &options(user, n), at(0)).status()
    };
    assert_eq!(status(&mut bench, "user@", 1), Some(480));
    let done: Message = bench.ask(flow, &register("user", 2, CONTACT), at(0));
    assert_eq!(done.status(), Some(200));
    let asked = bench.say(flow, &options("user@", 3), at(0));
    let reached = Message::parse(asked[0].1.clone()).unwrap();
    assert_eq!((asked.len(), reached.request_uri()), (1, Some("sip:user@127.0.0.1:40001;transport=tls")));
    assert_eq!(status(&mut bench, "", 4), Some(200), "the server itself");
}

/// A CANCEL cannot be challenged, and is taken where its INVITE came from: that proves nothing about anybody.
#[test]
fn who_cancels_without_proof_stays_a_stranger() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut bench, _) = bench(Schemes::Digest, |_| ());
        let flow = bench.open_from(7, transport, "192.0.2.9:5060", at(0));
        let text = |method: &str| {
            let text = register("user", 1, CONTACT).replace(" REGISTER\r\n", &format!(" {method}\r\n"));
            text.replace("REGISTER sip:network.com", &format!("{method} sip:bob@network.com"))
        };
        assert_eq!(bench.ask(flow, &text("INVITE"), at(0)).status(), Some(401));
        bench.say(flow, &text("CANCEL"), at(0));
        assert_eq!((bench.told("authenticated"), bench.held.len()), (0, 0), "{}", bench.ladder());
        assert!(!bench.node.cx.flows.find(flow).unwrap().authenticated);
    }
}
