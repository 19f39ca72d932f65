//! Errors, sorted by who can act: each has a stable code, one sentence and a next step.
//!
//! What a peer sends wrongly is dropped and counted, not reported here; what the caller does wrongly
//! is [`Misuse`], returned at once.

use thiserror::Error;

use crate::connect::ConnectError;
use crate::dns::ResolveError;
use crate::server::ServerName;

mod auth;
mod redirect;
mod response;
mod signature;

pub use auth::{AuthError, TokenFault};
pub use redirect::RedirectError;
pub use response::ResponseFault;
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
        /// What DNS said, or the rule that excludes what it named.
        #[source]
        why: ResolveError,
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
    /// The server's final answer cannot be taken.
    #[error("the answer of {server} cannot be used: {why}")]
    Unreadable {
        /// As dialled; sent the answer.
        server: ServerName,
        /// What is wrong with it.
        #[source]
        why: ResponseFault,
    },
    /// Answers came and were dropped, and no good one came in 64·T1.
    #[error("{server} gave no answer that could be used: {why}")]
    Unusable {
        /// As dialled.
        server: ServerName,
        /// What was wrong with the last one.
        #[source]
        why: ResponseFault,
    },
    /// The server grants registrations of that length only, and this account cannot ask for it.
    #[error("{server} finds {asked} s too brief, and {}", Demand(*least))]
    IntervalTooBrief {
        /// As dialled; answered 423.
        server: ServerName,
        /// Seconds asked for.
        asked: u32,
        /// Seconds it demands; none where it does not say.
        least: Option<u32>,
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

/// What a 423 demands, for the end of a sentence.
struct Demand(Option<u32>);

impl std::fmt::Display for Demand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(least) => write!(f, "demands {least} s"),
            None => f.write_str("does not say what it demands"),
        }
    }
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
    /// No such call, or it is over.
    #[error("there is no such call")]
    UnknownCall,
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
    /// No answer came.
    Timeout,
}

impl LoginError {
    /// The family of the failure.
    pub fn family(&self) -> Family {
        match self {
            LoginError::Resolve { .. } | LoginError::Connect { why: ConnectError::NoAddress(_), .. } => {
                Family::Resolve
            }
            LoginError::Connect { why: ConnectError::Timeout, .. }
            | LoginError::NoAnswer { .. }
            | LoginError::Unusable { .. } => Family::Timeout,
            LoginError::Connect { .. } | LoginError::Unreadable { .. } => Family::Transport,
            LoginError::Auth(_) | LoginError::Unbelieved { .. } => Family::Auth,
            LoginError::Redirect(_) => Family::Redirect,
            LoginError::Refused { .. }
            | LoginError::Deregistered(_)
            | LoginError::IntervalTooBrief { .. } => Family::Refused,
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
            LoginError::Unusable { .. } => "E0903",
            LoginError::IntervalTooBrief { .. } => "E0804",
            LoginError::Unreadable { .. } => "E0805",
            LoginError::Unbelieved { why: SignatureFault::Unsigned, .. } => "E0608",
            LoginError::Unbelieved { .. } => "E0609",
            LoginError::Deregistered(Deregistration::Unregistered) => "E0802",
            LoginError::Deregistered(Deregistration::Rejected) => "E0803",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            LoginError::Resolve { why, .. } => why.hint(),
            LoginError::Connect { why, .. } => why.hint(),
            LoginError::Auth(error) => error.hint(),
            LoginError::Redirect(error) => error.hint(),
            LoginError::Refused { status: 403, .. } => {
                "Ask the administrator whether this user may sign in here."
            }
            LoginError::Refused { status: 404 | 410, .. } => {
                "Ask the administrator to assign this user to a server."
            }
            LoginError::Refused { status: 500..=599, .. } => {
                "The server has a fault; it is tried again by itself."
            }
            LoginError::Refused { .. } => "Show the status and the server's words to its administrator.",
            LoginError::NoAnswer { .. } => {
                "The server accepts connections but does not answer; it is tried again."
            }
            LoginError::Unusable {
                why: ResponseFault::ForeignVia(_) | ResponseFault::ManyVias(_), ..
            } => "Turn off the SIP helper (SIP ALG) of the router on the way, or use TLS.",
            LoginError::Unusable { .. } | LoginError::Unreadable { .. } => {
                "The server has a fault; show its administrator the trace."
            }
            LoginError::IntervalTooBrief { .. } => "Set `expires` in the account to what the server demands.",
            LoginError::Unbelieved { .. } => {
                "This may be an attack: an answer that the server did not sign. Show the administrator the trace."
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
