//! Digest conversations: good ones, and each parameter changed.

use homing::offline::digest::{DigestChallenge, DigestSession};
use homing::offline::{Auth, Message};

use super::*;
use crate::verify::report::Spot;

const PASSWORD: &str = "Circle-Of-Life";

/// A registration with a refresh, answered by a client of our own.
fn conversation(challenge: &str) -> Session {
    let step = |from_client, text: String| Step { from_client, server: "pbx.example".into(), text };
    let head = |cseq: u32, auth: &str| {
        format!(
            "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK{cseq}\r\nFrom: <sip:mufasa@example.com>;tag=1\r\n\
             To: <sip:mufasa@example.com>\r\nCall-ID: c1\r\nCSeq: {cseq} REGISTER\r\n{auth}Content-Length: 0\r\n\r\n"
        )
    };
    let parsed = DigestChallenge::parse(&Auth::parse(challenge.as_bytes()).unwrap()).unwrap();
    let mut answering = DigestSession::new(parsed, "mufasa", &Password::new(PASSWORD));
    let mut steps = Vec::new();
    let request = "REGISTER sip:example.com SIP/2.0\r\n";
    steps.push(step(true, format!("{request}{}", head(1, ""))));
    let offer = format!("WWW-Authenticate: {challenge}\r\n");
    steps.push(step(false, format!("SIP/2.0 401 Unauthorized\r\n{}", head(1, &offer))));
    for (cseq, cnonce) in [(2, "0a4f113b"), (3, "5ccc069c")] {
        let answer = answering.authorization("REGISTER", "sip:example.com", b"", cnonce);
        let auth = format!("Authorization: {answer}\r\n");
        steps.push(step(true, format!("{request}{}", head(cseq, &auth))));
        steps.push(step(false, format!("SIP/2.0 200 OK\r\n{}", head(cseq, ""))));
    }
    for one in &steps {
        Message::parse(one.text.clone().into_bytes()).unwrap();
    }
    Session { name: "digest".into(), password: PASSWORD.into(), steps }
}

const CHALLENGES: [&str; 5] = [
    "Digest realm=\"example\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256",
    "Digest realm=\"example\", nonce=\"n1\", qop=\"auth-int\", algorithm=MD5",
    "Digest realm=\"example\", nonce=\"n1\"",
    "Digest realm=\"ex\\\"ample\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-512-256-sess",
    "Digest realm=\"example\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256, userhash=true",
];

#[test]
fn every_form_is_verified() {
    for challenge in CHALLENGES {
        let report = conversation(challenge).judge();
        assert_eq!(
            (report.totals().hold, report.verdict()),
            (2, Verdict::Holds),
            "{challenge}:\n{}",
            shown(&report)
        );
        let wrong = judge(conversation(challenge).log().as_bytes(), "other");
        assert_eq!(first(&wrong).1.cause, Cause::WrongPassword { server_accepted: true });
    }
}

#[test]
fn the_changed_parameter_is_named() {
    for (old, new, name) in [
        ("uri=\"sip:example.com\"", "uri=\"sip:elsewhere.com\"", "uri"),
        ("realm=\"example\"", "realm=\"exemple\"", "realm"),
        ("nc=00000001", "nc=00000009", "nc"),
        ("algorithm=SHA-256", "algorithm=MD5", "algorithm"),
        ("nonce=\"n1\"", "nonce=\"n2\"", "nonce"),
        ("REGISTER sip:example.com SIP", "SUBSCRIBE sip:example.com SIP", "method"),
    ] {
        let session = conversation(CHALLENGES[0]).altered(2, old, new);
        let report = session.judge();
        let (number, difference) = first(&report);
        assert_eq!((number, difference.spot), (3, Spot::Parameter(name)), "{}", shown(&report));
        assert!(is_altered(&difference.cause));
    }
}

#[test]
fn a_repeated_count_is_a_replay() {
    let mut session = conversation(CHALLENGES[0]);
    let again = session.steps[2].clone();
    session.steps.push(again);
    let (number, difference) = first(&session.judge());
    assert_eq!((number, difference.spot), (7, Spot::Parameter("nc")));
    assert_eq!(difference.cause, Cause::Replayed { number: Some(3) });
}
