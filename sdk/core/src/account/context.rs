//! What a machine of an account may touch outside itself while it handles one input.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use homing_wire::Message;

use crate::call_event::CallEvent;
use crate::config::AgentConfig;
use crate::connect::TlsProof;
use crate::counter::Counters;
use crate::event::AccountEvent;
use crate::flow::{Destination, Flow, Flows, KeepTerms};
use crate::ids::{AccountId, AskId, CallId, FlowId, Owner, Streams};
use crate::locate::{ServerHealth, ServerOrder, Target};
use crate::outbox::{Outbox, Output, Question};
use crate::time::{Moment, Now};
use crate::transaction::Transactions;
use crate::transport::Transport;

use super::random::{Random, Wait, WaitPurpose};
use super::server_link::{LinkId, ServerLink};
use super::waiting::Waiting;

/// The tables of the agent, lent to one machine of one account for one input.
pub(crate) struct Context<'a> {
    /// Whose machine it is.
    pub account: AccountId,
    /// Which machine it is.
    pub owner: Owner,
    /// What all accounts share.
    pub agent: &'a AgentConfig,
    /// Where effects go.
    pub outbox: &'a mut Outbox,
    /// What is dropped, refused or worth counting.
    pub counters: &'a mut Counters,
    /// The unpredictable values.
    pub random: &'a mut dyn Random,
    /// What the order of servers of equal priority is drawn from.
    pub server_order: &'a Streams,
    /// The transactions of all accounts.
    pub transactions: &'a mut Transactions<Owner>,
    /// The connections of all accounts.
    pub flows: &'a mut Flows<Owner>,
    /// The servers that failed any account lately.
    pub server_health: &'a mut ServerHealth,
    /// The accounts that wait for a server to come back.
    pub waiting: &'a mut Waiting,
    /// The questions of all accounts.
    pub asks: &'a mut Asks,
    /// Links that their registration left and that a request still uses.
    pub drained: &'a mut Vec<ServerLink>,
    /// What registrations have for the requests that wait over their links.
    pub news: &'a mut Vec<LinkNews>,
    /// The instant of the input.
    pub now: Now,
}

/// A registration says to the requests that wait over its link whether it proves something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkNews {
    /// Whose link it is.
    pub account: AccountId,
    pub link: LinkId,
    pub what: LinkChange,
}

/// What a registration has to say of its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkChange {
    /// A REGISTER was granted, or did not come to that, also because the registration is over.
    Registered(bool),
    /// The server sent the account to another.
    Moved,
}

/// One use of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Claim {
    /// It is there.
    Open {
        flow: FlowId,
        /// Our end.
        local: SocketAddr,
        /// What TLS proved.
        proof: Option<Arc<TlsProof>>,
    },
    /// It is being opened.
    Opening {
        /// Others may wait for it, too.
        flow: FlowId,
    },
}

/// The questions that are open, and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    next_id: u64,
    open: std::collections::BTreeMap<AskId, Owner>,
}

impl Context<'_> {
    /// Asks the world.
    pub(crate) fn ask(&mut self, question: Question, until: Option<Moment>) -> AskId {
        let id = self.asks.open(self.owner);
        self.outbox.push(Output::Ask { id, question, until });
        id
    }

    /// Takes a question back.
    pub(crate) fn forget(&mut self, id: AskId) {
        if self.asks.close(id).is_some() {
            self.outbox.push(Output::Forget { id });
        }
    }

    /// A number in `0..bound`, in milliseconds, that spreads a wait of this account from now on.
    pub(crate) fn spread(&mut self, purpose: WaitPurpose, bound: u64) -> u64 {
        let wait = Wait { purpose, account: self.account, from: self.now.since_start };
        self.random.spread(wait, bound)
    }

    /// Draws the order of servers of equal priority for a search of this account that begins now.
    pub(crate) fn server_order(&self) -> ServerOrder {
        let numbers = [u64::from(self.account.0), self.now.since_start.as_nanos()];
        ServerOrder::of_search(self.server_order, numbers)
    }

    /// Takes one use of a connection, opened for it if there is none.
    pub(crate) fn claim(&mut self, target: &Target) -> Claim {
        let flow = self.flows.claim(self.owner, &Destination::of(target), self.now);
        match self.flows.find(flow).and_then(Flow::opened) {
            Some(opened) => Claim::Open { flow, local: opened.local, proof: opened.proof.clone() },
            None => Claim::Opening { flow },
        }
    }

    /// Gives one use of a connection back; the last one closes it.
    pub(crate) fn release(&mut self, flow: FlowId) {
        self.flows.release(flow, self.owner);
    }

    /// A server took a registration: what was remembered against it is over, and those who wait for it come.
    pub(crate) fn recovered(&mut self, address: SocketAddr, transport: Transport) {
        self.server_health.recovered(address, transport);
        let pause = Duration::from_secs(1) / u32::from(self.agent.limits.woken_per_second.max(1));
        self.waiting.recovered((address, transport), pause, self.now);
    }

    /// Keeps a connection alive as its server grants it.
    pub(crate) fn keep_alive(&mut self, flow: FlowId, granted: &Message) {
        let terms = KeepTerms::of(granted);
        if !terms.is_empty() {
            self.flows.keep_alive(flow, terms, self.now);
        }
    }

    /// Tells the requests that wait over a link what became of the registration's REGISTER.
    pub(crate) fn tell_requests(&mut self, link: LinkId, granted: bool) {
        let what = LinkChange::Registered(granted);
        self.news.push(LinkNews { account: self.account, link, what });
    }

    /// Tells the calls over a link that its server sent the account to another.
    pub(crate) fn tell_move(&mut self, link: LinkId) {
        self.news.push(LinkNews { account: self.account, link, what: LinkChange::Moved });
    }

    /// Tells the user of a call.
    pub(crate) fn tell_call(&mut self, call: CallId, what: CallEvent) {
        self.outbox.tell_call(self.account, call, what);
    }

    /// Tells the user.
    pub(crate) fn tell(&mut self, what: AccountEvent) {
        self.outbox.tell(self.account, what);
    }
}

impl Asks {
    /// A new question of `owner`.
    pub(crate) fn open(&mut self, owner: Owner) -> AskId {
        let id = AskId(self.next_id);
        self.next_id += 1;
        self.open.insert(id, owner);
        id
    }

    /// The question is answered or taken back; tells whose it was.
    pub(crate) fn close(&mut self, id: AskId) -> Option<Owner> {
        self.open.remove(&id)
    }

    /// How many questions are open.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}
