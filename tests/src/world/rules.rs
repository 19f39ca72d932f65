//! What the rules of a world remember from step to step.

use std::collections::BTreeMap;
use std::time::Duration;

/// What the rules remember.
#[derive(Default)]
pub struct Rules {
    changed: BTreeMap<String, Duration>,
    last_step: Duration,
    steps_at_once: u32,
}

impl Rules {
    /// Notes when an assignment was committed: one lease later it is law.
    pub fn assignment_changed(&mut self, user: &str, at: Duration) {
        self.changed.insert(user.to_owned(), at);
    }

    pub(super) fn count_step(&mut self, at: Duration) {
        self.steps_at_once = if at == self.last_step { self.steps_at_once + 1 } else { 0 };
        self.last_step = at;
    }

    pub(super) fn spins(&self) -> bool {
        self.steps_at_once > 1_000
    }

    /// True once the last assignment of `user` is one lease old.
    pub(super) fn settled(&self, user: &str, now: Duration) -> bool {
        self.changed.get(user).is_none_or(|at| now > *at + LEASE)
    }
}

/// A directory answer may be used for so long.
const LEASE: Duration = Duration::from_secs(2);
