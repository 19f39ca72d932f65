//! Route: the hops a request still has to visit (RFC 3261 20.34).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// One hop.
    Route, Name::Route, list = true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = Route::read(br#"<sip:hs1.example.com:5061;transport=tls;lr>;x=y"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = Route::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(Route::read(b"<sip:a>, <sip:b>").is_some());
        assert!(Route::read(b"< sip:a >").is_none());
    }
}
