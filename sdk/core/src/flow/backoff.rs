//! How long to wait before a lost flow is opened again (RFC 5626 section 4.5).

use std::time::Duration;

use crate::ids::Chance;

/// Failures in a row, and the pause that follows from them.
///
/// ```
/// use homing_core::flow::backoff::{BackOff, Others};
/// use homing_core::ids::{Chance, Seed};
/// let mut chance = Chance::new(&Seed::from_number(1));
/// let mut backoff = BackOff::default();
/// let pause = backoff.after_failure(Others::AllFailed, |bound| chance.below(bound));
/// assert!((30..=60).contains(&pause.as_secs()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackOff {
    failures: u32,
}

/// How the other flows of the account stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// None is usable: base time 30 s.
    AllFailed,
    /// At least one is usable: base time 90 s.
    OneStands,
}

impl BackOff {
    /// A flow stood: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since then.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure and draws the pause: 50 to 100 % of `min(1800 s, base · 2ⁿ)`. `below` draws a
    /// number of milliseconds below its bound.
    pub fn after_failure(&mut self, others: Others, below: impl FnOnce(u64) -> u64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let base = match others {
            Others::AllFailed => BASE_ALL_FAILED,
            Others::OneStands => BASE_ONE_STANDS,
        };
        let longest = base.saturating_mul(1 << self.failures.min(MOST_DOUBLINGS)).min(LONGEST);
        let half = longest / 2;
        half + Duration::from_millis(below(span_millis(half) + 1))
    }
}

/// A duration drawn evenly from `least..=most`, in milliseconds.
pub(super) fn between(least: Duration, most: Duration, chance: &mut Chance) -> Duration {
    least + Duration::from_millis(chance.below(span_millis(most.saturating_sub(least)) + 1))
}

fn span_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX - 1)
}

const BASE_ALL_FAILED: Duration = Duration::from_secs(30);
const BASE_ONE_STANDS: Duration = Duration::from_secs(90);
const LONGEST: Duration = Duration::from_secs(1_800);

/// Enough to reach the longest pause from either base.
const MOST_DOUBLINGS: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Seed;

    /// The table of RFC 5626 section 4.5, in seconds.
    #[test]
    fn pauses_follow_the_table() {
        let rows = [
            (Others::AllFailed, [(30, 60), (60, 120), (120, 240), (240, 480), (480, 960), (900, 1_800)]),
            (
                Others::OneStands,
                [(90, 180), (180, 360), (360, 720), (720, 1_440), (900, 1_800), (900, 1_800)],
            ),
        ];
        for seed in 0..300 {
            let mut chance = Chance::new(&Seed::from_number(seed));
            for (others, row) in rows {
                let mut backoff = BackOff::default();
                for (n, (least, most)) in row.into_iter().enumerate() {
                    let pause = backoff.after_failure(others, |bound| chance.below(bound));
                    let range = Duration::from_secs(least)..=Duration::from_secs(most);
                    assert!(range.contains(&pause), "seed {seed}, {others:?}, failure {n}: {pause:?}");
                }
                backoff.failures = u32::MAX;
                assert!(backoff.after_failure(others, |bound| chance.below(bound)) <= LONGEST, "seed {seed}");
                backoff.reset();
                assert_eq!(backoff.failures(), 0);
            }
        }
    }

    #[test]
    fn the_draw_uses_its_whole_range() {
        let mut chance = Chance::new(&Seed::from_number(5626));
        let mut below = |bound| chance.below(bound);
        let mut draw = || BackOff::default().after_failure(Others::AllFailed, &mut below).as_secs();
        let draws: Vec<u64> = (0..2_000).map(|_| draw()).collect();
        assert!(draws.contains(&30) && draws.contains(&59), "both ends of 30 to 60 s");
    }
}
