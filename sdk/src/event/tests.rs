//! Readers against a channel: late, eager, dropped, made mid-way, and thousands of them.

use std::sync::Arc;
use std::task::Waker;

use futures_util::FutureExt as _;
use homing_core::ids::AccountId;
use homing_core::state::AccountState;

use super::{AccountEvent, AccountEvents, ChannelSender, Event, EventKind, Events, Lagged, Told};
use crate::state_watch::{StateSender, StateWatch, state_watch};

/// Accounts with their channels, and the channel of all, as a driver has them.
struct Accounts {
    senders: Vec<StateSender>,
    watches: Vec<StateWatch>,
    all: ChannelSender,
    wakers: Vec<Waker>,
}

impl Accounts {
    fn new(count: usize) -> Self {
        let (senders, watches) = (0..count).map(|_| state_watch(AccountState::Offline)).unzip();
        Self { senders, watches, all: ChannelSender::default(), wakers: Vec::new() }
    }

    fn events(&self, account: usize) -> AccountEvents {
        AccountEvents::new(self.watches[account].clone())
    }

    fn all_events(&self) -> Events {
        Events::new(Arc::clone(self.all.channel()))
    }

    fn tell(&mut self, account: usize, what: AccountEvent) -> Arc<Told> {
        if let AccountEvent::StateChanged { to, .. } = what {
            self.senders[account].set(to);
        }
        let id = AccountId(u32::try_from(account).unwrap());
        let state = self.senders[account].state();
        let told = Arc::new(Told { event: Event { account: id, what }, state });
        self.senders[account].channel().send(&told, &mut self.wakers);
        self.all.channel().send(&told, &mut self.wakers);
        told
    }

    fn refresh(&mut self, account: usize, expires: u32) {
        self.tell(account, AccountEvent::Refreshed { expires });
    }

    fn change(&mut self, account: usize, to: AccountState) {
        self.tell(account, AccountEvent::StateChanged { from: AccountState::Offline, to });
    }

    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

fn waiting(events: &mut AccountEvents) -> Vec<Result<AccountEvent, Lagged>> {
    std::iter::from_fn(|| events.next().now_or_never().flatten()).collect()
}

fn waiting_of_all(events: &mut Events) -> Vec<Result<Event, Lagged>> {
    std::iter::from_fn(|| events.next().now_or_never().flatten()).collect()
}

#[test]
fn a_late_reader_gets_what_it_missed_as_one_and_then_the_newest_256() {
    let mut accounts = Accounts::new(1);
    let mut events = accounts.events(0);
    accounts.change(0, AccountState::Resolving);
    (0..9_000).for_each(|n| accounts.refresh(0, n));
    accounts.change(0, AccountState::LoggedOff);
    let taken = waiting(&mut events);
    assert_eq!(taken.len(), 257);
    let lagged = taken[0].as_ref().unwrap_err();
    assert_eq!((lagged.missed(), lagged.state), (9_002 - 256, AccountState::Resolving));
    assert_eq!(lagged.kinds[&EventKind::StateChanged], 1);
    let newest = taken.last().unwrap().as_ref().unwrap();
    assert!(matches!(newest, AccountEvent::StateChanged { to: AccountState::LoggedOff, .. }));
}

#[test]
fn a_late_reader_of_one_account_is_untouched_by_the_others() {
    let mut accounts = Accounts::new(100);
    let (mut own, mut all) = (accounts.events(0), accounts.all_events());
    accounts.change(0, AccountState::Registered);
    for account in 1..100 {
        (0..600).for_each(|n| accounts.refresh(account, n));
    }
    assert_eq!(waiting(&mut own).len(), 1);
    let taken = waiting_of_all(&mut all);
    let mine = |event: &&Event| event.account == AccountId(0);
    assert_eq!(taken.iter().filter_map(|taken| taken.as_ref().ok()).filter(mine).count(), 1);
    assert_eq!(taken.iter().filter(|taken| taken.is_err()).count(), 99, "one for each that was too much");
}

#[tokio::test]
async fn an_eager_reader_of_all_gets_every_one_of_9_000_events() {
    let mut accounts = Accounts::new(3_000);
    let mut events = accounts.all_events();
    let driver = std::thread::spawn(move || {
        for n in 0..3 {
            (0..3_000).for_each(|account| accounts.refresh(account, n));
            accounts.wake();
        }
    });
    let mut taken = 0;
    while let Some(event) = events.next().await {
        event.expect("no event was missed");
        taken += 1;
    }
    assert_eq!(taken, 9_000);
    driver.join().unwrap();
}

#[test]
fn a_reader_that_is_dropped_holds_nothing_and_is_sent_nothing() {
    let mut accounts = Accounts::new(1);
    let (own, all) = (accounts.events(0), accounts.all_events());
    let told = accounts.tell(0, AccountEvent::Forgotten);
    assert_eq!(Arc::strong_count(&told), 3);
    drop((own, all));
    assert_eq!(Arc::strong_count(&told), 1);
    assert!(!accounts.senders[0].channel().has_readers() && !accounts.all.channel().has_readers());
}

#[test]
fn a_reader_made_midway_gets_what_happens_from_then_on_with_the_state_that_goes_with_it() {
    let mut accounts = Accounts::new(1);
    accounts.change(0, AccountState::Registered);
    let mut events = accounts.events(0);
    assert!(waiting(&mut events).is_empty());
    (0..300).for_each(|n| accounts.refresh(0, n));
    let lagged = waiting(&mut events).remove(0).unwrap_err();
    assert_eq!((lagged.missed(), lagged.state), (44, AccountState::Registered));
}

#[test]
fn an_event_wakes_the_readers_of_its_account_once_and_no_others() {
    let mut accounts = Accounts::new(3_000);
    let mut readers: Vec<_> = (0..3_000).map(|account| accounts.events(account)).collect();
    for reader in &mut readers {
        assert!(reader.next().now_or_never().is_none());
    }
    (0..10).for_each(|n| accounts.refresh(1_234, n));
    assert_eq!(accounts.wakers.len(), 1);
    assert_eq!(waiting(&mut readers[1_234]).len(), 10);
    assert!(readers.iter_mut().all(|reader| waiting(reader).is_empty()));
}

#[test]
fn three_thousand_readers_of_one_account_share_its_events() {
    let mut accounts = Accounts::new(1);
    let mut readers: Vec<_> = (0..3_000).map(|_| accounts.events(0)).collect();
    let told = accounts.tell(0, AccountEvent::Forgotten);
    assert_eq!(Arc::strong_count(&told), 3_001);
    for reader in &mut readers {
        assert_eq!(waiting(reader), [Ok(AccountEvent::Forgotten)]);
    }
    assert_eq!(Arc::strong_count(&told), 1);
}

#[tokio::test]
async fn the_end_comes_after_what_waits_and_at_once_for_whoever_comes_later() {
    let mut accounts = Accounts::new(1);
    let (mut own, mut all) = (accounts.events(0), accounts.all_events());
    accounts.refresh(0, 7);
    let (watch, channel) = (accounts.watches[0].clone(), Arc::clone(accounts.all.channel()));
    drop(accounts);
    assert_eq!(own.next().await, Some(Ok(AccountEvent::Refreshed { expires: 7 })));
    assert!(all.next().await.is_some());
    assert!(own.next().await.is_none() && all.next().await.is_none());
    assert!(AccountEvents::new(watch).next().await.is_none());
    assert!(Events::new(channel).next().await.is_none());
}
