//! The bounded copy of assignments from which nodes are answered in the same turn.

use std::collections::{BTreeMap, VecDeque};

use super::{Key, Lookup};

/// What was looked up lately. Misses are kept too, so that strangers do not reach the file each time.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    found: BTreeMap<Key, Lookup>,
    order: VecDeque<Key>,
}

impl Snapshot {
    /// The answer, if it is held.
    pub(super) fn find(&self, key: &Key) -> Option<&Lookup> {
        self.found.get(key)
    }

    /// Holds an answer; the oldest goes when there are too many.
    pub(super) fn hold(&mut self, key: Key, lookup: Lookup) {
        if self.found.insert(key.clone(), lookup).is_none() {
            self.order.push_back(key);
            if self.order.len() > MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.found.remove(&oldest);
            }
        }
    }

    /// Forgets one user: the record changed.
    pub(super) fn forget(&mut self, key: &Key) {
        if self.found.remove(key).is_some() {
            self.order.retain(|held| held != key);
        }
    }

    /// Forgets all users.
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.order.clear();
    }
}

/// Answers held; about 100 bytes each.
const MOST: usize = 65_536;
