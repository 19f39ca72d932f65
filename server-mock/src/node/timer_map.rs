//! Appointments of a machine: the earliest first, each cancelled by making another for the same key.

use std::collections::{BTreeMap, BTreeSet};

use homing_core::time::{Moment, Now};

/// At most one appointment for each key.
#[derive(Debug)]
pub(super) struct TimerMap<K> {
    order: BTreeSet<(Moment, K)>,
    at: BTreeMap<K, Moment>,
}

impl<K: Ord + Clone> TimerMap<K> {
    /// Without appointments.
    pub(super) fn new() -> Self {
        Self { order: BTreeSet::new(), at: BTreeMap::new() }
    }

    /// Makes or moves the appointment of `key`.
    pub(super) fn set(&mut self, key: K, at: Moment) {
        self.cancel(&key);
        self.order.insert((at, key.clone()));
        self.at.insert(key, at);
    }

    /// Cancels the appointment of `key`, if there is one.
    pub(super) fn cancel(&mut self, key: &K) {
        if let Some(at) = self.at.remove(key) {
            self.order.remove(&(at, key.clone()));
        }
    }

    /// The appointment of `key`.
    pub(super) fn at(&self, key: &K) -> Option<Moment> {
        self.at.get(key).copied()
    }

    /// The earliest moment.
    pub(super) fn next(&self) -> Option<Moment> {
        self.first().map(|(at, _)| at)
    }

    /// The earliest appointment.
    pub(super) fn first(&self) -> Option<(Moment, &K)> {
        self.order.first().map(|(at, key)| (*at, key))
    }

    /// How many appointments there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Takes out one appointment that is due.
    pub(super) fn due(&mut self, now: Now) -> Option<K> {
        let (at, _) = self.order.first()?;
        if !now.reached(*at) {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.at.remove(&key);
        Some(key)
    }
}

impl<K: Ord + Clone> Default for TimerMap<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_appointment_is_kept_once_at_its_last_time() {
        let at = |seconds| Moment(Duration::from_secs(seconds));
        let now = |seconds| Now::new(Duration::from_secs(seconds), Duration::ZERO);
        let mut timer_map = TimerMap::new();
        timer_map.set("a", at(5));
        timer_map.set("b", at(3));
        timer_map.set("a", at(1));
        timer_map.set("c", at(2));
        timer_map.cancel(&"c");
        assert_eq!(timer_map.next(), Some(at(1)));
        assert_eq!(timer_map.due(now(0)), None);
        assert_eq!(
            (timer_map.due(now(9)), timer_map.due(now(9)), timer_map.due(now(9))),
            (Some("a"), Some("b"), None)
        );
    }
}
