//! A server is looked for and dialled; the first verified connection is talked to.

use super::attempt::Attempt;
use super::redirect::{RedirectTarget, trusted};
use super::transition::{Step, Transition};
use crate::account::Account;
use crate::account::context::Context;
use crate::account::server_attempt::{ServerAttempt, Way};
use crate::account::server_search::{Connection, Found, Miss, STAGGER, ServerSearch};
use crate::config::{AccountConfig, Remembered, ServerChoice};
use crate::connect::ConnectError;
use crate::dns::{DnsAnswer, DnsError};
use crate::event::MoveCause;
use crate::identity::{Expected, lies_within};
use crate::ids::{AskId, FlowId};
use crate::time::Deadline;

/// A server is looked for.
pub(super) struct Locating {
    /// The login's way so far.
    pub attempt: Attempt,
    pub(super) search: ServerSearch,
}

impl Locating {
    /// A new login begins: at the remembered home and, 250 ms later, at discovery.
    pub(super) fn start(cause: MoveCause, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let attempt = Attempt::new(account.config.redirect.limit, cause, cx.now);
        let mut server_attempts: Vec<ServerAttempt> = remembered_attempt(account, cx).into_iter().collect();
        server_attempts.extend(configured_attempt(account, cx));
        Locating { attempt, search: ServerSearch::new(&account.config.aor.domain, server_attempts) }
            .go_on(account, cx)
    }

    /// A new login begins at the registrar the server prefers, then at discovery.
    pub(super) fn start_at(
        target: &RedirectTarget,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Preferred, cx.now);
        let mut server_attempts = vec![onward_attempt(target, Way::Preferred, cx)];
        server_attempts.extend(configured_attempt(account, cx));
        Locating { attempt, search: ServerSearch::new(&account.config.aor.domain, server_attempts) }
            .go_on(account, cx)
    }

    /// The login goes on at the servers a redirect named, best first.
    pub(super) fn redirected(
        mut attempt: Attempt,
        targets: &[RedirectTarget],
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        attempt.follow(cx.now);
        let way = |place: usize| Way::Redirected(u8::try_from(place).unwrap_or(u8::MAX));
        let server_attempts = targets
            .iter()
            .enumerate()
            .map(|(place, target)| onward_attempt(target, way(place), cx))
            .collect();
        Locating { attempt, search: ServerSearch::new(&account.config.aor.domain, server_attempts) }
            .go_on(account, cx)
    }

    /// The login goes on with the search that led to its last server.
    pub(super) fn resume(
        attempt: Attempt,
        search: ServerSearch,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        Locating { attempt, search }.go_on(account, cx)
    }

    /// An answer of DNS.
    pub(super) fn handle_answer(
        mut self,
        id: AskId,
        answer: Result<DnsAnswer, DnsError>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        self.search.handle_answer(id, answer);
        self.go_on(account, cx)
    }

    /// A connection stands.
    pub(super) fn handle_connected(
        mut self,
        flow: FlowId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        match self.search.handle_connected(flow, cx) {
            Some(connection) => self.join(connection, account, cx),
            None => Step::Stays(self),
        }
    }

    /// A connection could not be opened, or is gone.
    pub(super) fn handle_lost(
        mut self,
        flow: FlowId,
        why: ConnectError,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let mut misses = Vec::new();
        self.search.handle_failed(flow, why, &mut misses);
        let found = self.search.advance(cx, &mut misses);
        self.settle(found, misses, account, cx)
    }

    /// Gives up what is overdue and starts what was staggered.
    pub(super) fn handle_deadline(mut self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let mut misses = Vec::new();
        self.search.handle_deadline(cx, &mut misses);
        let found = self.search.advance(cx, &mut misses);
        self.settle(found, misses, account, cx)
    }

    /// The next thing overdue.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.search.deadline()
    }

    /// Takes everything back.
    pub(super) fn stop(mut self, cx: &mut Context<'_>) {
        self.search.rest(cx);
    }

    /// Does whatever can be done now.
    fn go_on(mut self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let mut misses = Vec::new();
        let found = self.search.advance(cx, &mut misses);
        self.settle(found, misses, account, cx)
    }

    fn settle(
        mut self,
        found: Found,
        misses: Vec<Miss>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        self.attempt.missed_all(misses, account, cx);
        match found {
            Found::Nothing => Step::Stays(self),
            Found::Connection(connection) => self.join(connection, account, cx),
            Found::NoCandidate(error) => Transition::Failed(error, self.attempt).into(),
        }
    }

    /// The first verified connection. A home that had its head start and still says nothing has failed;
    /// if it is only slow and takes the login in the end, that is forgiven there.
    fn join(
        mut self,
        connection: Box<Connection>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if connection.outran_home {
            self.attempt.blame_home(account, cx);
        }
        Transition::Join(self.attempt, self.search, connection).into()
    }
}

/// The home server of an earlier login, if the rules for redirects still allow it (decision 4).
///
/// It has a head start, so that one without TLS would win against discovery: the first *verified* TLS
/// server is to win where the account may use TLS (decision 9).
fn remembered_attempt(account: &Account, cx: &mut Context<'_>) -> Option<ServerAttempt> {
    let home = account.memory.home()?;
    let config = &account.config;
    let transports = config.allowed_transports();
    let clear = transports.contains(&home.transport) && !transports.iter().any(|one| one.is_secure());
    let allowed = home.transport.is_secure() || clear;
    if !allowed || is_the_configured(home, &config.server) {
        return None;
    }
    let expected = expected_home(home, config)?;
    let at = (home.host.as_str(), home.port);
    let server_attempt = ServerAttempt::server(at, home.transport, expected, Way::Remembered, cx);
    Some(server_attempt.with_head_start(STAGGER))
}

/// Whom a remembered home must prove to be: what it had to prove when it was found; none where the
/// rules do not let a login lead there any more.
fn expected_home(home: &Remembered, config: &AccountConfig) -> Option<Expected> {
    let expected = trusted(&home.host, config)?;
    let discovered = !home.exact && lies_within(&home.host, &config.aor.domain);
    match expected {
        Expected::Host(host) if discovered => Some(Expected::discovered(&config.aor.domain, &host)),
        expected => Some(expected),
    }
}

/// The search the account is configured for.
fn configured_attempt(account: &Account, cx: &mut Context<'_>) -> Option<ServerAttempt> {
    let config = &account.config;
    match &config.server {
        ServerChoice::Discover => Some(ServerAttempt::discovery(config, cx)),
        ServerChoice::Fixed { host, port, transport } => {
            let at = (host.as_str(), *port);
            let expected = config.tls.apply(Expected::host(host), &config.aor.domain);
            Some(ServerAttempt::server(at, *transport, expected, Way::Configured, cx))
        }
        ServerChoice::NoRegistrar => None,
    }
}

fn onward_attempt(target: &RedirectTarget, way: Way, cx: &mut Context<'_>) -> ServerAttempt {
    let at = (target.host.as_str(), target.port);
    ServerAttempt::server(at, target.transport, target.expected.clone(), way, cx)
}

fn is_the_configured(home: &Remembered, choice: &ServerChoice) -> bool {
    let ServerChoice::Fixed { host, port, transport } = choice else { return false };
    host.eq_ignore_ascii_case(&home.host) && *port == home.port && *transport == home.transport
}
