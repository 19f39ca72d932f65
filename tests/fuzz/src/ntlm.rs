//! Tokens of NTLM: a client meets any CHALLENGE, an acceptor any AUTHENTICATE.

use homing_core::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, authenticate};
use homing_core::secret::Password;
use homing_server_mock::node::authenticator::acceptor::{Challenge, Claim, ServerNames};

/// The same octets at both ends.
pub fn check(octets: &[u8]) {
    let password = Password::new("Canary-7f3a-Pass");
    let who = NtlmIdentity { user: "alice", domain: "NETWORK", workstation: "PC", password: &password };
    let chance = ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };
    for binding in [Binding::plain(), Binding::protected("sip/hs1.network.com", Some([7; 16]))] {
        if let Ok((token, _)) = authenticate(octets, &who, &binding, &chance, 133_500_000_000_000_000) {
            assert!(token.len() < 16_384, "{} octets", token.len());
            let claim = Claim::read(&token).expect("our own token can be read at the other end");
            assert_eq!((claim.user.as_str(), claim.domain.as_str()), ("alice", "NETWORK"));
        }
    }
    let _claim = Claim::read(octets);
    let names = ServerNames::of("hs1.network.com", "network.com");
    let _challenge =
        Challenge::new(&names, [1; 8], octets.first_chunk().map(|ticks| u64::from_le_bytes(*ticks)));
}
