//! What a login hears from the world, and which state it is for.

use std::net::SocketAddr;

use homing_wire::Message;

use super::context::Context;
use super::machine::{Registration, State};
use super::redirect::SignatureVerdict;
use super::registration_notify::RegistrationNotify;
use super::transition::{Step, Transition};
use crate::connect::{ConnectError, TlsProof};
use crate::counter::Counter;
use crate::dns::{DnsAnswer, DnsError};
use crate::event::MoveCause;
use crate::ids::{AskId, FlowId, TxId};
use crate::outbox::{Answer, Credentials, Decision};
use crate::state::AccountState;

impl Registration {
    /// A connection stands.
    pub fn handle_connected(
        &mut self,
        flow: FlowId,
        local: SocketAddr,
        proof: Option<&TlsProof>,
        cx: &mut Context<'_>,
    ) {
        self.step(cx, |state, account, cx| match state {
            State::Locating(locating) => {
                locating.handle_connected(flow, (local, proof.cloned()), account, cx).map(State::from)
            }
            other => Step::Stays(other),
        });
    }

    /// A connection is gone, or could not be opened.
    pub fn handle_lost(&mut self, flow: FlowId, why: ConnectError, cx: &mut Context<'_>) {
        self.step(cx, |state, account, cx| match state {
            State::Locating(locating) => locating.handle_lost(flow, why, account, cx).map(State::from),
            State::Registering(registering) => {
                registering.handle_lost(flow, why, account, cx).map(State::from)
            }
            State::Registered(registered) => registered.handle_lost(flow, account, cx).map(State::from),
            State::Unregistering(unregistering) => unregistering.handle_lost(flow, cx).map(State::from),
            other @ (State::Idle(_) | State::AwaitingConsent(_)) => Step::Stays(other),
        });
    }

    /// The world answered a question.
    pub fn handle_answer(&mut self, id: AskId, answer: Answer, cx: &mut Context<'_>) {
        self.step(cx, |state, account, cx| match state {
            State::Locating(locating) => {
                locating.handle_answer(id, records(answer), account, cx).map(State::from)
            }
            State::Registering(registering) if registering.exchange.ask() == Some(id) => {
                registering.handle_credentials(credentials(answer), account, cx).map(State::from)
            }
            State::Registered(registered) if registered.ask() == Some(id) => {
                registered.handle_credentials(credentials(answer), account, cx).map(State::from)
            }
            State::Unregistering(unregistering) if unregistering.exchange.ask() == Some(id) => {
                unregistering.handle_credentials(credentials(answer), account, cx).map(State::from)
            }
            State::AwaitingConsent(awaiting_consent) if awaiting_consent.ask() == id => {
                awaiting_consent.handle_decision(decision(answer)).into()
            }
            state => {
                let mut given = credentials(answer);
                if !account.answer_prompt(id, &mut given) {
                    cx.counters.count(Counter::LateAnswer);
                    return Step::Stays(state);
                }
                match state {
                    State::Idle(idle) => idle.handle_credentials(account, cx).map(State::from),
                    state => Step::Stays(state),
                }
            }
        });
    }

    /// Does what is due.
    pub fn handle_deadline(&mut self, cx: &mut Context<'_>) {
        self.step(cx, |state, account, cx| match state {
            State::Idle(idle) => idle.handle_deadline(cx).map(State::from),
            State::Locating(locating) => locating.handle_deadline(account, cx).map(State::from),
            State::Registering(registering) => registering.handle_deadline(account, cx).map(State::from),
            State::Registered(registered) => registered.handle_deadline(account, cx).map(State::from),
            State::Unregistering(unregistering) => unregistering.handle_deadline(cx).map(State::from),
            other @ State::AwaitingConsent(_) => Step::Stays(other),
        });
    }

    /// The network came, went or changed.
    pub fn handle_network(&mut self, online: bool, cx: &mut Context<'_>) {
        self.step(cx, |state, account, cx| match state {
            State::Idle(idle) => idle.handle_network(online, cx.now).map(State::from),
            State::Registered(registered) => registered.handle_network(online, cx).map(State::from),
            State::Unregistering(unregistering) if !online => unregistering.finish(cx).into(),
            State::Locating(locating) => {
                let cause = locating.attempt.cause();
                locating.stop(cx);
                begin_again(online, cause).into()
            }
            State::Registering(registering) => {
                let cause = registering.attempt.cause();
                registering.stop(account, cx);
                begin_again(online, cause).into()
            }
            other @ (State::Unregistering(_) | State::AwaitingConsent(_)) => Step::Stays(other),
        });
    }

    /// The clocks ran apart.
    pub fn handle_clock_jump(&mut self, cx: &mut Context<'_>) {
        if let State::Registered(registered) = &mut self.state {
            registered.handle_clock_jump(cx);
        }
    }

    /// A provisional response.
    pub fn handle_provisional(&mut self, tx: TxId) {
        if let State::Registering(registering) = &mut self.state
            && registering.exchange.tx() == Some(tx)
        {
            registering.handle_provisional();
        }
    }

    /// The final response of a transaction, judged and fed.
    pub fn handle_final(
        &mut self,
        tx: TxId,
        message: Message,
        verdict: SignatureVerdict,
        cx: &mut Context<'_>,
    ) {
        self.step(cx, |state, account, cx| match state {
            State::Registering(registering) if registering.exchange.tx() == Some(tx) => {
                registering.handle_final(message, verdict, account, cx).map(State::from)
            }
            State::Unregistering(unregistering) if unregistering.exchange.tx() == Some(tx) => {
                unregistering.handle_final(message, verdict, account, cx).map(State::from)
            }
            State::Registered(registered) if registered.is_probe(tx) => {
                registered.handle_probe(Some(&message), account, cx).map(State::from)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_final(message, verdict, account, cx).map(State::from)
            }
            other => Step::Stays(other),
        });
    }

    /// Nobody answered a transaction in time.
    pub fn handle_timeout(&mut self, tx: TxId, cx: &mut Context<'_>) {
        self.step(cx, |state, account, cx| match state {
            State::Registering(registering) if registering.exchange.tx() == Some(tx) => {
                registering.handle_timeout(account, cx).map(State::from)
            }
            State::Unregistering(unregistering) if unregistering.exchange.tx() == Some(tx) => {
                unregistering.finish(cx).into()
            }
            State::Registered(registered) if registered.is_probe(tx) => {
                registered.handle_probe(None, account, cx).map(State::from)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_timeout(account, cx).into()
            }
            other => Step::Stays(other),
        });
    }

    /// The server ended the registration by a request whose signature was judged.
    pub fn handle_forced(
        &mut self,
        registration_notify: &RegistrationNotify,
        verdict: SignatureVerdict,
        cx: &mut Context<'_>,
    ) {
        self.step(cx, |state, account, cx| match state {
            State::Registered(registered) => {
                registered.handle_forced(registration_notify, verdict, account, cx).map(State::from)
            }
            other => Step::Stays(other),
        });
    }
}

/// An answer of another kind than asked for is no answer: nobody waits for a better one.
fn records(answer: Answer) -> Result<DnsAnswer, DnsError> {
    if let Answer::Resolved(records) = answer { records } else { Err(DnsError::ServerFailure) }
}

fn credentials(answer: Answer) -> Option<Credentials> {
    if let Answer::Credentials(given) = answer { given } else { None }
}

fn decision(answer: Answer) -> Decision {
    if let Answer::Redirect(decision) = answer { decision } else { Decision::Stop }
}

fn begin_again(online: bool, cause: MoveCause) -> Transition {
    if online { Transition::Login(cause) } else { Transition::Rest(AccountState::NoNetwork) }
}
