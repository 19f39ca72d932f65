//! Time as it is handed in: a monotone moment, a wall clock beside it, and deadlines that say why.

use std::fmt;
use std::time::Duration;

/// The instant of one input: a monotone count and the wall clock that was read with it.
///
/// Timers use `since_start` only. The wall clock serves certificates, tickets, NTLM timestamps and
/// what a person reads. A jump of one against the other (suspend, a set clock) reaches the agent as
/// an input of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since the agent was made; never runs backwards.
    pub since_start: Moment,
    /// Time since 1970-01-01 UTC.
    pub wall: Wall,
}

/// A point on the monotone clock, counted from the birth of the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub Duration);

/// A point on the wall clock, counted from 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub Duration);

/// When a machine wants to be woken, and what it will then find overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Absolute, so that deadlines of many machines compose by taking the least.
    pub at: Moment,
    /// What is overdue at that moment; goes to traces and to the simulator's report.
    pub why: Why,
}

/// What a deadline waits for, in words a trace can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// RFC 3261 timers A, E or G: the same bytes go out again.
    Retransmission,
    /// RFC 3261 timers B, F or H: no answer came.
    AnswerOverdue,
    /// RFC 3261 timers D, I, J, K or RFC 6026 L, M: a transaction lingers for late copies.
    Lingering,
    /// A connection attempt (TCP and TLS handshake) is overdue.
    ConnectOverdue,
    /// An [`Ask`](crate::outbox::Output::Ask) was not answered in time.
    QuestionOverdue,
    /// The next candidate of a race may start (RFC 8305 style stagger).
    NextCandidate,
    /// A keep-alive is due.
    KeepAlive,
    /// The answer to a keep-alive is overdue (RFC 5626: 10 s).
    PongOverdue,
    /// The registration is to be refreshed.
    Refresh,
    /// The registration lapses on the server.
    Expiry,
    /// The security association nears its end (8 h less 5 min).
    AssociationRenewal,
    /// An old association stops verifying after an overlapping renewal.
    AssociationOverlap,
    /// The pause before the next login attempt is over.
    BackOff,
    /// A final response was refused by its signature; the login fails with that reason (2 s).
    RefusalVerdict,
    /// A flow without users is closed.
    IdleFlow,
    /// A server's challenge was not answered in time.
    ChallengeLapse,
    /// A security association ends on its server: idle, succeeded, or at the end of its life.
    AssociationLapse,
    /// A server's pause before it looks at a request is over.
    RequestDelay,
    /// A call rang as long as it may.
    RingOverdue,
    /// A 180 goes out again, so that nobody on the way gives the call up (RFC 3261 section 13.3.1.1).
    StillRinging,
    /// A 2xx to INVITE waits for its ACK, and goes out again.
    AckOverdue,
    /// After 491 the pause is over, and the change of the session is tried again (RFC 3261 section 14.1).
    Glare,
    /// A request of a call that got an unsigned 408 or 503 is tried again (decision 12).
    AskedAgain,
    /// The session of a call is to be refreshed, or counts as dead (RFC 4028).
    SessionTimer,
    /// Another connection for a call is overdue.
    CallWithoutFlow,
    /// Further forks of an answered call may still answer.
    LateForks,
}

impl Now {
    /// Joins the two clocks of one instant.
    pub fn new(since_start: Duration, wall: Duration) -> Self {
        Self { since_start: Moment(since_start), wall: Wall(wall) }
    }

    /// The moment `pause` from now.
    pub fn after(self, pause: Duration) -> Moment {
        Moment(self.since_start.0.saturating_add(pause))
    }

    /// True from `moment` on.
    pub fn reached(self, moment: Moment) -> bool {
        self.since_start >= moment
    }
}

impl Moment {
    /// Nanoseconds since the start; at most `u64::MAX`, which is 584 years.
    pub fn as_nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// How long after `earlier` this moment lies; zero if it does not.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Wall {
    /// Whole seconds since 1970-01-01 UTC.
    pub fn unix_seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// The Windows FILETIME of this instant: 100 ns ticks since 1601-01-01 UTC (MS-NLMP 2.2.2.1).
    pub fn filetime(self) -> u64 {
        const UNIX_EPOCH_IN_TICKS: u64 = 116_444_736_000_000_000;
        let ticks = self.0.as_secs().saturating_mul(10_000_000) + u64::from(self.0.subsec_nanos() / 100);
        UNIX_EPOCH_IN_TICKS.saturating_add(ticks)
    }
}

impl Deadline {
    /// A deadline at `at` for the reason `why`.
    pub fn new(at: Moment, why: Why) -> Self {
        Self { at, why }
    }

    /// The earlier of two optional deadlines.
    pub fn earlier(one: Option<Deadline>, other: Option<Deadline>) -> Option<Deadline> {
        match (one, other) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (one, other) => one.or(other),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Retransmission => "retransmission",
            Why::AnswerOverdue => "answer overdue",
            Why::Lingering => "lingering transaction",
            Why::ConnectOverdue => "connection overdue",
            Why::QuestionOverdue => "question overdue",
            Why::NextCandidate => "next candidate of the race",
            Why::KeepAlive => "keep-alive due",
            Why::PongOverdue => "keep-alive answer overdue",
            Why::Refresh => "registration refresh",
            Why::Expiry => "registration expiry",
            Why::AssociationRenewal => "security association renewal",
            Why::AssociationOverlap => "old security association retires",
            Why::BackOff => "back-off over",
            Why::RefusalVerdict => "refused answer stands",
            Why::IdleFlow => "idle flow",
            Why::ChallengeLapse => "challenge lapses",
            Why::AssociationLapse => "security association lapses",
            Why::RequestDelay => "delayed request",
            Why::RingOverdue => "ring overdue",
            Why::StillRinging => "still ringing",
            Why::AckOverdue => "ACK overdue",
            Why::Glare => "glare pause over",
            Why::AskedAgain => "asked again",
            Why::SessionTimer => "session timer",
            Why::CallWithoutFlow => "connection of a call overdue",
            Why::LateForks => "late forks of a call",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetime_counts_from_1601() {
        // 2024-01-18 08:00:00 UTC, the wall clock of the golden conversations.
        let wall = Wall(Duration::from_secs(1_705_564_800));
        assert_eq!(wall.filetime(), 133_500_384_000_000_000);
    }

    #[test]
    fn the_earlier_deadline_wins_with_its_reason() {
        let a = Deadline::new(Moment(Duration::from_secs(2)), Why::Refresh);
        let b = Deadline::new(Moment(Duration::from_secs(1)), Why::KeepAlive);
        assert_eq!(Deadline::earlier(Some(a), Some(b)), Some(b));
        assert_eq!(Deadline::earlier(Some(a), None), Some(a));
        assert_eq!(Deadline::earlier(None, None), None);
    }
}
