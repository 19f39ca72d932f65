//! Auth headers: challenges, credentials and signatures in the one lenient grammar, and what reads them.

use homing_core::auth::digest::{
    DigestChallenge, DigestCredentials, DigestRules, DigestSession, Secret, strongest_of_each_realm, unescape,
};
use homing_core::auth::security_association::SigningChallenge;
use homing_core::secret::Password;
use homing_wire::Auth;

/// Reads octets as the value of an auth header.
pub fn check(octets: &[u8]) {
    let Some(auth) = Auth::parse(octets) else { return };
    for (name, value) in auth.params() {
        assert!(!name.is_empty());
        let _plain = unescape(value);
    }
    let password = Password::new("Canary-7f3a-Pass");
    if let Ok(challenge) = DigestChallenge::parse(&auth) {
        let mut session = DigestSession::new(challenge, "alice", &password);
        let answer = session.authorization("REGISTER", "sip:network.com", b"", "0a4f113b").to_string();
        assert!(!answer.contains("Canary"), "{answer}");
        let read = Auth::parse(answer.as_bytes()).expect("our own answer can be read");
        assert!(!answer.contains(['\r', '\n', '\0']), "{answer:?}");
        let credentials = DigestCredentials::parse(&read).expect("and understood");
        assert!(credentials.check("REGISTER", b"", "alice", Secret::Password(&password)), "{answer}");
    }
    let strongest = strongest_of_each_realm([auth.clone(), auth.clone()].into_iter(), DigestRules::default());
    assert!(strongest.len() <= 1, "one realm has one");
    if let Ok(credentials) = DigestCredentials::parse(&auth) {
        let _count = (credentials.count(), credentials.is_from("alice"));
        assert!(!credentials.check("REGISTER", b"", "alice", Secret::Password(&password)));
    }
    if let Ok(challenge) = SigningChallenge::parse(&auth) {
        let opening = challenge.name.opening().to_string();
        assert!(!opening.contains(['\r', '\n', '\0']), "{opening:?}");
    }
    let _debug = format!("{auth:?}");
}
