//! Retry-After: when to come back (RFC 3261 20.33).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;
use crate::scan::{Cursor, number};

/// Seconds to wait, and for how long the service is then there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    /// Seconds it will then be reachable.
    pub duration: Option<u32>,
}

impl RetryAfter {
    /// Only the wait.
    pub fn seconds(seconds: u32) -> RetryAfter {
        RetryAfter { seconds, duration: None }
    }
}

impl<'m> Header<'m> for RetryAfter {
    const NAME: Name<'static> = Name::RetryAfter;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let seconds = cursor.number()?;
            skip_comment(cursor)?;
            let params = Params::read(cursor)?;
            Some(RetryAfter {
                seconds,
                duration: params.value("duration").and_then(|text| number(text.as_bytes())),
            })
        })
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.duration {
            Some(duration) => write!(f, ";duration={duration}"),
            None => Ok(()),
        }
    }
}

/// RFC 3261 25.1 `comment`: nested parentheses, escapes.
fn skip_comment(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.skip_white();
    if cursor.peek() != Some(b'(') {
        return Some(());
    }
    let mut depth = 0u32;
    loop {
        match *cursor.take(1).first()? {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(()),
            b')' => depth -= 1,
            b'\\' => drop(cursor.take(1)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_stepped_over() {
        let (read, _) = RetryAfter::read(b"18000 (in (a \\) while) ;x);duration=3600").unwrap();
        assert_eq!(read, RetryAfter { seconds: 18000, duration: Some(3600) });
        assert_eq!(read.to_string(), "18000;duration=3600");
        assert_eq!(RetryAfter::read(b"120 (I'm in a meeting)").unwrap().0, RetryAfter::seconds(120));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "soon", "949302838503028349304023988", "1 (open", "1 2", "-1"] {
            assert!(RetryAfter::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
