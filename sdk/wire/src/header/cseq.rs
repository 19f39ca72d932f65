//! CSeq: the number and method of a request (RFC 3261 20.16).

use std::fmt;

use super::{Header, read_whole};
use crate::method::Method;
use crate::name::Name;
use crate::scan::Cursor;

/// Sequence number and method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CSeq<'m> {
    /// The number.
    pub seq: u32,
    /// The method.
    pub method: Method<'m>,
}

impl<'m> CSeq<'m> {
    fn read_from(cursor: &mut Cursor<'m>) -> Option<CSeq<'m>> {
        let seq = cursor.number()?;
        let before = cursor.rest().len();
        cursor.skip_white();
        if cursor.rest().len() == before {
            return None;
        }
        Some(CSeq { seq, method: Method::parse(cursor.token()?) })
    }
}

impl<'m> Header<'m> for CSeq<'m> {
    const NAME: Name<'static> = Name::CSeq;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, CSeq::read_from)
    }
}

impl fmt::Display for CSeq<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_and_folds_are_taken() {
        let (cseq, _) = CSeq::read(b"0009\r\n  INVITE").unwrap();
        assert_eq!(cseq, CSeq { seq: 9, method: Method::Invite });
        assert_eq!(cseq.to_string(), "9 INVITE");
    }

    #[test]
    fn what_is_no_cseq_is_refused() {
        for wrong in
            ["", "1", "1 ", "INVITE", "-1 INVITE", "36893488147419103232 REGISTER", "1 INVITE x", "1INVITE"]
        {
            assert!(CSeq::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
