//! A final answer that was not believed: nothing changes, but if no better one comes, it is the reason.

use std::time::Duration;

use crate::error::{LoginError, RedirectError, SignatureFault};
use crate::server::ServerName;
use crate::time::{Moment, Now};

/// A final answer that was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    /// What was wrong with it.
    pub why: SignatureFault,
    /// Until when a better one is waited for.
    pub until: Moment,
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
