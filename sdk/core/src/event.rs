//! What an agent tells: past participles, each with all that a person or program needs to act on it.

use std::fmt;
use std::time::Duration;

use crate::answer::Answered;
use crate::error::{LoginError, ResponseFault, SignatureFault};
use crate::ids::{AccountId, RequestId};
use crate::journey::{Journey, LoginFailure};
use crate::server::ServerName;
use crate::state::AccountState;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The account it happened to.
    pub account: AccountId,
    /// The event, by subject: the registration, its login, its signatures, a request.
    pub what: AccountEvent,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountEvent {
    /// The state changed; always told, so that a screen needs no rules of its own.
    StateChanged {
        /// The state before.
        from: AccountState,
        /// The state from now on.
        to: AccountState,
    },
    /// A server was dialled, answered, redirected or refused: the journey so far.
    JourneyChanged(Journey),
    /// Signed in.
    Registered(Registered),
    /// The registration was refreshed and stays where it is.
    Refreshed {
        /// Seconds granted.
        expires: u32,
    },
    /// A security association was renewed without leaving (decision 13).
    AssociationRenewed,
    /// A login ended without a registration.
    LoginFailed {
        /// The reason, with the hops that led to it.
        failure: LoginFailure,
        /// When it is tried again; none where trying again cannot help.
        retry_in: Option<Duration>,
    },
    /// What became of the binding after the account was told to sign out; [`LoggedOut`](Self::LoggedOut) follows.
    Unregistered {
        /// Whether the server still holds it.
        outcome: UnregisterOutcome,
    },
    /// Signed out.
    LoggedOut {
        /// Who or what ended the registration.
        why: LogoutReason,
    },
    /// The home server is another than before.
    HomeServerChanged {
        /// Before.
        old: Option<ServerName>,
        /// Now.
        new: ServerName,
        /// What moved the account.
        cause: MoveCause,
    },
    /// A message was refused by its signature and ignored.
    MessageRefused {
        /// From which server.
        server: ServerName,
        /// What was wrong with its signature.
        why: SignatureFault,
    },
    /// A response to a request of ours was dropped, or ended the request without being taken.
    ResponseDropped {
        /// From which server.
        server: ServerName,
        /// What was wrong with it.
        why: ResponseFault,
    },
    /// A Digest server tried to prove that it knows the password, and does not: it is not the one the
    /// password was given to, or has a fault. A redirect of it is refused.
    ProofWrong {
        /// The server, as dialled.
        server: ServerName,
    },
    /// What was learned about the home server, to be kept for the next run.
    Learned(crate::config::Remembered),
    /// What was kept about the home server is to be forgotten.
    Forgotten,
    /// A request outside a dialog ended; [`Agent::options`](crate::agent::Agent::options) gave its id.
    RequestEnded {
        /// The id that starting it returned.
        request: RequestId,
        /// Its answer, or why there is none.
        outcome: RequestOutcome,
    },
}

/// Which event it is, without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// [`AccountEvent::StateChanged`].
    StateChanged,
    /// [`AccountEvent::JourneyChanged`].
    JourneyChanged,
    /// [`AccountEvent::Registered`].
    Registered,
    /// [`AccountEvent::Refreshed`].
    Refreshed,
    /// [`AccountEvent::AssociationRenewed`].
    AssociationRenewed,
    /// [`AccountEvent::LoginFailed`].
    LoginFailed,
    /// [`AccountEvent::Unregistered`].
    Unregistered,
    /// [`AccountEvent::LoggedOut`].
    LoggedOut,
    /// [`AccountEvent::HomeServerChanged`].
    HomeServerChanged,
    /// [`AccountEvent::MessageRefused`].
    MessageRefused,
    /// [`AccountEvent::ResponseDropped`].
    ResponseDropped,
    /// [`AccountEvent::ProofWrong`].
    ProofWrong,
    /// [`AccountEvent::Learned`].
    Learned,
    /// [`AccountEvent::Forgotten`].
    Forgotten,
    /// [`AccountEvent::RequestEnded`].
    RequestEnded,
}

/// How a request outside a dialog ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestOutcome {
    /// It was answered, or 408 stands for an answer that did not come in time.
    Answered {
        /// The server it went to, as dialled.
        server: ServerName,
        /// The final answer.
        answer: Answered,
    },
    /// No server could be reached.
    Unreachable(LoginError),
}

/// A registration that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The home server, outbound proxy until shut-down (patent paragraph 40).
    pub home: ServerName,
    /// Seconds granted.
    pub expires: u32,
    /// The globally routable URI of this endpoint, if the server gave one.
    pub gruu: Option<String>,
    /// How it came there.
    pub journey: Journey,
}

/// Why an account is signed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogoutReason {
    /// It was asked to.
    Asked,
    /// A redirect came during a refresh: logout and a whole new login (patent paragraph 67).
    Moved,
    /// The server told it to sign in elsewhere (`deactivated`).
    Deactivated,
    /// Another device took its place.
    Displaced,
    /// The account was disabled.
    Disabled,
    /// The server had lost the binding (`register-action` added or fixed on a refresh).
    BindingLost,
    /// The connection to the home server was lost.
    ConnectionLost,
    /// The registration lapsed before it could be refreshed.
    Lapsed,
}

/// What became of a binding that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnregisterOutcome {
    /// The server removed it.
    Removed,
    /// There was none: the account was not signed in.
    NotRegistered,
    /// The server refused; the binding lapses by itself.
    Refused {
        /// Its final answer.
        status: u16,
    },
    /// The server did not answer, or could not be asked; the binding lapses by itself.
    Unanswered,
}

/// Why the home server changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveCause {
    /// First login.
    First,
    /// The assignment changed.
    Moved,
    /// The server named a preferred registrar.
    Preferred,
    /// The old one failed.
    Failover,
}

impl AccountEvent {
    /// Which event it is.
    pub fn kind(&self) -> EventKind {
        match self {
            AccountEvent::StateChanged { .. } => EventKind::StateChanged,
            AccountEvent::JourneyChanged(_) => EventKind::JourneyChanged,
            AccountEvent::Registered(_) => EventKind::Registered,
            AccountEvent::Refreshed { .. } => EventKind::Refreshed,
            AccountEvent::AssociationRenewed => EventKind::AssociationRenewed,
            AccountEvent::LoginFailed { .. } => EventKind::LoginFailed,
            AccountEvent::Unregistered { .. } => EventKind::Unregistered,
            AccountEvent::LoggedOut { .. } => EventKind::LoggedOut,
            AccountEvent::HomeServerChanged { .. } => EventKind::HomeServerChanged,
            AccountEvent::MessageRefused { .. } => EventKind::MessageRefused,
            AccountEvent::ResponseDropped { .. } => EventKind::ResponseDropped,
            AccountEvent::ProofWrong { .. } => EventKind::ProofWrong,
            AccountEvent::Learned(_) => EventKind::Learned,
            AccountEvent::Forgotten => EventKind::Forgotten,
            AccountEvent::RequestEnded { .. } => EventKind::RequestEnded,
        }
    }
}

impl EventKind {
    /// The stable name for logs: lower case, nothing that a peer wrote.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::StateChanged => "state changed",
            EventKind::JourneyChanged => "journey changed",
            EventKind::Registered => "registered",
            EventKind::Refreshed => "refreshed",
            EventKind::AssociationRenewed => "association renewed",
            EventKind::LoginFailed => "login failed",
            EventKind::Unregistered => "unregistered",
            EventKind::LoggedOut => "logged out",
            EventKind::HomeServerChanged => "home server changed",
            EventKind::MessageRefused => "message refused",
            EventKind::ResponseDropped => "response dropped",
            EventKind::ProofWrong => "proof wrong",
            EventKind::Learned => "home server learned",
            EventKind::Forgotten => "home server forgotten",
            EventKind::RequestEnded => "request ended",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl LogoutReason {
    /// True for a sign-out after which the account signs in again by itself.
    pub fn signs_in_again(self) -> bool {
        match self {
            LogoutReason::Moved
            | LogoutReason::Deactivated
            | LogoutReason::BindingLost
            | LogoutReason::ConnectionLost
            | LogoutReason::Lapsed => true,
            LogoutReason::Asked | LogoutReason::Displaced | LogoutReason::Disabled => false,
        }
    }
}

impl UnregisterOutcome {
    /// True if the server may still hold the binding.
    pub fn leaves_binding(self) -> bool {
        matches!(self, UnregisterOutcome::Refused { .. } | UnregisterOutcome::Unanswered)
    }
}

impl fmt::Display for UnregisterOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnregisterOutcome::Removed => f.write_str("the server removed the registration"),
            UnregisterOutcome::NotRegistered => f.write_str("there was no registration"),
            UnregisterOutcome::Refused { status } => {
                write!(f, "the server refused with {status}; the registration lapses by itself")
            }
            UnregisterOutcome::Unanswered => {
                f.write_str("the server did not answer; the registration lapses by itself")
            }
        }
    }
}

impl fmt::Display for LogoutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogoutReason::Asked => "it was asked to",
            LogoutReason::Moved => "its home server changed",
            LogoutReason::Deactivated => "the server told it to sign in elsewhere",
            LogoutReason::Displaced => "another device took its place",
            LogoutReason::Disabled => "it was disabled",
            LogoutReason::BindingLost => "the server had lost its registration",
            LogoutReason::ConnectionLost => "the connection to its home server was lost",
            LogoutReason::Lapsed => "its registration lapsed",
        })
    }
}
