//! Takes and makes the calls of the parties of this server: users who are no persons (`node::party`).

mod call;
mod dialog;
mod sound;

use std::collections::BTreeMap;

use homing_core::counter::Counter;
use homing_core::ids::TxId;
use homing_core::server::ServerName;
use homing_core::time::{Deadline, Now, Why};
use homing_wire::{Message, Method, Name};

use super::proxy::{of_user, user_named};
use super::{
    Ack, AckWay, Authenticated, BranchEvent, Errand, FollowUp, Judged, LookUp, Pending, Service, Step,
};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{Principal, Received, SessionId, judge_response};
use crate::node::context::{BranchId, Context};
use crate::node::io::NodeCommand;
use crate::node::party::Party;
use crate::node::reply::Reply;
use crate::node::sound::SoundPorts;
use crate::node::timer_map::TimerMap;
use call::{Asked, Call};
use dialog::Dialog;

/// The calls of this server's parties.
#[derive(Default)]
pub(crate) struct Parties {
    calls: BTreeMap<u64, Call>,
    by_invite: BTreeMap<TxId, u64>,
    timers: TimerMap<u64>,
}

impl Service for Parties {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        match step {
            Step::Authenticated(authenticated) => self.take(cx, authenticated, now),
            Step::Ack(ack) => self.acknowledge(cx, ack, now),
            other => other,
        }
    }

    fn handle_command(&mut self, cx: &mut Context, command: &NodeCommand, now: Now) -> Step {
        let NodeCommand::PartyCalls { party, callee, manners } = command else { return Step::Done };
        let found = cx.config.parties.iter().find(|known| known.user == *party);
        match found.cloned() {
            Some(party) => {
                let pending = Pending::Errand(Box::new(Errand { party, manners: *manners }));
                Step::LookUp(LookUp { user: callee.clone(), pending })
            }
            None => {
                cx.note(None, Decision::new(Verdict::Call, "no such party here").about(party), now);
                Step::Done
            }
        }
    }

    fn handle_sound(&mut self, cx: &mut Context, call: u64, ports: Option<&SoundPorts>, now: Now) {
        if let Some(call) = self.calls.get_mut(&call) {
            call.sound_opened(cx, ports, now);
        }
        self.book(call);
    }

    fn handle_lookup(&mut self, cx: &mut Context, asked: LookUp, found: &Lookup, now: Now) -> Step {
        let LookUp { user, pending: Pending::Errand(errand) } = asked else { return Step::Done };
        let mut dialog = Dialog::outgoing(cx, &errand.party.user, &user);
        let targets = of_user(cx, &user, found, &dialog.probe(), &errand.party.user);
        let first = targets.ok().and_then(|mut groups| groups.pop_front()?.into_iter().next());
        let server = first.and_then(|target| dialog.towards(target));
        self.call(cx, Outgoing { dialog, errand: *errand, server }, now);
        Step::Done
    }

    fn judge_response(&mut self, cx: &mut Context, branch: BranchId, response: &Message, now: Now) -> Judged {
        let Some(call) = self.calls.get(&branch.context) else { return Judged::NotMine };
        let session = call.session;
        if response.status() != Some(100) && session.is_some_and(|id| !is_signed(cx, id, response, now)) {
            return Judged::Dropped;
        }
        Judged::Believed(FollowUp { session, cancel: Vec::new() })
    }

    fn handle_branch(&mut self, cx: &mut Context, branch: BranchId, event: BranchEvent<'_>, now: Now) {
        let Some(call) = self.calls.get_mut(&branch.context) else { return };
        match event {
            BranchEvent::Response(response, what) => call.handle_response(cx, response, what, now),
            BranchEvent::TimedOut | BranchEvent::FlowFailed => call.handle_failure(cx, now),
            // Its transaction gives it up 64·T1 later.
            BranchEvent::CancelDue => {}
        }
        self.book(branch.context);
    }

    fn handle_sender_gone(&mut self, cx: &mut Context, request: TxId, now: Now) {
        let Some(id) = self.by_invite.get(&request).copied() else { return };
        if let Some(call) = self.calls.get_mut(&id) {
            call.sender_gone(cx, now);
        }
        self.book(id);
    }

    fn handle_deadline(&mut self, cx: &mut Context, now: Now) {
        let due: Vec<u64> = std::iter::from_fn(|| self.timers.due(now)).collect();
        for id in due {
            if let Some(call) = self.calls.get_mut(&id) {
                call.handle_deadline(cx, now);
            }
            self.book(id);
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        self.timers.next().map(|at| Deadline::new(at, Why::AnswerOverdue))
    }

    fn in_hand(&self) -> usize {
        self.calls.len()
    }
}

/// A call that is to be made, and through which server; by its dialog's own flow without.
struct Outgoing {
    dialog: Dialog,
    errand: Errand,
    server: Option<ServerName>,
}

impl Parties {
    /// A request to a party, and every other as it came.
    fn take(&mut self, cx: &mut Context, authenticated: Box<Authenticated>, now: Now) -> Step {
        let Authenticated { request, principal, cancels } = &*authenticated;
        if let Some(id) = cancels.and_then(|invite| self.by_invite.get(&invite).copied()) {
            let may = |call: &&mut Call| call.may_be_cancelled_by(request, principal);
            match self.calls.get_mut(&id).filter(may) {
                Some(call) => {
                    cx.respond(request, Reply::new(200), &principal.response_auth, now);
                    call.cancelled(cx, now);
                }
                None => {
                    cx.counters.count(Counter::Unsigned);
                    cx.discard_accepted(request, "a CANCEL of somebody else", now);
                }
            }
            self.book(id);
            return Step::Done;
        }
        if let Some(id) = self.inside(&request.request, principal) {
            let Authenticated { request, principal, .. } = *authenticated;
            if let Some(call) = self.calls.get_mut(&id) {
                call.handle_request(cx, &Asked { request, principal }, now);
            }
            self.book(id);
            return Step::Done;
        }
        let user = user_named(cx, &request.request);
        let party = cx.config.parties.iter().find(|party| Some(&party.user) == user.as_ref()).cloned();
        match party {
            Some(party) => self.invited(cx, &party, *authenticated, now),
            None => return Step::Authenticated(authenticated),
        }
        Step::Done
    }

    /// A request to a party outside its calls.
    fn invited(&mut self, cx: &mut Context, party: &Party, authenticated: Authenticated, now: Now) {
        let Authenticated { request, principal, .. } = authenticated;
        let in_dialog = request.request.to().is_ok_and(|to| to.tag().is_some());
        let invite = request.request.method() == Some(Method::Invite);
        if in_dialog || !invite {
            let status = if in_dialog { 481 } else { 200 };
            return cx.respond(&request, Reply::new(status), &principal.response_auth, now);
        }
        if self.calls.len() >= MOST_CALLS {
            cx.counters.count(Counter::OverCap);
            let reply = Reply::new(503).header(Name::RetryAfter, cx.retry_after(PAUSE, now));
            return cx.respond(&request, reply, &principal.response_auth, now);
        }
        if self.unanswered_of(&principal.endpoint.user) >= MOST_UNANSWERED {
            cx.counters.count(Counter::OverCap);
            let reply = Reply::new(486).header(Name::RetryAfter, cx.retry_after(PAUSE, now));
            return cx.respond(&request, reply, &principal.response_auth, now);
        }
        let Some(dialog) = Dialog::incoming(cx, &party.user, &request.request, &principal) else {
            let reply = Reply::new(400).reason("An INVITE needs a Contact");
            return cx.respond(&request, reply, &principal.response_auth, now);
        };
        let id = dialog.id;
        self.by_invite.insert(request.tx, id);
        let mut call = Call::incoming(party, dialog, Asked { request, principal }, now);
        call.start(cx, now);
        self.calls.insert(id, call);
        self.book(id);
    }

    /// How many calls of this user wait for the answer of a party.
    fn unanswered_of(&self, user: &str) -> usize {
        let waiting = self.by_invite.values().filter_map(|id| self.calls.get(id));
        waiting.filter(|call| call.dialog.peer == user).count()
    }

    fn acknowledge(&mut self, cx: &mut Context, ack: Box<Ack>, now: Now) -> Step {
        let AckWay::ByRoute(principal) = &ack.way else { return Step::Ack(ack) };
        let Some(id) = self.inside(&ack.request, principal) else { return Step::Ack(ack) };
        match self.calls.get_mut(&id).filter(|call| call.is_proved(principal)) {
            Some(call) => call.acknowledged(cx, ack.request.body(), now),
            None => {
                cx.counters.count(Counter::Unsigned);
                cx.discard(ack.flow, "an ACK that its sender did not sign", now);
            }
        }
        self.book(id);
        Step::Done
    }

    /// The call a request belongs to: it names its dialog, and its other end sent it.
    fn inside(&self, request: &Message, principal: &Principal) -> Option<u64> {
        let of = self.calls.iter().find(|(_, call)| call.dialog.is_of(request, principal));
        of.map(|(id, _)| *id)
    }

    /// Makes a call, to the first device of its callee.
    fn call(&mut self, cx: &mut Context, outgoing: Outgoing, now: Now) {
        let Outgoing { mut dialog, errand: Errand { party, manners }, server } = outgoing;
        let id = dialog.id;
        let room = self.calls.len() < MOST_CALLS;
        let sent = if room { dialog.invite(cx, server, manners.offers, now) } else { None };
        let Some(sent) = sent else {
            let words = format!("with {}: no way to its other end", dialog.peer);
            let said = Decision::new(Verdict::Call, words);
            return cx.note(None, said.about(&party.user), now);
        };
        if let Some(key) = dialog.peers_part() {
            cx.dialogs.begin(&key, sent.flow, now);
        }
        self.calls.insert(id, Call::outgoing(&party, dialog, manners.ack, &sent));
        self.book(id);
    }

    /// Brings the tables beside a call up to date.
    fn book(&mut self, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        if !call.waits() {
            self.by_invite.retain(|_, waiting| *waiting != id);
        }
        if call.is_over() {
            self.calls.remove(&id);
            return self.timers.cancel(&id);
        }
        match call.deadline() {
            Some(at) => self.timers.set(id, at),
            None => self.timers.cancel(&id),
        }
    }
}

/// True for a response that the client of that association signed; what is not is counted.
fn is_signed(cx: &mut Context, id: SessionId, response: &Message, now: Now) -> bool {
    let of = cx.sessions.find(id).map(|session| (session.endpoint.clone(), session.flow));
    let judged = match &of {
        Some((endpoint, flow)) => {
            judge_response(Received { request: response, flow: *flow, now }, endpoint, &mut cx.sessions)
        }
        None => Err(Counter::Unsigned),
    };
    if let Err(counter) = judged {
        cx.counters.count(counter);
    }
    judged.is_ok()
}

/// Calls that the parties of one server have at the same time.
const MOST_CALLS: usize = 1_000;
/// Calls of one user that wait for an answer at the same time, so that one user's do not take the room of all others.
const MOST_UNANSWERED: usize = 20;
/// Seconds.
const PAUSE: u32 = 5;
