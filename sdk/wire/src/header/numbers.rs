//! Headers that are one decimal number.

use super::read_whole;
use crate::name::Name;

/// A header that is a number: a newtype that reads and prints as one.
macro_rules! number_header {
    ($(#[$doc:meta])* $type:ident($number:ty), $name:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct $type(pub $number);

        impl<'m> $crate::header::Header<'m> for $type {
            const NAME: Name<'static> = $name;

            fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
                read_whole(value, |cursor| {
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

number_header! {
    /// Content-Length: octets of the body (RFC 3261 20.14).
    ContentLength(u32), Name::ContentLength
}

number_header! {
    /// Expires: seconds a binding, subscription or redirect holds (RFC 3261 20.19).
    Expires(u32), Name::Expires
}

number_header! {
    /// Flow-Timer: seconds between keep-alives that a server asks for (RFC 5626 11.3).
    FlowTimer(u32), Name::FlowTimer
}

number_header! {
    /// Max-Forwards: hops a request may still take (RFC 3261 20.22).
    MaxForwards(u8), Name::MaxForwards
}

number_header! {
    /// Min-Expires: the fewest seconds a registrar grants (RFC 3261 20.23).
    MinExpires(u32), Name::MinExpires
}

number_header! {
    /// RSeq: the number of a reliable provisional response, at least 1 (RFC 3262 7.1).
    RSeq(u32), Name::RSeq
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn each_reads_as_printed_and_keeps_its_range() {
        macro_rules! check {
            ($($type:ident $name:literal $most:literal $over:literal;)*) => {$(
                assert_eq!($type::NAME.as_str(), $name);
                for good in ["0", "007", $most] {
                    let (read, _) = $type::read(good.as_bytes()).unwrap();
                    assert_eq!(read.to_string(), good.trim_start_matches("00"), "{}", $name);
                    assert_eq!($type::read(read.to_string().as_bytes()).unwrap().0, read);
                }
                for wrong in ["", "-1", "+1", "x", "1 2", "1;x", $over] {
                    assert!($type::read(wrong.as_bytes()).is_none(), "{}: {wrong}", $name);
                }
            )*};
        }
        check! {
            ContentLength "Content-Length" "4294967295" "4294967296";
            Expires "Expires" "4294967295" "4294967296";
            FlowTimer "Flow-Timer" "4294967295" "4294967296";
            MaxForwards "Max-Forwards" "255" "256";
            MinExpires "Min-Expires" "4294967295" "4294967296";
            RSeq "RSeq" "4294967295" "4294967296";
        }
    }
}
