//! One line of the trace, as every form of file needs it.

use std::net::SocketAddr;
use std::time::Duration;

use homing::Transport;
use homing::trace::{Direction, TraceEntry, TraceKind};

/// One thing that was seen on a flow. The text is the peer's: it must be cleaned before a terminal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its number, from 1 without gaps.
    pub(crate) seq: u64,
    /// Since the agent started.
    pub(crate) at: Duration,
    /// Since 1970-01-01 UTC.
    pub(crate) wall: Duration,
    /// On which connection, or pair of UDP addresses.
    pub(crate) flow: u64,
    pub(crate) outgoing: bool,
    /// The server as dialled, `host:port`.
    pub(crate) server: String,
    /// Its address.
    pub(crate) peer: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) seen: Seen,
    /// Its length on the wire, in bytes.
    pub(crate) length: usize,
    /// The message with its secrets masked; for what is no message, a few words.
    pub(crate) text: String,
}

/// What kind of thing it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Message,
    KeepAlive,
    /// Bytes that are no SIP.
    Other,
    /// The flow was opened.
    Open,
    /// The flow could not be opened.
    Failed,
    /// What was received before it was dropped.
    Dropped,
    /// The flow is gone.
    Close,
}

impl Record {
    /// What the agent traced.
    pub(crate) fn of(entry: &TraceEntry) -> Self {
        let (seen, text) = match &entry.kind {
            TraceKind::Request { .. } | TraceKind::Response { .. } => (Seen::Message, entry.text()),
            TraceKind::KeepAlive => (Seen::KeepAlive, "keep-alive".to_owned()),
            TraceKind::Other => (Seen::Other, format!("{} bytes that are not SIP", entry.len())),
            TraceKind::Open { pinned: true, .. } => (Seen::Open, format!("{} pinned, open", entry.transport)),
            TraceKind::Open { verified_as: Some(name), .. } => {
                (Seen::Open, format!("{} open, cert {name}", entry.transport))
            }
            TraceKind::Open { verified_as: None, .. } => (Seen::Open, format!("{} open", entry.transport)),
            TraceKind::Failed(why) => (Seen::Failed, format!("{} {why}", why.code())),
            TraceKind::Dropped(why) => (Seen::Dropped, format!("dropped: {why}")),
            TraceKind::Close(Some(why)) => (Seen::Close, format!("closed: {why}")),
            TraceKind::Close(None) => (Seen::Close, "closed by us".to_owned()),
            _ => (Seen::Other, String::new()),
        };
        Self {
            seq: entry.seq,
            at: entry.at,
            wall: entry.wall.0,
            flow: entry.flow.0,
            outgoing: entry.direction == Direction::Out,
            server: entry.server.as_ref().map_or_else(|| entry.peer.to_string(), ToString::to_string),
            peer: entry.peer,
            transport: entry.transport,
            seen,
            length: entry.len(),
            text,
        }
    }
}

impl Seen {
    /// For reading a word back.
    pub(super) const ALL: [Seen; 7] =
        [Seen::Message, Seen::KeepAlive, Seen::Other, Seen::Open, Seen::Failed, Seen::Dropped, Seen::Close];

    /// Its word in JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Seen::Message => "message",
            Seen::KeepAlive => "keep-alive",
            Seen::Other => "other",
            Seen::Open => "open",
            Seen::Failed => "failed",
            Seen::Dropped => "dropped",
            Seen::Close => "close",
        }
    }
}
