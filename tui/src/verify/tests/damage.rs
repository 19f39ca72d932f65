//! One element is changed: the report names that element, with what was signed and what stands there.

use homing::offline::ntlm::Side;
use homing::offline::security_association::Element;

use super::*;
use crate::verify::report::Spot;

/// Changes `old` to `new` in a message of the session and expects that element to be named.
fn expect_element(name: &str, step: usize, (old, new): (&str, &str), element: Element) {
    let report = session(name).altered(step, old, new).judge();
    let (number, difference) = first(&report);
    let side = if step.is_multiple_of(2) { Side::Client } else { Side::Server };
    assert_eq!((number, difference.spot), (step + 1, Spot::Buffer(element, side)), "{}", shown(&report));
    assert!(is_altered(&difference.cause));
    assert_eq!(report.verdict(), Verdict::Differs);
    assert_ne!(difference.expected, difference.found);
}

fn value<'t>(text: &'t str, before: &str, end: &[char]) -> &'t str {
    text.split_once(before).unwrap().1.split(end).next().unwrap()
}

/// The same value with its last character changed.
fn bent(value: &str) -> String {
    let last = if value.ends_with('7') { '8' } else { '7' };
    format!("{}{last}", &value[..value.len() - 1])
}

#[test]
fn each_element_of_a_server_signature_is_named() {
    for name in ["v2", "v3", "a4", "upper"] {
        let text = session(name).steps[5].text.clone();
        let tag = value(text.split_once("To:").unwrap().1, ";tag=", &['\r', ';']).to_owned();
        expect_element(name, 5, (&tag, &bent(&tag)), Element::ToTag);
        let srand = value(&text, "srand=\"", &['"']).to_owned();
        expect_element(name, 5, (&srand, &bent(&srand)), Element::Salt);
        expect_element(name, 5, ("snum=\"1\"", "snum=\"9\""), Element::Number);
        expect_element(name, 5, ("SIP/2.0 200", "SIP/2.0 202"), Element::Status);
        let call = value(&text, "Call-ID: ", &['\r']).to_owned();
        expect_element(name, 5, (&call, &bent(&call)), Element::CallId);
        let from = value(text.split_once("From:").unwrap().1, ";tag=", &['\r', ';']).to_owned();
        expect_element(name, 5, (&from, &bent(&from)), Element::FromTag);
        expect_element(name, 5, ("CSeq: ", "CSeq: 1"), Element::Sequence);
        expect_element(name, 5, ("\r\nCSeq: ", "\r\nExpires: 4711\r\nCSeq: "), Element::Expires);
    }
}

#[test]
fn a_redirect_made_of_a_temporary_one_is_named() {
    let (_, difference) = first(&session("r1").altered(5, "SIP/2.0 301", "SIP/2.0 302").judge());
    assert_eq!(difference.spot, Spot::Buffer(Element::Status, Side::Server));
    assert_eq!((difference.expected.as_deref(), difference.found.as_deref()), (Some("301"), Some("302")));
}

#[test]
fn a_client_signature_with_another_identity_is_named() {
    expect_element("a4", 6, ("From: <sip:alice@", "From: <sip:alica@"), Element::FromUri);
    expect_element("a4", 6, ("To: <sip:alice@", "To: <sip:bob@"), Element::ToUri);
    expect_element("v2", 8, ("cnum=\"2\"", "cnum=\"3\""), Element::Number);
    // The rest of the conversation is not drawn into it.
    let report = session("a4").altered(6, "From: <sip:alice@", "From: <sip:alica@").judge();
    assert_eq!(report.totals().differ, 1);
}

#[test]
fn a_damaged_signature_is_told_from_a_damaged_message() {
    let text = session("a4").steps[7].text.clone();
    let mac = value(&text, "rspauth=\"", &['"']).to_owned();
    let flipped = |at: usize| {
        let digit = if &mac[at..=at] == "0" { "1" } else { "0" };
        format!("{}{digit}{}", &mac[..at], &mac[at + 1..])
    };
    for (at, spot) in [(1, Spot::SignatureVersion), (12, Spot::Checksum), (25, Spot::SequenceNumber)] {
        let (number, difference) = first(&session("a4").altered(7, &mac, &flipped(at)).judge());
        assert_eq!((number, difference.spot), (8, spot));
    }
    let (_, cut) = first(&session("a4").altered(7, &mac, &mac[..30]).judge());
    assert_eq!((cut.spot, cut.cause), (Spot::Parameter("rspauth"), Cause::Malformed));
    let (_, gone) = first(&session("a4").altered(7, "srand=", "xrand=").judge());
    assert_eq!((gone.spot, gone.cause), (Spot::Parameter("srand"), Cause::Missing));
}

#[test]
fn the_other_versions_buffer_is_named() {
    // A conversation of version 2 whose challenge is made to say 4, and the other way round.
    for (name, old, new) in [("v2", "NTLM opaque=", "NTLM version=4, opaque="), ("v3", ", version=3", "")] {
        let (_, difference) = first(&session(name).altered(3, old, new).judge());
        assert_eq!((difference.spot, difference.cause), (Spot::BufferVersion, Cause::OtherVersion), "{name}");
    }
}

#[test]
fn a_damaged_token_is_told_from_a_wrong_password() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    for name in ["v2", "a4"] {
        let text = session(name).steps[4].text.clone();
        let token = value(&text, "gssapi-data=\"", &['"']).to_owned();
        let bytes = STANDARD.decode(&token).unwrap();
        let nt = u32::from_le_bytes(bytes[24..28].try_into().unwrap()) as usize;
        // Byte 5 of the proof; a letter of the first attribute; the client's nonce; the user's name.
        let cases =
            [(nt + 5, Spot::NtProof), (nt + 16 + 28 + 4, Spot::Attribute(2)), (nt + 33, Spot::ProofInput)];
        for (at, spot) in cases {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let report = session(name).altered(4, &token, &STANDARD.encode(bad)).judge();
            let (number, difference) = first(&report);
            assert_eq!((number, difference.spot), (5, spot), "{}", shown(&report));
            assert!(is_altered(&difference.cause), "{difference:?}");
            assert_eq!(report.totals().differ, 1, "{}", shown(&report));
        }
        let report = session(name).altered(4, &token, &token[..40]).judge();
        assert_eq!(first(&report).1, Difference::new(Spot::Token, Cause::Malformed));
    }
}

#[test]
fn an_answer_to_another_challenge_is_named() {
    // Both challenges of the redirected log-on change places in the second one.
    let one = session("r1");
    let opaque = |step: usize| value(&one.steps[step].text, "opaque=\"", &['"']).to_owned();
    let (first_name, second_name) = (opaque(4), opaque(10));
    let mixed = session("r1").altered(10, &second_name, &first_name);
    let (number, difference) = first(&mixed.judge());
    assert_eq!((number, difference.spot), (11, Spot::ServerChallenge));
    assert_eq!(difference.cause, Cause::OtherChallenge { number: 10 });
}

#[test]
fn a_replay_and_a_used_counter_are_named() {
    let mut replayed = session("a4");
    let copy = replayed.steps[6].clone();
    replayed.steps.push(copy);
    let (number, difference) = first(&replayed.judge());
    assert_eq!((number, difference.spot), (17, Spot::Buffer(Element::Number, Side::Client)));
    assert_eq!(difference.cause, Cause::Replayed { number: Some(7) });
}

#[test]
fn contacts_changed_under_a_bound_tag_are_named() {
    use homing::offline::contact_binding::{Target, tag};
    let contact = "sip:hs2.network.com:5061;transport=tls";
    let bound = tag([Target { uri: contact, q: None }]);
    let redirect = |contact: &str| {
        format!(
            "SIP/2.0 301 Moved\r\nFrom: <sip:a@n.com>;tag=1\r\nTo: <sip:a@n.com>;tag={bound}\r\nCall-ID: 1\r\n\
             CSeq: 1 REGISTER\r\nContact: <{contact}>\r\n\r\n"
        )
    };
    assert_eq!(judge(redirect(contact).as_bytes(), "x").verdict(), Verdict::Holds);
    let (_, difference) = first(&judge(redirect("sip:evil.example").as_bytes(), "x"));
    assert_eq!(difference.spot, Spot::Contacts);
}
