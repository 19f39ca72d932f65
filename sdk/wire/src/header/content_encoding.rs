//! Content-Encoding: what was done to the body, outermost last (RFC 3261 20.12).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One coding.
    ContentEncoding, Name::ContentEncoding
}

#[cfg(test)]
super::token::token_header_test!(ContentEncoding, "gzip");
