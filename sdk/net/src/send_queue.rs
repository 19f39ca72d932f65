//! The way out of one flow: a queue bounded in bytes, emptied by the flow's pump.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use homing_core::ids::FlowId;

use crate::peers::Peers;

/// What a pump is handed to do.
pub(crate) enum Write {
    /// Bytes to send; to whom, on a socket that serves many peers.
    Bytes(Bytes, Option<SocketAddr>),
    /// Break the connection off at once.
    Cut,
}

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// More would wait than may.
    Full,
    /// The pump is gone; its `Closed` is on the way.
    Gone,
}

/// The way out of one flow, held by the caller's side. Dropping it closes the flow after what was sent.
pub(crate) struct SendQueue {
    queue: Queue,
    kind: Kind,
}

/// A queue to one pump.
#[derive(Clone)]
pub(crate) struct Queue {
    writes: mpsc::UnboundedSender<Write>,
    backlog: Arc<Backlog>,
}

/// The pump's end of a queue.
pub(crate) struct Writes {
    writes: mpsc::UnboundedReceiver<Write>,
    backlog: Arc<Backlog>,
}

/// How much waits to be written.
pub(crate) struct Backlog {
    waiting: AtomicUsize,
    bound: usize,
    less: Notify,
    /// The peer proved who it is.
    held: AtomicBool,
}

enum Kind {
    /// A connection with a pump of its own.
    Own { dialling: Option<AbortHandle> },
    /// One peer of a listening UDP socket.
    Peer { flow: FlowId, address: SocketAddr, peers: Arc<Peers> },
}

/// A queue that holds at most `bound` bytes, and its other end.
pub(crate) fn queue(bound: usize) -> (Queue, Writes) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog {
        waiting: AtomicUsize::new(0),
        bound,
        less: Notify::new(),
        held: AtomicBool::new(false),
    });
    let queue = Queue { writes: sender, backlog: Arc::clone(&backlog) };
    (queue, Writes { writes: receiver, backlog })
}

impl SendQueue {
    /// The send_queue of a connection with a pump of its own.
    pub(crate) fn own(queue: Queue) -> Self {
        Self { queue, kind: Kind::Own { dialling: None } }
    }

    /// The send_queue of one peer of a listening UDP socket.
    pub(crate) fn peer(queue: Queue, flow: FlowId, address: SocketAddr, peers: Arc<Peers>) -> Self {
        Self { queue, kind: Kind::Peer { flow, address, peers } }
    }

    /// Notes the task that is still dialling, so that closing ends it.
    pub(crate) fn dialled_by(&mut self, task: AbortHandle) {
        self.kind = Kind::Own { dialling: Some(task) };
    }

    /// Notes that the flow is open.
    pub(crate) fn opened(&mut self) {
        if let Kind::Own { dialling } = &mut self.kind {
            *dialling = None;
        }
    }

    pub(crate) fn is_datagram(&self) -> bool {
        matches!(self.kind, Kind::Peer { .. })
    }

    pub(crate) fn send(&self, bytes: Bytes) -> Result<(), Refusal> {
        let to = match &self.kind {
            Kind::Own { .. } => None,
            Kind::Peer { address, .. } => Some(*address),
        };
        self.queue.push(bytes, to)
    }

    /// As [`send`](Self::send), to another port of a datagram peer; to the peer itself on a connection.
    pub(crate) fn send_to_port(&self, bytes: Bytes, port: u16) -> Result<(), Refusal> {
        match &self.kind {
            Kind::Own { .. } => self.send(bytes),
            Kind::Peer { address, .. } => self.queue.push(bytes, Some(SocketAddr::new(address.ip(), port))),
        }
    }

    /// Notes that the peer proved who it is.
    pub(crate) fn hold(&self) {
        match &self.kind {
            Kind::Own { .. } => self.queue.backlog.held.store(true, Ordering::Release),
            Kind::Peer { flow, address, peers } => peers.hold(*address, *flow),
        }
    }

    /// Ends the flow: at once if it is still being dialled, else after what was sent.
    pub(crate) fn close(self) {
        match self.kind {
            Kind::Own { dialling: Some(task) } => task.abort(),
            Kind::Own { dialling: None } => {}
            Kind::Peer { flow, address, peers } => peers.forget(address, flow),
        }
    }

    /// Ends the flow at once; a TCP peer sees a reset.
    pub(crate) fn cut(self) {
        if let Kind::Own { .. } = self.kind {
            // A pump that is gone needs no cutting.
            let _ = self.queue.writes.send(Write::Cut);
        }
        self.close();
    }
}

impl Queue {
    fn push(&self, bytes: Bytes, to: Option<SocketAddr>) -> Result<(), Refusal> {
        let weight = weight(&bytes);
        let backlog = &self.backlog;
        let before = backlog.waiting.fetch_add(weight, Ordering::AcqRel);
        let taken = if before > 0 && before + weight > backlog.bound {
            Err(Refusal::Full)
        } else {
            self.writes.send(Write::Bytes(bytes, to)).map_err(|_| Refusal::Gone)
        };
        if taken.is_err() {
            backlog.waiting.fetch_sub(weight, Ordering::AcqRel);
        }
        taken
    }
}

impl Writes {
    /// Waits for writes and takes up to `BATCH` of them; 0 once the flow was closed and all is taken.
    pub(crate) async fn take(&mut self, batch: &mut Vec<Write>) -> usize {
        self.writes.recv_many(batch, BATCH).await
    }

    /// Notes that these are on their way.
    pub(crate) fn done(&self, sent: &[Bytes]) {
        self.backlog.waiting.fetch_sub(sent.iter().map(weight).sum(), Ordering::AcqRel);
        self.backlog.less.notify_one();
    }

    /// How much waits, for the pump's other half.
    pub(crate) fn backlog(&self) -> Arc<Backlog> {
        Arc::clone(&self.backlog)
    }
}

impl Backlog {
    /// True once the peer proved who it is.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Waits until so little waits that more may be asked for.
    pub(crate) async fn is_light(&self) {
        while self.waiting.load(Ordering::Acquire) > self.bound / LIGHT {
            self.less.notified().await;
        }
    }
}

/// What bytes weigh in a queue: themselves, and the place they take. A flood of keep-alives is no lighter
/// than it is.
fn weight(bytes: &Bytes) -> usize {
    bytes.len() + size_of::<Write>()
}

/// Which part of the bound is light: what was read already may still be answered below the bound.
const LIGHT: usize = 16;
/// Writes written at once.
pub(crate) const BATCH: usize = 64;
