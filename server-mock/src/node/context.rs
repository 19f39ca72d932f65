//! What the services of one server share: transactions, flows, associations, bindings, random values, counters and
//! outputs, with the configuration.

use std::collections::VecDeque;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::counter::{Counter, Counters};
use homing_core::ids::{FlowId, Seed, TxId};
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transaction::{Caps, FlowRef, Transactions};
use homing_core::transport::Transport;
use homing_wire::{KeepAlive, Message, Method, Name};

use super::authenticator::{Principal, Received, ResponseAuth, Sessions, Unsigned, signer_of};
use super::bindings::{Bindings, reg_id};
use super::config::NodeConfig;
use super::date::DateLine;
use super::dialogs::{DialogKey, DialogLimits, Dialogs, Tags};
use super::endpoint::Endpoint;
use super::fault_filter::Faults;
use super::flows::{Flows, Hold, HoldState, KeepAliveTerms, Wait};
use super::io::{LookupId, NodeOutput};
use super::notices::Notices;
use super::path_token::PathTokens;
use super::random::Random;
use super::reply::{Reply, port_without_rport, stamped_via};
use super::retry_after::RetryAfter;
use super::route_token::RouteTokens;
use super::signing::{NotSigned, ServerSigner};
use super::sound::SoundOrder;
use crate::journal::{Decision, Entry, Verdict, What};

/// The part of a server that belongs to no single service.
pub(super) struct Context {
    pub(super) config: NodeConfig,
    pub(super) transactions: Transactions<Owner>,
    pub(super) flows: Flows,
    /// Security associations with clients, half-open ones too.
    pub(super) sessions: Sessions,
    /// The location service of RFC 3261: registrar and notifier write it, every service may read it.
    pub(super) bindings: Bindings,
    pub(super) random: Box<dyn Random>,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    pub(super) path_tokens: PathTokens,
    pub(super) route_tokens: RouteTokens,
    /// Calls that pass through here, by endpoint.
    pub(super) dialogs: Dialogs,
    /// Requests that wait inside services, as of the last input.
    pub(super) in_hand: usize,
    retry_after: RetryAfter,
    notices: Notices,
    pub(super) dates: DateLine,
    outputs: VecDeque<NodeOutput>,
    name: Arc<str>,
    /// Names look-ups, response contexts and delays.
    last_id: u64,
}

/// To whom what happens in a transaction is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A request this server answers itself.
    Server,
    /// A branch of a request that is passed on.
    Branch(BranchId),
    /// A NOTIFY of this server's own.
    Notifier,
    /// A CANCEL by another flow than its INVITE went: whatever comes of it, the INVITE still has its own end.
    Unattended,
}

/// One branch of a request that is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BranchId {
    /// The response context.
    pub(super) context: u64,
    /// Its place among the branches of the context, from 0.
    pub(super) number: usize,
}

/// A request with its transaction and the flow it came by.
pub(super) struct ServerRequest {
    pub(super) tx: TxId,
    pub(super) flow: FlowId,
    pub(super) request: Message,
}

/// Why a request is refused before its sender is known.
pub(super) struct Objection {
    pub(super) reply: Reply,
    /// For the journal.
    pub(super) why: &'static str,
}

/// A final response, ready to be sent.
pub(super) struct Final {
    pub(super) bytes: Bytes,
    pub(super) status: u16,
}

impl Context {
    /// Without flows, associations and bindings.
    pub(super) fn new(config: NodeConfig, seed: &Seed, random: Box<dyn Random>) -> Self {
        let caps =
            Caps { clients: 10_000, servers: 50_000, lingering_bytes: 16 << 20, lingering_invites: 50_000 };
        Self {
            transactions: Transactions::new(config.timers, caps, &seed.stream("transactions", &[])),
            flows: Flows::default(),
            // The stream's name is part of what a seed means, so it stays.
            sessions: Sessions::new(&mut seed.stream("gate", &[]).rng("opaque hash")),
            bindings: Bindings::new(config.registrar),
            random,
            faults: Faults::default(),
            counters: Counters::default(),
            path_tokens: PathTokens::new(seed.rng("Path").bytes()),
            route_tokens: RouteTokens::new(seed.rng("Record-Route").bytes()),
            dialogs: Dialogs::new(DialogLimits {
                of_endpoint: config.calls.dialogs_of_endpoint,
                count: config.calls.dialogs,
            }),
            in_hand: 0,
            retry_after: RetryAfter::new(config.authentication.limits.logins_per_second),
            notices: Notices::default(),
            dates: DateLine::default(),
            outputs: VecDeque::new(),
            name: config.identity.name.as_str().into(),
            last_id: 0,
            config,
        }
    }

    /// The oldest output.
    pub(super) fn poll_output(&mut self) -> Option<NodeOutput> {
        self.outputs.pop_front()
    }

    /// Sends now, or as soon as the flow is open.
    pub(super) fn send(&mut self, flow: FlowId, bytes: Bytes, now: Now) {
        let bytes = match self.flows.wait(flow, bytes) {
            Wait::Open(bytes) => bytes,
            Wait::Kept => return,
            Wait::Full => {
                self.counters.count(Counter::OverCap);
                let why = "too much waits for a server that is being dialled";
                return self.note_rarely(Some(flow), Verdict::Discarded, why, now);
            }
        };
        if !self.flows.admit(flow, bytes.len(), self.config.authentication.limits.amplification) {
            self.counters.count(Counter::Amplification);
            let why = "a response to a stranger by UDP would be too large for what it sent";
            return self.note_rarely(Some(flow), Verdict::Discarded, why, now);
        }
        self.log(flow, What::Sent(bytes.clone()), now);
        self.outputs.push_back(match self.reply_port(flow, &bytes) {
            Some(port) => NodeOutput::SendToPort { flow, port, bytes },
            None => NodeOutput::Send { flow, bytes },
        });
    }

    /// The port that a response by datagram goes to, where it is not the one its request came from: that of the sent-by in
    /// its own Via, unless the request asked for `rport` (RFC 3261 section 18.2.2).
    fn reply_port(&self, flow: FlowId, bytes: &Bytes) -> Option<u16> {
        let flow = self.flows.find(flow).filter(|flow| !flow.transport.is_reliable())?;
        let response = Some(bytes.clone()).filter(|bytes| bytes.starts_with(b"SIP/2.0 "))?;
        port_without_rport(&Message::parse(response).ok()?).filter(|port| *port != flow.peer.port())
    }

    /// A client proved who it is on this flow. False where it came by UDP and too many did.
    pub(super) fn hold(&mut self, flow: FlowId, now: Now) -> bool {
        let Some(found) = self.flows.find(flow) else { return true };
        let (reliable, known) = (found.transport.is_reliable(), found.authenticated);
        let fresh = if reliable {
            !known
        } else {
            let (bindings, sessions) = (&self.bindings, &self.sessions);
            let needed = |flow| bindings.holds(flow) || sessions.holds(flow);
            let most = self.config.authentication.limits.datagram_peers;
            let Hold { state, let_go } = self.flows.hold(flow, most, needed, now);
            let_go.into_iter().for_each(|flow| self.close(flow, now));
            if state == HoldState::Full {
                return false;
            }
            state == HoldState::New
        };
        if fresh {
            self.outputs.push_back(NodeOutput::Hold { flow });
        }
        self.flows.authenticated(flow, now);
        true
    }

    /// True if `reply` would be more than a stranger may get for what it sent; see [`Limits`](super::limits::Limits).
    pub(super) fn is_too_large(&self, request: &Message, flow: FlowId, reply: &Reply) -> bool {
        let Some(allowance) = self.flows.allowance(flow, self.config.authentication.limits.amplification)
        else {
            return false;
        };
        let via = self.flows.find(flow).and_then(|flow| stamped_via(request, flow.peer, None));
        // As long as a tag that is drawn.
        reply.build(request, via, "0123456789").bytes().len() > allowance
    }

    /// Opens a flow to another server of the estate.
    pub(super) fn connect(&mut self, flow: FlowId, server: ServerName, transport: Transport) {
        self.outputs.push_back(NodeOutput::Connect { flow, server, transport });
    }

    /// Has something done for the sound of a call.
    pub(super) fn order_sound(&mut self, order: SoundOrder) {
        self.outputs.push_back(NodeOutput::Sound(order));
    }

    /// Ends a flow after what was sent has gone out.
    pub(super) fn close(&mut self, flow: FlowId, now: Now) {
        self.forget_flow(flow, now);
        self.outputs.push_back(NodeOutput::Close { flow });
    }

    /// Breaks a flow off.
    pub(super) fn cut(&mut self, flow: FlowId, now: Now) {
        self.forget_flow(flow, now);
        self.outputs.push_back(NodeOutput::Cut { flow });
    }

    /// Asks where `user` belongs, for the service this server serves.
    pub(super) fn look_up(&mut self, user: String) -> LookupId {
        let id = LookupId(self.next_id());
        let service = self.config.routing.service.clone();
        self.outputs.push_back(NodeOutput::LookUp { id, user, service });
        id
    }

    /// A number that nothing else in this server has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Writes a decision into the journal.
    pub(super) fn note(&mut self, flow: Option<FlowId>, decision: Decision, now: Now) {
        let peer = flow.and_then(|flow| self.flows.find(flow)).map(|flow| flow.peer);
        self.write(peer, What::Decided(decision), now);
    }

    /// Writes into the journal what may happen thousands of times a second, once a second and with its number.
    pub(super) fn note_rarely(
        &mut self,
        flow: Option<FlowId>,
        verdict: Verdict,
        what: &'static str,
        now: Now,
    ) {
        if let Some(text) = self.notices.due(what, now) {
            self.note(flow, Decision::new(verdict, text), now);
        }
    }

    /// Writes into the journal that something is no message, once a second.
    pub(super) fn note_malformed(&mut self, flow: FlowId, error: &dyn Display, now: Now) {
        if let Some(text) = self.notices.due("not a SIP message", now) {
            self.note(Some(flow), Decision::new(Verdict::Discarded, format!("{text}: {error}")), now);
        }
    }

    /// Counts and journals what had to go for others of its kind.
    pub(super) fn note_evicted(&mut self, flow: FlowId, nonces: u64, now: Now) {
        let evicted = self.sessions.take_evicted();
        let kinds = [
            (
                evicted.half_open,
                "an unanswered NTLM challenge was dropped: one more of the same source was opened",
            ),
            (evicted.established, "an association was dropped: its connection holds as many as it may"),
            (nonces, "a Digest nonce turned stale before its time: too many are in use"),
        ];
        for (count, what) in kinds {
            for _ in 0..count {
                self.counters.count(Counter::Evicted);
                self.note_rarely(Some(flow), Verdict::Discarded, what, now);
            }
        }
    }

    /// Writes a message into the journal.
    pub(super) fn log(&mut self, flow: FlowId, what: What, now: Now) {
        let peer = self.flows.find(flow).map(|flow| flow.peer);
        self.write(peer, what, now);
    }

    fn write(&mut self, peer: Option<SocketAddr>, what: What, now: Now) {
        let entry = Entry { seq: 0, at: now.since_start.0, node: Arc::clone(&self.name), peer, what };
        self.outputs.push_back(NodeOutput::Journal(entry));
    }

    /// Books that a flow is gone, with the reason.
    pub(super) fn flow_gone(&mut self, flow: FlowId, why: ConnectError, now: Now) {
        let is_stranger =
            self.flows.find(flow).is_some_and(|flow| !flow.transport.is_reliable() && !flow.authenticated);
        if is_stranger {
            self.counters.count(Counter::Evicted);
            self.note_rarely(Some(flow), Verdict::Flow, "a stranger by UDP was forgotten for another", now);
            self.forget_flow(flow, now);
        } else if self.forget_flow(flow, now) {
            self.note(Some(flow), Decision::new(Verdict::Flow, format!("gone: {why}")), now);
        }
    }

    fn forget_flow(&mut self, flow: FlowId, now: Now) -> bool {
        self.sessions.flow_gone(flow);
        self.transactions.flow_failed(flow);
        // A datagram needs no connection: such a binding lasts as long as it was granted.
        if self.flows.transport(flow).is_none_or(|transport| transport.is_reliable()) {
            for gone in self.bindings.flow_gone(flow) {
                let said = Decision::new(Verdict::Unregistered, "its connection is gone").about(&gone);
                self.note(Some(flow), said, now);
            }
        }
        self.flows.remove(flow)
    }

    /// Another server is the home of an endpoint now: its binding here is void.
    pub(super) fn unbind(&mut self, flow: FlowId, principal: &Principal, now: Now) {
        if self.bindings.remove(&principal.endpoint) {
            let said = Decision::new(Verdict::Unregistered, "another server is its home now");
            self.note(Some(flow), said.about(&principal.endpoint), now);
        }
    }

    /// This server as others dial it, for Via, Path and Contact.
    pub(super) fn own_name(&self, transport: Transport) -> ServerName {
        let fqdn = &self.config.identity.fqdn;
        let port = self.config.peer(fqdn).and_then(|peer| peer.port(transport));
        ServerName::new(fqdn, port.unwrap_or(transport.default_port()))
    }

    /// Seconds after which a client that is sent away may come again.
    pub(super) fn retry_after(&mut self, least: u32, now: Now) -> u32 {
        let in_hand = self.sessions.half_open() + self.in_hand;
        self.retry_after.seconds(least, in_hand, self.random.as_mut(), now)
    }

    /// A server transaction for a request that will be answered.
    pub(super) fn accept(&mut self, flow: FlowId, request: Message, now: Now) -> Option<ServerRequest> {
        let flow_ref = FlowRef::new(flow, self.flows.transport(flow)?);
        let tx = self.transactions.accept_request(&request, flow_ref, Owner::Server, now).ok()?;
        Some(ServerRequest { tx, flow, request })
    }

    /// Answers a request through its transaction. Where the response should be signed and cannot be, nothing is
    /// sent: see [`give_up`](Self::give_up).
    pub(super) fn respond(&mut self, request: &ServerRequest, reply: Reply, auth: &ResponseAuth, now: Now) {
        let status = reply.status;
        let signed = match auth {
            // Nothing of the answer enters it, so it is a header like any other.
            ResponseAuth::Digest(info) => {
                let reply = reply.header(Name::AuthenticationInfo, info);
                Ok(self.unsigned(&request.request, request.flow, reply, now))
            }
            ResponseAuth::Unsigned(_) | ResponseAuth::Association(_) => {
                let unsigned = self.unsigned(&request.request, request.flow, reply, now);
                self.sign(unsigned, &request.request, auth)
            }
        };
        match signed {
            Ok(answer) => self.conclude(request, Final { bytes: answer.into(), status }, auth, now),
            Err(not_signed) => self.give_up(request, not_signed, now),
        }
    }

    /// Hands a final response to its transaction. An association that signed one stands for its endpoint.
    pub(super) fn conclude(&mut self, request: &ServerRequest, answer: Final, auth: &ResponseAuth, now: Now) {
        if let ResponseAuth::Association(id) = auth {
            self.sessions.turn(*id, now);
        }
        self.transactions.respond(request.tx, answer.bytes, answer.status, now);
    }

    /// Ends the transaction of a response that cannot be signed, and the association that should have signed it: the
    /// client would discard an unsigned one, and comes again with a new handshake.
    pub(super) fn give_up(&mut self, request: &ServerRequest, not_signed: NotSigned, now: Now) {
        self.transactions.abandon(request.tx);
        self.drop_association(not_signed);
        let why = "the response cannot be signed: its association has ended or is used up";
        self.note(Some(request.flow), Decision::new(Verdict::Discarded, why), now);
    }

    /// Ends an association that cannot sign, and counts it.
    pub(super) fn drop_association(&mut self, NotSigned(id): NotSigned) {
        self.counters.count(Counter::NotSigned);
        self.sessions.remove(id);
    }

    /// Answers a request that gets no transaction.
    pub(super) fn respond_without_state(&mut self, request: &Message, flow: FlowId, reply: Reply, now: Now) {
        let answer = self.unsigned(request, flow, reply, now);
        self.send(flow, answer.into(), now);
    }

    /// The answer with Via, To tag and headers, but without a signature.
    pub(super) fn unsigned(&mut self, request: &Message, flow: FlowId, reply: Reply, now: Now) -> Message {
        let status = reply.status;
        let register = request.method() == Some(Method::Register);
        let reply = if register && status == 200 { self.faults.change_ok(request, reply) } else { reply };
        // `keep` is answered only on success, and only where flows are kept.
        let keep = (register && status == 200).then_some(self.config.registrar.flow_timer);
        let via = self.flows.find(flow).and_then(|flow| stamped_via(request, flow.peer, keep));
        let tagged = reply.has_tag() || request.to().is_ok_and(|to| to.tag().is_some());
        let tag = if tagged { String::new() } else { self.random.tag() };
        let answer = self.faults.change_answer(request, reply.build(request, via, &tag), status);
        if let Some(played) = self.faults.played() {
            self.note(Some(flow), Decision::new(Verdict::Fault, played), now);
        }
        answer
    }

    /// Authenticates a response, or a request of the server's own; `request` is what it answers.
    ///
    /// # Errors
    /// [`NotSigned`] where the association has ended or is used up. There is no other way to a message without the
    /// signature than a reason why it needs none.
    pub(super) fn sign(
        &mut self,
        message: Message,
        request: &Message,
        auth: &ResponseAuth,
    ) -> Result<Message, NotSigned> {
        match auth {
            ResponseAuth::Unsigned(
                Unsigned::Unauthenticated | Unsigned::OpenNetwork | Unsigned::MutualTls | Unsigned::Relayed,
            ) => Ok(message),
            ResponseAuth::Digest(info) => Ok(message.with_header(Name::AuthenticationInfo, info)),
            ResponseAuth::Association(id) => self.signer().sign(message, request, *id),
        }
    }

    /// What signs for the associations of this server.
    pub(super) fn signer(&mut self) -> ServerSigner<'_> {
        let patent_literal_headers = self.config.authentication.patent_literal_headers;
        ServerSigner { sessions: &mut self.sessions, random: self.random.as_mut(), patent_literal_headers }
    }

    /// The table of transactions, and beside it what signs the ACKs and CANCELs that follow from what is fed to it.
    pub(super) fn transactions_and_signer(&mut self) -> (&mut Transactions<Owner>, ServerSigner<'_>) {
        let patent_literal_headers = self.config.authentication.patent_literal_headers;
        let signer = ServerSigner {
            sessions: &mut self.sessions,
            random: self.random.as_mut(),
            patent_literal_headers,
        };
        (&mut self.transactions, signer)
    }

    /// Keeps the association of an endpoint while it has dialogs here (decision 39).
    pub(super) fn keep_association(&mut self, endpoint: &Endpoint, now: Now) {
        let until = self.dialogs.last_end(endpoint);
        self.sessions.keep_for_dialogs(endpoint, until, now);
    }

    /// A dialog of an endpoint is over. True if it was the last of a call that had been answered.
    pub(super) fn end_dialog(&mut self, key: &DialogKey, tags: Tags, now: Now) -> bool {
        let answered = self.dialogs.end(key, tags);
        self.keep_association(&key.endpoint, now);
        answered
    }

    /// A call of an endpoint ended before it was answered.
    pub(super) fn end_early_dialog(&mut self, key: &DialogKey, now: Now) {
        self.dialogs.end_early(key);
        self.keep_association(&key.endpoint, now);
    }

    /// Who signed an ACK; none where its sender is a client without an association, or a server.
    ///
    /// # Errors
    /// Why it is dropped: its sender has an association and did not sign it.
    pub(super) fn judge_ack(
        &mut self,
        flow: FlowId,
        ack: &Message,
        now: Now,
    ) -> Result<Option<Principal>, &'static str> {
        let from_server = self.flows.find(flow).is_some_and(|flow| flow.trusted.is_some());
        let Some(endpoint) = Endpoint::of(ack).filter(|_| !from_server) else { return Ok(None) };
        let session = self.sessions.of_endpoint(&endpoint).and_then(|id| self.sessions.find(id));
        if session.is_none_or(|session| session.flow != flow) {
            return Ok(None);
        }
        let received = Received { request: ack, flow, now };
        match signer_of(&self.config, received, &mut self.sessions) {
            ResponseAuth::Association(id) => {
                let response_auth = ResponseAuth::Association(id);
                Ok(Some(Principal { endpoint, response_auth, proof: "its signature" }))
            }
            ResponseAuth::Unsigned(_) | ResponseAuth::Digest(_) => {
                self.counters.count(Counter::Unsigned);
                Err("an ACK that its sender did not sign")
            }
        }
    }

    /// Refuses a request before it is authenticated; inside an association the refusal is signed.
    pub(super) fn refuse(&mut self, flow: FlowId, request: Message, objection: Objection, now: Now) {
        if request.method() == Some(Method::Ack) {
            return self.discard(flow, objection.why, now);
        }
        let Some(request) = self.accept(flow, request.clone(), now) else {
            return self.refuse_without_state(flow, &request, objection, now);
        };
        let Objection { reply, why } = objection;
        self.counters.count(Counter::RefusedRequest);
        let said = Decision::new(Verdict::Refused, format!("{}: {why}", reply.status));
        self.note(Some(flow), said, now);
        let received = Received { request: &request.request, flow, now };
        let auth = signer_of(&self.config, received, &mut self.sessions);
        self.respond(&request, reply, &auth, now);
    }

    /// Answers a request before it is authenticated; inside an association the answer is signed.
    pub(super) fn respond_early(&mut self, flow: FlowId, request: Message, reply: Reply, now: Now) {
        let Some(request) = self.accept(flow, request, now) else { return };
        let received = Received { request: &request.request, flow, now };
        let auth = signer_of(&self.config, received, &mut self.sessions);
        self.respond(&request, reply, &auth, now);
    }

    /// Refuses a request that gets no transaction.
    pub(super) fn refuse_without_state(
        &mut self,
        flow: FlowId,
        request: &Message,
        objection: Objection,
        now: Now,
    ) {
        let Objection { reply, why } = objection;
        if request.method() == Some(Method::Ack) || request.via().is_err() {
            return self.discard(flow, why, now);
        }
        self.counters.count(Counter::RefusedRequest);
        let said = Decision::new(Verdict::Refused, format!("{}: {why}", reply.status));
        self.note(Some(flow), said, now);
        self.respond_without_state(request, flow, reply, now);
    }

    /// Drops a request that has a transaction without an answer.
    pub(super) fn discard_accepted(&mut self, request: &ServerRequest, why: &'static str, now: Now) {
        self.transactions.abandon(request.tx);
        self.discard(request.flow, why, now);
    }

    /// Drops a request without an answer.
    pub(super) fn discard(&mut self, flow: FlowId, why: &'static str, now: Now) {
        self.counters.count(Counter::RefusedRequest);
        self.note(Some(flow), Decision::new(Verdict::Discarded, why), now);
    }

    /// Answers what the client said about keep-alives: ms-keep-alive, RFC 5626, RFC 6223.
    pub(super) fn agree_on_keep_alive(
        &mut self,
        flow: FlowId,
        request: &Message,
        mut reply: Reply,
        now: Now,
    ) -> Reply {
        let config = self.config.registrar;
        let microsoft = matches!(request.get(), Ok(Some(KeepAlive::Uac { .. })));
        let outbound = request.has_token(Name::Supported, "outbound") && reg_id(request).is_some();
        let keep = request.via().is_ok_and(|via| via.param("keep").is_some());
        let mut silence = None;
        if microsoft {
            let value = format!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={}", config.keep_alive);
            reply = reply.header(Name::MsKeepAlive, value);
            silence = silence.max(Some(config.keep_alive));
        }
        if outbound {
            reply = reply.header(Name::Require, "outbound").header(Name::FlowTimer, config.flow_timer);
            silence = silence.max(Some(config.flow_timer));
        }
        if keep {
            silence = silence.max(Some(config.flow_timer));
        }
        // Of several agreements the client may honour any one, so only the longest silence is a fault.
        let slack = |seconds: u32| Duration::from_secs(u64::from(seconds) + KEEP_ALIVE_SLACK);
        let terms = KeepAliveTerms { pongs: outbound || keep, silence: silence.map(slack) };
        self.flows.keep(flow, terms, now);
        reply
    }
}

/// Seconds beyond the agreed silence before a flow is given up.
const KEEP_ALIVE_SLACK: u64 = 30;
