//! One of several servers that are asked at once.

use std::net::SocketAddr;

use crate::server::ServerName;
use crate::transport::Transport;

/// A server that was asked, where it was dialled, and whether it turned out to be mute.
#[derive(Clone, Debug)]
pub(super) struct AskedServer {
    /// As dialled.
    pub(super) server: ServerName,
    /// None where the name had no address.
    pub(super) address: Option<SocketAddr>,
    pub(super) transport: Transport,
    pub(super) is_mute: bool,
}

impl AskedServer {
    /// One of which nothing is known yet.
    pub(super) fn new(server: ServerName, address: Option<SocketAddr>, transport: Transport) -> Self {
        Self { server, address, transport, is_mute: false }
    }
}
