//! How long a password that was accepted before rests after it was refused.

use std::time::Duration;

/// Refusals in a row of a password that a server had accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejections(u32);

impl Rejections {
    /// The password was accepted again.
    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }

    /// Counts one and draws the wait before the same password is given once more: 10, 20, 40, then every 60 minutes,
    /// and up to a tenth longer. `below` draws a number below its argument.
    pub(crate) fn next(&mut self, below: impl FnOnce(u64) -> u64) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.0.min(MOST_DOUBLINGS)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        let span = u64::try_from(wait.as_millis() / 10).unwrap_or_default();
        wait + Duration::from_millis(below(span + 1))
    }
}

const FIRST: Duration = Duration::from_secs(10 * 60);
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Enough to pass the longest wait.
const MOST_DOUBLINGS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_password_rests_ever_longer_up_to_an_hour() {
        let mut rejections = Rejections::default();
        let minutes: Vec<u64> = (0..5).map(|_| rejections.next(|_| 0).as_secs() / 60).collect();
        assert_eq!(minutes, [10, 20, 40, 60, 60]);
        rejections.reset();
        assert_eq!(rejections.next(|bound| bound - 1), Duration::from_secs(660));
    }
}
