//! Redirects: the rules of an account, and the application's decision on what passed every rule.

pub use homing_core::config::{Consent, IpNetwork, LoopRule, RedirectRules, UnsignedRule};
pub use homing_core::outbox::{Decision, RedirectAttempt};

/// Decides whether a redirect is followed, for accounts whose rules say [`Consent::Ask`].
///
/// It is asked on a thread of its own and may block, to ask a person for instance. A redirect that
/// broke a rule never comes this far, and saying yes overrules none.
pub trait RedirectPolicy: Send + Sync + 'static {
    /// Follow, or stop; to stop lets the login fail.
    fn decide(&self, attempt: &RedirectAttempt) -> Decision;
}

impl<F: Fn(&RedirectAttempt) -> Decision + Send + Sync + 'static> RedirectPolicy for F {
    fn decide(&self, attempt: &RedirectAttempt) -> Decision {
        self(attempt)
    }
}
