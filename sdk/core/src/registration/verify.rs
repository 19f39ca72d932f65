//! Whose word a login takes: signatures are judged before anything else sees a message (decision 12).

use bytes::Bytes;
use homing_wire::Message;

use super::context::Context;
use super::machine::{Registration, State};
use super::redirect::SignatureVerdict;
use super::refusal::Acceptance;
use super::server_link::ServerLink;
use crate::counter::Counter;
use crate::error::SignatureFault;
use crate::event::AccountEvent;
use crate::ids::TxId;

impl Registration {
    /// Judges a response by its signature, before its transaction sees it. `None`: it is refused, and
    /// nothing but a counter and the last refusal changed.
    pub fn judge_response(
        &mut self,
        tx: TxId,
        message: &Message,
        cx: &mut Context<'_>,
    ) -> Option<SignatureVerdict> {
        let places = self.account.config.auth.signature_places;
        let verdict = match &mut self.state {
            State::Registering(registering) if registering.exchange.tx() == Some(tx) => {
                registering.exchange.judge(message, &mut registering.link, places, cx.now)
            }
            State::Unregistering(unregistering) if unregistering.exchange.tx() == Some(tx) => {
                unregistering.exchange.judge(message, &mut unregistering.link, places, cx.now)
            }
            State::Registered(registered) if registered.is_probe(tx) || registered.tx() == Some(tx) => {
                registered.judge(message, places, cx.now)
            }
            // Answered before: the transaction absorbs it.
            _ => return Some(SignatureVerdict::Unsignable),
        };
        match Acceptance::of(message, verdict) {
            Acceptance::Believed => Some(verdict),
            Acceptance::Tolerated => {
                cx.counters.count(Counter::UnsignedTolerated);
                Some(verdict)
            }
            Acceptance::Refused(why) => {
                self.refuse(message, why, cx);
                None
            }
        }
    }

    /// Judges a request of the server by its signature.
    pub fn judge_request(&mut self, message: &Message, cx: &Context<'_>) -> SignatureVerdict {
        let places = self.account.config.auth.signature_places;
        match &mut self.state {
            State::Registered(registered) => registered.judge(message, places, cx.now),
            State::Unregistering(unregistering) => unregistering.link.judge(message, places, cx.now),
            State::Registering(registering) => registering.link.judge(message, places, cx.now),
            State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) => SignatureVerdict::Unsignable,
        }
    }

    /// Signs a response of ours, if there is an association.
    pub fn sign(&mut self, message: &Message, cx: &mut Context<'_>) -> Bytes {
        match self.link() {
            Some(link) => link.sign(message, cx),
            None => message.bytes().clone(),
        }
    }

    fn link(&mut self) -> Option<&mut ServerLink> {
        match &mut self.state {
            State::Registered(registered) => Some(&mut registered.link),
            State::Unregistering(unregistering) => Some(&mut unregistering.link),
            State::Registering(registering) => Some(&mut registering.link),
            State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) => None,
        }
    }

    fn refuse(&mut self, message: &Message, why: SignatureFault, cx: &mut Context<'_>) {
        cx.count_refusal(why);
        let status = message.status().unwrap_or_default();
        if status >= 200 {
            match &mut self.state {
                State::Registering(registering) => registering.handle_refused(status, why, cx),
                State::Registered(registered) => registered.handle_refused(status, why, cx),
                State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) | State::Unregistering(_) => {
                }
            }
        }
        if let Some(server) = self.link().map(|link| link.server.clone())
            && self.account.refusals.admit(MOST_TOLD, cx.now)
        {
            cx.tell(AccountEvent::MessageRefused { server, why });
        }
    }
}

/// Refused messages told in a minute.
const MOST_TOLD: u8 = 10;
