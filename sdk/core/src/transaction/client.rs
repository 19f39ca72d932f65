//! The non-INVITE client transaction (RFC 3261 section 17.1.2).

use bytes::Bytes;

use super::actions::{Actions, Next, Tell};
use super::response::Response;
use super::timers::{Length, Pace, Resend};
use crate::time::Moment;

/// RFC 3261 figure 6. Over a reliable transport timer E does not run and K is zero.
///
/// ```text
///              request from user: send it, start E and F
///                                |
///                                v      E: send again,
///               F: TimedOut  +--------+ pause doubles up to T2
///            +---------------| Trying |----+
///            |               +--------+<---+
///            |          1xx      |   |  200-699
///            |     Provisional   |   |  Final
///            |                   v   +----------------+
///            |  F: TimedOut  +------------+           |
///            +---------------| Proceeding |--+ E:     |
///            |               +------------+  | again, |
///            |          1xx  |  ^     |  ^   | T2     |
///            |   Provisional +--+     |  +---+        |
///            |                        | 200-699       |
///            |                        | Final         |
///            |                        v               |
///            |               +-----------+            |
///            |               | Completed |<-----------+   late copies are absorbed
///            |               +-----------+
///            v                     | K
///         (gone) <-----------------+
/// ```
#[derive(Debug)]
pub(super) enum Client {
    /// Nothing heard yet.
    Trying(Box<Pending>),
    /// A provisional response came: repeat slowly.
    Proceeding(Box<Pending>),
    /// Answered; absorbs copies of the answer.
    Completed,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    /// The request; empty where the transport repeats by itself.
    pub(super) request: Bytes,
    /// Timer A or E.
    pub(super) resend: Option<Resend>,
    /// Timer B or F.
    pub(super) overdue: Moment,
}

impl Client {
    pub(super) fn start(request: &Bytes, pace: Pace) -> (Self, Actions) {
        let kept = if pace.reliable { Bytes::new() } else { request.clone() };
        let pending = Pending { request: kept, resend: pace.first_repeat(), overdue: pace.overdue() };
        let actions = Actions::new(Next::At(pending.wake())).send(request.clone());
        (Client::Trying(Box::new(pending)), actions)
    }

    pub(super) fn handle_response(&mut self, status: u16, pace: Pace) -> Actions {
        match std::mem::replace(self, Client::Completed) {
            Client::Completed => Actions::nothing(),
            Client::Trying(pending) | Client::Proceeding(pending) if status < 200 => {
                *self = Client::Proceeding(pending);
                Actions::nothing().response(Response::Provisional)
            }
            Client::Trying(_) | Client::Proceeding(_) => {
                Actions::new(Next::linger_unless(pace.reliable, Length::T4)).response(Response::Final)
            }
        }
    }

    pub(super) fn handle_deadline(&mut self, pace: Pace) -> Actions {
        let table = pace.table;
        match self {
            Client::Trying(pending) => pending.handle_deadline(pace, |pause| table.after_repeat_e(pause)),
            Client::Proceeding(pending) => pending.handle_deadline(pace, |_| table.slow_repeat()),
            Client::Completed => Actions::new(Next::End),
        }
    }
}

impl Pending {
    /// The earlier of its two timers.
    pub(super) fn wake(&self) -> Moment {
        self.resend.map_or(self.overdue, |resend| resend.at.min(self.overdue))
    }

    pub(super) fn handle_deadline(
        &mut self,
        pace: Pace,
        next_pause: impl FnOnce(std::time::Duration) -> std::time::Duration,
    ) -> Actions {
        if pace.now.reached(self.overdue) {
            return Actions::new(Next::End).tell(Tell::TimedOut);
        }
        match &mut self.resend {
            Some(resend) if pace.now.reached(resend.at) => {
                resend.again(next_pause(resend.pause), pace.now);
                Actions::new(Next::At(self.wake())).send(self.request.clone())
            }
            _ => Actions::new(Next::At(self.wake())),
        }
    }
}
