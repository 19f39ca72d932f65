//! Deadlines of many machines in one order: who is due first, and who has come due.

use std::collections::BTreeSet;

use crate::time::{Moment, Now};

/// Who is due when. `K` names the machine; equal moments go by its order, lowest first.
///
/// Each machine keeps the moment it stands at, so that it is found again without a search: that slot is handed
/// to [`set`](Self::set) with every change.
#[derive(Debug)]
pub struct TimerQueue<K>(BTreeSet<(Moment, K)>);

impl<K: Copy + Ord> TimerQueue<K> {
    /// Moves `key` from the moment in `slot` to `at`; without `at` it is no longer due.
    pub fn set(&mut self, key: K, slot: &mut Option<Moment>, at: Option<Moment>) {
        let before = std::mem::replace(slot, at);
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.0.remove(&(before, key));
        }
        if let Some(at) = at {
            self.0.insert((at, key));
        }
    }

    /// Who is due first, and when.
    pub fn first(&self) -> Option<(Moment, K)> {
        self.0.first().copied()
    }

    /// Who has come due, by moment, then by key.
    pub fn reached(&self, now: Now) -> Vec<K> {
        self.0.iter().take_while(|(at, _)| now.reached(*at)).map(|(_, key)| *key).collect()
    }
}

impl<K> Default for TimerQueue<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment(Duration::from_secs(seconds))
    }

    #[test]
    fn equal_moments_go_by_key_and_a_moved_key_stands_once() {
        let mut queue = TimerQueue::default();
        let mut slots = [None; 4];
        for (key, seconds) in [(3, 5), (1, 5), (2, 4), (0, 9)] {
            queue.set(key, &mut slots[key], Some(at(seconds)));
        }
        let now = Now::new(Duration::from_secs(5), Duration::ZERO);
        assert_eq!(queue.reached(now), [2, 1, 3]);
        queue.set(2, &mut slots[2], Some(at(6)));
        queue.set(1, &mut slots[1], None);
        assert_eq!((queue.reached(now), queue.first()), (vec![3], Some((at(5), 3))));
        queue.set(3, &mut slots[3], None);
        assert_eq!(queue.first(), Some((at(6), 2)));
    }
}
