//! How much each source may send through servers that are not configured (decision 7), and other counts of one minute.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use homing_core::time::{Moment, Now};

/// Counts by source and minute. Its memory is bounded, and a crowd of sources cannot make it forget one
/// that is over its cap.
#[derive(Debug)]
pub(super) struct RateLimit(MinuteCounts<IpAddr>);

impl RateLimit {
    /// Books one request of `source`; false once there were `cap` within this minute.
    pub(super) fn admit(&mut self, source: IpAddr, cap: u32, now: Now) -> bool {
        self.0.book(network(source), now).is_some_and(|count| count <= cap)
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self(MinuteCounts::new(MOST))
    }
}

/// Counts by key and minute. A key keeps its count until its minute is over, whoever else comes.
#[derive(Debug)]
pub(super) struct MinuteCounts<K> {
    seen: BTreeMap<K, (Moment, u32)>,
    most: usize,
    /// There was no room for a key: until then all that are not known count as having reached their cap.
    full_until: Moment,
}

impl<K: Ord> MinuteCounts<K> {
    /// Counts for at most so many keys.
    pub(super) fn new(most: usize) -> Self {
        Self { seen: BTreeMap::new(), most, full_until: Moment::default() }
    }

    /// Adds one and gives the count of this minute; none where there is no room for another key.
    pub(super) fn book(&mut self, key: K, now: Now) -> Option<u32> {
        if !self.seen.contains_key(&key) && self.seen.len() >= self.most {
            self.seen.retain(|_, (since, _)| now.since_start.since(*since) < MINUTE);
            if self.seen.len() >= self.most {
                self.full_until = now.after(MINUTE);
                return None;
            }
        }
        let (since, count) = self.seen.entry(key).or_insert((now.since_start, 0));
        if now.since_start.since(*since) >= MINUTE {
            (*since, *count) = (now.since_start, 0);
        }
        *count = count.saturating_add(1);
        Some(*count)
    }

    /// What is left of the minute of a key that has reached `cap`, or that there was no room for; none where it has not.
    pub(super) fn left<Q: Ord + ?Sized>(&self, key: &Q, cap: u32, now: Now) -> Option<Duration>
    where
        K: std::borrow::Borrow<Q>,
    {
        let Some((since, count)) = self.seen.get(key) else {
            return Some(self.full_until.since(now.since_start)).filter(|left| !left.is_zero());
        };
        let left = MINUTE.checked_sub(now.since_start.since(*since)).filter(|left| !left.is_zero())?;
        (*count >= cap).then_some(left)
    }
}

/// Whom an address belongs to: one machine for IPv4, the /64 that every subscriber has for IPv6.
pub(super) fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now::new(Duration::from_secs(seconds), Duration::ZERO)
    }

    #[test]
    fn each_source_has_its_own_cap_and_a_new_one_every_minute() {
        let mut strangers = RateLimit::default();
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let said: Vec<bool> = (0..4).map(|_| strangers.admit(one, 2, at(0))).collect();
        assert_eq!(said, [true, true, false, false]);
        assert!(strangers.admit(two, 2, at(30)), "another source is not to blame");
        assert!(!strangers.admit(one, 2, at(59)) && strangers.admit(one, 2, at(60)));
    }

    #[test]
    fn all_addresses_of_one_subscriber_are_one_source() {
        let mut strangers = RateLimit::default();
        let address = |host: u128| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | host));
        assert!(strangers.admit(address(1), 1, at(0)));
        assert!(!strangers.admit(address(2), 1, at(0)));
        assert!(strangers.admit(address(1 << 64), 1, at(0)));
    }

    #[test]
    fn a_crowd_of_sources_resets_nobodys_count() {
        let mut strangers = RateLimit::default();
        let bad = IpAddr::from([10, 0, 0, 1]);
        assert!(strangers.admit(bad, 1, at(0)) && !strangers.admit(bad, 1, at(0)));
        let crowd = |n: u32| IpAddr::from((0xc000_0000 + n).to_be_bytes());
        let admitted = (0..20_000).filter(|n| strangers.admit(crowd(*n), 1, at(1))).count();
        assert_eq!(admitted, MOST - 1, "there is only so much room");
        assert!(!strangers.admit(bad, 1, at(2)));
        assert!(strangers.admit(crowd(30_000), 1, at(61)), "a minute later there is room again");
    }
}
