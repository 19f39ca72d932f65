//! Content-Disposition: what the body is for (RFC 3261 20.11).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;

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
    fn handling_is_required_unless_said_otherwise() {
        let optional = |text: &str| ContentDisposition::read(text.as_bytes()).unwrap().0.is_optional();
        assert!(optional("session;Handling=Optional"));
        assert!(!optional("session;handling=required") && !optional("session"));
        assert!(ContentDisposition::read(b"").is_none());
    }
}
