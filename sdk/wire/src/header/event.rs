//! Event: the package a subscription is about (RFC 6665 8.2.1).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;

/// A package, possibly with templates (`presence.winfo`), and its parameters.
#[derive(Clone, Copy, Debug)]
pub struct EventHeader<'m> {
    /// The package as written; packages compare octet by octet.
    pub package: &'m str,
    params: Params<'m>,
}

impl<'m> EventHeader<'m> {
    /// The `id` parameter, which tells subscriptions of one dialog apart.
    pub fn id(&self) -> Option<&'m str> {
        self.params.value("id")
    }

    /// The parameters.
    pub fn params(&self) -> Params<'m> {
        self.params
    }

    /// Whether both name the same subscription: package and `id` (RFC 6665 8.2.1).
    pub fn matches(&self, other: &EventHeader<'_>) -> bool {
        self.package == other.package && self.id() == other.id()
    }
}

impl<'m> Header<'m> for EventHeader<'m> {
    const NAME: Name<'static> = Name::Event;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            Some(EventHeader { package: cursor.token()?, params: Params::read(cursor)? })
        })
    }
}

impl fmt::Display for EventHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> EventHeader<'_> {
        EventHeader::read(text.as_bytes()).unwrap().0
    }

    #[test]
    fn package_and_id_make_a_subscription() {
        assert!(read("dialog ; id = 7").matches(&read("dialog;call-id=x;ID=7")));
        assert!(!read("dialog;id=7").matches(&read("dialog")));
        assert!(!read("presence").matches(&read("presence.winfo")));
        assert_eq!(read("dialog ; id = 7;x").to_string(), "dialog;id=7;x");
        assert!(EventHeader::read(b"a, b").is_none() && EventHeader::read(b";id=1").is_none());
    }
}
