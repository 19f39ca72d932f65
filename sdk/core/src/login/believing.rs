//! Whose word a login takes: signatures are judged before anything else sees a message (decision 12).

use bytes::Bytes;
use homing_wire::Message;

use super::conversation::Conversation;
use super::desk::Desk;
use super::machine::{Login, State};
use super::redirect::Standing;
use super::refusal::Belief;
use crate::counter::Counter;
use crate::error::SignatureFault;
use crate::event::AccountEvent;
use crate::ids::TxId;

impl Login {
    /// Judges a response by its signature, before its transaction sees it. `None`: it is refused, and
    /// nothing but a counter and the last refusal changed.
    pub fn judge_response(&mut self, tx: TxId, message: &Message, desk: &mut Desk<'_>) -> Option<Standing> {
        let places = self.account.config.auth.signature_places;
        let standing = match &mut self.state {
            State::Joining(joining) if joining.exchange.tx() == Some(tx) => {
                joining.exchange.judge(message, &mut joining.conversation, places, desk.now)
            }
            State::Leaving(leaving) if leaving.exchange.tx() == Some(tx) => {
                leaving.exchange.judge(message, &mut leaving.conversation, places, desk.now)
            }
            State::Registered(registered) if registered.is_probe(tx) || registered.tx() == Some(tx) => {
                registered.judge(message, places, desk.now)
            }
            // Answered before: the transaction absorbs it.
            _ => return Some(Standing::Unsignable),
        };
        match Belief::of(message, standing) {
            Belief::Believed => Some(standing),
            Belief::Tolerated => {
                desk.counters.count(Counter::UnsignedTolerated);
                Some(standing)
            }
            Belief::Refused(why) => {
                self.refuse(message, why, desk);
                None
            }
        }
    }

    /// Judges a request of the server by its signature.
    pub fn judge_request(&mut self, message: &Message, desk: &Desk<'_>) -> Standing {
        let places = self.account.config.auth.signature_places;
        match &mut self.state {
            State::Registered(registered) => registered.judge(message, places, desk.now),
            State::Leaving(leaving) => leaving.conversation.judge(message, places, desk.now),
            State::Joining(joining) => joining.conversation.judge(message, places, desk.now),
            State::Resting(_) | State::Seeking(_) | State::Deciding(_) => Standing::Unsignable,
        }
    }

    /// Signs a response of ours, if there is an association.
    pub fn sign(&mut self, message: &Message, desk: &mut Desk<'_>) -> Bytes {
        match self.conversation() {
            Some(conversation) => conversation.sign(message, desk),
            None => message.bytes().clone(),
        }
    }

    fn conversation(&mut self) -> Option<&mut Conversation> {
        match &mut self.state {
            State::Registered(registered) => Some(&mut registered.conversation),
            State::Leaving(leaving) => Some(&mut leaving.conversation),
            State::Joining(joining) => Some(&mut joining.conversation),
            State::Resting(_) | State::Seeking(_) | State::Deciding(_) => None,
        }
    }

    fn refuse(&mut self, message: &Message, why: SignatureFault, desk: &mut Desk<'_>) {
        desk.count_refusal(why);
        let status = message.status().unwrap_or_default();
        if status >= 200 {
            match &mut self.state {
                State::Joining(joining) => joining.handle_refused(status, why, desk),
                State::Registered(registered) => registered.handle_refused(status, why, desk),
                State::Resting(_) | State::Seeking(_) | State::Deciding(_) | State::Leaving(_) => {}
            }
        }
        if let Some(server) = self.conversation().map(|conversation| conversation.server.clone())
            && self.account.refusals.admit(MOST_TOLD, desk.now)
        {
            desk.tell(AccountEvent::MessageRefused { server, why });
        }
    }
}

/// Refused messages told in a minute.
const MOST_TOLD: u8 = 10;
