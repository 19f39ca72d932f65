//! The events one reader has not taken yet: bounded for each account and altogether, what is over merged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use homing_core::event::Event;
use homing_core::ids::AccountId;
use homing_core::state::AccountState;

use super::channel::Queue;
use super::lagged::Lagged;

/// An event as all its readers share it.
pub(crate) struct Told {
    pub(crate) event: Event,
    /// The account's state once the event had happened.
    pub(crate) state: AccountState,
}

/// What a reader takes: an event, or what stands for events that it missed.
type Taken = Result<Arc<Told>, Box<Lagged>>;

/// The backlog of one reader. It holds no event while the reader is up to date.
#[derive(Default)]
pub(crate) struct Backlog {
    accounts: BTreeMap<AccountId, OneAccount>,
    /// The account of each event kept, in the order in which they happened.
    order: VecDeque<AccountId>,
    /// Accounts of which events were merged that the reader was not told of yet.
    lagging: VecDeque<AccountId>,
}

#[derive(Default)]
struct OneAccount {
    /// Stands for events older than those kept.
    lagged: Option<Box<Lagged>>,
    kept: VecDeque<Arc<Told>>,
}

impl Told {
    /// The event itself for its last reader, a copy for others.
    pub(super) fn into_event(self: Arc<Self>) -> Event {
        Arc::try_unwrap(self).map_or_else(|told| told.event.clone(), |told| told.event)
    }
}

impl Queue for Backlog {
    type Sent = Told;
    type Taken = Taken;

    fn push(&mut self, told: Arc<Told>) {
        let id = told.event.account;
        let account = self.accounts.entry(id).or_default();
        account.kept.push_back(told);
        if account.kept.len() > KEPT_OF_ACCOUNT {
            // One of its places in the order was its oldest event's; the new one has it now.
            self.merge_oldest(id);
            return;
        }
        self.order.push_back(id);
        if self.order.len() > KEPT_OF_ALL
            && let Some(oldest) = self.order.pop_front()
        {
            self.merge_oldest(oldest);
        }
    }

    fn pop(&mut self) -> Option<Taken> {
        if let Some(id) = self.lagging.pop_front() {
            let lagged = self.accounts.get_mut(&id)?.lagged.take()?;
            self.forget_if_empty(id);
            return Some(Err(lagged));
        }
        let id = self.order.pop_front()?;
        let told = self.accounts.get_mut(&id)?.kept.pop_front()?;
        self.forget_if_empty(id);
        Some(Ok(told))
    }
}

impl Backlog {
    fn merge_oldest(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        let Some(told) = account.kept.pop_front() else { return };
        let lagged = account.lagged.get_or_insert_with(|| {
            self.lagging.push_back(id);
            Box::new(Lagged { account: id, kinds: BTreeMap::new(), state: told.state })
        });
        *lagged.kinds.entry(told.event.what.kind()).or_default() += 1;
        lagged.state = told.state;
    }

    /// Forgets an account of which nothing waits. The only one is kept: of it the next event will be.
    fn forget_if_empty(&mut self, id: AccountId) {
        if self.accounts.len() > 1
            && self
                .accounts
                .get(&id)
                .is_some_and(|account| account.kept.is_empty() && account.lagged.is_none())
        {
            self.accounts.remove(&id);
        }
    }
}

/// Events of one account that are kept for a reader.
const KEPT_OF_ACCOUNT: usize = 256;
/// Events of all accounts together that are kept for a reader.
const KEPT_OF_ALL: usize = 65_536;

#[cfg(test)]
mod tests {
    use homing_core::event::{AccountEvent, EventKind};

    use super::*;

    fn told(account: u32, expires: u32) -> Arc<Told> {
        let event = Event { account: AccountId(account), what: AccountEvent::Refreshed { expires } };
        Arc::new(Told { event, state: AccountState::Registered })
    }

    fn changed(account: u32, to: AccountState) -> Arc<Told> {
        let what = AccountEvent::StateChanged { from: AccountState::Offline, to };
        Arc::new(Told { event: Event { account: AccountId(account), what }, state: to })
    }

    fn taken(backlog: &mut Backlog) -> Vec<Taken> {
        std::iter::from_fn(|| backlog.pop()).collect()
    }

    fn expires(taken: &[Taken], account: u32) -> Vec<u32> {
        let events = taken.iter().filter_map(|taken| Some(&taken.as_ref().ok()?.event));
        let mine = events.filter(|event| event.account == AccountId(account));
        mine.map(|event| match event.what {
            AccountEvent::Refreshed { expires } => expires,
            ref other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn what_is_older_than_256_events_is_merged_by_kind_and_keeps_the_newest_state() {
        let mut backlog = Backlog::default();
        backlog.push(changed(1, AccountState::Resolving));
        backlog.push(changed(1, AccountState::Registered));
        (0..300).for_each(|n| backlog.push(told(1, n)));
        let taken = taken(&mut backlog);
        let lagged = taken[0].as_ref().err().unwrap();
        assert_eq!((lagged.account, lagged.state), (AccountId(1), AccountState::Registered));
        let kinds: Vec<_> = lagged.kinds.iter().map(|(kind, count)| (*kind, *count)).collect();
        assert_eq!(kinds, [(EventKind::StateChanged, 2), (EventKind::Refreshed, 44)]);
        assert_eq!(lagged.missed(), 46);
        assert_eq!(lagged.to_string(), "46 events missed (2 state changed, 44 refreshed); now registered");
        assert_eq!(taken.len(), 1 + KEPT_OF_ACCOUNT);
        assert_eq!(expires(&taken, 1), (44..300).collect::<Vec<_>>());
    }

    #[test]
    fn one_account_pushes_out_no_event_of_another() {
        let mut backlog = Backlog::default();
        backlog.push(told(1, 7));
        (0..10_000).for_each(|n| backlog.push(told(2, n)));
        backlog.push(told(1, 8));
        let taken = taken(&mut backlog);
        assert_eq!(expires(&taken, 1), [7, 8]);
        let lagged: Vec<_> = taken.iter().filter_map(|taken| taken.as_ref().err()).collect();
        assert_eq!(lagged.iter().map(|lagged| lagged.account).collect::<Vec<_>>(), [AccountId(2)]);
    }

    #[test]
    fn all_accounts_together_are_bounded_and_every_account_is_heard_of() {
        let mut backlog = Backlog::default();
        let accounts = 1_000;
        for n in 0..100 {
            (0..accounts).for_each(|account| backlog.push(told(account, n)));
        }
        assert_eq!(backlog.order.len(), KEPT_OF_ALL);
        assert_eq!(backlog.accounts.values().map(|one| one.kept.len()).sum::<usize>(), KEPT_OF_ALL);
        let taken = taken(&mut backlog);
        for account in 0..accounts {
            let missed = taken.iter().filter_map(|taken| taken.as_ref().err());
            let missed: u64 = missed
                .filter(|lagged| lagged.account == AccountId(account))
                .map(|lagged| lagged.missed())
                .sum();
            let kept = expires(&taken, account);
            assert_eq!(missed + kept.len() as u64, 100);
            assert_eq!(kept.last(), Some(&99), "the newest is never merged");
        }
    }

    #[test]
    fn events_of_several_accounts_come_in_the_order_in_which_they_happened_and_leave_nothing_behind() {
        let mut backlog = Backlog::default();
        let order = [3, 1, 3, 2, 1];
        (0..).zip(order).for_each(|(n, account)| backlog.push(told(account, n)));
        let taken = taken(&mut backlog);
        assert_eq!(
            taken.iter().map(|taken| taken.as_ref().ok().unwrap().event.account.0).collect::<Vec<_>>(),
            order
        );
        assert!(backlog.accounts.len() <= 1 && backlog.order.is_empty() && backlog.lagging.is_empty());
    }

    #[test]
    fn who_is_told_of_a_lag_twice_misses_nothing_in_between() {
        let mut backlog = Backlog::default();
        (0..300).for_each(|n| backlog.push(told(1, n)));
        assert_eq!(backlog.pop().unwrap().err().unwrap().missed(), 44);
        (300..310).for_each(|n| backlog.push(told(1, n)));
        assert_eq!(backlog.pop().unwrap().err().unwrap().missed(), 10);
        assert_eq!(expires(&taken(&mut backlog), 1), (54..310).collect::<Vec<_>>());
    }
}
