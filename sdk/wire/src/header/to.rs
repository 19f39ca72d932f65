//! To: whom the request is for (RFC 3261 20.39).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// The one meant, with a tag once there is a dialog.
    To, Name::To, list = false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = To::read(br#"sip:bob@example.com;tag=287447"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = To::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(To::read(b"<sip:a>, <sip:b>").is_none());
        assert!(To::read(b"< sip:a >").is_none());
    }
}
