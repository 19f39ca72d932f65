//! The only clock of the estate: a monotone count from its start and the wall beside it.

use std::time::{Duration, Instant, SystemTime};

use homing_core::time::{Moment, Now};

/// Reads both clocks at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    skew: Skew,
}

/// How far the estate's wall clock is from that of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Skew {
    /// It is right.
    #[default]
    None,
    /// It is fast by this much.
    Ahead(Duration),
    /// It is slow by this much.
    Behind(Duration),
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start(skew: Skew) -> Self {
        Self { start: Instant::now(), skew }
    }

    /// This instant.
    pub(crate) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let wall = match self.skew {
            Skew::None => wall,
            Skew::Ahead(by) => wall.saturating_add(by),
            Skew::Behind(by) => wall.saturating_sub(by),
        };
        Now::new(self.start.elapsed(), wall)
    }

    /// When `moment` comes, for a timer.
    pub(crate) fn instant(self, moment: Moment) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.start + moment.0)
    }
}
