//! One call of a party, from its first message to its last.
//!
//! ```text
//!   incoming ──► answered ──► talking ──► hanging up ──► over
//!      │ refused    │ no ACK in 64·T1 ──────▲   ▲
//!      ▼            ▼                           │
//!    over        2xx again        outgoing ──► owes an ACK
//! ```

use std::time::Duration;

use bytes::Bytes;
use homing_core::time::{Moment, Now};
use homing_core::transaction::Response;
use homing_media::Refusal;
use homing_wire::{Message, Method, Name};

use super::dialog::{Dialog, NULL_SINK, Sent};
use super::sound::{CallSound, Readiness};
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{Principal, ResponseAuth, SessionId};
use crate::node::context::{Context, Final, ServerRequest};
use crate::node::party::{AckManner, Party, Play, Then};
use crate::node::reply::Reply;
use crate::node::sound::{SoundPorts, Speech};

/// A call of a party.
pub(super) struct Call {
    pub(super) dialog: Dialog,
    party: Party,
    state: State,
    /// The association its last request was signed by.
    pub(super) session: Option<SessionId>,
    sound: Option<CallSound>,
    /// It would have answered, but has no ports yet.
    answer_waits: bool,
}

/// How far a call is.
enum State {
    /// The caller waits for the final response, which comes by `until` at the latest.
    Incoming {
        invite: Asked,
        next: Moment,
        until: Moment,
    },
    /// Answered; the 2xx is repeated until the ACK comes (RFC 3261 13.3.1.4).
    Answered {
        invite: Asked,
        ok: Bytes,
        again: Moment,
        pause: Duration,
        until: Moment,
    },
    /// Its INVITE has no final response yet; its transaction ends that in any case.
    Outgoing {
        ack: AckManner,
    },
    /// It owes an ACK, which it sends then, or not at all by then.
    Owes {
        at: Moment,
        pays: bool,
    },
    /// Nobody owes anything. It ends at the latest then.
    Talking {
        reinvites: u32,
        until: Moment,
    },
    /// Its BYE waits for an answer; its transaction ends that in any case.
    HangingUp,
    Over,
}

/// A request with who sent it.
pub(super) struct Asked {
    pub(super) request: ServerRequest,
    pub(super) principal: Principal,
}

impl Call {
    /// A call to a party.
    pub(super) fn incoming(party: &Party, dialog: Dialog, invite: Asked, now: Now) -> Self {
        let (next, until) = (now.after(party.after), now.after(LONGEST));
        let state = State::Incoming { invite, next, until };
        Self { dialog, party: party.clone(), state, session: None, sound: None, answer_waits: false }
    }

    /// A call of a party.
    pub(super) fn outgoing(party: &Party, dialog: Dialog, ack: AckManner, sent: &Sent) -> Self {
        let (state, session) = (State::Outgoing { ack }, sent.session);
        Self { dialog, party: party.clone(), state, session, sound: None, answer_waits: false }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// True while an INVITE waits for its answer.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, State::Incoming { .. })
    }

    /// True for a CANCEL by the way of its INVITE. Where an association signed that, the same endpoint must have signed
    /// this: others may be behind the same connection.
    pub(super) fn may_be_cancelled_by(&self, asked: &ServerRequest, principal: &Principal) -> bool {
        let State::Incoming { invite, .. } = &self.state else { return false };
        let signs = matches!(invite.principal.response_auth, ResponseAuth::Association(_));
        let same_endpoint = invite.principal.endpoint == principal.endpoint;
        invite.request.flow == asked.flow && self.is_proved(principal) && (same_endpoint || !signs)
    }

    /// True for who proved to be the other end as well as when the call began.
    pub(super) fn is_proved(&self, principal: &Principal) -> bool {
        let signs = |auth: &ResponseAuth| matches!(auth, ResponseAuth::Association(_));
        let invite = match &self.state {
            State::Incoming { invite, .. } | State::Answered { invite, .. } => invite,
            _ => return true,
        };
        !signs(&invite.principal.response_auth) || signs(&principal.response_auth)
    }

    /// When its next step is due.
    pub(super) fn deadline(&self) -> Option<Moment> {
        match &self.state {
            State::Incoming { next, until, .. } => Some(*next.min(until)),
            State::Answered { again, until, .. } => Some(*again.min(until)),
            State::Owes { at, .. } => Some(*at),
            State::Talking { until, .. } => Some(*until),
            State::Outgoing { .. } | State::HangingUp | State::Over => None,
        }
    }

    /// What a party says to an INVITE at once.
    pub(super) fn start(&mut self, cx: &mut Context, now: Now) {
        if let Some(key) = self.dialog.peers_part()
            && let State::Incoming { invite, .. } = &self.state
        {
            cx.dialogs.begin(&key, invite.request.flow, now);
        }
        self.open_sound(cx, now);
        match self.party.plays.clone() {
            Play::Busy => self.refuse(cx, 486, None, now),
            Play::Declines => self.refuse(cx, 603, None, now),
            Play::Redirects(uri) => self.refuse(cx, 302, Some((Name::Contact, format!("<{uri}>"))), now),
            Play::EarlyThenBusy => self.provisional(cx, 183, true, now),
            Play::Answers if self.party.after.is_zero() => self.answer(cx, now),
            Play::Answers | Play::Rings => self.provisional(cx, 180, false, now),
        }
        if self.party.plays == Play::Rings {
            self.ring_on(now);
        }
    }

    fn ring_on(&mut self, now: Now) {
        if let State::Incoming { next, .. } = &mut self.state {
            *next = now.after(RING_AGAIN);
        }
    }

    fn provisional(&mut self, cx: &mut Context, status: u16, body: bool, now: Now) {
        let State::Incoming { invite, .. } = &self.state else { return };
        let body = body.then_some(NULL_SINK);
        let reply = self.dialog.reply(&invite.request.request, status, body);
        if let Some(bytes) = signed(cx, invite, reply, now) {
            cx.transactions.respond(invite.request.tx, bytes, status, now);
        }
    }

    /// Refuses its INVITE, with a header that says more.
    fn refuse(&mut self, cx: &mut Context, status: u16, more: Option<(Name<'static>, String)>, now: Now) {
        let State::Incoming { invite, .. } = std::mem::replace(&mut self.state, State::Over) else { return };
        let mut reply = self.dialog.reply(&invite.request.request, status, None);
        if let Some((name, value)) = more {
            reply = reply.header(name, value);
        }
        cx.respond(&invite.request, reply, &invite.principal.response_auth, now);
        self.end(cx, "refused by its party", now);
    }

    fn open_sound(&mut self, cx: &mut Context, now: Now) {
        let (State::Incoming { invite, .. }, Some(sound)) = (&self.state, self.party.sound) else { return };
        if self.party.plays == Play::Answers {
            let transport = cx.flows.transport(invite.request.flow);
            let is_secure = transport.is_some_and(|transport| transport.is_secure());
            self.sound = Some(CallSound::open(cx, self.dialog.id, sound, is_secure, now));
        }
    }

    /// Where its sound is received is known, or that there is no room for it.
    pub(super) fn sound_opened(&mut self, cx: &mut Context, ports: Option<&SoundPorts>, now: Now) {
        if let Some(sound) = &mut self.sound {
            sound.opened(ports);
        }
        if std::mem::take(&mut self.answer_waits) {
            self.answer(cx, now);
        }
    }

    /// What answers an offer of the other end; an offer where there is none.
    fn describe(&mut self, cx: &mut Context, offer: &[u8]) -> Result<String, Refusal> {
        match &mut self.sound {
            Some(sound) => sound.describe(cx, offer),
            None => Ok(NULL_SINK.to_owned()),
        }
    }

    fn answer(&mut self, cx: &mut Context, now: Now) {
        let State::Incoming { invite, next, .. } = &mut self.state else { return };
        match self.sound.as_ref().map_or(Readiness::Ready, |sound| sound.readiness(now)) {
            Readiness::Ready => {}
            Readiness::Failed => return self.refuse(cx, 503, None, now),
            Readiness::Waits(until) => {
                *next = until;
                self.answer_waits = true;
                return;
            }
        }
        let offer = invite.request.request.body().to_vec();
        match self.describe(cx, &offer) {
            Ok(body) => self.accept(cx, &body, now),
            Err(Refusal::Unreadable) => self.refuse(cx, 400, None, now),
            Err(refusal) => {
                let warning = warning(cx, &refusal);
                self.refuse(cx, 488, Some((Name::Warning, warning)), now);
            }
        }
    }

    fn accept(&mut self, cx: &mut Context, body: &str, now: Now) {
        let State::Incoming { invite, .. } = std::mem::replace(&mut self.state, State::Over) else { return };
        let mut reply = self.dialog.reply(&invite.request.request, 200, Some(body));
        if self.party.sound.is_some_and(|sound| sound.speech == Speech::Announcement) {
            let name = &cx.config.identity.name;
            reply = reply.header(Name::Organization, format_args!("{name}, the home server of this call"));
        }
        let Some(ok) = signed(cx, &invite, reply, now) else {
            return self.end(cx, "its answer cannot be signed", now);
        };
        let answer = Final { bytes: ok.clone(), status: 200 };
        cx.conclude(&invite.request, answer, &invite.principal.response_auth, now);
        if let Some(key) = self.dialog.peers_part() {
            cx.dialogs.confirm(&key, self.dialog.tags(), None, now);
            cx.keep_association(&key.endpoint, now);
        }
        self.note(cx, "answered by its party", now);
        let (t1, pause) = (cx.config.timers.t1, cx.config.timers.t1);
        let (again, until) = (now.after(pause), now.after(t1.saturating_mul(64)));
        self.state = State::Answered { invite, ok, again, pause, until };
    }

    /// The caller takes the INVITE back.
    pub(super) fn cancelled(&mut self, cx: &mut Context, now: Now) {
        self.refuse(cx, 487, None, now);
    }

    /// The flow is gone by which the INVITE came: no answer would reach its caller.
    pub(super) fn sender_gone(&mut self, cx: &mut Context, now: Now) {
        if self.waits() {
            self.end(cx, "its caller is gone", now);
        }
    }

    /// The ACK for a 2xx of it came, with the answer where the offer was its own.
    pub(super) fn acknowledged(&mut self, cx: &mut Context, body: &[u8], now: Now) {
        if let Some(sound) = &mut self.sound {
            sound.take_answer(cx, body);
        }
        if matches!(self.state, State::Answered { .. }) {
            self.talk(cx, now);
        }
    }

    fn talk(&mut self, cx: &mut Context, now: Now) {
        let reinvites = match self.party.then {
            Then::Reinvites(count) => count,
            Then::Stays | Then::HangsUp | Then::Glare => 0,
        };
        self.state = State::Talking { reinvites, until: now.after(LONGEST) };
        if self.party.then == Then::HangsUp {
            self.hang_up(cx, now);
        } else {
            self.reinvite(cx, now);
        }
    }

    /// The next of its re-INVITEs, if there is one.
    fn reinvite(&mut self, cx: &mut Context, now: Now) {
        let State::Talking { reinvites, .. } = &mut self.state else { return };
        if *reinvites > 0 {
            *reinvites -= 1;
            self.reinvite_now(cx, now);
        }
    }

    /// A request of the other end inside the call.
    pub(super) fn handle_request(&mut self, cx: &mut Context, asked: &Asked, now: Now) {
        let request = &asked.request.request;
        let is_glare = self.party.then == Then::Glare;
        let described = match request.method() {
            Some(Method::Invite) if is_glare => None,
            Some(Method::Invite) => Some(self.describe(cx, request.body())),
            Some(Method::Update) if !request.body().is_empty() => Some(self.describe(cx, request.body())),
            _ => None,
        };
        let reply = match described {
            None if is_glare && request.method() == Some(Method::Invite) => {
                self.reinvite_now(cx, now);
                self.dialog.reply(request, 491, None)
            }
            None => self.dialog.reply(request, 200, None),
            Some(Ok(body)) => self.dialog.reply(request, 200, Some(&body)),
            Some(Err(refusal)) => {
                self.dialog.reply(request, 488, None).header(Name::Warning, warning(cx, &refusal))
            }
        };
        cx.respond(&asked.request, reply, &asked.principal.response_auth, now);
        if request.method() == Some(Method::Bye) {
            self.end(cx, "BYE of the other end", now);
        }
    }

    /// Sends a re-INVITE, with an offer.
    fn reinvite_now(&mut self, cx: &mut Context, now: Now) {
        let offer = self.sound.as_mut().and_then(|sound| sound.offer().ok());
        self.send(cx, Method::Invite, Some(offer.as_deref().unwrap_or(NULL_SINK)), now);
    }

    /// A response to a request of its own.
    pub(super) fn handle_response(&mut self, cx: &mut Context, response: &Message, what: Response, now: Now) {
        let status = response.status().unwrap_or(500);
        let number = response.cseq().ok().filter(|cseq| cseq.method == Method::Invite).map(|cseq| cseq.seq);
        match (&self.state, status) {
            (_, ..200) => {}
            (State::HangingUp, _) => self.end(cx, "BYE of its party", now),
            (State::Outgoing { ack }, 200..300) => {
                let ack = *ack;
                self.dialog.answered(response);
                if let Some(key) = self.dialog.peers_part() {
                    cx.dialogs.confirm(&key, self.dialog.tags(), None, now);
                    cx.keep_association(&key.endpoint, now);
                }
                self.note(cx, "answered, and made by a party", now);
                self.owe(cx, ack, now);
            }
            (State::Outgoing { .. }, _) => self.end(cx, "refused by the other end", now),
            // A copy of the answer while it owes the ACK.
            (State::Owes { .. }, _) => {}
            (State::Talking { .. }, 200..300) => {
                if let Some(number) = number {
                    self.dialog.acknowledge(cx, number, now);
                    if let Some(sound) = &mut self.sound {
                        sound.take_answer(cx, response.body());
                    }
                }
                if what == Response::Final {
                    self.reinvite(cx, now);
                }
            }
            (State::Talking { .. }, 408 | 481) => self.end(cx, "its other end knows it not", now),
            (State::Talking { .. }, _) => self.reinvite(cx, now),
            (State::Incoming { .. } | State::Answered { .. } | State::Over, _) => {}
        }
    }

    fn owe(&mut self, cx: &mut Context, ack: AckManner, now: Now) {
        match ack {
            AckManner::Prompt => {
                self.dialog.acknowledge(cx, FIRST, now);
                self.talk(cx, now);
            }
            AckManner::Late(pause) => self.state = State::Owes { at: now.after(pause), pays: true },
            AckManner::Never => self.state = State::Owes { at: now.after(LONGEST), pays: false },
        }
    }

    /// No answer came to a request of its own.
    pub(super) fn handle_failure(&mut self, cx: &mut Context, now: Now) {
        self.end(cx, "no answer to its party", now);
    }

    /// Its next step is due.
    pub(super) fn handle_deadline(&mut self, cx: &mut Context, now: Now) {
        match &mut self.state {
            State::Incoming { until, .. } if now.reached(*until) => self.refuse(cx, 480, None, now),
            State::Incoming { .. } => match self.party.plays {
                Play::EarlyThenBusy => self.refuse(cx, 486, None, now),
                Play::Rings => {
                    self.provisional(cx, 180, false, now);
                    self.ring_on(now);
                }
                _ => self.answer(cx, now),
            },
            State::Answered { until, .. } if now.reached(*until) => self.hang_up(cx, now),
            State::Answered { invite, ok, again, pause, .. } => {
                *pause = pause.saturating_mul(2).min(cx.config.timers.t2);
                *again = now.after(*pause);
                cx.transactions.respond(invite.request.tx, ok.clone(), 200, now);
            }
            State::Owes { pays: true, .. } => {
                self.dialog.acknowledge(cx, FIRST, now);
                self.talk(cx, now);
            }
            State::Owes { pays: false, .. } | State::Talking { .. } => self.hang_up(cx, now),
            State::Outgoing { .. } | State::HangingUp | State::Over => {}
        }
    }

    fn hang_up(&mut self, cx: &mut Context, now: Now) {
        self.state = State::HangingUp;
        self.send(cx, Method::Bye, None, now);
    }

    fn send(&mut self, cx: &mut Context, method: Method<'_>, body: Option<&str>, now: Now) {
        match self.dialog.send(cx, method, body, now) {
            Some(sent) => self.session = sent.session,
            None => self.end(cx, "no way to its other end", now),
        }
    }

    fn end(&mut self, cx: &mut Context, why: &'static str, now: Now) {
        self.state = State::Over;
        if let Some(sound) = self.sound.take() {
            sound.close(cx);
        }
        if let Some(key) = self.dialog.peers_part() {
            cx.end_dialog(&key, self.dialog.tags(), now);
            cx.end_early_dialog(&key, now);
        }
        self.note(cx, why, now);
    }

    fn note(&self, cx: &mut Context, why: &str, now: Now) {
        let said = Decision::new(Verdict::Call, format!("with {}: {why}", self.dialog.peer));
        cx.note(None, said.about(&self.dialog.party), now);
    }
}

/// Why an offer is not taken, as a response says it (RFC 3261 20.43).
fn warning(cx: &Context, refusal: &Refusal) -> String {
    format!("{} {} \"{refusal}\"", refusal.warning(), cx.config.identity.fqdn)
}

/// The octets of a response, signed for who asked; none where that cannot be.
fn signed(cx: &mut Context, asked: &Asked, reply: Reply, now: Now) -> Option<Bytes> {
    let Asked { request, principal } = asked;
    let answer = cx.unsigned(&request.request, request.flow, reply, now);
    let auth: &ResponseAuth = &principal.response_auth;
    match cx.sign(answer, &request.request, auth) {
        Ok(answer) => Some(answer.into()),
        Err(not_signed) => {
            cx.give_up(request, not_signed, now);
            None
        }
    }
}

/// The number of its first INVITE.
const FIRST: u32 = 1;
/// How often a party that rings says so: more often than timer C asks for.
const RING_AGAIN: Duration = Duration::from_secs(60);
/// How long a party's call rings, and then lasts, if nobody ends it.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
