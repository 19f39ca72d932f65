//! The only clock of the estate: a monotone count from its start and the wall beside it.

use std::time::{Duration, Instant, SystemTime};

use homing_core::time::{Moment, Now};

/// Reads both clocks at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// This instant.
    pub(crate) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now::new(self.0.elapsed(), wall)
    }

    /// When `moment` comes, for a timer.
    pub(crate) fn instant(self, moment: Moment) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.0 + moment.0)
    }
}
