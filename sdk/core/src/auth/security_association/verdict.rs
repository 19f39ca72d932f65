//! What the signature of a received message is worth.

use crate::error::SignatureFault;

/// What a message's signature is worth. Only `Good` changed the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by the peer, not seen before.
    Good {
        /// The peer's counter.
        num: u32,
    },
    /// No signature of this mechanism.
    Unsigned,
    /// A signature that is wrong, contradicts itself or cannot be read.
    BadSignature,
    /// A good signature that was seen before.
    Replayed,
    /// A good signature, but 256 or more counters behind; it may or may not have been seen.
    BelowWindow,
    /// A signature for another realm, another server, or (from a client) another association.
    OtherAssociation,
}

impl Verdict {
    /// True for [`Verdict::Good`].
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Good { .. })
    }

    /// The reason to refuse the message, in the vocabulary of errors.
    pub fn fault(self) -> Option<SignatureFault> {
        match self {
            Verdict::Good { .. } => None,
            Verdict::Unsigned => Some(SignatureFault::Unsigned),
            Verdict::BadSignature => Some(SignatureFault::BadSignature),
            Verdict::Replayed | Verdict::BelowWindow => Some(SignatureFault::Replayed),
            Verdict::OtherAssociation => Some(SignatureFault::OtherAssociation),
        }
    }
}
