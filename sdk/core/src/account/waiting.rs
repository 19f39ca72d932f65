//! Accounts between two attempts, by the servers that failed them: when a server takes a registration again, they
//! are woken, staggered (decision 38).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use crate::ids::AccountId;
use crate::time::{Moment, Now};
use crate::transport::Transport;

/// A server's address, as dialled.
type Place = (SocketAddr, Transport);

/// Who waits for which server.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    places: BTreeMap<Place, Queue>,
    woken: Vec<Woken>,
}

/// An account that need not wait longer than until `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Woken {
    pub(crate) account: AccountId,
    pub(crate) at: Moment,
}

/// Who waits for one server.
#[derive(Debug, Default)]
struct Queue {
    accounts: BTreeSet<AccountId>,
    /// When the next of them may be woken: one series of them follows another.
    next: Moment,
}

impl Waiting {
    /// This server failed the account, which tries again after a pause.
    pub(crate) fn join(&mut self, place: Place, account: AccountId) {
        if self.places.len() >= MOST_PLACES && !self.places.contains_key(&place) {
            self.places.pop_first();
        }
        self.places.entry(place).or_default().accounts.insert(account);
    }

    /// The server took a registration: those who wait for it are woken one after the other, `pause` apart.
    pub(crate) fn recovered(&mut self, place: Place, pause: Duration, now: Now) {
        let Some(queue) = self.places.get_mut(&place) else { return };
        for account in std::mem::take(&mut queue.accounts) {
            let at = queue.next.max(now.since_start);
            queue.next = Moment(at.0 + pause);
            self.woken.push(Woken { account, at });
        }
        if now.reached(queue.next) {
            self.places.remove(&place);
        }
    }

    /// Those who were woken and do not know it yet.
    pub(crate) fn take_woken(&mut self) -> Vec<Woken> {
        std::mem::take(&mut self.woken)
    }
}

/// Addresses remembered.
const MOST_PLACES: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waiting_are_woken_once_one_after_the_other_and_the_next_series_follows() {
        let place = ("192.0.2.1:5061".parse().unwrap(), Transport::Tls);
        let at = |millis| Now::new(Duration::from_millis(millis), Duration::ZERO);
        let pause = Duration::from_millis(10);
        let mut waiting = Waiting::default();
        (0..3).for_each(|n| waiting.join(place, AccountId(n)));
        waiting.recovered(place, pause, at(100));
        waiting.recovered(place, pause, at(100));
        (3..5).for_each(|n| waiting.join(place, AccountId(n)));
        waiting.recovered(place, pause, at(105));
        let woken: Vec<(u32, u128)> =
            waiting.take_woken().iter().map(|woken| (woken.account.0, woken.at.0.as_millis())).collect();
        assert_eq!(woken, [(0, 100), (1, 110), (2, 120), (3, 130), (4, 140)]);
        assert!(waiting.take_woken().is_empty());
        waiting.recovered(place, pause, at(1_000));
        assert!(waiting.places.is_empty(), "nothing is kept of a server for which nobody waits");
    }
}
