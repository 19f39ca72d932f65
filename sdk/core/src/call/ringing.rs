//! A call that came in and is not answered: it is told, rings, and is answered, refused, redirected or cancelled
//! (RFC 3261 section 13.3; RFC 3262).

use std::time::Duration;

use homing_wire::RAck;
use homing_wire::{Builder, Message, Method, Name, reason_phrase};

use super::exchange::Field;
use super::line::{Asked, CallContext};
use super::repeated::{Growth, Repeated};
use super::usage::{InviteUsage, Success, Verdict, not_acceptable};
use crate::account::random::WaitPurpose;
use crate::call_event::{CallEnd, EndReason, EndedBy};
use crate::config::ReliableRule;
use crate::description::{Description, DescriptionRefusal, Turn};
use crate::dialog::{Dialog, DialogName};
use crate::error::Misuse;
use crate::ids::{AskId, TxId};
use crate::time::{Deadline, Moment, Why};
use crate::uas::Refusal;

/// A call without an answer.
pub(crate) struct Ringing {
    usage: InviteUsage,
    invite: Message,
    /// The INVITE's transaction; none once its flow is lost.
    tx: Option<TxId>,
    offer: Option<Description>,
    /// When it has rung for long enough.
    until: Moment,
    alert: Alert,
    asked: Option<(Asked, Wish)>,
    /// The reliable response that waits for its PRACK.
    unacknowledged: Option<Box<Repeated>>,
    /// The number of the INVITE, if such a response went with its flow. Its PRACK may still come by another.
    unheard: Option<u32>,
    rseq: Option<u32>,
    /// What a response without acknowledgement described: the 2xx says the same.
    preview: Option<Description>,
    /// The application answered, and the 2xx waits for a PRACK.
    is_answering: bool,
}

/// What a caller hears before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alert {
    /// 100 at most.
    Silent,
    /// This provisional response, again at that moment.
    Sent { status: u16, again: Moment },
}

/// What a description is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// A provisional response with this status.
    Early(u16),
    /// The 2xx.
    Answer,
}

/// What becomes of it after an input.
pub(crate) enum RingStep {
    /// It goes on.
    Stays(Box<Ringing>),
    /// The 2xx left.
    Answered(Box<InviteUsage>),
    /// It is over; the INVITE has its final response, if its flow is still there.
    Ended(CallEnd),
}

/// How a call that came in is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    /// For Reason (RFC 3326) or Contact (302); empty for none.
    pub(crate) text: String,
}

impl Ringing {
    /// An INVITE that nothing is objected to.
    pub(crate) fn start(
        usage: InviteUsage,
        invite: &Message,
        tx: TxId,
        offer: Option<Description>,
        cc: &CallContext<'_, '_, '_>,
    ) -> Self {
        let until = cc.at.cx.now.after(cc.at.account.config.call_rules().ring_for);
        let mut this = Self {
            usage,
            invite: invite.clone().into_exact(),
            tx: Some(tx),
            offer,
            until,
            alert: Alert::Silent,
            asked: None,
            unacknowledged: None,
            unheard: None,
            rseq: None,
            preview: None,
            is_answering: false,
        };
        if this.offer.is_some() {
            let _is_free = this.usage.media.take_offer();
        }
        this
    }

    /// Its early dialog.
    pub(crate) fn dialog(&self) -> &Dialog {
        &self.usage.dialog
    }

    /// Under what a CANCEL finds it whose INVITE's transaction went with its flow.
    pub(crate) fn ring_name(&self) -> Option<DialogName> {
        let tag = self.invite.from().ok()?;
        Some(DialogName::new(self.invite.call_id().ok()?, tag.tag().unwrap_or_default()))
    }

    /// True if that is its INVITE's transaction.
    pub(crate) fn is_of(&self, tx: TxId) -> bool {
        self.tx == Some(tx)
    }

    /// As it came.
    pub(crate) fn invite(&self) -> &Message {
        &self.invite
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let ring = Some(Deadline::new(self.until, Why::RingOverdue));
        let again = match self.alert {
            Alert::Sent { again, .. } => Some(Deadline::new(again, Why::StillRinging)),
            Alert::Silent => None,
        };
        let asked = self.asked.map(|(asked, _)| Deadline::new(asked.until, Why::QuestionOverdue));
        let reliable = self.unacknowledged.as_ref().map(|one| one.deadline());
        [again, asked, reliable, self.usage.deadline()].into_iter().fold(ring, Deadline::earlier)
    }

    /// Tells the caller that it rings, or, with `early`, describes the session before the answer.
    ///
    /// # Errors
    /// [`Misuse::WrongState`]: it is being answered, or described early, or its connection is lost.
    pub(crate) fn alert(&mut self, early: bool, cc: &mut CallContext<'_, '_, '_>) -> Result<(), Misuse> {
        if self.is_answering || self.asked.is_some() || self.tx.is_none() {
            return Err(Misuse::WrongState);
        }
        let status = if early { 183 } else { 180 };
        // The first reliable response to an INVITE without an offer carries ours (RFC 3261 section 13.2.1).
        let must_offer = self.is_reliable(cc) && self.offer.is_none() && self.rseq.is_none();
        if early && self.is_described() {
            return Err(Misuse::WrongState);
        }
        if early && self.offer.is_none() && !self.is_reliable(cc) {
            return Err(Misuse::WrongState);
        }
        if early || must_offer {
            let wish = Wish::Early(status);
            self.asked = Some((self.ask(cc), wish));
            return Ok(());
        }
        self.provide(status, None, cc);
        Ok(())
    }

    /// The application answers; once is enough.
    pub(crate) fn answer(mut self, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        if std::mem::replace(&mut self.is_answering, true) {
            return RingStep::Stays(Box::new(self));
        }
        if let Some((_, wish)) = &mut self.asked {
            *wish = Wish::Answer;
            return RingStep::Stays(Box::new(self));
        }
        self.go_on(cc)
    }

    /// Refuses the call, or redirects it.
    pub(crate) fn reject(self, rejection: &Rejection, cc: &mut CallContext<'_, '_, '_>) {
        let Rejection { status, text } = rejection;
        let response = Builder::reply_to(&self.invite, *status, reason_phrase(*status));
        let response = match (status, text.is_empty()) {
            (302, _) => response.header(Name::Contact, format_args!("<{text}>")),
            (_, true) => response,
            (_, false) => response.header(Name::Reason, text),
        };
        self.close(response, cc);
    }

    /// The caller cancels its INVITE.
    pub(crate) fn handle_cancel(self, cancel: &Message, cc: &mut CallContext<'_, '_, '_>) -> CallEnd {
        let response = Builder::reply_to(&self.invite, 487, reason_phrase(487));
        self.close(response, cc);
        CallEnd::by_request(cancel, EndReason::Cancelled)
    }

    /// A request of the peer in the early dialog that nothing is objected to.
    pub(crate) fn handle_request(
        mut self,
        tx: TxId,
        request: &Message,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> RingStep {
        if request.method() == Some(Method::Prack) {
            return self.handle_prack(tx, request, cc);
        }
        if request.method() == Some(Method::Invite) {
            // The first INVITE has no final response yet (RFC 3261 section 14.2).
            let seconds = 1 + u32::try_from(cc.at.cx.spread(WaitPurpose::Glare, 10)).unwrap_or(0);
            self.usage.refuse(tx, request, Refusal::not_now(seconds), cc);
            return RingStep::Stays(Box::new(self));
        }
        match self.usage.handle_request(tx, request, cc) {
            Verdict::Stays => RingStep::Stays(Box::new(self)),
            Verdict::HangsUp(end) | Verdict::Ends(end) => {
                let response = Builder::reply_to(&self.invite, 487, reason_phrase(487));
                self.close(response, cc);
                RingStep::Ended(CallEnd { why: EndReason::Cancelled, ..end })
            }
        }
    }

    fn handle_prack(mut self, tx: TxId, prack: &Message, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        let rack = prack.get::<RAck<'_>>().ok().flatten();
        let is_it = rack.is_some_and(|rack| {
            let seq = self.unacknowledged.as_ref().map(|one| one.seq).or(self.unheard);
            Some(rack.rseq) == self.rseq && Some(rack.seq) == seq && rack.method == Method::Invite
        });
        if self.usage.dialog.accept(prack).is_err() {
            self.usage.refuse(tx, prack, Refusal::new(500, "its CSeq is no later than one before"), cc);
            return RingStep::Stays(Box::new(self));
        }
        if !is_it {
            self.usage.refuse(tx, prack, Refusal::new(481, ""), cc);
            return RingStep::Stays(Box::new(self));
        }
        self.unacknowledged = None;
        if self.unheard.take().is_some()
            && let Some(heard) = self.preview.take()
        {
            self.describe(&heard, true, cc);
        }
        match self.usage.handle_prack(tx, prack, cc) {
            Verdict::Stays => self.after(cc),
            Verdict::HangsUp(end) | Verdict::Ends(end) => RingStep::Ended(end),
        }
    }

    /// The world described the session, or refused to.
    pub(crate) fn handle_described(
        mut self,
        id: AskId,
        given: Result<Description, DescriptionRefusal>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> RingStep {
        let Some((_, wish)) = self.asked.take_if(|(asked, _)| asked.id == id) else {
            let verdict = self.usage.handle_described(id, given, cc);
            return match verdict {
                Verdict::Stays => self.after(cc),
                Verdict::HangsUp(end) | Verdict::Ends(end) => RingStep::Ended(end),
            };
        };
        match (given, wish) {
            (Ok(body), Wish::Answer) => self.succeed(Some(body), cc),
            (Ok(body), Wish::Early(status)) => {
                self.provide(status, Some(body), cc);
                RingStep::Stays(Box::new(self))
            }
            (Err(refusal), Wish::Answer | Wish::Early(_)) => {
                let response = not_acceptable(&self.invite, &refusal);
                self.close(response, cc);
                RingStep::Ended(CallEnd {
                    status: Some(488),
                    ..CallEnd::of(EndedBy::Us, EndReason::NotAcceptable)
                })
            }
        }
    }

    /// Does what is due.
    pub(crate) fn handle_deadline(mut self, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        let now = cc.at.cx.now;
        if now.reached(self.until) {
            let response = Builder::reply_to(&self.invite, 480, reason_phrase(480));
            self.close(response, cc);
            return RingStep::Ended(CallEnd {
                status: Some(480),
                ..CallEnd::of(EndedBy::Rule, EndReason::NoAnswer)
            });
        }
        if let Some((asked, _)) = self.asked.filter(|(asked, _)| now.reached(asked.until)) {
            cc.at.cx.forget(asked.id);
            return self.handle_described(asked.id, Err(DescriptionRefusal::unanswered()), cc);
        }
        if self.unacknowledged.as_ref().is_some_and(|one| one.is_overdue(now)) {
            // RFC 3262 section 3: the INVITE is refused with a 5xx.
            let response = Builder::reply_to(&self.invite, 504, reason_phrase(504));
            self.close(response, cc);
            return RingStep::Ended(CallEnd {
                status: Some(504),
                ..CallEnd::of(EndedBy::Network, EndReason::NotAcknowledged)
            });
        }
        if let Some(one) = &mut self.unacknowledged {
            one.handle_deadline(cc);
        }
        match self.alert {
            Alert::Sent { status, again } if now.reached(again) => self.provide(status, None, cc),
            Alert::Sent { .. } | Alert::Silent => {}
        }
        match self.usage.handle_deadline(cc) {
            Verdict::Stays => RingStep::Stays(Box::new(self)),
            Verdict::HangsUp(end) | Verdict::Ends(end) => RingStep::Ended(end),
        }
    }

    /// The flow is lost, and with it the INVITE's transaction. It rings on: the server keeps its branch (decision 41), so
    /// that a CANCEL may come over another flow, and an answer may go out there.
    pub(crate) fn lose_line(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        self.tx = None;
        if let Some(lost) = self.unacknowledged.take() {
            self.unheard = Some(lost.seq);
            // Whether the caller has it is not known: the 2xx says the same.
            if let Some(description) = lost.description() {
                self.usage.media.reopen(self.offer.is_some());
                self.preview = Some(description);
            }
        }
        self.alert = Alert::Silent;
        if let Some((asked, _)) = self.asked.take() {
            cc.at.cx.forget(asked.id);
        }
        self.usage.lose_line(cc);
    }

    /// There is another flow: an answer that waited for it goes out.
    pub(crate) fn regain_line(self, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        self.after(cc)
    }

    /// True once the application answered it.
    pub(crate) fn is_answering(&self) -> bool {
        self.is_answering
    }

    /// True once its INVITE's transaction is lost.
    pub(crate) fn is_without_flow(&self) -> bool {
        self.tx.is_none()
    }

    /// Takes everything back without a word.
    pub(crate) fn abandon(self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(tx) = self.tx {
            cc.at.cx.transactions.abandon(tx);
        }
        if let Some((asked, _)) = self.asked {
            cc.at.cx.forget(asked.id);
        }
        self.usage.abandon(cc);
    }

    fn after(self, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        if self.is_answering && self.asked.is_none() {
            self.go_on(cc)
        } else {
            RingStep::Stays(Box::new(self))
        }
    }

    /// The 2xx, as soon as nothing stands in its way (RFC 3262 section 3: an acknowledgement for what was described).
    fn go_on(mut self, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        let waits = self.unacknowledged.as_ref().is_some_and(|one| one.has_body());
        if waits || self.usage.media.awaits_answer() {
            return RingStep::Stays(Box::new(self));
        }
        if self.usage.media.agreed().is_some() {
            return self.succeed(None, cc);
        }
        if let Some(preview) = self.preview.clone() {
            return self.succeed(Some(preview), cc);
        }
        self.asked = Some((self.ask(cc), Wish::Answer));
        RingStep::Stays(Box::new(self))
    }

    fn succeed(mut self, body: Option<Description>, cc: &mut CallContext<'_, '_, '_>) -> RingStep {
        if self.tx.is_none() && !cc.has_flow() {
            self.preview = body.or(self.preview);
            return RingStep::Stays(Box::new(self));
        }
        match &body {
            Some(answer) if self.usage.media.owes_answer() => {
                self.usage.media.answer(answer.clone());
                if let Some(offer) = &self.offer {
                    self.usage.note_hold(offer, cc);
                }
            }
            Some(offer) => {
                let _is_free = self.usage.media.offer(offer.clone());
            }
            None => {}
        }
        let granted = self.usage.wish().grant(&self.invite, cc.at.cx.now).ok().flatten();
        let mut lines: Vec<Field> = Vec::new();
        if let Some(granted) = granted {
            self.usage.set_timer(Some(granted.timer));
            lines = granted.lines;
        }
        self.usage.succeed(self.tx, &self.invite, Success { body, lines }, cc);
        RingStep::Answered(Box::new(self.usage))
    }

    /// A provisional response, reliable where the caller requires that, or can do it and the account prefers it.
    fn provide(&mut self, status: u16, body: Option<Description>, cc: &mut CallContext<'_, '_, '_>) {
        let Some(tx) = self.tx else { return };
        self.alert = Alert::Sent { status, again: cc.at.cx.now.after(AGAIN) };
        let response = Builder::reply_to(&self.invite, status, reason_phrase(status))
            .to_tag(self.usage.dialog.local_tag())
            .copy_from(&self.invite, Name::RecordRoute);
        let response = cc.introduce(response);
        let is_reliable = self.is_reliable(cc) && self.unacknowledged.is_none();
        let response = if is_reliable {
            let rseq = self.rseq.map_or_else(|| cc.at.cx.random.rseq(), |rseq| rseq.saturating_add(1));
            self.rseq = Some(rseq);
            response.header(Name::Require, "100rel").header(Name::RSeq, rseq)
        } else {
            response
        };
        if let Some(body) = &body {
            self.describe(body, is_reliable, cc);
        }
        let body = body.or_else(|| self.preview.clone().filter(|_| !is_reliable));
        let response = match body {
            Some(body) => response.body(&body.content_type, &body.body).message(),
            None => response.message(),
        };
        let bytes = cc.respond(tx, response.clone());
        if is_reliable {
            self.unacknowledged = Some(Box::new(Repeated::new(response, bytes, Growth::Unbounded, cc)));
        }
    }

    /// What a provisional response describes: it counts as answer or offer where it is acknowledged.
    fn describe(&mut self, body: &Description, is_reliable: bool, cc: &mut CallContext<'_, '_, '_>) {
        match (&self.offer, is_reliable) {
            (Some(offer), true) => {
                let offer = offer.clone();
                self.usage.media.answer(body.clone());
                self.usage.note_hold(&offer, cc);
            }
            (None, true) => {
                let _is_free = self.usage.media.offer(body.clone());
            }
            (_, false) => self.preview = Some(body.clone()),
        }
    }

    fn ask(&self, cc: &mut CallContext<'_, '_, '_>) -> Asked {
        let open = self.offer.clone().filter(|_| self.usage.media.owes_answer());
        cc.ask(0, open.map_or(Turn::Offer, Turn::Answer), false)
    }

    fn is_described(&self) -> bool {
        self.preview.is_some() || self.usage.media.agreed().is_some() || self.usage.media.awaits_answer()
    }

    fn is_reliable(&self, cc: &CallContext<'_, '_, '_>) -> bool {
        let prefers = cc.at.account.config.call_rules().reliable == ReliableRule::Supported;
        self.invite.has_token(Name::Require, "100rel")
            || prefers && self.invite.has_token(Name::Supported, "100rel")
    }

    /// The final response that is no 2xx; what waits is given up.
    fn close(mut self, response: Builder, cc: &mut CallContext<'_, '_, '_>) {
        if let Some((asked, _)) = self.asked.take() {
            cc.at.cx.forget(asked.id);
        }
        let response = response.to_tag(self.usage.dialog.local_tag()).message();
        match self.tx {
            Some(tx) => {
                cc.respond(tx, response);
            }
            None => cc.respond_over_new_flow(response),
        }
        self.usage.abandon(cc);
    }
}

/// RFC 3261 section 13.3.1.1: a provisional response every minute.
const AGAIN: Duration = Duration::from_secs(60);
