//! `a=rtcp`: where RTCP goes, if not to the next port (RFC 3605).

use std::fmt;

use super::connection::Connection;

/// The port of RTCP, and its address where it has one of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rtcp<'m> {
    /// The port; 0 where nothing is received.
    pub port: u16,
    /// The address; that of the media where it is not said.
    pub connection: Option<Connection<'m>>,
}

impl<'m> Rtcp<'m> {
    /// Reads the value of an `a=rtcp`.
    pub fn parse(value: &'m str) -> Option<Rtcp<'m>> {
        let value = value.trim();
        let (port, connection) = match value.split_once(' ') {
            Some((port, connection)) => (port, Some(Connection::parse(connection.trim_start())?)),
            None => (value, None),
        };
        Some(Rtcp { port: port.parse().ok()?, connection })
    }
}

impl fmt::Display for Rtcp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        self.connection.map_or(Ok(()), |connection| write!(f, " {connection}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        for text in ["53020", "53020 IN IP4 126.16.64.4", "53020 IN IP6 2001:db8::1"] {
            assert_eq!(Rtcp::parse(text).unwrap().to_string(), text);
        }
        let rtcp = Rtcp::parse("9 IN IP4 192.0.2.1").unwrap();
        assert_eq!((rtcp.port, rtcp.connection.unwrap().ip()), (9, "192.0.2.1".parse().ok()));
        for wrong in ["", "x", "70000", "-1", "9 IN", "9 192.0.2.1"] {
            assert_eq!(Rtcp::parse(wrong), None, "{wrong:?}");
        }
    }
}
