//! What all tasks of one set of sockets share: bounds, counters and the one queue of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use homing_core::ids::FlowId;
use homing_wire::Frame;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::NetConfig;
use crate::counters::LiveCounters;
use crate::descriptors::Descriptors;
use crate::send_queue::SendQueue;
use crate::unfinished::Unfinished;
use homing_core::connect::FlowEvent;

/// Accepted flows are named from here on; dialled ones are named by the caller, below it.
pub const FIRST_ACCEPTED: FlowId = FlowId(1 << 63);

/// One event on its way to the caller, with what belongs to it.
pub(crate) struct Inbound {
    pub(crate) event: FlowEvent,
    /// The way back, for a flow that the caller does not know yet.
    pub(crate) send_queue: Option<SendQueue>,
    /// Its share of the budget for unread bytes, given back when the event is taken.
    pub(crate) _share: Option<OwnedSemaphorePermit>,
}

/// The shared part of all pumps, dialers and listeners.
pub(crate) struct Shared {
    pub(crate) config: NetConfig,
    pub(crate) counters: LiveCounters,
    /// One permit for each accepted connection that may still be opened.
    pub(crate) permits: Arc<Semaphore>,
    /// Whether descriptors ran out.
    pub(crate) descriptors: Descriptors,
    /// What strangers leave unfinished.
    pub(crate) unfinished: Arc<Unfinished>,
    inbox: mpsc::Sender<Inbound>,
    unread: Arc<Semaphore>,
    accepted: AtomicU64,
}

impl Shared {
    pub(crate) fn new(config: NetConfig) -> (Arc<Shared>, mpsc::Receiver<Inbound>) {
        let (inbox, outbox) = mpsc::channel(config.events.max(1));
        let shared = Shared {
            permits: Arc::new(Semaphore::new(config.connections.min(Semaphore::MAX_PERMITS))),
            unread: Arc::new(Semaphore::new(config.unread_bytes.min(Semaphore::MAX_PERMITS))),
            unfinished: Unfinished::new(config.unfinished_bytes),
            descriptors: Descriptors::default(),
            accepted: AtomicU64::new(FIRST_ACCEPTED.0),
            counters: LiveCounters::default(),
            inbox,
            config,
        };
        (Arc::new(shared), outbox)
    }

    /// A name for a flow that a peer opened.
    pub(crate) fn next_flow(&self) -> FlowId {
        FlowId(self.accepted.fetch_add(1, Ordering::Relaxed))
    }

    /// Queues an event, waiting for capacity. False if the receiver is gone.
    pub(crate) async fn send(&self, event: FlowEvent, send_queue: Option<SendQueue>) -> bool {
        self.inbox.send(Inbound { event, send_queue, _share: None }).await.is_ok()
    }

    /// Queues what arrived, waiting for capacity in the queue and in the byte budget.
    pub(crate) async fn deliver(&self, flow: FlowId, frame: Frame) -> bool {
        let share = match &frame {
            Frame::Message(bytes) | Frame::Stun(bytes) => {
                let wanted = u32::try_from(bytes.len().min(self.config.unread_bytes)).unwrap_or(u32::MAX);
                Arc::clone(&self.unread).acquire_many_owned(wanted).await.ok()
            }
            Frame::Ping | Frame::Pong => None,
        };
        let inbound = Inbound { event: FlowEvent::Received { flow, frame }, send_queue: None, _share: share };
        match self.inbox.try_send(inbound) {
            Ok(()) => true,
            Err(TrySendError::Full(inbound)) => self.inbox.send(inbound).await.is_ok(),
            Err(TrySendError::Closed(_)) => false,
        }
    }
}
