//! Holds the agent's place until core's agent is there: accounts rest and every order is refused.

use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, ConfigError};
use homing_core::counter::Counters;
use homing_core::error::Misuse;
use homing_core::ids::{AccountId, AskId, Seed};
use homing_core::outbox::{Answer, Input, Output};
use homing_core::time::{Deadline, Now};

pub(crate) struct Agent(Counters, u32);

#[allow(clippy::unused_self, reason = "the shape of core's agent")]
impl Agent {
    pub(crate) fn new(_: AgentConfig, _: Seed, _: Now) -> Self {
        Self(Counters::default(), 0)
    }
    pub(crate) fn add_account(&mut self, account: AccountConfig, _: Now) -> Result<AccountId, ConfigError> {
        account.check()?;
        self.1 += 1;
        Ok(AccountId(self.1))
    }
    pub(crate) fn handle_input(&mut self, _: Input, _: Now) {}
    pub(crate) fn handle_command(&mut self, _: Command, _: Now) -> Result<(), Misuse> {
        Err(Misuse::WrongState)
    }
    pub(crate) fn handle_answer(&mut self, _: AskId, _: Answer, _: Now) {}
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        None
    }
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        None
    }
    pub(crate) fn counters(&self) -> &Counters {
        &self.0
    }
    pub(crate) fn transactions(&self) -> usize {
        0
    }
}
