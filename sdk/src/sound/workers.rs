//! Threads for files and pipes, which may block as long as they like: a bounded number of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::error::SoundError;

/// Starts workers and counts those that run.
#[derive(Clone, Debug)]
pub(super) struct Workers {
    running: Arc<AtomicUsize>,
    most: usize,
}

/// One of those that run.
struct Running(Arc<AtomicUsize>);

impl Workers {
    pub(super) fn new(most: usize) -> Self {
        Self { running: Arc::default(), most }
    }

    /// Runs `work` on a thread of its own. A worker whose read or write never returns stays until the program ends; it
    /// goes on counting.
    pub(super) fn start(&self, work: impl FnOnce() + Send + 'static) -> Result<(), SoundError> {
        let before = self.running.fetch_add(1, Ordering::AcqRel);
        let running = Running(Arc::clone(&self.running));
        if before >= self.most {
            return Err(SoundError::TooMany);
        }
        let builder = std::thread::Builder::new().name("homing-sound".into()).stack_size(STACK);
        let started = builder.spawn(move || {
            let _running = running;
            work();
        });
        started.map(|_| ()).map_err(|error| SoundError::Thread(error.kind()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Waits a little because a ring is full or empty: rings hold several times as much, and nobody wakes a worker.
pub(super) fn pause() {
    std::thread::sleep(PAUSE);
}

/// Two frames; a ring holds at least ten.
const PAUSE: Duration = Duration::from_millis(40);
const STACK: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn workers_are_bounded_and_one_that_ends_makes_room() {
        let workers = Workers::new(1);
        let (go, wait) = channel::<()>();
        workers.start(move || assert!(wait.recv().is_ok())).unwrap();
        assert_eq!(workers.start(|| ()), Err(SoundError::TooMany));
        go.send(()).unwrap();
        while workers.running.load(Ordering::Acquire) > 0 {
            std::thread::yield_now();
        }
        workers.start(|| ()).unwrap();
    }
}
