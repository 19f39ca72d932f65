//! P-Preferred-Identity: who the caller wishes to be shown as (RFC 3325 9.2).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// One identity: a sip, sips or tel URI.
    PreferredIdentity, Name::PPreferredIdentity, list = true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = PreferredIdentity::read(br#"<tel:+420123456;ext=88463>"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = PreferredIdentity::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(PreferredIdentity::read(b"<sip:a>, <sip:b>").is_some());
        assert!(PreferredIdentity::read(b"< sip:a >").is_none());
    }
}
