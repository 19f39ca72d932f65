//! When those come again who were sent away: spread over the time their number needs.
//!
//! Every client that is told to come again is counted until the server would have served them. Retry-After is
//! drawn from that backlog over the capacity, so that a herd comes back as a stream it can bear.

use std::time::Duration;

use homing_core::time::{Moment, Now};

use super::random::Random;

/// Those who were told to come again.
#[derive(Debug)]
pub(super) struct RetryAfter {
    /// Logins a second that can be borne.
    capacity: u32,
    /// Told to come again and not served yet, as far as `seen`.
    told: Duration,
    seen: Moment,
}

impl RetryAfter {
    /// No client was sent away yet by a server that bears `capacity` logins a second.
    pub(super) fn new(capacity: u32) -> Self {
        Self { capacity: capacity.max(1), told: Duration::ZERO, seen: Moment::default() }
    }

    /// Seconds after which one more may come again: at least `least`, and later the more there are who wait,
    /// `in_hand` among them.
    pub(super) fn seconds(&mut self, least: u32, in_hand: usize, random: &mut dyn Random, now: Now) -> u32 {
        let one = Duration::from_secs(1) / self.capacity;
        let passed = now.since_start.since(self.seen);
        self.seen = now.since_start;
        self.told = self.told.saturating_sub(passed).saturating_add(one).min(LONGEST);
        let in_hand = one.saturating_mul(u32::try_from(in_hand).unwrap_or(u32::MAX));
        let span = self.told.saturating_add(in_hand).min(LONGEST);
        let span = u32::try_from(span.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        // The least counts as one of the seconds to draw from.
        least + random.retry_after(span.max(1))
    }
}

/// No client is sent away for longer; a client need not believe more (Retry-After is capped there, too).
const LONGEST: Duration = Duration::from_secs(290);

#[cfg(test)]
mod tests {
    use homing_core::ids::Seed;

    use super::super::random::SeededRandom;
    use super::*;

    fn at(seconds: u64) -> Now {
        Now::new(Duration::from_secs(seconds), Duration::ZERO)
    }

    #[test]
    fn a_herd_comes_back_as_a_stream_the_server_can_bear() {
        let mut random = SeededRandom::new(&Seed::from_number(1));
        let mut retry_after = RetryAfter::new(1_000);
        let mut back = vec![0u32; 400];
        for _ in 0..20_000 {
            back[usize::try_from(retry_after.seconds(1, 0, &mut random, at(0))).unwrap()] += 1;
        }
        assert_eq!(back[0], 0, "nobody comes at once");
        assert_eq!(back[1..=20].iter().sum::<u32>(), 20_000, "twenty thousand need twenty seconds");
        // The first are told when no other waits, so the front is the densest part.
        let worst = back[2..].iter().max().unwrap();
        assert!(*worst < 4_000 && back[18] > 100, "{:?}", &back[..24]);
    }

    #[test]
    fn one_alone_comes_soon_and_what_is_in_hand_counts() {
        let mut random = SeededRandom::new(&Seed::from_number(2));
        let mut retry_after = RetryAfter::new(1_000);
        assert!((0..100).all(|second| retry_after.seconds(5, 0, &mut random, at(second * 10)) == 5));
        let crowded: Vec<u32> =
            (0..100).map(|n| retry_after.seconds(5, 30_000, &mut random, at(2_000 + n * 10))).collect();
        assert!(crowded.iter().all(|pause| (5..36).contains(pause)), "{crowded:?}");
        assert!(crowded.iter().any(|pause| *pause > 25), "{crowded:?}");
    }

    #[test]
    fn nobody_waits_for_longer_than_five_minutes() {
        let mut random = SeededRandom::new(&Seed::from_number(3));
        let mut retry_after = RetryAfter::new(1);
        assert!((0..10_000).all(|_| retry_after.seconds(10, usize::MAX, &mut random, at(0)) <= 300));
    }
}
