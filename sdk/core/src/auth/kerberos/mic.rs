//! Message integrity codes of the two Kerberos families, from a session key (RFC 4121, RFC 4757).
//!
//! Both put sequence number 0 into the token, as Windows does: the context is made without replay
//! and sequence detection, those are the security association's counters.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::MessageIntegrity;
use crate::auth::ntlm::Side;
use crate::auth::ntlm::crypto::{hmac_md5, md5, rc4};

/// Codes of an `aes128-cts-hmac-sha1-96` or `aes256-cts-hmac-sha1-96` session (RFC 4121 4.2.6.1).
pub struct AesContext {
    client: Zeroizing<Vec<u8>>,
    server: Zeroizing<Vec<u8>>,
}

/// Codes of an `arcfour-hmac` session (RFC 4757 section 7.2).
pub struct ArcfourContext {
    session_key: Zeroizing<[u8; 16]>,
}

impl AesContext {
    /// Derives the checksum keys of both directions. `encrypt` is AES of one block under the
    /// session key; `key_length` is 16 or 32 bytes. The cipher stays with the caller, who has one.
    pub fn derive(key_length: usize, encrypt: impl Fn([u8; 16]) -> [u8; 16]) -> Self {
        let derive = |usage: u32| {
            let [a, b, c, d] = usage.to_be_bytes();
            let mut block = fold_to_block(&[a, b, c, d, CHECKSUM_KEY]);
            let mut key = Zeroizing::new(Vec::with_capacity(32));
            while key.len() < key_length {
                block = encrypt(block);
                key.extend_from_slice(&block);
            }
            key.truncate(key_length);
            key
        };
        Self { client: derive(INITIATOR_SIGN), server: derive(ACCEPTOR_SIGN) }
    }

    fn checksum(&self, side: Side, message: &[u8], header: &[u8]) -> [u8; 20] {
        let key = match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(message);
        mac.update(header);
        mac.finalize().into_bytes().into()
    }
}

impl MessageIntegrity for AesContext {
    fn sign(&self, side: Side, message: &[u8]) -> Vec<u8> {
        let mut token = AES_HEADER.to_vec();
        token[2] = acceptor_bit(side);
        token.extend_from_slice(&[0; 8]);
        let checksum = self.checksum(side, message, &token);
        token.extend_from_slice(&checksum[..12]);
        token
    }

    fn verify(&self, side: Side, message: &[u8], token: &[u8]) -> bool {
        let Some((header, checksum)) = token.split_at_checked(16) else { return false };
        let mut expected = AES_HEADER;
        expected[2] = acceptor_bit(side);
        header.starts_with(&expected) && self.checksum(side, message, header)[..12].ct_eq(checksum).into()
    }
}

impl ArcfourContext {
    /// A context over its 16-byte session key.
    pub fn new(session_key: [u8; 16]) -> Self {
        Self { session_key: Zeroizing::new(session_key) }
    }

    fn checksum(&self, message: &[u8]) -> [u8; 8] {
        let sign = Zeroizing::new(hmac_md5(&self.session_key[..], &[b"signaturekey\0"]));
        let hash = md5(&[&SIGN_USAGE.to_le_bytes(), &ARCFOUR_HEADER[13..], message]);
        first_half(hmac_md5(&sign[..], &[&hash]))
    }

    /// Encrypts or decrypts the sequence field, which is keyed by the checksum.
    fn crypt_sequence(&self, checksum: &[u8], field: &mut [u8; 8]) {
        let key = Zeroizing::new(hmac_md5(&self.session_key[..], &[&[0; 4]]));
        rc4(&Zeroizing::new(hmac_md5(&key[..], &[checksum])), field);
    }
}

impl MessageIntegrity for ArcfourContext {
    fn sign(&self, side: Side, message: &[u8]) -> Vec<u8> {
        let checksum = self.checksum(message);
        let mut sequence = [0, 0, 0, 0, 0, 0, 0, 0];
        sequence[4..].copy_from_slice(&direction(side));
        self.crypt_sequence(&checksum, &mut sequence);
        [&ARCFOUR_HEADER[..], &sequence, &checksum].concat()
    }

    fn verify(&self, side: Side, message: &[u8], token: &[u8]) -> bool {
        let Some(rest) = token.strip_prefix(&ARCFOUR_HEADER) else { return false };
        let Some((sequence, given)) = rest.split_first_chunk::<8>() else { return false };
        let checksum = self.checksum(message);
        let mut sequence = *sequence;
        self.crypt_sequence(&checksum, &mut sequence);
        let same_side: Choice = sequence[4..].ct_eq(&direction(side));
        (same_side & checksum.ct_eq(given)).into()
    }
}

impl fmt::Debug for AesContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesContext(…)")
    }
}

impl fmt::Debug for ArcfourContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArcfourContext(…)")
    }
}

fn acceptor_bit(side: Side) -> u8 {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

fn direction(side: Side) -> [u8; 4] {
    match side {
        Side::Client => [0; 4],
        Side::Server => [0xff; 4],
    }
}

fn first_half(hash: [u8; 16]) -> [u8; 8] {
    let mut half = [0u8; 8];
    half.copy_from_slice(&hash[..8]);
    half
}

/// The n-fold of RFC 3961 5.1 from five bytes to sixteen: copies, each rotated right by 13 bits
/// more, added as 128-bit numbers in ones' complement.
fn fold_to_block(constant: &[u8; 5]) -> [u8; 16] {
    const INPUT: usize = 40;
    const OUTPUT: usize = 128;
    const COPIES: usize = 16; // lcm(40, 128) / 40
    let bit = |at: usize| {
        let (copy, within) = (at / INPUT, at % INPUT);
        let source = (within + INPUT * 13 - (13 * copy) % INPUT) % INPUT;
        u128::from(constant[source / 8] >> (7 - source % 8) & 1)
    };
    let mut sum: u128 = 0;
    for part in 0..COPIES * INPUT / OUTPUT {
        let number = (0..OUTPUT).fold(0u128, |number, at| number << 1 | bit(part * OUTPUT + at));
        let (added, carry) = sum.overflowing_add(number);
        sum = added.wrapping_add(u128::from(carry));
    }
    sum.to_be_bytes()
}

/// Key usage numbers of RFC 4121 section 2 and the octet that asks for a checksum key.
const INITIATOR_SIGN: u32 = 25;
const ACCEPTOR_SIGN: u32 = 23;
const CHECKSUM_KEY: u8 = 0x99;
/// Key usage of an integrity code under RC4 (RFC 4757 section 3).
const SIGN_USAGE: u32 = 15;
const AES_HEADER: [u8; 8] = [0x04, 0x04, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff];
/// GSS framing with the Kerberos mechanism, then TOK_ID, SGN_ALG, SEAL_ALG and filler.
const ARCFOUR_HEADER: [u8; 21] = [
    0x60, 0x23, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x01, 0x11, 0x00,
    0xff, 0xff, 0xff, 0xff,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::hex;
    use aes::cipher::BlockCipherEncrypt;
    use serde_json::Value;

    fn cases() -> Vec<Value> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/vectors/kerberos_mic.json");
        let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        all["cases"].as_array().unwrap().clone()
    }

    fn context(case: &Value) -> Box<dyn MessageIntegrity> {
        let key = hex::decode(case["session_key_hex"].as_str().unwrap()).unwrap();
        if case["enctype"] == "arcfour-hmac" {
            return Box::new(ArcfourContext::new(key.try_into().unwrap()));
        }
        let cipher = aes::Aes256::new_from_slice(&key).unwrap();
        Box::new(AesContext::derive(32, |block| {
            let mut block = block.into();
            cipher.encrypt_block(&mut block);
            block.into()
        }))
    }

    #[test]
    fn codes_of_an_independent_library_are_verified_and_reproduced() {
        let cases = cases();
        assert_eq!(cases.len(), 2);
        for case in &cases {
            let context = context(case);
            for (side, word, buffer) in
                [(Side::Client, "initiator", "request_buffer"), (Side::Server, "acceptor", "response_buffer")]
            {
                let buffer = case[buffer].as_str().unwrap().as_bytes();
                let token =
                    |form: &str| hex::decode(case[format!("{form}_{word}_mic")].as_str().unwrap()).unwrap();
                assert_eq!(hex::encode(&context.sign(side, buffer)), hex::encode(&token("seq0")));
                for form in ["seq0", "mit"] {
                    let token = token(form);
                    assert!(context.verify(side, buffer, &token), "{form} {word}");
                    assert!(!context.verify(side.peer(), buffer, &token), "{form} {word}: reflected");
                    assert!(!context.verify(side, &buffer[1..], &token), "{form} {word}: other message");
                    for cut in 0..token.len() {
                        assert!(!context.verify(side, buffer, &token[..cut]), "{form} {word}: cut at {cut}");
                    }
                    assert!(
                        !context.verify(side, buffer, &[&token[..], b"\0"].concat()),
                        "{form} {word}: longer"
                    );
                }
            }
        }
    }
}
