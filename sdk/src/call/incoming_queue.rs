//! The calls of one account that came in and wait to be taken: by the newest reader, within a bound.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::shared::CallShared;

/// The queue of one account. It has at most one reader; without one it takes no call.
#[derive(Default)]
pub(crate) struct IncomingQueue(Mutex<Option<Box<Waiting>>>);

/// Why a call was not put into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Nobody reads it.
    NoReader,
    /// So many wait in it that no more are taken.
    Full,
}

/// Which reader of the queue it is: a later one takes over from an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReaderId(u64);

struct Waiting {
    /// How many readers there were.
    readers: u64,
    /// False once the newest reader is gone, or the account.
    is_read: bool,
    calls: VecDeque<Arc<CallShared>>,
    waker: Option<Waker>,
}

impl IncomingQueue {
    /// Makes a reader, which takes over what waits; the one before it ends.
    pub(crate) fn join(&self) -> ReaderId {
        let mut queue = self.lock();
        let waiting = queue.get_or_insert_with(|| {
            Box::new(Waiting { readers: 0, is_read: false, calls: VecDeque::new(), waker: None })
        });
        waiting.readers += 1;
        waiting.is_read = true;
        let (reader, before) = (ReaderId(waiting.readers), waiting.waker.take());
        drop(queue);
        before.into_iter().for_each(Waker::wake);
        reader
    }

    /// A reader is gone; what waited for it, if no later one took over.
    pub(crate) fn leave(&self, reader: ReaderId) -> Vec<Arc<CallShared>> {
        let mut queue = self.lock();
        match queue.as_mut().filter(|waiting| waiting.readers == reader.0) {
            Some(waiting) => {
                waiting.is_read = false;
                waiting.waker = None;
                waiting.calls.drain(..).collect()
            }
            None => Vec::new(),
        }
    }

    /// Puts a call before the reader.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(crate) fn push(&self, call: Arc<CallShared>, wakers: &mut Vec<Waker>) -> Result<(), NotTaken> {
        let mut queue = self.lock();
        let waiting = queue.as_mut().filter(|waiting| waiting.is_read).ok_or(NotTaken::NoReader)?;
        if waiting.calls.len() >= MOST_WAITING {
            return Err(NotTaken::Full);
        }
        waiting.calls.push_back(call);
        wakers.extend(waiting.waker.take());
        Ok(())
    }

    /// Takes the call that waits longest; none for a reader that was followed by another.
    pub(crate) fn poll(&self, reader: ReaderId, cx: &Context<'_>) -> Poll<Option<Arc<CallShared>>> {
        let mut queue = self.lock();
        let Some(waiting) = queue.as_mut().filter(|waiting| waiting.readers == reader.0) else {
            return Poll::Ready(None);
        };
        match waiting.calls.pop_front() {
            Some(call) => Poll::Ready(Some(call)),
            None if waiting.is_read => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    /// No call follows: the account was removed, or the user agent has ended.
    pub(crate) fn close(&self) {
        let waker = self.lock().as_mut().and_then(|waiting| {
            waiting.is_read = false;
            waiting.waker.take()
        });
        waker.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls that wait for the reader, those that ended meanwhile included.
const MOST_WAITING: usize = 64;

#[cfg(test)]
mod tests {
    use homing_core::ids::AccountId;

    use super::*;

    fn call(name: &str) -> Arc<CallShared> {
        CallShared::outgoing(AccountId(0), name.to_owned())
    }

    fn push(queue: &IncomingQueue, name: &str) -> Result<(), NotTaken> {
        queue.push(call(name), &mut Vec::new())
    }

    fn take(queue: &IncomingQueue, reader: ReaderId) -> Poll<Option<String>> {
        let taken = queue.poll(reader, &Context::from_waker(Waker::noop()));
        taken.map(|call| call.map(|call| call.remote().to_owned()))
    }

    #[test]
    fn without_a_reader_no_call_is_taken_and_with_one_no_more_than_64_wait() {
        let queue = IncomingQueue::default();
        assert_eq!(push(&queue, "a"), Err(NotTaken::NoReader));
        let reader = queue.join();
        for _ in 0..MOST_WAITING {
            assert_eq!(push(&queue, "a"), Ok(()));
        }
        assert_eq!(push(&queue, "b"), Err(NotTaken::Full));
        assert_eq!(take(&queue, reader), Poll::Ready(Some("a".to_owned())));
        assert_eq!(push(&queue, "b"), Ok(()));
        assert_eq!(queue.leave(reader).len(), MOST_WAITING, "they are for the reader to refuse");
        assert_eq!(push(&queue, "c"), Err(NotTaken::NoReader));
    }

    #[test]
    fn a_second_reader_takes_over_what_waits_and_the_first_ends() {
        let queue = IncomingQueue::default();
        let first = queue.join();
        push(&queue, "a").unwrap();
        let second = queue.join();
        assert_eq!(take(&queue, first), Poll::Ready(None));
        assert!(queue.leave(first).is_empty(), "what waits is the second one's");
        assert_eq!(take(&queue, second), Poll::Ready(Some("a".to_owned())));
        assert_eq!(take(&queue, second), Poll::Pending);
        queue.close();
        assert_eq!(take(&queue, second), Poll::Ready(None));
    }
}
