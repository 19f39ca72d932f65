//! gss-ntlmssp checks our tokens and signatures, and we check its, both ways.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use homing_core::auth::ntlm::client::{Binding, ClientRandom, NtlmIdentity, authenticate};
use homing_core::auth::ntlm::session::{SessionKeys, Side};
use homing_core::secret::Password;
use homing_server_mock::node::authenticator::acceptor::{
    Challenge, Claim, Expected, NtHash, Refusal, ServerNames,
};

use crate::peer::{Peer, find, folder};

const PURPOSE: &str = "gss-ntlmssp cross-check";
const SOON: Duration = Duration::from_secs(5);

#[test]
fn gss_ntlmssp_accepts_our_login_and_both_signatures_agree() {
    let Some(program) = find("gss-peer", PURPOSE) else { return };
    let users = folder("gss").join("users");
    std::fs::write(&users, "NETWORK:alice:Secret-Pass1\n").unwrap();
    let mut peer = Peer::start(Command::new(&program).arg("accept").env("NTLM_USER_FILE", &users)).unwrap();
    peer.say("challenge");
    let challenge = token(&mut peer);

    let (message, keys) = our_answer(&challenge, "Secret-Pass1");
    peer.say(&format!("token {}", BASE64.encode(&message)));
    peer.wait_for(&["established"], SOON).unwrap();
    signatures_agree(&mut peer, &keys, Side::Client);
}

#[test]
fn gss_ntlmssp_refuses_our_login_with_a_wrong_password() {
    let Some(program) = find("gss-peer", PURPOSE) else { return };
    let users = folder("gss-wrong").join("users");
    std::fs::write(&users, "NETWORK:alice:Secret-Pass1\n").unwrap();
    let mut peer = Peer::start(Command::new(&program).arg("accept").env("NTLM_USER_FILE", &users)).unwrap();
    peer.say("challenge");
    let challenge = token(&mut peer);
    let (message, _) = our_answer(&challenge, "secret-pass1");
    peer.say(&format!("token {}", BASE64.encode(&message)));
    peer.wait_for(&["refused"], SOON).unwrap();
}

fn our_answer(challenge: &[u8], password: &str) -> (Vec<u8>, SessionKeys) {
    let password = Password::new(password);
    let who = NtlmIdentity { user: "alice", domain: "NETWORK", workstation: "PROOF", password: &password };
    let rng = ClientRandom { client_challenge: [7; 8], exported_session_key: [0x5a; 16] };
    authenticate(challenge, &who, &Binding::default(), &rng, now_filetime()).unwrap()
}

/// Our signature is good there, theirs is good here, and altered texts are not.
fn signatures_agree(peer: &mut Peer, keys: &SessionKeys, we_are: Side) {
    let they_are = we_are.peer();
    let text = b"<NTLM><8733ABCD><1><NetworkCo><homeserver102.network.com><123><3><REGISTER>";
    let mac = keys.sign(we_are, text);
    peer.say(&format!("verify {} {}", BASE64.encode(text), BASE64.encode(mac)));
    assert_eq!(peer.wait_for(&["good", "bad"], SOON).unwrap(), "good");
    peer.say(&format!("verify {} {}", BASE64.encode(b"<NTLM><altered>"), BASE64.encode(mac)));
    assert_eq!(peer.wait_for(&["good", "bad"], SOON).unwrap(), "bad");

    peer.say(&format!("sign {}", BASE64.encode(text)));
    let line = peer.wait_for(&["mic "], SOON).unwrap();
    let theirs: [u8; 16] = BASE64.decode(&line["mic ".len()..]).unwrap().try_into().unwrap();
    assert!(keys.verify(they_are, text, &theirs));
    assert!(!keys.verify(they_are, b"<NTLM><altered>", &theirs));
}

fn token(peer: &mut Peer) -> Vec<u8> {
    let line = peer.wait_for(&["token "], SOON).unwrap();
    BASE64.decode(&line["token ".len()..]).unwrap()
}

fn now_filetime() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    homing_core::time::Wall(since).filetime()
}

#[test]
fn we_accept_the_login_of_gss_ntlmssp_and_both_signatures_agree() {
    let Some(program) = find("gss-peer", PURPOSE) else { return };
    for timestamp in [None, Some(now_filetime())] {
        let mut peer = Peer::start(Command::new(&program).arg("start").arg("NETWORK\\alice")).unwrap();
        peer.say("Secret-Pass1");
        let names = ServerNames::of("hs104.network.com", "network.com");
        let challenge = Challenge::new(&names, *b"\x01\x23\x45\x67\x89\xab\xcd\xef", timestamp);
        peer.say(&format!("token {}", BASE64.encode(challenge.bytes())));
        let answer = token(&mut peer);
        peer.wait_for(&["established"], SOON).unwrap();

        let claim = Claim::read(&answer).unwrap();
        assert_eq!((claim.user.as_str(), claim.domain.as_str()), ("alice", "NETWORK"));
        let expect = Expected { now_filetime: now_filetime(), ..Expected::default() };
        let wrong = expect.verify(&challenge, &answer, Some(NtHash::of("secret-pass1")));
        assert_eq!(wrong.err(), Some(Refusal::Password));
        let Ok(accepted) = expect.verify(&challenge, &answer, Some(NtHash::of("Secret-Pass1"))) else {
            panic!("a right password was refused (timestamp {timestamp:?})")
        };
        let keys = SessionKeys::derive(&accepted.exported_session_key, accepted.flags);
        signatures_agree(&mut peer, &keys, Side::Server);
    }
}
