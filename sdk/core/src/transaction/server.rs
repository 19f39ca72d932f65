//! The non-INVITE server transaction (RFC 3261 section 17.2.2).

use bytes::Bytes;

use super::actions::{Actions, Next, Tell, exact};
use super::timers::{Length, Pace};

/// RFC 3261 figure 8. J is zero over a reliable transport, so that a request sent again on TLS after
/// its answer is a new one. A user that gives no answer within 64·T1 is told: the client has given up
/// by then and an answer would be noise (RFC 4320 section 4.2).
///
/// ```text
///                 request: to the user
///                        |
///                        v
///                   +--------+
///    64·T1       +--| Trying |-------------+
///    Unanswered  |  +--------+             |
///                |       | 1xx from user:  |
///                |       | send            |
///                |       v                 | 200-699 from user: send
///                |  +------------+         |
///                +--| Proceeding |--+ request again, 1xx: send
///                |  +------------+<-+      |
///                |       | 200-699: send   |
///                |       v                 |
///                |  +-----------+          |
///                |  | Completed |<---------+
///                |  +-----------+--+ request again: same bytes
///                |       | J    ^--+
///                +----> (gone)
/// ```
#[derive(Debug)]
pub(super) enum Server {
    /// The user has not answered yet.
    Trying,
    /// The user has answered provisionally.
    Proceeding(Bytes),
    /// Answered; the answer goes out again for every copy of the request.
    Completed(Bytes),
}

impl Server {
    pub(super) fn start(pace: Pace) -> (Self, Actions) {
        (Server::Trying, Actions::new(Next::At(pace.overdue())))
    }

    pub(super) fn handle_copy(&self) -> Actions {
        match self {
            Server::Trying => Actions::nothing(),
            Server::Proceeding(response) | Server::Completed(response) => {
                Actions::nothing().send(response.clone())
            }
        }
    }

    pub(super) fn respond(&mut self, response: Bytes, status: u16, pace: Pace) -> Option<Actions> {
        match self {
            Server::Completed(_) => None,
            Server::Trying | Server::Proceeding(_) if status < 200 => {
                *self = Server::Proceeding(response.clone());
                Some(Actions::nothing().send(response))
            }
            Server::Trying | Server::Proceeding(_) => {
                let kept = if pace.reliable { Bytes::new() } else { exact(&response) };
                *self = Server::Completed(kept);
                Some(Actions::new(Next::linger_unless(pace.reliable, Length::SixtyFourT1)).send(response))
            }
        }
    }

    pub(super) fn handle_deadline(&self) -> Actions {
        match self {
            Server::Trying | Server::Proceeding(_) => Actions::new(Next::End).tell(Tell::Unanswered),
            Server::Completed(_) => Actions::new(Next::End),
        }
    }
}
