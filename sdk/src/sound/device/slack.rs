//! How much sound may wait in a ring between two clocks: what always waits is only delay, and is let go of slowly.

/// Watches what is left in a ring after each frame was taken.
#[derive(Debug, Default)]
pub(super) struct Slack {
    /// The least that was left since the window began.
    least: usize,
    /// Frames of the window so far.
    frames: usize,
    /// Samples that are too many and go one with each frame.
    surplus: usize,
}

impl Slack {
    /// `left` samples wait after a frame was taken; how many of them, the oldest, are to be dropped now.
    pub(super) fn after_frame(&mut self, left: usize) -> usize {
        if left > MOST {
            *self = Self::default();
            return left - KEPT;
        }
        self.least = if self.frames == 0 { left } else { self.least.min(left) };
        self.frames += 1;
        if self.frames == WINDOW {
            self.frames = 0;
            self.surplus = self.least.saturating_sub(KEPT);
        }
        let dropped = self.surplus.min(1);
        self.surplus -= dropped;
        dropped
    }
}

/// What may always wait: 10 ms of 8000 samples a second, for a side that is late by less.
pub(super) const KEPT: usize = 80;
/// More than 40 ms never waits: what is older goes at once.
const MOST: usize = 320;
/// A second of frames.
const WINDOW: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring that gains so many samples a second over a clock that takes 8000; how far it fills up within an hour.
    fn fullest(gain: usize) -> usize {
        let (mut slack, mut ring, mut fullest) = (Slack::default(), KEPT, 0);
        for frame in 0..180_000_usize {
            ring += usize::from(gain > 0 && frame.is_multiple_of(50)) * gain;
            ring -= slack.after_frame(ring);
            fullest = fullest.max(ring);
        }
        fullest
    }

    #[test]
    fn a_clock_that_is_fast_adds_no_delay() {
        assert_eq!(fullest(0), KEPT);
        // 200 ppm and 2000 ppm: a window's gain, and what it takes to be seen.
        assert!(fullest(2) <= KEPT + 8, "{}", fullest(2));
        assert!(fullest(16) <= KEPT + 64, "{}", fullest(16));
    }

    #[test]
    fn what_piled_up_goes_at_once() {
        let mut slack = Slack::default();
        assert_eq!(slack.after_frame(MOST), 0);
        assert_eq!(slack.after_frame(4_000), 4_000 - KEPT);
        assert_eq!(slack.after_frame(KEPT), 0);
    }
}
