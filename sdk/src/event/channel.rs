//! The channel of one account's events, of all, or of a call's: who listens now, and what waits for each of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Keeps what one reader has not taken yet, within a bound of its own.
pub(crate) trait Queue: Default {
    /// What is sent, as its readers share it.
    type Sent;
    /// What a reader takes: an event, or what stands for events that it missed.
    type Taken;

    /// Appends what is sent; what has to make room for it is merged.
    fn push(&mut self, sent: Arc<Self::Sent>);

    /// Takes the oldest.
    fn pop(&mut self) -> Option<Self::Taken>;
}

/// The readers of one channel. One that is dropped leaves at once.
#[derive(Default)]
pub(crate) struct Channel<Q>(Mutex<Readers<Q>>);

/// The sending end of a channel. Dropping it tells every reader that nothing follows.
#[derive(Default)]
pub(crate) struct ChannelSender<Q: Queue>(Arc<Channel<Q>>);

struct Readers<Q> {
    inboxes: Vec<Arc<Inbox<Q>>>,
    /// Nothing follows.
    closed: bool,
}

/// What waits for one reader.
#[derive(Default)]
pub(crate) struct Inbox<Q>(Mutex<Waiting<Q>>);

#[derive(Default)]
struct Waiting<Q> {
    backlog: Q,
    waker: Option<Waker>,
    closed: bool,
}

impl<Q> Default for Readers<Q> {
    fn default() -> Self {
        Self { inboxes: Vec::new(), closed: false }
    }
}

impl<Q: Queue> Channel<Q> {
    /// Adds a reader of all that is sent from now on.
    pub(crate) fn join(&self) -> Arc<Inbox<Q>> {
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
    pub(crate) fn leave(&self, inbox: &Arc<Inbox<Q>>) {
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
    pub(crate) fn send(&self, told: &Arc<Q::Sent>, wakers: &mut Vec<Waker>) {
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

impl<Q: Queue> ChannelSender<Q> {
    pub(crate) fn channel(&self) -> &Arc<Channel<Q>> {
        &self.0
    }
}

impl<Q: Queue> Drop for ChannelSender<Q> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<Q: Queue> Inbox<Q> {
    /// Takes what waits; nothing more once the channel is closed and all was taken.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Option<Q::Taken>> {
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
