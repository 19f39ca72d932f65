//! Content-Length: octets of the body (RFC 3261 20.14).

use super::number::number_header;
use crate::name::Name;

number_header! {
    /// Octets.
    ContentLength(u32), Name::ContentLength
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed_and_keeps_its_range() {
        let (read, _) = ContentLength::read(b"0349").unwrap();
        assert_eq!(ContentLength::read(read.to_string().as_bytes()).unwrap().0, read);
        for wrong in ["", "-1", "x", "1 2", "4294967296"] {
            assert!(ContentLength::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
