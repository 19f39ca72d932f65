//! What happened, for whoever listens: bounded, and honest about what a slow listener missed.

use homing_core::event::{AccountEvent, Event};
use homing_core::ids::AccountId;
use tokio::sync::broadcast::{self, error::RecvError};

/// What a listener is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something happened.
    Event(Event),
    /// The listener was too slow; this many events are lost to it. What counts is to be asked anew.
    Lagged {
        /// How many.
        dropped: u64,
    },
}

/// The events of all accounts, from the moment this was made. A slow listener delays nobody.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Event>,
}

/// The events of one account, from the moment this was made.
#[derive(Debug)]
pub struct AccountEvents {
    account: AccountId,
    events: Events,
}

impl Events {
    pub(crate) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self { receiver }
    }

    /// The next event; none once the user agent has ended. Cancel-safe: no event is lost by dropping
    /// the future.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.receiver.recv().await {
            Ok(event) => Some(Notice::Event(event)),
            Err(RecvError::Lagged(dropped)) => Some(Notice::Lagged { dropped }),
            Err(RecvError::Closed) => None,
        }
    }
}

impl AccountEvents {
    pub(crate) fn new(account: AccountId, events: Events) -> Self {
        Self { account, events }
    }

    /// The next event of this account, or the number of events (of any account) that were missed;
    /// none once the user agent has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<AccountEvent, u64>> {
        loop {
            match self.events.next().await? {
                Notice::Event(event) if event.account == self.account => return Some(Ok(event.what)),
                Notice::Event(_) => {}
                Notice::Lagged { dropped } => return Some(Err(dropped)),
            }
        }
    }
}

/// Events kept for the slowest listener.
pub(crate) const KEPT: usize = 1_024;
