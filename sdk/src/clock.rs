//! The one clock and the one draw of the system's randomness in the whole project.

use std::time::{Duration, Instant, SystemTime};

use homing_core::ids::Seed;
use homing_core::time::{Moment, Now};

/// Reads the monotone and the wall clock together, and notices when they part.
pub(crate) struct Clock {
    start: Instant,
    offset: Duration,
}

impl Clock {
    /// Starts counting now.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), offset: wall() }
    }

    /// The present instant, and whether one clock jumped against the other since the last reading
    /// (suspend, a set clock).
    pub(crate) fn read(&mut self) -> (Now, bool) {
        self.judge(self.start.elapsed(), wall())
    }

    /// When `moment` is, for the runtime's timer.
    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        self.start.checked_add(moment.0).unwrap_or_else(|| self.start + FAR)
    }

    fn judge(&mut self, since_start: Duration, wall: Duration) -> (Now, bool) {
        let offset = wall.saturating_sub(since_start);
        let jumped = offset.abs_diff(self.offset) > JUMP;
        if jumped {
            self.offset = offset;
        }
        (Now::new(since_start, wall), jumped)
    }
}

/// Thirty-two bytes of the system's randomness, from which an agent draws everything.
pub(crate) fn seed() -> std::io::Result<Seed> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Seed(bytes))
}

/// The present instant, for what counts from there by itself.
pub(crate) fn present() -> Instant {
    Instant::now()
}

fn wall() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// The two clocks may drift apart this far before it counts.
const JUMP: Duration = Duration::from_secs(1);
/// Stands for an instant beyond what the clock can hold.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_once_and_a_slow_drift_never() {
        let mut clock = Clock { start: Instant::now(), offset: Duration::from_secs(1_000) };
        let seconds = Duration::from_secs;
        assert!(!clock.judge(seconds(10), seconds(1_010)).1);
        assert!(clock.judge(seconds(20), seconds(29_820)).1, "eight hours of sleep");
        assert!(!clock.judge(seconds(21), seconds(29_821)).1);
        assert!(clock.judge(seconds(22), seconds(1_022)).1, "and back");
    }
}
