//! The CRLF that answers a peer's CRLFCRLF on a stream (RFC 5626 section 3.5.1).

use std::time::Duration;

use crate::time::{Deadline, Moment, Now, Why};

/// What the peer of one stream still is to get: one CRLF for all its pings of a second, so that a flood of them
/// is not doubled.
#[derive(Debug, Default)]
pub(super) struct PongDebt {
    last: Option<Moment>,
    is_owed: bool,
}

impl PongDebt {
    /// The peer pinged. True if it gets its answer now.
    pub(super) fn handle_ping(&mut self, now: Now) -> bool {
        self.is_owed = true;
        self.handle_deadline(now)
    }

    /// True if an answer is owed and due.
    pub(super) fn handle_deadline(&mut self, now: Now) -> bool {
        let pays = self.due().is_some_and(|at| now.reached(at));
        if pays {
            *self = Self { last: Some(now.since_start), is_owed: false };
        }
        pays
    }

    /// When the next answer is due.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.due().map(|at| Deadline::new(at, Why::KeepAlive))
    }

    fn due(&self) -> Option<Moment> {
        let earliest = self.last.map_or(Moment::default(), |last| Moment(last.0 + PAUSE));
        self.is_owed.then_some(earliest)
    }
}

const PAUSE: Duration = Duration::from_secs(1);
