//! A phone of the world: one agent with one account, its memory of events, its place in the network.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use homing_core::agent::Agent;
use homing_core::config::{AccountConfig, AgentConfig, Remembered};
use homing_core::error::LoginError;
use homing_core::event::AccountEvent;
use homing_core::ids::{AccountId, FlowId, Seed};
use homing_core::outbox::{Credentials, Decision};
use homing_core::state::AccountState;
use homing_core::time::Now;

use super::person::Person;

/// One agent with one account.
pub struct Phone {
    /// How the ladder calls it.
    pub name: String,
    /// The machine.
    pub agent: Agent,
    /// Its account.
    pub account: AccountId,
    /// What the account was born with.
    pub config: AccountConfig,
    /// What it answers when asked for a password; none for a person who does not answer.
    pub credentials: Option<Credentials>,
    /// What it answers when asked about a redirect.
    pub consent: Decision,
    /// What it was told, with the time.
    pub told: Vec<(Duration, AccountEvent)>,
    /// Its links by its own names for them.
    pub flows: BTreeMap<FlowId, usize>,
    /// When its machine was born.
    pub born: Duration,
    /// Counts its machines: a crash ends one life.
    pub life: u32,
    /// Its address.
    pub place: Place,
    /// Who uses it.
    pub person: Person,
}

/// Where a phone stands in the network.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its address.
    pub ip: IpAddr,
    /// The port its next connection leaves from.
    pub port: u16,
}

impl Phone {
    /// A phone that is switched on at `now`.
    pub fn new(name: &str, config: AccountConfig, credentials: Credentials, seed: Seed, now: Now) -> Self {
        let (agent, account) = machine(&config, seed, now);
        Self {
            name: name.to_owned(),
            agent,
            account,
            config,
            credentials: Some(credentials),
            consent: Decision::Follow,
            told: Vec::new(),
            flows: BTreeMap::new(),
            born: now.since_start.0,
            life: 0,
            place: Place { ip: IpAddr::from([10, 9, 0, 1]), port: 40_000 },
            person: Person::default(),
        }
    }

    /// Switches it off and on: a new machine that remembers what was learned.
    pub fn restart(&mut self, seed: Seed, born: Duration, now: Now) {
        self.config.remembered = self.learned();
        let (agent, account) = machine(&self.config, seed, now);
        (self.agent, self.account) = (agent, account);
        self.flows.clear();
        self.born = born;
        self.life += 1;
    }

    /// The account's state.
    pub fn state(&self) -> AccountState {
        self.agent.state(self.account).unwrap_or(AccountState::Offline)
    }

    /// The last failure it was told.
    pub fn failure(&self) -> Option<&LoginError> {
        self.told.iter().rev().find_map(|(_, event)| match event {
            AccountEvent::LoginFailed { failure, .. } => Some(&failure.error),
            _ => None,
        })
    }

    /// How many events fit.
    pub fn heard(&self, fits: impl Fn(&AccountEvent) -> bool) -> usize {
        self.told.iter().filter(|(_, event)| fits(event)).count()
    }

    /// The last grant it was told.
    pub fn registered(&self) -> Option<&homing_core::event::Registered> {
        self.told.iter().rev().find_map(|(_, event)| match event {
            AccountEvent::Registered(registered) => Some(registered),
            _ => None,
        })
    }

    /// What it would keep for its next life.
    pub fn learned(&self) -> Option<Remembered> {
        self.told.iter().rev().find_map(|(_, event)| match event {
            AccountEvent::Learned(remembered) => Some(Some(remembered.clone())),
            AccountEvent::Forgotten => Some(None),
            _ => None,
        })?
    }
}

fn machine(config: &AccountConfig, seed: Seed, now: Now) -> (Agent, AccountId) {
    let mut agent_config = AgentConfig::default();
    agent_config.workstation = "PROOF".to_owned();
    let now = Now::new(Duration::ZERO, now.wall.0);
    let mut agent = Agent::new(agent_config, seed, now);
    let account = agent.add_account(config.clone(), now).expect("the scenario's account is valid");
    (agent, account)
}
