//! Parameter names of the auth headers, known ones as one octet.

use crate::scan::is_white;
use crate::spelling::{Spelling, Words};

macro_rules! keys {
    ($($variant:ident $name:literal,)*) => {
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Key {
            $($variant,)*
            Other,
        }

        impl Key {
            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Key::$variant => $name,)*
                    Key::Other => "",
                }
            }
        }

        const ALL: [Key; [$(Key::$variant),*].len()] = [$(Key::$variant),*];
    };
}

keys! {
    Algorithm "algorithm",
    Charset "charset",
    Cnonce "cnonce",
    Cnum "cnum",
    Crand "crand",
    Domain "domain",
    GssapiData "gssapi-data",
    Nc "nc",
    NextNonce "nextnonce",
    Nonce "nonce",
    Opaque "opaque",
    Qop "qop",
    Realm "realm",
    Response "response",
    RspAuth "rspauth",
    Snum "snum",
    Srand "srand",
    Stale "stale",
    StsUri "sts-uri",
    TargetName "targetname",
    Uri "uri",
    UserHash "userhash",
    UserName "username",
    Version "version",
}

impl Key {
    /// The key of that name, in any case and with blanks inside it (`target name`).
    pub(super) fn parse(name: &[u8]) -> Key {
        if !name.iter().any(|octet| is_white(*octet)) {
            return Key::exact(name);
        }
        let mut plain = [0; LONGEST];
        let mut length = 0;
        for octet in name.iter().filter(|octet| !is_white(**octet)) {
            if length == LONGEST {
                return Key::Other;
            }
            plain[length] = *octet;
            length += 1;
        }
        Key::exact(&plain[..length])
    }

    /// A bit of its own for each known key; none for the others.
    pub(super) fn bit(self) -> u32 {
        if self == Key::Other { 0 } else { 1 << (self as u32) }
    }

    /// Two values of this parameter that differ make the header worthless.
    pub(super) fn decides_trust(self) -> bool {
        matches!(
            self,
            Key::Cnum
                | Key::Crand
                | Key::GssapiData
                | Key::Opaque
                | Key::Realm
                | Key::Response
                | Key::RspAuth
                | Key::Snum
                | Key::Srand
                | Key::TargetName
                | Key::Nonce
                | Key::UserName
                | Key::Uri
        )
    }

    /// The key that `text` begins with, up to its equals sign; and how long it is.
    pub(super) fn begins(text: &[u8]) -> Option<(Key, usize)> {
        let words = Words::of(text);
        let length = words.find(b'=', WORDS)?;
        let name = text.get(..length).filter(|name| !name.is_empty())?;
        let key = SLOTS[hash(name)];
        SPELLINGS[key as usize].is(words, length).then_some((key, length))
    }

    /// One probe of a perfect hash, one comparison; `name` holds no white space.
    fn exact(name: &[u8]) -> Key {
        if name.is_empty() {
            return Key::Other;
        }
        let key = SLOTS[hash(name)];
        let known = key.as_str().as_bytes();
        // Letters differ from their other case by one bit, and `-` has it set: so one fold judges the whole name.
        let differ = name.iter().zip(known).fold(0, |differ, (one, two)| differ | (one | 0x20) ^ two);
        if name.len() == known.len() && differ == 0 { key } else { Key::Other }
    }
}

const fn hash(name: &[u8]) -> usize {
    let first = (name[0] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    (name.len() + first * 2 + last * 9 + middle * 2) % SLOTS_LEN
}

const SLOTS_LEN: usize = 64;

/// The known key of each hash.
static SLOTS: [Key; SLOTS_LEN] = {
    let mut slots = [Key::Other; SLOTS_LEN];
    let mut number = 0;
    while number < ALL.len() {
        let slot = hash(ALL[number].as_str().as_bytes());
        assert!(matches!(slots[slot], Key::Other), "two parameter names share a hash: choose other factors");
        slots[slot] = ALL[number];
        number += 1;
    }
    slots
};

/// The spelling of each key; that of [`Key::Other`] is empty.
static SPELLINGS: [Spelling<WORDS>; ALL.len() + 1] = {
    let mut spellings = [Spelling::of(""); ALL.len() + 1];
    let mut number = 0;
    while number < ALL.len() {
        spellings[number] = Spelling::of(ALL[number].as_str());
        number += 1;
    }
    spellings
};

/// Equal without case and blanks.
pub(super) fn same_name(one: &[u8], two: &[u8]) -> bool {
    let plain = |name: &[u8]| -> Vec<u8> {
        name.iter().filter(|octet| !is_white(**octet)).map(u8::to_ascii_lowercase).collect()
    };
    one.eq_ignore_ascii_case(two) || plain(one) == plain(two)
}

const LONGEST: usize = 11;

/// How many words hold the longest name and its equals sign.
const WORDS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_name() {
        for key in ALL {
            assert_eq!(Key::parse(key.as_str().as_bytes()), key);
            assert_eq!(Key::parse(key.as_str().to_uppercase().as_bytes()), key);
            assert!(key.as_str().len() <= LONGEST);
        }
    }

    #[test]
    fn blanks_inside_a_name_do_not_count() {
        assert_eq!(Key::parse(b"target name"), Key::TargetName);
        assert_eq!(Key::parse(b"gssapi -\r\n data"), Key::GssapiData);
        assert_eq!(Key::parse(b"a name too long to be one of ours"), Key::Other);
    }
}
