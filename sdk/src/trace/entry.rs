//! One line of the trace: what went which way on which flow, and its text without secrets.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::error::{ResponseFault, SignatureFault};
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::{Now, Wall};
use homing_core::transport::Transport;
use homing_wire::Redacted;

/// One thing that was seen on a flow.
#[derive(Clone)]
pub struct TraceEntry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// When, since the user agent was started.
    pub at: Duration,
    /// When, by the wall clock.
    pub wall: Wall,
    /// The flow; numbers are not used again.
    pub flow: FlowId,
    /// Sent or received.
    pub direction: Direction,
    /// The server as dialled, if we dialled.
    pub server: Option<ServerName>,
    /// The other end's address.
    pub peer: SocketAddr,
    /// The flow's transport.
    pub transport: Transport,
    /// What it was, without its bytes.
    pub kind: TraceKind,
    bytes: Bytes,
}

/// Sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// From the peer to us.
    In,
    /// From us to the peer.
    Out,
}

/// What was seen on a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceKind {
    /// Bytes that begin with a request line; what follows it is not checked.
    Request {
        /// Its method, as written; at most 32 characters.
        method: String,
    },
    /// Bytes that begin with a status line; what follows it is not checked.
    Response {
        /// As in the status line; its range is not checked.
        status: u16,
    },
    /// A keep-alive or its answer.
    KeepAlive,
    /// Bytes that are no SIP message.
    Other,
    /// The flow was opened.
    Open {
        /// The name the peer's certificate proved; none without TLS.
        verified_as: Option<String>,
        /// True if a pin of the account vouches for the certificate.
        pinned: bool,
    },
    /// The flow could not be opened.
    Failed(ConnectError),
    /// The message received last on this flow was dropped.
    Dropped(DropReason),
    /// The flow is gone; none if we closed it.
    Close(Option<ConnectError>),
}

/// Why a message was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// Its signature did not hold, or it had none where it needs one.
    Signature(SignatureFault),
    /// It is a response that cannot be an answer to the request it names.
    Response(ResponseFault),
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DropReason::Signature(why) => why.fmt(f),
            DropReason::Response(why) => why.fmt(f),
        }
    }
}

/// Content is known of a flow as long as it lives; shared by all entries about it.
#[derive(Debug)]
pub(crate) struct FlowFacts {
    pub(crate) flow: FlowId,
    pub(crate) server: Option<ServerName>,
    pub(crate) peer: SocketAddr,
    pub(crate) transport: Transport,
}

/// Something seen, as it is stored.
#[derive(Debug)]
pub(crate) struct StoredEntry {
    pub(crate) now: Now,
    pub(crate) facts: Arc<FlowFacts>,
    pub(crate) direction: Direction,
    pub(crate) content: Content,
}

/// What is stored of it. Bytes are parsed only when the trace is read.
#[derive(Debug)]
pub(crate) enum Content {
    Bytes(Bytes),
    Kind(TraceKind),
}

impl TraceEntry {
    pub(crate) fn new(seq: u64, entry: &StoredEntry) -> Self {
        let (kind, bytes) = match &entry.content {
            Content::Bytes(bytes) => (TraceKind::of(bytes), bytes.clone()),
            Content::Kind(kind) => (kind.clone(), Bytes::new()),
        };
        Self {
            seq,
            at: entry.now.since_start.0,
            wall: entry.now.wall,
            flow: entry.facts.flow,
            direction: entry.direction,
            server: entry.facts.server.clone(),
            peer: entry.facts.peer,
            transport: entry.facts.transport,
            kind,
            bytes,
        }
    }

    /// The message as it was sent or received, its secrets masked; empty for what is no message. What
    /// is not UTF-8 is replaced. The text is the peer's: it must be cleaned before a terminal shows it.
    pub fn text(&self) -> String {
        Redacted::new(&self.bytes).to_string()
    }

    /// How many bytes it had.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True for what has no bytes of its own, such as an open or a close.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl fmt::Debug for TraceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceEntry { seq, flow, direction, peer, transport, kind, .. } = self;
        write!(f, "#{seq} {flow} {direction:?} {transport} {peer} {kind:?}")
    }
}

impl TraceKind {
    /// Tells from the first line what a message is, without judging it.
    fn of(bytes: &[u8]) -> Self {
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return TraceKind::KeepAlive;
        }
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let line = String::from_utf8_lossy(&line[..line.len().min(256)]).into_owned();
        let mut words = line.split(' ');
        let first = words.next().unwrap_or_default();
        let is_sip = |word: &str| word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"));
        if is_sip(first) {
            return words
                .next()
                .and_then(|status| status.parse().ok())
                .map_or(TraceKind::Other, |status| TraceKind::Response { status });
        }
        if line.contains(' ') && words.next_back().is_some_and(|word| is_sip(word) || line.len() == 256) {
            return TraceKind::Request { method: first.chars().take(32).collect() };
        }
        TraceKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_tell_what_a_message_is() {
        let of = |text: &str| TraceKind::of(text.as_bytes());
        assert_eq!(of("\r\n\r\n"), TraceKind::KeepAlive);
        assert_eq!(of("SIP/2.0 301 Moved\r\nVia: x\r\n\r\n"), TraceKind::Response { status: 301 });
        assert_eq!(
            of("REGISTER sip:a SIP/2.0\r\n\r\n"),
            TraceKind::Request { method: "REGISTER".to_owned() }
        );
        assert_eq!(of("GET / HTTP/1.1\r\n\r\n"), TraceKind::Other);
        assert_eq!(of("SIP/2.0 banana\r\n"), TraceKind::Other);
        assert_eq!(TraceKind::of(&[0, 1, 0, 0]), TraceKind::Other);
    }
}
