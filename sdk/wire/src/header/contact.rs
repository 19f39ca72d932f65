//! Contact: where to reach somebody (RFC 3261 20.10).

use super::name_addr::NameAddr;
use super::{Header, read_item};
use crate::name::Name;
use crate::scan::{Cursor, number};

/// One Contact value.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'m> {
    /// `*`: all bindings (RFC 3261 10.2.2).
    Star,
    /// A name-addr or addr-spec; `q` and `expires` are its parameters.
    Addr(NameAddr<'m>),
}

impl<'m> Contact<'m> {
    /// The address, unless it is `*`.
    pub fn addr(&self) -> Option<&NameAddr<'m>> {
        match self {
            Contact::Star => None,
            Contact::Addr(addr) => Some(addr),
        }
    }

    /// The `q` parameter in thousandths, 0 to 1000; `None` where it is absent or malformed.
    pub fn q(&self) -> Option<u16> {
        thousandths(self.addr()?.params().value("q")?)
    }

    /// The `expires` parameter in seconds; `None` where it is absent or no `u32` (then the default of RFC 3261
    /// 10.2.1.1 applies).
    pub fn expires(&self) -> Option<u32> {
        number(self.addr()?.params().value("expires")?.as_bytes())
    }

    fn read_from(cursor: &mut Cursor<'m>) -> Option<Contact<'m>> {
        cursor.skip_white();
        if cursor.eat(b'*') {
            return Some(Contact::Star);
        }
        NameAddr::read_from(cursor).map(Contact::Addr)
    }
}

impl<'m> Header<'m> for Contact<'m> {
    const NAME: Name<'static> = Name::Contact;
    const LIST: bool = true;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_item(value, Contact::read_from)
    }
}

/// RFC 3261 25.1 `qvalue`: `0.333` is 333, `1` is 1000.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.len() != 1 || part.len() > 3 || !part.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let part = format!("{part:0<3}").parse::<u16>().ok()?;
    let sum = whole.parse::<u16>().ok()?.checked_mul(1000)? + part;
    (sum <= 1000).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Contact<'_>, &[u8])> {
        Contact::read(text.as_bytes())
    }

    #[test]
    fn a_list_is_read_value_by_value() {
        let (first, rest) =
            read(r#""Mr. Watson, T" <sip:w@e.com>;q=0.7;expires=3600, <sip:b@e.com>;q=0.1"#).unwrap();
        assert_eq!((first.q(), first.expires()), (Some(700), Some(3600)));
        assert_eq!(rest, b", <sip:b@e.com>;q=0.1");
    }

    #[test]
    fn a_star_stands_for_all() {
        assert!(matches!(read("*"), Some((Contact::Star, []))));
        assert!(read("*x").is_none());
    }

    #[test]
    fn q_is_between_0_and_1() {
        for (text, q) in [
            ("1", Some(1000)),
            ("0.33", Some(330)),
            ("1.000", Some(1000)),
            ("0.", Some(0)),
            ("1.1", None),
            ("2", None),
            ("0.3333", None),
            ("-1", None),
            ("0.a", None),
            ("+", None),
        ] {
            assert_eq!(thousandths(text), q, "{text}");
        }
    }

    #[test]
    fn an_overlarge_expires_is_as_good_as_none() {
        assert_eq!(read("<sip:u@h>\r\n  ;expires=280297596632815").unwrap().0.expires(), None);
    }
}
