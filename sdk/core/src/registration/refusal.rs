//! A final answer that was not believed: nothing changes, but if no better one comes, it is the reason.

use std::time::Duration;

use homing_wire::Message;

use super::redirect::SignatureVerdict;
use crate::error::{LoginError, RedirectError, SignatureFault};
use crate::server::ServerName;
use crate::time::{Moment, Now};

/// A final answer that was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its status.
    pub status: u16,
    /// What was wrong with it.
    pub why: SignatureFault,
    /// Until when a better one is waited for.
    pub until: Moment,
}

/// What to do with an answer whose signature was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// Feed it.
    Believed,
    /// Feed it although nothing signs it: it can only delay or begin a handshake (decision 12).
    Tolerated,
    /// Ignore it.
    Refused(SignatureFault),
}

impl Acceptance {
    /// Settled 12: without a signature only 1xx, 401, 407, 408 and 503 are listened to, once there is an
    /// association. There is one from the first final it signs; but an answer to the token that is to
    /// establish it is judged as if it stood, because whoever can sign is then known. Before, whatever
    /// comes by the verified connection is heard. An unsigned 408 or 503 may delay a login or send it to
    /// the next server of its domain, and never counts against a remembered home.
    pub(super) fn of(message: &Message, verdict: SignatureVerdict) -> Self {
        match (verdict, message.status().unwrap_or_default()) {
            (SignatureVerdict::Signed | SignatureVerdict::Unsignable, _) => Acceptance::Believed,
            (SignatureVerdict::Refused(SignatureFault::Unsigned), 100..=199 | 401 | 407 | 408 | 503) => {
                Acceptance::Tolerated
            }
            (SignatureVerdict::Refused(why), _) => Acceptance::Refused(why),
        }
    }
}

impl Refusal {
    /// A refusal that stands after 2 s; a second one does not prolong the wait for a better answer.
    pub(super) fn new(before: Option<Refusal>, status: u16, why: SignatureFault, now: Now) -> Self {
        let until = before.map_or(now.after(PATIENCE), |before| before.until);
        Self { status, why, until }
    }

    /// The reason a login fails for if no better answer came.
    pub(super) fn verdict(self, server: &ServerName) -> LoginError {
        let server = server.clone();
        match (self.status, self.why) {
            (300..=399, SignatureFault::Unsigned) => RedirectError::Unsigned { server }.into(),
            (300..=399, why) => RedirectError::BadSignature { server, why }.into(),
            (_, why) => LoginError::Unbelieved { server, why },
        }
    }
}

/// How long a better answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
