//! One dialog of a call and what goes on in it: requests of ours under way, requests of the peer that wait for the world,
//! answers that wait for their ACK, offers and answers, session timers.
//!
//! An early dialog of a fork, a ringing one and an answered one are all of this kind; what they may do differs by their
//! owner.

use std::time::Duration;

use homing_wire::{Builder, Message, Method, Name, header::ContentType, reason_phrase};

use super::acknowledged::Acknowledged;
use super::body;
use super::exchange::{Change, Draft, Ended, Exchange, Field, Outcome, Purpose};
use super::line::{Asked, CallContext, Sent};
use super::negotiation::Negotiation;
use super::repeated::{Growth, Repeated};
use super::session_timer::{SessionDue, SessionTimer, Wish};
use crate::account::answerer::Answerer;
use crate::account::random::WaitPurpose;
use crate::account::server_link::{Proof, Verified};
use crate::call_event::{CallEnd, CallEvent, EndReason, EndedBy};
use crate::call_request::InfoBody;
use crate::description::{Description, DescriptionRefusal, Turn};
use crate::dialog::Dialog;
use crate::ids::{AskId, TxId};
use crate::outbox::Credentials;
use crate::time::{Deadline, Moment, Why};
use crate::uas::{self, INFO_BODIES, Refusal, WITH_CALLS};

/// A dialog that INVITE made, and its use.
pub(crate) struct InviteUsage {
    pub(crate) dialog: Dialog,
    pub(crate) media: Negotiation,
    role: Role,
    fork: u8,
    outgoing: Vec<Exchange>,
    asking: Vec<Asking>,
    /// The 2xx of ours that waits for its ACK.
    answered: Option<Box<Repeated>>,
    /// The ACK for the last 2xx to an INVITE of ours.
    acknowledged: Option<Box<Acknowledged>>,
    /// What the application wants, as soon as it is our turn.
    wanted: Option<Wanted>,
    /// A request whose answer proved nothing, and when it is tried again.
    again: Option<(Moment, Purpose)>,
    /// How often that happened since an answer that proved who gave it.
    unproved: u8,
    is_holding: bool,
    /// By what the peer is asked whether the dialog is there: UPDATE, or OPTIONS where it takes none.
    probe: Method<'static>,
    timer: Option<SessionTimer>,
    wish: Wish,
    way: Way,
    /// A request waits for a new association of the link, and that was not said yet.
    wants_association: bool,
}

/// Who made the dialog: after 491 the two wait for different times (RFC 3261 section 14.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It owns the Call-ID.
    Caller,
    /// It does not.
    Called,
}

/// Which way requests inside the dialog go, where the account has no registrar (decision 43).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// That of the INVITE, while it has no final response.
    OfInvite,
    /// By the next hop of the dialog (RFC 3261 section 12.2.1.1).
    NextHop,
}

/// What becomes of a call after an input to one of its dialogs.
pub(crate) enum Verdict {
    /// It goes on.
    Stays,
    /// It ends, with a BYE.
    HangsUp(CallEnd),
    /// It ends without a word: the peer said it is over, or knows nothing of it.
    Ends(CallEnd),
}

/// What the world is asked a description for.
enum AskedFor {
    /// A change of the session by this side.
    Change(Change),
    /// A request of the peer that is answered with it: INVITE, UPDATE or PRACK.
    Request(TxId, Box<Message>),
    /// The ACK for the 2xx with an offer, to this INVITE.
    Ack(Box<Sent>),
    /// The PRACK for a provisional response with an offer, with this RAck.
    Prack(String),
}

struct Asking {
    asked: Asked,
    what: AskedFor,
}

/// A change of the session that waits for its turn.
#[derive(Clone, Copy)]
struct Wanted {
    change: Change,
    /// Not before, after 491.
    from: Option<Moment>,
}

impl InviteUsage {
    /// A fresh dialog with what was offered so far; `first` is the peer's first message in it.
    pub(crate) fn new(dialog: Dialog, media: Negotiation, fork: Fork, first: &Message) -> Self {
        let Fork { role, number, wish } = fork;
        Self {
            dialog,
            media,
            role,
            fork: number,
            outgoing: Vec::new(),
            asking: Vec::new(),
            answered: None,
            acknowledged: None,
            wanted: None,
            again: None,
            unproved: 0,
            is_holding: false,
            probe: match first.has_token(Name::Allow, "UPDATE") {
                true => Method::Update,
                false => Method::Options,
            },
            timer: None,
            wish,
            way: match role {
                Role::Caller => Way::OfInvite,
                Role::Called => Way::NextHop,
            },
            wants_association: false,
        }
    }

    /// Its number among the forks.
    pub(crate) fn fork(&self) -> u8 {
        self.fork
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let answered = self.answered.as_ref().map(|answered| answered.deadline());
        let glare = self.wanted.and_then(|wanted| Some(Deadline::new(wanted.from?, Why::Glare)));
        let timer = self.timer.map(|timer| timer.deadline());
        let again = self.again.map(|(at, _)| Deadline::new(at, Why::AskedAgain));
        let own = [glare, timer, again].into_iter().fold(answered, Deadline::earlier);
        self.asking.iter().fold(own, |least, asking| {
            Deadline::earlier(least, Some(Deadline::new(asking.asked.until, Why::QuestionOverdue)))
        })
    }

    /// True if it waits for that transaction.
    pub(crate) fn is_of(&self, tx: TxId) -> bool {
        self.outgoing.iter().any(|exchange| exchange.is_of(tx))
    }

    /// True if it asked that question.
    pub(crate) fn has_asked(&self, id: AskId) -> bool {
        self.asking.iter().any(|asking| asking.asked.id == id)
            || self.outgoing.iter().any(|exchange| exchange.has_asked(id))
    }

    /// True while a person is asked for credentials.
    pub(crate) fn awaits_person(&self) -> bool {
        self.outgoing.iter().any(Exchange::awaits_person)
    }

    /// True while the 2xx of ours waits for its ACK.
    pub(crate) fn awaits_ack(&self) -> bool {
        self.answered.is_some()
    }

    /// True while a BYE, or another request of ours, has no final response.
    pub(crate) fn is_talking(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// True while so many requests of ours have no final response that no more are sent, for the peer's sake or the
    /// application's.
    pub(crate) fn is_crowded(&self) -> bool {
        self.outgoing.len() >= MOST_OUTGOING
    }

    /// True once: a request waits for a new association.
    pub(crate) fn take_association_wish(&mut self) -> bool {
        std::mem::take(&mut self.wants_association)
    }

    /// True if that 2xx is of this dialog and was acknowledged before, or its ACK waits for the world.
    pub(crate) fn knows_success(&self, tx: TxId, success: &Message) -> bool {
        let waits = |asking: &Asking| matches!(&asking.what, AskedFor::Ack(sent) if sent.tx == tx);
        let is_acknowledged = self.acknowledged.as_ref().is_some_and(|known| known.tx == tx);
        (is_acknowledged || self.asking.iter().any(waits)) && self.dialog.is_with(success)
    }

    /// What this side grants of session timers.
    pub(crate) fn wish(&self) -> Wish {
        self.wish
    }

    /// A session timer that both sides agreed on; none ends the one before.
    pub(crate) fn set_timer(&mut self, timer: Option<SessionTimer>) {
        self.timer = timer;
    }

    // What this side does.

    /// The application wants the session changed: at once, or as soon as it is our turn.
    pub(crate) fn change(&mut self, change: Change, cc: &mut CallContext<'_, '_, '_>) {
        self.wanted = Some(Wanted { change, from: None });
        self.try_wanted(cc);
    }

    /// Sends INFO.
    pub(crate) fn inform(&mut self, info: InfoBody, cc: &mut CallContext<'_, '_, '_>) {
        let body = Description { content_type: info.content_type.into(), body: info.body.into() };
        let draft = Draft { body: Some(body), ..Draft::bare(Purpose::Info) };
        if !self.dispatch(draft, Proof::Current, Answerer::new(), cc) {
            cc.tell(CallEvent::InfoAnswered { status: 408 });
        }
    }

    /// Sends BYE, with Reason where it says more; where there is no flow, as soon as there is one.
    pub(crate) fn hang_up(&mut self, reason: Option<&'static str>, cc: &mut CallContext<'_, '_, '_>) {
        self.answered = None;
        self.wanted = None;
        self.again = None;
        self.timer = None;
        // What waits for a flow goes no more, and the end waits for it no more.
        let all = std::mem::take(&mut self.outgoing);
        self.outgoing = all.into_iter().filter(|exchange| !exchange.is_unsent()).collect();
        let draft = Draft::bare(Purpose::Bye);
        let draft = match reason {
            Some(reason) => draft.with(Name::Reason, reason),
            None => draft,
        };
        self.dispatch(draft, Proof::Current, Answerer::new(), cc);
    }

    /// Acknowledges the 2xx to an INVITE of ours.
    pub(crate) fn acknowledge(
        &mut self,
        sent: Sent,
        body: Option<Description>,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        self.way = Way::NextHop;
        self.turn(cc);
        self.acknowledged = Some(Box::new(Acknowledged::send(&self.dialog, sent, body, cc)));
    }

    /// Asks the world for the answer to the offer of a 2xx: the ACK carries it.
    pub(crate) fn ask_for_ack(&mut self, sent: Sent, offer: Description, cc: &mut CallContext<'_, '_, '_>) {
        let asked = cc.ask(self.fork, Turn::Answer(offer), self.is_holding);
        self.asking.push(Asking { asked, what: AskedFor::Ack(Box::new(sent)) });
    }

    /// Acknowledges a reliable provisional response without an offer.
    pub(crate) fn prack(&mut self, rack: String, cc: &mut CallContext<'_, '_, '_>) {
        let draft = Draft::bare(Purpose::Prack).with(Name::RAck, rack);
        self.dispatch(draft, Proof::Current, Answerer::new(), cc);
    }

    /// Asks the world for the answer to the offer of a reliable provisional response: the PRACK carries it.
    pub(crate) fn ask_for_prack(
        &mut self,
        rack: String,
        offer: Description,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        let asked = cc.ask(self.fork, Turn::Answer(offer), self.is_holding);
        self.asking.push(Asking { asked, what: AskedFor::Prack(rack) });
    }

    /// Answers an INVITE of the peer with 2xx, which is repeated until its ACK. What `offer` was answered is agreed
    /// on; without one the body is this side's offer.
    ///
    /// Without `tx`, whose flow is lost, it goes out over the flow there is now: once the link can sign it (decision 39).
    pub(crate) fn succeed(
        &mut self,
        tx: Option<TxId>,
        invite: &Message,
        answer: Success,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        let Success { body, lines } = answer;
        let success = Builder::reply_to(invite, 200, "OK")
            .to_tag(self.dialog.local_tag())
            .copy_from(invite, Name::RecordRoute);
        let success = with_lines(cc.introduce(success), lines);
        let success = match &body {
            Some(body) => success.body(&body.content_type, &body.body).message(),
            None => success.message(),
        };
        let bytes = match tx {
            Some(tx) => cc.respond(tx, success.clone()),
            None => None,
        };
        let answered = Box::new(Repeated::new(success, bytes, Growth::UpToT2, cc));
        let is_sent = answered.is_sent();
        self.answered = Some(answered);
        if !is_sent {
            self.regain_line(cc);
        }
    }

    // What the peer asks.

    /// A request of the peer that nothing is objected to, in a transaction of its own; not INVITE's CANCEL and ACK.
    pub(crate) fn handle_request(
        &mut self,
        tx: TxId,
        request: &Message,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        if self.dialog.accept(request).is_err() {
            self.refuse(tx, request, Refusal::new(500, "its CSeq is no later than one before"), cc);
            return Verdict::Stays;
        }
        match request.method() {
            Some(Method::Bye) => {
                self.reply(tx, request, 200, cc);
                self.give_up_asking(487, cc);
                return Verdict::Ends(CallEnd::by_request(request, EndReason::HungUp));
            }
            Some(Method::Invite) => self.handle_invite(tx, request, cc),
            Some(Method::Update) => self.handle_update(tx, request, cc),
            Some(Method::Info) => self.handle_info(tx, request, cc),
            Some(Method::Options) => {
                let reply = Builder::reply_to(request, 200, "OK").to_tag(self.dialog.local_tag());
                let reply =
                    reply.header(Name::Allow, WITH_CALLS.allow).header(Name::Accept, "application/sdp");
                cc.respond(tx, reply.message());
            }
            Some(Method::Prack | Method::Notify) => self.refuse(tx, request, Refusal::new(481, ""), cc),
            Some(Method::Other(_)) => self.refuse(tx, request, Refusal::new(501, ""), cc),
            _ => self.refuse(tx, request, Refusal::new(405, ""), cc),
        }
        Verdict::Stays
    }

    /// The PRACK for a reliable response of ours, matched already: it may carry the answer, or an offer.
    pub(crate) fn handle_prack(
        &mut self,
        tx: TxId,
        prack: &Message,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        let description = match body::description(prack) {
            Ok(description) => description,
            Err(refusal) => {
                self.refuse(tx, prack, refusal, cc);
                return Verdict::Stays;
            }
        };
        match description {
            Some(answer) if self.media.take_answer() => {
                self.reply(tx, prack, 200, cc);
                self.note_described(answer, cc);
            }
            Some(offer) if self.media.take_offer() => self.ask_for_request(tx, prack, Some(offer), cc),
            Some(_) => self.refuse(tx, prack, Refusal::new(491, ""), cc),
            None => self.reply(tx, prack, 200, cc),
        }
        Verdict::Stays
    }

    /// The ACK for a 2xx of ours. False if none waits for it.
    pub(crate) fn handle_ack(&mut self, ack: &Message, cc: &mut CallContext<'_, '_, '_>) -> Option<Verdict> {
        let seq = ack.cseq().ok()?.seq;
        self.answered.take_if(|answered| answered.seq == seq)?;
        if self.media.awaits_answer() {
            match body::description(ack) {
                Ok(Some(answer)) => {
                    let _was_open = self.media.take_answer();
                    self.note_described(answer, cc);
                }
                Ok(None) | Err(_) => {
                    self.media.withdraw();
                    return Some(Verdict::HangsUp(CallEnd::of(EndedBy::Peer, EndReason::NoDescription)));
                }
            }
        }
        self.try_wanted(cc);
        Some(Verdict::Stays)
    }

    /// The peer cancels an INVITE of this dialog that waits for the world.
    pub(crate) fn handle_cancel(&mut self, of: TxId, cc: &mut CallContext<'_, '_, '_>) {
        let is_it = |asking: &Asking| matches!(asking.what, AskedFor::Request(tx, _) if tx == of);
        if let Some(at) = self.asking.iter().position(is_it) {
            let Asking { asked, what } = self.asking.remove(at);
            cc.at.cx.forget(asked.id);
            self.media.refuse();
            if let AskedFor::Request(tx, request) = what {
                self.refuse(tx, &request, Refusal::new(487, ""), cc);
            }
        }
    }

    fn handle_invite(&mut self, tx: TxId, invite: &Message, cc: &mut CallContext<'_, '_, '_>) {
        let offer = match body::description(invite) {
            Ok(offer) => offer,
            Err(refusal) => return self.refuse(tx, invite, refusal, cc),
        };
        if let Some(refusal) = self.collision(cc) {
            return self.refuse(tx, invite, refusal, cc);
        }
        if let Err(refusal) = self.wish.grant(invite, cc.at.cx.now) {
            return self.refuse(tx, invite, refusal, cc);
        }
        // Who sends another INVITE has the 2xx to the one before.
        self.answered = None;
        if offer.is_some() && !self.media.take_offer() {
            return self.refuse(tx, invite, Refusal::new(491, ""), cc);
        }
        self.ask_for_request(tx, invite, offer, cc);
    }

    fn handle_update(&mut self, tx: TxId, update: &Message, cc: &mut CallContext<'_, '_, '_>) {
        let offer = match body::description(update) {
            Ok(offer) => offer,
            Err(refusal) => return self.refuse(tx, update, refusal, cc),
        };
        if let Some(refusal) = self.collision(cc).filter(|_| offer.is_some()) {
            return self.refuse(tx, update, refusal, cc);
        }
        match (self.wish.grant(update, cc.at.cx.now), offer) {
            (Err(refusal), _) => self.refuse(tx, update, refusal, cc),
            (Ok(_), Some(offer)) if self.media.take_offer() => {
                self.ask_for_request(tx, update, Some(offer), cc);
            }
            (Ok(_), Some(_)) => self.refuse(tx, update, Refusal::new(491, ""), cc),
            (Ok(granted), None) => {
                self.dialog.refresh(update);
                let lines = granted.map_or_else(Vec::new, |granted| {
                    self.timer = Some(granted.timer);
                    granted.lines
                });
                let reply = Builder::reply_to(update, 200, "OK").to_tag(self.dialog.local_tag());
                let reply = with_lines(cc.introduce(reply), lines);
                cc.respond(tx, reply.message());
            }
        }
    }

    fn handle_info(&mut self, tx: TxId, info: &Message, cc: &mut CallContext<'_, '_, '_>) {
        let kind = info.get::<ContentType<'_>>().ok().flatten();
        if info.body().is_empty() {
            return self.reply(tx, info, 200, cc);
        }
        let Some(kind) = INFO_BODIES.iter().find(|one| kind.as_ref().is_some_and(|kind| kind.is(one))) else {
            return self.refuse(tx, info, Refusal::new(415, ""), cc);
        };
        if info.body().len() > MOST_INFO {
            return self.refuse(tx, info, Refusal::new(413, ""), cc);
        }
        self.reply(tx, info, 200, cc);
        let body = InfoBody { content_type: (*kind).to_owned(), body: info.body().to_vec() };
        cc.tell(CallEvent::Info(body));
    }

    /// What stands in the way of an offer of the peer (RFC 3261 section 14.2; RFC 3311 section 5.2).
    fn collision(&self, cc: &mut CallContext<'_, '_, '_>) -> Option<Refusal> {
        let is_inviting = |exchange: &Exchange| {
            matches!(exchange.draft.purpose, Purpose::Reinvite(_)) && !exchange.is_unsent()
        };
        if self.media.awaits_answer() || self.outgoing.iter().any(is_inviting) {
            return Some(Refusal::new(491, ""));
        }
        let is_answering = self.asking.iter().any(|asking| matches!(asking.what, AskedFor::Request(..)));
        if self.media.owes_answer() || is_answering {
            let seconds = 1 + u32::try_from(cc.at.cx.spread(WaitPurpose::Glare, 10)).unwrap_or_default();
            return Some(Refusal::not_now(seconds));
        }
        None
    }

    fn ask_for_request(
        &mut self,
        tx: TxId,
        request: &Message,
        offer: Option<Description>,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        let turn = offer.map_or(Turn::Offer, Turn::Answer);
        let asked = cc.ask(self.fork, turn, self.is_holding);
        let what = AskedFor::Request(tx, Box::new(request.clone()));
        self.asking.push(Asking { asked, what });
    }

    // What the world says.

    /// The world described the session, or refused to.
    pub(crate) fn handle_described(
        &mut self,
        id: AskId,
        given: Result<Description, DescriptionRefusal>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        let Some(at) = self.asking.iter().position(|asking| asking.asked.id == id) else {
            return Verdict::Stays;
        };
        let verdict = match (self.asking.remove(at).what, given) {
            (AskedFor::Change(change), Ok(offer)) => {
                self.offer(change, offer, cc);
                Verdict::Stays
            }
            (AskedFor::Change(_), Err(_)) => {
                cc.tell(CallEvent::ChangeRefused { status: 0 });
                Verdict::Stays
            }
            (AskedFor::Request(tx, request), Ok(body)) => {
                self.grant(tx, &request, body, cc);
                Verdict::Stays
            }
            (AskedFor::Request(tx, request), Err(refusal)) => {
                self.media.refuse();
                let response = not_acceptable(&request, &refusal).to_tag(self.dialog.local_tag());
                cc.respond(tx, response.message());
                Verdict::Stays
            }
            (AskedFor::Ack(sent), Ok(answer)) => {
                self.media.answer(answer.clone());
                self.acknowledge(*sent, Some(answer), cc);
                Verdict::Stays
            }
            (AskedFor::Ack(sent), Err(_)) => {
                self.media.refuse();
                self.acknowledge(*sent, None, cc);
                Verdict::HangsUp(CallEnd::of(EndedBy::Us, EndReason::NotAcceptable))
            }
            (AskedFor::Prack(rack), Ok(answer)) => {
                self.media.answer(answer.clone());
                let draft =
                    Draft { body: Some(answer), ..Draft::bare(Purpose::Prack) }.with(Name::RAck, rack);
                self.dispatch(draft, Proof::Current, Answerer::new(), cc);
                Verdict::Stays
            }
            (AskedFor::Prack(rack), Err(_)) => {
                self.media.refuse();
                self.prack(rack, cc);
                Verdict::HangsUp(CallEnd::of(EndedBy::Us, EndReason::NotAcceptable))
            }
        };
        self.try_wanted(cc);
        verdict
    }

    /// An INVITE, UPDATE or PRACK of the peer succeeds with this description.
    fn grant(&mut self, tx: TxId, request: &Message, body: Description, cc: &mut CallContext<'_, '_, '_>) {
        if self.media.owes_answer() {
            self.media.answer(body.clone());
            if let Ok(Some(offer)) = body::description(request) {
                self.note_hold(&offer, cc);
            }
        } else if !self.media.offer(body.clone()) {
            return self.refuse(tx, request, Refusal::new(491, ""), cc);
        }
        self.dialog.refresh(request);
        let granted = self.wish.grant(request, cc.at.cx.now).ok().flatten();
        let lines = match granted.filter(|_| request.method() != Some(Method::Prack)) {
            Some(granted) => {
                self.timer = Some(granted.timer);
                granted.lines
            }
            None => Vec::new(),
        };
        if request.method() == Some(Method::Invite) {
            return self.succeed(Some(tx), request, Success { body: Some(body), lines }, cc);
        }
        let reply = Builder::reply_to(request, 200, "OK").to_tag(self.dialog.local_tag());
        let reply = with_lines(cc.introduce(reply), lines).body(&body.content_type, &body.body);
        cc.respond(tx, reply.message());
    }

    /// The offer of a change leaves in a re-INVITE, unless the peer was quicker.
    fn offer(&mut self, change: Change, offer: Description, cc: &mut CallContext<'_, '_, '_>) {
        if !self.may_offer(cc) {
            self.wanted.get_or_insert(Wanted { change, from: None });
            return;
        }
        let _is_free = self.media.offer(offer.clone());
        let mut draft = Draft { body: Some(offer), ..Draft::bare(Purpose::Reinvite(change)) };
        draft.headers = self.wish.keeping(self.timer).lines(self.timer.map(|timer| timer.refresher()));
        if !self.dispatch(draft, Proof::Current, Answerer::new(), cc) {
            self.media.withdraw();
            cc.tell(CallEvent::ChangeRefused { status: 0 });
        }
    }

    fn may_offer(&self, cc: &CallContext<'_, '_, '_>) -> bool {
        let is_inviting = |exchange: &Exchange| matches!(exchange.draft.purpose, Purpose::Reinvite(_));
        let is_answering = |asking: &Asking| matches!(asking.what, AskedFor::Request(..));
        cc.line.is_up()
            && !cc.at.link.is_lapsed()
            && self.media.is_free()
            && self.answered.is_none()
            && !self.outgoing.iter().any(is_inviting)
            && !self.asking.iter().any(is_answering)
    }

    /// Begins the change that is wanted, if it is our turn.
    fn try_wanted(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let is_asked = self.asking.iter().any(|asking| matches!(asking.what, AskedFor::Change(_)));
        if is_asked || !self.may_offer(cc) {
            return;
        }
        let Some(Wanted { change, .. }) = self.wanted.take_if(|wanted| wanted.from.is_none()) else { return };
        match (change, self.media.agreed().cloned()) {
            (Change::Refresh, Some(agreed)) => self.offer(change, agreed, cc),
            (Change::Refresh, None) => {}
            (Change::Hold(hold), _) => {
                let asked = cc.ask(self.fork, Turn::Offer, hold);
                self.asking.push(Asking { asked, what: AskedFor::Change(change) });
            }
        }
    }

    // What comes of requests of this side.

    /// The final response to a request of ours, judged and fed.
    pub(crate) fn handle_final(
        &mut self,
        tx: TxId,
        response: Verified,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        let Some(at) = self.outgoing.iter().position(|exchange| exchange.is_of(tx)) else {
            return Verdict::Stays;
        };
        let outcome = self.outgoing.remove(at).handle_final(response, cc);
        self.apply(outcome, cc)
    }

    /// The world's answer to the question for credentials.
    pub(crate) fn handle_credentials(
        &mut self,
        id: AskId,
        credentials: Option<Credentials>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        let Some(at) = self.outgoing.iter().position(|exchange| exchange.has_asked(id)) else {
            return Verdict::Stays;
        };
        let outcome = self.outgoing.remove(at).handle_credentials(credentials, cc);
        self.apply(outcome, cc)
    }

    /// Whether the association came that requests wait for.
    pub(crate) fn handle_news(&mut self, granted: bool, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        let hears =
            |exchange: &Exchange| exchange.awaits_association() || granted && exchange.is_establishing();
        for _ in 0..self.outgoing.len() {
            let Some(at) = self.outgoing.iter().position(hears) else { break };
            let outcome = self.outgoing.remove(at).handle_news(granted, cc);
            let verdict = self.apply(outcome, cc);
            if !matches!(verdict, Verdict::Stays) {
                return verdict;
            }
        }
        Verdict::Stays
    }

    /// The first request that waits for an association makes the handshake (decision 39).
    pub(crate) fn handshake(&mut self, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        let Some(at) = self.outgoing.iter().position(Exchange::awaits_association) else {
            return Verdict::Stays;
        };
        let outcome = self.outgoing.remove(at).handshake(cc);
        self.apply(outcome, cc)
    }

    /// True while a request waits for an association.
    pub(crate) fn awaits_association(&self) -> bool {
        self.outgoing.iter().any(Exchange::awaits_association)
    }

    /// True while a request makes the handshake for its link.
    pub(crate) fn is_establishing(&self) -> bool {
        self.outgoing.iter().any(Exchange::is_establishing)
    }

    /// A request of ours had no answer in time.
    pub(crate) fn handle_timeout(&mut self, tx: TxId, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        let Some(at) = self.outgoing.iter().position(|exchange| exchange.is_of(tx)) else {
            return Verdict::Stays;
        };
        let purpose = self.outgoing.remove(at).time_out(cc).purpose;
        match purpose {
            Purpose::Bye | Purpose::Prack => Verdict::Stays,
            Purpose::Reinvite(_) | Purpose::Update | Purpose::Probe { .. } | Purpose::Info => {
                self.media.withdraw();
                if purpose == Purpose::Info {
                    cc.tell(CallEvent::InfoAnswered { status: 408 });
                }
                Verdict::HangsUp(CallEnd::of(EndedBy::Network, EndReason::Forgotten))
            }
        }
    }

    /// Another 2xx to an INVITE of this dialog that was acknowledged: it is acknowledged again.
    pub(crate) fn handle_success_again(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(mut known) = self.acknowledged.take() {
            known.renew(&self.dialog, cc);
            self.acknowledged = Some(known);
        }
    }

    /// A copy of the 2xx that was acknowledged: the same ACK again (decision 41).
    pub(crate) fn handle_copied_success(&self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(known) = &self.acknowledged {
            known.repeat(cc);
        }
    }

    fn apply(&mut self, outcome: Outcome, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        match outcome {
            Outcome::Stays(exchange) => self.outgoing.push(exchange),
            Outcome::NeedsAssociation(exchange) => {
                self.outgoing.push(exchange);
                self.wants_association = true;
            }
            Outcome::Again(draft, answerer, proof) => {
                let purpose = draft.purpose;
                if !self.dispatch(draft, proof, answerer, cc) {
                    return self.conclude_unsent(purpose, cc);
                }
            }
            Outcome::Ends(ended) => {
                let verdict = self.conclude(*ended, cc);
                self.try_wanted(cc);
                return verdict;
            }
        }
        Verdict::Stays
    }

    fn conclude_unsent(&mut self, purpose: Purpose, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        match purpose {
            Purpose::Bye | Purpose::Prack | Purpose::Update => Verdict::Stays,
            Purpose::Reinvite(_) => {
                self.media.withdraw();
                cc.tell(CallEvent::ChangeRefused { status: 0 });
                Verdict::Stays
            }
            Purpose::Info => {
                cc.tell(CallEvent::InfoAnswered { status: 408 });
                Verdict::Stays
            }
            Purpose::Probe { .. } => Verdict::Ends(CallEnd::of(EndedBy::Network, EndReason::ConnectionLost)),
        }
    }

    /// The final response to a request that is no challenge that was answered.
    fn conclude(&mut self, ended: Ended, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        let Ended { draft, response, sent, is_unsigned } = ended;
        let response = &response;
        let status = response.status().unwrap_or_default();
        if is_unsigned && matches!(status, 408 | 503) && !cc.at.link.is_lapsed() {
            return self.conclude_unsigned(draft.purpose, status, cc);
        }
        self.unproved = 0;
        let is_gone = matches!(status, 408 | 481);
        let is_challenged = matches!(status, 401 | 407) || cc.at.link.is_lapsed();
        let is_probe = matches!(draft.purpose, Purpose::Probe { .. });
        let is_astray = is_challenged || is_probe && matches!(status, 403 | 404);
        if !is_gone && !is_astray {
            cc.tell_back();
        }
        match draft.purpose {
            Purpose::Bye | Purpose::Prack => return Verdict::Stays,
            Purpose::Reinvite(change) => return self.conclude_invite(change, response, sent, cc),
            Purpose::Info => cc.tell(CallEvent::InfoAnswered { status }),
            Purpose::Update if status == 422 && self.wish.raise(response) => {
                self.update(cc);
                return Verdict::Stays;
            }
            Purpose::Update | Purpose::Probe { update: true } if status < 300 => {
                self.dialog.refresh(response);
                self.timer = SessionTimer::agreed(response, cc.at.cx.now)
                    .or(self.timer.filter(|_| draft.headers.is_empty()));
            }
            Purpose::Update | Purpose::Probe { .. } => {}
        }
        // Before the ACK the caller may know nothing of the dialog yet.
        let is_gone = is_gone && self.answered.is_none();
        if is_probe {
            if is_astray {
                return Verdict::Ends(CallEnd {
                    status: Some(status),
                    ..CallEnd::of(EndedBy::Network, EndReason::ConnectionLost)
                });
            }
            if !is_gone {
                self.flush(cc);
            }
        }
        if is_gone { Verdict::gone(response) } else { Verdict::Stays }
    }

    /// An unsigned 408 or 503 within an association: the transaction is over, and nothing is known of the dialog
    /// (decision 12). What keeps the call alive is tried again, after as long as silence would have taken; not for ever.
    fn conclude_unsigned(
        &mut self,
        purpose: Purpose,
        status: u16,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        let from = cc.at.cx.now.after(cc.at.cx.agent.timers.t1 * AGAIN_AFTER);
        match purpose {
            Purpose::Bye | Purpose::Prack => {}
            Purpose::Info => cc.tell(CallEvent::InfoAnswered { status }),
            Purpose::Update | Purpose::Probe { .. } => self.again = Some((from, purpose)),
            Purpose::Reinvite(change) => {
                self.media.withdraw();
                match change {
                    Change::Hold(_) => cc.tell(CallEvent::ChangeRefused { status }),
                    Change::Refresh => {
                        self.wanted.get_or_insert(Wanted { change, from: Some(from) });
                    }
                }
            }
        }
        let keeps_alive =
            matches!(purpose, Purpose::Update | Purpose::Probe { .. } | Purpose::Reinvite(Change::Refresh));
        self.unproved += u8::from(keeps_alive);
        if self.unproved <= MOST_UNPROVED {
            return Verdict::Stays;
        }
        let end = CallEnd::of(EndedBy::Network, EndReason::ConnectionLost);
        Verdict::HangsUp(CallEnd { status: Some(status), ..end })
    }

    fn conclude_invite(
        &mut self,
        change: Change,
        response: &Message,
        sent: Option<Box<Sent>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Verdict {
        let status = response.status().unwrap_or_default();
        match (status, sent) {
            (200..=299, Some(sent)) => {
                self.dialog.refresh(response);
                self.acknowledge(*sent, None, cc);
                self.timer = SessionTimer::agreed(response, cc.at.cx.now);
                let answer = body::description(response);
                let (Ok(Some(answer)), true) = (answer, self.media.take_answer()) else {
                    self.media.withdraw();
                    return Verdict::HangsUp(CallEnd::of(EndedBy::Peer, EndReason::NoDescription));
                };
                self.note_described(answer, cc);
                if let Change::Hold(hold) = change {
                    self.is_holding = hold;
                    cc.tell(CallEvent::Held(hold));
                }
                return Verdict::Stays;
            }
            _ => self.media.withdraw(),
        }
        match status {
            408 | 481 => Verdict::gone(response),
            491 => {
                let from = Some(self.glare_pause(cc));
                self.wanted.get_or_insert(Wanted { change, from });
                Verdict::Stays
            }
            422 if self.wish.raise(response) => {
                self.wanted.get_or_insert(Wanted { change, from: None });
                Verdict::Stays
            }
            _ => {
                if let Change::Hold(_) = change {
                    cc.tell(CallEvent::ChangeRefused { status });
                }
                Verdict::Stays
            }
        }
    }

    /// RFC 3261 section 14.1: the owner of the Call-ID waits from 2.1 to 4 s, the other up to 2 s, in steps of 10 ms.
    fn glare_pause(&self, cc: &mut CallContext<'_, '_, '_>) -> Moment {
        let (least, steps) = match self.role {
            Role::Caller => (2_100, 191),
            Role::Called => (0, 201),
        };
        let pause = least + 10 * cc.at.cx.spread(WaitPurpose::Glare, steps);
        cc.at.cx.now.after(Duration::from_millis(pause))
    }

    // Time and the line.

    /// Does what is due.
    pub(crate) fn handle_deadline(&mut self, cc: &mut CallContext<'_, '_, '_>) -> Verdict {
        let now = cc.at.cx.now;
        if self.answered.as_ref().is_some_and(|answered| answered.is_overdue(now)) {
            self.answered = None;
            return Verdict::HangsUp(CallEnd::of(EndedBy::Network, EndReason::NotAcknowledged));
        }
        if let Some(answered) = &mut self.answered {
            answered.handle_deadline(cc);
        }
        while let Some(late) = self.asking.iter().find(|asking| now.reached(asking.asked.until)) {
            let id = late.asked.id;
            cc.at.cx.forget(id);
            let verdict = self.handle_described(id, Err(DescriptionRefusal::unanswered()), cc);
            if !matches!(verdict, Verdict::Stays) {
                return verdict;
            }
        }
        if let Some(wanted) = &mut self.wanted {
            wanted.from.take_if(|from| now.reached(*from));
        }
        self.try_wanted(cc);
        match self.again.take_if(|(at, _)| now.reached(*at)) {
            Some((_, Purpose::Probe { .. })) => self.probe(cc),
            Some(_) => self.update(cc),
            None => {}
        }
        match self.timer.as_mut().and_then(|timer| timer.handle_deadline(now)) {
            Some(SessionDue::Refresh) if self.probe == Method::Update => self.update(cc),
            Some(SessionDue::Refresh) => {
                self.wanted.get_or_insert(Wanted { change: Change::Refresh, from: None });
                self.try_wanted(cc);
            }
            Some(SessionDue::Dead) => {
                cc.line.reason = Some(SESSION_EXPIRED);
                return Verdict::HangsUp(CallEnd::of(EndedBy::Network, EndReason::Forgotten));
            }
            None => {}
        }
        Verdict::Stays
    }

    /// The flow is lost: what was under way over it comes to nothing, except a BYE, which waits for another, and what
    /// waits for one already.
    pub(crate) fn lose_line(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        self.again = None;
        for exchange in std::mem::take(&mut self.outgoing) {
            match exchange.draft.purpose {
                Purpose::Bye => {
                    let exchange = exchange.rest(cc);
                    self.outgoing.push(exchange);
                    continue;
                }
                // It waits for the next flow already.
                Purpose::Info if exchange.is_unsent() => {
                    self.outgoing.push(exchange);
                    continue;
                }
                Purpose::Reinvite(change) => {
                    self.media.withdraw();
                    self.wanted.get_or_insert(Wanted { change, from: None });
                }
                Purpose::Info => cc.tell(CallEvent::InfoAnswered { status: 408 }),
                Purpose::Prack | Purpose::Update | Purpose::Probe { .. } => {}
            }
            exchange.abandon(cc);
        }
        self.drop_requests(cc);
    }

    /// There is another flow. Where an association was, a request draws the handshake first (decision 39); else what
    /// waits goes out, and where nothing does, a request asks whether the dialog is still there.
    pub(crate) fn regain_line(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let is_ending = self.outgoing.iter().any(|exchange| exchange.draft.purpose == Purpose::Bye);
        if cc.at.link.is_lapsed() && !is_ending {
            if let Some(answered) = &mut self.answered {
                answered.silence();
            }
            return self.probe(cc);
        }
        // No answer follows an ACK; where one only waited for the way to its next hop, none need follow.
        let is_asked = cc.line.is_lost() || self.acknowledged.as_ref().is_none_or(|known| known.is_sent());
        self.flush(cc);
        if self.answered.is_some() {
            cc.tell_back();
        } else if self.outgoing.is_empty() && is_asked {
            self.probe(cc);
        }
    }

    /// Everything that waited for a flow, or for what signs there, goes out: a 2xx without ACK signed again (decision 41).
    fn flush(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(mut answered) = self.answered.take() {
            answered.move_over(cc);
            self.answered = Some(answered);
        }
        if let Some(mut known) = self.acknowledged.take_if(|known| !known.is_sent()) {
            known.renew(&self.dialog, cc);
            self.acknowledged = Some(known);
        }
        let all = std::mem::take(&mut self.outgoing);
        let (waiting, sent): (Vec<Exchange>, Vec<Exchange>) = all.into_iter().partition(Exchange::is_unsent);
        self.outgoing = sent;
        for Exchange { draft, .. } in waiting {
            let purpose = draft.purpose;
            if !self.dispatch(draft, Proof::Current, Answerer::new(), cc) {
                let _it_is_not_sent = self.conclude_unsent(purpose, cc);
            }
        }
        self.try_wanted(cc);
    }

    /// Tells the peer, and the servers between, once more where this side is (RFC 3261 section 12.2): by UPDATE, or by a
    /// re-INVITE where the peer takes none.
    pub(crate) fn refresh_target(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        if self.probe == Method::Update {
            return self.probe(cc);
        }
        self.wanted.get_or_insert(Wanted { change: Change::Refresh, from: None });
        self.try_wanted(cc);
    }

    /// Asks whether the dialog is still there.
    fn probe(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let update = self.probe == Method::Update;
        let mut draft = Draft::bare(Purpose::Probe { update });
        if let (true, Some(timer)) = (update, self.timer) {
            draft.headers = self.wish.keeping(self.timer).lines(Some(timer.refresher()));
        }
        self.dispatch(draft, Proof::Current, Answerer::new(), cc);
    }

    /// Takes everything back without a word.
    pub(crate) fn abandon(mut self, cc: &mut CallContext<'_, '_, '_>) {
        for exchange in std::mem::take(&mut self.outgoing) {
            exchange.abandon(cc);
        }
        self.give_up_asking(487, cc);
    }

    /// What waits for the world is answered with that status, or forgotten; requests of ours go on.
    pub(crate) fn give_up_asking(&mut self, status: u16, cc: &mut CallContext<'_, '_, '_>) {
        for Asking { asked, what } in std::mem::take(&mut self.asking) {
            cc.at.cx.forget(asked.id);
            match what {
                AskedFor::Request(tx, request) => self.refuse(tx, &request, Refusal::new(status, ""), cc),
                // A 2xx is acknowledged whatever comes.
                AskedFor::Ack(sent) => self.acknowledge(*sent, None, cc),
                AskedFor::Change(_) | AskedFor::Prack(_) => {}
            }
        }
    }

    /// Requests of the peer whose transactions went with their flow get no answer.
    fn drop_requests(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let (gone, kept): (Vec<Asking>, Vec<Asking>) = std::mem::take(&mut self.asking)
            .into_iter()
            .partition(|asking| matches!(asking.what, AskedFor::Request(..)));
        self.asking = kept;
        for asking in gone {
            cc.at.cx.forget(asking.asked.id);
            self.media.refuse();
        }
    }

    fn update(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let mut draft = Draft::bare(Purpose::Update);
        draft.headers = self.wish.keeping(self.timer).lines(Some(homing_wire::header::Refresher::Uac));
        self.dispatch(draft, Proof::Current, Answerer::new(), cc);
    }

    /// Looks for the next hop of the dialog if the present flow does not lead there. What cannot be found is told by the
    /// silence that follows.
    fn turn(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let hop = self.dialog.next_hop();
        if self.way == Way::NextHop && cc.line.is_up() && cc.leads_elsewhere(hop) {
            cc.seek(hop);
        }
    }

    /// Sends a request; without a flow it waits for one. False if it cannot be sent at all.
    fn dispatch(
        &mut self,
        draft: Draft,
        proof: Proof,
        answerer: Answerer,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> bool {
        self.turn(cc);
        let draws = matches!(draft.purpose, Purpose::Bye | Purpose::Probe { .. });
        if !cc.line.is_up() || cc.at.link.is_lapsed() && !draws {
            self.outgoing.push(Exchange::unsent(draft));
            return true;
        }
        let method = draft.purpose.method();
        let via = cc.via();
        let head = self.dialog.request(method, via).header(Name::UserAgent, &cc.at.cx.agent.user_agent);
        let head = if matches!(method, Method::Invite | Method::Update) { cc.introduce(head) } else { head };
        match cc.send(draft.write(head), proof) {
            Ok(sent) => {
                self.outgoing.push(Exchange::sent(draft, sent, answerer));
                true
            }
            Err(_) => {
                answerer.abandon(cc.at.link, cc.at.cx);
                false
            }
        }
    }

    /// The peer described the session.
    pub(crate) fn note_described(&mut self, description: Description, cc: &mut CallContext<'_, '_, '_>) {
        let holds = self.media.note_hold(&description);
        cc.tell(CallEvent::Described { fork: self.fork, preview: false, description });
        if let Some(holds) = holds {
            cc.tell(CallEvent::PeerHolds(holds));
        }
    }

    /// Reads in an offer that was answered whether the peer holds the call.
    pub(crate) fn note_hold(&mut self, offer: &Description, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(holds) = self.media.note_hold(offer) {
            cc.tell(CallEvent::PeerHolds(holds));
        }
    }

    /// Refuses a request of the peer.
    pub(crate) fn refuse(
        &self,
        tx: TxId,
        request: &Message,
        refusal: Refusal,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        if let Some(response) = uas::refuse(request, refusal, self.dialog.local_tag(), &WITH_CALLS) {
            cc.respond(tx, response);
        }
    }

    fn reply(&self, tx: TxId, request: &Message, status: u16, cc: &mut CallContext<'_, '_, '_>) {
        let reply = Builder::reply_to(request, status, reason_phrase(status)).to_tag(self.dialog.local_tag());
        cc.respond(tx, reply.message());
    }
}

/// Which dialog of an INVITE it is.
#[derive(Clone, Copy)]
pub(crate) struct Fork {
    pub(crate) role: Role,
    /// From 0.
    pub(crate) number: u8,
    /// What this side wants of session timers.
    pub(crate) wish: Wish,
}

/// What a 2xx to INVITE says.
pub(crate) struct Success {
    /// The answer, or this side's offer; none if it was given before.
    pub(crate) body: Option<Description>,
    /// What was granted of session timers.
    pub(crate) lines: Vec<Field>,
}

impl Verdict {
    /// The peer said that it knows nothing of the dialog (RFC 5057 section 5.1).
    fn gone(response: &Message) -> Self {
        let end = CallEnd::refused(response);
        let end = CallEnd { why: EndReason::Forgotten, ..end };
        if response.status() == Some(481) { Verdict::Ends(end) } else { Verdict::HangsUp(end) }
    }
}

/// 488 with the warning of the world.
pub(crate) fn not_acceptable(request: &Message, refusal: &DescriptionRefusal) -> Builder {
    let warning = homing_wire::header::Warning {
        code: refusal.warning.clamp(300, 399),
        agent: "homing",
        text: refusal.text.as_str().into(),
    };
    Builder::reply_to(request, 488, reason_phrase(488)).header(Name::Warning, warning)
}

/// A message with these lines.
pub(crate) fn with_lines(message: Builder, lines: Vec<Field>) -> Builder {
    lines.into_iter().fold(message, |message, line| message.header(line.name, line.value))
}

/// The Reason of a BYE after a session that was not refreshed (RFC 4028 section 10).
const SESSION_EXPIRED: &str = "SIP;cause=408;text=\"Session expired\"";
/// In multiples of T1: as long as a request without an answer takes.
const AGAIN_AFTER: u32 = 64;
/// What keeps a call alive is tried again so often where no answer proves who gave it.
const MOST_UNPROVED: u8 = 3;
/// Requests of one dialog at once: who answers none gets no more.
const MOST_OUTGOING: usize = 8;
/// Octets of an INFO that is told.
const MOST_INFO: usize = 64 << 10;
