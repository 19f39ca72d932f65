//! Conversations recorded on the wire between phone and server, verified good and tampered with, in each dialect
//! and in each form a recording comes in.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use homing_server_mock::estate::{Dialect, EstateBuilder, Transport, User};
use serde_json::{Value, json};

use crate::setup::{bed, bed_with, event, events};
use homing_tests::test_bed::{CANARY, Done, TestBed};

/// What passed, in order: true for what the phone sent.
type Tape = Arc<Mutex<Vec<(bool, Vec<u8>)>>>;

/// Makes another text of the one that was recorded.
type Change<'c> = &'c dyn Fn(&str) -> String;

/// Passes connections on to a server and records both ways.
fn recorder(server: SocketAddr) -> (SocketAddr, Tape) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, tape) = (listener.local_addr().unwrap(), Tape::default());
    let kept = Arc::clone(&tape);
    std::thread::spawn(move || {
        for phone in listener.incoming().flatten() {
            let there = TcpStream::connect(server).unwrap();
            let ways = [(true, &phone, &there), (false, &there, &phone)];
            for (from_phone, from, to) in ways {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    let mut buffer = [0; 65_536];
                    while let Ok(length @ 1..) = from.read(&mut buffer) {
                        kept.lock().unwrap().push((from_phone, buffer[..length].to_vec()));
                        if to.write_all(&buffer[..length]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    (address, tape)
}

/// A login and sign-out of Alice over TCP, as the lines of a trace with nothing masked.
fn recorded(dialect: Dialect) -> (TestBed, Vec<Value>) {
    let bed = bed_with(|_| {
        EstateBuilder::new()
            .domain("network.com")
            .home("hs104")
            .user(User::new("alice", CANARY).assigned("hs104"))
            .transports([Transport::Tcp])
            .dialect(dialect)
            .seed(7)
    });
    let (address, tape) = recorder(bed.estate.node("hs104").address(Transport::Tcp));
    let server = format!("hs104.network.com:{}", address.port());
    let login = "login alice@network.com --transport tcp --password-file password --server";
    let done = bed.done(&format!("{login} {server}"));
    assert_eq!(done.code, 0, "{dialect:?}: {done:?}");
    let tape = tape.lock().unwrap();
    let line = |((from_phone, bytes), seq): (&(bool, Vec<u8>), u64)| {
        json!({
            "v": 1, "event": "trace", "seq": seq, "at_us": seq * 1_000, "wall_us": seq * 1_000, "flow": 1,
            "direction": if *from_phone { "out" } else { "in" }, "server": server, "peer": address.to_string(),
            "transport": "tcp", "what": "message", "length": bytes.len(),
            "text": String::from_utf8(bytes.clone()).unwrap(),
        })
    };
    let lines = tape.iter().zip(1..).map(line).collect();
    (bed, lines)
}

fn save(bed: &TestBed, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    bed.write("wire.jsonl", &text, 0o600);
}

/// The same recording as JSON lines, as text and as a packet capture.
fn verify_in_all_forms(bed: &TestBed, lines: &[Value]) -> Vec<(&'static str, Done)> {
    save(bed, lines);
    let forms = ["wire.jsonl", "wire.txt", "wire.pcap"];
    let verified = forms.map(|form| {
        // The same bytes in another form.
        if form != "wire.jsonl" {
            assert_eq!(bed.done(&format!("trace export wire.jsonl {form}")).code, 0);
        }
        (form, bed.done(&format!("verify {form} --password-file password --json")))
    });
    verified.into()
}

/// The first message with all these words, with one word changed.
fn tampered(lines: &[Value], words: &[&str], change: impl Fn(&str) -> String) -> Vec<Value> {
    let mut lines = lines.to_vec();
    let text_of = |line: &Value| line["text"].as_str().unwrap_or_default().to_owned();
    let found = lines.iter().position(|line| words.iter().all(|word| text_of(line).contains(word)));
    let line = &mut lines[found.unwrap_or_else(|| panic!("no message with {words:?}"))];
    let (before, after) = (text_of(line), change(&text_of(line)));
    assert_ne!(before, after, "{words:?}");
    line["text"] = after.into();
    lines
}

/// Changes the character behind the first `lead` by another one of hexadecimal and base64.
fn another_character_behind(lead: &str, skip: usize) -> impl Fn(&str) -> String {
    let lead = lead.to_owned();
    move |text| {
        let at = text.find(&lead).map_or(0, |at| at + lead.len() + skip);
        let other = if &text[at..=at] == "a" { "b" } else { "a" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    }
}

#[test]
fn a_recording_of_each_dialect_holds_and_the_first_changed_element_is_named() {
    for (name, dialect) in [("v2", Dialect::Sip2), ("v3", Dialect::Sipae3), ("v4", Dialect::Sipae4)] {
        let (bed, lines) = recorded(dialect);
        for (form, done) in verify_in_all_forms(&bed, &lines) {
            assert_eq!(done.code, 0, "{name} {form}: {done:?}");
            let told = events(&done.out);
            let summary = event(&told, "verify.summary");
            assert!(
                summary["hold"].as_u64() >= Some(4) && summary["differ"] == 0 && summary["open"] == 0,
                "{name} {form}: {summary}"
            );
        }
        let wrong = bed.done("verify wire.pcap --password-file wrong");
        assert_eq!(wrong.code, 6, "{name}: {wrong:?}");

        let granted = ["SIP/2.0 200", "rspauth"];
        let asked = ["REGISTER sip", "response=\"0100"];
        let proved = ["REGISTER sip", "TlRMTVNTUAAD"];
        let rows: [(&str, &[&str], Change<'_>); 4] = [
            ("Expires", &granted, &|text| text.replacen("Expires: 7200", "Expires: 7201", 1)),
            ("checksum in the signature", &granted, &another_character_behind("rspauth=\"01000000", 3)),
            ("Call-ID", &asked, &another_character_behind("Call-ID: ", 5)),
            ("of the token", &proved, &another_character_behind("TlRMTVNTUAAD", 200)),
        ];
        for (element, words, change) in rows {
            let lines = tampered(&lines, words, change);
            for (form, done) in verify_in_all_forms(&bed, &lines) {
                let told = events(&done.out);
                let summary = event(&told, "verify.summary");
                let first = &summary["first_difference"];
                let named = first["element"].as_str().is_some_and(|name| name.contains(element));
                assert!(done.code == 6 && named, "{name} {form} {element}: {first}");
                assert_eq!(summary["differ"], 1, "{name} {form} {element}: {done:?}");
            }
            let done = bed.done("verify wire.pcap --password-file password");
            let first = done.out.lines().find(|line| line.starts_with("first difference: message #"));
            assert!(first.is_some_and(|line| line.contains(element)), "{name} {element}: {}", done.out);
            assert!(
                done.out.contains("  why:      changed") && done.out.contains("  next:     "),
                "{}",
                done.out
            );
        }
    }
}

#[test]
fn a_saved_trace_says_what_cannot_be_checked_in_it() {
    let bed = bed();
    let login = "login alice@network.com --password-file password --trace saved.jsonl";
    assert_eq!(bed.done(login).code, 0);
    for form in ["saved.jsonl", "saved.txt", "saved.pcap"] {
        if form != "saved.jsonl" {
            assert_eq!(bed.done(&format!("trace export saved.jsonl {form}")).code, 0);
        }
        let done = bed.done(&format!("verify {form} --password-file password"));
        assert_eq!((done.code, done.err.as_str()), (3, ""), "{form}: {done:?}");
        for words in ["is masked in this file", "To tag is bound to these Contacts", "never holds secrets"] {
            assert!(done.out.contains(words), "{form}: {done:?}");
        }
        assert!(
            !std::fs::read(bed.path(form))
                .unwrap()
                .windows(CANARY.len())
                .any(|part| part == CANARY.as_bytes())
        );
    }
}
