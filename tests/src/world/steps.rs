//! The clockwork: the next thing happens, the hosts it concerns are drained, the rules are checked.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::event::AccountEvent;
use homing_core::ids::AccountId;
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::time::Now;

use super::World;
use super::chance::QUESTIONS;
use super::link::HostId;
use super::queue::Happening;
use crate::digest::{Digest, Fact};
use crate::numbers::{of_record, of_state};

impl World {
    /// Runs until `until`, or fails on a broken rule.
    pub fn run_until(&mut self, until: Duration) {
        while let Some(at) = self.next_at()
            && at <= until
        {
            self.step(at);
        }
        self.rules_at_rest(until);
        self.clock.now = self.clock.now.max(until);
    }

    /// Runs for `span`.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now() + span);
    }

    /// Runs until `done`, at most for `span`; true if it came to that.
    pub fn run_to(&mut self, span: Duration, done: impl Fn(&World) -> bool) -> bool {
        let end = self.now() + span;
        loop {
            if done(self) {
                return true;
            }
            match self.next_at() {
                Some(at) if at <= end => self.step(at),
                _ => {
                    self.clock.now = self.clock.now.max(end);
                    return done(self);
                }
            }
        }
    }

    /// Gives a phone an order.
    pub fn order(&mut self, phone: usize, command: Command) {
        let now = self.instant(self.phones[phone].born);
        let name = self.phones[phone].name.clone();
        self.ladder.note(self.now(), &name, format!("ordered: {command:?}"));
        if let Err(misuse) = self.phones[phone].agent.handle_command(command, now) {
            self.ladder.note(self.now(), &name, format!("not now: {misuse}"));
        }
        self.drain_phone(phone);
        self.check_rules();
    }

    /// A phone asks its home server whether it is there.
    pub fn ask_options(&mut self, phone: usize, account: AccountId) {
        let now = self.instant(self.phones[phone].born);
        let name = self.phones[phone].name.clone();
        self.ladder.note(self.now(), &name, "asks for OPTIONS");
        if let Err(misuse) = self.phones[phone].agent.options(account, None, now) {
            self.ladder.note(self.now(), &name, format!("not now: {misuse}"));
        }
        self.drain_phone(phone);
        self.check_rules();
    }

    /// Tells a phone something about its machine.
    pub fn tell(&mut self, phone: usize, input: Input) {
        let now = self.instant(self.phones[phone].born);
        self.phones[phone].agent.handle_input(input, now);
        self.drain_phone(phone);
        self.check_rules();
    }

    /// Whose deadline has come, and why.
    fn due(&self) -> String {
        let phones = self.phones.iter().map(|phone| (&phone.name, phone.born, phone.agent.deadline()));
        let servers = self.servers.iter().map(|server| {
            (
                &server.short,
                server.born,
                server.node.as_ref().and_then(homing_server_mock::node::Node::deadline),
            )
        });
        let due = phones.chain(servers).filter_map(|(name, born, deadline)| {
            let deadline = deadline.filter(|deadline| born + deadline.at.0 <= self.clock.now)?;
            Some(format!(" {name} ({})", deadline.why))
        });
        due.collect()
    }

    fn next_at(&self) -> Option<Duration> {
        let phones = self.phones.iter().filter_map(|phone| Some(phone.born + phone.agent.deadline()?.at.0));
        let servers = self.servers.iter().filter_map(|server| server.deadline());
        let next = phones.chain(servers).chain(self.clock.queue.next_at()).min()?;
        Some(next.max(self.clock.now))
    }

    /// What happens next, at `at`. At one instant the queue comes first, in the order of scheduling and one
    /// thing a step, with all it schedules for the same instant; when the queue is empty, a machine that
    /// has a deadline is woken: phones by number, then servers by number, each once a step.
    fn step(&mut self, at: Duration) {
        self.rules_at_rest(at);
        self.rules.count_step(at);
        if self.rules.spins() {
            self.fail(&format!("a thousand steps at one instant: a deadline does not move:{}", self.due()));
        }
        self.clock.now = at;
        if self.clock.queue.next_at().is_some_and(|next| next <= at) {
            if let Some(what) = self.clock.queue.take() {
                self.happen(what);
            }
        } else {
            self.wake(at);
        }
        self.check_rules();
    }

    fn wake(&mut self, at: Duration) {
        for phone in 0..self.phones.len() {
            let born = self.phones[phone].born;
            if self.phones[phone].agent.deadline().is_some_and(|deadline| born + deadline.at.0 <= at) {
                let now = self.instant(born);
                self.phones[phone].agent.handle_input(Input::DeadlineReached, now);
                self.drain_phone(phone);
            }
        }
        for server in 0..self.servers.len() {
            if self.servers[server].deadline().is_some_and(|deadline| deadline <= at) {
                self.wake_server(server);
            }
        }
    }

    fn happen(&mut self, what: Happening<World>) {
        match what {
            Happening::Opened { link } => self.opened(link),
            Happening::Refused { host, flow, why } => self.refused(host, flow, why),
            Happening::Arrived { link, end, bytes } => self.arrived(link, end, &bytes),
            Happening::HungUp { link, end } => self.hung_up(link, end),
            Happening::Answered { phone, life, ask, answer } => {
                if self.phones[phone].life == life {
                    let now = self.instant(self.phones[phone].born);
                    self.phones[phone].agent.handle_answer(ask, answer, now);
                    self.drain_phone(phone);
                }
            }
            Happening::LookedUp { server, life, id, key } => self.looked_up(server, life, id, &key),
            Happening::Deed(deed) => deed(self),
        }
    }

    /// Hands everything a phone wants to the world.
    pub(super) fn drain_phone(&mut self, phone: usize) {
        while let Some(output) = self.phones[phone].agent.poll_output() {
            match output {
                Output::Send { flow, bytes } => {
                    self.check_credentials(phone, flow, &bytes);
                    self.send(HostId::Phone(phone), flow, bytes);
                }
                Output::Connect { flow, address, transport, identity } => {
                    self.dial(phone, flow, (address, transport), &identity);
                }
                Output::Close { flow } => self.hang_up(HostId::Phone(phone), flow),
                Output::Ask { id, question, until: _ } => self.asked(phone, id, question),
                Output::Forget { id: _ } => {}
                Output::Call(notice) => self.told_of_call(phone, notice),
                Output::Event(event) => {
                    let at = self.now();
                    let name = self.phones[phone].name.clone();
                    self.ladder.note(at, &name, told(&event.what));
                    if let AccountEvent::StateChanged { from, to } = &event.what {
                        let (number, states) =
                            (HostId::Phone(phone).number(), [of_state(*from), of_state(*to)]);
                        self.tell_digest(|digest, at| digest.fact(at, number, Fact::State, (&states, "")));
                    }
                    self.phones[phone].told.push((at, event.what));
                }
            }
        }
    }

    pub(super) fn tell_digest(&mut self, tell: impl FnOnce(&mut Digest, Duration)) {
        if let Some(digest) = &mut self.digest {
            tell(digest, self.clock.now);
        }
    }

    fn asked(&mut self, phone: usize, ask: homing_core::ids::AskId, question: Question) {
        let (life, now) = (self.phones[phone].life, self.now());
        let answer = match question {
            Question::Resolve(question) => {
                let (number, kind) = (HostId::Phone(phone).number(), of_record(question.kind));
                let found = self.zone.answer(&question);
                let answer = found.as_ref().map_or(2, |found| u64::from(found.is_ok()));
                let told = (&[kind, answer][..], question.name.as_str());
                self.tell_digest(|digest, at| digest.fact(at, number, Fact::Question, told));
                let Some(found) = found else { return };
                let words = if found.is_ok() { "" } else { ": nothing" };
                let text = format!("asks DNS {:?} {}{words}", question.kind, question.name);
                let name = self.phones[phone].name.clone();
                self.ladder.note(now, &name, text);
                let chance =
                    self.chance.of(QUESTIONS).of(number).of(kind).of_octets(question.name.as_bytes());
                let travel = self.network.conditions.travel(chance.of_instant(now)) * 2;
                let answer = Answer::Resolved(found);
                self.clock.queue.add(now + travel, Happening::Answered { phone, life, ask, answer });
                return;
            }
            Question::Credentials { .. } => Answer::Credentials(self.phones[phone].credentials.clone()),
            Question::Redirect(_) => Answer::Redirect(self.phones[phone].consent),
            Question::Describe(question) => self.describe(phone, &question),
        };
        self.clock.queue.add(now, Happening::Answered { phone, life, ask, answer });
    }

    /// Switches a phone off and on again: its links die, its machine is new.
    pub fn restart_phone(&mut self, phone: usize) {
        self.cut_host(HostId::Phone(phone));
        let (seed, born) = (self.seed_of(HostId::Phone(phone), self.phones[phone].life + 1), self.now());
        let now: Now = self.instant(born);
        let name = self.phones[phone].name.clone();
        self.ladder.note(born, &name, "switched off and on");
        self.phones[phone].restart(seed, born, now);
    }
}

/// An event as one ladder line; journeys would fill the page.
fn told(event: &AccountEvent) -> String {
    use AccountEvent as E;
    match event {
        E::JourneyChanged(journey) => format!("journey of {} hops", journey.hops.len()),
        E::Registered(registered) => format!("registered at {}", registered.home),
        E::StateChanged { from, to } => format!("{} → {}", from.words().word, to.words().word),
        E::LoginFailed { failure, retry_in } => {
            format!("login failed: {} ({}); again in {retry_in:?}", failure.error, failure.error.code())
        }
        other => format!("{other:?}"),
    }
}
