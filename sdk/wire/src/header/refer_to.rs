//! Refer-To: where a referral leads (RFC 3515 2.1, RFC 3891).

use std::borrow::Cow;

use super::name_addr::name_addr_header;
use crate::name::Name;
use crate::uri::undo_escapes;

name_addr_header! {
    /// The target; header fields of the request to it stand behind its URI's `?`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{Header, Replaces};

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
