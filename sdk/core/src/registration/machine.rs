//! The registration of one account: its states under one roof, what they hear, and what is told of them.

use std::time::Duration;

use super::attempt::Attempt;
use super::awaiting_consent::AwaitingConsent;
use super::idle::Idle;
use super::locating::Locating;
use super::registered::Registered;
use super::registering::Registering;
use super::superseded::Superseded;
use super::transition::{Step, Transition};
use super::unregistering::Unregistering;
use crate::account::Account;
use crate::account::acceptance::SignatureVerdict;
use crate::account::context::Context;
use crate::account::server_link::{ServerLink, Verified};
use crate::config::ServerChoice;
use crate::counter::Counter;
use crate::dns::{DnsAnswer, DnsError};
use crate::error::{Misuse, ResponseFault, SignatureFault};
use crate::event::{AccountEvent, MoveCause, UnregisterOutcome};
use crate::flow::LostFlow;
use crate::ids::{AskId, FlowId, TxId};
use crate::journey::HopVerdict;
use crate::outbox::{Answer, Credentials, Decision};
use crate::registration_notify::RegistrationNotify;
use crate::state::AccountState;
use crate::time::{Deadline, Moment};

/// The registration of one account.
pub(crate) struct Registration {
    state: State,
    /// Servers that may still grant a binding although another answered first.
    superseded: Vec<Superseded>,
    /// True once one of them withdrew a binding: that may have been the one this registration keeps.
    is_in_doubt: bool,
    told: Told,
}

/// Where a login stands.
enum State {
    /// Nothing is under way.
    Idle(Idle),
    /// A server is looked for.
    Locating(Box<Locating>),
    /// A server is talked to.
    Registering(Box<Registering>),
    /// A redirect waits for consent.
    AwaitingConsent(Box<AwaitingConsent>),
    /// Signed in.
    Registered(Box<Registered>),
    /// Signing out.
    Unregistering(Box<Unregistering>),
}

/// What a login waits for that is no deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expecting {
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

impl Registration {
    /// One that is not registered and not trying.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Idle(Idle::new(AccountState::Offline)),
            superseded: Vec::new(),
            is_in_doubt: false,
            told: Told { state: AccountState::Offline, journey_changes: 0 },
        }
    }

    /// The state as it is shown.
    pub(crate) fn shown(&self) -> AccountState {
        match &self.state {
            State::Idle(idle) => idle.shown(),
            State::Locating(locating) if locating.search.is_dialling() => AccountState::Connecting,
            State::Locating(locating) => match locating.attempt.journey().last().map(|hop| &hop.verdict) {
                Some(HopVerdict::Redirected { .. }) => AccountState::Redirected,
                Some(_) | None => AccountState::Resolving,
            },
            State::Registering(registering) if registering.exchange.is_authenticating() => {
                AccountState::Authenticating
            }
            State::Registering(_) => AccountState::Registering,
            State::AwaitingConsent(_) => AccountState::Redirected,
            State::Registered(registered) => registered.shown(),
            State::Unregistering(unregistering) => unregistering.shown(),
        }
    }

    /// The next thing due.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let own = match &self.state {
            State::Idle(idle) => idle.deadline(),
            State::Locating(locating) => locating.deadline(),
            State::Registering(registering) => registering.deadline(),
            State::AwaitingConsent(_) => None,
            State::Registered(registered) => registered.deadline(),
            State::Unregistering(unregistering) => unregistering.deadline(),
        };
        self.superseded.iter().fold(own, |least, one| Deadline::earlier(least, Some(one.deadline())))
    }

    /// What is waited for beside the deadline.
    pub(crate) fn expecting(&self) -> Expecting {
        match &self.state {
            State::Registering(registering) if registering.exchange.ask().is_some() => Expecting::Person,
            State::Registering(_) => Expecting::Answer,
            State::AwaitingConsent(_) => Expecting::App,
            State::Idle(_) | State::Locating(_) | State::Registered(_) | State::Unregistering(_) => {
                Expecting::Nothing
            }
        }
    }

    /// True while it is on its way to a registration, or will try again by itself.
    pub(crate) fn is_signing_in(&self) -> bool {
        match &self.state {
            State::Idle(idle) => idle.is_waiting(),
            State::Locating(_) | State::Registering(_) | State::AwaitingConsent(_) => true,
            State::Registered(registered) => !registered.session.is_connected(),
            State::Unregistering(_) => false,
        }
    }

    /// True if nothing is under way, so that the account may be removed.
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// The link to the server that is registered with, or is asked to.
    pub(crate) fn link(&mut self) -> Option<&mut ServerLink> {
        match &mut self.state {
            State::Registered(registered) => Some(&mut registered.session.link),
            State::Unregistering(unregistering) => Some(&mut unregistering.session.link),
            State::Registering(registering) => Some(&mut registering.session.link),
            State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) => None,
        }
    }

    /// The link over that flow, to whichever server is asked by it.
    pub(crate) fn link_over(&mut self, flow: FlowId) -> Option<&mut ServerLink> {
        if let Some(at) = self.superseded.iter().position(|one| one.flow() == flow) {
            return Some(self.superseded[at].link());
        }
        let link = match &mut self.state {
            State::Registering(registering) => return registering.link_over(flow),
            State::Registered(registered) => &mut registered.session.link,
            State::Unregistering(unregistering) => &mut unregistering.session.link,
            State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) => return None,
        };
        link.is_over(flow).then_some(link)
    }

    /// The link to the home server, while signed in there and connected.
    pub(crate) fn home(&mut self) -> Option<&mut ServerLink> {
        match &mut self.state {
            State::Registered(registered) if registered.session.is_connected() => {
                Some(&mut registered.session.link)
            }
            State::Registered(_)
            | State::Idle(_)
            | State::Locating(_)
            | State::Registering(_)
            | State::AwaitingConsent(_)
            | State::Unregistering(_) => None,
        }
    }

    /// Signs in and stays signed in.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if that is under way or done, or the account has no registrar.
    pub(crate) fn login(&mut self, account: &mut Account, cx: &mut Context<'_>) -> Result<(), Misuse> {
        let idle = matches!(self.state, State::Idle(_));
        if !idle || account.config.server == ServerChoice::NoRegistrar {
            return Err(Misuse::WrongState);
        }
        self.is_in_doubt = false;
        let cause = if account.last_home.is_some() { MoveCause::Failover } else { MoveCause::First };
        self.step(account, cx, |_, _, _| Transition::Login(cause).into());
        Ok(())
    }

    /// Signs out, or stops trying.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if there is nothing to end.
    pub(crate) fn logout(
        &mut self,
        patience: Duration,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Idle(idle) if !idle.is_waiting() => return Err(Misuse::WrongState),
            State::Unregistering(unregistering) => {
                unregistering.sign_out_within(patience, cx);
                return Ok(());
            }
            _ => {}
        }
        let may_be_bound = match &self.state {
            State::Registered(_) => true,
            State::Registering(registering) => registering.may_be_granted(&account.config),
            _ => false,
        };
        if !may_be_bound {
            cx.tell(AccountEvent::Unregistered { outcome: UnregisterOutcome::NotRegistered });
        }
        let off = Transition::Rest(AccountState::LoggedOff);
        self.step(account, cx, |state, account, cx| match state {
            State::Registered(registered) => registered.leave(patience, cx).into(),
            State::Locating(locating) => {
                locating.stop(cx);
                off.into()
            }
            State::Registering(registering) if may_be_bound => {
                Step::Stays(registering.leave(patience, cx).into())
            }
            State::Registering(registering) => {
                registering.stop(account, cx);
                off.into()
            }
            State::AwaitingConsent(awaiting_consent) => {
                awaiting_consent.stop(cx);
                off.into()
            }
            State::Idle(_) => off.into(),
            unregistering @ State::Unregistering(_) => Step::Stays(unregistering),
        });
        account.drop_prompt(cx);
        account.steadied();
        account.sign_out();
        Ok(())
    }

    /// The source of the password changed. What rests because the password was refused goes on at once.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if nothing waits for that.
    pub(crate) fn handle_new_credentials(
        &mut self,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Result<(), Misuse> {
        account.memory.refused_before = false;
        match &self.state {
            State::Idle(idle) if idle.is_waiting() || idle.shown().is_failure() => self.login(account, cx),
            State::Registered(registered) if registered.shown() == AccountState::Expiring => {
                self.refresh(account, cx)
            }
            _ => Err(Misuse::WrongState),
        }
    }

    /// Refreshes the registration now.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in.
    pub(crate) fn refresh(&mut self, account: &mut Account, cx: &mut Context<'_>) -> Result<(), Misuse> {
        if !matches!(self.state, State::Registered(_)) {
            return Err(Misuse::WrongState);
        }
        self.step(account, cx, |state, account, cx| match state {
            State::Registered(registered) => registered.refresh(account, cx).map(State::from),
            other => Step::Stays(other),
        });
        Ok(())
    }

    /// A connection stands.
    pub(crate) fn handle_connected(&mut self, flow: FlowId, account: &mut Account, cx: &mut Context<'_>) {
        self.step(account, cx, |state, account, cx| match state {
            State::Locating(locating) => locating.handle_connected(flow, account, cx).map(State::from),
            State::Registering(registering) => {
                registering.handle_connected(flow, account, cx).map(State::from)
            }
            State::Registered(registered) => registered.handle_connected(flow, account, cx).map(State::from),
            State::Unregistering(unregistering) => {
                unregistering.handle_connected(flow, account, cx).map(State::from)
            }
            other => Step::Stays(other),
        });
    }

    /// A connection is gone, or could not be opened.
    pub(crate) fn handle_lost(&mut self, lost: &LostFlow, account: &mut Account, cx: &mut Context<'_>) {
        let flow = lost.flow;
        self.give_up(|one| one.flow() == flow, cx);
        self.step(account, cx, |state, account, cx| match state {
            State::Locating(locating) => {
                locating.handle_lost(flow, lost.why.clone(), account, cx).map(State::from)
            }
            State::Registering(registering) => registering.handle_lost(lost, account, cx).map(State::from),
            State::Registered(registered) => registered.handle_lost(lost, account, cx).map(State::from),
            State::Unregistering(unregistering) => {
                unregistering.handle_lost(lost, account, cx).map(State::from)
            }
            other @ (State::Idle(_) | State::AwaitingConsent(_)) => Step::Stays(other),
        });
    }

    /// The world answered a question.
    pub(crate) fn handle_answer(
        &mut self,
        id: AskId,
        answer: Answer,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) {
        self.step(account, cx, |state, account, cx| match state {
            State::Locating(locating) => {
                locating.handle_answer(id, records(answer), account, cx).map(State::from)
            }
            State::Registering(registering) if registering.searches_by(id) => {
                registering.handle_answer(id, records(answer), account, cx).map(State::from)
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
    pub(crate) fn handle_deadline(&mut self, account: &mut Account, cx: &mut Context<'_>) {
        let now = cx.now;
        self.give_up(|one| now.reached(one.deadline().at), cx);
        self.step(account, cx, |state, account, cx| match state {
            State::Idle(idle) => idle.handle_deadline(cx).map(State::from),
            State::Locating(locating) => locating.handle_deadline(account, cx).map(State::from),
            State::Registering(registering) => registering.handle_deadline(account, cx).map(State::from),
            State::Registered(registered) => registered.handle_deadline(account, cx).map(State::from),
            State::Unregistering(unregistering) => unregistering.handle_deadline(cx).map(State::from),
            other @ State::AwaitingConsent(_) => Step::Stays(other),
        });
    }

    /// The network came, went or changed.
    pub(crate) fn handle_network(&mut self, online: bool, account: &mut Account, cx: &mut Context<'_>) {
        self.step(account, cx, |state, account, cx| match state {
            State::Idle(idle) => idle.handle_network(online, cx.now).map(State::from),
            State::Registered(registered) => registered.handle_network(online, account, cx).map(State::from),
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

    /// The server that failed the account takes registrations again: it need not wait longer than until `at`.
    pub(crate) fn wake(&mut self, at: Moment) {
        if let State::Idle(idle) = &mut self.state {
            idle.wake(at);
        }
    }

    /// The clocks ran apart.
    pub(crate) fn handle_clock_jump(&mut self, cx: &mut Context<'_>) {
        if let State::Registered(registered) = &mut self.state {
            registered.handle_clock_jump(cx);
        }
    }

    /// A provisional response.
    pub(crate) fn handle_provisional(&mut self, tx: TxId, account: &mut Account, cx: &mut Context<'_>) {
        self.decide(tx, account, cx);
        if let State::Registering(registering) = &mut self.state
            && registering.exchange.tx() == Some(tx)
        {
            registering.handle_provisional();
        }
    }

    /// The final response of a transaction, judged and fed.
    pub(crate) fn handle_final(
        &mut self,
        tx: TxId,
        response: Verified,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) {
        if let Some(at) = self.superseded.iter().position(|one| one.tx() == Some(tx)) {
            let superseded = self.superseded.remove(at);
            self.is_in_doubt |= superseded.is_withdrawing();
            self.superseded.extend(superseded.handle_final(&response, account, cx));
            return self.confirm(account, cx);
        }
        self.decide(tx, account, cx);
        self.step(account, cx, |state, account, cx| match state {
            State::Registering(registering) if registering.exchange.tx() == Some(tx) => {
                registering.handle_final(response, account, cx).map(State::from)
            }
            State::Unregistering(unregistering) if unregistering.exchange.tx() == Some(tx) => {
                unregistering.handle_final(response, account, cx).map(State::from)
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_final(response, account, cx).map(State::from)
            }
            other => Step::Stays(other),
        });
    }

    /// A final answer was not believed: nothing changes, but if no better one comes, it is the reason.
    pub(crate) fn handle_refused(&mut self, status: u16, why: SignatureFault, cx: &Context<'_>) {
        match &mut self.state {
            State::Registering(registering) => registering.handle_refused(status, why, cx),
            State::Registered(registered) => registered.handle_refused(status, why, cx),
            State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) | State::Unregistering(_) => {}
        }
    }

    /// A response to that transaction was dropped: nothing changes, but if no better one comes, it is the reason.
    pub(crate) fn handle_unusable(&mut self, tx: TxId, why: ResponseFault) {
        match &mut self.state {
            State::Registering(registering) if registering.exchange.tx() == Some(tx) => {
                registering.handle_unusable(why);
            }
            State::Registered(registered) if registered.tx() == Some(tx) => registered.handle_unusable(why),
            _ => {}
        }
    }

    /// The final answer of that transaction cannot be taken: what waits for it ends at once.
    pub(crate) fn handle_unreadable(
        &mut self,
        tx: TxId,
        why: ResponseFault,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) {
        self.give_up(|one| one.tx() == Some(tx), cx);
        self.decide(tx, account, cx);
        self.step(account, cx, |state, account, cx| match state {
            State::Registering(registering) if registering.exchange.tx() == Some(tx) => {
                registering.handle_unreadable(why, account, cx).map(State::from)
            }
            State::Unregistering(unregistering) if unregistering.exchange.tx() == Some(tx) => {
                unregistering.finish(cx).into()
            }
            State::Registered(mut registered) if registered.tx() == Some(tx) => {
                registered.handle_unreadable(cx);
                Step::Stays(State::Registered(registered))
            }
            other => Step::Stays(other),
        });
    }

    /// The From tag of the registration's request with that transaction.
    pub(crate) fn caller_tag(&self, tx: TxId) -> Option<&str> {
        if let Some(superseded) = self.superseded.iter().find(|one| one.tx() == Some(tx)) {
            return Some(superseded.caller_tag());
        }
        match &self.state {
            State::Registered(registered) => Some(registered.session.caller_tag()),
            State::Unregistering(unregistering) => Some(unregistering.session.caller_tag()),
            State::Registering(registering) => Some(registering.caller_tag(tx)),
            State::Idle(_) | State::Locating(_) | State::AwaitingConsent(_) => None,
        }
    }

    /// A request over the home link needs a new association.
    pub(crate) fn renew_for_request(&mut self, account: &mut Account, cx: &mut Context<'_>) {
        self.step(account, cx, |state, account, cx| match state {
            State::Registered(registered) => registered.renew_for_request(account, cx).map(State::from),
            other => Step::Stays(other),
        });
    }

    /// A transaction had no answer in time.
    pub(crate) fn handle_timeout(&mut self, tx: TxId, account: &mut Account, cx: &mut Context<'_>) {
        self.give_up(|one| one.tx() == Some(tx), cx);
        self.step(account, cx, |state, account, cx| match state {
            State::Registering(registering) if registering.is_asked_by(tx) => {
                registering.handle_timeout(tx, account, cx).map(State::from)
            }
            State::Unregistering(unregistering) if unregistering.exchange.tx() == Some(tx) => {
                unregistering.finish(cx).into()
            }
            State::Registered(registered) if registered.tx() == Some(tx) => {
                registered.handle_timeout(account, cx).into()
            }
            other => Step::Stays(other),
        });
    }

    /// The server ended the registration by a request whose signature was judged.
    pub(crate) fn handle_notify(
        &mut self,
        registration_notify: &RegistrationNotify,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) {
        self.step(account, cx, |state, account, cx| match state {
            State::Registered(registered) => {
                registered.handle_notify(registration_notify, verdict, account, cx).map(State::from)
            }
            other => Step::Stays(other),
        });
    }

    /// One step of the machine: the state is consumed, what follows it is made, and what changed is told.
    fn step(
        &mut self,
        account: &mut Account,
        cx: &mut Context<'_>,
        handle: impl FnOnce(State, &mut Account, &mut Context<'_>) -> Step<State>,
    ) {
        let nothing = State::Idle(Idle::new(AccountState::Offline));
        let state = std::mem::replace(&mut self.state, nothing);
        let mut turn = handle(state, account, cx);
        self.state = loop {
            match turn {
                Step::Stays(state) => break state,
                Step::Ends(transition) => turn = follow(*transition, account, cx),
            }
        };
        self.prune_superseded(cx);
        self.tell(cx);
        self.confirm(account, cx);
    }

    /// One of several servers that were asked answers: the others are superseded.
    fn decide(&mut self, tx: TxId, account: &mut Account, cx: &mut Context<'_>) {
        if let State::Registering(registering) = &mut self.state {
            self.superseded.extend(registering.decide(tx, account, cx));
        }
    }

    /// Waits no longer for those of the superseded servers.
    fn give_up(&mut self, is_over: impl Fn(&Superseded) -> bool, cx: &mut Context<'_>) {
        for superseded in self.superseded.extract_if(.., |one| is_over(one)) {
            self.is_in_doubt |= superseded.is_withdrawing();
            superseded.give_up(cx);
        }
    }

    /// What was superseded ends with the login, or when a new one asks that very server.
    fn prune_superseded(&mut self, cx: &mut Context<'_>) {
        if self.superseded.is_empty() {
            return;
        }
        let asked: Vec<&ServerLink> = match &self.state {
            State::Idle(_) | State::Unregistering(_) => return self.give_up(|_| true, cx),
            State::Locating(_) | State::AwaitingConsent(_) => return,
            State::Registering(registering) => registering.links().collect(),
            State::Registered(registered) => vec![&registered.session.link],
        };
        // A connection that a new login shares stays open.
        let shares = |one: &mut Superseded| asked.iter().any(|link| link.flow() == one.flow());
        for superseded in self.superseded.extract_if(.., shares) {
            self.is_in_doubt |= superseded.is_withdrawing();
            superseded.give_over(cx);
        }
        let address = |link: &ServerLink| cx.flows.find(link.flow())?.opened().map(|opened| opened.peer);
        let places: Vec<_> = asked.iter().map(|link| (link.server.clone(), address(link))).collect();
        self.give_up(|one| places.iter().any(|(server, address)| one.is_at(server, *address)), cx);
    }

    /// A late binding was withdrawn. Where its registrar and that of the binding that is kept are one, and take both
    /// for the same (RFC 5626 section 6), that is gone now: it is asked for again at once.
    fn confirm(&mut self, account: &mut Account, cx: &mut Context<'_>) {
        let is_quiet = matches!(&self.state, State::Registered(registered) if registered.is_quiet());
        if is_quiet && std::mem::take(&mut self.is_in_doubt) {
            // It cannot be misuse: it is signed in.
            let _signed_in = self.refresh(account, cx);
        }
    }

    fn tell(&mut self, cx: &mut Context<'_>) {
        let changes = self.attempt().map_or(0, Attempt::changes);
        if std::mem::replace(&mut self.told.journey_changes, changes) != changes
            && let Some(attempt) = self.attempt()
        {
            cx.tell(AccountEvent::JourneyChanged(attempt.journey().clone()));
        }
        let to = self.shown();
        let from = std::mem::replace(&mut self.told.state, to);
        if from != to {
            cx.tell(AccountEvent::StateChanged { from, to });
        }
    }

    fn attempt(&self) -> Option<&Attempt> {
        match &self.state {
            State::Locating(locating) => Some(&locating.attempt),
            State::Registering(registering) => Some(&registering.attempt),
            State::AwaitingConsent(awaiting_consent) => Some(&awaiting_consent.attempt),
            State::Idle(_) | State::Registered(_) | State::Unregistering(_) => None,
        }
    }
}

/// The state that follows; a state may be over as soon as it begins.
fn follow(transition: Transition, account: &mut Account, cx: &mut Context<'_>) -> Step<State> {
    match transition {
        Transition::Login(cause) => Locating::start(cause, account, cx).map(State::from),
        Transition::LoginAt(target) => Locating::start_at(&target, account, cx).map(State::from),
        Transition::Redirected(attempt, targets) => {
            Locating::redirected(attempt, &targets, account, cx).map(State::from)
        }
        Transition::ServerSearch(attempt, search) => {
            Locating::resume(attempt, search, account, cx).map(State::from)
        }
        Transition::Join(attempt, search, connection) => {
            Registering::start(attempt, search, *connection, account, cx).map(State::from)
        }
        Transition::Consent(proposal) => Step::Stays(AwaitingConsent::start(*proposal, cx).into()),
        Transition::Granted(grant) => Registered::start(*grant, account, cx).map(State::from),
        Transition::Leave(session, ending) => {
            Unregistering::start(*session, ending, account, cx).map(State::from)
        }
        Transition::Resting(error, attempt, at) => Step::Stays(Idle::resting(error, attempt, at, cx).into()),
        Transition::Failed(error, attempt) => {
            Step::Stays(Idle::after_failure(error, attempt, account, cx).into())
        }
        Transition::Pause { shown, at, cause } => Step::Stays(Idle::until(shown, at, cause).into()),
        Transition::Rest(shown) => Step::Stays(Idle::new(shown).into()),
    }
}

impl From<Idle> for State {
    fn from(state: Idle) -> Self {
        State::Idle(state)
    }
}

impl From<Locating> for State {
    fn from(state: Locating) -> Self {
        State::Locating(Box::new(state))
    }
}

impl From<Registering> for State {
    fn from(state: Registering) -> Self {
        State::Registering(Box::new(state))
    }
}

impl From<AwaitingConsent> for State {
    fn from(state: AwaitingConsent) -> Self {
        State::AwaitingConsent(Box::new(state))
    }
}

impl From<Registered> for State {
    fn from(state: Registered) -> Self {
        State::Registered(Box::new(state))
    }
}

impl From<Unregistering> for State {
    fn from(state: Unregistering) -> Self {
        State::Unregistering(Box::new(state))
    }
}

/// An answer of another kind than asked for is no answer: no better one is waited for.
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
