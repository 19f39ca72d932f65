//! What comes into a node and what it wants done: the same grammar as the agent's.

use bytes::Bytes;
use homing_core::connect::FlowEvent;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::transport::Transport;

use crate::journal::Entry;
use crate::mischief::Rule;

/// What the world tells a node.
#[derive(Clone, Debug)]
pub enum NodeInput {
    /// What happened on a flow; one that a peer opened begins, for UDP, with its first datagram.
    Flow(FlowEvent),
    /// The deadline, or a later moment, is reached.
    DeadlineReached,
}

/// What an operator or a test tells a node.
#[derive(Clone, Debug)]
pub enum NodeCommand {
    /// Play this fault.
    Play(Rule),
    /// Play no more faults.
    Behave,
    /// End the registrations of a user with a signed NOTIFY (MS-SIPREGE).
    Deregister {
        /// The address of record without scheme.
        user: String,
        /// The reason the clients are given.
        event: Deregistration,
    },
    /// Somebody changed an assignment: bindings of a user who belongs elsewhere now are void one lease
    /// later.
    AssignmentChanged {
        /// The address of record without scheme, lower case.
        user: String,
        /// The service.
        service: String,
    },
}

/// Why a server ends a registration, as its NOTIFY says it (MS-SIPREGE 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deregistration {
    /// Another endpoint of the user pushed this one out.
    Unregistered,
    /// The user was disabled.
    Rejected,
    /// The user moved: log on again, from discovery.
    Deactivated,
    /// The user should register there.
    PreferredRegistrar(ServerName),
}

/// The name of a look-up a node asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub u64);

/// What a node wants of the world.
#[derive(Clone, Debug)]
pub enum NodeOutput {
    /// Send these bytes on this flow, after what was sent before.
    Send {
        /// Which.
        flow: FlowId,
        /// What.
        bytes: Bytes,
    },
    /// Open a flow to another server and answer `Connected` or `ConnectFailed`; over TLS it must prove
    /// exactly the host, and we show our own certificate.
    Connect {
        /// Its name from now on.
        flow: FlowId,
        /// Where.
        server: ServerName,
        /// How.
        transport: Transport,
    },
    /// Close a flow after what was sent has gone out; no `Closed` follows.
    Close {
        /// Which.
        flow: FlowId,
    },
    /// Break a flow off; what was sent may be lost. No `Closed` follows.
    Cut {
        /// Which.
        flow: FlowId,
    },
    /// Ask the directory and answer by `handle_answer`.
    LookUp {
        /// The name of the question.
        id: LookupId,
        /// The address of record without scheme, lower case.
        user: String,
        /// The service.
        service: String,
    },
    /// Write this into the journal.
    Journal(Entry),
}
