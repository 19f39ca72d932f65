//! Why a response is dropped although it belongs to a request of ours, or ends that request without being taken.

use homing_wire::{Excess, FrameFault, ParseError};
use thiserror::Error;

/// What is wrong with a response.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseFault {
    /// Its topmost Via is not the one the request left with (RFC 3261 section 18.1.2).
    #[error("an answer names {0} in its Via and not this phone, as a router's SIP helper leaves it")]
    ForeignVia(String),
    /// It has more than one Via (RFC 3261 section 8.1.3.3).
    #[error("an answer has {0} Via values, as if it were for somebody else")]
    ManyVias(usize),
    /// Its From tag is not the request's.
    #[error("an answer has another From tag than the request")]
    OtherFromTag,
    /// It is of another version than SIP/2.0.
    #[error("an answer is of another version than SIP/2.0")]
    Version,
    /// Its Content-Length is no number, stands twice, or is more than there is.
    #[error("the Content-Length of an answer is wrong")]
    Length,
    /// It is over a limit.
    #[error("its answer has {0}")]
    TooLarge(Excess),
    /// It is no message that could be read.
    #[error("its answer cannot be read: {0}")]
    Unreadable(ParseError),
    /// The stream it came by cannot be cut into messages any more.
    #[error("what it sent cannot be cut into messages ({0}), so this phone closed the connection")]
    Framing(FrameFault),
}
