//! How long to wait before the next login: RFC 5626 section 4.5, never below what the failure asks.

use std::time::Duration;

use super::context::Context;
use super::random::WaitPurpose;

/// Failures in a row, and the wait that follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BackOff {
    failures: u32,
    /// A server's short Retry-After was honoured since the last success.
    has_obeyed: bool,
}

impl BackOff {
    /// A login succeeded: the next failure is the first again.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Counts a failure and draws the wait: 50 to 100 % of `min(1800 s, 30 s · 2ⁿ)`, at least `floor`. The first
    /// floor of 1 to 29 s in a row of failures is the wait, and up to a fifth or a second longer (decision 38).
    /// `below` draws a number below its argument.
    pub(crate) fn after_failure(&mut self, floor: Duration, below: impl FnOnce(u64) -> u64) -> Duration {
        if (SHORTEST_FLOOR..BASE).contains(&floor) && !std::mem::replace(&mut self.has_obeyed, true) {
            let spread = u64::try_from((floor / 5).max(SHORTEST_FLOOR).as_millis()).unwrap_or(u64::MAX - 1);
            return floor + Duration::from_millis(below(spread + 1));
        }
        self.failures = self.failures.saturating_add(1);
        let longest = BASE.saturating_mul(1 << self.failures.min(MOST_DOUBLINGS)).min(LONGEST);
        let half = longest / 2;
        let span = u64::try_from(half.as_millis()).unwrap_or(u64::MAX - 1);
        (half + Duration::from_millis(below(span + 1))).max(floor)
    }
}

/// The wait before the first attempt after a registration was lost: short, but spread, so that the
/// users of a dead server do not come back in one instant.
pub(crate) fn after_loss(cx: &mut Context<'_>) -> Duration {
    Duration::from_millis(cx.spread(WaitPurpose::Loss, LOSS_SPREAD_MS))
}

/// The base time where no other flow of the account stands.
const BASE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(1_800);
const SHORTEST_FLOOR: Duration = Duration::from_secs(1);
/// Enough to reach the longest wait.
const MOST_DOUBLINGS: u32 = 6;
const LOSS_SPREAD_MS: u64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Rng, Seed};

    #[test]
    fn waits_grow_as_rfc_5626_says_and_end_at_half_an_hour() {
        for seed in 0..200 {
            let mut rng = Rng::new(&Seed::from_number(seed));
            let mut backoff = BackOff::default();
            for n in 1..20u32 {
                let longest = (30u64 << n.min(10)).min(1_800);
                let wait = backoff.after_failure(Duration::ZERO, |bound| rng.below(bound));
                assert!(wait >= Duration::from_secs(longest / 2), "seed {seed}, failure {n}: {wait:?}");
                assert!(wait <= Duration::from_secs(longest), "seed {seed}, failure {n}: {wait:?}");
            }
            backoff.failures = u32::MAX;
            assert!(
                backoff.after_failure(Duration::ZERO, |bound| rng.below(bound)) <= LONGEST,
                "seed {seed}"
            );
            backoff.reset();
            assert!(
                backoff.after_failure(Duration::ZERO, |bound| rng.below(bound)) <= Duration::from_secs(60)
            );
        }
    }

    #[test]
    fn the_first_wait_is_never_below_thirty_seconds() {
        for seed in 0..500 {
            let mut rng = Rng::new(&Seed::from_number(seed));
            let wait = BackOff::default().after_failure(Duration::ZERO, |bound| rng.below(bound));
            assert!(wait >= Duration::from_secs(30), "seed {seed}: {wait:?}");
        }
    }

    #[test]
    fn a_floor_holds() {
        let mut rng = Rng::new(&Seed::from_number(1));
        let floor = Duration::from_secs(300);
        assert_eq!(BackOff::default().after_failure(floor, |bound| rng.below(bound)), floor);
    }

    #[test]
    fn a_short_floor_is_the_wait_once_until_the_next_success() {
        let mut rng = Rng::new(&Seed::from_number(38));
        let mut backoff = BackOff::default();
        let mut draw = |backoff: &mut BackOff, floor| {
            backoff.after_failure(Duration::from_secs(floor), |bound| rng.below(bound)).as_millis()
        };
        assert!((10_000..=12_000).contains(&draw(&mut backoff, 10)));
        assert!((30_000..=60_000).contains(&draw(&mut backoff, 10)), "the second time it is a floor only");
        backoff.reset();
        assert!((1_000..=2_000).contains(&draw(&mut backoff, 1)));
        backoff.reset();
        assert!(draw(&mut backoff, 0) >= 30_000, "no wait at all is no floor");
        assert!(draw(&mut backoff, 30) >= 30_000);
    }

    #[test]
    fn the_draw_uses_its_whole_range() {
        let mut rng = Rng::new(&Seed::from_number(5626));
        let mut draw =
            || BackOff::default().after_failure(Duration::ZERO, |bound| rng.below(bound)).as_secs();
        let random: Vec<u64> = (0..2_000).map(|_| draw()).collect();
        assert!(random.contains(&30) && random.contains(&59), "both ends of 30 to 60 s");
    }
}
