//! The channel of one account's events, or of all: who listens now, and what waits for each of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

pub(crate) use super::backlog::Told;
use super::backlog::{Backlog, Taken};

/// The readers of one channel. One that is dropped leaves at once.
#[derive(Default)]
pub(crate) struct Channel(Mutex<Readers>);

/// The sending end of a channel. Dropping it tells every reader that nothing follows.
#[derive(Default)]
pub(crate) struct ChannelSender(Arc<Channel>);

#[derive(Default)]
struct Readers {
    inboxes: Vec<Arc<Inbox>>,
    /// Nothing follows.
    closed: bool,
}

/// What waits for one reader.
#[derive(Default)]
pub(super) struct Inbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    backlog: Backlog,
    waker: Option<Waker>,
    closed: bool,
}

impl Channel {
    /// Adds a reader of all that is sent from now on.
    pub(super) fn join(&self) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::default());
        let mut readers = lock(&self.0);
        if readers.closed {
            inbox.close();
        } else {
            readers.inboxes.push(Arc::clone(&inbox));
        }
        inbox
    }

    /// Removes a reader.
    pub(super) fn leave(&self, inbox: &Arc<Inbox>) {
        let mut readers = lock(&self.0);
        if let Some(place) = readers.inboxes.iter().position(|other| Arc::ptr_eq(other, inbox)) {
            readers.inboxes.swap_remove(place);
        }
        if readers.inboxes.is_empty() {
            readers.inboxes = Vec::new();
        }
    }

    pub(crate) fn has_readers(&self) -> bool {
        !lock(&self.0).inboxes.is_empty()
    }

    /// Puts an event before every reader, and collects the wakers of those who wait for one. They are for the caller
    /// to wake, once for many events.
    pub(crate) fn send(&self, told: &Arc<Told>, wakers: &mut Vec<Waker>) {
        for inbox in &lock(&self.0).inboxes {
            let mut waiting = lock(&inbox.0);
            waiting.backlog.push(Arc::clone(told));
            wakers.extend(waiting.waker.take());
        }
    }

    /// Tells every reader, also those to come, that nothing follows.
    pub(crate) fn close(&self) {
        let inboxes = {
            let mut readers = lock(&self.0);
            readers.closed = true;
            std::mem::take(&mut readers.inboxes)
        };
        inboxes.iter().for_each(|inbox| inbox.close());
    }
}

impl ChannelSender {
    pub(crate) fn channel(&self) -> &Arc<Channel> {
        &self.0
    }
}

impl Drop for ChannelSender {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Inbox {
    /// Takes what waits; nothing more once the channel is closed and all was taken.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Option<Taken>> {
        let mut waiting = lock(&self.0);
        match waiting.backlog.pop() {
            Some(taken) => Poll::Ready(Some(taken)),
            None if waiting.closed => Poll::Ready(None),
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn close(&self) {
        let waker = {
            let mut waiting = lock(&self.0);
            waiting.closed = true;
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
