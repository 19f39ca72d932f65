//! One of the four machines, seen from the table.

use super::actions::Actions;
use super::client::Client;
use super::client_invite::ClientInvite;
use super::server::Server;
use super::server_invite::ServerInvite;
use super::timers::Pace;
use crate::time::{Moment, Why};

/// The state of one transaction.
#[derive(Debug)]
pub(super) enum Machine {
    /// A request that is no INVITE, ours.
    Client(Client),
    /// A CANCEL the table sent by itself; its outcome is not told.
    Cancel(Client),
    ClientInvite(ClientInvite),
    /// A request that is no INVITE, theirs.
    Server(Server),
    ServerInvite(ServerInvite),
}

/// On whose account a transaction is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

impl Machine {
    pub(super) fn handle_deadline(&mut self, pace: Pace) -> Actions {
        match self {
            Machine::Client(client) | Machine::Cancel(client) => client.handle_deadline(pace),
            Machine::ClientInvite(client) => client.handle_deadline(pace),
            Machine::Server(server) => server.handle_deadline(),
            Machine::ServerInvite(server) => server.handle_deadline(pace),
        }
    }

    pub(super) fn role(&self) -> Role {
        match self {
            Machine::Client(_) | Machine::Cancel(_) | Machine::ClientInvite(_) => Role::Client,
            Machine::Server(_) | Machine::ServerInvite(_) => Role::Server,
        }
    }

    /// True until a final response came or went out.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Machine::Client(client) | Machine::Cancel(client) => !matches!(client, Client::Completed),
            Machine::ClientInvite(client) => {
                matches!(client, ClientInvite::Calling { .. } | ClientInvite::Proceeding { .. })
            }
            Machine::Server(server) => !matches!(server, Server::Completed(_)),
            Machine::ServerInvite(server) => matches!(server, ServerInvite::Proceeding { .. }),
        }
    }

    /// True if a response of this status can bring nothing but the stored ACK again, or nothing at all. A
    /// further 2xx to an INVITE is never absorbed: `told` says whether it is a copy of one before.
    pub(super) fn absorbs(&self, status: u16, told: impl FnOnce(&ClientInvite) -> bool) -> bool {
        match self {
            Machine::Client(client) | Machine::Cancel(client) => matches!(client, Client::Completed),
            Machine::ClientInvite(ClientInvite::Completed { .. }) => true,
            Machine::ClientInvite(client @ ClientInvite::Accepted { .. }) => {
                !(200..300).contains(&status) || told(client)
            }
            Machine::ClientInvite(_) | Machine::Server(_) | Machine::ServerInvite(_) => false,
        }
    }

    /// Message bytes it keeps.
    pub(super) fn held(&self) -> usize {
        match self {
            Machine::ClientInvite(ClientInvite::Completed { ack }) => ack.len(),
            Machine::Server(Server::Completed(response)) => response.len(),
            _ => 0,
        }
    }

    /// What is overdue when its deadline `at` comes.
    pub(super) fn why(&self, at: Moment) -> Why {
        let overdue = match self {
            Machine::Client(Client::Trying(pending) | Client::Proceeding(pending))
            | Machine::Cancel(Client::Trying(pending) | Client::Proceeding(pending))
            | Machine::ClientInvite(ClientInvite::Calling { pending, .. }) => pending.overdue,
            Machine::ServerInvite(ServerInvite::Completed(refused)) => refused.overdue,
            _ => at,
        };
        if at < overdue { Why::Retransmission } else { Why::AnswerOverdue }
    }
}
