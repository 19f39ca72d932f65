//! Whose turn it is in offer and answer, and what both sides agreed on (RFC 3264; RFC 6337).
//!
//! ```text
//!            our offer left                the peer's offer came
//!    ┌──────────────────────── Free ────────────────────────┐
//!    ▼                         ▲  ▲                         ▼
//!  OfferOut ── its answer ─────┘  └───────── our answer ── OfferIn
//!     └─ refused: as it was before         as it was before: refused ─┘
//! ```
//!
//! Pure. What is agreed on changes with an answer and with nothing else, so that an offer that fails leaves the session
//! as it was (RFC 3261 section 14.1).

use super::body;
use crate::description::Description;

/// The offers and answers of one dialog.
#[derive(Clone, Debug, Default)]
pub(crate) struct Negotiation {
    turn: Turn,
    /// Our side of what was agreed on last.
    agreed: Option<Description>,
    peer_holds: bool,
}

/// Which side is to speak next.
#[derive(Clone, Debug, Default)]
enum Turn {
    /// Either side may offer.
    #[default]
    Free,
    /// This offer of ours waits for its answer.
    OfferOut(Box<Description>),
    /// An offer of the peer waits for ours.
    OfferIn,
}

impl Negotiation {
    /// Before which this offer went out, in the INVITE of a call.
    pub(crate) fn offered(offer: Description) -> Self {
        Self { turn: Turn::OfferOut(Box::new(offer)), ..Self::default() }
    }

    /// True while neither side waits for an answer.
    pub(crate) fn is_free(&self) -> bool {
        matches!(self.turn, Turn::Free)
    }

    /// True while an offer of ours waits.
    pub(crate) fn awaits_answer(&self) -> bool {
        matches!(self.turn, Turn::OfferOut(_))
    }

    /// True while an offer of the peer waits.
    pub(crate) fn owes_answer(&self) -> bool {
        matches!(self.turn, Turn::OfferIn)
    }

    /// Our side of what was agreed on; none before the first agreement.
    pub(crate) fn agreed(&self) -> Option<&Description> {
        self.agreed.as_ref()
    }

    /// An offer of ours leaves. False if it is not our turn.
    #[must_use]
    pub(crate) fn offer(&mut self, offer: Description) -> bool {
        let is_free = self.is_free();
        if is_free {
            self.turn = Turn::OfferOut(Box::new(offer));
        }
        is_free
    }

    /// An offer of the peer came. False if it is not its turn.
    #[must_use]
    pub(crate) fn take_offer(&mut self) -> bool {
        let is_free = self.is_free();
        if is_free {
            self.turn = Turn::OfferIn;
        }
        is_free
    }

    /// The answer to our offer came. False if there was none.
    #[must_use]
    pub(crate) fn take_answer(&mut self) -> bool {
        match std::mem::take(&mut self.turn) {
            Turn::OfferOut(offer) => {
                self.agreed = Some(*offer);
                true
            }
            turn => {
                self.turn = turn;
                false
            }
        }
    }

    /// Our answer leaves.
    pub(crate) fn answer(&mut self, answer: Description) {
        if self.owes_answer() {
            self.turn = Turn::Free;
            self.agreed = Some(answer);
        }
    }

    /// Our offer was refused or came to nothing: the session is as it was.
    pub(crate) fn withdraw(&mut self) {
        if self.awaits_answer() {
            self.turn = Turn::Free;
        }
    }

    /// What was described before the answer reached nobody for certain: it is described once more. `offered`: the INVITE
    /// carried an offer.
    pub(crate) fn reopen(&mut self, offered: bool) {
        self.turn = if offered { Turn::OfferIn } else { Turn::Free };
        self.agreed = None;
    }

    /// The peer's offer was refused: the session is as it was.
    pub(crate) fn refuse(&mut self) {
        if self.owes_answer() {
            self.turn = Turn::Free;
        }
    }

    /// Reads in what the peer agreed to whether it holds the call. Some, if that changed.
    pub(crate) fn note_hold(&mut self, description: &Description) -> Option<bool> {
        let holds = body::holds(description);
        (std::mem::replace(&mut self.peer_holds, holds) != holds).then_some(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Description {
        Description::sdp(name.as_bytes().to_vec())
    }

    #[test]
    fn only_one_offer_is_open_at_a_time() {
        let mut session = Negotiation::default();
        assert!(session.offer(named("o1")));
        assert!(!session.offer(named("o2")) && !session.take_offer(), "ours is open");
        assert!(session.take_answer() && !session.take_answer());
        assert_eq!(session.agreed(), Some(&named("o1")));
        assert!(session.take_offer());
        assert!(
            !session.offer(named("o3")) && !session.take_offer() && !session.take_answer(),
            "the peer's is"
        );
        session.answer(named("a1"));
        assert_eq!((session.agreed(), session.is_free()), (Some(&named("a1")), true));
    }

    #[test]
    fn what_fails_leaves_the_session_as_it_was() {
        let mut session = Negotiation::offered(named("o1"));
        assert!(session.take_answer());
        assert!(session.offer(named("o2")));
        session.withdraw();
        assert_eq!((session.agreed(), session.is_free()), (Some(&named("o1")), true));
        assert!(session.take_offer());
        session.withdraw();
        assert!(session.owes_answer(), "it is not ours to withdraw");
        session.refuse();
        assert_eq!((session.agreed(), session.is_free()), (Some(&named("o1")), true));
        session.answer(named("late"));
        assert_eq!(session.agreed(), Some(&named("o1")), "nothing was asked");
    }
}
