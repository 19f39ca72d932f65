//! Finished transactions that wait for late copies: one queue per length, bounded in bytes; answered INVITEs
//! apart, bounded in number.

use std::collections::VecDeque;

use super::timers::{Length, TimerTable};
use crate::ids::TxId;
use crate::time::{Moment, Now};

/// The queues of timers D, I, J, K, L and M.
///
/// All entries of a queue wait equally long, so the first to come is the first to go, and nothing is
/// ever sorted or taken out of the middle.
#[derive(Debug)]
pub(super) struct Lingering {
    timers: TimerTable,
    queues: [VecDeque<Late>; Length::ALL.len()],
    bytes: usize,
    /// INVITEs of others that were answered. None is dropped early: its late copy would ring again.
    invites: [VecDeque<Late>; Length::ALL.len()],
}

#[derive(Clone, Copy, Debug)]
struct Late {
    id: TxId,
    since: Moment,
    until: Moment,
    /// Bytes it keeps, the bookkeeping included.
    bytes: u32,
}

impl Lingering {
    pub(super) fn new(timers: TimerTable) -> Self {
        Self {
            timers,
            queues: [const { VecDeque::new() }; Length::ALL.len()],
            bytes: 0,
            invites: [const { VecDeque::new() }; Length::ALL.len()],
        }
    }

    /// Keeps `id`, which holds `held` message bytes, from now on for `length`.
    pub(super) fn keep(&mut self, id: TxId, held: usize, length: Length, now: Now) {
        let bytes = u32::try_from(held.saturating_add(BOOKKEEPING)).unwrap_or(u32::MAX);
        let late = Late { id, since: now.since_start, until: now.after(self.timers.length(length)), bytes };
        self.queues[length as usize].push_back(late);
        self.bytes += bytes as usize;
    }

    /// Keeps the answered INVITE `id` from now on for `length`.
    pub(super) fn keep_invite(&mut self, id: TxId, length: Length, now: Now) {
        let late =
            Late { id, since: now.since_start, until: now.after(self.timers.length(length)), bytes: 0 };
        self.invites[length as usize].push_back(late);
    }

    /// The next one whose time is over.
    pub(super) fn expire(&mut self, now: Now) -> Option<TxId> {
        let queues = self.queues.iter_mut().chain(&mut self.invites);
        let over = |queue: &&mut VecDeque<Late>| queue.front().is_some_and(|late| now.reached(late.until));
        let queue = queues.into_iter().find(over)?;
        Self::take(queue, &mut self.bytes)
    }

    /// The oldest one, if more bytes are kept than `cap`.
    pub(super) fn overflow(&mut self, cap: usize) -> Option<TxId> {
        if self.bytes <= cap {
            return None;
        }
        let oldest = self.queues.iter_mut().filter(|queue| !queue.is_empty());
        let queue = oldest.min_by_key(|queue| queue.front().map(|late| late.since))?;
        Self::take(queue, &mut self.bytes)
    }

    /// When the first one goes.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let queues = self.queues.iter().chain(&self.invites);
        queues.filter_map(|queue| queue.front().map(|late| late.until)).min()
    }

    /// Answered INVITEs kept.
    pub(super) fn invites(&self) -> usize {
        self.invites.iter().map(VecDeque::len).sum()
    }

    /// Bytes kept, the bookkeeping included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn take(queue: &mut VecDeque<Late>, bytes: &mut usize) -> Option<TxId> {
        let late = queue.pop_front()?;
        *bytes = bytes.saturating_sub(late.bytes as usize);
        if queue.capacity() > SPARE && queue.len() < queue.capacity() / 4 {
            queue.shrink_to(queue.len() * 2);
        }
        Some(late.id)
    }
}

/// What one lingering transaction costs besides its bytes: its entry, its key and its place in the queue.
const BOOKKEEPING: usize = 256;

/// A queue keeps this capacity; beyond it memory is given back after a flood.
const SPARE: usize = 1024;
