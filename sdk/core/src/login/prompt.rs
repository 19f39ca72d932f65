//! A question for credentials that outlives the connection it was asked over.
//!
//! Servers close connections on which nobody signs in, and people take their time. The question stays
//! with the account: the next attempt takes it over, or finds it answered.

use super::account::Account;
use super::desk::Desk;
use crate::identity::lies_within;
use crate::ids::AskId;
use crate::outbox::Credentials;
use crate::server::ServerName;

/// A question for credentials no exchange waits for at present.
#[derive(Debug)]
pub(super) struct Prompt {
    /// Who demanded them.
    pub server: ServerName,
    /// For what, as the person read it.
    pub realm: String,
    /// Whether they were given.
    pub reply: Reply,
}

/// What became of a question.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is still open.
    Open(AskId),
    /// It was answered; none: with a no.
    Given(Option<Credentials>),
}

impl Prompt {
    /// True if the question is the one that `server` would ask: the same realm, of the same server or
    /// another one of the account's own domain.
    fn suits(&self, server: &ServerName, realm: &str, domain: &str) -> bool {
        let own = |server: &ServerName| lies_within(&server.host, domain);
        self.realm == realm && (self.server.host == server.host || own(&self.server) && own(server))
    }
}

impl Account {
    /// What is left of an earlier question, if it suits; one that does not is taken back.
    pub(super) fn take_prompt(
        &mut self,
        server: &ServerName,
        realm: &str,
        desk: &mut Desk<'_>,
    ) -> Option<Reply> {
        let domain = &self.config.aor.domain;
        match self.prompt.take() {
            Some(prompt) if prompt.suits(server, realm, domain) => Some(prompt.reply),
            other => {
                self.prompt = other;
                self.drop_prompt(desk);
                None
            }
        }
    }

    /// The question nobody waits for was answered. False if it is another.
    pub(super) fn answer_prompt(&mut self, id: AskId, given: &mut Option<Credentials>) -> bool {
        match &mut self.prompt {
            Some(prompt) if matches!(prompt.reply, Reply::Open(open) if open == id) => {
                prompt.reply = Reply::Given(given.take());
                true
            }
            Some(_) | None => false,
        }
    }

    /// Nobody is going to use the answer: the question is taken back, an answer forgotten.
    pub(super) fn drop_prompt(&mut self, desk: &mut Desk<'_>) {
        if let Some(Prompt { reply: Reply::Open(ask), .. }) = self.prompt.take() {
            desk.forget(ask);
        }
    }
}
