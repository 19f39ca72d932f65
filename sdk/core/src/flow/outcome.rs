//! What a table of flows wants of the world and tells its users, and its time limits.

use std::time::Duration;

use bytes::Bytes;

use super::connection::Destination;
use crate::connect::ConnectError;
use crate::ids::FlowId;
use crate::limits::Limits;
use crate::outbox::Output;

/// Time limits of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowRules {
    /// How long connecting and the TLS handshake may take.
    pub connect: Duration,
}

/// What the table wants of the world, and what it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowOutput<U> {
    /// Open a flow.
    Connect {
        /// Its name.
        flow: FlowId,
        /// The address to dial, and whom its certificate must name.
        to: Destination,
    },
    /// Send a keep-alive.
    Send {
        /// By which flow.
        flow: FlowId,
        /// CRLFCRLF on a stream, a STUN binding request over UDP.
        bytes: Bytes,
    },
    /// Close a flow; it is out of the table.
    Close {
        /// Its number is not used again.
        flow: FlowId,
    },
    /// Tell its users.
    News(FlowNews<U>),
}

/// What the users of a flow are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowNews<U> {
    /// A flow was given up: it did not open in time, or its peer is silent. It is out of the table, and a
    /// [`Close`](FlowOutput::Close) for it went out before.
    Lost {
        /// Its number is not used again.
        flow: FlowId,
        /// [`ConnectError::Timeout`]; the table finds no other reason.
        why: ConnectError,
        /// Who used it.
        users: Vec<U>,
    },
    /// The peer sees us from another address than before: what it knows of us leads nowhere, so its
    /// users register again (RFC 5626 section 4.4.2).
    Moved {
        /// Still in the table; it closes when its last user releases it.
        flow: FlowId,
        /// Who uses it.
        users: Vec<U>,
    },
}

/// A flow that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostFlow {
    /// Its number is not used again.
    pub flow: FlowId,
    /// Why it is gone.
    pub why: ConnectError,
    /// Where it led, if it had been open or was being opened until the world said so.
    pub destination: Option<Destination>,
}

impl LostFlow {
    /// Where it led, if its peer closed it.
    pub(crate) fn closed_by(&self) -> Option<&Destination> {
        self.destination.as_ref().filter(|_| self.why == ConnectError::Closed)
    }
}

impl<U> FlowOutput<U> {
    /// The effect the world is to bring about, or the news for the users.
    ///
    /// # Errors
    /// It is no effect but news.
    pub fn effect(self) -> Result<Output, FlowNews<U>> {
        match self {
            FlowOutput::Connect { flow, to: Destination { address, transport, expected } } => {
                Ok(Output::Connect { flow, address, transport, identity: expected })
            }
            FlowOutput::Send { flow, bytes } => Ok(Output::Send { flow, bytes }),
            FlowOutput::Close { flow } => Ok(Output::Close { flow }),
            FlowOutput::News(news) => Err(news),
        }
    }
}

impl From<&Limits> for FlowRules {
    fn from(limits: &Limits) -> Self {
        Self { connect: limits.connect }
    }
}
