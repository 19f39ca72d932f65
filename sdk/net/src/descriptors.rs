//! File descriptors that ran out: told once, until there are some again.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether connections cannot be accepted for want of descriptors.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    out: AtomicBool,
    told: Notify,
}

impl Descriptors {
    /// A connection was accepted.
    pub(crate) fn there_are(&self) {
        // A store by every accepted connection would pass the cache line around for nothing.
        if self.out.load(Ordering::Relaxed) {
            self.out.store(false, Ordering::Relaxed);
        }
    }

    /// A connection could not be accepted.
    pub(crate) fn ran_out(&self) {
        if !self.out.swap(true, Ordering::Relaxed) {
            self.told.notify_one();
        }
    }

    /// Waits until they run out after there were some.
    pub(crate) async fn next(&self) {
        self.told.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_told(descriptors: &Descriptors) -> bool {
        let next = pin!(descriptors.next());
        next.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn that_descriptors_ran_out_is_told_once_until_there_were_some() {
        let descriptors = Descriptors::default();
        descriptors.there_are();
        assert!(!is_told(&descriptors));
        (0..3).for_each(|_| descriptors.ran_out());
        assert!(is_told(&descriptors) && !is_told(&descriptors));
        descriptors.ran_out();
        assert!(!is_told(&descriptors));
        descriptors.there_are();
        descriptors.ran_out();
        assert!(is_told(&descriptors));
    }
}
