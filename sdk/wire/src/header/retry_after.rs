//! Retry-After: when to come back (RFC 3261 20.33).

use std::fmt;

use super::Header;
use crate::name::Name;
use crate::params::Params;
use crate::scan::{Cursor, number};

/// Seconds to wait, and for how long the service is then there.
///
/// Whatever stands behind the number and is neither comment nor parameter is left aside: servers write units and words
/// there.
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
        let mut cursor = Cursor::new(value);
        let seconds = cursor.number()?;
        let params = skip_comment(&mut cursor).and_then(|()| Params::read(&mut cursor));
        let duration = params.and_then(|params| number(params.value("duration")?.as_bytes()));
        Some((RetryAfter { seconds, duration }, &value[value.len()..]))
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
    fn words_behind_the_number_are_left_aside() {
        for text in ["30 seconds", "30s", "30 (open", "30, 60", "30;duration=\"5"] {
            assert_eq!(
                RetryAfter::read(text.as_bytes()),
                Some((RetryAfter::seconds(30), &b""[..])),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "soon", "949302838503028349304023988", "-1"] {
            assert!(RetryAfter::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
