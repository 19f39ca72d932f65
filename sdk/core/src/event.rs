//! What an agent tells: past participles, each with all that a person or program needs to act on it.

use std::time::Duration;

use crate::answer::Answered;
use crate::error::SignatureFault;
use crate::ids::AccountId;
use crate::journey::{Journey, LoginFailure};
use crate::server::ServerName;
use crate::state::AccountState;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub account: AccountId,
    /// What.
    pub what: AccountEvent,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// The state changed; always told, so that a screen needs no rules of its own.
    StateChanged {
        /// From.
        from: AccountState,
        /// To.
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
    /// A login failed.
    LoginFailed {
        /// Why and where.
        failure: LoginFailure,
        /// When it is tried again; none where trying again cannot help.
        retry_in: Option<Duration>,
    },
    /// Signed out.
    LoggedOut {
        /// Why.
        why: LogoutReason,
    },
    /// The home server is another than before.
    HomeServerChanged {
        /// Before.
        old: Option<ServerName>,
        /// Now.
        new: ServerName,
        /// Why.
        cause: MoveCause,
    },
    /// A message was refused by its signature and ignored.
    MessageRefused {
        /// From which server.
        server: ServerName,
        /// Why.
        why: SignatureFault,
    },
    /// A Digest server tried to prove that it knows the password, and does not: it is not the one the
    /// password was given to, or has a fault. A redirect of it is refused.
    ProofWrong {
        /// Which server.
        server: ServerName,
    },
    /// What was learned about the home server, to be kept for the next run.
    Learned(crate::config::Remembered),
    /// What was kept about the home server is to be forgotten.
    Forgotten,
    /// An answer to an OPTIONS request of ours.
    OptionsAnswered(Answered),
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

/// Why the home server changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
