//! The race for the first answer: while a server takes the connection and stays mute, the first REGISTER goes to
//! the next candidates as well (decision 50).

use std::time::Duration;

use super::asked_server::AskedServer;
use super::exchange::Exchange;
use super::session::Session;
use crate::account::Account;
use crate::account::context::Context;
use crate::ids::{FlowId, TxId};
use crate::time::{Deadline, Moment, Why};

/// The servers asked beside the first, none of which has answered.
pub(super) struct Race {
    /// Where the first was dialled.
    pub(super) first: AskedServer,
    /// The others, oldest first.
    pub(super) rivals: Vec<Contender>,
    progress: Progress,
}

/// A server that was asked beside the first.
pub(super) struct Contender {
    pub(super) asked: AskedServer,
    pub(super) session: Session,
    pub(super) exchange: Exchange,
}

/// What the race waits for beside the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// A word of the server that was asked last.
    Waiting { asked: Moment },
    /// A connection to the next candidate.
    Searching,
    /// Nothing: no candidate is left.
    Exhausted,
}

impl Race {
    /// Begins with the first REGISTER, where its server may be mute: over a connection, and where a registrar is
    /// going to ask who is there. Without authentication each server asked would grant a binding.
    pub(super) fn start(first: AskedServer, account: &Account, cx: &Context<'_>) -> Option<Self> {
        let authenticates = !account.config.auth.schemes.is_empty();
        (first.transport.is_reliable() && authenticates).then(|| Self {
            first,
            rivals: Vec::new(),
            progress: Progress::Waiting { asked: cx.now.since_start },
        })
    }

    /// When the server asked last counts as mute.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let Progress::Waiting { asked } = self.progress else { return None };
        Some(Deadline::new(Moment(asked.0.saturating_add(MUTE)), Why::NextCandidate))
    }

    /// True while the next candidate is looked for.
    pub(super) fn is_searching(&self) -> bool {
        self.progress == Progress::Searching
    }

    /// Looks for the next candidate if the server asked last, that over `first` if there is no other, turns out to be
    /// mute. One that says anything is not, and no further one is asked because of it.
    pub(super) fn turn_from_mute(&mut self, first: FlowId, cx: &Context<'_>) {
        let Progress::Waiting { asked } = self.progress else { return };
        if self.deadline().is_none_or(|due| !cx.now.reached(due.at)) {
            return;
        }
        let last = self.rivals.last_mut();
        let flow = last.as_ref().map_or(first, |rival| rival.session.link.flow());
        if cx.flows.has_spoken_since(flow, asked) {
            self.progress = Progress::Exhausted;
            return;
        }
        self.progress = Progress::Searching;
        last.map_or(&mut self.first, |rival| &mut rival.asked).is_mute = true;
    }

    /// The server asked last, if it is mute.
    pub(super) fn last_if_mute(&self) -> Option<&AskedServer> {
        let last = self.rivals.last().map_or(&self.first, |rival| &rival.asked);
        last.is_mute.then_some(last)
    }

    /// One more was asked.
    pub(super) fn enter(&mut self, contender: Contender, cx: &Context<'_>) {
        self.rivals.push(contender);
        self.progress = Progress::Waiting { asked: cx.now.since_start };
    }

    /// No server is left to be asked.
    pub(super) fn exhaust(&mut self) {
        self.progress = Progress::Exhausted;
    }

    /// Takes out the rival asked by that flow. If it was waited for, the next is looked for.
    pub(super) fn take_by_flow(&mut self, flow: FlowId) -> Option<Contender> {
        let at = self.rivals.iter().position(|rival| rival.session.link.flow() == flow)?;
        Some(self.take(at))
    }

    /// Takes out the rival with that transaction. If it was waited for, the next is looked for.
    pub(super) fn take_by_tx(&mut self, tx: TxId) -> Option<Contender> {
        let at = self.rivals.iter().position(|rival| rival.exchange.tx() == Some(tx))?;
        Some(self.take(at))
    }

    /// True if a rival waits for that transaction.
    pub(super) fn has(&self, tx: TxId) -> bool {
        self.rivals.iter().any(|rival| rival.exchange.tx() == Some(tx))
    }

    /// True if a server is asked by that flow already.
    pub(super) fn is_over(&self, flow: FlowId) -> bool {
        self.rivals.iter().any(|rival| rival.session.link.flow() == flow)
    }

    fn take(&mut self, at: usize) -> Contender {
        let is_last = at + 1 == self.rivals.len();
        if is_last && matches!(self.progress, Progress::Waiting { .. }) {
            self.progress = Progress::Searching;
        }
        self.rivals.remove(at)
    }
}

/// How long a server that took the connection may say nothing before the next one is asked, too.
const MUTE: Duration = Duration::from_secs(4);
