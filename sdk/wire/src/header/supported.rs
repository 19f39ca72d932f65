//! Supported: extensions the sender knows (RFC 3261 20.37).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One option tag.
    Supported, Name::Supported
}

#[cfg(test)]
super::token::token_header_test!(Supported, "gruu-10");
