//! One call: an INVITE, the dialogs it makes, and their end (RFC 3261 sections 13 to 15).
//!
//! ```text
//!  placed:  Inviting ──2xx──► Talking ──BYE out──► Leaving ──► (gone)
//!              │ gives up        ▲
//!              └─► Cancelling ───┼─2xx: ACK, BYE──► Leaving
//!                   └─ 487 ──► (gone)
//!  came in: Ringing ──2xx out──► Unacknowledged ──ACK──► Talking
//!              │                    └─ hangs up ──► Unwanted ──ACK──► Leaving
//!              └─ refused, cancelled ──► (gone)
//! ```
//!
//! A call that was answered, or whose flow may still bring copies, stays as `Over` for 64·T1: late forks are
//! acknowledged and hung up. It keeps its link and its flow for as long as it is there. Its end is told once, as soon as
//! it is certain; what follows on the wire is not told.

mod acknowledged;
mod body;
mod challenged;
mod early;
mod exchange;
mod inviting;
mod line;
mod lingering;
mod negotiation;
mod plan;
mod repeated;
mod ringing;
mod session_timer;
mod state;
mod usage;

use std::net::IpAddr;

use homing_wire::{Message, Method, Uri};

use exchange::Change;
use inviting::Inviting;
use line::CallContext;
pub(crate) use line::Handshake;
use lingering::Lingering;
use negotiation::Negotiation;
use ringing::Ringing;
use session_timer::Wish;
use state::{
    Next, Stage, State, after_cancelled, after_invite, after_ring, after_usage, feed_usage, refresh_target,
};
use usage::{Fork, InviteUsage, Role, Verdict};

pub(crate) use line::Line;
pub(crate) use plan::Plan;
pub(crate) use ringing::Rejection;

use crate::account::acceptance::SignatureVerdict;
use crate::account::link_context::LinkContext;
use crate::account::server_link::Verified;
use crate::call_event::{CallEnd, CallEvent, Caller, EndReason, EndedBy};
use crate::call_request::InfoBody;
use crate::description::Description;
use crate::dialog::{Dialog, DialogFault, Listed};
use crate::error::Misuse;
use crate::flow::LostFlow;
use crate::ids::{AskId, CallId, FlowId, TxId};
use crate::outbox::Answer;
use crate::time::Deadline;
use crate::uas::Refusal;

/// A call over a link.
pub(crate) struct Call {
    line: Line,
    state: State,
    lingering: Option<Box<Lingering>>,
}

/// What becomes of a call after an input.
pub(crate) enum Step {
    /// It goes on.
    Stays(Box<Call>),
    /// It goes on once its link has a new association.
    NeedsAssociation(Box<Call>),
    /// It goes on at the server of its Request-URI, which is to be looked for. The line is to be given back.
    Locate(Box<Line>, Box<Plan>),
    /// It is gone. The line is to be given back.
    Ends(Box<Line>),
}

/// An INVITE that nothing is objected to.
pub(crate) struct Invitation<'m> {
    pub(crate) invite: &'m Message,
    pub(crate) tx: TxId,
    pub(crate) offer: Option<Description>,
    /// The dialog it founds.
    pub(crate) dialog: Dialog,
    /// True if it came from the account's home server over a flow on which TLS proved it.
    pub(crate) vouched: bool,
}

/// What an INVITE outside a dialog is refused for before it makes a call.
///
/// # Errors
/// [`Refusal`]: its description or its dialog cannot be used, or its session interval is too small.
pub(crate) fn admit(
    invite: &Message,
    tag: &str,
    at: &LinkContext<'_, '_>,
) -> Result<(Dialog, Option<Description>), Refusal> {
    let config = &at.account.config;
    let offer = body::description(invite)?;
    let dialog = Dialog::of_called(invite, tag, &config.epid)
        .map_err(|fault: DialogFault| Refusal::new(400, fault.why()))?;
    Wish::new(config.call_rules().session_timers).grant(invite, at.cx.now)?;
    Ok((dialog, offer))
}

impl Step {
    /// The call's use of its link.
    pub(crate) fn line(&mut self) -> &mut Line {
        match self {
            Step::Stays(call) | Step::NeedsAssociation(call) => &mut call.line,
            Step::Locate(line, _) | Step::Ends(line) => line,
        }
    }
}

impl Call {
    /// True for what a call may be placed to.
    pub(crate) fn accepts(uri: &str) -> bool {
        Uri::parse(uri).is_ok_and(|uri| (uri.is_sip() || uri.is_sips()) && !uri.has_headers())
    }

    /// Places a call over a link.
    pub(crate) fn place(plan: Plan, mut at: LinkContext<'_, '_>) -> Step {
        let line = Line::over(plan.call, &mut at);
        let this = Self { line, state: State::Over, lingering: None };
        this.step(at, |_, lingering, cc| after_invite(Inviting::start(plan, cc), lingering, cc))
    }

    /// A call comes in.
    pub(crate) fn receive(
        call: CallId,
        invitation: Invitation<'_>,
        mut at: LinkContext<'_, '_>,
    ) -> Box<Self> {
        let Invitation { invite, tx, offer, dialog, vouched } = invitation;
        let mut line = Line::over(call, &mut at);
        let wish = Wish::new(at.account.config.call_rules().session_timers);
        let mut cc = CallContext { line: &mut line, at };
        let fork = Fork { role: Role::Called, number: 0, wish };
        let usage = InviteUsage::new(dialog, Negotiation::default(), fork, invite);
        cc.tell(CallEvent::Incoming(Box::new(Caller::read(invite, offer.clone(), vouched))));
        let ringing = Ringing::start(usage, invite, tx, offer, &cc);
        Box::new(Self { line, state: State::Ringing(Box::new(ringing)), lingering: None })
    }

    /// Its use of a link.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// Under what it is found.
    pub(crate) fn listed(&self) -> Listed {
        match &self.state {
            State::Inviting(inviting) | State::Cancelling(inviting) => {
                Listed { dialog: Some(inviting.name()), ring: None }
            }
            State::Ringing(ringing) => {
                Listed { dialog: Some(ringing.dialog().name()), ring: ringing.ring_name() }
            }
            State::Answered(_, usage) => Listed { dialog: Some(usage.dialog.name()), ring: None },
            State::Over => Listed::default(),
        }
    }

    /// The From tag of what it sends.
    pub(crate) fn caller_tag(&self) -> Option<&str> {
        match &self.state {
            State::Inviting(inviting) | State::Cancelling(inviting) => Some(inviting.caller_tag()),
            State::Ringing(ringing) => Some(ringing.dialog().local_tag()),
            State::Answered(_, usage) => Some(usage.dialog.local_tag()),
            State::Over => self.lingering.as_ref()?.caller_tag(),
        }
    }

    /// The INVITE of a call that came in and is not answered.
    pub(crate) fn ringing(&self) -> Option<&Message> {
        if let State::Ringing(ringing) = &self.state { Some(ringing.invite()) } else { None }
    }

    /// True for a call that rings although its INVITE cannot be answered any more: its flow is lost.
    pub(crate) fn is_without_flow(&self) -> bool {
        matches!(&self.state, State::Ringing(ringing) if ringing.is_without_flow())
    }

    /// True once its end was told: it counts no more among the calls of its account.
    pub(crate) fn is_over(&self) -> bool {
        self.line.is_over()
    }

    /// True for a call that came in and is not answered.
    pub(crate) fn is_ringing(&self) -> bool {
        matches!(self.state, State::Ringing(_))
    }

    /// True for a call with a 2xx.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.state, State::Answered(..))
    }

    /// True for a call whose session can be changed.
    pub(crate) fn is_talking(&self) -> bool {
        matches!(self.state, State::Answered(Stage::Talking, _))
    }

    /// True for a call whose session can be changed, while so many requests in it have no final response, or no flow to
    /// go out by, that no more are taken.
    pub(crate) fn is_crowded(&self) -> bool {
        matches!(&self.state, State::Answered(Stage::Talking, usage) if usage.is_crowded())
    }

    /// True while a person is asked for credentials.
    pub(crate) fn awaits_person(&self) -> bool {
        match &self.state {
            State::Inviting(inviting) => inviting.awaits_person(),
            State::Answered(_, usage) => usage.awaits_person(),
            State::Cancelling(_) | State::Ringing(_) | State::Over => false,
        }
    }

    /// When something is due, transactions apart.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let own = match &self.state {
            State::Inviting(inviting) => inviting.deadline(),
            State::Ringing(ringing) => ringing.deadline(),
            State::Answered(_, usage) => usage.deadline(),
            State::Cancelling(_) | State::Over => None,
        };
        let late = self.lingering.as_ref().map(|late| late.deadline());
        Deadline::earlier(own, Deadline::earlier(late, self.line.deadline()))
    }

    /// True if that is the address of who speaks next in the dialog: its first route, without one the peer itself
    /// (decision 43).
    pub(crate) fn may_speak(&self, peer: IpAddr) -> bool {
        let dialog = match &self.state {
            State::Ringing(ringing) => ringing.dialog(),
            State::Answered(_, usage) => &usage.dialog,
            State::Inviting(_) | State::Cancelling(_) | State::Over => return false,
        };
        Uri::parse(dialog.next_hop()).ok().and_then(|uri| uri.host().ip()) == Some(peer)
    }

    /// Tells the caller that it rings, or with `early` describes the session before the answer.
    ///
    /// # Errors
    /// [`Misuse::WrongState`]: it does not ring, or cannot say that now.
    pub(crate) fn alert(&mut self, early: bool, at: LinkContext<'_, '_>) -> Result<(), Misuse> {
        let mut cc = CallContext { line: &mut self.line, at };
        match &mut self.state {
            State::Ringing(ringing) => ringing.alert(early, &mut cc),
            _ => Err(Misuse::WrongState),
        }
    }

    /// Answers a call that came in. `waits`: the account signs in again, and may bring the link another flow in place of
    /// one that is lost.
    pub(crate) fn answer(self, waits: bool, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| match state {
            State::Ringing(ringing) => match after_ring(ringing.answer(cc), cc) {
                Next::Stays(state @ State::Ringing(_)) if cc.line.is_up() && !cc.has_flow() => {
                    state.seek_flow(waits, lingering, cc)
                }
                next => next,
            },
            other => Next::Stays(other),
        })
    }

    /// Refuses a call that came in, or redirects it.
    pub(crate) fn reject(self, rejection: &Rejection, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| match state {
            State::Ringing(ringing) => {
                ringing.reject(rejection, cc);
                let why = EndReason::of_status(rejection.status);
                cc.tell_end(CallEnd { status: Some(rejection.status), ..CallEnd::ours(why) });
                Next::Finished
            }
            other => Next::Stays(other),
        })
    }

    /// Ends it, whatever state it is in.
    pub(crate) fn hang_up(self, end: CallEnd, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| state.hang_up(end, cc))
    }

    /// Holds the call, or takes it up again.
    pub(crate) fn hold(self, hold: bool, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| {
            feed_usage(state, cc, |usage, cc| {
                usage.change(Change::Hold(hold), cc);
                Verdict::Stays
            })
        })
    }

    /// Sends INFO.
    pub(crate) fn inform(self, info: InfoBody, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| {
            feed_usage(state, cc, |usage, cc| {
                usage.inform(info, cc);
                Verdict::Stays
            })
        })
    }

    /// A 1xx; `verdict` is what its signature proved.
    pub(crate) fn handle_provisional(
        self,
        tx: TxId,
        response: &Message,
        verdict: SignatureVerdict,
        at: LinkContext<'_, '_>,
    ) -> Step {
        self.step(at, |state, lingering, cc| match state {
            State::Inviting(mut inviting) => {
                inviting.handle_provisional(tx, response, verdict, cc);
                after_invite(inviting.after(Verdict::Stays, cc), lingering, cc)
            }
            other => Next::Stays(other),
        })
    }

    /// A final response, judged and fed.
    pub(crate) fn handle_final(self, tx: TxId, response: Verified, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| {
            let response = match lingering.as_mut() {
                Some(late) => late.handle_final(tx, response, cc),
                None => Some(response),
            };
            match (state, response) {
                (state, None) => Next::Stays(state),
                (State::Inviting(inviting), Some(response)) => {
                    after_invite(inviting.handle_final(tx, response, cc), lingering, cc)
                }
                (State::Cancelling(inviting), Some(response)) => {
                    after_cancelled(inviting.handle_last(tx, response, cc), lingering, cc)
                }
                (other, Some(response)) => {
                    feed_usage(other, cc, |usage, cc| usage.handle_final(tx, response, cc))
                }
            }
        })
    }

    /// A further 2xx to an INVITE: signed again, or of another fork.
    pub(crate) fn handle_success_again(self, tx: TxId, success: &Message, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |mut state, lingering, cc| {
            match state.usage().filter(|usage| usage.knows_success(tx, success)) {
                Some(usage) => usage.handle_success_again(cc),
                None => {
                    if let Some(late) = lingering {
                        late.handle_success(tx, success, cc);
                    }
                }
            }
            Next::Stays(state)
        })
    }

    /// A copy of a 2xx, octet for octet: it gets the ACK that was stored.
    pub(crate) fn handle_copied_success(self, tx: TxId, success: &Message, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |mut state, lingering, cc| {
            let is_late_forks = lingering.as_ref().is_some_and(|late| late.handle_copy(tx, success, cc));
            let usage = state.usage().filter(|usage| !is_late_forks && usage.knows_success(tx, success));
            match usage {
                Some(usage) => usage.handle_copied_success(cc),
                None if is_late_forks => {}
                // The dialog that won is over already: its ACK is made again.
                None => {
                    if let Some(late) = lingering {
                        late.handle_success(tx, success, cc);
                    }
                }
            }
            Next::Stays(state)
        })
    }

    /// A transaction had no answer in time.
    pub(crate) fn handle_timeout(self, tx: TxId, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| {
            if let Some(late_fork) = lingering.as_mut().and_then(|late| late.late_fork_of(tx)) {
                let _it_is_over = late_fork.handle_timeout(tx, cc);
                return Next::Stays(state);
            }
            match state {
                State::Inviting(inviting) => after_invite(inviting.handle_timeout(tx, cc), lingering, cc),
                State::Cancelling(inviting) => {
                    after_cancelled(inviting.handle_timeout(tx, cc), lingering, cc)
                }
                other => feed_usage(other, cc, |usage, cc| usage.handle_timeout(tx, cc)),
            }
        })
    }

    /// Nothing was heard of an INVITE for as long as timer C.
    pub(crate) fn handle_cancel_due(self, at: LinkContext<'_, '_>) -> Step {
        let end = CallEnd::of(EndedBy::Network, EndReason::NoAnswer);
        self.step(at, |state, _, cc| match state {
            State::Inviting(_) => state.hang_up(end, cc),
            other => Next::Stays(other),
        })
    }

    /// A request inside one of its dialogs that nothing is objected to, in a transaction of its own.
    pub(crate) fn handle_request(self, tx: TxId, request: &Message, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| match state {
            State::Inviting(inviting) => {
                after_invite(inviting.handle_request(tx, request, cc), lingering, cc)
            }
            State::Ringing(ringing) if ringing.dialog().has_sent(request) => {
                after_ring(ringing.handle_request(tx, request, cc), cc)
            }
            State::Answered(Stage::Leaving, usage) if usage.dialog.has_sent(request) => {
                let status = if request.method() == Some(Method::Bye) { 200 } else { 481 };
                cc.answer(tx, request, status);
                Next::Stays(State::Answered(Stage::Leaving, usage))
            }
            State::Answered(stage, usage) if usage.dialog.has_sent(request) => {
                let state = State::Answered(stage, usage);
                feed_usage(state, cc, |usage, cc| usage.handle_request(tx, request, cc))
            }
            other => {
                cc.answer(tx, request, 481);
                Next::Stays(other)
            }
        })
    }

    /// An ACK for a 2xx of this side.
    pub(crate) fn handle_ack(self, ack: &Message, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| match state {
            State::Answered(stage, mut usage) if usage.dialog.has_sent(ack) => {
                let verdict = usage.handle_ack(ack, cc).unwrap_or(Verdict::Stays);
                after_usage(verdict, stage, usage, cc)
            }
            other => Next::Stays(other),
        })
    }

    /// The caller cancels: the INVITE that founded the call, or one inside its dialog. `of`: its transaction, if it is
    /// still there.
    pub(crate) fn handle_cancel(self, of: Option<TxId>, cancel: &Message, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| match (state, of) {
            (State::Ringing(ringing), of) if of.is_none_or(|tx| ringing.is_of(tx)) => {
                let end = ringing.handle_cancel(cancel, cc);
                cc.tell_end(end);
                Next::Finished
            }
            (state, Some(tx)) => feed_usage(state, cc, |usage, cc| {
                usage.handle_cancel(tx, cc);
                Verdict::Stays
            }),
            (state, None) => Next::Stays(state),
        })
    }

    /// The world's answer to a question of it.
    pub(crate) fn handle_answer(self, id: AskId, answer: Answer, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| match (state, answer) {
            (State::Inviting(inviting), Answer::Described(given)) => {
                after_invite(inviting.handle_described(id, given, cc), lingering, cc)
            }
            (State::Inviting(inviting), Answer::Credentials(given)) => {
                after_invite(inviting.handle_credentials(id, given, cc), lingering, cc)
            }
            (State::Ringing(ringing), Answer::Described(given)) => {
                after_ring(ringing.handle_described(id, given, cc), cc)
            }
            (other, Answer::Described(given)) => {
                feed_usage(other, cc, |usage, cc| usage.handle_described(id, given, cc))
            }
            (other, Answer::Credentials(given)) => {
                let late_fork = lingering.as_mut().and_then(|late| late.late_fork_that_asked(id));
                match late_fork {
                    Some(late_fork) => {
                        let _it_is_over = late_fork.handle_credentials(id, given, cc);
                        Next::Stays(other)
                    }
                    None => feed_usage(other, cc, |usage, cc| usage.handle_credentials(id, given, cc)),
                }
            }
            (state, Answer::Resolved(records)) => {
                let sought = cc.handle_resolved(id, records);
                state.after_search(sought, lingering, cc)
            }
            (other, Answer::Redirect(_)) => Next::Stays(other),
        })
    }

    /// Whether the association came that its requests wait for.
    pub(crate) fn handle_news(self, granted: bool, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| {
            if let Some(late) = lingering {
                late.handle_news(granted, cc);
            }
            match state {
                State::Inviting(inviting) => after_invite(inviting.handle_news(granted, cc), lingering, cc),
                other => feed_usage(other, cc, |usage, cc| usage.handle_news(granted, cc)),
            }
        })
    }

    /// Nothing renews the association that its requests wait for: one of them makes the handshake (decision 39).
    pub(crate) fn handshake(self, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| match state {
            State::Inviting(inviting) if inviting.awaits_association() => {
                after_invite(inviting.handshake(cc), lingering, cc)
            }
            state => match lingering.as_mut().filter(|late| late.awaits_association()) {
                Some(late) => {
                    late.handshake(cc);
                    Next::Stays(state)
                }
                None => feed_usage(state, cc, |usage, cc| usage.handshake(cc)),
            },
        })
    }

    /// True while a request of it waits for an association of its link.
    pub(crate) fn awaits_association(&self) -> bool {
        self.state.awaits_association()
            || self.lingering.as_ref().is_some_and(|late| late.awaits_association())
    }

    /// True while a request of it makes the handshake for its link.
    pub(crate) fn is_establishing(&self) -> bool {
        self.state.is_establishing() || self.lingering.as_ref().is_some_and(|late| late.is_establishing())
    }

    /// Does what is due.
    pub(crate) fn handle_deadline(self, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| {
            if let Some(late) = lingering.take_if(|late| late.is_over(cc)) {
                late.abandon(cc);
            }
            if cc.line.deadline().is_some_and(|due| cc.at.cx.now.reached(due.at)) {
                if cc.line.is_seeking() {
                    let sought = cc.handle_search_deadline();
                    return state.after_search(sought, lingering, cc);
                }
                return if cc.line.awaits_login() {
                    state.dial(lingering, cc)
                } else {
                    state.end_without_flow(cc)
                };
            }
            match state {
                State::Inviting(inviting) if inviting.is_overdue(cc) => {
                    let end = CallEnd::of(EndedBy::Rule, EndReason::NoAnswer);
                    State::Inviting(inviting).hang_up(end, cc)
                }
                State::Inviting(inviting) => after_invite(inviting.handle_deadline(cc), lingering, cc),
                State::Ringing(ringing) => after_ring(ringing.handle_deadline(cc), cc),
                other => feed_usage(other, cc, InviteUsage::handle_deadline),
            }
        })
    }

    /// A flow stands.
    pub(crate) fn handle_connected(self, flow: FlowId, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| {
            let is_ours = cc.handle_connected(flow);
            if is_ours { state.regain_line(lingering, cc) } else { Next::Stays(state) }
        })
    }

    /// The account signed in. At the server of this call, its link may have another flow; at another, a line that waited
    /// for this one opens a flow itself (decision 39).
    pub(crate) fn handle_login(self, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, lingering, cc| match cc.has_new_flow() {
            true => state.change_flow(lingering, cc),
            false if cc.line.awaits_login() => state.dial(lingering, cc),
            false if cc.line.is_moved => refresh_target(state, cc),
            false => Next::Stays(state),
        })
    }

    /// The server sees this side at another address than before. `waits`: the registration tells it first.
    pub(crate) fn handle_moved(self, waits: bool, at: LinkContext<'_, '_>) -> Step {
        self.step(at, |state, _, cc| {
            cc.line.is_moved = true;
            if waits { Next::Stays(state) } else { refresh_target(state, cc) }
        })
    }

    /// A flow is gone. `waits`: the account signs in again, and may bring the link another.
    pub(crate) fn handle_lost(self, lost: &LostFlow, waits: bool, at: LinkContext<'_, '_>) -> Step {
        let flow = lost.flow;
        self.step(at, |state, lingering, cc| {
            if cc.line.is_seeking() {
                let sought = cc.handle_search_lost(flow, lost.why.clone());
                return state.after_search(sought, lingering, cc);
            }
            if cc.line.dials() == Some(flow) {
                return state.end_without_flow(cc);
            }
            if flow != cc.line.flow || !cc.line.is_up() {
                return Next::Stays(state);
            }
            state.lose_line(waits, lingering, cc)
        })
    }

    /// Takes everything back without a word to the peer, because its account is removed.
    pub(crate) fn abandon(self, at: LinkContext<'_, '_>) -> Box<Line> {
        let Self { mut line, state, lingering } = self;
        let mut cc = CallContext { line: &mut line, at };
        if let Some(late) = lingering {
            late.abandon(&mut cc);
        }
        state.abandon(&mut cc);
        cc.tell_end(CallEnd::ours(EndReason::HungUp));
        cc.let_go();
        Box::new(line)
    }

    fn step(
        self,
        at: LinkContext<'_, '_>,
        act: impl FnOnce(State, &mut Option<Box<Lingering>>, &mut CallContext<'_, '_, '_>) -> Next,
    ) -> Step {
        let was_establishing = self.is_establishing();
        let Self { mut line, state, mut lingering } = self;
        let mut cc = CallContext { line: &mut line, at };
        let next = act(state, &mut lingering, &mut cc).rest(&mut lingering, &mut cc);
        if matches!(next, Next::Locate(_) | Next::Finished) {
            cc.let_go();
        }
        let late_is = lingering.as_ref().is_some_and(|late| late.is_establishing());
        if was_establishing && !late_is && !next.is_establishing() {
            line.handshake.get_or_insert(Handshake::GivenUp);
        }
        let late_needs = lingering.as_mut().is_some_and(|late| late.take_association_wish());
        match next {
            Next::Stays(state) if late_needs => {
                Step::NeedsAssociation(Box::new(Self { line, state, lingering }))
            }
            Next::Stays(state) => Step::Stays(Box::new(Self { line, state, lingering })),
            Next::NeedsAssociation(state) => {
                Step::NeedsAssociation(Box::new(Self { line, state, lingering }))
            }
            Next::Locate(plan) => Step::Locate(Box::new(line), Box::new(plan)),
            Next::Finished => Step::Ends(Box::new(line)),
        }
    }
}
