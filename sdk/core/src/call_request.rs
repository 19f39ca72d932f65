//! What an application asks of a call: whom, how long it may ring, what is said beside what core says.

use std::time::Duration;

use homing_wire::Name;

/// A call to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRequest {
    /// The Request-URI and To: a `sip:` or `sips:` URI.
    pub to: String,
    /// Header fields beside those that core writes; a reserved name is refused as misuse.
    pub headers: Vec<CallHeader>,
    /// How long the call waits for an answer before it is cancelled; from 1 s to an hour.
    pub ring_for: Duration,
    /// Who makes the first offer.
    pub first_offer: FirstOffer,
    /// True asks servers not to tell who calls (RFC 3323, RFC 3325): `Privacy: id`, no display name.
    pub private: bool,
}

/// Who makes the first offer of a call that is placed (RFC 3261 section 13.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FirstOffer {
    /// This side, in the INVITE.
    #[default]
    Caller,
    /// The called side, in its first reliable response; this side answers in PRACK or ACK.
    Called,
}

/// A header field of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallHeader {
    /// Its name, in any case or compact form.
    pub name: String,
    /// Its value, without line ends.
    pub value: String,
}

/// A body of INFO (RFC 6086).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoBody {
    /// The media type, such as `application/dtmf-relay`.
    pub content_type: String,
    /// At most 64 KiB.
    pub body: Vec<u8>,
}

impl InfoBody {
    /// True if core can send it.
    pub(crate) fn is_usable(&self) -> bool {
        let is_type = self.content_type.contains('/') && !self.content_type.chars().any(char::is_control);
        is_type && self.content_type.len() <= LONGEST_NAME && self.body.len() <= MOST_INFO
    }
}

impl CallRequest {
    /// A call that may ring for three minutes and offers in its INVITE.
    pub fn new(to: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            headers: Vec::new(),
            ring_for: Duration::from_secs(180),
            first_offer: FirstOffer::Caller,
            private: false,
        }
    }

    /// True if core can send it.
    pub(crate) fn is_usable(&self) -> bool {
        (RING_LEAST..=RING_MOST).contains(&self.ring_for) && are_usable(&self.headers)
    }
}

/// True for header fields that an application may set, within their bound.
pub(crate) fn are_usable(headers: &[CallHeader]) -> bool {
    headers.len() <= MOST_HEADERS && headers.iter().all(CallHeader::is_usable)
}

impl CallHeader {
    /// A header field.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    /// True for a name that is a token and not reserved, and a value that is one line.
    fn is_usable(&self) -> bool {
        let is_token = !self.name.is_empty()
            && self.name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet));
        let is_line = !self.value.chars().any(char::is_control) && !self.value.trim().is_empty();
        let within = self.name.len() <= LONGEST_NAME && self.value.len() <= LONGEST_VALUE;
        is_token && is_line && within && !is_reserved(Name::parse(&self.name))
    }
}

/// What core writes itself, or what would change how a message is read, routed or believed.
fn is_reserved(name: Name<'_>) -> bool {
    let text = name.as_str();
    RESERVED.contains(&name) || text.len() >= 8 && text[..8].eq_ignore_ascii_case("Content-")
}

const RESERVED: [Name<'static>; 42] = [
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::MaxForwards,
    Name::Route,
    Name::RecordRoute,
    Name::Path,
    Name::ServiceRoute,
    Name::Expires,
    Name::Supported,
    Name::Require,
    Name::ProxyRequire,
    Name::Unsupported,
    Name::Allow,
    Name::Accept,
    Name::Event,
    Name::SubscriptionState,
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::WwwAuthenticate,
    Name::ProxyAuthenticate,
    Name::AuthenticationInfo,
    Name::ProxyAuthenticationInfo,
    Name::UserAgent,
    Name::Date,
    Name::Timestamp,
    Name::Reason,
    Name::RetryAfter,
    Name::Replaces,
    Name::Join,
    Name::SessionExpires,
    Name::MinSe,
    Name::RSeq,
    Name::RAck,
    Name::PAssertedIdentity,
    Name::PPreferredIdentity,
    Name::Privacy,
    Name::MimeVersion,
    Name::MaxBreadth,
];
const RING_LEAST: Duration = Duration::from_secs(1);
const RING_MOST: Duration = Duration::from_secs(3_600);
const MOST_INFO: usize = 64 << 10;
const MOST_HEADERS: usize = 16;
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_core_writes_or_what_would_break_a_line_is_not_the_applications() {
        let usable = |name: &str, value: &str| are_usable(&[CallHeader::new(name, value)]);
        assert!(usable("Subject", "Lunch") && usable("X-Ticket", "7") && usable("s", "Lunch"));
        for reserved in ["Via", "v", "CONTENT-length", "c", "Content-Foo", "From", "x", "route", "Privacy"] {
            assert!(!usable(reserved, "1"), "{reserved}");
        }
        for name in ["", "a b", "a:b", "a\r\nb", "ä"] {
            assert!(!usable(name, "1"), "{name:?}");
        }
        for value in ["", " ", "a\r\nVia: x", "a\0b"] {
            assert!(!usable("Subject", value), "{value:?}");
        }
        let many = vec![CallHeader::new("X-A", "1"); MOST_HEADERS + 1];
        assert!(are_usable(&many[1..]) && !are_usable(&many));
        assert!(!usable(&"a".repeat(LONGEST_NAME + 1), "1"));
        assert!(!usable("X-A", &"a".repeat(LONGEST_VALUE + 1)));
    }

    #[test]
    fn a_call_rings_from_a_second_to_an_hour() {
        let rings = |span| CallRequest { ring_for: span, ..CallRequest::new("sip:b@c.d") }.is_usable();
        assert!(rings(RING_LEAST) && rings(RING_MOST));
        assert!(!rings(Duration::ZERO) && !rings(RING_MOST + RING_LEAST));
    }
}
