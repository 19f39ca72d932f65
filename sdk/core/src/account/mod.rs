//! What stays with an account whatever its machines do: its configuration, what it learned, its links.

pub mod acceptance;
pub(crate) mod answerer;
pub(crate) mod backoff;
pub(crate) mod challenge;
pub(crate) mod context;
mod digest_realms;
pub(crate) mod link_context;
pub(crate) mod memory;
pub(crate) mod prompt;
pub mod random;
pub(crate) mod request_head;
pub(crate) mod server_attempt;
pub(crate) mod server_link;
pub(crate) mod server_search;

use std::collections::VecDeque;
use std::time::Duration;

use backoff::BackOff;
use context::Context;
use memory::Memory;
use prompt::{Prompt, Reply};
use server_link::LinkId;

use crate::config::AccountConfig;
use crate::event::AccountEvent;
use crate::ids::{AccountId, AskId};
use crate::outbox::Credentials;
use crate::server::ServerName;
use crate::time::{Moment, Now};

/// An account: its configuration, and what it learned.
pub(crate) struct Account {
    /// Its name.
    pub id: AccountId,
    /// What it was told at birth.
    pub config: AccountConfig,
    /// What it knows about its servers.
    pub memory: Memory,
    /// A question for credentials that outlived its connection.
    pub prompt: Option<Box<Prompt>>,
    /// Failures in a row.
    pub backoff: BackOff,
    /// Expires to ask for; more than configured where a server demands more (RFC 3261 section 10.2.8).
    pub expires: u32,
    /// The home server of the last registration.
    pub last_home: Option<ServerName>,
    /// When servers lately demanded a new handshake by an unsigned challenge.
    pub handshakes: Rate,
    /// When refused messages were lately told: they are all counted, but a flood is not told one by one.
    pub refusals: Rate,
    /// When registrations were lately lost or ended, so that a login follows at once.
    pub restarts: Rate,
    next_link: u32,
}

/// The moments of the last minute at which something happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate(VecDeque<Moment>);

impl Account {
    /// An account as configured.
    pub(crate) fn new(id: AccountId, config: AccountConfig) -> Self {
        let memory = Memory::new(config.remembered.clone());
        let expires = config.expires;
        Self {
            id,
            config,
            memory,
            prompt: None,
            backoff: BackOff::default(),
            expires,
            last_home: None,
            handshakes: Rate::default(),
            refusals: Rate::default(),
            restarts: Rate::default(),
            next_link: 0,
        }
    }

    /// The number of the next link.
    pub(crate) fn next_link(&mut self) -> LinkId {
        let id = LinkId(self.next_link);
        self.next_link = self.next_link.wrapping_add(1);
        id
    }

    /// The remembered home did not take a login; after three in a row it is forgotten (decision 9).
    pub(crate) fn home_failed(&mut self, cx: &mut Context<'_>) {
        if self.memory.home_failed() {
            cx.tell(AccountEvent::Forgotten);
        }
    }

    /// The remembered home sent the account away, or said that it is not its home.
    pub(crate) fn forget_home(&mut self, cx: &mut Context<'_>) {
        if self.memory.forget_home() {
            cx.tell(AccountEvent::Forgotten);
        }
    }

    /// What is left of an earlier question, if it suits; one that does not is taken back.
    pub(crate) fn take_prompt(
        &mut self,
        server: &ServerName,
        realm: &str,
        cx: &mut Context<'_>,
    ) -> Option<Reply> {
        let domain = &self.config.aor.domain;
        match self.prompt.take() {
            Some(prompt) if prompt.suits(server, realm, domain) => Some(prompt.reply),
            other => {
                self.prompt = other;
                self.drop_prompt(cx);
                None
            }
        }
    }

    /// The question nobody waits for was answered. False if it is another.
    pub(crate) fn answer_prompt(&mut self, id: AskId, given: &mut Option<Credentials>) -> bool {
        match &mut self.prompt {
            Some(prompt) if matches!(prompt.reply, Reply::Open(open) if open == id) => {
                prompt.reply = Reply::Given(given.take());
                true
            }
            Some(_) | None => false,
        }
    }

    /// Nobody is going to use the answer: the question is taken back, an answer forgotten.
    pub(crate) fn drop_prompt(&mut self, cx: &mut Context<'_>) {
        if let Some(Reply::Open(ask)) = self.prompt.take().map(|prompt| prompt.reply) {
            cx.forget(ask);
        }
    }
}

impl Rate {
    /// Counts one more if that is within `most` a minute.
    pub(crate) fn admit(&mut self, most: u8, now: Now) -> bool {
        while self.0.front().is_some_and(|first| now.since_start.since(*first) >= MINUTE) {
            self.0.pop_front();
        }
        let room = self.0.len() < usize::from(most);
        if room {
            self.0.push_back(now.since_start);
        }
        room
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_admits_so_many_a_minute() {
        let at = |seconds| Now::new(Duration::from_secs(seconds), Duration::ZERO);
        let mut rate = Rate::default();
        assert!(rate.admit(3, at(0)) && rate.admit(3, at(10)) && rate.admit(3, at(20)));
        assert!(!rate.admit(3, at(59)));
        assert!(rate.admit(3, at(60)));
        assert!(!rate.admit(3, at(69)));
        assert!(rate.admit(3, at(70)));
    }
}
