//! Where events are told: to the readers of the account, to those of all accounts, and to `tracing`.

use std::sync::Arc;
use std::task::Waker;

use homing_core::event::{AccountEvent, Event};

use super::registry::Entry;
use crate::event::{Channel, ChannelSender, Told};

/// The channel of all accounts, and the readers to be woken.
#[derive(Default)]
pub(super) struct Log {
    all: ChannelSender,
    /// Of readers that were told something since the last [`wake`](Log::wake).
    wakers: Vec<Waker>,
}

impl Log {
    /// The channel of all accounts.
    pub(super) fn channel(&self) -> &Arc<Channel> {
        self.all.channel()
    }

    /// Tells an event that `account` has already taken over.
    pub(super) fn tell(&mut self, event: Event, account: &Entry) {
        account.span.in_scope(|| trace(&event.what));
        let (own, all) = (account.state.channel(), self.all.channel());
        if !own.has_readers() && !all.has_readers() {
            return;
        }
        let told = Arc::new(Told { event, state: account.state.state() });
        own.send(&told, &mut self.wakers);
        all.send(&told, &mut self.wakers);
    }

    /// Wakes the readers that were told something, each once however much it was.
    pub(super) fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

/// Writes the event to `tracing`: its name and stable words, nothing that a peer wrote.
fn trace(what: &AccountEvent) {
    match what {
        AccountEvent::StateChanged { to, .. } => tracing::debug!("{}", to.words().word),
        AccountEvent::LoginFailed { failure, retry_in } => {
            tracing::warn!(code = failure.error.code(), ?retry_in, "login failed");
        }
        AccountEvent::Registered(registered) => {
            tracing::info!(home = %registered.home, expires = registered.expires, "registered");
        }
        AccountEvent::Unregistered { outcome } if outcome.leaves_binding() => {
            tracing::warn!(%outcome, "unregistered");
        }
        AccountEvent::MessageRefused { server, why } => tracing::warn!(%server, %why, "message refused"),
        AccountEvent::ProofWrong { server } => tracing::warn!(%server, "proof of the server wrong"),
        other => tracing::debug!("{}", other.kind()),
    }
}
