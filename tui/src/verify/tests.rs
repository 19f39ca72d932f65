//! Recordings of another implementation verify; each change to them is found and named.

use serde_json::Value;

use super::*;
use homing::Password;

const SESSIONS: &str = include_str!("../../../tests/data/vectors/pidgin_sipe_sessions.json");

/// Name, password and messages of each recorded session.
fn sessions() -> Vec<(String, String, Vec<String>)> {
    let file: Value = serde_json::from_str(SESSIONS).expect("a JSON file");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let messages = |session: &Value| {
        session["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|message| text(&message["message"]))
            .collect()
    };
    let list = file["sessions"].as_array().expect("a list");
    list.iter()
        .map(|session| (text(&session["name"]), text(&session["password"]), messages(session)))
        .collect()
}

fn review(password: &str, messages: &[String]) -> Vec<Finding> {
    let mut reviewer = Reviewer::new(Password::new(password));
    let recorded = |text: &String| Recorded { place: String::new(), bytes: text.clone().into_bytes() };
    messages.iter().map(recorded).flat_map(|message| reviewer.review(&message)).collect()
}

fn differing(findings: &[Finding]) -> Vec<&str> {
    let element = |finding: &Finding| matches!(finding.outcome, Outcome::Differs { .. });
    findings
        .iter()
        .filter(|finding| element(finding))
        .filter_map(|finding| match &finding.outcome {
            Outcome::Differs { element, .. } => Some(element.as_str()),
            Outcome::Fits(_) | Outcome::Unknown(_) => None,
        })
        .collect()
}

#[test]
fn every_token_and_signature_of_pidgin_sipe_is_judged_as_it_is() {
    let file: Value = serde_json::from_str(SESSIONS).expect("a JSON file");
    let mut judged = 0;
    for session in file["sessions"].as_array().expect("a list") {
        let mut reviewer = Reviewer::new(Password::new(session["password"].as_str().expect("a text")));
        for (index, message) in session["messages"].as_array().expect("a list").iter().enumerate() {
            let bytes = message["message"].as_str().expect("a text").as_bytes().to_vec();
            let findings = reviewer.review(&Recorded { place: String::new(), bytes });
            for (what, fact) in [("signature", "signature_ok"), ("proof", "ntproof_ok")] {
                let Some(good) = message[fact].as_bool() else { continue };
                let found = findings.iter().find(|finding| finding.what == what);
                let fits = found.is_some_and(|finding| matches!(finding.outcome, Outcome::Fits(_)));
                // A proof noted as wrong was held against another challenge than its own.
                let wanted = good || what == "proof";
                assert_eq!(fits, wanted, "{} {index} {what}: {findings:#?}", session["name"]);
                judged += 1;
            }
        }
    }
    assert!(judged > 100, "{judged}");
}

#[test]
fn a_wrong_password_shows_in_the_proof_first() {
    let (_, _, messages) = sessions().remove(0);
    let findings = review("another", &messages);
    assert_eq!(differing(&findings).first(), Some(&"NT proof"));
}

#[test]
fn a_changed_element_is_named() {
    let changes = [
        ("SIP/2.0 200 OK", "SIP/2.0 202 Accepted", "Status"),
        ("snum=\"1\"", "snum=\"2\"", "Number"),
        ("Expires: ", "X-Expires: ", "Expires"),
    ];
    let (_, password, messages) = sessions().remove(0);
    let signed = messages.iter().position(|text| text.contains("rspauth")).expect("a signed answer");
    for (from, to, element) in changes {
        if !messages[signed].contains(from) {
            continue;
        }
        let mut changed = messages.clone();
        changed[signed] = changed[signed].replacen(from, to, 1);
        let findings = review(&password, &changed);
        assert_eq!(differing(&findings), [element], "{from} to {to}");
    }
}

#[test]
fn a_capture_gives_the_same_messages_as_the_wire() {
    let (_, password, texts) = sessions().remove(0);
    let file = capture(&texts);
    let found = pcap::read(&file).expect("a pcap file");
    assert_eq!(found.len(), texts.len());
    let read: Vec<String> = found.iter().map(|m| String::from_utf8(m.bytes.clone()).expect("text")).collect();
    // The recorded peer sends a line end behind some messages; on a stream that is a keep-alive.
    assert!(read.iter().zip(&texts).all(|(read, sent)| read.trim_end() == sent.trim_end()));
    assert!(differing(&review(&password, &read)).is_empty());
    for length in 0..file.len().min(3_000) {
        let _ = pcap::read(&file[..length]);
    }
}

/// A raw-IP capture of TCP in which each message is torn into three segments, the second sent twice.
fn capture(texts: &[String]) -> Vec<u8> {
    let mut file =
        vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0];
    let mut sequence = [0xffff_ff00u32, 7];
    for text in texts {
        let side = usize::from(text.starts_with("SIP/2.0"));
        let bytes = text.as_bytes();
        let third = bytes.len() / 3;
        let parts = [(0, third), (third, 2 * third), (third, 2 * third), (2 * third, bytes.len())];
        for (from, to) in parts {
            let at = sequence[side].wrapping_add(u32::try_from(from).expect("a short message"));
            let packet = packet(side, at, &bytes[from..to]);
            let length = u32::try_from(packet.len()).expect("a short packet").to_le_bytes();
            file.extend([[0; 4], [0; 4], length, length].concat());
            file.extend(packet);
        }
        sequence[side] = sequence[side].wrapping_add(u32::try_from(bytes.len()).expect("a short message"));
    }
    file
}

fn packet(side: usize, sequence: u32, bytes: &[u8]) -> Vec<u8> {
    let total = u16::try_from(40 + bytes.len()).expect("a short packet").to_be_bytes();
    let hosts = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let ports = [5_060u16.to_be_bytes(), 40_000u16.to_be_bytes()];
    let mut packet = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0];
    packet.extend([hosts[side], hosts[1 - side]].concat());
    packet.extend([ports[side], ports[1 - side]].concat());
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(bytes);
    packet
}
