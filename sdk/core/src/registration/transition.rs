//! What becomes of a state after an input: it goes on, or it is over and says what follows.
//!
//! No state knows another. One that ends hands over what outlives it; the machine alone makes the next
//! state of it.

use std::time::Duration;

use homing_wire::Message;

use super::attempt::Attempt;
use super::redirect::RedirectTarget;
use super::session::Session;
use crate::account::server_search::{Connection, ServerSearch};
use crate::error::LoginError;
use crate::event::MoveCause;
use crate::server::ServerName;
use crate::state::AccountState;
use crate::time::Moment;

/// What becomes of a state.
pub(super) enum Step<S> {
    /// It goes on.
    Stays(S),
    /// It is over, and this follows.
    Ends(Box<Transition>),
}

/// What follows a state, with whatever outlives it.
pub(super) enum Transition {
    /// A new login: at the remembered home, then as configured.
    Login(MoveCause),
    /// A new login: at the registrar the server prefers, then as configured.
    LoginAt(RedirectTarget),
    /// The login goes on at the servers a redirect named, best first.
    Redirected(Attempt, Vec<RedirectTarget>),
    /// The login goes on with the search that led to its last server.
    ServerSearch(Attempt, ServerSearch),
    /// A server can be talked to.
    Join(Attempt, ServerSearch, Box<Connection>),
    /// A redirect passed every rule and needs the world's consent.
    Consent(Box<Proposal>),
    /// The server granted the binding.
    Granted(Box<Grant>),
    /// The binding is to be removed.
    Leave(Box<Session>, Ending),
    /// A registration that had stood is over for that reason, and a login follows then.
    Resting(LoginError, Attempt, Moment),
    /// The login failed.
    Failed(LoginError, Attempt),
    /// Nothing until `at`, then a new login.
    Pause {
        shown: AccountState,
        /// When the login begins.
        at: Moment,
        /// Why it begins.
        cause: MoveCause,
    },
    /// Nothing until a command says otherwise; shown as this.
    Rest(AccountState),
}

/// What follows a binding that is being removed.
pub(super) enum Ending {
    /// The account was told to sign out; the answer is waited for so long.
    Asked { patience: Duration },
    /// The login fails for this reason.
    Failed(LoginError, Attempt),
}

/// A binding as it was granted.
pub(super) struct Grant {
    /// With whom.
    pub session: Session,
    /// The answer that grants it.
    pub message: Message,
    /// The login's way.
    pub attempt: Attempt,
}

/// A redirect that may be followed if the world agrees.
pub(super) struct Proposal {
    /// The login's way so far.
    pub attempt: Attempt,
    /// Who redirects.
    pub from: ServerName,
    /// Where to, best first.
    pub targets: Vec<RedirectTarget>,
    /// True if an association signed it.
    pub signed: bool,
}

impl<S> Step<S> {
    /// The same of what holds the state.
    pub(super) fn map<T>(self, hold: impl FnOnce(S) -> T) -> Step<T> {
        match self {
            Step::Stays(state) => Step::Stays(hold(state)),
            Step::Ends(transition) => Step::Ends(transition),
        }
    }
}

impl<S> From<Transition> for Step<S> {
    fn from(transition: Transition) -> Self {
        Step::Ends(Box::new(transition))
    }
}
