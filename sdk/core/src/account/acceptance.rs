//! What a signature proved of a message, and whether the message is listened to (decision 12).

use homing_wire::Message;

use crate::error::SignatureFault;

/// What the signature of a message proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// The association with the sender signed it.
    Signed,
    /// There is no association that could have signed it.
    Unsignable,
    /// There is one, and it did not sign this.
    Refused(SignatureFault),
}

/// What to do with a response whose signature was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    /// Feed it.
    Believed,
    /// Feed it although nothing signs it: it can only delay or begin a handshake (decision 12).
    Tolerated,
    /// Ignore it.
    Refused(SignatureFault),
}

impl Acceptance {
    /// Without a signature only 1xx, 401, 407, 408 and 503 are listened to, once there is an association
    /// (decision 12). There is one from the first final it signs; but an answer to the token that is to
    /// establish it is judged as if it stood, because the signer is known by then. Before, whatever
    /// comes by the verified connection is heard. An unsigned 408 or 503 may delay a login or send it to
    /// the next server of its domain, and never counts against a remembered home.
    pub(crate) fn of(message: &Message, verdict: SignatureVerdict) -> Self {
        match (verdict, message.status().unwrap_or_default()) {
            (SignatureVerdict::Signed | SignatureVerdict::Unsignable, _) => Acceptance::Believed,
            (SignatureVerdict::Refused(SignatureFault::Unsigned), 100..=199 | 401 | 407 | 408 | 503) => {
                Acceptance::Tolerated
            }
            (SignatureVerdict::Refused(why), _) => Acceptance::Refused(why),
        }
    }
}

impl From<Option<SignatureFault>> for SignatureVerdict {
    /// Of what an association found wrong with a message.
    fn from(fault: Option<SignatureFault>) -> Self {
        fault.map_or(SignatureVerdict::Signed, SignatureVerdict::Refused)
    }
}
