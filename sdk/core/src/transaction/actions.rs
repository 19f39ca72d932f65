//! What one input makes of one transaction: bytes to send, something to tell, how it goes on.

use bytes::Bytes;

use super::response::Response;
use super::timers::Length;
use crate::time::Moment;

/// The result of one input to one machine.
#[derive(Debug)]
pub(super) struct Actions {
    pub(super) send: Option<Bytes>,
    /// What the response was, where the input was one.
    pub(super) response: Response,
    pub(super) tell: Option<Tell>,
    /// The moment for a CANCEL that had to wait for a provisional response (RFC 3261 section 9.1).
    pub(super) cancel: bool,
    pub(super) next: Next,
}

/// What the user of a transaction is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    TimedOut,
    AckTimedOut,
    CancelDue,
    Unanswered,
}

/// How the transaction goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// As before, with the same deadline.
    Keep,
    /// With this deadline.
    At(Moment),
    /// Without a deadline: it waits for its user.
    Idle,
    /// Finished, kept for late copies.
    Linger(Length),
    /// Gone.
    End,
}

impl Actions {
    pub(super) fn new(next: Next) -> Self {
        Self { send: None, response: Response::Absorbed, tell: None, cancel: false, next }
    }

    pub(super) fn nothing() -> Self {
        Self::new(Next::Keep)
    }

    /// Nothing is sent where nothing could be built.
    pub(super) fn send(mut self, bytes: Bytes) -> Self {
        self.send = Some(bytes).filter(|bytes| !bytes.is_empty());
        self
    }

    pub(super) fn response(mut self, response: Response) -> Self {
        self.response = response;
        self
    }

    pub(super) fn tell(mut self, tell: Tell) -> Self {
        self.tell = Some(tell);
        self
    }
}

impl Next {
    /// Kept for `length` over UDP, gone at once over a reliable transport.
    pub(super) fn linger_unless(reliable: bool, length: Length) -> Self {
        if reliable { Next::End } else { Next::Linger(length) }
    }
}

/// A copy of exactly its own size: what outlives its exchange must not pin a larger buffer.
pub(super) fn exact(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
