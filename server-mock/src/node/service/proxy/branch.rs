//! One branch of a request: how it began, how it is taken back, and what is kept of it while its callee's flow is down.

use std::time::Duration;

use bytes::Bytes;
use homing_core::counter::Counter;
use homing_core::ids::{FlowId, TxId};
use homing_core::time::{Moment, Now};
use homing_core::transaction::FlowRef;
use homing_wire::{Builder, Message, Method, Name};

use super::forward::{Arrived, Outgoing, Proved, sign_towards};
use super::target::way_to;
use crate::journal::Verdict;
use crate::node::authenticator::{Received, SessionId, judge_response};
use crate::node::context::{BranchId, Context, Owner};
use crate::node::dialogs::DialogKey;
use crate::node::endpoint::Endpoint;
use crate::node::route_token::RouteToken;
use crate::node::service::FollowUp;

/// A way that is tried for a request, from its first message to its final response.
pub(super) struct Branch {
    token: Option<RouteToken>,
    /// The association that signed it: its client's responses are believed only under one of that endpoint.
    pub(super) session: Option<SessionId>,
    /// The flow it was sent by.
    pub(super) flow: FlowId,
    /// As it was sent, where it is an INVITE.
    sent: Option<Box<Message>>,
    pub(super) state: BranchState,
    /// What its CANCEL says, once it is given up.
    given_up: Option<Vec<(Name<'static>, String)>>,
    /// True once its flow went away while it was open.
    was_down: bool,
    /// The 2xx that came by another flow: its copies are known by their octets, as a transaction would know them.
    answer: Option<Bytes>,
}

/// How far a branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BranchState {
    /// A transaction waits for the response.
    Open {
        tx: TxId,
        /// True once a provisional response came.
        rings: bool,
    },
    /// The flow went away under an INVITE; its callee may answer by another one until then (decision 41).
    Down { until: Moment },
    /// It has its final response, or will get none.
    Closed,
}

impl Branch {
    /// Sends a request and keeps what the branch needs; none where it cannot be sent. Dials first where there is no flow.
    pub(super) fn start(
        cx: &mut Context,
        id: BranchId,
        outgoing: Outgoing,
        began: Began<'_>,
        now: Now,
    ) -> Option<Self> {
        let Outgoing { message, flow, transport, dial } = outgoing;
        let Began { arrived, token } = began;
        let endpoint = token.as_ref().map(|token| &token.endpoint);
        let signed = sign_towards(cx, flow, message, arrived.request, endpoint);
        if let Some(server) = dial {
            cx.connect(flow, server, transport);
        }
        let Proved { request, session } = signed?;
        let tx =
            cx.transactions.request(&request, FlowRef::new(flow, transport), Owner::Branch(id), now).ok()?;
        let is_invite = arrived.request.method() == Some(Method::Invite);
        let sent = is_invite.then(|| Box::new(request.into_message()));
        let state = BranchState::Open { tx, rings: false };
        Some(Self { token, session, flow, sent, state, given_up: None, was_down: false, answer: None })
    }

    /// The endpoint at its end, where that is a client of this server.
    pub(super) fn token(&self) -> Option<&RouteToken> {
        self.token.as_ref()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == BranchState::Closed
    }

    /// The Via branch by which responses find it, once its transaction went away with its flow.
    pub(super) fn name_when_down(&self) -> Option<String> {
        let sent = self.sent.as_ref().filter(|_| self.was_down)?;
        Some(sent.via().ok()?.branch()?.to_owned())
    }

    /// True while its endpoint has no flow and may come back.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.state, BranchState::Down { .. })
    }

    /// True for a response that is its client's own: where an association signed the request, one of the same endpoint
    /// must have signed the response; else it must come by the flow of the endpoint. What is not believed is counted.
    pub(super) fn believes(&self, cx: &mut Context, arrived: Arrived<'_>, now: Now) -> bool {
        let Arrived { request: response, flow } = arrived;
        if self.session.is_none() {
            let way = || way_to(cx, self.token.as_ref()?, response.call_id().ok()?);
            return self.flow == flow || way().is_some_and(|(way, _)| way == flow);
        }
        // Another server on the way has no association with our client, and says only that there is no way on.
        let from_server = cx.flows.find(flow).is_some_and(|flow| flow.trusted.is_some());
        let unsigned = response
            .lines(Name::Authorization)
            .chain(response.lines(Name::ProxyAuthorization))
            .next()
            .is_none();
        if from_server && unsigned && matches!(response.status(), Some(408 | 430 | 483 | 487 | 500 | 503)) {
            return true;
        }
        let endpoint = self.endpoint(cx);
        let received = Received { request: response, flow, now };
        let judged = match &endpoint {
            Some(endpoint) => judge_response(received, endpoint, &mut cx.sessions),
            None => Err(Counter::Unsigned),
        };
        if let Err(counter) = judged {
            cx.counters.count(counter);
            let why = "a response that its client did not sign";
            cx.note_rarely(Some(flow), Verdict::Discarded, why, now);
        }
        judged.is_ok()
    }

    /// A believed response came by another flow than the request went: from now on that one is its own.
    pub(super) fn moved_to(&mut self, flow: FlowId, response: &Message) {
        self.flow = flow;
        if matches!(response.status(), Some(200..300)) {
            self.answer = Some(response.bytes().clone());
        }
    }

    /// True for the 2xx that came by another flow before, octet for octet.
    pub(super) fn is_copy(&self, response: &Message) -> bool {
        self.answer.as_ref() == Some(response.bytes())
    }

    /// How what follows from its responses leaves.
    pub(super) fn follow_up(&self, session: Option<SessionId>) -> FollowUp {
        FollowUp { session, cancel: self.given_up.clone().unwrap_or_default() }
    }

    /// Takes an INVITE back, as soon as that is possible (RFC 3261 9.1); `words` are what the CANCEL says beside.
    pub(super) fn cancel(&mut self, cx: &mut Context, words: Vec<(Name<'static>, String)>, now: Now) {
        if self.given_up.is_some() || self.is_closed() {
            return;
        }
        self.given_up = Some(words);
        match self.state {
            BranchState::Open { tx, .. } => {
                let session = self.session_now(cx);
                let follow_up = self.follow_up(session);
                let (transactions, mut signer) = cx.transactions_and_signer();
                let mut finish = |cancel| signer.follow_up(follow_up.complete(cancel), session);
                // An INVITE that was answered meanwhile is not cancelled, and its answer is on its way.
                let _ = transactions.cancel(tx, &mut finish, now);
            }
            BranchState::Down { .. } => {
                self.state = BranchState::Down { until: now.after(AFTER_CANCEL) };
                self.cancel_by_new_flow(cx, now);
            }
            BranchState::Closed => {}
        }
    }

    /// The association that signs for its endpoint now: the one of the INVITE may have a successor by the time of its
    /// ACK or CANCEL. None where no association signed the INVITE.
    pub(super) fn session_now(&self, cx: &Context) -> Option<SessionId> {
        let first = self.session?;
        let endpoint = match &self.token {
            Some(token) => Some(token.endpoint.clone()),
            None => cx.sessions.find(first).map(|session| session.endpoint.clone()),
        };
        let newest = endpoint.and_then(|endpoint| cx.sessions.of_endpoint(&endpoint));
        let here = |id: &SessionId| cx.sessions.find(*id).is_some_and(|session| session.flow == self.flow);
        Some(newest.filter(here).unwrap_or(first))
    }

    /// The endpoint at its end, as its association names it.
    pub(super) fn endpoint(&self, cx: &Context) -> Option<Endpoint> {
        let of_session = || Some(cx.sessions.find(self.session?)?.endpoint.clone());
        self.token.as_ref().map(|token| token.endpoint.clone()).or_else(of_session)
    }

    /// The flow is gone. True if the branch is kept: its callee is a client of this server and may come back.
    pub(super) fn flow_gone(&mut self, now: Now) -> bool {
        let BranchState::Open { rings, .. } = self.state else { return false };
        if self.sent.is_none() || self.token.is_none() {
            return false;
        }
        let long = rings && self.given_up.is_none();
        self.was_down = true;
        self.state = BranchState::Down { until: now.after(if long { RINGING } else { AFTER_CANCEL }) };
        true
    }

    /// A provisional response came.
    pub(super) fn rings(&mut self, now: Now) {
        match &mut self.state {
            BranchState::Open { rings, .. } => *rings = true,
            BranchState::Down { until } if self.given_up.is_none() => *until = now.after(RINGING),
            BranchState::Down { .. } | BranchState::Closed => {}
        }
    }

    /// Its endpoint is back on another flow: a CANCEL that had to wait goes out.
    pub(super) fn endpoint_is_back(&mut self, cx: &mut Context, now: Now) {
        if matches!(self.state, BranchState::Down { .. }) && self.given_up.is_some() {
            self.cancel_by_new_flow(cx, now);
        }
    }

    fn cancel_by_new_flow(&mut self, cx: &mut Context, now: Now) {
        let Some((flow, cancel)) = self.hop_request(cx, None) else { return };
        let words = self.given_up.clone().unwrap_or_default();
        let cancel = FollowUp { session: None, cancel: words }.complete(cancel);
        let Some(transport) = cx.flows.transport(flow) else { return };
        let endpoint = self.token.as_ref().map(|token| token.endpoint.clone());
        let Some(proved) = sign_towards(cx, flow, cancel.clone(), &cancel, endpoint.as_ref()) else { return };
        // One that was sent before has the same name, and is repeated by its own transaction.
        let _ =
            cx.transactions.request(&proved.request, FlowRef::new(flow, transport), Owner::Unattended, now);
    }

    /// Acknowledges a refusal that came by another flow than the INVITE went.
    pub(super) fn acknowledge(&self, cx: &mut Context, refusal: &Message, now: Now) {
        let Some((flow, ack)) = self.hop_request(cx, Some(refusal)) else { return };
        let endpoint = self.token.as_ref().map(|token| token.endpoint.clone());
        if let Some(proved) = sign_towards(cx, flow, ack.clone(), &ack, endpoint.as_ref()) {
            cx.send(flow, proved.request.into_message().into(), now);
        }
    }

    /// The CANCEL of the INVITE, or the ACK for its refusal, by the flow its endpoint has now (RFC 3261 9.1, 17.1.1.3).
    fn hop_request(&self, cx: &Context, refusal: Option<&Message>) -> Option<(FlowId, Message)> {
        let sent = self.sent.as_ref()?;
        let (flow, _) = way_to(cx, self.token.as_ref()?, sent.call_id().ok()?)?;
        let method = if refusal.is_some() { Method::Ack } else { Method::Cancel };
        let via = sent.text(Name::Via)?.into_owned();
        let builder = Builder::request(method, sent.request_uri()?)
            .header(Name::Via, via)
            .copy_from(sent, Name::Route)
            .header(Name::MaxForwards, 70)
            .copy_from(sent, Name::From)
            .copy_from(refusal.unwrap_or(sent), Name::To)
            .copy_from(sent, Name::CallId)
            .header(Name::CSeq, format_args!("{} {}", sent.cseq().ok()?.seq, method.as_str()));
        Some((flow, builder.message()))
    }

    /// Its endpoint's part in the call.
    pub(super) fn dialog(&self, call_id: &str) -> Option<DialogKey> {
        let endpoint = self.token.as_ref()?.endpoint.clone();
        Some(DialogKey { endpoint, call_id: call_id.to_owned() })
    }
}

/// What a branch begins with.
pub(super) struct Began<'r> {
    pub(super) arrived: Arrived<'r>,
    pub(super) token: Option<RouteToken>,
}

/// How long a callee without a flow may ring since its last provisional response: timer C.
const RINGING: Duration = Duration::from_secs(200);
/// How long an INVITE may be unanswered that was cancelled, or that nobody answered yet: 64·T1.
const AFTER_CANCEL: Duration = Duration::from_secs(32);
