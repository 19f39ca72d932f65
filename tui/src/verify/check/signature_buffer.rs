//! A signature in its header, and the bytes that it covers.

use homing::offline::ntlm::Side;
use homing::offline::security_association::{BufferError, Element, Stamp, Version, elements};
use homing::offline::{Auth, Message};

/// A signature as it stands in its header.
pub(super) struct Stamped<'a> {
    pub(super) stamp: Stamp<'a>,
    pub(super) number: &'a str,
    pub(super) mac: [u8; 16],
}

impl<'a> Stamped<'a> {
    /// Reads the parameters of a signature; `None` if one is missing or no signature.
    pub(super) fn read(auth: &Auth<'a>, side: Side, scheme: &'a str) -> Option<Self> {
        let [salt, number, mac] = parameters(side);
        let number = auth.param(number)?;
        Some(Self {
            stamp: Stamp {
                scheme,
                salt: auth.param(salt)?,
                number,
                realm: auth.param("realm")?,
                targetname: auth.param("targetname")?,
            },
            number,
            mac: unhex(auth.param(mac)?)?,
        })
    }

    /// The elements of the buffer it covers.
    pub(super) fn elements(
        &self,
        message: &Message,
        version: Version,
    ) -> Result<Vec<(Element, String)>, BufferError> {
        elements(message, &self.stamp, version)
    }
}

/// The bytes of a buffer.
pub(super) fn join(elements: &[(Element, String)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(384);
    for (_, value) in elements {
        bytes.push(b'<');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(b'>');
    }
    bytes
}

/// What an element is called, depending on who signed.
pub(in crate::verify) fn element_name(element: Element, side: Side) -> &'static str {
    match (element, side) {
        (Element::Scheme, _) => "scheme",
        (Element::Salt, Side::Client) => "crand",
        (Element::Salt, Side::Server) => "srand",
        (Element::Number, Side::Client) => "cnum",
        (Element::Number, Side::Server) => "snum",
        (Element::Realm, _) => "realm",
        (Element::Targetname, _) => "targetname",
        (Element::CallId, _) => "Call-ID",
        (Element::Sequence, _) => "CSeq number",
        (Element::Method, _) => "CSeq method",
        (Element::FromUri, _) => "From URI",
        (Element::FromTag, _) => "From tag",
        (Element::ToUri, _) => "To URI",
        (Element::ToTag, _) => "To tag",
        (Element::SipIdentity, _) => "SIP identity",
        (Element::TelIdentity, _) => "tel identity",
        (Element::Expires, _) => "Expires",
        (Element::Status, _) => "status code",
    }
}

/// Salt, counter and signature.
pub(super) fn parameters(side: Side) -> [&'static str; 3] {
    match side {
        Side::Client => ["crand", "cnum", "response"],
        Side::Server => ["srand", "snum", "rspauth"],
    }
}

/// Sixteen bytes in hexadecimal digits of either case.
fn unhex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}
