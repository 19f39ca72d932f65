//! The INVITE client transaction (RFC 3261 section 17.1.1 with RFC 6026).

use bytes::Bytes;
use homing_wire::Message;
use smallvec::{SmallVec, smallvec};

use super::actions::{Actions, Next, Tell, exact};
use super::client::Pending;
use super::response::Response;
use super::timers::{Length, Pace};
use crate::time::Moment;

/// RFC 6026 figure 3 (it replaces RFC 3261 figure 5). Over a reliable transport A does not run and D
/// is zero. Timer C is the proxy's (RFC 3261 section 16.6 and 16.8); it also keeps a user agent from waiting
/// for a callee that went silent. How long a callee may ring is not its business but the call's.
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
///          |  64·T1 after|  +------------+<-+               |
///          |  C: TimedOut|  |     |     |  C: CancelDue,    |
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
        invite: Box<Message>,
        /// Its user wants it cancelled as soon as a provisional response allows it.
        cancelled: bool,
    },
    /// The callee is being tried.
    Proceeding {
        /// The INVITE for ACK and CANCEL.
        invite: Box<Message>,
        /// Timer C, or 64·T1 after a CANCEL (RFC 3261 section 9.1).
        overdue: Moment,
        /// How far it is given up.
        cancel: Cancel,
    },
    /// Refused and acknowledged.
    Completed {
        /// The ACK, sent again for every copy of the final response; empty if it could not be signed.
        ack: Bytes,
    },
    /// Answered with 2xx; the dialog acknowledges.
    Accepted {
        /// Fingerprints of the 2xx told so far, one for each branch of a fork and each new signature.
        told: SmallVec<[u64; 1]>,
    },
}

/// How far an INVITE under way is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    /// It is not.
    No,
    /// Timer C ran out: its user was told to cancel it.
    Due,
    /// A CANCEL went out.
    Sent,
}

impl ClientInvite {
    pub(super) fn start(request: &Message, pace: Pace) -> (Self, Actions) {
        let bytes = request.bytes();
        let pending =
            Pending { request: bytes.clone(), resend: pace.first_repeat(), overdue: pace.overdue() };
        let actions = Actions::new(Next::At(pending.wake())).send(bytes.clone());
        let invite = Box::new(request.clone());
        (ClientInvite::Calling { pending: Box::new(pending), invite, cancelled: false }, actions)
    }

    /// A 1xx.
    pub(super) fn handle_provisional(&mut self, pace: Pace) -> Actions {
        let provisional = |next| Actions::new(next).response(Response::Provisional);
        match self {
            ClientInvite::Calling { invite, cancelled, .. } => {
                let (invite, cancelled) = (invite.clone(), *cancelled);
                let overdue = if cancelled { pace.overdue() } else { pace.now.after(pace.table.c()) };
                let cancel = if cancelled { Cancel::Sent } else { Cancel::No };
                *self = ClientInvite::Proceeding { invite, overdue, cancel };
                Actions { cancel: cancelled, ..provisional(Next::At(overdue)) }
            }
            ClientInvite::Proceeding { overdue, cancel: Cancel::No, .. } => {
                *overdue = pace.now.after(pace.table.c());
                provisional(Next::At(*overdue))
            }
            ClientInvite::Proceeding { cancel: Cancel::Due | Cancel::Sent, .. } => provisional(Next::Keep),
            ClientInvite::Completed { .. } | ClientInvite::Accepted { .. } => Actions::nothing(),
        }
    }

    /// A 2xx; `fingerprint` tells it from others.
    pub(super) fn handle_success(&mut self, fingerprint: u64) -> Actions {
        match self {
            ClientInvite::Calling { .. } | ClientInvite::Proceeding { .. } => {
                *self = ClientInvite::Accepted { told: smallvec![fingerprint] };
                Actions::new(Next::Linger(Length::SixtyFourT1)).response(Response::Final)
            }
            ClientInvite::Accepted { told } if told.contains(&fingerprint) => {
                Actions::nothing().response(Response::Copied2xx)
            }
            ClientInvite::Accepted { told } => {
                if told.len() < MOST_2XX {
                    told.push(fingerprint);
                }
                Actions::nothing().response(Response::Another2xx)
            }
            ClientInvite::Completed { .. } => Actions::nothing(),
        }
    }

    /// A refusal. `acknowledge` makes the signed ACK out of the INVITE; it is called for the first refusal only.
    pub(super) fn handle_refusal(
        &mut self,
        pace: Pace,
        acknowledge: impl FnOnce(&Message) -> Option<Bytes>,
    ) -> Actions {
        match self {
            ClientInvite::Calling { invite, .. } | ClientInvite::Proceeding { invite, .. } => {
                let ack = acknowledge(invite).unwrap_or_default();
                *self = ClientInvite::Completed { ack: exact(&ack) };
                let next = Next::linger_unless(pace.reliable, Length::D);
                Actions::new(next).send(ack).response(Response::Final)
            }
            ClientInvite::Completed { ack } => Actions::nothing().send(ack.clone()),
            ClientInvite::Accepted { .. } => Actions::nothing(),
        }
    }

    pub(super) fn handle_deadline(&mut self, pace: Pace) -> Actions {
        match self {
            ClientInvite::Calling { pending, .. } => {
                pending.handle_deadline(pace, |pause| pace.table.after_repeat_a(pause))
            }
            ClientInvite::Proceeding { overdue, cancel: cancel @ Cancel::No, .. } => {
                *cancel = Cancel::Due;
                *overdue = pace.overdue();
                Actions::new(Next::At(*overdue)).tell(Tell::CancelDue)
            }
            ClientInvite::Proceeding { cancel: Cancel::Due | Cancel::Sent, .. } => {
                Actions::new(Next::End).tell(Tell::TimedOut)
            }
            ClientInvite::Completed { .. } | ClientInvite::Accepted { .. } => Actions::new(Next::End),
        }
    }

    /// The INVITE while it has no final response.
    pub(super) fn invite(&self) -> Option<&Message> {
        match self {
            ClientInvite::Calling { invite, .. } | ClientInvite::Proceeding { invite, .. } => Some(invite),
            ClientInvite::Completed { .. } | ClientInvite::Accepted { .. } => None,
        }
    }

    /// The INVITE to be cancelled now, with the deadline that then holds; nothing if a provisional
    /// response must come first, if the answer is there already, or if it was cancelled before.
    pub(super) fn cancel(&mut self, pace: Pace) -> Option<(Message, Moment)> {
        match self {
            ClientInvite::Calling { cancelled, .. } => {
                *cancelled = true;
                None
            }
            ClientInvite::Proceeding { invite, overdue, cancel: cancel @ (Cancel::No | Cancel::Due) } => {
                *cancel = Cancel::Sent;
                *overdue = pace.overdue();
                Some((Message::clone(invite), *overdue))
            }
            ClientInvite::Proceeding { cancel: Cancel::Sent, .. }
            | ClientInvite::Completed { .. }
            | ClientInvite::Accepted { .. } => None,
        }
    }

    /// True if a 2xx of this fingerprint was told before.
    pub(super) fn has_told(&self, fingerprint: u64) -> bool {
        matches!(self, ClientInvite::Accepted { told } if told.contains(&fingerprint))
    }
}

/// Different 2xx of one INVITE that are remembered; a further one is told each time it comes.
const MOST_2XX: usize = 32;
