//! The behaviour digest itself: random values count by first appearance, everything else by what it is.

use std::time::Duration;

use homing_tests::digest::{Digest, Fact, Fate};

const REGISTER: &str = "REGISTER sip:network.com SIP/2.0\r\n\
    Via: SIP/2.0/TLS 10.9.0.1:40001;branch=z9hG4bKa1;rport\r\n\
    From: <sip:alice@network.com>;tag=t1;epid=0123456789\r\n\
    To: <sip:alice@network.com>\r\n\
    Call-ID: c1\r\n\
    CSeq: 1 REGISTER\r\n\
    Route: <sip:f1-aa@hs101.network.com;lr>\r\n\
    Authorization: NTLM qop=\"auth\", opaque=\"o1\", gssapi-data=\"TlRM\", crand=\"salt1\", cnum=\"1\", response=\"r1\"\r\n\
    \tversion=4, targetname=\"hs101\", nonce=\"n1\", cnonce=d1\r\n\
    Content-Length: 5\r\n\r\ntag=x";

fn of(messages: &[&str]) -> u64 {
    let mut digest = Digest::default();
    for message in messages {
        digest.sent(Duration::ZERO, (0, 1), Fate::Sent, message.as_bytes());
    }
    digest.finish()
}

#[test]
fn another_draw_of_any_random_value_changes_nothing() {
    let values = ["z9hG4bKa1", "t1", "c1", "f1-aa", "o1", "TlRM", "salt1", "r1", "n1", "d1"];
    for value in values {
        let other = REGISTER.replacen(value, "another", 1);
        assert_ne!(other, REGISTER);
        assert_eq!(of(&[&other]), of(&[REGISTER]), "{value}");
        // But a second message with another value is not a repetition of the first.
        assert_ne!(of(&[REGISTER, &other]), of(&[REGISTER, REGISTER]), "{value}");
        assert_eq!(of(&[REGISTER, &other]), of(&[&other, REGISTER]), "{value}");
    }
}

#[test]
fn whatever_else_is_in_a_message_counts() {
    let changes = [
        ("REGISTER sip:", "OPTIONS sip:"),
        ("40001", "40002"),
        (";rport", ""),
        ("epid=0123456789", "epid=9876543210"),
        ("Call-ID: c1\r\n", ""),
        ("Call-ID", "call-id"),
        ("cnum=\"1\"", "cnum=\"2\""),
        ("version=4", "version=3"),
        ("gssapi-data=\"TlRM\"", "gssapi-data=\"\""),
        ("\r\n\r\n", "\r\nEvent: registration\r\n\r\n"),
        ("hs101.network", "hs102.network"),
        ("tag=x", "tag=y"),
    ];
    for (old, new) in changes {
        let other = REGISTER.replacen(old, new, 1);
        assert_ne!(other, REGISTER);
        assert_ne!(of(&[&other]), of(&[REGISTER]), "{old}");
    }
    assert_ne!(of(&["\r\n\r\n"]), of(&["\r\n"]), "a ping is no pong");
}

#[test]
fn time_direction_and_fate_count() {
    let sent = |millis, hosts, fate| {
        let mut digest = Digest::default();
        digest.sent(Duration::from_millis(millis), hosts, fate, b"\r\n");
        digest.finish()
    };
    let digests = [
        sent(0, (0, 1), Fate::Sent),
        sent(1, (0, 1), Fate::Sent),
        sent(0, (1, 0), Fate::Sent),
        sent(0, (0, 3), Fate::Sent),
        sent(0, (0, 1), Fate::Swallowed),
        sent(0, (0, 1), Fate::Altered),
    ];
    assert_eq!(digests.iter().collect::<std::collections::BTreeSet<_>>().len(), digests.len());
}

#[test]
fn facts_count_by_kind_host_numbers_and_words() {
    let told = |host, fact, numbers: &[u64], words| {
        let mut digest = Digest::default();
        digest.fact(Duration::ZERO, host, fact, (numbers, words));
        digest.finish()
    };
    let digests = [
        told(0, Fact::Dial, &[2], "10.0.0.1:5061"),
        told(2, Fact::Dial, &[2], "10.0.0.1:5061"),
        told(0, Fact::Question, &[2], "10.0.0.1:5061"),
        told(0, Fact::Dial, &[1], "10.0.0.1:5061"),
        told(0, Fact::Dial, &[2], "10.0.0.1:5060"),
    ];
    assert_eq!(digests.iter().collect::<std::collections::BTreeSet<_>>().len(), digests.len());
}

#[test]
fn the_transaction_of_a_stun_request_counts_by_first_appearance() {
    let request = |id: u8, length: u8| {
        let head = [0, 1, 0, length, 0x21, 0x12, 0xA4, 0x42];
        [&head[..], &[id; 12][..], &vec![0; usize::from(length)][..]].concat()
    };
    let of = |ids: &[u8], length| {
        let mut digest = Digest::default();
        ids.iter().for_each(|id| digest.sent(Duration::ZERO, (0, 1), Fate::Sent, &request(*id, length)));
        digest.finish()
    };
    assert_eq!(of(&[1, 2], 0), of(&[7, 3], 0));
    assert_ne!(of(&[1, 2], 0), of(&[1, 1], 0));
    assert_ne!(of(&[1], 0), of(&[1], 4));
}
