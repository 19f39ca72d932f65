//! What is said to what a peer says.

use super::*;
use crate::{Codec, Direction};
use std::time::Duration;

const TLS: Policy = Policy {
    codecs: Vec::new(),
    packet_time: Duration::from_millis(20),
    security: Security::Optional,
    secure_signalling: true,
};

fn policy(security: Security) -> Policy {
    Policy { codecs: vec![Codec::Pcmu, Codec::Pcma], security, ..TLS }
}

fn local(port: u16) -> LocalAddress {
    LocalAddress { ip: [192, 0, 2, 1].into(), rtp_port: port, rtcp_port: Some(port + 1) }
}

fn side(policy: Policy, seed: u8) -> Negotiation {
    Negotiation::new(policy, local(4000 + u16::from(seed) * 10), &[seed; 32])
}

/// An offer of a peer: the `m=` line and what stands below it.
fn offer(media: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{}",
        media.replace('\n', "\r\n")
    )
}

fn answer(policy: Policy, media: &str) -> Result<Answer, Refusal> {
    side(policy, 1).answer(offer(media).as_bytes(), false)
}

fn refusal(security: Security, media: &str) -> Option<Refusal> {
    answer(policy(security), media).err()
}

#[test]
fn two_sides_agree_on_codec_digits_ports_and_keys() {
    let (mut caller, mut called) = (side(policy(Security::Optional), 1), side(policy(Security::Optional), 2));
    let body = caller.offer(false).unwrap();
    assert!(body.contains("m=audio 4010 RTP/AVP 0 8 101\r\n") && body.contains("a=rtcp-mux\r\n"), "{body}");
    let answered = called.answer(body.as_bytes(), false).unwrap();
    let (theirs, ours) = (answered.agreed, caller.take_answer(answered.body.as_bytes()).unwrap());
    assert_eq!(
        (ours.send.codec, ours.send_digits, ours.packet_time),
        (Codec::Pcmu, Some(101), TLS.packet_time)
    );
    assert_eq!(ours.remote.rtp(), Some(([192, 0, 2, 1], 4020).into()));
    assert_eq!((ours.remote.rtcp(), ours.remote.rtcp_mux), (ours.remote.rtp(), true));
    let (ours, theirs) = (ours.keys.unwrap(), theirs.keys.unwrap());
    assert!(ours.send == theirs.receive && ours.receive == theirs.send && ours.send != ours.receive);
    assert_eq!(ours.send.suite(), crate::Suite::AesCm128HmacSha1Tag80);
}

#[test]
fn the_version_grows_with_a_change_and_only_then() {
    let version = |body: &str| {
        let session = homing_wire::sdp::Session::parse(body.as_bytes()).unwrap();
        session.origin().map(|origin| origin.version).unwrap()
    };
    let mut one = side(policy(Security::Off), 1);
    let (first, again, held) =
        (one.offer(false).unwrap(), one.offer(false).unwrap(), one.offer(true).unwrap());
    assert_eq!(first, again);
    assert_eq!(version(&held), version(&first) + 1);
    assert!(held.contains("a=sendonly\r\n"));
    let mut other = side(policy(Security::Off), 2);
    let answered = other.answer(first.as_bytes(), false).unwrap();
    assert_eq!(other.answer(first.as_bytes(), false).unwrap(), answered, "the same offer again");
    let of_held = other.answer(held.as_bytes(), false).unwrap();
    assert_eq!(version(&of_held.body), version(&answered.body) + 1);
    assert_eq!(of_held.agreed.direction, Direction::RecvOnly);
}

#[test]
fn holding_is_heard_in_both_its_ways_and_answered() {
    let direction = |media: &str| answer(policy(Security::Off), media).unwrap().agreed.direction;
    for (line, expected) in [
        ("a=sendrecv\n", Direction::SendRecv),
        ("a=sendonly\n", Direction::RecvOnly),
        ("a=recvonly\n", Direction::SendOnly),
        ("a=inactive\n", Direction::Inactive),
        ("c=IN IP4 0.0.0.0\n", Direction::RecvOnly),
        ("c=IN IP4 0.0.0.0\na=recvonly\n", Direction::Inactive),
    ] {
        assert_eq!(direction(&format!("m=audio 9 RTP/AVP 0\n{line}")), expected, "{line}");
    }
    let mut held = side(policy(Security::Off), 1);
    let nowhere = held.answer(offer("m=audio 9 RTP/AVP 0\nc=IN IP4 0.0.0.0\n").as_bytes(), false).unwrap();
    assert_eq!(nowhere.agreed.remote.rtp(), None);
    assert!(held.offer(true).unwrap().contains("a=inactive"), "both hold");
    let both = held.answer(offer("m=audio 9 RTP/AVP 0\na=sendonly\n").as_bytes(), true).unwrap();
    assert_eq!(both.agreed.direction, Direction::Inactive);
}

#[test]
fn a_change_keeps_payload_types_codec_keys_and_the_other_media() {
    let media = "m=video 9 RTP/AVP 31\nm=audio 9 RTP/AVPF 97 8 98\na=rtpmap:97 PCMU/8000\na=rtpmap:98 telephone-event/8000\n\
        a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^31|1:1\n";
    let mut one = side(policy(Security::Optional), 1);
    let answered = one.answer(offer(media).as_bytes(), false).unwrap();
    assert!(
        answered.body.contains("m=video 0 RTP/AVP 31\r\nm=audio 4010 RTP/AVPF 97 98\r\n"),
        "{}",
        answered.body
    );
    assert!(answered.body.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:"));
    let body = one.offer(true).unwrap();
    assert!(body.contains("m=video 0 RTP/AVP 31\r\nm=audio 4010 RTP/AVPF 97 8 98\r\n"), "{body}");
    let key = |body: &str| {
        let at = body.find("SHA1_32 inline:").unwrap();
        body[at..].lines().next().unwrap().to_owned()
    };
    assert_eq!(key(&body), key(&answered.body), "our key of a suite stays");
}

#[test]
fn a_change_offers_the_codec_of_the_call_first_and_no_payload_type_twice() {
    let mut one = side(policy(Security::Off), 1);
    one.answer(offer("m=audio 9 RTP/AVP 8 0\n").as_bytes(), false).unwrap();
    assert!(one.offer(false).unwrap().contains("m=audio 4010 RTP/AVP 8 0 101\r\n"));
    let mut other = side(policy(Security::Off), 2);
    other.answer(offer("m=audio 9 RTP/AVP 101\na=rtpmap:101 PCMU/8000\n").as_bytes(), false).unwrap();
    assert!(other.offer(false).unwrap().contains("m=audio 4020 RTP/AVP 101 8 96\r\n"));
}

#[test]
fn sound_stays_at_its_place_in_the_description() {
    let mut one = side(policy(Security::Off), 1);
    let media = "m=audio 9 RTP/AVP 18\nm=audio 7 RTP/AVP 0\n";
    assert!(
        one.answer(offer(media).as_bytes(), false)
            .unwrap()
            .body
            .contains("m=audio 0 RTP/AVP 18\r\nm=audio 4010")
    );
    let both = "m=audio 9 RTP/AVP 0\nm=audio 7 RTP/AVP 0\n";
    let answered = one.answer(offer(both).as_bytes(), false).unwrap();
    assert_eq!(answered.agreed.remote.rtp_port, 7, "{}", answered.body);
    let moved = "m=audio 9 RTP/AVP 0\nm=audio 0 RTP/AVP 0\n";
    assert_eq!(one.answer(offer(moved).as_bytes(), false).unwrap().agreed.remote.rtp_port, 9);
}

#[test]
fn what_cannot_be_agreed_on_has_its_reason_and_warning() {
    let keys = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let foreign = "a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let dtls = "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=fingerprint:sha-256 AA\n";
    let (plain, secure) = ("m=audio 9 RTP/AVP 0\n", "m=audio 9 RTP/SAVP 0\n");
    for (security, media, refusal_of, warning) in [
        (Security::Off, "m=video 9 RTP/AVP 31\n".to_owned(), Refusal::NoAudio, 304),
        (Security::Off, "m=audio 0 RTP/AVP 0\n".to_owned(), Refusal::NoAudio, 304),
        (Security::Off, "m=audio 9 RTP/AVP 18\n".to_owned(), Refusal::NoCommonCodec, 305),
        (
            Security::Off,
            "m=audio 9 RTP/AVP 0\na=rtpmap:0 PCMU/16000\n".to_owned(),
            Refusal::NoCommonCodec,
            305,
        ),
        (Security::Off, "m=audio 9 TCP/RTP/AVP 0\n".to_owned(), Refusal::Transport, 302),
        (Security::Optional, dtls.to_owned(), Refusal::OnlyDtls, 302),
        (Security::Optional, format!("{secure}a=fingerprint:sha-256 AA\n"), Refusal::OnlyDtls, 302),
        (Security::Off, format!("{secure}a=fingerprint:sha-256 AA\n"), Refusal::OnlyDtls, 302),
        (Security::Required, format!("{plain}a=fingerprint:sha-256 AA\n"), Refusal::OnlyDtls, 302),
        (Security::Required, plain.to_owned(), Refusal::SecurityRequired, 399),
        (Security::Off, format!("{secure}{keys}"), Refusal::SecurityOff, 399),
        (Security::Optional, format!("{secure}{foreign}"), Refusal::NoCommonSuite, 399),
        (Security::Optional, secure.to_owned(), Refusal::NoCommonSuite, 399),
        (
            Security::Off,
            "m=audio 9 RTP/AVP 0\nc=IN IP6 2001:db8::1\n".to_owned(),
            Refusal::AddressFamily,
            301,
        ),
        (Security::Off, "m=audio 9 RTP/AVP 0\nc=IN IP4 224.2.1.1/127\n".to_owned(), Refusal::Multicast, 330),
    ] {
        assert_eq!(refusal(security, &media), Some(refusal_of.clone()), "{security:?} {media}");
        assert_eq!(refusal_of.warning(), warning);
    }
    assert_eq!(side(policy(Security::Off), 1).answer(b"hello", false), Err(Refusal::Unreadable));
}

#[test]
fn keys_never_travel_in_the_clear() {
    let clear = |security| Policy { secure_signalling: false, ..policy(security) };
    let keys = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let secure = format!("m=audio 9 RTP/SAVP 0\n{keys}");
    assert_eq!(answer(clear(Security::Optional), &secure).err(), Some(Refusal::KeysInClear));
    let plain = answer(clear(Security::Optional), &format!("m=audio 9 RTP/AVP 0\n{keys}")).unwrap();
    assert!(plain.agreed.keys.is_none() && !plain.body.contains("crypto"));
    assert!(!side(clear(Security::Optional), 1).offer(false).unwrap().contains("crypto"));
    assert_eq!(side(clear(Security::Required), 1).offer(false), Err(Refusal::KeysInClear));
    let mut off = side(policy(Security::Off), 1);
    assert!(!off.offer(false).unwrap().contains("crypto"));
}

#[test]
fn the_first_way_to_encrypt_that_is_known_is_taken() {
    let line = |tag: u32, rest: &str| format!("a=crypto:{tag} {rest}\n");
    let cm = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let chosen = |lines: &[String]| {
        let media = format!("m=audio 9 RTP/SAVP 0\n{}", lines.concat());
        let answer = answer(policy(Security::Required), &media).ok()?;
        let at = answer.body.find("a=crypto:")? + 9;
        answer.body[at..].split(' ').next()?.parse::<u32>().ok()
    };
    let good = line(9, &format!("AES_CM_128_HMAC_SHA1_32 inline:{cm}"));
    for wrong in [
        format!("AES_256_CM_HMAC_SHA1_80 inline:{cm}"),
        format!("AES_CM_128_HMAC_SHA1_80 inline:{cm} UNENCRYPTED_SRTP"),
        format!("AES_CM_128_HMAC_SHA1_80 inline:{cm}AAAA"),
        "AES_CM_128_HMAC_SHA1_80 inline:AAAA".to_owned(),
        format!("AES_CM_128_HMAC_SHA1_80 inline:{cm}|2^20|1:4;inline:{cm}|2^20|2:4"),
        format!("AES_CM_128_HMAC_SHA1_80 inline:{cm}|2^20|1:9"),
        format!("AES_CM_128_HMAC_SHA1_80 inline:{cm}|2^20|256:1"),
        format!("AEAD_AES_128_GCM inline:{cm}"),
    ] {
        assert_eq!(chosen(&[line(1, &wrong), good.clone()]), Some(9), "{wrong}");
        assert_eq!(chosen(&[line(1, &wrong)]), None, "{wrong}");
    }
    for right in [
        format!("AES_CM_128_HMAC_SHA1_80 inline:{cm}|2^20|1:4 WSH=64"),
        "AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        "AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    ] {
        assert_eq!(chosen(&[line(3, &right), good.clone()]), Some(3), "{right}");
    }
}

#[test]
fn an_answer_has_to_fit_its_offer() {
    let take = |security: Security, media: &str| {
        let mut caller = side(policy(security), 1);
        caller.offer(false).unwrap();
        caller.take_answer(offer(media).as_bytes()).map(|agreed| (agreed.send.codec, agreed.keys.is_some()))
    };
    let cm = "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let plain = "m=audio 9 RTP/AVP 8\n";
    assert_eq!(take(Security::Optional, plain), Ok((Codec::Pcma, false)));
    let keyed = |tag: u32, suite: &str| format!("{plain}a=crypto:{tag} {suite} {cm}\n");
    assert_eq!(take(Security::Optional, &keyed(1, "AES_CM_128_HMAC_SHA1_80")), Ok((Codec::Pcma, true)));
    assert_eq!(take(Security::Optional, &keyed(2, "AES_CM_128_HMAC_SHA1_80")), Err(Refusal::Mismatch));
    assert_eq!(take(Security::Optional, &keyed(1, "AES_CM_128_HMAC_SHA1_32")), Err(Refusal::Mismatch));
    assert_eq!(
        take(Security::Optional, "m=audio 9 RTP/AVP 97\na=rtpmap:97 PCMU/8000\n"),
        Err(Refusal::NoCommonCodec)
    );
    assert_eq!(take(Security::Optional, "m=audio 0 RTP/AVP 0\n"), Err(Refusal::NoAudio));
    assert_eq!(take(Security::Optional, "m=video 9 RTP/AVP 31\n"), Err(Refusal::Mismatch));
    assert_eq!(take(Security::Required, "m=audio 9 RTP/SAVP 0\n"), Err(Refusal::SecurityRequired));
    assert_eq!(take(Security::Required, plain), Err(Refusal::Mismatch), "encryption is not taken back");
    let mut without = side(policy(Security::Off), 1);
    assert_eq!(without.take_answer(offer(plain).as_bytes()), Err(Refusal::Mismatch), "nothing was offered");
}

#[test]
fn reports_go_where_the_peer_says() {
    let rtcp = |lines: &str| {
        let answer = answer(policy(Security::Off), &format!("m=audio 5000 RTP/AVP 0\n{lines}")).unwrap();
        (answer.agreed.remote.rtcp().map(|at| at.to_string()), answer.body.contains("rtcp-mux"))
    };
    let at = |text: &str| Some(text.to_owned());
    assert_eq!(rtcp(""), (at("192.0.2.9:5001"), false));
    assert_eq!(rtcp("a=rtcp-mux\n"), (at("192.0.2.9:5000"), true));
    assert_eq!(rtcp("a=rtcp:6000\n"), (at("192.0.2.9:6000"), false));
    assert_eq!(rtcp("a=rtcp:6000 IN IP4 192.0.2.8\n"), (at("192.0.2.8:6000"), false));
    assert_eq!(rtcp("a=rtcp:6000 IN IP4 224.0.0.1\n"), (at("192.0.2.9:6000"), false));
    assert_eq!(rtcp("a=rtcp:0\n"), (None, false));
    let one_port = LocalAddress { rtcp_port: None, ..local(4000) };
    let body = Negotiation::new(policy(Security::Off), one_port, &[1; 32]).offer(false).unwrap();
    assert!(body.contains("a=rtcp-mux\r\na=rtcp:4000\r\n"), "{body}");
}

#[test]
fn packets_are_as_long_as_the_peer_wants_them_within_reason() {
    let time = |lines: &str| {
        let media = format!("m=audio 5000 RTP/AVP 0\n{lines}");
        answer(policy(Security::Off), &media).unwrap().agreed.packet_time.as_millis()
    };
    for (lines, millis) in [
        ("", 20),
        ("a=ptime:30\n", 30),
        ("a=ptime:5\n", 10),
        ("a=ptime:25\n", 20),
        ("a=ptime:200\n", 60),
        ("a=ptime:40\na=maxptime:20\n", 20),
        ("a=maxptime:10\n", 10),
        ("a=maxptime:150\n", 20),
        ("a=ptime:x\n", 20),
    ] {
        assert_eq!(time(lines), millis, "{lines}");
    }
}

#[test]
fn no_key_is_shown() {
    let mut one = side(policy(Security::Required), 1);
    let body = one.offer(false).unwrap();
    let answer = side(policy(Security::Required), 2).answer(body.as_bytes(), false).unwrap();
    let at = body.find("inline:").unwrap() + 7;
    let shown = format!("{one:?} {answer:?} {:?}", answer.agreed);
    assert!(!shown.contains(&body[at..at + 20]) && !shown.contains("inline"), "{shown}");
}
