//! `"Alice" <sip:alice@example.com>;tag=1`: the grammar that From, To, Contact, Route and their kin share.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::error::UriError;
use crate::params::Params;
use crate::scan::{Cursor, holds_white, trim_end, unfold, unquoted};
use crate::uri::Uri;
use crate::write::{Quoted, UriText, param};

/// A name-addr or addr-spec with its header parameters (RFC 3261 20.10).
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'m> {
    display: DisplayName<'m>,
    uri: &'m str,
    params: Params<'m>,
}

#[derive(Clone, Copy, Debug)]
enum DisplayName<'m> {
    Absent,
    Tokens(&'m [u8]),
    Quoted(&'m [u8]),
}

impl<'m> NameAddr<'m> {
    /// Reads an address that is the whole value.
    pub fn parse(value: &'m [u8]) -> Option<NameAddr<'m>> {
        super::read_whole(value, NameAddr::read_from).map(|(addr, _)| addr)
    }

    /// The display name, unquoted, unescaped and unfolded; octets that are no UTF-8 replaced.
    pub fn display(&self) -> Option<Cow<'m, str>> {
        match self.display {
            DisplayName::Absent | DisplayName::Tokens([]) | DisplayName::Quoted([]) => None,
            DisplayName::Tokens(tokens) => Some(unfold(tokens)),
            DisplayName::Quoted(inside) => Some(unquoted(inside)),
        }
    }

    /// The URI as written, without its brackets; what a signature covers (MS-SIPAE 3.3.5.1).
    pub fn uri_str(&self) -> &'m str {
        self.uri
    }

    /// The URI taken apart.
    ///
    /// # Errors
    /// As [`Uri::parse`].
    pub fn uri(&self) -> Result<Uri<'m>, UriError> {
        Uri::parse(self.uri)
    }

    /// The `tag` parameter, where it has a value.
    pub fn tag(&self) -> Option<&'m str> {
        self.params.value("tag")
    }

    /// The header parameter of that name: `Some(None)` when it has no value, a quoted value without its quotes.
    ///
    /// The form `epid; 3344` of the patent's messages reads as `epid=3344`.
    pub fn param(&self, name: &str) -> Option<Option<&'m str>> {
        let found = self.params.find(name)?;
        if found.is_none() && name.eq_ignore_ascii_case("epid") {
            let mut rest =
                self.params.iter().skip_while(|(key, _)| !key.eq_ignore_ascii_case("epid")).skip(1);
            if let Some((value, None)) = rest.next() {
                return Some(Some(value));
            }
        }
        Some(found)
    }

    /// The header parameters.
    pub fn params(&self) -> Params<'m> {
        self.params
    }

    /// The builder's type with the same content.
    pub fn into_owned(self) -> NameAddrBuf {
        let mut owned = NameAddrBuf::new(self.uri);
        if let Some(display) = self.display() {
            owned = owned.display(&display);
        }
        for (name, value) in self.params.texts() {
            owned = owned.param(&name, value.as_deref());
        }
        owned
    }

    pub(crate) fn read_from(cursor: &mut Cursor<'m>) -> Option<NameAddr<'m>> {
        cursor.skip_white();
        let display = match cursor.peek()? {
            b'<' => DisplayName::Absent,
            b'"' => DisplayName::Quoted(cursor.quoted()?),
            _ => {
                let text =
                    trim_end(cursor.take_while(|octet| !matches!(octet, b'<' | b'"' | b',' | b';' | b'?')));
                if cursor.peek() != Some(b'<') {
                    return NameAddr::bare(text, cursor);
                }
                DisplayName::Tokens(text)
            }
        };
        cursor.skip_white();
        let inside = cursor.rest().strip_prefix(b"<")?;
        let end = memchr::memchr(b'>', inside)?;
        cursor.take(end + 2);
        let uri = uri_text(&inside[..end])?;
        Some(NameAddr { display, uri, params: Params::read(cursor)? })
    }

    /// An addr-spec without brackets: what stands behind its first semicolon belongs to the header, and a `?` or a
    /// comma inside it is not allowed (RFC 3261 20).
    fn bare(text: &'m [u8], cursor: &mut Cursor<'m>) -> Option<NameAddr<'m>> {
        let uri = uri_text(text)?;
        memchr::memchr(b':', text)?;
        Some(NameAddr { display: DisplayName::Absent, uri, params: Params::read(cursor)? })
    }
}

fn uri_text(text: &[u8]) -> Option<&str> {
    if text.is_empty() || holds_white(text) {
        return None;
    }
    str::from_utf8(text).ok()
}

/// An address that is put together: From, To, Contact, Route and their kin as values to write.
///
/// ```
/// use homing_wire::{NameAddrBuf, UriBuf};
/// let from = NameAddrBuf::new(UriBuf::sip(Some("alice"), "example.com")).display("Alice").param("tag", Some("a1"));
/// assert_eq!(from.to_string(), r#""Alice" <sip:alice@example.com>;tag=a1"#);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameAddrBuf {
    display: Option<String>,
    uri: String,
    params: Vec<(String, Option<String>)>,
}

impl NameAddrBuf {
    /// The address with that URI; characters that no URI may hold are escaped.
    pub fn new(uri: impl fmt::Display) -> NameAddrBuf {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(UriText { to: &mut text }, "{uri}");
        NameAddrBuf { display: None, uri: text, params: Vec::new() }
    }

    /// Sets the display name, in plain text.
    pub fn display(mut self, name: &str) -> NameAddrBuf {
        self.display = Some(name.to_owned());
        self
    }

    /// Appends a header parameter; the value is quoted where it is no token.
    pub fn param(mut self, name: &str, value: Option<&str>) -> NameAddrBuf {
        self.params.push((name.to_owned(), value.map(str::to_owned)));
        self
    }
}

impl fmt::Display for NameAddrBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", Quoted(display))?;
        }
        write!(f, "<{}>", self.uri)?;
        self.params.iter().try_for_each(|(name, value)| param(f, name, value.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NameAddr<'_> {
        NameAddr::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn display_names_come_plain() {
        assert_eq!(
            parse(r#""J Rosenberg \\\""       <sip:j@e.com> ; tag = 98asjd8"#).display().unwrap(),
            r#"J Rosenberg \""#
        );
        assert_eq!(parse("caller<sip:c@e.com>;tag=3").display().unwrap(), "caller");
        assert_eq!(parse("A. Bell <sip:c@e.com>").display().unwrap(), "A. Bell");
        assert_eq!(parse("\"\" <sip:c@e.com>").display(), None);
        assert_eq!(parse("<sip:c@e.com>").display(), None);
    }

    #[test]
    fn the_patents_addresses_read_as_meant() {
        let from = parse("User <sip:user@network.com>; tag = 1123; epid; 3344");
        assert_eq!((from.uri_str(), from.tag()), ("sip:user@network.com", Some("1123")));
        assert_eq!(from.param("epid"), Some(Some("3344")));
        let to = parse("User <sip:user@network.com>;");
        assert_eq!((to.uri_str(), to.tag()), ("sip:user@network.com", None));
        assert_eq!(parse("<sip:a@b>;epid=77;x").param("epid"), Some(Some("77")));
        assert_eq!(parse("<sip:a@b>;epid").param("epid"), Some(None));
    }

    #[test]
    fn without_brackets_parameters_belong_to_the_header() {
        let bare = parse("sip:+16505552222@ss1.example.net;user=phone");
        assert_eq!(bare.uri_str(), "sip:+16505552222@ss1.example.net");
        assert_eq!(bare.param("user"), Some(Some("phone")));
        assert_eq!(parse("<sip:a@b;unknownparam>").uri_str(), "sip:a@b;unknownparam");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "alan@jasomi.com",
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            r#""Mr. J. User <sip:j.user@example.com>"#,
            r#""Watson, Thomas" < sip:t.watson@example.org >"#,
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "<sip:a@b> x",
            "<sip:a@b",
            "<>",
            "sip:a b@c",
            "<sip:a@b>;tag=1, <sip:c@d>",
        ] {
            assert!(NameAddr::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_part_of_a_built_address_breaks_out() {
        let built =
            NameAddrBuf::new("sip:a@b>\r\nVia: x").display("A\"\r\nB\\").param("tag", Some("1;x=\"2\"\n"));
        let text = built.to_string();
        assert!(!text.contains(['\r', '\n']));
        let read = parse(&text);
        assert_eq!(read.display().unwrap(), "A\"  B\\");
        assert_eq!(read.params().iter().count(), 1);
    }
}
