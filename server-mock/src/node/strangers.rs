//! How much each source may send through servers nobody configured (decision 7).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use homing_core::time::{Moment, Now};

/// Counts by source and minute. Its memory is bounded, and a crowd of sources cannot make it forget one
/// that is over its cap.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    seen: BTreeMap<IpAddr, (Moment, u32)>,
}

impl Strangers {
    /// Books one request of `source`; false once there were `cap` within this minute.
    pub(super) fn admit(&mut self, source: IpAddr, cap: u32, now: Now) -> bool {
        let source = network(source);
        if !self.seen.contains_key(&source) && self.seen.len() >= MOST {
            self.seen.retain(|_, (since, _)| now.since_start.since(*since) < MINUTE);
            if self.seen.len() >= MOST {
                return false;
            }
        }
        let (since, count) = self.seen.entry(source).or_insert((now.since_start, 0));
        if now.since_start.since(*since) >= MINUTE {
            (*since, *count) = (now.since_start, 0);
        }
        *count = count.saturating_add(1);
        *count <= cap
    }
}

/// Whom an address belongs to: one machine for IPv4, the /64 that every subscriber has for IPv6.
fn network(source: IpAddr) -> IpAddr {
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
        let mut strangers = Strangers::default();
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let said: Vec<bool> = (0..4).map(|_| strangers.admit(one, 2, at(0))).collect();
        assert_eq!(said, [true, true, false, false]);
        assert!(strangers.admit(two, 2, at(30)), "another source is not to blame");
        assert!(!strangers.admit(one, 2, at(59)) && strangers.admit(one, 2, at(60)));
    }

    #[test]
    fn all_addresses_of_one_subscriber_are_one_source() {
        let mut strangers = Strangers::default();
        let address = |host: u128| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | host));
        assert!(strangers.admit(address(1), 1, at(0)));
        assert!(!strangers.admit(address(2), 1, at(0)));
        assert!(strangers.admit(address(1 << 64), 1, at(0)));
    }

    #[test]
    fn a_crowd_of_sources_resets_nobodys_count() {
        let mut strangers = Strangers::default();
        let bad = IpAddr::from([10, 0, 0, 1]);
        assert!(strangers.admit(bad, 1, at(0)) && !strangers.admit(bad, 1, at(0)));
        let crowd = |n: u32| IpAddr::from((0xc000_0000 + n).to_be_bytes());
        let admitted = (0..20_000).filter(|n| strangers.admit(crowd(*n), 1, at(1))).count();
        assert_eq!(admitted, MOST - 1, "there is only so much room");
        assert!(!strangers.admit(bad, 1, at(2)));
        assert!(strangers.admit(crowd(30_000), 1, at(61)), "a minute later there is room again");
    }
}
