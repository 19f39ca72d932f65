//! A shutdown under way: until when it may take, and who waits for its report.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use homing_core::event::UnregisterOutcome;
use homing_core::ids::AccountId;
use tokio::sync::oneshot;

use crate::command::ShutdownReport;

/// The shortest grace that was given counts; all who asked get the report.
pub(super) struct Shutdown {
    until: Instant,
    outcomes: BTreeMap<AccountId, UnregisterOutcome>,
    replies: Vec<oneshot::Sender<ShutdownReport>>,
}

impl Shutdown {
    pub(super) fn begin(grace: Duration) -> Self {
        Self { until: end_of(grace), outcomes: BTreeMap::new(), replies: Vec::new() }
    }

    /// Adds one who asked; the end comes no later than after this grace.
    pub(super) fn join(&mut self, grace: Duration, reply: Option<oneshot::Sender<ShutdownReport>>) {
        self.until = self.until.min(end_of(grace));
        self.replies.extend(reply);
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// True once the grace is over, whatever is left.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Keeps what became of an account's binding.
    pub(super) fn record(&mut self, account: AccountId, outcome: UnregisterOutcome) {
        self.outcomes.insert(account, outcome);
    }

    /// Gives the report to all who asked; `transactions` are those without a final answer.
    pub(super) fn report(self, transactions: usize) {
        let report = ShutdownReport { accounts: self.outcomes, transactions };
        for reply in self.replies {
            // The future that waits may have been dropped.
            let _ = reply.send(report.clone());
        }
    }
}

fn end_of(grace: Duration) -> Instant {
    // A grace that no clock can hold is none.
    Instant::now().checked_add(grace).unwrap_or_else(Instant::now)
}
