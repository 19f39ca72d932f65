//! What the network draws: numbers that depend on what they are for, and on nothing drawn before.

use std::time::Duration;

use homing_core::ids::Seed;

/// Draws without state.
///
/// Each number is a hash of the seed and of what it is drawn for: the hosts, the link, the instant, the
/// purpose. So one more message changes the travel, loss and copies of no other message.
#[derive(Clone, Copy, Debug)]
pub struct Chance(u64);

/// What a number is drawn for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// How long a journey takes.
    Travel = 1,
    /// Whether a datagram or a segment is lost.
    Loss = 2,
    /// How often a datagram arrives.
    Copies = 3,
    /// Where a stream is cut into pieces.
    Cut = 4,
}

impl Chance {
    /// The chance of one network.
    pub fn new(seed: &Seed) -> Self {
        Self(seed.rng("network").next_u64())
    }

    /// The chance of what `number` names, within this one.
    #[must_use]
    pub fn of(self, number: u64) -> Self {
        // SplitMix64: two numbers in a row are as far apart as any two.
        let mut hash =
            (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(hash ^ (hash >> 31))
    }

    /// The chance of what `octets` name, within this one.
    #[must_use]
    pub fn of_octets(self, octets: &[u8]) -> Self {
        octets.iter().fold(self, |chance, octet| chance.of(u64::from(*octet)))
    }

    /// The chance of what happens at an instant, within this one.
    #[must_use]
    pub fn of_instant(self, at: Duration) -> Self {
        self.of(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX))
    }

    /// A number in `0..bound`; 0 for a bound of 0. The same question has the same answer.
    pub fn below(self, purpose: Purpose, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.of(purpose as u64).0 % bound }
    }
}

/// Of connection attempts.
pub(super) const DIALS: u64 = 1;
/// Of DNS questions.
pub(super) const QUESTIONS: u64 = 2;
/// Of what travels on links.
pub(super) const LINKS: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly_whatever_they_are_for() {
        let chance = Chance::new(&Seed::from_number(1));
        let mut hits = [[0u32; 10]; 2];
        for n in 0..10_000 {
            hits[0][usize::try_from(chance.of(n).below(Purpose::Loss, 10)).unwrap()] += 1;
            let of_instant = chance.of(7).of(n * 1_000_000).of(0);
            hits[1][usize::try_from(of_instant.below(Purpose::Travel, 10)).unwrap()] += 1;
        }
        assert!(hits.iter().flatten().all(|hits| (900..1_100).contains(hits)), "{hits:?}");
    }

    #[test]
    fn purposes_and_names_differ() {
        let chance = Chance::new(&Seed::from_number(2));
        let draws = [
            chance.below(Purpose::Travel, u64::MAX),
            chance.below(Purpose::Loss, u64::MAX),
            chance.below(Purpose::Copies, u64::MAX),
            chance.below(Purpose::Cut, u64::MAX),
            chance.of(1).of(2).below(Purpose::Travel, u64::MAX),
            chance.of(2).of(1).below(Purpose::Travel, u64::MAX),
            chance.of_octets(b"a").below(Purpose::Travel, u64::MAX),
            chance.of_octets(b"b").below(Purpose::Travel, u64::MAX),
        ];
        let distinct: std::collections::BTreeSet<u64> = draws.into_iter().collect();
        assert_eq!(distinct.len(), draws.len());
    }
}
