//! When a session wants to be woken, and why.

use std::time::Duration;

/// The next moment at which [`Session::handle_timeout`](crate::Session::handle_timeout) has something to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline {
    /// On the clock of `now`.
    pub at: Duration,
    /// What is due then.
    pub why: Why,
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Why {
    /// A report in RTCP (RFC 3550 section 6.2).
    Report,
    /// Nothing was sent for 15 s: the way through translators is to stay open (RFC 6263).
    KeepAlive,
    /// The end of a digit was lost: it counts as let go (RFC 4733 section 2.5.2.2).
    DigitEnd,
    /// The peer counts as silent then.
    Silence,
}
