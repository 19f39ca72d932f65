//! A REGISTER that keeps the binding: what its answer means to a registration that stands.

use std::time::Duration;

use homing_wire::Message;

use super::account::Account;
use super::context::Context;
use super::exchange::{Exchange, Outcome, Purpose};
use super::redirect::SignatureVerdict;
use super::refusal::Refusal;
use super::registered::{Activity, Quiet, Registered, lifetime};
use super::response_info::{self, RegisterAction};
use super::retry::helps;
use super::transition::{Step, Transition};
use crate::config::AccountConfig;
use crate::counter::Counter;
use crate::error::{LoginError, SignatureFault};
use crate::event::{AccountEvent, LogoutReason};
use crate::outbox::Credentials;

impl Registered {
    /// Sends a REGISTER that keeps the binding.
    pub(super) fn register(
        mut self,
        purpose: Purpose,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let before = self.link.associations();
        let outcome = Exchange::start(purpose, Self::exchange_cx(&mut self.link, account, cx));
        self.settle(before, outcome, account, cx)
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        message: Message,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let Some(exchange) = self.take_exchange(cx) else {
            return Step::Stays(self);
        };
        self.doubted = None;
        let before = self.link.associations();
        let exchange_cx = Self::exchange_cx(&mut self.link, account, cx);
        let outcome = exchange.handle_final(message, verdict, exchange_cx);
        self.settle(before, outcome, account, cx)
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        mut self,
        credentials: Option<Credentials>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let Some(exchange) = self.take_exchange(cx) else {
            return Step::Stays(self);
        };
        let before = self.link.associations();
        let exchange_cx = Self::exchange_cx(&mut self.link, account, cx);
        let outcome = exchange.handle_credentials(credentials, exchange_cx);
        self.settle(before, outcome, account, cx)
    }

    /// Nobody answered a REGISTER in 64·T1: the server is gone, whatever the connection says.
    pub(super) fn handle_timeout(self, account: &mut Account, cx: &mut Context<'_>) -> Transition {
        self.lose(LogoutReason::ConnectionLost, account, cx)
    }

    /// A final answer was not believed: nothing changes.
    pub(super) fn handle_refused(&mut self, status: u16, why: SignatureFault, cx: &Context<'_>) {
        if let Activity::Busy(exchange) = &mut self.activity {
            exchange.refusal = Some(Refusal::new(exchange.refusal, status, why, cx.now));
        }
    }

    /// The REGISTER under way came to nothing: the next follows while the binding holds.
    pub(super) fn put_off(&mut self, floor: Duration, cx: &mut Context<'_>) {
        let next = self.lifetime.next_attempt(floor, cx.now);
        let quiet = Quiet { refresh: next, renewal_not_before: next, overdue: true };
        if let Activity::Busy(exchange) = std::mem::replace(&mut self.activity, Activity::Quiet(quiet)) {
            exchange.abandon(cx);
        }
    }

    fn take_exchange(&mut self, cx: &Context<'_>) -> Option<Exchange> {
        let quiet = Activity::Quiet(Quiet::fresh(self.lifetime, cx.now));
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
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        match outcome {
            Outcome::Pending(exchange) => self.activity = Activity::Busy(exchange),
            Outcome::Granted(message) => return self.granted(before, &message, account, cx),
            Outcome::Redirected(message, verdict) => {
                if may_move(&self, &message, verdict, &account.config) {
                    return self.moved(account, cx).into();
                }
                cx.counters.count(Counter::RedirectRefused);
                self.put_off(REDIRECT_PAUSE, cx);
            }
            Outcome::Refused(message, _) => return self.refused(&message, account, cx),
            // The password is not tried again and again: that locks accounts. The binding ends by itself.
            Outcome::Failed(error) if !helps(&error) => {
                self.put_off(self.lifetime.ends.since(cx.now.since_start), cx);
            }
            Outcome::Failed(_) => self.put_off(Duration::ZERO, cx),
        }
        if let Activity::Quiet(_) = &self.activity {
            self.resume_probe(false, account, cx);
        }
        Step::Stays(self)
    }

    fn granted(
        mut self,
        before: u32,
        message: &Message,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        // The server had lost the binding: whatever hung on it is gone (MS-SIPREGE 3.1.5.2).
        if matches!(
            response_info::register_action(message),
            Some(RegisterAction::Added | RegisterAction::Fixed)
        ) {
            return self.lose(LogoutReason::BindingLost, account, cx).into();
        }
        let lifetime = lifetime(&self.link, message, account, cx);
        if lifetime.granted == 0 {
            return self.lose(LogoutReason::BindingLost, account, cx).into();
        }
        cx.keep_alive(self.link.flow(), message);
        self.lifetime = lifetime;
        let due = self.link.association().is_some_and(|verdict| verdict.renewal_due(cx.now));
        let quiet = if due { Quiet::unrenewed } else { Quiet::fresh };
        self.activity = Activity::Quiet(quiet(lifetime, cx.now));
        cx.counters.count(Counter::Refreshes);
        if self.link.associations() != before {
            cx.tell(AccountEvent::AssociationRenewed);
        }
        cx.tell(AccountEvent::Refreshed { expires: lifetime.granted });
        self.resume_probe(true, account, cx);
        Step::Stays(self)
    }

    fn refused(mut self, message: &Message, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let status = message.status().unwrap_or_default();
        if matches!(status, 403 | 404) {
            let server = self.link.server.clone();
            let error = LoginError::Refused { server, status, reason: response_info::of_refusal(message) };
            let why = if status == 403 { LogoutReason::Disabled } else { LogoutReason::BindingLost };
            return self.end(why, error, account, cx).into();
        }
        let floor = response_info::retry_after(message).unwrap_or_default().min(cx.agent.limits.retry_after);
        self.put_off(floor, cx);
        self.resume_probe(false, account, cx);
        Step::Stays(self)
    }
}

/// Only a believed redirect of a status that is followed ends a registration.
fn may_move(
    registered: &Registered,
    message: &Message,
    verdict: SignatureVerdict,
    config: &AccountConfig,
) -> bool {
    let rules = &config.redirect;
    let is_followed = message.status().is_some_and(|status| rules.follows_status(status));
    let is_believed = match verdict {
        SignatureVerdict::Signed => true,
        SignatureVerdict::Unsignable => rules.follows_unsigned(registered.link.flow_ref.transport),
        SignatureVerdict::Refused(_) => false,
    };
    is_followed && is_believed
}

/// After a redirect that was refused (decision 1).
const REDIRECT_PAUSE: Duration = Duration::from_secs(30);
