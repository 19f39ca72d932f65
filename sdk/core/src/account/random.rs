//! Every random value of a registration by name, so that a recorded conversation can be replayed exactly.

use crate::ids::{AccountId, Rng, Seed, Streams};
use crate::time::Moment;

/// Where the random values of all registrations of an agent come from.
///
/// [`SeededRandom`] is the source for real use. A test hands in the values of a recorded conversation and
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
    /// The number of the first reliable provisional response, from 1 to 2^31 - 1 (RFC 3262 section 3).
    fn rseq(&mut self) -> u32;
    /// A number in `0..bound`, in milliseconds, that spreads a wait; 0 for a bound of 0.
    fn spread(&mut self, wait: Wait, bound: u64) -> u64;
}

/// A wait that is spread at random, so that many accounts do not come at once.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// What it is for.
    pub purpose: WaitPurpose,
    /// Enters the draw, so that accounts wait apart.
    pub account: AccountId,
    /// When it begins.
    pub from: Moment,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPurpose {
    /// The next attempt after a failed one (RFC 5626 section 4.5).
    Retry,
    /// The first attempt after a registration or the network was lost.
    Loss,
    /// The refresh of a binding.
    Refresh,
    /// A change of a session that met another (RFC 3261 section 14.1).
    Glare,
}

/// Values from one stream for each method.
///
/// The spread of a wait has no state: it is the first value of a stream of its own, numbered by account
/// and instant. So a draw for one account moves no wait of another.
pub struct SeededRandom {
    call_id: Rng,
    caller_tag: Rng,
    branch: Rng,
    signature_salt: Rng,
    client_challenge: Rng,
    session_key: Rng,
    cnonce: Rng,
    answer_tag: Rng,
    rseq: Rng,
    waits: Streams,
}

impl SeededRandom {
    /// The values of `seed`.
    pub fn new(seed: &Seed) -> Self {
        Self {
            call_id: seed.rng("Call-ID"),
            caller_tag: seed.rng("From tag"),
            branch: seed.rng("branch"),
            signature_salt: seed.rng("crand"),
            client_challenge: seed.rng("client challenge"),
            session_key: seed.rng("session key"),
            cnonce: seed.rng("cnonce"),
            answer_tag: seed.rng("To tag"),
            rseq: seed.rng("RSeq"),
            waits: seed.stream("wait", &[]).streams(),
        }
    }
}

impl Random for SeededRandom {
    fn call_id(&mut self) -> String {
        self.call_id.token(32)
    }

    fn caller_tag(&mut self) -> String {
        self.caller_tag.token(10)
    }

    fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.branch.token(20))
    }

    fn signature_salt(&mut self) -> u32 {
        self.signature_salt.next_u32()
    }

    fn client_challenge(&mut self) -> [u8; 8] {
        self.client_challenge.bytes()
    }

    fn session_key(&mut self) -> [u8; 16] {
        self.session_key.bytes()
    }

    fn cnonce(&mut self) -> String {
        self.cnonce.token(32)
    }

    fn answer_tag(&mut self) -> String {
        self.answer_tag.token(10)
    }

    fn rseq(&mut self) -> u32 {
        (self.rseq.next_u32() & 0x7fff_ffff).max(1)
    }

    fn spread(&mut self, wait: Wait, bound: u64) -> u64 {
        let purpose = match wait.purpose {
            WaitPurpose::Retry => "retry",
            WaitPurpose::Loss => "loss",
            WaitPurpose::Refresh => "refresh",
            WaitPurpose::Glare => "glare",
        };
        let numbers = [u64::from(wait.account.0), wait.from.as_nanos()];
        Rng::new(&self.waits.stream(purpose, &numbers)).below(bound)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn all(random: &mut SeededRandom) -> [String; 10] {
        let wait =
            Wait { purpose: WaitPurpose::Retry, account: AccountId(3), from: Moment(Duration::from_secs(9)) };
        [
            random.call_id(),
            random.caller_tag(),
            random.branch(),
            random.signature_salt().to_string(),
            format!("{:?}", random.client_challenge()),
            format!("{:?}", random.session_key()),
            random.cnonce(),
            random.answer_tag(),
            random.rseq().to_string(),
            random.spread(wait, u64::MAX).to_string(),
        ]
    }

    #[test]
    fn one_more_value_of_one_kind_moves_no_other() {
        let undisturbed = all(&mut SeededRandom::new(&Seed::from_number(1)));
        let more: [fn(&mut SeededRandom); 9] = [
            |random| drop(random.call_id()),
            |random| drop(random.caller_tag()),
            |random| drop(random.branch()),
            |random| _ = random.signature_salt(),
            |random| _ = random.client_challenge(),
            |random| _ = random.session_key(),
            |random| drop(random.cnonce()),
            |random| drop(random.answer_tag()),
            |random| _ = random.rseq(),
        ];
        for (kind, draw) in more.iter().enumerate() {
            let mut random = SeededRandom::new(&Seed::from_number(1));
            draw(&mut random);
            let disturbed = all(&mut random);
            for other in 0..undisturbed.len() {
                assert_eq!(undisturbed[other] == disturbed[other], other != kind, "{kind}, {other}");
            }
        }
    }

    #[test]
    fn a_wait_is_spread_by_purpose_account_and_instant_alone() {
        let mut random = SeededRandom::new(&Seed::from_number(2));
        let mut draw = |purpose, account, from| {
            let wait =
                Wait { purpose, account: AccountId(account), from: Moment(Duration::from_millis(from)) };
            random.spread(wait, u64::MAX)
        };
        let first = draw(WaitPurpose::Retry, 1, 1);
        let others = [
            draw(WaitPurpose::Loss, 1, 1),
            draw(WaitPurpose::Refresh, 1, 1),
            draw(WaitPurpose::Retry, 2, 1),
            draw(WaitPurpose::Retry, 1, 2),
        ];
        assert!(!others.contains(&first), "{others:?}");
        assert_eq!(draw(WaitPurpose::Retry, 1, 1), first);
    }
}
