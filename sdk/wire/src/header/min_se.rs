//! Min-SE: the shortest session interval a side takes (RFC 4028 5).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;

/// Seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MinSe(pub u32);

impl<'m> Header<'m> for MinSe {
    const NAME: Name<'static> = Name::MinSe;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let seconds = cursor.number()?;
            Params::read(cursor)?;
            Some(MinSe(seconds))
        })
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_allowed_and_ignored() {
        assert_eq!(MinSe::read(b"90;x=y").unwrap().0, MinSe(90));
        assert_eq!(MinSe(90).to_string(), "90");
        assert!(MinSe::read(b"").is_none() && MinSe::read(b"90 s").is_none());
    }
}
