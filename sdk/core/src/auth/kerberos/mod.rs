//! The seam for Kerberos: who computes message integrity codes once a ticket was accepted.
//!
//! Getting tickets is the business of the operating system's GSS library, outside of core. What
//! core needs of an established context is [`MessageIntegrity`]; a security association signs and
//! verifies with it exactly as it does with NTLM keys. [`ArcfourContext`] and [`AesContext`] compute
//! the codes from a session key, for hosts whose library hands out the key and for proof.

mod mic;

pub use mic::{AesContext, ArcfourContext};

use super::ntlm::Side;

/// An established context that makes and checks integrity codes (GSS_GetMIC, GSS_VerifyMIC).
pub trait MessageIntegrity: Send + Sync {
    /// The code of `message` as `side` sends it.
    fn sign(&self, side: Side, message: &[u8]) -> Vec<u8>;

    /// True if `token` is a code that `side` made for `message`. Must not leak through timing how
    /// much of a wrong token is right.
    fn verify(&self, side: Side, message: &[u8], token: &[u8]) -> bool;
}
