//! Peers that promised to answer keep-alives and never do: their silence proves nothing.

use std::collections::BTreeMap;

use super::connection::Destination;

/// How many flows in a row each peer lost for want of a pong. A server behind a proxy or a middle box that eats
/// keep-alives grants them and never answers one; without this its clients would reconnect for ever.
#[derive(Debug, Default)]
pub(super) struct SilentPeers {
    losses: BTreeMap<Destination, u8>,
}

impl SilentPeers {
    /// A flow to this peer was given up because a keep-alive was not answered.
    pub(super) fn lost(&mut self, peer: &Destination) {
        if self.losses.len() >= MOST_PEERS && !self.losses.contains_key(peer) {
            self.losses.pop_first();
        }
        let losses = self.losses.entry(peer.clone()).or_default();
        *losses = losses.saturating_add(1);
    }

    /// The peer answered one.
    pub(super) fn answered(&mut self, peer: &Destination) {
        if !self.losses.is_empty() {
            self.losses.remove(peer);
        }
    }

    /// True once so many flows were lost that keep-alives go on without an answer being expected.
    pub(super) fn contains(&self, peer: &Destination) -> bool {
        self.losses.get(peer).is_some_and(|losses| *losses >= MOST_LOSSES)
    }
}

/// Flows lost in a row before the silence of a peer proves nothing.
const MOST_LOSSES: u8 = 3;
/// Peers remembered.
const MOST_PEERS: usize = 256;
