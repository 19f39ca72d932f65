//! Counts of whatever the sockets refuse, drop or cut.

use std::sync::atomic::{AtomicU64, Ordering};

/// A reading of the counters of one set of sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetCounters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed on inbound because too many were open, or the system refused another.
    pub accept_refused: u64,
    /// TLS handshakes of clients that failed or took too long.
    pub handshake_failed: u64,
    /// Streams that could not be cut into messages.
    pub malformed: u64,
    /// Streams that ended, or came to a stand, inside a message.
    pub half_messages: u64,
    /// Connections of strangers closed because too much was left unfinished.
    pub unfinished_dropped: u64,
    /// Connections cut because the peer did not read.
    pub slow_peers: u64,
    /// Datagrams not sent: queue full, or refused by the system.
    pub datagrams_dropped: u64,
    /// Datagrams that came to a dialled socket from elsewhere than its peer, but for responses from its address.
    pub strangers: u64,
    /// Peers of a UDP listener forgotten because a new one came while the table was full.
    pub peers_forgotten: u64,
    /// Sends to flows that are gone.
    pub stray_sends: u64,
}

/// The counters while they count; shared by all tasks of one set of sockets.
#[derive(Debug, Default)]
pub(crate) struct LiveCounters {
    pub(crate) accepted: Count,
    pub(crate) accept_refused: Count,
    pub(crate) handshake_failed: Count,
    pub(crate) malformed: Count,
    pub(crate) half_messages: Count,
    pub(crate) unfinished_dropped: Count,
    pub(crate) slow_peers: Count,
    pub(crate) datagrams_dropped: Count,
    pub(crate) strangers: Count,
    pub(crate) peers_forgotten: Count,
    pub(crate) stray_sends: Count,
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn many(&self, count: u64) {
        if count > 0 {
            self.0.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl LiveCounters {
    pub(crate) fn read(&self) -> NetCounters {
        NetCounters {
            accepted: self.accepted.read(),
            accept_refused: self.accept_refused.read(),
            handshake_failed: self.handshake_failed.read(),
            malformed: self.malformed.read(),
            half_messages: self.half_messages.read(),
            unfinished_dropped: self.unfinished_dropped.read(),
            slow_peers: self.slow_peers.read(),
            datagrams_dropped: self.datagrams_dropped.read(),
            strangers: self.strangers.read(),
            peers_forgotten: self.peers_forgotten.read(),
            stray_sends: self.stray_sends.read(),
        }
    }
}
