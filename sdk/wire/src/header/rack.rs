//! RAck: which reliable provisional response a PRACK acknowledges (RFC 3262 7.2).

use std::fmt;

use super::{Header, read_whole};
use crate::method::Method;
use crate::name::Name;
use crate::scan::Cursor;

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
    fn it_reads_as_printed() {
        let rack = RAck { rseq: 776656, seq: 1, method: Method::Invite };
        assert_eq!(RAck::read(rack.to_string().as_bytes()).unwrap().0, rack);
        for wrong in ["", "1 INVITE", "1 2", "1 2INVITE", "1 2 INVITE x"] {
            assert!(RAck::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
