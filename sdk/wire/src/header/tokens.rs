//! Headers that are lists of tokens: methods, event packages, option tags, codings.

use super::read_item;
use crate::name::Name;

/// A header that lists tokens: a newtype per value.
macro_rules! token_header {
    ($(#[$doc:meta])* $type:ident, $name:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct $type<'m>(pub &'m str);

        impl<'m> $crate::header::Header<'m> for $type<'m> {
            const NAME: Name<'static> = $name;
            const LIST: bool = true;

            fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
                read_item(value, |cursor| {
                    cursor.skip_white();
                    cursor.token().map($type)
                })
            }
        }

        impl std::fmt::Display for $type<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&$crate::header::Token(self.0), f)
            }
        }
    };
}

token_header! {
    /// Allow: one method the sender takes (RFC 3261 20.5).
    Allow, Name::Allow
}

token_header! {
    /// Allow-Events: one event package the sender knows (RFC 6665 8.2.2).
    AllowEvents, Name::AllowEvents
}

token_header! {
    /// Content-Encoding: one coding of the body, the outermost last (RFC 3261 20.12).
    ContentEncoding, Name::ContentEncoding
}

token_header! {
    /// Proxy-Require: one extension every proxy has to know (RFC 3261 20.29).
    ProxyRequire, Name::ProxyRequire
}

token_header! {
    /// Require: one extension the receiver has to know (RFC 3261 20.32).
    Require, Name::Require
}

token_header! {
    /// Supported: one extension the sender knows (RFC 3261 20.37).
    Supported, Name::Supported
}

token_header! {
    /// Unsupported: one extension of a Require that is not known here (RFC 3261 20.40).
    Unsupported, Name::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use crate::header::Header;

    #[test]
    fn each_is_split_into_tokens_and_prints_as_read() {
        macro_rules! check {
            ($($type:ident $line:literal $example:literal;)*) => {$(
                let text = format!("SIP/2.0 200 OK\r\n{0}: {1},\r\n  other\r\n{0}: , x\r\n\r\n", $line, $example);
                let message = Message::parse(text).unwrap();
                let read: Vec<_> = message.all::<$type<'_>>().map(|token| token.unwrap().to_string()).collect();
                assert_eq!(read, [$example, "other", "x"], "{}", $line);
                assert!($type::read(b"a b").is_none() && $type::read(b"\"a\"").is_none(), "{}", $line);
            )*};
        }
        check! {
            Allow "Allow" "REFER";
            AllowEvents "u" "presence.winfo";
            ContentEncoding "e" "gzip";
            ProxyRequire "Proxy-Require" "ms-benotify";
            Require "Require" "100rel";
            Supported "k" "gruu-10";
            Unsupported "Unsupported" "foo";
        }
    }
}
