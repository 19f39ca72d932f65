//! The table of transactions: messages, time and lost flows in; bytes and news out.

use std::collections::VecDeque;

use bytes::Bytes;
use homing_wire::{Message, Method};

use super::actions::{Actions, Next};
use super::client::Client;
use super::client_invite::ClientInvite;
use super::follow_up::{self, Signer};
use super::key::{COOKIE, Key, Keys};
use super::linger::Lingering;
use super::machine::{Machine, Role};
use super::outcome::{Caps, FlowRef, Incoming, TxOutput};
use super::response::Response;
use super::server::Server;
use super::server_invite::ServerInvite;
use super::store::{Entry, Store};
use super::timers::{Pace, TimerTable};
use crate::auth::signed::Signed;
use crate::config::Timers;
use crate::counter::{Counter, Counters};
use crate::error::Misuse;
use crate::ids::{FlowId, Rng, Seed, TxId};
use crate::time::{Deadline, Now, Why};

/// All transactions of one agent or one node. `U` says whose a transaction is.
///
/// Give one input; drain [`poll_output`](Self::poll_output); sleep until [`deadline`](Self::deadline).
pub struct Transactions<U> {
    timers: TimerTable,
    caps: Caps,
    branches: Rng,
    keys: Keys,
    /// The request that was fed last, and its key: it is accepted next.
    fed: Option<(Bytes, Key)>,
    store: Store<U>,
    lingering: Lingering,
    outputs: VecDeque<TxOutput<U>>,
    counters: Counters,
}

impl<U: Copy> Transactions<U> {
    /// An empty table.
    pub fn new(timers: Timers, caps: Caps, seed: &Seed) -> Self {
        let timers = TimerTable::new(timers);
        Self {
            timers,
            caps,
            keys: Keys::new(&mut seed.rng("key hash")),
            fed: None,
            store: Store::new(&mut seed.rng("table hash")),
            lingering: Lingering::new(timers),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            branches: seed.rng("branch"),
        }
    }

    /// A fresh branch for the Via of a request (RFC 3261 section 8.1.1.7): 80 random bits.
    pub fn branch(&mut self) -> String {
        format!("{COOKIE}{}", self.branches.token(20))
    }

    /// Changes the bounds, as when an account is added.
    pub fn set_caps(&mut self, caps: Caps) {
        self.caps = caps;
    }

    /// Sends a request and keeps it until it is answered. Its top Via carries a branch of
    /// [`branch`](Self::branch).
    ///
    /// # Errors
    /// [`Misuse::BadMessage`] for what is no request, is an ACK (the dialog's to send), lacks branch,
    /// Call-ID or CSeq, or repeats the branch of a request in hand; [`Misuse::Limit`] at the cap.
    pub fn request(
        &mut self,
        request: &Signed,
        flow_ref: FlowRef,
        user: U,
        now: Now,
    ) -> Result<TxId, Misuse> {
        let request = request.message();
        let method = request.method().ok_or(Misuse::BadMessage)?;
        let key = self.keys.client(request).ok_or(Misuse::BadMessage)?;
        if method == Method::Ack || self.store.by_key(key).is_some() {
            return Err(Misuse::BadMessage);
        }
        if self.store.open(Role::Client) >= self.caps.clients {
            return Err(Misuse::Limit);
        }
        let pace = self.pace(flow_ref, now);
        let (machine, actions) = if method == Method::Invite {
            let (client, actions) = ClientInvite::start(request, pace);
            (Machine::ClientInvite(client), actions)
        } else {
            let (client, actions) = Client::start(request.bytes(), pace);
            (Machine::Client(client), actions)
        };
        Ok(self.start(Entry::new(user, flow_ref, machine, key), actions, now))
    }

    /// Cancels an INVITE (RFC 3261 section 9.1): at once if a provisional response came, else as soon as
    /// one comes; never after its final response. What becomes of the CANCEL is not told; the INVITE
    /// still ends by its own final response or `TimedOut`. One that cannot be signed is not sent, and counted.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if `invite` is no INVITE of ours in hand.
    pub fn cancel(&mut self, invite: TxId, signer: &mut dyn Signer, now: Now) -> Result<(), Misuse> {
        let table = self.timers;
        let entry = self.store.find_mut(invite).ok_or(Misuse::WrongState)?;
        let Machine::ClientInvite(client) = &mut entry.machine else { return Err(Misuse::WrongState) };
        let pace = Pace::new(table, entry.flow_ref.transport, now);
        if let Some((request, overdue)) = client.cancel(pace) {
            self.store.wake(invite, Some(overdue));
            self.send_cancel(invite, &request, signer, now);
        }
        Ok(())
    }

    /// The client transaction a response belongs to, its user and the flow it must come by. Verify the
    /// response before it is fed.
    pub fn peek_client(&self, response: &Message) -> Option<(TxId, &U, FlowId)> {
        let id = self.store.by_key(self.keys.client(response)?)?;
        let entry = self.store.find(id)?;
        Some((id, &entry.user, entry.flow_ref.flow))
    }

    /// True if the final response of `id` came before this one: fed, it brings the stored ACK again or
    /// nothing. It is not verified, because a byte-identical copy would fail as replayed. A further 2xx to an
    /// INVITE is a copy only if it is one octet for octet.
    pub fn is_copy(&self, id: TxId, response: &Message) -> bool {
        let (Some(status), Some(entry)) = (response.status(), self.store.find(id)) else { return false };
        entry.machine.absorbs(status, |client| client.has_told(self.keys.fingerprint(response)))
    }

    /// The server transaction a request is a copy of, or the INVITE an ACK is for.
    pub fn peek_server(&self, request: &Message) -> Option<(TxId, &U, FlowId)> {
        let id = self.store.by_key(self.keys.server(request)?)?;
        let entry = self.store.find(id)?;
        Some((id, &entry.user, entry.flow_ref.flow))
    }

    /// Feeds a verified response to the transaction that [`peek_client`](Self::peek_client) named, and says
    /// what it is. An ACK or a waiting CANCEL that follows from it is signed by `signer` (decision 11); one
    /// that cannot be signed is not sent, and counted.
    pub fn feed_response(
        &mut self,
        id: TxId,
        response: &Message,
        signer: &mut dyn Signer,
        now: Now,
    ) -> Response {
        let table = self.timers;
        let (Some(status), Some(entry)) = (response.status(), self.store.find_mut(id)) else {
            self.counters.count(Counter::StrayResponse);
            return Response::Absorbed;
        };
        let pace = Pace::new(table, entry.flow_ref.transport, now);
        let (mut waiting, mut unsigned) = (None, false);
        let actions = match &mut entry.machine {
            Machine::Client(client) | Machine::Cancel(client) => client.handle_response(status, pace),
            Machine::ClientInvite(client) => match status {
                ..200 => {
                    waiting = client.invite().cloned();
                    client.handle_provisional(pace)
                }
                200..300 => client.handle_success(self.keys.fingerprint(response)),
                300.. => client.handle_refusal(pace, |invite| {
                    let signed = signer.sign(follow_up::ack(invite, response)?);
                    unsigned = signed.is_err();
                    signed.ok().map(|ack| ack.message().bytes().clone())
                }),
            },
            Machine::Server(_) | Machine::ServerInvite(_) => Actions::nothing(),
        };
        let waiting = waiting.filter(|_| actions.cancel);
        let told = actions.response;
        let quiet = matches!(entry.machine, Machine::Cancel(_));
        if unsigned {
            self.counters.count(Counter::NotSigned);
        }
        self.apply(id, actions, now);
        if let Some(invite) = waiting {
            self.send_cancel(id, &invite, signer, now);
        }
        if quiet { Response::Absorbed } else { told }
    }

    /// Finds out what a received request is. Copies are answered here with the stored bytes, on the flow
    /// they came by.
    pub fn feed_request(&mut self, request: &Message, flow: FlowId, now: Now) -> Incoming {
        let (Some(method), Some(key)) = (request.method(), self.keys.server(request)) else {
            return Incoming::Unusable;
        };
        let known = self.store.by_key(key);
        if method == Method::Ack {
            return known.map_or(Incoming::Ack { of: None }, |id| self.feed_ack(id, now));
        }
        if let Some(id) = known {
            self.feed_copy(id, flow, now);
            return Incoming::Retransmission;
        }
        self.fed = Some((request.bytes().clone(), key));
        let too_many_answered =
            method == Method::Invite && self.lingering.invites() >= self.caps.lingering_invites;
        if too_many_answered || self.store.open(Role::Server) >= self.caps.servers {
            self.counters.count(Counter::RefusedRequest);
            return Incoming::Overload;
        }
        if method == Method::Cancel {
            let invite = self.keys.cancelled(request).and_then(|key| self.store.by_key(key));
            return invite.map_or(Incoming::New, |of| Incoming::Cancel { of });
        }
        let outside_dialog = request.to().is_ok_and(|to| to.tag().is_none());
        if outside_dialog && self.store.by_origin(key).is_some() { Incoming::Merged } else { Incoming::New }
    }

    /// Makes a transaction of a request that was `New` (or `Cancel`, or `Merged` to a proxy) and whose
    /// signature proved good. An INVITE is answered with 100 by itself unless
    /// [`respond`](Self::respond) comes within 200 ms.
    ///
    /// # Errors
    /// [`Misuse::BadMessage`] for an ACK or what is no request, [`Misuse::WrongState`] if it was accepted
    /// before, [`Misuse::Limit`] at the cap.
    pub fn accept_request(
        &mut self,
        request: &Message,
        flow_ref: FlowRef,
        user: U,
        now: Now,
    ) -> Result<TxId, Misuse> {
        let method = request.method().ok_or(Misuse::BadMessage)?;
        let key = self.server_key(request).ok_or(Misuse::BadMessage)?;
        if method == Method::Ack {
            return Err(Misuse::BadMessage);
        }
        if self.store.by_key(key).is_some() {
            return Err(Misuse::WrongState);
        }
        if self.store.open(Role::Server) >= self.caps.servers {
            return Err(Misuse::Limit);
        }
        let pace = self.pace(flow_ref, now);
        let (machine, actions) = if method == Method::Invite {
            let (server, actions) = ServerInvite::start(follow_up::trying(request), pace);
            (Machine::ServerInvite(server), actions)
        } else {
            let (server, actions) = Server::start(pace);
            (Machine::Server(server), actions)
        };
        Ok(self.start(Entry::new(user, flow_ref, machine, key), actions, now))
    }

    /// The key of a request; that of the one that was fed last is known. The same octets at the same place are it.
    fn server_key(&mut self, request: &Message) -> Option<Key> {
        let octets = request.bytes();
        match self.fed.take() {
            Some((fed, key)) if fed.as_ptr() == octets.as_ptr() && fed.len() == octets.len() => Some(key),
            _ => self.keys.server(request),
        }
    }

    /// Sends a response, complete and signed, and keeps what later copies of the request need. A response
    /// that comes too late (after a final one, or when the transaction is gone) is dropped and counted.
    pub fn respond(&mut self, id: TxId, response: Bytes, status: u16, now: Now) {
        let table = self.timers;
        let actions = self.store.find_mut(id).and_then(|entry| {
            let pace = Pace::new(table, entry.flow_ref.transport, now);
            match &mut entry.machine {
                Machine::Server(server) => server.respond(response, status, pace),
                Machine::ServerInvite(server) => server.respond(response, status, pace),
                Machine::Client(_) | Machine::Cancel(_) | Machine::ClientInvite(_) => None,
            }
        });
        let Some(actions) = actions else { return self.counters.count(Counter::LateResponse) };
        if matches!(status, 401 | 407) {
            self.store.forget_origin(id);
        }
        self.apply(id, actions, now);
    }

    /// Forgets a transaction whose user waits no longer; what comes for it later is astray.
    pub fn abandon(&mut self, id: TxId) {
        self.store.remove(id);
    }

    /// The flow is gone: its transactions without a final response end with `FlowFailed`.
    pub fn flow_failed(&mut self, flow: FlowId) {
        for tx in self.store.of_flow(flow) {
            if let Some(entry) = self.store.find(tx)
                && entry.machine.is_open()
                && !matches!(entry.machine, Machine::Cancel(_))
            {
                self.outputs.push_back(TxOutput::FlowFailed { tx, user: entry.user });
            }
            self.store.remove(tx);
        }
    }

    /// Does everything that is due.
    pub fn handle_deadline(&mut self, now: Now) {
        let table = self.timers;
        while let Some((_, id)) = self.store.first_due().filter(|(at, _)| now.reached(*at)) {
            self.store.wake(id, None);
            let Some(entry) = self.store.find_mut(id) else { continue };
            let actions = entry.machine.handle_deadline(Pace::new(table, entry.flow_ref.transport, now));
            self.apply(id, actions, now);
        }
        while let Some(id) = self.lingering.expire(now) {
            self.store.remove(id);
        }
    }

    /// When something is due next.
    pub fn deadline(&self) -> Option<Deadline> {
        let live = self
            .store
            .first_due()
            .and_then(|(at, id)| self.store.find(id).map(|entry| Deadline::new(at, entry.machine.why(at))));
        let late = self.lingering.deadline().map(|at| Deadline::new(at, Why::Lingering));
        Deadline::earlier(live, late)
    }

    /// Takes the oldest output.
    pub fn poll_output(&mut self) -> Option<TxOutput<U>> {
        self.outputs.pop_front()
    }

    /// Whose a transaction is.
    pub fn user(&self, id: TxId) -> Option<&U> {
        self.store.find(id).map(|entry| &entry.user)
    }

    /// Over which flow a transaction is.
    pub fn flow(&self, id: TxId) -> Option<FlowId> {
        self.store.find(id).map(|entry| entry.flow_ref.flow)
    }

    /// Transactions in the table, finished ones that linger included.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Transactions that are not finished.
    pub fn unfinished(&self) -> usize {
        self.store.open(Role::Client) + self.store.open(Role::Server)
    }

    /// Bytes kept by finished transactions, their bookkeeping included.
    pub fn lingering_bytes(&self) -> usize {
        self.lingering.bytes()
    }

    /// What was refused, dropped or came astray.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn feed_ack(&mut self, id: TxId, now: Now) -> Incoming {
        let table = self.timers;
        let Some(entry) = self.store.find_mut(id) else { return Incoming::Ack { of: None } };
        let pace = Pace::new(table, entry.flow_ref.transport, now);
        let Machine::ServerInvite(server) = &mut entry.machine else { return Incoming::Ack { of: None } };
        let (ends_here, actions) = server.handle_ack(pace);
        self.apply(id, actions, now);
        if ends_here { Incoming::Acknowledged { of: id } } else { Incoming::Ack { of: Some(id) } }
    }

    fn feed_copy(&mut self, id: TxId, flow: FlowId, now: Now) {
        let Some(entry) = self.store.find_mut(id) else { return };
        let mut actions = match &mut entry.machine {
            Machine::Server(server) => server.handle_copy(),
            Machine::ServerInvite(server) => server.handle_copy(),
            Machine::Client(_) | Machine::Cancel(_) | Machine::ClientInvite(_) => return,
        };
        if let Some(bytes) = actions.send.take() {
            self.outputs.push_back(TxOutput::Send { flow, bytes });
        }
        self.apply(id, actions, now);
    }

    fn send_cancel(&mut self, invite: TxId, request: &Message, signer: &mut dyn Signer, now: Now) {
        let Some(entry) = self.store.find(invite) else { return };
        let (user, flow_ref) = (entry.user, entry.flow_ref);
        let Some(cancel) = follow_up::cancel(request) else { return };
        let Ok(cancel) = signer.sign(cancel) else { return self.counters.count(Counter::NotSigned) };
        let cancel = cancel.message();
        let Some(key) = self.keys.client(cancel).filter(|key| self.store.by_key(*key).is_none()) else {
            return;
        };
        let (client, actions) = Client::start(cancel.bytes(), self.pace(flow_ref, now));
        self.start(Entry::new(user, flow_ref, Machine::Cancel(client), key), actions, now);
    }

    fn start(&mut self, entry: Entry<U>, actions: Actions, now: Now) -> TxId {
        let id = self.store.insert(entry);
        self.apply(id, actions, now);
        id
    }

    fn apply(&mut self, id: TxId, actions: Actions, now: Now) {
        let Some(entry) = self.store.find(id) else { return };
        let (user, flow, held) = (entry.user, entry.flow_ref.flow, entry.machine.held());
        let quiet = matches!(entry.machine, Machine::Cancel(_));
        let rings = matches!(entry.machine, Machine::ServerInvite(_));
        if let Some(bytes) = actions.send {
            self.outputs.push_back(TxOutput::Send { flow, bytes });
        }
        if let Some(tell) = actions.tell.filter(|_| !quiet) {
            self.outputs.push_back(TxOutput::of(tell, id, user));
        }
        match actions.next {
            Next::Keep => {}
            Next::At(at) => self.store.wake(id, Some(at)),
            Next::Idle => self.store.wake(id, None),
            Next::End => self.store.remove(id),
            Next::Linger(length) if rings => {
                self.store.finish(id);
                self.lingering.keep_invite(id, length, now);
            }
            Next::Linger(length) => {
                self.store.finish(id);
                self.lingering.keep(id, held, length, now);
                while let Some(oldest) = self.lingering.overflow(self.caps.lingering_bytes) {
                    self.store.remove(oldest);
                    self.counters.count(Counter::LingeringDropped);
                }
            }
        }
    }

    fn pace(&self, flow_ref: FlowRef, now: Now) -> Pace {
        Pace::new(self.timers, flow_ref.transport, now)
    }
}
