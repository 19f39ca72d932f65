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
    /// Until when the calls that were hung up may take; none once the accounts are signed out.
    calls_until: Option<Instant>,
    outcomes: BTreeMap<AccountId, UnregisterOutcome>,
    replies: Vec<oneshot::Sender<ShutdownReport>>,
}

impl Shutdown {
    pub(super) fn begin(grace: Duration, has_calls: bool) -> Self {
        let calls_until = has_calls.then(|| end_of(CALLS.min(grace / 2)));
        Self { until: end_of(grace), calls_until, outcomes: BTreeMap::new(), replies: Vec::new() }
    }

    /// Adds one who asked; the end comes no later than after this grace.
    pub(super) fn join(&mut self, grace: Duration, reply: Option<oneshot::Sender<ShutdownReport>>) {
        self.until = self.until.min(end_of(grace));
        self.replies.extend(reply);
    }

    /// When there is something to look at.
    pub(super) fn until(&self) -> Instant {
        self.calls_until.map_or(self.until, |calls| calls.min(self.until))
    }

    /// What is left of the grace.
    pub(super) fn grace(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// True once: the calls are at rest, or have taken too long, and the accounts are to sign out.
    pub(super) fn ends_calls(&mut self, at_rest: bool) -> bool {
        self.calls_until.take_if(|until| at_rest || Instant::now() >= *until).is_some()
    }

    /// True once the accounts were told to sign out.
    pub(super) fn signs_out(&self) -> bool {
        self.calls_until.is_none()
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

/// How long the ends of calls may wait for their answers before the accounts sign out.
const CALLS: Duration = Duration::from_secs(1);

fn end_of(grace: Duration) -> Instant {
    // A grace that no clock can hold is none.
    Instant::now().checked_add(grace).unwrap_or_else(Instant::now)
}
