//! Every way of breaking a challenge, at a client: the login fails with a code, a cause and a next step, no
//! credentials leave, and it is counted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_core::counter::Counter;
use homing_server_mock::fault::{Fault, Rule};
use homing_server_mock::journal::Entry;

use crate::client::{alice, estate, register, run, user_agent};
use homing_tests::test_bed::CANARY;

const NAMES: &str = "realm=\"SIP Communications Service\", targetname=\"lb.network.com\"";

/// A CHALLENGE message with these flags and this field of target information, offsets as told.
fn token(flags: u32, (length, offset): (u16, u32), information: &[u8]) -> String {
    let mut token = b"NTLMSSP\0\x02\0\0\0".to_vec();
    token.extend([0; 4]);
    token.extend(56u32.to_le_bytes());
    token.extend(flags.to_le_bytes());
    token.extend([7; 8]);
    token.extend([0; 8]);
    token.extend(length.to_le_bytes());
    token.extend(length.to_le_bytes());
    token.extend(offset.to_le_bytes());
    token.extend([0; 8]);
    token.extend(information);
    STANDARD.encode(token)
}

/// What real servers ask for.
const GOOD_FLAGS: u32 = 0xe298_82f3;

fn with_token(token: &str) -> String {
    format!("NTLM {NAMES}, opaque=\"0A0B0C0D\", gssapi-data=\"{token}\", version=4")
}

/// Name, value of WWW-Authenticate, code.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    // A domain's NetBIOS name that is said to be longer than what follows.
    let overlong = [2, 0, 0xff, 0x7f, b'N', 0];
    let unnamed = [0; 4];
    vec![
        ("nothing", String::new(), "E0602"),
        ("a scheme alone", "NTLM".to_owned(), "E0602"),
        ("a scheme nobody knows", "Bearer realm=\"network.com\"".to_owned(), "E0602"),
        ("clear-text passwords", "Basic realm=\"network.com\"".to_owned(), "E0602"),
        ("the scheme two thousand times", "NTLM,".repeat(2_000), "E0602"),
        ("no target", "NTLM realm=\"SIP Communications Service\", version=4".to_owned(), "E0602"),
        ("two targets", format!("NTLM {NAMES}, targetname=\"hs9.network.com\""), "E0602"),
        ("a version from the future", format!("NTLM {NAMES}, version=9"), "E0602"),
        ("another server's name", NAMES.replacen("realm", "NTLM realm", 1).replace("lb.", "hs102."), "E0605"),
        ("an opaque without end", format!("NTLM {NAMES}, opaque=\"{}\"", "o".repeat(300)), "E0604"),
        ("a token that is no base64", with_token("***"), "E0604"),
        ("a token cut short", with_token("TlRMTVNTUAACAAAA"), "E0604"),
        ("a token of nothing, 12 KiB of it", with_token(&"A".repeat(12_000)), "E0604"),
        ("another kind of token", with_token("TlRMTVNTUAABAAAAB4IIogAAAAA="), "E0604"),
        ("weak flags", with_token(&token(0x0000_8201, (4, 56), &unnamed)), "E0604"),
        ("offsets beyond the token", with_token(&token(GOOD_FLAGS, (4, 0xffff_fff0), &unnamed)), "E0604"),
        ("a list longer than the token", with_token(&token(GOOD_FLAGS, (0xffff, 56), &unnamed)), "E0604"),
        ("names longer than their list", with_token(&token(GOOD_FLAGS, (6, 56), &overlong)), "E0604"),
        ("no names at all", with_token(&token(GOOD_FLAGS, (4, 56), &unnamed)), "E0604"),
        ("Digest without a nonce", "Digest realm=\"network.com\", qop=\"auth\"".to_owned(), "E0602"),
        (
            "Digest by an algorithm from the future",
            "Digest realm=\"network.com\", nonce=\"1\", algorithm=SHA-9".to_owned(),
            "E0602",
        ),
    ]
}

#[test]
fn every_broken_challenge_ends_the_login_with_a_code_and_sends_no_credentials() {
    run(async {
        let estate = estate(45).start().await.unwrap();
        let lb = estate.node("lb");
        let mut seen = String::new();
        for (name, value, code) in cases() {
            lb.clear_faults();
            lb.inject_fault(Rule::always(Fault::Challenge(value)));
            let written = lb.journal().len();
            let ua = user_agent(&estate);
            let account = alice(&ua);
            let error = register(&estate, &account).await.expect_err(name);
            assert_eq!(error.code(), code, "{name}: {error}");
            assert!(error.is_auth() && error.hint().len() > 10, "{name}: {error}");
            assert_eq!(error.server().map(|server| server.host.as_str()), Some("lb.network.com"), "{name}");
            assert_eq!(ua.counters().of(Counter::RefusedChallenge), 1, "{name}");
            let heard = lb.journal().split_off(written).into_iter().filter(Entry::is_received);
            let heard: Vec<String> = heard.filter_map(|entry| entry.text()).collect();
            assert_eq!(heard.len(), 1, "{name}: one REGISTER and no more\n{heard:#?}");
            assert!(!heard[0].contains("uthorization"), "{name}: credentials were sent");
            seen += &format!("{error} {error:?} {} {:?}", error.hint(), ua.counters());
            seen.extend(ua.trace().entries(0).iter().map(|entry| entry.text()));
        }
        seen += &estate.journal().json();
        assert!(!seen.contains(CANARY), "the password leaked");
        lb.clear_faults();
        let ua = user_agent(&estate);
        register(&estate, &alice(&ua)).await.expect("an honest server is signed in to");
    });
}
