//! The rings between a machine on its thread and its owner elsewhere: fixed in size, and neither end waits for the other.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use thiserror::Error;

/// What an owner tells its machine. The machine is stopped and its sockets are closed once this is dropped.
pub struct Commands<C>(rtrb::Producer<C>);

/// What a machine tells its owner.
pub struct Reports<R> {
    ring: rtrb::Consumer<R>,
    waker: Arc<AtomicWaker>,
}

/// Why a command did not reach the machine; it comes back.
#[derive(PartialEq, Eq, Error)]
pub enum CommandRefused<C> {
    /// The ring is full: the thread is late, or more is said than the machine takes in a slot.
    #[error("too much was asked of the sound of this call at once")]
    Full(C),
    /// The thread has ended.
    #[error("the thread for sound has ended")]
    Gone(C),
}

/// The machine's end of the commands.
pub(super) struct CommandQueue<C>(rtrb::Consumer<C>);

/// The machine's end of the reports.
pub(super) struct ReportQueue<R> {
    ring: Option<rtrb::Producer<R>>,
    waker: Arc<AtomicWaker>,
}

/// Both ends of a ring of `room` commands.
pub(super) fn commands<C>(room: usize) -> (Commands<C>, CommandQueue<C>) {
    let (producer, consumer) = rtrb::RingBuffer::new(room.max(1));
    (Commands(producer), CommandQueue(consumer))
}

/// Both ends of a ring of `room` reports.
pub(super) fn reports<R>(room: usize) -> (ReportQueue<R>, Reports<R>) {
    let (producer, ring) = rtrb::RingBuffer::new(room.max(1));
    let waker = Arc::new(AtomicWaker::new());
    (ReportQueue { ring: Some(producer), waker: Arc::clone(&waker) }, Reports { ring, waker })
}

impl<C> Commands<C> {
    /// Hands a command over; the machine takes it just before its next slot.
    ///
    /// # Errors
    /// `Full` and `Gone`, with the command.
    pub fn send(&mut self, command: C) -> Result<(), CommandRefused<C>> {
        if self.0.is_abandoned() {
            return Err(CommandRefused::Gone(command));
        }
        self.0.push(command).map_err(|rtrb::PushError::Full(command)| CommandRefused::Full(command))
    }
}

impl<R> Reports<R> {
    /// The oldest report that waits.
    pub fn try_next(&mut self) -> Option<R> {
        self.ring.pop().ok()
    }

    /// Waits for a report; none once the machine is gone and all were read. Cancel-safe.
    pub async fn next(&mut self) -> Option<R> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next), for who polls.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<R>> {
        if let Ok(report) = self.ring.pop() {
            return Poll::Ready(Some(report));
        }
        self.waker.register(cx.waker());
        // Asked before the second look: what is pushed between the two is then still read.
        let ended = self.ring.is_abandoned();
        match self.ring.pop() {
            Ok(report) => Poll::Ready(Some(report)),
            Err(_) if ended => Poll::Ready(None),
            Err(_) => Poll::Pending,
        }
    }
}

impl<C> CommandQueue<C> {
    pub(super) fn next(&mut self) -> Option<C> {
        self.0.pop().ok()
    }

    /// True once the owner let go. What it said before may still wait.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.is_abandoned()
    }
}

impl<R> ReportQueue<R> {
    pub(super) fn has_room(&self) -> bool {
        self.ring.as_ref().is_some_and(|ring| !ring.is_full())
    }

    /// Wakes who waits for it.
    pub(super) fn push(&mut self, report: R) {
        // Its caller asked for room, and only it fills the ring.
        let pushed = self.ring.as_mut().is_some_and(|ring| ring.push(report).is_ok());
        debug_assert!(pushed, "a report is pushed where there is room");
        self.waker.wake();
    }
}

impl<R> Drop for ReportQueue<R> {
    fn drop(&mut self) {
        // The reader must find the ring abandoned when it wakes.
        self.ring = None;
        self.waker.wake();
    }
}

impl<C> CommandRefused<C> {
    /// The stable code, such as `E1609`.
    pub fn code(&self) -> &'static str {
        match self {
            CommandRefused::Full(_) => "E1609",
            CommandRefused::Gone(_) => "E1608",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            CommandRefused::Full(_) => "Ask again in a moment.",
            CommandRefused::Gone(_) => "Start the program again.",
        }
    }
}

impl<C> fmt::Debug for CommandRefused<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the command, which may hold keys.
        f.write_str(match self {
            CommandRefused::Full(_) => "Full(…)",
            CommandRefused::Gone(_) => "Gone(…)",
        })
    }
}

impl<C> fmt::Debug for Commands<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commands(…)")
    }
}

impl<R> fmt::Debug for Reports<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reports(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_full_ring_gives_the_command_back() {
        let (mut commands, mut queue) = commands(2);
        assert_eq!((commands.send(1), commands.send(2)), (Ok(()), Ok(())));
        let refused = commands.send(3).unwrap_err();
        assert_eq!((refused.code(), &refused), ("E1609", &CommandRefused::Full(3)));
        assert_eq!(queue.next(), Some(1));
        assert_eq!(commands.send(3), Ok(()));
        drop(queue);
        let refused = commands.send(4).unwrap_err();
        assert_eq!((refused.code(), refused), ("E1608", CommandRefused::Gone(4)));
    }

    #[test]
    fn a_reader_is_woken_by_each_report_and_by_the_end() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let (mut queue, mut reports) = reports(1);
        assert!(pin!(reports.next()).poll(&mut cx).is_pending());
        queue.push(7);
        assert!(!queue.has_room() && woken.0.load(Ordering::Relaxed) == 1);
        assert_eq!(pin!(reports.next()).poll(&mut cx), Poll::Ready(Some(7)));
        assert!(pin!(reports.next()).poll(&mut cx).is_pending());
        queue.push(8);
        drop(queue);
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
        assert_eq!(pin!(reports.next()).poll(&mut cx), Poll::Ready(Some(8)));
        assert_eq!(pin!(reports.next()).poll(&mut cx), Poll::Ready(None));
    }

    /// Reads the moment it is woken.
    struct Reading(Mutex<Read>);

    struct Read {
        reports: Reports<u8>,
        found: Vec<Poll<Option<u8>>>,
    }

    impl Wake for Reading {
        fn wake(self: Arc<Self>) {
            let mut inside = self.0.lock().unwrap();
            let read = inside.reports.poll_next(&mut Context::from_waker(Waker::noop()));
            inside.found.push(read);
        }
    }

    #[test]
    fn a_reader_woken_by_the_end_finds_the_end() {
        let (queue, reports) = reports::<u8>(1);
        let reading = Arc::new(Reading(Mutex::new(Read { reports, found: Vec::new() })));
        let waker = Waker::from(Arc::clone(&reading));
        let first = reading.0.lock().unwrap().reports.poll_next(&mut Context::from_waker(&waker));
        assert!(first.is_pending());
        drop(queue);
        assert_eq!(reading.0.lock().unwrap().found, [Poll::Ready(None)]);
    }
}
