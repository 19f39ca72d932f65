//! One user's device: its `epid`, the instance UUID made of it, and the GRUU a registrar gives it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha1::{Digest, Sha1};

/// The value of `+sip.instance="<urn:uuid:…>"` that belongs to an `epid` (MS-SIPRE 3.2.1).
///
/// Prints as the bare UUID in lower case; [`InstanceId::urn`] gives the URN.
///
/// ```
/// use homing_core::endpoint::InstanceId;
///
/// let device = InstanceId::of_epid("01010101");
/// assert_eq!(device.to_string(), "4b1682a8-f968-5701-83fc-7c6741dc6697");
/// assert_eq!(device.gruu("user@network.com"), "sip:user@network.com;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId {
    /// The sixteen bytes with the first three fields in little-endian order, as the hash gives them.
    bytes: [u8; 16],
}

impl InstanceId {
    /// Derives the id from the epid exactly as it stands in the From header.
    pub fn of_epid(epid: &str) -> Self {
        let hash = Sha1::new().chain_update(NAMESPACE).chain_update(epid).finalize();
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(&hash[..16]);
        // The third field is little-endian, so the version nibble sits in its second byte.
        bytes[7] = bytes[7] & 0x0f | 0x50;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self { bytes }
    }

    /// Reads `4b1682a8-f968-…`, `urn:uuid:…` or `<urn:uuid:…>`, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(text);
        let bare = match text.get(..URN.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(URN) => &text[URN.len()..],
            _ => text,
        };
        let digits = bare.as_bytes();
        if digits.len() != 36 || DASHES.iter().any(|at| digits[*at] != b'-') {
            return None;
        }
        let mut bytes = [0u8; 16];
        let places = (0..36).filter(|at| !DASHES.contains(at));
        for (index, at) in places.enumerate() {
            let nibble = u8::try_from(char::from(digits[at]).to_digit(16)?).ok()?;
            bytes[index / 2] = bytes[index / 2] << 4 | nibble;
        }
        Some(Self { bytes: swap_fields(bytes) })
    }

    /// `urn:uuid:…`, to be put between `"<` and `>"`.
    pub fn urn(&self) -> String {
        format!("{URN}{self}")
    }

    /// The 24 characters that name this device in a GRUU (MS-SIPRE 3.3.1).
    pub fn gruu_token(&self) -> String {
        let mut bytes = [0u8; 18];
        bytes[..16].copy_from_slice(&self.bytes);
        URL_SAFE.encode(bytes)
    }

    /// The GRUU of this device for `user@domain`.
    pub fn gruu(&self, address: &str) -> String {
        format!("sip:{address};opaque=user:epid:{};gruu", self.gruu_token())
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from_be_bytes(swap_fields(self.bytes));
        // In halves: numbers of 128 bits are slow to write.
        let half = |shift: u32| u64::try_from(value >> shift & u128::from(u64::MAX)).unwrap_or_default();
        let (high, low) = (half(64), half(0));
        let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
        write!(f, "{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }
}

/// Turns the first three fields of a UUID between little- and big-endian order.
fn swap_fields(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// Name space fcacfb03-8a73-46ef-91b1-e5ebeeaba4fe, first three fields little-endian.
const NAMESPACE: [u8; 16] =
    [0x03, 0xfb, 0xac, 0xfc, 0x73, 0x8a, 0xef, 0x46, 0x91, 0xb1, 0xe5, 0xeb, 0xee, 0xab, 0xa4, 0xfe];
const URN: &str = "urn:uuid:";
const DASHES: [usize; 4] = [8, 13, 18, 23];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_epids_give_their_uuid_and_gruu() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/vectors/epid_uuid_gruu.json");
        let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = all["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 8);
        for case in cases {
            let uuid = case["uuid"].as_str().unwrap();
            let device = InstanceId::of_epid(case["epid"].as_str().unwrap());
            assert_eq!(device.to_string(), uuid);
            assert_eq!(device.gruu_token(), case["gruu_user_epid_token"].as_str().unwrap());
            assert_eq!(InstanceId::parse(uuid), Some(device));
            assert_eq!(InstanceId::parse(&format!("<URN:UUID:{}>", uuid.to_uppercase())), Some(device));
        }
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        let good = InstanceId::of_epid("3344").urn();
        for bad in
            ["", "urn:uuid:", &good[..good.len() - 1], &good.replace('-', "_"), &good.replace('d', "g"), "é"]
        {
            assert_eq!(InstanceId::parse(bad), None, "{bad}");
        }
    }
}
