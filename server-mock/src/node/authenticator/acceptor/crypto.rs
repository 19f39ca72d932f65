//! The four primitives of NTLMv2 and the hash under which a password is stored.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};

use super::upper_case::simple_upper_case;

/// MD4 of a password in UTF-16LE: all that a server needs to keep for NTLM. Does not print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NtHash([u8; 16]);

impl NtHash {
    /// The hash of `password` (NTOWFv1).
    pub fn of(password: &str) -> Self {
        Self(Md4::digest(utf16(password)).into())
    }

    /// NTOWFv2: the key of every NTLMv2 computation, from names exactly as transmitted.
    ///
    /// Only the user is upper-cased, each code point by the mapping of servers: ß, which has none there, stays.
    pub(super) fn response_key(&self, user: &str, domain: &str) -> [u8; 16] {
        let mut identity = utf16(&user.chars().map(simple_upper_case).collect::<String>());
        identity.extend(utf16(domain));
        hmac_md5(&self.0, &[&identity])
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(…)")
    }
}

/// Text as NTLM writes it: UTF-16LE without mark or terminator.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Reads UTF-16LE; none where it is not.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<String> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

pub(super) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(super) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

pub(super) fn rc4(key: &[u8; 16], data: &mut [u8]) {
    let mut cipher = <Rc4 as KeyInit>::new_from_slice(key).expect("RC4 takes keys of 16 bytes");
    cipher.apply_keystream(data);
}
