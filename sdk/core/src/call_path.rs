//! How the signalling of a call travels.

use std::net::SocketAddr;

/// The connection of a call's signalling, as far as sound depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallPath {
    /// This side's end: the address by which the server, and as a rule the peer, is reached.
    pub local: SocketAddr,
    /// TLS to a server that proved its name: keys for sound may travel by it (RFC 4568 section 7).
    pub is_proved: bool,
}
