//! The limits of a server: what strangers may take of it, and what it holds for those who proved who they are.
//!
//! Who is over a limit displaces only what is of its own kind: a stranger ends nothing that a user holds.

use std::time::Duration;

/// Bounds of one server. Whatever is evicted or refused for one of them is counted, and journalled at most once a second.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wrong credentials on one connection before 403.
    pub attempts: u8,
    /// How long a challenge may be answered.
    pub half_open: Duration,
    /// Unanswered challenges held on one connection of a client; the oldest of it goes.
    pub half_open_of_connection: usize,
    /// Unanswered challenges held for one source address; the oldest of it goes.
    pub half_open_of_source: usize,
    /// Unanswered challenges held in all; the oldest goes.
    pub half_open_count: usize,
    /// How long a Digest nonce is good.
    pub nonce: Duration,
    /// Digest nonces whose counts are held; beyond that the oldest turns stale.
    pub nonces: usize,
    /// Associations held on one connection of a client; the oldest go.
    pub associations: usize,
    /// Associations held on one connection of a server of the estate; the oldest go.
    pub associations_of_server: usize,
    /// Life of an association, grace included.
    pub association: Duration,
    /// How long a connection may stay without authenticating.
    pub unauthenticated: Duration,
    /// Logins a second this server is meant to bear; those who are sent away are told to come again as fast
    /// as that and no faster.
    pub logins_per_second: u32,
    /// Wrong answers a minute from one source, or for one user from strangers together; more are not looked at.
    pub wrong_answers: u32,
    /// Peers by UDP that proved who they are; one more is refused with 503. Strangers are bounded by the sockets
    /// ([`NetConfig`](homing_net::NetConfig)).
    pub datagram_peers: usize,
    /// How many times the octets that a stranger sent by UDP are sent back at most.
    pub amplification: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 3,
            half_open: Duration::from_secs(60),
            half_open_of_connection: 64,
            half_open_of_source: 2_000,
            half_open_count: 50_000,
            nonce: Duration::from_secs(300),
            nonces: 100_000,
            associations: 256,
            associations_of_server: 50_000,
            association: Duration::from_secs(8 * 3600 + 300),
            unauthenticated: Duration::from_secs(120),
            logins_per_second: 1_000,
            wrong_answers: 30,
            datagram_peers: 65_536,
            amplification: 3,
        }
    }
}
