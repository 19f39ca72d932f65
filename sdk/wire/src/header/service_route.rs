//! Service-Route: the hops a registrar gives its client for requests (RFC 3608).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// One hop.
    ServiceRoute, Name::ServiceRoute, list = true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = ServiceRoute::read(br#"<sip:hs1.example.com;lr>"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = ServiceRoute::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(ServiceRoute::read(b"<sip:a>, <sip:b>").is_some());
        assert!(ServiceRoute::read(b"< sip:a >").is_none());
    }
}
