//! The INVITE server transaction (RFC 3261 section 17.2.1 with RFC 6026).

use bytes::Bytes;

use super::actions::{Actions, Next, Tell, exact};
use super::timers::{Length, Pace, Resend};
use crate::time::Moment;

/// RFC 6026 figure 4 (it replaces RFC 3261 figure 7). Over a reliable transport G does not run and I
/// is zero.
///
/// ```text
///          INVITE: to the user; 100 unless the user answers within 200 ms
///                                |
///                                v      INVITE again, 1xx from user: send
///                         +------------+--+
///                         | Proceeding |<-+
///                         +------------+
///          300-699 from user:  |    |  2xx from user: send
///          send, start G and H |    +--------------------------+
///                              v                               v
///     G: send again,     +-----------+                   +----------+
///     pause doubles   +--| Completed |--+ INVITE again:  | Accepted |--+ ACK: to the user
///     up to T2        +->+-----------+<-+ same bytes     +----------+<-+ 2xx from user: send
///                         |         |                         |          INVITE again: absorbed
///                         | ACK     | H: AckTimedOut          | L
///                         v         |                         |
///                   +-----------+   |                         |
///                   | Confirmed |   |                         |
///                   +-----------+   |                         |
///                         | I       v                         |
///                         +----> (gone) <---------------------+
/// ```
#[derive(Debug)]
pub(super) enum ServerInvite {
    /// The user is being asked.
    Proceeding {
        /// The last provisional response; at first the 100 that may be needed.
        response: Bytes,
        /// True once it went out.
        sent: bool,
    },
    /// Refused; waits for the ACK.
    Completed(Box<Refused>),
    /// Acknowledged; absorbs copies of the ACK.
    Confirmed,
    /// Answered with 2xx; the dialog repeats it and waits for the ACK.
    Accepted,
}

/// A refusal that waits for its ACK.
#[derive(Debug)]
pub(super) struct Refused {
    response: Bytes,
    /// Timer G.
    resend: Option<Resend>,
    /// Timer H.
    pub(super) overdue: Moment,
}

impl ServerInvite {
    pub(super) fn start(trying: Bytes, pace: Pace) -> (Self, Actions) {
        let actions = Actions::new(Next::At(pace.now.after(pace.table.trying())));
        (ServerInvite::Proceeding { response: trying, sent: false }, actions)
    }

    pub(super) fn handle_copy(&mut self) -> Actions {
        match self {
            ServerInvite::Proceeding { response, sent } => {
                let next = if *sent { Next::Keep } else { Next::Idle };
                *sent = true;
                Actions::new(next).send(response.clone())
            }
            ServerInvite::Completed(refused) => Actions::nothing().send(refused.response.clone()),
            ServerInvite::Confirmed | ServerInvite::Accepted => Actions::nothing(),
        }
    }

    pub(super) fn respond(&mut self, response: Bytes, status: u16, pace: Pace) -> Option<Actions> {
        match (&*self, status) {
            (ServerInvite::Proceeding { .. }, ..200) => {
                *self = ServerInvite::Proceeding { response: response.clone(), sent: true };
                Some(Actions::new(Next::Idle).send(response))
            }
            (ServerInvite::Proceeding { .. }, 200..300) => {
                *self = ServerInvite::Accepted;
                Some(Actions::new(Next::Linger(Length::SixtyFourT1)).send(response))
            }
            (ServerInvite::Proceeding { .. }, 300..) => {
                let kept = exact(&response);
                let refused =
                    Refused { response: kept, resend: pace.first_repeat(), overdue: pace.overdue() };
                let wake = refused.wake();
                *self = ServerInvite::Completed(Box::new(refused));
                Some(Actions::new(Next::At(wake)).send(response))
            }
            (ServerInvite::Accepted, 200..300) => Some(Actions::nothing().send(response)),
            (ServerInvite::Completed(_) | ServerInvite::Confirmed | ServerInvite::Accepted, _) => None,
        }
    }

    /// True if the ACK ends here; one for a 2xx belongs to the dialog.
    pub(super) fn handle_ack(&mut self, pace: Pace) -> (bool, Actions) {
        match self {
            ServerInvite::Completed(_) => {
                *self = ServerInvite::Confirmed;
                (true, Actions::new(Next::linger_unless(pace.reliable, Length::T4)))
            }
            ServerInvite::Confirmed => (true, Actions::nothing()),
            ServerInvite::Accepted | ServerInvite::Proceeding { .. } => (false, Actions::nothing()),
        }
    }

    pub(super) fn handle_deadline(&mut self, pace: Pace) -> Actions {
        match self {
            ServerInvite::Proceeding { response, sent } => {
                *sent = true;
                Actions::new(Next::Idle).send(response.clone())
            }
            ServerInvite::Completed(refused) => refused.handle_deadline(pace),
            ServerInvite::Confirmed | ServerInvite::Accepted => Actions::new(Next::End),
        }
    }
}

impl Refused {
    fn wake(&self) -> Moment {
        self.resend.map_or(self.overdue, |resend| resend.at.min(self.overdue))
    }

    fn handle_deadline(&mut self, pace: Pace) -> Actions {
        if pace.now.reached(self.overdue) {
            return Actions::new(Next::End).tell(Tell::AckTimedOut);
        }
        match &mut self.resend {
            Some(resend) if pace.now.reached(resend.at) => {
                resend.again(pace.table.after_repeat_e(resend.pause), pace.now);
                Actions::new(Next::At(self.wake())).send(self.response.clone())
            }
            _ => Actions::new(Next::At(self.wake())),
        }
    }
}
