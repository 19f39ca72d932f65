//! The connections of an agent and who uses them: one is shared where address, transport and the
//! proof demanded of the peer are the same, and closed when its last user leaves (settled 8).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::desk::Claim;
use crate::connect::TlsProof;
use crate::identity::Expected;
use crate::ids::{AccountId, FlowId};
use crate::outbox::{Outbox, Output};
use crate::transport::Transport;

/// All connections of an agent.
#[derive(Debug, Default)]
pub struct Roads {
    born: u64,
    roads: BTreeMap<FlowId, Road>,
    by_key: BTreeMap<Key, FlowId>,
    users: BTreeSet<(FlowId, AccountId)>,
}

/// What two users must have in common to share a connection.
type Key = (SocketAddr, Transport, Expected);

#[derive(Debug)]
struct Road {
    key: Key,
    state: State,
}

#[derive(Debug)]
enum State {
    Opening,
    Open { local: SocketAddr, proof: Option<TlsProof> },
}

impl Roads {
    /// Takes one use of a connection for `account`; opens it if there is none.
    pub fn claim(
        &mut self,
        account: AccountId,
        address: SocketAddr,
        transport: Transport,
        identity: &Expected,
        outbox: &mut Outbox,
    ) -> Claim {
        let key = (address, transport, identity.clone());
        if let Some(flow) = self.by_key.get(&key).copied()
            && let Some(road) = self.roads.get(&flow)
        {
            self.users.insert((flow, account));
            return match &road.state {
                State::Opening => Claim::Opening { flow },
                State::Open { local, proof } => Claim::Open { flow, local: *local, proof: proof.clone() },
            };
        }
        let flow = FlowId(self.born);
        self.born += 1;
        self.by_key.insert(key.clone(), flow);
        self.roads.insert(flow, Road { key, state: State::Opening });
        self.users.insert((flow, account));
        outbox.push(Output::Connect { flow, address, transport, identity: identity.clone() });
        Claim::Opening { flow }
    }

    /// Gives one use back; the last one closes the connection.
    pub fn release(&mut self, flow: FlowId, account: AccountId, outbox: &mut Outbox) {
        let was_user = self.users.remove(&(flow, account));
        if was_user && self.users_of(flow).next().is_none() {
            self.remove(flow);
            outbox.push(Output::Close { flow });
        }
    }

    /// The connection stands. False if nobody wants it any more.
    pub fn opened(&mut self, flow: FlowId, local: SocketAddr, proof: Option<TlsProof>) -> bool {
        let Some(road) = self.roads.get_mut(&flow) else { return false };
        road.state = State::Open { local, proof };
        true
    }

    /// The connection is gone: its users, and nobody uses it any more.
    pub fn lost(&mut self, flow: FlowId) -> Vec<AccountId> {
        let users: Vec<AccountId> = self.users_of(flow).collect();
        for account in &users {
            self.users.remove(&(flow, *account));
        }
        self.remove(flow);
        users
    }

    /// Who uses a connection.
    pub fn users_of(&self, flow: FlowId) -> impl Iterator<Item = AccountId> + '_ {
        let all = (flow, AccountId(0))..=(flow, AccountId(u32::MAX));
        self.users.range(all).map(|(_, account)| *account)
    }

    /// True if `account` uses the connection.
    pub fn is_used_by(&self, flow: FlowId, account: AccountId) -> bool {
        self.users.contains(&(flow, account))
    }

    /// True if the connection is known.
    pub fn contains(&self, flow: FlowId) -> bool {
        self.roads.contains_key(&flow)
    }

    /// The transport of a connection.
    pub fn transport(&self, flow: FlowId) -> Option<Transport> {
        self.roads.get(&flow).map(|road| road.key.1)
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.roads.len()
    }

    /// True without connections.
    pub fn is_empty(&self) -> bool {
        self.roads.is_empty()
    }

    fn remove(&mut self, flow: FlowId) {
        if let Some(road) = self.roads.remove(&flow)
            && self.by_key.get(&road.key) == Some(&flow)
        {
            self.by_key.remove(&road.key);
        }
    }
}
