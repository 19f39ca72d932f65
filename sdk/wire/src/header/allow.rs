//! Allow: methods the sender takes (RFC 3261 20.5).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One method.
    Allow, Name::Allow
}

#[cfg(test)]
super::token::token_header_test!(Allow, "REFER");
