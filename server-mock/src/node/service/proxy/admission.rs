//! How much one user may have under way: requests that are passed on, calls that are not answered, and rings.

use std::collections::BTreeMap;

use homing_core::ids::FlowId;

use super::destination::Refusal;
use crate::node::config::CallsConfig;

/// What is under way, and for whom. Whoever is over a bound is refused, so that one user takes nobody else's room.
#[derive(Default)]
pub(super) struct Admission {
    requests: Counts<CountedFor>,
    from: Counts<String>,
    to: Counts<String>,
}

/// Whom a request in hand is counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CountedFor {
    /// Who proved, or was asserted, to have sent it.
    User(String),
    /// Whoever is at the end of that flow.
    Flow(FlowId),
}

/// Whom one call is counted for.
pub(super) struct CallParties {
    pub(super) from: String,
    pub(super) to: String,
}

impl Admission {
    /// Counts a request until it is over; `None` is a neighbour's own, which has bounds of its own.
    ///
    /// # Errors
    /// 503 for a sender with too many.
    pub(super) fn enter(
        &mut self,
        request: u64,
        sender: Option<CountedFor>,
        config: &CallsConfig,
    ) -> Result<(), Refusal> {
        let Some(sender) = sender else { return Ok(()) };
        if self.requests.count(&sender) >= config.requests_of_user {
            return Err(Refusal::new(503, "its sender has too many requests under way"));
        }
        self.requests.add(request, sender);
        Ok(())
    }

    /// Counts a call until it is answered or over.
    ///
    /// # Errors
    /// 503 for a caller with too many, 486 for a callee for whom too many ring.
    pub(super) fn admit(
        &mut self,
        call: u64,
        counted: CallParties,
        config: &CallsConfig,
    ) -> Result<(), Refusal> {
        if self.from.count(&counted.from) >= config.from_user {
            return Err(Refusal::new(503, "its caller has too many unanswered calls"));
        }
        if self.to.count(&counted.to) >= config.to_user {
            return Err(Refusal::new(486, "too many calls ring for this user"));
        }
        self.from.add(call, counted.from);
        self.to.add(call, counted.to);
        Ok(())
    }

    /// A call was answered, or a request is over.
    pub(super) fn release(&mut self, id: u64) {
        self.requests.release(id);
        self.from.release(id);
        self.to.release(id);
    }

    /// How many calls are unanswered.
    pub(super) fn unanswered(&self) -> usize {
        self.from.counted.len()
    }
}

/// How many of something there are of each.
struct Counts<K> {
    counts: BTreeMap<K, usize>,
    counted: BTreeMap<u64, K>,
}

impl<K: Ord + Clone> Counts<K> {
    fn count(&self, of: &K) -> usize {
        self.counts.get(of).copied().unwrap_or_default()
    }

    fn add(&mut self, id: u64, of: K) {
        *self.counts.entry(of.clone()).or_default() += 1;
        self.counted.insert(id, of);
    }

    fn release(&mut self, id: u64) {
        let Some(of) = self.counted.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&of) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&of);
            }
        }
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), counted: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_bounded_both_ways_and_nothing_is_left_of_what_is_over() {
        let config = CallsConfig { from_user: 2, to_user: 3, ..CallsConfig::default() };
        let call = |from: &str, to: &str| CallParties { from: from.to_owned(), to: to.to_owned() };
        let mut admission = Admission::default();
        assert_eq!(admission.admit(1, call("a", "x"), &config), Ok(()));
        assert_eq!(admission.admit(2, call("a", "y"), &config), Ok(()));
        assert_eq!(admission.admit(3, call("a", "z"), &config).unwrap_err().status, 503);
        for (number, from) in [(4, "b"), (5, "c")] {
            assert_eq!(admission.admit(number, call(from, "x"), &config), Ok(()));
        }
        assert_eq!(admission.admit(6, call("d", "x"), &config).unwrap_err().status, 486);
        admission.release(1);
        assert_eq!(admission.admit(7, call("a", "x"), &config), Ok(()));
        (0..10).for_each(|number| admission.release(number));
        assert!(admission.from.counts.is_empty() && admission.to.counts.is_empty());
        assert_eq!(admission.unanswered(), 0);
    }

    #[test]
    fn a_sender_is_bounded_in_requests_of_any_kind_and_takes_no_room_of_others() {
        let config = CallsConfig { requests_of_user: 2, ..CallsConfig::default() };
        let mut admission = Admission::default();
        let alice = || Some(CountedFor::User("alice@network.com".to_owned()));
        assert_eq!(admission.enter(1, alice(), &config), Ok(()));
        assert_eq!(admission.enter(2, alice(), &config), Ok(()));
        assert_eq!(admission.enter(3, alice(), &config).unwrap_err().status, 503);
        assert_eq!(admission.enter(4, Some(CountedFor::Flow(FlowId(7))), &config), Ok(()));
        assert_eq!(admission.enter(5, None, &config), Ok(()));
        admission.release(2);
        assert_eq!(admission.enter(6, alice(), &config), Ok(()));
        (0..10).for_each(|number| admission.release(number));
        assert!(admission.requests.counts.is_empty() && admission.requests.counted.is_empty());
    }
}
