//! How many unanswered calls a user may make, and how many may ring for one.

use std::collections::BTreeMap;

use super::destination::Refusal;
use crate::node::config::CallsConfig;

/// Who has unanswered calls under way.
#[derive(Default)]
pub(super) struct Admission {
    from: BTreeMap<String, usize>,
    to: BTreeMap<String, usize>,
    counted: BTreeMap<u64, Counted>,
}

/// Whom one call is counted for.
pub(super) struct Counted {
    pub(super) from: String,
    pub(super) to: String,
}

impl Admission {
    /// Counts a call until it is answered or over.
    ///
    /// # Errors
    /// 503 for a caller with too many, 486 for a callee for whom too many ring.
    pub(super) fn admit(&mut self, call: u64, counted: Counted, config: &CallsConfig) -> Result<(), Refusal> {
        let of = |tally: &BTreeMap<String, usize>, user: &str| tally.get(user).copied().unwrap_or_default();
        if of(&self.from, &counted.from) >= config.from_user {
            return Err(Refusal::new(503, "its caller has too many unanswered calls"));
        }
        if of(&self.to, &counted.to) >= config.to_user {
            return Err(Refusal::new(486, "too many calls ring for this user"));
        }
        *self.from.entry(counted.from.clone()).or_default() += 1;
        *self.to.entry(counted.to.clone()).or_default() += 1;
        self.counted.insert(call, counted);
        Ok(())
    }

    /// A call was answered, or is over.
    pub(super) fn release(&mut self, call: u64) {
        let Some(counted) = self.counted.remove(&call) else { return };
        for (tally, user) in [(&mut self.from, counted.from), (&mut self.to, counted.to)] {
            if let Some(count) = tally.get_mut(&user) {
                *count -= 1;
                if *count == 0 {
                    tally.remove(&user);
                }
            }
        }
    }

    /// How many calls are unanswered.
    pub(super) fn unanswered(&self) -> usize {
        self.counted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_bounded_both_ways_and_nothing_is_left_of_what_is_over() {
        let config = CallsConfig { from_user: 2, to_user: 3, ..CallsConfig::default() };
        let call = |from: &str, to: &str| Counted { from: from.to_owned(), to: to.to_owned() };
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
        assert!(admission.from.is_empty() && admission.to.is_empty() && admission.unanswered() == 0);
    }
}
