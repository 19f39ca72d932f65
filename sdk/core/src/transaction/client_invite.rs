//! The INVITE client transaction (RFC 3261 section 17.1.1 with RFC 6026).

use bytes::Bytes;

use super::actions::{Actions, Next, Tell, exact};
use super::client::Pending;
use super::timers::{Length, Pace};
use crate::time::Moment;

/// RFC 6026 figure 3 (it replaces RFC 3261 figure 5). Over a reliable transport A does not run and D
/// is zero. Timer C is the proxy's (RFC 3261 section 16.6); it also keeps a user agent from waiting
/// for a callee that went silent.
///
/// ```text
///                 INVITE from user: send it, start A and B
///                                |
///                                v        A: send again, pause doubles
///                           +---------+---+
///           B: TimedOut  +--| Calling |<--+
///                        |  +---------+
///                        |   |   |   |  2xx: Final
///            300-699:    |   |   |   +----------------------+
///            ACK, Final  |   |   | 1xx: Provisional         |
///          +-----------------+   v                          |
///          |             |  +------------+ 1xx: Provisional,|
///          |             |  | Proceeding |--+ C again        |
///          |  C: TimedOut|  +------------+<-+               |
///          |             +--|     |     |  2xx: Final       |
///          |             |  |     |     +------------------+|
///          |             |  | 300-699: ACK, Final           ||
///          v             |  |     v                         vv
///     +-----------+      |  |  (Completed)             +----------+
///     | Completed |<--------+                          | Accepted |--+ 2xx: Another2xx,
///     +-----------+      |                             +----------+<-+ the user acknowledges
///        |  ^ |          |                                  |
///        |  +-+ 300-699: same ACK                           |
///        | D             v                                  | M
///        +----------> (gone) <------------------------------+
/// ```
#[derive(Debug)]
pub(super) enum ClientInvite {
    /// Nothing heard yet.
    Calling {
        /// The INVITE and its timers.
        pending: Box<Pending>,
        /// The INVITE for ACK and CANCEL, which repeat parts of it.
        invite: Bytes,
        /// Its user wants it cancelled as soon as a provisional response allows it.
        cancelled: bool,
    },
    /// The callee is being tried.
    Proceeding {
        /// The INVITE for ACK and CANCEL.
        invite: Bytes,
        /// Timer C, or 64·T1 after a CANCEL (RFC 3261 section 9.1).
        overdue: Moment,
        /// A CANCEL went out.
        cancelled: bool,
    },
    /// Refused and acknowledged.
    Completed {
        /// The ACK, sent again for every copy of the final response.
        ack: Bytes,
    },
    /// Answered with 2xx; the dialog acknowledges.
    Accepted,
}

impl ClientInvite {
    pub(super) fn start(request: &Bytes, pace: Pace) -> (Self, Actions) {
        let pending =
            Pending { request: request.clone(), resend: pace.first_repeat(), overdue: pace.overdue() };
        let actions = Actions::new(Next::At(pending.wake())).send(request.clone());
        let invite = request.clone();
        (ClientInvite::Calling { pending: Box::new(pending), invite, cancelled: false }, actions)
    }

    /// `acknowledge` makes the signed ACK out of the INVITE; it is called for the first final response
    /// that is no 2xx.
    pub(super) fn handle_response(
        &mut self,
        status: u16,
        pace: Pace,
        acknowledge: impl FnOnce(&Bytes) -> Option<Bytes>,
    ) -> Actions {
        match (&*self, status) {
            (ClientInvite::Calling { invite, cancelled, .. }, ..200) => {
                let (invite, cancelled) = (invite.clone(), *cancelled);
                let overdue = if cancelled { pace.overdue() } else { pace.now.after(pace.table.c()) };
                *self = ClientInvite::Proceeding { invite, overdue, cancelled };
                Actions { cancel: cancelled, ..Actions::new(Next::At(overdue)).tell(Tell::Provisional) }
            }
            (ClientInvite::Proceeding { cancelled: true, .. }, ..200) => {
                Actions::nothing().tell(Tell::Provisional)
            }
            (ClientInvite::Proceeding { invite, .. }, ..200) => {
                let (invite, overdue) = (invite.clone(), pace.now.after(pace.table.c()));
                *self = ClientInvite::Proceeding { invite, overdue, cancelled: false };
                Actions::new(Next::At(overdue)).tell(Tell::Provisional)
            }
            (ClientInvite::Calling { .. } | ClientInvite::Proceeding { .. }, 200..300) => {
                *self = ClientInvite::Accepted;
                Actions::new(Next::Linger(Length::SixtyFourT1)).tell(Tell::Final)
            }
            (ClientInvite::Calling { invite, .. } | ClientInvite::Proceeding { invite, .. }, 300..) => {
                let ack = acknowledge(invite).unwrap_or_default();
                *self = ClientInvite::Completed { ack: exact(&ack) };
                Actions::new(Next::linger_unless(pace.reliable, Length::D)).send(ack).tell(Tell::Final)
            }
            (ClientInvite::Completed { ack }, 300..) => Actions::nothing().send(ack.clone()),
            (ClientInvite::Accepted, 200..300) => Actions::nothing().tell(Tell::Another2xx),
            (ClientInvite::Completed { .. } | ClientInvite::Accepted, _) => Actions::nothing(),
        }
    }

    pub(super) fn handle_deadline(&mut self, pace: Pace) -> Actions {
        match self {
            ClientInvite::Calling { pending, .. } => {
                pending.handle_deadline(pace, |pause| pace.table.after_repeat_a(pause))
            }
            ClientInvite::Proceeding { .. } => Actions::new(Next::End).tell(Tell::TimedOut),
            ClientInvite::Completed { .. } | ClientInvite::Accepted => Actions::new(Next::End),
        }
    }

    /// The INVITE while it has no final response.
    pub(super) fn invite(&self) -> Option<&Bytes> {
        match self {
            ClientInvite::Calling { invite, .. } | ClientInvite::Proceeding { invite, .. } => Some(invite),
            ClientInvite::Completed { .. } | ClientInvite::Accepted => None,
        }
    }

    /// The INVITE to be cancelled now, with the deadline that then holds; nothing if a provisional
    /// response must come first, if the answer is there already, or if it was cancelled before.
    pub(super) fn cancel(&mut self, pace: Pace) -> Option<(Bytes, Moment)> {
        match self {
            ClientInvite::Calling { cancelled, .. } => {
                *cancelled = true;
                None
            }
            ClientInvite::Proceeding { invite, overdue, cancelled: cancelled @ false } => {
                *cancelled = true;
                *overdue = pace.overdue();
                Some((invite.clone(), *overdue))
            }
            ClientInvite::Proceeding { .. } | ClientInvite::Completed { .. } | ClientInvite::Accepted => None,
        }
    }
}
