//! The association in use and the one it replaced, which still verifies for a while.

use std::time::Duration;

use homing_wire::Message;

use super::association::{Association, SignError};
use super::verdict::Verdict;
use crate::auth::ntlm::Side;
use crate::auth::signed::Signed;
use crate::time::{Deadline, Moment, Now, Why};

/// Renewal with overlap: the new association signs at once, the old one verifies what was in
/// flight (decision 13).
///
/// The new association belongs here once its first signed final response was verified; until then
/// it is the business of the handshake, and everything else is signed with the old one.
#[derive(Debug)]
pub struct Associations {
    current: Association,
    retiring: Option<Retiring>,
}

#[derive(Debug)]
struct Retiring {
    association: Association,
    until: Moment,
}

impl Associations {
    /// Starts with one.
    pub fn new(first: Association) -> Self {
        Self { current: first, retiring: None }
    }

    /// The one that signs.
    pub fn current(&self) -> &Association {
        &self.current
    }

    /// Puts `fresh` in place of the current one, which verifies for another `overlap`
    /// (64·T1, see [`OVERLAP`]). One that was retiring already is gone.
    pub fn renew(&mut self, fresh: Association, overlap: Duration, now: Now) {
        let association = std::mem::replace(&mut self.current, fresh);
        self.retiring = Some(Retiring { association, until: now.after(overlap) });
    }

    /// Signs a client's request with the current association.
    ///
    /// # Errors
    /// See [`Association::sign_request`].
    pub fn sign_request(&mut self, request: &Message, crand: u32) -> Result<Signed, SignError> {
        self.current.sign_request(request, crand)
    }

    /// Judges a message by the current association, and if that did not make it by the old one; see
    /// [`Association::verify`]. On a client both bear the same name, so only the keys tell.
    pub fn verify(
        &mut self,
        message: &Message,
        from: Side,
        accept_patent_headers: bool,
        now: Now,
    ) -> Verdict {
        self.handle_deadline(now);
        let Some(old) = &mut self.retiring else {
            return self.current.verify(message, from, accept_patent_headers);
        };
        match self.current.verify(message, from, accept_patent_headers) {
            doubt @ (Verdict::BadSignature | Verdict::OtherAssociation) => {
                let second = old.association.verify(message, from, accept_patent_headers);
                if matches!(second, Verdict::BadSignature | Verdict::OtherAssociation) {
                    doubt
                } else {
                    second
                }
            }
            verdict => verdict,
        }
    }

    /// Forgets the old association once its time is over.
    pub fn handle_deadline(&mut self, now: Now) {
        self.retiring.take_if(|old| now.reached(old.until));
    }

    /// The next moment that matters: the end of the overlap, or of the current association.
    pub fn deadline(&self) -> Deadline {
        let overlap = self.retiring.as_ref().map(|old| Deadline::new(old.until, Why::AssociationOverlap));
        Deadline::earlier(overlap, Some(self.current.deadline())).unwrap_or_else(|| self.current.deadline())
    }
}

/// How long a replaced association still verifies, at the default T1 of 500 ms.
pub const OVERLAP: Duration = Duration::from_secs(32);
