//! `a=crypto`: keys of SRTP in the description itself (SDES, RFC 4568).

use std::fmt;

use super::line::Plain;

/// One offer, or the answer, of a way to encrypt. Its `Debug` shows no key.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Crypto<'m> {
    /// By which an answer names what it takes; unique among the media's.
    pub tag: u32,
    /// `AES_CM_128_HMAC_SHA1_80`, ….
    pub suite: &'m str,
    /// The keys as written, separated by semicolons.
    pub key_params: &'m str,
    /// Session parameters such as `UNENCRYPTED_SRTP`, as written, separated by blanks; empty where there are none. Who
    /// does not know one must not take the offer (RFC 4568 6.3.7).
    pub session_params: &'m str,
}

/// A key that stands in the description (`inline:`). Its `Debug` shows no key.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct InlineKey<'m> {
    /// Master key and salt, one behind the other, in base64.
    pub key_and_salt: &'m str,
    /// For how many packets the key may be used, where it is said.
    pub lifetime: Option<u64>,
    /// By which packets name the key, where it is said.
    pub mki: Option<Mki>,
}

/// A master key identifier (RFC 3711 3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mki {
    /// The identifier.
    pub value: u64,
    /// Its octets in each packet, 1 to 128.
    pub octets: u8,
}

impl<'m> Crypto<'m> {
    /// Reads the value of an `a=crypto`.
    pub fn parse(value: &'m str) -> Option<Crypto<'m>> {
        let (tag, rest) = value.split_once(' ')?;
        let (suite, rest) = rest.trim_start().split_once(' ')?;
        let (key_params, session_params) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let is_tag = !tag.is_empty() && tag.len() <= TAG_DIGITS && tag.bytes().all(|b| b.is_ascii_digit());
        let tag = tag.parse().ok().filter(|_| is_tag)?;
        let session_params = session_params.trim_start();
        (!suite.is_empty() && !key_params.is_empty()).then_some(Crypto {
            tag,
            suite,
            key_params,
            session_params,
        })
    }

    /// The keys, in order. None where one of them is no inline key, which is the only method there is (RFC 4568 6.1).
    pub fn keys(&self) -> Option<Vec<InlineKey<'m>>> {
        self.key_params.split(';').map(InlineKey::parse).collect()
    }
}

impl<'m> InlineKey<'m> {
    fn parse(text: &'m str) -> Option<InlineKey<'m>> {
        let (method, info) = text.split_once(':')?;
        let mut parts = info.split('|');
        let key_and_salt = parts.next().filter(|key| !key.is_empty())?;
        let mut key = InlineKey { key_and_salt, lifetime: None, mki: None };
        let mut part = parts.next();
        if let Some(lifetime) = part.filter(|part| !part.contains(':')) {
            key.lifetime = Some(read_lifetime(lifetime)?);
            part = parts.next();
        }
        if let Some(mki) = part {
            key.mki = Some(Mki::parse(mki)?);
        }
        (method.eq_ignore_ascii_case("inline") && parts.next().is_none()).then_some(key)
    }
}

impl Mki {
    fn parse(text: &str) -> Option<Mki> {
        let (value, octets) = text.split_once(':')?;
        let (value, octets) = (value.parse().ok()?, octets.parse().ok()?);
        (1..=MKI_OCTETS).contains(&octets).then_some(Mki { value, octets })
    }
}

/// `2^20`, or a number.
fn read_lifetime(text: &str) -> Option<u64> {
    match text.strip_prefix("2^") {
        Some(power) => 1u64.checked_shl(power.parse().ok()?),
        None => text.parse().ok(),
    }
    .filter(|packets| *packets > 0)
}

impl fmt::Display for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.tag, Plain(self.suite), Plain(self.key_params))?;
        if self.session_params.is_empty() { Ok(()) } else { write!(f, " {}", Plain(self.session_params)) }
    }
}

impl fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crypto({} {} …)", self.tag, self.suite)
    }
}

impl fmt::Debug for InlineKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InlineKey(… lifetime {:?}, {:?})", self.lifetime, self.mki)
    }
}

const TAG_DIGITS: usize = 9;
const MKI_OCTETS: u8 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4568, and what products write.
    #[test]
    fn keys_are_read_with_lifetime_and_identifier() {
        let text =
            "1 F8_128_HMAC_SHA1_80 inline:MTIz|2^20|1:4;inline:QUJj|2^20|2:4 FEC_ORDER=FEC_SRTP WSH=60";
        let crypto = Crypto::parse(text).unwrap();
        assert_eq!((crypto.tag, crypto.suite), (1, "F8_128_HMAC_SHA1_80"));
        assert_eq!((crypto.session_params, &*crypto.to_string()), ("FEC_ORDER=FEC_SRTP WSH=60", text));
        let [first, second] = crypto.keys().unwrap()[..] else { panic!() };
        assert_eq!((first.key_and_salt, second.key_and_salt), ("MTIz", "QUJj"));
        assert_eq!((first.lifetime, second.mki), (Some(1 << 20), Some(Mki { value: 2, octets: 4 })));
        let of = |keys: &'static str| {
            let crypto = Crypto { tag: 1, suite: "X", key_params: keys, session_params: "" };
            crypto.keys().map(|keys| (keys[0].lifetime, keys[0].mki.map(|mki| mki.octets)))
        };
        assert_eq!(of("inline:QUJj"), Some((None, None)));
        assert_eq!(of("INLINE:QUJj|1048576"), Some((Some(1 << 20), None)));
        assert_eq!(of("inline:QUJj|1:1"), Some((None, Some(1))));
        for wrong in [
            "inline",
            "inline:",
            "uri:QUJj",
            "inline:QUJj|",
            "inline:QUJj|2^64",
            "inline:QUJj|0",
            "inline:QUJj|2^x",
            "inline:QUJj|1:0",
            "inline:QUJj|1:129",
            "inline:QUJj|2^20|1:4|x",
            "inline:QUJj|2^20|2^20",
            "inline:QUJj;",
            "inline:QUJj|:4",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_lacks_a_part_is_none() {
        for wrong in
            ["", "1", "1 X", "1 X ", "x X inline:a", "+1 X inline:a", "1234567890 X inline:a", " X inline:a"]
        {
            assert_eq!(Crypto::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let crypto = Crypto::parse("1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20").unwrap();
        let shown = format!("{crypto:?} {:?}", crypto.keys());
        assert!(!shown.contains("c2VjcmV0") && shown.contains("AES_CM_128"), "{shown}");
    }
}
