//! The accounts of the driver: each with its state as its handles see it, and the registration that stands.

use std::collections::BTreeMap;

use homing_core::config::Aor;
use homing_core::event::{AccountEvent, Event, Registered};
use homing_core::ids::AccountId;
use homing_core::state::AccountState;
use tracing::Span;

use crate::call::IncomingQueue;
use crate::command::Endpoint;
use crate::state_watch::StateSender;

/// The accounts by their numbers.
#[derive(Default)]
pub(super) struct Registry {
    accounts: BTreeMap<AccountId, Entry>,
    /// Accounts that are signed in or trying to be.
    busy: usize,
}

/// One account.
pub(super) struct Entry {
    pub(super) state: StateSender,
    pub(super) span: Span,
    endpoint: Endpoint,
    registered: Option<Registered>,
}

impl Registry {
    pub(super) fn add(&mut self, id: AccountId, aor: &Aor, endpoint: Endpoint, state: StateSender) {
        let span = tracing::info_span!("sip.register", account = id.0, %aor);
        self.accounts.insert(id, Entry { state, span, endpoint, registered: None });
    }

    /// Removes an account; its handles and readers are told that nothing follows.
    pub(super) fn remove(&mut self, id: AccountId) -> Option<Endpoint> {
        let entry = self.accounts.remove(&id)?;
        if !is_at_rest(entry.state.state()) {
            self.busy -= 1;
        }
        Some(entry.endpoint)
    }

    pub(super) fn ids(&self) -> Vec<AccountId> {
        self.accounts.keys().copied().collect()
    }

    /// True when no account is signed in or trying to be.
    pub(super) fn is_at_rest(&self) -> bool {
        self.busy == 0
    }

    /// True if this account is signed in or trying to be.
    pub(super) fn is_busy(&self, id: AccountId) -> bool {
        self.accounts.get(&id).is_some_and(|entry| !is_at_rest(entry.state.state()))
    }

    /// The registration that stands; none while the account cannot be reached by it.
    pub(super) fn registration(&self, id: AccountId) -> Option<&Registered> {
        let entry = self.accounts.get(&id)?;
        entry.registered.as_ref().filter(|_| entry.state.state().is_reachable())
    }

    /// Where the calls that come in for an account wait to be taken.
    pub(super) fn incoming(&self, id: AccountId) -> Option<&IncomingQueue> {
        self.accounts.get(&id).map(|entry| entry.state.incoming())
    }

    /// Takes over what an event says of its account, and gives that account; none if it was removed.
    pub(super) fn record(&mut self, event: &Event) -> Option<&Entry> {
        let entry = self.accounts.get_mut(&event.account)?;
        match &event.what {
            AccountEvent::StateChanged { to, .. } => {
                let was_busy = !is_at_rest(entry.state.state());
                entry.state.set(*to);
                match (was_busy, !is_at_rest(*to)) {
                    (false, true) => self.busy += 1,
                    (true, false) => self.busy -= 1,
                    (true, true) | (false, false) => {}
                }
            }
            AccountEvent::Registered(registered) => entry.registered = Some(registered.clone()),
            AccountEvent::Refreshed { expires } => {
                if let Some(registered) = &mut entry.registered {
                    registered.expires = *expires;
                }
            }
            AccountEvent::LoggedOut { .. } => entry.registered = None,
            _ => {}
        }
        Some(entry)
    }
}

/// True for a state in which nothing is under way and nothing would be left at a server.
fn is_at_rest(state: AccountState) -> bool {
    state.is_failure()
        || matches!(state, AccountState::Offline | AccountState::LoggedOff | AccountState::NoNetwork)
}
