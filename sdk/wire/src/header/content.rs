//! What the body is and what it is for: Content-Type and Content-Disposition.

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;

/// A media type.
#[derive(Clone, Copy, Debug)]
pub struct ContentType<'m> {
    /// `application`, `multipart`, `text`, ….
    pub kind: &'m str,
    /// `sdp`, `mixed`, `plain`, ….
    pub subtype: &'m str,
    params: Params<'m>,
}

impl<'m> ContentType<'m> {
    /// Whether this is that type, in any case: `"application/sdp"`.
    pub fn is(&self, media_type: &str) -> bool {
        media_type.split_once('/').is_some_and(|(kind, sub)| {
            kind.eq_ignore_ascii_case(self.kind) && sub.eq_ignore_ascii_case(self.subtype)
        })
    }

    /// The value of a parameter, for instance `boundary` or `charset`.
    pub fn param(&self, name: &str) -> Option<&'m str> {
        self.params.value(name)
    }
}

impl<'m> Header<'m> for ContentType<'m> {
    const NAME: Name<'static> = Name::ContentType;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let kind = cursor.token()?;
            cursor.eat_spaced(b'/').then_some(())?;
            Some(ContentType { kind, subtype: cursor.token()?, params: Params::read(cursor)? })
        })
    }
}

impl fmt::Display for ContentType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}

/// What to do with a body.
#[derive(Clone, Copy, Debug)]
pub struct ContentDisposition<'m> {
    /// `session`, `render`, `early-session`, ….
    pub kind: &'m str,
    params: Params<'m>,
}

impl ContentDisposition<'_> {
    /// A body of an unknown kind may be left aside; otherwise the request must be refused (the default).
    pub fn is_optional(&self) -> bool {
        self.params.value("handling").is_some_and(|word| word.eq_ignore_ascii_case("optional"))
    }
}

impl<'m> Header<'m> for ContentDisposition<'m> {
    const NAME: Name<'static> = Name::ContentDisposition;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            Some(ContentDisposition { kind: cursor.token()?, params: Params::read(cursor)? })
        })
    }
}

impl fmt::Display for ContentDisposition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_compare_without_case() {
        let (read, _) = ContentType::read(b"Multipart / Mixed ; boundary=\"a;b\"").unwrap();
        assert!(read.is("multipart/mixed") && !read.is("multipart/related") && !read.is("multipart"));
        assert_eq!(read.param("Boundary"), Some("a;b"));
        assert_eq!(read.to_string(), "Multipart/Mixed;boundary=\"a;b\"");
        assert!(ContentType::read(b"text").is_none() && ContentType::read(b"a/b, c/d").is_none());
    }

    #[test]
    fn handling_is_required_unless_said_otherwise() {
        let optional = |text: &str| ContentDisposition::read(text.as_bytes()).unwrap().0.is_optional();
        assert!(optional("session;Handling=Optional"));
        assert!(!optional("session;handling=required") && !optional("session"));
        assert!(ContentDisposition::read(b"").is_none());
    }
}
