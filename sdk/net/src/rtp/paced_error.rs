//! Why a machine is not driven.

use std::io;

use thiserror::Error;

/// Why paced threads could not be started, or a machine not be given to them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PacedError {
    /// The system gives no thread, or no queue of events for it.
    #[error("this machine gives no thread for sound: {0}")]
    Thread(#[source] io::Error),
    /// As many machines are driven as the threads are meant for.
    #[error("as many calls have sound as this program allows ({0})")]
    Full(usize),
    /// The system does not watch one more socket.
    #[error("this machine watches no further socket for sound: {0}")]
    Socket(#[source] io::Error),
    /// The threads have ended.
    #[error("the thread for sound has ended")]
    Gone,
}

impl PacedError {
    /// The stable code, such as `E1605`.
    pub fn code(&self) -> &'static str {
        match self {
            PacedError::Thread(_) => "E1605",
            PacedError::Full(_) => "E1606",
            PacedError::Socket(_) => "E1607",
            PacedError::Gone => "E1608",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            PacedError::Thread(_) => "Raise the limit of threads and open files for this program.",
            PacedError::Full(_) => "End a call, or start more threads for sound.",
            PacedError::Socket(_) => "End a call, or raise the system's limit of watched files.",
            PacedError::Gone => "Start the program again.",
        }
    }
}
