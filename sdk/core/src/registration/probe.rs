//! An OPTIONS of the user on its way: whom it asks, since when, and what it waits for.

use homing_wire::Message;

use super::context::Context;
use crate::answer::Answered;
use crate::event::AccountEvent;
use crate::ids::TxId;
use crate::time::Moment;

/// An OPTIONS of the user that is not answered yet.
pub(super) struct Probe {
    /// Whom it asks for; none: the home server itself.
    pub uri: Option<Box<str>>,
    /// When it was asked.
    pub sent: Moment,
    /// What it waits for.
    pub step: Phase,
}

/// What an OPTIONS waits for.
pub(super) enum Phase {
    /// The first answer.
    Asked(TxId),
    /// A new handshake: this challenge was the answer.
    Challenged(Box<Message>),
    /// The answer to the second request, which is the last.
    Repeated(TxId),
}

impl Probe {
    /// The transaction that is waited for.
    pub(super) fn tx(&self) -> Option<TxId> {
        match self.step {
            Phase::Asked(tx) | Phase::Repeated(tx) => Some(tx),
            Phase::Challenged(_) => None,
        }
    }

    /// Tells the user the answer, or that there is none.
    pub(super) fn tell(&self, answer: Option<&Message>, cx: &mut Context<'_>) {
        let spent = cx.now.since_start.since(self.sent).as_millis();
        let millis = u32::try_from(spent).unwrap_or(u32::MAX);
        let answered =
            answer.map_or_else(|| Answered::nobody(millis), |message| Answered::of(message, millis));
        cx.tell(AccountEvent::OptionsAnswered(answered));
    }
}
