//! A server is looked for and dialled; the first verified connection is talked to.

use std::net::SocketAddr;

use super::account::Account;
use super::desk::Desk;
use super::leg::{Leg, Way};
use super::redirect::{Onward, trusted};
use super::search::{Connection, Found, Miss, STAGGER, Search};
use super::sequel::{Sequel, Turn};
use super::trip::Trip;
use crate::config::{AccountConfig, Remembered, ServerChoice};
use crate::connect::{ConnectError, TlsProof};
use crate::dns::{DnsAnswer, DnsError};
use crate::event::MoveCause;
use crate::identity::{Expected, lies_within};
use crate::ids::{AskId, FlowId};
use crate::journey::Arrival;
use crate::time::Deadline;

/// A server is looked for.
pub(super) struct Seeking {
    /// The login's way so far.
    pub trip: Trip,
    pub(super) search: Search,
}

impl Seeking {
    /// A new login begins: at the remembered home and, 250 ms later, at discovery.
    pub(super) fn start(cause: MoveCause, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let trip = Trip::new(account.config.redirect.limit, cause, desk.now);
        let mut legs: Vec<Leg> = remembered_leg(account, desk).into_iter().collect();
        legs.extend(configured_leg(account, desk));
        Seeking { trip, search: Search::new(&account.config.aor.domain, legs) }.go_on(account, desk)
    }

    /// A new login begins at the registrar the server prefers, then at discovery.
    pub(super) fn start_at(onward: &Onward, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let trip = Trip::new(account.config.redirect.limit, MoveCause::Preferred, desk.now);
        let mut legs = vec![onward_leg(onward, Way::Preferred, desk)];
        legs.extend(configured_leg(account, desk));
        Seeking { trip, search: Search::new(&account.config.aor.domain, legs) }.go_on(account, desk)
    }

    /// The login goes on at the servers a redirect named, best first.
    pub(super) fn redirected(
        mut trip: Trip,
        targets: &[Onward],
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        trip.follow(desk.now);
        let way = |place: usize| Way::Redirected(u8::try_from(place).unwrap_or(u8::MAX));
        let legs =
            targets.iter().enumerate().map(|(place, target)| onward_leg(target, way(place), desk)).collect();
        Seeking { trip, search: Search::new(&account.config.aor.domain, legs) }.go_on(account, desk)
    }

    /// The login goes on with the search that led to its last server.
    pub(super) fn resume(
        trip: Trip,
        search: Search,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        Seeking { trip, search }.go_on(account, desk)
    }

    /// An answer of DNS.
    pub(super) fn handle_answer(
        mut self,
        id: AskId,
        answer: Result<DnsAnswer, DnsError>,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        self.search.handle_answer(id, answer);
        self.go_on(account, desk)
    }

    /// A connection stands.
    pub(super) fn handle_connected(
        mut self,
        flow: FlowId,
        ends: (SocketAddr, Option<TlsProof>),
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        match self.search.handle_connected(flow, ends.0, ends.1, desk) {
            Some(connection) => self.join(connection, account, desk),
            None => Turn::Stays(self),
        }
    }

    /// A connection could not be opened, or is gone.
    pub(super) fn handle_lost(
        mut self,
        flow: FlowId,
        why: ConnectError,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        let mut misses = Vec::new();
        self.search.handle_failed(flow, why, &mut misses);
        let found = self.search.advance(desk, &mut misses);
        self.settle(found, misses, account, desk)
    }

    /// Gives up what is overdue and starts what was staggered.
    pub(super) fn handle_deadline(mut self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let mut misses = Vec::new();
        self.search.handle_deadline(desk, &mut misses);
        let found = self.search.advance(desk, &mut misses);
        self.settle(found, misses, account, desk)
    }

    /// The next thing overdue.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.search.deadline()
    }

    /// Takes everything back.
    pub(super) fn stop(mut self, desk: &mut Desk<'_>) {
        self.search.rest(desk);
    }

    /// Does whatever can be done now.
    fn go_on(mut self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let mut misses = Vec::new();
        let found = self.search.advance(desk, &mut misses);
        self.settle(found, misses, account, desk)
    }

    fn settle(
        mut self,
        found: Found,
        misses: Vec<Miss>,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        for miss in misses {
            if miss.dialled.how == Arrival::Remembered {
                account.blame_home(&mut self.trip, desk);
            }
            if let Some(address) = miss.dialled.address {
                desk.setbacks.failed(address, miss.dialled.transport, desk.now);
            }
            self.trip.missed(miss.dialled, miss.why, desk.now);
        }
        match found {
            Found::Nothing => Turn::Stays(self),
            Found::Connection(connection) => self.join(connection, account, desk),
            Found::Exhausted(error) => Sequel::Failed(error, self.trip).into(),
        }
    }

    /// The first verified connection. A home that had its head start and still says nothing has failed;
    /// if it is only slow and takes the login in the end, that is forgiven there.
    fn join(mut self, connection: Box<Connection>, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        if connection.outran_home {
            account.blame_home(&mut self.trip, desk);
        }
        Sequel::Join(self.trip, self.search, connection).into()
    }
}

/// The home server of an earlier login, if the rules for redirects still allow it (decision 4).
///
/// It has a head start, so that one without TLS would win against discovery: the first *verified* TLS
/// server is to win where the account may use TLS (decision 9).
fn remembered_leg(account: &Account, desk: &mut Desk<'_>) -> Option<Leg> {
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
    let leg = Leg::server(at, home.transport, expected, Way::Remembered, desk);
    Some(leg.with_head_start(STAGGER))
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
fn configured_leg(account: &Account, desk: &mut Desk<'_>) -> Option<Leg> {
    let config = &account.config;
    match &config.server {
        ServerChoice::Discover => {
            let transports = config.allowed_transports();
            Some(Leg::discovery(&config.aor.domain, &transports, desk))
        }
        ServerChoice::Fixed { host, port, transport } => {
            let at = (host.as_str(), *port);
            Some(Leg::server(at, *transport, Expected::host(host), Way::Configured, desk))
        }
        ServerChoice::NoRegistrar => None,
    }
}

fn onward_leg(target: &Onward, way: Way, desk: &mut Desk<'_>) -> Leg {
    let at = (target.host.as_str(), target.port);
    Leg::server(at, target.transport, target.expected.clone(), way, desk)
}

fn is_the_configured(home: &Remembered, choice: &ServerChoice) -> bool {
    let ServerChoice::Fixed { host, port, transport } = choice else { return false };
    host.eq_ignore_ascii_case(&home.host) && *port == home.port && *transport == home.transport
}
