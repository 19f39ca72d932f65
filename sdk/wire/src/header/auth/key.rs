//! Parameter names of the auth headers, known ones as one octet.

use crate::scan::is_white;

macro_rules! keys {
    ($($variant:ident $name:literal,)*) => {
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Key {
            $($variant,)*
            Other,
        }

        impl Key {
            pub(super) fn as_str(self) -> &'static str {
                match self {
                    $(Key::$variant => $name,)*
                    Key::Other => "",
                }
            }
        }

        #[cfg(test)]
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

    fn exact(name: &[u8]) -> Key {
        let Some(first) = name.first() else { return Key::Other };
        let candidates: &[Key] = match (first | 0x20, name.len()) {
            (b'a', 9) => &[Key::Algorithm],
            (b'c', 4) => &[Key::Cnum],
            (b'c', 5) => &[Key::Crand],
            (b'c', 6) => &[Key::Cnonce],
            (b'c', 7) => &[Key::Charset],
            (b'd', 6) => &[Key::Domain],
            (b'g', 11) => &[Key::GssapiData],
            (b'n', 2) => &[Key::Nc],
            (b'n', 5) => &[Key::Nonce],
            (b'n', 9) => &[Key::NextNonce],
            (b'o', 6) => &[Key::Opaque],
            (b'q', 3) => &[Key::Qop],
            (b'r', 5) => &[Key::Realm],
            (b'r', 7) => &[Key::RspAuth],
            (b'r', 8) => &[Key::Response],
            (b's', 4) => &[Key::Snum],
            (b's', 5) => &[Key::Srand, Key::Stale],
            (b's', 7) => &[Key::StsUri],
            (b't', 10) => &[Key::TargetName],
            (b'u', 3) => &[Key::Uri],
            (b'u', 8) => &[Key::UserName, Key::UserHash],
            (b'v', 7) => &[Key::Version],
            _ => &[],
        };
        candidates
            .iter()
            .find(|key| key.as_str().as_bytes().eq_ignore_ascii_case(name))
            .copied()
            .unwrap_or(Key::Other)
    }
}

/// Equal without case and blanks.
pub(super) fn same_name(one: &[u8], two: &[u8]) -> bool {
    let plain = |name: &[u8]| -> Vec<u8> {
        name.iter().filter(|octet| !is_white(**octet)).map(u8::to_ascii_lowercase).collect()
    };
    one.eq_ignore_ascii_case(two) || plain(one) == plain(two)
}

const LONGEST: usize = 11;

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
