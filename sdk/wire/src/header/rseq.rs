//! RSeq: the number of a reliable provisional response (RFC 3262 7.1).

use super::number::number_header;
use crate::name::Name;

number_header! {
    /// The number, at least 1.
    RSeq(u32), Name::RSeq
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed_and_keeps_its_range() {
        let (read, _) = RSeq::read(b"988789").unwrap();
        assert_eq!(RSeq::read(read.to_string().as_bytes()).unwrap().0, read);
        for wrong in ["", "-1", "x", "1 2", "4294967296"] {
            assert!(RSeq::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
