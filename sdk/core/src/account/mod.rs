//! What stays with an account whatever its machines do: its configuration, what it learned, its links.

pub mod acceptance;
pub(crate) mod answerer;
pub(crate) mod backoff;
pub(crate) mod challenge;
pub(crate) mod context;
mod credentials_hash;
pub(crate) mod digest_realms;
pub(crate) mod link_context;
pub(crate) mod memory;
pub(crate) mod prompt;
pub mod random;
pub(crate) mod realm_offers;
pub(crate) mod rejections;
pub(crate) mod request_head;
pub(crate) mod server_attempt;
pub(crate) mod server_link;
pub(crate) mod server_search;
pub(crate) mod service_route;
pub(crate) mod waiting;

use std::collections::VecDeque;
use std::time::Duration;

use backoff::BackOff;
use context::Context;
use memory::Memory;
use prompt::{Prompt, Reply};
use random::WaitPurpose;
use realm_offers::RealmOffers;
use rejections::Rejections;
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
    /// Refusals in a row of a password that was accepted before.
    pub rejections: Rejections,
    /// What Digest realms offered since the account signed in.
    pub offers: RealmOffers,
    /// Expires to ask for; more than configured where a server demands more (RFC 3261 section 10.2.8).
    pub expires: u32,
    /// The home server of the last registration.
    pub last_home: Option<ServerName>,
    /// When servers lately demanded a new handshake by an unsigned challenge.
    pub handshakes: Rate,
    /// When refused messages were lately told: they are all counted, but a flood is not told one by one.
    pub refusals: Rate,
    /// When servers lately sent the account to another, so that a login follows at once.
    pub restarts: Rate,
    /// Registrations in a row that did not last.
    pub short_lived: u8,
    next_link: u32,
}

/// The moments of the last minute at which something happened. Nearly no account has any: one pointer.
#[derive(Clone, Debug, Default)]
#[expect(clippy::box_collection, reason = "an idle account pays for three of them")]
pub(crate) struct Rate(Option<Box<VecDeque<Moment>>>);

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
            rejections: Rejections::default(),
            offers: RealmOffers::default(),
            expires,
            last_home: None,
            handshakes: Rate::default(),
            refusals: Rate::default(),
            restarts: Rate::default(),
            short_lived: 0,
            next_link: 0,
        }
    }

    /// How long the password that was just refused rests before it is given once more; none if it was never accepted.
    pub(crate) fn rest_rejected(&mut self, cx: &mut Context<'_>) -> Option<Duration> {
        if !self.memory.was_accepted() {
            return None;
        }
        // It is asked for once more as if nothing had happened: it was right before.
        self.memory.refused_before = false;
        Some(self.rejections.next(|bound| cx.spread(WaitPurpose::Retry, bound)))
    }

    /// The account signed out: nothing of that time binds the next login.
    pub(crate) fn sign_out(&mut self) {
        self.offers.forget();
        self.memory.sign_out();
        self.rejections.reset();
        self.expires = self.config.expires;
    }

    /// The number of the next link.
    pub(crate) fn next_link(&mut self) -> LinkId {
        let id = LinkId(self.next_link);
        self.next_link = self.next_link.wrapping_add(1);
        id
    }

    /// A registration lasted, or a person begins again: the next failure is the first again.
    pub(crate) fn steadied(&mut self) {
        self.backoff.reset();
        self.short_lived = 0;
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

    /// The question that no request waits for was answered. False if it is another.
    pub(crate) fn answer_prompt(&mut self, id: AskId, given: &mut Option<Credentials>) -> bool {
        match &mut self.prompt {
            Some(prompt) if matches!(prompt.reply, Reply::Open(open) if open == id) => {
                prompt.reply = Reply::Given(given.take());
                true
            }
            Some(_) | None => false,
        }
    }

    /// The answer will not be used: the question is taken back, an answer forgotten.
    pub(crate) fn drop_prompt(&mut self, cx: &mut Context<'_>) {
        if let Some(Reply::Open(ask)) = self.prompt.take().map(|prompt| prompt.reply) {
            cx.forget(ask);
        }
    }
}

impl Rate {
    /// Counts one more if that is within `most` a minute.
    pub(crate) fn admit(&mut self, most: u8, now: Now) -> bool {
        let moments = self.0.get_or_insert_default();
        while moments.front().is_some_and(|first| now.since_start.since(*first) >= MINUTE) {
            moments.pop_front();
        }
        let has_room = moments.len() < usize::from(most);
        if has_room {
            moments.push_back(now.since_start);
        }
        has_room
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
