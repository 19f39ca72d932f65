//! Errors, sorted by who can act: each has a stable code, one sentence and a next step.
//!
//! What a peer sends wrongly is dropped and counted, not reported here; what the caller does wrongly
//! is [`Misuse`], returned at once.

use thiserror::Error;

use crate::connect::ConnectError;
use crate::dns::DnsError;
use crate::server::ServerName;

mod auth;
mod redirect;
mod signature;

pub use auth::{AuthError, TokenFault};
pub use redirect::RedirectError;
pub use signature::SignatureFault;

/// Why a login failed. The text is a whole sentence with its cause; `source()` gives the cause alone, as a type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// No server could be found in DNS.
    #[error("no SIP server found for {domain}: {why}")]
    Resolve {
        /// The domain asked for.
        domain: String,
        /// What DNS said last.
        #[source]
        why: DnsError,
    },
    /// Every server failed before it said anything in SIP.
    #[error("{server} cannot be reached: {why}")]
    Connect {
        /// The last one tried.
        server: ServerName,
        /// Why that one failed.
        #[source]
        why: ConnectError,
    },
    /// The login was refused for reasons of authentication.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A redirect was not followed.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The server answered with a final refusal.
    #[error("{server} refused with {status} {reason}")]
    Refused {
        /// As dialled; sent the final response.
        server: ServerName,
        /// The status code.
        status: u16,
        /// The peer's words: the reason of ms-diagnostics or Warning, else the reason phrase.
        reason: String,
    },
    /// A connection was open, but no answer came in 64·T1.
    #[error("{server} did not answer")]
    NoAnswer {
        /// As dialled; the connection to it was open.
        server: ServerName,
    },
    /// An answer came whose signature was missing or wrong; it was not believed for 2 s.
    #[error("{server} answered, but {why}")]
    Unbelieved {
        /// As dialled; the association that should have signed is with it.
        server: ServerName,
        /// What was wrong with the answer.
        #[source]
        why: SignatureFault,
    },
    /// The user or the administrator ended the registration.
    #[error("the server ended the registration: {0}")]
    Deregistered(#[source] Deregistration),
}

/// Why the server ended a registration by itself (MS-SIPREGE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Deregistration {
    /// Another endpoint took the place.
    #[error("another device signed in and took this one's place")]
    Unregistered,
    /// The account was disabled.
    #[error("the account was disabled")]
    Rejected,
}

/// A call that the contract does not allow: the caller's mistake, told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Misuse {
    /// No such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// The account cannot do that in its state.
    #[error("the account cannot do that now")]
    WrongState,
    /// A bound of [`crate::limits::Limits`] is reached.
    #[error("a limit of this agent is reached")]
    Limit,
    /// The message given cannot be sent as it is.
    #[error("the message cannot be sent as it is")]
    BadMessage,
}

/// The family of a failure; decides the exit code of the command line and the predicates of the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Name resolution.
    Resolve,
    /// Transport and TLS.
    Transport,
    /// Authentication.
    Auth,
    /// Redirect rules.
    Redirect,
    /// Refused by the peer.
    Refused,
    /// Nobody answered.
    Timeout,
}

impl LoginError {
    /// The family of the failure.
    pub fn family(&self) -> Family {
        match self {
            LoginError::Resolve { .. } => Family::Resolve,
            LoginError::Connect { why: ConnectError::Timeout, .. } | LoginError::NoAnswer { .. } => {
                Family::Timeout
            }
            LoginError::Connect { .. } => Family::Transport,
            LoginError::Auth(_) | LoginError::Unbelieved { .. } => Family::Auth,
            LoginError::Redirect(_) => Family::Redirect,
            LoginError::Refused { .. } | LoginError::Deregistered(_) => Family::Refused,
        }
    }

    /// The stable code, such as `E0702`.
    pub fn code(&self) -> &'static str {
        match self {
            LoginError::Resolve { why, .. } => why.code(),
            LoginError::Connect { why, .. } => why.code(),
            LoginError::Auth(error) => error.code(),
            LoginError::Redirect(error) => error.code(),
            LoginError::Refused { .. } => "E0801",
            LoginError::NoAnswer { .. } => "E0901",
            LoginError::Unbelieved { why: SignatureFault::Unsigned, .. } => "E0608",
            LoginError::Unbelieved { .. } => "E0609",
            LoginError::Deregistered(Deregistration::Unregistered) => "E0802",
            LoginError::Deregistered(Deregistration::Rejected) => "E0803",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            LoginError::Resolve { why: DnsError::NoNetwork | DnsError::Timeout, .. } => {
                "Check the network and the name servers of this machine."
            }
            LoginError::Resolve { .. } => {
                "Check the domain's spelling, or name a server in the account; `homing resolve` shows every step."
            }
            LoginError::Connect { why, .. } => why.hint(),
            LoginError::Auth(error) => error.hint(),
            LoginError::Redirect(error) => error.hint(),
            LoginError::Refused { status: 403, .. } => {
                "Ask the administrator whether this user may sign in here."
            }
            LoginError::Refused { status: 404, .. } => {
                "Ask the administrator to assign this user to a server."
            }
            LoginError::Refused { status: 500..=599, .. } => {
                "The server has a fault; it is tried again by itself."
            }
            LoginError::Refused { .. } => "Show the status and the server's words to its administrator.",
            LoginError::NoAnswer { .. } => {
                "The server accepts connections but does not answer; it is tried again."
            }
            LoginError::Unbelieved { .. } => {
                "Somebody may be answering in the server's place; compare the trace with the administrator."
            }
            LoginError::Deregistered(Deregistration::Unregistered) => {
                "Sign in again if this device should be used."
            }
            LoginError::Deregistered(Deregistration::Rejected) => {
                "Ask the administrator to enable the account."
            }
        }
    }
}
