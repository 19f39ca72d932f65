//! Parameters behind a header value: `;name`, `;name=token`, `;name="text"`.

use std::borrow::Cow;
use std::fmt;

use crate::scan::{Cursor, is_white, list_end, quote_end, trim_end, unquoted};
use crate::write;

/// The parameters of a header value, read when asked.
///
/// Lenient: blanks around `;` and `=`, empty parameters and valueless ones are all taken. The first of two equal
/// names counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'m> {
    raw: &'m [u8],
}

impl<'m> Params<'m> {
    pub(crate) fn of(raw: &'m [u8]) -> Params<'m> {
        Params { raw }
    }

    /// Reads what stands between the value and the end of the line or the next comma.
    pub(crate) fn read(cursor: &mut Cursor<'m>) -> Option<Params<'m>> {
        cursor.skip_white();
        match cursor.peek() {
            None | Some(b',') => Some(Params::default()),
            Some(b';') => {
                let rest = cursor.rest();
                let end = list_end(rest).ok()?.unwrap_or(rest.len());
                Some(Params { raw: trim_end(cursor.take(end)) })
            }
            Some(_) => None,
        }
    }

    /// Name and value in order; a quoted value without its quotes, escapes untouched.
    pub fn iter(&self) -> impl Iterator<Item = (&'m str, Option<&'m str>)> + use<'m> {
        self.octets().filter_map(|(name, value)| {
            let value = match value {
                Some(value) => Some(str::from_utf8(value).ok()?),
                None => None,
            };
            Some((str::from_utf8(name).ok()?, value))
        })
    }

    /// Name and value in order, in plain text: escapes undone and octets that are no UTF-8 replaced.
    pub fn texts(&self) -> impl Iterator<Item = (Cow<'m, str>, Option<Cow<'m, str>>)> + use<'m> {
        self.octets().map(|(name, value)| (String::from_utf8_lossy(name), value.map(unquoted)))
    }

    /// The parameter of that name, in any case: `Some(None)` when it has no value.
    pub fn find(&self, name: &str) -> Option<Option<&'m str>> {
        match self.octets().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))? {
            (_, None) => Some(None),
            (_, Some(value)) => str::from_utf8(value).ok().map(Some),
        }
    }

    /// The value of that parameter, where it has one.
    pub fn value(&self, name: &str) -> Option<&'m str> {
        self.find(name).flatten().filter(|value| !value.is_empty())
    }

    /// The value of that parameter in plain text, escapes undone and octets that are no UTF-8 replaced.
    pub fn text(&self, name: &str) -> Option<Cow<'m, str>> {
        let (_, value) = self.octets().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
        value.map(unquoted)
    }

    /// The parameters as written, with their semicolons.
    pub fn as_bytes(&self) -> &'m [u8] {
        self.raw
    }

    fn octets(&self) -> Octets<'m> {
        Octets { rest: self.raw }
    }
}

/// The parameters with their semicolons, values quoted where they must.
impl fmt::Display for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.texts().try_for_each(|(name, value)| write::param(f, &name, value.as_deref()))
    }
}

struct Octets<'m> {
    rest: &'m [u8],
}

impl<'m> Iterator for Octets<'m> {
    type Item = (&'m [u8], Option<&'m [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest;
            let start = rest.iter().position(|octet| *octet != b';' && !is_white(*octet))?;
            let rest = &rest[start..];
            let end = rest.iter().position(|octet| matches!(octet, b';' | b'=')).unwrap_or(rest.len());
            let name = trim_end(&rest[..end]);
            let value = if rest.get(end) == Some(&b'=') {
                Some(self.value(&rest[end + 1..]))
            } else {
                self.rest = &rest[end..];
                None
            };
            if !name.is_empty() {
                return Some((name, value));
            }
        }
    }
}

impl<'m> Octets<'m> {
    /// The value behind an equals sign; moves to the semicolon behind it.
    fn value(&mut self, behind: &'m [u8]) -> &'m [u8] {
        let start = behind.iter().position(|octet| !is_white(*octet)).unwrap_or(behind.len());
        let behind = &behind[start..];
        if let Some(inside) = behind.strip_prefix(b"\"")
            && let Some(end) = quote_end(inside)
        {
            let rest = &inside[end + 1..];
            self.rest = &rest[memchr::memchr(b';', rest).unwrap_or(rest.len())..];
            return &inside[..end];
        }
        let end = memchr::memchr(b';', behind).unwrap_or(behind.len());
        self.rest = &behind[end..];
        trim_end(&behind[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(raw: &str) -> Vec<(&str, Option<&str>)> {
        Params::of(raw.as_bytes()).iter().collect()
    }

    #[test]
    fn blanks_and_empty_parameters_are_taken() {
        assert_eq!(
            all(";\r\n branch  =   z9hG4bK9ikj8  ;; lr;q = 0.33;x=;"),
            [("branch", Some("z9hG4bK9ikj8")), ("lr", None), ("q", Some("0.33")), ("x", Some(""))]
        );
        assert_eq!(all(""), []);
        assert_eq!(all(" ; ;=v"), []);
    }

    #[test]
    fn quoted_values_may_hold_semicolons() {
        assert_eq!(
            all(r#";+sip.instance="<urn:uuid:1;2>";methods="INVITE, BYE" ;e="a\";b""#),
            [
                ("+sip.instance", Some("<urn:uuid:1;2>")),
                ("methods", Some("INVITE, BYE")),
                ("e", Some(r#"a\";b"#))
            ]
        );
    }

    #[test]
    fn the_first_of_two_counts_and_case_does_not() {
        let params = Params::of(b";TAG=a;tag=b");
        assert_eq!(params.find("tag"), Some(Some("a")));
        assert_eq!(params.find("epid"), None);
    }

    #[test]
    fn octets_that_are_no_text_hide_only_their_parameter() {
        assert_eq!(Params::of(b";x=\xff;tag=b").iter().collect::<Vec<_>>(), [("tag", Some("b"))]);
    }
}
