//! The store behind the trace: newest in, oldest out, never more bytes than allowed.

use std::collections::VecDeque;

use super::entry::{Content, StoredEntry, TraceEntry};

/// Entries in the order they came, bounded by the bytes they hold.
#[derive(Debug)]
pub(crate) struct Ring {
    entries: VecDeque<StoredEntry>,
    newest: u64,
    held: usize,
    bound: usize,
}

impl Ring {
    pub(crate) fn new(bound: usize) -> Self {
        Self { entries: VecDeque::new(), newest: 0, held: 0, bound }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.bound > 0
    }

    /// The number of the newest entry; 0 if there was none yet.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    pub(crate) fn push(&mut self, entry: StoredEntry) {
        self.newest += 1;
        self.held += cost(&entry);
        self.entries.push_back(entry);
        while self.held > self.bound {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.held -= cost(&oldest);
        }
    }

    pub(crate) fn since(&self, since: u64) -> Vec<TraceEntry> {
        let oldest = self.newest - self.entries.len() as u64 + 1;
        let skipped = usize::try_from((since + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        let first = oldest + skipped as u64;
        let kept = self.entries.iter().skip(skipped);
        kept.zip(first..).map(|(entry, seq)| TraceEntry::new(seq, entry)).collect()
    }
}

/// Content a entry weighs: its bytes, and a fixed share for all else.
fn cost(entry: &StoredEntry) -> usize {
    let bytes = match &entry.content {
        Content::Bytes(bytes) => bytes.len(),
        Content::Kind(_) => 0,
    };
    bytes + size_of::<StoredEntry>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use homing_core::ids::FlowId;
    use homing_core::time::Now;
    use homing_core::transport::Transport;

    use super::super::entry::{Direction, FlowFacts};
    use super::*;

    fn entry(size: usize) -> StoredEntry {
        let peer = ([127, 0, 0, 1], 5060).into();
        StoredEntry {
            now: Now::new(Duration::ZERO, Duration::ZERO),
            facts: Arc::new(FlowFacts { flow: FlowId(1), server: None, peer, transport: Transport::Tcp }),
            direction: Direction::In,
            content: Content::Bytes(Bytes::from(vec![b'x'; size])),
        }
    }

    #[test]
    fn the_ring_is_bounded_in_bytes_and_numbers_have_no_gaps() {
        let mut ring = Ring::new(10_000);
        for _ in 0..1_000 {
            ring.push(entry(900));
        }
        assert!(ring.held <= 10_000 && ring.entries.len() >= 9);
        let all = ring.since(0);
        assert_eq!(all.last().unwrap().seq, 1_000);
        assert!(all.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
        assert_eq!(ring.since(998).iter().map(|entry| entry.seq).collect::<Vec<_>>(), [999, 1_000]);
        assert!(ring.since(1_000).is_empty() && ring.since(u64::MAX - 1).is_empty());
    }

    #[test]
    fn what_is_larger_than_the_ring_is_not_kept() {
        let mut ring = Ring::new(1_000);
        ring.push(entry(5_000));
        assert!(ring.since(0).is_empty());
        assert_eq!(ring.held, 0);
    }
}
