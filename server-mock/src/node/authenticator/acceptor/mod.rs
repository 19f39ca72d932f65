//! The server's half of NTLM in datagram mode, written from MS-NLMP alone, without a look at the client.
//!
//! Nothing of the user agent's half is used here, so that both ends cannot share one misreading.
//! What is shared lies behind the handshake: session keys and MACs.

mod authenticate;
mod av;
mod challenge;
mod crypto;
mod refusal;
mod upper_case;
mod verdict;

pub use challenge::{Challenge, ServerNames};
pub use crypto::NtHash;
pub(crate) use flag::OFFER;
pub use refusal::Refusal;
pub use verdict::{Accepted, Claim, Expected};

/// Negotiate flags of MS-NLMP 2.2.2.5 that this acceptor decides by.
pub(crate) mod flag {
    pub(crate) const UNICODE: u32 = 0x0000_0001;
    pub(crate) const SIGN: u32 = 0x0000_0010;
    pub(crate) const SEAL: u32 = 0x0000_0020;
    pub(crate) const DATAGRAM: u32 = 0x0000_0040;
    pub(crate) const LM_KEY: u32 = 0x0000_0080;
    pub(crate) const NTLM: u32 = 0x0000_0200;
    pub(crate) const ANONYMOUS: u32 = 0x0000_0800;
    pub(crate) const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub(crate) const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
    pub(crate) const KEY_128: u32 = 0x2000_0000;
    pub(crate) const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub(crate) const KEY_56: u32 = 0x8000_0000;

    /// What the challenge of a real server offers.
    pub(crate) const OFFER: u32 = 0xE298_82F3;
    /// Without any one of these the session would be weaker than this estate allows.
    pub(crate) const REQUIRED: u32 =
        UNICODE | NTLM | SIGN | DATAGRAM | KEY_EXCHANGE | EXTENDED_SESSION_SECURITY | KEY_128;
    /// Bits that shape the session's keys and signatures: none may appear that was not offered.
    pub(crate) const SESSION: u32 = SIGN
        | SEAL
        | DATAGRAM
        | LM_KEY
        | ALWAYS_SIGN
        | EXTENDED_SESSION_SECURITY
        | KEY_128
        | KEY_EXCHANGE
        | KEY_56;
}

#[cfg(test)]
mod tests;
