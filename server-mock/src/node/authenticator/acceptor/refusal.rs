//! Why an NTLM token proves nothing.

use thiserror::Error;

/// Why a token proves nothing. For the journal; the peer is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not an AUTHENTICATE message, or an offset beyond its end.
    #[error("the token is malformed")]
    Malformed,
    /// A flag this estate demands is missing, or one came that was not offered.
    #[error("the session flags were weakened")]
    Flags,
    /// No user, no response, or the anonymous flag.
    #[error("an anonymous login")]
    Anonymous,
    /// An NTLMv1 response.
    #[error("an NTLMv1 response")]
    Version1,
    /// The list inside the response lacks names of the challenge.
    #[error("names of the challenge are missing from the response")]
    Names,
    /// The client's clock is off by 36 h or more.
    #[error("the clock in the response is too far off")]
    Clock,
    /// The response does not prove the password, or the user does not exist.
    #[error("wrong user or password")]
    Password,
    /// A MIC was announced and is absent or wrong.
    #[error("the message integrity code is wrong")]
    Mic,
    /// Target name or channel binding belong to another server, or are absent where demanded.
    #[error("bound to another server or connection")]
    Binding,
}
