//! What a login hears from the world, and which state it is for.

use std::net::SocketAddr;

use homing_wire::Message;

use super::desk::Desk;
use super::forced::Forced;
use super::machine::{Login, State};
use super::redirect::Standing;
use super::sequel::{Sequel, Turn};
use crate::connect::{ConnectError, TlsProof};
use crate::counter::Counter;
use crate::dns::{DnsAnswer, DnsError};
use crate::event::MoveCause;
use crate::ids::{AskId, FlowId, TxId};
use crate::outbox::{Answer, Credentials, Decision};
use crate::state::AccountState;

impl Login {
    /// A connection stands.
    pub fn handle_connected(
        &mut self,
        flow: FlowId,
        local: SocketAddr,
        proof: Option<&TlsProof>,
        desk: &mut Desk<'_>,
    ) {
        self.step(desk, |state, account, desk| match state {
            State::Seeking(seeking) => {
                seeking.handle_connected(flow, (local, proof.cloned()), account, desk).map(State::from)
            }
            other => Turn::Stays(other),
        });
    }

    /// A connection is gone, or could not be opened.
    pub fn handle_lost(&mut self, flow: FlowId, why: ConnectError, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Seeking(seeking) => seeking.handle_lost(flow, why, account, desk).map(State::from),
            State::Joining(joining) => joining.handle_lost(flow, why, account, desk).map(State::from),
            State::Registered(registered) => registered.handle_lost(flow, account, desk).map(State::from),
            State::Leaving(leaving) => leaving.handle_lost(flow, desk).map(State::from),
            other @ (State::Resting(_) | State::Deciding(_)) => Turn::Stays(other),
        });
    }

    /// The world answered a question.
    pub fn handle_answer(&mut self, id: AskId, answer: Answer, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Seeking(seeking) => {
                seeking.handle_answer(id, records(answer), account, desk).map(State::from)
            }
            State::Joining(joining) if joining.exchange.ask() == Some(id) => {
                joining.handle_credentials(credentials(answer), account, desk).map(State::from)
            }
            State::Registered(registered) if registered.ask() == Some(id) => {
                registered.handle_credentials(credentials(answer), account, desk).map(State::from)
            }
            State::Leaving(leaving) if leaving.exchange.ask() == Some(id) => {
                leaving.handle_credentials(credentials(answer), account, desk).map(State::from)
            }
            State::Deciding(deciding) if deciding.ask() == id => {
                deciding.handle_decision(decision(answer)).into()
            }
            state => {
                let mut given = credentials(answer);
                if !account.answer_prompt(id, &mut given) {
                    desk.counters.count(Counter::LateAnswer);
                    return Turn::Stays(state);
                }
                match state {
                    State::Resting(resting) => resting.handle_credentials(account, desk).map(State::from),
                    state => Turn::Stays(state),
                }
            }
        });
    }

    /// Does what is due.
    pub fn handle_deadline(&mut self, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Resting(resting) => resting.handle_deadline(desk).map(State::from),
            State::Seeking(seeking) => seeking.handle_deadline(account, desk).map(State::from),
            State::Joining(joining) => joining.handle_deadline(account, desk).map(State::from),
            State::Registered(registered) => registered.handle_deadline(account, desk).map(State::from),
            State::Leaving(leaving) => leaving.handle_deadline(desk).map(State::from),
            other @ State::Deciding(_) => Turn::Stays(other),
        });
    }

    /// The network came, went or changed.
    pub fn handle_network(&mut self, online: bool, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Resting(resting) => resting.handle_network(online, desk.now).map(State::from),
            State::Registered(registered) => registered.handle_network(online, desk).map(State::from),
            State::Leaving(leaving) if !online => leaving.finish(desk).into(),
            State::Seeking(seeking) => {
                let cause = seeking.trip.cause();
                seeking.stop(desk);
                begin_again(online, cause).into()
            }
            State::Joining(joining) => {
                let cause = joining.trip.cause();
                joining.stop(account, desk);
                begin_again(online, cause).into()
            }
            other @ (State::Leaving(_) | State::Deciding(_)) => Turn::Stays(other),
        });
    }

    /// The clocks ran apart.
    pub fn handle_clock_jump(&mut self, desk: &mut Desk<'_>) {
        if let State::Registered(registered) = &mut self.state {
            registered.handle_clock_jump(desk);
        }
    }

    /// A provisional response.
    pub fn handle_provisional(&mut self, tx: TxId) {
        if let State::Joining(joining) = &mut self.state
            && joining.exchange.tx() == Some(tx)
        {
            joining.handle_provisional();
        }
    }

    /// The final response of a transaction, judged and fed.
    pub fn handle_final(&mut self, tx: TxId, message: Message, standing: Standing, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Joining(joining) if joining.exchange.tx() == Some(tx) => {
                joining.handle_final(message, standing, account, desk).map(State::from)
            }
            State::Leaving(leaving) if leaving.exchange.tx() == Some(tx) => {
                leaving.handle_final(message, standing, account, desk).map(State::from)
            }
            State::Registered(registered) if registered.is_probe(tx) => {
                registered.handle_probe(Some(&message), account, desk).map(State::from)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_final(message, standing, account, desk).map(State::from)
            }
            other => Turn::Stays(other),
        });
    }

    /// Nobody answered a transaction in time.
    pub fn handle_timeout(&mut self, tx: TxId, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Joining(joining) if joining.exchange.tx() == Some(tx) => {
                joining.handle_timeout(account, desk).map(State::from)
            }
            State::Leaving(leaving) if leaving.exchange.tx() == Some(tx) => leaving.finish(desk).into(),
            State::Registered(registered) if registered.is_probe(tx) => {
                registered.handle_probe(None, account, desk).map(State::from)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_timeout(account, desk).into()
            }
            other => Turn::Stays(other),
        });
    }

    /// The server ended the registration by a request whose signature was judged.
    pub fn handle_forced(&mut self, forced: &Forced, standing: Standing, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => {
                registered.handle_forced(forced, standing, account, desk).map(State::from)
            }
            other => Turn::Stays(other),
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

fn begin_again(online: bool, cause: MoveCause) -> Sequel {
    if online { Sequel::Login(cause) } else { Sequel::Rest(AccountState::NoNetwork) }
}
