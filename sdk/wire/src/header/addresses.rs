//! Headers that are addresses: each a newtype of the grammar they share.

use std::borrow::Cow;

use super::name_addr::NameAddr;
use super::{Header, read_item};
use crate::name::Name;
use crate::scan::trim;
use crate::uri::undo_escapes;

/// A header that is a name-addr: a newtype that reads as one.
macro_rules! name_addr_header {
    ($(#[$doc:meta])* $type:ident, $name:expr, list = $list:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $type<'m>(pub NameAddr<'m>);

        impl<'m> $crate::header::Header<'m> for $type<'m> {
            const NAME: Name<'static> = $name;
            const LIST: bool = $list;

            fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
                let (addr, rest) = read_item(value, NameAddr::read_from)?;
                ($list || rest.is_empty()).then_some(($type(addr), rest))
            }
        }

        impl<'m> std::ops::Deref for $type<'m> {
            type Target = NameAddr<'m>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    };
}

name_addr_header! {
    /// From: the sender; `epid` names its endpoint (RFC 3261 20.20, MS-SIPRE 2.2.4).
    From, Name::From, list = false
}

name_addr_header! {
    /// To: whom the request is for, with a tag once there is a dialog (RFC 3261 20.39).
    To, Name::To, list = false
}

name_addr_header! {
    /// Route: one hop a request still has to visit (RFC 3261 20.34).
    Route, Name::Route, list = true
}

name_addr_header! {
    /// Record-Route: one hop that stays in the dialog (RFC 3261 20.30).
    RecordRoute, Name::RecordRoute, list = true
}

name_addr_header! {
    /// Path: one hop between a registrar and the client (RFC 3327).
    Path, Name::Path, list = true
}

name_addr_header! {
    /// Service-Route: one hop a registrar gives its client for requests (RFC 3608).
    ServiceRoute, Name::ServiceRoute, list = true
}

name_addr_header! {
    /// P-Asserted-Identity: who the caller is, said by a trusted server; a sip, sips or tel URI (RFC 3325 9.1).
    AssertedIdentity, Name::PAssertedIdentity, list = true
}

name_addr_header! {
    /// P-Preferred-Identity: who the caller wishes to be shown as; a sip, sips or tel URI (RFC 3325 9.2).
    PreferredIdentity, Name::PPreferredIdentity, list = true
}

name_addr_header! {
    /// Referred-By: who asked for the referral (RFC 3892).
    ReferredBy, Name::ReferredBy, list = false
}

name_addr_header! {
    /// Refer-To: where a referral leads; header fields of the request to it stand behind its URI's `?` (RFC 3515 2.1,
    /// RFC 3891).
    ReferTo, Name::ReferTo, list = false
}

impl<'m> ReferTo<'m> {
    /// The value of a Replaces that the request to the target shall carry, escapes undone:
    /// [`Replaces::parse`](super::Replaces::parse) reads it.
    pub fn replaces(&self) -> Option<Cow<'m, str>> {
        let uri = self.uri().ok()?;
        let (_, value) = uri.headers().find(|(name, _)| name.eq_ignore_ascii_case("Replaces"))?;
        Some(undo_escapes(value))
    }
}

/// P-Preferred-Registrar: the server to register at from now on (MS-SIPREGE 2.2).
///
/// Unlike in other addresses, parameters behind a URI without brackets are the URI's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PreferredRegistrar<'m> {
    /// The server's URI as written.
    pub uri: &'m str,
}

impl<'m> Header<'m> for PreferredRegistrar<'m> {
    const NAME: Name<'static> = Name::PPreferredRegistrar;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        let uri = match memchr::memchr(b'<', value) {
            Some(_) => NameAddr::parse(value)?.uri_str(),
            None => str::from_utf8(trim(value)).ok().filter(|uri| !uri.is_empty())?,
        };
        Some((PreferredRegistrar { uri }, &value[value.len()..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Replaces;

    #[test]
    fn each_reads_as_printed_and_knows_whether_it_is_a_list() {
        macro_rules! check {
            ($($type:ident $name:literal $list:literal $example:literal;)*) => {$(
                assert_eq!($type::NAME.as_str(), $name);
                let (read, _) = $type::read($example.as_bytes()).unwrap();
                let printed = read.into_owned().to_string();
                assert_eq!($type::read(printed.as_bytes()).unwrap().0.into_owned(), read.into_owned());
                let two = $type::read(b"<sip:a>;x=y, <sip:b>");
                assert_eq!(two.map(|(_, rest)| rest), $list.then_some(&b", <sip:b>"[..]), "{}", $name);
                assert!($type::read(b"< sip:a >").is_none() && $type::read(b"").is_none(), "{}", $name);
            )*};
        }
        check! {
            From "From" false r#""Alice" <sip:alice@example.com>;tag=9fxced76sl;epid=77"#;
            To "To" false "sip:bob@example.com;tag=287447";
            Route "Route" true "<sip:hs1.example.com:5061;transport=tls;lr>;x=y";
            RecordRoute "Record-Route" true "<sip:hs1.example.com;lr>";
            Path "Path" true "<sip:edge.example.com;lr;ob>";
            ServiceRoute "Service-Route" true "<sip:hs1.example.com;lr>";
            AssertedIdentity "P-Asserted-Identity" true r#""Lunch, Lucas" <sip:b@n.com>"#;
            PreferredIdentity "P-Preferred-Identity" true "<tel:+420123456;ext=88463>";
            ReferredBy "Referred-By" false r#"<sip:carol@example.com>;cid="20398823.2UWQFN309shb3@example.com""#;
            ReferTo "Refer-To" false "<sip:b@h?Require=replaces>";
        }
    }

    #[test]
    fn a_preferred_registrar_keeps_its_parameters_with_and_without_brackets() {
        let uri = "sip:hs2.example.com:5061;transport=tls";
        for text in [format!("<{uri}>"), format!(" {uri} "), format!("\"hs2\" <{uri}>;x=y")] {
            let (read, rest) = PreferredRegistrar::read(text.as_bytes()).unwrap();
            assert_eq!((read.uri, rest), (uri, &b""[..]), "{text}");
        }
        for wrong in ["", " ", "<sip:a>, <sip:b>", "< sip:a >", "<sip:a"] {
            assert!(PreferredRegistrar::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_attended_transfer_names_the_dialog_to_replace() {
        let value =
            b"<sip:b@h?Replaces=090459243588173445%3Bto-tag%3D7743%3Bfrom-tag%3D6472&Require=replaces>";
        let (refer, _) = ReferTo::read(value).unwrap();
        let text = refer.replaces().unwrap();
        let replaces = Replaces::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (replaces.call_id, replaces.to_tag, replaces.from_tag),
            ("090459243588173445", "7743", "6472")
        );
        assert!(ReferTo::read(b"<sip:a>, <sip:b>").is_none());
        assert!(ReferTo::read(b"<sip:a>").unwrap().0.replaces().is_none());
    }
}
