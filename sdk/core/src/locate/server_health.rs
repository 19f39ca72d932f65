//! The memory of servers that failed or asked to be left alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::time::{Moment, Now};
use crate::transport::Transport;

/// Which addresses failed lately, kept across searches (RFC 3263 section 4.3).
///
/// It only changes the order: one that failed is tried after its equals, one that answered 503 with
/// Retry-After (RFC 3261 section 21.5.4) after all others. Nothing is left out, so a forged refusal
/// or a lost packet can delay a login but never make it impossible.
#[derive(Clone, Debug)]
pub struct ServerHealth {
    places: BTreeMap<(SocketAddr, Transport), Failure>,
    longest: Duration,
}

/// What is remembered of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failure {
    until: Moment,
    condition: Condition,
}

/// How an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It failed lately: after its equals.
    Failed,
    /// It asked for a pause: after all others.
    Busy,
}

impl ServerHealth {
    /// An empty memory that honours a Retry-After up to `longest`.
    pub fn new(longest: Duration) -> Self {
        Self { places: BTreeMap::new(), longest }
    }

    /// It could not be reached, or said nothing at all.
    pub fn failed(&mut self, addr: SocketAddr, transport: Transport, now: Now) {
        let failure = Failure { until: now.after(FAILED_FOR), condition: Condition::Failed };
        self.remember((addr, transport), failure, now);
    }

    /// It answered 503 with this Retry-After.
    pub fn busy(&mut self, addr: SocketAddr, transport: Transport, retry_after: Duration, now: Now) {
        let until = now.after(retry_after.min(self.longest));
        self.remember((addr, transport), Failure { until, condition: Condition::Busy }, now);
    }

    /// It took a registration: what was remembered of it is over.
    pub fn recovered(&mut self, addr: SocketAddr, transport: Transport) {
        self.places.remove(&(addr, transport));
    }

    /// How many addresses are remembered.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True if nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How the addresses stand at this moment.
    pub(super) fn conditions(&self, now: Now) -> BTreeMap<(SocketAddr, Transport), Condition> {
        let current = self.places.iter().filter(|(_, place)| !now.reached(place.until));
        current.map(|(key, place)| (*key, place.condition)).collect()
    }

    fn remember(&mut self, place: (SocketAddr, Transport), failure: Failure, now: Now) {
        self.places.retain(|_, known| !now.reached(known.until));
        if self.places.len() >= PLACES && !self.places.contains_key(&place) {
            let soonest = self.places.iter().min_by_key(|(_, known)| known.until).map(|(key, _)| *key);
            soonest.map(|key| self.places.remove(&key));
        }
        self.places.insert(place, failure);
    }
}

/// How long a failure without Retry-After counts: about one login attempt of RFC 5626 section 4.5.
const FAILED_FOR: Duration = Duration::from_secs(60);

/// Addresses remembered at most; the one that is over soonest makes room.
const PLACES: usize = 256;
