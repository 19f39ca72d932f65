//! How far a call is, and who holds it.

use std::fmt;

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CallState {
    /// It is being placed, and nobody rings yet.
    Calling,
    /// It rings: at the called party (180), or here.
    Ringing,
    /// It is answered, and both sides know it.
    Answered,
    /// It is over.
    Ended,
}

/// Who holds a call (RFC 3264 section 8.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holds {
    /// This side.
    pub us: bool,
    /// The other party.
    pub peer: bool,
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallState::Calling => "calling",
            CallState::Ringing => "ringing",
            CallState::Answered => "answered",
            CallState::Ended => "ended",
        })
    }
}
