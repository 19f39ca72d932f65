//! A question for credentials that outlives the connection it was asked over.
//!
//! Servers close connections without a login, and people take their time. The question stays
//! with the account: the next attempt takes it over, or finds it answered.

use crate::identity::lies_within;
use crate::ids::AskId;
use crate::outbox::Credentials;
use crate::server::ServerName;

/// A question for credentials no exchange waits for at present.
#[derive(Debug)]
pub(crate) struct Prompt {
    /// Who demanded them.
    pub server: ServerName,
    /// For what, as the person read it.
    pub realm: String,
    /// Whether they were given.
    pub reply: Reply,
}

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Reply {
    /// It is still open.
    Open(AskId),
    /// It was answered; none: with a no.
    Given(Option<Credentials>),
}

impl Prompt {
    /// True if the question is the one that `server` would ask: the same realm, of the same server or
    /// another one of the account's own domain.
    pub(crate) fn suits(&self, server: &ServerName, realm: &str, domain: &str) -> bool {
        let own = |server: &ServerName| lies_within(&server.host, domain);
        self.realm == realm && (self.server.host == server.host || own(&self.server) && own(server))
    }
}
