//! A server as it is dialled: the identity that loops, errors and screens speak of.

use std::fmt;

use crate::address::ascii_name;

/// A server as it was dialled: this is what loop detection compares (decision 10).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName {
    /// Host name in A-labels or literal, lower case.
    pub host: String,
    /// As written, from an SRV record, or the transport's default.
    pub port: u16,
}

impl ServerName {
    /// A name as dialled; the host becomes lower case, its U-labels A-labels.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: ascii_name(host), port }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
