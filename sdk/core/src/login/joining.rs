//! A server is talked to: the account proves itself, and the server accepts, sends on or refuses.

use std::time::Duration;

use homing_wire::{Contact, HeaderError, Message};

use super::account::Account;
use super::conversation::Conversation;
use super::desk::Desk;
use super::exchange::{Aim, Exchange, Outcome, Talk};
use super::failing::is_the_servers;
use super::redirect::{self, Onward, Redirect, Standing, Standpoint};
use super::refusal::Refusal;
use super::search::{Connection, Search};
use super::sequel::{Grant, Proposal, Sequel, Turn};
use super::trip::Trip;
use super::words;
use crate::auth::contact_binding::Target;
use crate::config::Consent;
use crate::connect::ConnectError;
use crate::counter::Counter;
use crate::error::{LoginError, RedirectError, SignatureFault};
use crate::ids::FlowId;
use crate::journey::{Arrival, HopVerdict};
use crate::outbox::Credentials;

/// A server is talked to.
pub(super) struct Joining {
    /// The login's way so far.
    pub trip: Trip,
    /// Servers that could be tried instead.
    search: Search,
    pub(super) conversation: Conversation,
    pub(super) exchange: Exchange,
    /// True once it said anything in SIP: from then on it is visited, and if a redirect named it, no
    /// other Contact is tried for it (decision 2).
    heard: bool,
}

/// What goes on while an exchange is away.
struct Rest {
    trip: Trip,
    search: Search,
    conversation: Conversation,
    heard: bool,
}

impl Joining {
    /// Sends the first REGISTER over a fresh connection.
    pub(super) fn start(
        mut trip: Trip,
        search: Search,
        connection: Connection,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        let (tls, name) = match &connection.proof {
            Some(proof) => (proof.round_trips, Some(proof.name.clone())),
            None => (0, None),
        };
        trip.arrived(connection.dialled.clone(), tls, name, desk.now);
        if connection.shared {
            trip.rode_along();
        }
        let mut conversation = Conversation::new(connection, desk);
        let talk = Talk { conversation: &mut conversation, account, trip: Some(&mut trip), desk };
        let outcome = Exchange::start(Aim::SignIn, talk);
        Rest { trip, search, conversation, heard: false }.settle(outcome, account, desk)
    }

    /// The server said something provisional.
    pub(super) fn handle_provisional(&mut self) {
        self.heard = true;
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        self,
        message: Message,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        let (exchange, mut rest) = self.part();
        rest.heard = true;
        let outcome = exchange.handle_final(message, standing, rest.talk(account, desk));
        rest.settle(outcome, account, desk)
    }

    /// A final answer was not believed.
    pub(super) fn handle_refused(&mut self, status: u16, why: SignatureFault, desk: &Desk<'_>) {
        self.heard = true;
        self.exchange.refusal = Some(Refusal::new(self.exchange.refusal, status, why, desk.now));
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        let (exchange, mut rest) = self.part();
        let outcome = exchange.handle_credentials(credentials, rest.talk(account, desk));
        rest.settle(outcome, account, desk)
    }

    /// Nobody answered in 64·T1.
    pub(super) fn handle_timeout(self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Joining> {
        let (_, rest) = self.part();
        let server = rest.conversation.server.clone();
        rest.next(ConnectError::Timeout, LoginError::NoAnswer { server }, account, desk)
    }

    /// The connection is gone.
    pub(super) fn handle_lost(
        self,
        flow: FlowId,
        why: ConnectError,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        if self.conversation.flow() != flow {
            return Turn::Stays(self);
        }
        let (exchange, rest) = self.part();
        exchange.interrupt(&rest.conversation.server, account, desk);
        let error = LoginError::Connect { server: rest.conversation.server.clone(), why };
        rest.next(why, error, account, desk)
    }

    /// A refused answer stands: it is the reason.
    pub(super) fn handle_deadline(self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Joining> {
        let Some(refusal) = self.exchange.refusal.filter(|refusal| desk.now.reached(refusal.until)) else {
            return Turn::Stays(self);
        };
        let (exchange, mut rest) = self.part();
        exchange.abandon(desk);
        let error = refusal.verdict(&rest.conversation.server);
        if let LoginError::Redirect(why) = &error {
            desk.counters.count(Counter::RedirectRefused);
            rest.trip.ended(HopVerdict::RedirectRefused(why.clone()), desk.now);
        }
        rest.fail(error, account, desk)
    }

    /// Takes everything back but a question to a person, which the next attempt takes over.
    pub(super) fn stop(self, account: &mut Account, desk: &mut Desk<'_>) {
        let (exchange, mut rest) = self.part();
        exchange.interrupt(&rest.conversation.server, account, desk);
        rest.search.rest(desk);
        desk.release(rest.conversation.flow());
    }

    fn part(self) -> (Exchange, Rest) {
        let Joining { trip, search, conversation, exchange, heard } = self;
        (exchange, Rest { trip, search, conversation, heard })
    }
}

impl Rest {
    fn talk<'a, 'd>(&'a mut self, account: &'a mut Account, desk: &'a mut Desk<'d>) -> Talk<'a, 'd> {
        Talk { conversation: &mut self.conversation, account, trip: Some(&mut self.trip), desk }
    }

    fn settle(mut self, outcome: Outcome, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Joining> {
        match outcome {
            Outcome::Pending(exchange) => {
                let Rest { trip, search, conversation, heard } = self;
                Turn::Stays(Joining { trip, search, conversation, exchange: *exchange, heard })
            }
            Outcome::Granted(message) => {
                if let Some((address, transport)) = self.trip.last_place() {
                    desk.setbacks.recovered(address, transport);
                }
                let Rest { trip, conversation, .. } = self;
                Sequel::Granted(Box::new(Grant { conversation, message, trip })).into()
            }
            Outcome::Redirected(message, standing) => self.redirected(&message, standing, account, desk),
            Outcome::Refused(message, standing) => self.refused(&message, standing, account, desk),
            Outcome::Failed(error) => {
                self.trip.ended(HopVerdict::Refused { status: 401 }, desk.now);
                self.fail(error, account, desk)
            }
        }
    }

    /// A 3xx: where to, or why not.
    fn redirected(
        mut self,
        message: &Message,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        match self.judge_redirect(message, standing, account, desk) {
            Ok(targets) => {
                if self.arrived_by_memory() {
                    account.forget_home(desk);
                }
                desk.counters.count(Counter::RedirectFollowed);
                let to = targets.iter().map(|target| target.server().to_string()).collect();
                let status = message.status().unwrap_or_default();
                let signed = standing == Standing::Signed;
                self.trip.ended(HopVerdict::Redirected { status, signed, to }, desk.now);
                desk.release(self.conversation.flow());
                match account.config.redirect.consent {
                    Consent::Rules => Sequel::Redirected(self.trip, targets).into(),
                    Consent::Ask => {
                        let from = self.conversation.server;
                        let proposal = Proposal { trip: self.trip, from, targets, signed };
                        Sequel::Consent(Box::new(proposal)).into()
                    }
                }
            }
            Err(why) => {
                desk.counters.count(Counter::RedirectRefused);
                self.trip.ended(HopVerdict::RedirectRefused(why.clone()), desk.now);
                self.fail(why.into(), account, desk)
            }
        }
    }

    fn judge_redirect(
        &self,
        message: &Message,
        standing: Standing,
        account: &Account,
        desk: &Desk<'_>,
    ) -> Result<Vec<Onward>, RedirectError> {
        let to = message.to().ok();
        let redirect = Redirect {
            from: &self.conversation.server,
            transport: self.conversation.road.transport,
            status: message.status().unwrap_or_default(),
            standing,
            to_tag: to.as_ref().and_then(|to| to.tag()).unwrap_or_default(),
            contacts: contacts(message, desk.agent.limits.message.contacts),
        };
        let at = Standpoint {
            visited: &self.trip.visited,
            followed: self.trip.journey().redirects(),
            was_redirected: self.trip.was_redirected(),
        };
        redirect::follow(&redirect, &account.config, at, desk.agent.limits.contacts)
    }

    /// A final no. One that only says that the server cannot do it now sends a login on to the next
    /// server of its domain, and a remembered home that says any is not the home any more: discovery
    /// knows better. What a redirect named is not replaced by anything else (decision 2).
    fn refused(
        mut self,
        message: &Message,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        let status = message.status().unwrap_or_default();
        self.trip.ended(HopVerdict::Refused { status }, desk.now);
        let server = self.conversation.server.clone();
        let error = LoginError::Refused { server, status, reason: words::of_refusal(message) };
        let wait = words::retry_after(message).unwrap_or_default().min(desk.agent.limits.retry_after);
        self.trip.leave_alone(wait);
        if status == 503
            && wait > Duration::ZERO
            && let Some((address, transport)) = self.trip.last_place()
        {
            desk.setbacks.busy(address, transport, wait, desk.now);
        }
        let (by_memory, passing) = (self.arrived_by_memory(), matches!(status, 408 | 503 | 504));
        if !by_memory && (!passing || self.trip.was_redirected()) {
            return self.fail(error, account, desk);
        }
        if by_memory && !passing {
            account.forget_home(desk);
        } else if by_memory && standing == Standing::Signed {
            account.blame_home(&mut self.trip, desk);
        }
        desk.release(self.conversation.flow());
        self.search.note(error);
        self.trip.set_out(desk.now);
        Sequel::Search(self.trip, self.search).into()
    }

    /// The server is gone: the next one is tried. One that never said anything was not visited; one that
    /// a redirect named and that spoke is the last of its list (decision 2).
    fn next(
        mut self,
        why: ConnectError,
        error: LoginError,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Joining> {
        if self.heard && self.trip.was_redirected() {
            return self.fail(error, account, desk);
        }
        desk.release(self.conversation.flow());
        if self.arrived_by_memory() {
            account.blame_home(&mut self.trip, desk);
        }
        if let Some((address, transport)) = self.trip.last_place() {
            desk.setbacks.failed(address, transport, desk.now);
        }
        if self.heard {
            self.trip.ended(HopVerdict::Unreachable(why), desk.now);
        } else {
            self.trip.last_was_silent(why, desk.now);
        }
        self.search.note(error);
        Sequel::Search(self.trip, self.search).into()
    }

    fn fail(mut self, error: LoginError, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Joining> {
        desk.release(self.conversation.flow());
        self.search.rest(desk);
        if is_the_servers(&error) && self.arrived_by_memory() {
            account.blame_home(&mut self.trip, desk);
        }
        self.trip.give_up(desk.now);
        Sequel::Failed(error, self.trip).into()
    }

    fn arrived_by_memory(&self) -> bool {
        self.trip.journey().last().is_some_and(|hop| hop.how == Arrival::Remembered)
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
