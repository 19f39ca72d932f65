//! A server is talked to: the account proves itself, and the server accepts, sends on or refuses.

use std::time::Duration;

use homing_wire::{Contact, HeaderError, Message};

use super::attempt::Attempt;
use super::exchange::{Exchange, ExchangeContext, Outcome, Purpose};
use super::redirect::{self, Redirect, RedirectContext, RedirectTarget};
use super::refusal::Refusal;
use super::response_info;
use super::retry::is_the_servers;
use super::session::Session;
use super::transition::{Grant, Proposal, Step, Transition};
use crate::account::Account;
use crate::account::acceptance::SignatureVerdict;
use crate::account::context::Context;
use crate::account::server_link::{ServerLink, Verified};
use crate::account::server_search::{Connection, ServerSearch};
use crate::auth::contact_binding::Target;
use crate::config::Consent;
use crate::connect::ConnectError;
use crate::counter::Counter;
use crate::error::{LoginError, RedirectError, SignatureFault};
use crate::ids::FlowId;
use crate::journey::HopVerdict;
use crate::outbox::Credentials;

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
}

/// What goes on while an exchange is away.
struct Rest {
    attempt: Attempt,
    search: ServerSearch,
    session: Session,
    heard: bool,
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
        let (tls, name) = match &connection.proof {
            Some(proof) => (proof.round_trips, Some(proof.name.clone())),
            None => (0, None),
        };
        attempt.arrived(connection.dialled.clone(), tls, name, cx.now);
        if connection.shared {
            attempt.rode_along();
        }
        let link = ServerLink::new(account.next_link(), connection.into_flow());
        let mut session = Session::new(link, cx);
        let outcome = Exchange::start(Purpose::SignIn, session.exchange_cx(account, Some(&mut attempt), cx));
        Rest { attempt, search, session, heard: false }.settle(outcome, account, cx)
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

    /// Nobody answered in 64·T1.
    pub(super) fn handle_timeout(self, account: &mut Account, cx: &mut Context<'_>) -> Step<Registering> {
        let (_, rest) = self.part();
        let server = rest.session.link.server.clone();
        rest.next(ConnectError::Timeout, LoginError::NoAnswer { server }, account, cx)
    }

    /// The connection is gone.
    pub(super) fn handle_lost(
        self,
        flow: FlowId,
        why: ConnectError,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Registering> {
        if self.session.link.flow() != flow {
            return Step::Stays(self);
        }
        let (exchange, mut rest) = self.part();
        exchange.interrupt(&mut rest.session.link, account, cx);
        let error = LoginError::Connect { server: rest.session.link.server.clone(), why };
        rest.next(why, error, account, cx)
    }

    /// A refused answer stands: it is the reason.
    pub(super) fn handle_deadline(self, account: &mut Account, cx: &mut Context<'_>) -> Step<Registering> {
        let Some(refusal) = self.exchange.refusal.filter(|refusal| cx.now.reached(refusal.until)) else {
            return Step::Stays(self);
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
        rest.search.rest(cx);
        rest.session.leave(cx);
    }

    fn part(self) -> (Exchange, Rest) {
        let Registering { attempt, search, session, exchange, heard } = self;
        (exchange, Rest { attempt, search, session, heard })
    }
}

impl Rest {
    fn exchange_cx<'a, 'd>(
        &'a mut self,
        account: &'a mut Account,
        cx: &'a mut Context<'d>,
    ) -> ExchangeContext<'a, 'd> {
        self.session.exchange_cx(account, Some(&mut self.attempt), cx)
    }

    fn settle(mut self, outcome: Outcome, account: &mut Account, cx: &mut Context<'_>) -> Step<Registering> {
        match outcome {
            Outcome::Pending(exchange) => {
                let Rest { attempt, search, session, heard } = self;
                Step::Stays(Registering { attempt, search, session, exchange: *exchange, heard })
            }
            Outcome::Granted(message) => {
                if let Some((address, transport)) = self.attempt.last_place() {
                    cx.server_health.recovered(address, transport);
                }
                let Rest { attempt, session, .. } = self;
                Transition::Granted(Box::new(Grant { session, message, attempt })).into()
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
            contacts: contacts(message, cx.agent.limits.message.contacts),
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

/// The Contacts of a redirect in message order; what is no address becomes an empty text, so that the
/// binding of the To tag sees it.
pub(super) fn contacts(message: &Message, most: usize) -> Vec<Target<'_>> {
    // One more than may be used, so that a list that is too long does not pass for a shorter one.
    message.all::<Contact<'_>>().take(most + 1).map(target).collect()
}

fn target<'m>(contact: Result<Contact<'m>, HeaderError>) -> Target<'m> {
    match contact {
        Ok(contact) => Target { uri: contact.addr().map_or("", |addr| addr.uri_str()), q: contact.q() },
        Err(_) => Target { uri: "", q: None },
    }
}
