//! URIs: sip and sips taken apart, every other scheme verbatim.

mod compare;
mod escape;
mod host;
mod owned;

use std::borrow::Cow;

use crate::class::Class;
use crate::error::UriError;
use crate::params::Params;
use crate::scan::number;

pub use host::Host;
pub use owned::UriBuf;

pub(crate) use escape::undo as undo_escapes;

/// A URI that borrows its text (RFC 3261 19.1, 25.1).
///
/// Parts are as written, escapes included; the parts of a scheme other than sip and sips stay together in
/// [`Uri::opaque`].
#[derive(Clone, Copy, Debug)]
pub struct Uri<'m> {
    text: &'m str,
    scheme: &'m str,
    sip: Option<Sip<'m>>,
}

#[derive(Clone, Copy, Debug)]
struct Sip<'m> {
    secure: bool,
    user: Option<&'m str>,
    password: Option<&'m str>,
    host: Host<'m>,
    port: Option<u16>,
    params: &'m str,
    headers: Option<&'m str>,
}

impl<'m> Uri<'m> {
    /// Takes a URI apart.
    ///
    /// # Errors
    /// The part that does not follow the grammar.
    pub fn parse(text: &'m str) -> Result<Uri<'m>, UriError> {
        let colon = memchr::memchr(b':', text.as_bytes()).ok_or(UriError::Scheme)?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        if !is_scheme(scheme) {
            return Err(UriError::Scheme);
        }
        if Class::NO_URI.has_any(text.as_bytes()) {
            return Err(UriError::Character);
        }
        let secure = scheme.eq_ignore_ascii_case("sips");
        if !secure && !scheme.eq_ignore_ascii_case("sip") {
            return if rest.is_empty() { Err(UriError::Host) } else { Ok(Uri { text, scheme, sip: None }) };
        }
        Ok(Uri { text, scheme, sip: Some(Sip::parse(rest, secure)?) })
    }

    /// The URI as written.
    pub fn as_str(&self) -> &'m str {
        self.text
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &'m str {
        self.scheme
    }

    /// A `sip` URI.
    pub fn is_sip(&self) -> bool {
        self.sip.is_some_and(|sip| !sip.secure)
    }

    /// A `sips` URI.
    pub fn is_sips(&self) -> bool {
        self.sip.is_some_and(|sip| sip.secure)
    }

    /// The user part, escapes untouched.
    pub fn user(&self) -> Option<&'m str> {
        self.sip?.user
    }

    /// The user part, escapes undone (octets that are no UTF-8 replaced).
    pub fn user_text(&self) -> Option<Cow<'m, str>> {
        self.user().map(escape::undo)
    }

    /// The password, escapes untouched.
    pub fn password(&self) -> Option<&'m str> {
        self.sip?.password
    }

    /// The host; an empty name for schemes other than sip and sips.
    pub fn host(&self) -> Host<'m> {
        self.sip.map_or(Host::Name(""), |sip| sip.host)
    }

    /// The port, where one is written.
    pub fn port(&self) -> Option<u16> {
        self.sip?.port
    }

    /// The parameters in order, escapes untouched.
    pub fn params(&self) -> impl Iterator<Item = (&'m str, Option<&'m str>)> + use<'m> {
        Params::of(self.sip.map_or("", |sip| sip.params).as_bytes()).iter()
    }

    /// The parameter of that name: `Some(None)` when it has no value. Names compare without case and escapes.
    pub fn param(&self, name: &str) -> Option<Option<&'m str>> {
        self.params().find(|(key, _)| escape::same(key, name)).map(|(_, value)| value)
    }

    /// The `transport` parameter.
    pub fn transport(&self) -> Option<&'m str> {
        self.param("transport").flatten()
    }

    /// The header fields behind `?`, escapes untouched.
    pub fn headers(&self) -> impl Iterator<Item = (&'m str, &'m str)> + use<'m> {
        let headers = self.sip.and_then(|sip| sip.headers).unwrap_or("");
        headers
            .split('&')
            .filter(|field| !field.is_empty())
            .map(|field| field.split_once('=').unwrap_or((field, "")))
    }

    /// There is a `?`, with or without fields behind it: not allowed in a Request-URI.
    pub fn has_headers(&self) -> bool {
        self.sip.is_some_and(|sip| sip.headers.is_some())
    }

    /// Everything behind the scheme's colon, for schemes other than sip and sips (`tel`, `urn`, …).
    pub fn opaque(&self) -> Option<&'m str> {
        match self.sip {
            None => Some(&self.text[self.scheme.len() + 1..]),
            Some(_) => None,
        }
    }

    /// The text as a user part may stand in a URI (RFC 3261 25.1): valid escapes stay, what may not stand there
    /// is escaped, and a `%` that begins no escape becomes `%25`.
    pub fn escape_user(text: &str) -> String {
        escape::user_part(text)
    }

    /// The text with its escapes undone once; octets that are no UTF-8 are replaced.
    pub fn unescape(text: &str) -> Cow<'_, str> {
        escape::undo(text)
    }

    /// Equality as RFC 3261 19.1.4 defines it; other schemes compare as text, the scheme without case.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        compare::equivalent(self, other)
    }
}

impl std::fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text)
    }
}

impl<'m> Sip<'m> {
    fn parse(rest: &'m str, secure: bool) -> Result<Sip<'m>, UriError> {
        let (user, password, rest) = match memchr::memchr(b'@', rest.as_bytes()) {
            None => (None, None, rest),
            Some(0) => return Err(UriError::User),
            Some(at) => {
                let (user, password) = split(&rest[..at], b':');
                if user.is_empty() {
                    return Err(UriError::User);
                }
                (Some(user), password, &rest[at + 1..])
            }
        };
        let (host, rest) = Host::split_from(rest).ok_or(UriError::Host)?;
        let (port, rest) = take_port(rest)?;
        let (params, headers) = match rest.as_bytes().first() {
            None => ("", None),
            Some(b';' | b'?') => split(rest, b'?'),
            Some(_) => return Err(UriError::Host),
        };
        Ok(Sip { secure, user, password, host, port, params, headers })
    }
}

/// `":" port` at the beginning of `rest`, and what follows.
pub(crate) fn take_port(rest: &str) -> Result<(Option<u16>, &str), UriError> {
    let Some(behind) = rest.strip_prefix(':') else { return Ok((None, rest)) };
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let port = number(&behind.as_bytes()[..digits]).and_then(|port| u16::try_from(port).ok());
    Ok((Some(port.ok_or(UriError::Port)?), &behind[digits..]))
}

fn split(text: &str, at: u8) -> (&str, Option<&str>) {
    match memchr::memchr(at, text.as_bytes()) {
        Some(found) => (&text[..found], Some(&text[found + 1..])),
        None => (text, None),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_sip_uri_comes_apart() {
        let uri =
            Uri::parse("sips:alice:secret@[2001:db8::1]:5071;transport=tls;lr?Subject=a%20b&Priority=urgent")
                .unwrap();
        assert!(uri.is_sips() && !uri.is_sip());
        assert_eq!((uri.user(), uri.password()), (Some("alice"), Some("secret")));
        assert_eq!(uri.host(), Host::V6("2001:db8::1".parse().unwrap()));
        assert_eq!(uri.port(), Some(5071));
        assert_eq!(uri.transport(), Some("tls"));
        assert_eq!(uri.param("LR"), Some(None));
        assert_eq!(uri.param("maddr"), None);
        assert_eq!(uri.headers().collect::<Vec<_>>(), [("Subject", "a%20b"), ("Priority", "urgent")]);
    }

    #[test]
    fn a_user_may_hold_what_looks_like_parameters() {
        let uri = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!(uri.user(), Some("user;par=u%40example.net"));
        assert_eq!(uri.user_text().unwrap(), "user;par=u@example.net");
        assert_eq!(uri.params().count(), 0);
        let odd = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com";
        let uri = Uri::parse(odd).unwrap();
        assert_eq!(uri.host(), Host::Name("example.com"));
        assert_eq!(uri.password(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    }

    #[test]
    fn parameter_names_compare_without_escapes() {
        let uri = Uri::parse("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31").unwrap();
        assert_eq!(uri.param("lr"), Some(None));
        assert_eq!(uri.param("name"), Some(Some("v%61lue%25%34%31")));
    }

    #[test]
    fn other_schemes_stay_whole() {
        for (text, opaque) in [
            ("tel:+1-201-555-0123;phone-context=x", "+1-201-555-0123;phone-context=x"),
            ("soap.beep://192.0.2.103:3002", "//192.0.2.103:3002"),
        ] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!(uri.opaque(), Some(opaque));
            assert_eq!((uri.as_str(), uri.user(), uri.port()), (text, None, None));
        }
    }

    #[test]
    fn what_is_no_uri_names_its_fault() {
        for (text, fault) in [
            ("", UriError::Scheme),
            ("alice@example.com", UriError::Scheme),
            ("sip:", UriError::Host),
            ("sip:@example.com", UriError::User),
            ("sip::pw@example.com", UriError::User),
            ("sip:a@", UriError::Host),
            ("sip:a@b@c", UriError::Host),
            ("sip:2001:db8::10", UriError::Port),
            ("sip:[2001:db8::g]", UriError::Host),
            ("sip:host:", UriError::Port),
            ("sip:host:65536", UriError::Port),
            ("sip:user@example.com; lr", UriError::Character),
            ("<sip:a@b>", UriError::Scheme),
            ("sip:a\r\nb@c", UriError::Character),
        ] {
            assert_eq!(Uri::parse(text).unwrap_err(), fault, "{text}");
        }
    }
}
