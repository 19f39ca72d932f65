//! A REGISTER that keeps the binding: what its answer means to a registration that stands.

use std::time::Duration;

use homing_wire::Message;

use super::account::Account;
use super::desk::Desk;
use super::exchange::{Aim, Exchange, Outcome};
use super::failing::helps;
use super::redirect::Standing;
use super::refusal::Refusal;
use super::registered::{Activity, Quiet, Registered, lease};
use super::sequel::{Sequel, Turn};
use super::words::{self, RegisterAction};
use crate::config::AccountConfig;
use crate::counter::Counter;
use crate::error::{LoginError, SignatureFault};
use crate::event::{AccountEvent, LogoutReason};
use crate::outbox::Credentials;

impl Registered {
    /// Sends a REGISTER that keeps the binding.
    pub(super) fn register(mut self, aim: Aim, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let before = self.conversation.associations();
        let outcome = Exchange::start(aim, Self::talk(&mut self.conversation, account, desk));
        self.settle(before, outcome, account, desk)
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        message: Message,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        let Some(exchange) = self.take_exchange(desk) else {
            return Turn::Stays(self);
        };
        self.doubted = None;
        let before = self.conversation.associations();
        let talk = Self::talk(&mut self.conversation, account, desk);
        let outcome = exchange.handle_final(message, standing, talk);
        self.settle(before, outcome, account, desk)
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        mut self,
        credentials: Option<Credentials>,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        let Some(exchange) = self.take_exchange(desk) else {
            return Turn::Stays(self);
        };
        let before = self.conversation.associations();
        let talk = Self::talk(&mut self.conversation, account, desk);
        let outcome = exchange.handle_credentials(credentials, talk);
        self.settle(before, outcome, account, desk)
    }

    /// Nobody answered a REGISTER in 64·T1: the server is gone, whatever the connection says.
    pub(super) fn handle_timeout(self, account: &mut Account, desk: &mut Desk<'_>) -> Sequel {
        self.lose(LogoutReason::ConnectionLost, account, desk)
    }

    /// A final answer was not believed: nothing changes.
    pub(super) fn handle_refused(&mut self, status: u16, why: SignatureFault, desk: &Desk<'_>) {
        if let Activity::Busy(exchange) = &mut self.activity {
            exchange.refusal = Some(Refusal::new(exchange.refusal, status, why, desk.now));
        }
    }

    /// The REGISTER under way came to nothing: the next follows while the binding holds.
    pub(super) fn put_off(&mut self, floor: Duration, desk: &mut Desk<'_>) {
        let next = self.lease.next_attempt(floor, desk.now);
        let quiet = Quiet { refresh: next, renewal_not_before: next, overdue: true };
        if let Activity::Busy(exchange) = std::mem::replace(&mut self.activity, Activity::Quiet(quiet)) {
            exchange.abandon(desk);
        }
    }

    fn take_exchange(&mut self, desk: &Desk<'_>) -> Option<Exchange> {
        let quiet = Activity::Quiet(Quiet::fresh(self.lease, desk.now));
        match std::mem::replace(&mut self.activity, quiet) {
            Activity::Busy(exchange) => Some(*exchange),
            quiet @ Activity::Quiet(_) => {
                self.activity = quiet;
                None
            }
        }
    }

    fn settle(
        mut self,
        before: u32,
        outcome: Outcome,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        match outcome {
            Outcome::Pending(exchange) => self.activity = Activity::Busy(exchange),
            Outcome::Granted(message) => return self.granted(before, &message, account, desk),
            Outcome::Redirected(message, standing) => {
                if may_move(&self, &message, standing, &account.config) {
                    return self.moved(account, desk).into();
                }
                desk.counters.count(Counter::RedirectRefused);
                self.put_off(REDIRECT_PAUSE, desk);
            }
            Outcome::Refused(message, _) => return self.refused(&message, account, desk),
            // The password is not tried again and again: that locks accounts. The binding ends by itself.
            Outcome::Failed(error) if !helps(&error) => {
                self.put_off(self.lease.ends.since(desk.now.since_start), desk);
            }
            Outcome::Failed(_) => self.put_off(Duration::ZERO, desk),
        }
        if let Activity::Quiet(_) = &self.activity {
            self.resume_probe(false, account, desk);
        }
        Turn::Stays(self)
    }

    fn granted(
        mut self,
        before: u32,
        message: &Message,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        // The server had lost the binding: whatever hung on it is gone (MS-SIPREGE 3.1.5.2).
        if matches!(words::register_action(message), Some(RegisterAction::Added | RegisterAction::Fixed)) {
            return self.lose(LogoutReason::BindingLost, account, desk).into();
        }
        let lease = lease(&self.conversation, message, account, desk);
        if lease.granted == 0 {
            return self.lose(LogoutReason::BindingLost, account, desk).into();
        }
        desk.keep_alive(self.conversation.flow(), message);
        self.lease = lease;
        let due = self.conversation.association().is_some_and(|standing| standing.renewal_due(desk.now));
        let quiet = if due { Quiet::unrenewed } else { Quiet::fresh };
        self.activity = Activity::Quiet(quiet(lease, desk.now));
        desk.counters.count(Counter::Refreshes);
        if self.conversation.associations() != before {
            desk.tell(AccountEvent::AssociationRenewed);
        }
        desk.tell(AccountEvent::Refreshed { expires: lease.granted });
        self.resume_probe(true, account, desk);
        Turn::Stays(self)
    }

    fn refused(mut self, message: &Message, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let status = message.status().unwrap_or_default();
        if matches!(status, 403 | 404) {
            let server = self.conversation.server.clone();
            let error = LoginError::Refused { server, status, reason: words::of_refusal(message) };
            let why = if status == 403 { LogoutReason::Disabled } else { LogoutReason::BindingLost };
            return self.end(why, error, account, desk).into();
        }
        let floor = words::retry_after(message).unwrap_or_default().min(desk.agent.limits.retry_after);
        self.put_off(floor, desk);
        self.resume_probe(false, account, desk);
        Turn::Stays(self)
    }
}

/// Only a believed redirect of a status that is followed ends a registration.
fn may_move(registered: &Registered, message: &Message, standing: Standing, config: &AccountConfig) -> bool {
    let rules = &config.redirect;
    let is_followed = message.status().is_some_and(|status| rules.follows_status(status));
    let is_believed = match standing {
        Standing::Signed => true,
        Standing::Unsignable => rules.follows_unsigned(registered.conversation.road.transport),
        Standing::Refused(_) => false,
    };
    is_followed && is_believed
}

/// After a redirect that was refused (decision 1).
const REDIRECT_PAUSE: Duration = Duration::from_secs(30);
