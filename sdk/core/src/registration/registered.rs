//! Signed in at the home server: how the binding is kept and how it ends, by request, by the server's word, by
//! its silence, or by the network's.

use std::time::Duration;

use homing_wire::Message;

use super::attempt::Attempt;
use super::binding_lifetime::BindingLifetime;
use super::exchange::{Exchange, Outcome, Purpose};
use super::redirect::{self, Redirect, RedirectContext, RedirectTarget};
use super::refusal::Refusal;
use super::response_info::{self, RegisterAction};
use super::retry::helps;
use super::session::Session;
use super::transition::{Ending, Grant, Step, Transition};
use super::visited::Visited;
use crate::account::Account;
use crate::account::acceptance::SignatureVerdict;
use crate::account::backoff::after_loss;
use crate::account::context::Context;
use crate::account::random::WaitPurpose;
use crate::account::server_link::{ServerLink, Verified};
use crate::account::service_route::ServiceRoute;
use crate::auth::contact_binding::Target;
use crate::config::{AccountConfig, Remembered};
use crate::counter::Counter;
use crate::endpoint::InstanceId;
use crate::error::{AuthError, Deregistration, LoginError, RedirectError, ResponseFault, SignatureFault};
use crate::event;
use crate::event::{AccountEvent, LogoutReason, MoveCause};
use crate::flow::LostFlow;
use crate::ids::{AskId, FlowId, TxId};
use crate::journey::{HopVerdict, Remark};
use crate::outbox::Credentials;
use crate::registration_notify::RegistrationNotify;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Now, Why};

/// Signed in.
pub(super) struct Registered {
    pub(super) session: Session,
    lifetime: BindingLifetime,
    activity: Activity,
    /// How the state is shown while the binding is fresh.
    place: AccountState,
    /// The network changed: without a word of the server until then the connection counts as dead.
    doubted: Option<Moment>,
    /// The password was refused, for that reason, and is given once more then, by a refresh or after the binding lapsed
    /// by a login.
    rejected: Option<(LoginError, Moment)>,
}

/// What is being done about the binding.
enum Activity {
    /// Nothing until its time comes.
    Quiet(Quiet),
    /// A REGISTER is under way.
    Busy(Box<Exchange>),
}

/// When something is to be done about the binding.
#[derive(Clone, Copy)]
struct Quiet {
    /// The next REGISTER.
    refresh: Moment,
    /// A new association is not tried before.
    renewal_not_before: Moment,
    /// True after a REGISTER came to nothing.
    overdue: bool,
}

impl Registered {
    /// The binding was granted: tells it, and remembers where.
    pub(super) fn start(grant: Grant, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let Grant { mut session, message, mut attempt } = grant;
        session.link.service_route = ServiceRoute::read(&message, cx.counters);
        let link = &session.link;
        let (lifetime, remark) = match lifetime(link, &message, account, cx) {
            Ok(granted) => granted,
            Err(reason) => {
                let server = link.server.clone();
                session.leave(cx);
                attempt.ended(HopVerdict::Refused { status: 200 }, cx.now);
                let error = LoginError::Refused { server, status: 200, reason: reason.to_owned() };
                return Transition::Failed(error, attempt).into();
            }
        };
        if let Some(remark) = remark {
            attempt.remark(remark);
        }
        if cx.flows.is_silent(link.flow()) {
            attempt.remark(Remark::SilentToKeepAlives);
        }
        let signed = link.association().is_some();
        attempt.ended(HopVerdict::Accepted { expires: lifetime.granted, signed }, cx.now);
        let place =
            if attempt.is_second_choice() { AccountState::Fallback } else { AccountState::Registered };
        account.drop_prompt(cx);
        cx.keep_alive(link.flow(), &message);
        cx.counters.count(Counter::Logins);
        let cause = attempt.cause();
        let registered = event::Registered {
            home: link.server.clone(),
            expires: lifetime.granted,
            gruu: response_info::gruu(&message, InstanceId::of_epid(&account.config.epid)),
            journey: attempt.into_journey(),
        };
        announce(link, registered, cause, account, cx);
        let activity = Activity::Quiet(Quiet::fresh(lifetime, cx.now));
        account.rejections.reset();
        Step::Stays(Registered { session, lifetime, activity, place, doubted: None, rejected: None })
    }

    /// How the state is shown.
    pub(super) fn shown(&self) -> AccountState {
        match &self.activity {
            Activity::Quiet(Quiet { overdue: true, .. }) => AccountState::Expiring,
            Activity::Quiet(_) | Activity::Busy(_) => self.place,
        }
    }

    /// True unless a REGISTER is under way.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.activity, Activity::Quiet(_))
    }

    /// The next thing due.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let lapse = Deadline::new(self.lifetime.ends, Why::Expiry);
        let doubt = self.doubted.map(|at| Deadline::new(at, Why::AnswerOverdue));
        let next = match &self.activity {
            Activity::Quiet(quiet) => {
                let refresh = Deadline::new(quiet.refresh, Why::Refresh);
                let association = self.session.link.deadline().map(|due| match due.why {
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

    /// Does what is due.
    pub(super) fn handle_deadline(mut self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        if cx.now.reached(self.lifetime.ends)
            && let Some((error, at)) = self.rejected.take()
        {
            self.part(LogoutReason::Lapsed, account, cx);
            let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Failover, cx.now);
            return Transition::Resting(error, attempt, at).into();
        }
        if cx.now.reached(self.lifetime.ends) {
            return self.lose(LogoutReason::Lapsed, account, cx).into();
        }
        if self.doubted.is_some_and(|doubted| cx.now.reached(doubted)) {
            return self.lose(LogoutReason::ConnectionLost, account, cx).into();
        }
        self.session.link.handle_deadline(cx.now);
        match &self.activity {
            Activity::Busy(exchange) => {
                if exchange.refusal.is_some_and(|refusal| cx.now.reached(refusal.until)) {
                    self.put_off(Duration::ZERO, cx);
                }
                Step::Stays(self)
            }
            Activity::Quiet(quiet) => {
                let association = self.session.link.association();
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
            quiet.refresh = due.max(cx.now.after(after_loss(cx)));
        }
    }

    /// The network came back or changed: one REGISTER, soon. Without a network nothing is left.
    pub(super) fn handle_network(
        mut self,
        online: bool,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if !online {
            self.part(LogoutReason::ConnectionLost, account, cx);
            return Transition::Rest(AccountState::NoNetwork).into();
        }
        let soon = cx.now.after(after_loss(cx));
        if let Activity::Quiet(quiet) = &mut self.activity {
            quiet.refresh = quiet.refresh.min(soon);
        }
        // A connection over a network that is gone breaks only when its system gives up.
        self.doubted = Some(Moment(soon.0.saturating_add(DOUBT)));
        Step::Stays(self)
    }

    /// Sends a REGISTER that keeps the binding.
    fn register(mut self, purpose: Purpose, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let before = self.session.link.associations();
        let outcome = Exchange::start(purpose, self.session.exchange_cx(account, None, cx));
        self.settle(before, outcome, account, cx)
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        response: Verified,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let Some(exchange) = self.take_exchange(cx) else {
            return Step::Stays(self);
        };
        self.doubted = None;
        let before = self.session.link.associations();
        let exchange_cx = self.session.exchange_cx(account, None, cx);
        let outcome = exchange.handle_final(response, exchange_cx);
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
        let before = self.session.link.associations();
        let exchange_cx = self.session.exchange_cx(account, None, cx);
        let outcome = exchange.handle_credentials(credentials, exchange_cx);
        self.settle(before, outcome, account, cx)
    }

    /// A request over this link was challenged although the association signed it: the server proves itself
    /// again, unless that is under way or was demanded too often.
    pub(super) fn renew_for_request(self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        match &self.activity {
            Activity::Busy(_) => Step::Stays(self),
            Activity::Quiet(_) if account.handshakes.admit(cx.agent.limits.challenges_per_minute, cx.now) => {
                self.register(Purpose::Renew, account, cx)
            }
            Activity::Quiet(_) => {
                cx.counters.count(Counter::ChallengeRate);
                cx.tell_requests(self.session.link.id, false);
                Step::Stays(self)
            }
        }
    }

    /// No answer to a REGISTER in 64·T1: the server is gone, whatever the connection says.
    pub(super) fn handle_timeout(self, account: &mut Account, cx: &mut Context<'_>) -> Transition {
        self.lose(LogoutReason::ConnectionLost, account, cx)
    }

    /// A final answer was not believed: nothing changes.
    pub(super) fn handle_refused(&mut self, status: u16, why: SignatureFault, cx: &Context<'_>) {
        if let Activity::Busy(exchange) = &mut self.activity {
            exchange.refusal = Some(Refusal::new(exchange.refusal, status, why, cx.now));
        }
    }

    /// A response was dropped: nothing changes.
    pub(super) fn handle_unusable(&mut self, why: ResponseFault) {
        if let Activity::Busy(exchange) = &mut self.activity {
            exchange.fault = Some(Box::new(why));
        }
    }

    /// The final answer cannot be taken: the binding stands, and is tried to be kept again.
    pub(super) fn handle_unreadable(&mut self, cx: &mut Context<'_>) {
        self.put_off(Duration::ZERO, cx);
        cx.tell_requests(self.session.link.id, false);
    }

    /// The REGISTER under way came to nothing: the next follows while the binding holds.
    fn put_off(&mut self, floor: Duration, cx: &mut Context<'_>) {
        let next = self.lifetime.next_attempt(floor, cx.now);
        let quiet = Quiet { refresh: next, renewal_not_before: next, overdue: true };
        if let Activity::Busy(exchange) = std::mem::replace(&mut self.activity, Activity::Quiet(quiet)) {
            exchange.abandon(&mut self.session.link, cx);
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
            Outcome::Pending(exchange) if exchange.is_unsent() && self.session.reconnect(cx) => {
                return self.resume(*exchange, account, cx);
            }
            Outcome::Pending(exchange) => self.activity = Activity::Busy(exchange),
            Outcome::Granted(message) => return self.granted(before, &message, account, cx),
            Outcome::Unproved => {
                let error = AuthError::WrongProof { server: self.session.link.server.clone() };
                let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Failover, cx.now);
                cx.tell_requests(self.session.link.id, false);
                cx.tell(AccountEvent::LoggedOut { why: LogoutReason::BindingLost });
                let ending = Ending::Failed(error.into(), attempt);
                return Transition::Leave(Box::new(self.session), ending).into();
            }
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
                let rest = matches!(error, LoginError::Auth(AuthError::Rejected { .. }))
                    .then(|| account.rest_rejected(cx))
                    .flatten();
                // Without a connection the binding is of no use to anybody.
                if !self.session.is_connected() {
                    self.part(LogoutReason::ConnectionLost, account, cx);
                    let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Failover, cx.now);
                    return match rest {
                        Some(rest) => Transition::Resting(error, attempt, cx.now.after(rest)),
                        None => Transition::Failed(error, attempt),
                    }
                    .into();
                }
                self.put_off(rest.unwrap_or(self.lifetime.ends.since(cx.now.since_start)), cx);
                self.rejected = rest.map(|rest| (error, cx.now.after(rest)));
            }
            Outcome::Failed(_) => self.put_off(Duration::ZERO, cx),
        }
        if let Activity::Quiet(_) = &self.activity {
            cx.tell_requests(self.session.link.id, false);
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
        let Ok((lifetime, _)) = lifetime(&self.session.link, message, account, cx) else {
            return self.lose(LogoutReason::BindingLost, account, cx).into();
        };
        account.steadied();
        self.session.link.service_route = ServiceRoute::read(message, cx.counters);
        cx.keep_alive(self.session.link.flow(), message);
        self.rejected = None;
        account.rejections.reset();
        self.lifetime = lifetime;
        let due = self.session.link.association().is_some_and(|verdict| verdict.renewal_due(cx.now));
        let quiet = if due { Quiet::unrenewed } else { Quiet::fresh };
        self.activity = Activity::Quiet(quiet(lifetime, cx.now));
        cx.counters.count(Counter::Refreshes);
        if self.session.link.associations() != before {
            cx.tell(AccountEvent::AssociationRenewed);
        }
        cx.tell(AccountEvent::Refreshed { expires: lifetime.granted });
        cx.tell_requests(self.session.link.id, true);
        Step::Stays(self)
    }

    fn refused(mut self, message: &Message, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let status = message.status().unwrap_or_default();
        if matches!(status, 403 | 404 | 410) {
            let server = self.session.link.server.clone();
            let error = LoginError::Refused { server, status, reason: response_info::of_refusal(message) };
            let why = if status == 403 { LogoutReason::Disabled } else { LogoutReason::BindingLost };
            return self.end(why, error, account, cx).into();
        }
        let floor = response_info::retry_after(message).unwrap_or_default().min(cx.agent.limits.retry_after);
        self.put_off(floor, cx);
        cx.tell_requests(self.session.link.id, false);
        Step::Stays(self)
    }

    /// A connection stands.
    pub(super) fn handle_connected(
        mut self,
        flow: FlowId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if !self.session.handle_connected(flow, cx) {
            return Step::Stays(self);
        }
        match self.take_exchange(cx) {
            Some(exchange) => self.resume(exchange, account, cx),
            None => Step::Stays(self),
        }
    }

    /// There is a new connection in place of the one that the server closed after its challenge.
    fn resume(mut self, exchange: Exchange, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let before = self.session.link.associations();
        let outcome = exchange.resume(self.session.exchange_cx(account, None, cx));
        self.settle(before, outcome, account, cx)
    }

    /// The connection is gone. If the server closed it after its challenge, that is answered over a new one.
    pub(super) fn handle_lost(
        mut self,
        lost: &LostFlow,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if !self.session.hangs_on(lost.flow) {
            return Step::Stays(self);
        }
        let quiet = Activity::Quiet(Quiet::fresh(self.lifetime, cx.now));
        if let Activity::Busy(exchange) = std::mem::replace(&mut self.activity, quiet) {
            let may_move = exchange.may_move(&self.session.link, cx.now);
            if let Some(destination) = lost.closed_by().filter(|_| may_move) {
                self.session.close(destination.clone());
                let before = self.session.link.associations();
                let outcome = Outcome::Pending(Box::new(exchange.interrupted(cx)));
                return self.settle(before, outcome, account, cx);
            }
            exchange.interrupt(&mut self.session.link, account, cx);
        }
        self.lose(LogoutReason::ConnectionLost, account, cx).into()
    }

    /// Signs out.
    pub(super) fn leave(mut self, patience: Duration, cx: &mut Context<'_>) -> Transition {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(&mut self.session.link, cx);
        }
        cx.tell_requests(self.session.link.id, false);
        Transition::Leave(Box::new(self.session), Ending::Asked { patience })
    }

    /// The server ended the registration by itself; `verdict` is what its signature proved.
    pub(super) fn handle_notify(
        self,
        registration_notify: &RegistrationNotify,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        match registration_notify {
            RegistrationNotify::Unregistered => {
                let error = LoginError::Deregistered(Deregistration::Unregistered);
                self.end(LogoutReason::Displaced, error, account, cx).into()
            }
            RegistrationNotify::Rejected => {
                let error = LoginError::Deregistered(Deregistration::Rejected);
                self.end(LogoutReason::Disabled, error, account, cx).into()
            }
            RegistrationNotify::Deactivated => {
                account.forget_home(cx);
                self.part(LogoutReason::Deactivated, account, cx);
                restart(AccountState::Moved, MoveCause::Moved, account, cx).into()
            }
            RegistrationNotify::Preferred { uri } => match self.preferred(uri, verdict, account, cx) {
                Ok(target) if account.restarts.admit(MOST_RESTARTS, cx.now) => {
                    account.forget_home(cx);
                    cx.counters.count(Counter::RedirectFollowed);
                    self.part(LogoutReason::Moved, account, cx);
                    Transition::LoginAt(target).into()
                }
                Ok(_) | Err(_) => {
                    cx.counters.count(Counter::RedirectRefused);
                    Step::Stays(self)
                }
            },
        }
    }

    /// The home server sends the account away: logout, and a whole new login (patent paragraph 67).
    /// After several in a minute it is a redirect too many: the login waits as one that failed, so that
    /// servers that send an account to and fro do not keep it running in circles.
    fn moved(self, account: &mut Account, cx: &mut Context<'_>) -> Transition {
        account.forget_home(cx);
        self.part(LogoutReason::Moved, account, cx);
        if account.restarts.admit(MOST_RESTARTS, cx.now) {
            return Transition::Login(MoveCause::Moved);
        }
        cx.counters.count(Counter::RedirectRefused);
        let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Moved, cx.now);
        Transition::Failed(RedirectError::TooMany { limit: MOST_RESTARTS }.into(), attempt)
    }

    /// The registration is lost; a new login begins soon.
    fn lose(self, why: LogoutReason, account: &mut Account, cx: &mut Context<'_>) -> Transition {
        self.part(why, account, cx);
        restart(AccountState::Connecting, MoveCause::Failover, account, cx)
    }

    /// The registration is over, and the reason is one for the user.
    fn end(
        self,
        why: LogoutReason,
        error: LoginError,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Transition {
        self.part(why, account, cx);
        let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Failover, cx.now);
        Transition::Failed(error, attempt)
    }

    /// Gives everything back and tells the logout.
    fn part(mut self, why: LogoutReason, account: &mut Account, cx: &mut Context<'_>) {
        if self.lifetime.age(cx.now) >= STEADY {
            account.steadied();
        }
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(&mut self.session.link, cx);
        }
        if matches!(why, LogoutReason::Moved | LogoutReason::Deactivated) {
            cx.tell_move(self.session.link.id);
        }
        self.session.leave(cx);
        cx.tell(AccountEvent::LoggedOut { why });
    }

    /// A preferred registrar passes the same rules as a redirect (decision 4).
    fn preferred(
        &self,
        uri: &str,
        verdict: SignatureVerdict,
        account: &Account,
        cx: &Context<'_>,
    ) -> Result<RedirectTarget, RedirectError> {
        let mut visited = Visited::default();
        visited.enter(self.session.link.server.clone(), self.session.link.named());
        let redirect = Redirect {
            from: &self.session.link.server,
            transport: self.session.link.flow_ref.transport,
            status: 301,
            verdict,
            to_tag: "",
            contacts: vec![Target { uri, q: None }],
        };
        let at = RedirectContext { visited: &visited, followed: 0, was_redirected: false };
        let targets = redirect::follow(&redirect, &account.config, at, cx.agent.limits.contacts)?;
        let nobody = RedirectError::NoUsableContact { server: self.session.link.server.clone() };
        targets.into_iter().next().ok_or(nobody)
    }
}

impl Quiet {
    fn fresh(lifetime: BindingLifetime, now: Now) -> Self {
        Self { refresh: lifetime.refresh, renewal_not_before: now.since_start, overdue: false }
    }

    /// The binding is kept, but the server held on to an association that should be renewed: asked at
    /// once it would only say the same again.
    fn unrenewed(lifetime: BindingLifetime, now: Now) -> Self {
        let pause = now.after(RENEWAL_PAUSE).min(lifetime.refresh);
        Self { renewal_not_before: pause, ..Self::fresh(lifetime, now) }
    }
}

/// What the server granted, and what is odd about that.
fn lifetime(
    link: &ServerLink,
    granted: &Message,
    account: &Account,
    cx: &mut Context<'_>,
) -> Result<(BindingLifetime, Option<Remark>), &'static str> {
    let uri = link.contact_uri(&account.config.aor).to_string();
    let instance = InstanceId::of_epid(&account.config.epid);
    let asked = response_info::Asked { uri: &uri, instance, expires: account.expires };
    let response_info::Granted { seconds, remark } = response_info::granted(granted, asked)?;
    let now = cx.now;
    let lifetime = BindingLifetime::new(seconds, |bound| cx.spread(WaitPurpose::Refresh, bound), now);
    Ok((lifetime, remark))
}

fn announce(
    link: &ServerLink,
    registered: event::Registered,
    cause: MoveCause,
    account: &mut Account,
    cx: &mut Context<'_>,
) {
    let home = registered.home.clone();
    cx.tell(AccountEvent::Registered(registered));
    if account.last_home.as_ref() != Some(&home) {
        let old = account.last_home.replace(home.clone());
        cx.tell(AccountEvent::HomeServerChanged { old, new: home.clone(), cause });
    }
    // A remembered home is verified by its authority alone: one that a pin vouches for would fail there.
    if link.proof.as_ref().is_some_and(|proof| proof.pinned) {
        return;
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
        SignatureVerdict::Unsignable => rules.follows_unsigned(registered.session.link.flow_ref.transport),
        SignatureVerdict::Refused(_) => false,
    };
    is_followed && is_believed
}

/// After a redirect that was refused (decision 1).
const REDIRECT_PAUSE: Duration = Duration::from_secs(30);

/// A new login, soon; after several registrations in a row that did not last only after the pause of a failed one,
/// which grows, so that servers that take an account and drop it again do not keep it running in circles.
fn restart(shown: AccountState, cause: MoveCause, account: &mut Account, cx: &mut Context<'_>) -> Transition {
    let wait = if account.short_lived < MOST_RESTARTS {
        account.short_lived += 1;
        after_loss(cx)
    } else {
        account.backoff.after_failure(Duration::ZERO, |bound| cx.spread(WaitPurpose::Retry, bound))
    };
    Transition::Pause { shown, at: cx.now.after(wait), cause }
}

/// A registration that lasted for so long, or was refreshed, is the end of an outage.
const STEADY: Duration = Duration::from_secs(60);
/// Logins that follow a registration at once which did not last; moves in a minute.
const MOST_RESTARTS: u8 = 5;
