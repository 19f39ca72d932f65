//! Samba is the oracle of NTOWFv2 (decision 37): the proof of its client, for users with rare letters, is the one that we
//! compute, so both upper-case the name in the same way.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use homing_core::auth::ntlm::review::Answer;
use homing_core::secret::Password;
use homing_server_mock::node::authenticator::acceptor::{Challenge, ServerNames};

use crate::peer::{Peer, find, folder};

const PURPOSE: &str = "Samba as oracle of NTOWFv2";
const SOON: Duration = Duration::from_secs(5);
const LETTERS: &str = include_str!("../data/vectors/ntowf_v2_letters.json");
const SERVER_CHALLENGE: &[u8; 8] = b"\x01\x23\x45\x67\x89\xab\xcd\xef";

#[test]
fn samba_upper_cases_the_users_of_the_vectors_as_we_do() {
    let Some(program) = find("ntlm_auth", PURPOSE) else { return };
    let own = folder("samba");
    let config = own.join("smb.conf");
    let places = ["private dir", "state directory", "cache directory", "lock directory", "pid directory"]
        .map(|name| format!("{name} = {}\n", own.display()));
    std::fs::write(&config, format!("[global]\nunix charset = UTF-8\n{}", places.concat())).unwrap();
    let names = ServerNames::of("hs104.network.com", "network.com");
    let challenge = Challenge::new(&names, *SERVER_CHALLENGE, None);
    let vectors: serde_json::Value = serde_json::from_str(LETTERS).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let mut peer = Peer::start(Command::new(&program).args([
            format!("--configfile={}", config.display()),
            "--helper-protocol=ntlmssp-client-1".to_owned(),
            format!("--username={}", text("user")),
            format!("--domain={}", text("domain")),
            format!("--password={}", text("password")),
        ]))
        .unwrap();
        peer.say("YR");
        peer.wait_for(&["YR "], SOON).unwrap();
        peer.say(&format!("TT {}", BASE64.encode(challenge.bytes())));
        // It has no more to say than this token.
        let line = peer.wait_for(&["AF ", "KK ", "BH", "NA"], SOON).unwrap();
        let token = BASE64.decode(line.split_once(' ').unwrap().1).unwrap_or_else(|_| panic!("{line}"));
        let answer = Answer::parse(&token).unwrap();
        assert_eq!(answer.user(), text("user"));
        let fits = |password: &str| {
            let password = Password::new(password);
            answer.recompute(SERVER_CHALLENGE, &answer.domain(), &password).unwrap().fits()
        };
        assert!(fits(text("password")), "{}: Samba computes another NTOWFv2", text("user"));
        assert!(!fits("another"));
    }
}
