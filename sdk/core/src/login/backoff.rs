//! How long to wait before the next login: RFC 5626 section 4.5, never below what the failure asks.

use std::time::Duration;

use super::draws::Draws;
use crate::flow::backoff::{self, Others};

/// Failures in a row, and the wait that follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BackOff {
    pauses: backoff::BackOff,
}

impl BackOff {
    /// A login succeeded: the next failure is the first again.
    pub(super) fn reset(&mut self) {
        self.pauses.reset();
    }

    /// Counts a failure and draws the wait: 50 to 100 % of `min(1800 s, 30 s · 2ⁿ)`, at least `floor`.
    pub(super) fn after_failure(&mut self, floor: Duration, draws: &mut dyn Draws) -> Duration {
        self.pauses.after_failure(Others::AllFailed, |bound| draws.below(bound)).max(floor)
    }
}

/// The wait before the first attempt after a registration was lost: short, but spread, so that the
/// users of a dead server do not come back in one instant.
pub(super) fn after_loss(draws: &mut dyn Draws) -> Duration {
    Duration::from_millis(draws.below(LOSS_SPREAD_MS))
}

const LOSS_SPREAD_MS: u64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Chance, Seed};

    #[test]
    fn waits_grow_as_rfc_5626_says_and_end_at_half_an_hour() {
        for seed in 0..200 {
            let mut chance = Chance::new(&Seed::from_number(seed));
            let mut backoff = BackOff::default();
            for n in 1..20u32 {
                let longest = (30u64 << n.min(10)).min(1_800);
                let wait = backoff.after_failure(Duration::ZERO, &mut chance);
                assert!(wait >= Duration::from_secs(longest / 2), "seed {seed}, failure {n}: {wait:?}");
                assert!(wait <= Duration::from_secs(longest), "seed {seed}, failure {n}: {wait:?}");
            }
            backoff.reset();
            assert!(backoff.after_failure(Duration::ZERO, &mut chance) <= Duration::from_secs(60));
        }
    }

    #[test]
    fn the_first_wait_is_never_below_thirty_seconds() {
        for seed in 0..500 {
            let mut chance = Chance::new(&Seed::from_number(seed));
            let wait = BackOff::default().after_failure(Duration::ZERO, &mut chance);
            assert!(wait >= Duration::from_secs(30), "seed {seed}: {wait:?}");
        }
    }

    #[test]
    fn a_floor_holds() {
        let mut chance = Chance::new(&Seed::from_number(1));
        let floor = Duration::from_secs(300);
        assert_eq!(BackOff::default().after_failure(floor, &mut chance), floor);
    }
}
