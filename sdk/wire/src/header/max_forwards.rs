//! Max-Forwards: how many hops a request may still take (RFC 3261 20.22).

use super::number::number_header;
use crate::name::Name;

number_header! {
    /// Hops that are left.
    MaxForwards(u8), Name::MaxForwards
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed_and_keeps_its_range() {
        let (read, _) = MaxForwards::read(b"0068").unwrap();
        assert_eq!(MaxForwards::read(read.to_string().as_bytes()).unwrap().0, read);
        for wrong in ["", "-1", "256", "300", "7 0"] {
            assert!(MaxForwards::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
