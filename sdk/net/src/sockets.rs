//! The table of flows: orders go in, events come out, each flow's in their order.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::config::NetConfig;
use crate::counters::NetCounters;
use crate::dial::{self, Dial};
use crate::listen::{self, Listener};
use crate::send_queue::{self, Refusal, SendQueue};
use crate::shared::{FIRST_ACCEPTED, Inbound, Shared};
use crate::tls_client::TlsClient;
use crate::tls_server::TlsServer;
use homing_core::connect::FlowEvent;

/// All sockets of one agent or node, behind one queue of events.
///
/// Its methods must be called within a tokio runtime. Only [`next`](Sockets::next) and
/// [`take`](Sockets::take) wait, and both are cancel-safe; everything else returns at once and what
/// comes of it is a [`FlowEvent`]. Dropping the sockets closes every flow after what was sent on it.
pub struct Sockets {
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<Inbound>,
    inbound: Vec<Inbound>,
    lanes: HashMap<FlowId, SendQueue>,
    own: VecDeque<FlowEvent>,
}

/// Tells when file descriptors run out.
pub struct OutOfDescriptors(Arc<Shared>);

impl OutOfDescriptors {
    /// Waits until no connection can be accepted for want of file descriptors; again only after one could. Cancel-safe.
    pub async fn next(&self) {
        self.0.descriptors.next().await;
    }
}

impl Sockets {
    /// Sockets without a flow.
    pub fn new(config: NetConfig) -> Self {
        let (shared, inbox) = Shared::new(config);
        Self { shared, inbox, inbound: Vec::new(), lanes: HashMap::new(), own: VecDeque::new() }
    }

    /// Opens a connection; `Connected` or `ConnectFailed` follows, unless it is closed before.
    pub fn connect(&mut self, dial: Dial, tls: &TlsClient) {
        debug_assert!(dial.flow < FIRST_ACCEPTED, "the caller names flows below those that are accepted");
        let flow = dial.flow;
        let (queue, writes) = send_queue::queue(self.shared.config.unwritten_bytes);
        let mut send_queue = SendQueue::own(queue);
        let task = tokio::spawn(dial::run(dial, tls.clone(), writes, Arc::clone(&self.shared)));
        send_queue.dialled_by(task.abort_handle());
        self.lanes.insert(flow, send_queue);
    }

    /// Listens at `address`; port 0 lets the system choose. TLS needs a certificate.
    ///
    /// # Errors
    /// What the system says, or `InvalidInput` for TLS without a certificate.
    pub fn listen(
        &mut self,
        address: SocketAddr,
        transport: Transport,
        tls: Option<TlsServer>,
    ) -> io::Result<Listener> {
        listen::listen(address, transport, tls, &self.shared)
    }

    /// Tells when file descriptors run out.
    pub fn out_of_descriptors(&self) -> OutOfDescriptors {
        OutOfDescriptors(Arc::clone(&self.shared))
    }

    /// Queues bytes for a flow, behind what was sent before. A peer that does not read is cut off and
    /// reported as `Closed`; bytes for a flow that is gone are counted and dropped.
    pub fn send(&mut self, flow: FlowId, bytes: Bytes) {
        let Some(send_queue) = self.lanes.get(&flow) else { return self.shared.counters.stray_sends.one() };
        let sent = send_queue.send(bytes);
        self.book(flow, sent);
    }

    /// As [`send`](Self::send), for one peer of a listening UDP socket: to another port at its address.
    pub fn send_to_port(&mut self, flow: FlowId, bytes: Bytes, port: u16) {
        let Some(send_queue) = self.lanes.get(&flow) else { return self.shared.counters.stray_sends.one() };
        let sent = send_queue.send_to_port(bytes, port);
        self.book(flow, sent);
    }

    /// Notes that the peer of a flow proved who it is: a stranger's datagrams do not displace it, and what it leaves
    /// unfinished is not counted among strangers'.
    pub fn hold(&mut self, flow: FlowId) {
        if let Some(send_queue) = self.lanes.get(&flow) {
            send_queue.hold();
        }
    }

    fn book(&mut self, flow: FlowId, sent: Result<(), Refusal>) {
        let is_datagram = self.lanes.get(&flow).is_some_and(SendQueue::is_datagram);
        match sent {
            Ok(()) => {}
            Err(Refusal::Gone) => self.shared.counters.stray_sends.one(),
            Err(Refusal::Full) if is_datagram => self.shared.counters.datagrams_dropped.one(),
            Err(Refusal::Full) => {
                self.shared.counters.slow_peers.one();
                self.cut(flow);
                self.own.push_back(FlowEvent::Closed { flow, why: ConnectError::Timeout });
            }
        }
    }

    /// Closes a flow after what was sent on it. No event of it follows.
    pub fn close(&mut self, flow: FlowId) {
        if let Some(send_queue) = self.lanes.remove(&flow) {
            send_queue.close();
        }
    }

    /// Breaks a flow off: what was sent may be lost, and a TCP peer sees a reset. No event of it follows.
    pub fn cut(&mut self, flow: FlowId) {
        if let Some(send_queue) = self.lanes.remove(&flow) {
            send_queue.cut();
        }
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> FlowEvent {
        loop {
            if let Some(event) = self.own.pop_front() {
                return event;
            }
            if let Some(inbound) = self.inbox.recv().await
                && let Some(event) = self.admit(inbound)
            {
                return event;
            }
        }
    }

    /// Waits for at least one event and takes up to `limit` into `events`.
    pub async fn take(&mut self, events: &mut Vec<FlowEvent>, limit: usize) {
        let before = events.len();
        while events.len() == before {
            if self.own.is_empty() && self.inbound.is_empty() {
                self.inbox.recv_many(&mut self.inbound, limit.max(1)).await;
            }
            events.extend(self.own.drain(..));
            let mut inbound = std::mem::take(&mut self.inbound);
            for inbound in inbound.drain(..) {
                events.extend(self.admit(inbound));
            }
            self.inbound = inbound;
        }
    }

    /// Closes every flow and waits, at most `patience`, until what was sent is out. Listeners that still
    /// live keep it waiting.
    pub async fn leave(self, patience: Duration) {
        let Sockets { shared, mut inbox, lanes, .. } = self;
        lanes.into_values().for_each(SendQueue::close);
        drop(shared);
        // Every task holds the sending end until it is done; who takes longer is left behind.
        let _ = timeout(patience, async { while inbox.recv().await.is_some() {} }).await;
    }

    /// How many flows there are, those being dialled included.
    pub fn flows(&self) -> usize {
        self.lanes.len()
    }

    /// What was counted since the sockets were made, of all flows together.
    pub fn counters(&self) -> NetCounters {
        self.shared.counters.read()
    }

    /// Books what an event says about its flow; none if the flow was closed meanwhile.
    fn admit(&mut self, inbound: Inbound) -> Option<FlowEvent> {
        let flow = inbound.event.flow();
        if let Some(send_queue) = inbound.send_queue {
            self.lanes.insert(flow, send_queue);
        }
        match &inbound.event {
            FlowEvent::ConnectFailed { .. } | FlowEvent::Closed { .. } => {
                self.lanes.remove(&flow)?;
            }
            FlowEvent::Connected { .. } => self.lanes.get_mut(&flow)?.opened(),
            FlowEvent::Accepted { .. } | FlowEvent::Received { .. } | FlowEvent::Malformed { .. } => {
                self.lanes.get(&flow)?;
            }
        }
        Some(inbound.event)
    }
}
