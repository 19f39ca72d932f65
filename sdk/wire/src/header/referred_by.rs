//! Referred-By: who asked for the referral (RFC 3892).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// The referrer.
    ReferredBy, Name::ReferredBy, list = false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) =
            ReferredBy::read(br#"<sip:carol@example.com>;cid="20398823.2UWQFN309shb3@example.com""#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = ReferredBy::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(ReferredBy::read(b"<sip:a>, <sip:b>").is_none());
        assert!(ReferredBy::read(b"< sip:a >").is_none());
    }
}
