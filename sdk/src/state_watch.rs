//! The state of one account as its handles see it: the newest value, a wait for the next, the channel of its events,
//! and the queue of the calls that come in.
//!
//! A user agent of ten thousand accounts keeps ten thousand of these, so that each is small.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homing_core::state::AccountState;
use tokio::sync::Notify;

use crate::call::IncomingQueue;
use crate::event::Channel;

/// The driver's end. Dropping it tells all who watch or read events that nothing follows.
pub(crate) struct StateSender(Arc<Shared>);

/// A handle's end: what it has seen, and where to look.
#[derive(Clone)]
pub(crate) struct StateWatch {
    shared: Arc<Shared>,
    seen: u32,
}

struct Shared {
    newest: Mutex<Newest>,
    changed: Notify,
    events: Channel,
    incoming: IncomingQueue,
}

#[derive(Clone, Copy)]
struct Newest {
    state: AccountState,
    changes: u32,
    over: bool,
}

/// Both ends of a fresh account's state.
pub(crate) fn state_watch(state: AccountState) -> (StateSender, StateWatch) {
    let newest = Mutex::new(Newest { state, changes: 0, over: false });
    let (events, incoming) = (Channel::default(), IncomingQueue::default());
    let shared = Arc::new(Shared { newest, changed: Notify::new(), events, incoming });
    (StateSender(Arc::clone(&shared)), StateWatch { shared, seen: 0 })
}

impl StateSender {
    /// The state that was set last.
    pub(crate) fn state(&self) -> AccountState {
        self.0.newest().state
    }

    /// The channel of the account's events.
    pub(crate) fn channel(&self) -> &Channel {
        &self.0.events
    }

    /// The calls that came in and wait to be taken.
    pub(crate) fn incoming(&self) -> &IncomingQueue {
        &self.0.incoming
    }

    /// Sets another state.
    pub(crate) fn set(&self, state: AccountState) {
        {
            let mut newest = self.0.newest();
            newest.state = state;
            newest.changes = newest.changes.wrapping_add(1);
        }
        self.0.changed.notify_waiters();
    }
}

impl Drop for StateSender {
    fn drop(&mut self) {
        self.0.newest().over = true;
        self.0.changed.notify_waiters();
        self.0.events.close();
        self.0.incoming.close();
    }
}

impl StateWatch {
    /// The state that was set last.
    pub(crate) fn state(&self) -> AccountState {
        self.shared.newest().state
    }

    /// The channel of the account's events.
    pub(crate) fn channel(&self) -> &Channel {
        &self.shared.events
    }

    /// The calls that came in and wait to be taken.
    pub(crate) fn incoming(&self) -> &IncomingQueue {
        &self.shared.incoming
    }

    /// Waits for a state that was not seen by this before; none once nothing follows. Cancel-safe.
    pub(crate) async fn changed(&mut self) -> Option<AccountState> {
        loop {
            // A state that is set from here on wakes this wait, also before it begins.
            let changed = self.shared.changed.notified();
            let newest = *self.shared.newest();
            if newest.changes != self.seen {
                self.seen = newest.changes;
                return Some(newest.state);
            }
            if newest.over {
                return None;
            }
            changed.await;
        }
    }
}

impl Shared {
    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn every_handle_sees_the_newest_state_once_and_then_the_end() {
        let (sender, mut watch) = state_watch(AccountState::Offline);
        let mut other = watch.clone();
        assert_eq!(watch.changed().now_or_never(), None, "nothing changed yet");
        sender.set(AccountState::Resolving);
        sender.set(AccountState::Registered);
        assert_eq!((sender.state(), watch.state()), (AccountState::Registered, AccountState::Registered));
        assert_eq!(watch.changed().now_or_never(), Some(Some(AccountState::Registered)));
        assert_eq!(watch.changed().now_or_never(), None, "seen already");
        let waits = tokio::spawn(async move { watch.changed().await });
        tokio::task::yield_now().await;
        drop(sender);
        assert_eq!(waits.await.unwrap(), None);
        assert_eq!(other.changed().await, Some(AccountState::Registered), "what it had not seen comes first");
        assert_eq!(other.changed().await, None);
    }
}
