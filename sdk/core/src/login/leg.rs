//! One way to find a server, and what it has cost so far.

use std::time::Duration;

use super::trip::Dialled;
use crate::dns::{DnsAnswer, DnsError, DnsQuestion};
use crate::journey::Arrival;
use crate::locate::{Plan, Target};
use crate::server::ServerName;
use crate::transport::Transport;

/// One way to find a server: the remembered home, the discovery of a domain, one Contact.
pub struct Leg {
    plan: Plan,
    way: Way,
    /// The server, where the leg leads to one only.
    named: Option<(ServerName, Transport)>,
    /// How long the next leg waits for this one; none: until this one has failed.
    pub(super) head_start: Option<Duration>,
    bill: Bill,
    /// What DNS said last, if it was no good news.
    error: Option<DnsError>,
    progress: Progress,
}

/// How a leg came to be; decides what its hops are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
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
}

/// Round trips of DNS, one after the other, and those already written to a hop.
#[derive(Clone, Copy, Debug, Default)]
struct Bill {
    depth: u8,
    charged: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Searching,
    /// At least one target came of it.
    Fruitful,
    /// It has nothing more to give.
    Over,
}

impl Leg {
    /// A leg that follows `plan`.
    pub fn new(plan: Plan, way: Way) -> Self {
        Self {
            plan,
            way,
            named: None,
            head_start: None,
            bill: Bill::default(),
            error: None,
            progress: Progress::Searching,
        }
    }

    /// The leg leads to this server only.
    #[must_use]
    pub fn to(mut self, server: ServerName, transport: Transport) -> Self {
        self.named = Some((server, transport));
        self
    }

    /// The next leg begins after `wait` even if this one is still under way.
    #[must_use]
    pub fn with_head_start(mut self, wait: Duration) -> Self {
        self.head_start = Some(wait);
        self
    }

    /// The next question to ask, with the round trips that came before it.
    pub(super) fn poll_question(&mut self) -> Option<(DnsQuestion, u8)> {
        self.plan.poll_question().map(|question| (question, self.bill.depth))
    }

    /// Takes the answer to a question asked at `depth`.
    pub(super) fn handle_answer(
        &mut self,
        question: &DnsQuestion,
        answer: Result<DnsAnswer, DnsError>,
        depth: u8,
    ) {
        let paid = match &answer {
            Ok(answer) => answer.round_trips,
            Err(why) => {
                self.error = Some(*why);
                1
            }
        };
        self.bill.depth = self.bill.depth.max(depth.saturating_add(paid));
        self.plan.handle_answer(question, answer);
    }

    /// The next target in order.
    pub(super) fn poll_target(&mut self) -> Option<Target> {
        let target = self.plan.poll_target()?;
        self.progress = Progress::Fruitful;
        Some(target)
    }

    /// Once, when a leg ends without a single target: the server that has no address, if it leads to
    /// one only, and what DNS said.
    pub(super) fn poll_barren(&mut self) -> Option<(Option<Dialled>, DnsError)> {
        if self.progress == Progress::Over || !self.plan.is_finished() {
            return None;
        }
        let barren = self.progress == Progress::Searching;
        self.progress = Progress::Over;
        let named = self.named.clone().filter(|_| barren);
        let dialled = named.map(|(server, transport)| self.nowhere(server, transport));
        barren.then(|| (dialled, self.error.unwrap_or(DnsError::NoRecord)))
    }

    /// The round trips of DNS since the last hop of this leg.
    pub(super) fn charge(&mut self) -> u8 {
        let due = self.bill.depth - self.bill.charged;
        self.bill.charged = self.bill.depth;
        due
    }

    /// The hop to a server that has no address.
    fn nowhere(&mut self, server: ServerName, transport: Transport) -> Dialled {
        Dialled { server, address: None, transport, how: self.arrival(None), dns: self.charge() }
    }

    /// What a hop to `target` is called in the journey.
    pub(super) fn arrival(&self, target: Option<&Target>) -> Arrival {
        match self.way {
            Way::Remembered => Arrival::Remembered,
            Way::Configured => Arrival::Configured,
            Way::Discovery => Arrival::Discovered(target.map(|target| target.why.to_string()).unwrap_or_default()),
            Way::Redirected(candidate) => Arrival::Redirected { candidate },
            Way::Preferred => Arrival::Preferred,
        }
    }
}
