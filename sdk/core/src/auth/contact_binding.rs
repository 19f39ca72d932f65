//! Ties the Contacts of a redirect to the To tag, which is signed although the Contacts are not.
//!
//! A message signature covers neither Contact nor Request-URI (MS-SIPAE 3.2.5), so a peer that can edit
//! a 301 could send the client elsewhere. A server that knows this extension therefore chooses the
//! To tag `rb1-` followed by 32 hexadecimal digits of a SHA-256 over its Contacts; a client that
//! sees such a tag on a signed 3xx checks it. To everyone else it is an ordinary tag.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::hex;

/// One Contact as it enters the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The URI as it stands between the angle brackets.
    pub uri: &'a str,
    /// The `q` value in thousandths; `None` if the Contact has none.
    pub q: Option<u16>,
}

/// What a To tag says about the Contacts beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagVerdict {
    /// An ordinary tag: the sender does not bind its Contacts.
    Unbound,
    /// The tag belongs to exactly these Contacts, in this order.
    Bound,
    /// The tag belongs to other Contacts: someone changed them on the way.
    Altered,
}

/// The To tag for a redirect to `targets`, in the order of the message.
///
/// The hash runs over `<uri>;q=value` for each Contact, joined by commas, with three decimals for
/// `q` and nothing after the equals sign if there is none.
///
/// ```
/// use homing_core::auth::contact_binding::{judge, tag, TagVerdict, Target};
///
/// let home = [Target { uri: "sip:hs2.network.com:5061;transport=tls", q: None }];
/// let to_tag = tag(home);
/// assert!(to_tag.starts_with("rb1-"));
/// assert_eq!(judge(&to_tag, home), TagVerdict::Bound);
/// assert_eq!(judge(&to_tag, [Target { uri: "sip:evil.example", q: None }]), TagVerdict::Altered);
/// assert_eq!(judge("88ff", home), TagVerdict::Unbound);
/// ```
pub fn tag<'a>(targets: impl IntoIterator<Item = Target<'a>>) -> String {
    let mut hash = Sha256::new();
    for (place, target) in targets.into_iter().enumerate() {
        if place > 0 {
            hash.update(b",");
        }
        hash.update(b"<");
        hash.update(target.uri.as_bytes());
        hash.update(b">;q=");
        if let Some(q) = target.q {
            hash.update(format!("{}.{:03}", q / 1000, q % 1000).as_bytes());
        }
    }
    format!("{PREFIX}{}", hex::encode(&hash.finalize()[..16]))
}

/// Checks the To tag of a signed redirect against its Contacts.
pub fn judge<'a>(to_tag: &str, targets: impl IntoIterator<Item = Target<'a>>) -> TagVerdict {
    if !to_tag.starts_with(PREFIX) {
        return TagVerdict::Unbound;
    }
    let expected = tag(targets);
    if to_tag.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes()).into() {
        TagVerdict::Bound
    } else {
        TagVerdict::Altered
    }
}

/// Marks a bound tag; the digit is the version of the rule.
const PREFIX: &str = "rb1-";

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: Target<'_> = Target { uri: "sip:hs2.network.com:5061;transport=tls", q: Some(700) };
    const BACKUP: Target<'_> = Target { uri: "sip:hs3.network.com:5061;transport=tls", q: Some(300) };

    #[test]
    fn the_text_that_is_hashed_is_fixed() {
        let text = "<sip:hs2.network.com:5061;transport=tls>;q=0.700,<sip:hs3.network.com:5061;transport=tls>;q=0.300";
        let expected = format!("rb1-{}", hex::encode(&Sha256::digest(text)[..16]));
        assert_eq!(tag([PRIMARY, BACKUP]), expected);
        assert_eq!(expected.len(), 36);
    }

    #[test]
    fn order_weight_and_number_of_contacts_are_bound() {
        let bound = tag([PRIMARY, BACKUP]);
        assert_eq!(judge(&bound, [PRIMARY, BACKUP]), TagVerdict::Bound);
        assert_eq!(judge(&bound, [BACKUP, PRIMARY]), TagVerdict::Altered);
        assert_eq!(judge(&bound, [PRIMARY]), TagVerdict::Altered);
        assert_eq!(judge(&bound, [Target { q: None, ..PRIMARY }, BACKUP]), TagVerdict::Altered);
        assert_eq!(judge("rb1-", [PRIMARY]), TagVerdict::Altered, "the prefix alone claims a binding");
    }
}
