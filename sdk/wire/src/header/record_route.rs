//! Record-Route: the hops that stay in the dialog (RFC 3261 20.30).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// One hop.
    RecordRoute, Name::RecordRoute, list = true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = RecordRoute::read(br#"<sip:hs1.example.com;lr>"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = RecordRoute::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(RecordRoute::read(b"<sip:a>, <sip:b>").is_some());
        assert!(RecordRoute::read(b"< sip:a >").is_none());
    }
}
