//! What becomes of a state after an input: it goes on, or it is over and says what follows.
//!
//! No state knows another. One that ends hands over what outlives it; the machine alone makes the next
//! state of it.

use homing_wire::Message;

use super::conversation::Conversation;
use super::redirect::Onward;
use super::search::{Connection, Search};
use super::trip::Trip;
use crate::error::LoginError;
use crate::event::MoveCause;
use crate::server::ServerName;
use crate::state::AccountState;
use crate::time::Moment;

/// What becomes of a state.
pub(super) enum Turn<S> {
    /// It goes on.
    Stays(S),
    /// It is over, and this follows.
    Ends(Box<Sequel>),
}

/// What follows a state, with whatever outlives it.
pub(super) enum Sequel {
    /// A new login: at the remembered home, then as configured.
    Login(MoveCause),
    /// A new login: at the registrar the server prefers, then as configured.
    LoginAt(Onward),
    /// The login goes on at the servers a redirect named, best first.
    Redirected(Trip, Vec<Onward>),
    /// The login goes on with the search that led to its last server.
    Search(Trip, Search),
    /// A server can be talked to.
    Join(Trip, Search, Box<Connection>),
    /// A redirect passed every rule and needs the world's consent.
    Consent(Box<Proposal>),
    /// The server granted the binding.
    Granted(Box<Grant>),
    /// The binding is to be removed.
    Leave(Box<Conversation>),
    /// The login failed.
    Failed(LoginError, Trip),
    /// Nothing until `at`, then a new login.
    Pause {
        /// How that is shown.
        shown: AccountState,
        /// When the login begins.
        at: Moment,
        /// Why it begins.
        cause: MoveCause,
    },
    /// Nothing until somebody says otherwise; shown as this.
    Rest(AccountState),
}

/// A binding as it was granted.
pub(super) struct Grant {
    /// With whom.
    pub conversation: Conversation,
    /// The answer that grants it.
    pub message: Message,
    /// The login's way.
    pub trip: Trip,
}

/// A redirect that may be followed if the world agrees.
pub(super) struct Proposal {
    /// The login's way so far.
    pub trip: Trip,
    /// Who redirects.
    pub from: ServerName,
    /// Where to, best first.
    pub targets: Vec<Onward>,
    /// True if an association signed it.
    pub signed: bool,
}

impl<S> Turn<S> {
    /// The same of what holds the state.
    pub(super) fn map<T>(self, hold: impl FnOnce(S) -> T) -> Turn<T> {
        match self {
            Turn::Stays(state) => Turn::Stays(hold(state)),
            Turn::Ends(sequel) => Turn::Ends(sequel),
        }
    }
}

impl<S> From<Sequel> for Turn<S> {
    fn from(sequel: Sequel) -> Self {
        Turn::Ends(Box::new(sequel))
    }
}
