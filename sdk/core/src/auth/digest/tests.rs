//! Digest against the RFCs' examples, computed cases, and the awkward ones.

use homing_wire::Auth;
use serde_json::Value;

use super::*;
use crate::secret::Password;
use crate::tests::suite;

fn input<'a>(case: &'a Value, names: [&'a str; 3], password: &'a Password) -> DigestInput<'a> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let [algorithm, user, body] = names;
    let mut algorithm = Algorithm::parse(text(algorithm)).unwrap();
    algorithm.session |= case["sess"].as_bool().unwrap_or_default();
    DigestInput {
        algorithm,
        user: text(user),
        realm: text("realm"),
        secret: Secret::Password(password),
        method: text("method"),
        uri: text("uri"),
        nonce: text("nonce"),
        nc: text("nc"),
        cnonce: text("cnonce"),
        qop: case["qop"].as_str().and_then(Qop::choose),
        body: text(body).as_bytes(),
    }
}

fn prove(case: &Value, input: &DigestInput<'_>, password: &Password) {
    let expected = case["response"].as_str().unwrap();
    assert_eq!(response(input), expected, "{case}");
    let hashed = HashedSecret::new(input.algorithm, input.user, input.realm, password);
    let stored = DigestInput { secret: Secret::Hashed(&hashed), ..*input };
    assert!(verify(&stored, &expected.to_uppercase()), "{case}");
    for wrong in ["", &expected[1..], &expected.replacen(&expected[..1], "g", 1)] {
        assert!(!verify(&stored, wrong), "{case}");
    }
    if let Some(expected) = case["userhash"].as_str() {
        assert_eq!(userhash(input.algorithm, input.user, input.realm), expected);
    }
}

#[test]
fn published_and_computed_cases_are_reproduced() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/vectors/digest.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 17);
    for case in cases {
        let password = Password::new(case["pw"].as_str().unwrap());
        prove(case, &input(case, ["alg", "user", "body"], &password), &password);
    }
}

#[test]
fn the_digest_suite_is_reproduced() {
    let text = suite("digest/vectors.json");
    let all: Value = serde_json::from_str(&text).unwrap();
    let cases = all["vectors"].as_array().unwrap();
    assert_eq!(cases.len(), 34);
    for case in cases {
        let password = Password::new(case["password"].as_str().unwrap());
        prove(case, &input(case, ["algorithm", "username", "body"], &password), &password);
    }
}

fn auth(text: &str) -> Auth<'_> {
    Auth::parse(text.as_bytes()).unwrap()
}

const BASE: &str = r#"realm="network.com", nonce="84f1c1ae""#;

fn challenge(more: &str) -> Result<DigestChallenge, DigestError> {
    DigestChallenge::parse(&auth(&format!("Digest {BASE}{more}")))
}

fn session(more: &str) -> DigestSession {
    DigestSession::new(challenge(more).unwrap(), "alice", &Password::new("Secret-Pass1"))
}

/// What a server says to these credentials.
fn server_accepts(credentials: &str, method: &str, body: &[u8]) -> bool {
    let auth = auth(credentials);
    let credentials = DigestCredentials::parse(&auth).unwrap();
    let password = Password::new("Secret-Pass1");
    assert!(credentials.is_from("alice") && !credentials.is_from("bob"));
    credentials.check(method, body, "alice", Secret::Password(&password))
}

#[test]
fn the_strongest_challenge_is_answered_whatever_the_order() {
    let offers = [
        format!(r#"Digest {BASE}, algorithm=MD5, qop="auth""#),
        format!(r#"Digest {BASE}, algorithm=SHA-256, qop="auth""#),
        r#"NTLM realm="r", targetname="t""#.to_owned(),
        format!(r#"Digest {BASE}, algorithm=SHA-512-256, qop="auth""#),
        format!(r#"Digest {BASE}, algorithm=SHA-512-256-sess, qop="auth""#),
        format!(r#"Digest {BASE}, algorithm=AKAv1-MD5, qop="auth""#),
    ];
    let pick = |offers: &[&String], md5| {
        let picked = strongest_of_each_realm(
            offers.iter().map(|text| auth(text)),
            DigestRules { allow_md5: md5, require_qop: false },
        );
        assert!(picked.len() <= 1, "all are of one realm");
        picked.first().map(|challenge| challenge.algorithm().name())
    };
    let all: Vec<_> = offers.iter().collect();
    assert_eq!(pick(&all, true), Some("SHA-512-256"));
    assert_eq!(pick(&[all[4], all[3]], true), Some("SHA-512-256-sess"), "among equals the first");
    assert_eq!(pick(&all[..2], true), Some("SHA-256"));
    assert_eq!(pick(&all[..1], true), Some("MD5"));
    assert_eq!(pick(&all[..1], false), None, "MD5 only where the account allows it");
    assert_eq!(pick(&[all[2], all[5]], true), None);
}

#[test]
fn each_realm_has_its_strongest_challenge_in_the_order_the_realms_come() {
    let offers = [
        r#"Digest realm="proxy", nonce="p1", algorithm=SHA-256, qop="auth""#,
        r#"Digest realm="registrar", nonce="r1", algorithm=SHA-256, qop="auth""#,
        r#"Digest realm="proxy", nonce="p2", algorithm=SHA-512-256, qop="auth""#,
    ];
    let picked = strongest_of_each_realm(offers.iter().map(|text| auth(text)), DigestRules::default());
    let nonces: Vec<_> = picked.iter().map(|challenge| (challenge.realm(), challenge.nonce())).collect();
    assert_eq!(nonces, [("proxy".into(), "p2"), ("registrar".into(), "r1")]);
}

#[test]
fn malformed_challenges_are_refused_with_their_reason() {
    assert_eq!(DigestChallenge::parse(&auth("NTLM realm=\"r\"")), Err(DigestError::OtherScheme));
    assert_eq!(DigestChallenge::parse(&auth("Digest realm=\"r\"")), Err(DigestError::Incomplete));
    assert_eq!(DigestChallenge::parse(&auth("Digest nonce=\"n\"")), Err(DigestError::Incomplete));
    assert_eq!(challenge(", algorithm=SHA-1"), Err(DigestError::UnknownAlgorithm));
    assert_eq!(challenge(", qop=\"auth-conf\""), Err(DigestError::UnknownQop));
    assert_eq!(challenge(", algorithm=MD5-sess"), Err(DigestError::UnknownQop));
    assert_eq!(challenge(", nonce=\"other\""), Err(DigestError::Conflicting));
    for nonce in [")a4\"", "a\u{1}b", "a\\"] {
        let text = format!("Digest realm=\"r\", nonce={nonce}");
        assert_eq!(DigestChallenge::parse(&auth(&text)), Err(DigestError::Incomplete), "{nonce:?}");
    }
}

#[test]
fn quality_of_protection_is_chosen_from_a_list() {
    assert_eq!(challenge("").unwrap().qop(), None);
    assert_eq!(challenge(", qop=\"auth-int, auth\"").unwrap().qop(), Some(Qop::Auth));
    assert_eq!(challenge(", qop=\"AUTH,token\"").unwrap().qop(), Some(Qop::Auth));
    assert_eq!(challenge(", qop=\"auth-int\"").unwrap().qop(), Some(Qop::AuthInt));
    assert_eq!(challenge(", qop=auth").unwrap().qop(), Some(Qop::Auth));
}

#[test]
fn the_nonce_is_counted_and_its_successor_followed() {
    let mut session = session(", algorithm=SHA-256, qop=\"auth\", opaque=\"o=1\"");
    let first = session.authorization("REGISTER", "sip:network.com", b"", "c1").to_string();
    let second = session.authorization("REGISTER", "sip:network.com", b"", "c2").to_string();
    for (credentials, nc) in [(&first, "00000001"), (&second, "00000002")] {
        assert!(server_accepts(credentials, "REGISTER", b""), "{credentials}");
        assert!(!server_accepts(credentials, "INVITE", b""), "{credentials}");
        assert_eq!(auth(credentials).param("nc"), Some(nc));
        assert_eq!(auth(credentials).param("opaque"), Some("o=1"));
        assert!(
            credentials.contains("algorithm=SHA-256") && credentials.contains("qop=auth, nc="),
            "{credentials}"
        );
    }
    let verdict = session.handle_info(&auth("Digest nextnonce=\"fresh\""), asked("c2", "00000002"));
    assert_eq!(verdict, InfoVerdict::Unproved);
    let third = session.authorization("REGISTER", "sip:network.com", b"", "c3").to_string();
    assert_eq!((auth(&third).param("nonce"), auth(&third).param("nc")), (Some("fresh"), Some("00000001")));
    assert!(server_accepts(&third, "REGISTER", b""));
}

#[test]
fn a_stale_nonce_is_replaced_without_the_password() {
    let mut session = session(", algorithm=SHA-256, qop=\"auth\"");
    session.authorization("REGISTER", "sip:network.com", b"", "c1");
    let parse = |text: &str| DigestChallenge::parse(&auth(text)).unwrap();
    let fresh = r#"Digest realm="network.com", nonce="n2", algorithm=SHA-256, qop="auth", stale=true"#;
    assert_eq!(session.renew(parse(fresh)), Ok(()));
    let credentials = session.authorization("REGISTER", "sip:network.com", b"", "c2").to_string();
    assert!(server_accepts(&credentials, "REGISTER", b""));
    let read = auth(&credentials);
    assert_eq!((read.param("nonce"), read.param("nc")), (Some("n2"), Some("00000001")));
    assert!(
        session.renew(parse(&fresh.replace("network.com", "evil.example"))).is_err(),
        "another realm, another secret"
    );
    assert!(session.renew(parse(&fresh.replace("SHA-256", "MD5"))).is_err(), "no step down");
    assert_eq!(session.challenge().algorithm().name(), "SHA-256");
}

#[test]
fn malformed_credentials_are_refused_with_their_reason() {
    let good =
        session(", algorithm=SHA-256, qop=\"auth\"").authorization("REGISTER", "sip:x", b"", "c").to_string();
    let refused = |text: &str| DigestCredentials::parse(&auth(text)).unwrap_err();
    for name in ["username", "realm", "nonce", "uri", "response", "cnonce", "nc"] {
        assert_eq!(refused(&good.replacen(&format!("{name}="), "x=", 1)), DigestError::Incomplete, "{name}");
    }
    assert_eq!(refused(&good.replace("00000001", "1")), DigestError::Incomplete);
    assert_eq!(refused(&good.replace("00000001", "0000000g")), DigestError::Incomplete);
    assert_eq!(refused(&good.replace("SHA-256", "SHA-1")), DigestError::UnknownAlgorithm);
    assert_eq!(refused(&good.replace("qop=auth", "qop=none")), DigestError::UnknownQop);
    assert_eq!(refused(&good.replace("Digest", "NTLM")), DigestError::OtherScheme);
    assert_eq!(refused(&format!("{good}, realm=\"other\"")), DigestError::Conflicting);
    assert_eq!(DigestCredentials::parse(&auth(&good.replace("00000001", "000000fF"))).unwrap().count(), 255);
}

#[test]
fn a_server_proves_itself_or_is_caught() {
    let mut session = session(", algorithm=SHA-256, qop=\"auth\"");
    session.authorization("REGISTER", "sip:network.com", b"", "c1");
    let password = Password::new("Secret-Pass1");
    let proof = response(&DigestInput {
        algorithm: Algorithm::parse("SHA-256").unwrap(),
        user: "alice",
        realm: "network.com",
        secret: Secret::Password(&password),
        method: "",
        uri: "sip:network.com",
        nonce: "84f1c1ae",
        nc: "00000001",
        cnonce: "c1",
        qop: Some(Qop::Auth),
        body: b"",
    });
    let info = format!("Digest rspauth=\"{proof}\", cnonce=\"c1\", nc=00000001, qop=auth, nextnonce=\"n2\"");
    for forged in
        [info.replace(&proof[..4], "0000"), info.replace("c1", "c0"), info.replace("00000001", "00000002")]
    {
        assert_eq!(session.handle_info(&auth(&forged), asked("c1", "00000001")), InfoVerdict::Wrong);
        assert_eq!(session.challenge().nonce(), "84f1c1ae", "a wrong proof rotates nothing");
    }
    assert_eq!(session.handle_info(&auth(&info), asked("c1", "00000001")), InfoVerdict::Proved);
    assert_eq!(session.challenge().nonce(), "n2");
}

#[test]
fn the_session_form_keeps_its_first_client_nonce() {
    let mut session = session(", algorithm=SHA-256-sess, qop=\"auth\"");
    for nc in ["00000001", "00000002"] {
        let credentials = session.authorization("REGISTER", "sip:network.com", b"", nc).to_string();
        assert_eq!(auth(&credentials).param("cnonce"), Some("00000001"));
        assert_eq!(auth(&credentials).param("nc"), Some(nc));
        assert!(server_accepts(&credentials, "REGISTER", b""), "{credentials}");
    }
}

#[test]
fn a_new_challenge_binds_the_session_form_anew() {
    let mut session = session(", algorithm=SHA-256-sess, qop=\"auth\"");
    session.authorization("REGISTER", "sip:network.com", b"", "c1");
    let fresh = r#"Digest realm="network.com", nonce="n2", algorithm=SHA-256-sess, qop="auth""#;
    assert_eq!(session.renew(DigestChallenge::parse(&auth(fresh)).unwrap()), Ok(()));
    let credentials = session.authorization("REGISTER", "sip:network.com", b"", "c2").to_string();
    assert_eq!(auth(&credentials).param("cnonce"), Some("c2"));
    assert!(server_accepts(&credentials, "REGISTER", b""));
}

#[test]
fn the_body_is_covered_where_asked_for() {
    let mut session = session(", algorithm=SHA-512-256, qop=\"auth-int\"");
    let credentials = session.authorization("INVITE", "sip:bob@network.com", b"v=0\r\n", "c").to_string();
    assert!(server_accepts(&credentials, "INVITE", b"v=0\r\n"));
    assert!(!server_accepts(&credentials, "INVITE", b"v=1\r\n"));
}

#[test]
fn the_old_form_sends_neither_counter_nor_client_nonce() {
    let credentials = session("").authorization("REGISTER", "sip:network.com", b"", "c").to_string();
    assert!(server_accepts(&credentials, "REGISTER", b""));
    for absent in ["cnonce", "nc", "qop", "algorithm", "opaque", "userhash"] {
        assert_eq!(auth(&credentials).param(absent), None, "{absent}");
    }
}

#[test]
fn a_user_name_stays_within_its_quotes() {
    for user in ["a\"lice", "ali\\ce", "Jäsøn Doe", "x\", realm=\"y"] {
        let challenge = challenge(", algorithm=SHA-256, qop=\"auth\"").unwrap();
        let mut session = DigestSession::new(challenge, user, &Password::new("p"));
        let credentials = session.authorization("REGISTER", "sip:network.com", b"", "c").to_string();
        let read = auth(&credentials);
        assert_eq!(unescape(read.param("username").unwrap()), user);
        assert_eq!(read.param("realm"), Some("network.com"));
    }
}

#[test]
fn a_hashed_user_name_tells_nobody_who_it_is() {
    let mut session = session(", algorithm=SHA-256, qop=\"auth\", userhash=true");
    let credentials = session.authorization("REGISTER", "sip:network.com", b"", "c").to_string();
    let expected = userhash(Algorithm::parse("SHA-256").unwrap(), "alice", "network.com");
    assert_eq!(auth(&credentials).param("username"), Some(&*expected));
    assert_eq!(auth(&credentials).param("userhash"), Some("true"));
    assert!(!credentials.contains("alice"));
    assert!(server_accepts(&credentials, "REGISTER", b""));
}

#[test]
fn a_realm_with_quotes_goes_back_as_it_came_and_is_hashed_as_it_reads() {
    let text = r#"Digest realm="the \"inner\" realm", nonce="n", algorithm=SHA-256, qop="auth", stale=TRUE"#;
    let challenge = DigestChallenge::parse(&auth(text)).unwrap();
    assert_eq!(challenge.realm(), "the \"inner\" realm");
    assert!(challenge.stale());
    let mut session = DigestSession::new(challenge, "alice", &Password::new("Secret-Pass1"));
    let credentials = session.authorization("REGISTER", "sip:network.com", b"", "c").to_string();
    assert!(credentials.contains(r#"realm="the \"inner\" realm""#), "{credentials}");
    assert!(server_accepts(&credentials, "REGISTER", b""));
}

#[test]
fn secrets_do_not_print() {
    let shown = format!("{:?} {:?}", session(", qop=auth"), HashedSecret::from_hex("AABB"));
    assert!(!shown.to_lowercase().contains("aabb") && shown.contains("HashedSecret(•••)"), "{shown}");
}

proptest::proptest! {
    #[test]
    fn no_challenge_makes_the_client_panic(noise in "[ -~]{0,80}", known in 0usize..4) {
        let known = ["", ", qop=\"auth\"", ", algorithm=SHA-256-sess", ", userhash=true"][known];
        let text = format!("Digest {BASE}{known}, {noise}");
        let parsed = Auth::parse(text.as_bytes());
        if let Some((auth, Ok(challenge))) = parsed.map(|auth| (auth.clone(), DigestChallenge::parse(&auth))) {
            let mut session = DigestSession::new(challenge, "alice", &Password::new("p"));
            let credentials = session.authorization("REGISTER", "sip:network.com", b"", "c").to_string();
            proptest::prop_assert!(!credentials.contains(['\r', '\n']));
            session.handle_info(&auth, asked("c", "00000001"));
        }
    }
}

/// A REGISTER under the first nonce, with this client nonce and count.
fn asked<'a>(cnonce: &'a str, nc: &'a str) -> AnsweredRequest<'a> {
    AnsweredRequest { uri: "sip:network.com", body: b"", nonce: "84f1c1ae", nc, cnonce, session_key: None }
}

#[test]
fn a_proof_for_an_earlier_request_proves_nothing_of_this_one() {
    let mut session = session(", algorithm=SHA-256, qop=\"auth\"");
    session.authorization("REGISTER", "sip:network.com", b"", "c1");
    session.authorization("REGISTER", "sip:network.com", b"", "c2");
    let password = Password::new("Secret-Pass1");
    let proof = |nc: &str, cnonce: &str| {
        let input = DigestInput {
            algorithm: Algorithm::parse("SHA-256").unwrap(),
            user: "alice",
            realm: "network.com",
            secret: Secret::Password(&password),
            method: "",
            uri: "sip:network.com",
            nonce: "84f1c1ae",
            nc,
            cnonce,
            qop: Some(Qop::Auth),
            body: b"",
        };
        format!("Digest rspauth=\"{}\"", response(&input))
    };
    let (old, new) = (proof("00000001", "c1"), proof("00000002", "c2"));
    let named = format!("{old}, nc=00000001, cnonce=\"c1\"");
    for wrong in [&old, &named] {
        assert_eq!(session.handle_info(&auth(wrong), asked("c2", "00000002")), InfoVerdict::Wrong);
    }
    assert_eq!(session.handle_info(&auth(&new), asked("c2", "00000002")), InfoVerdict::Proved);
    // The answer to the earlier request, come late, is judged by that one.
    assert_eq!(session.handle_info(&auth(&named), asked("c1", "00000001")), InfoVerdict::Proved);
}

/// RFC 7616 section 3.4.2: the key of a `-sess` session is that of the nonces it began with.
#[test]
fn a_proof_for_a_request_of_an_earlier_session_is_judged_by_its_key() {
    let mut session = session(", algorithm=SHA-256-sess, qop=\"auth\"");
    session.authorization("REGISTER", "sip:network.com", b"", "c1");
    let key = session.session_key().unwrap().clone();
    let input = DigestInput {
        algorithm: Algorithm::parse("SHA-256-sess").unwrap(),
        user: "",
        realm: "",
        secret: Secret::Bound(&key),
        method: "",
        uri: "sip:network.com",
        nonce: "84f1c1ae",
        nc: "00000001",
        cnonce: "c1",
        qop: Some(Qop::Auth),
        body: b"",
    };
    let proof = format!("Digest rspauth=\"{}\"", response(&input));
    let fresh = r#"Digest realm="network.com", nonce="n2", algorithm=SHA-256-sess, qop="auth""#;
    assert_eq!(session.renew(DigestChallenge::parse(&auth(fresh)).unwrap()), Ok(()));
    session.authorization("REGISTER", "sip:network.com", b"", "c2");
    let first = AnsweredRequest { session_key: Some(&key), ..asked("c1", "00000001") };
    assert_eq!(session.handle_info(&auth(&proof), first), InfoVerdict::Proved);
    let key = session.session_key().unwrap().clone();
    let second = AnsweredRequest { session_key: Some(&key), ..asked("c1", "00000001") };
    assert_eq!(session.handle_info(&auth(&proof), second), InfoVerdict::Wrong);
}

#[test]
fn without_a_quality_of_protection_only_md5_is_answered_and_only_where_allowed() {
    let picked = |algorithm: &str, allow_md5: bool, require_qop: bool| {
        let text = format!("Digest realm=\"r\", nonce=\"n\", algorithm={algorithm}");
        let rules = DigestRules { allow_md5, require_qop };
        strongest_of_each_realm([auth(&text)].into_iter(), rules).len()
    };
    assert_eq!(picked("MD5", true, false), 1);
    for (algorithm, allow_md5, require_qop) in
        [("MD5", false, false), ("MD5", true, true), ("SHA-256", true, false), ("SHA-512-256", true, false)]
    {
        assert_eq!(picked(algorithm, allow_md5, require_qop), 0, "{algorithm} {allow_md5} {require_qop}");
    }
}
