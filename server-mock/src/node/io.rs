//! What comes into a node and what it wants done: the same grammar as the agent's.

use std::sync::Arc;

use bytes::Bytes;
use homing_core::connect::FlowEvent;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::transport::Transport;

use super::accounts::Accounts;
use super::party::Manners;
use super::sound::{SoundOrder, SoundPorts};
use crate::fault::Rule;
use crate::journal::Entry;

/// What the world tells a node.
#[derive(Clone, Debug)]
pub enum NodeInput {
    /// What happened on a flow; one that a peer opened begins, for UDP, with its first datagram.
    Flow(FlowEvent),
    /// The deadline, or a later moment, is reached.
    DeadlineReached,
    /// What became of [`SoundOrder::Open`]; ports of a call that is over are closed by the order that follows.
    SoundOpened {
        /// As the order names it.
        call: u64,
        /// None where no ports could be bound.
        ports: Option<SoundPorts>,
    },
}

/// What an operator or a test tells a node.
#[derive(Clone, Debug)]
pub enum NodeCommand {
    /// Play this fault.
    InjectFault(Rule),
    /// Play no more faults.
    ClearFaults,
    /// End the registrations of a user with a signed NOTIFY (MS-SIPREGE).
    Deregister {
        /// The address of record without scheme.
        user: String,
        /// The reason the clients are given.
        event: Deregistration,
    },
    /// From now on these may sign in. Registrations and associations of all others end, and their clients are told.
    SetAccounts(Arc<Accounts>),
    /// Have a party of this server call a user.
    PartyCalls {
        /// Its address of record without scheme, lower case.
        party: String,
        /// Whom: the same.
        callee: String,
        /// With an offer or without, and when it acknowledges.
        manners: Manners,
    },
    /// An assignment changed: bindings of a user who belongs elsewhere now are void one lease
    /// later.
    AssignmentChanged {
        /// The address of record without scheme, lower case.
        user: String,
        /// As the directory's key names it, such as `rtc`.
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

impl Deregistration {
    /// The `event` in the body of the NOTIFY.
    pub fn word(&self) -> &'static str {
        match self {
            Deregistration::Unregistered => "unregistered",
            Deregistration::Rejected => "rejected",
            Deregistration::Deactivated => "deactivated",
            Deregistration::PreferredRegistrar(_) => "preferred-registrar-change",
        }
    }

    /// ErrorId and reason of ms-diagnostics-public.
    pub(super) fn diagnosis(&self) -> Option<(u32, &'static str)> {
        match self {
            Deregistration::Unregistered => Some((4140, "Another endpoint signed in")),
            Deregistration::Rejected => Some((4141, "User disabled")),
            Deregistration::Deactivated => Some((4142, "User moved")),
            Deregistration::PreferredRegistrar(_) => None,
        }
    }
}

/// The name of a look-up a node asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub u64);

/// What a node wants of the world.
#[derive(Clone, Debug)]
pub enum NodeOutput {
    /// Send these bytes on this flow, after what was sent before.
    Send {
        /// Open or being dialled.
        flow: FlowId,
        /// One whole message or keep-alive.
        bytes: Bytes,
    },
    /// Send these bytes to another port of the peer of a flow by datagrams.
    SendToPort {
        /// Open.
        flow: FlowId,
        /// At the peer's address.
        port: u16,
        /// One whole response.
        bytes: Bytes,
    },
    /// The peer of this flow proved who it is: its entry and its unfinished messages are not a stranger's.
    Hold {
        /// Open.
        flow: FlowId,
    },
    /// Open a flow to another server and answer `Connected` or `ConnectFailed`; over TLS it must prove
    /// exactly the host, and we show our own certificate.
    Connect {
        /// Its name from now on.
        flow: FlowId,
        /// As the estate names it.
        server: ServerName,
        /// TLS in every estate.
        transport: Transport,
    },
    /// Close a flow after what was sent has gone out; no `Closed` follows.
    Close {
        /// Its name is free afterwards.
        flow: FlowId,
    },
    /// Break a flow off; what was sent may be lost. No `Closed` follows.
    Cut {
        /// Its name is free afterwards.
        flow: FlowId,
    },
    /// Ask the directory and answer by `handle_answer`.
    LookUp {
        /// The name of the question.
        id: LookupId,
        /// The address of record without scheme, lower case.
        user: String,
        /// As the directory's key names it, such as `rtc`.
        service: String,
    },
    /// Do this for the sound of a call.
    Sound(SoundOrder),
    /// Write this into the journal.
    Journal(Entry),
}
