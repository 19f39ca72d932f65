//! Order, bounds and redaction of the journal.

use std::time::Duration;

use bytes::Bytes;

use super::*;

fn entry(what: What) -> Entry {
    let peer = Some("127.0.0.1:5061".parse().unwrap());
    Entry { seq: 0, at: Duration::from_millis(1500), node: "lb".into(), peer, what }
}

const REGISTER: &str = "REGISTER sip:network.com SIP/2.0\r\n\
    From: <sip:alice@network.com>;tag=1\r\n\
    Authorization: NTLM qop=\"auth\", gssapi-data=\"CANARYtoken==\", opaque=\"2BDBAC9D\",\r\n \
    crand=\"00a1b2c3\", cnum=\"1\", response=\"CANARYresponse\"\r\n\
    Proxy-Authorization: Digest username=\"alice\", response=CANARYbare, cnonce=\"CANARYc\"\r\n\
    WWW-Authenticate: Digest realm=\"network.com\", nonce=\"CANARYn\", of-tomorrow=\"CANARYx\"\r\n\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:CANARYkey\r\n";

#[test]
fn nothing_secret_is_rendered() {
    let journal = Journal::new();
    journal.record(entry(What::Received(Bytes::from_static(REGISTER.as_bytes()))));
    let shown = format!(
        "{}{}{:?}{:?}",
        journal.json(),
        journal.ladder(),
        journal.entries(),
        journal.entries()[0].text()
    );
    assert!(!shown.contains("CANARY"), "{shown}");
    let text = journal.entries()[0].text().unwrap();
    assert!(text.contains("gssapi-data=\"••• (13 characters)\", opaque=\"2BDBAC9D\""), "{text}");
    assert!(
        text.contains("cnum=\"1\", response=\"••• (14 characters)\"") && text.contains("tag=1"),
        "{text}"
    );
    assert!(text.contains("response=\"••• (10 characters)\", cnonce=\"••• (7 characters)\""), "{text}");
}

#[tokio::test]
async fn a_subscription_delivers_each_entry_once_in_order() {
    let journal = Journal::new();
    journal.record(entry(What::Decided(Decision::new(Verdict::Flow, "before"))));
    let mut subscription = journal.subscribe();
    for reason in ["one", "two"] {
        journal.record(entry(What::Decided(
            Decision::new(Verdict::Accepted, reason).about("alice@network.com"),
        )));
    }
    let seen: Vec<u64> = subscription.next().await.unwrap().iter().map(|entry| entry.seq).collect();
    assert_eq!(seen, [2, 3]);
    assert!(journal.ladder().contains("accepted alice@network.com: two"));
}

#[test]
fn the_oldest_entries_go_when_the_journal_is_full() {
    let journal = Journal::new();
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    for _ in 0..100 {
        journal.record(entry(What::Sent(large.clone())));
    }
    let held = journal.entries();
    assert_eq!(held.last().unwrap().seq, 100);
    assert!(held.len() < 64 && held.len() > 60, "{}", held.len());
}

#[test]
fn passwords_in_uris_and_every_key_of_sdp_are_blanked() {
    let text = "REGISTER sip:alice:CANARY@network.com SIP/2.0\r\n\
        Route: <SIPS:hs:CANARY@hs1.network.com;lr>, <sip:a:CANARY@b>\r\n\
        From: \"Alice\" <sip:alice@network.com:5060>;tag=1\r\n\r\n\
        a=CRYPTO:1 AES_CM_128_HMAC_SHA1_80 inline:CANARY\r\na=crypto:CANARY\r\n\
        A=ice-pwd:CANARY\r\na=key-mgmt:mikey CANARY\r\nk=clear:CANARY\r\nm=audio 1\r\n";
    let received = entry(What::Received(Bytes::from_static(text.as_bytes())));
    let shown = received.text().unwrap();
    assert!(!shown.contains("CANARY") && !received.start_line().contains("CANARY"), "{shown}");
    assert!(shown.contains("<SIPS:hs:•••@hs1.network.com;lr>, <sip:a:•••@b>\r\n"), "{shown}");
    assert!(shown.contains("<sip:alice@network.com:5060>;tag=1\r\n\r\n"), "{shown}");
    assert!(shown.contains("a=ice-pwd:•••\r\n") || shown.contains("A=ice-pwd:•••\r\n"), "{shown}");
    assert!(shown.contains("k=•••\r\nm=audio 1\r\n"), "{shown}");
}

#[test]
fn no_text_of_a_peer_reaches_a_console_as_it_is() {
    let journal = Journal::new();
    let line = "INVITE sip:a\u{1b}[2J\u{9b}1m\u{202e}b\u{e0041} SIP/2.0\r\n\r\n";
    journal.record(entry(What::Received(Bytes::from_static(line.as_bytes()))));
    let about = Decision::new(Verdict::Refused, "why\u{2028}\u{7f}").about("alice (\u{1b}]0;\u{7})");
    journal.record(entry(What::Decided(about.towards("hs\u{200b}"))));
    let shown = format!("{}{:?}{}", journal.ladder(), journal.entries(), journal.json());
    let sanitize = |c: char| c == '\n' || sanitize(&c.to_string()) == c.to_string();
    assert!(shown.chars().all(sanitize), "{shown:?}");
    let first = journal.json().lines().next().map(str::to_owned).unwrap();
    let value: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(value["text"], line, "JSON loses nothing");
}

#[test]
fn a_journal_holds_as_much_as_it_is_set_to_and_its_newest_entries() {
    let full = |octets: usize| {
        let journal = Journal::holding(octets);
        for n in 0..5_000 {
            let text = format!("entry {n}: {}", "x".repeat(200));
            journal.record(entry(What::Decided(Decision::new(Verdict::Refused, text))));
        }
        (journal.bytes(), journal.entries().len(), journal.newest())
    };
    let (small, large) = (full(0), full(512 << 10));
    assert!(small.0 <= 64 << 10 && small.0 > 60 << 10, "64 KiB is the least: {small:?}");
    assert!(large.0 <= 512 << 10 && large.1 > 6 * small.1, "{large:?} {small:?}");
    assert_eq!((small.2, large.2), (5_000, 5_000));
}
