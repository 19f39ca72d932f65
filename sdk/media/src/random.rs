//! Randomness of a session: one seed that is handed in, one stream for each purpose.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// What a stream of random values is for. No draw for one purpose moves those of another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// SSRC, first sequence number and first timestamp (RFC 3550 section 5.1), and a new SSRC after a collision.
    Source = 1,
    /// The name in reports (RFC 7022 section 4.2).
    Cname = 2,
    /// When reports go out (RFC 3550 section 6.2).
    Reports = 3,
    /// Session identifier of the `o=` line (RFC 8866 section 5.2).
    Origin = 4,
    /// Master keys (RFC 4568 section 6.1).
    Keys = 5,
}

/// The values of one purpose.
#[derive(Clone)]
pub(crate) struct Random(ChaCha20Rng);

impl Random {
    pub(crate) fn new(seed: &[u8; 32], purpose: Purpose) -> Self {
        let mut rng = ChaCha20Rng::from_seed(*seed);
        rng.set_stream(purpose as u64);
        Self(rng)
    }

    pub(crate) fn u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    pub(crate) fn u16(&mut self) -> u16 {
        let [low, high, ..] = self.u32().to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    pub(crate) fn fill(&mut self, octets: &mut [u8]) {
        self.0.fill_bytes(octets);
    }

    /// A number from 0 to 1, in steps of 2^-16.
    pub(crate) fn fraction(&mut self) -> f64 {
        f64::from(self.u16()) / f64::from(u16::MAX)
    }
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_purpose_and_seed_and_repeat() {
        let draw = |seed: u8, purpose| Random::new(&[seed; 32], purpose).u32();
        assert_eq!(draw(1, Purpose::Keys), draw(1, Purpose::Keys));
        assert_ne!(draw(1, Purpose::Keys), draw(2, Purpose::Keys));
        assert_ne!(draw(1, Purpose::Keys), draw(1, Purpose::Source));
    }
}
