//! What will happen: a queue ordered by virtual time, and by the order of scheduling within one instant.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::ids::{AskId, FlowId};
use homing_core::outbox::Answer;
use homing_server_mock::node::io::LookupId;

use super::link::HostId;

/// Something that will happen in a world `W`.
pub(super) enum Happening<W> {
    /// A handshake is over.
    Opened {
        /// Which link.
        link: usize,
    },
    /// A connection attempt fails.
    Refused {
        /// Whose.
        host: HostId,
        /// What the opener calls it.
        flow: FlowId,
        /// Why.
        why: ConnectError,
    },
    /// Octets arrive.
    Arrived {
        /// Over which link.
        link: usize,
        /// At which end.
        end: usize,
        /// What.
        bytes: Bytes,
    },
    /// The other end has closed.
    HungUp {
        /// Which link.
        link: usize,
        /// At which end it is noticed.
        end: usize,
    },
    /// A question of a phone is answered.
    Answered {
        /// Which phone.
        phone: usize,
        /// The phone's life in which it asked; an answer to an earlier life is lost.
        life: u32,
        /// Its name for the question.
        ask: AskId,
        /// The answer.
        answer: Answer,
    },
    /// A look-up of a server reaches the directory.
    LookedUp {
        /// Which server.
        server: usize,
        /// The server's life in which it asked.
        life: u32,
        /// Its name for the look-up.
        id: LookupId,
        /// User and service.
        key: homing_server_mock::directory::Key,
    },
    /// The script does something.
    Deed(Box<dyn FnOnce(&mut W)>),
}

/// The queue.
pub(super) struct Queue<W> {
    heap: BinaryHeap<Reverse<Slot<W>>>,
    order: u64,
}

struct Slot<W> {
    at: Duration,
    order: u64,
    what: Happening<W>,
}

impl<W> Queue<W> {
    /// Adds something.
    pub(super) fn add(&mut self, at: Duration, what: Happening<W>) {
        self.order += 1;
        self.heap.push(Reverse(Slot { at, order: self.order, what }));
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|slot| slot.0.at)
    }

    /// Takes the next thing.
    pub(super) fn take(&mut self) -> Option<Happening<W>> {
        self.heap.pop().map(|slot| slot.0.what)
    }
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), order: 0 }
    }
}

impl<W> PartialEq for Slot<W> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<W> Eq for Slot<W> {}

impl<W> PartialOrd for Slot<W> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<W> Ord for Slot<W> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
