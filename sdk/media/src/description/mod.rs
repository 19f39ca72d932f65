//! Offers and answers of sound: what they say (RFC 3264). Whose turn it is, is the dialog's business.

mod agreed;
mod policy;
mod refusal;

pub use agreed::{Agreed, Format, Keys, Remote, RemoteHost};
pub use policy::{LocalAddress, Policy, Security};
pub use refusal::Refusal;

/// The offers and answers of one dialog. Forks of one offer are clones of it.
#[derive(Clone, Debug)]
pub struct Negotiation {}

/// An answer of ours, and what it comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The body, of type `application/sdp`.
    pub body: String,
    /// To be handed to the session.
    pub agreed: Agreed,
}

impl Negotiation {
    /// Before the first offer of either side. The seed is to be fit for keys.
    pub fn new(policy: Policy, local: LocalAddress, seed: &[u8; 32]) -> Negotiation {
        todo!("{policy:?} {local:?} {seed:?}")
    }

    /// An offer, at first or of a change: `is_held` asks the peer to be silent (RFC 3264 section 8.4). Said twice
    /// without a change between, it is the same octets.
    pub fn offer(&mut self, is_held: bool) -> String {
        todo!("{is_held}")
    }

    /// Reads the answer to our last offer. May be repeated: the answer of a final response replaces that of a
    /// provisional one.
    ///
    /// # Errors
    /// [`Refusal`]: nothing is agreed on, and what was before stands.
    pub fn take_answer(&mut self, answer: &[u8]) -> Result<Agreed, Refusal> {
        todo!("{answer:?}")
    }

    /// Answers an offer of the peer. The same offer gets the same answer, to the octet.
    ///
    /// # Errors
    /// [`Refusal`]: the offer is to be answered by 488; what was agreed on before stands.
    pub fn answer(&mut self, offer: &[u8], is_held: bool) -> Result<Answer, Refusal> {
        todo!("{offer:?} {is_held}")
    }
}
