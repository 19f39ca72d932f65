//! Every random value a node shows on the wire, in one place, so that a test can dictate them.

use homing_core::ids::{Rng, Seed};

/// Where random values come from.
pub trait Random: Send {
    /// A tag for To (or From, in requests of the server's own).
    fn tag(&mut self) -> String;
    /// The name of a new security association.
    fn opaque(&mut self) -> u32;
    /// Eight bytes for an NTLM challenge.
    fn challenge(&mut self) -> [u8; 8];
    /// Salt of one signature.
    fn salt(&mut self) -> u32;
    /// Sixteen letters and digits for a nonce of Digest.
    fn nonce(&mut self) -> String;
    /// Sixteen letters and digits for the Call-ID of a request of the server's own.
    fn call_id(&mut self) -> String;
    /// Seconds below `bound` to spread those who are sent away.
    fn retry_after(&mut self, bound: u32) -> u32;
    /// The key of an association that does not exist, for the fault that signs with one.
    fn forged_key(&mut self) -> [u8; 16];
    /// Sixteen letters and digits of what is no message, for the fault that sends it.
    fn garbage(&mut self) -> String;
}

/// Values drawn from a seed: one stream for each kind, so that one more of one kind moves no other.
pub struct SeededRandom {
    tag: Rng,
    opaque: Rng,
    challenge: Rng,
    salt: Rng,
    nonce: Rng,
    call_id: Rng,
    retry_after: Rng,
    forged_key: Rng,
    garbage: Rng,
}

impl SeededRandom {
    /// The streams of `seed`.
    pub fn new(seed: &Seed) -> Self {
        Self {
            tag: seed.rng("tag"),
            opaque: seed.rng("opaque"),
            challenge: seed.rng("challenge"),
            salt: seed.rng("srand"),
            nonce: seed.rng("nonce"),
            call_id: seed.rng("Call-ID"),
            retry_after: seed.rng("Retry-After"),
            forged_key: seed.rng("forged key"),
            garbage: seed.rng("garbage"),
        }
    }
}

impl Random for SeededRandom {
    fn tag(&mut self) -> String {
        self.tag.token(10)
    }

    fn opaque(&mut self) -> u32 {
        self.opaque.next_u32()
    }

    fn challenge(&mut self) -> [u8; 8] {
        self.challenge.bytes()
    }

    fn salt(&mut self) -> u32 {
        self.salt.next_u32()
    }

    fn nonce(&mut self) -> String {
        self.nonce.token(16)
    }

    fn call_id(&mut self) -> String {
        self.call_id.token(16)
    }

    fn retry_after(&mut self, bound: u32) -> u32 {
        u32::try_from(self.retry_after.below(u64::from(bound))).unwrap_or_default()
    }

    fn forged_key(&mut self) -> [u8; 16] {
        self.forged_key.bytes()
    }

    fn garbage(&mut self) -> String {
        self.garbage.token(16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_value_of_one_kind_moves_no_other() {
        let kinds: [fn(&mut SeededRandom) -> String; 9] = [
            |random| random.tag(),
            |random| random.opaque().to_string(),
            |random| format!("{:?}", random.challenge()),
            |random| random.salt().to_string(),
            |random| random.nonce(),
            |random| random.call_id(),
            |random| random.retry_after(u32::MAX).to_string(),
            |random| format!("{:?}", random.forged_key()),
            |random| random.garbage(),
        ];
        let seeded = || SeededRandom::new(&Seed::from_number(1));
        let undisturbed = kinds.map(|draw| draw(&mut seeded()));
        for (kind, disturb) in kinds.iter().enumerate() {
            for (other, draw) in kinds.iter().enumerate() {
                let mut random = seeded();
                disturb(&mut random);
                assert_eq!(draw(&mut random) == undisturbed[other], other != kind, "{kind}, {other}");
            }
        }
    }
}
