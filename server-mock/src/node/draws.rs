//! Every random value a node shows on the wire, in one place, so that a test can dictate them.

use homing_core::ids::{Rng, Seed};

/// Where random values come from.
pub trait Draws: Send {
    /// A tag for To (or From, in requests of the server's own).
    fn tag(&mut self) -> String;
    /// The name of a new security association.
    fn opaque(&mut self) -> u32;
    /// Eight bytes for an NTLM challenge.
    fn challenge(&mut self) -> [u8; 8];
    /// Salt of one signature.
    fn salt(&mut self) -> u32;
    /// Letters and digits for branches, Call-IDs and nonces.
    fn token(&mut self) -> String;
    /// A number below `bound`, to spread what must not come at once.
    fn below(&mut self, bound: u32) -> u32;
}

/// Values drawn from a seed.
pub struct SeededDraws(Rng);

impl SeededDraws {
    /// The draws of `seed`.
    pub fn new(seed: &Seed) -> Self {
        Self(Rng::new(seed))
    }
}

impl Draws for SeededDraws {
    fn tag(&mut self) -> String {
        self.0.token(10)
    }

    fn opaque(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn challenge(&mut self) -> [u8; 8] {
        self.0.bytes()
    }

    fn salt(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn token(&mut self) -> String {
        self.0.token(16)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.0.below(u64::from(bound))).unwrap_or_default()
    }
}
