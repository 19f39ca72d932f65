//! The `o=` line (RFC 8866 5.2).

use std::fmt;

use super::line::Plain;

/// Who described the session, and which version this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin<'m> {
    /// A user name, or `-`.
    pub user: &'m str,
    /// Identifies the session together with the other parts.
    pub session: u64,
    /// Grows by one with every change (RFC 3264 8).
    pub version: u64,
    /// `IN IP4` or `IN IP6`.
    pub network: &'m str,
    /// An address or a name.
    pub address: &'m str,
}

impl<'m> Origin<'m> {
    /// Reads the value of an `o=` line.
    pub fn parse(value: &'m str) -> Option<Origin<'m>> {
        let (user, rest) = value.split_once(' ')?;
        let (session, rest) = rest.split_once(' ')?;
        let (version, rest) = rest.split_once(' ')?;
        let (network, address) = rest.trim_end().rsplit_once(' ')?;
        let (session, version) = (session.parse().ok()?, version.parse().ok()?);
        (network.split(' ').count() == 2).then_some(Origin { user, session, version, network, address })
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, network, address) = (Plain(self.user), Plain(self.network), Plain(self.address));
        write!(f, "{user} {} {} {network} {address}", self.session, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        let text = "mhandley 29739 7272939 IN IP6 2001:db8::20";
        let origin = Origin::parse(text).unwrap();
        assert_eq!((origin.version, origin.address), (7272939, "2001:db8::20"));
        assert_eq!(origin.to_string(), text);
        for wrong in ["", "- 1 1 IN IP4", "- x 1 IN IP4 a", "- 1 1 IN IP4 a b", "- 1 -1 IN IP4 a"] {
            assert_eq!(Origin::parse(wrong), None, "{wrong}");
        }
    }
}
