//! What a session is made with.

use std::net::IpAddr;
use std::time::Duration;

/// What a session is handed at its start. Its `Debug` shows no seed.
#[derive(Clone)]
pub struct Setup {
    /// From a generator fit for keys; all randomness of the session comes from it.
    pub seed: [u8; 32],
    /// Tells addresses behind a translator from public ones (decision 22): a peer that signalled an address for which
    /// this is true may be learnt from its packets, if for theirs it is not.
    pub is_private: fn(IpAddr) -> bool,
    /// Without a packet for so long the peer counts as silent, which is told and ends nothing.
    pub silence: Duration,
}

impl Setup {
    /// The usual: private is [`is_private`], silent is five seconds.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, is_private, silence: Duration::from_secs(5) }
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("silence", &self.silence).finish_non_exhaustive()
    }
}

/// Addresses that the public network does not route: RFC 1918, 3927, 6598, loopback; RFC 4193 and link-local of IPv6.
pub fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_is_what_is_not_routed() {
        for ip in ["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "::1"] {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["fd00::1", "fe80::1", "::ffff:10.0.0.1"] {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["192.0.2.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(!is_private(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn debug_shows_no_seed() {
        assert!(!format!("{:?}", Setup::new([77; 32])).contains("77"));
    }
}
