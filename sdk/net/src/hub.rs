//! What all tasks of one set of roads share: bounds, counters and the one queue of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use homing_core::ids::FlowId;
use homing_wire::Frame;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::RoadConfig;
use crate::event::RoadEvent;
use crate::lane::Lane;
use crate::tally::Tally;

/// Accepted flows are named from here on; dialled ones are named by the caller, below it.
pub const FIRST_ACCEPTED: FlowId = FlowId(1 << 63);

/// One event on its way to the caller, with what belongs to it.
pub(crate) struct Arrival {
    pub(crate) event: RoadEvent,
    /// The way back, for a flow that the caller does not know yet.
    pub(crate) lane: Option<Lane>,
    /// Its share of the budget for unread bytes, given back when the event is taken.
    pub(crate) _share: Option<OwnedSemaphorePermit>,
}

/// The shared part of all pumps, dialers and listeners.
pub(crate) struct Hub {
    pub(crate) config: RoadConfig,
    pub(crate) tally: Tally,
    /// Room for accepted connections.
    pub(crate) room: Arc<Semaphore>,
    inbox: mpsc::Sender<Arrival>,
    unread: Arc<Semaphore>,
    accepted: AtomicU64,
}

impl Hub {
    pub(crate) fn new(config: RoadConfig) -> (Arc<Hub>, mpsc::Receiver<Arrival>) {
        let (inbox, outbox) = mpsc::channel(config.events.max(1));
        let hub = Hub {
            room: Arc::new(Semaphore::new(config.connections.min(Semaphore::MAX_PERMITS))),
            unread: Arc::new(Semaphore::new(config.unread_bytes.min(Semaphore::MAX_PERMITS))),
            accepted: AtomicU64::new(FIRST_ACCEPTED.0),
            tally: Tally::default(),
            inbox,
            config,
        };
        (Arc::new(hub), outbox)
    }

    /// A name for a flow that a peer opened.
    pub(crate) fn next_flow(&self) -> FlowId {
        FlowId(self.accepted.fetch_add(1, Ordering::Relaxed))
    }

    /// Hands an event over, waiting for room. False if nobody takes events any more.
    pub(crate) async fn tell(&self, event: RoadEvent, lane: Option<Lane>) -> bool {
        self.inbox.send(Arrival { event, lane, _share: None }).await.is_ok()
    }

    /// Hands over what arrived, waiting for room in the queue and in the byte budget.
    pub(crate) async fn deliver(&self, flow: FlowId, frame: Frame) -> bool {
        let share = match &frame {
            Frame::Message(bytes) | Frame::Stun(bytes) => {
                let wanted = u32::try_from(bytes.len().min(self.config.unread_bytes)).unwrap_or(u32::MAX);
                Arc::clone(&self.unread).acquire_many_owned(wanted).await.ok()
            }
            Frame::Ping | Frame::Pong => None,
        };
        let arrival = Arrival { event: RoadEvent::Received { flow, frame }, lane: None, _share: share };
        match self.inbox.try_send(arrival) {
            Ok(()) => true,
            Err(TrySendError::Full(arrival)) => self.inbox.send(arrival).await.is_ok(),
            Err(TrySendError::Closed(_)) => false,
        }
    }
}
