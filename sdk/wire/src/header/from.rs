//! From: who sends (RFC 3261 20.20).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// The sender; `epid` names its endpoint (MS-SIPRE 2.2.4).
    From, Name::From, list = false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = From::read(br#""Alice" <sip:alice@example.com>;tag=9fxced76sl;epid=77"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = From::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(From::read(b"<sip:a>, <sip:b>").is_none());
        assert!(From::read(b"< sip:a >").is_none());
    }
}
