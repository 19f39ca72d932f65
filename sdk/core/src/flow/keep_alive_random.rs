//! The random values of keep-alives: transaction ids of STUN, and the spread of pauses.

use std::time::Duration;

use super::stun::TransactionId;
use crate::ids::{FlowId, Rng, Seed, Streams};
use crate::time::{Moment, Now};

/// The source of all flows.
pub(super) struct KeepAliveRandom {
    stun_ids: Rng,
    pauses: Streams,
}

/// The source, lent to one flow at one instant.
///
/// A pause is the first value of a stream of its own, numbered by flow and instant, so that one more
/// message on one flow moves the keep-alives of no other.
pub(super) struct FlowRandom<'a> {
    source: &'a mut KeepAliveRandom,
    flow: FlowId,
    at: Moment,
}

impl KeepAliveRandom {
    pub(super) fn new(seed: &Seed) -> Self {
        Self { stun_ids: seed.rng("STUN transaction"), pauses: seed.stream("pause", &[]).streams() }
    }

    pub(super) fn of(&mut self, flow: FlowId, now: Now) -> FlowRandom<'_> {
        FlowRandom { source: self, flow, at: now.since_start }
    }
}

impl FlowRandom<'_> {
    /// The id of a STUN request (RFC 8489 section 5).
    pub(super) fn stun_id(&mut self) -> TransactionId {
        self.source.stun_ids.bytes()
    }

    /// A pause drawn evenly from `least..=most`, in milliseconds.
    pub(super) fn between(&self, purpose: &'static str, least: Duration, most: Duration) -> Duration {
        let stream = self.source.pauses.stream(purpose, &[self.flow.0, self.at.as_nanos()]);
        Rng::new(&stream).between(least, most)
    }
}
