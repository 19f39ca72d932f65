//! The agent: takes every input to the machine it is for, and every effect to the outbox.
//!
//! **Give one input with the time; drain every output; ask for the deadline; sleep.**
//!
//! The agent has tables, no states: what it does with an input is a look-up of the [`Owner`] it
//! is for. Registrations that have something due stand in an ordered queue, so that ten thousand of them at rest
//! cost nothing.

mod call_entry;
mod calls;
mod entry;
mod incoming;
mod outgoing;
mod pump;
mod requests;
mod responses;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Excerpt, Frame, FrameError, FrameFault, Limits, Message, Method, ParseError};
use smallvec::SmallVec;

use call_entry::CallEntry;
use entry::Entry;
use outgoing::Outgoing;

use crate::account::Account;
use crate::account::context::{Asks, Context, LinkChange, LinkNews};
use crate::account::link_context::LinkContext;
use crate::account::random::{Random, SeededRandom};
use crate::account::server_link::ServerLink;
use crate::account::waiting::Waiting;
use crate::call::{Call, Rejection, Step};
use crate::call_event::{CallEnd, EndReason};
use crate::call_path::CallPath;
use crate::call_request::{CallRequest, InfoBody};
use crate::command::Command;
use crate::config::{AccountConfig, AgentConfig, ConfigError, DoNotDisturb, ServerChoice};
use crate::connect::{ConnectError, FlowEvent};
use crate::counter::{Counter, Counters};
use crate::dialog::Dialogs;
use crate::error::Misuse;
use crate::flow::{FlowRules, Flows, LostFlow, Opened};
use crate::ids::{AccountId, AskId, CallId, FlowId, Owner, RequestId, Seed, Streams, TxId};
use crate::locate::ServerHealth;
use crate::outbox::{Answer, Input, Outbox, Output};
use crate::registration::{Expecting, Registration};
use crate::request::{Asked, Locating, Request};
use crate::state::AccountState;
use crate::time::{Deadline, Now};
use crate::timer_queue::TimerQueue;
use crate::transaction::{Caps, Transactions};
use crate::transport::Transport;
use crate::uas::{Abilities, WITHOUT_CALLS};

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
    /// Boxed: nodes of the map are little more than half full where numbers only grow.
    accounts: BTreeMap<AccountId, Box<Entry>>,
    /// Accounts by address of record, lower case.
    by_aor: BTreeMap<Box<str>, SmallVec<[AccountId; 2]>>,
    requests: BTreeMap<RequestId, Outgoing>,
    calls: BTreeMap<CallId, CallEntry>,
    dialogs: Dialogs,
    /// Accounts without registrar that are heard where they listen.
    listeners: Vec<AccountId>,
    /// Registrations that have something due.
    due: TimerQueue<Owner>,
    next_account: u32,
    next_request: u32,
    next_call: u32,
    tables: Tables,
}

/// What a login waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// A moment.
    Deadline(Deadline),
    /// A person: credentials.
    Person,
    /// The application: consent, or the next word in a call, which is either side's.
    App,
    /// A command.
    Idle,
}

/// What is lent to a machine for one input, and what its turn produced.
struct Tables {
    config: AgentConfig,
    outbox: Outbox,
    counters: Counters,
    random: Box<dyn Random>,
    server_order: Streams,
    transactions: Transactions<Owner>,
    flows: Flows<Owner>,
    server_health: ServerHealth,
    waiting: Waiting,
    asks: Asks,
    drained: Vec<ServerLink>,
    news: Vec<LinkNews>,
}

impl Agent {
    /// An agent without accounts. All its randomness comes from `seed`.
    pub fn new(config: AgentConfig, seed: Seed, now: Now) -> Self {
        let random = SeededRandom::new(&seed.stream("registration", &[]));
        Self::with_random(config, seed, Box::new(random), now)
    }

    /// An agent whose registrations draw their values from `random`: to replay a recorded conversation.
    #[expect(clippy::needless_pass_by_value, reason = "a seed is used once")]
    pub fn with_random(config: AgentConfig, seed: Seed, random: Box<dyn Random>, _now: Now) -> Self {
        let flows = Flows::new(FlowRules::from(&config.limits), &seed.stream("flows", &[]));
        let caps = Caps::from(&config.limits);
        let transactions = Transactions::new(config.timers, caps, &seed.stream("transactions", &[]));
        let server_health = ServerHealth::new(config.limits.retry_after);
        Self {
            accounts: BTreeMap::new(),
            by_aor: BTreeMap::new(),
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            dialogs: Dialogs::new(&mut seed.rng("dialogs")),
            listeners: Vec::new(),
            due: TimerQueue::default(),
            next_account: 0,
            next_request: 0,
            next_call: 0,
            tables: Tables {
                config,
                outbox: Outbox::default(),
                counters: Counters::default(),
                random,
                server_order: seed.stream("server order", &[]).streams(),
                transactions,
                flows,
                server_health,
                waiting: Waiting::default(),
                asks: Asks::default(),
                drained: Vec::new(),
                news: Vec::new(),
            },
        }
    }

    /// Adds an account, at rest. Accounts are numbered from 0 in the order in which they are added; a number is
    /// never used again.
    ///
    /// # Errors
    /// [`ConfigError`]: the configuration breaks a rule.
    pub fn add_account(&mut self, account: AccountConfig, _now: Now) -> Result<AccountId, ConfigError> {
        account.check()?;
        let aor = account.aor.to_string().to_ascii_lowercase();
        let namesakes = self.by_aor.get(aor.as_str()).into_iter().flatten();
        let is_twin = |id: &AccountId| {
            self.accounts.get(id).is_some_and(|entry| entry.account.config.epid == account.epid)
        };
        if namesakes.into_iter().any(is_twin) {
            return Err(ConfigError::Duplicate { aor: account.aor.to_string(), epid: account.epid });
        }
        let id = AccountId(self.next_account);
        self.next_account += 1;
        self.by_aor.entry(aor.into()).or_default().push(id);
        if account.server == ServerChoice::NoRegistrar && account.call_rules().listen.is_some() {
            self.listeners.push(id);
        }
        self.accounts.insert(id, Box::new(Entry::new(id, account)));
        self.tables.size_for(self.accounts.len());
        Ok(id)
    }

    /// Takes what the world tells.
    ///
    /// While more than [`Limits::outputs`](crate::limits::Limits::outputs) wait to be drained, what
    /// arrives and what is due is not taken but counted: it is as if the network had lost it. What answers
    /// an output that was drained is always taken.
    ///
    /// [`Input::DeadlineReached`] does everything that is due at or before `now`, in this order:
    /// transactions, then flows, then accounts; each kind by deadline, and those of equal deadlines by id
    /// ([`TxId`], [`FlowId`], [`AccountId`]), which for transactions and flows is the
    /// order of their birth. What an expired transaction or flow causes in an account is handled before the
    /// accounts' own deadlines are looked at. What becomes due at the same instant while accounts are
    /// handled is left: [`deadline`](Self::deadline) then says `now`, and one more `DeadlineReached` does it.
    pub fn handle_input(&mut self, input: Input, now: Now) {
        if self.is_undrained()
            && matches!(input, Input::Flow(FlowEvent::Received { .. }) | Input::DeadlineReached)
        {
            return self.tables.counters.count(Counter::Undrained);
        }
        match input {
            Input::Flow(event) => self.handle_flow(event, now),
            Input::DeadlineReached => self.wake(now),
            Input::ClockJumped => {
                self.tables.counters.count(Counter::ClockJump);
                self.every(now, |registration, _, cx| registration.handle_clock_jump(cx));
            }
            Input::NetworkChanged { online } => {
                self.every(now, |registration, account, cx| registration.handle_network(online, account, cx));
            }
        }
        pump::pump(self, now);
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
            Command::Register(account) => self.command(account, now, Registration::login),
            Command::Refresh(account) => self.command(account, now, Registration::refresh),
            Command::Unregister(account) => self.command(account, now, |registration, account, cx| {
                registration.logout(SIGN_OUT_PATIENCE, account, cx)
            }),
            Command::UnregisterWithin(account, patience) => {
                self.command(account, now, |registration, account, cx| {
                    registration.logout(patience, account, cx)
                })
            }
            Command::CredentialsChanged(account) => {
                self.command(account, now, Registration::handle_new_credentials)
            }
            Command::DoNotDisturb(account, rule) => self.set_do_not_disturb(account, rule),
            Command::Remove(account) => self.remove(account, now),
        };
        pump::pump(self, now);
        done
    }

    /// Asks the home server of an account whether it is there, or through it the owner of `uri` (RFC 3261
    /// section 11). An account without registrar asks the server of `uri` directly. How it ends is told as
    /// [`RequestEnded`](crate::event::AccountEvent::RequestEnded).
    ///
    /// # Errors
    /// [`Misuse`]: no such account, it is not signed in, no SIP URI (or none, without registrar), or too many
    /// requests are under way.
    pub fn options(&mut self, account: AccountId, uri: Option<&str>, now: Now) -> Result<RequestId, Misuse> {
        if uri.is_some_and(|uri| !Request::accepts(uri)) {
            return Err(Misuse::BadMessage);
        }
        if self.is_undrained() {
            self.tables.counters.count(Counter::Undrained);
            return Err(Misuse::Limit);
        }
        let Self { accounts, tables, .. } = self;
        let entry = accounts.get_mut(&account).ok_or(Misuse::UnknownAccount)?;
        let id = RequestId(self.next_request);
        let cx = &mut tables.context(account, Owner::Request(id), now);
        if entry.account.config.server == ServerChoice::NoRegistrar {
            if self.requests.len() >= cx.agent.limits.client_transactions {
                return Err(Misuse::Limit);
            }
            let uri = uri.ok_or(Misuse::BadMessage)?;
            let asked = Asked::new(Some(uri), &entry.account.config, now);
            let step = Locating::start(asked, &entry.account, cx)?;
            self.next_request = self.next_request.wrapping_add(1);
            requests::follow(self, id, account, step, now);
        } else {
            let link = entry.registration.home().ok_or(Misuse::WrongState)?;
            let asked = Asked::new(uri, &entry.account.config, now);
            let at = LinkContext { link, account: &mut entry.account, cx };
            let request = Request::start(asked, at)?;
            self.next_request = self.next_request.wrapping_add(1);
            self.requests.insert(id, Outgoing::Sent(Box::new(request)));
        }
        pump::pump(self, now);
        Ok(id)
    }

    /// Places a call over the home server of an account, or, for an account without registrar, to the server of the URI.
    /// What becomes of it is told as [`CallEvent`](crate::call_event::CallEvent)s; the offer is asked for by
    /// [`Question::Describe`](crate::outbox::Question::Describe).
    ///
    /// # Errors
    /// [`Misuse`]: no such account, it is not signed in or makes no calls, no SIP URI, a reserved or malformed header, or
    /// too many calls.
    pub fn place_call(
        &mut self,
        account: AccountId,
        request: CallRequest,
        now: Now,
    ) -> Result<CallId, Misuse> {
        self.admit_command()?;
        let placed = calls::place(self, account, request, now);
        pump::pump(self, now);
        placed
    }

    /// Tells the caller of a call that came in that it rings (180); with `early` describes the session before the answer
    /// (183), so that the caller hears what is sent.
    ///
    /// # Errors
    /// [`Misuse`]: no such call, or it does not ring, is being answered, or cannot be described early.
    pub fn ring(&mut self, call: CallId, early: bool, now: Now) -> Result<(), Misuse> {
        let mut done = Ok(());
        self.command_call(call, now, Call::is_ringing, |mut call, at| {
            done = call.alert(early, at);
            Step::Stays(Box::new(call))
        })?;
        done
    }

    /// Answers a call that came in.
    ///
    /// # Errors
    /// [`Misuse`]: no such call, or it does not ring.
    pub fn answer(&mut self, call: CallId, now: Now) -> Result<(), Misuse> {
        self.admit_command()?;
        let done = calls::answer(self, call, now);
        pump::pump(self, now);
        done
    }

    /// Refuses a call that came in, with a status from 400 to 699.
    ///
    /// # Errors
    /// [`Misuse`]: no such call, it does not ring, or that is no such status.
    pub fn reject(&mut self, call: CallId, status: u16, now: Now) -> Result<(), Misuse> {
        self.admit_command()?;
        if !(400..700).contains(&status) {
            return Err(Misuse::BadMessage);
        }
        let rejection = Rejection { status, text: String::new() };
        self.command_call(call, now, Call::is_ringing, |call, at| call.reject(&rejection, at))
    }

    /// Sends the caller of a call that came in to another address (302).
    ///
    /// # Errors
    /// [`Misuse`]: no such call, it does not ring, or no SIP URI.
    pub fn redirect(&mut self, call: CallId, uri: &str, now: Now) -> Result<(), Misuse> {
        self.admit_command()?;
        if !Call::accepts(uri) {
            return Err(Misuse::BadMessage);
        }
        let rejection = Rejection { status: 302, text: uri.to_owned() };
        self.command_call(call, now, Call::is_ringing, |call, at| call.reject(&rejection, at))
    }

    /// Ends a call: CANCEL, BYE, 603, or nothing, as its state asks for. Its end is told at once.
    ///
    /// # Errors
    /// [`Misuse::UnknownCall`]: no such call, or it is over.
    pub fn hang_up(&mut self, call: CallId, now: Now) -> Result<(), Misuse> {
        self.admit_command()?;
        let why = match self.calls.get(&call).and_then(CallEntry::call) {
            Some(linked) if linked.is_ringing() => EndReason::Declined,
            Some(linked) if linked.is_answered() => EndReason::HungUp,
            Some(_) | None => EndReason::Cancelled,
        };
        let done = calls::hang_up(self, call, CallEnd::ours(why), now);
        pump::pump(self, now);
        done
    }

    /// Hangs up every call of an account, for that reason: CANCEL, BYE, 603, or nothing, as each state asks for.
    pub fn end_calls(&mut self, account: AccountId, why: &EndReason, now: Now) {
        calls::end_all(self, account, why, now);
        pump::pump(self, now);
    }

    /// Hangs up one call for a reason that is told as its end; one that is over stays as it ended.
    pub fn end_call(&mut self, call: CallId, why: EndReason, now: Now) {
        // What is over already needs nothing.
        let _ = calls::hang_up(self, call, CallEnd::ours(why), now);
        pump::pump(self, now);
    }

    /// How the signalling of a call travels now; none for a call that is over or has no connection yet.
    pub fn call_path(&mut self, call: CallId) -> Option<CallPath> {
        let entry = self.calls.get(&call)?;
        let (account, link) = (entry.account, entry.call()?.line().link);
        let (_, link) = self.accounts.get_mut(&account)?.link(link)?;
        Some(CallPath { local: link.local, is_proved: link.proof.is_some() })
    }

    /// Holds an answered call: the world is asked for an offer that is `sendonly`. Told as
    /// [`Held`](crate::call_event::CallEvent::Held) or [`ChangeRefused`](crate::call_event::CallEvent::ChangeRefused).
    ///
    /// # Errors
    /// [`Misuse`]: no such call, or it is not answered.
    pub fn hold(&mut self, call: CallId, now: Now) -> Result<(), Misuse> {
        self.command_call(call, now, Call::is_talking, |call, at| call.hold(true, at))
    }

    /// Takes a call up again that is on hold.
    ///
    /// # Errors
    /// As [`hold`](Self::hold).
    pub fn resume(&mut self, call: CallId, now: Now) -> Result<(), Misuse> {
        self.command_call(call, now, Call::is_talking, |call, at| call.hold(false, at))
    }

    /// Sends INFO in an answered call; told as [`InfoAnswered`](crate::call_event::CallEvent::InfoAnswered).
    ///
    /// # Errors
    /// [`Misuse`]: no such call, it is not answered, the body is over 64 KiB, or too many requests of the call have no
    /// answer.
    pub fn info(&mut self, call: CallId, body: InfoBody, now: Now) -> Result<(), Misuse> {
        self.admit_command()?;
        if !body.is_usable() {
            return Err(Misuse::BadMessage);
        }
        let entry = self.calls.get(&call).and_then(CallEntry::call);
        if entry.is_some_and(Call::is_crowded) {
            return Err(Misuse::Limit);
        }
        self.command_call(call, now, Call::is_talking, |call, at| call.inform(body, at))
    }

    /// Calls in the table, those that linger after their end included.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Names under which dialogs are found; none is left without a call.
    pub fn dialogs(&self) -> usize {
        self.dialogs.len()
    }

    fn command_call(
        &mut self,
        call: CallId,
        now: Now,
        may: impl FnOnce(&Call) -> bool,
        act: impl FnOnce(Call, LinkContext<'_, '_>) -> Step,
    ) -> Result<(), Misuse> {
        self.admit_command()?;
        let done = calls::command(self, call, now, may, act);
        pump::pump(self, now);
        done
    }

    fn admit_command(&mut self) -> Result<(), Misuse> {
        if self.is_undrained() {
            self.tables.counters.count(Counter::Undrained);
            return Err(Misuse::Limit);
        }
        Ok(())
    }

    /// Takes the answer to a question; one that is not waited for is counted.
    pub fn handle_answer(&mut self, id: AskId, answer: Answer, now: Now) {
        match self.tables.asks.close(id) {
            Some(Owner::Registration(account)) => {
                self.registration(account, now, |registration, account, cx| {
                    registration.handle_answer(id, answer, account, cx);
                })
            }
            Some(Owner::Request(request)) => match answer {
                Answer::Resolved(records) => {
                    requests::feed_locating(self, request, now, |locating, cx| {
                        locating.handle_answer(id, records, cx)
                    });
                }
                Answer::Credentials(given) => {
                    requests::feed_sent(self, request, now, |request, at| {
                        request.handle_credentials(id, given, at)
                    });
                }
                Answer::Redirect(_) | Answer::Described(_) => {
                    self.tables.counters.count(Counter::LateAnswer);
                }
            },
            Some(Owner::Call(call)) => calls::handle_answer(self, call, id, answer, now),
            None => self.tables.counters.count(Counter::LateAnswer),
        }
        pump::pump(self, now);
    }

    /// Takes the oldest output. Drain them all after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.tables.outbox.poll()
    }

    /// When the agent wants to be woken, and for what.
    pub fn deadline(&self) -> Option<Deadline> {
        let first = self.due.first().and_then(|(_, owner)| match owner {
            Owner::Registration(account) => self.accounts.get(&account)?.registration.deadline(),
            // Once sent, a request waits for its transaction, a person or a registration.
            Owner::Request(request) => match self.requests.get(&request)? {
                Outgoing::Locating(locating, _) => locating.deadline(),
                Outgoing::Sent(_) => None,
            },
            Owner::Call(call) => self.calls.get(&call)?.deadline(),
        });
        let tables = Deadline::earlier(self.tables.transactions.deadline(), self.tables.flows.deadline());
        Deadline::earlier(first, tables)
    }

    /// The state of an account.
    pub fn state(&self, account: AccountId) -> Option<AccountState> {
        self.accounts.get(&account).map(|entry| entry.registration.shown())
    }

    /// What each account waits for: nothing but these four exists.
    pub fn awaits(&self) -> Vec<(AccountId, Awaits)> {
        let one = |account: &AccountId, entry: &Entry| {
            let own = entry.registration.deadline();
            let waits = match (entry.registration.expecting(), own) {
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
        let asking = |request: &Outgoing| match request {
            Outgoing::Locating(locating, _) => {
                locating.deadline().map(|deadline| (locating.account, Awaits::Deadline(deadline)))
            }
            Outgoing::Sent(request) => {
                request.awaits_person().then_some((request.subject().account, Awaits::Person))
            }
        };
        let registrations = self.accounts.iter().map(|(account, entry)| one(account, entry));
        let asking = self.requests.values().filter_map(asking);
        registrations.chain(asking).chain(self.calls.values().map(|call| self.awaited(call))).collect()
    }

    /// What a call waits for.
    fn awaited(&self, entry: &CallEntry) -> (AccountId, Awaits) {
        let call = entry.call();
        let awaits = match entry.deadline() {
            Some(deadline) => Awaits::Deadline(deadline),
            None if call.is_some_and(Call::awaits_person) => Awaits::Person,
            None if call.is_some_and(Call::is_talking) => Awaits::App,
            None => self.tables.transactions.deadline().map_or(Awaits::Idle, Awaits::Deadline),
        };
        (entry.account, awaits)
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

    fn command(
        &mut self,
        account: AccountId,
        now: Now,
        act: impl FnOnce(&mut Registration, &mut Account, &mut Context<'_>) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let mut done = Err(Misuse::UnknownAccount);
        self.registration(account, now, |registration, account, cx| done = act(registration, account, cx));
        done
    }

    fn set_do_not_disturb(&mut self, account: AccountId, rule: DoNotDisturb) -> Result<(), Misuse> {
        let entry = self.accounts.get_mut(&account).ok_or(Misuse::UnknownAccount)?;
        let rules = entry.account.config.calls.as_mut().ok_or(Misuse::WrongState)?;
        rules.do_not_disturb = rule;
        Ok(())
    }

    fn remove(&mut self, account: AccountId, now: Now) -> Result<(), Misuse> {
        let entry = self.accounts.get(&account).ok_or(Misuse::UnknownAccount)?;
        if !entry.registration.is_at_rest() {
            return Err(Misuse::WrongState);
        }
        let aor = entry.account.config.aor.to_string().to_ascii_lowercase();
        let own = |(id, request): (&RequestId, &Outgoing)| (request.account() == account).then_some(*id);
        let requests: Vec<RequestId> = self.requests.iter().filter_map(own).collect();
        for id in requests {
            let cx = &mut self.tables.context(account, Owner::Request(id), now);
            match self.requests.remove(&id) {
                Some(Outgoing::Locating(locating, mut due)) => {
                    locating.stop(cx);
                    self.due.set(Owner::Request(id), &mut due, None);
                }
                Some(Outgoing::Sent(request)) => {
                    let subject = request.abandon(cx);
                    cx.release(subject.flow);
                }
                None => {}
            }
        }
        calls::end_all(self, account, &EndReason::AccountRemoved, now);
        calls::abandon(self, account, now);
        self.listeners.retain(|one| *one != account);
        if let Some(mut entry) = self.accounts.remove(&account) {
            self.due.set(Owner::Registration(account), &mut entry.due, None);
        }
        if let Some(namesakes) = self.by_aor.get_mut(aor.as_str()) {
            namesakes.retain(|one| *one != account);
            if namesakes.is_empty() {
                self.by_aor.remove(aor.as_str());
            }
        }
        self.tables.size_for(self.accounts.len());
        Ok(())
    }

    fn handle_flow(&mut self, event: FlowEvent, now: Now) {
        match event {
            FlowEvent::Connected { flow, local, peer, proof } => {
                if !self.tables.flows.handle_connected(flow, Opened::new(local, peer, proof, now)) {
                    return self.tables.counters.count(Counter::StrayFlow);
                }
                for owner in self.tables.users(flow) {
                    match owner {
                        Owner::Registration(account) => {
                            self.registration(account, now, |registration, account, cx| {
                                registration.handle_connected(flow, account, cx);
                            });
                        }
                        Owner::Request(request) => {
                            requests::feed_locating(self, request, now, |locating, cx| {
                                locating.handle_connected(flow, cx)
                            });
                        }
                        Owner::Call(call) if calls::is_locating(self, call) => {
                            calls::feed_locating(self, call, now, |locating, cx| {
                                locating.handle_connected(flow, cx)
                            });
                        }
                        Owner::Call(call) => {
                            calls::feed(self, call, now, |call, at| call.handle_connected(flow, at));
                        }
                    }
                }
            }
            FlowEvent::ConnectFailed { flow, why } | FlowEvent::Closed { flow, why } => {
                self.lose(flow, why, now);
            }
            // Nothing can be read from it any more, so that no transaction waits for answers.
            FlowEvent::Malformed { flow, why, head } => {
                self.tables.counters.count(Counter::Malformed);
                if let Some(excerpt) = head.and_then(|head| Excerpt::read(&head, &Limits::default())) {
                    incoming::refuse_malformed(self, flow, &excerpt.message);
                }
                self.cut(flow, why, now);
            }
            FlowEvent::Received { flow, frame } => self.receive(flow, frame, now),
            // An agent that does not listen accepts no connection.
            FlowEvent::Accepted { .. } if self.listeners.is_empty() => {
                self.tables.counters.count(Counter::StrayFlow);
            }
            FlowEvent::Accepted { flow, local, peer, transport, .. } => {
                let opened = Opened::new(local, peer, None, now);
                self.tables.flows.accept(flow, opened, transport, now);
            }
        }
    }

    fn receive(&mut self, flow: FlowId, frame: Frame, now: Now) {
        if !self.tables.flows.handle_frame(flow, &frame, now) {
            return self.tables.counters.count(Counter::StrayFlow);
        }
        let Frame::Message(bytes) = frame else { return };
        let octets = bytes.clone();
        match Message::parse_with(bytes, &self.tables.config.limits.message) {
            Ok(message) if message.is_request() => incoming::handle_request(self, flow, &message, now),
            Ok(message) => responses::handle_response(self, flow, message, now),
            Err(error) => self.receive_unreadable(flow, &octets, error, now),
        }
    }

    /// What is no message that can be taken: over a limit, or broken. What can be read of it ends what waits for it, or
    /// is refused. A line that another reader might take for a header ends its stream.
    fn receive_unreadable(&mut self, flow: FlowId, octets: &Bytes, error: ParseError, now: Now) {
        let is_over = matches!(error, ParseError::TooLarge(_));
        self.tables.counters.count(if is_over { Counter::OverLimit } else { Counter::Malformed });
        let Some(excerpt) = Excerpt::read(octets, &self.tables.config.limits.message) else { return };
        if excerpt.message.is_request() {
            incoming::refuse_unreadable(self, flow, &excerpt.message, error);
        } else {
            responses::handle_unreadable(self, flow, excerpt, error, now);
        }
        let transport = self.tables.flows.find(flow).map(|flow| flow.destination().transport);
        let is_stream = transport.is_some_and(Transport::is_reliable);
        if is_stream && matches!(error, ParseError::HeaderLine | ParseError::BareLineEnd) {
            self.cut(flow, FrameFault { rule: FrameError::HeaderLine, octet: 0 }, now);
        }
    }

    /// Closes a stream that cannot be cut into messages.
    fn cut(&mut self, flow: FlowId, why: FrameFault, now: Now) {
        self.tables.outbox.push(Output::Close { flow });
        self.lose(flow, ConnectError::Framing(why), now);
    }

    fn lose(&mut self, flow: FlowId, why: ConnectError, now: Now) {
        let Some(found) = self.tables.flows.find(flow) else {
            return self.tables.counters.count(Counter::StrayFlow);
        };
        let lost = LostFlow { flow, why, destination: Some(found.destination().clone()) };
        let users = self.tables.flows.handle_lost(flow);
        pump::tell_lost(self, &lost, &users, now);
    }

    fn wake(&mut self, now: Now) {
        self.tables.transactions.handle_deadline(now);
        self.tables.flows.handle_deadline(now);
        pump::pump(self, now);
        for owner in self.due.reached(now) {
            match owner {
                Owner::Registration(account) => {
                    self.registration(account, now, Registration::handle_deadline);
                }
                Owner::Request(request) => {
                    requests::feed_locating(self, request, now, Locating::handle_deadline);
                }
                Owner::Call(call) => calls::handle_deadline(self, call, now),
            }
        }
    }

    fn every(&mut self, now: Now, mut act: impl FnMut(&mut Registration, &mut Account, &mut Context<'_>)) {
        let accounts: Vec<AccountId> = self.accounts.keys().copied().collect();
        for account in accounts {
            self.registration(account, now, &mut act);
        }
    }

    /// One input of a registration; afterwards its deadline and the link it left stand where they belong.
    fn registration(
        &mut self,
        id: AccountId,
        now: Now,
        act: impl FnOnce(&mut Registration, &mut Account, &mut Context<'_>),
    ) {
        let Some(entry) = self.accounts.get_mut(&id) else { return };
        let owner = Owner::Registration(id);
        let before = entry.registration.home().map(|home| home.id);
        act(&mut entry.registration, &mut entry.account, &mut self.tables.context(id, owner, now));
        for link in self.tables.drained.drain(..) {
            entry.keep(link);
        }
        entry.resume(self.tables.config.timers.t1 * OVERLAP, now);
        // The calls of the account hear of a new login: their link may have another flow.
        if let Some(link) = entry.registration.home().map(|home| home.id).filter(|home| Some(*home) != before)
        {
            let what = LinkChange::Registered(true);
            self.tables.news.push(LinkNews { account: id, link, what });
        }
        let due = entry.registration.deadline().map(|deadline| deadline.at);
        self.due.set(owner, &mut entry.due, due);
    }

    /// What an account answers that it takes.
    fn abilities(&self, account: AccountId) -> &'static Abilities {
        let entry = self.accounts.get(&account);
        entry.map_or(&WITHOUT_CALLS, |entry| Abilities::of(&entry.account.config))
    }

    /// True for an account that signs in at a server, which then stands between it and strangers.
    fn has_registrar(&self, account: AccountId) -> bool {
        let server = self.accounts.get(&account).map(|entry| &entry.account.config.server);
        server.is_some_and(|server| *server != ServerChoice::NoRegistrar)
    }

    /// True for an INVITE outside a dialog to an account that takes calls.
    fn is_called(&self, account: AccountId, request: &Message) -> bool {
        let is_outside = request.to().is_ok_and(|to| to.tag().is_none());
        let takes = self.accounts.get(&account).is_some_and(|entry| entry.account.config.calls.is_some());
        request.method() == Some(Method::Invite) && is_outside && takes
    }

    /// The account of an owner.
    fn account_of(&self, owner: Owner) -> Option<AccountId> {
        match owner {
            Owner::Registration(account) => Some(account),
            Owner::Request(request) => self.requests.get(&request).map(Outgoing::account),
            Owner::Call(call) => self.calls.get(&call).map(|entry| entry.account),
        }
    }

    /// The flow of an owner's present transaction.
    fn flow_of(&mut self, owner: Owner) -> Option<FlowId> {
        match owner {
            Owner::Registration(account) => Some(self.accounts.get_mut(&account)?.home()?.1.flow()),
            Owner::Request(request) => match self.requests.get(&request)? {
                Outgoing::Sent(request) => Some(request.subject().flow),
                Outgoing::Locating(..) => None,
            },
            Owner::Call(call) => Some(self.calls.get(&call)?.call()?.line().flow),
        }
    }

    /// The From tag of an owner's request with that transaction.
    fn caller_tag(&self, owner: Owner, tx: TxId) -> Option<&str> {
        match owner {
            Owner::Registration(account) => self.accounts.get(&account)?.registration.caller_tag(tx),
            Owner::Request(request) => match self.requests.get(&request)? {
                Outgoing::Sent(request) => Some(request.caller_tag()),
                Outgoing::Locating(..) => None,
            },
            Owner::Call(call) => self.calls.get(&call)?.call()?.caller_tag(),
        }
    }

    /// The account and the link of an owner's transaction over that flow, and the tables beside them.
    fn link_of(
        &mut self,
        owner: Owner,
        flow: FlowId,
    ) -> Option<(&mut Account, &mut ServerLink, &mut Tables)> {
        let Self { accounts, requests, calls, tables, .. } = self;
        let (account, link) = match owner {
            Owner::Registration(account) => accounts.get_mut(&account)?.registration_link(flow)?,
            Owner::Request(request) => {
                let Outgoing::Sent(request) = requests.get(&request)? else { return None };
                let subject = request.subject();
                accounts.get_mut(&subject.account)?.link(subject.link)?
            }
            Owner::Call(call) => {
                let entry = calls.get(&call)?;
                accounts.get_mut(&entry.account)?.link(entry.call()?.line().link)?
            }
        };
        Some((account, link, tables))
    }
}

/// How long what an earlier login proved still counts, in multiples of T1: as long as a transaction lasts.
const OVERLAP: u32 = 64;

/// A server that does not answer delays a sign-out by at most this.
const SIGN_OUT_PATIENCE: Duration = Duration::from_secs(5);

impl Tables {
    fn context(&mut self, account: AccountId, owner: Owner, now: Now) -> Context<'_> {
        Context {
            account,
            owner,
            agent: &self.config,
            outbox: &mut self.outbox,
            counters: &mut self.counters,
            random: self.random.as_mut(),
            server_order: &self.server_order,
            transactions: &mut self.transactions,
            flows: &mut self.flows,
            server_health: &mut self.server_health,
            waiting: &mut self.waiting,
            asks: &mut self.asks,
            drained: &mut self.drained,
            news: &mut self.news,
            now,
        }
    }

    fn users(&self, flow: FlowId) -> Vec<Owner> {
        self.flows.find(flow).map_or(Vec::new(), |flow| flow.users().collect())
    }

    /// The bound on client transactions grows with the accounts, which may all sign in at once.
    fn size_for(&mut self, accounts: usize) {
        let mut caps = Caps::from(&self.config.limits);
        caps.clients = caps.clients.saturating_add(accounts.saturating_mul(2));
        self.transactions.set_caps(caps);
    }
}
