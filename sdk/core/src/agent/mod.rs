//! The agent: takes every input to the machine it is for, and every effect to the outbox.
//!
//! **Give one input with the time; drain every output; ask for the deadline; sleep.**
//!
//! The agent has tables, no states: what it does with an input is a look-up. Accounts that have
//! something due stand in an ordered set, so that ten thousand of them at rest cost nothing.

mod incoming;
mod responses;

use std::collections::{BTreeMap, BTreeSet};

use homing_wire::{Frame, Message};
use smallvec::SmallVec;

use crate::command::Command;
use crate::config::{AccountConfig, AgentConfig, ConfigError};
use crate::connect::ConnectError;
use crate::counter::{Counter, Counters};
use crate::error::Misuse;
use crate::flow::{FlowRules, Flows};
use crate::ids::{AccountId, AskId, FlowId, Rng, Seed};
use crate::locate::ServerHealth;
use crate::outbox::{Answer, Input, Outbox, Output};
use crate::registration::{Asks, Context, Expecting, Random, Registration};
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Now};
use crate::transaction::{Caps, Transactions};

/// A user agent with any number of accounts.
///
/// ```
/// use std::time::Duration;
/// use homing_core::agent::Agent;
/// use homing_core::command::Command;
/// use homing_core::config::{AccountConfig, AgentConfig, Aor};
/// use homing_core::ids::Seed;
/// use homing_core::outbox::Output;
/// use homing_core::time::Now;
///
/// let now = Now::new(Duration::ZERO, Duration::from_secs(1_705_564_800));
/// let mut agent = Agent::new(AgentConfig::default(), Seed::from_number(1), now);
/// let account = AccountConfig::new(Aor::parse("alice@network.com")?, "3344");
/// let account = agent.add_account(account, now)?;
/// agent.handle_command(Command::Register(account), now)?;
/// let first = agent.poll_output();
/// assert!(matches!(first, Some(Output::Ask { .. })), "DNS is asked first");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Agent {
    logins: BTreeMap<AccountId, Entry>,
    /// Accounts by address of record, lower case.
    by_aor: BTreeMap<Box<str>, SmallVec<[AccountId; 2]>>,
    /// Accounts that have something due, by when.
    due: BTreeSet<(Moment, AccountId)>,
    next_id: u32,
    tables: Tables,
}

/// What a login waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// A moment.
    Deadline(Deadline),
    /// A person: credentials.
    Person,
    /// The application: consent.
    App,
    /// A command.
    Idle,
}

struct Entry {
    login: Registration,
    due: Option<Moment>,
}

/// What is lent to a login for one input.
struct Tables {
    config: AgentConfig,
    outbox: Outbox,
    counters: Counters,
    random: Box<dyn Random>,
    rng: Rng,
    transactions: Transactions<AccountId>,
    flows: Flows<AccountId>,
    server_health: ServerHealth,
    asks: Asks,
}

impl Agent {
    /// An agent without accounts. All its randomness comes from `seed`.
    pub fn new(config: AgentConfig, seed: Seed, now: Now) -> Self {
        let random = Rng::new(&Rng::new(&seed).fork());
        Self::with_random(config, seed, Box::new(random), now)
    }

    /// An agent whose logins draw their values from `random`: to replay a recorded link.
    pub fn with_random(config: AgentConfig, seed: Seed, random: Box<dyn Random>, _now: Now) -> Self {
        let mut rng = Rng::new(&seed);
        let flows = Flows::new(FlowRules::from(&config.limits), &rng.fork());
        let transactions = Transactions::new(config.timers, Caps::from(&config.limits), &rng.fork());
        let server_health = ServerHealth::new(config.limits.retry_after);
        Self {
            logins: BTreeMap::new(),
            by_aor: BTreeMap::new(),
            due: BTreeSet::new(),
            next_id: 0,
            tables: Tables {
                config,
                outbox: Outbox::default(),
                counters: Counters::default(),
                random,
                rng,
                transactions,
                flows,
                server_health,
                asks: Asks::default(),
            },
        }
    }

    /// Adds an account, at rest.
    ///
    /// # Errors
    /// [`ConfigError`]: the configuration breaks a rule.
    pub fn add_account(&mut self, account: AccountConfig, _now: Now) -> Result<AccountId, ConfigError> {
        account.check()?;
        let id = AccountId(self.next_id);
        self.next_id += 1;
        self.by_aor.entry(account.aor.to_string().to_ascii_lowercase().into()).or_default().push(id);
        self.logins.insert(id, Entry { login: Registration::new(id, account), due: None });
        self.tables.size_for(self.logins.len());
        Ok(id)
    }

    /// Takes what the world tells.
    ///
    /// While more than [`Limits::outputs`](crate::limits::Limits::outputs) wait to be drained, what
    /// arrives and what is due is not taken but counted: it is as if the network had lost it. What answers
    /// an output that was drained is always taken.
    pub fn handle_input(&mut self, input: Input, now: Now) {
        if self.is_undrained() && matches!(input, Input::Received { .. } | Input::DeadlineReached) {
            return self.tables.counters.count(Counter::Undrained);
        }
        match input {
            Input::Connected { flow, local, peer, proof } => {
                if !self.tables.flows.handle_connected(flow, (local, peer), proof.clone(), now) {
                    return self.tables.counters.count(Counter::StrayFlow);
                }
                for account in self.tables.users(flow) {
                    self.turn(account, now, |login, cx| {
                        login.handle_connected(flow, local, proof.as_ref(), cx);
                    });
                }
            }
            Input::ConnectFailed { flow, why } | Input::Closed { flow, why } => self.lose(flow, why, now),
            Input::Received { flow, frame } => self.receive(flow, frame, now),
            Input::DeadlineReached => self.wake(now),
            Input::ClockJumped => {
                self.tables.counters.count(Counter::ClockJump);
                self.every(now, Registration::handle_clock_jump);
            }
            Input::NetworkChanged { online } => {
                self.every(now, |login, cx| login.handle_network(online, cx));
            }
        }
        self.pump(now);
    }

    /// Does what it is told, or says at once why not.
    ///
    /// # Errors
    /// [`Misuse`]: no such account, not in this state, or too many outputs wait to be drained.
    pub fn handle_command(&mut self, command: Command, now: Now) -> Result<(), Misuse> {
        if self.is_undrained() {
            self.tables.counters.count(Counter::Undrained);
            return Err(Misuse::Limit);
        }
        let done = match command {
            Command::Register(account) => self.order(account, now, Registration::login),
            Command::Refresh(account) => self.order(account, now, Registration::refresh),
            Command::Unregister(account) => self.order(account, now, Registration::logout),
            Command::Options(account) => self.order(account, now, |login, cx| login.options(None, cx)),
            Command::OptionsOf(account, uri) => {
                self.order(account, now, |login, cx| login.options(Some(&uri), cx))
            }
            Command::Remove(account) => self.remove(account),
        };
        self.pump(now);
        done
    }

    /// Takes the answer to a question; one that nobody waits for is counted.
    pub fn handle_answer(&mut self, id: AskId, answer: Answer, now: Now) {
        match self.tables.asks.close(id) {
            Some(account) => self.turn(account, now, |login, cx| login.handle_answer(id, answer, cx)),
            None => self.tables.counters.count(Counter::LateAnswer),
        }
        self.pump(now);
    }

    /// Takes the oldest output. Drain them all after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.tables.outbox.poll()
    }

    /// When the agent wants to be woken, and for what.
    pub fn deadline(&self) -> Option<Deadline> {
        let first = self.due.first().and_then(|(_, account)| self.logins.get(account)?.login.deadline());
        let tables = Deadline::earlier(self.tables.transactions.deadline(), self.tables.flows.deadline());
        Deadline::earlier(first, tables)
    }

    /// The state of an account.
    pub fn state(&self, account: AccountId) -> Option<AccountState> {
        self.logins.get(&account).map(|entry| entry.login.shown())
    }

    /// What each account waits for: nothing but these four exists.
    pub fn awaits(&self) -> Vec<(AccountId, Awaits)> {
        let one = |(account, entry): (&AccountId, &Entry)| {
            let own = entry.login.deadline();
            let waits = match (entry.login.expecting(), own) {
                (Expecting::Person, _) => Awaits::Person,
                (Expecting::App, _) => Awaits::App,
                (Expecting::Answer, own) => {
                    let due = Deadline::earlier(own, self.tables.transactions.deadline());
                    due.map_or(Awaits::Idle, Awaits::Deadline)
                }
                (Expecting::Nothing, Some(own)) => Awaits::Deadline(own),
                (Expecting::Nothing, None) => Awaits::Idle,
            };
            (*account, waits)
        };
        self.logins.iter().map(one).collect()
    }

    /// What was dropped, refused and done.
    pub fn counters(&self) -> Counters {
        let mut all = self.tables.counters.clone();
        all.add(self.tables.transactions.counters());
        all
    }

    /// Transactions that are not finished; none may be left at rest.
    pub fn transactions(&self) -> usize {
        self.tables.transactions.unfinished()
    }

    /// Connections in use.
    pub fn flows(&self) -> usize {
        self.tables.flows.len()
    }

    /// Questions that wait for an answer.
    pub fn questions(&self) -> usize {
        self.tables.asks.len()
    }

    fn is_undrained(&self) -> bool {
        self.tables.outbox.len() > self.tables.config.limits.outputs
    }

    fn order(
        &mut self,
        account: AccountId,
        now: Now,
        act: impl FnOnce(&mut Registration, &mut Context<'_>) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let mut done = Err(Misuse::UnknownAccount);
        self.turn(account, now, |login, cx| done = act(login, cx));
        done
    }

    fn remove(&mut self, account: AccountId) -> Result<(), Misuse> {
        let entry = self.logins.get(&account).ok_or(Misuse::UnknownAccount)?;
        if !entry.login.is_at_rest() {
            return Err(Misuse::WrongState);
        }
        let aor = entry.login.config().aor.to_string().to_ascii_lowercase();
        if let Some(due) = entry.due {
            self.due.remove(&(due, account));
        }
        if let Some(namesakes) = self.by_aor.get_mut(aor.as_str()) {
            namesakes.retain(|one| *one != account);
            if namesakes.is_empty() {
                self.by_aor.remove(aor.as_str());
            }
        }
        self.logins.remove(&account);
        self.tables.size_for(self.logins.len());
        Ok(())
    }

    fn receive(&mut self, flow: FlowId, frame: Frame, now: Now) {
        if !self.tables.flows.handle_frame(flow, &frame, now) {
            return self.tables.counters.count(Counter::StrayFlow);
        }
        let Frame::Message(bytes) = frame else { return };
        match Message::parse_with(bytes, &self.tables.config.limits.message) {
            Ok(message) if message.is_request() => self.handle_request(flow, &message, now),
            Ok(message) => self.handle_response(flow, &message, now),
            Err(_) => self.tables.counters.count(Counter::Malformed),
        }
    }

    fn lose(&mut self, flow: FlowId, why: ConnectError, now: Now) {
        if self.tables.flows.find(flow).is_none() {
            return self.tables.counters.count(Counter::StrayFlow);
        }
        let users = self.tables.flows.handle_lost(flow);
        self.tell_lost(flow, why, &users, now);
    }

    /// A flow is gone: its transactions end, and its users hear of it.
    fn tell_lost(&mut self, flow: FlowId, why: ConnectError, users: &[AccountId], now: Now) {
        self.tables.transactions.flow_failed(flow);
        for account in users {
            self.turn(*account, now, |login, cx| login.handle_lost(flow, why, cx));
        }
    }

    fn wake(&mut self, now: Now) {
        self.tables.transactions.handle_deadline(now);
        self.tables.flows.handle_deadline(now);
        self.pump(now);
        let reached = self.due.range(..=(now.since_start, AccountId(u32::MAX)));
        let accounts: Vec<AccountId> = reached.map(|(_, account)| *account).collect();
        for account in accounts {
            self.turn(account, now, Registration::handle_deadline);
        }
    }

    fn every(&mut self, now: Now, mut act: impl FnMut(&mut Registration, &mut Context<'_>)) {
        let accounts: Vec<AccountId> = self.logins.keys().copied().collect();
        for account in accounts {
            self.turn(account, now, &mut act);
        }
    }

    /// One input of one account; afterwards its deadline stands where it belongs.
    fn turn(&mut self, account: AccountId, now: Now, act: impl FnOnce(&mut Registration, &mut Context<'_>)) {
        let Some(entry) = self.logins.get_mut(&account) else { return };
        act(&mut entry.login, &mut self.tables.cx(account, now));
        let due = entry.login.deadline().map(|deadline| deadline.at);
        let before = std::mem::replace(&mut entry.due, due);
        if before != due {
            if let Some(before) = before {
                self.due.remove(&(before, account));
            }
            if let Some(due) = due {
                self.due.insert((due, account));
            }
        }
    }
}

impl Tables {
    fn cx(&mut self, account: AccountId, now: Now) -> Context<'_> {
        Context {
            account,
            agent: &self.config,
            outbox: &mut self.outbox,
            counters: &mut self.counters,
            random: self.random.as_mut(),
            rng: &mut self.rng,
            transactions: &mut self.transactions,
            flows: &mut self.flows,
            server_health: &mut self.server_health,
            asks: &mut self.asks,
            now,
        }
    }

    fn users(&self, flow: FlowId) -> Vec<AccountId> {
        self.flows.find(flow).map_or(Vec::new(), |flow| flow.users().collect())
    }

    /// Settled 23: the bound on client transactions grows with the accounts.
    fn size_for(&mut self, accounts: usize) {
        let mut caps = Caps::from(&self.config.limits);
        caps.clients = caps.clients.saturating_add(accounts.saturating_mul(2));
        self.transactions.set_caps(caps);
    }
}
