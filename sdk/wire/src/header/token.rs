//! Headers that are lists of tokens.

/// A header that lists tokens: a newtype per value.
macro_rules! token_header {
    ($(#[$doc:meta])* $type:ident, $name:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct $type<'m>(pub &'m str);

        impl<'m> $crate::header::Header<'m> for $type<'m> {
            const NAME: $crate::name::Name<'static> = $name;
            const LIST: bool = true;

            fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
                $crate::header::read_item(value, |cursor| {
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
pub(crate) use token_header;

/// Proves of a token list that it splits, prints and refuses.
#[cfg(test)]
macro_rules! token_header_test {
    ($type:ident, $example:literal) => {
        #[cfg(test)]
        mod tests {
            use super::*;
            use crate::Message;
            use crate::header::Header;

            #[test]
            fn its_lines_are_split_into_tokens() {
                let name = $type::NAME;
                let text =
                    format!("SIP/2.0 200 OK\r\n{name}: {},\r\n  other\r\n{name}: , x\r\n\r\n", $example);
                let message = Message::parse(text).unwrap();
                let read: Vec<_> =
                    message.all::<$type<'_>>().map(|token| token.unwrap().to_string()).collect();
                assert_eq!(read, [$example, "other", "x"]);
                assert!($type::read(b"a b").is_none() && $type::read(b"\"a\"").is_none());
            }
        }
    };
}
#[cfg(test)]
pub(crate) use token_header_test;
