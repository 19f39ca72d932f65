//! How large a message may be: every bound in one place, counted while reading.

/// The bounds a peer's message is held to.
///
/// Lengths are octets, the rest are counts. The default is meant for a peer that has not authenticated yet;
/// [`Limits::kerberos`] makes room for a ticket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The whole message, head and body.
    pub message: usize,
    /// The start line, or one header line with its folds; its end counts.
    pub line: usize,
    /// One Authorization, Proxy-Authorization or challenge line.
    pub auth_line: usize,
    /// Header lines.
    pub headers: usize,
    /// Via values, lists counted by value.
    pub vias: usize,
    /// Contact values, lists counted by value.
    pub contacts: usize,
    /// The Request-URI.
    pub uri: usize,
    /// The body, as Content-Length counts it.
    pub body: usize,
}

impl Limits {
    /// The default with room for a Kerberos ticket in the auth headers (a 48,000 octet token is 64,000 in base64).
    pub fn kerberos() -> Limits {
        Limits { auth_line: 96 * 1024, ..Limits::default() }
    }

    /// The octets that a line may have, its end among them.
    pub(crate) fn of_line(&self, is_auth: bool) -> usize {
        if is_auth { self.auth_line.max(self.line) } else { self.line }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message: 128 * 1024,
            line: 8 * 1024,
            auth_line: 16 * 1024,
            headers: 256,
            vias: 70,
            contacts: 32,
            uri: 2 * 1024,
            body: 128 * 1024,
        }
    }
}
