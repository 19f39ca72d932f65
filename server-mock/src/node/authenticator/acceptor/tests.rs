//! The acceptor against recorded and generated exchanges, and against every weakened token.

use serde_json::Value;

use super::challenge::{Challenge, ServerNames};
use super::crypto::{NtHash, hmac_md5};
use super::flag;
use super::refusal::Refusal;
use super::verdict::{Claim, Expected};

fn vectors() -> Vec<Value> {
    let text = include_str!("../../../../../tests/data/vectors/ntlm_datagram.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all["ess"].as_array().unwrap().clone()
}

fn vector(name: &str) -> Value {
    vectors().into_iter().find(|case| case["name"] == name).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The challenge of a vector, rebuilt by our own writer from the names inside it.
fn challenge(case: &Value) -> Challenge {
    let bytes = hex(&case["challenge_message"]);
    let pairs = super::av::read(&bytes[56..]).unwrap();
    let text = |id| super::crypto::from_utf16(super::av::find(&pairs, id).unwrap()).unwrap();
    let names = ServerNames {
        netbios_domain: text(2),
        netbios_computer: text(1),
        dns_domain: text(4),
        dns_computer: text(3),
    };
    let nonce = hex(&case["server_challenge"]).try_into().unwrap();
    let ticks =
        super::av::find(&pairs, 7).map(|value| u64::from_le_bytes(<[u8; 8]>::try_from(value).unwrap()));
    let rebuilt = Challenge::new(&names, nonce, ticks);
    assert_eq!(rebuilt.bytes(), bytes, "{}", case["name"]);
    rebuilt
}

fn expectation(case: &Value) -> Expected<'static> {
    Expected { now_filetime: case["timestamp_filetime"].as_u64().unwrap(), ..Expected::default() }
}

fn password(case: &Value) -> Option<NtHash> {
    Some(NtHash::of(case["password"].as_str().unwrap()))
}

fn verdict(case: &Value, token: &[u8]) -> Result<[u8; 16], Refusal> {
    let accepted = expectation(case).verify(&challenge(case), token, password(case));
    accepted.map(|accepted| accepted.exported_session_key)
}

#[test]
fn every_recorded_exchange_is_accepted_with_its_session_key() {
    for case in vectors() {
        let token = hex(&case["authenticate_message"]);
        let claim = Claim::read(&token).unwrap();
        assert_eq!(claim.user, case["user"], "{}", case["name"]);
        assert_eq!(claim.domain, case["domain"], "{}", case["name"]);
        assert_eq!(verdict(&case, &token).unwrap().to_vec(), hex(&case["ExportedSessionKey"]));
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_get_the_same_refusal() {
    for case in vectors() {
        let token = hex(&case["authenticate_message"]);
        let of = |hash| expectation(&case).verify(&challenge(&case), &token, hash).err();
        assert_eq!(of(Some(NtHash::of("wrong"))), Some(Refusal::Password));
        assert_eq!(of(None), Some(Refusal::Password));
    }
}

#[test]
fn each_missing_or_added_session_flag_is_refused() {
    let case = vector("own_datagram_no_timestamp");
    let token = hex(&case["authenticate_message"]);
    let agreed = u32::from_le_bytes(token[60..64].try_into().unwrap());
    let with = |flags: u32| {
        let mut token = token.clone();
        token[60..64].copy_from_slice(&flags.to_le_bytes());
        verdict(&case, &token).err()
    };
    for bit in (0..32).map(|shift| 1u32 << shift).filter(|bit| flag::REQUIRED & bit != 0) {
        assert_eq!(with(agreed & !bit), Some(Refusal::Flags), "without {bit:08x}");
    }
    assert_eq!(with(agreed | flag::ANONYMOUS), Some(Refusal::Anonymous));
    for bit in (0..32).map(|shift| 1u32 << shift) {
        let strange = flag::SESSION & bit != 0 && flag::OFFER & bit == 0;
        assert_eq!(with(agreed | bit) == Some(Refusal::Flags), strange, "with {bit:08x}");
    }
}

#[test]
fn an_ntlmv1_response_is_refused() {
    let case = vector("own_datagram_no_timestamp");
    let mut token = hex(&case["authenticate_message"]);
    token[20..22].copy_from_slice(&24u16.to_le_bytes());
    assert_eq!(verdict(&case, &token), Err(Refusal::Version1));
}

#[test]
fn a_list_that_lost_a_name_is_refused_even_with_a_right_proof() {
    let case = vector("own_datagram_no_timestamp");
    let challenge = challenge(&case);
    let hash = password(&case).unwrap();
    let key = hash.response_key("alice", "NETWORK");
    let nt = hex(&case["nt_response"]);
    // A client that drops the first pair of the list, and signs what it sends.
    let dropped = 4 + usize::from(u16::from_le_bytes([nt[46], nt[47]]));
    let mut temp = nt[16..44].to_vec();
    temp.extend(&nt[44 + dropped..]);
    let mut response = hmac_md5(&key, &[&hex(&case["server_challenge"]), &temp]).to_vec();
    response.extend(&temp);
    let token = hex(&case["authenticate_message"]);
    let at = usize::try_from(u32::from_le_bytes(token[24..28].try_into().unwrap())).unwrap();
    let mut forged = token.clone();
    forged[20..22].copy_from_slice(&u16::try_from(response.len()).unwrap().to_le_bytes());
    forged[at..at + response.len()].copy_from_slice(&response);
    let refused = expectation(&case).verify(&challenge, &forged, Some(hash)).err();
    assert_eq!(refused, Some(Refusal::Names));
}

#[test]
fn a_wrong_or_missing_announced_mic_is_refused() {
    let case = vector("own_datagram_timestamp_mic");
    let token = hex(&case["authenticate_message"]);
    for at in 72..88 {
        let mut wrong = token.clone();
        wrong[at] ^= 1;
        assert_eq!(verdict(&case, &wrong), Err(Refusal::Mic), "byte {at}");
    }
    // The same response without room for a MIC: the payload moves 16 bytes to the front.
    let mut without = token[..72].to_vec();
    without.extend(&token[88..]);
    for at in [12, 20, 28, 36, 44, 52] {
        let length = u16::from_le_bytes([token[at], token[at + 1]]);
        let offset = u32::from_le_bytes(token[at + 4..at + 8].try_into().unwrap());
        let moved = if length == 0 { 72 } else { offset - 16 };
        without[at + 4..at + 8].copy_from_slice(&moved.to_le_bytes());
    }
    assert_eq!(verdict(&case, &without), Err(Refusal::Mic));
}

#[test]
fn another_challenge_and_a_late_answer_are_refused() {
    let case = vector("own_datagram_timestamp_mic");
    let token = hex(&case["authenticate_message"]);
    let names = ServerNames::of("lds.network.com", "network.com");
    let other = Challenge::new(&names, [9; 8], None);
    assert_eq!(expectation(&case).verify(&other, &token, password(&case)).err(), Some(Refusal::Password));
    let hours_36 = 36 * 3600 * 10_000_000;
    for (late, refused) in [(hours_36, Some(Refusal::Clock)), (hours_36 - 1, None)] {
        let mut expect = expectation(&case);
        expect.now_filetime += late;
        assert_eq!(expect.verify(&challenge(&case), &token, password(&case)).err(), refused);
    }
}

#[test]
fn a_target_name_of_another_server_is_refused() {
    let case = vector("own_datagram_timestamp_mic");
    let token = hex(&case["authenticate_message"]);
    for (target, refused) in
        [("sip/LDS.network.com", None), ("sip/hs104.network.com", Some(Refusal::Binding))]
    {
        let expect = Expected { target: Some(target), ..expectation(&case) };
        assert_eq!(expect.verify(&challenge(&case), &token, password(&case)).err(), refused);
    }
    let expect = Expected { must_bind: true, ..expectation(&case) };
    let refused = expect.verify(&challenge(&case), &token, password(&case)).err();
    assert_eq!(refused, Some(Refusal::Binding), "its channel binding is all zeros");
}

#[test]
fn no_cut_and_no_flipped_byte_panics_or_is_accepted_with_another_key() {
    for case in vectors() {
        let token = hex(&case["authenticate_message"]);
        for length in 0..token.len() {
            assert!(verdict(&case, &token[..length]).is_err(), "{} cut to {length}", case["name"]);
        }
        for at in 0..token.len() {
            for value in [0x00, 0x7F, 0xFF] {
                let mut bent = token.clone();
                bent[at] = value;
                let _ = verdict(&case, &bent);
            }
        }
    }
}

/// Settled against Samba: the user is upper-cased code point by code point.
#[test]
fn letters_whose_upper_case_is_several_letters_stay() {
    let text = include_str!("../../../../../tests/data/vectors/ntowf_v2_letters.json");
    let all: Value = serde_json::from_str(text).unwrap();
    for case in all["cases"].as_array().unwrap() {
        let word = |key: &str| case[key].as_str().unwrap();
        let key = NtHash::of(word("password")).response_key(word("user"), word("domain"));
        assert_eq!(key.to_vec(), hex(&case["NTOWFv2"]), "{}", word("user"));
    }
}
