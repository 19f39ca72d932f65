//! A request of an account without registrar: the server of its URI is looked for and dialled (RFC 3263).

use homing_wire::Uri;

use super::asked::Asked;
use crate::account::Account;
use crate::account::context::Context;
use crate::account::server_attempt::ServerAttempt;
use crate::account::server_search::{Connection, Found, Miss, ServerSearch};
use crate::connect::ConnectError;
use crate::dns::{DnsAnswer, DnsError};
use crate::error::{LoginError, Misuse};
use crate::ids::{AccountId, AskId, FlowId};
use crate::locate::Request as LocateRequest;
use crate::time::Deadline;

/// A search for the server of a URI.
pub(crate) struct Locating {
    /// Whose request it is.
    pub(crate) account: AccountId,
    asked: Asked,
    search: ServerSearch,
}

/// What becomes of the search after an input.
pub(crate) enum Step {
    /// It goes on.
    Stays(Box<Locating>),
    /// A connection stands: the request goes out over it.
    Found(Asked, Box<Connection>),
    /// No server could be reached.
    Failed(LoginError),
}

impl Locating {
    /// Looks for the server of the Request-URI, over the transports the account allows.
    ///
    /// # Errors
    /// [`Misuse::BadMessage`]: no SIP URI, or one of a transport this user agent does not speak.
    pub(crate) fn start(asked: Asked, account: &Account, cx: &mut Context<'_>) -> Result<Step, Misuse> {
        let parsed = Uri::parse(asked.uri()).map_err(|_| Misuse::BadMessage)?;
        let request =
            LocateRequest::for_uri(&parsed, &asked.transports(&account.config)).ok_or(Misuse::BadMessage)?;
        let attempt = ServerAttempt::uri(request, cx);
        let search = ServerSearch::new(&parsed.host().to_string(), vec![attempt]);
        let locating = Self { account: account.id, asked, search };
        Ok(locating.go_on(cx))
    }

    /// The next thing overdue.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.search.deadline()
    }

    /// An answer of DNS.
    pub(crate) fn handle_answer(
        mut self,
        id: AskId,
        answer: Result<DnsAnswer, DnsError>,
        cx: &mut Context<'_>,
    ) -> Step {
        self.search.handle_answer(id, answer);
        self.go_on(cx)
    }

    /// A connection stands.
    pub(crate) fn handle_connected(mut self, flow: FlowId, cx: &mut Context<'_>) -> Step {
        match self.search.handle_connected(flow, cx) {
            Some(connection) => self.found(connection),
            None => Step::Stays(Box::new(self)),
        }
    }

    /// A connection could not be opened, or is gone.
    pub(crate) fn handle_lost(mut self, flow: FlowId, why: ConnectError, cx: &mut Context<'_>) -> Step {
        let mut misses = Vec::new();
        self.search.handle_failed(flow, why, &mut misses);
        self.settle(misses, cx)
    }

    /// Gives up what is overdue and starts what was staggered.
    pub(crate) fn handle_deadline(mut self, cx: &mut Context<'_>) -> Step {
        let mut misses = Vec::new();
        self.search.handle_deadline(cx, &mut misses);
        self.settle(misses, cx)
    }

    /// Takes everything back.
    pub(crate) fn stop(mut self, cx: &mut Context<'_>) {
        self.search.rest(cx);
    }

    fn go_on(self, cx: &mut Context<'_>) -> Step {
        self.settle(Vec::new(), cx)
    }

    fn settle(mut self, mut misses: Vec<Miss>, cx: &mut Context<'_>) -> Step {
        let found = self.search.advance(cx, &mut misses);
        for miss in misses {
            if let Some(address) = miss.dialled.address {
                cx.server_health.failed(address, miss.dialled.transport, cx.now);
            }
        }
        match found {
            Found::Nothing => Step::Stays(Box::new(self)),
            Found::Connection(connection) => self.found(connection),
            Found::NoCandidate(error) => Step::Failed(error),
        }
    }

    fn found(self, connection: Box<Connection>) -> Step {
        Step::Found(self.asked, connection)
    }
}
