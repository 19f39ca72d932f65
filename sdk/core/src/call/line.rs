//! How a call reaches its server: the link and the flow it keeps, what it sends over them, and what it does when the flow
//! is lost.

use bytes::Bytes;
use homing_wire::{Builder, Message, Name, Uri, UriBuf, ViaBuf};

use crate::account::Account;
use crate::account::digest_realms::SentAnswer;
use crate::account::link_context::LinkContext;
use crate::account::request_head;
use crate::account::server_attempt::ServerAttempt;
use crate::account::server_link::{LinkId, LinkSigner, Proof, SentRequest, ServerLink};
use crate::account::server_search::{Connection, Found, Miss, ServerSearch};
use crate::call_event::{CallEnd, CallEvent};
use crate::config::ServerChoice;
use crate::connect::ConnectError;
use crate::counter::Counter;
use crate::description::{DescriptionQuestion, Turn};
use crate::dns::{DnsAnswer, DnsError};
use crate::error::Misuse;
use crate::event::AccountEvent;
use crate::flow::{Destination, Flow};
use crate::ids::{AccountId, AskId, CallId, FlowId, TxId};
use crate::locate::Request as LocateRequest;
use crate::outbox::Question;
use crate::server::ServerName;
use crate::time::{Deadline, Moment, Why};
use crate::transaction::FlowRef;
use crate::transport::Transport;
use crate::uas::{self, Refusal, WITH_CALLS};

/// A call's use of a link.
pub(crate) struct Line {
    /// Whose line it is.
    pub(crate) call: CallId,
    /// Who calls or is called.
    pub(crate) account: AccountId,
    /// The link it goes over.
    pub(crate) link: LinkId,
    /// The flow it sends over.
    pub(crate) flow: FlowId,
    /// The flow of its INVITE, where the dialog's next hop is another place: copies still come by it.
    first: Option<FlowId>,
    /// The server of the link, as dialled.
    pub(crate) server: ServerName,
    /// Where the flow leads, to open another.
    destination: Option<Destination>,
    way: Way,
    /// What came of a handshake of this call, until the other calls over the link know.
    pub(crate) handshake: Option<Handshake>,
    /// True while the server sees this side at another address than it was told of.
    pub(crate) is_moved: bool,
    /// What the BYE or CANCEL that ends the call says of it (RFC 3326).
    pub(crate) reason: Option<&'static str>,
    told: Told,
}

/// What the user of a call was told of it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Nothing that ends or interrupts it.
    Going,
    /// Its connection is lost.
    Lost,
    /// It is over: nothing follows.
    Over,
}

/// What came of a handshake that a request of a call made with the server of its link (decision 39).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// The link has a new association.
    Granted,
    /// The server refused it, or did not answer.
    Refused,
    /// The request that made it is over for another reason.
    GivenUp,
}

/// Whether messages can go out.
enum Way {
    /// They can.
    Up,
    /// The flow is lost. A new login of the account may bring another until then.
    AwaitsLogin { until: Moment },
    /// Another flow to the same place is being opened.
    Dialling { flow: FlowId, until: Moment },
    /// The next hop of the dialog is looked for.
    Seeking(Box<ServerSearch>),
}

/// What becomes of the search for a next hop after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// It goes on, or there is none.
    Waits,
    /// A flow stands.
    Found,
    /// Nothing can be reached.
    Nowhere,
}

/// What a call works with while it handles one input.
pub(crate) struct CallContext<'c, 'a, 'd> {
    /// The line of the call.
    pub(crate) line: &'c mut Line,
    /// Its link, its account, the agent's tables.
    pub(crate) at: LinkContext<'a, 'd>,
}

/// A request that left.
pub(crate) struct Sent {
    pub(crate) tx: TxId,
    /// With what proves its sender.
    pub(crate) message: Message,
    /// What it answered to each Digest realm.
    pub(crate) answers: Vec<SentAnswer>,
}

impl Line {
    /// Takes a use of a link and of its flow.
    pub(crate) fn over(call: CallId, at: &mut LinkContext<'_, '_>) -> Self {
        let flow = at.link.flow();
        at.link.join();
        at.cx.flows.join(flow, at.cx.owner);
        Self {
            call,
            account: at.account.id,
            link: at.link.id,
            flow,
            first: None,
            server: at.link.server.clone(),
            destination: at.cx.flows.find(flow).map(|flow| flow.destination().clone()),
            way: Way::Up,
            handshake: None,
            is_moved: false,
            reason: None,
            told: Told::Going,
        }
    }

    /// True while messages can go out.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.way, Way::Up)
    }

    /// True while it waits for the account's next login.
    pub(crate) fn awaits_login(&self) -> bool {
        matches!(self.way, Way::AwaitsLogin { .. })
    }

    /// True from when the loss of its connection was told until it is told that the call goes on.
    pub(crate) fn is_lost(&self) -> bool {
        self.told == Told::Lost
    }

    /// True once the end of the call was told.
    pub(crate) fn is_over(&self) -> bool {
        self.told == Told::Over
    }

    /// True for a flow of it, also that of its INVITE.
    pub(crate) fn is_over_flow(&self, flow: FlowId) -> bool {
        self.flow == flow || self.first == Some(flow)
    }

    /// True while the next hop of its dialog is looked for.
    pub(crate) fn is_seeking(&self) -> bool {
        matches!(self.way, Way::Seeking(_))
    }

    /// Until when another flow must stand.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match &self.way {
            Way::Up => None,
            Way::Seeking(search) => search.deadline(),
            Way::AwaitsLogin { until } | Way::Dialling { until, .. } => {
                Some(Deadline::new(*until, Why::CallWithoutFlow))
            }
        }
    }

    /// The flow that is being opened for it.
    pub(crate) fn dials(&self) -> Option<FlowId> {
        if let Way::Dialling { flow, .. } = self.way { Some(flow) } else { None }
    }
}

impl CallContext<'_, '_, '_> {
    /// Tells the user of the call, unless its end was told.
    pub(crate) fn tell(&mut self, what: CallEvent) {
        if !self.line.is_over() {
            self.at.cx.tell_call(self.line.call, what);
        }
    }

    /// Tells the end, once.
    pub(crate) fn tell_end(&mut self, end: CallEnd) {
        if !self.line.is_over() {
            self.line.reason = self.line.reason.or(end.why.header());
        }
        self.tell(CallEvent::Ended(Box::new(end)));
        self.line.told = Told::Over;
    }

    /// Tells that the connection of an answered call is lost.
    pub(crate) fn tell_lost(&mut self) {
        self.tell(CallEvent::ConnectionLost);
        if !self.line.is_over() {
            self.line.told = Told::Lost;
        }
    }

    /// Tells that the call goes on, if it was told that its connection is lost.
    pub(crate) fn tell_back(&mut self) {
        if self.line.is_lost() {
            self.line.told = Told::Going;
            self.tell(CallEvent::ConnectionBack);
        }
    }

    /// A Via for a request, with a branch of its own.
    pub(crate) fn via(&mut self) -> ViaBuf {
        request_head::via(self.at.link, self.at.cx.random)
    }

    /// What INVITE and UPDATE and their 2xx say of this side.
    pub(crate) fn introduce(&self, message: Builder) -> Builder {
        message
            .header(Name::Contact, format_args!("<{}>", contact(self.at.link, self.at.account)))
            .header(Name::Allow, WITH_CALLS.allow)
            .header(Name::Supported, SUPPORTED)
    }

    /// Sends a request, signed as its link signs.
    ///
    /// # Errors
    /// [`Misuse`]: the link cannot sign, its flow is lost, or there are too many requests. Nothing left.
    pub(crate) fn send(&mut self, request: Message, proof: Proof) -> Result<Sent, Misuse> {
        if !self.line.is_up() {
            return Err(Misuse::WrongState);
        }
        let LinkContext { link, cx, .. } = &mut self.at;
        let Ok(signed) = link.prove(request, proof, cx.random) else {
            cx.counters.count(Counter::NotSigned);
            return Err(Misuse::WrongState);
        };
        let tx = cx.transactions.request(&signed, link.flow_ref, cx.owner, cx.now)?;
        let answers = link.answers_in(&signed);
        Ok(Sent { tx, message: signed.into_message(), answers })
    }

    /// Sends an ACK for a 2xx, signed; the octets, to send them again. One that cannot be signed is not sent.
    pub(crate) fn acknowledge(&mut self, ack: &Message) -> Option<Bytes> {
        let LinkContext { link, cx, .. } = &mut self.at;
        let Ok(signed) = link.sign(ack, cx.random) else {
            cx.counters.count(Counter::NotSigned);
            return None;
        };
        let bytes = signed.bytes().clone();
        self.transmit(bytes.clone());
        Some(bytes)
    }

    /// Sends octets that are signed already over the line's flow, if there is one.
    pub(crate) fn transmit(&mut self, bytes: Bytes) {
        if self.line.is_up() {
            self.at.cx.flows.note_sent(self.line.flow, self.at.cx.now);
            self.at.cx.outbox.send(self.line.flow, bytes);
        }
    }

    /// Answers a request with a signed response; its octets. One that cannot be signed is not sent, and if it is final,
    /// nothing is left of the request: the server asks again.
    pub(crate) fn respond(&mut self, tx: TxId, response: Message) -> Option<Bytes> {
        let status = response.status().unwrap_or_default();
        let Some(bytes) = self.sign_response(response) else {
            if status >= 200 {
                self.at.cx.transactions.abandon(tx);
            }
            return None;
        };
        self.at.cx.transactions.respond(tx, bytes.clone(), status, self.at.cx.now);
        Some(bytes)
    }

    /// Answers a request whose transaction went with its flow, once, over the flow there is now.
    pub(crate) fn respond_over_new_flow(&mut self, response: Message) {
        if self.has_flow()
            && let Some(bytes) = self.sign_response(response)
        {
            self.transmit(bytes);
        }
    }

    /// True while the flow stands that the line sends over.
    pub(crate) fn has_flow(&self) -> bool {
        self.line.is_up() && self.at.cx.flows.find(self.line.flow).is_some_and(|flow| flow.opened().is_some())
    }

    /// Answers a request inside a dialog that has no more to say than that status; its To has our tag already.
    pub(crate) fn answer(&mut self, tx: TxId, request: &Message, status: u16) {
        if let Some(response) = uas::refuse(request, Refusal::new(status, ""), "", &WITH_CALLS) {
            self.respond(tx, response);
        }
    }

    /// A response with what proves its sender over the present flow.
    pub(crate) fn sign_response(&mut self, response: Message) -> Option<Bytes> {
        let LinkContext { link, cx, .. } = &mut self.at;
        let signed = link.sign_response(response, self.line.flow, cx.random);
        if signed.is_err() {
            cx.counters.count(Counter::NotSigned);
        }
        signed.ok()
    }

    /// Asks the world for a session description; the question and until when it may be answered.
    pub(crate) fn ask(&mut self, fork: u8, turn: Turn, hold: bool) -> Asked {
        let until = self.at.cx.now.after(self.at.cx.agent.limits.question);
        let (account, call) = (self.line.account, self.line.call);
        let question = Question::Describe(DescriptionQuestion { account, call, fork, turn, hold });
        let id = self.at.cx.ask(question, Some(until));
        Asked { id, until }
    }

    /// Cancels an INVITE of ours: as soon as a provisional response allows it (RFC 3261 section 9.1).
    pub(crate) fn cancel(&mut self, invite: TxId) {
        let LinkContext { link, cx, .. } = &mut self.at;
        let (flow, reason) = (self.line.flow, self.line.reason);
        let mut signer = LinkSigner { link, flow, reason, random: cx.random };
        // It has its final response already, or it would not be in hand.
        let _answered_meanwhile = cx.transactions.cancel(invite, &mut signer, cx.now);
    }

    /// Judges what a Digest server proves beside its answer. False if the proof is wrong.
    pub(crate) fn is_proved(&mut self, response: &Message, sent: &Sent) -> bool {
        let uri = sent.message.request_uri().unwrap_or_default();
        let request = SentRequest { uri, flow: self.line.flow, answers: &sent.answers };
        let proved = self.at.link.follow_nonce(response, request);
        if !proved {
            self.at.cx.counters.count(Counter::WrongProof);
            self.at.cx.tell(AccountEvent::ProofWrong { server: self.at.link.server.clone() });
        }
        proved
    }

    /// True for an account that calls without registrar.
    pub(crate) fn is_direct(&self) -> bool {
        self.at.account.config.server == ServerChoice::NoRegistrar
    }

    /// True if a new login at the same server gave the link another flow.
    pub(crate) fn has_new_flow(&self) -> bool {
        let flow = self.at.link.flow();
        flow != self.line.flow && self.at.cx.flows.find(flow).is_some_and(|flow| flow.opened().is_some())
    }

    /// Goes over to the flow that a new login at the same server gave the link. True if there is one.
    ///
    /// The flow of before is let go, and what is under way over it has no answer any more: that is given up first.
    pub(crate) fn catch_up(&mut self) -> bool {
        if !self.has_new_flow() {
            return false;
        }
        let flow = self.at.link.flow();
        self.line.destination = self.at.cx.flows.find(flow).map(|flow| flow.destination().clone());
        self.at.cx.flows.join(flow, self.at.cx.owner);
        for before in [Some(self.line.flow), self.line.dials()].into_iter().flatten() {
            if before != flow {
                self.at.cx.release(before);
            }
        }
        self.line.flow = flow;
        self.line.way = Way::Up;
        true
    }

    /// The flow is lost. `waits`: the account signs in again, and may bring the link another flow; else the line opens
    /// one itself (decision 39). False if there is nowhere to open one to.
    pub(crate) fn lose(&mut self, waits: bool) -> bool {
        if waits {
            let span = self.at.cx.agent.timers.t1 * LOGIN_WAIT;
            self.line.way = Way::AwaitsLogin { until: self.at.cx.now.after(span) };
            return true;
        }
        self.dial()
    }

    /// Opens another flow to where the lost one led. False if that is not known.
    pub(crate) fn dial(&mut self) -> bool {
        let Some(destination) = self.line.destination.clone() else { return false };
        let flow = self.at.cx.flows.claim(self.at.cx.owner, &destination, self.at.cx.now);
        let until = self.at.cx.now.after(self.at.cx.agent.limits.connect);
        self.line.way = Way::Dialling { flow, until };
        if self.at.cx.flows.find(flow).and_then(Flow::opened).is_some() {
            self.handle_connected(flow);
        }
        true
    }

    /// A flow stands. True if the line is up by that: what an association proved hung on the flow before.
    pub(crate) fn handle_connected(&mut self, flow: FlowId) -> bool {
        if let Way::Seeking(search) = &mut self.line.way {
            let connection = search.handle_connected(flow, self.at.cx);
            return connection.is_some_and(|connection| self.move_to(*connection) == Sought::Found);
        }
        if self.line.dials() != Some(flow) {
            return false;
        }
        let Some(opened) = self.at.cx.flows.find(flow).and_then(Flow::opened).cloned() else { return false };
        let transport = self.at.link.flow_ref.transport;
        self.at.link.reconnect(FlowRef::new(flow, transport), &opened);
        self.line.way = Way::Up;
        self.line.flow = flow;
        true
    }

    /// True if requests by this next hop do not go over the present flow (RFC 3261 section 12.2.1.1; decision 43): with
    /// a registrar they always do.
    pub(crate) fn leads_elsewhere(&self, next_hop: &str) -> bool {
        let (Ok(uri), true) = (Uri::parse(next_hop), self.is_direct()) else { return false };
        let Some(flow) = self.at.cx.flows.find(self.line.flow) else { return false };
        let Some(opened) = flow.opened() else { return false };
        let transport = flow.destination().transport;
        let port = uri.port().unwrap_or(transport.default_port());
        match uri.host().ip() {
            // Who dialled us did so from a port of the moment.
            Some(ip) if flow.is_accepted() => ip != opened.peer.ip(),
            Some(ip) => (ip, port) != (opened.peer.ip(), opened.peer.port()),
            None => ServerName::new(&uri.host().to_string(), port) != self.line.server,
        }
    }

    /// Looks for the next hop of the dialog. The flow of the INVITE is kept.
    pub(crate) fn seek(&mut self, next_hop: &str) -> Sought {
        let needs_tls = self.at.link.flow_ref.transport.is_secure();
        let may_use = |transport: &Transport| transport.is_secure() || !needs_tls;
        let transports: Vec<Transport> =
            self.at.account.config.transports.iter().copied().filter(may_use).collect();
        let uri = Uri::parse(next_hop).ok();
        let wanted = uri.and_then(|uri| Some((LocateRequest::for_uri(&uri, &transports)?, uri)));
        let Some((request, uri)) = wanted else { return Sought::Nowhere };
        let attempt = ServerAttempt::uri(request, self.at.cx);
        let search = ServerSearch::new(&uri.host().to_string(), vec![attempt]);
        self.line.way = Way::Seeking(Box::new(search));
        self.advance(Vec::new())
    }

    /// An answer of DNS to the search for the next hop.
    pub(crate) fn handle_resolved(&mut self, id: AskId, answer: Result<DnsAnswer, DnsError>) -> Sought {
        let Way::Seeking(search) = &mut self.line.way else { return Sought::Waits };
        search.handle_answer(id, answer);
        self.advance(Vec::new())
    }

    /// Gives up what is overdue of the search.
    pub(crate) fn handle_search_deadline(&mut self) -> Sought {
        let Way::Seeking(search) = &mut self.line.way else { return Sought::Waits };
        let mut misses = Vec::new();
        search.handle_deadline(self.at.cx, &mut misses);
        self.advance(misses)
    }

    /// A flow that the search opens is gone, or could not be opened.
    pub(crate) fn handle_search_lost(&mut self, flow: FlowId, why: ConnectError) -> Sought {
        let Way::Seeking(search) = &mut self.line.way else { return Sought::Waits };
        let mut misses = Vec::new();
        search.handle_failed(flow, why, &mut misses);
        self.advance(misses)
    }

    fn advance(&mut self, mut misses: Vec<Miss>) -> Sought {
        let Way::Seeking(search) = &mut self.line.way else { return Sought::Waits };
        let found = search.advance(self.at.cx, &mut misses);
        for miss in misses {
            if let Some(address) = miss.dialled.address {
                self.at.cx.server_health.failed(address, miss.dialled.transport, self.at.cx.now);
            }
        }
        match found {
            Found::Nothing => Sought::Waits,
            Found::Connection(connection) => self.move_to(*connection),
            Found::NoCandidate(_) => Sought::Nowhere,
        }
    }

    fn move_to(&mut self, connection: Connection) -> Sought {
        let flow = connection.flow;
        let Some(opened) = self.at.cx.flows.find(flow).and_then(Flow::opened).cloned() else {
            return Sought::Nowhere;
        };
        let transport = connection.dialled.transport;
        self.at.link.reconnect(FlowRef::new(flow, transport), &opened);
        let before = std::mem::replace(&mut self.line.flow, flow);
        match self.line.first {
            Some(_) if before != flow => self.at.cx.release(before),
            None if before != flow => self.line.first = Some(before),
            Some(_) | None => {}
        }
        self.line.way = Way::Up;
        Sought::Found
    }

    /// Gives the flows, and what is being opened, back.
    pub(crate) fn let_go(&mut self) {
        match std::mem::replace(&mut self.line.way, Way::Up) {
            Way::Dialling { flow, .. } => self.at.cx.release(flow),
            Way::Seeking(mut search) => search.rest(self.at.cx),
            Way::Up | Way::AwaitsLogin { .. } => {}
        }
        for flow in self.line.first.into_iter().chain([self.line.flow]) {
            self.at.cx.release(flow);
        }
    }
}

/// A question for a session description.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) id: AskId,
    /// Later the world has nothing to say.
    pub(crate) until: Moment,
}

/// Where this side is reached: an account without registrar where it listens.
pub(crate) fn contact(link: &ServerLink, account: &Account) -> UriBuf {
    let config = &account.config;
    match config.call_rules().listen.filter(|_| config.server == ServerChoice::NoRegistrar) {
        // What listens at every address is reached at the one that this peer sees.
        Some(listen) if listen.ip().is_unspecified() => UriBuf::sip(None, &link.local.ip().to_string())
            .written_user(&config.aor.user)
            .port(listen.port())
            .param("transport", Some(link.flow_ref.transport.uri_token())),
        Some(listen) => UriBuf::sip(None, &listen.ip().to_string())
            .written_user(&config.aor.user)
            .port(listen.port())
            .param("transport", Some(link.flow_ref.transport.uri_token())),
        None => link.contact_uri(&config.aor),
    }
}

/// Option tags of INVITE and UPDATE.
const SUPPORTED: &str = "100rel, timer";
/// How long a call waits for the account's next login, in multiples of T1.
const LOGIN_WAIT: u32 = 64;
