//! Every message and every decision of an estate, with its reason; rendered only when read.

mod entry;
mod ladder;
mod sanitize;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

pub use entry::{Decision, Entry, Verdict, What};
pub(crate) use sanitize::{sanitize, sanitize_json};

/// The journal of one estate. Clones read the same one.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
}

struct Kept {
    entries: VecDeque<Entry>,
    next: u64,
    bytes: usize,
    most_bytes: usize,
}

/// Waits for entries; each is delivered once, in order, as long as the journal still holds it.
pub struct Subscription {
    journal: Journal,
    newest: watch::Receiver<u64>,
    seen: u64,
}

impl Journal {
    /// An empty journal that holds up to 64 MiB.
    pub fn new() -> Self {
        Self::holding(MOST_BYTES)
    }

    /// An empty journal that holds so many octets of entries, and 64 KiB at least: who follows it reads from there.
    pub fn holding(octets: usize) -> Self {
        let most_bytes = octets.max(LEAST_BYTES);
        let kept = Mutex::new(Kept { entries: VecDeque::new(), next: 0, bytes: 0, most_bytes });
        Self(Arc::new(Shared { kept, newest: watch::channel(0).0 }))
    }

    /// Adds an entry and numbers it, from 1. The oldest go when there are too many.
    pub fn record(&self, mut entry: Entry) {
        let newest = {
            let mut kept = self.kept();
            kept.next += 1;
            entry.seq = kept.next;
            kept.bytes += entry.size();
            kept.entries.push_back(entry);
            while kept.entries.len() > MOST_ENTRIES || kept.bytes > kept.most_bytes {
                let Some(oldest) = kept.entries.pop_front() else { break };
                kept.bytes -= oldest.size();
            }
            kept.next
        };
        // Waking without a subscriber costs time, too.
        if self.0.newest.receiver_count() > 0 {
            self.0.newest.send_replace(newest);
        }
    }

    /// What is held, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.since(0)
    }

    /// What is held and newer than the entry numbered `seq`.
    pub fn since(&self, seq: u64) -> Vec<Entry> {
        self.kept().since(seq)
    }

    /// What is held and newer than the entry numbered `seq`, and how many that were newer have gone already.
    pub(crate) fn read(&self, seq: u64) -> (Vec<Entry>, u64) {
        let kept = self.kept();
        let oldest = kept.entries.front().map_or(kept.next + 1, |entry| entry.seq);
        (kept.since(seq), oldest.saturating_sub(seq + 1))
    }

    /// Octets of the entries that are held.
    pub fn bytes(&self) -> usize {
        self.kept().bytes
    }

    /// The number of the newest entry; 0 without any.
    pub fn newest(&self) -> u64 {
        self.kept().next
    }

    /// Delivers every entry recorded from now on.
    pub fn subscribe(&self) -> Subscription {
        // In this order: what is recorded in between is delivered, or it is older than the subscription.
        let newest = self.0.newest.subscribe();
        let seen = self.kept().next;
        Subscription { journal: self.clone(), newest, seen }
    }

    /// Delivers every entry after the one numbered `seq`.
    pub fn subscribe_from(&self, seq: u64) -> Subscription {
        Subscription { journal: self.clone(), newest: self.0.newest.subscribe(), seen: seq }
    }

    /// The conversation as text: one line for each message and decision.
    pub fn ladder(&self) -> String {
        ladder::ladder(&self.entries())
    }

    /// One JSON object for each entry, one per line.
    pub fn json(&self) -> String {
        self.entries().iter().map(|entry| sanitize_json(&(entry.json().to_string() + "\n"))).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Kept {
    fn since(&self, seq: u64) -> Vec<Entry> {
        let first = self.entries.partition_point(|entry| entry.seq <= seq);
        self.entries.range(first..).cloned().collect()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Journal(up to {})", self.newest())
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}

impl Subscription {
    /// The entries since the last call; waits for the first. None when the estate is gone.
    pub async fn next(&mut self) -> Option<Vec<Entry>> {
        loop {
            let fresh = self.journal.since(self.seen);
            if let Some(last) = fresh.last() {
                self.seen = last.seq;
                return Some(fresh);
            }
            self.newest.changed().await.ok()?;
        }
    }
}

const MOST_ENTRIES: usize = 100_000;
const MOST_BYTES: usize = 64 << 20;
const LEAST_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests;
