//! Expires: how long a binding, subscription or redirect holds (RFC 3261 20.19).

use super::number::number_header;
use crate::name::Name;

number_header! {
    /// Seconds.
    Expires(u32), Name::Expires
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed_and_keeps_its_range() {
        let (read, _) = Expires::read(b"7200").unwrap();
        assert_eq!(Expires::read(read.to_string().as_bytes()).unwrap().0, read);
        for wrong in ["", "-1", "x", "1 2", "4294967296"] {
            assert!(Expires::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
