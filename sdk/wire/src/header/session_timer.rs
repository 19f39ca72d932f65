//! When a call ends unless it is refreshed: Session-Expires and Min-SE (RFC 4028).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;

/// The session's interval.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionExpires {
    /// From a refresh to the end of the session, if no other refresh follows.
    pub seconds: u32,
    /// Who refreshes; open where absent.
    pub refresher: Option<Refresher>,
}

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answers it.
    Uas,
}

impl<'m> Header<'m> for SessionExpires {
    const NAME: Name<'static> = Name::SessionExpires;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let seconds = cursor.number()?;
            let refresher = match Params::read(cursor)?.value("refresher") {
                Some(side) if side.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
                Some(side) if side.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
                _ => None,
            };
            Some(SessionExpires { seconds, refresher })
        })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        f.write_str(match self.refresher {
            None => "",
            Some(Refresher::Uac) => ";refresher=uac",
            Some(Refresher::Uas) => ";refresher=uas",
        })
    }
}

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
    fn it_reads_as_printed() {
        for text in ["1800;refresher=uac", "1800;refresher=uas", "90"] {
            assert_eq!(SessionExpires::read(text.as_bytes()).unwrap().0.to_string(), text);
        }
        let (odd, _) = SessionExpires::read(b"1800 ; Refresher = UAS").unwrap();
        assert_eq!(odd.refresher, Some(Refresher::Uas));
        assert!(SessionExpires::read(b"x").is_none());
    }

    #[test]
    fn parameters_are_allowed_and_ignored() {
        assert_eq!(MinSe::read(b"90;x=y").unwrap().0, MinSe(90));
        assert_eq!(MinSe(90).to_string(), "90");
        assert!(MinSe::read(b"").is_none() && MinSe::read(b"90 s").is_none());
    }
}
