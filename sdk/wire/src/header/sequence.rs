//! Numbers of requests and of what answers them: CSeq and RAck.

use std::fmt;

use super::{Header, read_whole};
use crate::method::Method;
use crate::name::Name;
use crate::scan::Cursor;

/// Sequence number and method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CSeq<'m> {
    /// Counted up by one with each request of a dialog or registration; 2^31 and more, which no sender may use
    /// (RFC 3261 8.1.1.5), are read too.
    pub seq: u32,
    /// That of the request, in its responses too.
    pub method: Method<'m>,
}

impl<'m> Header<'m> for CSeq<'m> {
    const NAME: Name<'static> = Name::CSeq;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            Some(CSeq { seq: number_and_blank(cursor)?, method: Method::parse(cursor.token()?) })
        })
    }
}

impl fmt::Display for CSeq<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

/// The response's RSeq, and the CSeq of the request it answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RAck<'m> {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The CSeq number of the request.
    pub seq: u32,
    /// The method of the request.
    pub method: Method<'m>,
}

impl<'m> Header<'m> for RAck<'m> {
    const NAME: Name<'static> = Name::RAck;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let rseq = number_and_blank(cursor)?;
            let seq = number_and_blank(cursor)?;
            Some(RAck { rseq, seq, method: Method::parse(cursor.token()?) })
        })
    }
}

fn number_and_blank(cursor: &mut Cursor<'_>) -> Option<u32> {
    let number = cursor.number()?;
    let before = cursor.rest().len();
    cursor.skip_white();
    (cursor.rest().len() < before).then_some(number)
}

impl fmt::Display for RAck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.seq, self.method)
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

    #[test]
    fn a_rack_reads_as_printed() {
        let rack = RAck { rseq: 776656, seq: 1, method: Method::Invite };
        assert_eq!(RAck::read(rack.to_string().as_bytes()).unwrap().0, rack);
        for wrong in ["", "1 INVITE", "1 2", "1 2INVITE", "1 2 INVITE x"] {
            assert!(RAck::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
