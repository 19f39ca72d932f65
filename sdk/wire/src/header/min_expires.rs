//! Min-Expires: the shortest time a registrar grants (RFC 3261 20.23).

use super::number::number_header;
use crate::name::Name;

number_header! {
    /// Seconds.
    MinExpires(u32), Name::MinExpires
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed_and_keeps_its_range() {
        let (read, _) = MinExpires::read(b"60").unwrap();
        assert_eq!(MinExpires::read(read.to_string().as_bytes()).unwrap().0, read);
        for wrong in ["", "-1", "x", "1 2", "4294967296"] {
            assert!(MinExpires::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
