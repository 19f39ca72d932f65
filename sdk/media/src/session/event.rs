//! What a session tells: once each, and in order.

use std::net::SocketAddr;
use std::time::Duration;

use crate::digits::Digit;

/// What happened in the sound of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The peer pressed a key; told once, when it let go or its packets ended (RFC 4733).
    Digit {
        /// The key.
        digit: Digit,
        /// How long it was held, by the peer's clock.
        duration: Duration,
    },
    /// The last digit that was to be sent has gone.
    DigitsSent,
    /// Sound of the peer is heard for the first time since the last agreement, or again after it was silent.
    PeerHeard,
    /// No packet came for [`Setup::silence`](crate::Setup::silence), while the peer may send. The call goes on.
    PeerSilent,
    /// The peer's packets come from there, and ours go there. It is not what the peer signalled: unverified
    /// (decision 22).
    SourceLearnt(SocketAddr),
    /// The peer said goodbye in RTCP (BYE, RFC 3550 section 6.6). Signalling decides what that means.
    PeerLeft,
}
