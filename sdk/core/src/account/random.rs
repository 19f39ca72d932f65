//! Every random value of a login by name, so that a recorded link can be replayed exactly.

use crate::ids::Rng;

/// Where the values of a login that nobody may guess come from.
///
/// [`Rng`] is the source for real use. A test hands in the values of a recorded link and
/// gets the same tokens and signatures.
pub trait Random: Send {
    /// A Call-ID (RFC 3261 section 8.1.1.4).
    fn call_id(&mut self) -> String;
    /// A From tag (RFC 3261 section 19.3).
    fn caller_tag(&mut self) -> String;
    /// A Via branch with its cookie (RFC 3261 section 8.1.1.7).
    fn branch(&mut self) -> String;
    /// The salt of a signature (`crand`, MS-SIPAE).
    fn signature_salt(&mut self) -> u32;
    /// The client's nonce of an NTLM answer (MS-NLMP 2.2.2.7).
    fn client_challenge(&mut self) -> [u8; 8];
    /// The session key the client proposes (MS-NLMP 3.1.5.1.2).
    fn session_key(&mut self) -> [u8; 16];
    /// The client's nonce of a Digest answer (RFC 7616).
    fn cnonce(&mut self) -> String;
    /// A To tag for a request that is answered outside a dialog.
    fn answer_tag(&mut self) -> String;
    /// A number in `0..bound` for waits and weights; 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64;
}

impl Random for Rng {
    fn call_id(&mut self) -> String {
        self.token(32)
    }

    fn caller_tag(&mut self) -> String {
        self.token(10)
    }

    fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.token(20))
    }

    fn signature_salt(&mut self) -> u32 {
        self.next_u32()
    }

    fn client_challenge(&mut self) -> [u8; 8] {
        self.bytes()
    }

    fn session_key(&mut self) -> [u8; 16] {
        self.bytes()
    }

    fn cnonce(&mut self) -> String {
        self.token(32)
    }

    fn answer_tag(&mut self) -> String {
        self.token(10)
    }

    fn below(&mut self, bound: u64) -> u64 {
        Rng::below(self, bound)
    }
}
