//! Signed in at the home server: the binding is kept, the server listened to, its word taken only signed.

use std::time::Duration;

use homing_wire::Message;

use super::account::Account;
use super::backoff::after_loss;
use super::conversation::Conversation;
use super::desk::Desk;
use super::exchange::{Aim, Exchange, Talk};
use super::lease::Lease;
use super::probe::Probe;
use super::redirect::Standing;
use super::sequel::{Grant, Sequel, Turn};
use super::trip::Trip;
use super::words;
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
    pub(super) conversation: Conversation,
    pub(super) lease: Lease,
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
    pub(super) fn start(grant: Grant, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let Grant { conversation, message, mut trip } = grant;
        let lease = lease(&conversation, &message, account, desk);
        if lease.granted == 0 {
            let server = conversation.server.clone();
            desk.release(conversation.flow());
            trip.ended(HopVerdict::Refused { status: 200 }, desk.now);
            let reason = "the answer grants no time".to_owned();
            return Sequel::Failed(LoginError::Refused { server, status: 200, reason }, trip).into();
        }
        let signed = conversation.association().is_some();
        trip.ended(HopVerdict::Accepted { expires: lease.granted, signed }, desk.now);
        let place = if trip.is_second_choice() { AccountState::Fallback } else { AccountState::Registered };
        account.backoff.reset();
        account.drop_prompt(desk);
        desk.keep_alive(conversation.flow(), &message);
        desk.counters.count(Counter::Logins);
        announce(&conversation, (&message, lease), trip, account, desk);
        let activity = Activity::Quiet(Quiet::fresh(lease, desk.now));
        Turn::Stays(Registered { conversation, lease, activity, place, probe: None, doubted: None })
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
        let lapse = Deadline::new(self.lease.ends, Why::Expiry);
        let doubt = self.doubted.map(|at| Deadline::new(at, Why::AnswerOverdue));
        let next = match &self.activity {
            Activity::Quiet(quiet) => {
                let refresh = Deadline::new(quiet.refresh, Why::Refresh);
                let association = self.conversation.deadline().map(|due| match due.why {
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
    pub(super) fn judge(&mut self, message: &Message, places: SignaturePlaces, now: Now) -> Standing {
        match &mut self.activity {
            Activity::Busy(exchange) => exchange.judge(message, &mut self.conversation, places, now),
            Activity::Quiet(_) => self.conversation.judge(message, places, now),
        }
    }

    /// Does what is due.
    pub(super) fn handle_deadline(mut self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        if desk.now.reached(self.lease.ends) {
            return self.lose(LogoutReason::Lapsed, account, desk).into();
        }
        if self.doubted.is_some_and(|doubted| desk.now.reached(doubted)) {
            return self.lose(LogoutReason::ConnectionLost, account, desk).into();
        }
        self.conversation.handle_deadline(desk.now);
        match &self.activity {
            Activity::Busy(exchange) => {
                if exchange.refusal.is_some_and(|refusal| desk.now.reached(refusal.until)) {
                    self.put_off(Duration::ZERO, desk);
                }
                Turn::Stays(self)
            }
            Activity::Quiet(quiet) => {
                let association = self.conversation.association();
                let renewal = association.is_some_and(|association| association.renewal_due(desk.now));
                if renewal && desk.now.reached(quiet.renewal_not_before) {
                    self.register(Aim::Renew, account, desk)
                } else if desk.now.reached(quiet.refresh) {
                    self.register(Aim::Refresh, account, desk)
                } else {
                    Turn::Stays(self)
                }
            }
        }
    }

    /// Refreshes now, unless a REGISTER is under way.
    pub(super) fn refresh(self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        match &self.activity {
            Activity::Quiet(_) => self.register(Aim::Refresh, account, desk),
            Activity::Busy(_) => Turn::Stays(self),
        }
    }

    /// The clocks ran apart: one REGISTER, soon, if by the wall clock it is time.
    pub(super) fn handle_clock_jump(&mut self, desk: &mut Desk<'_>) {
        let due = self.lease.refresh_after_jump(desk.now);
        if let Activity::Quiet(quiet) = &mut self.activity
            && due < quiet.refresh
        {
            quiet.refresh = due.max(desk.now.after(after_loss(desk.draws)));
        }
    }

    /// The network came back or changed: one REGISTER, soon. Without a network nothing is left.
    pub(super) fn handle_network(mut self, online: bool, desk: &mut Desk<'_>) -> Turn<Self> {
        if !online {
            self.part(LogoutReason::ConnectionLost, desk);
            return Sequel::Rest(AccountState::NoNetwork).into();
        }
        let soon = desk.now.after(after_loss(desk.draws));
        if let Activity::Quiet(quiet) = &mut self.activity {
            quiet.refresh = quiet.refresh.min(soon);
        }
        // A connection over a network that is gone breaks only when its system gives up.
        self.doubted = Some(Moment(soon.0.saturating_add(DOUBT)));
        Turn::Stays(self)
    }

    pub(super) fn talk<'a, 'd>(
        conversation: &'a mut Conversation,
        account: &'a mut Account,
        desk: &'a mut Desk<'d>,
    ) -> Talk<'a, 'd> {
        Talk { conversation, account, trip: None, desk }
    }
}

impl Quiet {
    pub(super) fn fresh(lease: Lease, now: Now) -> Self {
        Self { refresh: lease.refresh, renewal_not_before: now.since_start, overdue: false }
    }

    /// The binding is kept, but the server held on to an association that should be renewed: asked at
    /// once it would only say the same again.
    pub(super) fn unrenewed(lease: Lease, now: Now) -> Self {
        let pause = now.after(RENEWAL_PAUSE).min(lease.refresh);
        Self { renewal_not_before: pause, ..Self::fresh(lease, now) }
    }
}

/// What the server granted.
pub(super) fn lease(
    conversation: &Conversation,
    granted: &Message,
    account: &Account,
    desk: &mut Desk<'_>,
) -> Lease {
    let own = conversation.contact_uri(account).to_string();
    let instance = InstanceId::of_epid(&account.config.epid);
    let seconds = words::granted(granted, &own, instance, account.expires);
    Lease::new(seconds, desk.draws, desk.now)
}

fn announce(
    conversation: &Conversation,
    (granted, lease): (&Message, Lease),
    trip: Trip,
    account: &mut Account,
    desk: &mut Desk<'_>,
) {
    let home = conversation.server.clone();
    let cause = trip.cause();
    desk.tell(AccountEvent::Registered(event::Registered {
        home: home.clone(),
        expires: lease.granted,
        gruu: words::gruu(granted, InstanceId::of_epid(&account.config.epid)),
        journey: trip.into_journey(),
    }));
    if account.last_home.as_ref() != Some(&home) {
        let old = account.last_home.replace(home.clone());
        desk.tell(AccountEvent::HomeServerChanged { old, new: home.clone(), cause });
    }
    let named = &conversation.named;
    let learned = Remembered {
        host: named.host.to_string(),
        port: named.port,
        transport: conversation.road.transport,
        exact: named.exact,
        login: account.memory.login_of(&named.host).cloned(),
    };
    if account.memory.settle(learned.clone()) {
        desk.tell(AccountEvent::Learned(learned));
    }
}

/// After a renewal that brought no new association.
const RENEWAL_PAUSE: Duration = Duration::from_secs(60);
/// How long a REGISTER after a change of the network may stay unanswered.
const DOUBT: Duration = Duration::from_secs(5);
