//! The hash by which a certificate is pinned.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The SHA-256 of a certificate in DER, as `openssl x509 -fingerprint -sha256` prints it.
///
/// ```
/// use homing_core::fingerprint::Fingerprint;
/// let text = "AA:".repeat(31) + "0f";
/// assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), "AA:".repeat(31) + "0F");
/// assert!("AA:BB".parse::<Fingerprint>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// The text is no SHA-256 in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a SHA-256 has 64 hexadecimal digits, with or without colons")]
pub struct FingerprintError;

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, octet) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16))
            .collect::<Option<_>>()
            .ok_or(FingerprintError)?;
        let octets: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).map_err(|_| FingerprintError))
            .collect::<Result<_, _>>()?;
        if digits.len() != 64 {
            return Err(FingerprintError);
        }
        octets.try_into().map(Self).map_err(|_| FingerprintError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_tools_print_it() {
        let octets: [u8; 32] = std::array::from_fn(|place| u8::try_from(place * 8).unwrap_or(0));
        let fingerprint = Fingerprint(octets);
        let colons = fingerprint.to_string();
        assert_eq!(colons.len(), 95);
        for text in [colons.clone(), colons.replace(':', ""), colons.to_lowercase(), colons.replace(':', " ")]
        {
            assert_eq!(text.parse(), Ok(fingerprint), "{text}");
        }
        for text in ["", "00", &colons[..92], &format!("{colons}:00"), &colons.replace('0', "g")] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }
}
