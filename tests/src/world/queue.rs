//! What will happen: a queue ordered by virtual time, and by the order of scheduling within one instant.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::ids::{AskId, FlowId};
use homing_core::outbox::Answer;
use homing_server_mock::node::io::LookupId;

use super::World;
use super::link::HostId;

/// Something that will happen.
pub(super) enum Happening {
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
    Deed(Box<dyn FnOnce(&mut World)>),
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Slot>>,
    order: u64,
}

struct Slot {
    at: Duration,
    order: u64,
    what: Happening,
}

impl Queue {
    /// Adds something.
    pub(super) fn add(&mut self, at: Duration, what: Happening) {
        self.order += 1;
        self.heap.push(Reverse(Slot { at, order: self.order, what }));
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|slot| slot.0.at)
    }

    /// Takes the next thing.
    pub(super) fn take(&mut self) -> Option<Happening> {
        self.heap.pop().map(|slot| slot.0.what)
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Slot {}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
