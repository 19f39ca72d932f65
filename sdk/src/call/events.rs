//! A reader of the events of one call.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use homing_core::call_event::CallEvent;

use super::backlog::{CallBacklog, CallLagged};
use super::shared::CallShared;
use crate::event::channel::Inbox;

/// The events of one call, for one reader. It holds no call.
pub struct CallEvents {
    call: Arc<CallShared>,
    inbox: Arc<Inbox<CallBacklog>>,
}

impl CallEvents {
    pub(super) fn new(call: Arc<CallShared>) -> Self {
        let inbox = call.first_inbox().unwrap_or_else(|| call.channel().join());
        Self { call, inbox }
    }

    /// The next event, or [`CallLagged`] for what was missed; none after [`CallEvent::Ended`]. The newest 256 wait for
    /// a late reader, so that the end is never missed. Cancel-safe: no event is lost by dropping the future.
    pub async fn next(&mut self) -> Option<Result<CallEvent, CallLagged>> {
        let taken = poll_fn(|cx| self.inbox.poll(cx)).await?;
        Some(
            taken.map(|told| Arc::try_unwrap(told).map_or_else(|told| told.event.clone(), |told| told.event)),
        )
    }
}

impl Drop for CallEvents {
    fn drop(&mut self) {
        self.call.channel().leave(&self.inbox);
    }
}

impl fmt::Debug for CallEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallEvents")
    }
}
