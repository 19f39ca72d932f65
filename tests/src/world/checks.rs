//! What holds after every step: every output taken, a reason for every wait, one home, no stray credentials.

use std::time::Duration;

use bytes::Bytes;
use homing_core::agent::Awaits;
use homing_core::ids::FlowId;
use homing_core::state::AccountState;
use homing_server_mock::node::config::OnMove;
use homing_wire::{Message, Name};

use super::World;
use super::server::Server;

impl World {
    pub(super) fn check_rules(&mut self) {
        for phone in 0..self.phones.len() {
            self.check_drained(phone);
            self.check_awaits(phone);
            self.check_one_home(phone);
            self.check_dialogs(phone);
        }
    }

    /// No dialog is left without a call.
    fn check_dialogs(&self, phone: usize) {
        let agent = &self.phones[phone].agent;
        if agent.calls() == 0 && agent.dialogs() > 0 {
            self.fail(&format!("{}: {} dialogs without a call", self.phones[phone].name, agent.dialogs()));
        }
    }

    fn check_drained(&mut self, phone: usize) {
        if let Some(output) = self.phones[phone].agent.poll_output() {
            self.fail(&format!("an output was left in the outbox: {output:?}"));
        }
    }

    /// Every account waits for a deadline, a person or the application, or is at rest.
    fn check_awaits(&self, phone: usize) {
        let agent = &self.phones[phone].agent;
        let account = self.phones[phone].account;
        let Some((_, awaits)) = agent.awaits().into_iter().find(|(id, _)| *id == account) else {
            self.fail("an account waits for nothing that has a name");
        };
        let state = self.phones[phone].state();
        match awaits {
            Awaits::Deadline(deadline) => {
                let next = agent.deadline();
                if next.is_none_or(|next| next.at > deadline.at) {
                    self.fail(&format!("{state:?} waits for `{}`, but the agent does not", deadline.why));
                }
            }
            Awaits::Person | Awaits::App => {}
            Awaits::Idle => {
                use AccountState::{LoggedOff, NoNetwork, Offline};
                if !state.is_failure() && !matches!(state, LoggedOff | NoNetwork | Offline) {
                    let left = agent.transactions();
                    self.fail(&format!("{state:?} rests without a deadline, {left} transactions"));
                }
            }
        }
    }

    /// Settled rule: never two servers from which an INVITE would reach the endpoint, once the directory's
    /// commit is one lease old.
    fn check_one_home(&self, phone: usize) {
        let config = &self.phones[phone].config;
        let user = format!("{}@{}", config.aor.user, config.aor.domain);
        if !self.rules.settled(&user, self.now()) {
            return;
        }
        let homes: Vec<&str> = self.homes(phone).map(|server| &*server.short).collect();
        if homes.len() > 1 {
            self.fail(&format!("{user} has two homes: {homes:?}"));
        }
    }

    /// The servers that would answer for the phone: where moved users are recalled, those that hold a binding of its
    /// user. Else each device moves with its own refresh (patent paragraph 67), and a server that cannot reach it any
    /// more does not count.
    pub fn homes(&self, phone: usize) -> impl Iterator<Item = &Server> {
        let config = &self.phones[phone].config;
        let user = format!("{}@{}", config.aor.user, config.aor.domain);
        let answers = move |(place, server): &(usize, &Server)| {
            if server.config.registrar.on_move == OnMove::Recall {
                server.bindings(&user) > 0
            } else {
                server.holds(&user, &config.epid) && !self.links_between(phone, *place).is_empty()
            }
        };
        self.servers.iter().enumerate().filter(answers).map(|(_, server)| server)
    }

    /// No credential leaves for a server whose name was not proved, unless the account says `in the clear`.
    pub(super) fn check_credentials(&self, phone: usize, flow: FlowId, bytes: &Bytes) {
        let in_the_clear = self.phones[phone].config.transports.iter().any(|flow_ref| !flow_ref.is_secure());
        if in_the_clear || !carries_credentials(bytes) {
            return;
        }
        match self.peer_of(phone, flow) {
            Some((server, true)) if self.servers[server].honest => {}
            Some((server, secure)) => {
                let short = &self.servers[server].short;
                self.fail(&format!("credentials leave for {short} (TLS: {secure}), which proved nothing"));
            }
            None => {}
        }
    }

    /// Before a pause longer than any transaction lives, no transaction may be left.
    pub(super) fn rules_at_rest(&self, next: Duration) {
        if next.saturating_sub(self.now()) <= LONGEST_TRANSACTION {
            return;
        }
        for phone in &self.phones {
            let left = phone.agent.transactions();
            if left > 0 {
                self.fail(&format!("{}: {left} transactions left at rest", phone.name));
            }
        }
    }
}

fn carries_credentials(bytes: &Bytes) -> bool {
    let Ok(message) = Message::parse(bytes.clone()) else { return false };
    [Name::Authorization, Name::ProxyAuthorization].into_iter().any(|name| {
        message.auth(name).any(|auth| {
            let token = auth.param("gssapi-data").is_some_and(|token| !token.is_empty());
            token || auth.param("response").is_some()
        })
    })
}

/// 64·T1 and a little.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(33);
