//! A call that is being placed: its INVITE from the first offer to the final response, with challenges, redirects, forks
//! and a lost flow in between (RFC 3261 section 13.2).
//!
//! ```text
//!  Describing ──offer──► Sent ──2xx──► answered
//!                        │ ▲ │
//!                401, 407│ │ └─ 300 to 699: followed, or the end
//!                        ▼ │
//!        AwaitingCredentials, AwaitingAssociation        Ready: the flow is lost, it goes once more
//! ```

use homing_wire::Message;

use super::challenged::{self, Demand, Place};
use super::early::Early;
use super::line::{Asked, CallContext, Sent};
use super::negotiation::Negotiation;
use super::plan::Plan;
use super::usage::{Fork, InviteUsage, Role, Verdict};
use crate::account::acceptance::SignatureVerdict;
use crate::account::answerer::Answerer;
use crate::account::request_head::Sequence;
use crate::account::server_link::{Proof, Verified};
use crate::call_event::{CallEnd, CallEvent, EndReason, EndedBy};
use crate::call_request::FirstOffer;
use crate::counter::Counter;
use crate::description::{Description, DescriptionRefusal, Turn};
use crate::dialog::{Dialog, DialogName};
use crate::error::Misuse;
use crate::ids::{AskId, TxId};
use crate::outbox::Credentials;
use crate::request::Redirector;
use crate::time::{Deadline, Why};

/// A call without a final response.
pub(crate) struct Inviting {
    plan: Plan,
    sequence: Sequence,
    phase: Phase,
    forks: Vec<Early>,
}

/// What it waits for.
enum Phase {
    /// The first offer, of the world.
    Describing(Asked),
    /// Another flow, to go out over.
    Ready,
    /// The final response.
    Sent(Box<Sent>, Answerer),
    /// Credentials for a challenge, which is the answer if there are none.
    AwaitingCredentials(Answerer, Box<Message>),
    /// A new association of its link.
    AwaitingAssociation(Answerer, Box<Message>),
}

/// What becomes of it after an input.
pub(crate) enum InviteStep {
    /// It goes on.
    Stays(Inviting),
    /// It goes on once its link has a new association.
    NeedsAssociation(Inviting),
    /// It goes on at the server of its Request-URI, which is to be looked for.
    Locate(Plan),
    /// A 2xx came.
    Answered(Box<Answered>),
    /// It is over.
    Failed(CallEnd),
}

/// A call that somebody answered.
pub(crate) struct Answered {
    /// The dialog that won.
    pub(crate) usage: InviteUsage,
    /// The INVITE.
    pub(crate) sent: Sent,
    /// The 2xx.
    pub(crate) response: Message,
    /// What the fork described before without acknowledgement.
    pub(crate) preview: Option<Description>,
    /// False if its Contact or route cannot be used: it is hung up at once.
    pub(crate) is_usable: bool,
    /// The highest number of a request in any of its dialogs.
    pub(crate) last_seq: u32,
}

impl Inviting {
    /// Asks the world for the offer, or sends the INVITE without one.
    pub(crate) fn start(plan: Plan, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        let sequence = Sequence::new(cc.at.cx.random);
        let waits = plan.offer.is_none() && plan.request.first_offer == FirstOffer::Caller;
        let this = Self { plan, sequence, phase: Phase::Ready, forks: Vec::new() };
        if waits {
            let phase = Phase::Describing(cc.ask(0, Turn::Offer, false));
            return InviteStep::Stays(Self { phase, ..this });
        }
        this.send(Answerer::new(), Proof::Current, cc)
    }

    /// Its dialogs' name, and the tag its responses carry in From.
    pub(crate) fn name(&self) -> DialogName {
        DialogName::new(self.sequence.call_id(), self.sequence.caller_tag())
    }

    /// The From tag of what it sends.
    pub(crate) fn caller_tag(&self) -> &str {
        self.sequence.caller_tag()
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let ring = Some(Deadline::new(self.plan.until, Why::RingOverdue));
        let own = match &self.phase {
            Phase::Describing(asked) => {
                Deadline::earlier(ring, Some(Deadline::new(asked.until, Why::QuestionOverdue)))
            }
            _ => ring,
        };
        self.forks.iter().fold(own, |least, early| Deadline::earlier(least, early.usage.deadline()))
    }

    /// True while a person is asked for credentials.
    pub(crate) fn awaits_person(&self) -> bool {
        matches!(self.phase, Phase::AwaitingCredentials(..))
    }

    /// A request of the peer in one of the early dialogs.
    pub(crate) fn handle_request(
        mut self,
        tx: TxId,
        request: &Message,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        let verdict = match self.usages().find(|usage| usage.dialog.has_sent(request)) {
            Some(usage) => usage.handle_request(tx, request, cc),
            None => {
                cc.answer(tx, request, 481);
                Verdict::Stays
            }
        };
        self.after(verdict, cc)
    }

    fn usages(&mut self) -> impl Iterator<Item = &mut InviteUsage> {
        self.forks.iter_mut().map(|early| &mut early.usage)
    }

    /// A 1xx. What came without a signature where one belongs is heard as settled for it (decision 42).
    pub(crate) fn handle_provisional(
        &mut self,
        tx: TxId,
        response: &Message,
        verdict: SignatureVerdict,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        let status = response.status().unwrap_or_default();
        let tag = response.to().ok().and_then(|to| to.tag().map(str::to_owned));
        if !matches!(&self.phase, Phase::Sent(sent, _) if sent.tx == tx) || status == 100 {
            return;
        }
        let Some(number) = tag.and_then(|_| self.fork(response, cc)) else {
            return cc.tell(CallEvent::Progress { fork: 0, status });
        };
        cc.tell(CallEvent::Progress { fork: u8::try_from(number).unwrap_or(u8::MAX), status });
        let is_believed = !matches!(verdict, SignatureVerdict::Refused(_)) || cc.at.link.proof.is_some();
        if let Some(early) = self.forks.get_mut(number).filter(|_| is_believed) {
            early.handle_provisional(response, cc);
        }
    }

    /// The place of the fork a response is of; a new one within the bound.
    fn fork(&mut self, response: &Message, cc: &mut CallContext<'_, '_, '_>) -> Option<usize> {
        let known = self.forks.iter().position(|early| early.usage.dialog.is_with(response));
        if known.is_some() {
            return known;
        }
        let Phase::Sent(sent, _) = &self.phase else { return None };
        let number = u8::try_from(self.forks.len()).unwrap_or(u8::MAX);
        if self.forks.len() >= MOST_FORKS {
            cc.at.cx.counters.count(Counter::OverLimit);
            return None;
        }
        let dialog = Dialog::of_caller(&sent.message, response).ok()?;
        self.forks.push(Early::new(self.usage(dialog, number, response)));
        Some(self.forks.len() - 1)
    }

    fn usage(&self, dialog: Dialog, number: u8, first: &Message) -> InviteUsage {
        let media = self.plan.offer.clone().map_or_else(Negotiation::default, Negotiation::offered);
        InviteUsage::new(dialog, media, Fork { role: Role::Caller, number, wish: self.plan.wish }, first)
    }

    /// A final response, judged and fed: to the INVITE, or to a request in one of the early dialogs.
    pub(crate) fn handle_final(
        self,
        tx: TxId,
        response: Verified,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        match self.phase {
            Phase::Sent(sent, answerer) if sent.tx == tx => {
                let this = Self { phase: Phase::Ready, ..self };
                this.handle_answer(*sent, answerer, response, cc)
            }
            phase => {
                let mut this = Self { phase, ..self };
                let Some(usage) = this.usages().find(|usage| usage.is_of(tx)) else {
                    return InviteStep::Stays(this);
                };
                let verdict = usage.handle_final(tx, response, cc);
                this.after(verdict, cc)
            }
        }
    }

    /// A final response to an INVITE that was given up: nothing is answered but a 2xx.
    pub(crate) fn handle_last(
        self,
        tx: TxId,
        response: Verified,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        match self.phase {
            Phase::Sent(sent, answerer) if sent.tx == tx => {
                let Verified { message, judged } = response;
                let mut this = Self { phase: Phase::Ready, ..self };
                challenged::settle(&answerer, judged, &message, cc);
                if matches!(message.status(), Some(200..=299)) {
                    return this.handle_success(*sent, message, cc);
                }
                this.drop_forks(cc);
                InviteStep::Failed(CallEnd::refused(&message))
            }
            phase => InviteStep::Stays(Self { phase, ..self }),
        }
    }

    fn handle_answer(
        mut self,
        sent: Sent,
        answerer: Answerer,
        response: Verified,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        let Verified { message, judged } = response;
        let status = message.status().unwrap_or_default();
        if matches!(status, 401 | 407) {
            return self.handle_challenge(message, answerer, cc);
        }
        challenged::settle(&answerer, judged, &message, cc);
        let proved = cc.is_proved(&message, &sent);
        match status {
            200..=299 => self.handle_success(sent, message, cc),
            300..=399 if proved => self.handle_redirect(&message, judged.verdict, cc),
            422 if self.plan.wish.raise(&message) => self.again(Answerer::new(), Proof::Current, cc),
            _ => {
                self.drop_forks(cc);
                InviteStep::Failed(CallEnd::refused(&message))
            }
        }
    }

    fn handle_success(
        mut self,
        sent: Sent,
        response: Message,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        let known = self.forks.iter().position(|early| early.usage.dialog.is_with(&response));
        let last_seq = self.forks.iter().map(|early| early.usage.dialog.local_seq()).max().unwrap_or(0);
        let mut preview = None;
        let mut usage = match known.map(|at| self.forks.remove(at)) {
            Some(early) => {
                preview = early.preview().cloned();
                Some(early.usage)
            }
            None => {
                let number = u8::try_from(self.forks.len()).unwrap_or(u8::MAX);
                let dialog = Dialog::of_caller(&sent.message, &response).ok();
                dialog.map(|dialog| self.usage(dialog, number, &response))
            }
        };
        let is_usable = usage.as_mut().is_some_and(|usage| usage.dialog.confirm(&response).is_ok());
        if usage.is_none() {
            let dialog = Dialog::of_bad_success(&sent.message, &response);
            usage = dialog.map(|dialog| self.usage(dialog, 0, &response));
        }
        self.drop_forks(cc);
        match usage {
            Some(usage) => {
                let answered = Answered { usage, sent, response, preview, is_usable, last_seq };
                InviteStep::Answered(Box::new(answered))
            }
            None => InviteStep::Failed(CallEnd::of(EndedBy::Peer, EndReason::NoDescription)),
        }
    }

    fn handle_redirect(
        mut self,
        redirect: &Message,
        verdict: SignatureVerdict,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        let transport = cc.at.link.flow_ref.transport;
        let by = Redirector { server: &cc.line.server, transport, verdict };
        if self.plan.asked.follow(redirect, &by, &cc.at.account.config).is_err() {
            cc.at.cx.counters.count(Counter::RedirectRefused);
            self.drop_forks(cc);
            return InviteStep::Failed(CallEnd::refused(redirect));
        }
        cc.at.cx.counters.count(Counter::RedirectFollowed);
        if cc.is_direct() {
            self.drop_forks(cc);
            return InviteStep::Locate(self.plan);
        }
        let proof = if cc.at.link.association().is_some() { Proof::Current } else { Proof::Nothing };
        self.again(Answerer::new(), proof, cc)
    }

    fn handle_challenge(
        self,
        challenge: Message,
        answerer: Answerer,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        let place = if self.plan.asked.is_redirected() { Place::Redirected } else { Place::Initial };
        let demand = challenged::judge(&challenge, answerer, place, cc);
        self.follow(demand, challenge, cc)
    }

    fn follow(mut self, demand: Demand, challenge: Message, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        match demand {
            Demand::Send(answerer, proof) => self.again(answerer, proof, cc),
            Demand::Ask(answerer) => {
                let phase = Phase::AwaitingCredentials(answerer, Box::new(challenge));
                InviteStep::Stays(Self { phase, ..self })
            }
            Demand::Associate(answerer) => {
                let phase = Phase::AwaitingAssociation(answerer, Box::new(challenge));
                InviteStep::NeedsAssociation(Self { phase, ..self })
            }
            Demand::Refused => {
                self.drop_forks(cc);
                InviteStep::Failed(CallEnd::refused(&challenge))
            }
        }
    }

    /// The world's answer to the question for credentials.
    pub(crate) fn handle_credentials(
        self,
        id: AskId,
        credentials: Option<Credentials>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        match self.phase {
            Phase::AwaitingCredentials(answerer, challenge) if answerer.ask() == Some(id) => {
                let demand = challenged::answer(answerer, credentials, cc);
                Self { phase: Phase::Ready, ..self }.follow(demand, *challenge, cc)
            }
            phase => {
                let mut this = Self { phase, ..self };
                let Some(usage) = this.usages().find(|usage| usage.has_asked(id)) else {
                    return InviteStep::Stays(this);
                };
                let verdict = usage.handle_credentials(id, credentials, cc);
                this.after(verdict, cc)
            }
        }
    }

    /// The world described the session, or refused to.
    pub(crate) fn handle_described(
        self,
        id: AskId,
        given: Result<Description, DescriptionRefusal>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> InviteStep {
        match (&self.phase, given) {
            (Phase::Describing(asked), Ok(offer)) if asked.id == id => {
                let plan = Plan { offer: Some(offer), ..self.plan };
                let this = Self { plan, phase: Phase::Ready, ..self };
                if cc.line.is_up() {
                    return this.send(Answerer::new(), Proof::Current, cc);
                }
                InviteStep::Stays(this)
            }
            (Phase::Describing(asked), Err(_)) if asked.id == id => {
                InviteStep::Failed(CallEnd::of(EndedBy::Us, EndReason::NotAcceptable))
            }
            (_, given) => {
                let mut this = self;
                let Some(usage) = this.usages().find(|usage| usage.has_asked(id)) else {
                    return InviteStep::Stays(this);
                };
                let verdict = usage.handle_described(id, given, cc);
                this.after(verdict, cc)
            }
        }
    }

    /// Whether the association came that the INVITE waits for, or a request in an early dialog.
    pub(crate) fn handle_news(mut self, granted: bool, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::AwaitingAssociation(..) if granted => self.again(Answerer::answered(), Proof::Current, cc),
            Phase::AwaitingAssociation(_, challenge) => {
                self.drop_forks(cc);
                InviteStep::Failed(CallEnd::refused(&challenge))
            }
            Phase::AwaitingCredentials(answerer, _) if granted && answerer.is_establishing() => {
                answerer.abandon(cc.at.link, cc.at.cx);
                self.again(Answerer::answered(), Proof::Current, cc)
            }
            // Its answer could not be verified: another handshake took the place of its own.
            Phase::Sent(sent, answerer) if granted && answerer.is_establishing() => {
                self.phase = Phase::Sent(sent, answerer);
                match self.leave_flow(cc) {
                    true => self.send(Answerer::answered(), Proof::Current, cc),
                    false => InviteStep::Failed(CallEnd::of(EndedBy::Network, EndReason::ConnectionLost)),
                }
            }
            phase => {
                self.phase = phase;
                self.feed_forks(cc, |usage, cc| usage.handle_news(granted, cc))
            }
        }
    }

    /// The INVITE makes the handshake that it waits for, or a request in an early dialog does.
    pub(crate) fn handshake(mut self, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::AwaitingAssociation(answerer, challenge) => {
                let demand = challenged::handshake(&challenge, answerer, cc);
                return self.follow(demand, *challenge, cc);
            }
            phase => self.phase = phase,
        }
        let Some(usage) = self.usages().find(|usage| usage.awaits_association()) else {
            return InviteStep::Stays(self);
        };
        let verdict = usage.handshake(cc);
        self.after(verdict, cc)
    }

    /// True while the INVITE, or a request in an early dialog, waits for an association.
    pub(crate) fn awaits_association(&self) -> bool {
        matches!(self.phase, Phase::AwaitingAssociation(..))
            || self.forks.iter().any(|early| early.usage.awaits_association())
    }

    /// True while one of them makes the handshake for its link.
    pub(crate) fn is_establishing(&self) -> bool {
        let own = match &self.phase {
            Phase::Sent(_, answerer) | Phase::AwaitingCredentials(answerer, _) => answerer.is_establishing(),
            Phase::Describing(_) | Phase::Ready | Phase::AwaitingAssociation(..) => false,
        };
        own || self.forks.iter().any(|early| early.usage.is_establishing())
    }

    /// A transaction had no answer in time: the INVITE's, or one of an early dialog.
    pub(crate) fn handle_timeout(mut self, tx: TxId, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Sent(sent, answerer) if sent.tx == tx => {
                challenged::time_out(answerer, cc);
                self.drop_forks(cc);
                return InviteStep::Failed(CallEnd::of(EndedBy::Network, EndReason::NoAnswer));
            }
            phase => self.phase = phase,
        }
        let Some(usage) = self.usages().find(|usage| usage.is_of(tx)) else { return InviteStep::Stays(self) };
        let verdict = usage.handle_timeout(tx, cc);
        self.after(verdict, cc)
    }

    /// True once no answer came in time.
    pub(crate) fn is_overdue(&self, cc: &CallContext<'_, '_, '_>) -> bool {
        cc.at.cx.now.reached(self.plan.until)
    }

    /// Does what is due, the end of the ring apart.
    pub(crate) fn handle_deadline(self, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        if let Phase::Describing(asked) = &self.phase
            && cc.at.cx.now.reached(asked.until)
        {
            cc.at.cx.forget(asked.id);
            return InviteStep::Failed(CallEnd::of(EndedBy::Us, EndReason::NotAcceptable));
        }
        self.feed_forks(cc, InviteUsage::handle_deadline)
    }

    /// One input of every early dialog, until one ends the call.
    fn feed_forks<'a, 'b, 'c>(
        mut self,
        cc: &mut CallContext<'a, 'b, 'c>,
        mut act: impl FnMut(&mut InviteUsage, &mut CallContext<'a, 'b, 'c>) -> Verdict,
    ) -> InviteStep {
        for at in 0..self.forks.len() {
            let Some(early) = self.forks.get_mut(at) else { break };
            let verdict = act(&mut early.usage, cc);
            if !matches!(verdict, Verdict::Stays) {
                return self.after(verdict, cc);
            }
        }
        InviteStep::Stays(self)
    }

    /// The flow is lost: an INVITE goes once more in the same link, with a new Call-ID.
    pub(crate) fn lose_line(mut self, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        if !self.begin_again(cc) {
            return InviteStep::Failed(CallEnd::of(EndedBy::Network, EndReason::ConnectionLost));
        }
        if cc.is_direct() {
            if let Phase::Describing(asked) = &self.phase {
                cc.at.cx.forget(asked.id);
            }
            return InviteStep::Locate(self.plan);
        }
        cc.lose(true);
        InviteStep::Stays(self)
    }

    /// The link has another flow while this one stands: the INVITE is cancelled over this one, and goes once more over the
    /// other. False if it did so before.
    pub(crate) fn leave_flow(&mut self, cc: &mut CallContext<'_, '_, '_>) -> bool {
        if let Phase::Sent(sent, _) = &self.phase {
            cc.cancel(sent.tx);
        }
        self.begin_again(cc)
    }

    /// What is under way comes to nothing; the next INVITE has a new Call-ID. False if one went out again before.
    fn begin_again(&mut self, cc: &mut CallContext<'_, '_, '_>) -> bool {
        self.drop_forks(cc);
        self.sequence = Sequence::new(cc.at.cx.random);
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Describing(asked) => self.phase = Phase::Describing(asked),
            Phase::Sent(sent, answerer) => {
                cc.at.cx.transactions.abandon(sent.tx);
                answerer.abandon(cc.at.link, cc.at.cx);
                return !std::mem::replace(&mut self.plan.went_again, true);
            }
            Phase::AwaitingCredentials(answerer, _) | Phase::AwaitingAssociation(answerer, _) => {
                answerer.abandon(cc.at.link, cc.at.cx);
            }
            Phase::Ready => {}
        }
        true
    }

    /// There is another flow.
    pub(crate) fn regain_line(self, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        if matches!(self.phase, Phase::Ready) {
            return self.send(Answerer::new(), Proof::Current, cc);
        }
        InviteStep::Stays(self)
    }

    /// The INVITE to be cancelled, while its final response is waited for. Nothing else of it goes on.
    pub(crate) fn give_up(&mut self, cc: &mut CallContext<'_, '_, '_>) -> Option<TxId> {
        for early in &mut self.forks {
            early.usage.give_up_asking(487, cc);
        }
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Sent(sent, answerer) => {
                let tx = sent.tx;
                self.phase = Phase::Sent(sent, answerer);
                Some(tx)
            }
            Phase::Describing(asked) => {
                cc.at.cx.forget(asked.id);
                None
            }
            Phase::AwaitingCredentials(answerer, _) | Phase::AwaitingAssociation(answerer, _) => {
                answerer.abandon(cc.at.link, cc.at.cx);
                None
            }
            Phase::Ready => None,
        }
    }

    /// Takes everything back without a word.
    pub(crate) fn abandon(mut self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(tx) = self.give_up(cc) {
            cc.at.cx.transactions.abandon(tx);
        }
        self.drop_forks(cc);
    }

    /// An early dialog of it said something that ends the call or does not.
    pub(crate) fn after(mut self, verdict: Verdict, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        let needs = self.forks.iter_mut().any(|early| early.usage.take_association_wish());
        match verdict {
            Verdict::HangsUp(end) => {
                // The caller of this cancels the INVITE; what is told is why.
                cc.tell_end(end);
                InviteStep::Stays(self)
            }
            Verdict::Stays | Verdict::Ends(_) if needs => InviteStep::NeedsAssociation(self),
            Verdict::Stays | Verdict::Ends(_) => InviteStep::Stays(self),
        }
    }

    fn again(mut self, answerer: Answerer, proof: Proof, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        self.drop_forks(cc);
        self.send(answerer, proof, cc)
    }

    fn send(mut self, answerer: Answerer, proof: Proof, cc: &mut CallContext<'_, '_, '_>) -> InviteStep {
        let invite = self.plan.invite(&mut self.sequence, cc);
        match cc.send(invite, proof) {
            Ok(sent) => {
                let phase = Phase::Sent(Box::new(sent), answerer);
                InviteStep::Stays(Self { phase, ..self })
            }
            Err(why) => {
                answerer.abandon(cc.at.link, cc.at.cx);
                debug_assert!(why != Misuse::BadMessage, "an INVITE of ours can be sent");
                InviteStep::Failed(CallEnd::of(EndedBy::Rule, EndReason::NotSent))
            }
        }
    }

    fn drop_forks(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        for early in std::mem::take(&mut self.forks) {
            early.usage.abandon(cc);
        }
    }
}

/// Early dialogs of one INVITE; further forks are heard of when they answer.
const MOST_FORKS: usize = 16;
