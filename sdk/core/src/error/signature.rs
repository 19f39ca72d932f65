//! What can be wrong with a message that should be signed.

use thiserror::Error;

/// What was wrong with a signed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// It carries no signature although an association exists.
    #[error("the answer is not signed")]
    Unsigned,
    /// The signature does not fit the message.
    #[error("its signature is wrong")]
    BadSignature,
    /// The signature was seen before.
    #[error("it is a replay")]
    Replayed,
    /// The signature belongs to the association of another server.
    #[error("another server's association signed it")]
    OtherAssociation,
}
