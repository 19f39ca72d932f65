//! Keys that are pressed in a call, as RFC 4733 sends them.

mod info;
mod packet;
mod receiver;
mod sender;

pub use info::InfoDigit;
pub(crate) use receiver::{DigitReceiver, Pressed};
pub(crate) use sender::DigitSender;

/// One key of a telephone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digit(u8);

/// What was to be sent as digits and cannot be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DigitError {
    /// It is none of `0-9*#A-D`.
    #[error("{0:?} is no key of a telephone.")]
    NotAKey(char),
    /// The peer takes no `telephone-event`, or nothing is agreed on yet.
    #[error("The other side takes no digits.")]
    NotTaken,
    /// 64 wait already.
    #[error("Too many digits wait to be sent.")]
    TooMany,
}

impl DigitError {
    /// Stable; the same for the same reason in every version.
    pub fn code(&self) -> &'static str {
        match self {
            DigitError::NotAKey(_) => "E1521",
            DigitError::NotTaken => "E1522",
            DigitError::TooMany => "E1523",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            DigitError::NotAKey(_) => "Use the keys 0 to 9, *, # and A to D.",
            DigitError::NotTaken => "Send them in INFO requests, if the other side takes those.",
            DigitError::TooMany => "Wait until those before have been sent.",
        }
    }
}

impl Digit {
    /// The key with that face: `0` to `9`, `*`, `#`, `A` to `D` in either case.
    ///
    /// ```
    /// use homing_media::Digit;
    /// assert_eq!(Digit::new('#').map(Digit::as_char), Some('#'));
    /// assert_eq!(Digit::new('x'), None);
    /// ```
    pub fn new(face: char) -> Option<Digit> {
        let event = FACES.iter().position(|known| *known == face.to_ascii_uppercase())?;
        u8::try_from(event).ok().map(Digit)
    }

    /// What stands on the key.
    pub fn as_char(self) -> char {
        FACES.get(usize::from(self.0)).copied().unwrap_or('?')
    }

    /// The event code (RFC 4733 section 3.2).
    pub(crate) fn event(self) -> u8 {
        self.0
    }

    pub(crate) fn of_event(event: u8) -> Option<Digit> {
        (usize::from(event) < FACES.len()).then_some(Digit(event))
    }
}

impl std::fmt::Display for Digit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

/// In the order of the event codes.
const FACES: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
