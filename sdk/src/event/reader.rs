//! The readers of events: of one account, or of all accounts of a user agent.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use homing_core::event::{AccountEvent, Event};

use super::backlog::{Backlog, Told};
use super::channel::{Channel, Inbox};
use super::lagged::Lagged;
use crate::state_watch::StateWatch;

/// The events of all accounts, from the moment this was made.
pub struct Events {
    channel: Arc<Channel<Backlog>>,
    inbox: Arc<Inbox<Backlog>>,
}

/// The events of one account, from the moment this was made.
pub struct AccountEvents {
    account: StateWatch,
    inbox: Arc<Inbox<Backlog>>,
}

impl Events {
    pub(crate) fn new(channel: Arc<Channel<Backlog>>) -> Self {
        Self { inbox: channel.join(), channel }
    }

    /// The next event, or [`Lagged`] for what was missed of one account; none once the user agent has ended. Events
    /// of one account come in the order in which they happened, and so do those of different accounts as long as
    /// none was missed. Cancel-safe: no event is lost by dropping the future.
    pub async fn next(&mut self) -> Option<Result<Event, Lagged>> {
        let taken = poll_fn(|cx| self.inbox.poll(cx)).await?;
        Some(taken.map(Told::into_event).map_err(|lagged| *lagged))
    }
}

impl AccountEvents {
    pub(crate) fn new(account: StateWatch) -> Self {
        Self { inbox: account.channel().join(), account }
    }

    /// The next event, or [`Lagged`] for what was missed; none once the account was removed or the user agent has
    /// ended. Cancel-safe: no event is lost by dropping the future.
    pub async fn next(&mut self) -> Option<Result<AccountEvent, Lagged>> {
        let taken = poll_fn(|cx| self.inbox.poll(cx)).await?;
        Some(taken.map(|told| told.into_event().what).map_err(|lagged| *lagged))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.channel.leave(&self.inbox);
    }
}

impl Drop for AccountEvents {
    fn drop(&mut self) {
        self.account.channel().leave(&self.inbox);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl fmt::Debug for AccountEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountEvents")
    }
}
