//! The memory of servers that failed or asked to be left alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::time::{Moment, Now};
use crate::transport::Transport;

/// Which addresses failed lately, kept across searches (RFC 3263 section 4.3).
///
/// One that failed is tried after its equals; one that answered 503 with Retry-After is not tried before
/// that time is over (RFC 3261 section 21.5.4).
#[derive(Clone, Debug)]
pub struct Setbacks {
    places: BTreeMap<(SocketAddr, Transport), Setback>,
    longest: Duration,
}

/// What is remembered of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setback {
    until: Moment,
    standing: Standing,
}

/// How an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It failed lately: after the others.
    Failed,
    /// It asked for a pause: not now.
    Busy,
}

impl Setbacks {
    /// An empty memory that honours a Retry-After up to `longest`.
    pub fn new(longest: Duration) -> Self {
        Self { places: BTreeMap::new(), longest }
    }

    /// It could not be reached, or did not answer.
    pub fn failed(&mut self, addr: SocketAddr, transport: Transport, now: Now) {
        self.remember(addr, transport, Standing::Failed, now.after(FAILED_FOR));
    }

    /// It answered 503 with this Retry-After.
    pub fn busy(&mut self, addr: SocketAddr, transport: Transport, retry_after: Duration, now: Now) {
        self.remember(addr, transport, Standing::Busy, now.after(retry_after.min(self.longest)));
    }

    /// It answered well: what was remembered of it is over.
    pub fn recovered(&mut self, addr: SocketAddr, transport: Transport) {
        self.places.remove(&(addr, transport));
    }

    /// When the first pause that was asked for is over.
    pub fn earliest(&self, now: Now) -> Option<Moment> {
        let busy = self.places.values().filter(|place| place.standing == Standing::Busy);
        busy.map(|place| place.until).filter(|until| !now.reached(*until)).min()
    }

    /// How the addresses stand at this moment.
    pub(super) fn standing(&self, now: Now) -> BTreeMap<(SocketAddr, Transport), Standing> {
        let current = self.places.iter().filter(|(_, place)| !now.reached(place.until));
        current.map(|(key, place)| (*key, place.standing)).collect()
    }

    fn remember(&mut self, addr: SocketAddr, transport: Transport, standing: Standing, until: Moment) {
        if self.places.len() >= PLACES && !self.places.contains_key(&(addr, transport)) {
            let soonest = self.places.iter().min_by_key(|(_, place)| place.until).map(|(key, _)| *key);
            soonest.map(|key| self.places.remove(&key));
        }
        self.places.insert((addr, transport), Setback { until, standing });
    }
}

/// How long a failure without Retry-After counts: about one login attempt of RFC 5626 section 4.5.
const FAILED_FOR: Duration = Duration::from_secs(60);

/// Addresses remembered at most; the one that is over soonest makes room.
const PLACES: usize = 256;
