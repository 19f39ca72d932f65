//! What is wrong with credentials that were shown: each kind is counted by a name of its own.

use homing_core::counter::Counter;

/// What is wrong with credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// None of them is for this server: another scheme, realm or target.
    Foreign,
    /// They contradict themselves, lack a part, or speak a version or algorithm that was not offered.
    Broken,
    /// The token cannot be read, is too long or weakens the session.
    Token,
    /// Wrong user or password.
    Proof,
    /// The signature beside a good token is wrong.
    TokenSignature,
    /// They answer a challenge that is not open here.
    NoChallenge,
    /// They are signed under an association that is not here.
    NoAssociation,
    /// The signature is wrong.
    Signature,
    /// The counter was used before or is too old.
    Replay,
    /// The nonce is not good, or its count was used before.
    Nonce,
    /// They are good, but not for this address.
    Entitlement,
}

impl AuthFailure {
    /// Where it is counted.
    pub fn counter(self) -> Counter {
        match self {
            AuthFailure::Foreign => Counter::ForeignCredentials,
            AuthFailure::Broken => Counter::BrokenCredentials,
            AuthFailure::Token => Counter::BadToken,
            AuthFailure::Proof => Counter::WrongCredentials,
            AuthFailure::NoChallenge | AuthFailure::NoAssociation => Counter::UnknownAssociation,
            AuthFailure::Signature | AuthFailure::TokenSignature => Counter::BadSignature,
            AuthFailure::Replay => Counter::Replayed,
            AuthFailure::Nonce => Counter::StaleNonce,
            AuthFailure::Entitlement => Counter::NotEntitled,
        }
    }

    /// True for an attempt to log on that failed; a connection has only so many.
    pub fn is_attempt(self) -> bool {
        matches!(
            self,
            AuthFailure::Token | AuthFailure::Proof | AuthFailure::TokenSignature | AuthFailure::NoChallenge
        )
    }
}
