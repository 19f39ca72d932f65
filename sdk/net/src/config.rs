//! How much the sockets carry at most, and how long they wait.

use std::time::Duration;

/// Bounds and waiting times of one set of sockets. Whatever is over a bound is refused and counted.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// Bounds on one message, counted while reading.
    pub message: homing_wire::Limits,
    /// How long dialling may take, TLS handshake included.
    pub connect: Duration,
    /// How long the TLS handshake of an accepted connection may take.
    pub handshake: Duration,
    /// How long sent bytes may stay unacknowledged before the system gives the connection up
    /// (`TCP_USER_TIMEOUT`, RFC 5482; where the system has it).
    pub unacknowledged: Duration,
    /// How long a message on a stream may take from its first byte to its last.
    pub whole_message: Duration,
    /// Accepted connections held at once; further ones are closed as they come.
    pub connections: usize,
    /// Events waiting to be taken; senders wait beyond that, so that a peer is slowed by TCP.
    pub events: usize,
    /// Bytes of messages waiting to be taken, over all connections.
    pub unread_bytes: usize,
    /// Bytes waiting to be written to one connection; a slower peer is cut off. From a sixteenth of
    /// that on an accepted connection is not read, so that a peer's own requests do not cut it off.
    pub unwritten_bytes: usize,
    /// Octets of messages that strangers began and did not finish, over all accepted connections; beyond that the
    /// connection is closed whose message began first.
    pub unfinished_bytes: usize,
    /// Strangers remembered by one listening UDP socket; the longest silent one is forgotten. Peers that are
    /// [held](crate::Sockets::hold) are not among them.
    pub datagram_peers: usize,
    /// How long a closed connection may take to deliver what was sent before.
    pub close_timeout: Duration,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            message: homing_wire::Limits::default(),
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            unacknowledged: Duration::from_secs(20),
            whole_message: Duration::from_secs(30),
            connections: 65_536,
            events: 1_024,
            unread_bytes: 8 << 20,
            unfinished_bytes: 64 << 20,
            unwritten_bytes: 4 << 20,
            datagram_peers: 65_536,
            close_timeout: Duration::from_secs(2),
        }
    }
}
