//! A call of an agent, by how far it is, and under what it is found.

use crate::call::{Call, Plan};
use crate::dialog::Listed;
use crate::ids::AccountId;
use crate::request::Locating;
use crate::time::{Deadline, Moment};

/// A call in the agent's table.
pub(super) struct CallEntry {
    pub(super) account: AccountId,
    pub(super) stage: CallStage,
    /// What the table of dialogs knows of it.
    pub(super) listed: Listed,
    /// When the queue wakes it.
    pub(super) due: Option<Moment>,
}

/// How far a call is.
pub(super) enum CallStage {
    /// An account without registrar looks for the server of the URI.
    Locating(Box<Locating>, Box<Plan>),
    /// It goes over a link.
    Linked(Box<Call>),
}

impl CallEntry {
    /// The call, if it goes over a link.
    pub(super) fn call(&self) -> Option<&Call> {
        if let CallStage::Linked(call) = &self.stage { Some(call) } else { None }
    }

    /// When something is due, transactions apart.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        match &self.stage {
            CallStage::Locating(locating, plan) => {
                Deadline::earlier(locating.deadline(), Some(plan.deadline()))
            }
            CallStage::Linked(call) => call.deadline(),
        }
    }

    /// True while it counts among the calls of its account.
    pub(super) fn counts(&self) -> bool {
        self.call().is_none_or(|call| !call.is_over())
    }
}
