//! Proxy-Require: extensions every proxy has to know (RFC 3261 20.29).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One option tag.
    ProxyRequire, Name::ProxyRequire
}

#[cfg(test)]
super::token::token_header_test!(ProxyRequire, "ms-benotify");
