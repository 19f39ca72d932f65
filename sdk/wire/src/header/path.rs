//! Path: the hops between a registrar and the client (RFC 3327).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// One hop.
    Path, Name::Path, list = true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = Path::read(br#"<sip:edge.example.com;lr;ob>"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = Path::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(Path::read(b"<sip:a>, <sip:b>").is_some());
        assert!(Path::read(b"< sip:a >").is_none());
    }
}
