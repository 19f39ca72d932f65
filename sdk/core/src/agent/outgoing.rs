//! A request outside a dialog that is under way.

use crate::ids::AccountId;
use crate::request::{Locating, Request};
use crate::time::Moment;

/// A request outside a dialog, by how far it is.
pub(super) enum Outgoing {
    /// The server of its URI is looked for; with when that is due.
    Locating(Box<Locating>, Option<Moment>),
    /// It goes over a link.
    Sent(Box<Request>),
}

impl Outgoing {
    pub(super) fn account(&self) -> AccountId {
        match self {
            Outgoing::Locating(locating, _) => locating.account,
            Outgoing::Sent(request) => request.subject().account,
        }
    }
}
