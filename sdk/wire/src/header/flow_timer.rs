//! Flow-Timer: the keep-alive interval a server asks for (RFC 5626 11.3).

use super::number::number_header;
use crate::name::Name;

number_header! {
    /// Seconds.
    FlowTimer(u32), Name::FlowTimer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed_and_keeps_its_range() {
        let (read, _) = FlowTimer::read(b"120").unwrap();
        assert_eq!(FlowTimer::read(read.to_string().as_bytes()).unwrap().0, read);
        for wrong in ["", "-1", "x", "1 2", "4294967296"] {
            assert!(FlowTimer::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
