//! What a table of transactions answers: where a message belongs, and what its users are told.

use bytes::Bytes;
use homing_wire::Message;

use super::actions::Tell;
use crate::ids::{FlowId, TxId};
use crate::limits::Limits;
use crate::transport::Transport;

/// The flow_ref a transaction travels by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowRef {
    /// The flow.
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
    /// The request is here already by another flow_ref (RFC 3261 section 8.2.2.2): a user agent answers 482,
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
        /// Where.
        flow: FlowId,
        /// What.
        bytes: Bytes,
    },
    /// A 1xx came for a client transaction.
    Provisional {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
        /// The response.
        message: Message,
    },
    /// The final response came; it is told exactly once.
    Final {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
        /// The response.
        message: Message,
    },
    /// A 2xx to an INVITE came after the first one: a copy, or another branch of a fork. The dialog
    /// acknowledges it.
    Another2xx {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
        /// The response.
        message: Message,
    },
    /// Nobody answered a client transaction in time (timers B, C, F).
    TimedOut {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
    },
    /// Nobody acknowledged a refusal in time (timer H).
    AckTimedOut {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
    },
    /// The user of a server transaction did not answer while its client waited.
    Unanswered {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
    },
    /// The flow went away under a transaction without a final response.
    FlowFailed {
        /// Which.
        tx: TxId,
        /// Whose.
        user: U,
    },
}

impl<U> TxOutput<U> {
    /// What `user` is told of its transaction; `message` is the response that was fed, if one was.
    pub(super) fn of(tell: Tell, tx: TxId, user: U, message: Option<&Message>) -> Option<Self> {
        let message = message.cloned();
        Some(match tell {
            Tell::Provisional => TxOutput::Provisional { tx, user, message: message? },
            Tell::Final => TxOutput::Final { tx, user, message: message? },
            Tell::Another2xx => TxOutput::Another2xx { tx, user, message: message? },
            Tell::TimedOut => TxOutput::TimedOut { tx, user },
            Tell::AckTimedOut => TxOutput::AckTimedOut { tx, user },
            Tell::Unanswered => TxOutput::Unanswered { tx, user },
        })
    }
}

impl FlowRef {
    /// The flow_ref by `flow`.
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
        }
    }
}
