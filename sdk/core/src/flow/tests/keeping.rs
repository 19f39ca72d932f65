//! Keep-alives to the second: what goes out when, and when a flow is dead.

use super::*;
use crate::connect::ConnectError;
use crate::time::Why;
use bytes::Bytes;
use homing_wire::{Frame, Message};

const SEEDS: u64 = 300;

fn ping(flow: FlowId) -> [FlowOutput<u32>; 1] {
    [FlowOutput::Send { flow, bytes: Bytes::from_static(b"\r\n\r\n") }]
}

fn idle(seconds: u64) -> KeepTerms {
    KeepTerms { idle: Some(Duration::from_secs(seconds)), pong: None }
}

fn pong(pong: Pong) -> KeepTerms {
    KeepTerms { idle: None, pong: Some(pong) }
}

#[test]
fn ms_keep_alive_never_lets_the_connection_idle_longer_than_granted() {
    for seed in 0..SEEDS {
        let mut flows = flows(seed);
        let flow = open(&mut flows, Transport::Tls);
        flows.keep_alive(flow, idle(300), at(0));
        let (mut now, mut last) = (moment(0), moment(0));
        for round in 0..10 {
            assert_eq!(step(&mut flows, &mut now), ping(flow), "seed {seed}");
            let silence = now.since(last).as_secs();
            assert!((240..=299).contains(&silence), "seed {seed}: silent for {silence} s");
            last = now;
            if round == 5 {
                let sent = Moment(now.0 + Duration::from_secs(200));
                flows.note_sent(flow, Now { since_start: sent, wall: Default::default() });
                last = sent;
            }
        }
    }
}

#[test]
fn pings_are_spread_and_a_missing_pong_kills_within_ten_seconds() {
    for seed in 0..SEEDS {
        for (terms, least, most) in [
            (pong(Pong::AsUsual), 95_000, 120_000),
            (pong(Pong::Within(Duration::from_secs(60))), 48_000, 59_000),
        ] {
            let mut flows = flows(seed);
            let flow = open(&mut flows, Transport::Tls);
            flows.keep_alive(flow, terms, at(0));
            let (mut now, mut last) = (moment(0), moment(0));
            for _ in 0..5 {
                assert_eq!(step(&mut flows, &mut now), ping(flow), "seed {seed}");
                let pause = now.since(last).as_millis();
                assert!((least..=most).contains(&pause), "seed {seed}: {pause} ms");
                last = now;
                let heard =
                    Now { since_start: Moment(now.0 + Duration::from_secs(9)), wall: Default::default() };
                assert!(flows.handle_frame(flow, &Frame::Pong, heard));
            }
            assert_eq!(step(&mut flows, &mut now), ping(flow));
            assert_eq!(flows.deadline().unwrap().why, Why::PongOverdue, "seed {seed}");
            let pinged = now;
            let lost = FlowOutput::News(FlowNews::Lost { flow, why: ConnectError::Timeout, users: vec![1] });
            assert_eq!(step(&mut flows, &mut now), [FlowOutput::Close { flow }, lost], "seed {seed}");
            assert_eq!(now.since(pinged), Duration::from_secs(10));
            assert!(flows.is_empty() && flows.deadline().is_none());
        }
    }
}

#[test]
fn our_own_traffic_does_not_put_off_the_question_whether_the_peer_lives() {
    let mut flows = flows(3);
    let flow = open(&mut flows, Transport::Tls);
    flows.keep_alive(flow, pong(Pong::AsUsual), at(0));
    let before = flows.deadline();
    flows.note_sent(flow, at(90_000));
    assert_eq!(flows.deadline(), before);
}

#[test]
fn any_sign_of_life_counts_as_pong() {
    let mut flows = flows(3);
    let flow = open(&mut flows, Transport::Tls);
    flows.keep_alive(flow, pong(Pong::AsUsual), at(0));
    let mut now = moment(0);
    step(&mut flows, &mut now);
    let message = Frame::Message(Bytes::from_static(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"));
    assert!(flows.handle_frame(flow, &message, Now { since_start: now, wall: Default::default() }));
    assert_eq!(flows.deadline().unwrap().why, Why::KeepAlive);
}

#[test]
fn a_server_that_answered_once_is_expected_to_answer_again() {
    let mut flows = flows(4);
    let flow = open(&mut flows, Transport::Tls);
    flows.keep_alive(flow, idle(100), at(0));
    let mut now = moment(0);
    assert_eq!(step(&mut flows, &mut now), ping(flow));
    assert_eq!(flows.deadline().unwrap().why, Why::KeepAlive, "nothing is promised yet");
    flows.handle_frame(flow, &Frame::Pong, Now { since_start: now, wall: Default::default() });
    assert_eq!(step(&mut flows, &mut now), ping(flow));
    assert_eq!(flows.deadline().unwrap().why, Why::PongOverdue);
}

#[test]
fn the_same_terms_again_change_nothing_and_other_terms_do() {
    let mut flows = flows(5);
    let flow = open(&mut flows, Transport::Tls);
    flows.keep_alive(flow, idle(300), at(0));
    let before = flows.deadline();
    flows.keep_alive(flow, idle(300), at(100_000));
    assert_eq!(flows.deadline(), before);
    flows.keep_alive(flow, idle(60), at(100_000));
    assert!(flows.deadline().unwrap().at <= moment(160_000));
    flows.keep_alive(flow, KeepTerms::default(), at(100_000));
    assert_eq!(flows.deadline(), None);
}

#[test]
fn no_server_makes_us_ping_all_the_time() {
    let mut flows = flows(6);
    let flow = open(&mut flows, Transport::Tls);
    flows.keep_alive(flow, KeepTerms { idle: Some(Duration::from_secs(1)), ..KeepTerms::default() }, at(0));
    assert!(flows.deadline().unwrap().at >= moment(5_000));
}

#[test]
fn terms_are_read_from_the_response() {
    let response = |lines: &str, via: &str| {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKa{via}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        KeepTerms::of(&Message::parse(text.into_bytes()).unwrap())
    };
    let within = |seconds| Some(Pong::Within(Duration::from_secs(seconds)));
    let rows: [(&str, &str, Option<u64>, Option<Pong>); 9] = [
        ("", "", None, None),
        ("ms-keep-alive: UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300\r\n", "", Some(300), None),
        ("ms-keep-alive: UAS; hop-hop=no; timeout=300\r\n", "", None, None),
        ("ms-keep-alive: UAS; hop-hop=yes; timeout=0\r\n", "", None, None),
        ("Flow-Timer: 120\r\nRequire: outbound\r\n", "", None, within(120)),
        ("Require: outbound\r\n", "", None, Some(Pong::AsUsual)),
        ("", ";keep=30", None, within(30)),
        ("", ";keep=0", None, Some(Pong::AsUsual)),
        ("ms-keep-alive: UAS;hop-hop=yes;timeout=60\r\nFlow-Timer: x\r\n", ";keep", Some(60), None),
    ];
    for (lines, via, idle, pong) in rows {
        let expected = KeepTerms { idle: idle.map(Duration::from_secs), pong };
        assert_eq!(response(lines, via), expected, "{lines} {via}");
    }
}

/// Opens a flow whose server grants pongs, and waits until it is given up for want of one, or for `span`.
fn lives_without_pongs(flows: &mut Flows<u32>, now: &mut Moment, span: Duration) -> bool {
    let flow = flows.claim(1, &to(Transport::Tls, "hs1.network.com"), Now::new(now.0, now.0));
    let ends = ("198.51.100.7:40000".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
    flows.handle_connected(flow, Opened::new(ends.0, ends.1, None, Now::new(now.0, now.0)));
    flows.keep_alive(flow, pong(Pong::Within(Duration::from_secs(60))), Now::new(now.0, now.0));
    drain(flows);
    let end = now.0 + span;
    while now.0 < end {
        if step(flows, now).contains(&FlowOutput::Close { flow }) {
            return false;
        }
    }
    true
}

#[test]
fn after_three_flows_without_a_pong_silence_proves_nothing_and_pings_go_on() {
    let (mut flows, mut now) = (flows(1), moment(0));
    let day = Duration::from_secs(86_400);
    for _ in 0..3 {
        assert!(!lives_without_pongs(&mut flows, &mut now, day));
    }
    assert!(lives_without_pongs(&mut flows, &mut now, day));
    let flow = flows.claim(1, &to(Transport::Tls, "hs1.network.com"), Now::new(now.0, now.0));
    assert!(flows.is_silent(flow));
    assert_eq!(step(&mut flows, &mut now), ping(flow), "it is still kept alive");
    assert!(flows.handle_frame(flow, &Frame::Pong, Now::new(now.0, now.0)));
    assert!(!flows.is_silent(flow), "the first answer restores the rule");
    let given_up = (0..3).any(|_| step(&mut flows, &mut now).contains(&FlowOutput::Close { flow }));
    assert!(given_up);
}

#[test]
fn over_udp_binding_requests_that_are_never_answered_end_three_flows() {
    let (mut flows, mut now) = (flows(4), moment(0));
    let mut closes = 0;
    while now.0 < Duration::from_secs(86_400) {
        let flow = flows.claim(1, &to(Transport::Udp, "hs1.network.com"), Now::new(now.0, now.0));
        let ends = ("198.51.100.7:40000".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
        flows.handle_connected(flow, Opened::new(ends.0, ends.1, None, Now::new(now.0, now.0)));
        flows.keep_alive(flow, pong(Pong::AsUsual), Now::new(now.0, now.0));
        closes += usize::from(step(&mut flows, &mut now).contains(&FlowOutput::Close { flow }));
    }
    assert_eq!(closes, 3);
}

#[test]
fn a_pong_between_two_losses_begins_the_count_again() {
    let (mut flows, mut now) = (flows(2), moment(0));
    let day = Duration::from_secs(86_400);
    for _ in 0..10 {
        let flow = flows.claim(1, &to(Transport::Tls, "hs1.network.com"), Now::new(now.0, now.0));
        assert!(flows.handle_frame(flow, &Frame::Pong, Now::new(now.0, now.0)));
        assert!(!lives_without_pongs(&mut flows, &mut now, day), "its server does answer");
    }
}

#[test]
fn a_ping_of_the_server_gets_one_crlf_and_a_flood_of_them_one_a_second() {
    let mut flows = flows(3);
    let flow = open(&mut flows, Transport::Tcp);
    let crlf = [FlowOutput::Send { flow, bytes: Bytes::from_static(b"\r\n") }];
    for millis in 0..900 {
        assert!(flows.handle_frame(flow, &Frame::Ping, at(millis)));
    }
    assert_eq!(drain(&mut flows), crlf);
    assert_eq!(flows.deadline().unwrap().at, moment(1_000), "the others are answered together");
    flows.handle_deadline(at(1_000));
    assert_eq!(drain(&mut flows), crlf);
    assert_eq!(flows.deadline(), None);
    let datagrams = open(&mut flows, Transport::Udp);
    assert!(flows.handle_frame(datagrams, &Frame::Ping, at(5_000)));
    assert!(drain(&mut flows).is_empty(), "over UDP a CRLFCRLF asks for nothing");
}
