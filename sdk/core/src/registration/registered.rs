//! Signed in at the home server: the binding is kept, the server listened to, its word taken only signed.

use std::time::Duration;

use homing_wire::Message;

use super::account::Account;
use super::attempt::Attempt;
use super::backoff::after_loss;
use super::binding_lifetime::BindingLifetime;
use super::context::Context;
use super::exchange::{Exchange, ExchangeContext, Purpose};
use super::probe::Probe;
use super::redirect::SignatureVerdict;
use super::response_info;
use super::server_link::ServerLink;
use super::transition::{Grant, Step, Transition};
use crate::config::{Remembered, SignaturePlaces};
use crate::counter::Counter;
use crate::endpoint::InstanceId;
use crate::error::LoginError;
use crate::event;
use crate::event::{AccountEvent, LogoutReason};
use crate::ids::{AskId, TxId};
use crate::journey::HopVerdict;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Now, Why};

/// Signed in.
pub(super) struct Registered {
    pub(super) link: ServerLink,
    pub(super) lifetime: BindingLifetime,
    pub(super) activity: Activity,
    /// How the state is shown while the binding is fresh.
    place: AccountState,
    /// An OPTIONS of the user that is not answered yet.
    pub(super) probe: Option<Box<Probe>>,
    /// The network changed: without a word of the server until then the connection counts as dead.
    pub(super) doubted: Option<Moment>,
}

/// What is being done about the binding.
pub(super) enum Activity {
    /// Nothing until its time comes.
    Quiet(Quiet),
    /// A REGISTER is under way.
    Busy(Box<Exchange>),
}

/// When something is to be done about the binding.
#[derive(Clone, Copy)]
pub(super) struct Quiet {
    /// The next REGISTER.
    pub(super) refresh: Moment,
    /// A new association is not tried before.
    pub(super) renewal_not_before: Moment,
    /// True after a REGISTER came to nothing.
    pub(super) overdue: bool,
}

impl Registered {
    /// The binding was granted: tells it, and remembers where.
    pub(super) fn start(grant: Grant, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let Grant { link, message, mut attempt } = grant;
        let lifetime = lifetime(&link, &message, account, cx);
        if lifetime.granted == 0 {
            let server = link.server.clone();
            cx.release(link.flow());
            attempt.ended(HopVerdict::Refused { status: 200 }, cx.now);
            let reason = "the answer grants no time".to_owned();
            return Transition::Failed(LoginError::Refused { server, status: 200, reason }, attempt).into();
        }
        let signed = link.association().is_some();
        attempt.ended(HopVerdict::Accepted { expires: lifetime.granted, signed }, cx.now);
        let place =
            if attempt.is_second_choice() { AccountState::Fallback } else { AccountState::Registered };
        account.backoff.reset();
        account.drop_prompt(cx);
        cx.keep_alive(link.flow(), &message);
        cx.counters.count(Counter::Logins);
        announce(&link, (&message, lifetime), attempt, account, cx);
        let activity = Activity::Quiet(Quiet::fresh(lifetime, cx.now));
        Step::Stays(Registered { link, lifetime, activity, place, probe: None, doubted: None })
    }

    /// How the state is shown.
    pub(super) fn shown(&self) -> AccountState {
        match &self.activity {
            Activity::Quiet(Quiet { overdue: true, .. }) => AccountState::Expiring,
            Activity::Quiet(_) | Activity::Busy(_) => self.place,
        }
    }

    /// The next thing due.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let lapse = Deadline::new(self.lifetime.ends, Why::Expiry);
        let doubt = self.doubted.map(|at| Deadline::new(at, Why::AnswerOverdue));
        let next = match &self.activity {
            Activity::Quiet(quiet) => {
                let refresh = Deadline::new(quiet.refresh, Why::Refresh);
                let association = self.link.deadline().map(|due| match due.why {
                    Why::AssociationRenewal => Deadline::new(due.at.max(quiet.renewal_not_before), due.why),
                    _ => due,
                });
                Deadline::earlier(Some(refresh), association)
            }
            Activity::Busy(exchange) => exchange.deadline(),
        };
        Deadline::earlier(Deadline::earlier(Some(lapse), doubt), next)
    }

    /// The transaction of the REGISTER under way.
    pub(super) fn tx(&self) -> Option<TxId> {
        if let Activity::Busy(exchange) = &self.activity { exchange.tx() } else { None }
    }

    /// The question of the REGISTER under way.
    pub(super) fn ask(&self) -> Option<AskId> {
        if let Activity::Busy(exchange) = &self.activity { exchange.ask() } else { None }
    }

    /// Judges a message of the server by its signature: by the association that signs, the one it
    /// replaced, or the one that is being established.
    pub(super) fn judge(&mut self, message: &Message, places: SignaturePlaces, now: Now) -> SignatureVerdict {
        match &mut self.activity {
            Activity::Busy(exchange) => exchange.judge(message, &mut self.link, places, now),
            Activity::Quiet(_) => self.link.judge(message, places, now),
        }
    }

    /// Does what is due.
    pub(super) fn handle_deadline(mut self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        if cx.now.reached(self.lifetime.ends) {
            return self.lose(LogoutReason::Lapsed, account, cx).into();
        }
        if self.doubted.is_some_and(|doubted| cx.now.reached(doubted)) {
            return self.lose(LogoutReason::ConnectionLost, account, cx).into();
        }
        self.link.handle_deadline(cx.now);
        match &self.activity {
            Activity::Busy(exchange) => {
                if exchange.refusal.is_some_and(|refusal| cx.now.reached(refusal.until)) {
                    self.put_off(Duration::ZERO, cx);
                }
                Step::Stays(self)
            }
            Activity::Quiet(quiet) => {
                let association = self.link.association();
                let renewal = association.is_some_and(|association| association.renewal_due(cx.now));
                if renewal && cx.now.reached(quiet.renewal_not_before) {
                    self.register(Purpose::Renew, account, cx)
                } else if cx.now.reached(quiet.refresh) {
                    self.register(Purpose::Refresh, account, cx)
                } else {
                    Step::Stays(self)
                }
            }
        }
    }

    /// Refreshes now, unless a REGISTER is under way.
    pub(super) fn refresh(self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        match &self.activity {
            Activity::Quiet(_) => self.register(Purpose::Refresh, account, cx),
            Activity::Busy(_) => Step::Stays(self),
        }
    }

    /// The clocks ran apart: one REGISTER, soon, if by the wall clock it is time.
    pub(super) fn handle_clock_jump(&mut self, cx: &mut Context<'_>) {
        let due = self.lifetime.refresh_after_jump(cx.now);
        if let Activity::Quiet(quiet) = &mut self.activity
            && due < quiet.refresh
        {
            quiet.refresh = due.max(cx.now.after(after_loss(cx.random)));
        }
    }

    /// The network came back or changed: one REGISTER, soon. Without a network nothing is left.
    pub(super) fn handle_network(mut self, online: bool, cx: &mut Context<'_>) -> Step<Self> {
        if !online {
            self.part(LogoutReason::ConnectionLost, cx);
            return Transition::Rest(AccountState::NoNetwork).into();
        }
        let soon = cx.now.after(after_loss(cx.random));
        if let Activity::Quiet(quiet) = &mut self.activity {
            quiet.refresh = quiet.refresh.min(soon);
        }
        // A connection over a network that is gone breaks only when its system gives up.
        self.doubted = Some(Moment(soon.0.saturating_add(DOUBT)));
        Step::Stays(self)
    }

    pub(super) fn exchange_cx<'a, 'd>(
        link: &'a mut ServerLink,
        account: &'a mut Account,
        cx: &'a mut Context<'d>,
    ) -> ExchangeContext<'a, 'd> {
        ExchangeContext { link, account, attempt: None, cx }
    }
}

impl Quiet {
    pub(super) fn fresh(lifetime: BindingLifetime, now: Now) -> Self {
        Self { refresh: lifetime.refresh, renewal_not_before: now.since_start, overdue: false }
    }

    /// The binding is kept, but the server held on to an association that should be renewed: asked at
    /// once it would only say the same again.
    pub(super) fn unrenewed(lifetime: BindingLifetime, now: Now) -> Self {
        let pause = now.after(RENEWAL_PAUSE).min(lifetime.refresh);
        Self { renewal_not_before: pause, ..Self::fresh(lifetime, now) }
    }
}

/// What the server granted.
pub(super) fn lifetime(
    link: &ServerLink,
    granted: &Message,
    account: &Account,
    cx: &mut Context<'_>,
) -> BindingLifetime {
    let own = link.contact_uri(account).to_string();
    let instance = InstanceId::of_epid(&account.config.epid);
    let seconds = response_info::granted(granted, &own, instance, account.expires);
    BindingLifetime::new(seconds, cx.random, cx.now)
}

fn announce(
    link: &ServerLink,
    (granted, lifetime): (&Message, BindingLifetime),
    attempt: Attempt,
    account: &mut Account,
    cx: &mut Context<'_>,
) {
    let home = link.server.clone();
    let cause = attempt.cause();
    cx.tell(AccountEvent::Registered(event::Registered {
        home: home.clone(),
        expires: lifetime.granted,
        gruu: response_info::gruu(granted, InstanceId::of_epid(&account.config.epid)),
        journey: attempt.into_journey(),
    }));
    if account.last_home.as_ref() != Some(&home) {
        let old = account.last_home.replace(home.clone());
        cx.tell(AccountEvent::HomeServerChanged { old, new: home.clone(), cause });
    }
    let named = &link.named;
    let learned = Remembered {
        host: named.host.to_string(),
        port: named.port,
        transport: link.flow_ref.transport,
        exact: named.exact,
        login: account.memory.login_of(&named.host).cloned(),
    };
    if account.memory.settle(learned.clone()) {
        cx.tell(AccountEvent::Learned(learned));
    }
}

/// After a renewal that brought no new association.
const RENEWAL_PAUSE: Duration = Duration::from_secs(60);
/// How long a REGISTER after a change of the network may stay unanswered.
const DOUBT: Duration = Duration::from_secs(5);
