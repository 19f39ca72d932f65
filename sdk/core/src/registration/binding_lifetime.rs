//! A binding that was granted: when it is refreshed and when it lapses.

use std::time::Duration;

use crate::time::{Moment, Now, Wall};

/// A binding at a registrar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BindingLifetime {
    /// Seconds granted.
    pub granted: u32,
    /// When it lapses.
    pub ends: Moment,
    /// When it should be refreshed.
    pub refresh: Moment,
    /// The same by the clock on the wall: it goes on while the machine sleeps.
    refresh_by_wall: Wall,
}

impl BindingLifetime {
    /// A lifetime of `granted` seconds. It is refreshed before it ends by a margin that leaves room for
    /// several attempts, and at a moment that is spread, so that many accounts do not come at once:
    /// `below` draws a number below its argument.
    pub(super) fn new(granted: u32, below: impl FnOnce(u64) -> u64, now: Now) -> Self {
        let margin = if granted <= 2 * SMALLEST_MARGIN {
            granted / 2
        } else {
            (granted / 10).clamp(SMALLEST_MARGIN, LARGEST_MARGIN)
        };
        let spread = below(u64::from(margin) * 500 + 1);
        let pause =
            Duration::from_secs(u64::from(granted - margin)).saturating_sub(Duration::from_millis(spread));
        Self {
            granted,
            ends: now.after(Duration::from_secs(u64::from(granted))),
            refresh: now.after(pause),
            refresh_by_wall: Wall(now.wall.0.saturating_add(pause)),
        }
    }

    /// For how long it has been granted.
    pub(super) fn age(&self, now: Now) -> Duration {
        Duration::from_secs(u64::from(self.granted)).saturating_sub(self.ends.since(now.since_start))
    }

    /// When to refresh, given that the clocks ran apart: at the earlier of both.
    pub(super) fn refresh_after_jump(&self, now: Now) -> Moment {
        let left = self.refresh_by_wall.0.saturating_sub(now.wall.0);
        self.refresh.min(now.after(left))
    }

    /// When to try again after a refresh came to nothing: several times before the lifetime ends.
    pub(super) fn next_attempt(&self, floor: Duration, now: Now) -> Moment {
        let left = self.ends.since(now.since_start);
        let pause = (left / 3).clamp(SHORTEST_PAUSE, LONGEST_PAUSE).max(floor);
        now.after(pause)
    }
}

const SMALLEST_MARGIN: u32 = 30;
const LARGEST_MARGIN: u32 = 300;
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Rng, Seed};

    #[test]
    fn every_lease_is_refreshed_before_it_ends() {
        let now = Now::new(Duration::from_secs(1_000), Duration::from_secs(5_000));
        for granted in [1, 2, 30, 59, 60, 61, 300, 900, 3_600, 7_200, 86_400] {
            for seed in 0..50 {
                let mut rng = Rng::new(&Seed::from_number(seed));
                let lifetime = BindingLifetime::new(granted, |bound| rng.below(bound), now);
                assert!(lifetime.refresh <= lifetime.ends, "{granted}, seed {seed}");
                assert!(lifetime.refresh > now.since_start || granted < 2, "{granted}, seed {seed}");
                let before = lifetime.ends.since(lifetime.refresh);
                assert!(
                    granted < 60 || before >= Duration::from_secs(30),
                    "{granted}: {before:?}, seed {seed}"
                );
            }
        }
    }

    #[test]
    fn sleep_brings_the_refresh_forward_and_a_clock_set_back_does_not_delay_it() {
        let mut rng = Rng::new(&Seed::from_number(3));
        let born = Now::new(Duration::from_secs(10), Duration::from_secs(1_000_000));
        let lifetime = BindingLifetime::new(7_200, |bound| rng.below(bound), born);
        let woken = Now::new(Duration::from_secs(11), Duration::from_secs(1_010_000));
        assert_eq!(lifetime.refresh_after_jump(woken), woken.since_start);
        let set_back = Now::new(Duration::from_secs(11), Duration::from_secs(5));
        assert_eq!(lifetime.refresh_after_jump(set_back), lifetime.refresh);
    }
}
