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

use crate::config::RoadConfig;
use crate::dial::{self, Dial};
use crate::event::RoadEvent;
use crate::hub::{Arrival, FIRST_ACCEPTED, Hub};
use crate::lane::{self, Lane, Refusal};
use crate::listen::{self, Listener};
use crate::tally::RoadCounters;
use crate::tls_client::TlsClient;
use crate::tls_server::TlsServer;

/// All sockets of one agent or node, behind one queue of events.
///
/// Its methods must be called within a tokio runtime. Only [`next`](Roads::next) and
/// [`take`](Roads::take) wait, and both are cancel-safe; everything else returns at once and what
/// comes of it is told as a [`RoadEvent`]. Dropping the roads closes every flow after what was sent on it.
pub struct Roads {
    hub: Arc<Hub>,
    inbox: mpsc::Receiver<Arrival>,
    arrivals: Vec<Arrival>,
    lanes: HashMap<FlowId, Lane>,
    own: VecDeque<RoadEvent>,
}

impl Roads {
    /// Roads without a flow.
    pub fn new(config: RoadConfig) -> Self {
        let (hub, inbox) = Hub::new(config);
        Self { hub, inbox, arrivals: Vec::new(), lanes: HashMap::new(), own: VecDeque::new() }
    }

    /// Opens a connection; `Connected` or `ConnectFailed` follows, unless it is closed before.
    pub fn connect(&mut self, dial: Dial, tls: &TlsClient) {
        debug_assert!(dial.flow < FIRST_ACCEPTED, "the caller names flows below those that are accepted");
        let flow = dial.flow;
        let (queue, parcels) = lane::queue(self.hub.config.unwritten_bytes);
        let mut lane = Lane::own(queue);
        let task = tokio::spawn(dial::run(dial, tls.clone(), parcels, Arc::clone(&self.hub)));
        lane.dialled_by(task.abort_handle());
        self.lanes.insert(flow, lane);
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
        listen::listen(address, transport, tls, &self.hub)
    }

    /// Queues bytes for a flow, behind what was sent before. A peer that does not read is cut off and
    /// told as `Closed`; bytes for a flow that is gone are counted and dropped.
    pub fn send(&mut self, flow: FlowId, bytes: Bytes) {
        let Some(lane) = self.lanes.get(&flow) else { return self.hub.tally.stray_sends.one() };
        match lane.send(bytes) {
            Ok(()) => {}
            Err(Refusal::Gone) => self.hub.tally.stray_sends.one(),
            Err(Refusal::Full) if lane.is_datagram() => self.hub.tally.datagrams_dropped.one(),
            Err(Refusal::Full) => {
                self.hub.tally.slow_peers.one();
                self.cut(flow);
                self.own.push_back(RoadEvent::Closed { flow, why: ConnectError::Timeout });
            }
        }
    }

    /// Closes a flow after what was sent on it. No event of it follows.
    pub fn close(&mut self, flow: FlowId) {
        if let Some(lane) = self.lanes.remove(&flow) {
            lane.close();
        }
    }

    /// Breaks a flow off: what was sent may be lost, and a TCP peer sees a reset. No event of it follows.
    pub fn cut(&mut self, flow: FlowId) {
        if let Some(lane) = self.lanes.remove(&flow) {
            lane.cut();
        }
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> RoadEvent {
        loop {
            if let Some(event) = self.own.pop_front() {
                return event;
            }
            if let Some(arrival) = self.inbox.recv().await
                && let Some(event) = self.admit(arrival)
            {
                return event;
            }
        }
    }

    /// Waits for at least one event and takes up to `limit` into `events`.
    pub async fn take(&mut self, events: &mut Vec<RoadEvent>, limit: usize) {
        let before = events.len();
        while events.len() == before {
            if self.own.is_empty() && self.arrivals.is_empty() {
                self.inbox.recv_many(&mut self.arrivals, limit.max(1)).await;
            }
            events.extend(self.own.drain(..));
            let mut arrivals = std::mem::take(&mut self.arrivals);
            for arrival in arrivals.drain(..) {
                events.extend(self.admit(arrival));
            }
            self.arrivals = arrivals;
        }
    }

    /// Closes every flow and waits, at most `patience`, until what was sent is out. Listeners that still
    /// live keep it waiting.
    pub async fn leave(self, patience: Duration) {
        let Roads { hub, mut inbox, lanes, .. } = self;
        lanes.into_values().for_each(Lane::close);
        drop(hub);
        // Every task holds the sending end until it is done; who takes longer is left behind.
        let _ = timeout(patience, async { while inbox.recv().await.is_some() {} }).await;
    }

    /// How many flows there are, those being dialled included.
    pub fn flows(&self) -> usize {
        self.lanes.len()
    }

    /// The counters.
    pub fn counters(&self) -> RoadCounters {
        self.hub.tally.read()
    }

    /// Books what an event says about its flow; none if the flow was closed meanwhile.
    fn admit(&mut self, arrival: Arrival) -> Option<RoadEvent> {
        let flow = arrival.event.flow();
        if let Some(lane) = arrival.lane {
            self.lanes.insert(flow, lane);
        }
        match &arrival.event {
            RoadEvent::ConnectFailed { .. } | RoadEvent::Closed { .. } => {
                self.lanes.remove(&flow)?;
            }
            RoadEvent::Connected { .. } => self.lanes.get_mut(&flow)?.opened(),
            RoadEvent::Accepted { .. } | RoadEvent::Received { .. } | RoadEvent::Malformed { .. } => {
                self.lanes.get(&flow)?;
            }
        }
        Some(arrival.event)
    }
}
