//! STUN: request and answer, and the keep-alive of a UDP association.

use std::net::{IpAddr, SocketAddr};

use super::super::stun::{Stun, StunError, TransactionId, binding_request, read};
use super::*;
use crate::connect::ConnectError;
use crate::tests::suite;
use crate::time::Why;
use bytes::Bytes;
use homing_wire::Frame;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The answer of a server to a binding request that came from `source` (RFC 8489 section 14.2).
fn binding_answer(id: TransactionId, source: SocketAddr) -> Bytes {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let (family, address) = match source.ip() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    let mask = COOKIE.into_iter().chain(id);
    let mut value = vec![0, family];
    value.extend((source.port() ^ 0x2112).to_be_bytes());
    value.extend(address.iter().zip(mask).map(|(octet, mask)| octet ^ mask));
    let length = u8::try_from(value.len()).unwrap();
    Bytes::from([&[1, 1, 0, length + 4][..], &COOKIE, &id, &[0, 0x20, 0, length], &value].concat())
}

#[test]
fn answers_name_the_address_in_both_families() {
    let id = *b"transaction!";
    for source in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853", "0.0.0.0:0"] {
        let mapped = source.parse().unwrap();
        assert_eq!(read(&binding_answer(id, mapped)), Ok(Stun::Answer { id, mapped }), "{source}");
    }
    assert_eq!(read(&binding_request(id)), Ok(Stun::Request { id }));
}

#[test]
fn the_address_is_masked_as_the_rfc_says() {
    // 192.0.2.1:32853 in exclusive-or with the cookie is e1 12 a6 43 and a1 47.
    let answer = binding_answer([0; 12], "192.0.2.1:32853".parse().unwrap());
    assert_eq!(answer[..], bytes("0101000c2112a442000000000000000000000000002000080001a147e112a643"));
}

#[test]
fn the_plain_address_serves_where_the_masked_one_is_absent() {
    let id = [7; 12];
    let head = "0101000c2112a442070707070707070707070707";
    let mapped = "192.0.2.1:32853".parse().unwrap();
    let plain = bytes(&format!("{head}000100080001{:04x}c0000201", 32_853));
    assert_eq!(read(&plain), Ok(Stun::Answer { id, mapped }));
}

#[test]
fn what_is_broken_or_unknown_is_refused() {
    let whole = binding_answer([1; 12], "192.0.2.1:1".parse().unwrap());
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "cut at {end}");
    }
    let head = |kind: &str, length: u16| format!("{kind}{length:04x}2112a442010101010101010101010101");
    let cases = [
        (head("0101", 0), StunError::NoAddress),
        (head("0111", 0), StunError::Unsupported),
        (format!("{}00200008000a0000e112a643", head("0101", 12)), StunError::Malformed),
        (
            format!("{}0020000800010000e112a643", head("0101", 12)).replace("00200008", "0020000c"),
            StunError::Malformed,
        ),
        (format!("{}7abc000400000000", head("0001", 8)), StunError::Unsupported),
        (format!("{}8028000400000000", head("0001", 8)), StunError::Fingerprint),
    ];
    for (text, why) in cases {
        assert_eq!(read(&bytes(&text)), Err(why), "{text}");
    }
    assert!(
        read(&bytes(&format!("{}fabc000400000000", head("0001", 8)))).is_ok(),
        "optional attributes pass"
    );
}

/// The vectors of RFC 5769: fingerprint and mapped address of messages made by others.
#[test]
fn the_vectors_of_rfc_5769() {
    let text = suite("stun-rfc5769/vectors.json");
    let suite: serde_json::Value = serde_json::from_str(&text).unwrap();
    let message = |name: &str| bytes(suite["messages"][name].as_str().unwrap());
    for (name, mapped) in [("response_ipv4", "mapped_ipv4"), ("response_ipv6", "mapped_ipv6")] {
        let wanted = suite[mapped].as_str().unwrap().parse().unwrap();
        let mut answer = message(name);
        assert!(matches!(read(&answer), Ok(Stun::Answer { mapped, .. }) if mapped == wanted), "{name}");
        answer[30] ^= 1;
        assert_eq!(read(&answer), Err(StunError::Fingerprint), "{name}");
    }
    for name in ["request", "request_longterm"] {
        assert!(matches!(read(&message(name)), Ok(Stun::Request { .. })), "{name}");
    }
}

fn terms() -> KeepTerms {
    KeepTerms { idle: None, pong: Some(Pong::AsUsual) }
}

/// The id of the binding request that is the only output.
fn request(outputs: &[FlowOutput<u32>]) -> [u8; 12] {
    let [FlowOutput::Send { bytes, .. }] = outputs else { panic!("one request, not {outputs:?}") };
    let Ok(Stun::Request { id }) = read(bytes) else { panic!("a binding request") };
    id
}

fn answer(
    flows: &mut Flows<u32>,
    flow: FlowId,
    id: [u8; 12],
    seen: &str,
    now: Moment,
) -> Vec<FlowOutput<u32>> {
    let frame = Frame::Stun(binding_answer(id, seen.parse().unwrap()));
    flows.handle_frame(flow, &frame, Now { since_start: now, wall: Default::default() });
    drain(flows)
}

#[test]
fn a_udp_flow_asks_every_24_to_29_seconds_and_notices_a_new_mapping() {
    for seed in 0..300 {
        let mut flows = flows(seed);
        let flow = open(&mut flows, Transport::Udp);
        flows.keep_alive(flow, terms(), at(0));
        let mut now = moment(0);
        let mut last = None;
        for _ in 0..5 {
            let id = request(&step(&mut flows, &mut now));
            if let Some(last) = last.replace(now) {
                let pause = now.since(last).as_millis();
                assert!((24_000..=29_000).contains(&pause), "seed {seed}: {pause} ms");
            }
            assert!(answer(&mut flows, flow, [0; 12], "203.0.113.66:1", now).is_empty(), "not our request");
            assert!(answer(&mut flows, flow, id, "203.0.113.9:4000", now).is_empty(), "seed {seed}");
            assert!(answer(&mut flows, flow, id, "203.0.113.66:1", now).is_empty(), "answered before");
        }
        let id = request(&step(&mut flows, &mut now));
        let moved = FlowOutput::News(FlowNews::Moved { flow, users: vec![1] });
        assert_eq!(answer(&mut flows, flow, id, "203.0.113.9:4001", now), [moved], "seed {seed}");
    }
}

#[test]
fn a_silent_peer_is_asked_seven_times_and_given_up() {
    let mut flows = flows(1);
    let flow = open(&mut flows, Transport::Udp);
    flows.keep_alive(flow, terms(), at(0));
    let mut now = moment(0);
    let first = step(&mut flows, &mut now);
    let (started, id) = (now, request(&first));
    let mut sent_after = Vec::new();
    while flows.deadline().unwrap().why == Why::Retransmission {
        assert_eq!(request(&step(&mut flows, &mut now)), id, "the same request");
        sent_after.push(now.since(started).as_millis());
    }
    assert_eq!(sent_after, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    let lost = FlowOutput::News(FlowNews::Lost { flow, why: ConnectError::Timeout, users: vec![1] });
    assert_eq!(step(&mut flows, &mut now), [FlowOutput::Close { flow }, lost]);
    assert_eq!(now.since(started), Duration::from_millis(39_500));
}

#[test]
fn garbage_does_no_harm() {
    let mut flows = flows(1);
    let flow = open(&mut flows, Transport::Udp);
    flows.keep_alive(flow, terms(), at(0));
    let mut now = moment(0);
    step(&mut flows, &mut now);
    let before = flows.deadline();
    flows.handle_frame(flow, &Frame::Stun(Bytes::from_static(b"\x01\x01\x00")), at(1));
    assert_eq!(flows.deadline(), before);
    assert!(drain(&mut flows).is_empty());
}

#[test]
fn any_octets_are_read_without_harm() {
    for seed in 0..2_000 {
        let mut rng = crate::ids::Rng::new(&Seed::from_number(seed));
        let mut message = binding_answer(rng.bytes(), "192.0.2.1:5060".parse().unwrap()).to_vec();
        for _ in 0..=rng.below(6) {
            let at = usize::try_from(rng.below(message.len() as u64)).unwrap();
            message[at] = rng.bytes::<1>()[0];
        }
        message.truncate(usize::try_from(rng.below(message.len() as u64 + 1)).unwrap());
        if let Ok(Stun::Answer { mapped, .. }) = read(&message) {
            assert!(!mapped.to_string().is_empty(), "seed {seed}");
        }
    }
}
