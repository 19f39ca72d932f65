//! P-Preferred-Registrar: the server to register at from now on (MS-SIPREGE 2.2).

use super::name_addr::name_addr_header;
use crate::name::Name;

name_addr_header! {
    /// The server.
    PreferredRegistrar, Name::PPreferredRegistrar, list = false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn it_reads_as_printed() {
        let (read, _) = PreferredRegistrar::read(br#"<sip:hs2.example.com:5061;transport=tls>"#).unwrap();
        let printed = read.into_owned().to_string();
        let (again, _) = PreferredRegistrar::read(printed.as_bytes()).unwrap();
        assert_eq!(again.into_owned(), read.into_owned());
        assert!(PreferredRegistrar::read(b"<sip:a>, <sip:b>").is_none());
        assert!(PreferredRegistrar::read(b"< sip:a >").is_none());
    }
}
