//! One request that is passed on: its branches, what they ended with, and what goes back (RFC 3261 16).
//!
//! ```text
//!   forking ──► 2xx ──► answered ──► 64·T1 after the last 2xx: gone
//!      │  └────► 6xx ──► given up ─┐
//!      ├─ CANCEL, timer C, sender ─┤   every branch is ended, one way or another
//!      │          gone             ▼
//!      └─ no branch and no group is left ──► the best response goes back: gone
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use homing_core::time::{Moment, Now};
use homing_core::transaction::Response;
use homing_wire::{Message, Method, Name, SessionExpires};

use super::back::{self, Back};
use super::branch::{Began, Branch, BranchState};
use super::finals::{Ended, Finals};
use super::forward::{Arrived, Plan, hops_left, outgoing};
use super::target::{Target, way_to};
use super::{media_keys, register};
use crate::journal::{Decision, Verdict};
use crate::node::context::{BranchId, Context, ServerRequest};
use crate::node::dialogs::{DialogKey, Tags};
use crate::node::endpoint::Endpoint;
use crate::node::reply::Reply;
use crate::node::route_token::RouteToken;

/// A request with all that waits for its branches.
pub(super) struct ResponseContext {
    id: u64,
    pub(super) request: ServerRequest,
    pub(super) back: Back,
    plan: Plan,
    branches: Vec<Branch>,
    /// Groups of targets that were not tried yet.
    groups: VecDeque<Vec<Target>>,
    finals: Finals,
    stage: Stage,
    /// Branches that timer C gave up.
    overdue: BTreeSet<usize>,
    /// The sender's flow is gone, and nothing goes back by it: until then it may come again (decision 41).
    caller_lost: Option<Moment>,
}

/// A response of a branch.
#[derive(Clone, Copy)]
pub(super) struct Heard<'m> {
    pub(super) number: usize,
    pub(super) response: &'m Message,
    pub(super) what: Response,
}

/// Where a response came from.
#[derive(Clone, Copy)]
struct Origin {
    /// An association proved it to this server.
    proved: bool,
    /// It came by a connection on which anybody may read along.
    is_clear: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Branches are tried.
    Forking,
    /// No further branch is tried; what goes back waits for the end of those there are.
    GivenUp {
        /// True where the sender took it back.
        cancelled: bool,
    },
    /// A 2xx went back; later ones do too, until then.
    Answered { until: Moment },
    /// Its final response went back, or nobody waits for one.
    Over,
}

impl ResponseContext {
    /// Without branches yet.
    pub(super) fn new(
        id: u64,
        request: ServerRequest,
        back: Back,
        plan: Plan,
        groups: VecDeque<Vec<Target>>,
    ) -> Self {
        Self {
            id,
            request,
            back,
            plan,
            branches: Vec::new(),
            groups,
            finals: Finals::default(),
            stage: Stage::Forking,
            overdue: BTreeSet::new(),
            caller_lost: None,
        }
    }

    /// True once nothing is left to be done.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    pub(super) fn is_invite(&self) -> bool {
        self.request.request.method() == Some(Method::Invite)
    }

    /// True for a request that begins a call.
    pub(super) fn is_call(&self) -> bool {
        self.is_invite() && !self.is_in_dialog()
    }

    /// True for an INVITE that nobody answered.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.stage, Stage::Forking | Stage::GivenUp { .. })
    }

    fn is_in_dialog(&self) -> bool {
        self.request.request.to().is_ok_and(|to| to.tag().is_some())
    }

    pub(super) fn branch(&self, number: usize) -> Option<&Branch> {
        self.branches.get(number)
    }

    pub(super) fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Sends the first group.
    pub(super) fn start(&mut self, cx: &mut Context, now: Now) {
        if self.is_call()
            && let Some(key) = self.senders_part()
        {
            cx.dialogs.begin(&key, self.request.flow, now);
        }
        self.go_on(cx, now);
    }

    /// Sends the next group, as long as the last one is over and there is one; else answers.
    fn go_on(&mut self, cx: &mut Context, now: Now) {
        while self.branches.iter().all(Branch::is_closed) && self.is_unanswered() {
            match self.groups.pop_front().filter(|_| self.stage == Stage::Forking) {
                Some(group) => self.fork(cx, group, now),
                None => return self.conclude(cx, now),
            }
        }
    }

    fn fork(&mut self, cx: &mut Context, group: Vec<Target>, now: Now) {
        let Some(hops) = hops_left(&self.request.request) else {
            return self.finals.add(Ended::Locally(483));
        };
        for target in group {
            let id = BranchId { context: self.id, number: self.branches.len() };
            let arrived = Arrived { request: &self.request.request, flow: self.request.flow };
            let out = outgoing(cx, arrived, &self.plan, &target, hops);
            let began = Began { arrived, token: target.token };
            let branch = out.and_then(|out| Branch::start(cx, id, out, began, now));
            match branch {
                Some(branch) => self.branches.push(branch),
                None => self.finals.add(Ended::Locally(500)),
            }
        }
    }

    /// A response of a branch that is believed.
    pub(super) fn handle_response(&mut self, cx: &mut Context, heard: Heard<'_>, now: Now) {
        let Heard { number, response, what } = heard;
        let status = response.status().unwrap_or(500);
        match (what, status) {
            (Response::Absorbed, _) => {}
            (Response::Provisional, _) => self.handle_provisional(cx, number, response, now),
            (_, 200..300) => self.handle_success(cx, number, response, now),
            _ => self.handle_refusal(cx, number, response, now),
        }
        self.go_on(cx, now);
    }

    /// A response by another flow than the request went, which no transaction knows (decision 41).
    pub(super) fn handle_unmatched(
        &mut self,
        cx: &mut Context,
        number: usize,
        arrived: Arrived<'_>,
        now: Now,
    ) {
        let Arrived { request: response, flow } = arrived;
        let Some(branch) = self.branches.get_mut(number) else { return };
        if !branch.is_copy(response) {
            if !branch.believes(cx, arrived, now) {
                return;
            }
            branch.moved_to(flow, response);
        }
        let was_open = branch.is_down();
        match response.status().unwrap_or(500) {
            ..200 => self.handle_provisional(cx, number, response, now),
            200..300 => self.handle_success(cx, number, response, now),
            300.. => {
                branch.acknowledge(cx, response, now);
                if was_open {
                    self.handle_refusal(cx, number, response, now);
                }
            }
        }
        self.go_on(cx, now);
    }

    fn handle_provisional(&mut self, cx: &mut Context, number: usize, response: &Message, now: Now) {
        let Some(branch) = self.branches.get_mut(number) else { return };
        if response.status() == Some(100) {
            // It is for neighbours, and sets no timer C (RFC 3261 section 16.7 step 2).
            return;
        }
        branch.rings(now);
        let (proved, flow) = (branch.session.is_some(), branch.flow);
        // Only an INVITE has provisional responses that say something (RFC 4320 4.1).
        if !self.is_invite() || self.stage != Stage::Forking {
            return;
        }
        if let Some(key) = self.part_of(number).filter(|_| self.is_call()) {
            cx.dialogs.begin(&key, flow, now);
        }
        if let Some(key) = self.senders_part() {
            cx.dialogs.touch(&key, None, now);
        }
        let origin = Origin { proved, is_clear: media_keys::is_clear(cx, flow) };
        self.send_back(cx, response, origin, now);
    }

    fn handle_success(&mut self, cx: &mut Context, number: usize, response: &Message, now: Now) {
        let Some(branch) = self.branches.get_mut(number) else { return };
        branch.state = BranchState::Closed;
        let (proved, flow) = (branch.session.is_some(), branch.flow);
        let origin = Origin { proved, is_clear: media_keys::is_clear(cx, flow) };
        let first = self.is_unanswered();
        if !self.is_invite() {
            if first {
                self.stage = Stage::Over;
                self.send_back(cx, response, origin, now);
                self.note_dialog(cx, Some(number), response, now);
            }
            return;
        }
        if self.is_call()
            && let Some(key) = self.part_of(number)
        {
            cx.dialogs.begin(&key, flow, now);
        }
        let answered = self.branches.get(number).and_then(|branch| branch.endpoint(cx));
        if first {
            self.groups.clear();
            if self.is_call() {
                let who = answered.map(|endpoint| format!(" by {endpoint}")).unwrap_or_default();
                self.note(cx, Verdict::Call, format!("answered{who}"), now);
            }
        }
        self.stage = Stage::Answered { until: now.after(cx.config.timers.t1.saturating_mul(64)) };
        self.send_back(cx, response, origin, now);
        self.note_dialog(cx, Some(number), response, now);
        let words = vec![(Name::Reason, ELSEWHERE.to_owned())];
        self.cancel_branches(cx, &words, now);
    }

    fn handle_refusal(&mut self, cx: &mut Context, number: usize, response: &Message, now: Now) {
        let Some(branch) = self.branches.get_mut(number) else { return };
        branch.state = BranchState::Closed;
        let proved = branch.session.is_some();
        let status = response.status().unwrap_or(500);
        self.end_part(cx, number, status, now);
        // What timer C ended, ended because nobody answered in time.
        let overdue = status == 487 && self.overdue.contains(&number);
        let response = || Ended::Response { response: Box::new(response.clone()), proved };
        self.finals.add(if overdue { Ended::Locally(408) } else { response() });
        if status >= 600 && self.stage == Stage::Forking {
            self.give_up(cx, false, &[], now);
        }
    }

    /// A branch got no answer in time, or has no way there.
    pub(super) fn handle_failure(&mut self, cx: &mut Context, number: usize, status: u16, now: Now) {
        let Some(branch) = self.branches.get_mut(number) else { return };
        if status == 503 && branch.flow_gone(now) {
            let said = Decision::new(Verdict::Proxied, "its callee's connection is gone: the branch is kept");
            return cx.note(None, said, now);
        }
        branch.state = BranchState::Closed;
        self.end_part(cx, number, status, now);
        self.finals.add(Ended::Locally(status));
        self.go_on(cx, now);
    }

    /// A branch rang for so long that it is given up (timer C).
    pub(super) fn handle_timer_c(&mut self, cx: &mut Context, number: usize, now: Now) {
        if let Some(branch) = self.branches.get_mut(number) {
            self.overdue.insert(number);
            branch.cancel(cx, Vec::new(), now);
        }
    }

    /// The sender takes it back; `words` go along with every CANCEL.
    pub(super) fn cancel(&mut self, cx: &mut Context, words: &[(Name<'static>, String)], now: Now) {
        if self.stage == Stage::Forking {
            self.give_up(cx, true, words, now);
            self.go_on(cx, now);
        }
    }

    fn give_up(&mut self, cx: &mut Context, cancelled: bool, words: &[(Name<'static>, String)], now: Now) {
        self.stage = Stage::GivenUp { cancelled };
        self.groups.clear();
        self.cancel_branches(cx, words, now);
    }

    fn cancel_branches(&mut self, cx: &mut Context, words: &[(Name<'static>, String)], now: Now) {
        if self.is_invite() {
            self.branches.iter_mut().for_each(|branch| branch.cancel(cx, words.to_vec(), now));
        }
    }

    /// The sender's flow is gone. An INVITE is taken back once the sender is there again, or a while later.
    pub(super) fn sender_gone(&mut self, cx: &mut Context, now: Now) {
        if !self.is_invite() {
            self.stage = Stage::Over;
        } else if self.is_unanswered() && self.caller_lost.is_none() {
            self.caller_lost = Some(now.after(CALLER_LOST));
            self.note(cx, Verdict::Call, "its caller's connection is gone".to_owned(), now);
        }
    }

    /// An endpoint authenticated on a flow: what had to wait for that is done.
    pub(super) fn endpoint_is_back(&mut self, cx: &mut Context, now: Now) {
        if self.caller_lost.is_some() {
            self.cancel(cx, &[], now);
        }
        self.branches.iter_mut().for_each(|branch| branch.endpoint_is_back(cx, now));
    }

    /// Endpoints without a flow that it waits for.
    pub(super) fn awaited(&self) -> Vec<Endpoint> {
        let sender = self.caller_lost.and(self.back.endpoint()).cloned();
        let down = self.branches.iter().filter(|branch| branch.is_down());
        sender.into_iter().chain(down.filter_map(|branch| Some(branch.token()?.endpoint.clone()))).collect()
    }

    /// When something is due here that no transaction knows of.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let answered = match self.stage {
            Stage::Answered { until } => Some(until),
            _ => None,
        };
        let caller_lost = self.caller_lost.filter(|_| self.stage == Stage::Forking);
        let down = self.branches.iter().filter_map(|branch| match branch.state {
            BranchState::Down { until } => Some(until),
            BranchState::Open { .. } | BranchState::Closed => None,
        });
        answered.into_iter().chain(caller_lost).chain(down).min()
    }

    /// Does what is due.
    pub(super) fn handle_deadline(&mut self, cx: &mut Context, now: Now) {
        for number in 0..self.branches.len() {
            let due =
                matches!(self.branches[number].state, BranchState::Down { until } if now.reached(until));
            if due {
                self.branches[number].state = BranchState::Closed;
                self.end_part(cx, number, 408, now);
                self.finals.add(Ended::Locally(408));
            }
        }
        match self.stage {
            Stage::Answered { until } if now.reached(until) => self.stage = Stage::Over,
            Stage::Forking if self.caller_lost.is_some_and(|until| now.reached(until)) => {
                self.cancel(cx, &[], now);
            }
            _ => {}
        }
        self.go_on(cx, now);
    }

    /// Every branch is over: the best response goes back.
    fn conclude(&mut self, cx: &mut Context, now: Now) {
        let cancelled = self.stage == Stage::GivenUp { cancelled: true };
        self.stage = Stage::Over;
        // Of a request that was taken back its callee's own 487 goes back, which may be signed.
        let best = self.finals.take_best().filter(|best| !cancelled || best.status() == 487);
        let best = if cancelled { best.or(Some(Ended::Locally(487))) } else { best };
        let best = best.unwrap_or(Ended::Locally(480));
        if self.is_call() {
            let status = best.status();
            if let Some(key) = self.senders_part() {
                cx.end_early_dialog(&key, now);
            }
            self.note(
                cx,
                Verdict::Call,
                format!("ended: {status} {}", homing_wire::reason_phrase(status)),
                now,
            );
        }
        if self.caller_lost.is_some() {
            return;
        }
        let register = self.request.request.method() == Some(Method::Register);
        match best {
            // 503 is about this very server (RFC 3261 16.7 step 6); a REGISTER's home server means its client.
            Ended::Response { response, .. } if response.status() == Some(503) && !register => {
                back::reply(cx, &self.request, &self.back, Reply::new(500), now);
            }
            Ended::Response { response, proved } => {
                // A refusal agrees on no keys, whichever way it came.
                self.send_back(cx, &response, Origin { proved, is_clear: true }, now);
                if !self.is_invite() {
                    self.note_dialog(cx, None, &response, now);
                }
            }
            Ended::Locally(status) => self.fail(cx, status, now),
        }
    }

    /// This server's own words, where no response came.
    fn fail(&mut self, cx: &mut Context, status: u16, now: Now) {
        let register = self.request.request.method() == Some(Method::Register);
        let why = match status {
            408 => "the next server did not answer",
            503 => "the next server cannot be reached",
            480 => "no device of this user can be reached",
            483 => "too many hops",
            487 => "it was cancelled",
            _ => "it cannot be passed on",
        };
        let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
        cx.note(Some(self.request.flow), said, now);
        if status == 408 && !self.is_invite() && !register {
            // Its sender stopped waiting at the same moment (RFC 4320 4.2).
            return cx.transactions.abandon(self.request.tx);
        }
        let status = if status == 503 && !register { 500 } else { status };
        let mut reply = Reply::new(status);
        if status == 503 {
            reply = reply.header(Name::RetryAfter, cx.retry_after(HOME_PAUSE, now));
        }
        if status != 483 {
            reply = reply.diagnostics(1038, why, &cx.config.identity.fqdn);
        }
        back::reply(cx, &self.request, &self.back, reply, now);
    }

    fn send_back(&mut self, cx: &mut Context, response: &Message, origin: Origin, now: Now) {
        let refused = matches!(self.back, Back::AsItCame)
            && self.request.request.method() == Some(Method::Register)
            && register::counts_refusal(cx, &self.request, response);
        if refused {
            return register::refuse_after_too_many(cx, &self.request, now);
        }
        let register = self.request.request.method() == Some(Method::Register);
        let builder = if register {
            register::granted(cx, &self.request, &self.back, response, now)
        } else {
            self.back.returned(response, origin.proved)
        };
        let answer = builder.message();
        let is_clear = origin.is_clear || media_keys::is_clear(cx, self.request.flow);
        let answer = if is_clear { media_keys::without_keys(answer) } else { answer };
        if self.caller_lost.is_some() || cx.flows.find(self.request.flow).is_none() {
            return self.send_to_new_flow(cx, answer, now);
        }
        if !back::send(cx, &self.request, &self.back, answer, now) {
            self.sender_gone(cx, now);
        }
    }

    /// A 2xx whose caller is on another flow by now.
    fn send_to_new_flow(&mut self, cx: &mut Context, answer: Message, now: Now) {
        let is_answer = matches!(answer.status(), Some(200..300)) && self.is_invite();
        let token = self.plan.token.clone().filter(|_| is_answer && self.caller_lost.is_none());
        let call_id = self.request.request.call_id().unwrap_or_default();
        let way = token.and_then(|token| way_to(cx, &token, call_id));
        let Some((flow, _)) = way else { return };
        let answer = if media_keys::is_clear(cx, flow) { media_keys::without_keys(answer) } else { answer };
        let auth = self.back.auth(cx, flow);
        match cx.sign(answer, &self.request.request, &auth) {
            Ok(answer) => cx.send(flow, answer.into(), now),
            Err(not_signed) => cx.drop_association(not_signed),
        }
    }

    /// What a final response, of that branch, says of the dialogs of both sides.
    fn note_dialog(&mut self, cx: &mut Context, number: Option<usize>, response: &Message, now: Now) {
        let status = response.status().unwrap_or(500);
        let method = self.request.request.method();
        let over = match method {
            Some(Method::Bye) => !matches!(status, 401 | 407),
            _ => self.is_in_dialog() && matches!(status, 408 | 481),
        };
        if over {
            if self.end_dialogs(cx, now) {
                let why = if method == Some(Method::Bye) {
                    "ended: BYE"
                } else {
                    "ended: its other end knows it not"
                };
                self.note(cx, Verdict::Call, why.to_owned(), now);
            }
            return;
        }
        let refreshes =
            matches!(method, Some(Method::Invite | Method::Update)) && (200..300).contains(&status);
        let interval = response.get::<SessionExpires>().ok().flatten().map(|expires| expires.seconds);
        let tags = Tags::of(response);
        for key in self.parts(number) {
            if refreshes && (method == Some(Method::Invite) || cx.dialogs.is_confirmed(&key)) {
                cx.dialogs.confirm(&key, tags, interval, now);
            }
            cx.keep_association(&key.endpoint, now);
        }
    }

    /// A branch of a call ended without an answer: its endpoint has no part in the call.
    fn end_part(&mut self, cx: &mut Context, number: usize, status: u16, now: Now) {
        if self.is_call()
            && let Some(key) = self.part_of(number)
        {
            cx.end_early_dialog(&key, now);
        }
        if self.is_in_dialog() && matches!(status, 408 | 481) && self.end_dialogs(cx, now) {
            self.note(cx, Verdict::Call, format!("ended: {status} inside it"), now);
        }
    }

    /// The dialog of the request is over for all its parts here. True if a call that had been answered ended by it.
    fn end_dialogs(&self, cx: &mut Context, now: Now) -> bool {
        let tags = Tags::of(&self.request.request);
        // Inside a dialog there is one branch.
        let ended: Vec<bool> = self.parts(Some(0)).iter().map(|key| cx.end_dialog(key, tags, now)).collect();
        ended.contains(&true)
    }

    /// The sender's part in the call, where it is a client of this server.
    pub(super) fn senders_part(&self) -> Option<DialogKey> {
        let token = self.plan.token.as_ref()?;
        let call_id = self.request.request.call_id().ok()?.to_owned();
        Some(DialogKey { endpoint: token.endpoint.clone(), call_id })
    }

    /// The parts of endpoints of this server in the dialog: the sender's, those its Route names, and that of the branch.
    fn parts(&self, number: Option<usize>) -> Vec<DialogKey> {
        let call_id = self.request.request.call_id().unwrap_or_default();
        let key =
            |token: &RouteToken| DialogKey { endpoint: token.endpoint.clone(), call_id: call_id.to_owned() };
        let of_branch = number.and_then(|number| self.part_of(number));
        let mut parts: Vec<DialogKey> =
            of_branch.into_iter().chain(self.senders_part()).chain(self.plan.named.iter().map(key)).collect();
        parts.sort();
        parts.dedup();
        parts
    }

    fn part_of(&self, number: usize) -> Option<DialogKey> {
        self.branches.get(number)?.dialog(self.request.request.call_id().ok()?)
    }

    fn note(&self, cx: &mut Context, verdict: Verdict, words: String, now: Now) {
        let about = self.back.endpoint().map(|endpoint| endpoint.user.clone()).unwrap_or_default();
        cx.note(Some(self.request.flow), Decision::new(verdict, words).about(&about), now);
    }
}

/// What the CANCEL of a branch says whose call was answered by another (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";
/// How long the INVITE of an endpoint without a flow goes on.
const CALLER_LOST: Duration = Duration::from_secs(32);
/// Seconds.
const HOME_PAUSE: u32 = 5;
