//! A server's challenge for a signing mechanism, read and checked, and the client's first answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_wire::Auth;
use thiserror::Error;

use super::name::{AssociationName, Mechanism, Version};

/// A challenge of NTLM or Kerberos (MS-SIPAE 2.2).
///
/// The first round carries no token; the second round of NTLM carries the CHALLENGE and the opaque
/// name of the half-open association. A first-round challenge in answer to an AUTHENTICATE token
/// means that the credentials were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningChallenge {
    /// What the association will be called.
    pub name: AssociationName,
    /// The server's name for it, to be echoed.
    pub opaque: Option<Box<str>>,
    /// The decoded `gssapi-data`; `None` in the first round.
    pub token: Option<Vec<u8>>,
}

/// Why a challenge is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChallengeFault {
    /// Another scheme: Digest, TLS-DSK, or one we do not know.
    #[error("not a challenge of a signing mechanism")]
    OtherScheme,
    /// Realm or targetname is missing.
    #[error("the challenge names no realm or no server")]
    Unnamed,
    /// A version above those we speak.
    #[error("the challenge asks for an unknown protocol version")]
    UnknownVersion,
    /// One of the parameters that matter stands there twice with different values.
    #[error("the challenge contradicts itself")]
    Conflicting,
    /// `gssapi-data` is not base64 or too long, or `opaque` is above 256 characters.
    #[error("the challenge's token is not base64 or too long")]
    Token,
}

impl SigningChallenge {
    /// Reads one challenge.
    ///
    /// # Errors
    /// [`ChallengeFault`]; try the next challenge of the same response.
    pub fn parse(challenge: &Auth<'_>) -> Result<Self, ChallengeFault> {
        let mechanism = Mechanism::parse(challenge.scheme).ok_or(ChallengeFault::OtherScheme)?;
        if challenge.conflicting() {
            return Err(ChallengeFault::Conflicting);
        }
        let version = Version::of(challenge).ok_or(ChallengeFault::UnknownVersion)?;
        let (Some(realm), Some(targetname)) = (challenge.param("realm"), challenge.param("targetname"))
        else {
            return Err(ChallengeFault::Unnamed);
        };
        let opaque = challenge.param("opaque").filter(|opaque| !opaque.is_empty());
        if opaque.is_some_and(|opaque| opaque.len() > OPAQUE_LIMIT) {
            return Err(ChallengeFault::Token);
        }
        let token = match challenge.param("gssapi-data") {
            None | Some("") => None,
            Some(text) => Some(decode_token(mechanism, text).ok_or(ChallengeFault::Token)?),
        };
        let name = AssociationName { mechanism, realm: realm.into(), targetname: targetname.into(), version };
        Ok(Self { name, opaque: opaque.map(Into::into), token })
    }
}

/// Decodes a token within its limit; never allocates more than that.
fn decode_token(mechanism: Mechanism, text: &str) -> Option<Vec<u8>> {
    if text.len() / 4 * 3 > mechanism.token_limit() + 3 {
        return None;
    }
    STANDARD.decode(text).ok().filter(|token| token.len() <= mechanism.token_limit())
}

/// Longest `opaque` that is accepted, in bytes (decision 14).
pub(super) const OPAQUE_LIMIT: usize = 256;
