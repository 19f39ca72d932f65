//! Allow-Events: event packages the sender knows (RFC 6665 8.2.2).

use super::token::token_header;
use crate::name::Name;

token_header! {
    /// One event package.
    AllowEvents, Name::AllowEvents
}

#[cfg(test)]
super::token::token_header_test!(AllowEvents, "presence.winfo");
