//! One account's login: the states under one roof, and what is told when they change.

use std::net::SocketAddr;

use bytes::Bytes;
use homing_wire::Message;

use super::account::Account;
use super::conversation::Conversation;
use super::deciding::Deciding;
use super::desk::Desk;
use super::forced::Forced;
use super::joining::Joining;
use super::leaving::Leaving;
use super::redirect::Standing;
use super::refusal::Belief;
use super::registered::Registered;
use super::resting::Resting;
use super::seeking::Seeking;
use super::trip::Trip;
use crate::config::{AccountConfig, ServerChoice};
use crate::connect::{ConnectError, TlsProof};
use crate::counter::Counter;
use crate::error::{Misuse, SignatureFault};
use crate::event::{AccountEvent, MoveCause};
use crate::ids::{AccountId, AskId, FlowId, TxId};
use crate::journey::HopVerdict;
use crate::outbox::Answer;
use crate::state::AccountState;
use crate::time::Deadline;

/// The login of one account.
pub struct Login {
    account: Account,
    state: State,
    told: Told,
}

/// Where a login stands.
pub(super) enum State {
    /// Nothing is under way.
    Resting(Resting),
    /// A server is looked for.
    Seeking(Box<Seeking>),
    /// A server is talked to.
    Joining(Box<Joining>),
    /// A redirect waits for consent.
    Deciding(Box<Deciding>),
    /// Signed in.
    Registered(Box<Registered>),
    /// Signing out.
    Leaving(Box<Leaving>),
}

/// What a login waits for that is no deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expecting {
    /// The answer to a request: the transaction has the deadline.
    Answer,
    /// Credentials.
    Person,
    /// Consent.
    App,
    /// A command.
    Nothing,
}

/// What the user knows.
struct Told {
    state: AccountState,
    journey_changes: u32,
}

impl Login {
    /// A login that rests.
    pub fn new(id: AccountId, config: AccountConfig) -> Self {
        Self {
            account: Account::new(id, config),
            state: State::Resting(Resting::new(AccountState::Offline)),
            told: Told { state: AccountState::Offline, journey_changes: 0 },
        }
    }

    /// The account's configuration.
    pub fn config(&self) -> &AccountConfig {
        &self.account.config
    }

    /// The state as it is shown.
    pub fn shown(&self) -> AccountState {
        match &self.state {
            State::Resting(resting) => resting.shown(),
            State::Seeking(seeking) if seeking.search.is_dialling() => AccountState::Connecting,
            State::Seeking(seeking) => match seeking.trip.journey().last().map(|hop| &hop.verdict) {
                Some(HopVerdict::Redirected { .. }) => AccountState::Redirected,
                Some(_) | None => AccountState::Resolving,
            },
            State::Joining(joining) if joining.exchange.is_authenticating() => AccountState::Authenticating,
            State::Joining(_) => AccountState::Registering,
            State::Deciding(_) => AccountState::Redirected,
            State::Registered(registered) => registered.shown(),
            State::Leaving(_) => AccountState::Registered,
        }
    }

    /// The next thing due.
    pub fn deadline(&self) -> Option<Deadline> {
        match &self.state {
            State::Resting(resting) => resting.deadline(),
            State::Seeking(seeking) => seeking.deadline(),
            State::Joining(joining) => joining.exchange.deadline(),
            State::Deciding(_) => None,
            State::Registered(registered) => registered.deadline(),
            State::Leaving(leaving) => leaving.deadline(),
        }
    }

    /// What is waited for beside the deadline.
    pub fn expecting(&self) -> Expecting {
        match &self.state {
            State::Joining(joining) if joining.exchange.ask().is_some() => Expecting::Person,
            State::Joining(_) => Expecting::Answer,
            State::Deciding(_) => Expecting::App,
            State::Resting(_) | State::Seeking(_) | State::Registered(_) | State::Leaving(_) => {
                Expecting::Nothing
            }
        }
    }

    /// Signs in and stays signed in.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if that is under way or done, or the account has no registrar.
    pub fn login(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        let idle = matches!(self.state, State::Resting(_));
        if !idle || self.account.config.server == ServerChoice::NoRegistrar {
            return Err(Misuse::WrongState);
        }
        let cause = if self.account.last_home.is_some() { MoveCause::Failover } else { MoveCause::First };
        self.state = Seeking::start(cause, &mut self.account, desk);
        self.tell(desk);
        Ok(())
    }

    /// Signs out, or stops trying.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if there is nothing to end.
    pub fn logout(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        if matches!(&self.state, State::Resting(resting) if !resting.is_waiting())
            || matches!(self.state, State::Leaving(_))
        {
            return Err(Misuse::WrongState);
        }
        let off = State::Resting(Resting::new(AccountState::LoggedOff));
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => registered.leave(account, desk),
            State::Seeking(seeking) => {
                seeking.stop(desk);
                off
            }
            State::Joining(joining) => {
                joining.stop(desk);
                off
            }
            State::Deciding(deciding) => {
                deciding.stop(desk);
                off
            }
            State::Resting(_) => off,
            leaving @ State::Leaving(_) => leaving,
        });
        Ok(())
    }

    /// Refreshes the registration now.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in.
    pub fn refresh(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        if !matches!(self.state, State::Registered(_)) {
            return Err(Misuse::WrongState);
        }
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => registered.refresh(account, desk),
            other => other,
        });
        Ok(())
    }

    /// Asks the home server whether it is there.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in, or while another such question is open.
    pub fn options(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        let State::Registered(registered) = &mut self.state else { return Err(Misuse::WrongState) };
        if registered.probe(&self.account, desk) { Ok(()) } else { Err(Misuse::WrongState) }
    }

    /// True if nothing is under way, so that the account may be removed.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Resting(_))
    }

    /// A connection stands.
    pub fn handle_connected(
        &mut self,
        flow: FlowId,
        local: SocketAddr,
        proof: Option<&TlsProof>,
        desk: &mut Desk<'_>,
    ) {
        self.step(desk, |state, account, desk| match state {
            State::Seeking(seeking) => seeking.handle_connected(flow, (local, proof.cloned()), account, desk),
            other => other,
        });
    }

    /// A connection is gone, or could not be opened.
    pub fn handle_lost(&mut self, flow: FlowId, why: ConnectError, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Seeking(seeking) => seeking.handle_lost(flow, why, account, desk),
            State::Joining(joining) => joining.handle_lost(flow, why, account, desk),
            State::Registered(registered) => registered.handle_lost(flow, why, account, desk),
            State::Leaving(leaving) => leaving.handle_lost(flow, desk),
            other @ (State::Resting(_) | State::Deciding(_)) => other,
        });
    }

    /// The world answered a question.
    pub fn handle_answer(&mut self, id: AskId, answer: Answer, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match (state, answer) {
            (State::Seeking(seeking), Answer::Resolved(records)) => {
                seeking.handle_answer(id, records, account, desk)
            }
            (State::Joining(joining), Answer::Credentials(given)) if joining.exchange.ask() == Some(id) => {
                joining.handle_credentials(given, account, desk)
            }
            (State::Registered(registered), Answer::Credentials(given)) if registered.ask() == Some(id) => {
                registered.handle_credentials(given, account, desk)
            }
            (State::Leaving(leaving), Answer::Credentials(given)) if leaving.exchange.ask() == Some(id) => {
                leaving.handle_credentials(given, account, desk)
            }
            (State::Deciding(deciding), Answer::Redirect(decision)) if deciding.ask() == id => {
                deciding.handle_decision(decision, account, desk)
            }
            (state, _) => {
                desk.counters.count(Counter::LateAnswer);
                state
            }
        });
    }

    /// Does what is due.
    pub fn handle_deadline(&mut self, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Resting(resting) => resting.handle_deadline(account, desk),
            State::Seeking(seeking) => seeking.handle_deadline(account, desk),
            State::Joining(joining) => joining.handle_deadline(account, desk),
            State::Registered(registered) => registered.handle_deadline(account, desk),
            State::Leaving(leaving) => leaving.handle_deadline(desk),
            other @ State::Deciding(_) => other,
        });
    }

    /// The network came, went or changed.
    pub fn handle_network(&mut self, online: bool, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Resting(resting) => resting.handle_network(online, account, desk),
            State::Registered(registered) => registered.handle_network(online, desk),
            State::Leaving(leaving) if !online => leaving.finish(desk),
            State::Seeking(seeking) => {
                let cause = seeking.trip.cause();
                seeking.stop(desk);
                begin_again(online, cause, account, desk)
            }
            State::Joining(joining) => {
                let cause = joining.trip.cause();
                joining.stop(desk);
                begin_again(online, cause, account, desk)
            }
            other @ (State::Leaving(_) | State::Deciding(_)) => other,
        });
    }

    /// The clocks ran apart.
    pub fn handle_clock_jump(&mut self, desk: &mut Desk<'_>) {
        if let State::Registered(registered) = &mut self.state {
            registered.handle_clock_jump(desk);
        }
    }

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
                joining.handle_final(message, standing, account, desk)
            }
            State::Leaving(leaving) if leaving.exchange.tx() == Some(tx) => {
                leaving.handle_final(message, standing, account, desk)
            }
            State::Registered(mut registered) if registered.is_probe(tx) => {
                registered.handle_probe(message.status().unwrap_or_default(), desk);
                State::Registered(registered)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_final(message, standing, account, desk)
            }
            other => other,
        });
    }

    /// Nobody answered a transaction in time.
    pub fn handle_timeout(&mut self, tx: TxId, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Joining(joining) if joining.exchange.tx() == Some(tx) => {
                joining.handle_timeout(account, desk)
            }
            State::Leaving(leaving) if leaving.exchange.tx() == Some(tx) => leaving.finish(desk),
            State::Registered(mut registered) if registered.is_probe(tx) => {
                registered.handle_probe(408, desk);
                State::Registered(registered)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_timeout(account, desk)
            }
            other => other,
        });
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

    /// The server ended the registration by a request whose signature was judged.
    pub fn handle_forced(&mut self, forced: &Forced, standing: Standing, desk: &mut Desk<'_>) {
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => registered.handle_forced(forced, standing, account, desk),
            other => other,
        });
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
        if let Some(server) = self.conversation().map(|conversation| conversation.server.clone()) {
            desk.tell(AccountEvent::MessageRefused { server, why });
        }
    }

    /// One step of the machine: the state is consumed and replaced, and what changed is told.
    fn step(
        &mut self,
        desk: &mut Desk<'_>,
        handle: impl FnOnce(State, &mut Account, &mut Desk<'_>) -> State,
    ) {
        let nothing = State::Resting(Resting::new(AccountState::Offline));
        let state = std::mem::replace(&mut self.state, nothing);
        self.state = handle(state, &mut self.account, desk);
        self.tell(desk);
    }

    fn tell(&mut self, desk: &mut Desk<'_>) {
        let changes = self.trip().map_or(0, Trip::changes);
        if std::mem::replace(&mut self.told.journey_changes, changes) != changes
            && let Some(trip) = self.trip()
        {
            desk.tell(AccountEvent::JourneyChanged(trip.journey().clone()));
        }
        let to = self.shown();
        let from = std::mem::replace(&mut self.told.state, to);
        if from != to {
            desk.tell(AccountEvent::StateChanged { from, to });
        }
    }

    fn trip(&self) -> Option<&Trip> {
        match &self.state {
            State::Seeking(seeking) => Some(&seeking.trip),
            State::Joining(joining) => Some(&joining.trip),
            State::Deciding(deciding) => Some(&deciding.trip),
            State::Resting(_) | State::Registered(_) | State::Leaving(_) => None,
        }
    }
}

fn begin_again(online: bool, cause: MoveCause, account: &mut Account, desk: &mut Desk<'_>) -> State {
    if online {
        Seeking::start(cause, account, desk)
    } else {
        State::Resting(Resting::new(AccountState::NoNetwork))
    }
}
