//! The octets of messages that strangers began and did not finish, bounded over all connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What strangers' connections hold of unfinished messages. Over the bound the one goes that began first.
pub(crate) struct Unfinished {
    bound: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    total: usize,
    /// By when the message began.
    oldest_first: BTreeMap<u64, Entry>,
    begun: u64,
}

struct Entry {
    octets: usize,
    gone: Arc<Notify>,
}

/// The share of one connection; given back when it is dropped.
pub(crate) struct Share {
    unfinished: Arc<Unfinished>,
    place: Option<u64>,
    gone: Arc<Notify>,
}

impl Unfinished {
    pub(crate) fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { bound, table: Mutex::default() })
    }

    /// The share of a connection that holds nothing yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { unfinished: Arc::clone(self), place: None, gone: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Notes how much of an unfinished message the connection holds; 0 between messages.
    pub(crate) fn hold(&mut self, octets: usize) {
        if octets == 0 && self.place.is_none() {
            return;
        }
        let mut table = self.unfinished.lock();
        if let Some(place) = self.place {
            table.remove(place);
        }
        if octets == 0 {
            self.place = None;
            return;
        }
        let place = self.place.unwrap_or_else(|| table.next_place());
        self.place = Some(place);
        table.total += octets;
        table.oldest_first.insert(place, Entry { octets, gone: Arc::clone(&self.gone) });
        while table.total > self.unfinished.bound {
            let Some(oldest) = table.oldest_first.keys().next().copied() else { return };
            if let Some(entry) = table.remove(oldest) {
                entry.gone.notify_one();
            }
        }
    }

    /// The message that was held is whole: what follows is another, and begins now. Had it to go just before, it need not
    /// any more.
    pub(crate) fn finish(&mut self) {
        self.hold(0);
        self.gone = Arc::default();
    }

    /// Waits until the connection has to go for others.
    pub(crate) async fn is_evicted(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
    }
}

impl Table {
    fn next_place(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    fn remove(&mut self, place: u64) -> Option<Entry> {
        let entry = self.oldest_first.remove(&place)?;
        self.total -= entry.octets;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn over_the_bound_goes_what_began_first_and_nothing_is_left_behind() {
        let unfinished = Unfinished::new(100);
        let mut shares: Vec<Share> = (0..3).map(|_| unfinished.share()).collect();
        shares[0].hold(40);
        shares[1].hold(40);
        shares[0].hold(50);
        assert_eq!(unfinished.lock().total, 90);
        shares[2].hold(30);
        shares[0].is_evicted().await;
        assert_eq!(unfinished.lock().total, 70, "the first began first, however much came since");
        shares[1].hold(0);
        assert_eq!(unfinished.lock().total, 30);
        // What begins anew after a whole message is the youngest.
        shares[1].hold(60);
        shares[2].finish();
        shares[2].hold(30);
        shares[1].hold(80);
        shares[1].is_evicted().await;
        // An order to go that came while the message was finished is void.
        shares[1].finish();
        shares[2].hold(90);
        shares[1].hold(20);
        shares[2].finish();
        let told = tokio::time::timeout(std::time::Duration::ZERO, shares[2].is_evicted()).await;
        assert!(told.is_err());
        shares[1].hold(0);
        shares[2].hold(101);
        shares[2].is_evicted().await;
        shares.clear();
        let table = unfinished.lock();
        assert_eq!((table.total, table.oldest_first.len()), (0, 0));
    }
}
