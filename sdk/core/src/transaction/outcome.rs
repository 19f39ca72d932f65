//! What a table of transactions answers: where a message belongs, and what its users are told.

use bytes::Bytes;

use super::actions::Tell;
use crate::ids::{FlowId, TxId};
use crate::limits::Limits;
use crate::transport::Transport;

/// The flow a transaction travels by, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowRef {
    /// Its loss ends every transaction on it.
    pub flow: FlowId,
    /// Its transport: over UDP the transaction repeats by itself.
    pub transport: Transport,
}

/// How much a table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Client transactions without a final response.
    pub clients: usize,
    /// Server transactions without a final response.
    pub servers: usize,
    /// Bytes kept by finished transactions; beyond it the oldest are dropped and counted.
    pub lingering_bytes: usize,
    /// Answered INVITEs kept so that a late copy does not ring again; while so many are kept, further INVITEs
    /// are [`Incoming::Overload`].
    pub lingering_invites: usize,
}

/// What a received request is to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Nothing known: verify it, then [`accept_request`](super::Transactions::accept_request) it or
    /// answer it without state. A CANCEL that comes as `New` has nothing to cancel (481).
    New,
    /// A copy of a request in hand; it was answered with the stored bytes if there was an answer.
    Retransmission,
    /// The ACK of a refusal; it ended here.
    Acknowledged {
        /// The INVITE it is for.
        of: TxId,
    },
    /// An ACK for a 2xx: it belongs to a dialog.
    Ack {
        /// The INVITE it is for, where the client used its branch again.
        of: Option<TxId>,
    },
    /// A CANCEL for an INVITE in hand: verify and accept it, answer it with 200, and answer the INVITE
    /// with 487 if it has no final response yet.
    Cancel {
        /// The INVITE.
        of: TxId,
    },
    /// The request is here already by another path (RFC 3261 section 8.2.2.2): a user agent answers 482,
    /// a proxy treats it as new.
    Merged,
    /// The table is full: answer 503 without state, or drop it.
    Overload,
    /// It lacks what identifies a transaction: Via, CSeq, Call-ID or From.
    Unusable,
}

/// What the table wants sent, and what it tells the users of its transactions.
#[derive(Clone, Debug)]
pub enum TxOutput<U> {
    /// Send these bytes on this flow.
    Send {
        /// The transaction's own; for the answer to a copy, the one the copy came by.
        flow: FlowId,
        /// One whole message, encoded.
        bytes: Bytes,
    },
    /// A client transaction had no answer in time (timers B, C, F).
    TimedOut {
        /// A client transaction; it has ended.
        tx: TxId,
        /// As given with its request.
        user: U,
    },
    /// A refusal was not acknowledged in time (timer H).
    AckTimedOut {
        /// A server transaction of an INVITE; it has ended.
        tx: TxId,
        /// As given when the INVITE was accepted.
        user: U,
    },
    /// The callee of an INVITE is being tried for so long that it is to be given up (timer C): cancel it.
    /// It ends 64·T1 later, cancelled or not.
    CancelDue {
        /// A client transaction of an INVITE; it is still open.
        tx: TxId,
        /// As given with the INVITE.
        user: U,
    },
    /// The user of a server transaction did not answer while its client waited.
    Unanswered {
        /// A server transaction of a request other than INVITE; it has ended.
        tx: TxId,
        /// As given when the request was accepted.
        user: U,
    },
    /// The flow went away under a transaction without a final response.
    FlowFailed {
        /// A client or server transaction; it has ended.
        tx: TxId,
        /// As given when it began.
        user: U,
    },
}

impl<U> TxOutput<U> {
    /// What the user of `tx` is told.
    pub(super) fn of(tell: Tell, tx: TxId, user: U) -> Self {
        match tell {
            Tell::TimedOut => TxOutput::TimedOut { tx, user },
            Tell::AckTimedOut => TxOutput::AckTimedOut { tx, user },
            Tell::CancelDue => TxOutput::CancelDue { tx, user },
            Tell::Unanswered => TxOutput::Unanswered { tx, user },
        }
    }
}

impl FlowRef {
    /// `flow` with its transport.
    pub fn new(flow: FlowId, transport: Transport) -> Self {
        Self { flow, transport }
    }
}

impl From<&Limits> for Caps {
    fn from(limits: &Limits) -> Self {
        Self {
            clients: limits.client_transactions,
            servers: limits.server_transactions,
            lingering_bytes: limits.lingering_bytes,
            lingering_invites: limits.lingering_invites,
        }
    }
}
