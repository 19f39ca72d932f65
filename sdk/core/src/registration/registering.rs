//! A server is talked to: the account proves itself, and the server accepts, sends on or refuses.

use std::time::Duration;

use homing_wire::Message;

use super::asked_server::AskedServer;
use super::attempt::Attempt;
use super::exchange::{Exchange, ExchangeContext, Outcome, Purpose};
use super::race::{Contender, Race};
use super::redirect::{self, Redirect, RedirectContext, RedirectTarget};
use super::refusal::Refusal;
use super::response_info;
use super::retry::is_the_servers;
use super::session::Session;
use super::superseded::Superseded;
use super::transition::{Ending, Grant, Proposal, Step, Transition};
use super::unregistering::Unregistering;
use crate::account::Account;
use crate::account::acceptance::SignatureVerdict;
use crate::account::context::Context;
use crate::account::server_link::{ServerLink, Verified};
use crate::account::server_search::{Connection, Found, Miss, ServerSearch};
use crate::config::{AccountConfig, Consent};
use crate::connect::ConnectError;
use crate::counter::Counter;
use crate::dns::{DnsAnswer, DnsError};
use crate::error::{AuthError, LoginError, RedirectError, ResponseFault, SignatureFault};
use crate::flow::LostFlow;
use crate::ids::{AskId, FlowId, TxId};
use crate::journey::{HopVerdict, Remark};
use crate::outbox::Credentials;
use crate::time::Deadline;

/// A server is talked to.
pub(super) struct Registering {
    /// The login's way so far.
    pub attempt: Attempt,
    /// Servers that could be tried instead.
    search: ServerSearch,
    pub(super) session: Session,
    pub(super) exchange: Exchange,
    /// True once it said anything in SIP: from then on it is visited, and if a redirect named it, no
    /// other Contact is tried for it (decision 2).
    heard: bool,
    /// Until the first REGISTER is answered.
    race: Option<Race>,
}

/// What goes on while an exchange is away.
struct Rest {
    attempt: Attempt,
    search: ServerSearch,
    session: Session,
    heard: bool,
    race: Option<Race>,
}

impl Registering {
    /// Sends the first REGISTER over a fresh connection.
    pub(super) fn start(
        mut attempt: Attempt,
        search: ServerSearch,
        connection: Connection,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let race = Race::start(asked_by(&connection), account, cx);
        let mut session = arrive(connection, &mut attempt, account, cx);
        let outcome = Exchange::start(Purpose::SignIn, session.exchange_cx(account, Some(&mut attempt), cx));
        Rest { attempt, search, session, heard: false, race }.settle(outcome, account, cx)
    }

    /// The next thing due.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let race = self.race.as_ref().and_then(|race| {
            let search = race.is_searching().then(|| self.search.deadline()).flatten();
            Deadline::earlier(race.deadline(), search)
        });
        Deadline::earlier(Deadline::earlier(self.exchange.deadline(), self.session.deadline()), race)
    }

    /// The link over that flow.
    pub(super) fn link_over(&mut self, flow: FlowId) -> Option<&mut ServerLink> {
        if self.session.link.is_over(flow) {
            return Some(&mut self.session.link);
        }
        let rivals = self.race.iter_mut().flat_map(|race| &mut race.rivals);
        rivals.map(|rival| &mut rival.session.link).find(|link| link.is_over(flow))
    }

    /// The links to the servers that are asked.
    pub(super) fn links(&self) -> impl Iterator<Item = &ServerLink> {
        let rivals = self.race.iter().flat_map(|race| &race.rivals);
        std::iter::once(&self.session.link).chain(rivals.map(|rival| &rival.session.link))
    }

    /// The From tag of the REGISTER with that transaction.
    pub(super) fn caller_tag(&self, tx: TxId) -> &str {
        let rivals = self.race.iter().flat_map(|race| &race.rivals);
        let rival = rivals.into_iter().find(|rival| rival.exchange.tx() == Some(tx));
        rival.map_or(&self.session, |rival| &rival.session).caller_tag()
    }

    /// True if a REGISTER of the login has that transaction.
    pub(super) fn is_asked_by(&self, tx: TxId) -> bool {
        self.exchange.tx() == Some(tx) || self.race.as_ref().is_some_and(|race| race.has(tx))
    }

    /// True if the answer to that question leads to the next candidate.
    pub(super) fn searches_by(&self, ask: AskId) -> bool {
        self.search.has_asked(ask)
    }

    /// A server answered: it is the one that is talked to from now on. The others are handed back.
    pub(super) fn decide(
        &mut self,
        tx: TxId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Vec<Superseded> {
        let is_first = self.exchange.tx() == Some(tx);
        let Some(mut race) = self.race.take_if(|race| is_first || race.has(tx)) else { return Vec::new() };
        self.search.rest(cx);
        if let Some(winner) = race.take_by_tx(tx) {
            let first = std::mem::replace(&mut race.first, winner.asked);
            let session = std::mem::replace(&mut self.session, winner.session);
            let exchange = std::mem::replace(&mut self.exchange, winner.exchange);
            race.rivals.insert(0, Contender { asked: first, session, exchange });
        }
        self.attempt.goes_on_with(&race.first);
        for loser in &race.rivals {
            let verdict = if loser.asked.is_mute {
                HopVerdict::Unreachable(ConnectError::Timeout)
            } else {
                HopVerdict::Superseded
            };
            self.attempt.pass_over(&loser.asked, verdict, account, cx);
        }
        race.rivals.into_iter().map(|loser| Superseded::new(loser, cx.now)).collect()
    }

    /// An answer of DNS.
    pub(super) fn handle_answer(
        mut self,
        id: AskId,
        answer: Result<DnsAnswer, DnsError>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        self.search.handle_answer(id, answer);
        self.ask_next(Vec::new(), account, cx)
    }

    /// A connection to the next candidate stands.
    pub(super) fn handle_connected(
        mut self,
        flow: FlowId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        if self.session.handle_connected(flow, cx) {
            let (exchange, rest) = self.part();
            return rest.resume(exchange, account, cx);
        }
        match self.search.handle_connected(flow, cx) {
            Some(connection) => {
                self.ask_as_well(*connection, account, cx);
                self.ask_next(Vec::new(), account, cx)
            }
            None => Step::Stays(self),
        }
    }

    /// Asks the next candidate as well, once there is a connection to it.
    fn ask_next(
        mut self,
        mut misses: Vec<Miss>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        while self.race.as_ref().is_some_and(Race::is_searching) {
            match self.search.advance(cx, &mut misses) {
                Found::Nothing => break,
                Found::Connection(connection) => self.ask_as_well(*connection, account, cx),
                Found::NoCandidate(_) => {
                    if let Some(race) = &mut self.race {
                        race.exhaust();
                    }
                }
            }
        }
        self.attempt.missed_all(misses, account, cx);
        Step::Stays(self)
    }

    /// Asks a candidate beside those that were asked, unless the connection is one of theirs.
    fn ask_as_well(&mut self, connection: Connection, account: &mut Account, cx: &mut Context<'_>) {
        let Some(race) = self.race.as_mut().filter(|race| race.is_searching()) else { return };
        if self.session.link.flow() == connection.flow || race.is_over(connection.flow) {
            return;
        }
        let asked = asked_by(&connection);
        let mut session = arrive(connection, &mut self.attempt, account, cx);
        let exchange_cx = session.exchange_cx(account, Some(&mut self.attempt), cx);
        match Exchange::start_plainly(exchange_cx) {
            Outcome::Pending(exchange) => {
                if let Some(mute) = race.last_if_mute() {
                    self.attempt.remark_on(mute, Remark::Mute);
                }
                race.enter(Contender { asked, session, exchange: *exchange }, cx);
            }
            // There are too many requests under way for one more.
            _ => {
                self.attempt.passed_over(&asked, HopVerdict::Superseded, cx.now);
                session.leave(cx);
                race.exhaust();
            }
        }
    }

    /// A rival is gone: nothing of it is left but its hop.
    fn drop_rival(
        &mut self,
        rival: Contender,
        why: ConnectError,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) {
        let Contender { asked, mut session, exchange } = rival;
        exchange.interrupt(&mut session.link, account, cx);
        let verdict = HopVerdict::Unreachable(why);
        self.attempt.pass_over(&asked, verdict, account, cx);
        session.leave(cx);
    }

    /// The server asked first is gone, and the oldest rival takes its place. False if there is none.
    fn promote_rival(&mut self, why: &ConnectError, account: &mut Account, cx: &mut Context<'_>) -> bool {
        let Some(race) = self.race.as_mut().filter(|race| !race.rivals.is_empty()) else { return false };
        let Contender { asked, session, exchange } = race.rivals.remove(0);
        let first = std::mem::replace(&mut race.first, asked);
        // Every rival that said anything was decided for.
        self.heard = false;
        let session = std::mem::replace(&mut self.session, session);
        let exchange = std::mem::replace(&mut self.exchange, exchange);
        self.drop_rival(Contender { asked: first, session, exchange }, why.clone(), account, cx);
        true
    }

    /// The server asked first is the only one that is left: what follows is told of its hop.
    fn go_on_with_first(&mut self) {
        if let Some(race) = &self.race {
            self.attempt.goes_on_with(&race.first);
        }
    }

    /// The server said something provisional.
    pub(super) fn handle_provisional(&mut self) {
        self.heard = true;
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        self,
        response: Verified,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let (exchange, mut rest) = self.part();
        rest.heard = true;
        let outcome = exchange.handle_final(response, rest.exchange_cx(account, cx));
        rest.settle(outcome, account, cx)
    }

    /// A final answer was not believed.
    pub(super) fn handle_refused(&mut self, status: u16, why: SignatureFault, cx: &Context<'_>) {
        self.heard = true;
        self.exchange.refusal = Some(Refusal::new(self.exchange.refusal, status, why, cx.now));
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let (exchange, mut rest) = self.part();
        let outcome = exchange.handle_credentials(credentials, rest.exchange_cx(account, cx));
        rest.settle(outcome, account, cx)
    }

    /// No answer in 64·T1.
    pub(super) fn handle_timeout(
        mut self,
        tx: TxId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        if let Some(rival) = self.race.as_mut().and_then(|race| race.take_by_tx(tx)) {
            self.drop_rival(rival, ConnectError::Timeout, account, cx);
            return self.ask_next(Vec::new(), account, cx);
        }
        if self.promote_rival(&ConnectError::Timeout, account, cx) {
            return Step::Stays(self);
        }
        self.go_on_with_first();
        let (exchange, rest) = self.part();
        let server = rest.session.link.server.clone();
        let error = match exchange.fault {
            Some(why) => LoginError::Unusable { server, why: *why },
            None => LoginError::NoAnswer { server },
        };
        rest.next(ConnectError::Timeout, error, account, cx)
    }

    /// A response was dropped: if no better one comes, it is the reason.
    pub(super) fn handle_unusable(&mut self, why: ResponseFault) {
        self.heard = true;
        self.exchange.fault = Some(Box::new(why));
    }

    /// The final answer cannot be taken.
    pub(super) fn handle_unreadable(
        self,
        why: ResponseFault,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let (exchange, mut rest) = self.part();
        rest.heard = true;
        exchange.abandon(&mut rest.session.link, cx);
        let server = rest.session.link.server.clone();
        rest.fail(LoginError::Unreadable { server, why }, account, cx)
    }

    /// The connection is gone.
    pub(super) fn handle_lost(
        mut self,
        lost: &LostFlow,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let (flow, why) = (lost.flow, lost.why.clone());
        if self.search.dials(flow) {
            let mut misses = Vec::new();
            self.search.handle_failed(flow, why, &mut misses);
            return self.ask_next(misses, account, cx);
        }
        if let Some(rival) = self.race.as_mut().and_then(|race| race.take_by_flow(flow)) {
            self.drop_rival(rival, why, account, cx);
            return self.ask_next(Vec::new(), account, cx);
        }
        if !self.session.hangs_on(flow) || self.promote_rival(&why, account, cx) {
            return Step::Stays(self);
        }
        self.go_on_with_first();
        let may_move = self.exchange.may_move(&self.session.link, cx.now);
        let (exchange, mut rest) = self.part();
        if let Some(destination) = lost.closed_by().filter(|_| may_move) {
            rest.session.close(destination.clone());
            let outcome = Outcome::Pending(Box::new(exchange.interrupted(cx)));
            return rest.settle(outcome, account, cx);
        }
        exchange.interrupt(&mut rest.session.link, account, cx);
        let server = rest.session.link.server.clone();
        let error = match &why {
            ConnectError::Framing(fault) => {
                LoginError::Unreadable { server, why: ResponseFault::Framing(*fault) }
            }
            why => LoginError::Connect { server, why: why.clone() },
        };
        rest.next(why, error, account, cx)
    }

    /// The next candidate is asked as well, or a refused answer stands: it is the reason.
    pub(super) fn handle_deadline(
        mut self,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let Some(refusal) = self.exchange.refusal.filter(|refusal| cx.now.reached(refusal.until)) else {
            let first = self.session.link.flow();
            if let Some(race) = &mut self.race {
                race.turn_from_mute(first, cx);
            }
            let mut misses = Vec::new();
            self.search.handle_deadline(cx, &mut misses);
            return self.ask_next(misses, account, cx);
        };
        let (exchange, mut rest) = self.part();
        exchange.abandon(&mut rest.session.link, cx);
        let error = refusal.verdict(&rest.session.link.server);
        if let LoginError::Redirect(why) = &error {
            cx.counters.count(Counter::RedirectRefused);
            rest.attempt.ended(HopVerdict::RedirectRefused(why.clone()), cx.now);
        }
        rest.fail(error, account, cx)
    }

    /// Takes everything back but a question to a person, which the next attempt takes over.
    pub(super) fn stop(self, account: &mut Account, cx: &mut Context<'_>) {
        let (exchange, mut rest) = self.part();
        exchange.interrupt(&mut rest.session.link, account, cx);
        rest.end_search(cx).leave(cx);
    }

    /// True while the server may grant the binding.
    pub(super) fn may_be_granted(&self, config: &AccountConfig) -> bool {
        self.exchange.may_be_granted(config)
    }

    /// Signs out while the server may grant the binding: its answer is waited for.
    pub(super) fn leave(self, patience: Duration, cx: &mut Context<'_>) -> Unregistering {
        let (exchange, rest) = self.part();
        Unregistering::of_login(rest.end_search(cx), exchange, patience, cx)
    }

    fn part(self) -> (Exchange, Rest) {
        let Registering { attempt, search, session, exchange, heard, race } = self;
        (exchange, Rest { attempt, search, session, heard, race })
    }
}

impl Rest {
    /// Asks no other server any more.
    fn end_search(mut self, cx: &mut Context<'_>) -> Session {
        for Contender { mut session, exchange, .. } in self.race.into_iter().flat_map(|race| race.rivals) {
            exchange.abandon(&mut session.link, cx);
            session.leave(cx);
        }
        self.search.rest(cx);
        self.session
    }

    fn exchange_cx<'a, 'd>(
        &'a mut self,
        account: &'a mut Account,
        cx: &'a mut Context<'d>,
    ) -> ExchangeContext<'a, 'd> {
        self.session.exchange_cx(account, Some(&mut self.attempt), cx)
    }

    /// There is a new connection in place of the one that the server closed.
    fn resume(
        mut self,
        exchange: Exchange,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        self.attempt.reconnected(self.session.link.proof.as_deref());
        let outcome = exchange.resume(self.exchange_cx(account, cx));
        self.settle(outcome, account, cx)
    }

    fn settle(mut self, outcome: Outcome, account: &mut Account, cx: &mut Context<'_>) -> Step<Registering> {
        match outcome {
            Outcome::Pending(exchange) if exchange.is_unsent() && self.session.reconnect(cx) => {
                self.resume(*exchange, account, cx)
            }
            Outcome::Pending(exchange) => {
                let Rest { attempt, search, session, heard, race } = self;
                Step::Stays(Registering { attempt, search, session, exchange: *exchange, heard, race })
            }
            Outcome::Granted(message) => {
                if let Some((address, transport)) = self.attempt.last_place() {
                    cx.recovered(address, transport);
                }
                let Rest { attempt, session, .. } = self;
                Transition::Granted(Box::new(Grant { session, message, attempt })).into()
            }
            Outcome::Unproved => {
                self.attempt.ended(HopVerdict::Refused { status: 200 }, cx.now);
                self.attempt.give_up(cx.now);
                self.search.rest(cx);
                let error = AuthError::WrongProof { server: self.session.link.server.clone() };
                let ending = Ending::Failed(error.into(), self.attempt);
                Transition::Leave(Box::new(self.session), ending).into()
            }
            Outcome::Redirected(message, verdict) => self.redirected(&message, verdict, account, cx),
            Outcome::Refused(message, verdict) => self.refused(&message, verdict, account, cx),
            Outcome::Failed(error) => {
                self.attempt.ended(HopVerdict::Refused { status: 401 }, cx.now);
                self.fail(error, account, cx)
            }
        }
    }

    /// A 3xx: where to, or why not.
    fn redirected(
        mut self,
        message: &Message,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        match self.judge_redirect(message, verdict, account, cx) {
            Ok(targets) => {
                if self.attempt.arrived_by_memory() {
                    account.forget_home(cx);
                }
                cx.counters.count(Counter::RedirectFollowed);
                let to = targets.iter().map(|target| target.server().to_string()).collect();
                let status = message.status().unwrap_or_default();
                let signed = verdict == SignatureVerdict::Signed;
                self.attempt.ended(HopVerdict::Redirected { status, signed, to }, cx.now);
                let from = self.session.link.server.clone();
                self.session.leave(cx);
                match account.config.redirect.consent {
                    Consent::Rules => Transition::Redirected(self.attempt, targets).into(),
                    Consent::Ask => {
                        let proposal = Proposal { attempt: self.attempt, from, targets, signed };
                        Transition::Consent(Box::new(proposal)).into()
                    }
                }
            }
            Err(why) => {
                cx.counters.count(Counter::RedirectRefused);
                self.attempt.ended(HopVerdict::RedirectRefused(why.clone()), cx.now);
                self.fail(why.into(), account, cx)
            }
        }
    }

    fn judge_redirect(
        &self,
        message: &Message,
        verdict: SignatureVerdict,
        account: &Account,
        cx: &Context<'_>,
    ) -> Result<Vec<RedirectTarget>, RedirectError> {
        let to = message.to().ok();
        let redirect = Redirect {
            from: &self.session.link.server,
            transport: self.session.link.flow_ref.transport,
            status: message.status().unwrap_or_default(),
            verdict,
            to_tag: to.as_ref().and_then(|to| to.tag()).unwrap_or_default(),
            contacts: redirect::contacts(message),
        };
        let at = RedirectContext {
            visited: &self.attempt.visited,
            followed: self.attempt.journey().redirects(),
            was_redirected: self.attempt.was_redirected(),
        };
        redirect::follow(&redirect, &account.config, at, cx.agent.limits.contacts)
    }

    /// A final no. One that only says that the server cannot do it now sends a login on to the next
    /// server of its domain, and a remembered home that says any is not the home any more: discovery
    /// knows better. What a redirect named is not replaced by anything else (decision 2).
    fn refused(
        mut self,
        message: &Message,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        let status = message.status().unwrap_or_default();
        self.attempt.ended(HopVerdict::Refused { status }, cx.now);
        let server = self.session.link.server.clone();
        let error = LoginError::Refused { server, status, reason: response_info::of_refusal(message) };
        let wait = response_info::retry_after(message).unwrap_or_default().min(cx.agent.limits.retry_after);
        self.attempt.leave_alone(wait);
        if response_info::is_guessing_pause(message) {
            // Our own wrong answers are the reason, or those of others at this user: no other server knows better, and
            // a remembered home is not to blame.
            self.session.leave(cx);
            self.search.rest(cx);
            self.attempt.give_up(cx.now);
            return Transition::Failed(error, self.attempt).into();
        }
        if status == 503
            && wait > Duration::ZERO
            && let Some((address, transport)) = self.attempt.last_place()
        {
            cx.server_health.busy(address, transport, wait, cx.now);
        }
        let (by_memory, passing) = (self.attempt.arrived_by_memory(), matches!(status, 408 | 503 | 504));
        if !by_memory && (!passing || self.attempt.was_redirected()) {
            return self.fail(error, account, cx);
        }
        if by_memory && !passing {
            account.forget_home(cx);
        } else if by_memory && verdict == SignatureVerdict::Signed {
            self.attempt.blame_home(account, cx);
        }
        self.session.leave(cx);
        self.search.note(error);
        self.attempt.set_out(cx.now);
        Transition::ServerSearch(self.attempt, self.search).into()
    }

    /// The server is gone: the next one is tried. One that never said anything was not visited; one that
    /// a redirect named and that spoke is the last of its list (decision 2).
    fn next(
        mut self,
        why: ConnectError,
        error: LoginError,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        if self.heard && self.attempt.was_redirected() {
            return self.fail(error, account, cx);
        }
        self.session.leave(cx);
        if self.attempt.arrived_by_memory() {
            self.attempt.blame_home(account, cx);
        }
        if let Some((address, transport)) = self.attempt.last_place() {
            cx.server_health.failed(address, transport, cx.now);
        }
        if self.heard {
            self.attempt.ended(HopVerdict::Unreachable(why), cx.now);
        } else {
            self.attempt.last_was_silent(why, cx.now);
        }
        self.search.note(error);
        Transition::ServerSearch(self.attempt, self.search).into()
    }

    fn fail(mut self, error: LoginError, account: &mut Account, cx: &mut Context<'_>) -> Step<Registering> {
        self.session.leave(cx);
        self.search.rest(cx);
        if is_the_servers(&error) && self.attempt.arrived_by_memory() {
            self.attempt.blame_home(account, cx);
        }
        self.attempt.give_up(cx.now);
        Transition::Failed(error, self.attempt).into()
    }
}

/// The server at the other end of a connection.
fn asked_by(connection: &Connection) -> AskedServer {
    let dialled = &connection.dialled;
    AskedServer::new(dialled.server.clone(), dialled.address, dialled.transport)
}

/// A connection stands: its server becomes a hop, and has a session.
fn arrive(
    connection: Connection,
    attempt: &mut Attempt,
    account: &mut Account,
    cx: &mut Context<'_>,
) -> Session {
    attempt.arrived(connection.dialled.clone(), connection.proof.as_deref(), cx.now);
    if connection.shared {
        attempt.rode_along();
    }
    let link = ServerLink::new(account.next_link(), connection.into_flow());
    Session::new(link, cx)
}
