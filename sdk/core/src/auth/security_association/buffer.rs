//! The bytes a signature covers: selected header values, each between angle brackets.
//!
//! Source: MS-SIPAE 3.1.4.1 (versions 3 and 4), MS-SIP 3.1.4.2 (version 2). Values enter verbatim,
//! also where SIP ignores letter case, after folding is undone and surrounding blanks are removed.

use homing_wire::{Message, Name, NameAddr};
use thiserror::Error;

use super::name::Version;

/// The values of a signature's own header field that enter the buffer, without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// `NTLM` or `Kerberos`.
    pub scheme: &'a str,
    /// `crand` or `srand` as it stands in the message.
    pub salt: &'a str,
    /// `cnum` or `snum` as it stands in the message.
    pub number: &'a str,
    /// `realm` as it stands in the message.
    pub realm: &'a str,
    /// Target name.
    pub targetname: &'a str,
}

/// A message that has no signature buffer: the named header is missing or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a message without a usable {0} cannot be signed or verified")]
pub struct BufferError(pub Name<'static>);

/// The bytes that the signature of `message` covers.
///
/// ```
/// use homing_core::auth::security_association::{buffer, Stamp, Version};
/// use homing_wire::Message;
///
/// let redirect = Message::parse(&b"SIP/2.0 301 Moved Permanently\r\n\
///     Via: SIP/2.0/TLS client.network.com\r\n\
///     From: <sip:user@network.com>;tag=1123;epid=3344\r\n\
///     To: <sip:user@network.com>;tag=88ff\r\n\
///     Call-ID: 123@client.network.com\r\n\
///     CSeq: 3 REGISTER\r\n\
///     Contact: <sip:homeserver104.network.com:5061;transport=tls>\r\n\
///     Content-Length: 0\r\n\r\n"[..])?;
/// let stamp = Stamp {
///     scheme: "NTLM",
///     salt: "00008733",
///     number: "1",
///     realm: "NetworkCo",
///     targetname: "homeserver102.network.com",
/// };
/// assert_eq!(
///     buffer(&redirect, &stamp, Version::V2)?,
///     b"<NTLM><00008733><1><NetworkCo><homeserver102.network.com><123@client.network.com><3>\
///       <REGISTER><sip:user@network.com><1123><88ff><><301>",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`BufferError`] if From, To, Call-ID or CSeq is missing or malformed.
pub fn buffer(message: &Message, stamp: &Stamp<'_>, version: Version) -> Result<Vec<u8>, BufferError> {
    let mut out = Vec::with_capacity(384);
    walk(message, stamp, version, |_, value| {
        out.push(b'<');
        out.extend_from_slice(value.as_bytes());
        out.push(b'>');
    })?;
    Ok(out)
}

/// The elements of [`buffer`] in order, each with its name: for tools that tell which one differs.
///
/// # Errors
/// [`BufferError`] if From, To, Call-ID or CSeq is missing or malformed.
pub fn elements(
    message: &Message,
    stamp: &Stamp<'_>,
    version: Version,
) -> Result<Vec<(Element, String)>, BufferError> {
    let mut out = Vec::with_capacity(16);
    walk(message, stamp, version, |element, value| out.push((element, value.to_owned())))?;
    Ok(out)
}

/// One element of a signature buffer, in the order of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// Scheme token.
    Scheme,
    /// `crand` or `srand`.
    Salt,
    /// `cnum` or `snum`.
    Number,
    /// `realm` of the signature's header field.
    Realm,
    /// Target name.
    Targetname,
    /// Whole value of Call-ID.
    CallId,
    /// Number of CSeq.
    Sequence,
    /// Method of CSeq.
    Method,
    /// URI of From, without angle brackets and header parameters.
    FromUri,
    /// Tag of From; empty if there is none.
    FromTag,
    /// URI of To; not in version 2.
    ToUri,
    /// Tag of To; empty if there is none.
    ToTag,
    /// SIP URI of the asserted or preferred identity; not in version 2.
    SipIdentity,
    /// tel URI of the same; not in version 2.
    TelIdentity,
    /// Value of Expires.
    Expires,
    /// Status code; only in responses.
    Status,
}

/// Hands every element to `push`, in the order of the buffer.
fn walk(
    message: &Message,
    stamp: &Stamp<'_>,
    version: Version,
    mut push: impl FnMut(Element, &str),
) -> Result<(), BufferError> {
    let from = message.from().map_err(|_| BufferError(Name::From))?;
    let to = message.to().map_err(|_| BufferError(Name::To))?;
    let call_id = message.call_id().map_err(|_| BufferError(Name::CallId))?;
    let cseq = message.text(Name::CSeq).ok_or(BufferError(Name::CSeq))?;
    let (number, method) = cseq.trim().split_once([' ', '\t']).ok_or(BufferError(Name::CSeq))?;

    push(Element::Scheme, stamp.scheme);
    push(Element::Salt, stamp.salt);
    push(Element::Number, stamp.number);
    push(Element::Realm, stamp.realm);
    push(Element::Targetname, stamp.targetname);
    push(Element::CallId, call_id);
    push(Element::Sequence, number);
    push(Element::Method, method.trim());
    push(Element::FromUri, from.uri_str());
    push(Element::FromTag, from.tag().unwrap_or_default());
    if version != Version::V2 {
        push(Element::ToUri, to.uri_str());
    }
    push(Element::ToTag, to.tag().unwrap_or_default());
    if version != Version::V2 {
        let identity = Identity::of(message);
        push(Element::SipIdentity, identity.sip.as_deref().unwrap_or_default());
        push(Element::TelIdentity, identity.tel.as_deref().unwrap_or_default());
    }
    push(Element::Expires, message.text(Name::Expires).as_deref().unwrap_or_default().trim());
    if let Some(status) = message.status() {
        push(Element::Status, &status.to_string());
    }
    Ok(())
}

/// The asserted, else the preferred, identity of the sender (RFC 3325), as SIP and as tel URI.
#[derive(Debug, Default, PartialEq, Eq)]
struct Identity {
    sip: Option<String>,
    tel: Option<String>,
}

impl Identity {
    fn of(message: &Message) -> Self {
        let asserted = Self::listed(message, Name::PAssertedIdentity);
        if asserted == Self::default() { Self::listed(message, Name::PPreferredIdentity) } else { asserted }
    }

    /// Takes the first URI of each kind, over all lines of that name: several lines mean the same
    /// as one with commas (RFC 3261 7.3.1).
    fn listed(message: &Message, name: Name<'_>) -> Self {
        let mut found = Self::default();
        for address in message.lines(name).flat_map(list_items).filter_map(NameAddr::parse) {
            let uri = address.uri_str();
            let scheme = uri.split(':').next().unwrap_or_default();
            let place = match () {
                () if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") => {
                    &mut found.sip
                }
                () if scheme.eq_ignore_ascii_case("tel") => &mut found.tel,
                () => continue,
            };
            place.get_or_insert_with(|| uri.to_owned());
        }
        found
    }
}

/// The items of a comma-separated list of addresses; commas within quotes or brackets do not count.
fn list_items(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
        let comma = line.iter().position(|byte| {
            let literal = std::mem::take(&mut escaped);
            match byte {
                b'\\' => escaped = quoted && !literal,
                b'"' if !literal && !bracketed => quoted = !quoted,
                b'<' if !quoted => bracketed = true,
                b'>' if !quoted => bracketed = false,
                b',' => return !quoted && !bracketed,
                _ => {}
            }
            false
        });
        let Some(comma) = comma else { return Some(line) };
        rest = Some(&line[comma + 1..]);
        Some(&line[..comma])
    })
}
