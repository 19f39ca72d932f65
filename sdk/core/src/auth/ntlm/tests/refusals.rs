//! What the client refuses, what it ties its answer to, and that no input makes it panic.

use super::part;
use crate::auth::ntlm::av_pair::AvPairs;
use crate::auth::ntlm::client::MicPolicy;
use crate::auth::ntlm::crypto::{hmac_md5, md5};
use crate::auth::ntlm::*;
use crate::secret::Password;

/// A challenge with the given flags and attributes.
fn challenge(flags: u32, attributes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(attributes.len()).unwrap().to_le_bytes();
    let mut token = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0".to_vec();
    token.extend_from_slice(&flags.to_le_bytes());
    token.extend_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    token.extend_from_slice(&[length, length].concat());
    token.extend_from_slice(&[0x38, 0, 0, 0, 5, 2, 0xce, 0x0e, 0, 0, 0, 0x0f]);
    token.extend_from_slice(attributes);
    token
}

const NAMES: &[u8] = b"\x02\0\x02\0D\0\x01\0\x02\0S\0\0\0\0\0";
const OFFER: u32 = 0xe298_82f3;

fn answer(challenge: &[u8], binding: &Binding<'_>) -> Result<(Vec<u8>, SessionKeys), NtlmError> {
    let password = Password::new("Secret-Pass1");
    let who = NtlmIdentity { user: "alice", domain: "NETWORK", workstation: "", password: &password };
    let rng = ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };
    authenticate(challenge, &who, binding, &rng, 133_500_000_000_000_000)
}

#[test]
fn a_challenge_without_a_required_property_is_refused() {
    assert!(answer(&challenge(OFFER, NAMES), &Binding::plain()).is_ok());
    for (flag, name) in flags::REQUIRED {
        let refused = answer(&challenge(OFFER & !flag, NAMES), &Binding::plain());
        assert_eq!(refused.unwrap_err(), NtlmError::Missing(name));
    }
}

#[test]
fn a_challenge_must_name_server_and_domain() {
    for list in [&b""[..], b"\0\0\0\0", b"\x02\0\x02\0D\0\0\0\0\0", b"\x01\0\x02\0S\0\0\0\0\0"] {
        assert_eq!(answer(&challenge(OFFER, list), &Binding::plain()).unwrap_err(), NtlmError::Unnamed);
    }
    let cut = &NAMES[..NAMES.len() - 5];
    assert_eq!(answer(&challenge(OFFER, cut), &Binding::plain()).unwrap_err(), NtlmError::BrokenAttributes);
}

#[test]
fn a_message_check_covers_both_messages() {
    let always = Binding { mic: MicPolicy::Always, ..Binding::plain() };
    let offer = challenge(OFFER, NAMES);
    let (mut token, _) = answer(&offer, &always).unwrap();
    let mic: [u8; 16] = token[72..88].try_into().unwrap();
    token[72..88].fill(0);
    assert_eq!(hmac_md5(&[0x55; 16], &[&offer, &token]), mic);
    let said = AvPairs::new(&part(&token, 20)[44..]).flatten().find(|pair| pair.id == av_pair::FLAGS);
    assert_eq!(said.map(|pair| pair.value), Some(&[2u8, 0, 0, 0][..]));
}

#[test]
fn what_only_a_client_may_say_is_not_copied_from_the_server() {
    let forged = [&b"\x09\0\x02\0X\0\x06\0\x04\0\x03\0\0\0"[..], NAMES].concat();
    let (token, _) = answer(&challenge(OFFER, &forged), &Binding::plain()).unwrap();
    let pairs: Vec<_> = AvPairs::new(&part(&token, 20)[44..]).flatten().collect();
    assert!(pairs.iter().all(|pair| pair.id != av_pair::TARGET_NAME));
    let bits = pairs.iter().find(|pair| pair.id == av_pair::FLAGS).unwrap();
    assert_eq!(bits.value, [1, 0, 0, 0], "the server's own bits stay, the client's bit does not");
}

#[test]
fn a_token_beyond_four_kibibytes_is_not_read() {
    let long = [NAMES, &[0; 4096]].concat();
    assert_eq!(answer(&challenge(OFFER, &long), &Binding::plain()).unwrap_err(), NtlmError::NotAChallenge);
    let fits = [NAMES, &[0; 4000]].concat();
    assert!(
        answer(&challenge(OFFER, &fits), &Binding::plain()).is_ok(),
        "what follows the end mark is ignored"
    );
}

#[test]
fn names_that_do_not_fit_are_an_error() {
    let long = "x".repeat(40_000);
    let binding = Binding { spn: Some(&long), ..Binding::plain() };
    assert_eq!(answer(&challenge(OFFER, NAMES), &binding).unwrap_err(), NtlmError::NameTooLong);
}

#[test]
fn a_channel_binding_hashes_the_gss_structure() {
    let structure =
        [&[0u8; 16][..], &25u32.to_le_bytes(), b"tls-server-end-point:", b"\x01\x02\x03\x04"].concat();
    assert_eq!(client::channel_binding(&[1, 2, 3, 4]), md5(&[&structure]));
}

#[test]
fn secrets_do_not_print() {
    let (_, keys) = answer(&challenge(OFFER, NAMES), &Binding::plain()).unwrap();
    assert_eq!(format!("{keys:?}"), "SessionKeys(…)");
    let rng = ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };
    assert_eq!(format!("{rng:?}"), "ClientRandom(…)");
}

proptest::proptest! {
    #[test]
    fn no_token_makes_the_client_panic(token in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = answer(&token, &Binding::default());
    }

    #[test]
    fn no_mutation_of_a_challenge_makes_the_client_panic(
        changes in proptest::collection::vec((0usize..200, proptest::num::u8::ANY), 1..6),
        length in 0usize..200,
    ) {
        let mut token = challenge(OFFER, NAMES);
        for (at, value) in changes {
            if let Some(byte) = token.get_mut(at) {
                *byte = value;
            }
        }
        token.truncate(length);
        let _ = answer(&token, &Binding::protected("sip/hs1.network.com", None));
    }

    #[test]
    fn attribute_walks_end(list in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        proptest::prop_assert!(AvPairs::new(&list).count() <= list.len());
    }
}
