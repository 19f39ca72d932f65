//! One way to find a server, and what it has cost so far.

use std::net::SocketAddr;
use std::time::Duration;

use super::context::Context;
use super::server_link::Named;
use crate::config::{AccountConfig, TlsRules};
use crate::dns::{DnsAnswer, DnsError, DnsQuestion, ResolveError};
use crate::identity::Expected;
use crate::journey::FoundBy;
use crate::locate::{NoCandidate, Plan, Request, Step, Target, Wanted};
use crate::server::ServerName;
use crate::transport::Transport;

/// A dial that became, or is to become, a hop.
#[derive(Clone, Debug)]
pub(crate) struct Dialled {
    /// Name and port as dialled.
    pub server: ServerName,
    /// The address tried; none where the name had none.
    pub address: Option<SocketAddr>,
    /// What it was known by.
    pub named: Named,
    /// How it is dialled.
    pub transport: Transport,
    /// How the server was come by.
    pub how: FoundBy,
    /// Round trips of DNS it took to find it.
    pub dns: u8,
}

/// One way to find a server: the remembered home, the discovery of a domain, one Contact.
pub(crate) struct ServerAttempt {
    plan: Plan,
    way: Way,
    /// The server, where the attempt leads to one only.
    sole: Option<Sole>,
    /// What TLS shows and accepts there, and the domain it is for; none but for discovery.
    terms: Option<(TlsRules, Box<str>)>,
    /// How long the next attempt waits for this one; none: until this one has failed.
    pub(crate) head_start: Option<Duration>,
    /// Round trips of DNS that were written to a hop.
    charged: u8,
    progress: Progress,
}

/// The one server an attempt leads to, and whom its certificate must name.
#[derive(Clone)]
struct Sole {
    named: Named,
    transport: Transport,
    expected: Expected,
}

/// How an attempt came to be; decides what its hops are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The home server of an earlier login.
    Remembered,
    /// The server of the configuration.
    Configured,
    /// The domain's records.
    Discovery,
    /// A Contact of a redirect, by its place.
    Redirected(u8),
    /// A preferred registrar.
    Preferred,
    /// The host of a URI that is asked directly.
    Uri,
}

/// What an attempt gives when it is asked for the next target.
pub(crate) enum Next {
    /// Dial here.
    Target(Box<Target>),
    /// An answer must come first, or the attempt is over.
    Nothing,
    /// It ended without a single target: the server that has no address, if it leads to one only.
    Barren(Option<Dialled>, ResolveError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Searching,
    Fruitful,
    Over,
}

impl ServerAttempt {
    /// The discovery of a domain.
    pub(crate) fn discovery(config: &AccountConfig, cx: &mut Context<'_>) -> Self {
        let domain = config.aor.domain.clone();
        let request = Request::new(Wanted::Domain(domain.clone()), &config.allowed_transports());
        let terms = Some((config.tls.clone(), domain.into()));
        Self { terms, ..Self::new(request, Way::Discovery, None, cx) }
    }

    /// A server that is named, over one transport.
    pub(crate) fn server(
        at: (&str, Option<u16>),
        transport: Transport,
        expected: Expected,
        way: Way,
        cx: &mut Context<'_>,
    ) -> Self {
        let (host, port) = at;
        let wanted = Wanted::Host { host: host.to_owned(), port, transport: Some(transport), secure: false };
        let sole = Sole { named: Named::new(host, port, &expected), transport, expected };
        Self::new(Request::new(wanted, &[transport]), way, Some(sole), cx)
    }

    /// The servers of the host that a URI names (RFC 3263).
    pub(crate) fn uri(request: Request, cx: &mut Context<'_>) -> Self {
        Self::new(request, Way::Uri, None, cx)
    }

    /// The next attempt begins after `wait` even if this one is still under way.
    #[must_use]
    pub(crate) fn with_head_start(mut self, wait: Duration) -> Self {
        self.head_start = Some(wait);
        self
    }

    fn new(request: Request, way: Way, sole: Option<Sole>, cx: &mut Context<'_>) -> Self {
        let request = request.at_most(cx.agent.limits.targets);
        let plan = Plan::new(request, cx.server_order()).avoiding(cx.server_health, cx.now);
        Self { plan, way, sole, terms: None, head_start: None, charged: 0, progress: Progress::Searching }
    }

    /// The questions to ask now.
    pub(crate) fn questions(&mut self) -> Vec<DnsQuestion> {
        self.plan.questions()
    }

    /// An answer of DNS.
    pub(crate) fn handle_answer(&mut self, question: &DnsQuestion, answer: Result<DnsAnswer, DnsError>) {
        self.plan.handle_answer(question, answer);
    }

    /// The next target in order.
    pub(crate) fn next(&mut self) -> Next {
        if self.progress == Progress::Over {
            return Next::Nothing;
        }
        match self.plan.next_target() {
            Step::Target(mut target) => {
                self.progress = Progress::Fruitful;
                if let Some(sole) = &self.sole {
                    target.expected = sole.expected.clone();
                }
                if let Some((rules, domain)) = &self.terms {
                    target.expected = rules.apply(target.expected.clone(), domain);
                }
                Next::Target(target)
            }
            Step::Waiting => Next::Nothing,
            Step::NoCandidate(why) => {
                let barren = self.progress == Progress::Searching;
                self.progress = Progress::Over;
                if barren { Next::Barren(self.nowhere(), reason(why)) } else { Next::Nothing }
            }
        }
    }

    /// The hop to `target`.
    pub(crate) fn dialled(&mut self, target: &Target) -> Dialled {
        let named = match &self.sole {
            Some(sole) => sole.named.clone(),
            None => Named::new(&target.name.host, Some(target.name.port), &target.expected),
        };
        Dialled {
            server: target.name.clone(),
            address: Some(target.addr),
            named,
            transport: target.transport,
            how: self.arrival(target.why.to_string()),
            dns: self.charge(target.round_trips),
        }
    }

    /// The hop to a server that has no address.
    fn nowhere(&mut self) -> Option<Dialled> {
        let Sole { named, transport, .. } = self.sole.clone()?;
        let server = named.server(transport);
        let dns = self.charge(self.plan.round_trips());
        Some(Dialled { server, address: None, named, transport, how: self.arrival(String::new()), dns })
    }

    /// The round trips of DNS since the last hop of this attempt.
    fn charge(&mut self, spent: u8) -> u8 {
        let due = spent.saturating_sub(self.charged);
        self.charged = self.charged.max(spent);
        due
    }

    fn arrival(&self, why: String) -> FoundBy {
        match self.way {
            Way::Remembered => FoundBy::Remembered,
            Way::Configured => FoundBy::Configured,
            Way::Discovery | Way::Uri => FoundBy::Discovered(why),
            Way::Redirected(candidate) => FoundBy::Redirected { candidate },
            Way::Preferred => FoundBy::Preferred,
        }
    }
}

fn reason(why: NoCandidate) -> ResolveError {
    match why {
        NoCandidate::NoServer(error) => error,
        NoCandidate::AllTried => DnsError::NoRecord.into(),
    }
}
