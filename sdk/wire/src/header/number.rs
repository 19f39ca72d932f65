//! Headers that are one decimal number.

/// A header that is a number: a newtype that reads and prints as one.
macro_rules! number_header {
    ($(#[$doc:meta])* $type:ident($number:ty), $name:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct $type(pub $number);

        impl<'m> $crate::header::Header<'m> for $type {
            const NAME: $crate::name::Name<'static> = $name;

            fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
                $crate::header::read_whole(value, |cursor| {
                    <$number>::try_from(cursor.number()?).ok().map($type)
                })
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}
pub(crate) use number_header;
