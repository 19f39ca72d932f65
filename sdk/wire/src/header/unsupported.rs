//! Unsupported: extensions of a Require that are not known here (RFC 3261 20.40).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One option tag.
    Unsupported, Name::Unsupported
}

#[cfg(test)]
super::token::token_header_test!(Unsupported, "foo");
