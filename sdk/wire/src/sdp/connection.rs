//! The `c=` line (RFC 8866 5.7).

use std::fmt;
use std::net::IpAddr;

use super::line::Plain;

/// Where media go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Connection<'m> {
    /// `IN IP4` or `IN IP6`.
    pub network: &'m str,
    /// An address or a name, for multicast with its scope (`224.2.1.1/127`).
    pub address: &'m str,
}

impl<'m> Connection<'m> {
    /// Reads the value of a `c=` line.
    pub fn parse(value: &'m str) -> Option<Connection<'m>> {
        let (network, address) = value.trim_end().rsplit_once(' ')?;
        (network.split(' ').count() == 2).then_some(Connection { network, address })
    }

    /// The address, where it is one; a multicast scope is left out.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.split('/').next()?.parse().ok()
    }

    /// The old way to hold a call: the address of nowhere (RFC 3264 8.4).
    pub fn is_nowhere(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }
}

impl fmt::Display for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Plain(self.network), Plain(self.address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_and_names_are_read() {
        let ip = |text| Connection::parse(text).unwrap().ip();
        assert_eq!(ip("IN IP4 192.0.2.1"), "192.0.2.1".parse().ok());
        assert_eq!(ip("IN IP6 ::ffff:192.0.2.2"), "::ffff:192.0.2.2".parse().ok());
        assert_eq!(ip("IN IP4 224.2.1.1/127/3"), "224.2.1.1".parse().ok());
        assert_eq!(ip("IN IP4 host.example.com"), None);
        assert!(Connection::parse("IN IP4 0.0.0.0").unwrap().is_nowhere());
        assert!(Connection::parse("IN").is_none() && Connection::parse("IP4 a").is_none());
    }
}
