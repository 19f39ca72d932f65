//! Why a session has no ports.

use std::io;

use thiserror::Error;

use super::port_range::PortRange;

/// Why no ports could be bound for a session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Every pair of the range is in use, by us or by another program.
    #[error("all ports for sound from {} to {} are in use", .0.first(), .0.last())]
    Exhausted(PortRange),
    /// The address is bound to all interfaces, and none was given that a peer could send to.
    #[error("no address is known at which sound could be received")]
    NothingToAdvertise,
    /// The process has no file descriptor left.
    #[error("this program has too many files and connections open")]
    OutOfDescriptors(#[source] io::Error),
    /// The system refuses the address or the socket.
    #[error("this machine gives no socket for sound: {0}")]
    Refused(#[source] io::Error),
}

impl BindError {
    /// The stable code, such as `E1601`.
    pub fn code(&self) -> &'static str {
        match self {
            BindError::Exhausted(_) => "E1601",
            BindError::NothingToAdvertise => "E1602",
            BindError::OutOfDescriptors(_) => "E1603",
            BindError::Refused(_) => "E1604",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            BindError::Exhausted(_) => "End a call, or widen the range of ports for sound.",
            BindError::NothingToAdvertise => "Name the address for sound in the settings.",
            BindError::OutOfDescriptors(_) => "End a call, or raise the limit of open files (ulimit -n).",
            BindError::Refused(_) => "Look whether the address for sound is one of this machine's.",
        }
    }
}
