//! Whole conversations: every proof of the real and the golden ones is found and holds.

use super::*;
use crate::verify::report::{Obstacle, Spot, Totals};

/// Tokens and signatures as the vectors count them.
fn expected(name: &str) -> (usize, usize) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/vectors/");
    let read = |file: &str| -> Value {
        serde_json::from_slice(&std::fs::read(format!("{folder}{file}")).unwrap()).unwrap()
    };
    let real = read("pidgin_sipe_sessions.json");
    let golden = read("patent_and_golden_flows.json");
    let real = real["sessions"].as_array().unwrap().iter().find(|session| session["name"] == name);
    let messages = real.map_or(&golden["golden"][name], |session| &session["messages"]);
    let has =
        |field: &str| messages.as_array().unwrap().iter().filter(|message| !message[field].is_null()).count();
    (has("exported_session_key"), has("signature_buffer"))
}

#[test]
fn every_conversation_is_verified_proof_by_proof() {
    for session in sessions() {
        let report = session.judge();
        let (tokens, signatures) = expected(&session.name);
        let wrong = usize::from(session.name == "corr");
        let missing = usize::from(session.name == "unsig");
        let totals = report.totals();
        let all = Totals { hold: tokens + signatures - wrong, differ: wrong + missing, open: 0 };
        assert_eq!(totals, all, "{}:\n{}", session.name, shown(&report));
        let verdict = if wrong + missing > 0 { Verdict::Differs } else { Verdict::Holds };
        assert_eq!(report.verdict(), verdict, "{}", session.name);
        assert_eq!(report.judged.len(), session.steps.len());
    }
}

#[test]
fn a_corrupted_redirect_and_an_unsigned_one_are_named() {
    let (number, difference) = first(&session("corr").judge());
    assert_eq!(number, 6);
    assert!(matches!(difference.spot, Spot::Checksum | Spot::Signature(_)), "{difference:?}");
    let (number, difference) = first(&session("unsig").judge());
    assert_eq!((number, &difference.cause), (6, &Cause::Missing));
}

#[test]
fn oddities_of_real_clients_are_noted() {
    let odd = notes(&session("tname").judge());
    assert!(odd.iter().any(|note| note.contains("targetname is “(null)” here")), "{odd:?}");
    let refused = notes(&session("upn").judge());
    assert!(refused.iter().any(|note| note.contains("although the password is right")), "{refused:?}");
    let unsigned = notes(&session("p407").judge());
    assert!(unsigned.iter().any(|note| note.contains("unsigned request")), "{unsigned:?}");
}

#[test]
fn a_wrong_password_is_named_and_never_shown() {
    for session in sessions() {
        let report = judge(session.log().as_bytes(), "canary-7f3a9");
        let (_, difference) = first(&report);
        let accepted = !matches!(session.name.as_str(), "upn");
        assert_eq!(difference.spot, Spot::NtProof, "{}", session.name);
        assert_eq!(difference.cause, Cause::WrongPassword { server_accepted: accepted }, "{}", session.name);
        assert_eq!(report.verdict(), Verdict::Differs);
        assert!(!all_output(&report).contains("7f3a9"));
    }
}

#[test]
fn no_secret_is_ever_shown() {
    for session in sessions() {
        let output = all_output(&session.judge());
        assert!(!output.contains(&session.password));
        for text in session.steps.iter().map(|step| &step.text) {
            for name in ["gssapi-data=\"", "rspauth=\"", "response=\""] {
                let value =
                    text.split_once(name).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
                assert!(value.is_empty() || !output.contains(value), "{name} is shown");
            }
        }
    }
}

/// The trace as the phone saves it.
fn saved_trace(session: &Session) -> String {
    let line = |(step, seq): (&Step, usize)| {
        let redacted = homing::trace::Redacted::new(step.text.as_bytes()).to_string();
        let lines: Vec<&str> = redacted.lines().collect();
        serde_json::json!({
            "v": 1, "event": "trace", "seq": seq, "at_us": seq * 10_000, "server": step.server,
            "direction": if step.from_client { "out" } else { "in" }, "text": lines.join("\r\n"),
        })
        .to_string()
    };
    session.steps.iter().zip(1..).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_masked_trace_is_read_and_said_to_prove_nothing() {
    for session in sessions() {
        let report = judge(saved_trace(&session).as_bytes(), &session.password);
        let totals = report.totals();
        assert_eq!((totals.hold, totals.differ), (0, 0), "{}:\n{}", session.name, shown(&report));
        assert!(totals.open > 0);
        assert_eq!(first_obstacle(&report), Some(&Obstacle::Masked));
        assert_eq!(report.verdict(), Verdict::Open);
        assert!(shown(&report).contains("verify a packet capture or an unredacted message log"));
        assert_eq!(report.judged.len(), session.steps.len());
    }
}

#[test]
fn a_recording_that_begins_after_the_log_on_says_so() {
    let mut late = session("a4");
    late.steps.drain(..5);
    let report = late.judge();
    assert!(matches!(first_obstacle(&report), Some(Obstacle::NoLogOn { opaque }) if !opaque.is_empty()));
    assert_eq!((report.totals().hold, report.verdict()), (0, Verdict::Open));
    let mut between = session("a4");
    between.steps.drain(..4);
    assert!(matches!(first_obstacle(&between.judge()), Some(Obstacle::NoChallenge { .. })));
}

#[test]
fn nothing_to_verify_is_no_success() {
    let plain = "OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let report = judge(plain.as_bytes(), "x");
    assert_eq!(report.verdict(), Verdict::Open);
    assert!(shown(&report).contains("nothing in this recording"));
}
