//! NTLM as SIP uses it: the connectionless variant, NTLMv2 only (MS-NLMP, MS-SIPAE).
//!
//! There is no NEGOTIATE message: the first token is empty, the server answers with a CHALLENGE,
//! [`client::authenticate`] answers that, and both sides hold the same [`session::SessionKeys`].
//! Everything weaker than extended session security with 128-bit keys and key exchange is refused.

pub mod av_pair;
pub mod client;
pub(crate) mod crypto;
pub mod flags;
pub mod message;
pub mod review;
pub mod session;
mod upper_case;

#[cfg(test)]
mod tests;

pub use client::{Binding, ClientRandom, NtlmError, NtlmIdentity, authenticate};
pub use session::{SessionKeys, Side};
