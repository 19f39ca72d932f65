//! Every published and captured value, recomputed.

use serde_json::Value;

use super::part;
use crate::auth::hex;
use crate::auth::ntlm::av_pair::{AvPair, AvPairs};
use crate::auth::ntlm::client::ntowf_v2;
use crate::auth::ntlm::crypto::{hmac_md5, md4, md5, rc4, utf16le};
use crate::auth::ntlm::message::Challenge;
use crate::auth::ntlm::session::{crc32, rekeyed, seal_key, sign_key, verify_without_extended_security};
use crate::auth::ntlm::*;
use crate::secret::Password;

fn vectors(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/vectors/");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}{name}")).unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key}"))
}

fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(value, key)).unwrap()
}

fn fixed<const N: usize>(value: &Value, key: &str) -> [u8; N] {
    bytes(value, key).try_into().unwrap()
}

fn word(value: &Value, key: &str) -> u32 {
    u32::from_str_radix(text(value, key), 16).unwrap()
}

#[test]
fn primitives_give_the_published_values() {
    let all = vectors("ntlm_msnlmp_4_2.json");
    let expected = &all["primitives"];
    assert_eq!(md4(b"message digest"), fixed(expected, "md4_message_digest"));
    assert_eq!(md5(&[b"message ", b"digest"]), fixed(expected, "md5_message_digest"));
    assert_eq!(hmac_md5(&[0x0b; 16], &[b"Hi There"]), fixed(&expected["hmac_md5"], "out"));
    let plain = bytes(&all["inputs"], "plaintext_utf16le_hex");
    assert_eq!(plain, utf16le("Plaintext"));
    assert_eq!(crc32(&plain), word(expected, "crc32_plaintext"));
}

/// Signs as the connection-oriented variant does: one RC4 stream over data and checksum.
fn connection_signature(seal: &[u8; 16], plain: &[u8], trailer: &mut [u8]) -> Vec<u8> {
    let mut stream = [plain, trailer].concat();
    rc4(seal, &mut stream);
    trailer.copy_from_slice(&stream[plain.len()..]);
    stream.truncate(plain.len());
    stream
}

/// Settled against Samba: the user is upper-cased code point by code point.
#[test]
fn letters_whose_upper_case_is_several_letters_stay() {
    for case in vectors("ntowf_v2_letters.json")["cases"].as_array().unwrap() {
        let password = Password::new(text(case, "password"));
        let (user, domain) = (text(case, "user"), text(case, "domain"));
        let who = NtlmIdentity { user, domain, workstation: "", password: &password };
        assert_eq!(*ntowf_v2(&who), fixed(case, "NTOWFv2"), "{user}");
        let upper = NtlmIdentity { user: text(case, "upper"), ..who };
        assert_eq!(*ntowf_v2(&upper), fixed(case, "NTOWFv2"), "{user}: what is upper case stays");
    }
}

#[test]
fn ntlm_v2_gives_the_published_values() {
    let all = vectors("ntlm_msnlmp_4_2.json");
    let (inputs, expected) = (&all["inputs"], &all["ntlm_v2"]);
    let password = Password::new(text(inputs, "password"));
    let who = NtlmIdentity {
        user: text(inputs, "user"),
        domain: text(inputs, "domain"),
        workstation: text(inputs, "workstation"),
        password: &password,
    };
    assert_eq!(*ntowf_v2(&who), fixed(expected, "NTOWFv2"));

    // The published exchange is connection-oriented; with DATAGRAM offered the client answers with
    // the same responses and keys, and only the flag word differs.
    let mut challenge = bytes(expected, "challenge_message");
    let offered = Challenge::parse(&challenge).unwrap();
    assert_eq!(offered.flags, word(expected, "flags"));
    assert_eq!(offered.server_challenge, fixed(inputs, "server_challenge"));
    assert_eq!(offered.target_info, bytes(expected, "target_info_av_pairs"));
    challenge[20] |= 0x40;
    let rng = ClientRandom {
        client_challenge: fixed(inputs, "client_challenge"),
        exported_session_key: fixed(inputs, "random_session_key"),
    };
    let binding = Binding { version: fixed(expected, "authenticate_version"), ..Binding::plain() };
    let (token, _) = authenticate(&challenge, &who, &binding, &rng, 0).unwrap();
    let published = bytes(expected, "authenticate_message");
    assert_eq!(part(&token, 12), bytes(expected, "LMv2_response"));
    assert_eq!(part(&token, 20), bytes(expected, "NTLMv2_response"));
    assert_eq!(part(&token, 52), bytes(expected, "EncryptedRandomSessionKey"));
    assert_eq!(token[..60], published[..60]);
    assert_eq!(token[64..], published[64..]);

    let exported = rng.exported_session_key;
    let agreed = word(expected, "flags");
    let (sign, seal) = (sign_key(&exported, Side::Client), seal_key(&exported, agreed, Side::Client));
    assert_eq!(sign, fixed(expected, "client_SignKey"));
    assert_eq!(seal, fixed(expected, "client_SealKey"));
    let plain = bytes(inputs, "plaintext_utf16le_hex");
    let hash = hmac_md5(&sign, &[&[0; 4], &plain]);
    assert_eq!(hash[..8], bytes(expected, "checksum_before_rc4"));
    let mut checksum = hash[..8].to_vec();
    assert_eq!(connection_signature(&seal, &plain, &mut checksum), bytes(expected, "seal_output"));
    assert_eq!(checksum, bytes(expected, "signature")[4..12]);
}

#[test]
fn ntlm_v1_keys_give_the_published_values() {
    let all = vectors("ntlm_msnlmp_4_2.json");
    let (inputs, plain_form, ess) = (&all["inputs"], &all["ntlm_v1"], &all["ntlm_v1_ess"]);
    let hash = md4(&utf16le(text(inputs, "password")));
    assert_eq!(hash, fixed(plain_form, "NTOWFv1"));
    let base = md4(&hash);
    assert_eq!(base, fixed(plain_form, "SessionBaseKey"));
    let exported: [u8; 16] = fixed(inputs, "random_session_key");
    let mut encrypted = exported;
    rc4(&base, &mut encrypted);
    assert_eq!(encrypted, fixed(plain_form, "EncryptedRandomSessionKey"));

    let plain = bytes(inputs, "plaintext_utf16le_hex");
    let mut trailer = [&[0; 4], &crc32(&plain).to_le_bytes()[..], &[0; 4]].concat();
    assert_eq!(connection_signature(&exported, &plain, &mut trailer), bytes(plain_form, "seal_output"));
    assert_eq!(trailer, bytes(plain_form, "signature")[4..]);

    let key: [u8; 16] =
        hmac_md5(&base, &[&bytes(inputs, "server_challenge"), &bytes(inputs, "client_challenge")]);
    assert_eq!(key, fixed(ess, "KeyExchangeKey"));
    let agreed = word(ess, "flags");
    let (sign, seal) = (sign_key(&key, Side::Client), seal_key(&key, agreed, Side::Client));
    assert_eq!(sign, fixed(ess, "client_SignKey"));
    assert_eq!(seal, fixed(ess, "client_SealKey"));
    let mut sealed = plain.clone();
    rc4(&seal, &mut sealed);
    assert_eq!(sealed, bytes(ess, "seal_output"));
    assert_eq!(hmac_md5(&sign, &[&[0; 4], &plain])[..8], bytes(ess, "signature")[4..12]);
}

/// How the writer of a vector answered, read from the vector itself.
fn binding_of<'a>(case: &Value, spn: &'a str) -> Binding<'a> {
    let binding = if case["MIC"].is_null() { Binding::plain() } else { Binding::protected(spn, None) };
    Binding { version: fixed(case, "version"), ..binding }
}

#[test]
fn datagram_exchanges_come_out_byte_for_byte() {
    let all = vectors("ntlm_datagram.json");
    for case in all["ess"].as_array().unwrap() {
        let name = text(case, "name");
        let password = Password::new(text(case, "password"));
        let who = NtlmIdentity {
            user: text(case, "user"),
            domain: text(case, "domain"),
            workstation: text(case, "workstation"),
            password: &password,
        };
        assert_eq!(md4(&utf16le(password.reveal())), fixed(case, "NTHash"), "{name}");
        let key = ntowf_v2(&who);
        assert_eq!(*key, fixed(case, "NTOWFv2"), "{name}");

        let rng = ClientRandom {
            client_challenge: fixed(case, "client_challenge"),
            exported_session_key: fixed(case, "ExportedSessionKey"),
        };
        let challenge = bytes(case, "challenge_message");
        let offered = Challenge::parse(&challenge).unwrap();
        assert_eq!(offered.flags, word(case, "challenge_flags"), "{name}");
        assert_eq!(offered.server_challenge, fixed(case, "server_challenge"), "{name}");
        let binding = binding_of(case, "sip/lds.network.com");
        let time = case["timestamp_filetime"].as_u64().unwrap();
        assert_eq!(time.to_le_bytes(), fixed::<8>(case, "timestamp_le"), "{name}");
        let (token, keys) = authenticate(&challenge, &who, &binding, &rng, time).unwrap();

        let nt_response = part(&token, 20);
        assert_eq!(nt_response, bytes(case, "nt_response"), "{name}");
        assert_eq!(nt_response[..16], bytes(case, "NTProofStr"), "{name}");
        assert!(nt_response[44..].starts_with(&bytes(case, "client_av_pairs")), "{name}");
        assert_eq!(hmac_md5(&key[..], &[&nt_response[..16]]), fixed(case, "SessionBaseKey"), "{name}");
        assert_eq!(part(&token, 12), bytes(case, "lm_response"), "{name}");
        assert_eq!(part(&token, 52), bytes(case, "EncryptedRandomSessionKey"), "{name}");
        assert_eq!(token[60..64], word(case, "negotiated_flags").to_le_bytes(), "{name}");
        if !case["MIC"].is_null() {
            assert_eq!(token[72..88], bytes(case, "MIC"), "{name}");
        }
        assert_eq!(token, bytes(case, "authenticate_message"), "{name}");
        session_values(case, &rng.exported_session_key, &keys);
    }
}

/// Every key and signature of one exchange.
fn session_values(case: &Value, exported: &[u8; 16], keys: &SessionKeys) {
    let name = text(case, "name");
    let agreed = word(case, "negotiated_flags");
    for (side, word) in [(Side::Client, "client"), (Side::Server, "server")] {
        let seal = seal_key(exported, agreed, side);
        assert_eq!(sign_key(exported, side), fixed(case, &format!("{word}_sign")), "{name}");
        assert_eq!(seal, fixed(case, &format!("{word}_seal")), "{name}");
        assert_eq!(rekeyed(&seal, 100), fixed(case, &format!("{word}_seal_rekeyed_seq100")), "{name}");
    }
    for signed in case["signatures"].as_array().unwrap() {
        let side = if text(signed, "side") == "client" { Side::Client } else { Side::Server };
        let buffer = text(signed, "buffer").as_bytes();
        let hash = hmac_md5(&sign_key(exported, side), &[&100u32.to_le_bytes(), buffer]);
        assert_eq!(hash[..8], bytes(signed, "hmac_first8"), "{name}");
        let mac = fixed(signed, "signature");
        assert_eq!(keys.sign(side, buffer), mac, "{name}");
        assert!(keys.verify(side, buffer, &mac), "{name}");
        assert!(!keys.verify(side.peer(), buffer, &mac), "{name}: the other direction has other keys");
        for bit in 0..128 {
            let mut altered = mac;
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(!keys.verify(side, buffer, &altered), "{name}: bit {bit}");
        }
    }
}

#[test]
fn signatures_without_extended_security_are_read_behind_their_own_door() {
    let all = vectors("ntlm_datagram.json");
    let misc = all["non_ess_and_misc"].as_array().unwrap();
    let capture = &misc[0];
    let (exported, mac) = (fixed(capture, "session_key"), fixed(capture, "signature"));
    let buffer = text(capture, "buffer").as_bytes();
    assert_eq!(crc32(buffer), word(capture, "crc32"));
    assert!(verify_without_extended_security(&exported, buffer, &mac));
    let mut padded = mac;
    padded[4..8].copy_from_slice(b"\x65\0\0\0");
    assert!(verify_without_extended_security(&exported, buffer, &padded), "the padding is arbitrary");
    for at in (0..4).chain(8..16) {
        let mut altered = mac;
        altered[at] ^= 1;
        assert!(!verify_without_extended_security(&exported, buffer, &altered), "byte {at}");
    }
    assert!(!SessionKeys::derive(&exported, 0x6298_8255).verify(Side::Server, buffer, &mac));
}

#[test]
fn without_key_exchange_the_checksum_goes_out_in_clear() {
    let all = vectors("ntlm_datagram.json");
    let davenport = &all["non_ess_and_misc"].as_array().unwrap()[2];
    let exported: [u8; 16] = fixed(davenport, "session_key");
    let buffer = text(davenport, "buffer").as_bytes();
    let sign = sign_key(&exported, Side::Client);
    assert_eq!(sign, fixed(davenport, "client_sign"));
    assert_eq!(hmac_md5(&sign, &[&[0; 4], buffer])[..8], bytes(davenport, "signature")[4..12]);
    let keys = SessionKeys::derive(&exported, 0x6298_8255 & !flags::KEY_EXCHANGE);
    let mac = keys.sign(Side::Client, buffer);
    assert_eq!(mac[4..12], hmac_md5(&sign, &[&100u32.to_le_bytes(), buffer])[..8]);
    assert_ne!(mac, SessionKeys::derive(&exported, 0x6298_8255).sign(Side::Client, buffer));
}

#[test]
fn a_real_lync_challenge_is_read() {
    use base64::Engine as _;
    let all = vectors("ntlm_datagram.json");
    let lync = &all["lync2013_challenge"];
    let token = base64::engine::general_purpose::STANDARD.decode(text(lync, "base64")).unwrap();
    let challenge = Challenge::parse(&token).unwrap();
    assert_eq!(challenge.flags, word(lync, "flags"));
    assert_eq!(challenge.server_challenge, fixed(lync, "server_challenge"));
    let pairs: Vec<AvPair<'_>> = AvPairs::new(challenge.target_info).collect::<Option<_>>().unwrap();
    let expected = lync["av"].as_array().unwrap();
    assert_eq!(pairs.len(), expected.len());
    for (pair, expected) in pairs.iter().zip(expected) {
        assert_eq!(u64::from(pair.id), expected[0].as_u64().unwrap());
        let value = expected[1].as_str().unwrap();
        let value = if pair.id == av_pair::TIMESTAMP { hex::decode(value).unwrap() } else { utf16le(value) };
        assert_eq!(pair.value, value);
    }
}

#[test]
fn an_independent_implementation_computes_the_same_response() {
    // The other crate random its client nonce itself; ours takes it over.
    let all = vectors("ntlm_datagram.json");
    for case in all["ess"].as_array().unwrap() {
        let name = text(case, "name");
        let offer_bytes = bytes(case, "challenge_message");
        let offer = Challenge::parse(&offer_bytes).unwrap();
        let credentials = ntlmclient::Credentials {
            username: text(case, "user").to_owned(),
            password: text(case, "password").to_owned(),
            domain: text(case, "domain").to_owned(),
        };
        let time = 133_500_000_000_000_000;
        let stamped = AvPairs::new(offer.target_info).flatten().find(|pair| pair.id == av_pair::TIMESTAMP);
        let their_time = stamped.map_or(time, |pair| i64::from_le_bytes(pair.value.try_into().unwrap()));
        let theirs = ntlmclient::respond_challenge_ntlm_v2(
            offer.server_challenge,
            offer.target_info,
            their_time,
            &credentials,
        );
        let password = Password::new(text(case, "password"));
        let who = NtlmIdentity {
            user: text(case, "user"),
            domain: text(case, "domain"),
            workstation: "",
            password: &password,
        };
        let rng = ClientRandom {
            client_challenge: theirs.ntlm_response[32..40].try_into().unwrap(),
            exported_session_key: [0; 16],
        };
        let (token, _) =
            authenticate(&offer_bytes, &who, &Binding::plain(), &rng, time.cast_unsigned()).unwrap();
        assert_eq!(part(&token, 20), theirs.ntlm_response, "{name}");
        let mut their_key: [u8; 16] = theirs.session_key.try_into().unwrap();
        let their_base = their_key;
        their_key.copy_from_slice(part(&token, 52));
        rc4(&their_base, &mut their_key);
        assert_eq!(their_key, rng.exported_session_key, "{name}: the key unwraps under their base key");
    }
}
