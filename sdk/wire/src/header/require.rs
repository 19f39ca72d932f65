//! Require: extensions the receiver has to know (RFC 3261 20.32).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One option tag.
    Require, Name::Require
}

#[cfg(test)]
super::token::token_header_test!(Require, "100rel");
