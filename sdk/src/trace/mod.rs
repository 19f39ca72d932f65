//! The trace: every message of the recent past, bounded in bytes, shown only with its secrets masked.

mod entry;
mod ring;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub(crate) use entry::{Content, FlowFacts, StoredEntry};
pub use homing_core::ids::FlowId;
pub use homing_core::time::Wall;
pub use homing_wire::Redacted;

pub use entry::{Direction, DropReason, TraceEntry, TraceKind};
pub(crate) use ring::Ring;

/// A look at the trace. Cheap to clone; all looks see the same ring.
#[derive(Clone, Debug)]
pub struct Trace {
    ring: Arc<Mutex<Ring>>,
    changes: watch::Receiver<u64>,
}

/// The side that writes the trace.
pub(crate) struct Recorder {
    ring: Arc<Mutex<Ring>>,
    changes: watch::Sender<u64>,
}

/// A trace of at most `bytes`, with both its sides; 0 keeps nothing.
pub(crate) fn trace(bytes: usize) -> (Recorder, Trace) {
    let ring = Arc::new(Mutex::new(Ring::new(bytes)));
    let (sender, changes) = watch::channel(0);
    (Recorder { ring: Arc::clone(&ring), changes: sender }, Trace { ring, changes })
}

impl Trace {
    /// The entries with a number above `since`, oldest first; 0 gives all that are kept. Numbers have
    /// no gaps, so a first number above `since + 1` tells how many were already dropped.
    pub fn entries(&self, since: u64) -> Vec<TraceEntry> {
        lock(&self.ring).since(since)
    }

    /// Waits until something was added that this look was not told of; false once the user agent has
    /// ended. Cancel-safe.
    pub async fn changed(&mut self) -> bool {
        self.changes.changed().await.is_ok()
    }
}

impl Recorder {
    /// Adds an entry; the oldest make room for it.
    pub(crate) fn note(&self, entry: StoredEntry) {
        lock(&self.ring).push(entry);
    }

    /// Wakes those who wait for changes, if there are any.
    pub(crate) fn publish(&self) {
        let newest = lock(&self.ring).newest();
        self.changes.send_if_modified(|told| std::mem::replace(told, newest) != newest);
    }

    /// False if the ring keeps nothing, so that nothing need be noted.
    pub(crate) fn is_on(&self) -> bool {
        lock(&self.ring).is_on()
    }
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}
