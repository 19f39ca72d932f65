//! Header lines as rsip's variants.

use rsip::Header;
use rsip::headers::UntypedHeader;

use crate::name::Name;

/// The header in rsip's words: its variant where there is one, else name and value.
pub(super) fn theirs(name: Name<'_>, value: &str) -> Header {
    macro_rules! variants {
        ($($variant:ident)*) => {
            match name {
                $(Name::$variant => Header::$variant(rsip::headers::$variant::new(value)),)*
                other => Header::Other(other.as_str().to_owned(), value.to_owned()),
            }
        };
    }
    variants! {
        Accept AcceptEncoding AcceptLanguage AlertInfo Allow AuthenticationInfo Authorization CSeq CallId
        CallInfo Contact ContentDisposition ContentEncoding ContentLanguage ContentLength ContentType Date
        ErrorInfo Event Expires From InReplyTo MaxForwards MimeVersion MinExpires Organization Priority
        ProxyAuthenticate ProxyAuthorization ProxyRequire RecordRoute ReplyTo Require RetryAfter Route
        Server Subject SubscriptionState Supported Timestamp To Unsupported UserAgent Via Warning
        WwwAuthenticate
    }
}
