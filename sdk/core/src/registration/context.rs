//! What a login may touch outside itself while it handles one input.

use std::net::SocketAddr;

use homing_wire::Message;

use crate::config::AgentConfig;
use crate::connect::TlsProof;
use crate::counter::{Counter, Counters};
use crate::error::SignatureFault;
use crate::event::AccountEvent;
use crate::flow::{Destination, Flow, Flows, KeepTerms};
use crate::ids::{AccountId, AskId, FlowId, Rng};
use crate::locate::{ServerHealth, Target};
use crate::outbox::{Outbox, Output, Question};
use crate::time::{Moment, Now};
use crate::transaction::Transactions;

use super::random::Random;

/// The tables of the agent, lent to one account's login for one input.
pub struct Context<'a> {
    /// Whose login it is.
    pub account: AccountId,
    /// What all accounts share.
    pub agent: &'a AgentConfig,
    /// Where effects go.
    pub outbox: &'a mut Outbox,
    /// What is dropped, refused or worth counting.
    pub counters: &'a mut Counters,
    /// The values of a login that nobody may guess.
    pub random: &'a mut dyn Random,
    /// Rng for weights of DNS records.
    pub rng: &'a mut Rng,
    /// The transactions of all accounts.
    pub transactions: &'a mut Transactions<AccountId>,
    /// The connections of all accounts.
    pub flows: &'a mut Flows<AccountId>,
    /// The servers that failed any account lately.
    pub server_health: &'a mut ServerHealth,
    /// The questions of all accounts.
    pub asks: &'a mut Asks,
    /// The instant of the input.
    pub now: Now,
}

/// One use of a connection.
#[derive(Clone, Debug)]
pub enum Claim {
    /// It is there.
    Open {
        /// Which.
        flow: FlowId,
        /// Our end.
        local: SocketAddr,
        /// What TLS proved.
        proof: Option<TlsProof>,
    },
    /// It is being opened.
    Opening {
        /// Which.
        flow: FlowId,
    },
}

/// The questions that are open, and whose they are.
#[derive(Debug, Default)]
pub struct Asks {
    next_id: u64,
    open: std::collections::BTreeMap<AskId, AccountId>,
}

impl Context<'_> {
    /// Asks the world.
    pub fn ask(&mut self, question: Question, until: Option<Moment>) -> AskId {
        let id = self.asks.open(self.account);
        self.outbox.push(Output::Ask { id, question, until });
        id
    }

    /// Takes a question back.
    pub fn forget(&mut self, id: AskId) {
        if self.asks.close(id).is_some() {
            self.outbox.push(Output::Forget { id });
        }
    }

    /// Takes one use of a connection, opened for it if there is none.
    pub fn claim(&mut self, target: &Target) -> Claim {
        let flow = self.flows.claim(self.account, &Destination::of(target), self.now);
        match self.flows.find(flow).and_then(Flow::opened) {
            Some(opened) => Claim::Open { flow, local: opened.local, proof: opened.proof.clone() },
            None => Claim::Opening { flow },
        }
    }

    /// Gives one use of a connection back; the last one closes it.
    pub fn release(&mut self, flow: FlowId) {
        self.flows.release(flow, self.account);
    }

    /// Keeps a connection alive as its server grants it.
    pub fn keep_alive(&mut self, flow: FlowId, granted: &Message) {
        let terms = KeepTerms::of(granted);
        if !terms.is_empty() {
            self.flows.keep_alive(flow, terms, self.now);
        }
    }

    /// Tells the user.
    pub fn tell(&mut self, what: AccountEvent) {
        self.outbox.tell(self.account, what);
    }

    /// Counts a message that was refused by its signature.
    pub fn count_refusal(&mut self, why: SignatureFault) {
        self.counters.count(match why {
            SignatureFault::Unsigned => Counter::Unsigned,
            SignatureFault::Replayed => Counter::Replayed,
            SignatureFault::BadSignature | SignatureFault::OtherAssociation => Counter::BadSignature,
        });
    }
}

impl Asks {
    /// A new question of `account`.
    pub fn open(&mut self, account: AccountId) -> AskId {
        let id = AskId(self.next_id);
        self.next_id += 1;
        self.open.insert(id, account);
        id
    }

    /// The question is answered or taken back; tells whose it was.
    pub fn close(&mut self, id: AskId) -> Option<AccountId> {
        self.open.remove(&id)
    }

    /// How many questions are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True without open questions.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
