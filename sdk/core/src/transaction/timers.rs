//! The timers of RFC 3261 (table 4) and RFC 6026 by their letters, and the clock a machine is handed.

use std::time::Duration;

use crate::config::Timers;
use crate::time::{Moment, Now};
use crate::transport::Transport;

/// Timers A to M, derived from T1, T2 and T4.
///
/// A, E and G repeat a message over UDP; B, F and H give up; D, I, J, K, L and M keep a finished
/// transaction for late copies. Over a reliable transport the repeating ones do not exist and D, I, J
/// and K are zero (RFC 3261 section 17); L and M stay (RFC 6026 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerTable {
    t1: Duration,
    t2: Duration,
    t4: Duration,
}

/// How long a finished transaction is kept; transactions of one length wait in one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Timer D: at least 32 s.
    D,
    /// Timers J, L and M: 64·T1.
    SixtyFourT1,
    /// Timers I and K: T4.
    T4,
}

/// The moment of an input with all that a machine needs to set its timers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) table: TimerTable,
    pub(super) reliable: bool,
    pub(super) now: Now,
}

/// A repetition that is due at a moment, and the pause before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resend {
    pub(super) at: Moment,
    pub(super) pause: Duration,
}

impl TimerTable {
    /// The table for these base timers.
    pub fn new(timers: Timers) -> Self {
        Self { t1: timers.t1, t2: timers.t2, t4: timers.t4 }
    }

    /// Timers A, E and G at their start.
    pub fn first_repeat(self) -> Duration {
        self.t1
    }

    /// Timer A: doubles without bound; timer B ends it.
    pub fn after_repeat_a(self, pause: Duration) -> Duration {
        pause.saturating_mul(2)
    }

    /// Timers E and G: double up to T2.
    pub fn after_repeat_e(self, pause: Duration) -> Duration {
        pause.saturating_mul(2).min(self.t2)
    }

    /// Timer E once a provisional response came.
    pub fn slow_repeat(self) -> Duration {
        self.t2
    }

    /// Timers B, F, H, J, L and M.
    pub fn sixty_four_t1(self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Timer C, raised again by every provisional response (RFC 3261 sections 13.3.1.1 and 16.6: more
    /// than three minutes, while a callee that still rings says so every minute).
    pub fn c(self) -> Duration {
        TIMER_C
    }

    /// Timer D over UDP.
    pub fn d(self) -> Duration {
        self.sixty_four_t1().max(TIMER_D)
    }

    /// Timers I and K over UDP.
    pub fn t4(self) -> Duration {
        self.t4
    }

    /// When an INVITE that its user has not answered yet is answered with 100.
    pub fn trying(self) -> Duration {
        TRYING
    }

    pub(super) fn length(self, length: Length) -> Duration {
        match length {
            Length::D => self.d(),
            Length::SixtyFourT1 => self.sixty_four_t1(),
            Length::T4 => self.t4(),
        }
    }
}

impl Length {
    pub(super) const ALL: [Length; 3] = [Length::D, Length::SixtyFourT1, Length::T4];
}

impl Pace {
    pub(super) fn new(table: TimerTable, transport: Transport, now: Now) -> Self {
        Self { table, reliable: transport.is_reliable(), now }
    }

    /// The first repetition; none where the transport repeats by itself.
    pub(super) fn first_repeat(self) -> Option<Resend> {
        let pause = self.table.first_repeat();
        (!self.reliable).then(|| Resend { at: self.now.after(pause), pause })
    }

    /// When timers B, F or H, started now, give up.
    pub(super) fn overdue(self) -> Moment {
        self.now.after(self.table.sixty_four_t1())
    }
}

impl Resend {
    /// Schedules the next repetition `pause` from now.
    pub(super) fn again(&mut self, pause: Duration, now: Now) {
        self.pause = pause;
        self.at = now.after(pause);
    }
}

const TIMER_C: Duration = Duration::from_secs(190);
const TIMER_D: Duration = Duration::from_secs(32);
const TRYING: Duration = Duration::from_millis(200);
