//! P-Asserted-Identity: who the caller is, said by a trusted server (RFC 3325 9.1).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// One identity: a sip, sips or tel URI.
    AssertedIdentity, Name::PAssertedIdentity, list = true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = AssertedIdentity::read(br#""Lunch, Lucas" <sip:b@n.com>"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = AssertedIdentity::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(AssertedIdentity::read(b"<sip:a>, <sip:b>").is_some());
        assert!(AssertedIdentity::read(b"< sip:a >").is_none());
    }
}
